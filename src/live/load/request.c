// One request of a traffic: made once or as a race, and an operation of a history if one is kept.

#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/load/inner.h"
#include "model/client/client.h"

#define NUMBER_MAX 18 // digits: below 2^61 by far

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

// ---------------------------------------------------------------- its part of a history

void lz_load_request_leaves(struct lz_load_request *r)
{
    const struct lz_load_way *way = r->way;
    struct lz_world *w = way->load->world;
    lz_component_id to = way->legs[0].server;
    r->attempts++;
    if (r->is_recorded || !lz_recorder_is_on(w, to))
        return;
    lz_value written;
    r->is_recorded = true;
    r->record =
        lz_recorder_real_begin(w,
                               &(struct lz_recorder_real_opts){
                                   .to = to, .op = way->op, .key = r->blanks.key, .who = r->who},
                               &written);
    if (written != 0)
        r->blanks.value = lz_value_to_integer(written);
}

// What an answer's body says, without blanks around it.
static lz_value value_of(struct lz_world *w, enum lz_recorder_f f,
                         const struct lz_fetch_result *said)
{
    static const char around[] = " \t\r\n";
    const char *text = said->text != NULL ? said->text : "";
    size_t len = said->text != NULL ? said->size : 0;
    while (len > 0 && memchr(around, text[0], sizeof(around) - 1) != NULL)
        text++, len--;
    while (len > 0 && memchr(around, text[len - 1], sizeof(around) - 1) != NULL)
        len--;
    if (len > 0 && f == LZ_RECORDER_MEMBERS)
        return lz_value_text(w, text, len);
    size_t sign = len > 1 && text[0] == '-';
    int64_t number = 0;
    for (size_t i = sign; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || len - sign > NUMBER_MAX)
            return lz_value_text(w, text, len);
        number = number * 10 + (text[i] - '0');
    }
    return len == 0 ? 0 : lz_value_integer(sign > 0 ? -number : number);
}

/*
 * What its client can be sure of. That there is nothing (404) is what a read saw, and what a delete
 * came to. Another answer below 500 that is no success says that nothing was done, and so does a
 * refused connection; but of a write that was sent before, nothing says what became of that.
 * Without an answer (`said`) this attempt was not let through: what was sent was one before it. A
 * read whose answer has more bytes than are kept was not seen.
 */
static enum lz_recorder_outcome certainty(const struct lz_load_request *r, enum lz_recorder_f f,
                                          const struct lz_call_result *result,
                                          const struct lz_fetch_result *said)
{
    bool is_absent = result->outcome == LZ_OUTCOME_ERROR && result->status == 404;
    bool is_removal = lz_recorder_is_removal(r->way->load->world, r->way->op);
    bool reads = f == LZ_RECORDER_READ || f == LZ_RECORDER_MEMBERS;
    if (reads && said != NULL && said->size >= LZ_LOAD_KEEP) {
        lz_live_note(r->way->load->live,
                     "%s: of an answer of 1 MiB or more the rest is not read: "
                     "that it was read is not in the history",
                     r->way->name);
        return LZ_RECORDER_FAIL;
    }
    if (result->outcome == LZ_OUTCOME_OK || (is_absent && (reads || is_removal)))
        return LZ_RECORDER_OK;
    if (reads)
        return LZ_RECORDER_FAIL;
    bool says_no =
        result->outcome == LZ_OUTCOME_REFUSED ||
        (result->outcome == LZ_OUTCOME_ERROR && result->status >= 400 && result->status < 500);
    return says_no && said != NULL && r->attempts <= 1 ? LZ_RECORDER_FAIL : LZ_RECORDER_UNKNOWN;
}

static void record(const struct lz_load_request *r, const struct lz_call_result *result,
                   const struct lz_fetch_result *said)
{
    struct lz_world *w = r->way->load->world;
    if (r->record.op == 0)
        return;
    enum lz_recorder_f f = lz_recorder_real_f(w, r->record.to, r->way->op);
    enum lz_recorder_outcome outcome = certainty(r, f, result, said);
    bool has_seen = outcome == LZ_RECORDER_OK && result->outcome == LZ_OUTCOME_OK && said != NULL;
    lz_recorder_real_end(w, &r->record, outcome, has_seen ? value_of(w, f, said) : 0,
                         r->attempts > 1);
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
        if (way->opts.hedge.leave)
            lz_flight_abandon(r->flights);
        else
            lz_flight_cancel(r->flights);
    }
    record(r, result, said);
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
