/*
 * ast.h — an expression as it was parsed (promql.h), between parser and evaluation.
 */
#ifndef LZ_PROMQL_AST_H
#define LZ_PROMQL_AST_H

#include "promql/promql.h"
#include "promql/regex.h"

enum lz_promql_node_kind {
    LZ_PROMQL_NODE_NUMBER = 1,
    LZ_PROMQL_NODE_STRING,
    LZ_PROMQL_NODE_SELECTOR,
    LZ_PROMQL_NODE_RANGE, /* a selector with a range */
    LZ_PROMQL_NODE_SUBQUERY,
    LZ_PROMQL_NODE_CALL,
    LZ_PROMQL_NODE_AGGREGATE,
    LZ_PROMQL_NODE_BINARY,
    LZ_PROMQL_NODE_UNARY, /* minus; plus is nothing */
    LZ_PROMQL_NODE_PAREN,
};

enum lz_promql_match {
    LZ_PROMQL_MATCH_EQUAL = 1,
    LZ_PROMQL_MATCH_NOT_EQUAL,
    LZ_PROMQL_MATCH_REGEX,
    LZ_PROMQL_MATCH_NOT_REGEX,
};

struct lz_promql_matcher {
    const char *name, *value;
    enum lz_promql_match kind;
    const struct lz_promql_regex *regex;
};

enum lz_promql_binary {
    LZ_PROMQL_ADD = 1,
    LZ_PROMQL_SUB,
    LZ_PROMQL_MUL,
    LZ_PROMQL_DIV,
    LZ_PROMQL_MOD,
    LZ_PROMQL_POW,
    LZ_PROMQL_ATAN2,
    LZ_PROMQL_EQ, /* from here on comparisons */
    LZ_PROMQL_NE,
    LZ_PROMQL_LT,
    LZ_PROMQL_GT,
    LZ_PROMQL_LE,
    LZ_PROMQL_GE,
    LZ_PROMQL_AND, /* from here on sets */
    LZ_PROMQL_OR,
    LZ_PROMQL_UNLESS,
};

enum lz_promql_card { LZ_PROMQL_ONE_TO_ONE, LZ_PROMQL_MANY_TO_ONE, LZ_PROMQL_ONE_TO_MANY };

/* Which elements of two vectors belong together. */
struct lz_promql_matching {
    bool is_on; /* these labels only; else all but these */
    struct lz_promql_names names;
    enum lz_promql_card card;
    struct lz_promql_names include;
    bool fills_left, fills_right;
    double left, right; /* what stands for an element that is not there */
};

enum lz_promql_at { LZ_PROMQL_AT_NONE, LZ_PROMQL_AT_TIME, LZ_PROMQL_AT_NOW };
enum lz_promql_stretch { LZ_PROMQL_PLAIN, LZ_PROMQL_ANCHORED, LZ_PROMQL_SMOOTHED };

/* When a selector or subquery is looked at. */
struct lz_promql_when {
    enum lz_promql_at at;
    int64_t at_ms, offset_ms;
    bool has_offset;
    enum lz_promql_stretch stretch;
};

struct lz_promql_function; /* functions.h */
struct lz_promql_aggregate;

struct lz_promql_node {
    enum lz_promql_node_kind kind;
    enum lz_promql_type type;
    size_t at, len; /* in the text */
    double number;
    const char *text;
    const struct lz_promql_matcher *matchers;
    uint32_t matcher_count;
    struct lz_promql_when when;
    int64_t range_ms, step_ms; /* step 0: the default */
    const struct lz_promql_function *function;
    const struct lz_promql_aggregate *aggregate;
    struct lz_promql_names by;
    bool is_without;
    enum lz_promql_binary op;
    bool is_bool;
    struct lz_promql_matching matching;
    const struct lz_promql_node **args; /* of a call; both sides; the one inner one */
    uint32_t arg_count;
    uint32_t height;                     /* of the tree below it */
    const struct lz_promql_regex *regex; /* label_replace's */
};

struct lz_promql_query {
    const char *text;
    const struct lz_promql_node *root;
};

/* Through brackets. */
const struct lz_promql_node *lz_promql_node_bare(const struct lz_promql_node *n);

bool lz_promql_matchers_match(const struct lz_promql_node *selector,
                              const struct lz_promql_labels *labels);

/* Say that `n` is at fault; false. */
bool lz_promql_blame(struct lz_promql_fault *fault, const struct lz_promql_node *n,
                     enum lz_errc code, const char *fmt, ...) LZ_PRINTF(4, 5);

#endif
