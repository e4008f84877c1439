/*
 * skeleton.h — the files of a new project, for `lorenz init` and `lorenz new`.
 *
 * A file that exists is never touched: it is kept, and said to be.
 */
#ifndef LZ_CLI_SKELETON_H
#define LZ_CLI_SKELETON_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define LZ_SKELETON_FIRST "scenarios/first.lua"

struct lz_skeleton_file {
    const char *path; /* below the project's folder */
    const char *text;
};

/* The files that `init` writes; path NULL after the last. */
extern const struct lz_skeleton_file lz_skeleton_files[];

/* A scenario to begin with, for `new`. */
void lz_skeleton_scenario(struct lz_str *out, const char *name);

enum lz_skeleton_end { LZ_SKELETON_WROTE = 1, LZ_SKELETON_KEPT, LZ_SKELETON_FAILED };

/* Make `folder`/`path` with this text, and folders it needs, unless it exists. LZ_EIO names
   path and cause. */
enum lz_skeleton_end lz_skeleton_write(const char *folder, const char *path, const char *text,
                                       struct lz_err *err);

#endif
