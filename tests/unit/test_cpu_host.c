/*
 * A host's cores among its instances: max-min fair by weight, as cgroup v2's cpu.weight.
 *
 * Method: a row says how many cores the host has, and for each instance its weight, its own cores
 * and the jobs of 100 ms it is given at time 0; the expectation is when the jobs of each finish.
 */
#include "model/node/cpu_host.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MEMBERS 3

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_cpu_host *host;
    struct lz_cpu *cpus[MEMBERS];
    uint32_t jobs[MEMBERS][8];
    double done_ms[MEMBERS]; // the last job
};

struct row {
    double cores;
    struct {
        double weight, cores;
        uint32_t jobs;
        double done_ms;
    } members[MEMBERS];
};

static void on_done(void *ctx, uint32_t entity, uint64_t payload)
{
    struct stage *s = ctx;
    s->done_ms[entity] = (double)lz_sim_now(s->w->sim) / 1e6;
    lz_cpu_remove(s->w, s->cpus[entity], s->jobs[entity][payload - 1]);
}

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct stage *s = ctx;
    lz_cpu_tick(s->w, s->cpus[entity]);
}

static void make(struct stage *s, const struct row *row)
{
    *s = (struct stage){0};
    struct lz_err err;
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err));
    s->w = lz_world_create(&(struct lz_world_opts){.arena = s->arena, .end = 100 * LZ_S});
    lz_kind done = lz_sim_kind(s->w->sim, "done", on_done, s);
    lz_kind tick = lz_sim_kind(s->w->sim, "tick", on_tick, s);
    s->host = lz_cpu_host_create(s->w, row->cores);
    for (uint32_t i = 0; i < MEMBERS && row->members[i].cores > 0.0; i++) {
        s->cpus[i] = lz_cpu_create(s->w, row->members[i].cores, done, tick, i);
        lz_cpu_host_add(s->w, s->host, s->cpus[i], row->members[i].weight);
        for (uint32_t k = 0; k < row->members[i].jobs; k++)
            s->jobs[i][k] = lz_cpu_add(s->w, s->cpus[i], 100 * LZ_MS, k + 1);
    }
}

static void cores_are_divided_by_weight_and_need(void **state)
{
    (void)state;
    static const struct row rows[] = {
        // Enough for all: nobody notices the others.
        {4, {{100, 2, 2, 100}, {100, 2, 2, 100}}},
        // One core each; then the one that is left has both.
        {2, {{100, 2, 2, 150}, {100, 2, 1, 100}}},
        // Equal weights, equal needs.
        {2, {{100, 2, 2, 200}, {100, 2, 2, 200}}},
        // 3 : 1 of one core: 133 1/3 ms; the other then has done a third.
        {1, {{300, 1, 1, 400.0 / 3}, {100, 1, 1, 200}}},
        // What the third does not want goes to the two others: 1, 1.5, 1.5 of 4 cores; when the
        // third is gone, the rest is 2 : 2.
        {4, {{100, 4, 3, 175}, {100, 4, 3, 175}, {100, 4, 1, 100}}},
        // Nobody gets more than its own cores.
        {8, {{10000, 1, 2, 200}, {1, 4, 4, 100}}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s, &rows[i]);
        assert_int_equal(lz_sim_run(s.w->sim, 100 * LZ_S), LZ_SIM_ENDED);
        for (uint32_t m = 0; m < MEMBERS; m++)
            if (fabs(s.done_ms[m] - rows[i].members[m].done_ms) > 1e-5)
                fail_msg("row %zu, member %u: %.6f ms, not %.6f", i, m, s.done_ms[m],
                         rows[i].members[m].done_ms);
        assert_true(lz_cpu_host_busy(s.host) < 1e-9);
        lz_arena_destroy(s.arena);
    }
}

static void load_of_the_host_is_taken_from_all(void **state)
{
    (void)state;
    struct stage s;
    make(&s, &(struct row){2, {{100, 2, 1, 0}, {100, 2, 1, 0}}});
    lz_cpu_host_steal(s.w, s.host, 1.0);
    assert_true(lz_cpu_host_busy(s.host) >= 1.0);
    assert_int_equal(lz_sim_run(s.w->sim, 50 * LZ_MS), LZ_SIM_ENDED);
    lz_cpu_host_steal(s.w, s.host, 0.0); // a quarter is done, the rest at full speed
    assert_int_equal(lz_sim_run(s.w->sim, 100 * LZ_S), LZ_SIM_ENDED);
    assert_true(fabs(s.done_ms[0] - 125.0) < 1e-5 && fabs(s.done_ms[1] - 125.0) < 1e-5);
    lz_arena_destroy(s.arena);
}

static void one_that_leaves_has_its_own_cores_again(void **state)
{
    (void)state;
    struct stage s;
    make(&s, &(struct row){1, {{100, 1, 1, 0}, {100, 1, 1, 0}}});
    assert_int_equal(lz_sim_run(s.w->sim, 100 * LZ_MS), LZ_SIM_ENDED);
    lz_cpu_host_remove(s.w, s.host, s.cpus[0]);
    assert_int_equal(lz_sim_run(s.w->sim, 100 * LZ_S), LZ_SIM_ENDED);
    assert_true(fabs(s.done_ms[0] - 150.0) < 1e-5 && fabs(s.done_ms[1] - 150.0) < 1e-5);
    lz_arena_destroy(s.arena);
}

static double heard[MEMBERS]; // busy, as last told; -1: never
static struct stage *watched;

static void on_load(struct lz_world *w, uint32_t entity)
{
    (void)w;
    heard[entity] = lz_cpu_busy(watched->cpus[entity]);
}

// One has a job all the time; what another does, and what is stolen, is its load too.
static void each_is_told_what_the_others_leave_it(void **state)
{
    (void)state;
    struct stage s;
    make(&s, &(struct row){1, {{100, 1, 1, 0}, {100, 1, 0, 0}}});
    watched = &s;
    heard[0] = heard[1] = -1.0;
    lz_cpu_watch(s.cpus[0], on_load);
    lz_cpu_watch(s.cpus[1], on_load);
    uint32_t job = lz_cpu_add(s.w, s.cpus[1], 100 * LZ_MS, 1);
    assert_true(heard[0] == 0.5 && heard[1] == 0.5);
    lz_cpu_host_steal(s.w, s.host, 0.5);
    assert_true(heard[0] == 0.25 && heard[1] == 0.25);
    lz_cpu_host_steal(s.w, s.host, 0.0);
    assert_true(heard[0] == 0.5 && heard[1] == 0.5);
    lz_cpu_remove(s.w, s.cpus[1], job);
    assert_true(heard[0] == 1.0 && heard[1] == 0.0);
    lz_cpu_host_steal(s.w, s.host, 0.5);
    assert_true(heard[0] == 0.5);
    lz_cpu_host_remove(s.w, s.host, s.cpus[0]);
    assert_true(heard[0] == 1.0);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_are_divided_by_weight_and_need),
        cmocka_unit_test(load_of_the_host_is_taken_from_all),
        cmocka_unit_test(one_that_leaves_has_its_own_cores_again),
        cmocka_unit_test(each_is_told_what_the_others_leave_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
