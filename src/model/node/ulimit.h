/*
 * ulimit.h — what the operating system refuses to give more of.
 *
 *   fds       file descriptors: one for each request there and one for each call it has open
 *   threads   one for each request there
 *   pids      threads and the process itself (a cgroup's pids.max)
 *   ports     local ports: one for each call that is open
 *
 * A request beyond fds, threads or pids is refused at once, as by a server that closes what it
 * cannot serve; a call beyond fds or ports fails at once and is sent nowhere (EMFILE,
 * EADDRNOTAVAIL). The tightest of what is declared and of the faults in force counts.
 */
#ifndef LZ_MODEL_NODE_ULIMIT_H
#define LZ_MODEL_NODE_ULIMIT_H

#include "model/node/instance.h"
#include "model/world.h"

enum lz_ulimit_kind {
    LZ_ULIMIT_FDS,
    LZ_ULIMIT_THREADS,
    LZ_ULIMIT_PIDS,
    LZ_ULIMIT_PORTS,
    LZ_ULIMITS
};

#define LZ_ULIMIT_NONE UINT32_MAX

void lz_ulimits_init(struct lz_world *w);

/* For all instances of a component, before the run. LZ_ULIMIT_NONE: as many as it likes. */
void lz_ulimit_declare(struct lz_world *w, lz_component_id id, const uint32_t most[LZ_ULIMITS]);

/* Faults; the id undoes it. `refused` counts. */
uint32_t lz_ulimit_lower(struct lz_world *w, lz_instance_id id, enum lz_ulimit_kind kind,
                         uint32_t most, uint64_t *refused);
void lz_ulimit_undo(struct lz_world *w, lz_instance_id id, uint32_t limit);

/* Somebody has a limit. */
static inline bool lz_ulimit_is_any(const struct lz_world *w)
{
    return (w->unusual & LZ_UNUSUAL_ULIMITS) != 0;
}

/* May a request that is there already, as the last of them, be served? May a call be opened? */
bool lz_ulimit_admits(struct lz_world *w, lz_instance_id server);
bool lz_ulimit_may_call(struct lz_world *w, lz_instance_id client);

#endif
