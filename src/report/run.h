/*
 * run.h — one opened record, and questions to it; for report/ only.
 */
#ifndef LZ_REPORT_RUN_H
#define LZ_REPORT_RUN_H

#include <sqlite3.h>

#include "report/report.h"

#define LZ_REPORT_UNKNOWN (-1)

struct lz_report_run {
    sqlite3 *db;
    const char *path; /* of its file; NULL if it was not kept */
    /* From table `run`; texts are never NULL but for error, about and stop. */
    char *version, *file, *scenario, *cases, *seed, *token, *verdict, *why, *trace_hash;
    char *error, *stop, *source;
    int64_t events, virtual_ns, warmup_ns, in_flight_max, memory_bytes;
};

/* An expectation, copied. */
struct lz_report_expect {
    int64_t id, line, metric, at_ns, deadline_ns;
    char name[200], temporal[16], verdict[16], severity[8];
    char expected[120], actual[120], spare[120], why[200], limit_text[80];
    double margin, value, limit;
};

/* Prepare a question; `args` are 64-bit integers, one per ?. Step and finalize it yourself. */
sqlite3_stmt *lz_report_ask(const struct lz_report_run *run, const char *sql, int arg_count,
                            const int64_t *args);

/* The text of a column; "" for NULL. */
const char *lz_report_text(sqlite3_stmt *st, int column);

/* All expectations in order; malloc's. */
struct lz_report_expect *lz_report_expects(const struct lz_report_run *run, size_t *count);

/* One number, or `fallback` if there is no row. */
int64_t lz_report_number(const struct lz_report_run *run, const char *sql, int arg_count,
                         const int64_t *args, int64_t fallback);

bool lz_report_is_failure(const struct lz_report_run *run); /* fail, xpass, error, budget */

#endif
