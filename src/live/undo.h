/*
 * undo.h — what a live run has done to this machine, written down before it is done.
 *
 * One file per run in the state folder ($XDG_STATE_HOME/lorenz/live, else ~/.local/state/...), for
 * its owner's eyes only. Each entry is one line, on the disk (fsync) before the thing it undoes is
 * done; each has a checksum. An entry that was undone is followed by a line that says so. The file
 * goes when everything was undone.
 *
 *   lorenz.undo/1 RUN PID START          who runs: a reused pid has another start time
 *   do N VERB ARGUMENTS... ~CHECKSUM
 *   done N ~CHECKSUM
 *
 * Who undoes: the run itself, at a fault's end and at its own, in the reverse order; a watchdog
 * process when the run is gone without having done so (watchdog.h); `lorenz recover` when that is
 * gone too (recover.h). All call lz_undo_file, which does nothing twice that must not be done
 * twice.
 *
 * A last line that is torn was never acted upon, and is ignored. Any other line that does not match
 * its checksum makes the file damaged: what can be read is undone, and the file is kept.
 */
#ifndef LZ_LIVE_UNDO_H
#define LZ_LIVE_UNDO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

enum lz_undo_verb {
    LZ_UNDO_END = 1, /* pid, start: kill what is left of its session and of its children */
    LZ_UNDO_SIGNAL,  /* pid, start, number: send the signal to its process group (SIGCONT) */
    LZ_UNDO_UNLINK,  /* path: remove a file */
    LZ_UNDO_RMDIR,   /* path: remove a folder that is empty; of a cgroup: first end what is in it */
    LZ_UNDO_WRITE,   /* path, text: write what was there, into a file that exists */
    LZ_UNDO_PRLIMIT, /* pid, start, number (RLIMIT_), soft, hard */
    LZ_UNDO_UNMOUNT, /* path */
};

struct lz_undo_entry {
    enum lz_undo_verb verb;
    pid_t pid;
    uint64_t start; /* of pid: lz_family_start_time */
    int number;
    uint64_t soft, hard;
    const char *path, *text; /* without a NUL; at most 4000 bytes each */
};

typedef uint32_t lz_undo_id; /* 0 is never issued */

struct lz_undo;

/* A log of this process's own. LZ_EIO: the folder or the file cannot be made. */
bool lz_undo_open(const char *folder, const char *run, struct lz_undo **out,
                  struct lz_err *err) LZ_MUST_CHECK;

/*
 * Who brings the file to the disk from now on, fsync() unless it is said: 0 or an errno. `sync` may
 * let others run meanwhile, which may add entries of their own.
 */
void lz_undo_sync_by(struct lz_undo *undo, int (*sync)(void *ctx, int fd), void *ctx);

/* Write down how something will be undone. False (a full disk, ...): do not do it. */
bool lz_undo_add(struct lz_undo *undo, const struct lz_undo_entry *entry, lz_undo_id *id,
                 struct lz_err *err) LZ_MUST_CHECK;

/* Undo one now; true also if there was nothing left to undo. */
bool lz_undo_now(struct lz_undo *undo, lz_undo_id id, struct lz_err *err) LZ_MUST_CHECK;

/* It needs no undoing any more: the thing ended by itself. */
void lz_undo_forget(struct lz_undo *undo, lz_undo_id id);

/* Undo all that is left, latest first, and remove the file if all of it was. */
bool lz_undo_all(struct lz_undo *undo, struct lz_err *err) LZ_MUST_CHECK;

/* The state folder, made if it is not there. */
bool lz_undo_folder(struct lz_str *out, struct lz_err *err) LZ_MUST_CHECK;

const char *lz_undo_path(const struct lz_undo *undo);
void lz_undo_close(struct lz_undo *undo); /* the file stays as it is */

/* A log that somebody left. */
struct lz_undo_report {
    char run[64];
    pid_t pid;       /* whose it is */
    bool is_running; /* that process lives: nothing was undone */
    bool is_damaged;
    uint32_t undone, left; /* entries; `left` could not be */
    struct lz_str said;    /* a line for each thing done or not */
};
bool lz_undo_file(const char *path, struct lz_undo_report *report,
                  struct lz_err *err) LZ_MUST_CHECK;

#endif
