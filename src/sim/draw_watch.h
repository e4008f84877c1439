/*
 * draw_watch.h — who looks at draws as they are made, and may have one made anew.
 *
 * A draw is a number of (run key, owner, purpose, counter), so one of them can be taken under
 * another key while all others stay what they were. That is how `lorenz why` asks which draw
 * decided. A watch is told
 *
 *   owner    how a path came to be, so that it can be told by its names
 *   key      a draw begins; what is returned is the key it is made with
 *   number   each number it yields
 *   duration what a distribution made of the numbers since the last one: a duration
 *
 * There is one watch for the process, for a draw knows no simulation; it is set before the world is
 * built. Nobody watching costs a draw a comparison.
 */
#ifndef LZ_SIM_DRAW_WATCH_H
#define LZ_SIM_DRAW_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lz_draw_watch_id {
    uint64_t owner, counter;
    unsigned purpose; /* enum lz_purpose */
};

enum lz_draw_watch_path {
    LZ_DRAW_WATCH_NAME = 1, /* `from` and `name` */
    LZ_DRAW_WATCH_INDEX,    /* `from` and `index` */
    LZ_DRAW_WATCH_PAIR,     /* from one path, `from`, to another, `index` */
    LZ_DRAW_WATCH_JOIN,     /* what `from` does by `index`, a path too */
    LZ_DRAW_WATCH_MESSAGES, /* between instances, `from` >> 32 and its lower half */
};

struct lz_draw_watch_owner {
    enum lz_draw_watch_path kind;
    uint64_t path, from, index;
    const char *name;
};

struct lz_draw_watch {
    void *ctx;
    void (*owner)(void *ctx, const struct lz_draw_watch_owner *owner);
    uint64_t (*key)(void *ctx, const struct lz_draw_watch_id *id, uint64_t key);
    void (*number)(void *ctx, const struct lz_draw_watch_id *id, uint64_t bits);
    void (*duration)(void *ctx, int64_t ns);
};

extern const struct lz_draw_watch *lz_draw_watch_now; /* NULL: nobody */

static inline bool lz_draw_watch_is_on(void)
{
    return __builtin_expect(lz_draw_watch_now != NULL, 0) != 0;
}

void lz_draw_watch_owner(enum lz_draw_watch_path kind, uint64_t from, uint64_t index,
                         const char *name, uint64_t path);
void lz_draw_watch_duration(int64_t ns);

/* "service time", "network, back", ...: what draws of a purpose are for. */
const char *lz_draw_watch_purpose(unsigned purpose);

#endif
