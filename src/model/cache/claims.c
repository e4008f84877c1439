#include "base/check.h"
#include "model/cache/cluster_state.h"
#include "model/node/instance.h"

/*
 * Who has which slot, in the view of each node, and whether the cluster can serve.
 *
 * A primary claims its slots with its config epoch. Whoever hears a claim believes it if nobody
 * claims the slot with a higher one (clusterUpdateSlotsConfigWith). A primary that has lost its
 * last slot so follows whoever took it; one that lost some drops their keys.
 */

#define WRITABLE_DELAY (2 * LZ_S) // CLUSTER_WRITABLE_DELAY
#define REJOIN_MIN (500 * LZ_MS)  // CLUSTER_MIN_REJOIN_DELAY
#define REJOIN_MAX (5 * LZ_S)     // CLUSTER_MAX_REJOIN_DELAY

void lz_claims_assign(struct lz_cache *c, uint32_t node, uint32_t slot, uint32_t owner)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint32_t old = v->owner[slot];
    LZ_ASSERT(slot < LZ_SLOTS && owner <= c->nodes);
    if (old == owner)
        return;
    if (old != 0)
        v->of[old - 1].slots--;
    else
        v->unassigned--;
    if (owner != 0)
        v->of[owner - 1].slots++;
    else
        v->unassigned++;
    v->owner[slot] = (uint8_t)owner;
    if (old == node + 1 || owner == node + 1)
        v->claim++;
}

uint32_t lz_claims_primaries(const struct lz_cache *c, uint32_t node)
{
    const struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint32_t count = 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        count += v->of[n].leads && v->of[n].slots > 0;
    return count;
}

// It is the replica of another from now on.
void lz_claims_turn(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t primary)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    LZ_ASSERT(node != primary);
    if (!c->node[node].leads && c->node[node].follows == primary)
        return;
    v->of[node].leads = v->of[node].was_promoted = false;
    v->of[node].follows = primary;
    c->cluster->shard_of[node] = c->cluster->shard_of[primary];
    v->migrating = v->importing = 0;
    v->claim++;
    lz_manual_over(w, c, node); // who was held back is sent on, before it is a replica
    lz_cache_follow(w, c, node, primary, v->of[primary].config_epoch);
}

// Keys of a slot that is another's now.
static void drop_keys(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t slot)
{
    struct lz_keyspace *keys = c->node[node].keys;
    for (const struct lz_entry *e = lz_keyspace_slot_first(keys, slot); e != NULL;
         e = lz_keyspace_slot_first(keys, slot))
        lz_keyspace_remove(keys, e->key, lz_sim_now(w->sim));
}

// A saying about somebody who is there no more in its role: whoever sent it is told who is.
static void correct(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to,
                    uint32_t about)
{
    lz_cluster_send(
        w, c,
        &(struct lz_cache_tell){
            .from = node, .to = to, .kind = w->caches->cluster.update, .payload = about});
}

void lz_claims_take(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t from)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node), *s = lz_cluster_node(c, from);
    uint64_t epoch = v->of[from].config_epoch;
    uint32_t mine = c->node[node].leads ? node : c->node[node].follows;
    bool has_lost = false, is_old = false, is_held = false;
    for (uint32_t slot = 0; slot < LZ_SLOTS; slot++) {
        uint32_t has = v->owner[slot];
        if (s->owner[slot] != from + 1 || has == from + 1)
            continue;
        if (v->importing == slot + 1) { // never but by SETSLOT; it is said again with each ping
            is_held = true;
            continue;
        }
        if (has != 0 && v->of[has - 1].config_epoch >= epoch) {
            if (!is_old && v->of[has - 1].config_epoch > epoch)
                correct(w, c, node, from, has - 1);
            is_old = true;
            continue;
        }
        has_lost = has_lost || has == mine + 1;
        lz_claims_assign(c, node, slot, from + 1);
        if (has == node + 1 && v->of[node].slots > 0)
            drop_keys(w, c, node, slot);
        if (v->migrating == slot + 1)
            v->migrating = 0;
    }
    if (!is_old && !is_held)
        v->of[from].claim = s->claim;
    if (has_lost && v->of[mine].slots == 0 && from != node)
        lz_claims_turn(w, c, node, from);
}

// clusterBumpConfigEpochWithoutConsensus: nobody else has a higher one.
void lz_claims_bump(struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint64_t most = v->epoch;
    for (uint32_t n = 0; n < c->nodes; n++)
        most = v->of[n].config_epoch > most ? v->of[n].config_epoch : most;
    if (v->of[node].config_epoch == most)
        return;
    v->epoch = most + 1;
    v->of[node].config_epoch = v->epoch;
    v->claim++;
}

static bool covers_all(const struct lz_cache *c, const struct lz_cluster_node *v)
{
    bool is_whole = v->unassigned == 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        is_whole = is_whole && !(v->of[n].slots > 0 && v->of[n].is_fail);
    return is_whole;
}

// clusterUpdateState
void lz_claims_judge(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    lz_time now = lz_sim_now(w->sim), timeout = c->opts.cluster.node_timeout;
    bool leads = c->node[node].leads;
    if (leads && !v->is_ok && now - v->begun < WRITABLE_DELAY)
        return;
    bool is_ok = c->opts.cluster.is_partial || covers_all(c, v);
    uint32_t size = 0, reached = 0;
    for (uint32_t n = 0; n < c->nodes; n++) {
        bool votes = v->of[n].leads && v->of[n].slots > 0;
        size += votes;
        reached += votes && !v->of[n].is_fail && !v->of[n].is_pfail;
    }
    if (reached < size / 2 + 1) {
        is_ok = false;
        v->minority_at = now;
    }
    if (is_ok == v->is_ok)
        return;
    lz_time delay = timeout < REJOIN_MIN ? REJOIN_MIN : timeout > REJOIN_MAX ? REJOIN_MAX : timeout;
    if (is_ok && leads && now - v->minority_at < delay)
        return;
    v->is_ok = is_ok;
    lz_instance_note(w, c->first + node, "cluster",
                     is_ok ? "sees the cluster serve again" : "sees the cluster down");
    lz_claims_measure(w, c);
}

// What is so, whoever knows it: a slot is served by who has it in its own view and can answer.
void lz_claims_measure(struct lz_world *w, struct lz_cache *c)
{
    uint32_t served = 0;
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cluster_node *v = lz_cluster_node(c, n);
        bool can = c->node[n].leads && !c->node[n].is_replaced && v->is_ok &&
                   lz_instance_is_up(lz_instance_get(w, c->first + n));
        served += can ? v->of[n].slots : 0;
    }
    served = served < LZ_SLOTS ? served : LZ_SLOTS; // two may think so for a while
    lz_metrics_set(w->metrics, c->series.covered, lz_sim_now(w->sim), (double)served / LZ_SLOTS);
}
