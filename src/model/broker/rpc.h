/*
 * rpc.h — what clients and nodes of a broker ask of each other; for model/broker/ only.
 *
 * A request goes from an instance to an instance over a connection that is open, and is answered
 * at once or later (a fetch waits for records, a join for others).
 *
 *   SENT ──arrives──▶ THERE ──lz_rpc_answer──▶ ANSWERED ──arrives──▶ ended(ANSWERED)
 *     │                 └─ the process there ends: a reset comes back ──▶ ended(RESET)
 *     ├─ no process there: ──▶ ended(REFUSED)
 *     └─ silence: ──timeout──▶ ended(TIMEOUT); the server does not know, and works on
 *
 * Of a caller whose process has ended nobody is told. `arrived` runs at the server, `ended` at the
 * caller, each never while its process stands still; `dropped` exactly once for each request, when
 * it is over for both, and frees what it says.
 *
 * Requests of a kind that is *in line* (a producer's, of which several are under way) come in the
 * order in which they were sent, as on the one TCP connection that they share, and so do their
 * answers; what was lost on its way holds up what follows. The server takes the next from a
 * connection only when it has answered the one before ("the broker's request processing allows only
 * a single in-flight request per connection", Kafka's protocol guide; SocketServer mutes the
 * channel):
 *
 *   SENT ──arrives──▶ WAITING ──those before it are answered──▶ THERE
 *                        └─ the server has closed the connection: lost
 *
 * Its caller gives a connection up when a request on it has timed out (as NetworkClient does), a
 * reset has come, TCP has given up, or a process at either end is another. Its next request goes
 * over a new one, and an answer over the old is a reset to it; the server works on all the same:
 * what was sent comes before the end of the connection. Of the other kinds there is never more than
 * one under way to a node, or it does not matter which comes first.
 *
 * Opening a connection takes no time of its own: clients keep theirs open, and what a reconnection
 * costs is in their back-off.
 */
#ifndef LZ_MODEL_BROKER_RPC_H
#define LZ_MODEL_BROKER_RPC_H

#include "base/pool.h"
#include "model/net/tcp.h"
#include "model/world.h"

enum lz_rpc_kind {
    LZ_RPC_PRODUCE,  /* producer to leader */
    LZ_RPC_COPY,     /* follower to leader: a fetch */
    LZ_RPC_READ,     /* consumer to leader: a fetch */
    LZ_RPC_GROUP,    /* consumer to coordinator */
    LZ_RPC_ALTER,    /* leader to controller: who is in sync */
    LZ_RPC_NEWS,     /* controller to node: who leads */
    LZ_RPC_MARK,     /* a transaction's coordinator to leader: its end */
    LZ_RPC_WRITE,    /* producer with a transactional id to leader */
    LZ_RPC_TRANSACT, /* the same to its coordinator */
    LZ_RPC_KINDS,
};

enum lz_rpc_end { LZ_RPC_ANSWERED, LZ_RPC_REFUSED, LZ_RPC_RESET, LZ_RPC_TIMEOUT };

/* One direction's connection with all that its draws and windows need. Zero is a fresh one. */
struct lz_rpc_way {
    uint64_t count; /* requests so far */
    lz_tcp_path_id there, back;
    uint32_t line; /* of those in line: its connection; 0: none is open */
};

struct lz_rpc {
    struct lz_pool_head head;
    struct lz_rpc_way *way;
    uint64_t owner; /* of the caller: what `ended` needs */
    uint64_t says;  /* of the request */
    uint64_t path;  /* owner of its draws */
    lz_event_id timeout;
    lz_instance_id from, to;
    uint32_t from_incarnation, to_incarnation;
    uint32_t prev, next; /* those at `to` */
    uint32_t line;       /* its connection, and */
    uint32_t behind;     /* who waits for a turn after it */
    uint64_t turn;
    uint16_t error; /* ANSWERED: what the answer says; 0: all is well */
    uint8_t kind, state;
    bool is_refused;   /* it met no process */
    bool is_forgotten; /* nobody waits for it */
};

struct lz_rpc_ops {
    bool in_line;
    void (*arrived)(struct lz_world *w, struct lz_rpc *r);
    void (*ended)(struct lz_world *w, const struct lz_rpc *r, enum lz_rpc_end how);
    void (*dropped)(struct lz_world *w, struct lz_rpc *r); /* NULL: nothing to free */
};

struct lz_rpc_send {
    enum lz_rpc_kind kind;
    lz_instance_id from, to;
    struct lz_rpc_way *way; /* must outlive it */
    uint64_t owner, says;
    uint64_t path;   /* of the way; the request's is made from it */
    uint64_t bytes;  /* 0: a small one */
    lz_time timeout; /* 0: none, nobody waits for an answer */
};

void lz_rpcs_init(struct lz_world *w);
void lz_rpc_serve(struct lz_world *w, enum lz_rpc_kind kind, const struct lz_rpc_ops *ops);

/* Its id. */
uint64_t lz_rpc_send(struct lz_world *w, const struct lz_rpc_send *send);

/* At the server, once. `r` is no longer there after. */
void lz_rpc_answer(struct lz_world *w, struct lz_rpc *r, uint16_t error, uint64_t bytes);

/* The same, but the connection is closed instead: its caller hears a reset. */
void lz_rpc_close(struct lz_world *w, struct lz_rpc *r);

/* NULL once it is over. */
struct lz_rpc *lz_rpc_find(const struct lz_world *w, uint64_t id);

/* Is it at the server, to be answered? */
bool lz_rpc_is_there(const struct lz_rpc *r);

/* Does its caller still wait? */
bool lz_rpc_is_wanted(const struct lz_world *w, const struct lz_rpc *r);

/* The caller waits no longer: `ended` will not come. */
void lz_rpc_forget(struct lz_world *w, uint64_t id);

/* The process at `node` has ended, and with it all that was there. */
void lz_rpc_died(struct lz_world *w, lz_instance_id node, bool silent);

#endif
