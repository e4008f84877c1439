/*
 * clock.h — what time a host believes it is.
 *
 * The simulation has one time; a host's clock reads it with an offset and a drift:
 *
 *   reading(t) = t + sum of offsets + sum of ppm * 1e-6 * (t - since)
 *
 * Clocks are read by a service's own code (now() in a handler) and by leases: a leader whose
 * clock jumps forward by more than its lease lasts believes that it has run out, and steps down
 * until it has renewed it. Timers, timeouts and sleeps run on monotonic time and know nothing of
 * it, as CLOCK_MONOTONIC does. A clock never reads below 0.
 */
#ifndef LZ_MODEL_NODE_CLOCK_H
#define LZ_MODEL_NODE_CLOCK_H

#include "model/node/instance.h"
#include "model/world.h"

#define LZ_CLOCK_PPM_MAX 1e6

struct lz_clock_opts {
    lz_time offset; /* may be below 0 */
    double ppm;     /* parts per million that it runs fast; since time 0 */
};

void lz_clocks_init(struct lz_world *w);
bool lz_clock_declare(struct lz_world *w, lz_host_id host, const struct lz_clock_opts *opts,
                      struct lz_err *err) LZ_MUST_CHECK;

/* What a process reads now; tells the faults that make it wrong. */
lz_time lz_clock_read(struct lz_world *w, lz_instance_id id);

/* Faults, of the host an instance stands on. The id undoes it; `reads` counts. */
struct lz_clock_error {
    lz_time offset;
    double ppm; /* from now on */
    uint64_t *reads;
};
uint32_t lz_clock_disturb(struct lz_world *w, lz_instance_id id,
                          const struct lz_clock_error *error);
void lz_clock_undo(struct lz_world *w, uint32_t id);

#endif
