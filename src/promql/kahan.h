/*
 * kahan.h — sums that keep what rounding drops (Neumaier's variant, as Prometheus adds).
 */
#ifndef LZ_PROMQL_KAHAN_H
#define LZ_PROMQL_KAHAN_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

struct lz_promql_kahan {
    double sum, rest;
};

static inline void lz_promql_kahan_add(struct lz_promql_kahan *k, double value)
{
    double t = k->sum + value;
    if (isinf(t))
        k->rest = 0.0;
    else if (fabs(k->sum) >= fabs(value))
        k->rest += (k->sum - t) + value;
    else
        k->rest += (value - t) + k->sum;
    k->sum = t;
}

static inline double lz_promql_kahan_value(const struct lz_promql_kahan *k)
{
    return isinf(k->sum) ? k->sum : k->sum + k->rest;
}

/* A mean that goes over to an incremental one where the sum would be infinite. */
static inline double lz_promql_mean(const double *values, uint32_t count)
{
    struct lz_promql_kahan k = {values[0], 0.0};
    bool is_incremental = false;
    for (uint32_t i = 1; i < count; i++) {
        double n = (double)i + 1.0;
        if (!is_incremental) {
            struct lz_promql_kahan next = k;
            lz_promql_kahan_add(&next, values[i]);
            if (!isinf(next.sum)) {
                k = next;
                continue;
            }
            is_incremental = true;
            k.sum /= n - 1.0;
            k.rest /= n - 1.0;
        }
        double q = (n - 1.0) / n;
        k.sum *= q;
        k.rest *= q;
        lz_promql_kahan_add(&k, values[i] / n);
    }
    return is_incremental ? k.sum + k.rest : k.sum / (double)count + k.rest / (double)count;
}

#endif
