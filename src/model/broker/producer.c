#include "model/broker/producer.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/broker/broker_state.h"
#include "model/broker/murmur.h"
#include "model/client/backoff.h"
#include "model/history/recorder_log.h"
#include "model/net/net.h"
#include "model/traffic/traffic.h"

#define BATCH_BYTES 16384.0
#define IN_FLIGHT 5
#define BUFFER_BYTES (32.0 * 1024 * 1024)
#define DELIVERY_NS (120 * LZ_S)
#define REFRESH_NS (100 * LZ_MS)  // retry.backoff.ms
#define RECONNECT_NS (50 * LZ_MS) // reconnect.backoff.ms
#define RECONNECT_MAX_NS LZ_S
#define REQUEST_BYTES 1048576.0 // max.request.size
#define PRODUCERS_MAX 65535u

enum state { OPEN, WAITING, IN_THE_AIR };

// A batch on the producer's side.
struct parcel {
    struct lz_pool_head head;
    uint32_t producer, partition; /* numbers, the partition's within the topic */
    uint32_t next, prev;          /* of those of the partition that are not under way */
    uint32_t count, room;
    struct lz_producer_record *records;
    double bytes;
    lz_time at;
    uint64_t serial; /* in the order they were made */
    uint64_t sequence;
    uint32_t epoch; /* of the sequence; 0: it has none yet */
    uint32_t attempts;
    lz_time waited, not_before;
    uint64_t rpc;
    lz_event_id linger, expiry;
    uint64_t batch;  /* it was appended as; 0: not that anybody knew */
    uint64_t offset; /* and where */
    uint32_t sent;   /* as recorder_log.h numbers it; 0: not at all */
    uint8_t state;
    bool is_ready; /* its linger is over */
};

struct lane {
    uint32_t first, last; // parcels, the oldest first
    uint32_t in_flight;   // parcels
    uint32_t leader;      // node, as far as is known
    uint32_t epoch;       // of the producer, here; from 1
    uint64_t next;        // sequence
};

struct peer {
    struct lz_rpc_way way;
    uint32_t in_flight;
    bool is_down;
    lz_time backoff;
    lz_event_id connecting;
};

struct producer {
    lz_component_id traffic;
    struct lz_topic *topic;
    lz_instance_id client;
    struct lz_producer_opts opts;
    struct lz_edge_opts edge;
    bool has_keys;
    uint32_t number; // of an idempotent one
    uint64_t path;
    double record_bytes, buffered;
    struct lane *lanes;
    struct peer *peers;
    uint32_t sticky; // partition
    double sticky_bytes;
    uint64_t moves, serials, backoffs;
    lz_lane linger, expiry;
    lz_event_id refresh;
};

struct lz_producers {
    struct lz_pool parcels;
    struct producer **all; // 1 ..
    uint32_t count, cap;
    lz_kind linger, expiry, again, connect, refresh;
};

static struct producer *producer_at(const struct lz_world *w, uint32_t id)
{
    LZ_ASSERT(id >= 1 && id <= w->producers->count);
    return w->producers->all[id];
}

static struct parcel *parcel_at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->producers->parcels, index);
}

static struct lz_broker *broker_of(const struct producer *p)
{
    return p->topic->broker;
}

static void send_all(struct lz_world *w, struct producer *p);
static void send_to(struct lz_world *w, struct producer *p, uint32_t node);

// ---- the line of a partition

static void unlink(struct lz_world *w, struct lane *l, struct parcel *c)
{
    if (c->prev != 0)
        parcel_at(w, c->prev)->next = c->next;
    else
        l->first = c->next;
    if (c->next != 0)
        parcel_at(w, c->next)->prev = c->prev;
    else
        l->last = c->prev;
    c->prev = c->next = 0;
}

// Back to where it was made: before all that are younger.
static void link_in_order(struct lz_world *w, struct lane *l, struct parcel *c)
{
    uint32_t before = l->last;
    while (before != 0 && parcel_at(w, before)->serial > c->serial)
        before = parcel_at(w, before)->prev;
    c->prev = before;
    c->next = before != 0 ? parcel_at(w, before)->next : l->first;
    if (before != 0)
        parcel_at(w, before)->next = c->head.index;
    else
        l->first = c->head.index;
    if (c->next != 0)
        parcel_at(w, c->next)->prev = c->head.index;
    else
        l->last = c->head.index;
}

// ---- what becomes of a parcel

static void tell(struct lz_world *w, const struct producer *p, const struct parcel *c,
                 enum lz_outcome outcome)
{
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < c->count; i++) {
        const struct lz_producer_record *r = &c->records[i];
        lz_traffic_recorded(w, p->traffic,
                            &(struct lz_traffic_record){.latency = now - r->intended,
                                                        .outcome = outcome,
                                                        .agent = r->agent,
                                                        .is_bot = r->is_bot});
    }
}

// It is out of its lane, and not under way.
static void end(struct lz_world *w, struct producer *p, struct parcel *c, enum lz_outcome outcome)
{
    lz_sim_cancel(w->sim, c->linger);
    lz_sim_cancel(w->sim, c->expiry);
    p->buffered -= c->bytes;
    struct parcel copy = *c;
    c->room = 0;
    lz_pool_give(&w->producers->parcels, c);
    tell(w, p, &copy, outcome);
    lz_arena_free(w->arena, copy.records, copy.room * sizeof(*copy.records));
}

// What was numbered and given up leaves a gap: a new epoch begins from nothing.
static void bump(struct lane *l)
{
    l->epoch++;
    l->next = 0;
}

static void fail(struct lz_world *w, struct producer *p, struct parcel *c, enum lz_outcome outcome)
{
    struct lane *l = &p->lanes[c->partition];
    if (p->number != 0 && c->epoch == l->epoch)
        bump(l);
    lz_recorder_log_gave_up(w, p->topic->id, c->sent);
    end(w, p, c, outcome);
}

static void retry(struct lz_world *w, struct producer *p, struct parcel *c, bool counts,
                  enum lz_outcome outcome)
{
    struct lane *l = &p->lanes[c->partition];
    lz_time now = lz_sim_now(w->sim);
    c->attempts -= !counts;
    if (c->attempts > p->edge.retries) {
        fail(w, p, c, outcome);
        return;
    }
    c->state = WAITING;
    link_in_order(w, l, c);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(p->path, c->serial),
                                        LZ_PURPOSE_BACKOFF, c->attempts);
    c->waited = counts ? lz_backoff_wait(&p->edge.backoff, c->attempts, c->waited, &draw) : 0;
    c->not_before = now + c->waited;
    if (c->waited > 0)
        lz_sim_at(w->sim, c->not_before, w->producers->again, p->client, c->producer);
}

// ---- who leads

static void on_refresh(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct producer *p = producer_at(w, (uint32_t)payload);
    const struct lz_broker *b = broker_of(p);
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
    send_all(w, p);
}

static void ask_who_leads(struct lz_world *w, struct producer *p, uint32_t id)
{
    if (p->refresh == 0)
        p->refresh = lz_sim_at(w->sim, lz_sim_now(w->sim) + REFRESH_NS, w->producers->refresh,
                               p->client, id);
}

// ---- connections

static void connect_later(struct lz_world *w, struct producer *p, uint32_t id, uint32_t node)
{
    struct peer *peer = &p->peers[node];
    peer->is_down = true;
    if (peer->connecting != 0)
        return;
    lz_time next = 2 * peer->backoff < RECONNECT_MAX_NS ? 2 * peer->backoff : RECONNECT_MAX_NS;
    peer->backoff = peer->backoff == 0 ? RECONNECT_NS : next;
    peer->connecting = lz_sim_at(w->sim, lz_sim_now(w->sim) + peer->backoff, w->producers->connect,
                                 p->client, (uint64_t)node << 32 | id);
}

static void on_connect(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    uint32_t id = (uint32_t)payload, node = (uint32_t)(payload >> 32);
    struct producer *p = producer_at(w, id);
    struct peer *peer = &p->peers[node];
    const struct lz_broker *b = broker_of(p);
    peer->connecting = 0;
    ask_who_leads(w, p, id);
    if (!lz_instance_is_up(lz_instance_get(w, b->first + node)) ||
        !lz_net_can_ask(w, p->client, b->first + node)) {
        connect_later(w, p, id, node);
        return;
    }
    peer->is_down = false;
    peer->backoff = 0;
    send_to(w, p, node);
}

// ---- sending

// May this one leave now? An idempotent producer sends retries one by one and in order.
static bool may_leave(const struct lz_world *w, const struct producer *p, const struct lane *l,
                      const struct parcel *c)
{
    if (!c->is_ready || c->not_before > lz_sim_now(w->sim))
        return false;
    return p->number == 0 || c->attempts == 0 || l->in_flight == 0;
}

// The next parcel of a lane that may leave; without idempotence younger ones pass those that wait.
static struct parcel *next_of(struct lz_world *w, const struct producer *p, const struct lane *l)
{
    for (uint32_t at = l->first; at != 0; at = parcel_at(w, at)->next) {
        struct parcel *c = parcel_at(w, at);
        if (may_leave(w, p, l, c))
            return c;
        if (p->number != 0)
            return NULL;
    }
    return NULL;
}

static struct lz_record *records_of(struct lz_world *w, const struct parcel *c)
{
    struct lz_record *records = lz_arena_alloc(w->arena, c->count * sizeof(*records));
    for (uint32_t i = 0; i < c->count; i++)
        records[i] = (struct lz_record){.key = c->records[i].key};
    return records;
}

static uint32_t make_append(struct lz_world *w, struct producer *p, struct parcel *c)
{
    struct lz_broker *b = broker_of(p);
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

static void number(struct producer *p, struct lane *l, struct parcel *c)
{
    if (p->number == 0 || c->epoch == l->epoch)
        return;
    c->epoch = l->epoch;
    c->sequence = l->next;
    l->next += c->count;
}

// One batch of each partition that has one for the node; 0: there is none.
static uint32_t gather(struct lz_world *w, struct producer *p, uint32_t node, double *bytes)
{
    struct lz_broker *b = broker_of(p);
    uint32_t chain = 0;
    for (uint32_t i = 0; i < p->topic->opts.partitions; i++) {
        struct lane *l = &p->lanes[i];
        if (l->leader != node || l->first == 0)
            continue;
        struct parcel *c = next_of(w, p, l);
        if (c == NULL || (chain != 0 && *bytes + c->bytes > REQUEST_BYTES))
            continue;
        number(p, l, c);
        unlink(w, l, c);
        lz_sim_cancel(w->sim, c->linger);
        c->linger = 0;
        c->state = IN_THE_AIR;
        c->attempts++;
        l->in_flight++;
        *bytes += c->bytes;
        uint32_t index = make_append(w, p, c);
        ((struct lz_append *)lz_pool_at(&b->appends, index))->next = chain;
        chain = index;
    }
    return chain;
}

static struct parcel *parcel_of(const struct lz_world *w, const struct lz_append *a)
{
    return lz_pool_find(&w->producers->parcels, a->parcel);
}

static void launch(struct lz_world *w, struct producer *p, uint32_t node, uint32_t chain,
                   double bytes)
{
    struct lz_broker *b = broker_of(p);
    struct peer *peer = &p->peers[node];
    bool waits = p->opts.acks != LZ_ACKS_NONE;
    uint32_t id = parcel_of(w, lz_pool_at(&b->appends, chain))->producer;
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
        struct parcel *c = parcel_of(w, a);
        i = a->next;
        a->rpc = c->rpc = rpc;
        if (waits)
            continue;
        p->lanes[c->partition].in_flight--;
        end(w, p, c, LZ_OUTCOME_OK); // nobody will say otherwise
    }
}

static void send_to(struct lz_world *w, struct producer *p, uint32_t node)
{
    const struct peer *peer = &p->peers[node];
    while (!peer->is_down && peer->in_flight < p->opts.max_in_flight) {
        double bytes = 0.0;
        uint32_t chain = gather(w, p, node, &bytes);
        if (chain == 0)
            return;
        launch(w, p, node, chain, bytes);
    }
}

static void send_all(struct lz_world *w, struct producer *p)
{
    for (uint32_t n = 0; n < broker_of(p)->opts.nodes; n++)
        send_to(w, p, n);
}

static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    send_all(w, producer_at(w, (uint32_t)payload));
}

static void on_linger(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct parcel *c = lz_pool_find(&w->producers->parcels, payload);
    if (c == NULL)
        return;
    struct producer *p = producer_at(w, c->producer);
    c->linger = 0;
    c->is_ready = true;
    if (p->lanes[c->partition].leader != LZ_BROKER_NOBODY)
        send_to(w, p, p->lanes[c->partition].leader);
}

// delivery.timeout.ms: whatever it waits for, its time is up.
static void on_expiry(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct parcel *c = lz_pool_find(&w->producers->parcels, payload);
    if (c == NULL)
        return;
    struct producer *p = producer_at(w, c->producer);
    struct lane *l = &p->lanes[c->partition];
    c->expiry = 0;
    if (c->state == IN_THE_AIR)
        l->in_flight--;
    else
        unlink(w, l, c);
    fail(w, p, c, LZ_OUTCOME_TIMEOUT);
}

// ---- answers

// Where it is, as the answer says; one that was recognised and whose batch is old news does not.
static void tell_recorder(struct lz_world *w, const struct producer *p, const struct parcel *c,
                          const struct lz_append *a)
{
    uint64_t offset = a->end - a->count;
    lz_recorder_log_answered(w, p->topic->id, c->sent, a->end != 0 ? &offset : NULL);
}

static void accepted(struct lz_world *w, struct producer *p, struct parcel *c,
                     const struct lz_append *a)
{
    struct lz_broker *b = broker_of(p);
    struct lz_batch *batch = lz_pool_find(&b->batches, a->batch);
    lz_metrics_add(w->metrics, p->topic->series.acked, c->count);
    if (batch != NULL) {
        const struct lz_partition *part = b->partitions[a->partition];
        bool is_led = part->leader != LZ_BROKER_NOBODY;
        batch->is_acked = true;
        if (is_led && !batch->is_lost && batch->offset >= part->replicas[part->leader].log.start &&
            !lz_plog_has(&part->replicas[part->leader].log, batch)) {
            batch->is_lost = true; // while the answer was on its way
            lz_recorder_log_lost(w, p->topic->id, batch->sent);
            lz_topic_lost(w, p->topic, batch->count);
        }
    } else if (a->batch != 0 && c->batch == a->batch) {
        const struct lz_partition *part = b->partitions[a->partition];
        if (c->offset >= part->replicas[0].log.start) {
            lz_recorder_log_lost(w, p->topic->id, c->sent);
            lz_topic_lost(w, p->topic, c->count);
        }
    }
    if (c->sent != 0)
        tell_recorder(w, p, c, a);
    end(w, p, c, LZ_OUTCOME_OK);
}

static enum lz_outcome outcome_of(enum lz_rpc_end how)
{
    static const enum lz_outcome outcomes[] = {[LZ_RPC_ANSWERED] = LZ_OUTCOME_ERROR,
                                               [LZ_RPC_REFUSED] = LZ_OUTCOME_REFUSED,
                                               [LZ_RPC_RESET] = LZ_OUTCOME_RESET,
                                               [LZ_RPC_TIMEOUT] = LZ_OUTCOME_TIMEOUT};
    return outcomes[how];
}

static void judge(struct lz_world *w, struct producer *p, struct parcel *c,
                  const struct lz_append *a, enum lz_rpc_end how)
{
    struct lane *l = &p->lanes[c->partition];
    LZ_ASSERT(c->state == IN_THE_AIR && l->in_flight > 0);
    l->in_flight--;
    bool is_answered = how == LZ_RPC_ANSWERED;
    if (is_answered && a->error == LZ_BROKER_OK) {
        accepted(w, p, c, a);
        return;
    }
    // The log lacks what came before, and nothing of it is under way: begin anew.
    if (is_answered && a->error == LZ_BROKER_OUT_OF_ORDER && l->in_flight == 0 &&
        c->epoch == l->epoch && (l->first == 0 || parcel_at(w, l->first)->serial > c->serial))
        bump(l);
    if (is_answered && a->error == LZ_BROKER_NOT_LEADER)
        l->leader = LZ_BROKER_NOBODY; // until it is known again
    retry(w, p, c, how != LZ_RPC_REFUSED, outcome_of(how));
}

static void ended(struct lz_world *w, const struct lz_rpc *rpc, enum lz_rpc_end how)
{
    uint32_t id = (uint32_t)rpc->owner, node = (uint32_t)(rpc->owner >> 32);
    struct producer *p = producer_at(w, id);
    const struct lz_broker *b = broker_of(p);
    struct peer *peer = &p->peers[node];
    if (p->opts.acks != LZ_ACKS_NONE) {
        LZ_ASSERT(peer->in_flight > 0);
        peer->in_flight--;
    }
    bool has_failed = how != LZ_RPC_ANSWERED;
    for (uint32_t i = (uint32_t)rpc->says; i != 0;) {
        const struct lz_append *a = lz_pool_at(&b->appends, i);
        struct parcel *c = parcel_of(w, a);
        i = a->next;
        has_failed = has_failed || a->error != LZ_BROKER_OK;
        if (c != NULL && c->rpc == lz_pool_id(rpc) && c->state == IN_THE_AIR)
            judge(w, p, c, a, how);
    }
    if (has_failed)
        ask_who_leads(w, p, id);
    if (how != LZ_RPC_ANSWERED)
        connect_later(w, p, id, node);
    send_to(w, p, node);
}

static void arrived(struct lz_world *w, struct lz_rpc *rpc)
{
    struct lz_broker *b = lz_broker_of(w, rpc->to);
    uint32_t node = lz_broker_node_of(b, rpc->to);
    for (uint32_t i = (uint32_t)rpc->says; i != 0;) {
        struct lz_append *a = lz_pool_at(&b->appends, i);
        i = a->next; // answering the last one frees them
        lz_append_begin(w, b, node, a);
    }
}

// What was taken for written and never came to the log.
static void dropped(struct lz_world *w, struct lz_rpc *rpc)
{
    struct lz_broker *b = lz_broker_of(w, rpc->to);
    for (uint32_t i = (uint32_t)rpc->says; i != 0;) {
        struct lz_append *a = lz_pool_at(&b->appends, i);
        i = a->next;
        struct lz_topic *topic = b->partitions[a->partition]->topic;
        if (a->acks == LZ_ACKS_NONE && a->batch == 0) {
            lz_recorder_log_lost(w, topic->id, a->sent);
            lz_topic_lost(w, topic, a->count);
        }
        lz_append_free(w, b, a);
    }
}

void lz_producer_appended(struct lz_world *w, uint64_t parcel, const struct lz_batch *batch)
{
    struct parcel *c = lz_pool_find(&w->producers->parcels, parcel);
    if (c == NULL)
        return;
    c->batch = lz_pool_id(batch);
    c->offset = batch->offset;
}

bool lz_producer_is_again(const struct lz_world *w, uint64_t parcel, const struct lz_replica *r,
                          const struct lz_pool *batches)
{
    const struct parcel *c = lz_pool_find(&w->producers->parcels, parcel);
    if (c == NULL || c->batch == 0)
        return false;
    const struct lz_batch *batch = lz_pool_find(batches, c->batch);
    return batch != NULL ? lz_plog_has(&r->log, batch) : c->offset < r->log.start;
}

// ---- records

// Another partition, of those with a leader as far as is known.
static void move(struct lz_world *w, struct producer *p)
{
    uint32_t led = 0, n = p->topic->opts.partitions;
    for (uint32_t i = 0; i < n; i++)
        led += p->lanes[i].leader != LZ_BROKER_NOBODY;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), p->path, LZ_PURPOSE_BALANCE, ++p->moves);
    uint64_t nth = lz_draw_below(&draw, led > 0 ? led : n);
    for (uint32_t i = 0; i < n; i++) {
        if (led > 0 && p->lanes[i].leader == LZ_BROKER_NOBODY)
            continue;
        if (nth-- == 0) {
            p->sticky = i;
            break;
        }
    }
    p->sticky_bytes = 0.0;
}

static uint32_t partition_of(struct lz_world *w, struct producer *p, uint64_t key, bool is_bot)
{
    if (p->has_keys && !is_bot)
        return lz_murmur_partition(key, p->topic->opts.partitions);
    if (p->sticky_bytes >= p->opts.batch_size || p->lanes[p->sticky].leader == LZ_BROKER_NOBODY)
        move(w, p);
    p->sticky_bytes += p->record_bytes;
    return p->sticky;
}

static struct parcel *open_parcel(struct lz_world *w, struct producer *p, uint32_t id,
                                  uint32_t partition)
{
    struct lane *l = &p->lanes[partition];
    struct parcel *c = l->last != 0 ? parcel_at(w, l->last) : NULL;
    if (c != NULL && c->state == OPEN && c->bytes + p->record_bytes <= p->opts.batch_size)
        return c;
    if (c != NULL && c->state == OPEN) {
        c->state = WAITING;
        c->is_ready = true;
    }
    c = lz_pool_take_sized(&w->producers->parcels, sizeof(*c));
    c->producer = id;
    c->partition = partition;
    c->at = lz_sim_now(w->sim);
    c->serial = ++p->serials;
    c->is_ready = p->opts.linger == 0;
    uint64_t handle = lz_pool_id(c);
    if (p->opts.linger > 0)
        c->linger = lz_sim_arm(w->sim, p->linger, p->client, handle);
    c->expiry = lz_sim_arm(w->sim, p->expiry, p->client, handle);
    link_in_order(w, l, c);
    return c;
}

void lz_producer_send(struct lz_world *w, lz_producer_id id, const struct lz_producer_record *r)
{
    struct producer *p = producer_at(w, id);
    if (p->buffered + p->record_bytes > p->opts.buffer) {
        lz_traffic_recorded(w, p->traffic,
                            &(struct lz_traffic_record){.latency = lz_sim_now(w->sim) - r->intended,
                                                        .outcome = LZ_OUTCOME_REFUSED,
                                                        .agent = r->agent,
                                                        .is_bot = r->is_bot});
        return;
    }
    uint32_t partition = partition_of(w, p, r->key, r->is_bot);
    struct parcel *c = open_parcel(w, p, id, partition);
    c->records = lz_grow(w->arena, c->records, &c->room, c->count + 1, sizeof(*c->records));
    c->records[c->count++] = *r;
    c->bytes += p->record_bytes;
    p->buffered += p->record_bytes;
    c->is_ready = c->is_ready || c->bytes + p->record_bytes > p->opts.batch_size;
    uint32_t leader = p->lanes[partition].leader;
    if (leader == LZ_BROKER_NOBODY)
        ask_who_leads(w, p, id);
    else if (p->lanes[partition].first != 0 && parcel_at(w, p->lanes[partition].first)->is_ready)
        send_to(w, p, leader);
}

// ---- declaring

static bool check(const struct lz_producer_create *o, struct lz_err *err)
{
    const struct lz_producer_opts *p = o->opts;
    bool is_on = p->idempotence == LZ_IDEMPOTENCE_ON;
    double record = (double)(o->edge->size > 0 ? o->edge->size : LZ_CALL_SIZE);
    if (is_on && p->acks != LZ_ACKS_ALL)
        return lz_fail(err, LZ_EINVAL,
                       "an idempotent producer needs acks = \"all\": what was acknowledged must "
                       "still be there when its retry comes");
    if (is_on && o->edge->retries == 0)
        return lz_fail(err, LZ_EINVAL,
                       "idempotent is about retries, and there are none: write retries = 5");
    if (is_on && p->max_in_flight > IN_FLIGHT)
        return lz_fail(err, LZ_ERANGE,
                       "max_in_flight of an idempotent producer must be at most %d, got %u",
                       IN_FLIGHT, p->max_in_flight);
    if (record > REQUEST_BYTES)
        return lz_fail(err, LZ_ERANGE,
                       "size of a record must be at most 1 MiB (max.request.size), got %.4g MiB",
                       record / REQUEST_BYTES);
    return true;
}

static void fill_defaults(struct producer *p)
{
    struct lz_producer_opts *o = &p->opts;
    if (!(o->batch_size > 0.0))
        o->batch_size = BATCH_BYTES;
    if (o->max_in_flight == 0)
        o->max_in_flight = IN_FLIGHT;
    if (!(o->buffer > 0.0))
        o->buffer = BUFFER_BYTES;
    if (p->edge.timeout == 0)
        p->edge.timeout = 60 * LZ_S;
    if (p->edge.overall_timeout == 0)
        p->edge.overall_timeout = DELIVERY_NS;
    if (p->edge.backoff.base == 0)
        p->edge.backoff.base = 100 * LZ_MS;
    if (p->edge.backoff.max == 0)
        p->edge.backoff.max = LZ_BACKOFF_MAX;
}

bool lz_producer_create(struct lz_world *w, const struct lz_producer_create *create,
                        lz_producer_id *id, struct lz_err *err)
{
    if (!check(create, err))
        return false;
    struct lz_producers *ps = w->producers;
    if (ps->count == PRODUCERS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %u producers", PRODUCERS_MAX);
    ps->all = lz_grow(w->arena, ps->all, &ps->cap, ps->count + 2, sizeof(struct producer *));
    struct producer *p = lz_arena_alloc(w->arena, sizeof(*p));
    *id = ++ps->count;
    ps->all[*id] = p;
    *p = (struct producer){
        .traffic = create->traffic,
        .topic = lz_topic_at(w, create->topic),
        .client = create->client,
        .opts = *create->opts,
        .edge = *create->edge,
        .has_keys = create->has_keys,
        .path = lz_draw_name(lz_world_component(w, create->traffic)->path, "producer")};
    fill_defaults(p);
    struct lz_broker *b = broker_of(p);
    p->record_bytes = (double)(p->edge.size > 0 ? p->edge.size : LZ_CALL_SIZE);
    bool is_default =
        p->opts.acks == LZ_ACKS_ALL && p->edge.retries > 0 && p->opts.max_in_flight <= IN_FLIGHT;
    if (p->opts.idempotence == LZ_IDEMPOTENCE_ON ||
        (p->opts.idempotence == LZ_IDEMPOTENCE_DEFAULT && is_default))
        p->number = ++b->producers;
    p->lanes = lz_arena_alloc(w->arena, p->topic->opts.partitions * sizeof(*p->lanes));
    for (uint32_t i = 0; i < p->topic->opts.partitions; i++) {
        p->lanes[i].leader = b->partitions[p->topic->first + i]->was_led_by;
        p->lanes[i].epoch = 1;
    }
    p->peers = lz_arena_alloc(w->arena, b->opts.nodes * sizeof(*p->peers));
    if (p->opts.linger > 0)
        p->linger = lz_sim_lane(w->sim, p->opts.linger, ps->linger);
    p->expiry = lz_sim_lane(w->sim, p->edge.overall_timeout, ps->expiry);
    move(w, p);
    return true;
}

void lz_producer_init(struct lz_world *w)
{
    static const struct lz_rpc_ops ops = {.arrived = arrived, .ended = ended, .dropped = dropped};
    struct lz_producers *ps = w->producers = lz_arena_alloc(w->arena, sizeof(*ps));
    lz_pool_init(&ps->parcels, w->arena, sizeof(struct parcel));
    lz_rpc_serve(w, LZ_RPC_PRODUCE, &ops);
    ps->linger = lz_sim_kind(w->sim, "producer.linger", on_linger, w);
    ps->expiry = lz_sim_kind(w->sim, "producer.expiry", on_expiry, w);
    ps->again = lz_sim_kind(w->sim, "producer.again", on_again, w);
    ps->connect = lz_sim_kind(w->sim, "producer.connect", on_connect, w);
    ps->refresh = lz_sim_kind(w->sim, "producer.refresh", on_refresh, w);
}
