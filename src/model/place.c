#include "model/place.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

struct region {
    const char *name;
    lz_zone_id zone_first;
    uint32_t zone_count;
    struct lz_dist latency; // one way between its zones
    lz_cloud_id cloud;      // 0: nobody's
};

struct zone {
    const char *name;
    lz_region_id region;
};

struct host {
    const char *name;  // NULL: made for one replica
    lz_zone_id zone;   // 0: outside, where users are
    lz_region_id near; // outside: whose neighbours they are; 0: everybody's
    bool is_local;     // no distance to anything
};

struct lz_place {
    const char **clouds; // names, 1 ..
    uint32_t cloud_count, cloud_cap;
    struct region *regions; // 1 ..
    struct zone *zones;
    struct host *hosts;
    uint32_t region_count, region_cap;
    uint32_t zone_count, zone_cap;
    uint32_t host_count, host_cap;
    lz_region_id fallback; // the region of what is put nowhere; 0 until needed
    struct lz_dist none, same_host, same_zone, other_zone, other_region, edge, edge_far;
};

void lz_place_init(struct lz_world *w)
{
    struct lz_place *p = lz_arena_alloc(w->arena, sizeof(*p));
    p->none = lz_dist_constant(0);
    p->same_host = lz_dist_constant(LZ_PLACE_SAME_HOST_NS);
    p->same_zone = lz_dist_constant(LZ_PLACE_SAME_ZONE_NS);
    p->other_zone = lz_dist_constant(LZ_PLACE_OTHER_ZONE_NS);
    p->other_region = lz_dist_constant(LZ_PLACE_OTHER_REGION_NS);
    p->edge = lz_dist_constant(LZ_PLACE_EDGE_NS);
    p->edge_far = lz_dist_constant(LZ_PLACE_EDGE_NS + LZ_PLACE_OTHER_REGION_NS);
    w->place = p;
}

bool lz_place_cloud(struct lz_world *w, const char *name, lz_cloud_id *id, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(name != NULL);
    struct lz_place *p = w->place;
    for (lz_cloud_id c = 1; c <= p->cloud_count; c++)
        if (strcmp(p->clouds[c], name) == 0)
            return lz_fail(err, LZ_EEXIST, "there are two clouds named \"%s\"", name);
    p->clouds = lz_grow(w->arena, p->clouds, &p->cloud_cap, p->cloud_count + 2, sizeof(char *));
    p->clouds[++p->cloud_count] = lz_arena_strdup(w->arena, name);
    *id = p->cloud_count;
    return true;
}

static void add_zone(struct lz_world *w, const char *name, lz_region_id region)
{
    struct lz_place *p = w->place;
    p->zones = lz_grow(w->arena, p->zones, &p->zone_cap, p->zone_count + 2, sizeof(*p->zones));
    p->zones[++p->zone_count] =
        (struct zone){.name = lz_arena_strdup(w->arena, name), .region = region};
}

bool lz_place_region(struct lz_world *w, const struct lz_region_opts *opts, lz_region_id *id,
                     struct lz_err *err)
{
    struct lz_place *p = w->place;
    LZ_ASSERT(!w->running);
    LZ_ASSERT(opts->cloud <= p->cloud_count);
    for (lz_region_id r = 1; r <= p->region_count; r++)
        if (strcmp(p->regions[r].name, opts->name) == 0)
            return lz_fail(err, LZ_EEXIST, "there are two regions named \"%s\"", opts->name);
    for (uint32_t i = 0; i < opts->zone_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(opts->zones[i], opts->zones[k]) == 0)
                return lz_fail(err, LZ_EEXIST, "region \"%s\" has two zones named \"%s\"",
                               opts->name, opts->zones[i]);
    p->regions =
        lz_grow(w->arena, p->regions, &p->region_cap, p->region_count + 2, sizeof(*p->regions));
    lz_region_id region = ++p->region_count;
    p->regions[region] = (struct region){
        .name = lz_arena_strdup(w->arena, opts->name),
        .zone_first = p->zone_count + 1,
        .zone_count = opts->zone_count > 0 ? opts->zone_count : 1,
        .latency = opts->latency.kind != LZ_DIST_NONE ? opts->latency : p->other_zone,
        .cloud = opts->cloud,
    };
    if (opts->zone_count == 0)
        add_zone(w, "a", region);
    for (uint32_t i = 0; i < opts->zone_count; i++)
        add_zone(w, opts->zones[i], region);
    *id = region;
    return true;
}

// The region of what is put nowhere: the scenario's own "default", or one made when needed.
static lz_region_id fallback_region(struct lz_world *w)
{
    struct lz_place *p = w->place;
    for (lz_region_id r = 1; r <= p->region_count && p->fallback == 0; r++)
        if (strcmp(p->regions[r].name, "default") == 0)
            p->fallback = r;
    if (p->fallback == 0) {
        struct lz_err err;
        bool ok =
            lz_place_region(w, &(struct lz_region_opts){.name = "default"}, &p->fallback, &err);
        LZ_ASSERT(ok);
    }
    return p->fallback;
}

static lz_host_id add_host(struct lz_world *w, const char *name, lz_zone_id zone, bool is_local)
{
    struct lz_place *p = w->place;
    p->hosts = lz_grow(w->arena, p->hosts, &p->host_cap, p->host_count + 2, sizeof(*p->hosts));
    p->hosts[++p->host_count] = (struct host){.name = name, .zone = zone, .is_local = is_local};
    return p->host_count;
}

bool lz_place_host(struct lz_world *w, const struct lz_host_opts *opts, lz_host_id *id,
                   struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_place *p = w->place;
    for (lz_host_id h = 1; h <= p->host_count; h++)
        if (p->hosts[h].name != NULL && strcmp(p->hosts[h].name, opts->name) == 0)
            return lz_fail(err, LZ_EEXIST, "there are two hosts named \"%s\"", opts->name);
    lz_zone_id zone = opts->zone != 0 ? opts->zone : lz_place_zone(w, fallback_region(w), 0);
    *id = add_host(w, lz_arena_strdup(w->arena, opts->name), zone, false);
    return true;
}

lz_zone_id lz_place_zone(const struct lz_world *w, lz_region_id region, uint32_t i)
{
    const struct lz_place *p = w->place;
    LZ_ASSERT(region >= 1 && region <= p->region_count);
    return i < p->regions[region].zone_count ? p->regions[region].zone_first + i : 0;
}

lz_zone_id lz_place_zone_named(const struct lz_world *w, lz_region_id region, const char *name)
{
    const struct lz_place *p = w->place;
    LZ_ASSERT(region >= 1 && region <= p->region_count);
    const struct region *r = &p->regions[region];
    for (lz_zone_id z = r->zone_first; z < r->zone_first + r->zone_count; z++)
        if (strcmp(p->zones[z].name, name) == 0)
            return z;
    return 0;
}

uint32_t lz_place_zones_of(const struct lz_world *w, lz_region_id region)
{
    LZ_ASSERT(region >= 1 && region <= w->place->region_count);
    return w->place->regions[region].zone_count;
}

lz_host_id lz_place_assign(struct lz_world *w, const struct lz_spread *spread, uint32_t i)
{
    if (spread->host != 0)
        return spread->host;
    lz_zone_id zone = spread->zone;
    if (zone == 0) {
        lz_region_id region = spread->region != 0 ? spread->region : fallback_region(w);
        zone = lz_place_zone(w, region, i % w->place->regions[region].zone_count);
    }
    return add_host(w, NULL, zone, false);
}

lz_host_id lz_place_edge_host(struct lz_world *w, lz_region_id near)
{
    LZ_ASSERT(near <= w->place->region_count);
    lz_host_id host = add_host(w, NULL, 0, false);
    w->place->hosts[host].near = near;
    return host;
}

lz_host_id lz_place_local_host(struct lz_world *w)
{
    return add_host(w, NULL, 0, true);
}

uint32_t lz_place_region_count(const struct lz_world *w)
{
    return w->place->region_count;
}

uint32_t lz_place_zone_count(const struct lz_world *w)
{
    return w->place->zone_count;
}

uint32_t lz_place_host_count(const struct lz_world *w)
{
    return w->place->host_count;
}

const char *lz_place_cloud_name(const struct lz_world *w, lz_cloud_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->place->cloud_count);
    return w->place->clouds[id];
}

const char *lz_place_region_name(const struct lz_world *w, lz_region_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->place->region_count);
    return w->place->regions[id].name;
}

const char *lz_place_zone_name(const struct lz_world *w, lz_zone_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->place->zone_count);
    return w->place->zones[id].name;
}

const char *lz_place_host_name(const struct lz_world *w, lz_host_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->place->host_count);
    return w->place->hosts[id].name;
}

lz_cloud_id lz_place_region_cloud(const struct lz_world *w, lz_region_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->place->region_count);
    return w->place->regions[id].cloud;
}

lz_region_id lz_place_zone_region(const struct lz_world *w, lz_zone_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->place->zone_count);
    return w->place->zones[id].region;
}

lz_zone_id lz_place_host_zone(const struct lz_world *w, lz_host_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->place->host_count);
    return w->place->hosts[id].zone;
}

// From users to what they call: next door, or next door to another region.
static const struct lz_dist *from_edge(const struct lz_place *p, const struct host *users,
                                       const struct host *other)
{
    bool is_far =
        users->near != 0 && other->zone != 0 && p->zones[other->zone].region != users->near;
    return is_far ? &p->edge_far : &p->edge;
}

const struct lz_dist *lz_place_latency(const struct lz_world *w, lz_host_id a, lz_host_id b)
{
    const struct lz_place *p = w->place;
    LZ_ASSERT(a >= 1 && a <= p->host_count && b >= 1 && b <= p->host_count);
    const struct host *from = &p->hosts[a], *to = &p->hosts[b];
    if (from->is_local || to->is_local)
        return &p->none;
    if (from->zone == 0 || to->zone == 0)
        return from_edge(p, from->zone == 0 ? from : to, from->zone == 0 ? to : from);
    if (a == b)
        return &p->same_host;
    if (from->zone == to->zone)
        return &p->same_zone;
    lz_region_id region = p->zones[from->zone].region;
    if (region == p->zones[to->zone].region)
        return &p->regions[region].latency;
    return &p->other_region;
}
