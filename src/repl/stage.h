/*
 * stage.h — the process in which a world lives, and what it does when it is asked.
 *
 * The prompt holds no world. It asks a stage over its line (pipe.h), and a stage that is asked to
 * FORK goes on sleeping while its copy answers on another line: that is what a snapshot is, and
 * what a branch is. A stage ends when its line does.
 */
#ifndef LZ_REPL_STAGE_H
#define LZ_REPL_STAGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "explore/worker.h"

struct lz_stage_opts {
    struct lz_worker_source source;
    const struct lz_select_pairs *params; /* of the case: everything pinned */
    const char *version;
    const char *token; /* to say in records */
    uint64_t seed;
    double swarm;               /* share of the planned faults that the seed leaves out */
    struct lz_order_opts order; /* in which messages arrive; a pct with its steps */
};

/*
 * Load and build in a child, which then waits at 0. `line` is to it. False with what the scenario
 * has against it.
 */
bool lz_stage_start(const struct lz_stage_opts *opts, int *line, pid_t *pid,
                    struct lz_str *why) LZ_MUST_CHECK;

#endif
