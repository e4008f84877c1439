/*
 * crew.h — jobs as child processes, so that what goes wrong in one costs one.
 *
 * Each job is a fork of this process: it works, leaves a message in a string, and is
 * gone. The parent reads messages through pipes and supervises: a child that crashes,
 * exits early or is still there after its wall-clock limit ends as such, and the
 * others go on. Code that hangs inside C sees no instruction hook; the limit is what
 * stops it.
 *
 * Results are handed over in the order of the jobs, whatever order they finish in, so
 * nothing a caller prints depends on how many worked at once. What a child writes to
 * its standard output and error is kept apart for each job, and handed over with it.
 *
 * Invariants:
 *   (1) job i is handed over before job j exactly when i < j;
 *   (2) no child is left when lz_crew_run returns, and none outlives this process;
 *   (3) a message is handed over whole or not at all.
 *
 * Ctrl-C (SIGINT), SIGTERM and SIGHUP stop the crew: children are killed, jobs that had
 * finished are still handed over, and the signal is returned. A second signal ends
 * the process at once.
 */
#ifndef LZ_EXPLORE_CREW_H
#define LZ_EXPLORE_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define LZ_CREW_WORKERS_MAX 256
#define LZ_CREW_SAID_MAX 65536 /* bytes kept of what a child wrote to stderr */

enum lz_crew_end {
    LZ_CREW_DONE = 1,  /* the message is here */
    LZ_CREW_CRASHED,   /* ended by a signal, a non-zero status or without its message */
    LZ_CREW_TIMED_OUT, /* killed at its wall-clock limit */
    LZ_CREW_STOPPED,   /* never finished, because the crew was stopped */
};

/* How a job ended. The strings belong to the crew; they may be taken with lz_str_take. */
struct lz_crew_result {
    enum lz_crew_end end;
    char how[64];          /* CRASHED: "SIGSEGV", "exit status 3", "no message" */
    struct lz_str message; /* DONE: what the work left */
    struct lz_str said;    /* its standard output and error */
};

struct lz_crew_opts {
    size_t jobs;
    unsigned workers;   /* at once; 1 .. LZ_CREW_WORKERS_MAX */
    int64_t timeout_ns; /* wall clock, for each job; 0 means none */
    void *ctx;
    /* In the child: do the job, leave the message. Must not write to `ctx`'s files. */
    void (*work)(void *ctx, size_t job, struct lz_str *message);
    /* In the parent, in order. False: nothing after this job is wanted. */
    bool (*done)(void *ctx, size_t job, struct lz_crew_result *result);
};

/* Do all jobs. `signal` is the one that stopped it, or 0. False if no child can be made. */
bool lz_crew_run(const struct lz_crew_opts *opts, int *signal, struct lz_err *err) LZ_MUST_CHECK;

/* Of a job that crashed: what may have done it, to stand after `how`. */
const char *lz_crew_cause(const struct lz_crew_result *result);

/*
 * Whether a job that is not done says more of this machine than of itself: it was killed from
 * outside, had no memory or no time left. The same job may well be done another time.
 */
bool lz_crew_is_cut_off(const struct lz_crew_result *result);

/* How many processors this process may use; at least 1. */
unsigned lz_crew_processors(void);

#endif
