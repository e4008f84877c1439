/*
 * surge.h — what fault.surge and fault.bots have in common: more arrivals at traffic.
 *
 * The target is a traffic, or what traffic calls: then all traffic that calls it gets its part,
 * a `factor` each its own, a `rate` in equal shares.
 */
#ifndef LZ_FAULT_SURGE_H
#define LZ_FAULT_SURGE_H

#include "fault/fault.h"

extern const struct lz_param lz_surge_params[];

bool lz_surge_check(const struct lz_fault_opts *o, struct lz_err *err);
bool lz_surge_fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err);
void lz_surge_users(struct lz_world *w, struct lz_fault *f);
void lz_surge_bots(struct lz_world *w, struct lz_fault *f);
void lz_surge_revert(struct lz_world *w, struct lz_fault *f);

#endif
