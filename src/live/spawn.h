/*
 * spawn.h — one program as a process of its own, written down before it begins.
 *
 * The child waits between fork and exec until it is told to go on: by then it is in the undo log.
 * It has a session of its own, no standard input, both outputs appended to a file, no descriptor
 * more, and the signals as they were before the loop.
 */
#ifndef LZ_LIVE_SPAWN_H
#define LZ_LIVE_SPAWN_H

#include <sys/types.h>

#include "live/loop.h"
#include "live/undo.h"

struct lz_spawn_opts {
    const char *const *argv; /* ends with NULL; looked up in PATH */
    const char *const *env;  /* NAME=value, ends with NULL: all of it */
    const char *cwd, *output;
    const char *user; /* NULL: as we are */
    const char *mark; /* family.h */
    int net_fd;       /* the network namespace that it is in; 0: ours */
};

struct lz_spawned {
    pid_t pid;
    uint64_t start;
    lz_undo_id undo;
};

/* False: it is not there (no such program, no such folder, no right to), and nothing is left. */
bool lz_spawn(struct lz_loop *loop, struct lz_undo *undo, const struct lz_spawn_opts *opts,
              struct lz_spawned *out, struct lz_err *err) LZ_MUST_CHECK;

/* May we start programs as this user? */
bool lz_spawn_check_user(const char *user, struct lz_err *err) LZ_MUST_CHECK;

#endif
