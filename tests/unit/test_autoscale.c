/*
 * The autoscaler must want what Kubernetes' would.
 *
 * Method: rows of the table in kubernetes pkg/controller/podautoscaler/replica_calculator_test.go
 * (commit 0006726, Apache-2.0, restated), those about CPU utilization with equal requests and those
 * of pods metrics. What a pod uses is a share of what it requests; pods that are not ready or just
 * started are `starting` (a pods metric counts them once they run), pods without a metric
 * `missing`, pods being deleted are not counted.
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

#define OF_CPU(r, s, m, sum, to)                                                                   \
    .ready = (r), .starting = (s), .missing = (m), .used = (sum), .target = (to)
#define OF_PODS(sum, to) .used = (sum), .target = (to), .is_pods = true

static const struct row rows[] = {
    {"ScaleUp", {OF_CPU(3, 0, 0, 0.3 + 0.5 + 0.7, 0.30)}, 5},
    {"ScaleUpUnreadyLessScale", {OF_CPU(2, 1, 0, 0.5 + 0.7, 0.30)}, 4},
    {"ScaleUpUnreadyNoScale", {OF_CPU(1, 2, 0, 0.4, 0.30)}, 3},
    {"ScaleUpIgnoresDeletionPods", {OF_CPU(2, 0, 0, 0.5 + 0.7, 0.30)}, 4},
    {"ScaleDownExcludeUnscheduledPods", {OF_CPU(1, 4, 0, 0.1, 0.50)}, 1},
    {"ScaleDownIgnoreHotCpuPods", {OF_CPU(3, 2, 0, 0.1 + 0.3 + 0.5, 0.50)}, 2},
    {"ScaleDownIgnoresDeletionPods", {OF_CPU(5, 0, 0, 0.1 + 0.3 + 0.5 + 0.25 + 0.25, 0.50)}, 3},
    {"Tolerance", {OF_CPU(3, 0, 0, 3.06, 1.00)}, 3},
    {"MissingMetricsNoChangeEq", {OF_CPU(1, 0, 1, 1.0, 1.00)}, 2},
    {"MissingMetricsNoChangeGt", {OF_CPU(1, 0, 1, 1.9, 1.00)}, 2},
    {"MissingMetricsUnreadyChange", {OF_CPU(1, 1, 1, 0.45, 0.50)}, 3},
    {"MissingMetricsHotCpuScaleUp", {OF_CPU(1, 1, 1, 2.0, 0.50)}, 4},
    {"MissingMetricsUnreadyScaleDown", {OF_CPU(2, 1, 1, 0.1 + 0.1, 0.50)}, 3},
    {"ComputedToleranceAlgImplementation/scale", {OF_CPU(10, 0, 0, 5.0, 0.56)}, 9},
    {"ComputedToleranceAlgImplementation/noscale", {OF_CPU(10, 0, 0, 5.0, 0.55)}, 10},
    // kubernetes.io, "Horizontal Pod Autoscaling", algorithm details: 200m against 100m doubles,
    // 50m halves; within a tenth of 1 nothing is done.
    {"200m of 100m", {OF_CPU(4, 0, 0, 4 * 2.0, 1.00)}, 8},
    {"50m of 100m", {OF_CPU(4, 0, 0, 4 * 0.5, 1.00)}, 2},
    {"ratio 1.09", {OF_CPU(10, 0, 0, 10.9, 1.00)}, 10},
    {"ratio 1.11", {OF_CPU(10, 0, 0, 11.1, 1.00)}, 12},
    {"ratio 0.91", {OF_CPU(10, 0, 0, 9.1, 1.00)}, 10},
    {"ratio 0.89", {OF_CPU(10, 0, 0, 8.9, 1.00)}, 9},
    {"nothing is measured", {OF_CPU(0, 3, 1, 0.0, 0.50)}, 4},
    {"ScaleUpCM", {.ready = 3, OF_PODS(20 + 10 + 30, 15)}, 4},
    {"ScaleUpCMUnreadyHotCpuScaleWouldScaleDown", {.ready = 3, OF_PODS(50 + 15 + 30, 15)}, 7},
    {"ScaleUpCMExternal", {.ready = 1, OF_PODS(8.6, 4.4)}, 2},
    {"ScaleUpPerPodCMExternal", {.ready = 3, OF_PODS(8.6, 2.15)}, 4},
    {"ScaleDownCM", {.ready = 5, OF_PODS(5 * 12, 20)}, 3},
    {"ScaleDownPerPodCMObject", {.ready = 5, OF_PODS(6, 2)}, 3},
    {"ScaleDownPerPodCMExternal", {.ready = 5, OF_PODS(8.6, 2.867)}, 3},
    {"TolerancePerPodCMObject", {.ready = 4, OF_PODS(20.166, 5)}, 4},
    {"TolerancePerPodCMExternal", {.ready = 3, OF_PODS(8.6, 2.9)}, 3},
    {"no more than can be counted", {.ready = 1, OF_PODS(1e9, 0.001)}, UINT32_MAX},
    // As there a missing one has nothing while the others are at the target: 2/3 of 10 a replica.
    {"one is missing of three", {.ready = 2, .missing = 1, OF_PODS(20, 10)}, 2},
    // A missing one is at the target when it would go down: (5 + 10) / 2 is 0.75 of 10.
    {"one is missing", {.ready = 1, .missing = 1, OF_PODS(5, 10)}, 2},
};

static void it_wants_what_kubernetes_would(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_autoscale_view view = rows[i].view;
        view.up = view.down = LZ_SCALING_TOLERANCE;
        uint32_t desired = lz_autoscale_desired(&view);
        if (desired != rows[i].desired)
            fail_msg("%s: wants %u, not %u", rows[i].name, desired, rows[i].desired);
    }
}

static void a_tolerance_can_be_another_in_each_direction(void **state)
{
    (void)state;
    struct lz_autoscale_view view = {.ready = 10, OF_PODS(10 * 10.5, 10), .up = 0.0, .down = 0.5};
    assert_int_equal(lz_autoscale_desired(&view), 11);
    view.used = 10 * 6.0;
    assert_int_equal(lz_autoscale_desired(&view), 10);
    view.used = 10 * 4.0;
    assert_int_equal(lz_autoscale_desired(&view), 4);
}

#define SIMPLE .is_simple = true

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
        {{.max = 5, .target_rate = 100}, 0, NULL},
        {{.max = 5},
         0,
         "autoscale: it needs something to aim at: target_cpu, target_rate or target_in_flight"},
        {{.max = 5, .target_cpu = 2.0},
         0,
         "autoscale: target_cpu must be between 1% and 100%, got 200%"},
        {{.max = 5, .target_rate = 1e10},
         0,
         "autoscale: target_rate must be between 0.001 and 1e9 a replica, got 1e+10"},
        {{.max = 5, .target_cpu = 0.5, .up = {.window = 2 * LZ_SCALING_WINDOW_MAX}},
         0,
         "autoscale: stabilization_window of scale_up must be between 0s and 1h, got 7200s"},
        {{.max = 5, .target_cpu = 0.5, .down = {.count = 1, .policies = {{.value = 1}}}},
         0,
         "autoscale: the period of policy 1 of scale_down must be above 0s and at most 30m, got "
         "0s"},
        {{.max = 5, .target_cpu = 0.5, .down = {.count = 1, .policies = {{.period = LZ_S}}}},
         0,
         "autoscale: policy 1 of scale_down must allow more than nothing and at most 1e9, got 0 "
         "pods"},
        {{.max = 5, .target_cpu = 0.5, .period = LZ_MS, .down = {.window = 300 * LZ_S}},
         0,
         "autoscale: scale_down looks back over 300000 looks, 100000 at most: look less often "
         "(period) or back less far"},
        {{.max = 5, .target_cpu = 0.5, .period = LZ_MS, SIMPLE}, 0, NULL},
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
        cmocka_unit_test(a_tolerance_can_be_another_in_each_direction),
        cmocka_unit_test(bounds_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
