/*
 * Replicas must follow as fast as Kubernetes' behavior lets them, and no faster.
 *
 * Method: the tables of kubernetes pkg/controller/podautoscaler/horizontal_test.go (commit
 * 003e862, Apache-2.0, restated): TestConvertDesiredReplicasWithRules and
 * TestScalingWithRules; TestNormalizeDesiredReplicas with windows; TestGetReplicasChangePerPeriod.
 * What was added and taken is a list of { how many, how many seconds ago }.
 */
#include "model/service/scaling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define NOW (100000 * LZ_S)

struct mark {
    uint32_t value, ago_s;
};

// One direction as the table has it: 0 pods, 0 percent: nothing is said.
struct rules {
    uint32_t pods, pods_period_s, percent, percent_period_s;
    enum lz_scaling_select select;
};

struct row {
    const char *name;
    uint32_t current, desired, min, max, expected;
    struct rules up, down;
    struct mark added[4], taken[4];
};

static const struct row rows[] = {
    {"within range", 5, 7, 3, 8, 7, {0}, {0}, {{0}}, {{0}}},
    {"desired below min", 3, 1, 2, 8, 2, {0}, {0}, {{0}}, {{0}}},
    {"max below the limit", 20, 1000, 1, 10, 10, {0}, {0}, {{0}}, {{0}}},
    {"desired above max", 100, 1000, 100, 150, 150, {0}, {0}, {{0}}, {{0}}},
    {"down by 20 pods", 1000, 3, 3, 2000, 980, {0}, {20, 60, 0, 0, 0}, {{0}}, {{0}}},
    {"up by default", 10, 50, 1, 1000, 20, {0}, {0}, {{0}}, {{0}}},
    {"percent above pods", 10, 500, 1, 1000, 20, {2, 60, 100, 60, 0}, {0}, {{0}}, {{0}}},
    {"many pods", 10, 50, 1, 1000, 50, {100, 60, 0, 0, 0}, {0}, {{0}}, {{0}}},
    {"30 pods", 10, 50, 1, 1000, 40, {30, 60, 0, 0, 0}, {0}, {{0}}, {{0}}},
    {"200 percent", 10, 50, 1, 1000, 30, {0, 0, 200, 60, 0}, {0}, {{0}}, {{0}}},
    {"2 pods or 1 percent down", 100, 2, 1, 1000, 98, {0}, {2, 60, 1, 60, 0}, {{0}}, {{0}}},
    {"more pods than there are", 10, 0, 1, 1000, 1, {0}, {100, 60, 0, 0, 0}, {{0}}, {{0}}},
    {"5 pods down", 10, 2, 1, 1000, 5, {0}, {5, 60, 0, 0, 0}, {{0}}, {{0}}},
    {"half down", 10, 5, 1, 1000, 5, {0}, {0, 0, 50, 60, 0}, {{0}}, {{0}}},
    {"10000 percent after some",
     100,
     500,
     1,
     200,
     200,
     {0, 0, 10000, 60, 0},
     {0},
     {{1, 100}, {5, 60}, {9, 20}},
     {{0}}},
    {"blocked by what was added",
     100,
     500,
     1,
     1000,
     100,
     {5, 120, 0, 0, 0},
     {0},
     {{1, 100}, {5, 60}, {9, 20}},
     {{0}}},
    {"200 percent after some",
     100,
     500,
     1,
     1000,
     255,
     {0, 0, 200, 120, 0},
     {0},
     {{1, 100}, {5, 60}, {9, 20}},
     {{0}}},
    {"both directions count", 6, 24, 1, 1000, 16, {0, 0, 300, 300, 0}, {0}, {{4, 60}}, {{2, 60}}},
    {"115 pods down",
     100,
     0,
     1,
     1000,
     1,
     {0},
     {115, 120, 0, 0, 0},
     {{0}},
     {{1, 100}, {5, 60}, {9, 20}}},
    {"130 pods down, at least 5",
     100,
     0,
     5,
     1000,
     5,
     {0},
     {130, 120, 0, 0, 0},
     {{0}},
     {{1, 100}, {5, 60}, {9, 20}}},
    {"blocked by what was taken",
     100,
     2,
     1,
     1000,
     100,
     {0},
     {5, 120, 0, 0, 0},
     {{0}},
     {{1, 100}, {5, 60}, {9, 20}}},
    {"half of what there was",
     100,
     0,
     1,
     1000,
     56,
     {0},
     {0, 0, 50, 120, 0},
     {{0}},
     {{2, 100}, {4, 60}, {6, 20}}},
    {"10 percent, all taken",
     100,
     0,
     1,
     1000,
     100,
     {0},
     {0, 0, 10, 120, 0},
     {{0}},
     {{10, 100}, {10, 60}, {10, 20}}},
    {"more than all",
     10,
     5,
     1,
     1000,
     5,
     {0},
     {0, 0, 1000, 120, 0},
     {{0}},
     {{10, 100}, {10, 60}, {10, 20}}},
    {"long and short periods up",
     100,
     200,
     1,
     1000,
     200,
     {1000, 120, 100, 60, 0},
     {0},
     {{8, 105}, {12, 75}, {9, 45}, {11, 15}},
     {{0}}},
    {"short and long periods up",
     100,
     200,
     1,
     1000,
     200,
     {1000, 30, 100, 60, 0},
     {0},
     {{8, 105}, {12, 75}, {9, 45}, {11, 15}},
     {{0}}},
    {"long and short periods down",
     100,
     5,
     1,
     1000,
     5,
     {0},
     {1000, 120, 100, 60, 0},
     {{0}},
     {{8, 105}, {12, 75}, {9, 45}, {11, 15}}},
    {"short and long periods down",
     100,
     5,
     1,
     1000,
     5,
     {0},
     {1000, 30, 100, 60, 0},
     {{0}},
     {{8, 105}, {12, 75}, {9, 45}, {11, 15}}},
    // TestCalculateScaleUpLimitWithScalingRules and ...ScaleDownLimitWithBehaviors: the least.
    {"the least of two up", 1, 100, 1, 1000, 2, {2, 60, 50, 60, LZ_SCALING_MIN}, {0}, {{0}}, {{0}}},
    {"the least of two down", 5, 1, 1, 1000, 3, {0}, {2, 60, 50, 60, LZ_SCALING_MIN}, {{0}}, {{0}}},
    // select_policy = "disabled" (kubernetes.io, "Example: disable scale down").
    {"never up", 5, 9, 1, 1000, 5, {2, 60, 0, 0, LZ_SCALING_DISABLED}, {0}, {{0}}, {{0}}},
    {"never down", 5, 2, 1, 1000, 5, {0}, {2, 60, 0, 0, LZ_SCALING_DISABLED}, {{0}}, {{0}}},
};

static struct lz_scaling_rules rules_of(const struct rules *r, bool is_up)
{
    struct lz_scaling_rules out = lz_scaling_default(is_up);
    if (r->pods == 0 && r->percent == 0)
        return out;
    out.count = 0;
    out.select = r->select;
    if (r->pods > 0)
        out.policies[out.count++] = (struct lz_scaling_policy){
            .value = r->pods, .period = (lz_time)r->pods_period_s * LZ_S};
    if (r->percent > 0)
        out.policies[out.count++] = (struct lz_scaling_policy){
            .is_percent = true, .value = r->percent, .period = (lz_time)r->percent_period_s * LZ_S};
    return out;
}

static void note_all(struct lz_scaling_past *past, const struct mark *marks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (marks[i].value > 0)
            lz_scaling_note(past, NOW - (lz_time)marks[i].ago_s * LZ_S, marks[i].value);
}

static void policies_allow_what_kubernetes_does(void **state)
{
    struct lz_arena *arena = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct lz_scaling s = {.up = rules_of(&r->up, true), .down = rules_of(&r->down, false)};
        lz_scaling_create(&s, arena, 15 * LZ_S);
        note_all(&s.added, r->added, COUNT(r->added));
        note_all(&s.taken, r->taken, COUNT(r->taken));
        uint32_t to = lz_scaling_limit(&s, NOW, r->current, r->desired,
                                       (struct lz_scaling_bounds){r->min, r->max});
        if (to != r->expected)
            fail_msg("%s: %u to %u becomes %u, not %u", r->name, r->current, r->desired, to,
                     r->expected);
    }
}

static const struct {
    const char *name;
    uint32_t current, desired, up_s, down_s, expected;
    struct mark wanted[4];
} windows[] = {
    {"nothing so far", 100, 5, 0, 0, 5, {{0}}},
    {"down to the most", 100, 3, 0, 180, 5, {{4, 120}, {5, 60}}},
    {"down without a window", 100, 3, 300, 0, 3, {{1, 120}, {2, 60}}},
    {"up without a window", 1, 3, 0, 300, 3, {{4, 120}, {5, 60}}},
    {"up, old ones ignored", 1, 100, 0, 0, 100, {{10, 600}, {9, 540}}},
    {"down, old ones ignored", 100, 3, 0, 180, 5, {{10, 600}, {4, 60}, {5, 120}, {9, 540}}},
    {"not up when it goes down", 2, 1, 300, 300, 2, {{2, 6000}, {3, 180}}},
    {"not down when it goes up", 2, 3, 300, 300, 2, {{2, 6000}, {1, 180}}},
};

static void windows_stabilize_as_kubernetes_does(void **state)
{
    struct lz_arena *arena = *state;
    for (size_t i = 0; i < COUNT(windows); i++) {
        struct lz_scaling s = {.up = lz_scaling_default(true), .down = lz_scaling_default(false)};
        s.up.window = (lz_time)windows[i].up_s * LZ_S;
        s.down.window = (lz_time)windows[i].down_s * LZ_S;
        lz_scaling_create(&s, arena, 15 * LZ_S);
        note_all(&s.wanted, windows[i].wanted, COUNT(windows[i].wanted));
        uint32_t to = lz_scaling_stabilize(&s, NOW, windows[i].current, windows[i].desired);
        if (to != windows[i].expected)
            fail_msg("%s: becomes %u, not %u", windows[i].name, to, windows[i].expected);
    }
}

// TestGetReplicasChangePerPeriod, over 60 s.
static void what_is_older_than_the_period_does_not_count(void **state)
{
    static const struct {
        struct mark added[4];
        uint32_t most; // by a policy of one pod, from 100
    } cases[] = {
        {{{7, 61}}, 101},
        {{{7, 60}}, 101},
        {{{7, 58}}, 100},
        {{{7, 61}, {6, 59}}, 100},
    };
    struct lz_arena *arena = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_scaling s = {.up = rules_of(&(struct rules){1, 60, 0, 0, 0}, true),
                               .down = lz_scaling_default(false)};
        lz_scaling_create(&s, arena, 15 * LZ_S);
        note_all(&s.added, cases[i].added, COUNT(cases[i].added));
        assert_int_equal(lz_scaling_limit(&s, NOW, 100, 200, (struct lz_scaling_bounds){1, 1000}),
                         cases[i].most);
    }
}

static void a_ring_keeps_all_that_its_window_can_hold(void **state)
{
    struct lz_arena *arena = *state;
    struct lz_scaling s = {.up = lz_scaling_default(true), .down = lz_scaling_default(false)};
    lz_scaling_create(&s, arena, 15 * LZ_S);
    lz_time at = 0;
    for (uint32_t i = 0; i < 1000; i++, at += 15 * LZ_S) {
        lz_scaling_note(&s.wanted, at, i == 900 ? 50 : 10);
        uint32_t to = lz_scaling_stabilize(&s, at, 50, 10);
        bool is_within = i >= 900 && i < 900 + 20; // 300 s are twenty looks
        assert_int_equal(to, is_within ? 50 : 10);
    }
}

static int make_arena(void **state)
{
    struct lz_err err = {0};
    struct lz_arena *arena = NULL;
    bool ok = lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 1 << 24}, &arena, &err);
    *state = arena;
    return ok ? 0 : -1;
}

static int drop_arena(void **state)
{
    lz_arena_destroy(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_allow_what_kubernetes_does),
        cmocka_unit_test(windows_stabilize_as_kubernetes_does),
        cmocka_unit_test(what_is_older_than_the_period_does_not_count),
        cmocka_unit_test(a_ring_keeps_all_that_its_window_can_hold),
    };
    return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
