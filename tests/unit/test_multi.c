/*
 * Many masters: what is lost when the last writer wins (fidelity D14), and whether all nodes end
 * with the same rows, by rule.
 *
 * Method: nodes in zones of their own with an application beside each, which writes rows at a rate;
 * the way between nodes has a certain latency. D14's closed form: with rate r at each of two
 * masters and a lag L a write is overwritten unseen with 1 - exp(-r L).
 */
#include "model/data/multi.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/data/database_state.h"
#include "model/net/link.h"
#include "model/node/clock.h"
#include "model/node/disk.h"
#include "model/service/service.h"
#include "model/traffic/traffic.h"

#define NODES_MAX 4

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id db;
    uint32_t nodes;
    struct lz_err err;
};

struct setup {
    uint32_t nodes;
    double rate, lag_s; // at each node; one way
    double until_s;     // writes are made
    double keys;
    struct lz_multi_opts rule;
};

// An application in the node's zone, whose users write by it.
static void users(struct stage *s, lz_zone_id zone, uint32_t n, const struct setup *o)
{
    char text[16];
    snprintf(text, sizeof(text), "app%u", n);
    const char *name = lz_arena_strdup(s->arena, text);
    struct lz_service_opts app = {.name = name,
                                  .replicas = 1,
                                  .spread = {.zone = zone},
                                  .service_time = lz_dist_constant(LZ_US)};
    lz_component_id id, users;
    assert_true(lz_service_create(s->w, &app, &id, &s->err));
    struct lz_edge_opts edge = {.from = id, .to = s->db, .op = "write x", .timeout = LZ_S};
    struct lz_call_member call = {0};
    assert_true(lz_call_edge(s->w, &edge, &call.edge, &s->err));
    assert_true(lz_service_add_call(s->w, id, &call, &s->err));
    const struct lz_shape_point points[] = {{.at = 0, .rate = o->rate},
                                            {.at = (lz_time)(o->until_s * 1e9)}};
    snprintf(text, sizeof(text), "users%u", n);
    struct lz_traffic_opts t = {
        .name = lz_arena_strdup(s->arena, text), .to = id, .local = true, .edge = {.to = id}};
    assert_true(lz_dist_make(&t.keys, LZ_DIST_ZIPF, o->keys, 0.0, &s->err));
    assert_true(lz_shape_pieces(&t.rate, s->arena, points, 2, 0, &s->err));
    assert_true(lz_traffic_create(s->w, &t, &users, &s->err));
}

static void make(struct stage *s, const struct setup *o)
{
    *s = (struct stage){.nodes = o->nodes};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &s->err));
    s->w = lz_world_create(&(struct lz_world_opts){
        .arena = s->arena, .seed = 1, .run_key = 1, .end = 10000000 * LZ_S});
    static const char *const names[] = {"a", "b", "c", "d"};
    lz_region_id region;
    assert_true(lz_place_region(
        s->w, &(struct lz_region_opts){.name = "all", .zones = names, .zone_count = o->nodes},
        &region, &s->err));
    struct lz_database_opts db = {.name = "db",
                                  .nodes = o->nodes,
                                  .spread = {.region = region},
                                  .query_time = lz_dist_constant(LZ_US)};
    assert_true(lz_database_create(s->w, &db, &s->db, &s->err));
    assert_true(lz_multi_declare(s->w, s->db, &o->rule, &s->err));
    struct lz_target whole = {.kind = LZ_TARGET_COMPONENT, .id = s->db};
    struct lz_link_opts link = {
        .from = whole,
        .to = whole,
        .conditions = {.latency = lz_dist_constant((lz_time)(o->lag_s * 1e9))}};
    assert_true(lz_link_declare(s->w, &link, &s->err));
    for (uint32_t n = 0; n < o->nodes; n++)
        users(s, lz_place_zone(s->w, region, n), n, o);
}

static void run(struct stage *s, double until_s)
{
    assert_int_equal(lz_world_run_until(s->w, (lz_time)(until_s * 1e9)), LZ_SIM_ENDED);
}

static double total(const struct stage *s, const char *name)
{
    lz_metric id = lz_world_metric(s->w, s->db, name);
    assert_int_not_equal(id, 0);
    return lz_metrics_whole(s->w->metrics, id).value;
}

static double level(const struct stage *s)
{
    return lz_metrics_level(s->w->metrics, lz_database_at(s->w, s->db)->series.diverged);
}

static void the_last_writer_overwrites_what_it_has_not_seen(void **state)
{
    (void)state;
    static const struct {
        double rate, lag_s, lost; // of the entry's table
    } rows[] = {
        {0.1, 0.05, 0.0049875}, {0.1, 0.1, 0.0099502}, {0.1, 1.0, 0.095163},
        {1.0, 0.05, 0.048771},  {1.0, 0.1, 0.095163},  {1.0, 1.0, 0.63212},
        {10.0, 0.05, 0.39347},  {10.0, 0.1, 0.63212},  {10.0, 1.0, 0.99995},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        double until = 30000.0 / rows[i].rate;
        make(&s, &(struct setup){.nodes = 2,
                                 .rate = rows[i].rate,
                                 .lag_s = rows[i].lag_s,
                                 .until_s = until,
                                 .keys = 1});
        run(&s, until + 10.0);
        double share = total(&s, "lost_updates") / total(&s, "acked");
        print_message("# rate %g, lag %g s: %.4f lost, published %.4f\n", rows[i].rate,
                      rows[i].lag_s, share, rows[i].lost);
        assert_true(fabs(share - rows[i].lost) < 0.005);
        assert_true(fabs(rows[i].lost - (1.0 - exp(-rows[i].rate * rows[i].lag_s))) < 1e-5);
        assert_true(!(level(&s) > 0.0));
        lz_arena_destroy(s.arena);
    }
}

// The last writer again, as a function.
static enum lz_conflict_winner later(void *ctx, uint64_t key, const struct lz_multi_row *here,
                                     const struct lz_multi_row *there, lz_value *value)
{
    (void)key;
    (void)value;
    ++*(uint64_t *)ctx;
    bool is_later = there->at != here->at ? there->at > here->at : there->node > here->node;
    return is_later ? LZ_CONFLICT_THERE : LZ_CONFLICT_HERE;
}

// Both are one in the end, and neither gives way.
static enum lz_conflict_winner always_seven(void *ctx, uint64_t key,
                                            const struct lz_multi_row *here,
                                            const struct lz_multi_row *there, lz_value *value)
{
    (void)key;
    (void)here;
    (void)there;
    ++*(uint64_t *)ctx;
    *value = lz_value_integer(7);
    return LZ_CONFLICT_MERGED;
}

// Each keeps its own: nobody ever agrees.
static enum lz_conflict_winner mine(void *ctx, uint64_t key, const struct lz_multi_row *here,
                                    const struct lz_multi_row *there, lz_value *value)
{
    (void)key;
    (void)here;
    (void)there;
    (void)value;
    ++*(uint64_t *)ctx;
    return LZ_CONFLICT_HERE;
}

static void nodes_end_alike_if_the_rule_lets_them(void **state)
{
    (void)state;
    uint64_t asked = 0;
    const struct {
        struct lz_multi_opts rule;
        bool converges, loses;
    } rows[] = {
        {{.rule = LZ_MULTI_LAST_WRITER}, true, true},
        {{.rule = LZ_MULTI_FIRST_WRITER}, false, true},
        {{.rule = LZ_MULTI_ASKED, .ask = later, .ctx = &asked}, true, true},
        {{.rule = LZ_MULTI_ASKED, .ask = mine, .ctx = &asked}, false, true},
    };
    for (uint32_t nodes = 2; nodes <= NODES_MAX; nodes++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct stage s;
            asked = 0;
            make(&s, &(struct setup){.nodes = nodes,
                                     .rate = 20.0,
                                     .lag_s = 0.07,
                                     .until_s = 100.0,
                                     .keys = 20,
                                     .rule = rows[i].rule});
            run(&s, 110.0);
            assert_true(total(&s, "conflicts") > 100.0);
            assert_int_equal(level(&s) > 0.0, !rows[i].converges);
            assert_int_equal(total(&s, "lost_updates") > 0.0, rows[i].loses);
            assert_int_equal(asked > 0, rows[i].rule.rule == LZ_MULTI_ASKED);
            lz_arena_destroy(s.arena);
        }
    }
}

static void what_is_merged_is_not_lost(void **state)
{
    (void)state;
    struct stage s;
    uint64_t asked = 0;
    const struct lz_multi_opts rule = {.rule = LZ_MULTI_ASKED, .ask = always_seven, .ctx = &asked};
    make(&s,
         &(struct setup){
             .nodes = 2, .rate = 20.0, .lag_s = 0.07, .until_s = 0.05, .keys = 1, .rule = rule});
    run(&s, 10.0); // two or more, none of which has seen the others'
    assert_true(asked >= 2);
    assert_true(!(total(&s, "lost_updates") > 0.0));
    assert_true(!(level(&s) > 0.0));
    uint64_t value;
    lz_rows_read(&lz_database_at(s.w, s.db)->nodes[1].rows, 1, &value);
    assert_int_equal(lz_value_to_integer(value), 7);
    lz_arena_destroy(s.arena);
}

static lz_instance_id node(const struct stage *s, uint32_t n)
{
    return lz_world_component(s->w, s->db)->instances_first + n;
}

// A partition, and a death: who was away hears of everything, and all agree again.
static void nodes_that_were_away_catch_up(void **state)
{
    (void)state;
    struct stage s;
    uint64_t touched = 0;
    make(&s, &(struct setup){.nodes = 3, .rate = 50.0, .lag_s = 0.04, .until_s = 60.0, .keys = 50});
    run(&s, 10.0);
    lz_instance_id one[] = {node(&s, 0)}, others[] = {node(&s, 1), node(&s, 2)};
    uint32_t cut =
        lz_link_effect_add(s.w, &(struct lz_link_effect){.from = {.list = one, .count = 1},
                                                         .to = {.list = others, .count = 2},
                                                         .both_ways = true,
                                                         .is_shared = true,
                                                         .cut = LZ_LINK_CUT,
                                                         .path = 1,
                                                         .touched = &touched});
    run(&s, 25.0);
    assert_true(level(&s) > 40.0); // each side writes all rows
    assert_true(total(&s, "errors.ratio") < 0.001);
    lz_link_effect_remove(s.w, cut);
    lz_instance_kill(s.w, node(&s, 2));
    lz_database_reconsider(s.w);
    run(&s, 40.0);
    lz_instance_restart(s.w, node(&s, 2));
    lz_database_reconsider(s.w);
    run(&s, 200.0); // what was cut is sent again with a backoff of up to two minutes
    assert_true(!(level(&s) > 0.0));
    assert_true(total(&s, "lost_updates") > 100.0);
    assert_true(!(total(&s, "lost_acks") > 0.0));
    lz_arena_destroy(s.arena);
}

// Whose clock is behind loses to what was written before.
static void a_clock_that_is_behind_loses(void **state)
{
    (void)state;
    double lost[2];
    for (int is_behind = 0; is_behind < 2; is_behind++) {
        struct stage s;
        make(&s,
             &(struct setup){.nodes = 2, .rate = 1.0, .lag_s = 0.05, .until_s = 5000.0, .keys = 1});
        uint64_t reads = 0;
        struct lz_clock_error error = {.offset = is_behind ? -2 * LZ_S : 0, .reads = &reads};
        lz_clock_disturb(s.w, node(&s, 1), &error);
        run(&s, 5010.0);
        lost[is_behind] = total(&s, "lost_updates") / total(&s, "acked");
        assert_true(!(level(&s) > 0.0));
        lz_arena_destroy(s.arena);
    }
    // A conflict is only between two that have not seen each other: the share is the same, and it
    // is the one of the clock that is behind who loses. Both ways lose 1 - exp(-0.05).
    assert_true(fabs(lost[0] - 0.048771) < 0.01);
    assert_true(fabs(lost[1] - 0.048771) < 0.01);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_database_opts db;
        const char *message;
    } rows[] = {
        {{.name = "db", .nodes = 1}, "many masters are at least 2 nodes, and it has 1"},
        {{.name = "db", .nodes = 2, .sync = true},
         "with replication = \"multi\" a write is acknowledged where it is made: commit can be "
         "\"local\" or \"async\""},
        {{.name = "db", .nodes = 2, .read_replicas = true},
         "reads = \"replicas\": with replication = \"multi\" every node is a master, and callers "
         "read at the nearest"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s = {0};
        assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &s.err));
        s.w = lz_world_create(
            &(struct lz_world_opts){.arena = s.arena, .seed = 1, .run_key = 1, .end = LZ_S});
        assert_true(lz_database_create(s.w, &rows[i].db, &s.db, &s.err));
        const struct lz_multi_opts rule = {.rule = LZ_MULTI_LAST_WRITER};
        assert_false(lz_multi_declare(s.w, s.db, &rule, &s.err));
        assert_string_equal(s.err.msg, rows[i].message);
        lz_arena_destroy(s.arena);
    }
}

// What the disk lied about and another node has is not lost: its way is 5 s, ten writes a second.
// It is the same whether the power takes the process with it, or goes after its end, or twice.
static void what_a_lying_disk_loses_is_what_nobody_else_has(void **state)
{
    (void)state;
    static const struct {
        bool lies, is_killed, is_twice;
        double least, most;
    } rows[] = {{false, false, false, 0, 0},
                {true, false, false, 30, 70},
                {true, true, false, 30, 70},
                {true, true, true, 30, 70},
                {false, true, true, 0, 0}};
    double lost = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s, &(struct setup){.nodes = 2, .rate = 10, .lag_s = 5, .until_s = 30, .keys = 1e6});
        lz_instance_id id = lz_world_component(s.w, s.db)->instances_first;
        uint64_t touched = 0;
        run(&s, 1);
        if (rows[i].lies)
            lz_disk_disturb(s.w, id,
                            &(struct lz_disk_effect){.lies = true, .path = 7, .touched = &touched});
        run(&s, 20);
        if (rows[i].is_killed)
            lz_instance_kill(s.w, id);
        lz_instance_lose(s.w, id);
        if (rows[i].is_twice) {
            lz_instance_return(s.w, id);
            lz_instance_lose(s.w, id);
        }
        if (rows[i].is_killed)
            lz_instance_restart(s.w, id);
        lz_instance_return(s.w, id);
        assert_true(total(&s, "lost_acks") >= rows[i].least);
        assert_true(total(&s, "lost_acks") <= rows[i].most);
        assert_true(!rows[i].lies || lost == 0 || total(&s, "lost_acks") == lost);
        lost = rows[i].lies ? total(&s, "lost_acks") : lost;
        run(&s, 60);
        assert_int_equal((int)level(&s), 0); // and both end with the same rows
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_writer_overwrites_what_it_has_not_seen),
        cmocka_unit_test(nodes_end_alike_if_the_rule_lets_them),
        cmocka_unit_test(what_is_merged_is_not_lost),
        cmocka_unit_test(nodes_that_were_away_catch_up),
        cmocka_unit_test(a_clock_that_is_behind_loses),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(what_a_lying_disk_loses_is_what_nobody_else_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
