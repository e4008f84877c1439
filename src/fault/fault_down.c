/*
 * fault_down.c — hosts without power: everything on them is gone, whoever it belongs to.
 */
#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/instance.h"
#include "model/node/nodes.h"

static const struct lz_param params[] = {{0}};

static bool is_hit(const struct lz_fault *f, uint32_t count, lz_instance_id id)
{
    for (uint32_t i = 0; i < count; i++)
        if (f->hits[i] == id)
            return true;
    return false;
}

// A host that was not declared has one instance; the others of a declared one are hit too.
void lz_fault_hit_hosts(struct lz_world *w, struct lz_fault *f)
{
    uint32_t found = f->hit_count;
    for (uint32_t i = 0; i < found; i++) {
        lz_host_id host = lz_instance_get(w, f->hits[i])->host;
        if (lz_place_host_name(w, host) == NULL)
            continue;
        for (lz_instance_id id = 1; id <= lz_instance_count(w); id++)
            if (lz_instance_get(w, id)->host == host && !is_hit(f, f->hit_count, id))
                lz_fault_hit(w, f, id);
    }
}

static bool is_first_of_its_host(const struct lz_world *w, const struct lz_fault *f, uint32_t at)
{
    lz_host_id host = lz_instance_get(w, f->hits[at])->host;
    if (lz_place_host_name(w, host) == NULL)
        return true;
    for (uint32_t i = 0; i < at; i++)
        if (lz_instance_get(w, f->hits[i])->host == host)
            return false;
    return true;
}

// Of a cluster's node it is the node that is lost: what stands there may be somewhere else when the
// fault ends. `undo` says which it was; of others of its host, nothing is to be undone.
#define NEIGHBOUR UINT32_MAX

bool lz_fault_lose(struct lz_world *w, struct lz_fault *f, uint32_t at)
{
    lz_host_id host = lz_instance_get(w, f->hits[at])->host;
    bool is_first = is_first_of_its_host(w, f, at);
    f->undo[at] = LZ_FAULT_LOST_ALONE;
    if (!lz_nodes_has(w, host))
        return lz_instance_lose(w, f->hits[at]) && is_first;
    f->undo[at] = is_first ? host : NEIGHBOUR;
    return is_first && lz_nodes_lose(w, host);
}

void lz_fault_return(struct lz_world *w, struct lz_fault *f, uint32_t at)
{
    if (f->undo[at] == LZ_FAULT_LOST_ALONE)
        lz_instance_return(w, f->hits[at]);
    else if (f->undo[at] != NEIGHBOUR)
        lz_nodes_return(w, f->undo[at]);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_hit_hosts(w, f);
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->effect += lz_fault_lose(w, f, i);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_fault_return(w, f, i);
}

const struct lz_fault_kind lz_fault_down = {
    .name = "down",
    .doc = "Power off hosts: silence, volatile state gone; they boot after `lasting`.",
    .effect_unit = "hosts lost",
    .elsewhere =
        "AWS FIS and Gremlin shut hosts down in order, which resets connections first; a "
        "power loss tells nobody, and callers wait for their timeouts. A component as the "
        "target means the hosts it runs on, with all that runs there. Where the region has "
        "node_lifecycle, it may have moved when they are back.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_ALL,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
