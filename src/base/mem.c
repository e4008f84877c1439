#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

void *lz_mem_alloc(size_t size)
{
    return lz_mem_resize(NULL, size);
}

void *lz_mem_resize(void *ptr, size_t size)
{
    void *got = realloc(ptr, size > 0 ? size : 1);
    if (got != NULL)
        return got;
    fprintf(stderr, "lorenz: out of memory: the system refused %zu bytes\n", size);
    abort();
}
