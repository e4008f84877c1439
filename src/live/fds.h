/*
 * fds.h — descriptors: each connection of the load is one here. It is two in the proxy, which has
 * further tables of them where the system lets it (proxy/worker.c).
 *
 * The soft limit that a shell gives (1024) is raised to the hard one for this process and the
 * proxy; programs that are started get it back as it was, for some of them still use select().
 */
#ifndef LZ_LIVE_FDS_H
#define LZ_LIVE_FDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* LZ_ERANGE: so many connections at once cannot be had here. */
bool lz_fds_raise(size_t connections, struct lz_err *err) LZ_MUST_CHECK;

/* Whether a thread may have a table of its own, which a container can refuse. */
bool lz_fds_may_have_tables(void);

/* In a child, before it becomes a program. */
void lz_fds_restore(void);

#endif
