/*
 * sweep_report.h — parts of a sweep that ran elsewhere, as one sweep.
 */
#ifndef LZ_CLI_SWEEP_REPORT_H
#define LZ_CLI_SWEEP_REPORT_H

#include "cli/flags.h"
#include "cli/out.h"

struct lz_sweep_report {
    const struct lz_flags *flags;
    double confidence, max_rate;
    const char *const *paths; /* of .lzsweep files */
    size_t count;
};

/* Merge, print, write -o json; returns how to leave. */
enum lz_exit lz_sweep_report_run(const struct lz_sweep_report *report, struct lz_out *out);

#endif
