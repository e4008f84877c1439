/*
 * acts.h — what is done to real programs, one after another, while the loop goes on.
 *
 * Before anything is done its undoing is on the disk (undo.h), and a disk can take a second for
 * that. Who carries out a fault has to wait for it; the loop must not, or the requests of that
 * second were late and the run would measure its own disk.
 *
 * So acts run in a thread of their own, but never beside the loop: of the two only one runs at a
 * time, and they hand over like a baton. An act that waits for the disk gives it back.
 *
 *   loop ──do──▶ act runs ──sync──▶ loop goes on     fsync, in the act's thread
 *                              ▲                          │ eventfd
 *                              └──── act goes on ◀────────┘
 *
 * Nothing is therefore locked, and an act may use all that the loop may. What it looked at before
 * it waited may have changed when it goes on: a program may have ended.
 *
 *   (1) Acts begin in the order in which they were handed in, each when the one before is over.
 *   (2) One that is handed in by another act is part of that: it runs at once.
 *   (3) Processes that acts start live as long as the thread (PR_SET_PDEATHSIG is about it):
 * destroy comes after they have been ended.
 */
#ifndef LZ_LIVE_ACTS_H
#define LZ_LIVE_ACTS_H

#include "live/loop.h"

struct lz_acts;

typedef void lz_acts_fn(void *ctx);

bool lz_acts_create(struct lz_loop *loop, struct lz_acts **out, struct lz_err *err) LZ_MUST_CHECK;

/* All must be over: lz_acts_drain. NULL is allowed. */
void lz_acts_destroy(struct lz_acts *acts);

/* Run `fn`: now as far as its first wait for the disk, or later, if another one waits. */
void lz_acts_do(struct lz_acts *acts, lz_acts_fn *fn, void *ctx);

/* Bring a file to the disk, as fsync() does: 0 or an errno. Outside of an act it blocks. */
int lz_acts_sync(void *acts, int fd);

/* Does one wait for the disk just now? Who would disturb it looks again later. */
bool lz_acts_are_waiting(const struct lz_acts *acts);

/* Blocks until all are over. NULL is allowed. */
void lz_acts_drain(struct lz_acts *acts);

#endif
