/* formats.h — the writers behind the table in report.c. */
#ifndef LZ_REPORT_FORMATS_H
#define LZ_REPORT_FORMATS_H

#include "report/report.h"

void lz_report_json(struct lz_str *out, const struct lz_report_options *options,
                    struct lz_report_run *const *runs, size_t count);

#endif
