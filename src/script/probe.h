/*
 * probe.h — every known way in which a run could depend on the machine, asked on this one.
 *
 * A probe looks, where it can, at the thing itself: it makes universes that differ in what
 * must not matter, and compares what scripts see of it. `lorenz doctor` prints the answers.
 * What is not known cannot be asked: that is what `lorenz run --shake` is for.
 *
 * A new one is a function and a row in probe.c.
 */
#ifndef LZ_SCRIPT_PROBE_H
#define LZ_SCRIPT_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct lz_probe {
    const char *source; /* of chance: "order of hashes" */
    const char *how;    /* it is closed, a phrase */
    /* True if it is closed here. `saw` is told what was seen, in a phrase. */
    bool (*ask)(char *saw, size_t size);
};

/* The table; NULL past its end. */
const struct lz_probe *lz_probe_get(size_t i);

#endif
