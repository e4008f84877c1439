#include "fault/kinds.h"

#include <string.h>

#include "base/check.h"
#include "fault/ramp.h"
#include "model/real.h"

/* kinds.c — the table of kinds, and what every one of them refuses. */

// Alphabetical; people are shown it in this order.
static const struct lz_fault_kind *const kinds[] = {
    &lz_fault_alert_delay,
    &lz_fault_auth_outage,
    &lz_fault_autoscaler_off,
    &lz_fault_backup_corrupt,
    &lz_fault_backup_fail,
    &lz_fault_bad_deploy,
    &lz_fault_bandwidth,
    &lz_fault_blackhole,
    &lz_fault_bots,
    &lz_fault_cache_limit,
    &lz_fault_capacity_shortage,
    &lz_fault_cert_expiry,
    &lz_fault_clock_drift,
    &lz_fault_clock_skew,
    &lz_fault_clock_step,
    &lz_fault_config_push,
    &lz_fault_connection_exhaustion,
    &lz_fault_consumer_stall,
    &lz_fault_control_plane_down,
    &lz_fault_corrupt,
    &lz_fault_cpu,
    &lz_fault_cpu_throttle,
    &lz_fault_crash_loop,
    &lz_fault_degrade,
    &lz_fault_disk_corrupt,
    &lz_fault_disk_error,
    &lz_fault_disk_freeze,
    &lz_fault_disk_full,
    &lz_fault_disk_iops,
    &lz_fault_disk_latency,
    &lz_fault_dns,
    &lz_fault_down,
    &lz_fault_drain,
    &lz_fault_duplicate,
    &lz_fault_evict,
    &lz_fault_expire,
    &lz_fault_failover,
    &lz_fault_fd_limit,
    &lz_fault_flap,
    &lz_fault_flood,
    &lz_fault_flush,
    &lz_fault_fsync_lie,
    &lz_fault_hot_key,
    &lz_fault_http_abort,
    &lz_fault_http_delay,
    &lz_fault_http_replace,
    &lz_fault_http_reset,
    &lz_fault_isr_shrink,
    &lz_fault_key_rotation,
    &lz_fault_kill,
    &lz_fault_latency,
    &lz_fault_limit_data,
    &lz_fault_lock,
    &lz_fault_long_transaction,
    &lz_fault_loss,
    &lz_fault_lost_write,
    &lz_fault_memory,
    &lz_fault_misdirected_write,
    &lz_fault_monitoring_loss,
    &lz_fault_nic_down,
    &lz_fault_partition,
    &lz_fault_pause,
    &lz_fault_pid_limit,
    &lz_fault_pipeline_outage,
    &lz_fault_poison_message,
    &lz_fault_port_exhaustion,
    &lz_fault_reboot,
    &lz_fault_registry_outage,
    &lz_fault_reorder,
    &lz_fault_replication_break,
    &lz_fault_replication_lag,
    &lz_fault_reset,
    &lz_fault_route_loss,
    &lz_fault_rpc_status,
    &lz_fault_slicer,
    &lz_fault_slow_close,
    &lz_fault_split_brain,
    &lz_fault_spot_interruption,
    &lz_fault_stop,
    &lz_fault_surge,
    &lz_fault_thread_limit,
    &lz_fault_throttle,
    &lz_fault_torn_write,
    &lz_fault_unclean_election,
    &lz_fault_volume_detach,
    &lz_fault_waf_false_positive,
};

size_t lz_fault_kind_count(void)
{
    return sizeof(kinds) / sizeof(kinds[0]);
}

const struct lz_fault_kind *lz_fault_kind_get(size_t i)
{
    LZ_ASSERT(i < lz_fault_kind_count());
    return kinds[i];
}

const struct lz_fault_kind *lz_fault_kind_find(const char *name)
{
    for (size_t i = 0; i < lz_fault_kind_count(); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

// A topic has no processes, and its partitions no way of their own.
static bool fits_topic(const struct lz_fault_kind *kind, const struct lz_world *w,
                       const struct lz_target *t, struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, t->id);
    bool is_meant = kind->on != LZ_FAULT_ON_ALL && (kind->on & LZ_FAULT_ON(c->kind)) != 0;
    bool is_way = !kind->per_instance && t->kind == LZ_TARGET_COMPONENT;
    if (c->kind != LZ_COMPONENT_TOPIC || is_meant || is_way)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s cannot target %s, which is a topic's: its processes are its broker's "
                   "nodes",
                   kind->name, c->name);
}

unsigned lz_kinds_on(const struct lz_fault_kind *kind, const struct lz_world *w)
{
    // Names have no process of their own to break, only a way to them.
    unsigned on = kind->on != 0        ? kind->on
                  : kind->per_instance ? ~LZ_FAULT_ON(LZ_COMPONENT_DNS)
                                       : LZ_FAULT_ON_ALL;
    if (lz_real_is_live(w)) // what can be done to it, the hands know
        on |= LZ_FAULT_ON(LZ_COMPONENT_PROCESS) | LZ_FAULT_ON(LZ_COMPONENT_ENDPOINT);
    return on;
}

static bool check_target(const struct lz_fault_kind *kind, const struct lz_world *w,
                         const struct lz_target *t, unsigned accepted, struct lz_err *err)
{
    if (t->kind != 0 && (accepted & LZ_TARGET_BIT(t->kind)) == 0) {
        char what[LZ_TARGET_TEXT_SIZE];
        lz_target_describe(w, t, what, sizeof(what));
        return lz_fail(err, LZ_EINVAL, "fault.%s cannot target %s%s", kind->name, what,
                       t->kind == LZ_TARGET_LINK ? ", a link: fault.partition cuts one, and of a "
                                                   "share of its connections fault.loss { ratio "
                                                   "=, per = \"connection\" }"
                                                 : "");
    }
    bool is_first = accepted == kind->targets;
    if (t->kind != 0 && t->kind <= LZ_TARGET_REPLICA && !fits_topic(kind, w, t, err))
        return false;
    if (t->kind != 0 && t->kind <= LZ_TARGET_REPLICA && is_first) {
        unsigned on = lz_kinds_on(kind, w);
        const struct lz_component *c = lz_world_component(w, t->id);
        if (c->kind == LZ_COMPONENT_PROBE || c->kind == LZ_COMPONENT_PROMETHEUS ||
            (on & LZ_FAULT_ON(c->kind)) == 0)
            return lz_fail(err, LZ_EINVAL, "fault.%s cannot target %s \"%s\"", kind->name,
                           lz_world_kind_name(c->kind), c->name);
    }
    bool is_traffic = t->kind == LZ_TARGET_COMPONENT &&
                      lz_world_component(w, t->id)->kind == LZ_COMPONENT_TRAFFIC;
    if (is_traffic && kind->per_instance)
        return lz_fail(err, LZ_EINVAL, "fault.%s cannot target the users of %s", kind->name,
                       lz_world_component(w, t->id)->name);
    return true;
}

static bool check_times(const struct lz_fault_kind *kind, const struct lz_world *w,
                        const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->at > w->end)
        return lz_fail(err, LZ_ERANGE, "fault.%s would come after the end of the run", kind->name);
    if (o->spread < 0 || (o->spread > 0 && (o->at < o->spread || o->at + o->spread > w->end)))
        return lz_fail(err, LZ_ERANGE, "fault.%s would come outside of the run, by its spread",
                       kind->name);
    if (o->lasting < 0 || o->every < 0 || o->ramp < 0)
        return lz_fail(err, LZ_ERANGE, "lasting, every and ramp must be positive");
    if (o->every > 0 && (o->lasting == 0 || o->lasting >= o->every))
        return lz_fail(err, LZ_EINVAL,
                       "`every` needs `lasting`, shorter than the period: each must end before "
                       "the next; a short one, such as \"1s\", where it is over at once");
    if (o->ramp > 0 && o->lasting > 0 && o->ramp > o->lasting)
        return lz_fail(err, LZ_EINVAL,
                       "`ramp` must be at most `lasting`: the fault would end before it is at full "
                       "strength");
    if (o->ramp > 0 && !kind->ramps_itself && !lz_ramp_has(kind, &o->params))
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s cannot ramp: nothing of it has a magnitude that could grow",
                       kind->name);
    return true;
}

static bool check_pick(const struct lz_fault_kind *kind, const struct lz_fault_opts *o,
                       struct lz_err *err)
{
    const struct lz_pick *pick = &o->pick;
    if (pick->kind != LZ_PICK_ALL && !kind->per_instance && !kind->per_link)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s takes no `pick`: name one of them, such as web.replica[1]",
                       kind->name);
    if (pick->kind != LZ_PICK_ALL && kind->per_link && o->target.kind == LZ_TARGET_LINK)
        return lz_fail(err, LZ_EINVAL,
                       "`pick` chooses instances, and a link is not one: target one of its ends, "
                       "with the other as the second");
    if (pick->kind == LZ_PICK_COUNT && !(pick->amount >= 1.0))
        return lz_fail(err, LZ_ERANGE, "pick must be at least 1, got %g", pick->amount);
    if (pick->kind >= LZ_PICK_SHARE && !(pick->amount > 0.0))
        return lz_fail(err, LZ_ERANGE, "pick must be above 0%%: nothing would ever be hit");
    return true;
}

static bool is_zero(const struct lz_dist *d)
{
    return d->kind == LZ_DIST_CONSTANT && !(d->a > 0.0);
}

// What adds nothing, or multiplies by 1, would count all that it leaves as it is. As one of two
// magnitudes it may be so, where the other is not.
static bool check_magnitude(const struct lz_fault_kind *kind, const struct lz_fault_opts *o,
                            struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    bool has_add = p->add.kind != LZ_DIST_NONE && !is_zero(&p->add);
    bool is_same = p->factor == 1.0 || !(p->factor > 0.0);
    if (is_zero(&p->add) && is_same)
        return lz_fail(err, LZ_ERANGE,
                       "`add` of fault.%s must be above 0s: nothing would be delayed", kind->name);
    if (p->factor == 1.0 && !has_add && !(p->error_ratio > 0.0) && p->version == NULL)
        return lz_fail(err, LZ_ERANGE,
                       "`factor` of fault.%s is 1, and nothing would change: 2 is twice as long",
                       kind->name);
    return true;
}

bool lz_kinds_check(const struct lz_fault_kind *kind, const struct lz_world *w,
                    const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->target.kind == 0)
        return lz_fail(err, LZ_EINVAL, "fault.%s needs a target", kind->name);
    if (!check_target(kind, w, &o->target, kind->targets, err) ||
        !check_target(kind, w, &o->target_b, kind->second, err))
        return false;
    if (!check_times(kind, w, o, err) || !check_pick(kind, o, err) ||
        !check_magnitude(kind, o, err))
        return false;
    return kind->check == NULL || kind->check(o, err);
}
