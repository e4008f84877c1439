/*
 * fetch.h — one HTTP request that is made many times over, by libcurl on the event loop.
 *
 * A *fetch* is a request that is known beforehand: URL, method, headers, body. It has its own
 * connections, kept alive and used again. Each `lz_fetch_begin` makes the request once more, at
 * the same time as others if need be, and calls back with one result: an answer, or how it failed.
 *
 * libcurl by itself repeats a request whose kept connection turned out to be dead. Here that is
 * seen and reported as a reset: what broke the connection is what a run is about.
 *
 * Redirects are not followed, proxies of the environment not used, certificates always checked: one
 * that is not trusted is a failure that says so, with what libcurl says of the reason.
 *
 * Costs of a GET to an nginx on loopback: 20 to 30 us of CPU, a third of it in the kernel, so that
 * one core sends over 30,000 a second. What matters is that handles stay configured, and that
 * libcurl (7.88) is never given more than it can send at once: for each request that ends it looks
 * through all that wait in it. What is more waits here.
 */
#ifndef LZ_LIVE_LOAD_FETCH_H
#define LZ_LIVE_LOAD_FETCH_H

#include <stdint.h>

#include "live/load/blanks.h"
#include "live/loop.h"
#include "script/live_plan.h"

#define LZ_FETCH_CONNECTIONS 256u /* unless opts say otherwise */

enum lz_fetch_outcome {
    LZ_FETCH_ANSWERED, /* with any status; of a connection alone: it was accepted */
    LZ_FETCH_REFUSED,  /* nobody listens there */
    LZ_FETCH_RESET,    /* the connection ended before the answer was complete */
    LZ_FETCH_TIMEOUT,
    LZ_FETCH_FAILED, /* a name that does not resolve, a certificate that is not trusted, ... */
};

struct lz_fetch_opts {
    const char *url;    /* http:// or https://; it and the body may have blanks (blanks.h) */
    const char *method; /* NULL: GET, or POST if there is a body */
    const char *body;   /* NULL: none */
    struct lz_live_pairs headers;
    const char *ca_file; /* NULL: the system's certificates */
    const char *via;     /* "127.0.0.1:8443": connect there, whatever the URL says; NULL */
    bool http2;
    bool connect_only;    /* open a connection, close it, and that is all */
    uint32_t connections; /* at once, at most; 0: LZ_FETCH_CONNECTIONS */
    size_t keep;          /* bytes of a body that are kept for the result; 0: none */
    bool wants_etag;      /* its answers' ETag is in the result */
};

struct lz_fetch_result {
    enum lz_fetch_outcome outcome;
    uint16_t status;    /* 0: there was no answer */
    const char *text;   /* the body as far as it was kept, or why there is no answer */
    size_t size;        /* bytes of it */
    const char *etag;   /* NULL: it has none, or nobody wants it */
    bool is_http2;      /* of an answer: what was agreed on (ALPN), or known beforehand */
    int64_t connect_ns; /* until the connection was there; 0: one was open already */
    int64_t first_ns;   /* until the answer's first byte; 0: there was none */
};
typedef void lz_fetch_fn(void *ctx, const struct lz_fetch_result *result);

struct lz_fetch;
struct lz_fetch_run; /* one use of it, until it is over or cancelled */

/* Texts are copied. LZ_EINVAL: a URL or a header that cannot be, HTTP/2 where it cannot be had. */
bool lz_fetch_create(struct lz_loop *loop, const struct lz_fetch_opts *opts, struct lz_fetch **out,
                     struct lz_err *err) LZ_MUST_CHECK;

/* Those under way are forgotten. From a callback too. NULL is allowed. */
void lz_fetch_destroy(struct lz_fetch *fetch);

/*
 * Make the request once. `fn` is called later, never from within; it may begin and cancel others.
 * With `fresh` it gets a connection of its own, opened for it.
 */
struct lz_fetch_run *lz_fetch_begin(struct lz_fetch *fetch, int64_t timeout_ns, bool fresh,
                                    lz_fetch_fn *fn, void *ctx);
/* Likewise, with its blanks filled in by these; NULL: they stay. */
struct lz_fetch_run *lz_fetch_begin_with(struct lz_fetch *fetch, int64_t timeout_ns, bool fresh,
                                         const struct lz_blanks *blanks, lz_fetch_fn *fn,
                                         void *ctx);
void lz_fetch_cancel(struct lz_fetch_run *run); /* `fn` will not be called */

/* "refused", "reset", ... */
const char *lz_fetch_outcome_name(enum lz_fetch_outcome outcome);

#endif
