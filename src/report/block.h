/* block.h — what a failure, an inconclusive run or a wrong scenario says at length. */
#ifndef LZ_REPORT_BLOCK_H
#define LZ_REPORT_BLOCK_H

#include "report/report.h"
#include "report/run.h"

void lz_report_block(struct lz_str *out, const struct lz_report_style *style,
                     const struct lz_report_run *run);

/* At most 8 rows: a metric from `from` to `to`, with its limit (NaN: none) and a deadline (-1). */
struct lz_report_plot {
    int64_t metric;
    int64_t from_ns, to_ns, deadline_ns;
    double limit;
};
void lz_report_plot(struct lz_str *out, const struct lz_report_style *style,
                    const struct lz_report_run *run, const struct lz_report_plot *plot);

/* One request as a waterfall. */
void lz_report_waterfall(struct lz_str *out, const struct lz_report_style *style,
                         const struct lz_report_run *run, int64_t request);

#endif
