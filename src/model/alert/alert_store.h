/*
 * alert_store.h — what PromQL rules know: samples of what they select, scraped now and then.
 *
 * As Prometheus' own store: a sample for each series of a component at each scrape of it; a
 * staleness marker where a scrape was lost, or where a series is no longer there. A series is kept
 * for as long as the rule looks back that looks back furthest.
 */
#ifndef LZ_MODEL_ALERT_ALERT_STORE_H
#define LZ_MODEL_ALERT_ALERT_STORE_H

#include "model/alert/alert_export.h"

#define LZ_ALERT_STORE_SERIES_MAX 20000

struct lz_alert_store;

struct lz_alert_store *lz_alert_store_create(struct lz_world *w, lz_time interval);

/*
 * Before the run: from now on all that `q` selects is kept. False if a metric that it names is
 * exported by no component, or if there would be too much.
 */
bool lz_alert_store_want(struct lz_alert_store *store, const struct lz_promql_query *q,
                         struct lz_err *err) LZ_MUST_CHECK;

/*
 * All is declared: each rule is asked once more what it wants, which may have been declared after
 * it. Nothing has been evaluated yet.
 */
void lz_alert_store_settle(struct lz_alert_store *store);

/* The `i`-th component that has to be scraped, 0 behind the last. */
lz_component_id lz_alert_store_target(const struct lz_alert_store *store, uint32_t i);

/* Whether it is of `q` what this component exports. */
bool lz_alert_store_is_of(const struct lz_alert_store *store, const struct lz_promql_query *q,
                          lz_component_id of);

/* A component is scraped now, or would have been. */
void lz_alert_store_scrape(struct lz_alert_store *store, lz_component_id of, bool is_lost);

const struct lz_promql_store *lz_alert_store_samples(const struct lz_alert_store *store);

/* Of an evaluation, for all rules in turn. */
struct lz_promql_scratch *lz_alert_store_scratch(struct lz_alert_store *store);

#endif
