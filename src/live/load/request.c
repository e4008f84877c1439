// One request of a traffic: made once or as a race.

#include "base/check.h"
#include "base/mem.h"
#include "live/load/inner.h"
#include "model/client/client.h"

struct lz_load_request *lz_load_request_take(struct lz_load *load)
{
    struct lz_load_request *r = load->idle;
    if (r == NULL)
        r = lz_mem_alloc(sizeof(*r));
    else
        load->idle = r->next;
    *r = (struct lz_load_request){.next = NULL};
    return r;
}

lz_time lz_load_request_deadline(const struct lz_load_request *r)
{
    lz_time overall = r->way->opts.overall_timeout;
    return overall > 0 ? r->intended + overall : LZ_FOREVER;
}

static void give(struct lz_load_request *r)
{
    struct lz_load_way *way = r->way;
    LZ_ASSERT(r->flights == NULL && !lz_loop_is_armed(&r->hedge));
    *(r->before != NULL ? &r->before->next : &way->flying) = r->next;
    if (r->next != NULL)
        r->next->before = r->before;
    r->next = way->load->idle;
    way->load->idle = r;
}

void lz_load_request_drop(struct lz_load_request *r)
{
    lz_loop_cancel(r->way->load->loop, &r->hedge);
    while (r->flights != NULL)
        lz_flight_cancel(r->flights);
    give(r);
}

// ---------------------------------------------------------------- a race of flights

static void over(struct lz_load_request *r, const struct lz_call_result *result,
                 const struct lz_fetch_result *said)
{
    struct lz_load_way *way = r->way;
    struct lz_world *w = way->load->world;
    lz_request_id id = r->id;
    lz_loop_cancel(way->load->loop, &r->hedge);
    lz_time now = lz_live_now(way->load->live);
    for (const struct lz_flight *f = r->flights; f != NULL; f = f->next)
        if (way->opts.hedge.quantile > 0.0 && (f->run != NULL || f->command != NULL))
            // Without losers the quantile would be one of the quick, and fall with every race.
            lz_lateness_took(&way->lateness, way->opts.hedge.quantile, now, now - f->sent);
    while (r->flights != NULL) {
        // Of tied ones the first answer is all that tells the others.
        if (way->opts.hedge.leave && !way->opts.hedge.tied)
            lz_flight_abandon(r->flights);
        else
            lz_flight_cancel(r->flights);
    }
    lz_load_history_over(r, result, said);
    give(r);
    lz_traffic_called(w, id, result);
}

static void arm(struct lz_load_request *r);

// Another flight, if the race has one left and the budget allows.
static bool hedge(struct lz_load_request *r, lz_time now)
{
    struct lz_load_way *way = r->way;
    if (r->begun >= way->opts.hedge.attempts || now >= lz_load_request_deadline(r) ||
        !lz_limits_may_hedge(&way->limits))
        return false;
    lz_flight_begin(r, now);
    arm(r);
    return true;
}

static void on_hedge(void *ctx, int64_t now_ns)
{
    struct lz_load_request *r = ctx;
    (void)now_ns;
    hedge(r, lz_live_now(r->way->load->live));
}

static void arm(struct lz_load_request *r)
{
    const struct lz_load_way *way = r->way;
    lz_time wait = way->opts.hedge.quantile > 0.0 ? way->lateness.late : way->opts.hedge.after;
    if (r->begun >= way->opts.hedge.attempts || wait <= 0)
        return;
    r->hedge = (struct lz_loop_timer){.fn = on_hedge, .ctx = r};
    lz_loop_arm(way->load->loop, &r->hedge, lz_loop_clock() + wait);
}

void lz_load_request_send(struct lz_load_request *r, lz_time now)
{
    struct lz_load_way *way = r->way;
    r->before = NULL;
    r->next = way->flying;
    if (r->next != NULL)
        r->next->before = r;
    way->flying = r;
    if (way->opts.hedge.attempts > 1)
        arm(r);
    lz_flight_begin(r, now);
}

void lz_load_request_flown(struct lz_load_request *r, uint32_t place,
                           const struct lz_call_result *result, const struct lz_fetch_result *said)
{
    struct lz_load_way *way = r->way;
    bool is_good = result->outcome == LZ_OUTCOME_OK;
    r->failed += !is_good;
    if (is_good) {
        way->count.wins += place > 0;
        over(r, result, said);
        return;
    }
    // One that fails brings the next one forward.
    lz_loop_cancel(way->load->loop, &r->hedge);
    bool is_more = way->opts.hedge.attempts > 1 && hedge(r, lz_live_now(way->load->live));
    if (!is_more && r->failed == r->begun)
        over(r, result, said);
}
