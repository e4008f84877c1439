/*
 * rehouse.c — whose pod is deleted when its node's toleration is over, and where the next one goes.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/node/instance.h"
#include "model/node/life.h"
#include "model/node/nodes_state.h"
#include "model/service/platform.h"
#include "model/service/pods.h"

#define MOVABLE                                                                                    \
    (1u << LZ_COMPONENT_SERVICE | 1u << LZ_COMPONENT_BALANCER | 1u << LZ_COMPONENT_GATEWAY |       \
     1u << LZ_COMPONENT_CONSUMERS)

// Who is deleted already has no successor.
static bool is_movable(const struct lz_world *w, lz_instance_id id)
{
    if (!lz_pods_is_wanted(w, id))
        return false;
    lz_component_id c = lz_instance_get(w, id)->component;
    return (1u << lz_world_component(w, c)->kind & MOVABLE) != 0 &&
           lz_instance_spread(w, c)->host == 0;
}

static bool has_live_node(const struct lz_world *w, uint32_t zone)
{
    const struct lz_nodes *ls = w->nodes;
    for (uint32_t i = 1; i <= ls->node_count; i++)
        if (ls->nodes[i]->zone == zone && ls->nodes[i]->downs == 0 &&
            lz_platform_cordon(w, ls->nodes[i]->host) == NULL)
            return true;
    return false;
}

static bool takes(const struct lz_world *w, uint32_t zone)
{
    const struct lz_node_zone *z = &w->nodes->zones[zone];
    return z->state != LZ_ZONE_LOST && z->ready > 0 && z->room > 0 && has_live_node(w, zone);
}

static struct lz_node *node_of(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_nodes *ls = w->nodes;
    return ls->nodes[ls->by_host[lz_instance_get(w, id)->host]];
}

// Its own zone; or the next that takes it, if it is not bound to its own. 0: there is none.
static uint32_t find_zone(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_node *n = node_of(w, id);
    const struct lz_node_cluster *c = &w->nodes->clusters[n->cluster];
    if (takes(w, n->zone))
        return n->zone;
    if (lz_instance_spread(w, lz_instance_get(w, id)->component)->zone != 0)
        return 0;
    for (uint32_t k = 1; k < c->zone_count; k++) {
        uint32_t zone = c->zone_first + (n->zone - c->zone_first + k) % c->zone_count;
        if (takes(w, zone))
            return zone;
    }
    return 0;
}

static void go(struct lz_world *w, lz_instance_id id, uint32_t zone, bool takes_room)
{
    struct lz_node_zone *z = &w->nodes->zones[zone];
    if (takes_room) {
        node_of(w, id)->left++;
        if (z->room != LZ_NODES_DEFAULT)
            z->room--;
    }
    lz_life_relocate(w, id, lz_place_assign(w, &(struct lz_spread){.zone = z->id}, 0));
}

// A pod that has just been deleted, or that waits. False: there is no room, or nobody gives it.
static bool place(struct lz_world *w, struct lz_node_waiting *one, bool is_news)
{
    lz_time late = 0, now = lz_sim_now(w->sim);
    if (now < one->not_before || lz_platform_holds_start(w, one->id, is_news, &late))
        return false;
    if (late > 0 && one->not_before == 0) {
        one->not_before = now + late;
        return false;
    }
    uint32_t zone = find_zone(w, one->id);
    if (zone == 0)
        return false;
    go(w, one->id, zone, true);
    return true;
}

void lz_rehouse_node(struct lz_world *w, struct lz_node *n)
{
    struct lz_node_cluster *c = &w->nodes->clusters[n->cluster];
    n->evicted_at = lz_sim_now(w->sim);
    for (lz_instance_id id = 1; id <= lz_instance_count(w); id++) {
        const struct lz_instance *i = lz_instance_get(w, id);
        if (i->host != n->host || i->is_away || !is_movable(w, id))
            continue; // what is prepared is no pod
        lz_pods_leave(w, id);
        struct lz_node_waiting one = {.id = id};
        if (place(w, &one, true))
            continue;
        lz_instance_note(w, id, "pending", "is evicted, and no node has room for it");
        c->waiting = lz_grow(w->arena, c->waiting, &c->waiting_cap, c->waiting_count + 1,
                             sizeof(*c->waiting));
        c->waiting[c->waiting_count++] = one;
    }
}

// Who has been deleted meanwhile waits no more: nobody makes a successor for it.
static bool still_waits(const struct lz_world *w, lz_instance_id id)
{
    return node_of(w, id)->state != LZ_NODE_READY && !lz_instance_get(w, id)->is_away &&
           is_movable(w, id);
}

void lz_rehouse_waiting(struct lz_world *w, struct lz_node_cluster *c)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->waiting_count; i++) {
        struct lz_node_waiting one = c->waiting[i];
        if (still_waits(w, one.id) && !place(w, &one, false))
            c->waiting[kept++] = one;
    }
    c->waiting_count = kept;
}

void lz_rehouse_prepared(struct lz_world *w, const struct lz_node_cluster *c)
{
    const struct lz_nodes *ls = w->nodes;
    for (lz_instance_id id = 1; id <= lz_instance_count(w); id++) {
        const struct lz_instance *i = lz_instance_get(w, id);
        if (!i->is_away || !is_movable(w, id) || !lz_nodes_has(w, i->host))
            continue;
        const struct lz_node *n = node_of(w, id);
        bool is_fit = n->state == LZ_NODE_READY && ls->zones[n->zone].state != LZ_ZONE_LOST;
        if (&ls->clusters[n->cluster] != c || is_fit)
            continue;
        uint32_t zone = find_zone(w, id);
        if (zone != 0)
            go(w, id, zone, false);
    }
}

void lz_rehouse_returned(struct lz_world *w, struct lz_node *n)
{
    struct lz_node_zone *z = &w->nodes->zones[n->zone];
    if (z->room != LZ_NODES_DEFAULT)
        z->room += n->left;
    n->left = 0;
    if (n->evicted_at == 0)
        return;
    lz_time evicted_at = n->evicted_at;
    n->evicted_at = 0;
    for (lz_instance_id id = 1; id <= lz_instance_count(w); id++)
        if (lz_instance_get(w, id)->host == n->host && lz_life_begun_at(w, id) <= evicted_at)
            lz_life_replace(w, id, -1, n->host);
}
