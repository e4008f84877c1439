/*
 * prepare.h — what a process is run with: texts with their templates filled in, folder, files.
 */
#ifndef LZ_LIVE_PREPARE_H
#define LZ_LIVE_PREPARE_H

#include "live/site.h"

/* All ends with NULL; for an endpoint only `ready`. */
struct lz_prepared {
    const char **run;
    const char ***setup;
    size_t setup_count;
    const char **env; /* NAME=value, with what lorenz itself was given */
    char *cwd;
    struct lz_live_probe ready; /* as said, or a connection every 50 ms */
    char **texts;               /* what the above points into */
    size_t text_count;
};

/* Make its folder, write its files, fill in all else. Errors say which text. */
bool lz_prepare(const struct lz_site *site, const struct lz_site_process *process, const char *mark,
                struct lz_prepared **out, struct lz_err *err) LZ_MUST_CHECK;
void lz_prepared_free(struct lz_prepared *prepared); /* NULL is allowed */

/* Requests: path, body, CA file and command, filled in likewise. */
bool lz_prepare_traffic(const struct lz_site *site, struct lz_prepared *into,
                        struct lz_live_traffic *traffic, struct lz_err *err) LZ_MUST_CHECK;

/* A probe of its own, filled in likewise; its texts go with `into`. */
bool lz_prepare_probe(const struct lz_site *site, const struct lz_site_process *self,
                      struct lz_prepared *into, struct lz_live_probe *probe,
                      struct lz_err *err) LZ_MUST_CHECK;

#endif
