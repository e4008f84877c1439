/*
 * alert_doubt.h — what an expression asks for and nothing of the whole world has (promql/doubt.h).
 *
 * When all is declared and before the run: components, instances, outcomes and buckets are known
 * then. What rules record and what alerts are is not: their labels are whatever they find.
 */
#ifndef LZ_MODEL_ALERT_ALERT_DOUBT_H
#define LZ_MODEL_ALERT_ALERT_DOUBT_H

#include "model/world.h"
#include "promql/doubt.h"

uint32_t lz_alert_doubts(const struct lz_world *w, const struct lz_promql_query *q,
                         struct lz_promql_scratch *s, const struct lz_promql_doubt **out);

#endif
