/*
 * mem.h — memory outside the universe: malloc that cannot fail.
 *
 * For what outlives runs or serves them from outside (texts, scratch space). No memory
 * aborts, here and in the arena and nowhere else. Give back with free().
 */
#ifndef LZ_BASE_MEM_H
#define LZ_BASE_MEM_H

#include <stddef.h>

/* Uninitialised; never NULL. */
void *lz_mem_alloc(size_t size);

/* As realloc, but never NULL; `ptr` may be NULL. */
void *lz_mem_resize(void *ptr, size_t size);

#endif
