/*
 * load.h — the requests of a `traffic` block, sent to something real.
 *
 * Arrivals are the model's own (model/traffic): the same shapes, Poisson draws by key, batches,
 * sessions, closed loops and surges, on the world's time, which in a live run is the real one. Only
 * what happens to a request differs: instead of travelling through the model it is sent by HTTP
 * (fetch.h), with the timeout, retries and backoff that the traffic declares. The answer goes back
 * to the traffic, into the same measures.
 *
 *   arrival.c ──▶ lz_traffic_send ──▶ load.c ──▶ libcurl ──▶ proxy ──▶ the program
 *                 lz_traffic_called ◀── answer, refusal, reset or timeout, after the last attempt
 *
 * - Latency counts from the *intended* time (Tene: coordinated omission), so a system that stalls
 *   cannot hide its queue, nor can a slow generator: its own delay is in the figures too.
 * - A request that leaves more than LZ_LOAD_LATE after its intended time is *late*. When more than
 *   LZ_LOAD_LATE_SHARE of a traffic's requests were, the run is inconclusive: what was measured is
 *   Lorenz, not the system. The journal says how many there were and how late the latest was.
 * - A request is good when its status is below 400. Others are error answers; no connection is a
 *   refusal, a broken one a reset. Each kind of trouble is told in the journal once.
 * - Retries are the traffic's own, with its backoff and jitter, the draws being the model's, and so
 *   are breaker, throttle, bulkhead and retry budget (limits.h).
 * - A hedge is a second request after its delay; the first good answer is the one, and what else is
 *   under way is given up: an HTTP/1.1 connection is closed, an HTTP/2 stream reset. A timeout does
 *   the same, with or without `cancel`. Tied ones too: whether replicas tell each other is theirs.
 * - {{key}} and {{value}} in path, body or command are the request's key, as the model draws it,
 * and a number of its own. Of a component whose history is asked for, each request is an operation
 *   (model/history/recorder_real.h), and the body of an answer, or what the command wrote, is what
 * it saw: a number if it is one, else a text; nothing of it, or 404, is nothing.
 * - With `if_match` a request is a compare and set: it reads its path, and writes with If-Match and
 *   the ETag it was given (RFC 9110, 13.1.1), or If-None-Match: * where there was nothing. Each
 *   attempt begins with a read of its own. 412 is an error answer, and a cas that has failed.
 * - Of a database whose accounts must be conserved an answer to a read says what all of them hold:
 *   one number, or names and numbers. Of a topic an answer says where the record stands: an offset,
 *   or partition and offset.
 * - What does not speak HTTP is used by a program (`live = { command = ... }`), run for each
 *   request: good is one that ends with 0 in time. It takes milliseconds to start one, so this is
 *   for tens a second.
 */
#ifndef LZ_LIVE_LOAD_LOAD_H
#define LZ_LIVE_LOAD_LOAD_H

#include "live/live.h"
#include "model/client/call.h"

#define LZ_LOAD_LATE (10 * LZ_MS)
#define LZ_LOAD_LATE_COMMAND (100 * LZ_MS) /* of a program, which takes a while to begin */
#define LZ_LOAD_LATE_SHARE 0.01
#define LZ_LOAD_KEEP (1u << 20) /* bytes of an answer that an operation had: all of a set, say */
#define LZ_LOAD_COMMANDS 32u    /* at once, at most, unless `connections` says otherwise */

struct lz_load;

void lz_load_create(struct lz_live *live, struct lz_load **out);

/*
 * Requests of this traffic go to this edge's proxy from now on, and on to edge->to; of several
 * edges, attempts go round. Templates of
 * its texts have been filled in, and they outlive the load. Before the world's start. LZ_EINVAL: a
 * header, a CA file or an HTTP version that cannot be.
 */
bool lz_load_add(struct lz_load *load, const struct lz_live_traffic *traffic,
                 const struct lz_site_edge *edge, struct lz_err *err) LZ_MUST_CHECK;

/* At the end of the run: says what was late. What is under way is forgotten, and in no figure. */
void lz_load_end(struct lz_load *load);

void lz_load_destroy(struct lz_load *load); /* NULL is allowed */

/* Of all traffics since the start. */
struct lz_load_count {
    uint64_t sent; /* requests, not attempts */
    uint64_t attempts;
    uint64_t hedges; /* flights beside the first */
    uint64_t wins;   /* of them */
    uint64_t late;
    lz_time latest; /* how late the latest was */
};
struct lz_load_count lz_load_count(const struct lz_load *load);

#endif
