/*
 * snapshots.h — copies of worlds that sleep, as many as a budget of memory allows.
 *
 * Going back wakes the nearest copy before an instant and runs on from there, so what counts is the
 * largest *gap*: the events between two copies that follow each other in a history (past.h). A copy
 * is taken after LZ_SNAPSHOTS_EVENTS events at the latest, sooner where they have taken
 * LZ_SNAPSHOTS_WORK of processor time, every LZ_SNAPSHOTS_TIME where little happens, and around
 * each line that was typed. Where they lie depends on the machine, then; what a world is when it is
 * woken does not. When they take more than the budget, the one goes that leaves the smallest gap,
 * and so on until they take an eighth less: whatever the budget and whatever way was gone back and
 * forth, gaps stay within a factor of two of each other. The first of each world and the latest
 * never go.
 *
 * A copy is measured (memory.h) when the next one is taken, for then it no longer grows by what the
 * world writes; all are measured again when the sum reaches the budget, because the pages of one
 * that goes fall to its neighbours.
 *
 * A descriptor each: LZ_SNAPSHOTS_MAX, whatever the budget.
 */
#ifndef LZ_REPL_SNAPSHOTS_H
#define LZ_REPL_SNAPSHOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "repl/memory.h"
#include "sim/time.h"

#define LZ_SNAPSHOTS_EVENTS 50000u
#define LZ_SNAPSHOTS_WORK (12 * LZ_MS) /* of a processor; to make a copy takes some 2 */
#define LZ_SNAPSHOTS_TIME (10 * LZ_S)
#define LZ_SNAPSHOTS_EVENTS_MIN 2000u /* a copy for less is not worth it */
#define LZ_SNAPSHOTS_MAX 600u
#define LZ_SNAPSHOTS_BUDGET (512u << 20)

struct lz_snapshot {
    int line;
    pid_t pid;
    uint32_t node; /* of its history, see tree.h */
    lz_time at;
    uint64_t events, order;
    bool is_first; /* of a world: without it there is no way back */
    size_t bytes;
};

struct lz_snapshots {
    struct lz_snapshot *all; /* by order */
    uint32_t count, cap;
    size_t budget_bytes; /* 0 means LZ_SNAPSHOTS_BUDGET */
};

void lz_snapshots_finish(struct lz_snapshots *s); /* their worlds end */
void lz_snapshots_add(struct lz_snapshots *s, const struct lz_snapshot *one);
void lz_snapshots_forget(struct lz_snapshots *s, uint32_t i);

/* The same, but its process does not end yet: its line, for the caller to close. */
int lz_snapshots_release(struct lz_snapshots *s, uint32_t i);

/*
 * Over the budget, forget one after another: `pick` says which is missed least, or the count if
 * none may go.
 */
void lz_snapshots_thin(struct lz_snapshots *s, uint32_t (*pick)(const void *ctx), const void *ctx);

/* What they take as far as it has been measured. */
size_t lz_snapshots_bytes(const struct lz_snapshots *s);

/* Measure all now. */
void lz_snapshots_measure(struct lz_snapshots *s);

#endif
