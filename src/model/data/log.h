/*
 * log.h — a timeline of a database: who writes it, and who waits for it; for model/data/ only.
 *
 * A database has one log that counts, its primary's. Where a primary that was given up goes on
 * taking writes it has a branch of its own from the instant the other was promoted; with many
 * masters each node has one. A node *follows* one log, or writes it.
 */
#ifndef LZ_MODEL_DATA_LOG_H
#define LZ_MODEL_DATA_LOG_H

#include "model/data/wal.h"
#include "model/net/tcp.h"
#include "sim/line.h"

struct lz_log {
    struct lz_wal wal;
    uint64_t timeline;                  /* of no other log; messages of one that is over are void */
    uint32_t leader;                    /* node */
    bool is_branch;                     /* of a primary that was given up */
    uint64_t flushed;                   /* by its leader: so far it may be shipped */
    uint64_t flushing;                  /* a flush is under way up to here; 0: none */
    bool is_awaited;                    /* the WAL writer will come */
    uint32_t commit_first, commit_last; /* tasks that wait, by LSN */
};

/* Between two nodes, one way: what was known of it when `ways` was lz_world's. */
struct lz_log_route {
    uint32_t ways;
    uint32_t from, to;
    lz_line line; /* of messages on it; 0: they have none, or may not come through */
};

/* The way of a log to one node, as its leader knows it. */
struct lz_way {
    struct lz_log_route route;
    uint64_t sent, shipped;           /* to be sent up to here, and on its way */
    uint64_t catch_first, catch_last; /* a message that ends with the last begins with the first */
    lz_time held_until;
    lz_tcp_path_id stream;
};

/* What a message about the log says: an LSN, a node, a timeline. One number, as any event's. */
#define LZ_LOG_LSN_BITS 40
#define LZ_LOG_NODE_BITS 8

static inline uint64_t lz_log_pack(const struct lz_log *l, uint64_t lsn, uint32_t node)
{
    return lsn | (uint64_t)node << LZ_LOG_LSN_BITS |
           l->timeline << (LZ_LOG_LSN_BITS + LZ_LOG_NODE_BITS);
}

static inline uint64_t lz_log_lsn_of(uint64_t payload)
{
    return payload & ((1ull << LZ_LOG_LSN_BITS) - 1);
}

static inline uint32_t lz_log_node_of(uint64_t payload)
{
    return (uint32_t)(payload >> LZ_LOG_LSN_BITS) & ((1u << LZ_LOG_NODE_BITS) - 1);
}

static inline bool lz_log_is_current(const struct lz_log *l, uint64_t payload)
{
    return payload >> (LZ_LOG_LSN_BITS + LZ_LOG_NODE_BITS) == (l->timeline & 0xffff);
}

#endif
