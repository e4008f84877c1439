/*
 * why_moment.h — inside explore/: the events of a run between two instants, and what they were.
 */
#ifndef LZ_EXPLORE_WHY_MOMENT_H
#define LZ_EXPLORE_WHY_MOMENT_H

#include "explore/why.h"

/* Instants in [from, to) at which anything fired, malloc's, in order; 0: none, or too many. */
bool lz_why_moment_instants(const struct lz_why_opts *opts, int64_t from, int64_t to,
                            int64_t **instants, size_t *count, struct lz_err *err) LZ_MUST_CHECK;

/* What fired at one. */
bool lz_why_moment_fired(const struct lz_why_opts *opts, int64_t at, struct lz_why *out,
                         struct lz_err *err) LZ_MUST_CHECK;

#endif
