/* types.h — the language as a folder of types, for `lorenz types` and `lorenz init`. */
#ifndef LZ_CLI_TYPES_H
#define LZ_CLI_TYPES_H

#include "cli/out.h"

#define LZ_TYPES_FOLDER ".lorenz/types"

/* Write config.json and library/lorenz.lua below `folder`, replacing what is there: the
   files belong to lorenz. LZ_EIO names path and cause. */
bool lz_types_write(const char *folder, struct lz_err *err) LZ_MUST_CHECK;

#endif
