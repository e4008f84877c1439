/*
 * watch.h — --watch: do it, and again whenever a scenario or one of its helpers changes.
 *
 * Looked at are all *.lua below the folders that are named, or that hold a file that is named;
 * twice a second. It ends when it is interrupted.
 */
#ifndef LZ_CLI_WATCH_H
#define LZ_CLI_WATCH_H

#include "cli/flags.h"

/* `work` once, or again and again with --watch; what it answered last. */
enum lz_exit lz_watch_run(const struct lz_flags *flags, const struct lz_opts_rest *paths,
                          enum lz_exit (*work)(void *ctx), void *ctx);

#endif
