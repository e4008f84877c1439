/*
 * promql.h — PromQL: an expression is parsed once and evaluated at instants over a store of series.
 *
 * As Prometheus 3 evaluates it (promql/engine.go, functions.go, quantile.go): a selector takes the
 * last sample of the 5 min before (left end excluded), unless that is a staleness marker; a range
 * the samples in (t - range, t]; rates are extrapolated, sums are Kahan's, quantiles of buckets are
 * interpolated, exactly as there. Names that a function makes meaningless are dropped at once, and
 * two elements that are then called the same are an error; at the end only where the options say so
 * (a feature flag there), so that label_replace can still read them. Functions that are there
 * behind promql-experimental-functions are known. Times are milliseconds, as there.
 *
 * Left out: native histograms and what is about them, info(), limit_ratio() (it goes by the hash
 * of labels); an evaluation is at one instant, so range() and step() are 0.
 *
 * The store is a struct of functions; nothing here knows where samples are from. What is parsed
 * lies in one scratch, what is evaluated in another; results are the latter's, until it is reset.
 */
#ifndef LZ_PROMQL_PROMQL_H
#define LZ_PROMQL_PROMQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "promql/labels.h"

#define LZ_PROMQL_TEXT_MAX 16384      /* bytes of an expression */
#define LZ_PROMQL_DEPTH_MAX 100       /* of brackets and operators in each other */
#define LZ_PROMQL_HEIGHT_MAX 1000     /* of all that is in each other, rows of operators too */
#define LZ_PROMQL_NAMES_MAX 64        /* of a matcher list, a grouping, a call's arguments */
#define LZ_PROMQL_STEPS_MAX 11000     /* of a subquery */
#define LZ_PROMQL_SAMPLES_MAX 5000000 /* looked at in one evaluation */
#define LZ_PROMQL_BYTES_MAX ((size_t)256 << 20) /* taken for one evaluation */
#define LZ_PROMQL_LOOKBACK_MS 300000

/* Where and why something was refused. */
struct lz_promql_fault {
    size_t at, len; /* bytes of the expression */
    struct lz_err err;
};

enum lz_promql_type {
    LZ_PROMQL_SCALAR = 1,
    LZ_PROMQL_VECTOR,
    LZ_PROMQL_MATRIX,
    LZ_PROMQL_STRING,
};

/* "scalar", "instant vector", "range vector", "string" */
const char *lz_promql_type_name(enum lz_promql_type type);

struct lz_promql_point {
    int64_t t_ms;
    double value;
};

/* "From here on there is no sample": a NaN of its own. */
double lz_promql_stale(void);
bool lz_promql_is_stale(double value);

struct lz_promql_store {
    void *ctx;
    uint32_t (*count)(void *ctx); /* series are 0 .. count - 1, the same ones all through */
    struct lz_promql_labels (*labels)(void *ctx, uint32_t series);
    /* Those in (after, until], in time's order; in `s` or where they lie. */
    const struct lz_promql_point *(*samples)(void *ctx, uint32_t series, int64_t after_ms,
                                             int64_t until_ms, struct lz_promql_scratch *s,
                                             uint32_t *count);
};

/* An element of an instant vector, or with `points` of a range vector. */
struct lz_promql_series {
    struct lz_promql_labels labels;
    bool drops_name; /* at the end: what is left of it is no longer that metric */
    double value;
    int64_t t_ms; /* of the sample it is from */
    const struct lz_promql_point *points;
    uint32_t count;
};

struct lz_promql_value {
    enum lz_promql_type type;
    double scalar;
    const char *text;
    struct lz_promql_series *all;
    uint32_t count, cap;
    int64_t from_ms, until_ms; /* of a range vector: its range, which its samples need not fill */
};

struct lz_promql_query;

/* `text` is copied. On false `fault` says where and why. */
bool lz_promql_parse(struct lz_promql_scratch *s, const char *text,
                     const struct lz_promql_query **out,
                     struct lz_promql_fault *fault) LZ_MUST_CHECK;

enum lz_promql_type lz_promql_query_type(const struct lz_promql_query *q);
const char *lz_promql_query_text(const struct lz_promql_query *q);

struct lz_promql_eval_opts {
    const struct lz_promql_store *store;
    int64_t at_ms;
    int64_t lookback_ms;    /* 0: 5 min */
    int64_t step_ms;        /* of a subquery that says none: between evaluations; 0: 1 min */
    bool drops_names_late;  /* as with the flag promql-delayed-name-removal */
    bool drops_type_labels; /* __type__ and __unit__ go where the name goes */
};

/* What `q` is at an instant; all of it in `s`. */
bool lz_promql_eval(const struct lz_promql_query *q, const struct lz_promql_eval_opts *opts,
                    struct lz_promql_scratch *s, struct lz_promql_value *out,
                    struct lz_promql_fault *fault) LZ_MUST_CHECK;

/*
 * The selectors of a query, one after the other: which metrics it is about. `name` is NULL where a
 * selector names none, or by a pattern. `needs` are labels without which nothing is selected.
 */
struct lz_promql_wanted {
    const char *name;
    struct lz_promql_names needs;
    size_t at, len;
};
uint32_t lz_promql_query_wanted(const struct lz_promql_query *q, struct lz_promql_scratch *s,
                                const struct lz_promql_wanted **out);

/* Whether a selector anywhere in it takes series of that name, if their labels are right. */
bool lz_promql_query_takes(const struct lz_promql_query *q, const char *name);

/* Whether a series with these labels is selected anywhere in it. */
bool lz_promql_query_wants(const struct lz_promql_query *q, const struct lz_promql_labels *labels);

/*
 * How far it looks back: from the instant it is evaluated at, and to which instant by `@ TIME`,
 * whenever that is; INT64_MAX where there is none.
 */
struct lz_promql_reach {
    int64_t back_ms, from_ms;
};
struct lz_promql_reach lz_promql_query_reach(const struct lz_promql_query *q);

/* The line that a fault is about, with a caret under it, as Lorenz' other diagnostics have it. */
void lz_promql_fault_show(struct lz_str *out, const char *text,
                          const struct lz_promql_fault *fault);

/* As Go's strconv prints it: the shortest that reads back as the same, without an exponent. */
const char *lz_promql_number(struct lz_promql_scratch *s, double value);

#endif
