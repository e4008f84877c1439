/*
 * doubt.h — results that say nothing after all, because what they are about did not work.
 */
#ifndef LZ_CHECK_DOUBT_H
#define LZ_CHECK_DOUBT_H

#include "check/check.h"

/*
 * An expectation about an alert, by its metrics or its marks, whose rule could not be evaluated:
 * what such a rule did or did not do says nothing, so `r` becomes inconclusive, for that reason.
 */
void lz_doubt_alerts(const struct lz_world *w, const struct lz_expect_opts *e,
                     struct lz_expect_result *r);

#endif
