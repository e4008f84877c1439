#include "model/client/locality.h"

#include "base/check.h"
#include "model/node/instance.h"
#include "model/place.h"

void lz_locality_split(const uint32_t *total, const uint32_t *alive, uint32_t levels,
                       uint32_t overprovisioning, uint32_t *percent)
{
    LZ_ASSERT(levels >= 1 && levels <= LZ_LOCALITY_LEVELS);
    uint32_t health[LZ_LOCALITY_LEVELS], sum = 0;
    for (uint32_t i = 0; i < levels; i++) {
        LZ_ASSERT(alive[i] <= total[i]);
        uint64_t h = total[i] > 0 ? (uint64_t)overprovisioning * alive[i] / total[i] : 0;
        health[i] = h < 100 ? (uint32_t)h : 100;
        sum += health[i];
        percent[i] = 0;
    }
    if (sum == 0) { // fewer alive than a whole per cent: the nearest of them
        for (uint32_t i = 0; i < levels; i++)
            if (alive[i] > 0) {
                percent[i] = 100;
                return;
            }
        return;
    }
    if (sum > 100)
        sum = 100;
    uint32_t left = 100, first = levels;
    for (uint32_t i = 0; i < levels; i++) {
        uint32_t share = health[i] * 100 / sum;
        percent[i] = share < left ? share : left;
        left -= percent[i];
        if (first == levels && health[i] > 0)
            first = i;
    }
    LZ_ASSERT(first < levels);
    percent[first] += left; // what rounding left over
}

enum lz_locality_level lz_locality_between(const struct lz_world *w, lz_instance_id client,
                                           lz_instance_id server)
{
    lz_zone_id a = lz_place_host_zone(w, lz_instance_get(w, client)->host);
    lz_zone_id b = lz_place_host_zone(w, lz_instance_get(w, server)->host);
    if (a == 0 || b == 0)
        return LZ_LOCALITY_REST;
    if (a == b)
        return LZ_LOCALITY_ZONE;
    bool near = lz_place_zone_region(w, a) == lz_place_zone_region(w, b);
    return near ? LZ_LOCALITY_REGION : LZ_LOCALITY_REST;
}
