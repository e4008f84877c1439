/*
 * Nodes: what their clocks read, where replicas go that are put elsewhere, and what the system
 * refuses. Exact readings and counts, in worlds without users or with one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/node/clock.h"
#include "model/node/evict.h"
#include "model/node/life.h"
#include "model/node/ulimit.h"
#include "model/service/service.h"
#include "model/traffic/traffic.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_region_id region;
    lz_host_id rack;
    lz_component_id web, pinned;
    lz_instance_id first, on_rack;
    struct lz_err err;
};

// Four replicas over zones a, b, c of one region, and one on a host of zone a.
static struct stage make(void)
{
    static const char *const zones[] = {"a", "b", "c"};
    struct stage s = {0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &s.err));
    s.w = lz_world_create(
        &(struct lz_world_opts){.arena = s.arena, .seed = 1, .run_key = 1, .end = 1000 * LZ_S});
    const struct lz_region_opts region = {.name = "eu", .zones = zones, .zone_count = 3};
    assert_true(lz_place_region(s.w, &region, &s.region, &s.err));
    const struct lz_host_opts rack = {.name = "rack", .zone = lz_place_zone(s.w, s.region, 0)};
    assert_true(lz_place_host(s.w, &rack, &s.rack, &s.err));
    const struct lz_service_opts web = {
        .name = "web", .replicas = 4, .spread = {.region = s.region}};
    const struct lz_service_opts pinned = {.name = "pinned", .spread = {.host = s.rack}};
    assert_true(lz_service_create(s.w, &web, &s.web, &s.err));
    assert_true(lz_service_create(s.w, &pinned, &s.pinned, &s.err));
    s.first = lz_world_component(s.w, s.web)->instances_first;
    s.on_rack = lz_world_component(s.w, s.pinned)->instances_first;
    return s;
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static void a_clock_reads_offset_and_drift(void **state)
{
    (void)state;
    struct stage s = make();
    uint64_t reads = 0;
    run(&s, 100 * LZ_S);
    const struct lz_clock_error ahead = {.offset = 2 * LZ_S, .reads = &reads};
    const struct lz_clock_error fast = {.ppm = 100.0, .reads = &reads};
    uint32_t a = lz_clock_disturb(s.w, s.first, &ahead);
    uint32_t b = lz_clock_disturb(s.w, s.first, &fast);
    assert_int_equal(lz_clock_read(s.w, s.first), 102 * LZ_S);
    assert_int_equal(reads, 2); // both are told
    run(&s, 600 * LZ_S);
    assert_int_equal(lz_clock_read(s.w, s.first), 602 * LZ_S + 50 * LZ_MS); // 500 s at 100 ppm
    lz_clock_undo(s.w, a);
    assert_int_equal(lz_clock_read(s.w, s.first), 600 * LZ_S + 50 * LZ_MS);
    lz_clock_undo(s.w, b);
    assert_int_equal(lz_clock_read(s.w, s.first), 600 * LZ_S);
    assert_int_equal(lz_clock_read(s.w, s.first + 1), 600 * LZ_S); // nobody else's
    assert_int_equal(reads, 5);
    lz_arena_destroy(s.arena);
}

static void a_clock_never_reads_below_zero(void **state)
{
    (void)state;
    struct stage s = make();
    const struct lz_clock_opts behind = {.offset = -5 * LZ_S};
    assert_true(lz_clock_declare(s.w, s.rack, &behind, &s.err));
    run(&s, 2 * LZ_S);
    assert_int_equal(lz_clock_read(s.w, s.on_rack), 0);
    run(&s, 8 * LZ_S);
    assert_int_equal(lz_clock_read(s.w, s.on_rack), 3 * LZ_S);
    const struct lz_clock_opts wild = {.ppm = 2e6};
    assert_false(lz_clock_declare(s.w, s.rack, &wild, &s.err));
    assert_non_null(strstr(s.err.msg, "ppm must be between -1e6 and 1e6"));
    lz_arena_destroy(s.arena);
}

// Which zone, from 0, the replica `id` would go to; -1: nowhere.
static int goes_to(struct stage *s, lz_instance_id id, enum lz_target_kind kind, uint32_t what)
{
    lz_host_id host = lz_evict_place(s->w, id, &(struct lz_target){.kind = kind, .id = what});
    if (host == 0)
        return -1;
    assert_int_not_equal(host, lz_instance_get(s->w, id)->host);
    return (int)(lz_place_host_zone(s->w, host) - lz_place_zone(s->w, s->region, 0));
}

static void who_is_evicted_goes_as_near_as_may_be(void **state)
{
    (void)state;
    struct stage s = make();
    lz_zone_id a = lz_place_zone(s.w, s.region, 0), c = lz_place_zone(s.w, s.region, 2);
    assert_int_equal(goes_to(&s, s.first + 1, LZ_TARGET_INSTANCE, s.web), 1); // its own zone
    assert_int_equal(goes_to(&s, s.first, LZ_TARGET_ZONE, a), 1);             // the next one
    assert_int_equal(goes_to(&s, s.first + 2, LZ_TARGET_ZONE, c), 0);         // around the corner
    assert_int_equal(goes_to(&s, s.first, LZ_TARGET_REGION, s.region), -1);
    assert_int_equal(goes_to(&s, s.on_rack, LZ_TARGET_HOST, s.rack), -1); // bound to it
    lz_arena_destroy(s.arena);
}

// The successor starts when the old one is told: 5 s of start-up less 2 s of draining.
static void a_successor_starts_while_the_old_one_drains(void **state)
{
    (void)state;
    struct stage s = make();
    const struct lz_life_opts life = {
        .startup = lz_dist_constant(5 * LZ_S), .pre_stop = 2 * LZ_S, .grace_period = -1};
    assert_true(lz_life_declare(s.w, s.web, &life, &s.err));
    run(&s, 10 * LZ_S);
    lz_host_id from = lz_instance_get(s.w, s.first)->host;
    lz_host_id to =
        lz_evict_place(s.w, s.first, &(struct lz_target){.kind = LZ_TARGET_INSTANCE, .id = s.web});
    assert_true(lz_life_replace(s.w, s.first, -1, to));
    run(&s, 11 * LZ_S);
    assert_int_equal(lz_instance_get(s.w, s.first)->host, from);
    run(&s, 15 * LZ_S - 1);
    assert_int_equal(lz_instance_get(s.w, s.first)->host, to);
    assert_int_equal(lz_instance_get(s.w, s.first)->state, LZ_INSTANCE_STARTING);
    run(&s, 15 * LZ_S);
    assert_true(lz_instance_is_up(lz_instance_get(s.w, s.first)));
    lz_arena_destroy(s.arena);
}

// Ten requests a second of 1 s each keep ten of them there; the limit lets in as many as it says.
static void limits_refuse_what_is_beyond_them(void **state)
{
    (void)state;
    static const struct {
        enum lz_ulimit_kind kind;
        uint32_t most, admitted;
    } cases[] = {{LZ_ULIMIT_THREADS, 4, 4}, {LZ_ULIMIT_PIDS, 4, 3}, {LZ_ULIMIT_FDS, 4, 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stage s = make();
        lz_component_id slow, users;
        const struct lz_service_opts service = {.name = "slow",
                                                .service_time = lz_dist_constant(LZ_S)};
        assert_true(lz_service_create(s.w, &service, &slow, &s.err));
        struct lz_traffic_opts o = {.name = "users", .constant = true, .local = true};
        o.to = slow;
        assert_true(lz_shape_constant(&o.rate, 10.0, &s.err));
        assert_true(lz_traffic_create(s.w, &o, &users, &s.err));
        uint64_t refused = 0;
        lz_instance_id id = lz_world_component(s.w, slow)->instances_first;
        uint32_t limit = lz_ulimit_lower(s.w, id, cases[i].kind, cases[i].most, &refused);
        run(&s, 10 * LZ_S + 50 * LZ_MS);
        // Each second `admitted` are served, the others of its ten refused.
        uint64_t first = refused, expected = 10u * (10u - cases[i].admitted);
        assert_in_range(first, expected - 10, expected + 10);
        lz_ulimit_undo(s.w, id, limit);
        run(&s, 20 * LZ_S);
        assert_int_equal(refused, first);
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_reads_offset_and_drift),
        cmocka_unit_test(a_clock_never_reads_below_zero),
        cmocka_unit_test(who_is_evicted_goes_as_near_as_may_be),
        cmocka_unit_test(a_successor_starts_while_the_old_one_drains),
        cmocka_unit_test(limits_refuse_what_is_beyond_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
