/*
 * replicate.h — how a write becomes safe: flushes, standbys, and which of them is waited for.
 *
 * The stages of a commit are PostgreSQL's (runtime-config-wal, synchronous_commit) and serial, for
 * the walsender ships only what is flushed at home:
 *
 *   append ─▶ local flush f ─▶ shipped, r/2 ─▶ standby writes w ─▶ standby flushes f2 ─▶ applies a
 *     async     local                            remote_write        on remote_apply
 *
 * so with a round trip r a lone commit takes nothing, f, f + r + w, f + r + f2, f + r + f2 + a; f2
 * includes the write. Flushes are grouped, as PostgreSQL's are: one is under way at a time, and the
 * next takes everything that has come meanwhile; it is shipped in one message. A standby receives,
 * writes and flushes in one process, in rounds; another one applies, record by record, so a
 * standby that applies slower than its primary commits falls behind without end.
 *
 * With `async` the log waits for the WAL writer, who flushes every `wal_writer_delay` (200 ms; the
 * documentation promises three of them at the most): a process that dies takes with it what was not
 * flushed, acknowledged or not.
 *
 * Of the remote levels so many standbys must have confirmed: any `quorum` of them (ANY k), or, with
 * `priority`, each of the first `quorum` of that list that are connected (FIRST k). One that is
 * silent counts as connected for `sender_timeout` (wal_sender_timeout, 60 s).
 *
 * A commit is seen by others once it is acknowledged at its level, and not before: visible.c.
 *
 * What was not declared takes no time and makes no event.
 */
#ifndef LZ_MODEL_DATA_REPLICATE_H
#define LZ_MODEL_DATA_REPLICATE_H

#include "model/world.h"

enum lz_commit_level {
    LZ_COMMIT_LOCAL, /* the default */
    LZ_COMMIT_ASYNC,
    LZ_COMMIT_REMOTE_WRITE,
    LZ_COMMIT_ON,
    LZ_COMMIT_REMOTE_APPLY,
};

struct lz_replication_opts {
    enum lz_commit_level commit;
    uint32_t quorum;              /* standbys that must confirm; 0 means 1 */
    uint8_t priority[64];         /* nodes from 1, the first first */
    uint32_t priority_count;      /* 0: any will do */
    struct lz_dist wal_flush;     /* of the log, at home and at a standby; NONE: no time */
    struct lz_dist standby_write; /* NONE: no time */
    struct lz_dist apply_time;    /* of one record; NONE: no time */
    lz_time wal_writer_delay;     /* 0 means 200 ms */
    lz_time sender_timeout;       /* 0 means 60 s */
};

/* Of a database that exists. False if nobody could ever confirm what is asked for. */
bool lz_replication_declare(struct lz_world *w, lz_component_id id,
                            const struct lz_replication_opts *opts,
                            struct lz_err *err) LZ_MUST_CHECK;

/* What faults do to the way of the log; all in force add up, one that breaks it breaks it. */
struct lz_replication_effect {
    struct lz_dist add; /* records are held back so long before they are sent */
    bool breaks;        /* none is sent; when it is over, all that were not are */
    uint64_t path;      /* owner of its draws */
    uint64_t *touched;  /* records */
};
uint32_t lz_replication_disturb(struct lz_world *w, lz_component_id id,
                                const struct lz_replication_effect *effect);
void lz_replication_undo(struct lz_world *w, lz_component_id id, uint32_t effect);

#endif
