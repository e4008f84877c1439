/*
 * conf.h — lorenz.conf.lua: what options are when nobody gives them.
 *
 *     return {
 *       paths   = { "scenarios" },
 *       jobs    = 4,
 *       profile = {
 *         ci      = { seeds = 200, keep = "failed", output = { "junit=results.xml" } },
 *         nightly = { seeds = 100000, max_rate = "0.1%" },
 *       },
 *     }
 *
 * A table of literals and nothing else: texts, numbers, true, lists of these. A name is that of an
 * option of any command, with "_" where the option has "-"; a command takes those that it has.
 *
 * What counts, from the strongest: the command line; the environment; the profile (--profile, or
 * LORENZ_PROFILE) of the project, then of the user; the project's file, then the user's; what is
 * built in. The project's is the nearest lorenz.conf.lua in this folder or above it, or what
 * --config or LORENZ_CONFIG names; the user's is $XDG_CONFIG_HOME/lorenz/lorenz.conf.lua.
 */
#ifndef LZ_CLI_CONF_H
#define LZ_CLI_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define LZ_CONF_ITEMS_MAX 1000   /* settings of a file; more are refused with LZ_EFULL */
#define LZ_CONF_SIZE_MAX 1000000 /* bytes of a file */

/* A value of a setting; a list is several, one after another. */
struct lz_conf_item {
    char *profile;    /* NULL: of none */
    char *name;       /* as an option: "max-events" */
    char *value;      /* a text; "true" and "false" for what is on or off */
    const char *path; /* of its file */
    unsigned line;
};

struct lz_conf {
    struct lz_conf_item *items; /* the weakest first: the user's file, then the project's */
    size_t count;
    char *user, *project; /* paths; NULL: there is no such file */
};

/* Read both files. `path` is --config's, or NULL. A message names file and line. */
bool lz_conf_load(const char *path, struct lz_conf *out, struct lz_err *err) LZ_MUST_CHECK;
void lz_conf_finish(struct lz_conf *conf);

bool lz_conf_has_profile(const struct lz_conf *conf, const char *profile);

/* One file's text, for tests; `path` must live as long as `out`. */
bool lz_conf_parse(const char *path, const char *text, struct lz_conf *out,
                   struct lz_err *err) LZ_MUST_CHECK;

#endif
