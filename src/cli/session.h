/*
 * session.h — one `lorenz run` from its flags to its exit status.
 *
 * select files, list cases, run them, keep run files, print, write the other formats.
 * Results are printed as they come, in order. Whatever fails to be written is said on
 * stderr and changes the status; it never takes the verdicts with it.
 */
#ifndef LZ_CLI_SESSION_H
#define LZ_CLI_SESSION_H

#include "cli/flags.h"
#include "cli/out.h"
#include "explore/exit.h"
#include "explore/suite.h"

#define LZ_SESSION_FOLDER ".lorenz"
#define LZ_SESSION_RUNS ".lorenz/runs"
#define LZ_SESSION_FAILED ".lorenz/last-failed"
#define LZ_SESSION_CRASHES ".lorenz/crash"

/* Find, read and list what `paths` mean, and leave out what is not selected (but for the shard).
   On another status than OK all was said, and there is no suite. `build` is lz_suite_opts's. */
enum lz_exit lz_session_open(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                             bool build, struct lz_select_files *files, struct lz_suite **suite);

/* "nothing matched", with why and what to do; returns the status. */
enum lz_exit lz_session_nothing(const struct lz_flags *flags, const char *command);

/* Say that a token is of another text or engine than what is here, if it is. */
void lz_session_compare(const struct lz_token *token, const struct lz_suite *suite);

/* All of `run`. */
enum lz_exit lz_session_run(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                            struct lz_out *out);

#endif
