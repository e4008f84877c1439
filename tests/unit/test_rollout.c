/*
 * Rolling updates and disruption budgets must count as Kubernetes does.
 *
 * Method: rows of kubernetes' own tables, restated (Apache-2.0): pkg/controller/deployment/util,
 * TestResolveFenceposts and TestMaxUnavailable; pkg/controller/disruption,
 * TestIntegerMaxUnavailable and the percentages of disruption_test.go; kubernetes.io,
 * "Deployments", proportional scaling; kubernetes.io, "Specifying a Disruption Budget", rounding.
 * What happens in a run is in golden/cases/rollout.lua and golden/cases/disruption_budget.lua.
 */
#include "model/service/rollout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/service/disruption.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PERCENT(p)                                                                                 \
    {                                                                                              \
        .is_percent = true, .value = (p)                                                           \
    }
#define PODS(n)                                                                                    \
    {                                                                                              \
        .value = (n)                                                                               \
    }

static void fenceposts_are_those_of_kubernetes(void **state)
{
    (void)state;
    static const struct {
        struct lz_amount surge, unavailable;
        uint32_t desired;
        struct lz_fenceposts expect;
    } rows[] = {
        // TestResolveFenceposts.
        {PERCENT(0), PERCENT(0), 0, {0, 1}},
        {PERCENT(39), PERCENT(39), 10, {4, 3}},
        {PERCENT(25), PERCENT(25), 10, {3, 2}},
        {PERCENT(25), PERCENT(25), 3, {1, 0}},
        {PERCENT(25), PERCENT(25), 4, {1, 1}},
        {PERCENT(30), PERCENT(30), 10, {3, 3}},
        {PERCENT(25), PERCENT(25), 8, {2, 2}},
        {PODS(1), PODS(0), 3, {1, 0}},
        {PODS(0), PODS(1), 3, {0, 1}},
        // Both 0 only after rounding: something must be able to move.
        {PERCENT(0), PERCENT(10), 5, {0, 1}},
        // TestMaxUnavailable: "with percents" and more than there are.
        {PERCENT(10), PERCENT(10), 10, {1, 1}},
        {PERCENT(1), PERCENT(1), 100, {1, 1}},
        {PERCENT(200), PERCENT(100), 7, {14, 7}},
        {PODS(10), PODS(10), 1, {10, 10}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_rollout_opts o = {
            .is_on = true, .max_surge = rows[i].surge, .max_unavailable = rows[i].unavailable};
        struct lz_fenceposts f = lz_rollout_fenceposts(&o, rows[i].desired);
        if (f.surge != rows[i].expect.surge || f.unavailable != rows[i].expect.unavailable)
            fail_msg("row %zu of %u: [%u, %u], not [%u, %u]", i, rows[i].desired, f.surge,
                     f.unavailable, rows[i].expect.surge, rows[i].expect.unavailable);
    }
}

static void sets_share_what_a_scaling_adds(void **state)
{
    (void)state;
    static const struct {
        uint32_t size, was, limit;
        int64_t left, expect;
    } rows[] = {
        // "Deployments": 10 to 15 with a surge of 3 while 8 are old and 5 new: 3 more and 2 more.
        {8, 13, 18, 5, 3},
        {5, 13, 18, 2, 2},
        // Down again, and never more than is left.
        {11, 18, 13, -5, -3},
        {7, 18, 13, -2, -2},
        {8, 13, 18, 1, 1},
        {8, 13, 13, 0, 0},
        {11, 18, 13, -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t by = lz_rollout_share(rows[i].size, rows[i].was, rows[i].limit, rows[i].left);
        if (by != rows[i].expect)
            fail_msg("row %zu: %lld, not %lld", i, (long long)by, (long long)rows[i].expect);
    }
}

static void budgets_allow_what_those_of_kubernetes_do(void **state)
{
    (void)state;
    static const struct {
        bool is_min;
        struct lz_amount amount;
        uint32_t expected, healthy, least, allowed;
    } rows[] = {
        // "Specifying a Disruption Budget": half of seven pods is 4; a zookeeper of 3 with 2.
        {true, PERCENT(50), 7, 7, 4, 3},
        {false, PERCENT(30), 7, 7, 4, 3},
        {true, PODS(2), 3, 3, 2, 1},
        {true, PODS(2), 3, 2, 2, 0},
        {true, PODS(2), 3, 1, 2, 0},
        // TestPercentageMaxUnavailable: none until 7 of 10 are ready, then as many as are more.
        {false, PERCENT(30), 10, 7, 7, 0},
        {false, PERCENT(30), 10, 8, 7, 1},
        {false, PODS(1), 3, 3, 2, 1},
        {false, PODS(5), 3, 3, 0, 3},
        {false, PODS(0), 3, 3, 3, 0},
        {true, PERCENT(100), 3, 3, 3, 0},
        {true, PODS(5), 3, 3, 5, 0},
        {true, PODS(0), 0, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_disruption_opts o = {
            .is_on = true, .is_min = rows[i].is_min, .amount = rows[i].amount};
        struct lz_disruption d = lz_disruption_of(&o, rows[i].expected, rows[i].healthy);
        if (d.least != rows[i].least || d.allowed != rows[i].allowed)
            fail_msg("row %zu: %u must be there and %u may go, not %u and %u", i, d.least,
                     d.allowed, rows[i].least, rows[i].allowed);
    }
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_rollout_opts opts;
        const char *message; // NULL: accepted
    } rows[] = {
        {{.max_surge = PODS(1)}, NULL},
        {{.is_recreate = true}, NULL},
        {{.max_surge = PERCENT(0), .max_unavailable = PERCENT(0)},
         "rollout: max_surge and max_unavailable are both 0, and no replica could be replaced: "
         "give one of them at least 1"},
        {{.max_unavailable = PERCENT(101)},
         "rollout: max_unavailable must be between 0% and 100%, got 101%"},
        {{.max_surge = PERCENT(1001)},
         "rollout: max_surge must be between 0% and 1000%, got 1001%"},
        {{.max_surge = PODS(200000)}, "rollout: max_surge must be at most 100000, got 200000"},
        {{.max_surge = PODS(1), .min_ready = 60 * LZ_S, .deadline = 60 * LZ_S},
         "rollout: min_ready must be from 0s to below progress_deadline, 60s, got 60s"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_rollout_opts o = rows[i].opts;
        struct lz_err err = {0};
        o.is_on = true;
        bool ok = lz_rollout_check(&o, &err);
        if (ok != (rows[i].message == NULL) || (!ok && strcmp(err.msg, rows[i].message) != 0))
            fail_msg("row %zu: %s, not %s", i, ok ? "accepted" : err.msg, rows[i].message);
    }
    struct lz_disruption_opts d = {.is_on = true, .amount = PERCENT(120)};
    struct lz_err err = {0};
    assert_false(lz_disruption_check(&d, &err));
    assert_string_equal(err.msg,
                        "disruption_budget: max_unavailable must be between 0% and 100%, got 120%");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fenceposts_are_those_of_kubernetes),
        cmocka_unit_test(sets_share_what_a_scaling_adds),
        cmocka_unit_test(budgets_allow_what_those_of_kubernetes_do),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
