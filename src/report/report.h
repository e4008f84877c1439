/*
 * report.h — a recorded run as text and as data; a pure function of the record.
 *
 * A format is one file and one row in the table of report.c. The caller opens the
 * records of a whole invocation (one per run, in order) and asks for each output.
 * Bytes are equal for equal records, width and style.
 */
#ifndef LZ_REPORT_REPORT_H
#define LZ_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lz_report_style {
    bool colour;
    bool ascii;    /* no box drawing, no ticks: plain 7-bit text */
    int width;     /* columns, at least 40 */
    uint64_t seed; /* of the command: a run with another says so; 0: none does */
    bool quiet;    /* one line per run, what is wrong with those that are, and the summary */
    int verbose;
};

struct lz_report_run; /* one record, opened */

/* Open an image (kept by reference: it must outlive the run). False if it is not a record. */
bool lz_report_open(const unsigned char *image, size_t size, struct lz_report_run **out,
                    struct lz_err *err) LZ_MUST_CHECK;
void lz_report_close(struct lz_report_run *run);

/* Where its run file is, for "look around" lines; NULL if it was not kept. */
void lz_report_set_path(struct lz_report_run *run, const char *path);

/* "pass", "fail", "inconclusive", "xfail", "xpass", "error", "budget", "diverged". */
const char *lz_report_verdict(const struct lz_report_run *run);

/* The head of the output: version, seed, number of scenarios and cases. */
void lz_report_text_head(struct lz_str *out, const struct lz_report_style *style, uint64_t seed,
                         size_t scenarios, size_t cases);

/* The lines of one run (or of several cases of one scenario) as they come in. */
void lz_report_text_runs(struct lz_str *out, const struct lz_report_style *style,
                         struct lz_report_run *const *runs, size_t count);

/* After all runs: a block for each failure and inconclusive one, and the summary line. */
void lz_report_text_end(struct lz_str *out, const struct lz_report_style *style,
                        struct lz_report_run *const *runs, size_t count, int exit_code);

/* 2000-01-01T00:00Z: formats with dates need one. */
#define LZ_REPORT_EPOCH_S INT64_C(946684800)

struct lz_report_options {
    const char *version;
    uint64_t seed;
    int exit_code;
    const int *exit_codes; /* every code that applied, worst first; see cli.md */
    size_t exit_code_count;
    const char *page; /* of JUnit: the file of the page that is written with it; NULL: none */
    bool plain;       /* of a page: without uPlot, whether the build has it or not */
    int64_t epoch_s;  /* what virtual time 0 is, in Unix time; 0: LZ_REPORT_EPOCH_S */
};

/* A format by its name in `-o NAME=FILE`. */
struct lz_report_format {
    const char *name;
    const char *doc;
    void (*write)(struct lz_str *out, const struct lz_report_options *options,
                  struct lz_report_run *const *runs, size_t count);
    const char *empty; /* why nothing was written, where that is not said by it; or NULL */
};
const struct lz_report_format *lz_report_format_find(const char *name);
size_t lz_report_format_count(void);
const struct lz_report_format *lz_report_format_get(size_t i);

#endif
