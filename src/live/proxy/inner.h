/*
 * inner.h — inside the proxy's process: edges, connections, and the two ways of each.
 *
 *   serve.c     the process: commands, listening, toxics that come and go
 *   worker.c    further threads, where one table of descriptors is full
 *   door.c      an edge nobody can connect to: the kernel drops SYNs
 *   conn.c      the life of a connection: connect, events, timers, the ways it ends
 *   lane.c      one direction of it: read, hold, write
 *   gate.c      what the toxics in force say about a message, a byte, an end
 *   exchange.c  requests and responses on it, and what is done to them
 *
 * A byte's way:  read ─▶ [exchange] ─▶ gate: when ─▶ chunk in the lane's queue ─▶ gate: how many
 * now ─▶ write. With nothing in force and nothing waiting it is read ─▶ write, and a big transfer
 * goes by way of a pipe and is not copied at all.
 *
 * Every entry from outside (an event, a timer, a toxic that came or went) ends with
 * lz_conn_settle: it frees what died on the way and arms the one timer. In between, who may have
 * closed the connection looks at `is_dead`.
 */
#ifndef LZ_LIVE_PROXY_INNER_H
#define LZ_LIVE_PROXY_INNER_H

#include <pthread.h>

#include "live/loop.h"
#include "live/proxy/shared.h"

#define LZ_LANE_SCRATCH (128u << 10)
#define LZ_LANE_WAIT_MAX (256u << 10) /* bytes that wait for the other end */
#define LZ_LANE_HELD_MAX (4u << 20)   /* ... for a delay */
#define LZ_LANE_PIPES_MAX 32          /* of a worker, in use or not: its table has room for them */
#define LZ_WORKERS_MAX 16

enum { LZ_UP, LZ_DOWN };       /* directions; also: reads from this side */
enum { LZ_CLIENT, LZ_SERVER }; /* sides */

#define LZ_KIND(kind) (1u << (kind))

struct lz_serve;
struct lz_edge;
struct lz_conn;
struct lz_exchange;

/* A toxic in force on one edge. */
struct lz_active {
    struct lz_active *next; /* of the edge, oldest first */
    struct lz_toxic t;
    uint32_t slot;
    uint64_t owner; /* of its draws; a connection's ordinal is added */
    int64_t since_ns;
    struct lz_loss_state loss[2]; /* of each direction */
    struct lz_toxic_delays delays;
    uint64_t matched;       /* requests */
    uint64_t since_ordinal; /* connections that came before it */
    _Atomic uint64_t *touched;
};

/* What toxics with a rate share: when each direction is free again, or tokens for requests. */
struct lz_line {
    int64_t free_at_ns[2];
    double tokens;        /* as of then */
    int64_t tokens_at_ns; /* 0: the bucket is full */
};

struct lz_edge {
    struct lz_serve *serve;
    uint32_t id;
    char name[LZ_PROXY_NAME_SIZE];
    bool is_http;
    int listen;
    struct sockaddr_storage upstream;
    socklen_t upstream_len;
    uint64_t path; /* owner of draws */
    struct lz_active *active;
    unsigned kinds[2]; /* LZ_KIND bits in force, of each direction */
    struct lz_conn *conns;
    uint64_t ordinal; /* of the last connection accepted */
    struct lz_shared_edge *counts;
    /* door.c */
    bool is_shut;
    int plug; /* our own connection that fills the queue; -1: none */
    struct sockaddr_storage
        plug_at;    /* its end, while it may be in the queue; family 0: it is not */
    uint64_t drops; /* SYNs dropped, already counted */
};

struct lz_chunk {
    struct lz_chunk *next;
    int64_t release_ns;
    uint32_t len, off;
    uint32_t turn;       /* of the conversation: counts changes of direction */
    bool begins_request; /* its first byte passed on is when the request arrived */
    char bytes[];
};

struct lz_lane {
    struct lz_chunk *first, *last;
    uint32_t queued; /* bytes in chunks */
    uint32_t turn;   /* of what came in, from 1 */
    uint32_t turn_bytes;
    uint32_t sent_turn, sent_in_turn;
    int64_t release_ns;    /* of the latest chunk: nothing overtakes */
    int64_t hold_until_ns; /* nothing is written before: slices, bandwidth */
    int64_t resume_ns;     /* the same: a cut has ended, and TCP tries again then */
    int64_t cut_since_ns;  /* something waits since then because of a cut; 0: nothing */
    int64_t fin_at_ns;     /* when the end is passed on; 0: not decided yet */
    int pipe[2];           /* of a big transfer; pipe[0] -1: none */
    uint32_t in_pipe;
    uint8_t big;  /* full reads in a row */
    bool eof;     /* its source has ended */
    bool is_done; /* the end was passed on */
};

struct lz_conn {
    struct lz_conn *next, **at; /* of the edge */
    struct lz_edge *edge;
    struct lz_worker *worker; /* whose descriptors and timer these are */
    uint64_t ordinal;
    uint64_t carried[2]; /* bytes passed on, each way */
    int fd[2];           /* of each side; -1: none yet, or closed */
    bool readable[2];    /* there may be something: read until it says there is not */
    bool writable[2];
    bool asks_room[2]; /* its watch tells when there is room again: it once was full */
    bool is_ended[2];  /* nothing comes behind what is there: read until it is at its end */
    bool is_connected, is_connecting, skips_delay, is_ending, is_dead;
    bool is_prompt; /* the server's side does not gather what is small */
    bool is_busy;   /* there was more to do than one turn allows */
    uint8_t talker; /* the direction of the latest byte, plus 1 */
    int64_t opened_ns;
    int64_t connect_at_ns;
    int64_t doom_at_ns; /* when a toxic ends it; LZ_LOOP_NEVER */
    struct lz_active *doom;
    struct lz_lane lane[2];
    struct lz_exchange *exchange; /* NULL: bytes are bytes */
    int64_t breaks_at_ns;         /* when a request that was held breaks it; LZ_LOOP_NEVER */
    struct lz_loop_timer timer;
};

/* A thread with a table of descriptors and a loop of its own. The first is the process's. */
struct lz_worker {
    struct lz_serve *serve;
    struct lz_loop *loop;
    int mail;            /* to it, in the first one's table */
    int mail_of_its_own; /* until it has made its table */
    size_t conns;
    int pipes[LZ_LANE_PIPES_MAX][2];
    size_t pipe_count; /* of those, not in use */
    size_t pipes_made; /* of this worker, in use too */
};

struct lz_serve {
    struct lz_loop *loop; /* of the worker at work */
    struct lz_worker *at_work;
    struct lz_shared *shared;
    uint64_t run_key;
    struct lz_edge *edges[LZ_PROXY_EDGES_MAX + 1];
    struct lz_line lines[LZ_PROXY_TOXICS_MAX + 1];
    struct lz_worker workers[LZ_WORKERS_MAX];
    uint32_t worker_count;
    bool takes_turns;          /* the first: from when a second one was to be */
    pthread_mutex_t lock;      /* has it who is at work; there is no need of it for one alone */
    int64_t next_worker_at_ns; /* none is made before: it was refused; LZ_LOOP_NEVER: no more */
    size_t conns_max;          /* of each worker */
    size_t edge_count;
    bool is_full;      /* nobody is accepted until a connection ends */
    bool is_room_said; /* a ROOM is on its way to the first worker: one is enough */
    struct lz_loop_timer watch_doors;
    char scratch[LZ_LANE_SCRATCH];
};

/* --- serve.c --- */
void lz_serve_saw(struct lz_edge *e, const struct lz_proxy_seen *seen);
void lz_serve_room(struct lz_serve *s);      /* a connection has ended; the first worker */
void lz_serve_tell_conns(struct lz_edge *e); /* of the worker at work */

/* --- worker.c --- */
void lz_worker_first(struct lz_serve *s);
struct lz_worker *lz_worker_with_room(struct lz_serve *s); /* NULL: none, and none can be made */

/* Within both the lock is let go: others are at work meanwhile, connections end and so are freed,
 * and the caller holds none of them over the call. */
void lz_worker_hand(struct lz_worker *w, struct lz_edge *e, int fd); /* `fd` is closed here */
void lz_worker_changed(struct lz_edge *e); /* until the others' connections have acted on it */

size_t lz_worker_conns(const struct lz_serve *s); /* of all workers */
void lz_worker_has_room(struct lz_serve *s);      /* a connection of the worker at work has ended */

/* --- door.c --- */
void lz_door_update(struct lz_edge *e); /* after a toxic came or went */
void lz_door_count(struct lz_edge *e);  /* what a shut one has dropped */

/* Was it our own connection that has left the queue, from `peer`? It is asked once. */
bool lz_door_was_plug(struct lz_edge *e, const struct sockaddr_storage *peer);

/* --- conn.c --- */
void lz_conn_accept(struct lz_edge *e, int fd, uint64_t ordinal);

/* Toxics came or went. Noted by the first worker for all connections at one moment: when what is
 * held goes on, when it ends. No descriptor is touched: that has the owner, who then acts on it. */
void lz_conn_note_changed(struct lz_conn *c, const bool was_cut[2]);
void lz_conn_changed(struct lz_conn *c);

void lz_conn_reset(struct lz_conn *c); /* RST to both ends */
void lz_conn_close(struct lz_conn *c);
void lz_conn_be_prompt(struct lz_conn *c);         /* before a second write to the server */
void lz_conn_is_full(struct lz_conn *c, int side); /* a write was refused: wait for room */
void lz_conn_end(struct lz_conn *c); /* what waits for the client is sent, then it is closed */

/* --- lane.c --- */
void lz_lane_init(struct lz_lane *l);
void lz_lane_finish(struct lz_conn *c, int d);
void lz_lane_pump(struct lz_conn *c);
int64_t lz_lane_wake(const struct lz_conn *c, int d, int64_t now);

struct lz_lane_put {
    int64_t delay_ns; /* more than the toxics of the lane say */
    bool begins_request;
};
void lz_lane_put(struct lz_conn *c, int d, const char *bytes, size_t len,
                 const struct lz_lane_put *how);

/* --- gate.c --- */
enum lz_gate_say { LZ_GATE_PASS, LZ_GATE_WAIT, LZ_GATE_RESET, LZ_GATE_CLOSE };

/* When a message that has come in may go on. */
int64_t lz_gate_release(struct lz_conn *c, int d, size_t len, int64_t now);
void lz_gate_damage(struct lz_conn *c, int d, char *bytes, size_t len);
int64_t lz_gate_handshake(struct lz_conn *c); /* how long it takes, beyond what the machine takes */
int64_t lz_gate_fin(struct lz_conn *c, int d, int64_t now);

/* How many bytes of the first chunk may be written now: WAIT has set hold_until_ns. */
enum lz_gate_say lz_gate_allow(struct lz_conn *c, int d, size_t *len, int64_t now);
void lz_gate_sent(struct lz_conn *c, int d, size_t len, int64_t now);
enum lz_gate_say lz_gate_is_over(struct lz_conn *c);   /* has it carried what it may? */
void lz_gate_doom(struct lz_conn *c);                  /* set doom_at_ns and doom */
void lz_gate_cut(struct lz_conn *c, int d);            /* something came while it is cut */
int64_t lz_gate_healed(int64_t since_ns, int64_t now); /* when TCP tries again, after a cut */
uint32_t lz_gate_room(const struct lz_conn *c, int d);

/* The next toxic after `from` (NULL: the first) of one of these kinds (LZ_KIND bits) that takes a
 * request, or an answer; every one that matches counts it. */
struct lz_active *lz_gate_filter(struct lz_conn *c, unsigned kinds,
                                 const struct lz_toxic_asked *asked, struct lz_active *from,
                                 int64_t *delay_ns);

static inline void lz_gate_touch(struct lz_active *a, uint64_t count)
{
    atomic_fetch_add_explicit(a->touched, count, memory_order_relaxed);
}

static inline bool lz_gate_is_cut(const struct lz_conn *c, int d)
{
    return (c->edge->kinds[d] & LZ_KIND(LZ_TOXIC_CUT)) != 0;
}

static inline int64_t lz_lane_held_until(const struct lz_lane *l)
{
    return l->hold_until_ns > l->resume_ns ? l->hold_until_ns : l->resume_ns;
}

/* --- exchange.c --- */
struct lz_exchange *lz_exchange_create(void);
void lz_exchange_destroy(struct lz_exchange *x);
void lz_exchange_up(struct lz_conn *c, const char *bytes, size_t len);
void lz_exchange_down(struct lz_conn *c, const char *bytes, size_t len);
void lz_exchange_eof(struct lz_conn *c, int d);
void lz_exchange_passed_on(struct lz_conn *c, int64_t now); /* the oldest request not yet so */
void lz_exchange_lost(struct lz_conn *c);                   /* by the server's end */
void lz_exchange_break(struct lz_conn *c);                  /* its breaks_at_ns has come */

#endif
