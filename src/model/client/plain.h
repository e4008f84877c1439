/*
 * plain.h — the usual way of a call, straight on; for model/ only.
 *
 * Most ways to call have a timeout and perhaps retries, and nothing else that could say no, make it
 * several, delay it or measure it: no breaker, budget, hedge, single flight, name, pool, deadline
 * or priority. Most calls find a warm connection to a process that is up, over a link whose delay
 * is certain, and are answered well. These functions do for them what client.c, connect.c, task.c,
 * net.c and span.c do for all: the same draws, the same events in the same order, the same records.
 * What turns out to be otherwise they leave, as it then is, to the function that comes next there.
 *
 * An edge knows whether it is plain (lz_plain_settle, whenever one of these things changes); what
 * holds for the whole world is asked each time, by one look at its `unusual`. What is between two
 * instances a pair of them keeps, for as long as no process and no link of the world has changed
 * (its `ways`): then a message is one event of a line that is known. A call that was sent so keeps
 * the world's `ways`; as long as they are the same, nothing at all has changed, and its arrival,
 * its answer and its end ask nothing else. Whatever could matter to them counts `ways` up.
 * lz_plain_forbid makes every call take the long way: tests/unit/test_plain.c holds the two against
 * each other, event by event.
 */
#ifndef LZ_MODEL_CLIENT_PLAIN_H
#define LZ_MODEL_CLIENT_PLAIN_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

/* Something about the edge has changed. */
void lz_plain_settle(struct lz_world *w, struct lz_edge *e);

/* Before the run: no edge is. */
void lz_plain_forbid(struct lz_world *w);

/* lz_client_begin, for an edge that is plain. */
uint64_t lz_plain_begin(struct lz_world *w, struct lz_edge *e, const struct lz_client_begin *begin);

/* The answer leaves the server that `c` waits for; false: nothing was done. */
bool lz_plain_send_back(struct lz_world *w, const struct lz_call *c, const struct lz_task *t);

/* Since the task's caller has sent it, straight and still waiting for it, nothing has changed. */
static inline bool lz_plain_is_on_its_way(const struct lz_world *w, const struct lz_task *t)
{
    const struct lz_call *c = lz_hop_call(t);
    return c->ways == w->ways;
}

/* Its answer leaves the server. */
static inline void lz_plain_send_on(struct lz_world *w, const struct lz_task *t)
{
    const struct lz_call *c = lz_hop_call(t);
    LZ_ASSERT(c->ways == w->ways);
    lz_sim_after(w->sim, c->pair->line_back, c->pair->answer, c->client, c->task);
}

/* It is here, and a good one. */
void lz_plain_ended(struct lz_world *w, struct lz_task *t);

/* The answer to the attempt under way is here; false: nothing was done. */
bool lz_plain_answered(struct lz_world *w, struct lz_call *c, const struct lz_task *t);

/* Nobody in this world asks for tokens, or sends anything along. */
static inline bool lz_plain_is_possible(const struct lz_world *w, const struct lz_edge *e)
{
    return e->is_plain && (w->unusual & (LZ_UNUSUAL_AUTHS | LZ_UNUSUAL_ARGUMENTS)) == 0;
}

/* lz_client_begin, which finds out for itself what is plain, without going there. */
static inline uint64_t lz_plain_call(struct lz_world *w, const struct lz_client_begin *begin)
{
    struct lz_edge *e = lz_edge_get(w, begin->edge);
    return lz_plain_is_possible(w, e) ? lz_plain_begin(w, e, begin) : lz_client_begin(w, begin);
}

/* Its messages are of one segment each: how many bytes they have need not be asked. */
static inline bool lz_plain_is_small(const struct lz_world *w, const struct lz_edge *e)
{
    return e->is_small || !((const struct lz_calls_face *)w->calls)->has_long;
}

#endif
