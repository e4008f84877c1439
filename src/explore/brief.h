/*
 * brief.h — what a sweep keeps of a run: its verdict, and how each expectation fared.
 *
 * A record costs more than many a run; a brief is a few hundred bytes. A run that turns out
 * to matter is run again from its seed and recorded then.
 */
#ifndef LZ_EXPLORE_BRIEF_H
#define LZ_EXPLORE_BRIEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "check/check.h"
#include "explore/exit.h"

struct lz_brief_expectation {
    char *name, *actual, *spare;
    enum lz_verdict verdict;
    bool warn, is_sometimes;
    double margin; /* NaN: none */
};

/* How far a fault got. */
enum {
    LZ_BRIEF_BEGAN = 1,
    LZ_BRIEF_BIT = 2, /* it touched something, which could be noticed */
    LZ_BRIEF_OVER = 4,
    LZ_BRIEF_ABSENT = 8, /* a set has it, and it did not come; or a swarm left it out */
};

struct lz_brief_fault {
    char *kind, *target; /* a component for each of its replicas */
    unsigned phases;
};

/* A metric over the whole run. */
struct lz_brief_metric {
    char *name, *unit; /* "web.latency.p99", "s" */
    double value;      /* NaN: no sample */
};

struct lz_brief {
    char *verdict; /* as a record has it */
    char *why;     /* inconclusive, error or budget: the reason */
    uint64_t trace, events;
    bool stopped; /* a budget was used up */
    bool is_open; /* inconclusive, and only because something did not happen that does sometimes */
    bool is_cut_off; /* by this machine, which nobody else would see (lz_crew_is_cut_off) */
    struct lz_brief_fault *faults;
    size_t fault_count;
    struct lz_brief_expectation *expectations;
    size_t expectation_count;
    struct lz_brief_metric *metrics; /* if they were asked for */
    size_t metric_count;
};

/* In the child. `checks` may be NULL: it never came to a run. */
struct lz_brief_facts {
    const char *verdict, *why;
    uint64_t trace, events;
    bool stopped;
    const struct lz_checks *checks;
    const struct lz_world *world; /* of the faults; NULL: there are none */
    const struct lz_faults *faults;
    const struct lz_world *measured; /* whose metrics are told; NULL: none */
};
void lz_brief_write(const struct lz_brief_facts *facts, struct lz_str *message);

/* In the parent; false: not such a message. Freed with lz_brief_finish. */
bool lz_brief_read(const struct lz_str *message, struct lz_brief *out) LZ_MUST_CHECK;
void lz_brief_finish(struct lz_brief *brief);

#endif
