/*
 * A service must refuse options that make no sense, and say which, what they are and what is
 * allowed.
 *
 * Method: each row changes a service's options from those of one that is accepted.
 */
#include "model/service/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

static void options_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_service_opts opts;
        const char *message; // NULL: accepted
    } rows[] = {
        {{.replicas = 3}, NULL},
        {{.queue = {.policy = LZ_QUEUE_CODEL, .codel = {.target = LZ_MS, .interval = LZ_S}}}, NULL},
        {{.shed = {.in_flight = 1, .cpu = 1.0, .queue_age = 1}}, NULL},
        {{.rate_limit = {.rate = 0.5}}, NULL},
        {{.replicas = 100001}, "replicas must be at most 100000, got 100001"},
        {{.cpu = -1}, "cpu must be positive, got -1"},
        {{.error_ratio = 1.5}, "error_ratio must be between 0 and 1, got 1.5"},
        {{.queue = {.codel = {.target = LZ_MS}}},
         "queue: target and interval are codel's and adaptive_lifo's"},
        {{.queue = {.policy = LZ_QUEUE_CODEL, .codel = {.target = LZ_S}}},
         "queue: target (1000 ms) must be shorter than interval (100 ms)"},
        {{.queue = {.policy = LZ_QUEUE_CODEL, .codel = {.target = -LZ_S}}},
         "queue: target and interval must be positive"},
        {{.queue = {.policy = LZ_QUEUE_ADAPTIVE_LIFO,
                    .timeout = {.kind = LZ_DIST_CONSTANT, .a = 1e9}}},
         "queue: adaptive_lifo has timeouts of its own, target and interval"},
        {{.queue = {.timeout = {.kind = LZ_DIST_CONSTANT}}}, "queue: timeout must be above 0s"},
        {{.queue = {.preemptive = true}}, NULL},
        {{.queue = {.preemptive = true, .policy = LZ_QUEUE_LIFO}},
         "queue: preemptive goes with policy fifo: who loses its worker is the next of its class, "
         "whatever came after it"},
        {{.shed = {.cpu = 1.01}}, "shed: cpu must be between 0% and 100%, got 101%"},
        {{.shed = {.queue_age = -1}}, "shed: queue_age must be positive"},
        {{.rate_limit = {.rate = 1e10}},
         "rate_limit: rate must be between 0/s and 1e9/s, got 1e+10/s"},
        {{.rate_limit = {.rate = 5, .burst = 0.5}},
         "rate_limit: burst must be between 1 and 1e9, got 0.5"},
        {{.adaptive_limit = {.initial = 30, .max = 20}},
         "adaptive_limit: initial (30) is above max (20)"},
        {{.autoscale = {.min = 3, .max = 2, .target_cpu = 0.5}},
         "autoscale: min (3) is above max (2)"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_arena *arena;
        struct lz_err err = {0};
        assert_true(
            lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 64 * MIB}, &arena, &err));
        struct lz_world *w =
            lz_world_create(&(struct lz_world_opts){.arena = arena, .seed = 1, .end = LZ_S});
        struct lz_service_opts opts = rows[i].opts;
        opts.name = "web";
        lz_component_id id = 0;
        bool ok = lz_service_create(w, &opts, &id, &err);
        if (ok != (rows[i].message == NULL) || (!ok && strcmp(err.msg, rows[i].message) != 0))
            fail_msg("row %zu: %s, not %s", i, ok ? "accepted" : err.msg, rows[i].message);
        lz_arena_destroy(arena);
    }
}

static void versions_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_version_opts opts;
        const char *message;
    } rows[] = {
        {{.name = "v1", .has_error_ratio = true, .error_ratio = 2.0},
         "error_ratio must be between 0 and 1, got 2"},
        {{.name = ""}, "a version's name has 1 to 40 bytes, \"\" has 0"},
        {{.name = "a name of more than forty bytes is no name"},
         "a version's name has 1 to 40 bytes, \"a name of more than forty bytes is no name\" has "
         "42"},
        {{.name = "v1"}, "at most 64 versions of a service"},
    };
    struct lz_arena *arena;
    struct lz_err err = {0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 64 * MIB}, &arena, &err));
    struct lz_world *w =
        lz_world_create(&(struct lz_world_opts){.arena = arena, .seed = 1, .end = LZ_S});
    lz_component_id id = 0;
    uint32_t number = 0;
    assert_true(lz_service_create(w, &(struct lz_service_opts){.name = "web"}, &id, &err));
    const double none[LZ_VERSIONS_MAX] = {0};
    assert_false(lz_version_route(w, id, none, 0, &err));
    assert_string_equal(err.msg, "web has no versions to route to");
    for (uint32_t i = 1; i <= LZ_VERSIONS_MAX; i++) {
        char name[8] = {'v', (char)('0' + i / 10), (char)('0' + i % 10)};
        assert_true(lz_version_add(w, id, &(struct lz_version_opts){.name = name}, &number, &err));
        assert_int_equal(number, i);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_false(lz_version_add(w, id, &rows[i].opts, &number, &err));
        assert_string_equal(err.msg, rows[i].message);
    }
    lz_arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_make_no_sense_are_refused),
        cmocka_unit_test(versions_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
