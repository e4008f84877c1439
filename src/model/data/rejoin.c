#include "base/check.h"
#include "model/data/leader.h"
#include "model/data/query.h"
#include "model/data/standby.h"

/*
 * How a node comes back that has led: copied at once, or in the time that takes. While it is, it
 * serves nobody. See failover.h.
 */

struct lz_rejoins {
    lz_kind copied;
};

static double bytes_of(const struct lz_database *d, const struct lz_database_node *n)
{
    if (!n->has_led && n->own_records == 0) // it only follows again, unless its log is gone
        return d->retain != NULL ? lz_retain_copies(d, (uint32_t)(n - d->nodes)) : 0.0;
    if (d->failover.rejoin == LZ_REJOIN_REWIND)
        return (double)n->own_records * LZ_FAILOVER_PAGE;
    return d->failover.rejoin == LZ_REJOIN_REBUILD ? d->failover.size : 0.0;
}

static void done(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_database_node *n = &d->nodes[node];
    n->is_rejoining = n->has_led = n->must_copy = false;
    n->own_records = 0;
    lz_database_rejoin(w, d, d->first + node);
}

static void wait(struct lz_world *w, struct lz_database *d, uint32_t node, double seconds)
{
    struct lz_database_node *n = &d->nodes[node];
    double ns = seconds * 1e9;
    lz_time took = ns < (double)LZ_DIST_TIME_MAX ? (lz_time)(ns + 0.5) : LZ_DIST_TIME_MAX;
    n->copied_to = d->log.flushed;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + took, w->rejoins->copied, d->first + node, n->epoch);
}

/*
 * A standby that was away and lacks nothing but what came meanwhile: it streams that from where it
 * was, and applies it in the time that takes. Where applying takes none, it is copied instead, for
 * which it need not be asked what its rows were; so is a file, which says itself how far it is.
 */
static bool can_stream(const struct lz_database *d, const struct lz_database_node *n)
{
    if (d->replication.apply_time.kind == LZ_DIST_NONE || d->sql != NULL || n->must_copy)
        return false;
    bool is_same = !n->has_led && n->own_records == 0 && n->log == &d->log;
    bool has_no_more = n->rows_engine.lsn <= n->applied && n->lsn <= d->log.flushed;
    return is_same && has_no_more && n->applied >= d->log.wal.base;
}

static void stream(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_database_node *n = &d->nodes[node];
    n->is_stale = false;
    lz_instance_note(w, d->first + node, "rejoined", "follows %s[%u], %llu records behind",
                     d->opts.name, d->primary + 1,
                     (unsigned long long)(d->nodes[d->primary].lsn - n->applied));
    lz_standby_go_on(w, d, node);
    bool is_late = d->replication.commit == LZ_COMMIT_REMOTE_APPLY;
    lz_database_confirm(w, d, node, is_late ? n->applied : n->lsn);
    lz_database_ship(w, d, &d->log, 0);
    lz_database_measure_lag(w, d);
}

void lz_rejoin_begin(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_database_node *n = &d->nodes[node];
    LZ_ASSERT(n->is_stale && !n->is_rejoining);
    double bytes = bytes_of(d, n);
    if (!(bytes > 0.0) && can_stream(d, n)) {
        stream(w, d, node);
        return;
    }
    if (!(bytes > 0.0)) {
        done(w, d, node);
        return;
    }
    bool is_copy = !n->has_led && n->own_records == 0;
    bool is_rewind = !is_copy && d->failover.rejoin == LZ_REJOIN_REWIND;
    double seconds = bytes / (is_copy ? lz_retain_copy_rate(d) : d->failover.rate);
    n->is_rejoining = true;
    n->copied_on = d->log.timeline;
    lz_instance_note(w, d->first + node, is_rewind ? "rewind" : "rebuild",
                     "%s from %s[%u]: %.3g MB in %.3g s", is_rewind ? "rewinds" : "is rebuilt",
                     d->opts.name, d->primary + 1, bytes / 1e6, seconds);
    wait(w, d, node, seconds);
}

// Copied as of the beginning; what was written meanwhile is applied, and so on, if that takes time.
static void on_copied(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    uint32_t node = entity - d->first;
    struct lz_database_node *n = &d->nodes[node];
    if (n->epoch != payload || !n->is_rejoining)
        return;
    lz_instance_id primary = d->first + d->primary;
    if (n->copied_on != d->log.timeline || !lz_leader_reaches(w, primary, entity) ||
        !lz_instance_is_up(lz_instance_get(w, primary))) {
        n->is_rejoining = false; // it begins again once it can
        lz_database_reconsider(w);
        return;
    }
    const struct lz_dist *apply = &d->replication.apply_time;
    double behind = apply->kind == LZ_DIST_NONE
                        ? 0.0
                        : (double)(d->log.flushed - n->copied_to) * lz_dist_mean(apply) / 1e9;
    if (behind > 0.01)
        wait(w, d, node, behind);
    else {
        done(w, d, node);
        lz_database_reconsider(w); // who waited for it may go on
    }
}

void lz_rejoin_init(struct lz_world *w)
{
    w->rejoins = lz_arena_alloc(w->arena, sizeof(*w->rejoins));
    w->rejoins->copied = lz_sim_kind(w->sim, "rejoin", on_copied, w);
}
