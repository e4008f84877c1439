/*
 * counted.c — short pieces of work whose instructions are counted (counts.lua): the kernel, the
 * way of a request, a universe from nothing. What is counted is what `counted` does, without
 * what it takes to begin and to leave.
 */
#include <stdio.h>

#include "base/check.h"
#include "bench.h"
#include "bench_scenario.h"
#include "sim/sim.h"
#include "station.h"

#define HOLDERS 1000

static struct lz_script *script;
static struct lz_sim *sim;
static struct station *station;
static uint64_t events_left;
static struct lz_draw_row rows[HOLDERS];

// By this name valgrind knows when to count.
__attribute__((noinline)) void counted(void);

static void on_hold(void *ctx, uint32_t entity, uint64_t payload)
{
    lz_kind kind = *(lz_kind *)ctx;
    double gap = lz_draw_exponential_next(&rows[entity], lz_sim_key(sim), payload);
    lz_sim_at(sim, lz_sim_now(sim) + (lz_time)(gap * 1e6), kind, entity, payload + 1);
    if (--events_left == 0)
        lz_sim_stop(sim);
}

static struct lz_arena *make_sim(void)
{
    struct lz_arena *arena;
    struct lz_err err;
    bool ok = lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &arena, &err);
    LZ_ASSERT(ok);
    sim = lz_sim_create(&(struct lz_sim_opts){.arena = arena, .seed = 1, .run_key = 42});
    return arena;
}

// 1e5 customers of a queue with one server, or with eight.
static void queue(uint32_t servers)
{
    struct lz_arena *arena = make_sim();
    static struct station s;
    station = &s;
    station_open(station, sim,
                 &(struct station_opts){.servers = servers,
                                        .arrivals_per_s = 90000.0 * servers,
                                        .served_per_s = 100000,
                                        .owner = 1});
    counted();
    lz_arena_destroy(arena);
}

static void mm1(void)
{
    queue(1);
}

static void mm8(void)
{
    queue(8);
}

// 1e5 events of a thousand that hold.
static void hold(void)
{
    static lz_kind kind;
    struct lz_arena *arena = make_sim();
    kind = lz_sim_kind(sim, "hold", on_hold, &kind);
    for (uint32_t i = 0; i < HOLDERS; i++) {
        rows[i] = (struct lz_draw_row){.owner = i, .purpose = LZ_PURPOSE_SERVICE};
        lz_sim_at(sim, i, kind, i, 0);
    }
    events_left = 100000;
    counted();
    lz_arena_destroy(arena);
}

// 1e4 requests through three tiers.
static void tier3(void)
{
    struct lz_script_world built;
    script = bench_scenario_build(BENCH_TIERS("20s", BENCH_TIERS_NATIVE), &built);
    counted();
    lz_script_destroy(script);
}

// 1e4 customers of a service with one worker.
static void mm1_service(void)
{
    struct lz_script_world built;
    script = bench_scenario_build(BENCH_QUEUE("1", "900", "11"), &built);
    counted();
    lz_script_destroy(script);
}

static void tier3_lua(void)
{
    struct lz_script_world built;
    script = bench_scenario_build(BENCH_TIERS("20s", BENCH_TIERS_LUA), &built);
    counted();
    lz_script_destroy(script);
}

// 1e5 events of a hundred coroutines that sleep.
static void sleepers(void)
{
    struct lz_script_world built;
    script = bench_scenario_build(BENCH_HOLD("100", "1s"), &built);
    counted();
    lz_script_destroy(script);
}

// 1e5 switches.
static void switches(void)
{
    struct lz_script_world built;
    script = bench_scenario_build(BENCH_PINGPONG("50000"), &built);
    counted();
    lz_script_destroy(script);
}

// As a child makes it: what universes begin with, its parent has made.
static void universe(void)
{
    lz_script_warm();
    counted();
}

void counted(void)
{
    if (station != NULL) {
        station_run(station, 100000);
    } else if (sim != NULL) {
        lz_sim_run(sim, LZ_FOREVER);
    } else if (script != NULL) {
        lz_script_run(script);
    } else {
        struct lz_script_world built;
        lz_script_destroy(bench_scenario_build(bench_scenario_forty_lines, &built));
    }
}

static const struct bench_workload workloads[] = {
    {"hold", hold},         {"mm1", mm1},
    {"mm8", mm8},           {"mm1_service", mm1_service},
    {"tier3", tier3},       {"tier3_lua", tier3_lua},
    {"sleepers", sleepers}, {"switches", switches},
    {"universe", universe},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, workloads, sizeof(workloads) / sizeof(workloads[0]));
}
