#include "model/broker/producer_state.h"

#include "model/history/recorder_log.h"
#include "model/net/net.h"

#define REFRESH_NS (100 * LZ_MS)  // retry.backoff.ms
#define RECONNECT_NS (50 * LZ_MS) // reconnect.backoff.ms
#define RECONNECT_MAX_NS LZ_S

// ---- who leads

void lz_producer_on_refresh(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct lz_producer *p = lz_producer_at(w, (uint32_t)payload);
    const struct lz_broker *b = lz_producer_broker(p);
    bool is_known = true, can_ask = false;
    p->refresh = 0;
    for (uint32_t n = 0; n < b->opts.nodes; n++)
        can_ask = can_ask ||
                  (lz_controller_is_alive(w, b, n) && lz_net_can_ask(w, p->client, b->first + n));
    for (uint32_t i = 0; i < p->topic->opts.partitions; i++) {
        const struct lz_partition *part = b->partitions[p->topic->first + i];
        bool is_led = part->leader != LZ_BROKER_NOBODY;
        if (can_ask)
            p->lanes[i].leader = is_led ? part->replicas[part->leader].node : LZ_BROKER_NOBODY;
        is_known = is_known && is_led;
    }
    if (!can_ask || !is_known)
        p->refresh = lz_sim_at(w->sim, lz_sim_now(w->sim) + REFRESH_NS, w->producers->refresh,
                               p->client, payload);
    lz_producer_send_all(w, p);
}

void lz_producer_ask_who_leads(struct lz_world *w, struct lz_producer *p, uint32_t id)
{
    if (p->refresh == 0)
        p->refresh = lz_sim_at(w->sim, lz_sim_now(w->sim) + REFRESH_NS, w->producers->refresh,
                               p->client, id);
}

// ---- connections

void lz_producer_connect_later(struct lz_world *w, struct lz_producer *p, uint32_t id,
                               uint32_t node)
{
    struct lz_producer_peer *peer = &p->peers[node];
    peer->is_down = true;
    if (peer->connecting != 0)
        return;
    lz_time next = 2 * peer->backoff < RECONNECT_MAX_NS ? 2 * peer->backoff : RECONNECT_MAX_NS;
    peer->backoff = peer->backoff == 0 ? RECONNECT_NS : next;
    peer->connecting = lz_sim_at(w->sim, lz_sim_now(w->sim) + peer->backoff, w->producers->connect,
                                 p->client, (uint64_t)node << 32 | id);
}

void lz_producer_on_connect(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    uint32_t id = (uint32_t)payload, node = (uint32_t)(payload >> 32);
    struct lz_producer *p = lz_producer_at(w, id);
    struct lz_producer_peer *peer = &p->peers[node];
    const struct lz_broker *b = lz_producer_broker(p);
    peer->connecting = 0;
    lz_producer_ask_who_leads(w, p, id);
    if (!lz_instance_is_up(lz_instance_get(w, b->first + node)) ||
        !lz_net_can_ask(w, p->client, b->first + node)) {
        lz_producer_connect_later(w, p, id, node);
        return;
    }
    peer->is_down = false;
    peer->backoff = 0;
    lz_producer_send_to(w, p, node);
}

// ---- sending

// May this one leave now? An idempotent producer sends retries one by one and in order.
static bool may_leave(const struct lz_world *w, const struct lz_producer *p,
                      const struct lz_producer_lane *l, const struct lz_parcel *c)
{
    if (!c->is_ready || c->not_before > lz_sim_now(w->sim))
        return false;
    return p->number == 0 || c->attempts == 0 || l->in_flight == 0;
}

// The next parcel of a lane that may leave; without idempotence younger ones pass those that wait.
static struct lz_parcel *next_of(struct lz_world *w, const struct lz_producer *p,
                                 const struct lz_producer_lane *l)
{
    for (uint32_t at = l->first; at != 0; at = lz_parcel_at(w, at)->next) {
        struct lz_parcel *c = lz_parcel_at(w, at);
        if (may_leave(w, p, l, c))
            return c;
        if (p->number != 0)
            return NULL;
    }
    return NULL;
}

static struct lz_record *records_of(struct lz_world *w, const struct lz_parcel *c)
{
    struct lz_record *records = lz_arena_alloc(w->arena, c->count * sizeof(*records));
    for (uint32_t i = 0; i < c->count; i++)
        records[i] = (struct lz_record){.key = c->records[i].key};
    return records;
}

static uint32_t make_append(struct lz_world *w, struct lz_producer *p, struct lz_parcel *c)
{
    struct lz_broker *b = lz_producer_broker(p);
    struct lz_append *a = lz_pool_take_sized(&b->appends, sizeof(*a));
    a->partition = p->topic->first + c->partition;
    a->count = c->count;
    a->parcel = lz_pool_id(c);
    a->sequence = c->sequence;
    a->bytes = (uint64_t)c->bytes;
    a->at = c->at;
    a->producer = p->number;
    a->producer_epoch = c->epoch;
    a->acks = (uint8_t)p->opts.acks;
    if (c->sent == 0 && lz_recorder_log_is_on(w, p->topic->id))
        c->sent = lz_recorder_log_send(w, p->topic->id,
                                       &(struct lz_recorder_send){.producer = c->producer,
                                                                  .partition = c->partition,
                                                                  .count = c->count});
    a->sent = c->sent;
    if (p->topic->keeps_records) {
        a->records = records_of(w, c);
        a->record_room = c->count;
    }
    return a->head.index;
}

static void number(struct lz_producer *p, struct lz_producer_lane *l, struct lz_parcel *c)
{
    if (p->number == 0 || c->epoch == l->epoch)
        return;
    c->epoch = l->epoch;
    c->sequence = l->next;
    l->next += c->count;
}

// One batch of each partition that has one for the node; 0: there is none.
static uint32_t gather(struct lz_world *w, struct lz_producer *p, uint32_t node, double *bytes)
{
    struct lz_broker *b = lz_producer_broker(p);
    uint32_t chain = 0;
    for (uint32_t i = 0; i < p->topic->opts.partitions; i++) {
        struct lz_producer_lane *l = &p->lanes[i];
        if (l->leader != node || l->first == 0)
            continue;
        struct lz_parcel *c = next_of(w, p, l);
        if (c == NULL || (chain != 0 && *bytes + c->bytes > LZ_PRODUCER_REQUEST_BYTES))
            continue;
        number(p, l, c);
        lz_parcel_unlink(w, l, c);
        lz_sim_cancel(w->sim, c->linger);
        c->linger = 0;
        c->state = LZ_PARCEL_IN_THE_AIR;
        c->attempts++;
        l->in_flight++;
        *bytes += c->bytes;
        uint32_t index = make_append(w, p, c);
        ((struct lz_append *)lz_pool_at(&b->appends, index))->next = chain;
        chain = index;
    }
    return chain;
}

static void launch(struct lz_world *w, struct lz_producer *p, uint32_t node, uint32_t chain,
                   double bytes)
{
    struct lz_broker *b = lz_producer_broker(p);
    struct lz_producer_peer *peer = &p->peers[node];
    bool waits = p->opts.acks != LZ_ACKS_NONE;
    uint32_t id = lz_parcel_of(w, lz_pool_at(&b->appends, chain))->producer;
    uint64_t rpc = lz_rpc_send(w, &(struct lz_rpc_send){
                                      .kind = LZ_RPC_PRODUCE,
                                      .from = p->client,
                                      .to = b->first + node,
                                      .way = &peer->way,
                                      .path = lz_draw_index(p->path, node),
                                      .owner = (uint64_t)node << 32 | id,
                                      .says = chain,
                                      .bytes = (uint64_t)bytes,
                                      .timeout = waits ? p->edge.timeout : 0,
                                  });
    peer->in_flight += waits;
    for (uint32_t i = chain; i != 0;) {
        struct lz_append *a = lz_pool_at(&b->appends, i);
        struct lz_parcel *c = lz_parcel_of(w, a);
        i = a->next;
        a->rpc = c->rpc = rpc;
        if (waits)
            continue;
        p->lanes[c->partition].in_flight--;
        lz_parcel_end(w, p, c, LZ_OUTCOME_OK); // nobody will say otherwise
    }
}

void lz_producer_send_to(struct lz_world *w, struct lz_producer *p, uint32_t node)
{
    const struct lz_producer_peer *peer = &p->peers[node];
    while (!peer->is_down && peer->in_flight < p->opts.max_in_flight) {
        double bytes = 0.0;
        uint32_t chain = gather(w, p, node, &bytes);
        if (chain == 0)
            return;
        launch(w, p, node, chain, bytes);
    }
}

void lz_producer_send_all(struct lz_world *w, struct lz_producer *p)
{
    for (uint32_t n = 0; n < lz_producer_broker(p)->opts.nodes; n++)
        lz_producer_send_to(w, p, n);
}

void lz_producer_on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    lz_producer_send_all(w, lz_producer_at(w, (uint32_t)payload));
}

void lz_producer_on_linger(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct lz_parcel *c = lz_pool_find(&w->producers->parcels, payload);
    if (c == NULL)
        return;
    struct lz_producer *p = lz_producer_at(w, c->producer);
    c->linger = 0;
    c->is_ready = true;
    if (p->lanes[c->partition].leader != LZ_BROKER_NOBODY)
        lz_producer_send_to(w, p, p->lanes[c->partition].leader);
}
