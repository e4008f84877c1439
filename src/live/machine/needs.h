/*
 * needs.h — what has to be there before a program starts, for faults that are planned for it.
 *
 * A disk of its own for disk_full, a library before its clocks for clock_skew: neither can be
 * given to a program that runs.
 */
#ifndef LZ_LIVE_MACHINE_NEEDS_H
#define LZ_LIVE_MACHINE_NEEDS_H

#include "live/live.h"

/* Make its folder what it has to be, and set `has_clock`. False names what the machine refuses. */
bool lz_needs_prepare(struct lz_live *live, struct lz_site_process *p,
                      struct lz_err *err) LZ_MUST_CHECK;

#endif
