/*
 * target.h — what a fault, a link or a metric may point at.
 *
 * A target may be a role (`db.primary`), which is resolved to an instance at the
 * moment it is needed and not before.
 */
#ifndef LZ_MODEL_TARGET_H
#define LZ_MODEL_TARGET_H

#include <stddef.h>

#include "model/place.h"
#include "model/world.h"

enum lz_target_kind {
    LZ_TARGET_COMPONENT = 1, /* all its instances */
    LZ_TARGET_INSTANCE,      /* component + ordinal from 1: web.replica[2], db.node[1] */
    LZ_TARGET_PRIMARY, /* the database's primary when it is resolved; of a cache's shard too */
    LZ_TARGET_REPLICA, /* ordinal-th replica of a database when resolved; 0: all of them */
    LZ_TARGET_HOST,
    LZ_TARGET_ZONE,
    LZ_TARGET_REGION,
    LZ_TARGET_CLOUD,
    LZ_TARGET_LINK, /* between two component, place or instance targets, both ways */
};

#define LZ_TARGET_BIT(kind) (1u << (kind))

#define LZ_TARGET_END_SIZE 448 /* of all but links: two names, and a little */
#define LZ_TARGET_TEXT_SIZE (2 * LZ_TARGET_END_SIZE)

struct lz_target {
    enum lz_target_kind kind;
    uint32_t id;                   /* component, host, zone, region or cloud */
    uint32_t ordinal;              /* INSTANCE, REPLICA; PRIMARY: the shard, 0: any */
    const struct lz_target *a, *b; /* LINK: from and to */
};

/* The instances it means right now, in order, at most `max`; returns how many there are. */
size_t lz_target_instances(const struct lz_world *w, const struct lz_target *t, lz_instance_id *out,
                           size_t max);

/* The node that leads a database or a group now; 0: none does. */
lz_instance_id lz_target_leader(const struct lz_world *w, lz_component_id id);

/*
 * "orders-db.primary", "web.replica[2]", "eu-west-1.b", "checkout-api -> orders-db". What is made
 * of it is found by it, and draws by it: so in LZ_TARGET_TEXT_SIZE bytes it is whole for names of
 * 200.
 */
void lz_target_describe(const struct lz_world *w, const struct lz_target *t, char *out,
                        size_t size);

/* Does the instance lie within the target? (A link's end: component, zone, region, ...) */
bool lz_target_has(const struct lz_world *w, const struct lz_target *t, lz_instance_id instance);

/* Does the host, whoever stands there? Places alone have hosts. */
bool lz_target_has_host(const struct lz_world *w, const struct lz_target *t, lz_host_id host);

#endif
