#include "model/client/throttle.h"

#include <string.h>

#include "base/check.h"

enum { REQUESTS, ACCEPTS };

// What has become older than `over` no longer counts.
static void forget(struct lz_throttle *t, const struct lz_throttle_opts *o, lz_time now)
{
    int64_t number = now / (o->over / LZ_THROTTLE_PARTS);
    LZ_ASSERT(number >= t->newest);
    if (number - t->newest >= LZ_THROTTLE_PARTS) {
        *t = (struct lz_throttle){.newest = number};
        return;
    }
    while (t->newest < number) {
        uint32_t *part = t->parts[++t->newest % LZ_THROTTLE_PARTS];
        t->requests -= part[REQUESTS];
        t->accepts -= part[ACCEPTS];
        part[REQUESTS] = part[ACCEPTS] = 0;
    }
}

double lz_throttle_rejects(struct lz_throttle *t, const struct lz_throttle_opts *o, lz_time now)
{
    forget(t, o, now);
    double requests = (double)t->requests;
    double p = (requests - o->k * (double)t->accepts) / (requests + 1.0);
    return p > 0.0 ? p : 0.0;
}

void lz_throttle_asked(struct lz_throttle *t, const struct lz_throttle_opts *o, lz_time now)
{
    forget(t, o, now);
    t->requests++;
    t->parts[t->newest % LZ_THROTTLE_PARTS][REQUESTS]++;
}

void lz_throttle_accepted(struct lz_throttle *t, const struct lz_throttle_opts *o, lz_time now)
{
    forget(t, o, now);
    t->accepts++;
    t->parts[t->newest % LZ_THROTTLE_PARTS][ACCEPTS]++;
}
