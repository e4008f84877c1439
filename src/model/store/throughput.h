/*
 * throughput.h — how much a store lets through: buckets of units, for the whole and for each part.
 *
 * A bucket gains `rate` units a second and holds as many as it may save up. What is asked for is
 * taken from the bucket of the whole (what was provisioned) and from that of the part the key is
 * in (what one partition or one prefix can do); if either lacks it, nothing is taken, and the
 * request is refused.
 *
 * DynamoDB: a partition does 1,000 writes and 3,000 reads a second ("Partitions and data
 * distribution", AWS' developer guide); a table saves up to 300 s of what it did not use ("Burst
 * and adaptive capacity"). Adaptive: a partition may take all that the table has, up to its own
 * limit; without, its share of it.
 * S3: 3,500 PUT and 5,500 GET a second and prefix ("Optimizing Amazon S3 performance").
 */
#ifndef LZ_MODEL_STORE_THROUGHPUT_H
#define LZ_MODEL_STORE_THROUGHPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "sim/time.h"

struct lz_throughput_opts {
    uint32_t parts;      /* partitions or prefixes; 0 means 1 */
    double part_rate[2]; /* units per second of each, by enum lz_throughput_way */
    double rate[2];      /* of all of them together; 0: no limit */
    double saved_s;      /* seconds of it that may be saved up; below 1 means 1 */
    bool adaptive;       /* a part may take all of it; else its share */
};

enum lz_throughput_way { LZ_THROUGHPUT_READ, LZ_THROUGHPUT_WRITE };

struct lz_throughput;

struct lz_throughput *lz_throughput_create(struct lz_arena *arena,
                                           const struct lz_throughput_opts *opts);

uint32_t lz_throughput_part(const struct lz_throughput *t, uint64_t key);

/* Take so many units, or none: false. */
bool lz_throughput_take(struct lz_throughput *t, uint64_t key, enum lz_throughput_way way,
                        double units, lz_time now);

#endif
