/*
 * watchdog.h — a process that undoes what a live run has done when the run cannot.
 *
 * It is forked before anything is changed, lives in a session of its own, holds nothing but one end
 * of a pipe, and waits for the other end to close. A run that ends by itself says so first; when
 * the pipe closes without that (SIGKILL, a crash, the OOM killer) it reads the undo log, undoes
 * what is left in it, and is gone. SIGINT, SIGTERM and SIGHUP do not end it.
 */
#ifndef LZ_LIVE_WATCHDOG_H
#define LZ_LIVE_WATCHDOG_H

#include <sys/types.h>

#include "base/err.h"

struct lz_watchdog {
    pid_t pid;
    int fd; /* closes on exec */
};

/* Before there is a loop, a proxy or a program. */
bool lz_watchdog_start(const char *undo_path, struct lz_watchdog *out,
                       struct lz_err *err) LZ_MUST_CHECK;

/* Everything was undone: it ends without doing anything. */
void lz_watchdog_dismiss(struct lz_watchdog *watchdog);

#endif
