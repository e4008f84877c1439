/*
 * curl.h — libcurl, loaded when something is first sent or asked.
 *
 * Most runs speak to nobody, and libcurl brings some thirty libraries with it: linked, they are
 * 40 % of what `lorenz run` executes for a small scenario. So this header has libcurl's types
 * from its own, and its functions as macros of the same names over a table that
 * lz_curl_load fills from the shared library. Nothing may be called before that succeeded.
 *
 * The table is filled once in a process. Calls are as thread-safe as libcurl's.
 */
#ifndef LZ_BASE_CURL_H
#define LZ_BASE_CURL_H

#include <stdbool.h>

// What libcurl's header checks of options' types it does in macros of the functions' names.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "base/err.h"

/* Every function in use: a new one is a name here and a macro below. */
#define LZ_CURL_FUNCTIONS(X)                                                                       \
    X(easy_cleanup)                                                                                \
    X(easy_escape)                                                                                 \
    X(easy_getinfo)                                                                                \
    X(easy_header)                                                                                 \
    X(easy_init)                                                                                   \
    X(easy_perform)                                                                                \
    X(easy_setopt)                                                                                 \
    X(easy_strerror)                                                                               \
    X(free)                                                                                        \
    X(global_init)                                                                                 \
    X(multi_add_handle)                                                                            \
    X(multi_cleanup)                                                                               \
    X(multi_info_read)                                                                             \
    X(multi_init)                                                                                  \
    X(multi_remove_handle)                                                                         \
    X(multi_setopt)                                                                                \
    X(multi_socket_action)                                                                         \
    X(slist_append)                                                                                \
    X(slist_free_all)                                                                              \
    X(url)                                                                                         \
    X(url_cleanup)                                                                                 \
    X(url_set)                                                                                     \
    X(url_strerror)                                                                                \
    X(version_info)

#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

struct lz_curl {
#define LZ_CURL_POINTER(name) __typeof__(&curl_##name) name;
    LZ_CURL_FUNCTIONS(LZ_CURL_POINTER)
#undef LZ_CURL_POINTER
};

extern struct lz_curl lz_curl;

/* Loads and initialises it. LZ_EIO: it is not installed, or lacks a function (then it is older
 * than the one whose header this was built with). */
bool lz_curl_load(struct lz_err *err);

#ifndef LZ_CURL_NO_MACROS // curl.c needs the names themselves
#define curl_easy_cleanup lz_curl.easy_cleanup
#define curl_easy_escape lz_curl.easy_escape
#define curl_easy_getinfo lz_curl.easy_getinfo
#define curl_easy_header lz_curl.easy_header
#define curl_easy_init lz_curl.easy_init
#define curl_easy_perform lz_curl.easy_perform
#define curl_easy_setopt lz_curl.easy_setopt
#define curl_easy_strerror lz_curl.easy_strerror
#define curl_free lz_curl.free
#define curl_multi_add_handle lz_curl.multi_add_handle
#define curl_multi_cleanup lz_curl.multi_cleanup
#define curl_multi_info_read lz_curl.multi_info_read
#define curl_multi_init lz_curl.multi_init
#define curl_multi_remove_handle lz_curl.multi_remove_handle
#define curl_multi_setopt lz_curl.multi_setopt
#define curl_multi_socket_action lz_curl.multi_socket_action
#define curl_slist_append lz_curl.slist_append
#define curl_slist_free_all lz_curl.slist_free_all
#define curl_url lz_curl.url
#define curl_url_cleanup lz_curl.url_cleanup
#define curl_url_set lz_curl.url_set
#define curl_url_strerror lz_curl.url_strerror
#define curl_version_info lz_curl.version_info
#endif

#endif
