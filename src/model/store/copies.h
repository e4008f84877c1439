/*
 * copies.h — one key in several copies, which hear of its writes at different times.
 *
 * A write is sent to all copies at once and is committed when `w` of them have confirmed; a read
 * asks all and takes the newest of the first `r` answers (DeCandia et al., "Dynamo", SOSP 2007).
 * Each message takes its own time: W to a copy, A back, R to a copy, S back (Bailis et al.,
 * "Probabilistically Bounded Staleness", VLDB 2012: the WARS model). With r + w > n a read sees the
 * latest committed write.
 *
 * What cannot reach a copy now is *held* for it, if somebody holds hints (hinted handoff), and is
 * sent when it can be reached again; else the copy misses it until a read repairs it or a later
 * write comes.
 *
 * Versions are the order of writes: the highest wins (last writer wins). Of each key the latest
 * eight writes are known one by one; a copy that has missed more has the latest before them that
 * it got.
 */
#ifndef LZ_MODEL_STORE_COPIES_H
#define LZ_MODEL_STORE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/dist.h"
#include "sim/time.h"

#define LZ_COPIES_MAX 7
#define LZ_COPIES_RECENT 8

struct lz_copies_opts {
    uint32_t n, w, r;
    bool propagates;  /* a write goes to all, not only to as many as it waits for */
    bool read_repair; /* copies that a read finds old are sent the newest */
    bool hints;       /* what cannot be sent is held; sloppy: whoever holds it confirms */
};

/* One write. */
struct lz_copies_write {
    uint64_t version, value;
    lz_time committed;
    lz_time arrives[LZ_COPIES_MAX]; /* LZ_FOREVER: not yet, or never */
    uint8_t held;                   /* a bit for each copy that it is held for */
};

struct lz_copies {
    struct {
        uint64_t version, value;
    } have[LZ_COPIES_MAX]; /* of what is not among the recent */
    struct lz_copies_write recent[LZ_COPIES_RECENT];
    uint32_t count, next; /* a ring */
};

/*
 * Times of the messages of one operation, by copy; below 0: it cannot be reached. Of a write that
 * another node takes in its stead, there is a way back alone: the whole of that node's.
 */
struct lz_copies_times {
    lz_time there[LZ_COPIES_MAX], back[LZ_COPIES_MAX];
};

/* What a read saw. */
struct lz_copies_seen {
    uint64_t version, value; /* 0: nothing */
    lz_time wait;            /* until the r-th answer; LZ_FOREVER: there are too few */
    bool is_stale;           /* it missed a write that was committed when it began */
};

/* How long until it is committed; LZ_FOREVER: too few can be reached, and nothing was written. */
lz_time lz_copies_put(const struct lz_copies_opts *o, struct lz_copies *c,
                      const struct lz_copies_write *write, const struct lz_copies_times *times,
                      lz_time now);

struct lz_copies_seen lz_copies_get(const struct lz_copies_opts *o, struct lz_copies *c,
                                    const struct lz_copies_times *times, lz_time now);

/* The copy can be reached again: what was held for it comes `after`. False if nothing was. */
bool lz_copies_deliver(struct lz_copies *c, uint32_t copy, lz_time arrives);

/* The latest version that was committed by then, and that one copy has. */
uint64_t lz_copies_committed(const struct lz_copies *c, lz_time now);
uint64_t lz_copies_at(const struct lz_copies *c, uint32_t copy, lz_time now, uint64_t *value);

#endif
