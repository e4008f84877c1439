#include "model/node/evict.h"

#include "base/check.h"
#include "model/service/platform.h"

// The next zone of the region after its own, in order, that is not to be left; 0: there is none.
static lz_zone_id other_zone(const struct lz_world *w, lz_zone_id zone)
{
    lz_region_id region = lz_place_zone_region(w, zone);
    lz_zone_id first = lz_place_zone(w, region, 0);
    uint32_t count = lz_place_zones_of(w, region);
    LZ_ASSERT(zone >= first && zone < first + count);
    for (uint32_t k = 1; k < count; k++) {
        lz_zone_id next = first + (zone - first + k) % count;
        if (!lz_platform_bars(w, next))
            return next;
    }
    return 0;
}

static lz_host_id place(struct lz_world *w, lz_instance_id id, lz_host_id from,
                        const struct lz_target *leave)
{
    const struct lz_spread *spread = lz_instance_spread(w, lz_instance_get(w, id)->component);
    lz_zone_id zone = lz_place_host_zone(w, from);
    if (zone == 0 || spread->host != 0)
        return 0;
    if (leave->kind == LZ_TARGET_REGION || leave->kind == LZ_TARGET_CLOUD)
        zone = 0;
    else if (leave->kind == LZ_TARGET_ZONE || lz_platform_bars(w, zone))
        zone = spread->zone == 0 ? other_zone(w, zone) : 0;
    if (zone == 0)
        return 0;
    return lz_place_assign(w, &(struct lz_spread){.zone = zone}, 0);
}

lz_host_id lz_evict_place(struct lz_world *w, lz_instance_id id, const struct lz_target *leave)
{
    return place(w, id, lz_instance_get(w, id)->host, leave);
}

lz_host_id lz_evict_arrive(struct lz_world *w, lz_instance_id id, lz_host_id to)
{
    const struct lz_target *leave = lz_platform_cordon(w, to);
    lz_host_id other = leave != NULL ? place(w, id, to, leave) : 0;
    return other != 0 ? other : to;
}
