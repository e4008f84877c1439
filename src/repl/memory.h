/*
 * memory.h — what a sleeping copy of a world takes of the machine.
 *
 * A copy shares all pages with the world it was made of until one of them writes. What it takes is
 * its *proportional* anonymous memory: pages of its own, and of those it shares with others its
 * part, so that the sum over all copies is what they take together. Linux tells it in
 * /proc/PID/smaps_rollup (proc(5), Pss_Anon); where it cannot be read a copy counts as
 * LZ_MEMORY_GUESS.
 */
#ifndef LZ_REPL_MEMORY_H
#define LZ_REPL_MEMORY_H

#include <stddef.h>
#include <sys/types.h>

#define LZ_MEMORY_GUESS (16u << 20)

size_t lz_memory_of(pid_t pid); /* bytes */

#endif
