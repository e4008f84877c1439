/*
 * why_ask.h — inside explore/: how many futures of an instant fail.
 *
 * A future has all chance from the instant on drawn anew. Beside that some draws of the past may be
 * made anew by themselves, with the number that the same future would give them, or one planned
 * fault be left out.
 */
#ifndef LZ_EXPLORE_WHY_ASK_H
#define LZ_EXPLORE_WHY_ASK_H

#include "explore/why.h"
#include "sim/draw_watch.h"

/* Draws that are made anew, of those at one instant, or as the world is built (LZ_WHY_BUILT). */
struct lz_why_anew {
    int64_t at;
    const struct lz_draw_watch_id *ids;
    size_t count;
};

struct lz_why_question {
    struct lz_why_point *points; /* `at` is given; the counts are added to */
    size_t count;
    const struct lz_why_anew *anew; /* NULL: none */
    size_t without;                 /* a fault, from 1; 0: none */
};

/* In a child: the run again as it was, leaving a brief; what is watched of it is the caller's. */
struct lz_worker_run_opts lz_why_again(const struct lz_why_opts *opts);

/* False: no child could be made. */
bool lz_why_ask(const struct lz_why_opts *opts, const struct lz_why_question *question, int *signal,
                struct lz_err *err) LZ_MUST_CHECK;

/* Whether enough of them held. */
bool lz_why_is_open(const struct lz_why_point *p);

/*
 * Of a run that is watched: which instant it is at. Its `prepare` and `begin` are called by the
 * worker's callbacks of the same meaning.
 */
struct lz_why_clock {
    const int64_t *now; /* NULL while the world is built */
};

static inline bool lz_why_clock_is_at(const struct lz_why_clock *clock, int64_t at)
{
    return at == (clock->now != NULL ? *clock->now : LZ_WHY_BUILT);
}

#endif
