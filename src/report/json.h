/*
 * json.h — the runs of an invocation as one JSON document, and texts as JSON has them.
 *
 * Its shape is lorenz.result/1. Numbers are in base units (seconds, shares, per second)
 * with enough digits to give back the same double; what has no value is null. Texts are
 * valid UTF-8 whatever a scenario wrote: broken bytes become U+FFFD. There are no blanks
 * outside of texts; each run stands on its own line.
 */
#ifndef LZ_REPORT_JSON_H
#define LZ_REPORT_JSON_H

#include "report/report.h"

/* A text in quotes, escaped. */
void lz_json_string(struct lz_str *out, const char *text);

/* A number with the fewest digits that give back the same double; null if it is not finite. */
void lz_json_number(struct lz_str *out, double value);

void lz_json_write(struct lz_str *out, const struct lz_report_options *options,
                   struct lz_report_run *const *runs, size_t count);

/* Bytes of the well-formed UTF-8 sequence that begins at p; 0 if there is none. */
size_t lz_json_sequence(const unsigned char *p);

#endif
