/* history.h — the format `history`: recorded operations as JSON lines. */
#ifndef LZ_REPORT_HISTORY_H
#define LZ_REPORT_HISTORY_H

#include "report/report.h"

void lz_history_lines(struct lz_str *out, const struct lz_report_options *options,
                      struct lz_report_run *const *runs, size_t count);

#endif
