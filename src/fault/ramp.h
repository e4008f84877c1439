/*
 * ramp.h — a fault's magnitude that grows from nothing: the common option `ramp`.
 *
 * A kind says of each parameter what it grows from (enum lz_param_ramp). While the ramp rises
 * the fault is in force with parameters in between, changed in LZ_RAMP_STEPS steps by reverting
 * and applying anew, or in place where that would lose what waits (a line's queue, a bucket's
 * tokens, what is left of a quota); a step has the ramp's value in its middle, so that the mean
 * over the ramp is the straight line's. Parameters without a magnitude (whom, which way) stay.
 *
 * What apply counts by itself is counted once, at its most: a step that touches the same things
 * adds nothing. A kind whose
 * own model grows continuously (`ramps_itself`) is applied once and left alone.
 */
#ifndef LZ_FAULT_RAMP_H
#define LZ_FAULT_RAMP_H

#include "fault/fault.h"

#define LZ_RAMP_STEPS 100

/* Whether one of the parameters given has a magnitude. */
bool lz_ramp_has(const struct lz_fault_kind *kind, const struct lz_fault_params *full);

/* The parameters at a share above 0 and at most 1 of the way. */
void lz_ramp_at(const struct lz_fault_kind *kind, const struct lz_fault_params *full, double share,
                struct lz_arena *arena, struct lz_fault_params *out);

#endif
