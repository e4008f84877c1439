/*
 * sweep_out.h — a sweep as text and as JSON; a pure function of its results.
 *
 * The JSON is lorenz.sweep/1: seeds, confidence, cases with counts and interval, failures with
 * their first seed, the narrowest passes, the exit code.
 */
#ifndef LZ_CLI_SWEEP_OUT_H
#define LZ_CLI_SWEEP_OUT_H

#include "explore/sweep.h"
#include "report/report.h"

void lz_sweep_out_head(const struct lz_sweep_opts *opts, const struct lz_report_style *style,
                       struct lz_str *out);
void lz_sweep_out_text(const struct lz_sweep *sweep, const struct lz_report_style *style,
                       struct lz_str *out);
void lz_sweep_out_json(const struct lz_sweep *sweep, enum lz_exit status, struct lz_str *out);

/* "0.6 %", "12 %", "100 %": two digits that count. */
void lz_sweep_out_rate(struct lz_str *out, double rate);

/* " --case retries=3", quoted where a shell would take it apart; "" without params. */
void lz_sweep_out_option(const struct lz_suite_run *run, struct lz_str *out);

/* The command that runs one seed of a case again. */
void lz_sweep_out_command(const struct lz_sweep *s, const struct lz_sweep_failure *failure,
                          struct lz_str *out);

#endif
