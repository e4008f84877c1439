/*
 * doubt.h — results that say nothing after all, because what they are about did not work.
 */
#ifndef LZ_CHECK_DOUBT_H
#define LZ_CHECK_DOUBT_H

#include "check/expect.h"

/*
 * An expectation about an alert, by its metrics or its marks, whose rule could not be evaluated:
 * what such a rule did or did not do says nothing, so `r` becomes inconclusive, for that reason.
 */
void lz_doubt_alerts(const struct lz_world *w, const struct lz_expect_opts *e,
                     struct lz_expect_result *r);

/* That an alert never fired is no news where it could not have: its rule has to be true for longer
 * than from the beginning to the last instant that is looked at. */
void lz_doubt_soon(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                   struct lz_expect_result *r);

/*
 * Acknowledged writes that are gone, reads that missed one: where none was acknowledged there was
 * nothing to lose, and a result that says so has looked at nothing. `heed` before the run, so that
 * what it takes is counted; `unasked` turns a pass of such a metric into inconclusive.
 */
void lz_doubt_heed(struct lz_world *w, const struct lz_matcher *m);
void lz_doubt_unasked(const struct lz_world *w, const struct lz_matcher *m,
                      struct lz_expect_result *r);

#endif
