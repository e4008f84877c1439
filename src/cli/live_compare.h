/*
 * live_compare.h — where a model and reality differ: runs of the same scenario, simulated and live.
 *
 * Compared are, of each component that both have measured: the latency's quantiles, the share of
 * errors, the rate; and for each `eventually` how long after its anchor it came true. With several
 * runs of a kind a value is their mean, with the half-width of its 95 % confidence interval (t
 * distribution). What one kind has not measured is not compared.
 */
#ifndef LZ_CLI_LIVE_COMPARE_H
#define LZ_CLI_LIVE_COMPARE_H

#include "base/str.h"
#include "report/report.h"

struct lz_live_compare {
    struct lz_report_run *const *simulated;
    size_t simulated_count;
    struct lz_report_run *const *live;
    size_t live_count;
};

/* The table, one line for each value. */
void lz_live_compare_write(const struct lz_live_compare *c, struct lz_str *out);

/* Mean and half-width of the 95 % interval; 0 for fewer than two values. For tests too. */
void lz_live_compare_interval(const double *values, size_t count, double *mean, double *half);

#endif
