#include "live/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/load/fetch.h"
#include "live/load/limits.h"
#include "live/loop.h"
#include "live/probe/command.h"
#include "model/client/client.h"
#include "model/traffic/traffic.h"

// Kinds of trouble, each told once for a traffic: outcomes of fetch.h, and error answers.
#define TROUBLES (LZ_FETCH_FAILED + 2)
#define TROUBLE_STATUS (LZ_FETCH_FAILED + 1)

struct way;

// A request from its sending to its last attempt.
struct flight {
    struct flight *next, *before;
    struct way *way;
    const struct leg *leg;      // of the attempt
    struct lz_fetch_run *run;   // of HTTP
    struct lz_command *command; // neither: it waits, to be sent or for its next attempt
    struct lz_loop_timer again;
    lz_request_id request;
    uint64_t path;
    lz_time intended;
    lz_time sent;   // the attempt, 0 before the first
    lz_time waited; // before it
    uint32_t attempt;
    uint8_t pass; // of the breaker
};

// One of the real things that the callee is.
struct leg {
    struct lz_fetch *fetch; // NULL: a program is run
    lz_component_id server;
    lz_instance_id instance;
};

// Of one traffic.
struct way {
    struct lz_load *load;
    struct leg *legs; // attempts go round
    size_t leg_count, leg_next;
    const char *const *argv;         // NULL: HTTP
    uint32_t commands, commands_max; // that run
    int net_fd;                      // where they do
    lz_time late_after;
    struct lz_edge_opts opts;
    struct lz_limits limits;
    enum lz_breaker_state breaker; // as it was last told
    const struct lz_component *users;
    const char *name;
    lz_component_id traffic;
    lz_op op;
    struct flight *waiting, *waiting_last; // to be sent at the next turn, oldest first
    struct flight *flying;                 // all others
    struct lz_load_count count;
    bool wants_http2;
    bool is_told[TROUBLES], is_version_told;
};

struct lz_load {
    struct lz_live *live;
    struct lz_loop *loop;
    struct lz_world *world;
    struct lz_loop_timer start; // sends what waits
    struct way **ways;
    size_t way_count;
    struct flight *idle;
    bool has_ended;
};

static void send_waiting(void *ctx, int64_t now_ns);

// --- flights ---

static struct flight *take(struct lz_load *load)
{
    struct flight *f = load->idle;
    if (f == NULL)
        f = lz_mem_alloc(sizeof(*f));
    else
        load->idle = f->next;
    *f = (struct flight){.next = NULL};
    return f;
}

static void fly(struct flight *f)
{
    struct way *way = f->way;
    f->before = NULL;
    f->next = way->flying;
    if (f->next != NULL)
        f->next->before = f;
    way->flying = f;
}

static void land(struct flight *f)
{
    struct way *way = f->way;
    LZ_ASSERT(f->run == NULL && f->command == NULL && !lz_loop_is_armed(&f->again));
    if (f->before != NULL)
        f->before->next = f->next;
    else
        way->flying = f->next;
    if (f->next != NULL)
        f->next->before = f->before;
    f->next = way->load->idle;
    way->load->idle = f;
}

// --- an attempt, and what comes of it ---

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
static void tell(struct way *way, const struct lz_fetch_result *r)
{
    bool is_answer = r->outcome == LZ_FETCH_ANSWERED;
    size_t kind = is_answer ? TROUBLE_STATUS : (size_t)r->outcome;
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
static void tell_version(struct way *way, const struct lz_fetch_result *r)
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
static void add_span(const struct flight *f, const struct lz_fetch_result *result,
                     const struct lz_call_result *called, lz_time now)
{
    struct way *way = f->way;
    struct lz_world *w = way->load->world;
    struct lz_request *r = lz_request_find(w, f->request);
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

static lz_time deadline_of(const struct flight *f)
{
    lz_time overall = f->way->opts.overall_timeout;
    return overall > 0 ? f->intended + overall : LZ_FOREVER;
}

static void end(struct flight *f, const struct lz_call_result *result)
{
    lz_request_id request = f->request;
    struct lz_world *w = f->way->load->world;
    lz_limits_ended(&f->way->limits, f->attempt);
    land(f);
    lz_traffic_called(w, request, result);
}

static void on_over(void *ctx, int64_t now_ns)
{
    struct flight *f = ctx;
    (void)now_ns;
    lz_live_now(f->way->load->live);
    end(f, &(struct lz_call_result){.outcome = LZ_OUTCOME_TIMEOUT});
}

static void attempt(struct flight *f, lz_time now);

static void on_again(void *ctx, int64_t now_ns)
{
    struct flight *f = ctx;
    (void)now_ns;
    attempt(f, lz_live_now(f->way->load->live));
}

static void back_off(struct flight *f, lz_time now)
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

static void tell_breaker(struct way *way)
{
    static const char *const what[] = {"closed", "open", "half open"};
    if (way->limits.breaker.state == way->breaker)
        return;
    way->breaker = way->limits.breaker.state;
    lz_live_note(way->load->live, "%s: its circuit breaker is %s", way->name, what[way->breaker]);
}

// The attempt is over: it was the last, or there will be another.
static void conclude(struct flight *f, const struct lz_call_result *called, lz_time now)
{
    struct way *way = f->way;
    bool is_last = f->attempt > way->opts.retries || now >= deadline_of(f) ||
                   called->outcome == LZ_OUTCOME_OK || !lz_call_is_retried(&way->opts, called) ||
                   !lz_limits_may_retry(&way->limits, f->attempt, called->outcome);
    if (is_last)
        end(f, called);
    else
        back_off(f, now);
}

// Not let through: it is over at once, though not within who sends it.
static void on_rejected(void *ctx, int64_t now_ns)
{
    struct flight *f = ctx;
    (void)now_ns;
    conclude(f, &(struct lz_call_result){.outcome = LZ_OUTCOME_REFUSED},
             lz_live_now(f->way->load->live));
}

static bool is_admitted(struct flight *f, lz_time now)
{
    struct way *way = f->way;
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

static void on_result(void *ctx, const struct lz_fetch_result *result)
{
    struct flight *f = ctx;
    struct way *way = f->way;
    lz_time now = lz_live_now(way->load->live);
    f->run = NULL;
    struct lz_call_result called = {.outcome = outcome_of(result), .status = result->status};
    if (result->first_ns > 0)
        called.first = f->sent + result->first_ns < now ? f->sent + result->first_ns : now;
    if (called.outcome != LZ_OUTCOME_OK)
        tell(way, result);
    if (way->wants_http2 && result->status != 0)
        tell_version(way, result);
    add_span(f, result, &called, now);
    lz_limits_result(&way->limits, f->attempt, now, f->pass, &called);
    tell_breaker(way);
    conclude(f, &called, now);
}

static void wake(struct lz_load *load)
{
    if (!load->has_ended && !lz_loop_is_armed(&load->start))
        lz_loop_arm(load->loop, &load->start, lz_loop_now(load->loop));
}

static void on_command(void *ctx, const struct lz_command_result *r)
{
    struct flight *f = ctx;
    struct way *way = f->way;
    char text[160];
    struct lz_fetch_result result = {.outcome = LZ_FETCH_FAILED, .text = text};
    f->command = NULL;
    LZ_ASSERT(way->commands > 0);
    way->commands--;
    if (way->waiting != NULL)
        wake(way->load);
    if (r->end == LZ_COMMAND_TIMEOUT)
        snprintf(text, sizeof(text), "it did not end in time");
    else if (r->end == LZ_COMMAND_UNSTARTED)
        snprintf(text, sizeof(text), "%s cannot be run: %s", way->argv[0], strerror(r->code));
    else if (r->end == LZ_COMMAND_SIGNALLED)
        snprintf(text, sizeof(text), "ended by signal %d", r->code);
    else
        snprintf(text, sizeof(text), "ended with %d: %.120s", r->code, r->output);
    text[strcspn(text, "\r\n")] = '\0';
    if (r->end == LZ_COMMAND_TIMEOUT)
        result.outcome = LZ_FETCH_TIMEOUT;
    else if (r->end == LZ_COMMAND_EXITED && r->code == 0)
        result = (struct lz_fetch_result){.outcome = LZ_FETCH_ANSWERED, .status = 200};
    on_result(f, &result);
}

static void run_command(struct flight *f, lz_time patience)
{
    struct way *way = f->way;
    const struct lz_command_opts opts = {.argv = way->argv,
                                         .run = lz_live_run_name(way->load->live),
                                         .net_fd = way->net_fd,
                                         .keep = 120,
                                         .timeout_ns = patience};
    way->commands++;
    f->command = lz_command_start(way->load->loop, &opts, on_command, f);
}

static bool is_fresh(const struct flight *f)
{
    const struct way *way = f->way;
    if (!(way->opts.fresh > 0.0))
        return false;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(way->load->world->sim), lz_draw_index(f->path, f->attempt),
                      LZ_PURPOSE_FILTER, 3); // as the model draws it
    return lz_draw_unit(&draw) < way->opts.fresh;
}

static void attempt(struct flight *f, lz_time now)
{
    struct way *way = f->way;
    lz_time left = deadline_of(f) - now;
    if (left <= 0) {
        end(f, &(struct lz_call_result){.outcome = LZ_OUTCOME_TIMEOUT});
        return;
    }
    f->attempt++;
    f->sent = now;
    if (!is_admitted(f, now))
        return;
    f->leg = &way->legs[way->leg_next];
    way->leg_next = (way->leg_next + 1) % way->leg_count;
    way->count.attempts++;
    lz_time patience = way->opts.timeout < left ? way->opts.timeout : left;
    if (way->argv != NULL)
        run_command(f, patience);
    else
        f->run = lz_fetch_begin(f->leg->fetch, patience, is_fresh(f), on_result, f);
}

// --- from the model ---

// Within an event of the world: nothing is sent yet, the clock may be ahead of it.
static void on_send(void *ctx, const struct lz_traffic_sending *sending)
{
    struct way *way = ctx;
    struct lz_load *load = way->load;
    struct flight *f = take(load);
    f->way = way;
    f->request = sending->request;
    f->path = sending->path;
    f->intended = sending->intended;
    if (way->waiting == NULL)
        way->waiting = f;
    else
        way->waiting_last->next = f;
    way->waiting_last = f;
    wake(load);
}

static void send_all(struct way *way, lz_time now)
{
    // Programs that run are as many as there may be: what waits for one to end is late.
    while (way->waiting != NULL && (way->argv == NULL || way->commands < way->commands_max)) {
        struct flight *f = way->waiting;
        way->waiting = f->next;
        lz_time late = now - f->intended;
        LZ_ASSERT(late >= 0);
        way->count.sent++;
        way->count.late += late > way->late_after;
        if (late > way->count.latest)
            way->count.latest = late;
        fly(f);
        lz_limits_begun(&way->limits);
        attempt(f, now);
    }
    if (way->waiting == NULL)
        way->waiting_last = NULL;
}

static void send_waiting(void *ctx, int64_t now_ns)
{
    struct lz_load *load = ctx;
    (void)now_ns;
    lz_time now = lz_live_now(load->live);
    for (size_t i = 0; i < load->way_count; i++)
        send_all(load->ways[i], now);
}

// --- making it ---

bool lz_load_check(const struct lz_edge_opts *opts, struct lz_err *err)
{
    const struct {
        bool is_there;
        const char *name, *instead;
    } rows[] = {
        {opts->hedge.attempts > 0, "hedge", "let the caller that hedges be a program"},
        {opts->cancel, "cancel", "a timeout closes the connection anyway: leave it out"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].is_there)
            return lz_fail(err, LZ_EINVAL, "`%s` of traffic has no live form: %s", rows[i].name,
                           rows[i].instead);
    return true;
}

void lz_load_create(struct lz_live *live, struct lz_load **out)
{
    struct lz_load *load = lz_mem_alloc(sizeof(*load));
    *load = (struct lz_load){.live = live,
                             .loop = lz_live_loop(live),
                             .world = lz_live_world(live),
                             .start = {.fn = send_waiting, .ctx = load}};
    *out = load;
}

// The URL is that of what is behind the proxy: it is what a certificate and a Host are about.
static void write_url(char *url, size_t size, const struct lz_live_traffic *t,
                      const struct lz_site_edge *edge)
{
    const struct lz_site_address *a = &edge->to->address;
    bool is_tls = a->is_tls || t->ca_file != NULL;
    bool is_v6 = strchr(a->host, ':') != NULL;
    const char *path = t->path != NULL && t->path[0] != '\0' ? t->path : "/";
    snprintf(url, size, "%s://%s%s%s:%u%s%s", is_tls ? "https" : "http", is_v6 ? "[" : "", a->host,
             is_v6 ? "]" : "", a->port, path[0] == '/' ? "" : "/", path);
}

static bool make_fetch(struct lz_load *load, const struct lz_live_traffic *t,
                       const struct lz_site_edge *edge, struct lz_fetch **out, struct lz_err *err)
{
    char url[4096], via[LZ_SITE_HOST_SIZE + 16];
    write_url(url, sizeof(url), t, edge);
    snprintf(via, sizeof(via), "%s:%u", edge->listen.host, edge->listen.port);
    const struct lz_fetch_opts opts = {.url = url,
                                       .method = t->method,
                                       .body = t->body,
                                       .headers = t->headers,
                                       .ca_file = t->ca_file,
                                       .via = via,
                                       .http2 = t->http2,
                                       .connections = t->connections};
    return lz_fetch_create(load->loop, &opts, out, err);
}

static struct way *find_way(const struct lz_load *load, lz_component_id traffic)
{
    for (size_t i = 0; i < load->way_count; i++)
        if (load->ways[i]->traffic == traffic)
            return load->ways[i];
    return NULL;
}

static struct way *make_way(struct lz_load *load, const struct lz_live_traffic *traffic,
                            const struct lz_edge_opts *opts)
{
    struct lz_world *w = load->world;
    const struct lz_component *users = lz_world_component(w, traffic->component);
    struct way *way = lz_mem_alloc(sizeof(*way));
    *way = (struct way){.load = load,
                        .opts = *opts,
                        .late_after = LZ_LOAD_LATE,
                        .users = users,
                        .name = users->name,
                        .traffic = traffic->component,
                        .op = opts->op != NULL ? lz_call_op(w, opts->op) : 0};
    way->wants_http2 = traffic->http2;
    if (traffic->command.count > 0) {
        way->argv = traffic->command.items;
        way->late_after = LZ_LOAD_LATE_COMMAND;
        way->commands_max = traffic->connections > 0 ? traffic->connections : LZ_LOAD_COMMANDS;
    }
    lz_limits_init(&way->limits, &way->opts, w->arena);
    load->ways = lz_mem_resize(load->ways, (load->way_count + 1) * sizeof(struct way *));
    load->ways[load->way_count++] = way;
    lz_traffic_send_by(w, traffic->component,
                       &(struct lz_traffic_sender){.send = on_send, .ctx = way});
    return way;
}

bool lz_load_add(struct lz_load *load, const struct lz_live_traffic *traffic,
                 const struct lz_site_edge *edge, struct lz_err *err)
{
    const struct lz_edge_opts *opts = lz_traffic_edge(load->world, traffic->component);
    struct leg leg = {.server = edge->plan->server, .instance = edge->to->target->instance};
    bool is_http = traffic->command.count == 0;
    if (!lz_load_check(opts, err) || (is_http && !make_fetch(load, traffic, edge, &leg.fetch, err)))
        return lz_fail_in(err, "traffic \"%s\"",
                          lz_world_component(load->world, traffic->component)->name);
    struct way *way = find_way(load, traffic->component);
    if (way == NULL)
        way = make_way(load, traffic, opts);
    way->net_fd = is_http ? 0 : lz_live_space(load->live, edge->client_node);
    way->legs = lz_mem_resize(way->legs, (way->leg_count + 1) * sizeof(leg));
    way->legs[way->leg_count++] = leg;
    return true;
}

// --- its end ---

static void drop_flights(struct way *way)
{
    struct lz_load *load = way->load;
    while (way->waiting != NULL) {
        struct flight *f = way->waiting;
        way->waiting = f->next;
        f->next = load->idle;
        load->idle = f;
    }
    while (way->flying != NULL) {
        struct flight *f = way->flying;
        if (f->run != NULL)
            lz_fetch_cancel(f->run);
        f->run = NULL;
        if (f->command != NULL)
            lz_command_stop(f->command);
        f->command = NULL;
        lz_loop_cancel(load->loop, &f->again);
        land(f);
    }
}

static void judge_lateness(struct way *way)
{
    const struct lz_load_count *c = &way->count;
    if (c->late == 0)
        return;
    double share = (double)c->late / (double)c->sent;
    int limit_ms = (int)(way->late_after / LZ_MS);
    lz_live_note(way->load->live, "%s: %llu of %llu requests were sent over %dms late, by %.0fms",
                 way->name, (unsigned long long)c->late, (unsigned long long)c->sent, limit_ms,
                 (double)c->latest / (double)LZ_MS);
    if (share > LZ_LOAD_LATE_SHARE)
        lz_live_doubt(way->load->live,
                      "%.2g %% of the requests of \"%s\" were sent over %dms late (at most 1 %% "
                      "may be): this machine could not send them in time; lower its rate",
                      share * 100.0, way->name, limit_ms);
}

void lz_load_end(struct lz_load *load)
{
    if (load->has_ended)
        return;
    load->has_ended = true;
    lz_loop_cancel(load->loop, &load->start);
    for (size_t i = 0; i < load->way_count; i++) {
        judge_lateness(load->ways[i]);
        drop_flights(load->ways[i]);
    }
}

void lz_load_destroy(struct lz_load *load)
{
    if (load == NULL)
        return;
    load->has_ended = true;
    lz_loop_cancel(load->loop, &load->start);
    for (size_t i = 0; i < load->way_count; i++) {
        drop_flights(load->ways[i]);
        for (size_t k = 0; k < load->ways[i]->leg_count; k++)
            lz_fetch_destroy(load->ways[i]->legs[k].fetch);
        free(load->ways[i]->legs);
        free(load->ways[i]);
    }
    while (load->idle != NULL) {
        struct flight *f = load->idle;
        load->idle = f->next;
        free(f);
    }
    free(load->ways);
    free(load);
}

struct lz_load_count lz_load_count(const struct lz_load *load)
{
    struct lz_load_count sum = {.sent = 0};
    for (size_t i = 0; i < load->way_count; i++) {
        const struct lz_load_count *c = &load->ways[i]->count;
        sum.sent += c->sent;
        sum.attempts += c->attempts;
        sum.late += c->late;
        sum.latest = c->latest > sum.latest ? c->latest : sum.latest;
    }
    return sum;
}
