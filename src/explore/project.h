/*
 * project.h — which files a scenario may `use` or replay.
 *
 * A scenario from a stranger is read, checked and run. The files it names are those inside
 * the project's folder and nothing else: the nearest folder above the scenario that has a
 * lorenz.conf.lua or a .git, or without one the scenario's own folder. Symbolic links are followed
 * first and judged by where they lead. Devices, pipes and folders are refused unopened, and so is
 * what is larger than LZ_PROJECT_FILE_MAX.
 */
#ifndef LZ_EXPLORE_PROJECT_H
#define LZ_EXPLORE_PROJECT_H

#include "base/err.h"
#include "script/script.h"

#define LZ_PROJECT_FILE_MAX (1 << 20) /* bytes */

/*
 * A reader for lz_script_opts.files; `ctx` is the scenario's path as the user gave it. `from` is
 * the path of the file that says `use`, `name` is relative to it. LZ_ERANGE: it leads outside the
 * project; LZ_ENOENT, LZ_EIO, LZ_EFULL: it cannot be read.
 */
bool lz_project_read(void *ctx, const char *from, const char *name, struct lz_script_file *out,
                     struct lz_err *err) LZ_MUST_CHECK;

#endif
