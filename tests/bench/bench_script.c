/*
 * bench_script.c — what Lua costs: coroutines that sleep, handlers, and a universe from nothing.
 */
#include "bench.h"
#include "bench_scenario.h"
#include "explore/ticker.h"

// A thousand coroutines, each asleep for an exponential time of mean 1 ms.
static void hold_lua(void)
{
    static const char source[] = "scenario 'hold' { duration = '3s' }\n"
                                 "service 'idle' {}\n"
                                 "local gap = dist.exponential { mean = '1ms' }\n"
                                 "for i = 1, 1000 do\n"
                                 "    drive('sleeper ' .. i, function()\n"
                                 "        while true do sleep(gap) end\n"
                                 "    end)\n"
                                 "end\n";
    bench_scenario_run(&(struct bench_scenario){.name = "hold_lua/1e3", .source = source});
}

// Two coroutines give way to each other at the same instant, again and again.
static void pingpong_lua(void)
{
    static const char source[] = "scenario 'ping-pong' { duration = '1s' }\n"
                                 "service 'idle' {}\n"
                                 "for i = 1, 2 do\n"
                                 "    drive('player ' .. i, function()\n"
                                 "        local now = dur '0s'\n"
                                 "        for _ = 1, 2000000 do sleep(now) end\n"
                                 "    end)\n"
                                 "end\n";
    bench_scenario_run(&(struct bench_scenario){.name = "pingpong_lua", .source = source});
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
