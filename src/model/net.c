#include "model/net.h"

#include "base/check.h"
#include "base/grow.h"
#include "base/pool.h"
#include "model/instance.h"

// Draw counters of one message: its owner and purpose are its own, these keep its
// draws apart. Effects draw under the fault's own path, so that deleting one shifts
// nobody else.
enum { COUNTER_LATENCY, COUNTER_LOSS, COUNTERS_PER_TRY };
#define TRIES_MAX 1000 // two minutes apart: a day and a half, then nobody waits any more

struct declared {
    struct lz_link_opts opts;
    struct lz_target from, to;
};

struct effect {
    struct lz_net_effect e;
    bool active;
};

// A directed pair of instances that has been used. Recomputed when `epoch` is old.
struct link {
    uint64_t key; // from << 32 | to; 0: free place in the table
    uint32_t epoch;
    bool cut;
    double loss; // the declared link's
    const struct lz_dist *base;
    lz_time always_ns; // what a message takes if that is certain; -1: it must be drawn
    uint32_t *effects; // indices of the active effects that match
    uint32_t effect_count, effect_cap;
    uint64_t *cut_touched; // whom to tell of a message that was cut; NULL: a lost host
};

// A message that was lost or cut and is tried again.
struct resend {
    struct lz_pool_head head;
    uint32_t tries;
    struct lz_message m;
    lz_net_wanted_fn *still_wanted;
};

struct lz_net {
    struct declared *declared;
    uint32_t declared_count, declared_cap;
    struct effect *effects; // slots are reused
    uint32_t effect_count, effect_cap;
    uint32_t active_effects;
    uint32_t epoch;
    struct link *links; // open addressing, power of two
    uint32_t link_count, link_cap;
    struct lz_pool resends;
    lz_kind on_resend;
};

static void try_send(struct lz_world *w, const struct lz_message *m, lz_net_wanted_fn *still_wanted,
                     uint32_t tries);

static void on_resend(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct resend *r = lz_pool_find(&w->net->resends, payload);
    LZ_ASSERT(r != NULL);
    struct resend copy = *r;
    lz_pool_give(&w->net->resends, r);
    if (copy.still_wanted != NULL && !copy.still_wanted(w, copy.m.payload))
        return;
    try_send(w, &copy.m, copy.still_wanted, copy.tries);
}

void lz_net_init(struct lz_world *w)
{
    struct lz_net *n = lz_arena_alloc(w->arena, sizeof(*n));
    lz_pool_init(&n->resends, w->arena, sizeof(struct resend));
    n->epoch = 1;
    n->link_cap = 64;
    n->links = lz_arena_alloc(w->arena, n->link_cap * sizeof(*n->links));
    w->net = n;
    n->on_resend = lz_sim_kind(w->sim, "net.resend", on_resend, w);
}

bool lz_net_link(struct lz_world *w, const struct lz_link_opts *opts, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_net *n = w->net;
    if (!(opts->loss >= 0.0 && opts->loss <= 1.0))
        return lz_fail(err, LZ_ERANGE, "loss must be between 0 and 1, got %g", opts->loss);
    if (n->declared_count == 10000)
        return lz_fail(err, LZ_EFULL, "at most 10000 links may be declared");
    n->declared = lz_grow(w->arena, n->declared, &n->declared_cap, n->declared_count + 1,
                          sizeof(*n->declared));
    n->declared[n->declared_count++] =
        (struct declared){.opts = *opts, .from = opts->from, .to = opts->to};
    n->epoch++;
    return true;
}

lz_net_effect_id lz_net_effect_add(struct lz_world *w, const struct lz_net_effect *effect)
{
    struct lz_net *n = w->net;
    LZ_ASSERT(effect->loss >= 0.0 && effect->loss <= 1.0);
    uint32_t slot = 0;
    while (slot < n->effect_count && n->effects[slot].active)
        slot++;
    if (slot == n->effect_count) {
        n->effects = lz_grow(w->arena, n->effects, &n->effect_cap, slot + 1, sizeof(*n->effects));
        n->effect_count++;
    }
    n->effects[slot] = (struct effect){.e = *effect, .active = true};
    n->active_effects++;
    n->epoch++;
    return slot + 1;
}

void lz_net_effect_remove(struct lz_world *w, lz_net_effect_id id)
{
    struct lz_net *n = w->net;
    LZ_ASSERT(id >= 1 && id <= n->effect_count);
    LZ_ASSERT(n->effects[id - 1].active);
    n->effects[id - 1].active = false;
    n->active_effects--;
    n->epoch++;
}

void lz_net_moved(struct lz_world *w)
{
    w->net->epoch++;
}

static bool end_matches(const struct lz_world *w, const struct lz_target *t, lz_instance_id i)
{
    return t == NULL || lz_target_has(w, t, i);
}

static bool matches(const struct lz_world *w, const struct lz_target *from,
                    const struct lz_target *to, bool both_ways, uint64_t key)
{
    lz_instance_id a = (lz_instance_id)(key >> 32), b = (lz_instance_id)key;
    if (end_matches(w, from, a) && end_matches(w, to, b))
        return true;
    return both_ways && end_matches(w, from, b) && end_matches(w, to, a);
}

// From the base and what is active now: never from what it was before.
static void recompute(struct lz_world *w, struct link *l)
{
    struct lz_net *n = w->net;
    lz_instance_id from = (lz_instance_id)(l->key >> 32), to = (lz_instance_id)l->key;
    l->epoch = n->epoch;
    l->base = lz_place_latency(w, lz_instance_get(w, from)->host, lz_instance_get(w, to)->host);
    l->loss = 0.0;
    for (uint32_t i = 0; i < n->declared_count; i++) {
        const struct declared *d = &n->declared[i];
        if (!matches(w, &d->from, &d->to, !d->opts.one_way, l->key))
            continue;
        if (d->opts.latency.kind != LZ_DIST_NONE)
            l->base = &d->opts.latency;
        l->loss = d->opts.loss;
    }
    l->cut = false;
    l->effect_count = 0;
    for (uint32_t i = 0; i < n->effect_count && n->active_effects > 0; i++) {
        const struct effect *e = &n->effects[i];
        if (!e->active || !matches(w, e->e.from, e->e.to, e->e.both_ways, l->key))
            continue;
        if (e->e.cut && !l->cut) {
            l->cut = true;
            l->cut_touched = e->e.touched;
        }
        l->effects =
            lz_grow(w->arena, l->effects, &l->effect_cap, l->effect_count + 1, sizeof(*l->effects));
        l->effects[l->effect_count++] = i;
    }
    bool is_certain = l->base->kind == LZ_DIST_CONSTANT && l->effect_count == 0 && !(l->loss > 0.0);
    l->always_ns = is_certain ? lz_dist_time(l->base, NULL) : -1; // a constant draws nothing
}

static struct link *place_of(struct link *links, uint32_t cap, uint64_t key)
{
    uint32_t i = (uint32_t)(lz_hash_mix(key, 1) & (cap - 1));
    while (links[i].key != 0 && links[i].key != key)
        i = (i + 1) & (cap - 1);
    return &links[i];
}

static void widen(struct lz_world *w)
{
    struct lz_net *n = w->net;
    struct link *old = n->links;
    uint32_t old_cap = n->link_cap;
    n->link_cap *= 2;
    n->links = lz_arena_alloc(w->arena, n->link_cap * sizeof(*n->links));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].key != 0)
            *place_of(n->links, n->link_cap, old[i].key) = old[i];
    lz_arena_free(w->arena, old, old_cap * sizeof(*old));
}

static struct link *link_of(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    struct lz_net *n = w->net;
    uint64_t key = (uint64_t)from << 32 | to;
    struct link *l = place_of(n->links, n->link_cap, key);
    if (l->key == 0) {
        if (2 * (n->link_count + 1) > n->link_cap) {
            widen(w);
            l = place_of(n->links, n->link_cap, key);
        }
        n->link_count++;
        l->key = key;
    }
    if (l->epoch != n->epoch)
        recompute(w, l);
    return l;
}

static bool is_lost(const struct lz_world *w, lz_instance_id id)
{
    return lz_instance_get(w, id)->state == LZ_INSTANCE_LOST;
}

// Retransmission timeout before try `tries` (from 1): 200 ms, doubling, at most 120 s.
static lz_time backoff(uint32_t tries)
{
    lz_time rto = LZ_NET_RTO_NS;
    for (uint32_t i = 1; i < tries && rto < LZ_NET_RTO_MAX_NS; i++)
        rto *= 2;
    return rto < LZ_NET_RTO_MAX_NS ? rto : LZ_NET_RTO_MAX_NS;
}

static void send_later(struct lz_world *w, const struct lz_message *m,
                       lz_net_wanted_fn *still_wanted, uint32_t tries)
{
    if (tries >= TRIES_MAX)
        return;
    struct resend *r = lz_pool_take(&w->net->resends);
    r->m = *m;
    r->still_wanted = still_wanted;
    r->tries = tries + 1;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + backoff(tries + 1), w->net->on_resend, m->to,
              lz_pool_id(r));
}

static double effect_unit(struct lz_world *w, const struct lz_net_effect *e,
                          const struct lz_message *m, uint32_t counter)
{
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_hash_mix(m->owner, e->path), m->purpose, counter);
    return lz_draw_unit(&draw);
}

// Does this try get lost? Each cause draws for itself; all are asked, so that counts are exact.
static bool gets_lost(struct lz_world *w, const struct link *l, const struct lz_message *m,
                      uint32_t tries)
{
    uint32_t counter = tries * COUNTERS_PER_TRY + COUNTER_LOSS;
    bool lost = false;
    if (l->loss > 0.0) {
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), m->owner, m->purpose, counter);
        lost = lz_draw_unit(&draw) < l->loss;
    }
    for (uint32_t i = 0; i < l->effect_count; i++) {
        const struct lz_net_effect *e = &w->net->effects[l->effects[i]].e;
        if (e->loss > 0.0 && effect_unit(w, e, m, counter) < e->loss) {
            lost = true;
            (*e->touched)++;
        }
    }
    return lost;
}

static lz_time delay_of(struct lz_world *w, const struct link *l, const struct lz_message *m,
                        uint32_t tries)
{
    if (l->always_ns >= 0)
        return l->always_ns;
    uint32_t counter = tries * COUNTERS_PER_TRY + COUNTER_LATENCY;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), m->owner, m->purpose, counter);
    lz_time delay = lz_dist_time(l->base, &draw);
    for (uint32_t i = 0; i < l->effect_count; i++) {
        const struct lz_net_effect *e = &w->net->effects[l->effects[i]].e;
        if (e->add.kind == LZ_DIST_NONE)
            continue;
        struct lz_draw own =
            lz_draw_begin(lz_sim_key(w->sim), lz_hash_mix(m->owner, e->path), m->purpose, counter);
        delay += lz_dist_time(&e->add, &own);
        (*e->touched)++;
    }
    return delay;
}

static void try_send(struct lz_world *w, const struct lz_message *m, lz_net_wanted_fn *still_wanted,
                     uint32_t tries)
{
    struct link *l = link_of(w, m->from, m->to);
    if (l->cut || is_lost(w, m->to)) {
        if (l->cut)
            (*l->cut_touched)++;
        send_later(w, m, still_wanted, tries);
        return;
    }
    if (is_lost(w, m->from))
        return; // nobody is left to send it again
    if (l->always_ns < 0 && gets_lost(w, l, m, tries)) {
        send_later(w, m, still_wanted, tries);
        return;
    }
    lz_time delay = delay_of(w, l, m, tries);
    if (delay > 0)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + delay, m->kind, m->to, m->payload);
    else // no distance: the same order by a shorter way
        lz_sim_soon(w->sim, m->kind, m->to, m->payload);
}

void lz_net_send(struct lz_world *w, const struct lz_message *m, lz_net_wanted_fn *still_wanted)
{
    LZ_ASSERT(m->from != 0 && m->to != 0);
    LZ_ASSERT(m->kind != 0);
    try_send(w, m, still_wanted, 0);
}

lz_time lz_net_latency(struct lz_world *w, lz_instance_id from, lz_instance_id to,
                       struct lz_draw *draw)
{
    const struct link *l = link_of(w, from, to);
    lz_time delay = lz_dist_time(l->base, draw);
    for (uint32_t i = 0; i < l->effect_count; i++) {
        const struct lz_net_effect *e = &w->net->effects[l->effects[i]].e;
        if (e->add.kind != LZ_DIST_NONE)
            delay += lz_dist_time(&e->add, draw);
    }
    return delay;
}

bool lz_net_is_cut(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    return is_lost(w, from) || is_lost(w, to) || link_of(w, from, to)->cut;
}
