#include "model/target.h"

#include <stdio.h>

#include "base/check.h"
#include "model/broker/topic.h"
#include "model/cache/cache.h"
#include "model/consensus/consensus.h"
#include "model/data/database.h"
#include "model/node/instance.h"
#include "model/real.h"

static bool lies_in(const struct lz_world *w, const struct lz_target *t, lz_host_id host)
{
    lz_zone_id zone = lz_place_host_zone(w, host);
    switch (t->kind) {
    case LZ_TARGET_HOST:
        return host == t->id;
    case LZ_TARGET_ZONE:
        return zone == t->id;
    case LZ_TARGET_REGION:
        return zone != 0 && lz_place_zone_region(w, zone) == t->id;
    case LZ_TARGET_CLOUD:
        return zone != 0 && lz_place_region_cloud(w, lz_place_zone_region(w, zone)) == t->id;
    default:
        return false;
    }
}

lz_instance_id lz_target_leader(const struct lz_world *w, lz_component_id id)
{
    return lz_world_component(w, id)->kind == LZ_COMPONENT_CONSENSUS ? lz_consensus_leader(w, id)
                                                                     : lz_database_primary(w, id);
}

// A topic is where its broker's nodes are.
static lz_component_id owner_of(const struct lz_world *w, lz_component_id id)
{
    bool is_topic = lz_world_component(w, id)->kind == LZ_COMPONENT_TOPIC;
    return is_topic ? lz_topic_broker(w, id) : id;
}

// Of real ones it is known who leads, whatever the model would say.
static bool has_role(const struct lz_world *w, const struct lz_target *t, lz_instance_id instance,
                     lz_instance_id leader)
{
    const struct lz_component *c = lz_world_component(w, t->id);
    bool is_own =
        instance >= c->instances_first && instance - c->instances_first < c->instance_count;
    if (t->kind == LZ_TARGET_PRIMARY || !is_own || instance == leader)
        return t->kind == LZ_TARGET_PRIMARY && instance == leader;
    bool is_node = c->kind != LZ_COMPONENT_CACHE || lz_cache_leads(w, instance) ||
                   lz_cache_is_replica(w, instance, 0);
    uint32_t ordinal = instance - c->instances_first + 1 - (leader < instance);
    return is_node && (t->ordinal == 0 || t->ordinal == ordinal);
}

// Who leads a real one, if it was asked. A shard has its own.
static lz_instance_id real_leader(const struct lz_world *w, const struct lz_target *t)
{
    bool is_role =
        t->kind == LZ_TARGET_REPLICA || (t->kind == LZ_TARGET_PRIMARY && t->ordinal == 0);
    return is_role && lz_real_is_live(w) ? lz_real_leader(w, t->id) : 0;
}

bool lz_target_has(const struct lz_world *w, const struct lz_target *t, lz_instance_id instance)
{
    const struct lz_instance *i = lz_instance_get(w, instance);
    lz_instance_id leader = real_leader(w, t);
    if (leader != 0)
        return has_role(w, t, instance, leader);
    switch (t->kind) {
    case LZ_TARGET_COMPONENT:
        return i->component == owner_of(w, t->id);
    case LZ_TARGET_INSTANCE:
        return i->component == t->id && i->ordinal == t->ordinal;
    case LZ_TARGET_PRIMARY:
        if (lz_world_component(w, t->id)->kind == LZ_COMPONENT_CACHE)
            return i->component == t->id &&
                   (t->ordinal == 0 ? lz_cache_leads(w, instance)
                                    : lz_cache_leads_shard(w, instance, t->ordinal));
        return lz_target_leader(w, t->id) == instance;
    case LZ_TARGET_REPLICA:
        if (i->component != t->id)
            return false;
        if (lz_world_component(w, t->id)->kind == LZ_COMPONENT_CACHE)
            return lz_cache_is_replica(w, instance, t->ordinal);
        return t->ordinal == 0 ? lz_database_primary(w, t->id) != instance
                               : lz_database_replica(w, t->id, t->ordinal) == instance;
    case LZ_TARGET_HOST:
    case LZ_TARGET_ZONE:
    case LZ_TARGET_REGION:
    case LZ_TARGET_CLOUD:
        return lies_in(w, t, i->host);
    case LZ_TARGET_LINK:
        return lz_target_has(w, t->a, instance) || lz_target_has(w, t->b, instance);
    }
    return false;
}

bool lz_target_has_host(const struct lz_world *w, const struct lz_target *t, lz_host_id host)
{
    if (t->kind == LZ_TARGET_LINK)
        return lies_in(w, t->a, host) || lies_in(w, t->b, host);
    return lies_in(w, t, host);
}

size_t lz_target_instances(const struct lz_world *w, const struct lz_target *t, lz_instance_id *out,
                           size_t max)
{
    lz_instance_id first = 1, final = lz_instance_count(w);
    if (t->kind <= LZ_TARGET_REPLICA) { // a component's own: no need to look at all
        const struct lz_component *c = lz_world_component(w, t->id);
        first = c->instances_first;
        final = first + c->instance_count - 1;
    }
    size_t count = 0;
    for (lz_instance_id i = first; i <= final; i++) {
        if (!lz_target_has(w, t, i))
            continue;
        if (count < max)
            out[count] = i;
        count++;
    }
    return count;
}

static void describe_part(const struct lz_world *w, const struct lz_target *t, char *out,
                          size_t size)
{
    const struct lz_component *c = lz_world_component(w, t->id);
    bool has_nodes = c->kind == LZ_COMPONENT_DATABASE || c->kind == LZ_COMPONENT_CACHE ||
                     c->kind == LZ_COMPONENT_CONSENSUS || c->kind == LZ_COMPONENT_BROKER ||
                     c->kind == LZ_COMPONENT_STORE;
    const char *part = has_nodes                           ? "node"
                       : c->kind == LZ_COMPONENT_TOPIC     ? "partition"
                       : c->kind == LZ_COMPONENT_CONSUMERS ? "member"
                                                           : "replica";
    if (t->kind == LZ_TARGET_PRIMARY && t->ordinal > 0)
        snprintf(out, size, "%s.shard[%u]", c->name, t->ordinal);
    else if (t->kind == LZ_TARGET_PRIMARY)
        snprintf(out, size, "%s.%s", c->name,
                 c->kind == LZ_COMPONENT_CONSENSUS ? "leader" : "primary");
    else if (t->kind == LZ_TARGET_REPLICA && t->ordinal == 0)
        snprintf(out, size, "%s.replica", c->name);
    else if (t->kind == LZ_TARGET_REPLICA)
        snprintf(out, size, "%s.replica[%u]", c->name, t->ordinal);
    else if (t->kind == LZ_TARGET_INSTANCE)
        snprintf(out, size, "%s.%s[%u]", c->name, part, t->ordinal);
    else
        snprintf(out, size, "%s", c->name);
}

void lz_target_describe(const struct lz_world *w, const struct lz_target *t, char *out, size_t size)
{
    LZ_ASSERT(size > 0);
    switch (t->kind) {
    case LZ_TARGET_COMPONENT:
    case LZ_TARGET_INSTANCE:
    case LZ_TARGET_PRIMARY:
    case LZ_TARGET_REPLICA:
        describe_part(w, t, out, size);
        return;
    case LZ_TARGET_HOST: {
        const char *name = lz_place_host_name(w, t->id);
        snprintf(out, size, "%s", name != NULL ? name : "host");
        return;
    }
    case LZ_TARGET_ZONE:
        snprintf(out, size, "%s.%s", lz_place_region_name(w, lz_place_zone_region(w, t->id)),
                 lz_place_zone_name(w, t->id));
        return;
    case LZ_TARGET_REGION:
        snprintf(out, size, "%s", lz_place_region_name(w, t->id));
        return;
    case LZ_TARGET_CLOUD:
        snprintf(out, size, "%s", lz_place_cloud_name(w, t->id));
        return;
    case LZ_TARGET_LINK: {
        char a[LZ_TARGET_END_SIZE], b[LZ_TARGET_END_SIZE];
        lz_target_describe(w, t->a, a, sizeof(a));
        lz_target_describe(w, t->b, b, sizeof(b));
        snprintf(out, size, "%s -> %s", a, b);
        return;
    }
    }
    out[0] = '\0';
}
