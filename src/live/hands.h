/*
 * hands.h — who carries out the plan of faults in a live run: between fault/ and the actions.
 *
 * When a fault is added it is checked: its kind needs an action, its target something real, its
 * parameters a live form, and the machine has to allow it. When it fires, whom it hits is worked
 * out from its target as in a simulation: processes by the instances that they stand for, proxies
 * by the ends of their edges.
 */
#ifndef LZ_LIVE_HANDS_H
#define LZ_LIVE_HANDS_H

#include "fault/fault.h"
#include "live/live.h"

struct lz_hands;

struct lz_hands *lz_hands_create(struct lz_live *live);
void lz_hands_destroy(struct lz_hands *hands); /* NULL is allowed */

const struct lz_fault_hands *lz_hands_of(struct lz_hands *hands);

/* Of a fault that was planned before there was a site: has it a live form here? */
bool lz_hands_check(struct lz_hands *hands, const struct lz_fault *fault,
                    struct lz_err *err) LZ_MUST_CHECK;

/* Put what was observed so far into the faults' effects. */
void lz_hands_look(struct lz_hands *hands);

/* What a fault would do, to whom: one line each, for a dry run. */
void lz_hands_describe(struct lz_hands *hands, const struct lz_fault *fault, struct lz_str *out);

#endif
