/*
 * Which pods go first when there are to be fewer must be what the ReplicaSet controller of
 * Kubernetes chooses, rolled out or not.
 *
 * Method: a service of four that may be scaled, brought to 1000 s; then what is known of its pods
 * is written by hand, and some are taken. Rows are the steps of kubernetes
 * pkg/controller/controller_utils.go, ActivePodsWithRanks.Less, in the order of
 * controller_utils_test.go, TestSortingActivePodsWithRanks; logarithms of ages are of its
 * logarithmicRankDiff: from 2^39 ns on, 549.8 s, and from 2^38 ns on, 274.9 s, ages are equal.
 */
#include "model/service/pod_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/node/life_state.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PODS 4
#define NOW (1000 * LZ_S)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_service *s;
};

static struct stage make(uint64_t run_key)
{
    struct stage s = {0};
    struct lz_err err;
    lz_component_id web = 0;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &err));
    s.w = lz_world_create(&(struct lz_world_opts){
        .arena = s.arena, .seed = 1, .run_key = run_key, .end = 2000 * LZ_S});
    const struct lz_service_opts opts = {
        .name = "web",
        .replicas = PODS,
        .service_time = lz_dist_constant(LZ_MS),
        .rollout = {.is_on = true, .max_surge = {.value = 1}},
    };
    assert_true(lz_service_create(s.w, &opts, &web, &err));
    assert_int_equal(lz_world_run_until(s.w, NOW), LZ_SIM_ENDED);
    s.s = lz_service_at(s.w, web);
    return s;
}

struct pod {
    enum { READY, UNREADY, STARTS, UNBOUND } phase;
    int since; // in s: it is ready, or was made
    int restarts;
    int stands_with; // the host of that pod, from 1 on; 0: its own
};

static void set(struct stage *s, uint32_t index, const struct pod *to)
{
    struct lz_pod *p = lz_pods_at(s->s, index);
    lz_instance_id id = s->s->first + index;
    p->is_ready = to->phase == READY;
    p->ready_since = to->phase == READY ? to->since * LZ_S : 0;
    p->made = to->phase == READY ? 0 : to->since * LZ_S;
    p->is_unbound = to->phase == UNBOUND;
    if (to->phase >= STARTS)
        p->state = LZ_POD_STARTING;
    if (to->restarts > 0)
        lz_life_of(s->w, id)->restarts = (uint32_t)to->restarts;
    if (to->stands_with > 0)
        lz_instance_get(s->w, id)->host =
            lz_instance_get(s->w, s->s->first + (uint32_t)to->stands_with - 1)->host;
}

// "x" for who goes, "." for who stays.
static void play(const struct pod *pods, uint32_t count, uint64_t run_key, char went[PODS + 1])
{
    struct stage s = make(run_key);
    for (uint32_t i = 0; i < PODS; i++)
        set(&s, i, &pods[i]);
    lz_pod_order_take(s.w, s.s, 0, count);
    for (uint32_t i = 0; i < PODS; i++)
        went[i] = lz_pods_is_active(lz_pods_at(s.s, i)) ? '.' : 'x';
    went[PODS] = '\0';
    lz_arena_destroy(s.arena);
}

static void those_go_of_whom_least_is_lost(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct pod pods[PODS];
        uint32_t count;
        const char *go;
    } rows[] = {
        {"nothing tells them apart: the highest places", {{0}, {0}, {0}, {0}}, 2, "..xx"},
        {"who has no node",
         {{.phase = UNBOUND}, {.phase = STARTS}, {.phase = UNREADY}, {0}},
         1,
         "x..."},
        {"then who starts",
         {{.phase = UNBOUND}, {.phase = STARTS}, {.phase = UNREADY}, {0}},
         2,
         "xx.."},
        {"then who is not ready",
         {{.phase = UNBOUND}, {.phase = STARTS}, {.phase = UNREADY}, {0}},
         3,
         "xxx."},
        {"who is not ready, of whatever age",
         {{.phase = UNREADY, .since = 1}, {.since = 999}, {0}, {0}},
         1,
         "x..."},
        {"who stands with another, before who is newer",
         {{.stands_with = 2}, {.since = 0}, {.since = 999}, {0}},
         1,
         ".x.."},
        {"that is counted once", {{.stands_with = 2}, {0}, {0}, {0}}, 2, "xx.."},
        {"but not before who is not ready",
         {{.stands_with = 2}, {0}, {.phase = UNREADY}, {0}},
         1,
         "..x."},
        {"a crowd of three before one of two",
         {{.stands_with = 2}, {0}, {.stands_with = 2}, {0}},
         3,
         "xxx."},
        {"who is ready for less long: 500 s, not 1000 s",
         {{0}, {.since = 500}, {0}, {0}},
         1,
         ".x.."},
        {"and 250 s before 500 s", {{0}, {.since = 500}, {.since = 750}, {0}}, 1, "..x."},
        {"restarts count among those of one second",
         {{.since = 7, .restarts = 3}, {.since = 7, .restarts = 1}, {.since = 7}, {.since = 7}},
         2,
         "xx.."},
        {"not before age", {{.since = 0, .restarts = 9}, {.since = 900}, {0}, {0}}, 1, ".x.."},
        {"of those not ready, restarts",
         {{.phase = UNREADY, .since = 0, .restarts = 1},
          {.phase = UNREADY, .since = 900},
          {.phase = UNREADY},
          {.phase = UNREADY}},
         1,
         "x..."},
        {"then who was made later",
         {{.phase = UNREADY, .since = 0},
          {.phase = UNREADY, .since = 900},
          {.phase = UNREADY, .since = 500},
          {.phase = UNREADY, .since = 0}},
         2,
         ".xx."},
        {"none", {{0}, {0}, {0}, {0}}, 0, "...."},
        {"all", {{0}, {.phase = UNREADY}, {.phase = STARTS}, {0}}, 4, "xxxx"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char went[PODS + 1];
        play(rows[i].pods, rows[i].count, 1, went);
        if (strcmp(went, rows[i].go) != 0)
            fail_msg("%s: %s go, not %s", rows[i].what, went, rows[i].go);
    }
}

// 1000 s and 600 s are one power of two: by its UID either goes. Who came in one second stays
// together.
static void within_a_power_of_two_it_is_drawn(void **state)
{
    (void)state;
    static const struct pod pods[PODS] = {
        {.since = 0}, {.since = 400}, {.since = 0}, {.since = 400}};
    uint32_t older = 0, newer = 0;
    for (uint64_t key = 1; key <= 64; key++) {
        char went[PODS + 1], again[PODS + 1];
        play(pods, 2, key, went);
        play(pods, 2, key, again);
        assert_string_equal(went, again);
        older += strcmp(went, "x.x.") == 0;
        newer += strcmp(went, ".x.x") == 0;
    }
    assert_int_equal(older + newer, 64);
    assert_in_range(older, 16, 48); // six standard deviations of 4 would be 8 to 56
}

static void ages_are_powers_of_two(void **state)
{
    (void)state;
    static const struct {
        lz_time age;
        int power;
    } rows[] = {{-1, -1},
                {0, -1},
                {1, 0},
                {2, 1},
                {3, 1},
                {4, 2},
                {((lz_time)1 << 39) - 1, 38},
                {(lz_time)1 << 39, 39},
                {INT64_MAX, 62}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(lz_pod_order_log2(rows[i].age), rows[i].power);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_go_of_whom_least_is_lost),
        cmocka_unit_test(within_a_power_of_two_it_is_drawn),
        cmocka_unit_test(ages_are_powers_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
