/*
 * bench_scenario.h — a scenario as a user runs it, timed: loaded from text, built, run to its
 * end with its metrics, phases, spans, trace hash and judges.
 */
#ifndef LZ_BENCH_SCENARIO_H
#define LZ_BENCH_SCENARIO_H

#include "script/script.h"

/*
 * Balancer, app and database at 500 requests a second, each call with a timeout; `serves` says
 * how the app does it.
 */
#define BENCH_TIERS(duration, serves)                                                              \
    "scenario 'three tiers' { duration = '" duration "', warmup = '10s' }\n"                       \
    "local east = region 'east' { zones = { 'a', 'b', 'c' } }\n"                                   \
    "local db = database 'db' { nodes = 1, spread = east,\n"                                       \
    "    query_time = dist.exponential { mean = '2ms' } }\n"                                       \
    "local app = service 'app' { replicas = 3, spread = east, concurrency = 64,\n"                 \
    "    service_time = dist.exponential { mean = '4ms' },\n" serves "}\n"                         \
    "local lb = balancer 'lb' { to = app, policy = 'round_robin' }\n"                              \
    "traffic 'users' { to = lb, op = 'GET /item', rate = '500/s', timeout = '2s' }\n"              \
    "expect 'the app answers' { always = app.errors.ratio:below '1%' }\n"                          \
    "expect 'it is quick' { always = lb.latency.p99:below '200ms' }\n"

#define BENCH_TIERS_NATIVE "    calls = { call { db, 'select item', timeout = '500ms' } } "
#define BENCH_TIERS_LUA                                                                            \
    "    handle = { ['GET /item'] = function(req)\n"                                               \
    "        local row = req:call { db, 'select item', timeout = '500ms' }\n"                      \
    "        return row.ok and 200 or 503\n"                                                       \
    "    end } "

/* Customers arrive at 0.9 of what the servers can do; users stand beside the queue. */
#define BENCH_QUEUE(servers, rate, seconds)                                                        \
    "scenario 'queue' { duration = '" seconds "s' }\n"                                             \
    "local q = service 'q' { concurrency = " servers ", queue = { max = 'unbounded' },\n"          \
    "    service_time = dist.exponential { mean = '1ms' } }\n"                                     \
    "traffic 'customers' { to = q, rate = '" rate "/s', beside = true }\n"                         \
    "expect 'customers are served' { at_end = q.success.ratio:above '99%' }\n"

/* Coroutines, each asleep for an exponential time of mean 1 ms. */
#define BENCH_HOLD(count, duration)                                                                \
    "scenario 'hold' { duration = '" duration "' }\n"                                              \
    "service 'idle' {}\n"                                                                          \
    "local gap = dist.exponential { mean = '1ms' }\n"                                              \
    "for i = 1, " count " do\n"                                                                    \
    "    drive('sleeper ' .. i, function()\n"                                                      \
    "        while true do sleep(gap) end\n"                                                       \
    "    end)\n"                                                                                   \
    "end\n"

/* Two coroutines give way to each other at the same instant, again and again. */
#define BENCH_PINGPONG(times)                                                                      \
    "scenario 'ping-pong' { duration = '1s' }\n"                                                   \
    "service 'idle' {}\n"                                                                          \
    "for i = 1, 2 do\n"                                                                            \
    "    drive('player ' .. i, function()\n"                                                       \
    "        local now = dur '0s'\n"                                                               \
    "        for _ = 1, " times " do sleep(now) end\n"                                             \
    "    end)\n"                                                                                   \
    "end\n"

/* Forty lines, as people write them. */
extern const char bench_scenario_forty_lines[];

struct bench_scenario {
    const char *name;   /* of the workload */
    const char *source; /* its text */
    const char *counts; /* the traffic whose requests are counted; NULL: events are */
};

/* Load and build; leaves the program if the scenario is wrong. */
struct lz_script *bench_scenario_build(const char *source, struct lz_script_world *built);

/* Run it, and report how much of what it counts went by per second of wall time. */
void bench_scenario_run(const struct bench_scenario *s);

#endif
