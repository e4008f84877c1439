/*
 * seeds.h — failing seeds, kept as text beside the scenarios: seeds/NAME.seeds.
 *
 *     # failing seeds of retry_storm.lua; run first
 *     214 retries=3,retry_budget=off  # goodput is back at 95 % of normal within 30 s
 *     402 retries=10,retry_budget=off --swarm --order random@1ms  # retries double the load
 *
 * A line is a seed; where the scenario has cases, the values of one; and where a sweep left out
 * faults or explored orders of messages, the options that did (manner.h), so that the line stands
 * for that run whatever the next one is asked for. What follows # is for people. The file is the
 * user's: it is committed, edited and appended to, never rewritten. A case that the scenario no
 * longer has is told and skipped.
 */
#ifndef LZ_EXPLORE_SEEDS_H
#define LZ_EXPLORE_SEEDS_H

#include "explore/sweep.h"

/* Where the seeds of a scenario are: "scenarios/seeds/retry_storm.seeds"; the caller frees. */
char *lz_seeds_path(const char *scenario_path);

/* Those of all scenarios of the suite whose runs are there, in order. `told` is given sentences, a
   line each, about lines that were skipped. False: a file cannot be read. */
bool lz_seeds_load(const struct lz_suite *suite, struct lz_subset_saved **out, size_t *count,
                   struct lz_str *told, struct lz_err *err) LZ_MUST_CHECK;

/* Append a sweep's failing seeds that are not there yet; `*added` in all. */
bool lz_seeds_save(const struct lz_sweep *sweep, size_t *added, struct lz_err *err) LZ_MUST_CHECK;

#endif
