/*
 * volume.h — the files of one node's database, on a disk that may not keep them.
 *
 * SQLite writes its database and its write-ahead log here, through the file methods it knows. What
 * it reads is what it wrote: the system's cache has it. What is there after the power was lost
 * may be less, and that is the *shadow*: for each sector whose content on the platter differs from
 * what the system shows, what the platter has.
 *
 *   write ──▶ the system has it ──flush──▶ the platter has it
 *     lies        the flush says it has, and has not: until an honest one
 *     loses       the write never gets there
 *     misdirects  it gets to another place of the same file
 *     tears       (at the loss of power) the latest write is there to its half
 *
 * Without faults there is no shadow and a write is a copy. SQLite's calls take no virtual time, so
 * power is never lost in the middle of one: what is half done is what a fault made so.
 *
 * Errors SQLite gets are its own (SQLITE_IOERR, SQLITE_FULL), when the disk's model (node/disk.h)
 * has refused the operation: `failure` is armed for the next statement, whose writes then fail.
 */
#ifndef LZ_MODEL_DATA_SQL_VOLUME_H
#define LZ_MODEL_DATA_SQL_VOLUME_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define LZ_VOLUME_SECTOR 512u
#define LZ_VOLUME_NAME "database"
#define LZ_VOLUME_BYTES_MAX ((sqlite3_int64)1 << 32) /* of one file */

enum lz_volume_kind { LZ_VOLUME_MAIN, LZ_VOLUME_LOG, LZ_VOLUME_JOURNAL, LZ_VOLUME_FILES };

struct lz_volume_data {
    unsigned char *bytes;
    size_t size, cap;
    bool exists;
};

/* What becomes of one write. */
struct lz_volume_fate {
    bool lies, loses, tears, misdirects;
    double where; /* misdirected: to which place, a share of the file */
};

struct lz_volume {
    struct lz_arena *arena;
    struct lz_volume_data files[LZ_VOLUME_FILES];
    struct lz_shadow *shadow; /* NULL: the platter has what the system shows */
    int failure;              /* SQLITE_...: of writes and flushes; 0: none */
    /* The disk's word on each write; NULL: all is well. `nth` counts writes of this volume. */
    struct lz_volume_fate (*fate)(void *ctx, uint64_t nth);
    void *ctx;
    uint64_t writes;
};

void lz_volume_init(struct lz_volume *v, struct lz_arena *arena);
void lz_volume_finish(struct lz_volume *v);

/* Equal to `from`, and wholly on the platter. No connection may be open on `v`. */
void lz_volume_copy(struct lz_volume *v, const struct lz_volume *from);

/* The power is lost: what the platter has is what there is. No connection may be open. */
void lz_volume_lose_power(struct lz_volume *v);

size_t lz_volume_bytes(const struct lz_volume *v);

/* For library.c. */
int lz_volume_file_size(void);
int lz_volume_open(struct lz_volume *v, sqlite3_file *file, int flags, int *out);
int lz_volume_delete(struct lz_volume *v, const char *name);
bool lz_volume_has(const struct lz_volume *v, const char *name);

#endif
