/*
 * subset.h — which runs of a listed suite take place, and in which order.
 *
 *   names     -k: over a scenario's path, its sentence and its case ("retries=3"); a word is
 *             any part of one of them, capitals or not
 *   tags      -t: over its tags; a word is a whole tag. Any of several expressions will do
 *   failed    --lf: only what failed last time, --ff: that first
 *   saved     seeds that failed once and are kept (seeds.h) come before everything else
 *   shard     --shard I/N: of the runs that are left, in order, every N-th from the I-th
 *
 * A scenario that does not load stays, whatever was asked for: nobody knows what it is. What
 * failed last is in `.lorenz/last-failed`: a line for each, its path and, after a tab, its case.
 */
#ifndef LZ_EXPLORE_SUBSET_H
#define LZ_EXPLORE_SUBSET_H

#include "explore/match.h"
#include "explore/suite.h"

#define LZ_SUBSET_TAGS_MAX 16
#define LZ_SUBSET_SHARDS_MAX 100000

enum lz_subset_failed { LZ_SUBSET_ALL, LZ_SUBSET_FAILED_ONLY, LZ_SUBSET_FAILED_FIRST };

struct lz_subset {
    struct lz_match *names; /* NULL: all */
    struct lz_match *tags[LZ_SUBSET_TAGS_MAX];
    size_t tag_count;
    enum lz_subset_failed failed;
    uint32_t shard, shards; /* from 1; 0, 0: all */
};

void lz_subset_finish(struct lz_subset *subset);

/* By names, tags and what failed last; `path` is that file. `told` is given a sentence if
   --lf found nothing to go by. LZ_EIO: the file cannot be read. */
bool lz_subset_apply(const struct lz_subset *subset, struct lz_suite *suite, const char *path,
                     struct lz_str *told, struct lz_err *err) LZ_MUST_CHECK;

/* Put runs of saved seeds first: each with that seed, of the case of that run, in its manner. */
struct lz_subset_saved {
    uint64_t seed;
    size_t run;
    struct lz_manner manner;
};
void lz_subset_saved_first(struct lz_suite *suite, const struct lz_subset_saved *saved,
                           size_t count);

/* Only the runs of this shard. */
void lz_subset_shard(const struct lz_subset *subset, struct lz_suite *suite);

/*
 * Write down what failed: `has_failed` is asked about each run of the suite (below 0: it did not
 * take place, and what is known of it stays). What is known of other scenarios stays too.
 */
bool lz_subset_remember(const struct lz_suite *suite, const char *path,
                        int (*has_failed)(const void *ctx, size_t run), const void *ctx,
                        struct lz_err *err) LZ_MUST_CHECK;

#endif
