/*
 * scratch.h — what a test wrote is gone when it ends.
 */
#ifndef LZ_TESTS_SCRATCH_H
#define LZ_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static int scratch_remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

/* A folder with all that is in it; links are not followed, a folder that is not there is fine. */
static inline void scratch_remove(const char *folder)
{
    nftw(folder, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
