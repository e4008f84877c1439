#include "model/node/evict.h"

#include "base/check.h"

// The next zone of the region after its own, in order, that is not to be left.
static lz_zone_id other_zone(const struct lz_world *w, lz_zone_id zone)
{
    lz_region_id region = lz_place_zone_region(w, zone);
    lz_zone_id first = lz_place_zone(w, region, 0), next = zone + 1;
    if (next >= first + lz_place_zones_of(w, region))
        next = first;
    return next != zone ? next : 0;
}

lz_host_id lz_evict_place(struct lz_world *w, lz_instance_id id, const struct lz_target *leave)
{
    const struct lz_instance *i = lz_instance_get(w, id);
    const struct lz_spread *spread = lz_instance_spread(w, i->component);
    lz_zone_id zone = lz_place_host_zone(w, i->host);
    if (zone == 0 || spread->host != 0)
        return 0;
    if (leave->kind == LZ_TARGET_ZONE)
        zone = spread->zone == 0 ? other_zone(w, zone) : 0;
    else if (leave->kind == LZ_TARGET_REGION || leave->kind == LZ_TARGET_CLOUD)
        zone = 0;
    if (zone == 0)
        return 0;
    return lz_place_assign(w, &(struct lz_spread){.zone = zone}, 0);
}
