#include "live/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/load/inner.h"
#include "model/traffic/traffic.h"

// ---------------------------------------------------------------- what is to be sent

static void send_waiting(void *ctx, int64_t now_ns);

void lz_load_wake(struct lz_load *load)
{
    if (!load->has_ended && !lz_loop_is_armed(&load->start))
        lz_loop_arm(load->loop, &load->start, lz_loop_now(load->loop));
}

// Within an event of the world: nothing is sent yet, the clock may be ahead of it.
static void on_send(void *ctx, const struct lz_traffic_sending *sending)
{
    struct lz_load_way *way = ctx;
    struct lz_load *load = way->load;
    struct lz_load_request *r = lz_load_request_take(load);
    r->way = way;
    r->id = sending->request;
    r->path = sending->path;
    r->who = sending->who;
    r->intended = sending->intended;
    r->blanks = (struct lz_blanks){.key = sending->key, .value = (int64_t)sending->ordinal + 1};
    if (way->waiting == NULL)
        way->waiting = r;
    else
        way->waiting_last->next = r;
    way->waiting_last = r;
    lz_load_wake(load);
}

static void send_all(struct lz_load_way *way, lz_time now)
{
    // Programs that run are as many as there may be: what waits for one to end is late.
    while (way->waiting != NULL && (way->argv == NULL || way->commands < way->commands_max)) {
        struct lz_load_request *r = way->waiting;
        way->waiting = r->next;
        lz_time late = now - r->intended;
        LZ_ASSERT(late >= 0);
        way->count.sent++;
        way->count.late += late > way->late_after;
        if (late > way->count.latest)
            way->count.latest = late;
        lz_load_request_send(r, now);
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

// Is a request about its key or a value of its own?
static bool has_blanks(const struct lz_live_traffic *t)
{
    bool has = (t->path != NULL && lz_blanks_are_in(t->path)) ||
               (t->body != NULL && lz_blanks_are_in(t->body));
    for (size_t i = 0; i < t->command.count && !has; i++)
        has = lz_blanks_are_in(t->command.items[i]);
    return has;
}

// Whose history its requests are of.
static lz_component_id callee_of(const struct lz_load *load, lz_component_id traffic,
                                 const struct lz_site_edge *edge)
{
    lz_component_id to = lz_traffic_to(load->world, traffic);
    bool is_topic = lz_world_component(load->world, to)->kind == LZ_COMPONENT_TOPIC;
    return is_topic ? to : edge->plan->server;
}

static bool make_fetch(struct lz_load *load, const struct lz_live_traffic *t,
                       const struct lz_site_edge *edge, bool is_look, struct lz_fetch **out,
                       struct lz_err *err)
{
    char url[4096];
    struct lz_str via;
    write_url(url, sizeof(url), t, edge);
    lz_str_init(&via);
    lz_site_write_address(&edge->listen, &via);
    bool is_recorded = lz_recorder_is_on(load->world, callee_of(load, t->component, edge));
    const struct lz_fetch_opts opts = {.url = url,
                                       .method = is_look ? "GET" : t->method,
                                       .body = is_look ? NULL : t->body,
                                       .wants_etag = is_look,
                                       .headers = t->headers,
                                       .ca_file = t->ca_file,
                                       .via = via.text,
                                       .http2 = t->http2,
                                       .keep = is_recorded ? LZ_LOAD_KEEP : 0,
                                       .connections = t->connections};
    bool ok = lz_fetch_create(load->loop, &opts, out, err);
    lz_str_finish(&via);
    return ok;
}

static struct lz_load_way *find_way(const struct lz_load *load, lz_component_id traffic)
{
    for (size_t i = 0; i < load->way_count; i++)
        if (load->ways[i]->traffic == traffic)
            return load->ways[i];
    return NULL;
}

static struct lz_load_way *make_way(struct lz_load *load, const struct lz_live_traffic *traffic,
                                    const struct lz_edge_opts *opts)
{
    struct lz_world *w = load->world;
    const struct lz_component *users = lz_world_component(w, traffic->component);
    struct lz_load_way *way = lz_mem_alloc(sizeof(*way));
    *way = (struct lz_load_way){.load = load,
                                .opts = *opts,
                                .late_after = LZ_LOAD_LATE,
                                .users = users,
                                .name = users->name,
                                .traffic = traffic->component,
                                .op = opts->op != NULL ? lz_call_op(w, opts->op) : 0};
    way->wants_http2 = traffic->http2;
    way->has_blanks = has_blanks(traffic);
    if (opts->hedge.quantile > 0.0)
        lz_lateness_init(&way->lateness, w->arena);
    if (traffic->command.count > 0) {
        way->argv = traffic->command.items;
        way->late_after = LZ_LOAD_LATE_COMMAND;
        way->commands_max = traffic->connections > 0 ? traffic->connections : LZ_LOAD_COMMANDS;
    }
    lz_limits_init(&way->limits, &way->opts, w->arena);
    load->ways = lz_mem_resize(load->ways, (load->way_count + 1) * sizeof(struct lz_load_way *));
    load->ways[load->way_count++] = way;
    lz_traffic_send_by(w, traffic->component,
                       &(struct lz_traffic_sender){.send = on_send, .ctx = way});
    return way;
}

bool lz_load_add(struct lz_load *load, const struct lz_live_traffic *traffic,
                 const struct lz_site_edge *edge, struct lz_err *err)
{
    const struct lz_edge_opts *opts = lz_traffic_edge(load->world, traffic->component);
    struct lz_load_leg leg = {.server = edge->plan->server, .instance = edge->to->target->instance};
    bool is_http = traffic->command.count == 0;
    if (is_http && (!make_fetch(load, traffic, edge, false, &leg.fetch, err) ||
                    (traffic->if_match && !make_fetch(load, traffic, edge, true, &leg.look, err))))
        return lz_fail_in(err, "traffic \"%s\"",
                          lz_world_component(load->world, traffic->component)->name);
    struct lz_load_way *way = find_way(load, traffic->component);
    if (way == NULL)
        way = make_way(load, traffic, opts);
    way->to = callee_of(load, traffic->component, edge);
    way->is_to_topic = lz_world_component(load->world, way->to)->kind == LZ_COMPONENT_TOPIC;
    way->net_fd = is_http ? 0 : lz_live_space(load->live, edge->client_node);
    way->legs = lz_mem_resize(way->legs, (way->leg_count + 1) * sizeof(leg));
    way->legs[way->leg_count++] = leg;
    return true;
}

// --- its end ---

static void drop_all(struct lz_load_way *way)
{
    struct lz_load *load = way->load;
    while (way->waiting != NULL) {
        struct lz_load_request *r = way->waiting;
        way->waiting = r->next;
        r->next = load->idle;
        load->idle = r;
    }
    while (way->flying != NULL)
        lz_load_request_drop(way->flying);
    while (way->left != NULL)
        lz_flight_cancel(way->left);
}

static void tell_hedges(const struct lz_load_way *way)
{
    if (way->count.hedges > 0)
        lz_live_note(way->load->live, "%s: %llu hedges were sent, and %llu answered first",
                     way->name, (unsigned long long)way->count.hedges,
                     (unsigned long long)way->count.wins);
    if (way->count.hedges > 0 && way->opts.hedge.tied)
        lz_live_note(way->load->live,
                     "%s: tied: nobody tells whether its replicas tell each other when one of them "
                     "begins; the others were given up at the first answer",
                     way->name);
}

static void judge_lateness(struct lz_load_way *way)
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
        tell_hedges(load->ways[i]);
        drop_all(load->ways[i]);
    }
}

void lz_load_destroy(struct lz_load *load)
{
    if (load == NULL)
        return;
    load->has_ended = true;
    lz_loop_cancel(load->loop, &load->start);
    for (size_t i = 0; i < load->way_count; i++) {
        drop_all(load->ways[i]);
        for (size_t k = 0; k < load->ways[i]->leg_count; k++) {
            lz_fetch_destroy(load->ways[i]->legs[k].fetch);
            lz_fetch_destroy(load->ways[i]->legs[k].look);
        }
        free(load->ways[i]->legs);
        free(load->ways[i]);
    }
    while (load->idle != NULL) {
        struct lz_load_request *r = load->idle;
        load->idle = r->next;
        free(r);
    }
    while (load->idle_flights != NULL) {
        struct lz_flight *f = load->idle_flights;
        load->idle_flights = f->next;
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
        sum.hedges += c->hedges;
        sum.wins += c->wins;
        sum.late += c->late;
        sum.latest = c->latest > sum.latest ? c->latest : sum.latest;
    }
    return sum;
}
