/*
 * fetch_handle.h — one of libcurl's handles: configured once for all requests of a fetch, then for
 * each of them, and read when that is over.
 */
#ifndef LZ_LIVE_LOAD_FETCH_HANDLE_H
#define LZ_LIVE_LOAD_FETCH_HANDLE_H

#include "base/curl.h"
#include "base/str.h"
#include "live/load/fetch.h"

/* What all requests of a fetch have in common. Texts are copies of its own. */
struct lz_fetch_form {
    char *url, *method, *body, *ca_file, *via;
    struct curl_slist *headers, *connect_to;
    size_t body_size, keep;
    bool http2, connect_only, wants_etag;
    bool url_has_blanks, body_has_blanks;
};

void lz_fetch_form_init(struct lz_fetch_form *form, const struct lz_fetch_opts *opts);
void lz_fetch_form_finish(struct lz_fetch_form *form);

struct lz_fetch_handle {
    struct lz_fetch_handle *next; /* its owner's: among the idle ones */
    void *owner;                  /* of what it is used for just now */
    CURL *easy;
    const struct lz_fetch_form *form;
    int64_t timeout_ms; /* as it is configured */
    bool is_fresh;      /* likewise */
    uint32_t tries;     /* requests that libcurl has begun to send */
    struct lz_str body;
    struct lz_str filled;       /* the body that is sent, if it has blanks */
    struct curl_slist *headers; /* with one of this request's own; NULL: it has none */
    char trouble[CURL_ERROR_SIZE];
};

/* `form` outlives it. */
struct lz_fetch_handle *lz_fetch_handle_create(const struct lz_fetch_form *form);
void lz_fetch_handle_destroy(struct lz_fetch_handle *h);

/* For the next request; `blanks` NULL: it has none. What is as it was costs nothing. */
void lz_fetch_handle_set(struct lz_fetch_handle *h, int64_t timeout_ns, bool fresh,
                         const struct lz_blanks *blanks);

/* Of libcurl's. */
struct lz_fetch_handle *lz_fetch_handle_of(CURL *easy);

/* What came of it. Its texts are the handle's, until it is set again. */
struct lz_fetch_result lz_fetch_handle_result(struct lz_fetch_handle *h, CURLcode code);

#endif
