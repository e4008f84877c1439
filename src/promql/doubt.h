/*
 * doubt.h — labels of an expression that nothing has: it selects or groups nothing, and nobody
 * says.
 *
 * Prometheus cannot know what will be scraped, so that a misspelt value is an empty vector, and a
 * label in `by (...)` that no element has makes one group of all. Where all series are known:
 *
 *   METRIC    no series has a name that the selector's pattern takes
 *   VALUE     none of those that it takes by name has a value of that label that is asked for
 *   TOGETHER  each of its matchers has some, and no series has all of them
 *   GROUP     none of by, without, on, ignoring, group_left or group_right is a label of an operand
 *
 * What must be empty (foo="", foo!~".+") is no doubt, nor is a selector in absent(), which asks for
 * what may not be there. Of `open` metrics nobody knows the labels: rules make them.
 */
#ifndef LZ_PROMQL_DOUBT_H
#define LZ_PROMQL_DOUBT_H

#include "promql/promql.h"

struct lz_promql_known {
    const struct lz_promql_labels *series;
    uint32_t count;
    struct lz_promql_names open;
};

enum lz_promql_doubt_kind {
    LZ_PROMQL_DOUBT_METRIC = 1,
    LZ_PROMQL_DOUBT_VALUE,
    LZ_PROMQL_DOUBT_TOGETHER,
    LZ_PROMQL_DOUBT_GROUP,
};

struct lz_promql_doubt {
    enum lz_promql_doubt_kind kind;
    size_t at, len;                /* of the selector or grouping, bytes of the expression */
    const char *label, *value;     /* VALUE: of the matcher; GROUP: the label alone */
    struct lz_promql_names others; /* METRIC: all names; VALUE: values there are; GROUP: labels */
};

/* In the order of the text; all in `s`. */
uint32_t lz_promql_doubts(const struct lz_promql_query *q, const struct lz_promql_known *known,
                          struct lz_promql_scratch *s, const struct lz_promql_doubt **out);

#endif
