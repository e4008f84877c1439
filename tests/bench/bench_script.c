/*
 * bench_script.c — what Lua costs: coroutines that sleep, handlers, and a universe from nothing.
 */
#include "bench.h"
#include "bench_scenario.h"
#include "explore/ticker.h"

// A thousand coroutines that sleep.
static void hold_lua(void)
{
    bench_scenario_run(
        &(struct bench_scenario){.name = "hold_lua/1e3", .source = BENCH_HOLD("1000", "3s")});
}

// Two that give way to each other.
static void pingpong_lua(void)
{
    bench_scenario_run(
        &(struct bench_scenario){.name = "pingpong_lua", .source = BENCH_PINGPONG("2000000")});
}

// tier3 of bench_model.c, the app by a handler.
static void tier3_lua(void)
{
    bench_scenario_run(&(struct bench_scenario){
        .name = "tier3_lua", .source = BENCH_TIERS("1000s", BENCH_TIERS_LUA), .counts = "users"});
}

// Create, load, build, run nothing, destroy.
static void universe(void)
{
    const int count = 2000;
    double start = bench_now();
    for (int i = 0; i < count; i++) {
        struct lz_script_world built;
        lz_script_destroy(bench_scenario_build(bench_scenario_forty_lines, &built));
    }
    bench_report_rate("universe", count, start);
}

static const struct bench_workload workloads[] = {
    {"hold_lua/1e3", hold_lua},
    {"pingpong_lua", pingpong_lua},
    {"tier3_lua", tier3_lua},
    {"universe", universe},
};

int main(int argc, char **argv)
{
    lz_ticker_start(); // as a worker does
    return bench_main(argc, argv, workloads, sizeof(workloads) / sizeof(workloads[0]));
}
