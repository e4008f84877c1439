/*
 * why_out.h — what `lorenz why` found, as text and as JSON.
 */
#ifndef LZ_CLI_WHY_OUT_H
#define LZ_CLI_WHY_OUT_H

#include "explore/why.h"
#include "report/pen.h"
#include "report/run.h"

void lz_why_out_text(struct lz_pen *pen, const struct lz_report_run *run, const struct lz_why *why);

/* `e` is the expectation that failed. */
void lz_why_out_json(const struct lz_report_run *run, const struct lz_run_expectation *e,
                     const struct lz_why *why, struct lz_str *out);

#endif
