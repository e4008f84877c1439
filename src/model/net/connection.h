/*
 * connection.h — connections one by one: pools, ages, what breaks them; for model/ only.
 *
 * Most ways to call need no more than connect.h's one idea per pair of instances: as many warm
 * connections as it takes. A way is *tracked*, each connection being a thing of its own, if it
 *
 *   has a `pool`                 at most so many for each calling instance, over all it calls
 *   carries long messages        each connection's window grows and shrinks by itself
 *   is hit by a fault that acts  reset, limit_data, slow_close: on what is open then, and later
 *   on connections
 *
 *   (nothing) ──open──▶ OPENING ──handshake──▶ BUSY ◀──▶ IDLE
 *                          │                    │          │
 *                          └─ refused, timeout ─┴──────────┴─ too old, idle too long, evicted, cut
 *                                                 ▼
 *                                               closed
 *
 * One request at a time is on a connection (HTTP/1.1, database protocols). After a timeout its
 * answer may still come, so the connection is closed. The latest that became idle is used
 * first; too old ones are closed as they are met. A session's connection stays its own between its
 * calls, HELD: nobody else finds it. Who finds all in use waits in line, and takes none of a
 * server's limited number meanwhile; who finds all open, but none to its replica, has the one
 * closed that idled longest. Who is new (an edge's `fresh`) opens one of its own, beside the pool
 * and its `max`, which is closed after its answer.
 *
 * Ownership: all in the arena. `lz_call`s know theirs by an array beside them, so that ways that
 * are not tracked pay nothing.
 */
#ifndef LZ_MODEL_NET_CONNECTION_H
#define LZ_MODEL_NET_CONNECTION_H

#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/net/link.h"
#include "model/net/net.h"

void lz_connections_init(struct lz_world *w);

/* From now on each connection of the edge is a thing of its own. Nothing, if they are already. */
void lz_connection_track(struct lz_world *w, struct lz_edge *e);

/* For connect.c: find, open or wait for one; the handshake is through. */
void lz_connection_begin(struct lz_world *w, struct lz_edge *e, struct lz_call *c);
void lz_connection_opened(struct lz_world *w, struct lz_edge *e, struct lz_call *c);

/*
 * Before a server with a limited number of connections is asked for one: all of the caller's own
 * are in use, and the call has got in line; lz_client_reach when there is one. Else false. While it
 * then waits for one of the server's, `asks` and `asked` hold one of its own for it.
 */
bool lz_connection_stands_in_line(struct lz_world *w, struct lz_edge *e, struct lz_call *c);
void lz_connection_asks(const struct lz_world *w, struct lz_edge *e, const struct lz_call *c);
void lz_connection_asked(const struct lz_world *w, struct lz_edge *e, const struct lz_call *c);

/*
 * The call is done with its connection, or with waiting for one; `is_clean` if it was
 * answered. Returns how long a closed one lingers at the server, if a fault says so.
 */
lz_time lz_connection_release(struct lz_world *w, struct lz_edge *e, const struct lz_call *c,
                              bool is_clean);

/* A place among a server's limited connections is free after so long. */
void lz_connection_let_go(struct lz_world *w, lz_component_id component, lz_time after);

/* After a release: those in line may go on. */
void lz_connection_next(struct lz_world *w, struct lz_edge *e, lz_instance_id client);

/* A session is over: another call may have its connection, if it is fit for it. Of 0: nothing. */
void lz_connection_end_session(struct lz_world *w, uint64_t connection, bool is_clean);
/*
 * Whether the server has given something to a call's connection, to be given back when it is
 * closed (closed of lz_server_ops). NULL: its way's connections are not tracked, or it has ended.
 */
bool *lz_connection_backend(struct lz_world *w, uint64_t call);
bool lz_connection_is_open(const struct lz_world *w, uint64_t connection);

/* What the call's connection says of a message that leaves now; it counts its bytes. */
void lz_connection_address(struct lz_world *w, const struct lz_call *c, struct lz_message *m);

/* The client's process has ended: what it had open is closed. Only of a tracked edge. */
void lz_connection_forget(struct lz_world *w, struct lz_edge *e, lz_instance_id client);

/* An edge that was made while faults act on connections. */
void lz_connection_join(struct lz_world *w, struct lz_edge *e);

enum lz_connection_fate {
    LZ_CONNECTION_RESET,   /* after a time, or so many bytes */
    LZ_CONNECTION_CLOSED,  /* after so many bytes */
    LZ_CONNECTION_LINGERS, /* where it is closed, it lasts longer at the server */
    LZ_CONNECTION_TAKEN,   /* of a pool all but `left`; who has one keeps it until it is done */
    LZ_CONNECTION_MARKED,  /* nothing: what they carry may be asked of which one it is */
};

/* Which bytes count: all, or those that go to the second of its ends, or come from there. */
enum lz_connection_way { LZ_CONNECTION_BOTH_WAYS, LZ_CONNECTION_TO, LZ_CONNECTION_FROM };

/* What a fault does to the connections between its ends, whoever opened them. */
struct lz_connection_effect {
    struct lz_link_end from, to;
    enum lz_connection_fate fate;
    lz_time after;              /* of its life, or of the fault's if that began later */
    double bytes;               /* both ways together, or in its direction; 0: no limit */
    enum lz_connection_way way; /* of `bytes` */
    uint32_t response; /* RESET: so many bytes of this answer of it, from 1; 0: of all it carries */
    uint32_t first;    /* RESET: only of the first so many that are opened while it lasts; 0: all */
    uint32_t left;     /* TAKEN: of each calling instance's pool */
    double share;      /* of the connections, each by a draw of its own; 0: all */
    uint64_t path;     /* owner of these draws: the fault's */
    uint64_t *touched; /* connections it met its fate */
};
typedef uint32_t lz_connection_effect_id;

lz_connection_effect_id lz_connection_effect_add(struct lz_world *w,
                                                 const struct lz_connection_effect *effect);
void lz_connection_effect_remove(struct lz_world *w, lz_connection_effect_id id);

/* Whether some instance of the one has a pool of connections to the other. */
bool lz_connection_has_pool(const struct lz_world *w, lz_component_id from, lz_component_id to);

size_t lz_connection_bytes(const struct lz_edge *e); /* of its pool */

#endif
