/*
 * regex_tree.h — a regular expression as it is written (regex.h): the parser's answer.
 */
#ifndef LZ_PROMQL_REGEX_TREE_H
#define LZ_PROMQL_REGEX_TREE_H

#include "promql/regex_code.h"

enum lz_promql_tree_kind {
    LZ_PROMQL_TREE_EMPTY = 1,
    LZ_PROMQL_TREE_SET,    /* a character: `set`, NULL any */
    LZ_PROMQL_TREE_PAIR,   /* a, then b */
    LZ_PROMQL_TREE_OR,     /* a, or else b */
    LZ_PROMQL_TREE_REPEAT, /* a, `least` to `most` times */
    LZ_PROMQL_TREE_GROUP,  /* a, and where it was is kept as `group` */
    LZ_PROMQL_TREE_PLACE,  /* `place`, of no width */
};

#define LZ_PROMQL_NO_MOST UINT32_MAX

struct lz_promql_tree {
    enum lz_promql_tree_kind kind;
    const struct lz_promql_tree *a, *b;
    const struct lz_promql_set *set;
    uint32_t least, most, group;
    uint32_t times; /* what is in it is there at most: {n,m} in each other; 0: once */
    bool is_lazy;
    enum lz_promql_op place;
};

/* `re` is told of groups and their names. NULL: `err` says why, *where is the byte. */
const struct lz_promql_tree *lz_promql_regex_parse(struct lz_promql_scratch *s, const char *pattern,
                                                   struct lz_promql_regex *re, size_t *where,
                                                   struct lz_err *err) LZ_MUST_CHECK;

#endif
