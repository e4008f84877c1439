/*
 * labels.h — what a series is called by: names and values, in the order of the names' bytes.
 *
 * Invariants: no name twice, no empty value (a label that is empty is not there, as in
 * Prometheus). The metric's name is the label __name__. Sets are never changed, only made; their
 * memory is the scratch's, or whoever's they are made of.
 */
#ifndef LZ_PROMQL_LABELS_H
#define LZ_PROMQL_LABELS_H

#include <stdbool.h>

#include "promql/scratch.h"

#define LZ_PROMQL_NAME "__name__"

struct lz_promql_label {
    const char *name, *value;
};

struct lz_promql_labels {
    const struct lz_promql_label *all;
    uint32_t count;
};

struct lz_promql_names {
    const char *const *all;
    uint32_t count;
};

/* "" if it is not there. */
const char *lz_promql_labels_get(const struct lz_promql_labels *l, const char *name);

/* With another value, or without it where `value` is empty. */
struct lz_promql_labels lz_promql_labels_set(struct lz_promql_scratch *s,
                                             const struct lz_promql_labels *l, const char *name,
                                             const char *value);

/* Only these, or all but these. */
struct lz_promql_labels lz_promql_labels_keep(struct lz_promql_scratch *s,
                                              const struct lz_promql_labels *l,
                                              const struct lz_promql_names *names);
struct lz_promql_labels lz_promql_labels_drop(struct lz_promql_scratch *s,
                                              const struct lz_promql_labels *l,
                                              const struct lz_promql_names *names);

/* In an order that is the same everywhere: by the first name or value that differs. */
int lz_promql_labels_compare(const struct lz_promql_labels *a, const struct lz_promql_labels *b);

bool lz_promql_names_have(const struct lz_promql_names *names, const char *name);

/* name{a="b", c="d"}; the scratch's. */
const char *lz_promql_labels_show(struct lz_promql_scratch *s, const struct lz_promql_labels *l);

/*
 * Sets numbered in the order in which they first came. `fresh` says whether this one is new; its
 * number is below lz_promql_groups.count.
 */
struct lz_promql_groups {
    struct lz_promql_scratch *scratch;
    struct lz_promql_labels *all;
    uint64_t *hashes;
    uint32_t count, cap, hash_cap;
    uint32_t *slots; /* number + 1, open addressing; a power of two */
    uint32_t slot_count;
};

void lz_promql_groups_init(struct lz_promql_groups *g, struct lz_promql_scratch *s);
uint32_t lz_promql_groups_add(struct lz_promql_groups *g, const struct lz_promql_labels *l,
                              bool *fresh);

/* Its number, or UINT32_MAX. */
uint32_t lz_promql_groups_find(const struct lz_promql_groups *g, const struct lz_promql_labels *l);

#endif
