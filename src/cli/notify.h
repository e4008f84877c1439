/*
 * notify.h — tell somebody of a verdict: --notify URL, by libcurl.
 *
 *   https://HOST/PATH, http://...   the verdict as JSON (lorenz.notice/1)
 *   slack:https://HOST/PATH         an incoming webhook's {"text": ...}
 *   alertmanager:https://HOST       an alert of Alertmanager's API v2, firing or resolved
 *
 * At most LZ_NOTIFY_TRIES attempts of ten seconds, with a second and then two between them, while
 * there is no answer or the answer is 429 or 5xx. Certificates are checked, redirections are not
 * followed. A notice that does not arrive is said on stderr and changes nothing: the verdict is
 * the run's, not the network's.
 */
#ifndef LZ_CLI_NOTIFY_H
#define LZ_CLI_NOTIFY_H

#include <stdint.h>

#include "base/err.h"

#define LZ_NOTIFY_TRIES 3

struct lz_notify {
    const char *command; /* "run", "sweep" */
    const char *verdict; /* "pass", "fail", ... */
    const char *summary; /* a line: "13 passed, 1 failed" */
    uint64_t seed;
    int exit_code;
};

/* Whether a URL has a shape that is known; for the reader of the option. */
bool lz_notify_check(const char *url, struct lz_err *err) LZ_MUST_CHECK;

/* Send; what went wrong is said on stderr. */
void lz_notify_send(const char *url, const struct lz_notify *notice);

#endif
