/*
 * fenced.h — an expectation about a resource: that no write which shows an older lock's token is
 * accepted after one that shows a newer's (model/service/fence.h).
 *
 * Mutual exclusion is of the lock: two who hold it. This is of what the lock protects: a holder
 * that does not know that its lease has run out writes all the same, and only the resource can
 * say no. A resource that checks tokens passes always, and says how many it refused; no write with
 * a token is inconclusive.
 */
#ifndef LZ_CHECK_FENCED_H
#define LZ_CHECK_FENCED_H

#include "check/check.h"

#define LZ_FENCED "fenced"

/* Before the run, of the component `opts->of`. */
bool lz_fenced_expect(struct lz_checks *c, const struct lz_expect_opts *opts, lz_expect_id *id,
                      struct lz_err *err) LZ_MUST_CHECK;

#endif
