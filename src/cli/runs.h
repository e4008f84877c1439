/*
 * runs.h — run files that are named on a command line.
 *
 * A name is a path, or what a run file in .lorenz/runs is called: "db_failover-1".
 */
#ifndef LZ_CLI_RUNS_H
#define LZ_CLI_RUNS_H

#include "base/err.h"
#include "explore/manner.h"
#include "report/report.h"

struct lz_runs_file {
    char *path;
    unsigned char *image;
    size_t size;
    struct lz_report_run *report;
};

/* Open one. LZ_ENOENT: there is none, with what to do; LZ_EIO, LZ_EINVAL: it is damaged, or no
   run file. */
bool lz_runs_open(const char *name, struct lz_runs_file *out, struct lz_err *err) LZ_MUST_CHECK;

/* The same for a command that does the run once more. LZ_EINVAL: it is a live one. */
bool lz_runs_open_again(const char *name, struct lz_runs_file *out,
                        struct lz_err *err) LZ_MUST_CHECK;

void lz_runs_close(struct lz_runs_file *file);

/* What was not plain about it, as its token says. */
struct lz_manner lz_runs_manner(const struct lz_report_run *run);

/* Where a run of that name is, if it names one; the caller frees it. NULL: nowhere. */
char *lz_runs_find(const char *name);

#endif
