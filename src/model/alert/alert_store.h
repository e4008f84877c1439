/*
 * alert_store.h — what PromQL rules know: samples of what they select, scraped now and then.
 *
 * As Prometheus' own store: a sample for each series of a component at each scrape of it; a
 * staleness marker where a scrape was lost, or where a series is no longer there. A series is kept
 * for as long as the rule looks back that looks back furthest.
 *
 * Beside what is scraped there is what rules write (alert_write.h): which series that will be is
 * known at their first sample only, by what names before the run. One that has ended, and that
 * nobody looks back to any more, is forgotten.
 */
#ifndef LZ_MODEL_ALERT_ALERT_STORE_H
#define LZ_MODEL_ALERT_ALERT_STORE_H

#include "model/alert/alert_export.h"

#define LZ_ALERT_STORE_SERIES_MAX 20000

struct lz_alert_store;
struct lz_alert_kept; /* a series and its samples */

struct lz_alert_store *lz_alert_store_create(struct lz_world *w, lz_time interval);
struct lz_arena *lz_alert_store_arena(const struct lz_alert_store *store);

/* Before what asks for them is wanted: a rule writes series of that name, each `interval`. */
void lz_alert_store_promise(struct lz_alert_store *store, const char *name, lz_time interval);

/*
 * Before the run: from now on all that `q` selects is kept. False if a metric that it names is
 * exported by no component and written by no rule, or if there would be too much. `q` is kept.
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

/* Whether a selector of any that was wanted takes series of that name. */
bool lz_alert_store_is_asked(struct lz_alert_store *store, const char *name);

/*
 * The series of these labels that a rule writes every `interval`, made if it is not there; NULL:
 * nobody selects it. False: there are too many.
 */
bool lz_alert_store_find(struct lz_alert_store *store, const struct lz_promql_labels *labels,
                         lz_time interval, struct lz_alert_kept **out,
                         struct lz_err *err) LZ_MUST_CHECK;

/* Its sample of now; false, and nothing is written, where it has one. True: the series is not
   forgotten before whoever wrote has called lz_alert_store_end for it. */
bool lz_alert_store_write(struct lz_alert_store *store, struct lz_alert_kept *k, double value);

/* Once for each sample: it ends now, unless it has a sample of now or has ended already. */
void lz_alert_store_end(struct lz_alert_store *store, struct lz_alert_kept *k);

/* Every LZ_ALERT_TIDY: what has ended is forgotten in time. */
void lz_alert_store_tidy(struct lz_alert_store *store);

/* A component is scraped now, or would have been. */
void lz_alert_store_scrape(struct lz_alert_store *store, lz_component_id of, bool is_lost);

const struct lz_promql_store *lz_alert_store_samples(const struct lz_alert_store *store);

/* Of an evaluation, for all rules in turn. */
struct lz_promql_scratch *lz_alert_store_scratch(struct lz_alert_store *store);

#endif
