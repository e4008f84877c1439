/*
 * retrace.h — what became of a request that nobody kept.
 *
 * A run keeps the way of some requests only (model/traffic/request.h). Of any other it can be told
 * nevertheless, because the run can take place again: a copy from before the request was sent is
 * woken, told to keep it, and run on with what was typed until the request has ended. What is run
 * again is what lies between two copies and the request's own time, and never more than the world
 * has behind it. The world itself does not notice.
 */
#ifndef LZ_REPL_RETRACE_H
#define LZ_REPL_RETRACE_H

#include "repl/tree.h"

struct lz_retrace_request {
    const char *traffic;
    uint64_t ordinal; /* from 1 */
};

/* A traffic of the current world, and how many requests it has sent so far. */
struct lz_retrace_traffic {
    char name[64];
    uint64_t sent;
};
#define LZ_RETRACE_TRAFFICS 64 /* further ones are not known here */

/* How many there are; UINT32_MAX: the world's process is gone. */
uint32_t lz_retrace_traffics(struct lz_tree *t, struct lz_retrace_traffic *out);

enum lz_retrace_end {
    LZ_RETRACE_FOUND,
    LZ_RETRACE_PENDING, /* it has not ended yet */
    LZ_RETRACE_FAILED,  /* `out` says why */
};

/* The record of such a run, which has the request as "asked", in `out`. It has been sent. */
enum lz_retrace_end lz_retrace(struct lz_tree *t, const struct lz_retrace_request *what,
                               struct lz_str *out);

#endif
