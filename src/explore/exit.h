/*
 * exit.h — the status a command leaves with; scripts and CI depend on the numbers.
 *
 * Each run, and each thing that went wrong around it, adds a code to a set. The worst of
 * the set is the exit status; the whole set goes into the JSON result.
 */
#ifndef LZ_EXPLORE_EXIT_H
#define LZ_EXPLORE_EXIT_H

#include <stdbool.h>
#include <stddef.h>

enum lz_exit {
    LZ_EXIT_OK = 0,           /* everything held */
    LZ_EXIT_FAILED = 1,       /* an expectation failed: the system is not good enough */
    LZ_EXIT_SCENARIO = 2,     /* a scenario is wrong: it does not load, or raised */
    LZ_EXIT_INCONCLUSIVE = 3, /* nothing failed, something was never tested */
    LZ_EXIT_USAGE = 4,        /* bad flag, missing file */
    LZ_EXIT_NOTHING = 5,      /* nothing matched the selection */
    LZ_EXIT_DIVERGED = 6,     /* not reproducible */
    LZ_EXIT_BUDGET = 7,       /* a budget was used up; results are partial */
    LZ_EXIT_BUG = 70,         /* internal error, with a crash file */
    LZ_EXIT_WRITE = 74,       /* a result could not be written */
    LZ_EXIT_SIGNAL = 128,     /* plus the signal's number */
};

#define LZ_EXIT_KINDS 8 /* codes that can be in a set */

/* A set of codes; {0} is empty. */
struct lz_exit_set {
    bool has[LZ_EXIT_KINDS]; /* in order of precedence */
};

/* Add one of FAILED .. WRITE except USAGE, which never comes with others; OK adds nothing. */
void lz_exit_add(struct lz_exit_set *set, enum lz_exit code);

/* The worst code: 70, 74, 6, 2, 1, 7, 3, 5, else 0. `report_only` overlooks 1 and 3. */
enum lz_exit lz_exit_worst(const struct lz_exit_set *set, bool report_only);

/* All codes, worst first; returns how many. */
size_t lz_exit_list(const struct lz_exit_set *set, int codes[LZ_EXIT_KINDS]);

/* The code of a command that a signal stopped: 130 for Ctrl-C. */
enum lz_exit lz_exit_signal(int signal);

/* A word for a status: "pass", "fail", "inconclusive", ... */
const char *lz_exit_word(enum lz_exit code);

/* The code of a run's verdict word as lz_report_verdict gives it. */
enum lz_exit lz_exit_verdict(const char *verdict);

#endif
