/*
 * check.h — what must hold: expectations and SLOs, judged while the run goes on.
 *
 * A *matcher* compares a metric with a limit. A *temporal operator* says when it must
 * match. Every whole second, after windows have closed, each expectation looks at the
 * last `over` of them; it never looks back further, so judging costs the same at any
 * length of run. Verdicts have three values:
 *
 *   always      every sample in scope matches; no sample at all is inconclusive
 *   never       no sample in scope matches; no sample at all is inconclusive
 *   eventually  it matches by anchor + within, and stays so for `holding`
 *   at_end      the whole-run value matches (counters and levels: as they stand at the
 *               end; with `over`: the last stretch of the run)
 *   sometimes   it matched at least once; never is inconclusive
 *
 * Scope: from warm-up on, inside `during` if given, outside `except`. A window belongs
 * to a scope when it lies wholly inside it (during) or touches it (except). `always`,
 * `never` and `holding` judge a gauge by its adverse extreme. An empty window never
 * satisfies `holding`. An anchor that never happened makes `eventually` and `during`
 * inconclusive. `over` slides in steps of a second; what only grows (counters, marks) is
 * judged as it stands. A mark counts once, when it was first set, warm-up or not.
 *
 * Each keeps the first violating instant, the worst value, and a margin: how far the
 * nearest sample stayed from the limit, as a share of the limit (negative: violated);
 * for `eventually` the time left of `within`, as a share of it.
 */
#ifndef LZ_CHECK_CHECK_H
#define LZ_CHECK_CHECK_H

#include <stddef.h>

#include "fault/fault.h"
#include "model/world.h"

typedef uint32_t lz_expect_id;

#define LZ_CHECK_MAX 4096               /* expectations of a scenario */
#define LZ_CHECK_OVER_MAX (3600 * LZ_S) /* an slo over more is over the whole run */

enum lz_verdict { /* in order of badness; a run is the worst of its parts */
                  LZ_VERDICT_PASS,
                  LZ_VERDICT_INCONCLUSIVE,
                  LZ_VERDICT_FAIL,
};
const char *lz_check_verdict_name(enum lz_verdict verdict); /* "pass", "inconclusive", "fail" */

enum lz_compare {
    LZ_BELOW = 1,
    LZ_ABOVE,
    LZ_AT_LEAST,
    LZ_AT_MOST,
    LZ_EQUALS,
    LZ_BETWEEN,
    LZ_RECOVERS_TO, /* limit = share of the baseline; higher is better unless the unit is seconds
                       or the name says trouble (errors, shed, queue, lag): then the value must
                       fall to baseline / share */
};

struct lz_matcher {
    lz_metric metric;
    lz_component_id component;
    enum lz_compare compare;
    double limit, limit_b;  /* base units; limit_b: the upper end of BETWEEN */
    const char *limit_text; /* as the user wrote it, "300ms"; NULL: formatted from the number */
    const char *mark;       /* instead of all the above: happened "mark" */
    bool comes_again;       /* the mark is an alert's: who waits, waits for its next time */
    bool (*script)(void *ctx, uint32_t ref); /* instead: a Lua function's answer; see script_ref */
    const char *(*script_says)(const void *ctx); /* beside its last answer; NULL: nothing */
    void *script_ctx;
    uint32_t script_ref;
};

enum lz_anchor_kind {
    LZ_ANCHOR_NONE,
    LZ_ANCHOR_TIME,
    LZ_ANCHOR_FAULT,      /* its (first) start */
    LZ_ANCHOR_FAULT_ENDS, /* its (first) end */
    LZ_ANCHOR_MARK,
};

struct lz_anchor {
    enum lz_anchor_kind kind;
    lz_time at;
    lz_fault_id fault;
    const char *mark;
    bool may_stop; /* of a fault's end: something may stop it (lz_fault_stop), `lasting` or not */
};

/* after .. after + lasting; lasting 0: to the end. */
struct lz_scope {
    struct lz_anchor after;
    lz_time lasting;
    lz_fault_id of; /* 0, or it is one firing of this fault, and over when that is stopped */
};

enum lz_temporal {
    LZ_ALWAYS = 1,
    LZ_NEVER,
    LZ_EVENTUALLY,
    LZ_AT_END,
    LZ_SOMETIMES,
    LZ_SLO,
    LZ_HISTORY
};

struct lz_recorded_opts;
struct lz_temporal_op;

struct lz_expect_opts {
    const char *name; /* a sentence, unique in the scenario */
    uint32_t line;
    enum lz_temporal temporal;
    struct lz_matcher matcher;
    lz_time over;           /* averaging window, whole seconds; 0 means 1 s (at_end and slo:
                               the whole run) */
    struct lz_anchor after; /* eventually */
    lz_time within;         /* eventually: must be given */
    lz_time holding;        /* eventually */
    const struct lz_scope *during, *except;
    uint32_t during_count, except_count;
    bool warn; /* severity = "warn": reported, does not fail the run */
    const char *because;
    lz_component_id of;                     /* history: whose; see recorded.h */
    const struct lz_recorded_opts *history; /* history: what it is to be */
    const struct lz_temporal_op *op;        /* history: its operator */
    double objective; /* slo: share that must succeed; `matcher.metric` is its error
                         ratio, judged over the whole run or sliding `over` */
};

struct lz_expect_result {
    enum lz_verdict verdict;
    char expected[96];     /* "always below 300ms", "by 4m15s, holding 30s" */
    char actual[96];       /* "worst 212ms at 3m12s", "after 11.8s", "no sample" */
    char spare[96];        /* "29 % spare", "7.4s too late", "58 % of budget left"; may be empty */
    char why[LZ_ERR_SIZE]; /* inconclusive: the reason in a sentence; else empty */
    const char *details;   /* lines that explain a failure, in the arena; NULL: there are none */
    double margin;         /* NaN if there is none */
    double value;          /* worst or final value, base units; NaN if none */
    lz_time at;            /* first violating instant, or the one that decided; -1 if none */
    lz_time deadline;      /* eventually: after + within; else -1 */
    uint64_t samples;      /* windows judged */
};

struct lz_checks;

struct lz_checks *lz_checks_create(struct lz_world *w, struct lz_faults *faults);

/*
 * Before the run. False if the combination makes no sense (the message says why). Texts and
 * scopes are copied.
 */
bool lz_check_expect(struct lz_checks *c, const struct lz_expect_opts *opts, lz_expect_id *id,
                     struct lz_err *err) LZ_MUST_CHECK;

/*
 * A bare matcher for wait_until: does it match the last `over` windows? Of a mark that comes again
 * (`struct lz_matcher`) only what came from `since` on counts.
 */
bool lz_check_matches(struct lz_checks *c, const struct lz_matcher *m, lz_time over, lz_time since);

/* After windows have closed at `now`. */
void lz_checks_second(struct lz_checks *c, lz_time now);

/*
 * The run is over at `now`: decide. May also be called on the way (the REPL does): results
 * are then as if the run ended here, and it may go on.
 */
void lz_checks_finish(struct lz_checks *c, lz_time now);

size_t lz_check_count(const struct lz_checks *c); /* ids are 1 .. count */
const struct lz_expect_opts *lz_check_opts(const struct lz_checks *c, lz_expect_id id);
const struct lz_expect_result *lz_check_result(const struct lz_checks *c, lz_expect_id id);

/*
 * The verdict of the run, in one place: the worst of the expectations (those with
 * severity "warn" aside); inconclusive too when there are none, when a fault fired
 * without effect or never fired, or when no request was sent. `why` says so.
 */
enum lz_verdict lz_checks_verdict(const struct lz_checks *c, char *why, size_t why_size);

/* Whether the run tested nothing, whatever its expectations say: nothing was expected or sent, or a
   fault touched nothing. */
bool lz_checks_is_idle(const struct lz_checks *c);

#endif
