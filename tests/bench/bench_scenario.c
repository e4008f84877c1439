#include "bench_scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "model/traffic/traffic.h"

const char bench_scenario_forty_lines[] =
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

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(1);
}

struct lz_script *bench_scenario_build(const char *source, struct lz_script_world *built)
{
    struct lz_script *s;
    struct lz_err err;
    struct lz_script_opts opts = {
        .path = "bench.lua",
        .is_ticked = true, // as in a worker
        .source = source,
        .source_len = strlen(source),
    };
    if (!lz_script_load(&opts, &s, &err))
        give_up(err.msg);
    if (lz_script_trouble(s) != LZ_SCRIPT_OK || !lz_script_build(s, 1, 0, built))
        give_up(lz_script_diagnostics(s, false));
    return s;
}

void bench_scenario_run(const struct bench_scenario *b)
{
    struct lz_script_world built;
    struct lz_script *s = bench_scenario_build(b->source, &built);
    double start = bench_now();
    enum lz_sim_stop stop = lz_script_run(s);
    double took = bench_now() - start;
    if (lz_script_trouble(s) != LZ_SCRIPT_OK || stop != LZ_SIM_ENDED)
        give_up(lz_script_diagnostics(s, false));
    uint64_t count = b->counts != NULL
                         ? lz_traffic_sent(built.world, lz_world_find(built.world, b->counts))
                         : lz_sim_events(built.world->sim);
    bench_report(b->name, (double)count / took, "1/s");
    lz_script_destroy(s);
}
