#include "base/check.h"
#include "model/data/leader.h"
#include "model/data/standby.h"

/*
 * The lease of a leader, as Patroni keeps it: see failover.h.
 *
 *   renewed ──loop_wait──▶ renewed ...
 *      │  └─ cannot be ──retry_timeout──▶ steps down (if it is fenced)
 *      └──────────── ttl after the last ──────────▶ ran out: the others race
 *
 * Who can hold it is who can lead: that stands for a store with a majority.
 */

struct lz_leases {
    lz_kind loop, ends, gives_up;
};

static void at(struct lz_world *w, const struct lz_database *d, lz_time when, lz_kind kind,
               uint32_t entity)
{
    lz_sim_at(w->sim, when, kind, entity, d->lease.turn);
}

static void renew(struct lz_world *w, struct lz_database *d)
{
    d->lease.until = lz_sim_now(w->sim) + d->failover.ttl;
    d->lease.lsn = d->log.flushed;
    d->lease.failing_since = -1;
    if (!d->is_writable && !d->is_handed_over) {
        d->is_writable = true;
        lz_instance_note(w, d->first + d->primary, "lease", "renewed its lease, and leads again");
    }
}

// Renewed at its first loop, whose phase is its own; a lease that was won begins with it.
void lz_lease_begin(struct lz_world *w, struct lz_database *d)
{
    if (d->dcs != NULL) {
        lz_dcs_settle(w, d);
        return;
    }
    lz_time now = lz_sim_now(w->sim), first = d->failover.loop_wait;
    d->lease.turn++;
    d->lease.failing_since = -1;
    d->lease.until = now + d->failover.ttl;
    d->lease.lsn = d->log.flushed;
    if (!w->running) {
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), d->path, LZ_PURPOSE_PHASE, d->lease.turn);
        first = (lz_time)lz_draw_below(&draw, (uint64_t)d->failover.loop_wait);
    }
    at(w, d, now + first, w->leases->loop, d->first + d->primary);
    at(w, d, d->lease.until, w->leases->ends, d->id);
}

static void try_to_renew(struct lz_world *w, struct lz_database *d)
{
    if (lz_leader_can_be(w, d, d->primary)) {
        renew(w, d);
    } else if (d->lease.failing_since < 0 &&
               lz_instance_is_up(lz_instance_get(w, d->first + d->primary))) {
        lz_time now = lz_sim_now(w->sim);
        d->lease.failing_since = now;
        at(w, d, now + d->failover.retry_timeout, w->leases->gives_up, d->id);
    }
}

static void on_loop(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    if (d->lease.turn != payload || lz_instance_defer(w, entity, w->leases->loop, payload))
        return;
    at(w, d, lz_sim_now(w->sim) + d->failover.loop_wait, w->leases->loop, entity);
    if (d->lead == LZ_LEAD_HEALTHY)
        try_to_renew(w, d);
}

static void on_gives_up(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    lz_time since = lz_sim_now(w->sim) - d->failover.retry_timeout;
    if (d->lease.turn != payload || d->lease.failing_since != since)
        return;
    if (!d->is_writable || !lz_leader_is_fenced(d))
        return;
    d->is_writable = false;
    lz_instance_note(w, d->first + d->primary, "stepped_down",
                     "cannot renew its lease, and steps down");
}

// They are told, or each sees it when it looks next; the first of them begins the race.
static lz_time until_seen(struct lz_world *w, const struct lz_database *d)
{
    lz_time least = d->failover.poll;
    for (uint32_t n = 0; n < d->opts.nodes && d->failover.poll > 0; n++) {
        if (n == d->primary || !lz_leader_can_be(w, d, n))
            continue;
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(d->path, n),
                                            LZ_PURPOSE_PHASE, d->lease.turn);
        lz_time mine = (lz_time)lz_draw_below(&draw, (uint64_t)d->failover.poll);
        least = mine < least ? mine : least;
    }
    return least;
}

static void on_ends(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, entity);
    if (d->lease.turn != payload)
        return;
    if (d->lease.until > lz_sim_now(w->sim)) {
        at(w, d, d->lease.until, w->leases->ends, d->id);
        return;
    }
    if (d->lead != LZ_LEAD_HEALTHY)
        return; // somebody forced another already
    lz_instance_note(w, d->first + d->primary, "lease", "its lease ran out");
    lz_leader_race(w, d, until_seen(w, d) + d->failover.promote);
}

// What it tries again while it cannot renew succeeds as soon as it can.
void lz_lease_reconsider(struct lz_world *w, struct lz_database *d)
{
    if (d->dcs == NULL && d->lease.failing_since >= 0 && d->lead == LZ_LEAD_HEALTHY &&
        lz_leader_can_be(w, d, d->primary))
        renew(w, d);
}

void lz_lease_init(struct lz_world *w)
{
    w->leases = lz_arena_alloc(w->arena, sizeof(*w->leases));
    w->leases->loop = lz_sim_kind(w->sim, "lease.loop", on_loop, w);
    w->leases->ends = lz_sim_kind(w->sim, "lease.ends", on_ends, w);
    w->leases->gives_up = lz_sim_kind(w->sim, "lease.gives_up", on_gives_up, w);
}
