/*
 * alert_record.h — recording rules: what an expression finds is a series of its own from then on.
 *
 * As Prometheus' (rules/recording.go): each element of the vector becomes a sample of the series
 * that is called as the rule records it, with the element's labels and over them the rule's. Rules
 * of one group are evaluated in a row, those that record before alerts, each in the order of their
 * declaration: those behind see what those before have just found. An expression that fails
 * records nothing, and what was recorded is there for as long as a selector looks back.
 *
 * A rule is a component: `elements` counts what it found, `value` is the greatest of them. It is
 * read by other rules only, so nothing is written of a rule whose series nobody selects.
 */
#ifndef LZ_MODEL_ALERT_ALERT_RECORD_H
#define LZ_MODEL_ALERT_ALERT_RECORD_H

#include "model/alert/alert_write.h"

struct lz_alerts;
struct lz_alert_record;

struct lz_alert_record_opts {
    const char *name; /* of the component */
    uint32_t line;
    const char *record;            /* what the series are called; kept */
    const char *expr;              /* kept */
    struct lz_alert_labels labels; /* kept */
    lz_time every;                 /* 0: as all rules are */
};

const struct lz_metric_info *lz_alert_record_metrics(size_t *count);

/*
 * Before any rule that reads it: there will be series called `record`. Names are kept. And then
 * the rule itself, behind all components that it looks at.
 */
bool lz_alert_record_promise(struct lz_world *w, const char *record, lz_time every,
                             struct lz_err *err) LZ_MUST_CHECK;
bool lz_alert_record_create(struct lz_world *w, const struct lz_alert_record_opts *opts,
                            lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;

#endif
