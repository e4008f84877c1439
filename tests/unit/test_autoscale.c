/*
 * The autoscaler must want what Kubernetes' would.
 *
 * Method: rows of the table in kubernetes pkg/controller/podautoscaler/replica_calculator_test.go
 * (commit 0006726, Apache-2.0, restated), those about CPU utilization with equal requests. What a
 * pod uses is a share of what it requests; pods that are not ready or just started are `starting`,
 * pods without a metric `missing`, pods being deleted are not counted.
 */
#include "model/service/autoscale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct row {
    const char *name; // in that file
    struct lz_autoscale_view view;
    uint32_t desired;
};

static const struct row rows[] = {
    {"ScaleUp", {3, 0, 0, 0.3 + 0.5 + 0.7, 0.30}, 5},
    {"ScaleUpUnreadyLessScale", {2, 1, 0, 0.5 + 0.7, 0.30}, 4},
    {"ScaleUpUnreadyNoScale", {1, 2, 0, 0.4, 0.30}, 3},
    {"ScaleUpIgnoresDeletionPods", {2, 0, 0, 0.5 + 0.7, 0.30}, 4},
    {"ScaleDownExcludeUnscheduledPods", {1, 4, 0, 0.1, 0.50}, 1},
    {"ScaleDownIgnoreHotCpuPods", {3, 2, 0, 0.1 + 0.3 + 0.5, 0.50}, 2},
    {"ScaleDownIgnoresDeletionPods", {5, 0, 0, 0.1 + 0.3 + 0.5 + 0.25 + 0.25, 0.50}, 3},
    {"Tolerance", {3, 0, 0, 3.06, 1.00}, 3},
    {"MissingMetricsNoChangeEq", {1, 0, 1, 1.0, 1.00}, 2},
    {"MissingMetricsNoChangeGt", {1, 0, 1, 1.9, 1.00}, 2},
    {"MissingMetricsUnreadyChange", {1, 1, 1, 0.45, 0.50}, 3},
    {"MissingMetricsHotCpuScaleUp", {1, 1, 1, 2.0, 0.50}, 4},
    {"MissingMetricsUnreadyScaleDown", {2, 1, 1, 0.1 + 0.1, 0.50}, 3},
    {"ComputedToleranceAlgImplementation/scale", {10, 0, 0, 5.0, 0.56}, 9},
    {"ComputedToleranceAlgImplementation/noscale", {10, 0, 0, 5.0, 0.55}, 10},
    // kubernetes.io, "Horizontal Pod Autoscaling", algorithm details: 200m against 100m doubles,
    // 50m halves; within a tenth of 1 nothing is done.
    {"200m of 100m", {4, 0, 0, 4 * 2.0, 1.00}, 8},
    {"50m of 100m", {4, 0, 0, 4 * 0.5, 1.00}, 2},
    {"ratio 1.09", {10, 0, 0, 10.9, 1.00}, 10},
    {"ratio 1.11", {10, 0, 0, 11.1, 1.00}, 12},
    {"ratio 0.91", {10, 0, 0, 9.1, 1.00}, 10},
    {"ratio 0.89", {10, 0, 0, 8.9, 1.00}, 9},
    {"nothing is measured", {0, 3, 1, 0.0, 0.50}, 4},
};

static void it_wants_what_kubernetes_would(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t desired = lz_autoscale_desired(&rows[i].view);
        if (desired != rows[i].desired)
            fail_msg("%s: wants %u, not %u", rows[i].name, desired, rows[i].desired);
    }
}

static void bounds_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_autoscale_opts opts;
        uint32_t replicas;
        const char *message; // NULL: accepted
    } cases[] = {
        {{.max = 5, .target_cpu = 0.5}, 0, NULL},
        {{.min = 5, .max = 5, .target_cpu = 1.0}, 5, NULL},
        {{.min = 6, .max = 5, .target_cpu = 0.5}, 0, "autoscale: min (6) is above max (5)"},
        {{.max = 200000, .target_cpu = 0.5},
         0,
         "autoscale: max must be at most 100000, got 200000"},
        {{.max = 5, .target_cpu = 0.0},
         0,
         "autoscale: target_cpu must be between 1% and 100%, got 0%"},
        {{.min = 2, .max = 5, .target_cpu = 0.5},
         1,
         "autoscale: it begins with 1 replicas, and may have 2 to 5"},
        {{.min = 2, .max = 5, .target_cpu = 0.5},
         6,
         "autoscale: it begins with 6 replicas, and may have 2 to 5"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct lz_autoscale_opts opts = cases[i].opts;
        struct lz_err err = {0};
        bool ok = lz_autoscale_check(&opts, cases[i].replicas, &err);
        assert_int_equal(ok, cases[i].message == NULL);
        if (!ok)
            assert_string_equal(err.msg, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_wants_what_kubernetes_would),
        cmocka_unit_test(bounds_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
