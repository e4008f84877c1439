/*
 * clock.h — a program's own idea of the time, by libfaketime.
 *
 * The library goes in front of the C library's clocks when the program is started, and reads how
 * far it is off from a file in the program's folder. So it takes a program that is linked
 * dynamically against the C library and that we start, and one that a clock fault is planned for:
 * others are left alone. CLOCK_MONOTONIC stays true, as it does when a machine's clock is set.
 */
#ifndef LZ_LIVE_MACHINE_CLOCK_H
#define LZ_LIVE_MACHINE_CLOCK_H

#include "base/str.h"

#define LZ_CLOCK_VARIABLES 5

/* "NAME=value" of what the program has to have in its environment; malloc's. False: there is no
 * libfaketime here. */
bool lz_clock_environment(const char *folder, char *out[LZ_CLOCK_VARIABLES],
                          struct lz_err *err) LZ_MUST_CHECK;

#endif
