/*
 * saved.h — sessions that are kept: what was typed, and in which world.
 *
 * `.lorenz/sessions/NAME.session` begins with lines that say what the session is of, then come the
 * lines as they were typed:
 *
 *   -- lorenz session 1
 *   -- scenario scenarios/db_failover.lua
 *   -- seed 1
 *   -- token lz1-1-0c1f2a3b4c5d-9a8b7c6d5e4f
 *   -- set retries=3
 *   .run to 3m59s
 *   db.failover.detect = "1s"
 *
 * Typed again in that world they do the same again; the token tells whether the scenario's text, or
 * the engine, is another one by now.
 */
#ifndef LZ_REPL_SAVED_H
#define LZ_REPL_SAVED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "explore/select.h"

#define LZ_SAVED_FOLDER ".lorenz/sessions"
#define LZ_SAVED_NAME_MAX 100
#define LZ_SAVED_PATH_MAX 160

struct lz_saved {
    char *scenario, *token; /* malloc's */
    uint64_t seed;
    struct lz_select_pairs params;
    FILE *rest; /* at the first line that was typed */
};

/* Where a session of that name is; false if no session can have it. */
bool lz_saved_path(const char *name, char *path, size_t size, struct lz_err *err) LZ_MUST_CHECK;

/* LZ_ENOENT: there is none of that name. */
bool lz_saved_open(const char *name, struct lz_saved *out, struct lz_err *err) LZ_MUST_CHECK;
void lz_saved_close(struct lz_saved *s);

/* Keep `lines` under a name; what was there is replaced. `s->rest` is not used. */
bool lz_saved_write(const char *name, const struct lz_saved *s, const char *lines,
                    struct lz_err *err) LZ_MUST_CHECK;

#endif
