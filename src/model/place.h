/*
 * place.h — where things run: clouds, regions, zones, hosts.
 *
 * A region has zones, a zone has hosts, an instance runs on one host. A region may
 * belong to a cloud, which is what one provider runs and what can be lost, or cut
 * off, as a whole. Distance between two hosts (same host, same zone, other zone,
 * other region) decides the latency between them unless a link says otherwise.
 * Users stand outside: their hosts are in no region, one "edge" away from everything.
 *
 * Replica i of a component goes to zone i mod n of where it is spread, each on a
 * host of its own, unless it is put on a named host.
 */
#ifndef LZ_MODEL_PLACE_H
#define LZ_MODEL_PLACE_H

#include "base/err.h"
#include "model/world.h"

typedef uint32_t lz_cloud_id;
typedef uint32_t lz_region_id;
typedef uint32_t lz_zone_id;
typedef uint32_t lz_host_id;

/* Where a component is spread; the first that is not 0 decides. None: the default region. */
struct lz_spread {
    lz_host_id host;
    lz_zone_id zone;
    lz_region_id region;
};

struct lz_region_opts {
    const char *name;
    const char *const *zones; /* names; NULL means one zone "a" */
    uint32_t zone_count;
    struct lz_dist latency; /* one way between its zones; NONE means 600 us */
    lz_cloud_id cloud;      /* whose it is; 0: nobody's */
};

struct lz_host_opts {
    const char *name;
    lz_zone_id zone; /* 0: first zone of the default region */
};

#define LZ_PLACE_SAME_HOST_NS (20 * LZ_US)
#define LZ_PLACE_SAME_ZONE_NS (150 * LZ_US)
#define LZ_PLACE_OTHER_ZONE_NS (600 * LZ_US)
#define LZ_PLACE_OTHER_REGION_NS (40 * LZ_MS)
#define LZ_PLACE_EDGE_NS (15 * LZ_MS)

void lz_place_init(struct lz_world *w);

/* A provider; its regions name it. */
bool lz_place_cloud(struct lz_world *w, const char *name, lz_cloud_id *id,
                    struct lz_err *err) LZ_MUST_CHECK;
bool lz_place_region(struct lz_world *w, const struct lz_region_opts *opts, lz_region_id *id,
                     struct lz_err *err) LZ_MUST_CHECK;
bool lz_place_host(struct lz_world *w, const struct lz_host_opts *opts, lz_host_id *id,
                   struct lz_err *err) LZ_MUST_CHECK;

/* Zone `i` (from 0) of a region, or by name; 0 if there is none. */
lz_zone_id lz_place_zone(const struct lz_world *w, lz_region_id region, uint32_t i);
lz_zone_id lz_place_zone_named(const struct lz_world *w, lz_region_id region, const char *name);

uint32_t lz_place_zones_of(const struct lz_world *w, lz_region_id region);

/* The host for replica `i` of something spread so: a named one, or a fresh one. */
lz_host_id lz_place_assign(struct lz_world *w, const struct lz_spread *spread, uint32_t i);

/* Where users stand: one edge from a region, one edge and a region from the others. `near` 0:
 * one edge from everything. */
lz_host_id lz_place_edge_host(struct lz_world *w, lz_region_id near);
lz_host_id lz_place_local_host(struct lz_world *w); /* at no distance from anything */

uint32_t lz_place_region_count(const struct lz_world *w);
uint32_t lz_place_zone_count(const struct lz_world *w);
uint32_t lz_place_host_count(const struct lz_world *w);
const char *lz_place_cloud_name(const struct lz_world *w, lz_cloud_id id);
const char *lz_place_region_name(const struct lz_world *w, lz_region_id id);
const char *lz_place_zone_name(const struct lz_world *w, lz_zone_id id);
const char *lz_place_host_name(const struct lz_world *w,
                               lz_host_id id); /* NULL: made for a replica */
lz_cloud_id lz_place_region_cloud(const struct lz_world *w, lz_region_id id); /* 0: nobody's */
lz_region_id lz_place_zone_region(const struct lz_world *w, lz_zone_id id);
lz_zone_id lz_place_host_zone(const struct lz_world *w, lz_host_id id); /* 0 for the edge */
const struct lz_dist *lz_place_latency(const struct lz_world *w, lz_host_id a, lz_host_id b);

#endif
