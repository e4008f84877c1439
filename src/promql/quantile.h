/*
 * quantile.h — quantiles as Prometheus takes them: of values (quantile.go, `quantile`), and of
 * buckets that count what is at most their bound (`bucketQuantile`, `BucketFraction`).
 */
#ifndef LZ_PROMQL_QUANTILE_H
#define LZ_PROMQL_QUANTILE_H

#include <stdint.h>

/* Orders doubles for lz_sort: what is no number comes first. */
int lz_promql_by_value(const void *a, const void *b, void *ctx);

/* `values` are sorted on the way. */
double lz_promql_quantile(double q, double *values, uint32_t count);

struct lz_promql_bucket {
    double bound, count;
};

/* Of one histogram, in any order; both change `buckets`. */
double lz_promql_bucket_quantile(double q, struct lz_promql_bucket *buckets, uint32_t count);
double lz_promql_bucket_fraction(double lower, double upper, struct lz_promql_bucket *buckets,
                                 uint32_t count);

#endif
