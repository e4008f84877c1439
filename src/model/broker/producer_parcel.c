#include "model/broker/producer_state.h"

#include "model/client/backoff.h"
#include "model/history/recorder_log.h"
#include "model/traffic/traffic.h"

// ---- the line of a partition

void lz_parcel_unlink(struct lz_world *w, struct lz_producer_lane *l, struct lz_parcel *c)
{
    if (c->prev != 0)
        lz_parcel_at(w, c->prev)->next = c->next;
    else
        l->first = c->next;
    if (c->next != 0)
        lz_parcel_at(w, c->next)->prev = c->prev;
    else
        l->last = c->prev;
    c->prev = c->next = 0;
}

void lz_parcel_link(struct lz_world *w, struct lz_producer_lane *l, struct lz_parcel *c)
{
    uint32_t before = l->last;
    while (before != 0 && lz_parcel_at(w, before)->serial > c->serial)
        before = lz_parcel_at(w, before)->prev;
    c->prev = before;
    c->next = before != 0 ? lz_parcel_at(w, before)->next : l->first;
    if (before != 0)
        lz_parcel_at(w, before)->next = c->head.index;
    else
        l->first = c->head.index;
    if (c->next != 0)
        lz_parcel_at(w, c->next)->prev = c->head.index;
    else
        l->last = c->head.index;
}

// ---- what becomes of a parcel

static void tell(struct lz_world *w, const struct lz_producer *p, const struct lz_parcel *c,
                 enum lz_outcome outcome)
{
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < c->count; i++) {
        const struct lz_producer_record *r = &c->records[i];
        lz_traffic_recorded(w, p->traffic,
                            &(struct lz_traffic_record){.latency = now - r->intended,
                                                        .outcome = outcome,
                                                        .agent = r->agent,
                                                        .is_bot = r->is_bot});
    }
}

void lz_parcel_end(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c,
                   enum lz_outcome outcome)
{
    lz_sim_cancel(w->sim, c->linger);
    lz_sim_cancel(w->sim, c->expiry);
    p->buffered -= c->bytes;
    struct lz_parcel copy = *c;
    c->room = 0;
    lz_pool_give(&w->producers->parcels, c);
    tell(w, p, &copy, outcome);
    lz_arena_free(w->arena, copy.records, copy.room * sizeof(*copy.records));
}

void lz_producer_bump(struct lz_producer_lane *l)
{
    l->epoch++;
    l->next = 0;
}

void lz_parcel_fail(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c,
                    enum lz_outcome outcome)
{
    struct lz_producer_lane *l = &p->lanes[c->partition];
    if (p->number != 0 && c->epoch == l->epoch)
        lz_producer_bump(l);
    lz_recorder_log_gave_up(w, p->topic->id, c->sent);
    lz_parcel_end(w, p, c, outcome);
}

void lz_parcel_retry(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c, bool counts,
                     enum lz_outcome outcome)
{
    struct lz_producer_lane *l = &p->lanes[c->partition];
    lz_time now = lz_sim_now(w->sim);
    c->attempts -= !counts;
    if (c->attempts > p->edge.retries) {
        lz_parcel_fail(w, p, c, outcome);
        return;
    }
    c->state = LZ_PARCEL_WAITING;
    lz_parcel_link(w, l, c);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(p->path, c->serial),
                                        LZ_PURPOSE_BACKOFF, c->attempts);
    c->waited = counts ? lz_backoff_wait(&p->edge.backoff, c->attempts, c->waited, &draw) : 0;
    c->not_before = now + c->waited;
    if (c->waited > 0)
        lz_sim_at(w->sim, c->not_before, w->producers->again, p->client, c->producer);
}

// delivery.timeout.ms: whatever it waits for, its time is up.
void lz_producer_on_expiry(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct lz_parcel *c = lz_pool_find(&w->producers->parcels, payload);
    if (c == NULL)
        return;
    struct lz_producer *p = lz_producer_at(w, c->producer);
    struct lz_producer_lane *l = &p->lanes[c->partition];
    c->expiry = 0;
    if (c->state == LZ_PARCEL_IN_THE_AIR)
        l->in_flight--;
    else
        lz_parcel_unlink(w, l, c);
    lz_parcel_fail(w, p, c, LZ_OUTCOME_TIMEOUT);
}
