/*
 * failover.c — who leads a database.
 *
 *   HEALTHY ──silent──▶ SUSPECT ──detect──▶ PROMOTING ──promote──▶ HEALTHY (another leads)
 *      ◀──heard again──────┘                    └─ nobody can lead: again after a second
 *
 * lz_database_reconsider is told of every change that could matter (a process, a way
 * between nodes) and compares; nothing polls.
 */
#include "model/data/failover.h"

#include "base/check.h"
#include "model/data/database_state.h"
#include "model/data/query.h"
#include "model/data/standby.h"
#include "model/net/net.h"
#include "model/node/disk.h"
#include "model/world_kinds.h"

struct lz_failovers {
    lz_kind lead, renew;
};

static bool lives(const struct lz_world *w, lz_instance_id id)
{
    return lz_instance_has_begun(lz_instance_get(w, id));
}

static bool reaches(struct lz_world *w, lz_instance_id a, lz_instance_id b)
{
    return lz_net_can_ask(w, a, b) && lz_net_can_ask(w, b, a);
}

// Can it hold the lease? It must run, and reach at least half of the others that live.
static bool can_lead(struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    lz_instance_id id = d->first + node;
    if (!lz_instance_is_up(lz_instance_get(w, id)))
        return false;
    uint32_t living = 0, reached = 0;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (n == node || !lives(w, d->first + n))
            continue;
        living++;
        reached += reaches(w, id, d->first + n);
    }
    return 2 * reached >= living;
}

static void arm(struct lz_world *w, struct lz_database *d, lz_time delay)
{
    lz_sim_cancel(w->sim, d->lead_timer);
    d->lead_timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + delay, w->failovers->lead, d->id, 0);
}

// Of those that can lead the one with the most log; among equals the first.
static bool find_candidate(struct lz_world *w, const struct lz_database *d, uint32_t *out)
{
    bool found = false;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (n == d->primary || !can_lead(w, d, n))
            continue;
        if (!found || d->nodes[n].lsn > d->nodes[*out].lsn)
            *out = n;
        found = true;
    }
    return found;
}

// What was acknowledged and is not in the new leader's log is lost.
static uint64_t cut_timeline(struct lz_database *d, uint64_t lsn)
{
    const struct lz_database_node *leader = &d->nodes[d->primary];
    for (uint64_t l = lsn + 1; l <= d->log.wal.last && d->opts.read_replicas; l++) {
        uint64_t key = lz_wal_get(&d->log.wal, l)->key;
        uint64_t version = lz_rows_get(&leader->rows, key);
        lz_rows_put(&d->acked_rows, key, version, version);
    }
    for (uint64_t l = lsn + 1; l <= d->log.wal.last; l++)
        lz_wal_get(&d->log.wal, l)->arrived = 0;
    d->log.timeline = ++d->timelines;
    d->log.flushed = lsn; // a standby has flushed what it has; a leader's flush under way is void
    d->log.flushing = 0;
    d->log.is_awaited = false;
    return lz_wal_cut(&d->log.wal, lsn);
}

// Its log is shorter than it was: what it had acknowledged beyond is lost, if it leads.
void lz_database_recover(struct lz_world *w, struct lz_database *d, lz_instance_id node)
{
    uint32_t n = node - d->first;
    uint64_t lsn = d->nodes[n].lsn;
    lz_disk_is_whole(w, node);
    if (n != d->primary || lsn >= d->log.wal.last)
        return;
    for (uint64_t l = lsn + 1; l <= d->log.wal.last; l++)
        if (lz_rows_get(&d->nodes[n].rows, lz_wal_get(&d->log.wal, l)->key) > lsn)
            lz_rows_put(&d->nodes[n].rows, lz_wal_get(&d->log.wal, l)->key, 0, 0);
    uint64_t lost = cut_timeline(d, lsn);
    for (uint32_t i = 0; i < d->opts.nodes; i++) {
        struct lz_database_node *other = &d->nodes[i];
        other->acked = other->lsn < lsn ? other->lsn : lsn;
        other->sent = other->shipped = lsn;
        other->is_stale = other->is_stale || (i != n && other->lsn != lsn);
    }
    lz_metrics_add(w->metrics, d->series.lost_acks, lost);
    lz_metrics_set(w->metrics, d->series.unflushed, lz_sim_now(w->sim), 0.0);
    if (lost > 0)
        lz_instance_note(w, node, "lost_acks", "lacks %llu acknowledged writes",
                         (unsigned long long)lost);
}

static void promote(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    uint32_t old = d->primary;
    LZ_ASSERT(node != old);
    struct lz_database_node *n = &d->nodes[node];
    d->primary = node;
    d->nodes[old].is_stale = true;
    n->is_stale = false;
    lz_query_break_all(w, d, d->first + old, false); // with its demotion
    lz_standby_catch_up(w, d, node);
    lz_standby_died(&d->nodes[old]);
    lz_standby_died(n);
    d->log.leader = node;
    uint64_t lost = cut_timeline(d, n->lsn);
    for (uint32_t i = 0; i < d->opts.nodes; i++) {
        struct lz_database_node *other = &d->nodes[i];
        other->acked = other->lsn < n->lsn ? other->lsn : n->lsn;
        other->sent = other->shipped = n->lsn;
        other->catch_first = other->catch_last = 0;
        // One that is behind would miss what was on the way to it: it is rebuilt.
        if (i != node && other->lsn != n->lsn)
            other->is_stale = true;
    }
    d->is_writable = true;
    d->lead = LZ_LEAD_HEALTHY;
    lz_metrics_add(w->metrics, d->series.failovers, 1);
    lz_metrics_add(w->metrics, d->series.lost_acks, lost);
    lz_instance_note(w, d->first + node, "promoted", "promoted to primary");
    if (lost > 0)
        lz_instance_note(w, d->first + node, "lost_acks", "lacks %llu acknowledged writes",
                         (unsigned long long)lost);
}

static void rebuild_stale(struct lz_world *w, struct lz_database *d)
{
    lz_instance_id primary = d->first + d->primary;
    if (!d->is_writable || !lz_instance_is_up(lz_instance_get(w, primary)))
        return;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        lz_instance_id id = d->first + n;
        if (n == d->primary || !d->nodes[n].is_stale)
            continue;
        if (lz_instance_is_up(lz_instance_get(w, id)) && reaches(w, primary, id)) {
            lz_query_break_all(w, d, id, false);
            lz_database_rejoin(w, d, id);
        }
    }
}

static void reconsider(struct lz_world *w, struct lz_database *d)
{
    if (d->opts.failover && d->opts.nodes > 1) {
        bool ok = can_lead(w, d, d->primary);
        if (d->lead == LZ_LEAD_HEALTHY && !ok) {
            d->lead = LZ_LEAD_SUSPECT;
            arm(w, d, d->opts.detect);
        } else if (d->lead == LZ_LEAD_SUSPECT && ok) {
            d->lead = LZ_LEAD_HEALTHY;
            lz_sim_cancel(w->sim, d->lead_timer);
            d->lead_timer = 0;
        }
    }
    rebuild_stale(w, d);
    lz_database_watch_standbys(w, d);
}

static void on_lead(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    d->lead_timer = 0;
    if (d->lead == LZ_LEAD_SUSPECT) {
        d->lead = LZ_LEAD_PROMOTING;
        d->is_writable = false; // its lease has run out, whether it knows or not
        lz_instance_note(w, d->first + d->primary, "declared_dead", "declared dead");
        arm(w, d, d->opts.promote);
        return;
    }
    LZ_ASSERT(d->lead == LZ_LEAD_PROMOTING);
    uint32_t node = 0;
    if (find_candidate(w, d, &node)) {
        promote(w, d, node);
        reconsider(w, d);
    } else if (can_lead(w, d, d->primary)) {
        d->lead = LZ_LEAD_HEALTHY; // nobody else is left, and it is back
        d->is_writable = true;
        rebuild_stale(w, d);
    } else {
        arm(w, d, LZ_S);
    }
}

bool lz_failover_clock_jumped(struct lz_world *w, lz_instance_id node, lz_time by)
{
    lz_component_id id = lz_instance_get(w, node)->component;
    if (lz_world_component(w, id)->kind != LZ_COMPONENT_DATABASE)
        return false;
    struct lz_database *d = lz_database_at(w, id);
    bool leads = d->first + d->primary == node && d->lead == LZ_LEAD_HEALTHY && d->is_writable;
    if (!leads || !d->opts.failover || d->opts.nodes == 1 || by < d->opts.detect)
        return false;
    d->is_writable = false;
    lz_instance_note(w, node, "lease", "believes that its lease has run out");
    lz_sim_at(w->sim, lz_sim_now(w->sim) + d->opts.detect / 3, w->failovers->renew, id,
              d->log.timeline);
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
    for (lz_component_id id = 1; id <= w->component_count; id++)
        if (w->components[id].kind == LZ_COMPONENT_DATABASE)
            lz_database_measure_lag(w, lz_database_at(w, id));
}

void lz_failover_init(struct lz_world *w)
{
    w->failovers = lz_arena_alloc(w->arena, sizeof(*w->failovers));
    w->failovers->renew = lz_sim_kind(w->sim, "lead.renew", on_renew, w);
    w->failovers->lead = lz_sim_kind(w->sim, "lead", on_lead, w);
}
