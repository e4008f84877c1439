/*
 * failover.c — who leads a database.
 *
 *   HEALTHY ──silent──▶ SUSPECT ──detect──▶ PROMOTING ──promote──▶ HEALTHY (another leads)
 *      │ ◀──heard again──────┘                  ▲ └─ nobody can lead: again after a second
 *      └──────── its lease ran out, or somebody said so ┘
 *
 * lz_database_reconsider is told of every change that could matter (a process, a way
 * between nodes) and compares; nothing polls.
 */
#include "model/data/failover.h"

#include "base/check.h"
#include "model/consensus/consensus_member.h"
#include "model/data/leader.h"
#include "model/data/query.h"
#include "model/data/sql/execute.h"
#include "model/data/standby.h"
#include "model/net/net.h"
#include "model/node/disk.h"
#include "model/world_kinds.h"

#define HAND_OVER_NS (100 * LZ_MS) /* between two looks whether the other has all of the log */
#define HAND_OVER_TRIES 600u       /* a minute; then it leads with what it has */

struct lz_failovers {
    lz_kind lead, renew;
};

static bool lives(const struct lz_world *w, lz_instance_id id)
{
    return lz_instance_has_begun(lz_instance_get(w, id));
}

static bool is_up(const struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    return lz_instance_is_up(lz_instance_get(w, d->first + node));
}

bool lz_leader_reaches(struct lz_world *w, lz_instance_id a, lz_instance_id b)
{
    return lz_net_can_ask(w, a, b) && lz_net_can_ask(w, b, a);
}

bool lz_leader_can_be(struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    lz_instance_id id = d->first + node;
    if (!is_up(w, d, node) || (d->sql != NULL && !lz_execute_can_lead(d, node)))
        return false;
    if (d->encrypt != NULL && lz_encrypt_is_locked(d, node))
        return false;
    if (d->retain != NULL && lz_retain_is_full(d, node))
        return false;
    if (d->dcs != NULL)
        return true;
    uint32_t living = 0, reached = 0;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (n == node || !lives(w, d->first + n))
            continue;
        living++;
        reached += lz_leader_reaches(w, id, d->first + n);
    }
    return 2 * reached >= living;
}

bool lz_leader_is_fenced(const struct lz_database *d)
{
    return !d->failover.unfenced && d->split_count == 0;
}

static void arm(struct lz_world *w, struct lz_database *d, lz_time delay)
{
    lz_sim_cancel(w->sim, d->lead_timer);
    d->lead_timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + delay, w->failovers->lead, d->id, 0);
}

// Patroni compares with what the leader had when it last renewed its lease.
static bool is_behind(const struct lz_database *d, uint32_t node)
{
    if (!d->failover.limits_lag)
        return false;
    uint64_t known = d->failover.is_leased ? d->lease.lsn : d->log.flushed;
    uint64_t lsn = d->nodes[node].lsn;
    return known > lsn &&
           (double)(known - lsn) * LZ_NET_SMALL_BYTES > d->failover.maximum_lag_bytes;
}

// Nothing in it that the log which counts does not have: that was led, or followed, elsewhere.
static bool is_whole(const struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    return n->log == &d->log && !n->is_rejoining && n->own_records == 0;
}

bool lz_leader_may_follow(const struct lz_database *d, uint32_t node)
{
    return is_whole(d, node) && !is_behind(d, node);
}

// Of those that can lead the one with the most log; among equals the first.
static bool find_candidate(struct lz_world *w, const struct lz_database *d, uint32_t *out)
{
    bool found = false;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (n == d->primary || !is_whole(d, n) || !lz_leader_can_be(w, d, n) || is_behind(d, n))
            continue;
        if (!found || d->nodes[n].lsn > d->nodes[*out].lsn)
            *out = n;
        found = true;
    }
    return found;
}

// What was acknowledged beyond `lsn` is not what readers may expect any more.
static void forget_acked(struct lz_database *d, uint64_t lsn)
{
    const struct lz_database_node *leader = &d->nodes[d->primary];
    for (uint64_t l = lsn + 1; l <= d->log.wal.last && d->opts.read_replicas; l++) {
        uint64_t key = lz_wal_get(&d->log.wal, l)->key;
        uint64_t version = lz_rows_get(&leader->rows, key);
        lz_rows_put(&d->acked_rows, key, version, version);
    }
}

// The log goes on behind `lsn`, on a new timeline; what of the old is on its way is void.
static void begin_timeline(struct lz_database *d, uint64_t lsn)
{
    d->log.timeline = ++d->timelines;
    d->log.flushed = lsn; // a standby has flushed what it has
    d->log.flushing = 0;
    d->log.is_awaited = false;
    if (d->retain != NULL)
        lz_retain_cut(d, lsn);
    for (uint32_t i = 0; i < d->opts.nodes; i++) {
        struct lz_database_node *n = &d->nodes[i];
        if (n->log != &d->log)
            continue;
        n->acked = n->lsn < lsn ? n->lsn : lsn;
        if (n->lsn > lsn) // what it has beyond is of no timeline any more: it cannot lead with it
            n->own_records = n->lsn - lsn;
        n->way.sent = n->way.shipped = lsn;
        n->way.catch_first = n->way.catch_last = 0;
    }
}

static uint64_t cut_timeline(struct lz_database *d, uint64_t lsn)
{
    forget_acked(d, lsn);
    if (d->sql != NULL)
        lz_execute_rewind(d, lsn);
    uint64_t lost = lz_wal_cut(&d->log.wal, lsn);
    if (d->backups != NULL)
        lz_backup_cut(d, lsn);
    begin_timeline(d, lsn);
    return lost;
}

static void note_lost(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t lost)
{
    lz_metrics_add(w->metrics, d->series.lost_acks, lost);
    if (lost > 0)
        lz_instance_note(w, d->first + node, "lost_acks", "lacks %llu acknowledged writes",
                         (unsigned long long)lost);
}

// Its log is shorter than it was: what it had acknowledged beyond is lost, if it leads.
void lz_database_recover(struct lz_world *w, struct lz_database *d, lz_instance_id node)
{
    uint32_t n = node - d->first;
    uint64_t lsn = d->nodes[n].lsn;
    if (d->agree != NULL) {
        lz_agree_began(w, d, n);
        return;
    }
    // What the end of a process has left is read, and recovery ends with a checkpoint (PostgreSQL's
    // CHECKPOINT_END_OF_RECOVERY), which a disk that lies keeps no better than what was before.
    lz_disk_written_anew(w, node);
    if (d->multi != NULL) {
        lz_multi_started(w, d, n);
        return;
    }
    if (n == d->primary)
        lz_visible_advance(d, &d->log, lsn); // nobody is waited for any more
    if (n == d->primary && lsn >= d->log.wal.last)
        lz_ship_again(w, d);
    if (n != d->primary || lsn >= d->log.wal.last || (d->sql != NULL && !lz_execute_can_lead(d, n)))
        return;
    for (uint64_t l = d->log.wal.last; l > lsn; l--) { // a row is what it was before the first
        const struct lz_wal_record *r = lz_wal_get(&d->log.wal, l);
        if (lz_rows_get(&d->nodes[n].rows, r->key) == l)
            lz_rows_put_back(&d->nodes[n].rows, r->key, r->before, r->replaced);
    }
    uint64_t lost = cut_timeline(d, lsn);
    for (uint32_t i = 0; i < d->opts.nodes; i++)
        if (i != n && d->nodes[i].lsn != lsn)
            d->nodes[i].is_stale = true;
    lz_metrics_set(w->metrics, d->series.unflushed, lz_sim_now(w->sim), 0.0);
    note_lost(w, d, n, lost);
}

// Whether who led goes on beside the new leader: it runs, and nobody has stopped it.
static bool goes_on(const struct lz_world *w, const struct lz_database *d)
{
    return !d->is_handed_over && !lz_leader_is_fenced(d) && lives(w, d->first + d->primary) &&
           d->nodes[d->primary].log == &d->log;
}

static uint64_t leave_behind(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    uint32_t old = d->primary;
    struct lz_database_node *n = &d->nodes[node], *o = &d->nodes[old];
    o->flushed = d->log.flushed < o->lsn ? d->log.flushed : o->lsn; // while it led the log knew
    if (goes_on(w, d)) {
        d->primary = node;
        forget_acked(d, n->lsn);
        uint64_t lost = lz_split_begin(w, d, old, node, n->lsn);
        begin_timeline(d, n->lsn);
        return lost;
    }
    o->is_stale = o->has_led = true;
    o->own_records = o->lsn > n->lsn ? o->lsn - n->lsn : 0;
    lz_query_break_all(w, d, d->first + old, false); // with its demotion
    lz_standby_died(o);
    d->primary = node;
    return cut_timeline(d, n->lsn);
}

static void promote(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    LZ_ASSERT(node != d->primary);
    d->led_before = d->primary;
    struct lz_database_node *n = &d->nodes[node];
    n->is_stale = n->has_led = n->must_copy = false;
    n->log = &d->log;
    lz_standby_catch_up(w, d, node);
    lz_standby_died(n);
    uint64_t lost = leave_behind(w, d, node);
    d->log.leader = node;
    for (uint32_t i = 0; i < d->opts.nodes; i++) {
        // One that is behind would miss what was on the way to it: it is rebuilt.
        if (i != node && d->nodes[i].log == &d->log && d->nodes[i].lsn != n->lsn)
            d->nodes[i].is_stale = true;
    }
    d->is_writable = true;
    d->is_handed_over = false;
    d->lead = LZ_LEAD_HEALTHY;
    d->promoted_at = lz_sim_now(w->sim);
    if (d->retain != NULL)
        lz_retain_promoted(w, d);
    if (d->checkpoints != NULL)
        lz_checkpoint_promoted(w, d);
    lz_metrics_add(w->metrics, d->series.failovers, 1);
    lz_instance_note(w, d->first + node, "promoted", "promoted to primary");
    note_lost(w, d, node, lost);
    if (d->failover.is_leased)
        lz_lease_begin(w, d);
}

static void rebuild_stale(struct lz_world *w, struct lz_database *d)
{
    lz_instance_id primary = d->first + d->primary;
    if (!d->is_writable || !is_up(w, d, d->primary))
        return;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        lz_instance_id id = d->first + n;
        if (n == d->primary || !d->nodes[n].is_stale || d->nodes[n].is_rejoining)
            continue;
        bool is_lost = d->retain != NULL && !lz_retain_can_follow(d, n);
        bool is_refused =
            is_lost || (d->encrypt != NULL && !lz_encrypt_connects(w, d, d->primary, n));
        if (!is_refused && is_up(w, d, n) && lz_leader_reaches(w, primary, id)) {
            lz_query_break_all(w, d, id, false);
            lz_rejoin_begin(w, d, n);
        }
    }
}

static void watch_primary(struct lz_world *w, struct lz_database *d)
{
    bool ok = lz_leader_can_be(w, d, d->primary);
    if (d->lead == LZ_LEAD_HEALTHY && !ok) {
        d->lead = LZ_LEAD_SUSPECT;
        arm(w, d, d->failover.detect);
    } else if (d->lead == LZ_LEAD_SUSPECT && ok) {
        d->lead = LZ_LEAD_HEALTHY;
        lz_sim_cancel(w->sim, d->lead_timer);
        d->lead_timer = 0;
    }
}

static void go_back(struct lz_world *w, struct lz_database *d);

static void reconsider(struct lz_world *w, struct lz_database *d)
{
    if (d->multi != NULL || d->agree != NULL)
        return;
    bool is_automatic = d->failover.mode == LZ_FAILOVER_AUTOMATIC && d->opts.nodes > 1;
    if (is_automatic && d->failover.is_leased)
        lz_lease_reconsider(w, d);
    else if (is_automatic)
        watch_primary(w, d);
    lz_split_reconsider(w, d);
    rebuild_stale(w, d);
    go_back(w, d);
    lz_database_watch_standbys(w, d);
}

void lz_leader_race(struct lz_world *w, struct lz_database *d, lz_time delay)
{
    d->lead = LZ_LEAD_PROMOTING;
    if (lz_leader_is_fenced(d))
        d->is_writable = false; // its lease has run out, whether it knows or not
    arm(w, d, delay);
}

// The one that was named, as soon as it can; else the best there is.
static bool find_next(struct lz_world *w, const struct lz_database *d, uint32_t *node)
{
    if (d->forced_to == 0)
        return find_candidate(w, d, node);
    *node = d->forced_to - 1u;
    return *node != d->primary && is_whole(d, *node) && lz_leader_can_be(w, d, *node);
}

// It leads once it has applied what it has, and, if it is handed over to, has everything.
static lz_time not_yet(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    bool is_missing =
        d->is_handed_over && n->lsn < d->log.flushed && !n->is_stale && is_up(w, d, d->primary);
    if (is_missing && d->hand_over_tries++ < HAND_OVER_TRIES)
        return HAND_OVER_NS;
    return lz_standby_backlog(d, node);
}

static void keep_primary(struct lz_world *w, struct lz_database *d)
{
    d->lead = LZ_LEAD_HEALTHY;
    d->is_writable = d->dcs == NULL; // else when the store says so
    d->is_handed_over = false;
    d->forced_to = 0;
    if (d->failover.is_leased)
        lz_lease_begin(w, d);
    rebuild_stale(w, d);
}

static void on_lead(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    d->lead_timer = 0;
    if (d->lead == LZ_LEAD_SUSPECT) {
        lz_instance_note(w, d->first + d->primary, "declared_dead", "declared dead");
        lz_leader_race(w, d, d->failover.promote);
        return;
    }
    LZ_ASSERT(d->lead == LZ_LEAD_PROMOTING);
    uint32_t node = 0;
    if (find_next(w, d, &node)) {
        lz_time wait = not_yet(w, d, node);
        if (wait > 0) {
            arm(w, d, wait);
            return;
        }
        d->forced_to = 0;
        promote(w, d, node);
        reconsider(w, d);
    } else if (d->dcs != NULL) { // who has the key has died: it runs out
        d->forced_to = 0;
        d->is_handed_over = false;
        d->lead = LZ_LEAD_HEALTHY;
    } else if (lz_leader_can_be(w, d, d->primary)) {
        keep_primary(w, d); // nobody else is left, and it is back
    } else {
        d->forced_to = 0;
        arm(w, d, LZ_S);
    }
}

bool lz_failover_force(struct lz_world *w, lz_component_id id, uint32_t to, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    if (d->multi != NULL)
        return lz_fail(err, LZ_EINVAL, "%s has many masters: nobody leads", d->opts.name);
    if (d->agree != NULL)
        return lz_consensus_transfer(w, id, to, err);
    if (d->opts.nodes < 2)
        return lz_fail(err, LZ_EINVAL, "%s has one node: there is nobody to fail over to",
                       d->opts.name);
    if (to > d->opts.nodes)
        return lz_fail(err, LZ_EINVAL, "%s has nodes 1 to %u, got %u", d->opts.name, d->opts.nodes,
                       to);
    if (to == d->primary + 1)
        return lz_fail(err, LZ_EINVAL, "%s[%u] leads already", d->opts.name, to);
    if (d->lead == LZ_LEAD_PROMOTING)
        return lz_fail(err, LZ_EINVAL, "a failover of %s is under way", d->opts.name);
    uint32_t node = to > 0 ? to - 1 : 0;
    if (to > 0 ? !is_up(w, d, node) : !find_candidate(w, d, &node))
        return lz_fail(err, LZ_EINVAL, "no node of %s can take over: %s", d->opts.name,
                       to > 0 ? "that one is not up" : "none is up and reaches half of the others");
    d->forced_to = node + 1;
    d->hand_over_tries = 0;
    bool is_reached = lz_leader_reaches(w, d->first + node, d->first + d->primary);
    if (is_reached && is_up(w, d, d->primary)) {
        d->is_handed_over = true;
        d->is_writable = false;
        lz_instance_note(w, d->first + d->primary, "switchover", "hands over to %s[%u]",
                         d->opts.name, node + 1);
    }
    if (d->dcs != NULL) // it leads once it has the key
        lz_dcs_hand_over(w, d);
    else
        lz_leader_race(w, d, d->failover.promote);
    return true;
}

// A place that the role has not come back to yet is still the one that it goes back to.
static void hold_place(struct lz_database *d)
{
    d->moves++;
    if (!d->is_displaced)
        d->moved_from = d->primary;
    d->is_displaced = true;
}

// The role goes back as soon as nothing else is under way.
static void go_back(struct lz_world *w, struct lz_database *d)
{
    struct lz_err err;
    if (!d->is_displaced || d->moves > 0 || d->lead == LZ_LEAD_PROMOTING)
        return;
    if (d->primary == d->moved_from)
        d->is_displaced = false;
    else if (is_up(w, d, d->moved_from) && !d->nodes[d->moved_from].is_stale &&
             !lz_failover_force(w, d->id, d->moved_from + 1, &err))
        lz_instance_note(w, d->first + d->moved_from, "failover", "does not lead again: %s",
                         err.msg);
}

static void let_go_of_place(struct lz_world *w, struct lz_database *d)
{
    LZ_ASSERT(d->moves > 0);
    d->moves--;
    if (d->moves == 0 && d->forced_to != 0 && d->primary == d->moved_from) {
        lz_sim_cancel(w->sim, d->lead_timer); // it has not moved yet
        d->lead_timer = 0;
        keep_primary(w, d);
    }
    go_back(w, d);
}

bool lz_failover_is_led(const struct lz_world *w, lz_component_id id)
{
    return lz_database_at(w, id)->multi == NULL;
}

bool lz_failover_move(struct lz_world *w, lz_component_id id, uint32_t to, struct lz_err *err)
{
    if (lz_database_at(w, id)->agree != NULL)
        return lz_consensus_move(w, id, to, err);
    hold_place(lz_database_at(w, id));
    return lz_failover_force(w, id, to, err);
}

void lz_failover_move_back(struct lz_world *w, lz_component_id id)
{
    if (lz_database_at(w, id)->agree != NULL)
        lz_consensus_move_back(w, id);
    else
        let_go_of_place(w, lz_database_at(w, id));
}

bool lz_failover_split(struct lz_world *w, lz_component_id id, double stay, uint64_t *touched)
{
    struct lz_database *d = lz_database_at(w, id);
    hold_place(d);
    d->split_count++;
    w->ways++;
    d->split_touched = touched;
    if (stay > d->split_stay)
        d->split_stay = stay;
    uint32_t node = 0;
    if (d->multi != NULL || d->agree != NULL || d->lead != LZ_LEAD_HEALTHY ||
        !find_candidate(w, d, &node))
        return false;
    d->forced_to = node + 1;
    lz_instance_note(w, d->first + d->primary, "declared_dead", "declared dead, though it is not");
    lz_leader_race(w, d, d->failover.detect + d->failover.promote);
    return true;
}

void lz_failover_mend(struct lz_world *w, lz_component_id id, const uint64_t *touched)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(d->split_count > 0);
    d->split_count--;
    w->ways++;
    if (d->split_touched == touched)
        d->split_touched = NULL;
    if (d->split_count == 0) {
        d->split_stay = 0.0;
        reconsider(w, d);
    }
    let_go_of_place(w, d);
}

bool lz_failover_clock_jumped(struct lz_world *w, lz_instance_id node, lz_time by)
{
    lz_component_id id = lz_instance_get(w, node)->component;
    if (lz_world_component(w, id)->kind != LZ_COMPONENT_DATABASE)
        return false;
    struct lz_database *d = lz_database_at(w, id);
    lz_time lease = d->failover.is_leased ? d->failover.ttl : d->failover.detect;
    bool leads = d->first + d->primary == node && d->lead == LZ_LEAD_HEALTHY && d->is_writable;
    if (!leads || d->failover.mode != LZ_FAILOVER_AUTOMATIC || d->opts.nodes == 1 || by < lease)
        return false;
    d->is_writable = false;
    lz_instance_note(w, node, "lease", "believes that its lease has run out");
    lz_sim_at(w->sim, lz_sim_now(w->sim) + lease / 3, w->failovers->renew, id, d->log.timeline);
    return true;
}

// If it leads still: a promotion meanwhile has settled it.
static void on_renew(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    if (d->log.timeline == payload && d->lead != LZ_LEAD_PROMOTING)
        d->is_writable = true;
}

void lz_database_reconsider(struct lz_world *w)
{
    for (lz_component_id id = 1; id <= w->component_count; id++)
        if (w->components[id].kind == LZ_COMPONENT_DATABASE)
            reconsider(w, lz_database_at(w, id));
}

void lz_database_second(struct lz_world *w)
{
    for (lz_component_id id = 1; id <= w->component_count; id++) {
        if (w->components[id].kind != LZ_COMPONENT_DATABASE)
            continue;
        struct lz_database *d = lz_database_at(w, id);
        if (d->multi != NULL || d->agree != NULL) {
            (d->multi != NULL ? lz_multi_second : lz_agree_second)(w, d);
            if (d->agree != NULL && d->hold_count > 0)
                lz_hold_second(w, d);
            continue;
        }
        lz_database_measure_lag(w, d);
        lz_split_second(w, d);
        if (d->backups != NULL)
            lz_backup_measure(w, d);
        if (d->hold_count > 0)
            lz_hold_second(w, d);
    }
}

static bool check(const struct lz_failover_opts *o, struct lz_err *err)
{
    if (o->is_leased && o->loop_wait + o->retry_timeout >= o->ttl)
        return lz_fail(err, LZ_EINVAL,
                       "loop_wait + retry_timeout must be less than ttl, got %g s + %g s and %g s: "
                       "a leader that cannot renew its lease would lead beyond it",
                       (double)o->loop_wait / 1e9, (double)o->retry_timeout / 1e9,
                       (double)o->ttl / 1e9);
    if (o->rejoin == LZ_REJOIN_REBUILD && !(o->size > 0.0))
        return lz_fail(err, LZ_EINVAL,
                       "rejoin = \"rebuild\" copies all data: give its size, such as \"50GiB\"");
    return true;
}

bool lz_failover_declare(struct lz_world *w, lz_component_id id,
                         const struct lz_failover_opts *opts, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running);
    struct lz_failover_opts o = *opts;
    o.detect = o.detect > 0 ? o.detect : 5 * LZ_S;
    o.promote = o.promote > 0 ? o.promote : 4 * LZ_S;
    o.ttl = o.ttl > 0 ? o.ttl : 30 * LZ_S;
    o.loop_wait = o.loop_wait > 0 ? o.loop_wait : 10 * LZ_S;
    o.retry_timeout = o.retry_timeout > 0 ? o.retry_timeout : 10 * LZ_S;
    o.rate = o.rate > 0.0 ? o.rate : 200e6;
    if (!check(&o, err))
        return false;
    d->failover = o;
    if (o.store != 0 && o.is_leased && o.mode == LZ_FAILOVER_AUTOMATIC && d->opts.nodes > 1)
        lz_dcs_declare(w, d);
    if (o.is_leased && o.mode == LZ_FAILOVER_AUTOMATIC && d->opts.nodes > 1)
        lz_lease_begin(w, d);
    return true;
}

void lz_failover_init(struct lz_world *w)
{
    w->failovers = lz_arena_alloc(w->arena, sizeof(*w->failovers));
    w->failovers->renew = lz_sim_kind(w->sim, "lead.renew", on_renew, w);
    w->failovers->lead = lz_sim_kind(w->sim, "lead", on_lead, w);
    lz_lease_init(w);
    lz_rejoin_init(w);
}
