/* modules.h — in the binary: the private Lua half as bytecode, the standard library as text. */
#ifndef LZ_SCRIPT_MODULES_H
#define LZ_SCRIPT_MODULES_H

#include <stddef.h>

struct lz_module {
    const char *name;
    const unsigned char *bytes;
    size_t size;
};

extern const struct lz_module lz_modules[]; /* ends with name NULL */
extern const struct lz_module lz_stdlib[];  /* the same; sources, in the order of names */

#endif
