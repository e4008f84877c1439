/*
 * stream.h — answers that are passed on while they arrive.
 *
 * By default a server reads the whole of an answer before it goes on (store and forward). A call
 * that streams ends for its caller with the first segment of a long answer: the caller goes on,
 * answers in its turn, and the rest passes through it. Its own answer is there when both its own
 * transfer and the one it passes on are through:
 *
 *   upstream    first ────────────────── last
 *   caller        └─ goes on, answers       │ one message more
 *   downstream         first ────── half ───┴─ last
 *
 * The connection upstream is held until the last byte, and its timeout goes on. Where it breaks
 * after the first byte, nothing is tried again: what was passed on is cut short, and whoever reads
 * it sees a reset, as behind nginx or Envoy. Where nobody reads on, what is upstream is given up.
 *
 * An answer of one flight (14,600 bytes) has no first byte before the last. For traffic, `stream`
 * measures first_byte. Legs of a call that is made several times are waited for as a whole, so an
 * edge either streams or has legs. Worlds without such edges pay a look at a pointer.
 */
#ifndef LZ_MODEL_CLIENT_STREAM_H
#define LZ_MODEL_CLIENT_STREAM_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

bool lz_stream_check(const struct lz_edge_opts *o, struct lz_err *err) LZ_MUST_CHECK;
void lz_stream_declare(struct lz_world *w); /* an edge streams */

/* The event of an answer's first segment, 0 if it does not matter. */
lz_kind lz_stream_first_kind(const struct lz_world *w, const struct lz_edge *e);

/* When the first byte of the answer to that call came; 0: with the last. */
lz_time lz_stream_first_at(const struct lz_world *w, const struct lz_call *c);

/* A call whose owner has gone on (LZ_OWNER_STREAM) has ended; its owner was the task `id`. */
void lz_stream_ended(struct lz_world *w, lz_task_id id, const struct lz_call_result *result);

/* For task.c: the event by which the answer arrives that still waits for what it passes on. */
lz_kind lz_stream_half_kind(struct lz_world *w, const struct lz_task *t, lz_kind answer);

/* Has what it passes on broken? Then it is not answered but reset. */
bool lz_stream_is_broken(const struct lz_world *w, const struct lz_task *t);

/* The task, or the call, is gone. */
void lz_stream_task_gone(struct lz_world *w, const struct lz_task *t);
void lz_stream_call_gone(struct lz_world *w, const struct lz_call *c);

#endif
