/*
 * sim_rig.h — a kernel whose events are logged as "time:letter", for tests of what fires when.
 */
#ifndef LZ_TESTS_UNIT_SIM_RIG_H
#define LZ_TESTS_UNIT_SIM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "sim/sim.h"

struct rig {
    struct lz_arena *arena;
    struct lz_sim *sim;
    lz_kind mark, script;
    char log[512];
    size_t len;
    uint64_t counted;
    void (*on_script)(struct rig *r, uint32_t entity);
};

// Entity is the letter.
static inline void on_mark(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct rig *r = ctx;
    int n = snprintf(r->log + r->len, sizeof(r->log) - r->len, "%s%lld:%c", r->len > 0 ? " " : "",
                     (long long)lz_sim_now(r->sim), (char)entity);
    r->len += (size_t)n;
    assert_true(r->len < sizeof(r->log));
}

static inline void on_script(void *ctx, uint32_t entity, uint64_t payload)
{
    on_mark(ctx, entity, payload);
    struct rig *r = ctx;
    r->on_script(r, entity);
}

static inline void start(struct rig *r, unsigned slot, uint64_t events_max)
{
    struct lz_err err;
    *r = (struct rig){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.slot = slot}, &r->arena, &err));
    r->sim = lz_sim_create(&(struct lz_sim_opts){
        .arena = r->arena, .seed = 7, .run_key = 42, .events_max = events_max});
    r->mark = lz_sim_kind(r->sim, "mark", on_mark, r);
    r->script = lz_sim_kind(r->sim, "script", on_script, r);
}

static inline void finish(struct rig *r)
{
    lz_check_set_note(NULL);
    lz_arena_destroy(r->arena);
}

static inline int make(void **state)
{
    struct rig *r = malloc(sizeof(*r));
    start(r, 0, 0);
    *state = r;
    return 0;
}

static inline int unmake(void **state)
{
    finish(*state);
    free(*state);
    return 0;
}

static inline void expect_log(struct rig *r, lz_time end, const char *log)
{
    assert_int_equal(lz_sim_run(r->sim, end), LZ_SIM_ENDED);
    assert_int_equal(lz_sim_now(r->sim), end);
    assert_string_equal(r->log, log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

#endif
