/*
 * library.h — SQLite as this process has it: where it allocates, what time it is, what is random.
 *
 * SQLite is one library for everything in a process: databases inside a run and the file
 * a run is recorded in. What belongs to a run is done in a *scope*, which says whose memory, clock,
 * randomness and disk it is:
 *
 *   lz_library_enter(&scope) ── any number of sqlite3_ calls on databases of that disk ── _leave()
 *
 *   memory      the scope's arena; outside of scopes malloc. A block remembers whose it is.
 *   time        the scope's: date('now') is EPOCH and what the node's clock reads
 *   randomness  random(), randomblob(), a row id that SQLite chooses, the salts of its log: keyed
 *               draws of the scope's owner. A scope begins them anew.
 *   files       the scope's volume (volume.h), whatever their name; there are no others
 *   local time  is refused: it is the machine's
 *
 * Outside of scopes SQLite is what it always is. Scopes do not nest. What a run leaves behind dies
 * with its arena; SQLite itself keeps nothing of it, as caches belong to connections
 * (SQLITE_CONFIG_PCACHE2's default with a mutex) and nothing is shared between them.
 */
#ifndef LZ_MODEL_DATA_SQL_LIBRARY_H
#define LZ_MODEL_DATA_SQL_LIBRARY_H

#include <stdint.h>

#include "base/arena.h"
#include "sim/time.h"

struct lz_volume;

#define LZ_LIBRARY_EPOCH_S INT64_C(946684800) /* 2000-01-01 00:00:00 UTC */
#define LZ_LIBRARY_VFS "lorenz"

struct lz_library_scope {
    struct lz_arena *arena;
    struct lz_volume *volume;  /* NULL: no file can be opened */
    lz_time (*now)(void *ctx); /* of the node's clock; NULL: 0 */
    void *ctx;
    uint64_t run_key, owner; /* of the draws */
    uint64_t counter;        /* of the owner's scopes */
};

/* Before SQLite is first used in the process; again does nothing. */
void lz_library_init(void);

void lz_library_enter(const struct lz_library_scope *scope);
void lz_library_leave(void);

/* The run was ended from outside, maybe within a scope: nothing of it is touched any more. */
void lz_library_abandon(void);

#endif
