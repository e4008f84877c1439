/*
 * eval.h — an evaluation under way (promql.h): what its parts have in common.
 *
 * A part that fails says so in `fault` and returns false, all the way up.
 */
#ifndef LZ_PROMQL_EVAL_H
#define LZ_PROMQL_EVAL_H

#include "promql/ast.h"

struct lz_promql_selected;

struct lz_promql_eval {
    const struct lz_promql_query *query;
    const struct lz_promql_eval_opts *opts;
    struct lz_promql_scratch *scratch;
    struct lz_promql_fault *fault;
    struct lz_promql_selected *selected; /* which series each selector has */
    int64_t lookback_ms;
    uint64_t looked_at; /* samples */
    size_t began_with;  /* bytes of the scratch, before it */
};

/* What `n` is at `now_ms`. */
bool lz_promql_eval_node(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                         struct lz_promql_value *out);

bool lz_promql_eval_binary(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                           struct lz_promql_value *out);
bool lz_promql_eval_aggregate(struct lz_promql_eval *e, const struct lz_promql_node *n,
                              int64_t now_ms, struct lz_promql_value *out);
bool lz_promql_eval_call(struct lz_promql_eval *e, const struct lz_promql_node *n, int64_t now_ms,
                         struct lz_promql_value *out);

/* One more element of a vector, zeroed. */
struct lz_promql_series *lz_promql_value_add(struct lz_promql_eval *e, struct lz_promql_value *v);

/* Labels without the metric's name and what goes with it. */
struct lz_promql_labels lz_promql_nameless(struct lz_promql_eval *e,
                                           const struct lz_promql_labels *l);

/* Count what is looked at; false at the limit. */
bool lz_promql_eval_spend(struct lz_promql_eval *e, const struct lz_promql_node *n, uint64_t count);

/* False, blaming `n`, if two elements are called the same. */
bool lz_promql_eval_unique(struct lz_promql_eval *e, const struct lz_promql_node *n,
                           const struct lz_promql_value *v);

#endif
