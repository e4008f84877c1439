/*
 * recover.h — undo logs that live runs left in the state folder.
 *
 * A run that ended by itself leaves none, and the watchdog of one that was killed undoes what is in
 * its log within a second. What is found here is of a run whose watchdog was killed too, of a
 * machine that lost power, or of a run that is still under way.
 */
#ifndef LZ_LIVE_RECOVER_H
#define LZ_LIVE_RECOVER_H

#include "live/undo.h"

struct lz_recovery {
    uint32_t running; /* runs that are under way: left alone */
    pid_t running_pid;
    char running_name[64];
    uint32_t recovered; /* logs that were undone, and are gone */
    uint32_t damaged;   /* logs that could not be read as a whole, or not be undone; they stay */
    struct lz_str said; /* what was done, a line each */
};

/* Undo all logs of runs that are gone. LZ_EIO: the folder cannot be read. */
bool lz_recover(struct lz_recovery *out, struct lz_err *err) LZ_MUST_CHECK;

/* A log that is damaged, set aside as NAME.damaged, so that runs can begin again. */
bool lz_recover_set_aside(struct lz_err *err) LZ_MUST_CHECK;

#endif
