/*
 * plane.c — who hears of a node: the replicas of the control plane, if they are said.
 *
 * One that is up and reaches a majority of all there are, dead ones too, hears what reaches it, as
 * the members of etcd behind an API server do (etcd.io, "Failure modes": a quorum is of the
 * members); the others refuse it. None: the control plane is blind.
 */
#include "base/check.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/node/instance.h"
#include "model/node/nodes_state.h"
#include "model/service/platform.h"
#include "model/service/pods.h"

static bool is_in_majority(struct lz_world *w, const struct lz_component *c, lz_instance_id id)
{
    if (!lz_instance_is_up(lz_instance_get(w, id)))
        return false;
    uint32_t members = 0, reached = 0;
    for (uint32_t i = 0; i < c->instance_count; i++) {
        lz_instance_id other = c->instances_first + i;
        members += !lz_pods_is_empty(w, other);
        if (lz_instance_is_up(lz_instance_get(w, other)))
            reached += other == id || lz_net_can_ask(w, id, other);
    }
    return 2 * reached > members;
}

bool lz_plane_is_blind(struct lz_world *w, const struct lz_node_cluster *c)
{
    if (lz_platform_is_down(w, c->opts.region))
        return true;
    if (c->opts.control_plane == 0)
        return false;
    const struct lz_component *p = lz_world_component(w, c->opts.control_plane);
    for (uint32_t i = 0; i < p->instance_count; i++)
        if (is_in_majority(w, p, p->instances_first + i))
            return false;
    return true;
}

// Of an empty node the way is its place's: whoever stood there may be cut off elsewhere by now.
static bool reaches(struct lz_world *w, const struct lz_node *n, lz_instance_id server)
{
    if (lz_node_is_home(w, n))
        return lz_net_can_ask(w, n->resident, server);
    return !lz_link_is_cut_off(w, &(struct lz_link_place){n->host, n->resident}, server);
}

bool lz_plane_hears(struct lz_world *w, const struct lz_node *n)
{
    lz_component_id to = w->nodes->clusters[n->cluster].opts.control_plane;
    if (to == 0)
        return true;
    const struct lz_component *p = lz_world_component(w, to);
    lz_instance_id first = 0;
    for (uint32_t i = 0; i < p->instance_count; i++) {
        lz_instance_id server = p->instances_first + i;
        if (!is_in_majority(w, p, server))
            continue;
        if (reaches(w, n, server))
            return true;
        first = first != 0 ? first : server;
    }
    if (first != 0 && lz_node_is_home(w, n))
        lz_net_ask(w, n->resident, first); // a lease that is cut off is what a partition has done
    return false;
}
