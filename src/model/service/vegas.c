#include "model/service/vegas.h"

#include "base/check.h"

#define PROBE_EVERY 30.0 /* limits' worth of answers */

static uint32_t log_of(uint32_t limit)
{
    uint32_t log = 0;
    for (uint32_t n = limit; n >= 10; n /= 10)
        log++;
    return log > 1 ? log : 1;
}

static uint32_t queue_of(const struct lz_vegas *v, lz_time rtt)
{
    double queue = (double)v->limit * (1.0 - (double)v->noload / (double)rtt);
    uint32_t whole = (uint32_t)queue;
    return (double)whole < queue ? whole + 1 : whole;
}

void lz_vegas_sample(struct lz_vegas *v, uint32_t limit_max, lz_time rtt, uint32_t in_flight,
                     double jitter)
{
    LZ_ASSERT(v->limit >= 1 && limit_max >= 1);
    LZ_ASSERT(jitter >= 0.5 && jitter <= 1.0);
    if (rtt <= 0)
        return;
    v->answers++;
    bool probes = (double)v->answers >= jitter * PROBE_EVERY * (double)v->limit;
    if (probes || v->noload == 0 || rtt < v->noload) {
        v->noload = rtt;
        if (probes) {
            v->answers = 0;
            v->probes++;
        }
        return;
    }
    if (in_flight < (v->limit + 1) / 2)
        return; // the limit was not what held it back
    uint32_t log = log_of(v->limit), queue = queue_of(v, rtt);
    uint32_t alpha = 3 * log, beta = 6 * log;
    if (queue <= log)
        v->limit += beta;
    else if (queue < alpha)
        v->limit += log;
    else if (queue > beta)
        v->limit = v->limit > log ? v->limit - log : 1;
    if (v->limit > limit_max)
        v->limit = limit_max;
}
