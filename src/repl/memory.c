#include "repl/memory.h"

#include <stdbool.h>
#include <stdio.h>

size_t lz_memory_of(pid_t pid)
{
    char path[64], line[128];
    snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return LZ_MEMORY_GUESS;
    size_t kib = 0, swapped = 0;
    bool is_known = false;
    while (fgets(line, sizeof(line), f) != NULL) {
        is_known |= sscanf(line, "Pss_Anon: %zu kB", &kib) == 1;
        sscanf(line, "SwapPss: %zu kB", &swapped);
    }
    fclose(f);
    return is_known ? (kib + swapped) * 1024 : LZ_MEMORY_GUESS;
}
