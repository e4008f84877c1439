/*
 * suite.h — all runs of one invocation: scenarios times cases, each a child process.
 *
 *   create   reads the files
 *   list     asks a child per file which cases it has, and filters them
 *   run      a child per case; results come in order, each with its record
 *
 * A scenario that does not load, and a run that crashes or exceeds its wall-clock limit,
 * is a run all the same: it has a record that says so, and the others go on.
 *
 * Everything belongs to the suite and is gone with it.
 */
#ifndef LZ_EXPLORE_SUITE_H
#define LZ_EXPLORE_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "explore/exit.h"
#include "explore/manner.h"
#include "explore/select.h"
#include "explore/worker.h"
#include "report/report.h"

struct lz_suite_opts {
    const struct lz_select_files *files;
    const struct lz_select_pairs *sets;  /* pins */
    const struct lz_select_pairs *cases; /* only cases with these values */
    const char *version;
    uint64_t seed;
    double swarm;               /* share of the faults that each seed leaves out */
    struct lz_order_opts order; /* in which messages arrive */
    uint64_t events_max;        /* 0 means unlimited */
    const uint32_t *traces;     /* failed requests that are kept; NULL: as many as usual */
    int64_t timeout_ns;         /* wall clock, for each child; 0 means none */
    unsigned workers;
    size_t fail_max; /* stop after so many failed runs, in order; 0 means never */
    enum lz_twin_kind twin;
    bool build;   /* list: build each case's world too */
    bool colour;  /* list: of the diagnostics */
    bool is_live; /* what can only be run live is run too */
};

struct lz_suite_scenario {
    const char *path;
    char *text;
    size_t len;
    struct lz_worker_listing listing;
    enum lz_exit code; /* OK: it loaded */
    char *problem;     /* crashed or hung while loading: a sentence */
    char *said;        /* what the child wrote meanwhile; NULL if nothing */
};

struct lz_suite_run {
    size_t scenario;                 /* index */
    const struct lz_worker_case *of; /* NULL: the scenario did not load */
    uint64_t seed;
    bool is_saved;                  /* a seed that failed once */
    struct lz_manner manner;        /* of a saved one; of others it is the suite's */
    char *name;                     /* unique in the suite: "retry_storm-3-off-1" */
    struct lz_worker_record record; /* from here on after it ran */
    struct lz_report_run *report;   /* NULL: it has not finished */
    enum lz_exit code;              /* of its verdict, or BUG */
    char *problem;                  /* crashed or hung: a sentence */
    char *said;
};

struct lz_suite {
    struct lz_suite_opts opts;
    struct lz_suite_scenario *scenarios;
    size_t scenario_count;
    struct lz_suite_run *runs;
    size_t run_count;
    size_t run_scenarios;  /* that have at least one run */
    size_t real_scenarios; /* that have none, since they can only be run live */
    size_t failed;         /* runs so far */
    int signal;            /* what stopped it, or 0 */
    bool (*done)(void *ctx, struct lz_suite *suite, size_t run);
    void *done_ctx;
};

/* Read the files. The options are copied, what they point to must live as long. */
bool lz_suite_create(const struct lz_suite_opts *opts, struct lz_suite **out,
                     struct lz_err *err) LZ_MUST_CHECK;
void lz_suite_destroy(struct lz_suite *suite);

/* Fill in listings and runs. False: no child could be made. */
bool lz_suite_list(struct lz_suite *suite, struct lz_err *err) LZ_MUST_CHECK;

/* "retries=3,retry_budget=off", with `between` for the comma; "" without params. */
void lz_suite_case_text(const struct lz_worker_case *c, const char *between, struct lz_str *out);

/* A name for a run that no other of the suite has; the caller frees it. */
char *lz_suite_name_run(const struct lz_suite *suite, const struct lz_suite_run *run);

/* Run them; `done` is told of each in order, and may answer false to stop. */
bool lz_suite_run(struct lz_suite *suite, bool (*done)(void *ctx, struct lz_suite *s, size_t run),
                  void *ctx, struct lz_err *err) LZ_MUST_CHECK;

#endif
