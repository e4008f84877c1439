#include "base/check.h"
#include "model/cache/cluster_state.h"
#include "model/node/instance.h"

/*
 * Slots go from one shard to another while both serve, one after another, as redis-cli --cluster
 * reshard moves them:
 *
 *   to     SETSLOT slot IMPORTING from        ─┐
 *   from   SETSLOT slot MIGRATING to           │ the slot is open: what `from` does not have (any
 *   from   GETKEYSINSLOT slot batch ─┐         │ more) it sends to `to` by ASK, and only who comes
 *          MIGRATE these to `to`     ├─ until  │ from there is served
 *                                   ─┘  empty  │
 *   to     SETSLOT slot NODE to               ─┘ with a new epoch, if another has a higher one
 *   from   SETSLOT slot NODE to
 *
 * MIGRATE is atomic: a key is at the one or at the other, moved when the batch has arrived, and the
 * source's replicas are told to delete it. Each step waits for its answer; none within `timeout`
 * and it stops, with the slot open as it is. A reshard of the same two shards goes on with it,
 * whoever leads them by now; any other is refused, as redis-cli does, until it is closed (fix.c).
 * Other nodes and clients learn by gossip and by MOVED.
 */

enum step { OPEN, OPENED, KEYS, MOVED, CLOSE, CLOSED };

static void begin_slot(struct lz_world *w, struct lz_cache *c);

void lz_reshard_stop(struct lz_world *w, struct lz_cache *c, const char *why)
{
    struct lz_reshard *r = &c->cluster->reshard;
    r->is_busy = false;
    r->step++;
    lz_sim_cancel(w->sim, r->timeout);
    r->timeout = 0;
    lz_instance_note(w, c->first + r->from, "reshard", "%s", why);
}

static void send(struct lz_world *w, struct lz_cache *c, enum step step, uint64_t bytes)
{
    struct lz_reshard *r = &c->cluster->reshard;
    bool goes = step == OPEN || step == KEYS || step == CLOSE;
    r->step++;
    lz_sim_cancel(w->sim, r->timeout);
    r->timeout = lz_sim_at(w->sim, lz_sim_now(w->sim) + r->patience, w->caches->cluster.stuck,
                           c->first + r->from, r->step);
    lz_cluster_send(w, c,
                    &(struct lz_cache_tell){.from = goes ? r->from : r->to,
                                            .to = goes ? r->to : r->from,
                                            .kind = w->caches->cluster.move,
                                            .payload = r->step << 3 | (uint64_t)step,
                                            .bytes = bytes,
                                            .is_apart = true});
}

static void on_stuck(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_cache *c = lz_cache_of(w, entity);
    if (c->cluster->reshard.step != payload)
        return;
    c->cluster->reshard.timeout = 0;
    lz_reshard_stop(w, c, "resharding got no answer and stops: a slot is left open");
}

void lz_reshard_carry(struct lz_world *w, struct lz_cache *c)
{
    const struct lz_reshard *r = &c->cluster->reshard;
    const struct lz_keyspace *keys = c->node[r->from].keys;
    uint64_t bytes = 0;
    const struct lz_entry *e = lz_keyspace_slot_first(keys, r->slot);
    for (uint32_t i = 0; i < r->batch && e != NULL; i++, e = lz_keyspace_slot_next(keys, e))
        bytes += e->size;
    bool is_empty = lz_keyspace_slot_count(keys, r->slot) == 0;
    if (is_empty && r->is_back)
        lz_fix_emptied(w, c);
    else if (is_empty)
        send(w, c, CLOSE, 0);
    else
        send(w, c, KEYS, bytes + 1);
}

// False: there is no room at the target.
static bool move_keys(struct lz_world *w, struct lz_cache *c)
{
    const struct lz_reshard *r = &c->cluster->reshard;
    lz_time now = lz_sim_now(w->sim);
    struct lz_keyspace *from = c->node[r->from].keys, *to = c->node[r->to].keys;
    for (uint32_t i = 0; i < r->batch; i++) {
        const struct lz_entry *e = lz_keyspace_slot_first(from, r->slot);
        if (e == NULL)
            break;
        struct lz_record record = {.put = {.key = e->key,
                                           .value = e->value,
                                           .version = e->version,
                                           .expires = e->expires,
                                           .cost = e->cost,
                                           .size = e->size},
                                   .acked = true};
        bool is_over = e->expires != 0 && now >= e->expires;
        if (!is_over &&
            (!lz_cache_has_room(w, c, r->to, 1) || lz_keyspace_put(to, &record.put, now) == NULL))
            return false;
        if (!is_over) {
            lz_cache_wrote(w, c, r->to, &record);
            lz_metrics_add(w->metrics, c->series.keys_moved, 1);
        }
        lz_keyspace_remove(from, record.put.key, now);
    }
    lz_operate_arm(w, c, r->to);
    lz_cache_account(w, c, r->from);
    lz_cache_account(w, c, r->to);
    return true;
}

static void close_slot(struct lz_world *w, struct lz_cache *c)
{
    struct lz_reshard *r = &c->cluster->reshard;
    lz_cluster_node(c, r->to)->importing = 0;
    lz_claims_assign(c, r->to, r->slot, r->to + 1);
    lz_claims_bump(c, r->to);
    lz_gossip_tell_all(w, c, r->to);
    lz_metrics_add(w->metrics, c->series.slots_moved, 1);
}

static void next_slot(struct lz_world *w, struct lz_cache *c)
{
    struct lz_reshard *r = &c->cluster->reshard;
    struct lz_cluster_node *v = lz_cluster_node(c, r->from);
    v->of[r->to].config_epoch = lz_cluster_node(c, r->to)->of[r->to].config_epoch;
    lz_claims_assign(c, r->from, r->slot, r->to + 1);
    v->migrating = 0;
    r->is_open = false;
    r->left--;
    if (v->of[r->from].slots == 0)
        lz_claims_turn(w, c, r->from, r->to);
    if (r->is_fix)
        lz_fix_next(w, c);
    else if (r->left == 0 || v->of[r->from].slots == 0)
        lz_reshard_stop(w, c, "resharding is done");
    else
        begin_slot(w, c);
}

void lz_reshard_open(struct lz_world *w, struct lz_cache *c, uint32_t slot)
{
    struct lz_reshard *r = &c->cluster->reshard;
    LZ_ASSERT(slot < LZ_SLOTS && r->is_busy);
    r->slot = slot;
    r->is_open = true;
    send(w, c, OPEN, 0);
}

static void begin_slot(struct lz_world *w, struct lz_cache *c)
{
    struct lz_reshard *r = &c->cluster->reshard;
    const struct lz_cluster_node *v = lz_cluster_node(c, r->from);
    while (!r->is_open && v->owner[r->cursor] != r->from + 1)
        r->cursor = (r->cursor + 1) % LZ_SLOTS;
    lz_reshard_open(w, c, r->is_open ? r->slot : r->cursor);
}

static void at_target(struct lz_world *w, struct lz_cache *c, enum step step)
{
    struct lz_reshard *r = &c->cluster->reshard;
    if (step == OPEN) {
        lz_cluster_node(c, r->to)->importing = r->slot + 1;
        send(w, c, OPENED, 0);
    } else if (step == KEYS && !move_keys(w, c)) {
        lz_reshard_stop(w, c, "resharding found no room and stops: a slot is left open");
    } else if (step == KEYS) {
        send(w, c, MOVED, 0);
    } else {
        close_slot(w, c);
        send(w, c, CLOSED, 0);
    }
}

static void at_source(struct lz_world *w, struct lz_cache *c, enum step step)
{
    const struct lz_reshard *r = &c->cluster->reshard;
    struct lz_cluster_node *v = lz_cluster_node(c, r->from);
    if (step == CLOSED) {
        next_slot(w, c);
        return;
    }
    if (!r->is_back) {
        v->migrating = r->slot + 1;
        v->migrating_to = r->to;
    }
    lz_reshard_carry(w, c);
}

static void on_move(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cluster.move, payload) ||
        !lz_cache_lives(w, entity))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    const struct lz_reshard *r = &c->cluster->reshard;
    enum step step = payload >> 8 & 7;
    if (!r->is_busy || payload >> 11 != r->step)
        return;
    if (!c->node[r->from].leads || !c->node[r->to].leads)
        lz_reshard_stop(w, c, "resharding lost a primary and stops: a slot may be left open");
    else if (step == OPEN || step == KEYS || step == CLOSE)
        at_target(w, c, step);
    else
        at_source(w, c, step);
}

static uint32_t primary_of(const struct lz_world *w, const struct lz_cache *c, uint32_t shard)
{
    for (uint32_t n = 0; n < c->nodes; n++)
        if (lz_cluster_shard(c, n) == shard && lz_cache_leads(w, c->first + n))
            return n;
    return c->nodes;
}

static bool check(const struct lz_cache *c, const struct lz_reshard_opts *o, struct lz_err *err)
{
    if (c->cluster == NULL)
        return lz_fail(err, LZ_EINVAL, "cache %s has no slots: give it mode = \"cluster\"",
                       c->opts.name);
    if (o->from < 1 || o->from > c->cluster->shards || o->to < 1 || o->to > c->cluster->shards)
        return lz_fail(err, LZ_ERANGE, "from and to are shards, 1 to %u, got %u and %u",
                       c->cluster->shards, o->from, o->to);
    if (o->from == o->to)
        return lz_fail(err, LZ_EINVAL, "from and to are both shard %u: nothing would move",
                       o->from);
    if (c->cluster->reshard.is_busy)
        return lz_fail(err, LZ_EINVAL, "cache %s is being resharded: %u slots are left",
                       c->opts.name, c->cluster->reshard.left);
    return true;
}

// The slot is on its way from the one to the other, and from nobody else: there is one to go on
// with.
static bool is_between(const struct lz_world *w, const struct lz_cache *c, uint32_t slot,
                       uint32_t from, uint32_t to)
{
    const struct lz_cluster_node *source = lz_cluster_node(c, from);
    bool is_so = source->owner[slot] == from + 1;
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cluster_node *v = lz_cluster_node(c, n);
        if (!lz_fix_hears(w, c, n))
            continue;
        is_so = is_so && (v->migrating == 0 ||
                          (n == from && v->migrating == slot + 1 &&
                           lz_cluster_shard(c, v->migrating_to) == lz_cluster_shard(c, to)));
        is_so = is_so && (v->importing == 0 || (n == to && v->importing == slot + 1));
    }
    return is_so;
}

bool lz_cache_reshard(struct lz_world *w, lz_component_id id, const struct lz_reshard_opts *o,
                      struct lz_err *err)
{
    struct lz_cache *c = lz_cache_at(w, id);
    if (!check(c, o, err))
        return false;
    uint32_t from = primary_of(w, c, o->from - 1), to = primary_of(w, c, o->to - 1);
    if (from == c->nodes || to == c->nodes)
        return lz_fail(err, LZ_EINVAL, "shard %u of cache %s has no primary",
                       from == c->nodes ? o->from : o->to, c->opts.name);
    uint32_t has = lz_cluster_node(c, from)->of[from].slots;
    if (o->slots < 1 || o->slots > has)
        return lz_fail(err, LZ_ERANGE, "shard %u has %u slots: slots must be 1 to %u, got %u",
                       o->from, has, has, o->slots);
    struct lz_reshard *r = &c->cluster->reshard;
    uint32_t open = lz_fix_open_slot(w, c);
    bool goes_on = open < LZ_SLOTS && is_between(w, c, open, from, to);
    if (open < LZ_SLOTS && !goes_on)
        return lz_fail(err, LZ_EINVAL,
                       "slot %u is still open: go on with the reshard that opened it, or close it "
                       "by %s:fix()",
                       open, c->opts.name);
    *r = (struct lz_reshard){.from = from,
                             .to = to,
                             .left = o->slots,
                             .slot = goes_on ? open : 0,
                             .step = r->step,
                             .batch = o->batch > 0 ? o->batch : 10,
                             .patience = o->timeout > 0 ? o->timeout : 60 * LZ_S,
                             .is_open = goes_on,
                             .is_busy = true};
    lz_instance_note(w, c->first + from, "reshard", "%u slots go to %s[%u]", o->slots, c->opts.name,
                     to + 1);
    begin_slot(w, c);
    return true;
}

void lz_reshard_init(struct lz_world *w)
{
    w->caches->cluster.move = lz_sim_kind(w->sim, "cluster.move", on_move, w);
    w->caches->cluster.stuck = lz_sim_kind(w->sim, "cluster.stuck", on_stuck, w);
}
