/*
 * alert_query.h — an alerting rule whose condition is PromQL (rules/alerting.go).
 *
 * Each element of the vector that its expression gives is an alert of its own: it has the element's
 * labels but the metric's name, over them those of the rule, and alertname; and a state of its own
 * (alert_rule.h). An element that is no longer there is false. A scalar is a vector with one
 * element without labels.
 *
 * An expression that cannot be evaluated at an instant (two elements match where one may), or that
 * gives two elements which the rule's labels make one, changes nothing at that instant; it is told
 * the first time.
 *
 * An element that is inactive, and was not firing for 15 min (LZ_ALERT_RETENTION), is forgotten as
 * soon as no group of the manager's has it any more: its number is another's then.
 */
#ifndef LZ_MODEL_ALERT_ALERT_QUERY_H
#define LZ_MODEL_ALERT_ALERT_QUERY_H

#include "model/alert/alert_expr.h"
#include "model/alert/alert_manager.h"
#include "model/alert/alert_write.h"

struct lz_alert_query;

struct lz_alert_query_opts {
    struct lz_arena *arena;
    struct lz_alert_store *store;
    struct lz_alert_manager *manager;
    const char *expr;
    const struct lz_alert_labels *labels; /* the rule's, with alertname; kept */
    void *ctx;
    void (*added)(void *ctx, uint32_t number);  /* an alert of the manager's is the rule's */
    void (*failed)(void *ctx, const char *why); /* once */
};

/* What it selects of all that is declared by now (lz_alert_store_settle). */
void lz_alert_query_settle(struct lz_alert_query *q);

/* All has been settled: it will be evaluated every `interval`, and writes what others ask for. */
void lz_alert_query_start(struct lz_alert_query *q, lz_time interval);

struct lz_alert_query_found {
    uint32_t pending, firing; /* elements in that state */
};

/* NULL if it does not parse, or selects what nobody exports: `err`. */
struct lz_alert_query *lz_alert_query_create(const struct lz_alert_query_opts *opts,
                                             struct lz_err *err) LZ_MUST_CHECK;

/* All of its elements, and what is sent and written of them. */
struct lz_alert_query_found lz_alert_query_evaluate(struct lz_alert_query *q,
                                                    const struct lz_alert_rule_opts *o,
                                                    const struct lz_alert_expr_when *when);

struct lz_alert_expr *lz_alert_query_expr(const struct lz_alert_query *q);

#endif
