/*
 * bench_scenario.h — a scenario as a user runs it, timed: loaded from text, built, run to its
 * end with its metrics, phases, spans, trace hash and judges.
 */
#ifndef LZ_BENCH_SCENARIO_H
#define LZ_BENCH_SCENARIO_H

#include "script/script.h"

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
