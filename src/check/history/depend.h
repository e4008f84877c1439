/*
 * depend.h — a graph of which transaction must come before which, and its cycles.
 *
 * After Adya (1999) and Elle (Kingsbury and Alvaro, VLDB 2020):
 *
 *   ww  the second overwrote what the first wrote
 *   wr  the second read what the first wrote
 *   rw  the second overwrote what the first read (an anti-dependency)
 *   session   the second came later in the same process
 *   realtime  the second was invoked after the first had completed
 *
 * A cycle is named by its edges: G0 has only ww; G1c ww and wr; G-single one rw;
 * G-nonadjacent several rw, no two in a row; G2-item several rw. With a session or a realtime
 * edge that it cannot do without, "-process" or "-realtime" is added.
 */
#ifndef LZ_CHECK_HISTORY_DEPEND_H
#define LZ_CHECK_HISTORY_DEPEND_H

#include <stdbool.h>
#include <stdint.h>

#include "check/history/history.h"

enum lz_depend_kind {
    LZ_DEPEND_WW = 1u << 0,
    LZ_DEPEND_WR = 1u << 1,
    LZ_DEPEND_RW = 1u << 2,
    LZ_DEPEND_SESSION = 1u << 3,
    LZ_DEPEND_REALTIME = 1u << 4,
};

struct lz_depend_edge {
    uint32_t from, to; /* nodes: indices of operations of the history */
    uint32_t kind;
    lz_atom key, value; /* what it is about; 0: nothing */
};

struct lz_depend {
    const struct lz_history *h;
    struct lz_depend_edge *edges;
    uint32_t count, cap;
    uint32_t *first; /* by node: its edges are order[first[n]] .. order[first[n + 1]] */
    uint32_t *order;
};

/* The classes of cycles, weakest first. */
enum lz_depend_cycle {
    LZ_DEPEND_G0,
    LZ_DEPEND_G1C,
    LZ_DEPEND_G_SINGLE,
    LZ_DEPEND_G_NONADJACENT,
    LZ_DEPEND_G2_ITEM,
    LZ_DEPEND_CYCLES,
};

void lz_depend_init(struct lz_depend *d, const struct lz_history *h);
void lz_depend_finish(struct lz_depend *d);

/* An edge; one to itself is none. */
void lz_depend_add(struct lz_depend *d, const struct lz_depend_edge *edge);

/* Session edges between successive operations that did not fail; realtime edges, reduced. */
void lz_depend_add_sessions(struct lz_depend *d);
void lz_depend_add_realtime(struct lz_depend *d);

/* After the last edge. */
void lz_depend_arrange(struct lz_depend *d);

/*
 * Is there a cycle of `class`? `with`: 0, or SESSION or SESSION | REALTIME, kinds it may use
 * beside those of its class, one at least. Its edges, in order, are given to `cycle` (at most
 * `max`); returns how many there are, 0 if there is no such cycle.
 */
uint32_t lz_depend_find(const struct lz_depend *d, enum lz_depend_cycle class, uint32_t with,
                        struct lz_depend_edge *cycle, uint32_t max);

/* Any cycle of edges of these kinds. */
uint32_t lz_depend_find_any(const struct lz_depend *d, uint32_t kinds, struct lz_depend_edge *cycle,
                            uint32_t max);

const char *lz_depend_name(enum lz_depend_cycle class);

/* Each operation, and why it comes before the next. */
void lz_depend_explain(const struct lz_depend *d, const struct lz_depend_edge *cycle,
                       uint32_t count, struct lz_str *out);

#endif
