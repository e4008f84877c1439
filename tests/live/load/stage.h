/*
 * stage.h — a live run without one: the loop and a world, and what was told to it.
 *
 * Implements the part of live.h that load and probes call, so that they are tested without a
 * scenario, programs or proxies. What they said is in `said`, a line each.
 */
#ifndef LZ_TESTS_LIVE_LOAD_STAGE_H
#define LZ_TESTS_LIVE_LOAD_STAGE_H

#include "live/live.h"
#include "live/loop.h"

struct lz_live {
    struct lz_loop *loop;
    struct lz_arena *arena;
    struct lz_world *world;
    int64_t began_ns; /* the clock's, at the world's time 0; 0: it has not begun */
    char said[4096];
    double value; /* of the last query that had one */
    int queried, unanswered;
};

struct lz_live *stage_make(lz_time end);
void stage_begin(struct lz_live *live);
void stage_free(struct lz_live *live);

/* Turn the loop until `*flag` is at least `wanted`, for a minute at most. */
void stage_wait(struct lz_live *live, const int *flag, int wanted);
void stage_run_for(struct lz_live *live, int64_t ns);

#endif
