#include "base/check.h"
#include "base/hash.h"
#include "model/cache/cluster_state.h"
#include "model/net/bus.h"
#include "model/node/instance.h"

/*
 * The cluster bus: who is there. As in clusterCron and clusterProcessPacket of redis/src/cluster.c.
 *
 *        ──no answer for node_timeout──▶ PFAIL ──most primaries say so──▶ FAIL
 *   fine ◀───────── an answer ─────────────┘                                │
 *    ▲                                                                      │
 *    └── an answer, of a replica or of who has no slots; of another primary ┘
 *        only after 2 node_timeout, if nobody has taken its place
 *
 * Each node has one connection to each other, on which its messages keep their order. (Redis
 * answers a ping on the connection that it came by; here answers go with the other's own messages.)
 */

#define TICK (100 * LZ_MS) // clusterCron
#define TICKS_PER_PING 10u // once a second one of five drawn is pinged
#define DRAWN 5u
#define GOSSIP_MIN 3u

// What a message says: who sends it, and the number of its saying, or what its kind needs.
#define FROM_BITS 8

uint32_t lz_gossip_from(uint64_t payload)
{
    return payload & ((1u << FROM_BITS) - 1);
}

void lz_cluster_send(struct lz_world *w, struct lz_cache *c, const struct lz_cache_tell *m)
{
    struct lz_cache_tell full = *m;
    full.payload = m->payload << FROM_BITS | m->from;
    if (m->is_apart) {
        lz_cache_tell(w, c, &full);
        return;
    }
    uint64_t owner = lz_draw_index(lz_draw_index(c->path, (uint64_t)m->from << 32 | m->to),
                                   lz_cluster_node(c, m->from)->messages++);
    lz_bus_send(w, c->cluster->bus,
                &(struct lz_bus_message){.from = m->from,
                                         .to = m->to,
                                         .kind = m->kind,
                                         .payload = full.payload,
                                         .owner = lz_draw_name(owner, "bus"),
                                         .bytes = m->bytes});
}

// Each kind has its own handler: in this instant, and in this order.
static void heard(struct lz_world *w, lz_instance_id at, const struct lz_bus_message *m)
{
    lz_sim_soon(w->sim, m->kind, at, m->payload);
}

static void broke(struct lz_world *w, lz_instance_id sender, const struct lz_bus_message *way,
                  bool by_reset)
{
    (void)by_reset;
    lz_cluster_node(lz_cache_of(w, sender), way->from)->of[way->to].is_broken = true;
}

void lz_gossip_connect(struct lz_world *w, struct lz_cache *c)
{
    static const struct lz_bus_ops ops = {.heard = heard, .broke = broke};
    c->cluster->bus = lz_bus_create(
        w, &(struct lz_bus_opts){.ops = &ops, .first = c->first, .nodes = c->nodes, .channels = 1});
}

double lz_gossip_draw(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    uint64_t owner = lz_draw_index(c->path, node + 1);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_BUS, lz_cluster_node(c, node)->draws++);
    return lz_draw_unit(&draw);
}

// Of those it does not suspect a few, at random: at least three, or a tenth. Of the others all.
static uint64_t mentioned(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to,
                          uint64_t failing)
{
    uint32_t others = 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        others += n != node && n != to && (failing >> n & 1) == 0;
    uint32_t wanted = c->nodes / 10 > GOSSIP_MIN ? c->nodes / 10 : GOSSIP_MIN;
    if (wanted >= others)
        return ~(uint64_t)0;
    uint64_t set = failing;
    uint64_t owner = lz_draw_index(c->path, node + 1);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_BUS, lz_cluster_node(c, node)->draws++);
    for (uint32_t n = 0; n < c->nodes && wanted > 0; n++) {
        if (n == node || n == to || (failing >> n & 1) != 0)
            continue;
        if (lz_draw_below(&draw, others--) < wanted) {
            set |= (uint64_t)1 << n;
            wanted--;
        }
    }
    return set;
}

uint64_t lz_gossip_say(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    struct lz_saying s = {.number = ++v->said,
                          .epoch = v->epoch,
                          .offset = c->node[node].offset,
                          .claim = v->claim,
                          .follows = c->node[node].follows,
                          .leads = c->node[node].leads};
    s.is_manual = v->manual.is_asking;
    s.config_epoch = v->of[s.leads ? node : s.follows].config_epoch;
    for (uint32_t n = 0; n < c->nodes; n++)
        if (v->of[n].is_pfail || v->of[n].is_fail)
            s.failing |= (uint64_t)1 << n;
    s.mentioned = mentioned(w, c, node, to, s.failing);
    v->sayings[v->said & (c->cluster->saying_cap - 1)] = s;
    return v->said;
}

static void send(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to, lz_kind kind)
{
    lz_cluster_send(w, c,
                    &(struct lz_cache_tell){.from = node,
                                            .to = to,
                                            .kind = kind,
                                            .payload = lz_gossip_say(w, c, node, to),
                                            .bytes = 2256}); // its header: 2 KiB are its slots
}

static void ping(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to)
{
    struct lz_peer *p = &lz_cluster_node(c, node)->of[to];
    if (p->ping_sent == 0)
        p->ping_sent = lz_sim_now(w->sim);
    send(w, c, node, to, w->caches->cluster.ping);
}

void lz_gossip_tell_all(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    for (uint32_t n = 0; n < c->nodes; n++)
        if (n != node)
            send(w, c, node, n, w->caches->cluster.pong);
}

// ---- what is heard

static void set_fail(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t about)
{
    struct lz_peer *p = &lz_cluster_node(c, node)->of[about];
    p->is_pfail = false;
    p->is_fail = true;
    p->failed_at = lz_sim_now(w->sim);
    lz_claims_judge(w, c, node);
}

// markNodeAsFailingIfNeeded
static void weigh(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t about)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    struct lz_peer *p = &v->of[about];
    if (!p->is_pfail || p->is_fail)
        return;
    lz_time now = lz_sim_now(w->sim), valid = 2 * c->opts.cluster.node_timeout;
    uint32_t say = c->node[node].leads && v->of[node].slots > 0;
    for (uint32_t n = 0; n < c->nodes; n++) {
        if ((p->reporters >> n & 1) == 0)
            continue;
        if (now - p->reported[n] > valid || !v->of[n].leads || v->of[n].slots == 0)
            p->reporters &= ~((uint64_t)1 << n);
        else
            say++;
    }
    if (say < lz_claims_primaries(c, node) / 2 + 1)
        return;
    lz_instance_note(w, c->first + node, "cluster", "says that %s[%u] fails", c->opts.name,
                     about + 1);
    set_fail(w, c, node, about);
    for (uint32_t n = 0; n < c->nodes; n++)
        if (n != node)
            lz_cluster_send(
                w, c,
                &(struct lz_cache_tell){
                    .from = node, .to = n, .kind = w->caches->cluster.fail, .payload = about});
}

// What another says of third nodes.
static void listen(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t from,
                   const struct lz_saying *s)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    const struct lz_cluster_node *theirs = lz_cluster_node(c, from);
    bool counts = v->of[from].leads && v->of[from].slots > 0;
    for (uint32_t n = 0; n < c->nodes; n++) {
        if (n == node || n == from || (s->mentioned >> n & 1) == 0)
            continue;
        struct lz_peer *p = &v->of[n];
        bool fails = (s->failing >> n & 1) != 0;
        if (counts && fails) {
            p->reporters |= (uint64_t)1 << from;
            p->reported[from] = lz_sim_now(w->sim);
            weigh(w, c, node, n);
        } else if (counts) {
            p->reporters &= ~((uint64_t)1 << from);
        }
        bool is_fine =
            !fails && !p->is_pfail && !p->is_fail && p->ping_sent == 0 && p->reporters == 0;
        if (is_fine && theirs->of[n].pong > p->pong)
            p->pong = theirs->of[n].pong;
    }
}

// Two primaries with one epoch, after slots were moved by hand: the lower number gets a new one.
static void part(struct lz_cache *c, uint32_t node, uint32_t from, const struct lz_saying *s)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    if (!s->leads || !c->node[node].leads || s->config_epoch != v->of[node].config_epoch ||
        node > from)
        return;
    v->epoch++;
    v->of[node].config_epoch = v->epoch;
    v->claim++;
}

static void learn_role(struct lz_cache *c, uint32_t node, uint32_t from, const struct lz_saying *s)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    struct lz_peer *p = &v->of[from];
    if (p->leads && !s->leads)
        for (uint32_t slot = 0; slot < LZ_SLOTS && p->slots > 0; slot++)
            if (v->owner[slot] == from + 1)
                lz_claims_assign(c, node, slot, 0);
    p->was_promoted = s->leads && (p->was_promoted || !p->leads);
    p->leads = s->leads;
    p->follows = s->follows;
}

const struct lz_saying *lz_gossip_hear(struct lz_world *w, struct lz_cache *c, uint32_t node,
                                       uint64_t payload)
{
    uint32_t from = lz_gossip_from(payload);
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint64_t number = payload >> FROM_BITS;
    const struct lz_saying *s =
        &lz_cluster_node(c, from)->sayings[number & (c->cluster->saying_cap - 1)];
    if (s->number != number)
        return NULL; // it was so long on its way that nobody knows what it said
    struct lz_peer *p = &v->of[from];
    p->data = lz_sim_now(w->sim);
    LZ_ASSERT(number > p->heard); // a connection lets nothing overtake
    p->heard = number;
    p->offset = s->offset;
    v->epoch = s->epoch > v->epoch ? s->epoch : v->epoch;
    learn_role(c, node, from, s);
    if (s->leads && s->config_epoch > p->config_epoch)
        p->config_epoch = s->config_epoch;
    if (s->leads && p->claim != s->claim)
        lz_claims_take(w, c, node, from);
    part(c, node, from, s);
    listen(w, c, node, from, s);
    return s;
}

// A node on which something has arrived; false: it must not act on it, now or ever.
static bool is_awake(struct lz_world *w, uint32_t entity, lz_kind kind, uint64_t payload)
{
    return !lz_instance_defer(w, entity, kind, payload) && lz_cache_lives(w, entity);
}

static void on_ping(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (!is_awake(w, entity, w->caches->cluster.ping, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first;
    if (lz_gossip_hear(w, c, node, payload) != NULL)
        send(w, c, node, lz_gossip_from(payload), w->caches->cluster.pong);
}

// clearNodeFailureIfNeeded
static void clear_failure(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t about)
{
    struct lz_peer *p = &lz_cluster_node(c, node)->of[about];
    p->is_pfail = false;
    lz_time now = lz_sim_now(w->sim);
    bool is_free = !p->leads || p->slots == 0;
    if (p->is_fail && (is_free || now - p->failed_at > 2 * c->opts.cluster.node_timeout))
        p->is_fail = false;
}

static void on_pong(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (!is_awake(w, entity, w->caches->cluster.pong, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, from = lz_gossip_from(payload);
    if (lz_gossip_hear(w, c, node, payload) == NULL)
        return;
    struct lz_peer *p = &lz_cluster_node(c, node)->of[from];
    p->pong = lz_sim_now(w->sim);
    p->ping_sent = 0;
    clear_failure(w, c, node, from);
    lz_claims_judge(w, c, node);
}

static void on_fail(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (!is_awake(w, entity, w->caches->cluster.fail, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, about = (uint32_t)(payload >> FROM_BITS);
    if (about != node && !lz_cluster_node(c, node)->of[about].is_fail)
        set_fail(w, c, node, about);
}

// Somebody knows of a newer claim than one that this node has made.
static void on_update(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (!is_awake(w, entity, w->caches->cluster.update, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, about = (uint32_t)(payload >> FROM_BITS);
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    const struct lz_peer *told = &lz_cluster_node(c, lz_gossip_from(payload))->of[about];
    if (about == node || told->config_epoch <= v->of[about].config_epoch || !told->leads)
        return;
    v->of[about].config_epoch = told->config_epoch;
    v->of[about].leads = true;
    lz_claims_take(w, c, node, about);
    lz_claims_judge(w, c, node);
}

// ---- the clock of a node

static void ping_somebody(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    const struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint32_t oldest = c->nodes;
    for (uint32_t i = 0; i < DRAWN; i++) {
        uint32_t n = (uint32_t)(lz_gossip_draw(w, c, node) * c->nodes);
        if (n == node || v->of[n].ping_sent != 0)
            continue;
        if (oldest == c->nodes || v->of[n].pong < v->of[oldest].pong)
            oldest = n;
    }
    if (oldest < c->nodes)
        ping(w, c, node, oldest);
}

static void look_after(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t other)
{
    struct lz_peer *p = &lz_cluster_node(c, node)->of[other];
    lz_time now = lz_sim_now(w->sim), timeout = c->opts.cluster.node_timeout;
    lz_time since = lz_bus_since(c->cluster->bus, node, other, 0);
    bool is_silent = p->ping_sent != 0 && now - p->ping_sent > timeout / 2 &&
                     now - p->data > timeout / 2 && since >= 0 && now - since > timeout;
    if (is_silent)
        lz_bus_break(c->cluster->bus, node, other, 0);
    if (is_silent || p->is_broken || (p->ping_sent == 0 && now - p->pong > timeout / 2))
        ping(w, c, node, other); // a new connection begins with one
    p->is_broken = false;
    if (p->ping_sent == 0 || p->is_pfail || p->is_fail)
        return;
    if (now - p->ping_sent <= timeout || now - p->data <= timeout)
        return;
    p->is_pfail = true;
    weigh(w, c, node, other);
}

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first;
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + TICK, w->caches->cluster.tick, entity, payload);
    if (!lz_instance_is_up(lz_instance_get(w, entity)))
        return;
    if (v->ticks++ % TICKS_PER_PING == 0)
        ping_somebody(w, c, node);
    for (uint32_t n = 0; n < c->nodes; n++)
        if (n != node)
            look_after(w, c, node, n);
    if (!c->node[node].leads && !lz_manual_tick(w, c, node))
        lz_promote_tick(w, c, node);
    if (!c->node[node].leads)
        lz_migrate_tick(w, c, node);
    lz_claims_judge(w, c, node);
}

void lz_gossip_start(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    lz_time at = (lz_time)(lz_gossip_draw(w, c, node) * (double)TICK);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + at, w->caches->cluster.tick, c->first + node, 0);
}

void lz_gossip_init(struct lz_world *w)
{
    struct lz_cluster_kinds *k = &w->caches->cluster;
    k->tick = lz_sim_kind(w->sim, "cluster.tick", on_tick, w);
    k->ping = lz_sim_kind(w->sim, "cluster.ping", on_ping, w);
    k->pong = lz_sim_kind(w->sim, "cluster.pong", on_pong, w);
    k->fail = lz_sim_kind(w->sim, "cluster.fail", on_fail, w);
    k->update = lz_sim_kind(w->sim, "cluster.update", on_update, w);
}
