/*
 * functions.h — what a function of PromQL is: a row that says what it takes and how it is computed.
 *
 * `takes` is a letter an argument: s scalar, v instant vector, m range vector, t text; behind "?"
 * all are optional, and "*" repeats the last any number of times. One of the three ways to compute
 * is there:
 *
 *   of        each element's value by itself
 *   over      the samples of a range, to a value or to none
 *   whole     all else, from what was evaluated of the arguments
 */
#ifndef LZ_PROMQL_FUNCTIONS_H
#define LZ_PROMQL_FUNCTIONS_H

#include "promql/eval.h"

/* A series' samples in a range, and what stands beside it. */
struct lz_promql_range {
    const struct lz_promql_point *points;
    uint32_t count;
    int64_t from_ms, until_ms; /* the range's ends; samples lie in (from, until] */
    int64_t now_ms;            /* of the evaluation */
    enum lz_promql_stretch stretch;
    double args[2]; /* scalars, in their order */
    struct lz_promql_eval *eval;
    const struct lz_promql_node *call;
};

struct lz_promql_call {
    const struct lz_promql_node *node;
    struct lz_promql_value *args;
    uint32_t count;
    int64_t now_ms;
};

struct lz_promql_function {
    const char *name, *takes;
    enum lz_promql_type returns;
    bool keeps_name;
    uint32_t pattern; /* this argument is a regular expression: the node's `regex`; 0: none */
    double (*of)(double value);
    bool (*over)(const struct lz_promql_range *r, double *out);
    bool (*whole)(struct lz_promql_eval *e, const struct lz_promql_call *c,
                  struct lz_promql_value *out);
};

/* NULL: there is none of that name. */
const struct lz_promql_function *lz_promql_function_find(const char *name);

/* The `i`-th name, NULL behind the last: functions, then aggregations. */
const char *lz_promql_function_name(uint32_t i);

/* The one that differs least from `name`, NULL if all differ much. */
const char *lz_promql_function_nearest(const char *name);

struct lz_promql_aggregate {
    const char *name;
    char param; /* s scalar, t text, 0 none */
    bool (*of)(struct lz_promql_eval *e, const struct lz_promql_node *n,
               const struct lz_promql_value *in, const struct lz_promql_value *param,
               struct lz_promql_value *out);
    double (*value)(const double *values, uint32_t count, double param);
};

const struct lz_promql_aggregate *lz_promql_aggregate_find(const char *name);

/* Rows of the tables, by the file that has them. */
struct lz_promql_rows {
    const struct lz_promql_function *all;
    uint32_t count;
};
struct lz_promql_rows lz_promql_rows_plain(void);
struct lz_promql_rows lz_promql_rows_over(void);
struct lz_promql_rows lz_promql_rows_rate(void);
struct lz_promql_rows lz_promql_rows_label(void);
struct lz_promql_rows lz_promql_rows_bucket(void);
struct lz_promql_rows lz_promql_rows_date(void);

#endif
