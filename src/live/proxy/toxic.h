/*
 * toxic.h — what a proxy does to the bytes of one edge: Toxiproxy's toxics, and more.
 *
 * A toxic acts on one edge, in one direction or both, from when it is added until it is removed;
 * any number act at once and in any order of coming and going. Directions are the request's: UP
 * from client to server, DOWN back.
 *
 *   LATENCY      each message later by `delay` (a distribution), order kept. A connection's
 *                handshake pays it as TCP would: the client's first bytes wait for the three ways.
 *   STALL        packets are lost, by `loss`; TCP sends them again, so here the stream stands
 *                still: for a round trip if three more packets of the message follow (fast
 *                retransmit), else for a timeout of 200 ms that doubles with each further loss.
 *                A packet is 1,460 bytes of a message. A lost SYN costs 1 s, then 2 s, ...
 *   BANDWIDTH    `rate` bytes a second, shared by all toxics of the same `line`; `buffer` bytes
 *                wait in the proxy, what is beyond waits at the sender (backpressure).
 *   CUT          nothing passes and nobody connects: the kernel drops SYNs. Ends as TCP would
 *                find out, at the next of its retransmissions. With `after`, connections that it
 *                holds are closed then (Toxiproxy's timeout).
 *   RESET        TCP RST to both ends: `after` so long, or once `bytes` were carried (both ways;
 *                with `response` = k: that many of the k-th response). With `first` = n only the
 *                first n connections that come.
 *   CORRUPT      of each packet that is hit one bit is another, and no checksum notices: the proxy
 *                writes it anew. What is hit is a `loss` model, as of STALL.
 *   LIMIT_DATA   closed once `bytes` were carried, in its direction or both ways together.
 *   SLOW_CLOSE   the end of a stream (FIN) comes `after` later.
 *   SLICER       pieces of `bytes`, each up to `variation` more or less, `after` apart.
 *   HTTP_DELAY   a request is held by `delay`
 *   HTTP_ABORT   answered with `status` at the door, with `rate` what exceeds it only
 *   HTTP_REPLACE its answer's `status`, `body` and a header
 *   HTTP_RESET   RST to both ends; of an answer when its head has come
 *
 * These four are of an edge that speaks HTTP/1.1: the requests that `path`, `method`, `header`,
 * `ratio`, `first` and `nth` choose, or with `on_answer` answers, perhaps only `of_status`.
 *
 *   DUPLICATE    packets come twice, by `loss`
 *   REORDER      packets come `after` later, others pass them
 *
 * These two are of packets (net/impair.h), which a proxy does not see.
 *
 * With `share` a toxic is about some connections only, each of which is struck with all it carries
 * but its handshake, or spared for good (Toxiproxy's toxicity); a LATENCY with `ratio` delays some
 * of the messages.
 *
 * Decisions about a message are keyed draws (sim/draw.h): owner is (edge, `owner`, the
 * connection's ordinal on its edge), the counter says which turn of the conversation and which
 * packet of it; how long a LATENCY holds it back, and whether, is drawn once for all of a turn. How
 * the kernel cuts a stream into reads does not enter, so a seed's schedule of
 * decisions repeats as far as the conversation does.
 *
 * `touched` counts what was observed, in the unit of the fault of that name.
 */
#ifndef LZ_LIVE_PROXY_TOXIC_H
#define LZ_LIVE_PROXY_TOXIC_H

#include "model/net/loss.h"
#include "sim/dist.h"
#include "sim/draw.h"

#define LZ_TOXIC_UP 1u
#define LZ_TOXIC_DOWN 2u
#define LZ_TOXIC_BOTH 3u

#define LZ_TOXIC_TEXT_SIZE 256
#define LZ_TOXIC_BODY_SIZE 4096
#define LZ_TOXIC_POINTS_MAX 256
#define LZ_TOXIC_PACKET 1460u

enum lz_toxic_kind {
    LZ_TOXIC_LATENCY = 1,
    LZ_TOXIC_STALL,
    LZ_TOXIC_CORRUPT,
    LZ_TOXIC_BANDWIDTH,
    LZ_TOXIC_CUT,
    LZ_TOXIC_RESET,
    LZ_TOXIC_LIMIT_DATA,
    LZ_TOXIC_SLOW_CLOSE,
    LZ_TOXIC_SLICER,
    LZ_TOXIC_HTTP_DELAY,
    LZ_TOXIC_HTTP_ABORT,
    LZ_TOXIC_HTTP_REPLACE,
    LZ_TOXIC_HTTP_RESET,
    LZ_TOXIC_DUPLICATE,
    LZ_TOXIC_REORDER,
    LZ_TOXIC_KINDS
};

/* A value without pointers of its own: it travels to another process by memory they share. */
struct lz_toxic {
    enum lz_toxic_kind kind;
    unsigned directions; /* 0: both */
    uint64_t owner;      /* of its draws, with the edge's name */
    struct lz_dist delay;
    double share;       /* of the connections; 0: all. A proxy's alone: packets have none */
    double correlation; /* LATENCY: how often a message fares as the one before it */
    struct lz_loss loss;
    double rate;     /* BANDWIDTH: bytes per second; HTTP_ABORT: requests that are let through */
    double burst;    /* HTTP_ABORT with `rate`: how many at once, as tokens of a bucket */
    uint32_t line;   /* of `rate`: toxics of one line share it; 0: its own */
    uint32_t buffer; /* BANDWIDTH: bytes; 0: 256 KiB */
    int64_t after_ns;
    uint64_t bytes;
    uint64_t variation; /* SLICER: bytes, below `bytes` */
    uint32_t response;  /* RESET: which, from 1; 0: any bytes */
    double ratio;       /* HTTP, LATENCY: of requests, of messages; 0: all */
    uint32_t first, nth;
    uint32_t status;
    bool on_answer;     /* HTTP_DELAY, HTTP_RESET; HTTP_REPLACE always is */
    uint32_t of_status; /* on answers: only those that have it; 0: all */
    bool has_body;
    char path[LZ_TOXIC_TEXT_SIZE];       /* "": any; "/api/" and a star: all that begin like it */
    char method[LZ_TOXIC_TEXT_SIZE];     /* "": any */
    char header[LZ_TOXIC_TEXT_SIZE];     /* of the request, "name" or "name: value"; "": any */
    char set_header[LZ_TOXIC_TEXT_SIZE]; /* HTTP_REPLACE: "name: value"; "": none */
    char body[LZ_TOXIC_BODY_SIZE];
    struct lz_dist_point points[LZ_TOXIC_POINTS_MAX]; /* of delay; set by lz_toxic_set_delay */
};

/* A distribution with its table, copied. False if the table is too long. */
bool lz_toxic_set_delay(struct lz_toxic *t, const struct lz_dist *delay,
                        struct lz_err *err) LZ_MUST_CHECK;

/* What a LATENCY has last drawn, of each direction. Zero: nothing yet. */
struct lz_toxic_delays {
    int64_t last_ns[2];
    bool has_last[2];
};

/*
 * How long the next message waits. The first number of the draw decides whether it fares as the one
 * before, so that a constant takes one too.
 */
int64_t lz_toxic_delay(const struct lz_toxic *t, struct lz_toxic_delays *delays, int direction,
                       struct lz_draw *draw);

/* Its parameters make sense, and it can act on such an edge. */
bool lz_toxic_check(const struct lz_toxic *t, bool edge_is_http, struct lz_err *err) LZ_MUST_CHECK;

/* Does a LATENCY with a `ratio` delay this message? */
bool lz_toxic_delays(const struct lz_toxic *t, struct lz_draw *draw);

/* A request, or with a status its answer. The path may carry a query, which does not count. */
struct lz_toxic_asked {
    const char *method;
    const char *head; /* of the request, whole */
    size_t head_len;
    size_t path_at, path_len; /* in `head` */
    unsigned status;
};

/* Does it match? */
bool lz_toxic_matches(const struct lz_toxic *t, const struct lz_toxic_asked *asked);

static inline bool lz_toxic_is_http(enum lz_toxic_kind kind)
{
    return kind >= LZ_TOXIC_HTTP_DELAY && kind <= LZ_TOXIC_HTTP_RESET;
}

static inline bool lz_toxic_is_of_packets(enum lz_toxic_kind kind)
{
    return kind >= LZ_TOXIC_DUPLICATE && kind <= LZ_TOXIC_REORDER;
}

/* Those whose `loss` says which packets they touch. */
static inline bool lz_toxic_strikes(enum lz_toxic_kind kind)
{
    return kind == LZ_TOXIC_STALL || kind == LZ_TOXIC_CORRUPT || lz_toxic_is_of_packets(kind);
}

const char *lz_toxic_name(enum lz_toxic_kind kind);

#endif
