/*
 * copy.c — followers fetch from leaders: one fetch at a time between two nodes.
 *
 *   idle ──lz_copy_go──▶ at the leader ──something to give, or 500 ms──▶ answered ──written──▶ idle
 *                            (parked)                                                      │
 *     ▲ 1 s later, if it failed                                                            │ again
 *     └────────────────────────────────────────────────────────────────────────────────────┘
 *
 * A fetch asks for all partitions that the one node follows the other for (num.replica.fetchers =
 * 1), says how far each log goes, and so acknowledges what came before. What comes back is written
 * at once. A follower that has heard of a new leader compares first: it cuts off what the leader's
 * log does not have, then takes what follows. Sizes are replica.fetch.max.bytes and
 * replica.fetch.response.max.bytes.
 */
#include "base/check.h"
#include "model/broker/broker_state.h"
#include "model/node/life.h"

#define WAIT_NS (500 * LZ_MS)  // replica.fetch.wait.max.ms
#define BACKOFF_NS LZ_S        // replica.fetch.backoff.ms
#define TIMEOUT_NS (30 * LZ_S) // replica.socket.timeout.ms
#define PARTITION_BYTES (1u << 20)
#define RESPONSE_BYTES (10u << 20)
#define HEADER_BYTES 100u

static uint64_t pack(uint32_t leader, uint32_t turn)
{
    return (uint64_t)turn << 32 | leader;
}

// The replicas of `follower` that its fetch from `leader` is about, one after the other.
struct walk {
    struct lz_broker *b;
    const struct lz_broker_node *node;
    uint32_t i;
    struct lz_partition *p;
    struct lz_replica *r;
};

static bool next(struct walk *k)
{
    if (k->i >= k->node->hosted_count)
        return false;
    const struct lz_hosted *h = &k->node->hosted[k->i++];
    k->p = k->b->partitions[h->partition];
    k->r = &k->p->replicas[h->replica];
    return true;
}

static bool is_of(const struct lz_replica *r, uint32_t leader)
{
    return r->is_asked && r->leader == leader && !r->leads;
}

static void again_later(struct lz_world *w, struct lz_broker *b, uint32_t follower, uint32_t leader)
{
    struct lz_copier *c = &b->nodes[follower].copiers[leader];
    c->turn++;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + BACKOFF_NS, w->brokers->copy_again, b->first + follower,
              pack(leader, c->turn));
}

void lz_copy_go(struct lz_world *w, struct lz_broker *b, uint32_t follower, uint32_t leader)
{
    LZ_ASSERT(follower != leader);
    struct lz_copier *c = &b->nodes[follower].copiers[leader];
    if (c->is_busy || !lz_instance_runs(lz_instance_get(w, b->first + follower)))
        return;
    uint32_t count = 0;
    for (struct walk k = {.b = b, .node = &b->nodes[follower]}; next(&k);) {
        bool is_ours = k.r->leader == leader && !k.r->leads;
        if (!is_ours || k.r->holds > 0)
            continue;
        k.r->is_asked = true;
        k.r->is_misled = false;
        k.r->asked = k.r->offered = k.r->log.end;
        count++;
    }
    if (count == 0)
        return;
    c->is_busy = true;
    c->turn++;
    c->rpc = lz_rpc_send(w, &(struct lz_rpc_send){.kind = LZ_RPC_COPY,
                                                  .from = b->first + follower,
                                                  .to = b->first + leader,
                                                  .way = &c->way,
                                                  .path = c->path,
                                                  .owner = pack(leader, c->turn),
                                                  .timeout = TIMEOUT_NS});
}

static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->brokers->copy_again, payload))
        return;
    struct lz_broker *b = lz_broker_of(w, entity);
    uint32_t follower = lz_broker_node_of(b, entity), leader = (uint32_t)payload;
    if (b->nodes[follower].copiers[leader].turn == payload >> 32)
        lz_copy_go(w, b, follower, leader);
}

// ---- at the leader

// How far the follower may copy, by the bytes of whole batches; one always fits.
static uint64_t offer(const struct lz_replica *leader, const struct lz_replica *r, uint64_t *bytes)
{
    const struct lz_plog *l = &leader->log;
    uint64_t upto = r->asked, own = 0;
    if (upto < l->start)
        upto = l->start;
    for (uint32_t i = lz_plog_find(l, upto); i < l->count; i++) {
        const struct lz_batch *b = lz_plog_at(l, i);
        bool is_much = own + b->bytes > PARTITION_BYTES || *bytes + b->bytes > RESPONSE_BYTES;
        if (is_much && *bytes > 0)
            break;
        upto = lz_batch_end(b);
        own += b->bytes;
        *bytes += b->bytes;
    }
    return upto;
}

// Answer if there is anything to say. One that has not compared its log yet gets no records.
static void serve(struct lz_world *w, struct lz_broker *b, struct lz_rpc *rpc, bool waits)
{
    uint32_t follower = lz_broker_node_of(b, rpc->from), leader = lz_broker_node_of(b, rpc->to);
    struct lz_copier *c = &b->nodes[follower].copiers[leader];
    uint64_t bytes = 0;
    bool has_news = false;
    for (struct walk k = {.b = b, .node = &b->nodes[follower]}; next(&k);) {
        if (!is_of(k.r, leader))
            continue;
        const struct lz_replica *l = lz_partition_on(k.p, leader);
        k.r->is_misled = !l->leads;
        if (l->leads && !k.r->is_fresh)
            k.r->offered = offer(l, k.r, &bytes);
        has_news = has_news || !l->leads || k.r->is_fresh || k.r->offered > k.r->asked;
    }
    c->is_parked = waits && !has_news;
    if (c->is_parked) {
        if (c->park == 0)
            c->park = lz_sim_at(w->sim, lz_sim_now(w->sim) + WAIT_NS, w->brokers->park, rpc->to,
                                (uint64_t)follower << 32 | rpc->head.index);
        return;
    }
    lz_sim_cancel(w->sim, c->park);
    c->park = 0;
    lz_rpc_answer(w, rpc, LZ_BROKER_OK, bytes + HEADER_BYTES);
}

static void arrived(struct lz_world *w, struct lz_rpc *rpc)
{
    struct lz_broker *b = lz_broker_of(w, rpc->to);
    uint32_t follower = lz_broker_node_of(b, rpc->from), leader = lz_broker_node_of(b, rpc->to);
    if (b->nodes[follower].copiers[leader].rpc != lz_pool_id(rpc)) {
        lz_rpc_answer(w, rpc, LZ_BROKER_NOT_LEADER, 0); // of a process that has ended
        return;
    }
    for (struct walk k = {.b = b, .node = &b->nodes[follower]}; next(&k);) {
        struct lz_replica *l = is_of(k.r, leader) ? lz_partition_on(k.p, leader) : NULL;
        if (l != NULL && l->leads && !k.r->is_fresh && l->epoch == k.r->epoch)
            lz_replica_fetched(w, k.p, l, lz_replica_index(k.p, k.r), k.r->asked);
    }
    serve(w, b, rpc, true);
}

static struct lz_rpc *parked(const struct lz_world *w, const struct lz_copier *c)
{
    struct lz_rpc *r = c->is_parked ? lz_rpc_find(w, c->rpc) : NULL;
    return r != NULL && lz_rpc_is_there(r) ? r : NULL;
}

static void on_park(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->brokers->park, payload))
        return;
    struct lz_broker *b = lz_broker_of(w, entity);
    struct lz_copier *c = &b->nodes[payload >> 32].copiers[lz_broker_node_of(b, entity)];
    struct lz_rpc *rpc = parked(w, c);
    if (rpc == NULL || rpc->head.index != (uint32_t)payload)
        return;
    c->park = 0;
    serve(w, b, rpc, false);
}

void lz_copy_wake(struct lz_world *w, struct lz_partition *p, const struct lz_replica *leader)
{
    struct lz_broker *b = p->broker;
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t follower = p->replicas[i].node;
        if (follower == leader->node)
            continue;
        const struct lz_copier *c = &b->nodes[follower].copiers[leader->node];
        struct lz_rpc *rpc = parked(w, c);
        if (rpc != NULL && is_of(&p->replicas[i], leader->node))
            serve(w, b, rpc, true);
    }
}

// ---- at the follower again

static void cut_divergent(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                          const struct lz_replica *l)
{
    uint64_t end = r->log.end;
    for (uint32_t i = r->log.count; i > 0; i--) {
        const struct lz_batch *b = lz_plog_at(&r->log, i - 1);
        if (lz_batch_end(b) <= l->log.start || lz_plog_has(&l->log, b))
            break;
        end = b->offset;
    }
    lz_replica_truncate(w, p, r, end);
    if (r->log.end < l->log.start) { // all it has has expired there
        lz_replica_truncate(w, p, r, 0);
        lz_plog_restart(&r->log, l->log.start);
    }
    r->is_fresh = false;
}

// What the answer brought, if it is still what its leader says.
static bool apply(struct lz_world *w, struct lz_partition *p, struct lz_replica *r, uint32_t leader)
{
    const struct lz_replica *l = lz_partition_on(p, leader);
    if (r->is_misled || !l->leads || l->epoch != r->epoch)
        return false;
    if (r->is_fresh) {
        cut_divergent(w, p, r, l);
    } else {
        uint64_t upto = r->offered < l->log.end ? r->offered : l->log.end;
        if (r->log.end != r->asked || r->log.end < l->log.start)
            return false;
        for (uint32_t i = lz_plog_find(&l->log, r->log.end); r->log.end < upto; i++)
            lz_replica_append(w, p, r, lz_plog_at(&l->log, i));
    }
    uint64_t hw = l->hw < r->log.end ? l->hw : r->log.end;
    r->hw = hw > r->hw ? hw : r->hw;
    return true;
}

static void take(struct lz_world *w, struct lz_broker *b, uint32_t follower, uint32_t leader)
{
    bool is_good = true;
    b->nodes[follower].copiers[leader].is_busy = false;
    for (struct walk k = {.b = b, .node = &b->nodes[follower]}; next(&k);)
        if (is_of(k.r, leader)) {
            k.r->is_asked = false;
            is_good = apply(w, k.p, k.r, leader) && is_good;
        }
    if (is_good)
        lz_copy_go(w, b, follower, leader);
    else
        again_later(w, b, follower, leader);
}

static void on_copied(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->brokers->copied, payload))
        return;
    struct lz_broker *b = lz_broker_of(w, entity);
    uint32_t follower = lz_broker_node_of(b, entity), leader = (uint32_t)payload;
    if (b->nodes[follower].copiers[leader].turn == payload >> 32)
        take(w, b, follower, leader);
}

static void ended(struct lz_world *w, const struct lz_rpc *rpc, enum lz_rpc_end how)
{
    struct lz_broker *b = lz_broker_of(w, rpc->from);
    uint32_t follower = lz_broker_node_of(b, rpc->from), leader = (uint32_t)rpc->owner;
    struct lz_copier *c = &b->nodes[follower].copiers[leader];
    if (c->turn != rpc->owner >> 32)
        return;
    bool has_records = false;
    for (struct walk k = {.b = b, .node = &b->nodes[follower]}; next(&k);) {
        has_records = has_records || (is_of(k.r, leader) && k.r->offered > k.r->asked);
        if (how != LZ_RPC_ANSWERED && is_of(k.r, leader))
            k.r->is_asked = false;
    }
    if (how != LZ_RPC_ANSWERED) {
        c->is_busy = c->is_parked = false;
        again_later(w, b, follower, leader);
        return;
    }
    if (!has_records) {
        take(w, b, follower, leader);
        return;
    }
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), c->path, LZ_PURPOSE_DISK, c->way.count);
    lz_append_write(w, b, follower,
                    &(struct lz_append_write){.draw = &draw,
                                              .path = lz_draw_index(c->path, c->way.count),
                                              .done = w->brokers->copied,
                                              .payload = rpc->owner});
}

void lz_copy_died(struct lz_world *w, struct lz_broker *b, uint32_t node)
{
    for (uint32_t k = 0; k < b->opts.nodes; k++) {
        struct lz_copier *own = &b->nodes[node].copiers[k];
        struct lz_rpc *rpc = parked(w, own);
        if (rpc != NULL) // nobody will hear it
            lz_rpc_answer(w, rpc, LZ_BROKER_OK, 0);
        lz_sim_cancel(w->sim, own->park);
        own->park = 0;
        own->turn++;
        own->is_busy = own->is_parked = false;
        own->rpc = 0;
        struct lz_copier *other = &b->nodes[k].copiers[node];
        other->is_parked = false;
        lz_sim_cancel(w->sim, other->park);
        other->park = 0;
    }
}

void lz_copy_init(struct lz_world *w)
{
    static const struct lz_rpc_ops ops = {.arrived = arrived, .ended = ended};
    lz_rpc_serve(w, LZ_RPC_COPY, &ops);
    w->brokers->copied = lz_sim_kind(w->sim, "broker.copied", on_copied, w);
    w->brokers->copy_again = lz_sim_kind(w->sim, "broker.copy", on_again, w);
    w->brokers->park = lz_sim_kind(w->sim, "broker.park", on_park, w);
}
