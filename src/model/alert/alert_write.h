/*
 * alert_write.h — what a rule writes: series of its own, a sample of each at each evaluation.
 *
 * As Prometheus' groups do (rules/group.go): what was written at the last evaluation and is not at
 * this one gets a staleness marker, and an evaluation that fails writes nothing. Of two rules that
 * write one series at one instant the first does. What no rule selects is not written.
 *
 *   NAME{...}                      what a recording rule finds
 *   ALERTS{alertname, alertstate}  1 for each alert that is "pending" or "firing"
 *   ALERTS_FOR_STATE{alertname}    since when, in whole seconds
 */
#ifndef LZ_MODEL_ALERT_ALERT_WRITE_H
#define LZ_MODEL_ALERT_ALERT_WRITE_H

#include "model/alert/alert_labels.h"
#include "model/alert/alert_rule.h"
#include "model/alert/alert_store.h"

#define LZ_ALERT_WRITE_ALERTS "ALERTS"
#define LZ_ALERT_WRITE_STATE "ALERTS_FOR_STATE"

struct lz_alert_writer {
    struct lz_alert_store *store;      /* NULL: nobody asks */
    lz_time interval;                  /* between evaluations */
    struct lz_alert_kept **all, **old; /* written at this evaluation, and at the last */
    uint32_t count, cap, old_count, old_cap;
};

/* Once all is settled: of a rule that writes series of these names, the second of which may be
 * NULL. */
void lz_alert_write_init(struct lz_alert_writer *wr, struct lz_alert_store *store, lz_time interval,
                         const char *name, const char *other);

/*
 * An evaluation writes: one sample after the other, and then it is done. False: there are too many
 * series.
 */
bool lz_alert_write_sample(struct lz_alert_writer *wr, const struct lz_promql_labels *labels,
                           double value, struct lz_err *err) LZ_MUST_CHECK;
void lz_alert_write_done(struct lz_alert_writer *wr);

/* The samples of an alert that is pending or fires; `labels` with its alertname. */
bool lz_alert_write_alert(struct lz_alert_writer *wr, const struct lz_alert_labels *labels,
                          const struct lz_alert_rule *rule, struct lz_err *err) LZ_MUST_CHECK;

#endif
