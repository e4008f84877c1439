/*
 * memory.h — what a world's memory goes into, for -v and for holding it down.
 *
 * Two questions matter. What does one more request on its way cost: the request, its spans, a
 * call and a task for each hop, and what is pending in the kernel for it. And which component
 * has grown: its instances, its metrics' windows, its connections, its rows and log. Both are
 * counted from the tables themselves, at the most they have been; nothing is kept for it, so
 * it costs nothing until it is asked.
 */
#ifndef LZ_MODEL_MEMORY_H
#define LZ_MODEL_MEMORY_H

#include "model/world.h"

struct lz_memory {
    size_t used, peak;      /* of the whole universe, Lua included */
    size_t in_flight;       /* tables of what is on its way */
    uint32_t in_flight_max; /* requests open at once */
    double request;         /* in_flight / in_flight_max; 0 if there was none */
};

struct lz_memory lz_memory_of_world(const struct lz_world *w);

/* Of one component: instances, CPUs, metrics, calls it makes, rows and log. */
size_t lz_memory_of_component(const struct lz_world *w, lz_component_id id);

#endif
