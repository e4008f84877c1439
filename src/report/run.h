/*
 * run.h — inside report/: a record that has been opened, and how to ask it.
 *
 * What every report needs (the run itself and its expectations) is read when it is
 * opened; series, events and spans are asked for by those who show them. Texts live as
 * long as the run and are never NULL: what the record lacks is "".
 */
#ifndef LZ_REPORT_RUN_H
#define LZ_REPORT_RUN_H

#include <sqlite3.h>

#include "report/report.h"
#include "sim/metric.h"
#include "sim/time.h"

struct lz_run_expectation {
    const char *name, *temporal, *verdict, *severity;
    const char *expected, *actual, *spare, *why, *because;
    const char *details;     /* lines that explain a failure; may be empty */
    const char *metric_name; /* "web.latency.p99"; "": it is not about a metric */
    enum lz_unit unit;
    int64_t metric, line; /* 0: none */
    double margin;        /* NaN: none */
    double value;         /* NaN: none */
    lz_time at, deadline; /* -1: none */
    lz_time within;       /* of `eventually`, else 0 */
    double limit_value;   /* NaN: none */
    double limit_b;       /* upper end of a range; else as limit_value, or NaN */
    const char *limit_text;
    const char *violates; /* "above", "below", "outside" or "": the side that is no good */
};

struct lz_report_run {
    sqlite3 *db;
    struct lz_run_text *texts; /* what the pointers below point into */
    const char *path;          /* of its file; NULL: not kept */
    const char *version, *file, *scenario, *about, *case_id, *token, *verdict, *why;
    bool is_swarm;     /* of the token: its seed left out some faults */
    const char *order; /* likewise: in which messages arrived; "": in the network's */
    const char *trace_hash, *stop, *error, *source;
    uint64_t seed;
    int64_t events;
    int64_t ordinal; /* of the case in its scenario */
    lz_time virtual_ns, warmup_ns;
    struct lz_run_expectation *expectations;
    size_t expectation_count;
};

bool lz_run_open(const unsigned char *image, size_t size, struct lz_report_run **out,
                 struct lz_err *err) LZ_MUST_CHECK;
void lz_run_close(struct lz_report_run *run);

/* What to call it: its sentence, or its file if it never came to one. */
const char *lz_run_title(const struct lz_report_run *run);

/* Real programs did it: nothing brings it back, and it has no trace hash. */
bool lz_run_is_live(const struct lz_report_run *run);

/* The `line`-th line of the scenario's text, from 1; false if there is none. */
bool lz_run_source_line(const struct lz_report_run *run, int64_t line, const char **text,
                        size_t *len);

/*
 * A question with up to two whole numbers in it. Walk the rows:
 *
 *     sqlite3_stmt *q = lz_run_ask(run, "select at_ns from event where at_ns >= ?", from, 0);
 *     while (lz_run_next(&q))
 *         show(lz_run_time(q, 0));
 *
 * The last row closes it; lz_run_stop does so earlier.
 */
sqlite3_stmt *lz_run_ask(const struct lz_report_run *run, const char *sql, int64_t a, int64_t b);
bool lz_run_next(sqlite3_stmt **q);
void lz_run_stop(sqlite3_stmt **q);

const char *lz_run_text(sqlite3_stmt *q, int column); /* until the next row; "" for null */
lz_time lz_run_time(sqlite3_stmt *q, int column);     /* -1 for null */
double lz_run_real(sqlite3_stmt *q, int column);      /* NaN for null */
enum lz_unit lz_run_unit(sqlite3_stmt *q, int column);

/* A window of a metric. `low` and `high` are `value` unless it is a level. */
struct lz_run_point {
    lz_time start, width;
    double value, low, high;
    int64_t count;
};

/* The windows of a metric that begin in [from, to), malloc's; returns how many. */
size_t lz_run_points(const struct lz_report_run *run, int64_t metric, lz_time from, lz_time to,
                     struct lz_run_point **points);

#endif
