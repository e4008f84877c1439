/*
 * trail.h — what becomes of a record that a request has written, beyond what the request waits for:
 * its leader's append, the copies that are waited for, the poll that brought it to a member of a
 * group, and the work on it.
 *
 *   send (a span of the request) ─▶ append ─▶ replicate
 *                                       └───────────────▶ poll ─▶ process, by each group
 *
 * A batch that was written by a call knows its request (its *origin*); records of traffic, which
 * are of no request, have none, and cost nothing. A step is noted when it has ended, and dropped
 * again once its request has ended and was not kept (request.h): what is held grows with the
 * requests under way and the traces that are kept.
 */
#ifndef LZ_MODEL_TRAFFIC_TRAIL_H
#define LZ_MODEL_TRAFFIC_TRAIL_H

#include "model/traffic/request.h"

/* Whose record it is; `request` 0: nobody's. */
struct lz_origin {
    lz_request_id request;
    uint64_t ordinal : 40; /* as of struct lz_request */
    uint64_t traffic : 16;
    uint32_t call; /* within the request */
};

enum lz_trail_kind { LZ_TRAIL_APPEND, LZ_TRAIL_REPLICATE, LZ_TRAIL_POLL, LZ_TRAIL_PROCESS };

struct lz_trail {
    struct lz_origin origin;
    lz_component_id component; /* the topic, or the consumers */
    lz_instance_id instance;   /* the leader, or the member */
    uint32_t partition;        /* from 0 */
    uint8_t kind;
    bool has_failed;
    uint64_t offset;
    lz_time start, end;
};

/* Of a call's task; of one whose request has ended: nobody's. */
struct lz_task;
struct lz_origin lz_trail_origin(const struct lz_world *w, const struct lz_task *t);

void lz_trail_add(struct lz_world *w, const struct lz_trail *trail);

/* In the order they ended; NULL past the end. Some may be of requests that were not kept. */
const struct lz_trail *lz_trail_at(const struct lz_world *w, size_t i);

const char *lz_trail_name(enum lz_trail_kind kind); /* "append", "replicate", "poll", "process" */

#endif
