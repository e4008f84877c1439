/* replay.h — a recorded run at the prompt, for commands that end in one. */
#ifndef LZ_CLI_REPLAY_H
#define LZ_CLI_REPLAY_H

#include "cli/flags.h"
#include "cli/out.h"
#include "explore/exit.h"

#define LZ_REPL_AT_FAILURE (-1) /* where its first expectation failed */

/* `name`: of a run file; `at`: where to begin. */
enum lz_exit lz_repl_of_run(const struct lz_flags *flags, const char *name, int64_t at,
                            struct lz_out *out);

#endif
