/*
 * tcp.h — TCP as far as it decides latency.
 *
 * Timeouts. The retransmission timeout is RFC 6298's, SRTT + 4 RTTVAR, with Linux' bounds: at least
 * 200 ms, at most 120 s, doubled with each that runs out. A peer that vanishes is given up after
 * `tcp_retries2` = 15 of them: 924.6 s (Linux ip-sysctl). A SYN is sent again after 1 s, 2 s, 4 s,
 * ...; six times (127 s), with tcp_syn_linear_timeouts = 4 (Linux 6.5 and later) four more times
 * after one second each before it doubles (131 s).
 *
 * Long messages go in flights, one in each round trip: a window's worth of segments, then the wait
 * for their acknowledgements.
 *
 *   slow start     the window begins at 10 segments (RFC 6928) and doubles with each flight that
 *                  was acknowledged, up to the threshold; then a segment more in each round trip
 *                  (RFC 5681): rounds = ceil(log2(segments / 10 + 1))
 *   the receiver   never more than its window is unacknowledged: window / round trip at the most
 *   a loss         with three segments that arrive after it: half the window, and the lost ones go
 *                  again in the next round (fast retransmit, RFC 6582, with selective
 *                  acknowledgements); with fewer, the timeout, and a window of one segment
 *   after idling   for a timeout the window halves, down to where it began (RFC 2861)
 *
 *      begin ──▶ flight ──all arrived──▶ flight ... ──▶ delivered
 *                  │  ▲
 *                  │  └── a round trip later (fast retransmit), or the timeout
 *                  └─ cut, or lost too much
 *
 * Not here: delayed acknowledgements, CUBIC's growth in place of Reno's, tail loss probes, Nagle.
 * Headers have no bytes: a segment of 1460 takes 1460 of the line.
 */
#ifndef LZ_MODEL_NET_TCP_H
#define LZ_MODEL_NET_TCP_H

#include "model/world.h"

#define LZ_TCP_SEGMENT 1460u
#define LZ_TCP_INITIAL_WINDOW (10 * LZ_TCP_SEGMENT)
#define LZ_TCP_WINDOW (4u << 20)      /* Linux' tcp_wmem: what a sender may have unacknowledged */
#define LZ_TCP_WINDOW_MAX (64u << 20) /* bytes; a flight is at most that */
#define LZ_TCP_RTO_MIN_NS (200 * LZ_MS)
#define LZ_TCP_RTO_MAX_NS (120 * LZ_S)
#define LZ_TCP_RETRIES 15
#define LZ_TCP_SYN_RETRIES 6
#define LZ_TCP_KEEPALIVE_IDLE_NS (7200 * LZ_S)
#define LZ_TCP_KEEPALIVE_INTERVAL_NS (75 * LZ_S)
#define LZ_TCP_KEEPALIVE_PROBES 9

/* Of the sockets of one way to call. Zero is Linux' default. */
struct lz_tcp_opts {
    uint32_t syn_retries; /* tcp_syn_retries; 0 means 6 */
    uint32_t syn_linear;  /* tcp_syn_linear_timeouts: that many wait a second before it doubles */
    uint32_t retries;     /* tcp_retries2; 0 means 15 */
    uint64_t window;      /* bytes that may be unacknowledged; 0 means 4 MiB */
    bool keepalive;       /* of who waits for an answer: SO_KEEPALIVE */
    lz_time idle;         /* tcp_keepalive_time: before the first probe; 0 means 2 h */
    lz_time interval;     /* tcp_keepalive_intvl: between two; 0 means 75 s */
    uint32_t probes;      /* tcp_keepalive_probes: unanswered, and it is given up; 0 means 9 */
};

/* One direction of a connection: what its window has grown to. 0 is never issued. */
typedef uint64_t lz_tcp_path_id;

struct lz_message;

void lz_tcp_init(struct lz_world *w);

lz_tcp_path_id lz_tcp_open(struct lz_world *w);
void lz_tcp_close(struct lz_world *w, lz_tcp_path_id id); /* 0 and stale ones are allowed */

/* A message of more than one segment. */
void lz_tcp_send(struct lz_world *w, const struct lz_message *m);

/* The first timeout, from the mean round trip and its mean deviation, in ns. */
lz_time lz_tcp_rto(double smooth_ns, double varying_ns);

/* The timeout after `tries` have run out. */
lz_time lz_tcp_backoff(lz_time rto, uint32_t tries);

/* How long the answer to a SYN is waited for that was sent `tries` times before. */
lz_time lz_tcp_syn_wait(uint32_t tries, uint32_t linear);

size_t lz_tcp_bytes(const struct lz_world *w); /* of transfers, at the most */

#endif
