/*
 * sweep_formats.h — a sweep as other programs read it: a case of a scenario is one test.
 *
 * It has failed if a run of it failed that counts, is skipped as inconclusive, and says in its
 * message how many of how many seeds, the first of them, and what failed. The html is one page that
 * loads nothing, as a run's.
 */
#ifndef LZ_CLI_SWEEP_FORMATS_H
#define LZ_CLI_SWEEP_FORMATS_H

#include "explore/sweep.h"

#define LZ_SWEEP_FORMATS_MAX 8 /* outputs of one sweep */

typedef void lz_sweep_format_fn(const struct lz_sweep *sweep, enum lz_exit status,
                                struct lz_str *out);

/* NULL: there is none of that name. */
lz_sweep_format_fn *lz_sweep_format_find(const char *name, size_t len);

/* "json, junit, ..." */
extern const char lz_sweep_format_names[];

#endif
