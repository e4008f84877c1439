/*
 * The usual way of a call (plain.h) must be the long way, only shorter.
 *
 * Method: one world is run twice, once with lz_plain_forbid, which makes every call take the long
 * way. What fires, in which order, and what is measured must be the same. The rows bring what makes
 * a plain call turn out otherwise: a process that dies, a link that is cut, connections that run
 * out, a message of many segments.
 */
#include "model/client/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/data/database.h"
#include "model/data/failover.h"
#include "model/data/hold.h"
#include "model/net/link.h"
#include "model/node/instance.h"
#include "model/service/service.h"
#include "model/traffic/traffic.h"

#define END (20 * LZ_S)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id lb, app, db;
    lz_edge_id to_db;
    lz_link_effect_id effect;
    uint32_t hold;
    uint64_t touched;
    lz_component_id users;
};

struct row {
    const char *name;
    struct lz_edge_opts edge; /* of the users */
    uint32_t connections;     /* of the database */
    uint32_t concurrency;     /* of the app */
    void (*at_5s)(struct stage *s);
    void (*at_10s)(struct stage *s);
};

static lz_instance_id first_of(const struct stage *s, lz_component_id id)
{
    return lz_world_component(s->w, id)->instances_first;
}

static void kill_app(struct stage *s)
{
    lz_instance_kill(s->w, first_of(s, s->app));
}

static void restart_app(struct stage *s)
{
    lz_instance_restart(s->w, first_of(s, s->app));
}

static void pause_app(struct stage *s)
{
    lz_instance_pause(s->w, first_of(s, s->app) + 1);
}

static void resume_app(struct stage *s)
{
    lz_instance_resume(s->w, first_of(s, s->app) + 1);
}

static void lose_balancer(struct stage *s)
{
    lz_instance_lose(s->w, first_of(s, s->lb));
}

static void return_balancer(struct stage *s)
{
    lz_instance_return(s->w, first_of(s, s->lb));
}

static void add_effect(struct stage *s, struct lz_link_effect effect)
{
    static lz_instance_id hit;
    hit = first_of(s, s->db);
    effect.to = (struct lz_link_end){.list = &hit, .count = 1};
    effect.both_ways = true;
    effect.touched = &s->touched;
    s->effect = lz_link_effect_add(s->w, &effect);
}

static void cut(struct stage *s)
{
    add_effect(s, (struct lz_link_effect){.cut = LZ_LINK_CUT});
}

static void lose_packets(struct stage *s)
{
    add_effect(s, (struct lz_link_effect){
                      .path = 7, .conditions.loss = {.kind = LZ_LOSS_RATIO, .ratio = 0.1}});
}

static void slow_down(struct stage *s)
{
    add_effect(
        s, (struct lz_link_effect){.path = 7, .conditions.latency = lz_dist_constant(3 * LZ_MS)});
}

static void heal(struct stage *s)
{
    lz_link_effect_remove(s->w, s->effect);
}

static void hold(struct stage *s, struct lz_hold_opts what)
{
    what.touched = &s->touched;
    s->hold = lz_hold_begin(s->w, s->db, &what);
}

static void hold_table(struct stage *s)
{
    hold(s, (struct lz_hold_opts){.has_table = true});
}

static void hold_connections(struct stage *s)
{
    hold(s, (struct lz_hold_opts){.has_connections = true, .connections_left = 1});
}

static void let_go(struct stage *s)
{
    lz_hold_end(s->w, s->db, s->hold);
}

static void split(struct stage *s)
{
    (void)lz_failover_split(s->w, s->db, 0.5, &s->touched);
}

static void mend(struct stage *s)
{
    lz_failover_mend(s->w, s->db, &s->touched);
}

// As explore/worker.c does, but that tasks are on their way already: what was drawn when they were
// sent counts no more. The key is another in the midst of a request.
static void have_a_future(struct stage *s)
{
    lz_world_has(s->w, LZ_UNUSUAL_FUTURES);
    lz_sim_set_future(s->w->sim, 7 * LZ_S + LZ_MS / 3, 99);
}

static const struct row rows[] = {
    {.name = "nothing happens"},
    {.name = "a process dies and is started again", .at_5s = kill_app, .at_10s = restart_app},
    {.name = "a process stands still", .at_5s = pause_app, .at_10s = resume_app},
    {.name = "a host is lost", .at_5s = lose_balancer, .at_10s = return_balancer},
    {.name = "a link is cut", .at_5s = cut, .at_10s = heal},
    {.name = "packets are lost", .at_5s = lose_packets, .at_10s = heal},
    {.name = "a link is slow", .at_5s = slow_down, .at_10s = heal},
    {.name = "attempts time out, and are made again",
     .edge = {.timeout = 34 * LZ_MS, .retries = 3}},
    {.name = "attempts are cancelled", .edge = {.timeout = 34 * LZ_MS, .cancel = true}},
    {.name = "the database has two connections", .connections = 2},
    {.name = "requests wait for workers", .concurrency = 1},
    {.name = "answers are long", .edge.response_size = 100000},
    {.name = "connections are a thing of their own",
     .edge.pool = {.is_on = true, .max = 5},
     .edge.op = "GET /"},
    {.name = "calls have deadlines", .edge.overall_timeout = 36 * LZ_MS},
    {.name = "calls have a priority", .edge.priority = 3, .concurrency = 1},
    {.name = "some have no connection yet", .edge.fresh = 0.5},
    {.name = "a table is held", .at_5s = hold_table, .at_10s = let_go},
    {.name = "connections are held", .at_5s = hold_connections, .at_10s = let_go},
    {.name = "the database is split", .at_5s = split, .at_10s = mend},
    {.name = "the run has another key", .concurrency = 1, .at_5s = have_a_future},
};

static void build(struct stage *s, const struct row *row)
{
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 11, .end = END});
    const struct lz_database_opts db = {
        .name = "db",
        .max_connections = row->connections,
        .query_time = {.kind = LZ_DIST_EXPONENTIAL, .a = 2.0 * LZ_MS}};
    assert_true(lz_database_create(s->w, &db, &s->db, &err));
    const struct lz_service_opts app = {
        .name = "app",
        .replicas = 3,
        .concurrency = row->concurrency,
        .queue.max = 20,
        .service_time = {.kind = LZ_DIST_EXPONENTIAL, .a = 4.0 * LZ_MS}};
    assert_true(lz_service_create(s->w, &app, &s->app, &err));
    assert_true(lz_service_create(
        s->w, &(struct lz_service_opts){.name = "lb", .is_balancer = true}, &s->lb, &err));
    lz_edge_id to_app;
    const struct lz_edge_opts asks_db = {
        .from = s->app, .to = s->db, .op = "select item", .timeout = 500 * LZ_MS};
    assert_true(lz_call_edge(s->w, &asks_db, &s->to_db, &err));
    assert_true(lz_call_edge(
        s->w, &(struct lz_edge_opts){.from = s->lb, .to = s->app, .retries = 1}, &to_app, &err));
    assert_true(
        lz_service_add_call(s->w, s->app, &(struct lz_call_member){.edge = s->to_db}, &err));
    assert_true(lz_service_add_call(s->w, s->lb, &(struct lz_call_member){.edge = to_app}, &err));
    struct lz_traffic_opts users = {.name = "users", .to = s->lb, .rate.mean = 300.0};
    users.edge = row->edge;
    assert_true(lz_traffic_create(s->w, &users, &s->users, &err));
}

struct seen {
    uint64_t trace, events, sent;
    double values[2000];
    size_t count;
};

static struct seen run(const struct row *row, bool is_forbidden)
{
    struct stage s = {0};
    struct seen seen = {0};
    build(&s, row);
    if (is_forbidden)
        lz_plain_forbid(s.w);
    lz_world_run_until(s.w, 5 * LZ_S);
    assert_int_equal(lz_edge_get(s.w, s.to_db)->is_plain, !is_forbidden && row->edge.priority == 0);
    if (row->at_5s != NULL)
        row->at_5s(&s);
    lz_world_run_until(s.w, 10 * LZ_S);
    if (row->at_10s != NULL)
        row->at_10s(&s);
    lz_world_run(s.w);
    seen.trace = lz_sim_trace(s.w->sim);
    seen.events = lz_sim_events(s.w->sim);
    seen.sent = lz_traffic_sent(s.w, s.users);
    for (lz_metric id = 1; id <= lz_metrics_count(s.w->metrics); id++) {
        struct lz_sample sample = lz_metrics_whole(s.w->metrics, id);
        assert_true(seen.count < sizeof(seen.values) / sizeof(seen.values[0]));
        seen.values[seen.count++] = sample.present ? sample.value : -1.0;
    }
    lz_arena_destroy(s.arena);
    return seen;
}

static void the_short_way_is_the_long_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen plain = run(&rows[i], false), forbidden = run(&rows[i], true);
        assert_true(plain.sent > 5000);
        if (plain.trace != forbidden.trace || plain.events != forbidden.events)
            fail_msg("%s: the trace is another", rows[i].name);
        if (memcmp(plain.values, forbidden.values, sizeof(plain.values)) != 0)
            fail_msg("%s: something was measured otherwise", rows[i].name);
    }
}

// The comparison would notice: two rows are not alike.
static void another_world_is_another_trace(void **state)
{
    (void)state;
    struct seen quiet = run(&rows[0], false), eventful = run(&rows[1], false);
    assert_true(quiet.trace != eventful.trace);
    assert_true(memcmp(quiet.values, eventful.values, sizeof(quiet.values)) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_short_way_is_the_long_way),
        cmocka_unit_test(another_world_is_another_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
