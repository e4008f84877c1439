/*
 * anchor.h — instants that are known only once they happen, and scopes between them.
 *
 * An anchor is looked for each second until it has happened and is then kept: a fault
 * that fires again and again means its first time. For a fault with a planned `at` that
 * instant is exact although it is noticed up to a second later.
 */
#ifndef LZ_CHECK_ANCHOR_H
#define LZ_CHECK_ANCHOR_H

#include "check/check.h"

/* False if it names a fault or instant that cannot be. */
bool lz_anchor_check(const struct lz_checks *c, const struct lz_anchor *a,
                     struct lz_err *err) LZ_MUST_CHECK;

/* When it happened, up to `now`; -1: it has not. NONE is the end of warm-up. */
lz_time lz_anchor_instant(const struct lz_checks *c, const struct lz_anchor *a, lz_time now);

/* When it will happen, if that is planned; -1: nobody knows. */
lz_time lz_anchor_planned(const struct lz_checks *c, const struct lz_anchor *a);

/* The anchor at which the undisturbed time before `a` ends: the start of its fault. */
struct lz_anchor lz_anchor_before(const struct lz_anchor *a);

/* "fault kill orders-db.primary never ended", for an anchor that did not happen. */
void lz_anchor_describe_missing(const struct lz_checks *c, const struct lz_anchor *a, char *out,
                                size_t size);

/* A scope and, once it has happened, the instant it begins. */
struct lz_scope_state {
    struct lz_scope scope;
    lz_time start; /* -1: not yet */
    lz_time end;   /* it was stopped before its time; -1: it was not */
};

/* Notice the scopes that have begun by `now`, and those of faults that were stopped. */
void lz_anchor_follow(const struct lz_checks *c, struct lz_scope_state *scopes, uint32_t count,
                      lz_time now);

/* Does [start, end) lie wholly in one of the scopes; does it touch one? */
bool lz_anchor_within(const struct lz_scope_state *scopes, uint32_t count, lz_time start,
                      lz_time end);
bool lz_anchor_touches(const struct lz_scope_state *scopes, uint32_t count, lz_time start,
                       lz_time end);

/* The last instant up to `now` that lies in a scope; without scopes `now`. */
lz_time lz_anchor_latest(const struct lz_scope_state *scopes, uint32_t count, lz_time now);

#endif
