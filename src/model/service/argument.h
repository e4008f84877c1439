/*
 * argument.h — what a call carries to the server beside its key, and what an answer brings back.
 *
 * Most calls carry nothing. One that writes carries what it writes; one that speaks SQL its
 * statement and values; an answer may bring rows. That is a block of bytes whose meaning is
 * between caller and server. The model keeps it alive: the call holds it until it has ended (it
 * may be sent again), each task until it is gone, and whoever else calls `keep`.
 *
 * Which call or task has which block stands beside them, in tables that exist once a block does:
 * worlds without pay nothing.
 *
 *   begin (argument) ──▶ call ──▶ task ──▶ the server reads lz_argument_of
 *                                  │  lz_argument_answer
 *   result.answer   ◀── call ◀─────┘     valid while the owner is told; `keep` makes it last
 *
 * Errors: none; memory is the world's budget.
 */
#ifndef LZ_MODEL_SERVICE_ARGUMENT_H
#define LZ_MODEL_SERVICE_ARGUMENT_H

#include "model/value.h"
#include "model/world.h"

typedef uint32_t lz_argument_id; /* 0: none */

struct lz_call;
struct lz_task;

/* A block of `size` bytes, copied from `bytes` unless that is NULL: then they are zero. Held once.
 */
lz_argument_id lz_argument_make(struct lz_world *w, const void *bytes, uint32_t size);
void lz_argument_keep(struct lz_world *w, lz_argument_id id); /* of 0: nothing */
void lz_argument_drop(struct lz_world *w, lz_argument_id id);

/* NULL for 0. Aligned for anything. */
void *lz_argument_bytes(const struct lz_world *w, lz_argument_id id, uint32_t *size);

/* The most common block: one value. */
lz_argument_id lz_argument_value(struct lz_world *w, lz_value v);
lz_value lz_argument_to_value(const struct lz_world *w, lz_argument_id id); /* of 0: nothing */

/* A number beside it, which is not what it carries but what its bearer shows for it (fence.h); 0:
 * none. It goes with it, and ends with it. */
void lz_argument_stamp(struct lz_world *w, lz_argument_id id, uint64_t stamp);
uint64_t lz_argument_stamp_of(const struct lz_world *w, lz_argument_id id); /* of 0: none */

/* What a task has brought; 0: nothing. It stays the task's. */
lz_argument_id lz_argument_of(const struct lz_world *w, const struct lz_task *t);

/* What its answer takes back, in place of what it had; the task holds it in the caller's stead. */
void lz_argument_answer(struct lz_world *w, const struct lz_task *t, lz_argument_id id);

/* For client.c and task.c. Each keeps it for its own; what has none costs a look at a pointer. */
void lz_argument_give_call(struct lz_world *w, const struct lz_call *c, lz_argument_id id);
void lz_argument_give_task(struct lz_world *w, const struct lz_task *t, lz_argument_id id);
lz_argument_id lz_argument_of_call(const struct lz_world *w, const struct lz_call *c);
lz_argument_id lz_argument_answered(const struct lz_world *w, const struct lz_task *t);
void lz_argument_call_ended(struct lz_world *w, const struct lz_call *c);
void lz_argument_task_ended(struct lz_world *w, const struct lz_task *t);

size_t lz_arguments_bytes(const struct lz_world *w);

#endif
