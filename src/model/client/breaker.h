/*
 * breaker.h — a circuit breaker: after enough failures a caller stops asking for a while.
 *
 *           enough failures                  `open` is over, and somebody asks
 *   CLOSED ────────────────▶ OPEN ────────────────────────────────▶ HALF_OPEN
 *      ▲                      ▲            a probe fails, or too many do │ │
 *      │                      └──────────────────────────────────────────┘ │
 *      └──────────────────────────── the probes succeed ───────────────────┘
 *
 * Closed, all pass, and failures are counted in two ways: in a row, and as a share of at least
 * `volume` calls, either of the last `calls` of them (resilience4j) or of those in the last
 * `over`, kept in ten buckets (Hystrix). Open, nobody passes. Half-open, `probes` may pass;
 * without a share any failure opens it again, with one the probes are judged together by it.
 * What was asked before the state changed says nothing about the new one: results carry the
 * generation they were admitted in.
 *
 * Defaults are Hystrix': 50 % of at least 20 calls in 10 s, open for 5 s, 1 probe.
 * (HystrixCommandProperties.java; its health is looked at every 500 ms, ours at each result.)
 * resilience4j's are calls = 100, open = 60 s, probes = 10.
 */
#ifndef LZ_MODEL_CLIENT_BREAKER_H
#define LZ_MODEL_CLIENT_BREAKER_H

#include "base/arena.h"
#include "sim/time.h"

#define LZ_BREAKER_BUCKETS 10
#define LZ_BREAKER_CALLS_MAX 100000

enum lz_breaker_state { LZ_BREAKER_CLOSED, LZ_BREAKER_OPEN, LZ_BREAKER_HALF_OPEN };

struct lz_breaker_opts {
    bool on;
    uint32_t consecutive; /* failures in a row that open it; 0: not counted */
    double ratio;         /* share of failures that opens it; 0: not counted */
    uint32_t volume;      /* of calls below which the share says nothing */
    uint32_t calls;       /* the last so many count; 0: those in the last `over` */
    lz_time over;
    lz_time open; /* how long nobody passes */
    uint32_t probes;
};

struct lz_breaker_bucket {
    int64_t number; /* time / width */
    uint32_t total, failed;
};

/* Of one calling instance and edge; zeroed is closed. */
struct lz_breaker {
    enum lz_breaker_state state;
    uint8_t generation;
    uint32_t in_a_row;
    lz_time opened;
    uint32_t admitted, ended, failed; /* probes */
    struct lz_breaker_bucket buckets[LZ_BREAKER_BUCKETS];
    bool *last; /* ring of the last `calls`: did they fail */
    uint32_t last_at, last_count, last_failed;
};

void lz_breaker_fill_defaults(struct lz_breaker_opts *opts);

/* Room for the last calls, if they are what counts. */
void lz_breaker_init(struct lz_breaker *b, const struct lz_breaker_opts *opts,
                     struct lz_arena *arena);

/* May a call pass? `generation` of the breaker is then what its result must carry. */
bool lz_breaker_admit(struct lz_breaker *b, const struct lz_breaker_opts *opts, lz_time now);

void lz_breaker_result(struct lz_breaker *b, const struct lz_breaker_opts *opts, lz_time now,
                       uint8_t generation, bool failed);

/* A call that passed will have no result: its caller lost interest. */
void lz_breaker_forget(struct lz_breaker *b, uint8_t generation);

#endif
