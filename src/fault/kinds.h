/* kinds.h — every kind of fault, one per file; fault.c's table lists them. */
#ifndef LZ_FAULT_KINDS_H
#define LZ_FAULT_KINDS_H

#include "fault/fault.h"
#include "model/net/connection.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/node/ulimit.h"
#include "model/service/filter.h"

extern const struct lz_fault_kind lz_fault_alert_delay;
extern const struct lz_fault_kind lz_fault_auth_outage;
extern const struct lz_fault_kind lz_fault_autoscaler_off;
extern const struct lz_fault_kind lz_fault_backup_corrupt;
extern const struct lz_fault_kind lz_fault_backup_fail;
extern const struct lz_fault_kind lz_fault_bad_deploy;
extern const struct lz_fault_kind lz_fault_bandwidth;
extern const struct lz_fault_kind lz_fault_blackhole;
extern const struct lz_fault_kind lz_fault_bots;
extern const struct lz_fault_kind lz_fault_cache_limit;
extern const struct lz_fault_kind lz_fault_capacity_shortage;
extern const struct lz_fault_kind lz_fault_cert_expiry;
extern const struct lz_fault_kind lz_fault_clock_drift;
extern const struct lz_fault_kind lz_fault_clock_skew;
extern const struct lz_fault_kind lz_fault_clock_step;
extern const struct lz_fault_kind lz_fault_config_push;
extern const struct lz_fault_kind lz_fault_connection_exhaustion;
extern const struct lz_fault_kind lz_fault_consumer_stall;
extern const struct lz_fault_kind lz_fault_control_plane_down;
extern const struct lz_fault_kind lz_fault_corrupt;
extern const struct lz_fault_kind lz_fault_cpu;
extern const struct lz_fault_kind lz_fault_cpu_throttle;
extern const struct lz_fault_kind lz_fault_crash_loop;
extern const struct lz_fault_kind lz_fault_degrade;
extern const struct lz_fault_kind lz_fault_disk_corrupt;
extern const struct lz_fault_kind lz_fault_disk_error;
extern const struct lz_fault_kind lz_fault_disk_freeze;
extern const struct lz_fault_kind lz_fault_disk_full;
extern const struct lz_fault_kind lz_fault_disk_iops;
extern const struct lz_fault_kind lz_fault_disk_latency;
extern const struct lz_fault_kind lz_fault_dns;
extern const struct lz_fault_kind lz_fault_down;
extern const struct lz_fault_kind lz_fault_drain;
extern const struct lz_fault_kind lz_fault_duplicate;
extern const struct lz_fault_kind lz_fault_evict;
extern const struct lz_fault_kind lz_fault_expire;
extern const struct lz_fault_kind lz_fault_failover;
extern const struct lz_fault_kind lz_fault_fd_limit;
extern const struct lz_fault_kind lz_fault_flap;
extern const struct lz_fault_kind lz_fault_flood;
extern const struct lz_fault_kind lz_fault_flush;
extern const struct lz_fault_kind lz_fault_fsync_lie;
extern const struct lz_fault_kind lz_fault_hot_key;
extern const struct lz_fault_kind lz_fault_http_abort;
extern const struct lz_fault_kind lz_fault_http_delay;
extern const struct lz_fault_kind lz_fault_http_replace;
extern const struct lz_fault_kind lz_fault_http_reset;
extern const struct lz_fault_kind lz_fault_isr_shrink;
extern const struct lz_fault_kind lz_fault_key_rotation;
extern const struct lz_fault_kind lz_fault_kill;
extern const struct lz_fault_kind lz_fault_latency;
extern const struct lz_fault_kind lz_fault_limit_data;
extern const struct lz_fault_kind lz_fault_lock;
extern const struct lz_fault_kind lz_fault_long_transaction;
extern const struct lz_fault_kind lz_fault_loss;
extern const struct lz_fault_kind lz_fault_lost_write;
extern const struct lz_fault_kind lz_fault_memory;
extern const struct lz_fault_kind lz_fault_misdirected_write;
extern const struct lz_fault_kind lz_fault_monitoring_loss;
extern const struct lz_fault_kind lz_fault_nic_down;
extern const struct lz_fault_kind lz_fault_partition;
extern const struct lz_fault_kind lz_fault_pause;
extern const struct lz_fault_kind lz_fault_pid_limit;
extern const struct lz_fault_kind lz_fault_pipeline_outage;
extern const struct lz_fault_kind lz_fault_poison_message;
extern const struct lz_fault_kind lz_fault_port_exhaustion;
extern const struct lz_fault_kind lz_fault_reboot;
extern const struct lz_fault_kind lz_fault_registry_outage;
extern const struct lz_fault_kind lz_fault_reorder;
extern const struct lz_fault_kind lz_fault_replication_break;
extern const struct lz_fault_kind lz_fault_replication_lag;
extern const struct lz_fault_kind lz_fault_reset;
extern const struct lz_fault_kind lz_fault_route_loss;
extern const struct lz_fault_kind lz_fault_rpc_status;
extern const struct lz_fault_kind lz_fault_slicer;
extern const struct lz_fault_kind lz_fault_slow_close;
extern const struct lz_fault_kind lz_fault_split_brain;
extern const struct lz_fault_kind lz_fault_spot_interruption;
extern const struct lz_fault_kind lz_fault_stop;
extern const struct lz_fault_kind lz_fault_surge;
extern const struct lz_fault_kind lz_fault_thread_limit;
extern const struct lz_fault_kind lz_fault_throttle;
extern const struct lz_fault_kind lz_fault_torn_write;
extern const struct lz_fault_kind lz_fault_unclean_election;
extern const struct lz_fault_kind lz_fault_volume_detach;
extern const struct lz_fault_kind lz_fault_waf_false_positive;

struct lz_replication_effect;
bool lz_fault_replication_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                               struct lz_err *err) LZ_MUST_CHECK;
void lz_fault_replication_apply(struct lz_world *w, struct lz_fault *f,
                                const struct lz_replication_effect *e);
void lz_fault_replication_revert(struct lz_world *w, struct lz_fault *f);

/* The LZ_FAULT_ON(kind)s that it can be about in this world. */
unsigned lz_kinds_on(const struct lz_fault_kind *kind, const struct lz_world *w);

/* What all kinds refuse: targets, times and picks that make no sense; and what this one does. */
bool lz_kinds_check(const struct lz_fault_kind *kind, const struct lz_world *w,
                    const struct lz_fault_opts *o, struct lz_err *err) LZ_MUST_CHECK;

/* Targets that name running processes. */
#define LZ_TARGETS_INSTANCES                                                                       \
    (LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_INSTANCE) |                      \
     LZ_TARGET_BIT(LZ_TARGET_PRIMARY) | LZ_TARGET_BIT(LZ_TARGET_REPLICA) |                         \
     LZ_TARGET_BIT(LZ_TARGET_HOST) | LZ_TARGET_BIT(LZ_TARGET_ZONE) |                               \
     LZ_TARGET_BIT(LZ_TARGET_REGION) | LZ_TARGET_BIT(LZ_TARGET_CLOUD))

/* The parameter that network faults share. */
#define LZ_PARAM_DIRECTION                                                                         \
    {                                                                                              \
        .name = "direction", .type = LZ_PARAM_CHOICE,                                              \
        .offset = offsetof(struct lz_fault_params, direction), .choices = "both|to|from",          \
        .doc = "\"both\" ways, only \"to\" the target, or only \"from\" it; of a link or a "       \
               "pair, \"to\" is from the first to the second"                                      \
    }

/* Those whose `ratio` may be of connections. */
#define LZ_PARAM_PER                                                                               \
    {                                                                                              \
        .name = "per", .type = LZ_PARAM_CHOICE, .offset = offsetof(struct lz_fault_params, per),   \
        .choices = "message|connection",                                                           \
        .doc = "what `ratio` is a share of: messages, or callers' connections, each of which is "  \
               "struck with all it carries but its handshake, or spared for good"                  \
    }

/* Those that break connections: which. */
#define LZ_PARAM_CONNECTIONS                                                                       \
    {                                                                                              \
        .name = "ratio", .type = LZ_PARAM_RATIO,                                                   \
        .offset = offsetof(struct lz_fault_params, ratio), .preset = 1.0,                          \
        .doc = "share of the connections, each by a draw of its own; default all"                  \
    }

/* And those that act on packets. */
#define LZ_PARAM_BY                                                                                \
    {                                                                                              \
        .name = "by", .type = LZ_PARAM_CHOICE, .offset = offsetof(struct lz_fault_params, by),     \
        .choices = "any|tc|nfqueue",                                                               \
        .doc =                                                                                     \
            "in a live run in namespaces, who acts on packets: the kernel's \"tc\" (netem, tbf), " \
            "or \"nfqueue\", which decides by the seed; \"any\" is tc where this kernel has it, "  \
            "does the same and nothing is left to chance; a simulation has no use for it"          \
    }

/* The parameters of what spreads in waves, and what they do: degrade the hits one share after
   another. A kind that does something else in its waves counts them by the same `next`. */
#define LZ_PARAMS_WAVES                                                                            \
    {.name = "waves",                                                                              \
     .type = LZ_PARAM_COUNT,                                                                       \
     .offset = offsetof(struct lz_fault_params, waves),                                            \
     .preset = 1,                                                                                  \
     .doc = "in so many steps, each hitting its share; default 1: everywhere at once"},            \
    {                                                                                              \
        .name = "gap", .type = LZ_PARAM_DURATION, .offset = offsetof(struct lz_fault_params, gap), \
        .doc = "between two waves; default 1m"                                                     \
    }

bool lz_fault_waves_check(const struct lz_fault_opts *o, struct lz_err *err);
lz_time lz_fault_waves_next(struct lz_world *w, const struct lz_fault *f);
void lz_fault_waves_apply(struct lz_world *w, struct lz_fault *f);
void lz_fault_waves_advance(struct lz_world *w, struct lz_fault *f);
void lz_fault_waves_revert(struct lz_world *w, struct lz_fault *f);
/* How fault.kill and fault.stop hold what they ended; fault.drain what it could not end yet. */
enum { LZ_FAULT_FREE, LZ_FAULT_KILLED, LZ_FAULT_STOPPED, LZ_FAULT_WAITING, LZ_FAULT_UNHEARD };
uint32_t lz_fault_stop_one(struct lz_world *w, struct lz_fault *f, lz_instance_id id,
                           lz_time grace);
void lz_fault_stop_revert(struct lz_world *w, struct lz_fault *f);

/* What may do something on a disk; of those, what keeps a log that a loss of power can shorten. */
#define LZ_FAULT_ON_LOGS                                                                           \
    (LZ_FAULT_ON(LZ_COMPONENT_DATABASE) | LZ_FAULT_ON(LZ_COMPONENT_BROKER) |                       \
     LZ_FAULT_ON(LZ_COMPONENT_CONSENSUS) | LZ_FAULT_ON(LZ_COMPONENT_CACHE))
#define LZ_FAULT_ON_DISKS (LZ_FAULT_ON_LOGS | LZ_FAULT_ON(LZ_COMPONENT_SERVICE))

/* For faults of brokers: the target has partitions (fault_isr_shrink.c). */
bool lz_fault_is_log(const struct lz_world *w, const struct lz_fault_opts *o,
                     struct lz_err *err) LZ_MUST_CHECK;

/* For faults of clocks: one error on the clock of each host that was hit, by `e`, whose `reads` it
 * sets. */
struct lz_clock_error;
void lz_fault_clock_apply(struct lz_world *w, struct lz_fault *f, struct lz_clock_error *e);
void lz_fault_clock_revert(struct lz_world *w, struct lz_fault *f);

/* For disk faults: one effect on the disks of what was hit. */
struct lz_disk_effect;
void lz_fault_disk_apply(struct lz_world *w, struct lz_fault *f, struct lz_disk_effect *e);
bool lz_fault_disk_takes(const struct lz_world *w, lz_instance_id id);
bool lz_fault_disk_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                        struct lz_err *err) LZ_MUST_CHECK;
void lz_fault_disk_revert(struct lz_world *w, struct lz_fault *f);
/* Of those whose harm shows when the disk is read again: has none of those that were hit ended? */
const char *lz_fault_disk_waits(const struct lz_world *w, const struct lz_fault *f);

/* What stands on the declared hosts of those that were hit is hit too: a machine goes as a whole.
 */
void lz_fault_hit_hosts(struct lz_world *w, struct lz_fault *f);

/* What fault.down and fault.reboot do to the host of the hit at `at`; true if it was there before.
   The second undoes it. A cluster's node is lost once, and all that stands on it with it. */
bool lz_fault_lose(struct lz_world *w, struct lz_fault *f, uint32_t at);
void lz_fault_return(struct lz_world *w, struct lz_fault *f, uint32_t at);
#define LZ_FAULT_LOST_ALONE 0 /* in `undo`: it is no cluster's node */

/* What fault.evict, fault.drain and fault.spot_interruption do; undone by lz_fault_stop_revert. */
uint32_t lz_fault_evict_one(struct lz_world *w, struct lz_fault *f, lz_instance_id id,
                            const struct lz_target *leave, lz_time grace);

/*
 * The API of a control plane that is down (platform.h) answers nobody: it is asked again every 5 s.
 * In `undo` that is UNHEARD, and WAITING where it has answered that it must not be yet. Who has
 * left the place at which it stood, in `hosts`, is not asked for again. The last undoes all of it.
 */
#define LZ_FAULT_EVICT_AGAIN (5 * LZ_S)
void lz_fault_evict_begin(struct lz_world *w, struct lz_fault *f);
bool lz_fault_evict_is_unheard(struct lz_world *w, struct lz_fault *f, uint32_t hit);
bool lz_fault_evict_stands(const struct lz_world *w, const struct lz_fault *f, uint32_t hit);
lz_time lz_fault_evict_next(struct lz_world *w, const struct lz_fault *f);
void lz_fault_evict_revert(struct lz_world *w, struct lz_fault *f);
#define LZ_PARAM_CORRELATION                                                                       \
    {                                                                                              \
        .name = "correlation", .type = LZ_PARAM_RATIO,                                             \
        .offset = offsetof(struct lz_fault_params, correlation),                                   \
        .doc = "how often a packet fares as the one before it between the same two; default 0"     \
    }
#define LZ_PARAM_STRUCK(what)                                                                      \
    {                                                                                              \
        .name = "ratio", .type = LZ_PARAM_RATIO,                                                   \
        .offset = offsetof(struct lz_fault_params, ratio), .required = true,                       \
        .ramp = LZ_RAMP_FROM_0, .doc = "share of packets that are " what                           \
    }

/* The only number that most kinds keep to undo what they did. */
static inline uint32_t *lz_fault_undo(struct lz_world *w, struct lz_fault *f)
{
    if (f->undo == NULL)
        f->undo = lz_arena_alloc(w->arena, sizeof(*f->undo));
    return f->undo;
}

/* For faults of the platform (fault_platform.c): the kind says in `platform` what is withheld. */
bool lz_fault_platform_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                            struct lz_err *err) LZ_MUST_CHECK;
void lz_fault_platform_apply(struct lz_world *w, struct lz_fault *f);
void lz_fault_platform_revert(struct lz_world *w, struct lz_fault *f);

/* For faults of backups (fault_backup.c), and what may keep them. */
#define LZ_FAULT_ON_KEEPERS                                                                        \
    (LZ_FAULT_ON(LZ_COMPONENT_DATABASE) | LZ_FAULT_ON(LZ_COMPONENT_STORE) |                        \
     LZ_FAULT_ON(LZ_COMPONENT_SERVICE) | LZ_FAULT_ON(LZ_COMPONENT_CACHE) |                         \
     LZ_FAULT_ON(LZ_COMPONENT_BALANCER) | LZ_FAULT_ON(LZ_COMPONENT_GATEWAY))
bool lz_fault_backup_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                          struct lz_err *err) LZ_MUST_CHECK;
void lz_fault_backup_apply(struct lz_world *w, struct lz_fault *f, bool corrupts);
void lz_fault_backup_revert(struct lz_world *w, struct lz_fault *f);

/* Targets that are places. */
#define LZ_TARGETS_PLACES                                                                          \
    (LZ_TARGET_BIT(LZ_TARGET_ZONE) | LZ_TARGET_BIT(LZ_TARGET_REGION) |                             \
     LZ_TARGET_BIT(LZ_TARGET_CLOUD))

/* What network faults may target. */
#define LZ_TARGETS_NET (LZ_TARGETS_INSTANCES | LZ_TARGET_BIT(LZ_TARGET_LINK))

/* Of those whose `ratio` is all unless it is said. */
bool lz_fault_share_check(const struct lz_fault_opts *o, const char *what,
                          struct lz_err *err) LZ_MUST_CHECK;

/* The loss of its ratio and correlation. */
struct lz_loss lz_fault_net_struck(const struct lz_fault *f);

/* For faults of connections: one effect on those between the fault's targets. */
void lz_fault_connection_apply(struct lz_world *w, struct lz_fault *f,
                               struct lz_connection_effect *e);
void lz_fault_connection_revert(struct lz_world *w, struct lz_fault *f);

/* For network faults: one effect over what the fault's targets say. `e` holds what it does. */
bool lz_fault_net_check(const struct lz_fault_opts *opts, struct lz_err *err) LZ_MUST_CHECK;
void lz_fault_net_apply(struct lz_world *w, struct lz_fault *f, struct lz_link_effect *e);
void lz_fault_net_revert(struct lz_world *w, struct lz_fault *f);

/* For faults at the door of replicas (fault_filter.c): parameters that say which requests. */
#define LZ_FAULT_AT(member) offsetof(struct lz_fault_params, request.member)
#define LZ_PARAMS_REQUESTS                                                                         \
    {.name = "ratio",                                                                              \
     .type = LZ_PARAM_RATIO,                                                                       \
     .offset = LZ_FAULT_AT(ratio),                                                                 \
     .preset = 1.0,                                                                                \
     .doc = "share of the requests that is touched, each by its own draw; default all"},           \
        {.name = "path",                                                                           \
         .type = LZ_PARAM_TEXT,                                                                    \
         .offset = LZ_FAULT_AT(path),                                                              \
         .doc = "only requests to it, such as \"/price\"; \"/api/*\" is all that begin like it"},  \
        {.name = "method",                                                                         \
         .type = LZ_PARAM_TEXT,                                                                    \
         .offset = LZ_FAULT_AT(method),                                                            \
         .doc = "only requests of it, such as \"GET\""},                                           \
        {.name = "first",                                                                          \
         .type = LZ_PARAM_COUNT,                                                                   \
         .offset = LZ_FAULT_AT(first),                                                             \
         .min = 1,                                                                                 \
         .doc = "only the first so many; default all"},                                            \
        {.name = "nth",                                                                            \
         .type = LZ_PARAM_COUNT,                                                                   \
         .offset = LZ_FAULT_AT(nth),                                                               \
         .min = 1,                                                                                 \
         .doc = "only every nth; default each"},                                                   \
        {.name = "port",                                                                           \
         .type = LZ_PARAM_COUNT,                                                                   \
         .offset = LZ_FAULT_AT(port),                                                              \
         .min = 1,                                                                                 \
         .doc = "only of what listens on that port; default all"},                                 \
    {                                                                                              \
        .name = "header", .type = LZ_PARAM_TEXT, .offset = LZ_FAULT_AT(header),                    \
        .doc = "in a live run, only requests with it: \"x-user\", \"x-user: eve\", \"x-user: "     \
               "ev*\"; what is simulated has no headers, and refuses it"                           \
    }

/* Those that may be about answers: which. */
#define LZ_PARAM_OF_STATUS                                                                         \
    {                                                                                              \
        .name = "of_status", .type = LZ_PARAM_COUNT, .offset = LZ_FAULT_AT(of_status), .min = 1,   \
        .doc = "only answers that have it, such as 200; default all"                               \
    }
#define LZ_PARAMS_SIDE                                                                             \
    {.name = "side",                                                                               \
     .type = LZ_PARAM_CHOICE,                                                                      \
     .offset = LZ_FAULT_AT(side),                                                                  \
     .choices = "request|answer",                                                                  \
     .doc = "the \"request\" (default), before any work is done, or the \"answer\", after it: of " \
            "that the caller learns nothing, or late"},                                            \
        LZ_PARAM_OF_STATUS

/* How a request ends that is answered so: 429 and 503 are refusals, as a full queue's are. */
static inline enum lz_outcome lz_fault_outcome(uint32_t status)
{
    if (status == 429 || status == 503)
        return LZ_OUTCOME_REFUSED;
    return status >= 400 ? LZ_OUTCOME_ERROR : LZ_OUTCOME_OK;
}

/* For faults of an identity provider (fault_auth_outage.c). */
bool lz_fault_auth_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                        struct lz_err *err) LZ_MUST_CHECK;
/* Remember what it did to the issuer; revert takes it back. */
void lz_fault_auth_apply(struct lz_world *w, struct lz_fault *f, uint32_t trouble);
void lz_fault_auth_revert(struct lz_world *w, struct lz_fault *f);

/* Is what they say about requests possible? And in a simulation? */
bool lz_fault_filter_check(const struct lz_fault_opts *o, struct lz_err *err) LZ_MUST_CHECK;
/* The first, of those that have `side`. */
bool lz_fault_side_check(const struct lz_fault_opts *o, struct lz_err *err) LZ_MUST_CHECK;
bool lz_fault_filter_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                          struct lz_err *err) LZ_MUST_CHECK;

/* Put `filter`, which says what it does, at the hits; the rest comes from the parameters. */
void lz_fault_filter_apply(struct lz_world *w, struct lz_fault *f, struct lz_filter *filter);
void lz_fault_filter_revert(struct lz_world *w, struct lz_fault *f);

/* For kinds that lower a limit of the operating system: `what` of each process that is hit. */
extern const struct lz_param lz_fault_ulimit_params[];
void lz_fault_ulimit_apply(struct lz_world *w, struct lz_fault *f, enum lz_ulimit_kind what);
void lz_fault_ulimit_revert(struct lz_world *w, struct lz_fault *f);

#endif
