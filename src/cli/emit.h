/*
 * emit.h — a sweep as a list of commands, for engines that spread work over machines.
 *
 * DIR/block is a script: `DIR/block I` runs the I-th part and writes DIR/I.lzsweep, whole or not at
 * all; a part that is there is not run again, so a block that was killed is simply run again.
 * Without a number it takes SLURM_ARRAY_TASK_ID, or JOB_COMPLETION_INDEX (Kubernetes, from 0).
 * DIR/commands.txt has one line for each block, for GNU parallel. `lorenz report DIR` merges.
 */
#ifndef LZ_CLI_EMIT_H
#define LZ_CLI_EMIT_H

#include <stdint.h>

#include "base/err.h"

struct lz_emit {
    const char *folder;
    uint64_t blocks;
    int argc; /* of `sweep`, argv[0] included; options that are the emitter's own are left out */
    char **argv;
};

bool lz_emit_write(const struct lz_emit *emit, struct lz_err *err) LZ_MUST_CHECK;

#endif
