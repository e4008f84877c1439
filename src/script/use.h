/* use.h — what the word `use` needs of C: module texts, by name or from a file. */
#ifndef LZ_SCRIPT_USE_H
#define LZ_SCRIPT_USE_H

#include <lua.h>

/* Adds stdlib, stdlib_names and read_file to the table on top of the stack. */
void lz_use_bind(lua_State *L);

#endif
