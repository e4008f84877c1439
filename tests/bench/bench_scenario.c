#include "bench_scenario.h"

#include "explore/ticker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "model/traffic.h"

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
    lz_ticker_start();
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
