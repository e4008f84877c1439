#include "base/check.h"
#include "model/cache/cluster_state.h"
#include "model/node/instance.h"

/*
 * What redis-cli --cluster fix does about slots that are open, or that nobody has. Redis up to 7
 * keeps to itself which slots a node imports or migrates: a replica that takes over from it knows
 * nothing of it (redis/redis issue 6339; Valkey 8 tells its replicas), and the other node stays as
 * it is until somebody comes. So an operator does, and of one slot after another it asks all
 * primaries: whether they have it, import or migrate it, and how many of its keys they hold.
 *
 *   who has it   imports it, or holds keys    what is done (clusterManagerFixOpenSlot)
 *   nobody       any                          who holds the most keys has it (FixSlotsCoverage)
 *   migrates     one                          the move is ended as it was begun (its case 1)
 *   somebody     some                         their keys go to it, and they are STABLE (case 2)
 *   migrates     nobody                       it is STABLE (case 3)
 *
 * Where a key is at both the moved one is kept, as with MIGRATE REPLACE: what was written since at
 * the other is gone. Keys that are held by who does not have their slot are found only if the slot
 * is open or nobody's; so it is there.
 *
 * All primaries that have slots must answer: without --cluster-fix-with-unreachable-masters it goes
 * no further either. Of a slot without an owner and without keys redis-cli draws who gets it; here
 * it is the one with the fewest slots. One move at a time is under way, as with a reshard.
 */

#define BATCH 10 // CLUSTER_MANAGER_MIGRATE_PIPELINE
#define PATIENCE (60 * LZ_S)

// A primary that an operator finds, and that answers.
bool lz_fix_hears(const struct lz_world *w, const struct lz_cache *c, uint32_t node)
{
    return lz_cache_leads(w, c->first + node) &&
           lz_instance_is_up(lz_instance_get(w, c->first + node));
}

uint32_t lz_fix_open_slot(const struct lz_world *w, const struct lz_cache *c)
{
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cluster_node *v = lz_cluster_node(c, n);
        if (lz_fix_hears(w, c, n) && (v->migrating != 0 || v->importing != 0))
            return (v->migrating != 0 ? v->migrating : v->importing) - 1;
    }
    return LZ_SLOTS;
}

static bool is_open_at(const struct lz_cluster_node *v, uint32_t slot)
{
    return v->migrating == slot + 1 || v->importing == slot + 1;
}

// In its own view; of two the one with the newer claim. c->nodes: nobody.
static uint32_t owner_of(const struct lz_world *w, const struct lz_cache *c, uint32_t slot)
{
    uint32_t owner = c->nodes;
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cluster_node *v = lz_cluster_node(c, n);
        if (!lz_fix_hears(w, c, n) || v->owner[slot] != n + 1)
            continue;
        if (owner == c->nodes ||
            v->of[n].config_epoch > lz_cluster_node(c, owner)->of[owner].config_epoch)
            owner = n;
    }
    return owner;
}

static bool is_wrong(const struct lz_world *w, const struct lz_cache *c, uint32_t slot)
{
    for (uint32_t n = 0; n < c->nodes; n++)
        if (lz_fix_hears(w, c, n) && is_open_at(lz_cluster_node(c, n), slot))
            return true;
    return owner_of(w, c, slot) == c->nodes;
}

// Who is to have a slot that nobody has.
static uint32_t adopt(struct lz_world *w, struct lz_cache *c, uint32_t slot)
{
    uint32_t best = c->nodes;
    for (uint32_t n = 0; n < c->nodes; n++) {
        if (!lz_fix_hears(w, c, n))
            continue;
        uint32_t keys = lz_keyspace_slot_count(c->node[n].keys, slot);
        uint32_t most = best < c->nodes ? lz_keyspace_slot_count(c->node[best].keys, slot) : 0;
        bool is_lighter = best == c->nodes || lz_cluster_node(c, n)->of[n].slots <
                                                  lz_cluster_node(c, best)->of[best].slots;
        if (keys > most || (keys == most && is_lighter))
            best = n;
    }
    LZ_ASSERT(best < c->nodes);
    struct lz_cluster_node *v = lz_cluster_node(c, best);
    if (v->importing == slot + 1)
        v->importing = 0;
    lz_claims_assign(c, best, slot, best + 1);
    lz_claims_bump(c, best);
    lz_instance_note(w, c->first + best, "fix", "has slot %u from now on, which nobody had", slot);
    lz_gossip_tell_all(w, c, best);
    lz_claims_judge(w, c, best);
    return best;
}

// Who imports it, or holds keys of it that are another's; c->nodes: nobody does, after `from`.
static uint32_t stranger(const struct lz_world *w, const struct lz_cache *c, uint32_t slot,
                         uint32_t owner, uint32_t from)
{
    for (uint32_t n = from; n < c->nodes; n++)
        if (n != owner && lz_fix_hears(w, c, n) &&
            (is_open_at(lz_cluster_node(c, n), slot) ||
             lz_keyspace_slot_count(c->node[n].keys, slot) > 0))
            return n;
    return c->nodes;
}

// SETSLOT STABLE
static void settle(struct lz_cluster_node *v, uint32_t slot)
{
    if (v->importing == slot + 1)
        v->importing = 0;
    if (v->migrating == slot + 1)
        v->migrating = 0;
}

// True: it is under way. False: nothing is wrong with it any more.
static bool mend(struct lz_world *w, struct lz_cache *c, uint32_t slot)
{
    struct lz_reshard *r = &c->cluster->reshard;
    uint32_t owner = owner_of(w, c, slot);
    if (owner == c->nodes)
        owner = adopt(w, c, slot);
    uint32_t other = stranger(w, c, slot, owner, 0);
    struct lz_cluster_node *v = lz_cluster_node(c, owner);
    r->slot = slot;
    r->is_open = r->is_back = false;
    if (other == c->nodes) {
        settle(v, slot);
        return false;
    }
    bool ends = v->migrating == slot + 1 && stranger(w, c, slot, owner, other + 1) == c->nodes;
    r->is_back = !ends;
    r->from = ends ? owner : other;
    r->to = ends ? other : owner;
    if (ends) {
        lz_reshard_open(w, c, slot);
        return true;
    }
    settle(v, slot); // several: it has it, and keeps it
    r->is_open = true;
    lz_reshard_carry(w, c);
    return true;
}

void lz_fix_next(struct lz_world *w, struct lz_cache *c)
{
    struct lz_reshard *r = &c->cluster->reshard;
    LZ_ASSERT(r->is_busy && r->is_fix);
    for (; r->cursor < LZ_SLOTS; r->cursor++)
        if (is_wrong(w, c, r->cursor) && mend(w, c, r->cursor))
            return;
    lz_claims_measure(w, c);
    lz_reshard_stop(w, c, "fix is done: no slot is open, and each has a primary");
}

// The last key of a stranger has gone to who has the slot.
void lz_fix_emptied(struct lz_world *w, struct lz_cache *c)
{
    struct lz_reshard *r = &c->cluster->reshard;
    LZ_ASSERT(r->is_fix && r->is_back);
    settle(lz_cluster_node(c, r->from), r->slot);
    r->is_open = r->is_back = false;
    // Others that hold keys of it are looked for before the next slot is.
    if (stranger(w, c, r->slot, r->to, 0) == c->nodes || !mend(w, c, r->slot))
        lz_fix_next(w, c);
}

static bool check(const struct lz_world *w, const struct lz_cache *c, struct lz_err *err)
{
    if (c->cluster == NULL)
        return lz_fail(err, LZ_EINVAL, "cache %s has no slots: give it mode = \"cluster\"",
                       c->opts.name);
    if (c->cluster->reshard.is_busy)
        return lz_fail(err, LZ_EINVAL, "cache %s is being %s: try again when that has ended",
                       c->opts.name, c->cluster->reshard.is_fix ? "fixed" : "resharded");
    for (uint32_t n = 0; n < c->nodes; n++)
        if (lz_cache_leads(w, c->first + n) && lz_cluster_node(c, n)->of[n].slots > 0 &&
            !lz_fix_hears(w, c, n))
            return lz_fail(err, LZ_EINVAL,
                           "%s[%u] leads shard %u and does not answer: fix needs all primaries, so "
                           "start it or have a replica take over",
                           c->opts.name, n + 1, lz_cluster_shard(c, n) + 1);
    return true;
}

bool lz_cache_fix(struct lz_world *w, lz_component_id id, struct lz_err *err)
{
    struct lz_cache *c = lz_cache_at(w, id);
    if (!check(w, c, err))
        return false;
    struct lz_reshard *r = &c->cluster->reshard;
    *r = (struct lz_reshard){
        .step = r->step, .batch = BATCH, .patience = PATIENCE, .is_busy = true, .is_fix = true};
    lz_fix_next(w, c);
    return true;
}
