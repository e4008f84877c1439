/*
 * alert_expr.h — the PromQL of a rule: what it selects, what it is about, what it is at an instant.
 *
 * What it selects is kept from its creation on; what is declared after it too, once all is settled.
 * It is *about* the components whose metrics it selects, and about those that the rules are about
 * whose series it reads.
 */
#ifndef LZ_MODEL_ALERT_ALERT_EXPR_H
#define LZ_MODEL_ALERT_ALERT_EXPR_H

#include "model/alert/alert_store.h"

struct lz_alert_expr;

/* NULL if it does not parse, is no vector or scalar, or selects what nobody exports: `err`. */
struct lz_alert_expr *lz_alert_expr_create(struct lz_alert_store *store, const char *text,
                                           struct lz_err *err) LZ_MUST_CHECK;

/* What it selects of all that is declared by now (lz_alert_store_settle). */
bool lz_alert_expr_settle(struct lz_alert_expr *e, struct lz_err *err) LZ_MUST_CHECK;

/* What it is about, one after the other; 0 behind the last. */
lz_component_id lz_alert_expr_about(const struct lz_alert_expr *e, uint32_t i);

/* Whether it may select series of that name. */
bool lz_alert_expr_reads(const struct lz_alert_expr *e, const char *name);

/* It is about all that `other` is about, too; whether that is more than it was. */
bool lz_alert_expr_join(struct lz_alert_expr *e, const struct lz_alert_expr *other);

/*
 * What it is at `now`, a scalar being a vector with one element without labels. False: why not. All
 * of it lies in the store's scratch, which begins anew.
 */
struct lz_alert_expr_when {
    lz_time now, step; /* `step` of subqueries that say none */
};
bool lz_alert_expr_evaluate(struct lz_alert_expr *e, const struct lz_alert_expr_when *when,
                            struct lz_promql_value *out, struct lz_promql_fault *fault);

#endif
