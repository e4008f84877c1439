/*
 * exposition.h — what a metric of Lorenz is called by Prometheus: lorenz_, its own name in letters,
 * digits and "_", and its unit at the end, as OpenMetrics wants it. `-o openmetrics` and rules in
 * PromQL call it the same.
 */
#ifndef LZ_BASE_EXPOSITION_H
#define LZ_BASE_EXPOSITION_H

#include "base/str.h"

/* "seconds" of the unit "s", "bytes" of "B", "ratio", "per_second" of "/s"; "" of a count. */
const char *lz_exposition_unit(const char *unit);

/* Adds lorenz_latency_p99_seconds for latency.p99 and "seconds"; a unit that is there stays one. */
void lz_exposition_name(struct lz_str *out, const char *name, const char *unit);

#endif
