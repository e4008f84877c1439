/*
 * draw.h — keyed draws: randomness without a shared stream.
 *
 * A random number is a pure function of (run key, owner, purpose, counter),
 * computed by Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers:
 * as easy as 1, 2, 3", SC 2011; its known-answer vectors are a unit test). Nobody
 * can shift anybody else's draws by existing, which is what makes shrinking,
 * editing and comparing runs work.
 *
 *   run key   hash(base seed, scenario sentence, parameter values), and the future:
 *             lz_sim_set_future changes it from an instant on
 *   owner     64-bit path: a component's name, or a request's (traffic, ordinal,
 *             call path, attempt), made by lz_draw_name and lz_draw_index
 *   purpose   what the number is for: enum lz_purpose
 *   counter   counts the owner's draws for that purpose
 *
 * A `struct lz_draw` is a little generator for one (owner, purpose, counter): it
 * yields as many numbers as a distribution needs and makes a block of 128 bits
 * at a time. It lives on the caller's stack and owns nothing.
 */
#ifndef LZ_SIM_DRAW_H
#define LZ_SIM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "sim/draw_watch.h"

enum lz_purpose {
    LZ_PURPOSE_ARRIVAL = 1,
    LZ_PURPOSE_SERVICE,
    LZ_PURPOSE_ERROR,
    LZ_PURPOSE_NET_OUT, /* request message: delay and loss */
    LZ_PURPOSE_NET_BACK,
    LZ_PURPOSE_BACKOFF,
    LZ_PURPOSE_BALANCE,
    LZ_PURPOSE_PICK,          /* which targets a fault hits */
    LZ_PURPOSE_KEY,           /* which key a request is about */
    LZ_PURPOSE_PROBE,         /* health checks */
    LZ_PURPOSE_LOG,           /* replication messages */
    LZ_PURPOSE_SAMPLE,        /* which requests keep their spans */
    LZ_PURPOSE_SCRIPT,        /* math.random and rand() */
    LZ_PURPOSE_THINK,         /* between a user's requests */
    LZ_PURPOSE_LEAVE,         /* whether a session ends */
    LZ_PURPOSE_THIN,          /* whether an arrival of a rising surge comes */
    LZ_PURPOSE_TAKEN,         /* which replicas go first of those that are as old */
    LZ_PURPOSE_VERSION = 40,  /* which build of a service serves */
    LZ_PURPOSE_PATIENCE,      /* how long a request waits in a queue */
    LZ_PURPOSE_RESOLVER = 60, /* which one a request asks, and what it is like */
    LZ_PURPOSE_LOOKUP,        /* how long one takes */
    LZ_PURPOSE_FILTER,        /* which requests a filter touches */
    LZ_PURPOSE_PHASE,         /* where the periods of a CPU quota lie */
    LZ_PURPOSE_DISK,          /* what happens to disk operations */
    LZ_PURPOSE_STARTUP,       /* how long a process takes to start */
    LZ_PURPOSE_TOKEN,         /* whose token a request shows, and how old it is at first */
    LZ_PURPOSE_SQL = 100,     /* what a statement draws, and which ids SQLite chooses */
    /* whether a caller rejects its own request */
    LZ_PURPOSE_ROUTE = 70,   /* when routers hear of a change */
    LZ_PURPOSE_SESSION = 73, /* the message that a session has ended */
    LZ_PURPOSE_THROTTLE = 80,
    LZ_PURPOSE_JITTER = 90,    /* when a fault comes whose time is given as "4m ± 30s" */
    LZ_PURPOSE_SWARM,          /* which faults a seed leaves out */
    LZ_PURPOSE_ORDER,          /* when a conversation has its turn, see order.h */
    LZ_PURPOSE_CHAOS,          /* which faults a block of chaos brings */
    LZ_PURPOSE_EVICT = 110,    /* what a full cache drops */
    LZ_PURPOSE_EXPIRE,         /* which entries are looked at for being too old */
    LZ_PURPOSE_COUNTER,        /* whether a use raises a logarithmic counter */
    LZ_PURPOSE_HOT,            /* whether a call is for the hot key */
    LZ_PURPOSE_EARLY,          /* whether a value is made anew before it runs out */
    LZ_PURPOSE_SENTINEL,       /* when one of several that watch acts */
    LZ_PURPOSE_QUORUM,         /* which copies answer first */
    LZ_PURPOSE_BUS,            /* whom a node of a cluster asks, and what it passes on */
    LZ_PURPOSE_ENDPOINT = 120, /* when callers hear of an endpoint's change */
    LZ_PURPOSE_LEASE,          /* when a kubelet renews its lease, and who looks at it when */
    LZ_PURPOSE_ELECTION = 100, /* how long a node waits for a leader */
};

void lz_draw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Extend an owner's path by a name or by an index. The root is 0. */
static inline uint64_t lz_draw_name(uint64_t owner, const char *name)
{
    uint64_t path = lz_hash_mix(owner, lz_hash_text(name));
    if (lz_draw_watch_is_on())
        lz_draw_watch_owner(LZ_DRAW_WATCH_NAME, owner, 0, name, path);
    return path;
}

static inline uint64_t lz_draw_index(uint64_t owner, uint64_t index)
{
    uint64_t path = lz_hash_mix(owner, index + 0x9e3779b97f4a7c15ull);
    if (lz_draw_watch_is_on())
        lz_draw_watch_owner(LZ_DRAW_WATCH_INDEX, owner, index, NULL, path);
    return path;
}

/* The path of what lies between two owners: an edge. */
static inline uint64_t lz_draw_pair(uint64_t from, uint64_t to)
{
    uint64_t path = lz_hash_mix(from, to);
    if (lz_draw_watch_is_on())
        lz_draw_watch_owner(LZ_DRAW_WATCH_PAIR, from, to, NULL, path);
    return path;
}

/* The path of what one owner does by another: a request on an edge, a message under a fault. */
static inline uint64_t lz_draw_join(uint64_t owner, uint64_t by)
{
    uint64_t path = lz_hash_mix(owner, by);
    if (lz_draw_watch_is_on())
        lz_draw_watch_owner(LZ_DRAW_WATCH_JOIN, owner, by, NULL, path);
    return path;
}

struct lz_draw {
    uint64_t key;
    uint64_t owner;
    uint64_t tail;   /* purpose in the top 8 bits, counter below, block number at the bottom 16 */
    uint64_t ready;  /* the second half of the last block */
    uint32_t blocks; /* made so far */
    uint32_t has_ready;
};

/* `counter` below 2^40. */
static inline struct lz_draw lz_draw_begin(uint64_t run_key, uint64_t owner,
                                           enum lz_purpose purpose, uint64_t counter)
{
    return (struct lz_draw){
        .key = run_key, .owner = owner, .tail = (uint64_t)purpose << 56 | counter << 16};
}

uint64_t lz_draw_u64(struct lz_draw *draw);

/* Uniform in [0, 1), 53 bits. */
static inline double lz_draw_unit(struct lz_draw *draw)
{
    return (double)(lz_draw_u64(draw) >> 11) * 0x1p-53;
}

/* lz_draw_begin and lz_draw_exponential in one go, for who needs no more numbers. */
double lz_draw_exponential_once(uint64_t run_key, uint64_t owner, enum lz_purpose purpose,
                                uint64_t counter);

/*
 * Exponential numbers of an owner that counts from 0 (draw_row.c): eight blocks are made at once,
 * at a fifth of what each costs alone, and made anew when the run key has changed. All zeroes
 * but owner and purpose before its first use.
 */
#define LZ_DRAW_ROW 8
struct lz_draw_row {
    uint64_t owner;
    enum lz_purpose purpose;
    uint64_t key, made; /* counters made - 1 .. made + LZ_DRAW_ROW - 2 are made; 0: none */
    uint64_t bits[2][LZ_DRAW_ROW];
};

/* Number `counter` is what lz_draw_begin with it and lz_draw_exponential give. */
double lz_draw_exponential_next(struct lz_draw_row *row, uint64_t run_key, uint64_t counter);

/* The same and the one after it, of the same lz_draw. */
struct lz_draw_pair {
    double first, second;
};
struct lz_draw_pair lz_draw_exponential_pair(struct lz_draw_row *row, uint64_t run_key,
                                             uint64_t counter);

/*
 * Make a row, by so many `lanes` of a vector: 1, 2 or 4; 0 is as many as there are. False if this
 * machine has none so wide. For tests: they all give the same.
 */
bool lz_draw_row_make(struct lz_draw_row *row, uint64_t run_key, uint64_t from, unsigned lanes);

/* lz_draw_begin and lz_draw_u64 in one go. */
uint64_t lz_draw_u64_once(uint64_t run_key, uint64_t owner, enum lz_purpose purpose,
                          uint64_t counter);

/* Uniform in 0 .. n-1, without bias; n > 0. */
uint64_t lz_draw_below(struct lz_draw *draw, uint64_t n);

/* Standard exponential (mean 1) and standard normal, by ziggurat. */
double lz_draw_exponential(struct lz_draw *draw);
double lz_draw_normal(struct lz_draw *draw);

#endif
