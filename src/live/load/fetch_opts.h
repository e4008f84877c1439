/*
 * fetch_opts.h — inside live/load/: what may be asked of a fetcher, and how libcurl is told.
 *
 * A URL that this libcurl can do, a method of HTTP, headers that are one line each. Lists are
 * libcurl's; who gets one frees it.
 */
#ifndef LZ_LIVE_LOAD_FETCH_OPTS_H
#define LZ_LIVE_LOAD_FETCH_OPTS_H

#include "live/load/fetch.h"

struct curl_slist;

/* LZ_EINVAL says what of it cannot be. libcurl is loaded. */
bool lz_fetch_opts_check(const struct lz_fetch_opts *opts, struct lz_err *err) LZ_MUST_CHECK;

/* Those that are asked for, after ours. */
struct curl_slist *lz_fetch_opts_headers(const struct lz_live_pairs *headers);

/* All connections go to `via`, "127.0.0.1:8080"; NULL: where the URL says. */
struct curl_slist *lz_fetch_opts_route(const char *via);

#endif
