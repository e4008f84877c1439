/*
 * bench_script.c — what Lua costs: coroutines that sleep, handlers, and a universe from nothing.
 */
#include "bench.h"
#include "bench_scenario.h"

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
    static const char source[] =
        "scenario 'three tiers' { duration = '1000s', warmup = '10s' }\n"
        "local east = region 'east' { zones = { 'a', 'b', 'c' } }\n"
        "local db = database 'db' { nodes = 1, spread = east,\n"
        "    query_time = dist.exponential { mean = '2ms' } }\n"
        "local app = service 'app' { replicas = 3, spread = east, concurrency = 64,\n"
        "    service_time = dist.exponential { mean = '4ms' },\n"
        "    handle = { ['GET /item'] = function(req)\n"
        "        local row = req:call { db, 'select item', timeout = '500ms' }\n"
        "        return row.ok and 200 or 503\n"
        "    end } }\n"
        "local lb = balancer 'lb' { to = app, policy = 'round_robin' }\n"
        "traffic 'users' { to = lb, op = 'GET /item', rate = '500/s', timeout = '2s' }\n"
        "expect 'the app answers' { always = app.errors.ratio:below '1%' }\n"
        "expect 'it is quick' { always = lb.latency.p99:below '200ms' }\n";
    bench_scenario_run(
        &(struct bench_scenario){.name = "tier3_lua", .source = source, .counts = "users"});
}

// Forty lines, as people write them: create, load, build, run nothing, destroy.
static void universe(void)
{
    static const char source[] =
        "scenario 'Checkout survives losing the primary' {\n"
        "    about    = 'Nobody should notice for more than 15 s.',\n"
        "    tags     = { 'db', 'failover' },\n"
        "    duration = '10m', warmup = '1m',\n"
        "}\n"
        "local eu = region 'eu-west-1' { zones = { 'a', 'b', 'c' }, latency = '600us' }\n"
        "local db = database 'orders-db' {\n"
        "    engine          = 'postgres',\n"
        "    nodes           = 3,\n"
        "    spread          = eu,\n"
        "    replication     = 'sync',\n"
        "    query_time      = dist.lognormal { p50 = '2ms', p99 = '18ms' },\n"
        "    max_connections = 300,\n"
        "    failover        = { detect = '5s', promote = '4s' },\n"
        "}\n"
        "local api = service 'checkout-api' {\n"
        "    replicas     = 6,\n"
        "    spread       = eu,\n"
        "    cpu          = 2,\n"
        "    concurrency  = 64,\n"
        "    service_time = dist.lognormal { p50 = '4ms', p99 = '25ms' },\n"
        "    calls = { call { db, 'write order', timeout = '800ms', retries = 2 } },\n"
        "}\n"
        "local web = service 'web' {\n"
        "    replicas     = 4,\n"
        "    spread       = eu,\n"
        "    concurrency  = 256,\n"
        "    service_time = '1ms',\n"
        "    calls        = { call { api, 'POST /checkout', timeout = '2s' } },\n"
        "}\n"
        "traffic 'shoppers' { to = web, rate = '400/s', arrivals = 'poisson' }\n"
        "local outage = fault.kill { db.primary, at = '4m' }\n"
        "fault.latency { link(api, db), add = '3ms', at = '7m', lasting = '1m' }\n"
        "expect 'p99 stays under 300 ms outside the failover' {\n"
        "    always = web.latency.p99:below '300ms',\n"
        "    except = { after = outage, lasting = '15s' },\n"
        "}\n"
        "expect 'no acknowledged order is ever lost' { always = db.lost_acks:equals(0) }\n"
        "slo 'checkout' { of = web, objective = '97.5%', over = '10m' }\n";
    const int count = 2000;
    double start = bench_now();
    for (int i = 0; i < count; i++) {
        struct lz_script_world built;
        lz_script_destroy(bench_scenario_build(source, &built));
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
    return bench_main(argc, argv, workloads, sizeof(workloads) / sizeof(workloads[0]));
}
