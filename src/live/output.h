/*
 * output.h — what programs write, kept within bounds.
 *
 * A program writes into its file by itself, as fast as it can, and a disk that it has filled would
 * break all that is measured beside it. So its file is looked at ten times a second: of one that
 * has more than LZ_OUTPUT_MAX only the end is kept, behind a line that says so.
 */
#ifndef LZ_LIVE_OUTPUT_H
#define LZ_LIVE_OUTPUT_H

#include <stdint.h>

#define LZ_OUTPUT_MAX (UINT64_C(64) << 20)
#define LZ_OUTPUT_KEEP (UINT64_C(64) << 10)

/*
 * Bytes that were dropped, with those `before`, of earlier calls; 0: the file has no more than
 * `max`, or is no file. Who writes it has it open with O_APPEND, and goes on behind what is kept;
 * what it writes at this very moment may be dropped too.
 */
uint64_t lz_output_trim(const char *path, uint64_t max, uint64_t before);

#endif
