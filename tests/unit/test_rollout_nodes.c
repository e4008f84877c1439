/*
 * What a rollout and a disruption budget know of nodes that are lost or cut off is what the control
 * plane knows: nothing for the grace of the node controller, and that a pod has ended only from its
 * kubelet.
 *
 * Method: as in test_nodes_cut.c, worlds without users whose nodes are lost, cut off and come back
 * to between two runs. What is expected is kubernetes.io, "Nodes" (40 s, or 50 s since 1.32, until
 * a node is not ready), "Pod Lifecycle" and "Force Delete StatefulSet Pods" (a pod of a node that
 * is not heard of stays Terminating), and pkg/controller/deployment/recreate.go, oldPodsRunning
 * (nothing new while a pod of an old set is there, Terminating or not).
 */
#include "model/service/rollout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/journal.h"
#include "model/net/link.h"
#include "model/node/instance.h"
#include "model/node/life.h"
#include "model/node/nodes.h"
#include "model/service/disruption.h"
#include "model/service/platform.h"
#include "model/service/service.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define LOSS (100 * LZ_S)
#define PODS(n)                                                                                    \
    {                                                                                              \
        .value = (n)                                                                               \
    }

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_region_id region, far;
    lz_component_id web, plane;
    lz_instance_id first;
    uint64_t cut;
    struct lz_err err;
};

struct cast {
    bool has_no_cluster;
    struct lz_rollout_opts rollout;
    uint32_t max_unavailable; // of the budget
    lz_time startup;
};

static const struct lz_rollout_opts recreate = {.is_on = true, .is_recreate = true};
static const struct lz_rollout_opts rolling = {
    .is_on = true, .max_surge = PODS(0), .max_unavailable = PODS(1)};

static void declare_cluster(struct stage *s)
{
    const struct lz_service_opts plane = {.name = "plane",
                                          .replicas = 1,
                                          .spread = {.region = s->far},
                                          .service_time = lz_dist_constant(LZ_MS)};
    assert_true(lz_service_create(s->w, &plane, &s->plane, &s->err));
    const struct lz_nodes_opts nodes = {.region = s->region,
                                        .lease_renew = -1,
                                        .toleration = -1,
                                        .eviction_rate = -1.0,
                                        .secondary_rate = -1.0,
                                        .large_zone = LZ_NODES_DEFAULT,
                                        .room = LZ_NODES_DEFAULT,
                                        .control_plane = s->plane};
    assert_true(lz_nodes_declare(s->w, &nodes, &s->err));
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
    const struct lz_service_opts web = {
        .name = "web",
        .replicas = 3,
        .spread = {.region = s.region},
        .service_time = lz_dist_constant(LZ_MS),
        .rollout = cast.rollout,
        .disruption = {.is_on = true, .amount = {.value = cast.max_unavailable}}};
    assert_true(lz_service_create(s.w, &web, &s.web, &s.err));
    s.first = lz_world_component(s.w, s.web)->instances_first;
    if (!cast.has_no_cluster)
        declare_cluster(&s);
    const struct lz_life_opts life = {.grace_period = -1,
                                      .startup = lz_dist_constant(cast.startup)};
    assert_true(lz_life_declare(s.w, s.web, &life, &s.err));
    return s;
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

// Of the nodes that are there, by what runs on them.
static uint32_t running(const struct stage *s)
{
    const struct lz_component *c = lz_world_component(s->w, s->web);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->instance_count; i++)
        n += lz_instance_runs(lz_instance_get(s->w, s->first + i));
    return n;
}

static uint32_t noted(const struct stage *s, const char *kind)
{
    uint32_t n = 0;
    for (size_t i = 0; i < lz_journal_count(s->w); i++)
        n += strcmp(lz_journal_get(s->w, i)->kind, kind) == 0;
    return n;
}

static lz_host_id lose(struct stage *s)
{
    lz_host_id host = lz_instance_get(s->w, s->first)->host;
    if (s->plane != 0)
        assert_true(lz_nodes_lose(s->w, host));
    else
        assert_true(lz_instance_lose(s->w, s->first));
    return host;
}

static void give_back(struct stage *s, lz_host_id host)
{
    if (s->plane != 0)
        assert_true(lz_nodes_return(s->w, host));
    else
        lz_instance_return(s->w, s->first);
}

static lz_link_effect_id cut(struct stage *s)
{
    static struct lz_target zone = {LZ_TARGET_ZONE, .id = 0},
                            plane = {LZ_TARGET_COMPONENT, .id = 0};
    zone.id = lz_place_zone(s->w, s->region, 0);
    plane.id = s->plane;
    return lz_link_effect_add(s->w, &(struct lz_link_effect){.from.target = &zone,
                                                             .to.target = &plane,
                                                             .both_ways = true,
                                                             .cut = LZ_LINK_CUT,
                                                             .touched = &s->cut});
}

// Whether its node is thought ready, not ready, or its pods were evicted by then.
static void recreate_waits_for_the_pods_of_a_lost_node(void **state)
{
    (void)state;
    static const struct {
        bool has_no_cluster, is_lost;
        lz_time deploy;
    } rows[] = {
        {false, false, LOSS + 5 * LZ_S},  {true, false, LOSS + 5 * LZ_S},
        {false, true, LOSS + 5 * LZ_S},   {true, true, LOSS + 5 * LZ_S},
        {false, true, LOSS + 100 * LZ_S}, {false, true, LOSS + 500 * LZ_S},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s = make((struct cast){
            .has_no_cluster = rows[i].has_no_cluster, .rollout = recreate, .max_unavailable = 1});
        run(&s, LOSS);
        lz_host_id host = rows[i].is_lost ? lose(&s) : 0;
        run(&s, rows[i].deploy);
        assert_true(lz_rollout_restart(s.w, s.web, &s.err));
        run(&s, 1500 * LZ_S);
        assert_int_equal(running(&s), rows[i].is_lost ? 0 : 3);
        assert_int_equal(noted(&s, "deployed"), rows[i].is_lost ? 0 : 1);
        assert_int_equal(noted(&s, "stalled"), rows[i].is_lost ? 1 : 0);
        if (rows[i].is_lost)
            give_back(&s, host);
        run(&s, 1510 * LZ_S);
        assert_int_equal(running(&s), 3);
        assert_int_equal(noted(&s, "deployed"), 1);
        lz_arena_destroy(s.arena);
    }
}

static void a_rolling_update_does_not_wait_for_them(void **state)
{
    (void)state;
    struct stage s = make((struct cast){.rollout = rolling, .max_unavailable = 1});
    run(&s, LOSS);
    lose(&s);
    run(&s, LOSS + 100 * LZ_S);
    assert_true(lz_rollout_restart(s.w, s.web, &s.err));
    run(&s, LOSS + 110 * LZ_S);
    assert_int_equal(running(&s), 3);
    assert_int_equal(noted(&s, "deployed"), 1);
    lz_arena_destroy(s.arena);
}

// Until the controller has missed the lease for its grace, what is lost is healthy.
static void a_budget_hears_of_a_lost_node_when_it_is_not_ready(void **state)
{
    (void)state;
    static const struct {
        bool is_cut;
        lz_time lasting; // 0: longer than the grace
        uint32_t healthy, later;
    } rows[] = {
        {false, 0, 3, 2},
        {true, 0, 3, 2},
        {true, 30 * LZ_S, 3, 3},
        {false, 30 * LZ_S, 3, 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s = make((struct cast){.rollout = rolling, .max_unavailable = 1});
        run(&s, LOSS);
        lz_host_id host = !rows[i].is_cut ? lose(&s) : 0;
        lz_link_effect_id id = rows[i].is_cut ? cut(&s) : 0;
        run(&s, LOSS + 30 * LZ_S);
        struct lz_disruption d = lz_disruption_look(s.w, s.first);
        assert_int_equal(d.healthy, rows[i].healthy);
        assert_int_equal(d.allowed, 1);
        if (rows[i].lasting > 0 && rows[i].is_cut)
            lz_link_effect_remove(s.w, id);
        else if (rows[i].lasting > 0)
            give_back(&s, host);
        run(&s, LOSS + 65 * LZ_S);
        d = lz_disruption_look(s.w, s.first);
        assert_int_equal(d.healthy, rows[i].later);
        assert_int_equal(d.allowed, rows[i].later - 2);
        lz_arena_destroy(s.arena);
    }
}

// Without a cluster nobody has to find out.
static void where_there_is_no_cluster_a_budget_hears_at_once(void **state)
{
    (void)state;
    struct stage s =
        make((struct cast){.has_no_cluster = true, .rollout = rolling, .max_unavailable = 1});
    run(&s, LOSS);
    lose(&s);
    assert_int_equal(lz_disruption_look(s.w, s.first).healthy, 2);
    lz_arena_destroy(s.arena);
}

// It takes one that serves while a lost one counts as available, and the lost one once it does not.
static void a_rollout_hears_of_a_lost_node_when_it_is_not_ready(void **state)
{
    (void)state;
    static const struct {
        lz_time deploy;
        uint32_t running;
    } rows[] = {{LOSS + 5 * LZ_S, 1}, {LOSS + 100 * LZ_S, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s =
            make((struct cast){.rollout = rolling, .max_unavailable = 1, .startup = 20 * LZ_S});
        run(&s, LOSS);
        lose(&s);
        run(&s, rows[i].deploy);
        assert_true(lz_rollout_restart(s.w, s.web, &s.err));
        run(&s, rows[i].deploy + 10 * LZ_S);
        uint32_t listening = 0;
        for (uint32_t n = 0; n < lz_world_component(s.w, s.web)->instance_count; n++)
            listening += lz_instance_listens(lz_instance_get(s.w, s.first + n));
        assert_int_equal(listening, rows[i].running);
        lz_arena_destroy(s.arena);
    }
}

static void what_is_cut_off_serves_on_until_its_kubelet_hears(void **state)
{
    (void)state;
    struct stage s = make((struct cast){.rollout = rolling, .max_unavailable = 1});
    run(&s, LOSS);
    const uint32_t incarnation = lz_instance_get(s.w, s.first)->incarnation;
    lz_link_effect_id id = cut(&s);
    run(&s, LOSS + 100 * LZ_S); // its node is not ready, and not evicted
    assert_true(lz_rollout_restart(s.w, s.web, &s.err));
    run(&s, LOSS + 150 * LZ_S);
    const struct lz_instance *first = lz_instance_get(s.w, s.first);
    assert_true(lz_instance_listens(first) && first->is_out);
    assert_int_equal(first->incarnation, incarnation);
    assert_int_equal(noted(&s, "deployed"), 1);
    assert_int_equal(running(&s), 4);
    lz_link_effect_remove(s.w, id);
    run(&s, LOSS + 170 * LZ_S);
    assert_int_equal(running(&s), 3);
    lz_arena_destroy(s.arena);
}

// The next zone after its own is drained, and the one after that is not.
static void what_leaves_a_lost_node_goes_where_nothing_is_drained(void **state)
{
    (void)state;
    for (int is_drained = 0; is_drained < 2; is_drained++) {
        struct stage s = make((struct cast){.rollout = rolling, .max_unavailable = 1});
        const struct lz_target zone = {LZ_TARGET_ZONE, .id = lz_place_zone(s.w, s.region, 1)};
        run(&s, LOSS);
        if (is_drained)
            lz_platform_add(
                s.w, &(struct lz_platform_effect){.target = &zone, .parts = LZ_PLATFORM_PLACE});
        lose(&s);
        run(&s, LOSS + 500 * LZ_S);
        const struct lz_instance *first = lz_instance_get(s.w, s.first);
        assert_true(lz_instance_listens(first));
        assert_int_equal(lz_place_host_zone(s.w, first->host),
                         lz_place_zone(s.w, s.region, is_drained ? 2 : 1));
        lz_arena_destroy(s.arena);
    }
}

static uint32_t hold_starts(struct stage *s)
{
    static struct lz_target all = {LZ_TARGET_REGION, .id = 0};
    static uint64_t touched;
    all.id = s->region;
    return lz_platform_add(s->w, &(struct lz_platform_effect){.target = &all,
                                                              .parts = LZ_PLATFORM_START,
                                                              .touched = &touched});
}

// Evicted, they wait for a place; the rollout deletes one meanwhile, and makes its own successor.
static void who_is_deleted_while_it_waits_for_room_is_not_started_again(void **state)
{
    (void)state;
    for (int is_deployed = 0; is_deployed < 2; is_deployed++) {
        struct stage s = make((struct cast){.rollout = rolling, .max_unavailable = 1});
        run(&s, LOSS);
        const lz_host_id host = lz_instance_get(s.w, s.first)->host;
        cut(&s);
        uint32_t held = hold_starts(&s);
        run(&s, LOSS + 400 * LZ_S);
        assert_int_equal(noted(&s, "pending"), 1);
        if (is_deployed)
            assert_true(lz_rollout_restart(s.w, s.web, &s.err));
        run(&s, LOSS + 410 * LZ_S);
        assert_int_equal(noted(&s, "terminating"), is_deployed);
        lz_platform_remove(s.w, held);
        run(&s, LOSS + 600 * LZ_S);
        assert_int_equal(lz_instance_get(s.w, s.first)->host == host, is_deployed);
        assert_int_equal(running(&s), is_deployed ? 4 : 3); // with the one that has not heard of it
        lz_arena_destroy(s.arena);
    }
}

// Its successor waits for room, and was never bound to a node: deleted, it is gone at once.
static void a_pod_is_terminating_once_however_often_it_is_deleted(void **state)
{
    (void)state;
    struct stage s = make((struct cast){.rollout = recreate, .max_unavailable = 1});
    run(&s, LOSS);
    lz_host_id host = lose(&s);
    hold_starts(&s);
    run(&s, LOSS + 400 * LZ_S);
    assert_int_equal(noted(&s, "pending"), 1);
    assert_int_equal(noted(&s, "terminating"), 1);
    assert_true(lz_rollout_restart(s.w, s.web, &s.err));
    run(&s, LOSS + 500 * LZ_S);
    assert_int_equal(noted(&s, "terminating"), 1);
    give_back(&s, host);
    lz_arena_destroy(s.arena);
}

/*
 * IsPodAvailable (pkg/api/v1/pod/util.go) counts from the Ready condition's lastTransitionTime,
 * which is the kubelet's: an outage of the control plane does not begin it anew, a probe does.
 */
static void min_ready_counts_from_when_the_kubelet_saw_it_ready(void **state)
{
    (void)state;
    const struct lz_rollout_opts surge = {
        .is_on = true, .max_surge = PODS(3), .min_ready = 60 * LZ_S};
    static const struct {
        bool is_down;
        lz_time unready, ready; // after LOSS, of all new ones; 0: never
        lz_time deployed;       // then, or in the 10 s after
    } rows[] = {
        {false, 0, 0, 65},     {true, 0, 0, 300},    {true, 100, 200, 300},
        {true, 100, 280, 340}, {false, 40, 50, 110},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s =
            make((struct cast){.rollout = surge, .max_unavailable = 1, .startup = 5 * LZ_S});
        lz_instance_id planes = lz_world_component(s.w, s.plane)->instances_first;
        run(&s, LOSS);
        assert_true(lz_rollout_restart(s.w, s.web, &s.err));
        run(&s, LOSS + LZ_S);
        if (rows[i].is_down)
            assert_true(lz_instance_kill(s.w, planes));
        for (int to = 0; rows[i].ready > 0 && to < 2; to++) {
            run(&s, LOSS + (to == 0 ? rows[i].unready : rows[i].ready) * LZ_S);
            for (uint32_t n = 3; n < 6; n++)
                lz_life_set_ready(s.w, s.first + n, to == 1);
        }
        const lz_time due = LOSS + rows[i].deployed * LZ_S, back = LOSS + 300 * LZ_S;
        run(&s, due > back ? back : due - LZ_MS);
        assert_int_equal(noted(&s, "deployed"), 0);
        if (rows[i].is_down)
            assert_true(lz_instance_restart(s.w, planes));
        run(&s, due - LZ_MS);
        assert_int_equal(noted(&s, "deployed"), 0);
        run(&s, due + 10 * LZ_S);
        assert_int_equal(noted(&s, "deployed"), 1);
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recreate_waits_for_the_pods_of_a_lost_node),
        cmocka_unit_test(a_rolling_update_does_not_wait_for_them),
        cmocka_unit_test(a_budget_hears_of_a_lost_node_when_it_is_not_ready),
        cmocka_unit_test(where_there_is_no_cluster_a_budget_hears_at_once),
        cmocka_unit_test(a_rollout_hears_of_a_lost_node_when_it_is_not_ready),
        cmocka_unit_test(what_is_cut_off_serves_on_until_its_kubelet_hears),
        cmocka_unit_test(what_leaves_a_lost_node_goes_where_nothing_is_drained),
        cmocka_unit_test(who_is_deleted_while_it_waits_for_room_is_not_started_again),
        cmocka_unit_test(a_pod_is_terminating_once_however_often_it_is_deleted),
        cmocka_unit_test(min_ready_counts_from_when_the_kubelet_saw_it_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
