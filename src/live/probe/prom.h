/*
 * prom.h — metrics from a Prometheus server, by instant queries.
 *
 * Each query of a `prometheus` block is asked every `every`, by GET /api/v1/query. Its result must
 * be one number: a scalar, or a vector of one series. That is the metric's reading from then on.
 * No sample comes of an error, of no series (nothing matched, or it is stale), of NaN or an
 * infinity (a division by no requests), nor of several series: those are for the query to
 * aggregate. The journal tells of trouble when it begins and when it is over.
 */
#ifndef LZ_LIVE_PROBE_PROM_H
#define LZ_LIVE_PROBE_PROM_H

#include "live/live.h"

struct lz_prom;

struct lz_prom *lz_prom_start(struct lz_live *live, const struct lz_live_prometheus *prometheus);
void lz_prom_stop(struct lz_prom *prom); /* NULL is allowed */

/* What a server's answer says: a number, or why it is none. For tests too. */
bool lz_prom_read(const char *json, size_t size, double *value, struct lz_err *err) LZ_MUST_CHECK;

#endif
