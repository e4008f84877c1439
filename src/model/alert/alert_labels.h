/*
 * alert_labels.h — what an alert is called by, and matchers of that.
 *
 * A label that is not there and one that is empty are the same, as in Prometheus: `equal` of two
 * alerts that both have none holds, and NONE matches both.
 */
#ifndef LZ_MODEL_ALERT_ALERT_LABELS_H
#define LZ_MODEL_ALERT_ALERT_LABELS_H

#include <stdbool.h>
#include <stdint.h>

struct lz_alert_label {
    const char *name, *value;
};

/* No name twice, in any order. */
struct lz_alert_labels {
    const struct lz_alert_label *all;
    uint32_t count;
};

struct lz_alert_names {
    const char *const *all;
    uint32_t count;
};

enum lz_alert_matcher_kind {
    LZ_ALERT_ONE_OF = 1, /* its value is one of `values`: "a|b" of Alertmanager's =~ */
    LZ_ALERT_ANY,        /* it has the label: =~ ".+" */
    LZ_ALERT_NONE,       /* it has it not: = "" */
};

struct lz_alert_matcher {
    const char *name;
    enum lz_alert_matcher_kind kind;
    struct lz_alert_names values;
};

struct lz_alert_matchers {
    const struct lz_alert_matcher *all;
    uint32_t count;
};

/* "" if it has none such. */
const char *lz_alert_labels_get(const struct lz_alert_labels *l, const char *name);

/* All of the matchers do; none at all match everything. */
bool lz_alert_labels_match(const struct lz_alert_labels *l, const struct lz_alert_matchers *m);

/* The same values under these names. */
bool lz_alert_labels_agree(const struct lz_alert_labels *a, const struct lz_alert_labels *b,
                           const struct lz_alert_names *names);

/* The same labels altogether. */
bool lz_alert_labels_equal(const struct lz_alert_labels *a, const struct lz_alert_labels *b);

#endif
