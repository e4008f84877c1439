// Attempts of one flight: each by HTTP or a program, one after another with backoff in between.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/load/inner.h"
#include "live/told.h"
#include "model/client/client.h"

#define PATH_OF_LEGS (1u << 20) // of all but the first: as the model's (model/client/legs.c)

// ---------------------------------------------------------------- coming and going

static void link_to(struct lz_flight **list, struct lz_flight *f)
{
    f->before = NULL;
    f->next = *list;
    if (f->next != NULL)
        f->next->before = f;
    *list = f;
}

static struct lz_flight **list_of(const struct lz_flight *f)
{
    return f->of != NULL ? &f->of->flights : &f->way->left;
}

static void unlink_from(struct lz_flight **list, struct lz_flight *f)
{
    *(f->before != NULL ? &f->before->next : list) = f->next;
    if (f->next != NULL)
        f->next->before = f->before;
}

static void land(struct lz_flight *f)
{
    struct lz_load *load = f->way->load;
    LZ_ASSERT(f->run == NULL && f->command == NULL && !lz_loop_is_armed(&f->again));
    unlink_from(list_of(f), f);
    f->next = load->idle_flights;
    load->idle_flights = f;
}

void lz_flight_abandon(struct lz_flight *f)
{
    LZ_ASSERT(f->of != NULL);
    if (f->run == NULL && f->command == NULL) {
        lz_flight_cancel(f); // it would begin an attempt that nobody asks for
        return;
    }
    unlink_from(&f->of->flights, f);
    f->of = NULL;
    link_to(&f->way->left, f);
}

void lz_flight_cancel(struct lz_flight *f)
{
    struct lz_load_way *way = f->way;
    if (f->run != NULL || f->command != NULL)
        lz_limits_forget(&way->limits, f->pass);
    if (f->run != NULL)
        lz_fetch_cancel(f->run);
    f->run = NULL;
    if (f->command != NULL) {
        lz_command_stop(f->command);
        way->commands--;
        if (way->waiting != NULL)
            lz_load_wake(way->load);
    }
    f->command = NULL;
    lz_loop_cancel(way->load->loop, &f->again);
    lz_limits_ended(&way->limits, f->attempt);
    land(f);
}

// ---------------------------------------------------------------- attempts

static enum lz_outcome outcome_of(const struct lz_fetch_result *r)
{
    switch (r->outcome) {
    case LZ_FETCH_ANSWERED:
        return r->status < 400 ? LZ_OUTCOME_OK : LZ_OUTCOME_ERROR;
    case LZ_FETCH_REFUSED:
        return LZ_OUTCOME_REFUSED;
    case LZ_FETCH_RESET:
        return LZ_OUTCOME_RESET;
    case LZ_FETCH_TIMEOUT:
        return LZ_OUTCOME_TIMEOUT;
    case LZ_FETCH_FAILED:
        break;
    }
    return LZ_OUTCOME_ERROR;
}

// So that it stands in the report why they fail; once, or it would be all that stands there.
static void tell(struct lz_load_way *way, const struct lz_fetch_result *r)
{
    bool is_answer = r->outcome == LZ_FETCH_ANSWERED;
    size_t kind = is_answer ? LZ_LOAD_TROUBLE_STATUS : (size_t)r->outcome;
    if (way->is_told[kind])
        return;
    way->is_told[kind] = true;
    if (is_answer)
        lz_live_note(way->load->live, "%s: the first error answer, status %u", way->name,
                     r->status);
    else
        lz_live_note(way->load->live, "%s: the first that was %s: %.120s", way->name,
                     lz_fetch_outcome_name(r->outcome), r->text);
}

// Of those that are to speak HTTP/2: what was agreed on, once.
static void tell_version(struct lz_load_way *way, const struct lz_fetch_result *r)
{
    if (way->is_version_told)
        return;
    way->is_version_told = true;
    if (r->is_http2)
        lz_live_note(way->load->live, "%s: HTTP/2 is spoken (ALPN h2)", way->name);
    else
        lz_live_doubt(way->load->live,
                      "%s: HTTP/2 was to be spoken, and the server agreed to HTTP/1.1 only",
                      way->name);
}

// What the attempt's time went into, for the report's waterfall.
static void add_span(const struct lz_flight *f, const struct lz_fetch_result *result,
                     const struct lz_call_result *called, lz_time now)
{
    struct lz_load_way *way = f->way;
    struct lz_world *w = way->load->world;
    struct lz_request *r = lz_request_find(w, f->of->id);
    LZ_ASSERT(r != NULL);
    struct lz_span *s = lz_request_new_span(w, r);
    s->call = 1;
    s->client = way->users->instances_first;
    s->server = result->outcome == LZ_FETCH_REFUSED ? 0 : f->leg->instance;
    s->component = f->leg->server;
    s->attempt = (uint16_t)f->attempt;
    s->status = called->status;
    s->op = way->op;
    s->outcome = (uint8_t)called->outcome;
    s->start = f->sent;
    s->end = now;
    lz_time took = now - f->sent;
    lz_time connect = result->connect_ns < took ? result->connect_ns : took;
    s->phase[LZ_PHASE_CONNECT] = connect;
    s->phase[LZ_PHASE_WORK] = took - connect;
    s->phase[LZ_PHASE_RETRY_WAIT] = f->waited;
}

static lz_time deadline_of(const struct lz_flight *f)
{
    return f->of != NULL ? lz_load_request_deadline(f->of) : f->sent;
}

static void end(struct lz_flight *f, const struct lz_call_result *result,
                const struct lz_fetch_result *said)
{
    struct lz_load_request *of = f->of;
    uint32_t place = f->place;
    lz_limits_ended(&f->way->limits, f->attempt);
    land(f);
    if (of != NULL)
        lz_load_request_flown(of, place, result, said);
}

static void on_over(void *ctx, int64_t now_ns)
{
    struct lz_flight *f = ctx;
    (void)now_ns;
    lz_live_now(f->way->load->live);
    end(f, &(struct lz_call_result){.outcome = LZ_OUTCOME_TIMEOUT}, NULL);
}

static void attempt(struct lz_flight *f, lz_time now);

static void on_again(void *ctx, int64_t now_ns)
{
    struct lz_flight *f = ctx;
    (void)now_ns;
    attempt(f, lz_live_now(f->way->load->live));
}

static void back_off(struct lz_flight *f, lz_time now)
{
    struct lz_load *load = f->way->load;
    const struct lz_edge_opts *o = &f->way->opts;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(load->world->sim), f->path, LZ_PURPOSE_BACKOFF, f->attempt);
    lz_time wait = lz_backoff_wait(&o->backoff, f->attempt, f->waited, &draw);
    lz_time left = deadline_of(f) - now;
    // Past the deadline there will be no other, but nobody knows before the time is up.
    bool is_in_time = wait < left;
    f->waited = is_in_time ? wait : left;
    f->again = (struct lz_loop_timer){.fn = is_in_time ? on_again : on_over, .ctx = f};
    lz_loop_arm(load->loop, &f->again, lz_loop_clock() + f->waited);
}

static void tell_breaker(struct lz_load_way *way)
{
    static const char *const what[] = {"closed", "open", "half open"};
    if (way->limits.breaker.state == way->breaker)
        return;
    way->breaker = way->limits.breaker.state;
    lz_live_note(way->load->live, "%s: its circuit breaker is %s", way->name, what[way->breaker]);
}

// The attempt is over: it was the last, or there will be another.
static void conclude(struct lz_flight *f, const struct lz_call_result *called,
                     const struct lz_fetch_result *said, lz_time now)
{
    struct lz_load_way *way = f->way;
    bool is_last = f->of == NULL || f->attempt > way->opts.retries || now >= deadline_of(f) ||
                   called->outcome == LZ_OUTCOME_OK || !lz_call_is_retried(&way->opts, called) ||
                   !lz_limits_may_retry(&way->limits, f->attempt, called->outcome);
    if (is_last)
        end(f, called, said);
    else
        back_off(f, now);
}

// Not let through: it is over at once, though not within who sends it.
static void on_rejected(void *ctx, int64_t now_ns)
{
    struct lz_flight *f = ctx;
    (void)now_ns;
    conclude(f, &(struct lz_call_result){.outcome = LZ_OUTCOME_REFUSED}, NULL,
             lz_live_now(f->way->load->live));
}

static bool is_admitted(struct lz_flight *f, lz_time now)
{
    struct lz_load_way *way = f->way;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(way->load->world->sim), f->path, LZ_PURPOSE_THROTTLE, f->attempt);
    bool may = lz_limits_admit(&way->limits, f->attempt, now, &draw, &f->pass);
    tell_breaker(way);
    if (!may) {
        f->again = (struct lz_loop_timer){.fn = on_rejected, .ctx = f};
        lz_loop_arm(way->load->loop, &f->again, lz_loop_clock());
    }
    return may;
}

void lz_flight_answered(void *ctx, const struct lz_fetch_result *result)
{
    struct lz_flight *f = ctx;
    struct lz_load_way *way = f->way;
    lz_time now = lz_live_now(way->load->live);
    f->run = NULL;
    struct lz_call_result called = {.outcome = outcome_of(result), .status = result->status};
    if (result->first_ns > 0)
        called.first = f->stepped + result->first_ns < now ? f->stepped + result->first_ns : now;
    lz_condition_over(f, &called);
    if (called.outcome != LZ_OUTCOME_OK)
        tell(way, result);
    if (way->wants_http2 && result->status != 0)
        tell_version(way, result);
    if (f->of != NULL)
        add_span(f, result, &called, now);
    // Who was left to go on has been counted when its race was over.
    if (f->of != NULL && called.outcome == LZ_OUTCOME_OK && way->opts.hedge.quantile > 0.0)
        lz_lateness_took(&way->lateness, way->opts.hedge.quantile, now, now - f->sent);
    lz_limits_result(&way->limits, f->attempt, now, f->pass, &called);
    tell_breaker(way);
    conclude(f, &called, result, now);
}

static void on_command(void *ctx, const struct lz_command_result *r)
{
    struct lz_flight *f = ctx;
    struct lz_load_way *way = f->way;
    char text[160], line[121];
    struct lz_fetch_result result = {.outcome = LZ_FETCH_FAILED, .text = text};
    lz_told_excerpt(r->output, r->size, line, sizeof(line));
    f->command = NULL;
    LZ_ASSERT(way->commands > 0);
    way->commands--;
    if (way->waiting != NULL)
        lz_load_wake(way->load);
    if (r->end == LZ_COMMAND_TIMEOUT)
        snprintf(text, sizeof(text), "it did not end in time");
    else if (r->end == LZ_COMMAND_UNSTARTED)
        snprintf(text, sizeof(text), "%s cannot be run: %s", way->argv[0], strerror(r->code));
    else if (r->end == LZ_COMMAND_SIGNALLED)
        snprintf(text, sizeof(text), "ended by signal %d", r->code);
    else
        snprintf(text, sizeof(text), "ended with %d: %s", r->code, line);
    text[strcspn(text, "\r\n")] = '\0';
    if (r->end == LZ_COMMAND_TIMEOUT)
        result.outcome = LZ_FETCH_TIMEOUT;
    else if (r->end == LZ_COMMAND_EXITED && r->code == 0)
        result = (struct lz_fetch_result){
            .outcome = LZ_FETCH_ANSWERED, .status = 200, .text = r->output, .size = r->size};
    lz_flight_answered(f, &result);
}

// Its words, with what this request is about.
static const char **fill_argv(const struct lz_flight *f, struct lz_str *bytes)
{
    const char *const *argv = f->way->argv;
    size_t count = 0, *at;
    while (argv[count] != NULL)
        count++;
    at = lz_mem_alloc((count + 1) * sizeof(*at));
    for (size_t i = 0; i < count; i++) {
        at[i] = bytes->len;
        lz_blanks_fill(argv[i], &f->of->blanks, bytes);
        lz_str_add_n(bytes, "", 1);
    }
    const char **filled = lz_mem_alloc((count + 1) * sizeof(*filled));
    for (size_t i = 0; i < count; i++)
        filled[i] = bytes->text + at[i];
    filled[count] = NULL;
    free(at);
    return filled;
}

static void run_command(struct lz_flight *f, lz_time patience)
{
    struct lz_load_way *way = f->way;
    struct lz_str bytes;
    lz_str_init(&bytes);
    const char **filled = way->has_blanks ? fill_argv(f, &bytes) : NULL;
    const struct lz_command_opts opts = {.argv = filled != NULL ? filled : way->argv,
                                         .run = lz_live_run_name(way->load->live),
                                         .net_fd = way->net_fd,
                                         .keep = LZ_LOAD_KEEP,
                                         .timeout_ns = patience};
    way->commands++;
    f->command = lz_command_start(way->load->loop, &opts, on_command, f);
    free(filled);
    lz_str_finish(&bytes);
}

static bool is_fresh(const struct lz_flight *f)
{
    const struct lz_load_way *way = f->way;
    if (!(way->opts.fresh > 0.0))
        return false;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(way->load->world->sim), lz_draw_index(f->path, f->attempt),
                      LZ_PURPOSE_FILTER, 3); // as the model draws it
    return lz_draw_unit(&draw) < way->opts.fresh;
}

static void attempt(struct lz_flight *f, lz_time now)
{
    struct lz_load_way *way = f->way;
    lz_time left = deadline_of(f) - now;
    if (left <= 0) {
        end(f, &(struct lz_call_result){.outcome = LZ_OUTCOME_TIMEOUT}, NULL);
        return;
    }
    f->attempt++;
    f->sent = f->stepped = now;
    if (!is_admitted(f, now))
        return;
    f->leg = &way->legs[way->leg_next];
    way->leg_next = (way->leg_next + 1) % way->leg_count;
    way->count.attempts++;
    way->count.hedges += f->place > 0 && f->attempt == 1;
    lz_load_history_leaves(f->of);
    lz_time patience = way->opts.timeout < left ? way->opts.timeout : left;
    if (way->argv != NULL)
        run_command(f, patience);
    else if (f->leg->look != NULL)
        lz_condition_begin(f, patience, is_fresh(f));
    else
        f->run = lz_fetch_begin_with(f->leg->fetch, patience, is_fresh(f), &f->of->blanks,
                                     lz_flight_answered, f);
}

void lz_flight_begin(struct lz_load_request *r, lz_time now)
{
    struct lz_load *load = r->way->load;
    struct lz_flight *f = load->idle_flights;
    if (f != NULL)
        load->idle_flights = f->next;
    else
        f = lz_mem_alloc(sizeof(*f));
    uint32_t place = r->begun++;
    *f = (struct lz_flight){.of = r,
                            .way = r->way,
                            .place = place,
                            .path = place == 0 ? r->path
                                               : lz_draw_index(r->path, PATH_OF_LEGS + place)};
    link_to(&r->flights, f);
    lz_limits_begun(&r->way->limits);
    attempt(f, now);
}
