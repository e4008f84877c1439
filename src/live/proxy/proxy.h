/*
 * proxy.h — a TCP proxy in front of every edge of a live run, and what it does to it.
 *
 *     lz_proxy_create(&proxy, &opts, &err);            a process of its own
 *     lz_proxy_edge(proxy, &edge, &id, &err);          a port that leads somewhere
 *     lz_proxy_add(proxy, id, &toxic, &toxic_id, &err) from now on (toxic.h says what)
 *     lz_proxy_touched(proxy, toxic_id)                what it was seen to do
 *     lz_proxy_remove(proxy, toxic_id, &err)
 *
 * The proxy is one forked process per run, of whose threads one at a time is at work: load
 * generator and proxy do not disturb each other. It dies with the run (PR_SET_PDEATHSIG), and its
 * ports with it, whatever kills the run: nothing of it needs undoing. Commands are answered within
 * a turn of its loop (a process that does not answer for 5 s is ended, and `died` told: what it
 * would still do is not known); counters are read from memory that both share.
 *
 * A connection costs two descriptors and under 1 KB while nothing waits in it. Where the limit of
 * descriptors (ulimit -Hn) has no room for more, further threads with tables of their own take
 * them, up to sixteen times as many; one of them is at work at a time (worker.c). What waits is at
 * most 256 KiB in a direction, 4 MiB where a delay holds it; beyond that the sender waits. Big
 * transfers with no toxic go through a pipe (splice) and are never copied.
 *
 * What a proxy in user space cannot do, and what it does instead:
 * - Its kernel accepts before the server does. When the server refuses, the client sees its
 *   connection reset, not refused. Through a cut nobody connects: SYNs are dropped for real.
 * - Packets that are lost or damaged are sent again by TCP, which a proxy cannot see or stop: it
 *   holds the stream for as long as that would take.
 */
#ifndef LZ_LIVE_PROXY_PROXY_H
#define LZ_LIVE_PROXY_PROXY_H

#include "live/loop.h"
#include "live/proxy/toxic.h"

#define LZ_PROXY_EDGES_MAX 1024
#define LZ_PROXY_TOXICS_MAX 1024 /* at once */
#define LZ_PROXY_NAME_SIZE 512   /* two names of 200 bytes, whole: what is drawn is drawn by it */

typedef uint32_t lz_proxy_edge_id;  /* from 1 */
typedef uint32_t lz_proxy_toxic_id; /* from 1 */

struct lz_proxy;

/* What was seen of a request on an edge that speaks HTTP, at the server's side of the proxy. */
enum lz_proxy_saw {
    LZ_PROXY_ARRIVED = 1, /* it was passed on */
    LZ_PROXY_ANSWERED,    /* its answer is complete; `status` */
    LZ_PROXY_REFUSED,     /* no connection could be made */
    LZ_PROXY_RESET,       /* the connection ended before the answer was complete */
};

struct lz_proxy_seen {
    lz_proxy_edge_id edge;
    uint16_t status;
    uint16_t saw;              /* enum lz_proxy_saw */
    int64_t at_ns, latency_ns; /* when, by CLOCK_MONOTONIC; since it was passed on */
};

typedef void lz_proxy_seen_fn(void *ctx, const struct lz_proxy_seen *seen);
typedef void lz_proxy_died_fn(void *ctx, int wait_status);

struct lz_proxy_opts {
    struct lz_loop *loop;
    uint64_t run_key;       /* of its draws */
    lz_proxy_seen_fn *seen; /* NULL: not told */
    lz_proxy_died_fn *died; /* it ended by itself: nothing passes any more; may be NULL */
    void *ctx;
};

struct lz_proxy_edge_opts {
    const char *name;          /* "web -> orders-db": in messages, and owner of its draws */
    const char *host;          /* where it listens; NULL: 127.0.0.1 */
    uint16_t port;             /* 0: any that is free */
    const char *upstream_host; /* a name is looked up now, and may take as long as that takes */
    uint16_t upstream_port;
    bool is_http;
};

struct lz_proxy_edge_counts {
    uint64_t accepted, open;
    uint64_t refused;              /* by the server: no connection could be made */
    uint64_t bytes_up, bytes_down; /* passed on */
    uint64_t turned_away;          /* waited for a descriptor: no worker has any more */
    uint64_t not_http;             /* connections closed for not being what they were said to be */
    uint64_t requests;
};

bool lz_proxy_create(struct lz_proxy **out, const struct lz_proxy_opts *opts,
                     struct lz_err *err) LZ_MUST_CHECK;

/* All connections are reset, all ports closed. NULL is allowed. */
void lz_proxy_destroy(struct lz_proxy *proxy);

/*
 * A new edge. LZ_EEXIST: the port is in use. LZ_ENOENT: the host has no address. LZ_EINVAL: it
 * would lead to itself, perhaps by way of other edges.
 */
bool lz_proxy_edge(struct lz_proxy *proxy, const struct lz_proxy_edge_opts *opts,
                   lz_proxy_edge_id *id, struct lz_err *err) LZ_MUST_CHECK;
uint16_t lz_proxy_port(const struct lz_proxy *proxy, lz_proxy_edge_id id);

bool lz_proxy_add(struct lz_proxy *proxy, lz_proxy_edge_id edge, const struct lz_toxic *toxic,
                  lz_proxy_toxic_id *id, struct lz_err *err) LZ_MUST_CHECK;

/* Other parameters, as soon as the proxy looks, which is not waited for; kind and directions stay,
 * and what it counted too. */
bool lz_proxy_change(struct lz_proxy *proxy, lz_proxy_toxic_id id, const struct lz_toxic *toxic,
                     struct lz_err *err) LZ_MUST_CHECK;
bool lz_proxy_remove(struct lz_proxy *proxy, lz_proxy_toxic_id id,
                     struct lz_err *err) LZ_MUST_CHECK;

/* Of a toxic that was added; also just after its removal, until another one is added. */
uint64_t lz_proxy_touched(const struct lz_proxy *proxy, lz_proxy_toxic_id id);
struct lz_proxy_edge_counts lz_proxy_counts(const struct lz_proxy *proxy, lz_proxy_edge_id id);
uint64_t lz_proxy_waiting(const struct lz_proxy *proxy); /* bytes of memory for what waits in it */
uint64_t lz_proxy_dropped(const struct lz_proxy *proxy); /* requests seen and not told */
pid_t lz_proxy_pid(const struct lz_proxy *proxy);

#endif
