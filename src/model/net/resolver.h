/*
 * resolver.h — caches between callers and names; for model/ only.
 *
 * An edge to a name is one edge to each of its answers, one behind the other, and which of them
 * a call takes is asked of the call's *resolver* when an attempt begins. The users of a traffic
 * source stand behind many resolvers (`resolvers`; a request belongs to one by its own draw), as
 * people stand behind those of their providers; each replica of a service has one of its own.
 *
 *            good ──TTL──▶ run out ──asked──▶ asking ──took──▶ good
 *                             │ a resolver that ignores the TTL answers on from here
 *                             └──── until its own time is over, at most stale_at_most
 *
 * A resolver that honours the TTL asks the name's servers again with the first request after it
 * has run out, and requests that come meanwhile wait for the same lookup. One that does not keeps
 * every answer for a time of its own, drawn once, even between the TTL and `stale_at_most`.
 * That there is no answer is kept too (negative caching, RFC 2308). Before the run begins every
 * resolver has asked, at any time within the time it keeps an answer.
 */
#ifndef LZ_MODEL_NET_RESOLVER_H
#define LZ_MODEL_NET_RESOLVER_H

#include "model/client/client_state.h"
#include "model/client/edge.h"

/* Edges from opts->from to every answer of the name opts->to; `id` is the first of them. */
bool lz_resolver_edges(struct lz_world *w, const struct lz_edge_opts *opts, lz_edge_id *id,
                       struct lz_err *err) LZ_MUST_CHECK;

enum lz_resolved {
    LZ_RESOLVED,   /* c->edge leads to the answer */
    LZ_RESOLVING,  /* wait until `*until` and ask by lz_resolver_told */
    LZ_UNRESOLVED, /* there is no answer */
    LZ_NOWHERE,    /* there is one, where nobody listens */
};

/* An attempt begins over an edge with a name. */
enum lz_resolved lz_resolver_ask(struct lz_world *w, struct lz_call *c, lz_time *until);

/* Its edge has a name: do packets of its go elsewhere by now? (anycast.h) */
bool lz_resolver_moved(struct lz_world *w, const struct lz_call *c);

/* The lookup it waited for is over. */
enum lz_resolved lz_resolver_told(struct lz_world *w, struct lz_call *c);

#endif
