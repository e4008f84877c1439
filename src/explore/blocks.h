/*
 * blocks.h — parts of a sweep as files, and a whole made of them.
 *
 * A file of a part (.lzsweep, a SQLite database) holds what it was asked for and a brief of every
 * run: enough to count as if all had been run in one place, in the order of seeds. Parts of other
 * engines, scenario texts or seeds are refused; what is missing is counted.
 *
 *   part      schema, version, engine, first, last, shard, shards: the whole's seeds, this part
 *   scenario  path, text_hash
 *   kase      scenario, name, xfail: in order; `name` is as --case takes it
 *   run       kase, seed, is_saved, brief
 */
#ifndef LZ_EXPLORE_BLOCKS_H
#define LZ_EXPLORE_BLOCKS_H

#include "explore/sweep.h"

#define LZ_BLOCKS_SCHEMA "lorenz.sweep-part/2"

/* What a part collects while it runs. */
struct lz_blocks_part;
struct lz_blocks_part *lz_blocks_begin(void);
void lz_blocks_keep(struct lz_blocks_part *part, const struct lz_sweep_kept *kept);

/* Write it, whole or not at all, and free it; with `path` NULL only the latter. */
bool lz_blocks_end(struct lz_blocks_part *part, const struct lz_sweep_opts *opts, const char *path,
                   struct lz_err *err) LZ_MUST_CHECK;

/* A whole, made of parts. Its suite has paths and cases, but no texts. */
struct lz_blocks_whole {
    struct lz_suite *suite;
    struct lz_sweep sweep;
    uint64_t missing; /* runs */
    size_t parts;     /* read, of `shards` */
    uint32_t shards;
};

/* Read and count. LZ_EINVAL: a file is no part, or they are of different wholes. */
bool lz_blocks_merge(const char *const *paths, size_t count, double confidence, double max_rate,
                     struct lz_blocks_whole *out, struct lz_err *err) LZ_MUST_CHECK;
void lz_blocks_finish(struct lz_blocks_whole *whole);

#endif
