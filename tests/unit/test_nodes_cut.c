/*
 * What a cluster does about nodes when its control plane is cut off or dies, when what stands on
 * them moves, and what callers are told meanwhile.
 *
 * Method: as in test_nodes.c, worlds without users whose nodes are lost, cut off, left and come
 * back to between two runs; node states and the journal say what followed.
 */
#include "model/node/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/journal.h"
#include "model/net/link.h"
#include "model/node/endpoint.h"
#include "model/node/instance.h"
#include "model/node/life.h"
#include "model/service/service.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_region_id region, far;
    lz_component_id web, plane;
    lz_instance_id first, planes;
    uint64_t cut;
    struct lz_err err;
};

struct cast {
    uint32_t replicas, planes; /* web's; the control plane's, 0: it is always reached */
    bool is_far;               /* the control plane: elsewhere, or in the same zones */
    struct lz_nodes_opts opts;
    struct lz_life_opts life;
};

#define LOSS (100 * LZ_S)

static const struct lz_life_opts no_life;

static struct lz_nodes_opts plain(void)
{
    return (struct lz_nodes_opts){.lease_renew = -1,
                                  .toleration = -1,
                                  .eviction_rate = -1.0,
                                  .secondary_rate = -1.0,
                                  .large_zone = LZ_NODES_DEFAULT,
                                  .room = LZ_NODES_DEFAULT};
}

static lz_component_id serve(struct stage *s, const char *name, uint32_t replicas,
                             lz_region_id region)
{
    lz_component_id id = 0;
    const struct lz_service_opts o = {.name = name,
                                      .replicas = replicas,
                                      .spread = {.region = region},
                                      .service_time = lz_dist_constant(LZ_MS)};
    assert_true(lz_service_create(s->w, &o, &id, &s->err));
    return id;
}

static struct stage make(struct cast cast)
{
    static const char *const zones[] = {"a", "b", "c"};
    struct stage s = {0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &s.err));
    s.w = lz_world_create(
        &(struct lz_world_opts){.arena = s.arena, .seed = 1, .run_key = 1, .end = 4000 * LZ_S});
    const struct lz_region_opts eu = {.name = "eu", .zones = zones, .zone_count = 3};
    assert_true(lz_place_region(s.w, &eu, &s.region, &s.err));
    assert_true(lz_place_region(s.w, &(struct lz_region_opts){.name = "far"}, &s.far, &s.err));
    s.web = serve(&s, "web", cast.replicas, s.region);
    s.first = lz_world_component(s.w, s.web)->instances_first;
    if (cast.planes > 0) {
        s.plane = serve(&s, "plane", cast.planes, cast.is_far ? s.far : s.region);
        s.planes = lz_world_component(s.w, s.plane)->instances_first;
    }
    cast.opts.region = s.region;
    cast.opts.control_plane = s.plane;
    assert_true(lz_nodes_declare(s.w, &cast.opts, &s.err));
    cast.life.grace_period = -1;
    assert_true(lz_life_declare(s.w, s.web, &cast.life, &s.err));
    return s;
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static struct lz_instance *web(const struct stage *s, uint32_t replica)
{
    return lz_instance_get(s->w, s->first + replica);
}

static enum lz_node_state state_of(const struct stage *s, uint32_t replica)
{
    return lz_nodes_state(s->w, web(s, replica)->host);
}

static uint32_t count(const struct stage *s, const char *kind)
{
    uint32_t n = 0;
    for (size_t i = 0; i < lz_journal_count(s->w); i++)
        n += strcmp(lz_journal_get(s->w, i)->kind, kind) == 0;
    return n;
}

static lz_link_effect_id cut(struct stage *s, const struct lz_target *a, const struct lz_target *b)
{
    return lz_link_effect_add(s->w, &(struct lz_link_effect){.from.target = a,
                                                             .to.target = b,
                                                             .both_ways = true,
                                                             .cut = LZ_LINK_CUT,
                                                             .touched = &s->cut});
}

static lz_host_id fresh(struct stage *s, uint32_t zone)
{
    return lz_place_assign(s->w, &(struct lz_spread){.zone = lz_place_zone(s->w, s->region, zone)},
                           0);
}

// Of a node that its replica has left nothing is heard either, while its place is cut off.
static void an_empty_node_is_heard_of_if_its_place_is(void **state)
{
    (void)state;
    struct stage s = make((struct cast){6, 1, true, plain(), no_life});
    run(&s, 10 * LZ_S);
    lz_host_id left = web(&s, 0)->host;
    lz_life_relocate(s.w, s.first, fresh(&s, 0));
    run(&s, LOSS);
    const struct lz_target eu = {LZ_TARGET_REGION, .id = s.region};
    const struct lz_target plane = {LZ_TARGET_COMPONENT, .id = s.plane};
    lz_link_effect_id id = cut(&s, &eu, &plane);
    run(&s, 1500 * LZ_S);
    assert_int_not_equal(lz_nodes_state(s.w, left), LZ_NODE_READY);
    assert_int_equal(count(&s, "moved"), 1); // no node is ready, so nobody is evicted
    lz_link_effect_remove(s.w, id);
    run(&s, 1520 * LZ_S);
    assert_int_equal(lz_nodes_state(s.w, left), LZ_NODE_READY);
    assert_int_equal(state_of(&s, 5), LZ_NODE_READY);
    lz_arena_destroy(s.arena);
}

// One that is scaled in and out again stands where it stood, and is heard of from there.
static void a_replica_may_come_back_to_where_it_moved(void **state)
{
    (void)state;
    struct stage s = make((struct cast){6, 0, false, plain(), no_life});
    run(&s, LOSS);
    lz_life_relocate(s.w, s.first, fresh(&s, 0));
    run(&s, 200 * LZ_S);
    lz_endpoint_remove(s.w, s.first);
    run(&s, 800 * LZ_S);
    lz_endpoint_add(s.w, s.first);
    run(&s, 1500 * LZ_S);
    assert_int_equal(state_of(&s, 0), LZ_NODE_READY);
    assert_int_equal(count(&s, "node_unready"), 0);
    lz_arena_destroy(s.arena);
}

// The kubelet that would say that a readiness probe fails is lost with its host.
static void of_a_lost_host_nobody_tells_whatever_is_probed(void **state)
{
    (void)state;
    for (int has_readiness = 0; has_readiness < 2; has_readiness++) {
        struct stage s =
            make((struct cast){6, 0, false, plain(), {.readiness = {.is_on = has_readiness != 0}}});
        run(&s, LOSS);
        assert_true(lz_nodes_lose(s.w, web(&s, 0)->host));
        run(&s, LOSS + 39 * LZ_S);
        assert_false(web(&s, 0)->is_out);
        run(&s, LOSS + 56 * LZ_S);
        assert_true(web(&s, 0)->is_out);
        lz_arena_destroy(s.arena);
    }
}

static void what_leaves_a_node_that_is_cut_off_is_an_endpoint_again(void **state)
{
    (void)state;
    struct lz_nodes_opts opts = plain();
    opts.toleration = LZ_NODES_TIME_MAX;
    struct stage s = make((struct cast){6, 1, true, opts, no_life});
    run(&s, LOSS);
    const struct lz_target zone = {LZ_TARGET_ZONE, .id = lz_place_zone(s.w, s.region, 0)};
    const struct lz_target plane = {LZ_TARGET_COMPONENT, .id = s.plane};
    cut(&s, &zone, &plane);
    run(&s, 200 * LZ_S);
    assert_true(web(&s, 0)->is_out && web(&s, 3)->is_out);
    assert_true(lz_life_replace(s.w, s.first, 0, fresh(&s, 1)));
    run(&s, 210 * LZ_S);
    assert_false(web(&s, 0)->is_out);
    assert_true(web(&s, 3)->is_out);
    lz_arena_destroy(s.arena);
}

// Nobody deletes, and nobody is told, while the control plane is dead; tolerations begin anew.
static void a_dead_control_plane_does_nothing(void **state)
{
    (void)state;
    struct stage s = make((struct cast){6, 1, true, plain(), no_life});
    run(&s, LOSS);
    assert_true(lz_nodes_lose(s.w, web(&s, 1)->host));
    run(&s, 200 * LZ_S);
    assert_int_equal(state_of(&s, 1), LZ_NODE_TAINTED);
    assert_true(lz_instance_kill(s.w, s.planes));
    lz_life_set_ready(s.w, s.first, false);
    run(&s, 900 * LZ_S);
    assert_int_equal(state_of(&s, 1), LZ_NODE_TAINTED);
    assert_false(web(&s, 0)->is_out);
    assert_true(lz_instance_restart(s.w, s.planes));
    run(&s, 910 * LZ_S);
    assert_true(web(&s, 0)->is_out);
    run(&s, 1190 * LZ_S);
    assert_int_equal(count(&s, "moved"), 0);
    run(&s, 1210 * LZ_S);
    assert_int_equal(count(&s, "moved"), 1);
    lz_arena_destroy(s.arena);
}

static void the_larger_part_of_a_control_plane_decides(void **state)
{
    (void)state;
    struct stage s = make((struct cast){6, 3, false, plain(), no_life});
    run(&s, LOSS);
    struct lz_target zones[3];
    for (uint32_t i = 0; i < 3; i++)
        zones[i] = (struct lz_target){LZ_TARGET_ZONE, .id = lz_place_zone(s.w, s.region, i)};
    cut(&s, &zones[0], &zones[1]);
    cut(&s, &zones[0], &zones[2]);
    run(&s, 200 * LZ_S);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(state_of(&s, i) == LZ_NODE_READY, i % 3 != 0);
    cut(&s, &zones[1], &zones[2]); // nobody is more than half: nobody looks
    run(&s, 1000 * LZ_S);
    assert_int_equal(state_of(&s, 1), LZ_NODE_READY);
    lz_arena_destroy(s.arena);
}

// A place on another node is lost and comes back: its room is there again, time after time.
static void the_room_of_a_place_that_was_lost_comes_back(void **state)
{
    (void)state;
    struct lz_nodes_opts opts = plain();
    opts.room = 1;
    opts.toleration = 10 * LZ_S;
    struct stage s = make((struct cast){6, 0, false, opts, no_life});
    for (uint32_t turn = 1; turn <= 5; turn++) {
        run(&s, turn * 300 * LZ_S);
        lz_host_id host = web(&s, 0)->host;
        assert_true(lz_nodes_lose(s.w, host));
        run(&s, turn * 300 * LZ_S + 150 * LZ_S);
        assert_int_equal(count(&s, "moved"), turn);
        assert_true(lz_nodes_return(s.w, host));
    }
    assert_int_equal(count(&s, "pending"), 0);
    lz_arena_destroy(s.arena);
}

static void a_rate_near_0_is_no_rate_without_end(void **state)
{
    (void)state;
    struct lz_nodes_opts opts = plain();
    opts.eviction_rate = 1e-12;
    struct stage s = make((struct cast){9, 0, false, opts, no_life});
    run(&s, LOSS);
    assert_true(lz_nodes_lose(s.w, web(&s, 0)->host));
    assert_true(lz_nodes_lose(s.w, web(&s, 3)->host));
    run(&s, 3000 * LZ_S);
    assert_int_equal(count(&s, "node_tainted"), 1);
    lz_arena_destroy(s.arena);
}

// SwapLimiter: the bucket that follows the limiter that never accepts begins empty.
static void after_a_rate_of_0_a_taint_waits_for_its_token(void **state)
{
    (void)state;
    struct lz_nodes_opts opts = plain();
    opts.eviction_rate = 0.02;
    opts.lease_renew = 0; // all are found at one look
    struct stage s = make((struct cast){12, 0, false, opts, no_life});
    run(&s, LOSS);
    for (uint32_t i = 0; i < 9; i += 3)
        assert_true(lz_nodes_lose(s.w, web(&s, i)->host));
    run(&s, 300 * LZ_S);
    assert_int_equal(count(&s, "node_tainted"), 0); // three of four: a small zone that is disrupted
    assert_true(lz_nodes_return(s.w, web(&s, 6)->host));
    run(&s, 349 * LZ_S);
    assert_int_equal(count(&s, "node_tainted"), 0);
    run(&s, 356 * LZ_S);
    assert_int_equal(count(&s, "node_tainted"), 1);
    lz_arena_destroy(s.arena);
}

static void an_empty_host_that_was_declared_is_a_node(void **state)
{
    (void)state;
    struct stage s = make((struct cast){1, 0, false, plain(), no_life});
    lz_host_id rack = 0;
    assert_true(lz_place_host(
        s.w, &(struct lz_host_opts){.name = "rack", .zone = lz_place_zone(s.w, s.region, 0)}, &rack,
        &s.err));
    run(&s, LOSS);
    assert_int_equal(lz_nodes_state(s.w, rack), LZ_NODE_READY);
    assert_true(lz_nodes_lose(s.w, web(&s, 0)->host));
    run(&s, 600 * LZ_S);
    assert_int_equal(count(&s, "moved"), 1);
    lz_arena_destroy(s.arena);
}

// The back-off of a crash loop is a pod's own.
static void a_pod_that_is_made_anew_has_never_crashed(void **state)
{
    (void)state;
    struct stage s = make((struct cast){6, 0, false, plain(), {.restart = LZ_RESTART_ALWAYS}});
    run(&s, LOSS);
    for (int i = 0; i < 5; i++) {
        assert_true(lz_life_crash(s.w, s.first, "crashed"));
        if (i < 4)
            run(&s, lz_sim_now(s.w->sim) + 200 * LZ_S);
    }
    assert_false(lz_instance_is_up(web(&s, 0))); // for 80 s
    lz_life_relocate(s.w, s.first, fresh(&s, 0));
    assert_true(lz_instance_is_up(web(&s, 0)));
    assert_true(lz_life_crash(s.w, s.first, "crashed"));
    run(&s, lz_sim_now(s.w->sim) + LZ_MS);
    assert_true(lz_instance_is_up(web(&s, 0)));
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_node_is_heard_of_if_its_place_is),
        cmocka_unit_test(a_replica_may_come_back_to_where_it_moved),
        cmocka_unit_test(of_a_lost_host_nobody_tells_whatever_is_probed),
        cmocka_unit_test(what_leaves_a_node_that_is_cut_off_is_an_endpoint_again),
        cmocka_unit_test(a_dead_control_plane_does_nothing),
        cmocka_unit_test(the_larger_part_of_a_control_plane_decides),
        cmocka_unit_test(the_room_of_a_place_that_was_lost_comes_back),
        cmocka_unit_test(a_rate_near_0_is_no_rate_without_end),
        cmocka_unit_test(after_a_rate_of_0_a_taint_waits_for_its_token),
        cmocka_unit_test(an_empty_host_that_was_declared_is_a_node),
        cmocka_unit_test(a_pod_that_is_made_anew_has_never_crashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
