#include "model/broker/transactor.h"

#include <string.h>

#include "base/grow.h"
#include "model/broker/murmur.h"
#include "model/history/recorder_log.h"
#include "model/net/net.h"
#include "model/traffic/traffic.h"

#define AGAIN_NS (100 * LZ_MS)     // retry.backoff.ms
#define CONCURRENT_NS (20 * LZ_MS) // ADD_PARTITIONS_RETRY_BACKOFF_MS, until the markers are written
#define REQUEST_BYTES (1024 * 1024) // max.request.size

enum phase { OUT, IDLE, WRITING, ENDING, FENCED };

// One batch of a transaction, to one partition.
struct write {
    uint32_t partition; // of the broker
    uint32_t count;
    uint32_t sent; // as recorder_log.h numbers it
    uint64_t rpc;  // under way; 0: it is not
    uint64_t batch, offset;
    bool is_done;
};

_Static_assert(LZ_BROKER_NODES_MAX <= 64, "a bit of `down` each");

struct lz_transactor {
    struct lz_producer *p;
    lz_producer_id id;
    struct lz_transaction *t;
    struct lz_topic *topics[1 + LZ_PRODUCER_ALSO_MAX];
    uint32_t topic_count;
    uint8_t phase;
    bool commits;
    bool is_told; // the requests of the transaction, that it took too long
    uint32_t epoch, serial;
    uint64_t begun;                         // transactions, over all epochs: numbers their draws
    struct lz_producer_record *queue, *now; // those that wait; those of the transaction
    uint32_t queue_count, queue_cap, now_count;
    struct write *writes;
    uint32_t write_count, write_cap;
    struct lz_rpc_way *ways; // by node
    uint64_t down;           // bits of nodes to which a connection is yet to be opened
    uint64_t rpc;            // to the coordinator
    lz_event_id again, deadline;
};

static void go(struct lz_world *w, struct lz_transactor *x);

static struct lz_transactor *at(const struct lz_world *w, uint64_t owner)
{
    return lz_producer_at(w, (uint32_t)owner)->transactor;
}

static struct lz_broker *broker_of(const struct lz_transactor *x)
{
    return lz_producer_broker(x->p);
}

lz_time lz_transactor_limit(const struct lz_world *w, lz_producer_id id)
{
    return lz_producer_at(w, id)->opts.transaction_timeout;
}

static void later_by(struct lz_world *w, struct lz_transactor *x, lz_time delay)
{
    if (x->again == 0)
        x->again = lz_sim_at(w->sim, lz_sim_now(w->sim) + delay, w->producers->transact_again,
                             x->p->client, x->id);
}

static void later(struct lz_world *w, struct lz_transactor *x)
{
    later_by(w, x, AGAIN_NS);
}

// ---- who waits is told

static void tell(struct lz_world *w, const struct lz_transactor *x,
                 const struct lz_producer_record *records, uint32_t count, enum lz_outcome outcome)
{
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < count; i++)
        lz_traffic_recorded(w, x->p->traffic,
                            &(struct lz_traffic_record){.latency = now - records[i].intended,
                                                        .outcome = outcome,
                                                        .agent = records[i].agent,
                                                        .is_bot = records[i].is_bot});
}

// Who hears of it may send the next request at once: the transaction is over before.
static void tell_all(struct lz_world *w, struct lz_transactor *x, enum lz_outcome outcome)
{
    struct lz_producer_record *records = x->now;
    uint32_t count = x->now_count;
    bool was_told = x->is_told;
    x->now = NULL;
    x->now_count = 0;
    x->p->buffered -= count * x->p->record_bytes;
    if (!was_told)
        tell(w, x, records, count, outcome);
    if (count > 0)
        lz_arena_free(w->arena, records, count * sizeof(*records));
}

static void take_from_queue(struct lz_transactor *x, uint32_t count)
{
    x->queue_count -= count;
    memmove(x->queue, x->queue + count, x->queue_count * sizeof(*x->queue));
}

// One by one: who is told may send another.
static void fail_queue(struct lz_world *w, struct lz_transactor *x, lz_time before,
                       enum lz_outcome outcome)
{
    while (x->queue_count > 0 && x->queue[0].intended <= before) {
        struct lz_producer_record first = x->queue[0];
        take_from_queue(x, 1);
        x->p->buffered -= x->p->record_bytes;
        tell(w, x, &first, 1, outcome);
    }
}

// ---- a transaction is over

static void accept(struct lz_world *w, const struct lz_transactor *x)
{
    const struct lz_broker *b = broker_of(x);
    for (uint32_t i = 0; i < x->write_count; i++) {
        const struct write *wr = &x->writes[i];
        struct lz_partition *p = b->partitions[wr->partition];
        lz_metrics_add(w->metrics, p->topic->series.acked, wr->count);
        struct lz_batch *batch = lz_pool_find(&b->batches, wr->batch);
        if (batch != NULL) {
            lz_topic_accepted(w, p, batch);
        } else if (wr->offset >= p->replicas[0].log.start) { // gone before it was committed
            lz_recorder_log_lost(w, p->topic->id, wr->sent);
            lz_topic_lost(w, p->topic, wr->count);
        }
        if (wr->sent != 0)
            lz_recorder_log_answered(w, p->topic->id, wr->sent, &wr->offset);
    }
}

enum fate { COMMITTED, ABORTED, UNKNOWN };

static void over(struct lz_world *w, struct lz_transactor *x, enum fate fate, enum phase next)
{
    const struct lz_broker *b = broker_of(x);
    if (fate == COMMITTED)
        accept(w, x);
    for (uint32_t i = 0; i < x->write_count; i++) {
        const struct write *wr = &x->writes[i];
        lz_component_id topic = b->partitions[wr->partition]->topic->id;
        lz_rpc_forget(w, wr->rpc);
        if (fate == ABORTED && wr->sent != 0)
            lz_recorder_log_aborted(w, topic, wr->sent);
        else if (fate == UNKNOWN && wr->sent != 0)
            lz_recorder_log_gave_up(w, topic, wr->sent);
    }
    x->write_count = 0;
    x->phase = (uint8_t)next;
    tell_all(w, x, fate == COMMITTED ? LZ_OUTCOME_OK : LZ_OUTCOME_ERROR);
    go(w, x);
}

static void fenced(struct lz_world *w, struct lz_transactor *x)
{
    lz_instance_note(w, x->p->client, "fenced", "another producer has its transactional id, %s",
                     x->p->opts.transactional_id);
    lz_metrics_add(w->metrics, broker_of(x)->series.fenced, 1);
    bool may_count = x->phase == ENDING && x->commits; // asked before, and not answered
    over(w, x, may_count ? UNKNOWN : ABORTED, FENCED);
}

static void end(struct lz_world *w, struct lz_transactor *x, bool commits)
{
    LZ_ASSERT(x->phase == WRITING);
    for (uint32_t i = 0; i < x->write_count; i++) {
        lz_rpc_forget(w, x->writes[i].rpc);
        x->writes[i].rpc = 0;
    }
    x->commits = commits;
    x->phase = ENDING;
    go(w, x);
}

// ---- time

static void watch(struct lz_world *w, struct lz_transactor *x)
{
    const struct lz_producer_record *oldest = x->now_count > 0 && !x->is_told ? x->now
                                              : x->queue_count > 0            ? x->queue
                                                                              : NULL;
    if (x->deadline == 0 && oldest != NULL)
        x->deadline = lz_sim_at(w->sim, oldest->intended + x->p->edge.overall_timeout,
                                w->producers->transact_expiry, x->p->client, x->id);
}

static void on_expiry(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct lz_transactor *x = at(w, payload);
    lz_time before = lz_sim_now(w->sim) - x->p->edge.overall_timeout;
    x->deadline = 0;
    if (x->now_count > 0 && !x->is_told && x->now[0].intended <= before) {
        x->is_told = true; // the end of it goes on
        tell(w, x, x->now, x->now_count, LZ_OUTCOME_TIMEOUT);
        if (x->phase == WRITING)
            end(w, x, false);
    }
    fail_queue(w, x, before, LZ_OUTCOME_TIMEOUT);
    watch(w, x);
}

static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct lz_transactor *x = at(w, payload);
    x->again = 0;
    if (x->phase == FENCED)
        fail_queue(w, x, lz_sim_now(w->sim), LZ_OUTCOME_ERROR);
    go(w, x);
}

// ---- writing

static bool is_for(const struct lz_transactor *x, const struct lz_producer_record *r,
                   const struct lz_topic *topic, uint32_t sticky, uint32_t partition)
{
    uint32_t n = topic->opts.partitions;
    bool has_key = x->p->has_keys && !r->is_bot;
    return topic->first + (has_key ? lz_murmur_partition(r->key, n) : sticky) == partition;
}

static uint32_t sticky_of(struct lz_world *w, const struct lz_transactor *x,
                          const struct lz_topic *topic)
{
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(x->p->path, topic->id),
                                        LZ_PURPOSE_BALANCE, x->begun);
    return (uint32_t)lz_draw_below(&draw, topic->opts.partitions);
}

static struct lz_record *records_for(struct lz_world *w, const struct lz_transactor *x,
                                     const struct write *wr)
{
    const struct lz_topic *topic = broker_of(x)->partitions[wr->partition]->topic;
    struct lz_record *out = lz_arena_alloc(w->arena, wr->count * sizeof(*out));
    uint32_t count = 0, sticky = sticky_of(w, x, topic);
    for (uint32_t i = 0; i < x->now_count; i++)
        if (is_for(x, &x->now[i], topic, sticky, wr->partition))
            out[count++] = (struct lz_record){.key = x->now[i].key};
    LZ_ASSERT(count == wr->count);
    return out;
}

static void add_write(struct lz_world *w, struct lz_transactor *x, uint32_t partition)
{
    for (uint32_t i = 0; i < x->write_count; i++)
        if (x->writes[i].partition == partition) {
            x->writes[i].count++;
            return;
        }
    x->writes = lz_grow(w->arena, x->writes, &x->write_cap, x->write_count + 1, sizeof(*x->writes));
    x->writes[x->write_count++] = (struct write){.partition = partition, .count = 1};
}

// So many requests that a batch of all of them is one that brokers take.
static uint32_t together(const struct lz_transactor *x)
{
    double fit = REQUEST_BYTES / x->p->record_bytes;
    uint32_t most = fit < 1.0 ? 1 : fit < LZ_TRANSACTOR_BATCH ? (uint32_t)fit : LZ_TRANSACTOR_BATCH;
    return x->queue_count < most ? x->queue_count : most;
}

static void begin(struct lz_world *w, struct lz_transactor *x)
{
    LZ_ASSERT(x->phase == IDLE && x->write_count == 0 && x->now_count == 0);
    uint32_t n = together(x);
    x->now = lz_arena_alloc(w->arena, n * sizeof(*x->now));
    memcpy(x->now, x->queue, n * sizeof(*x->now));
    x->now_count = n;
    take_from_queue(x, n);
    x->is_told = false;
    x->serial++;
    x->begun++;
    x->phase = WRITING;
    for (uint32_t k = 0; k < x->topic_count; k++) {
        const struct lz_topic *topic = x->topics[k];
        uint32_t sticky = sticky_of(w, x, topic);
        for (uint32_t i = 0; i < n; i++) {
            bool has_key = x->p->has_keys && !x->now[i].is_bot;
            add_write(w, x,
                      topic->first +
                          (has_key ? lz_murmur_partition(x->now[i].key, topic->opts.partitions)
                                   : sticky));
        }
    }
}

static struct lz_append *append_of(struct lz_world *w, struct lz_transactor *x, struct write *wr)
{
    struct lz_broker *b = broker_of(x);
    struct lz_topic *topic = b->partitions[wr->partition]->topic;
    struct lz_append *a = lz_pool_take_sized(&b->appends, sizeof(*a));
    a->partition = wr->partition;
    a->count = wr->count;
    a->bytes = (uint64_t)(wr->count * x->p->record_bytes);
    a->at = lz_sim_now(w->sim);
    a->acks = LZ_ACKS_ALL;
    a->transaction = lz_transaction_index(x->t) + 1;
    a->producer_epoch = x->epoch;
    a->sequence = x->serial; // a retry is the same batch
    if (wr->sent == 0 && lz_recorder_log_is_on(w, topic->id))
        wr->sent = lz_recorder_log_send(
            w, topic->id,
            &(struct lz_recorder_send){
                .producer = x->id, .partition = wr->partition - topic->first, .count = wr->count});
    a->sent = wr->sent;
    if (topic->keeps_records) {
        a->records = records_for(w, x, wr);
        a->record_room = wr->count;
    }
    return a;
}

// Over a connection that is open it asks, and silence is noticed by its timeout; then it needs
// another one.
static bool can_ask(struct lz_world *w, struct lz_transactor *x, uint32_t node)
{
    if (node == LZ_BROKER_NOBODY)
        return false;
    if ((x->down >> node & 1u) == 0)
        return true;
    bool is_open = lz_net_can_ask(w, x->p->client, broker_of(x)->first + node);
    x->down &= ~((uint64_t)is_open << node);
    return is_open;
}

static void failed(struct lz_world *w, struct lz_transactor *x, const struct lz_rpc *r)
{
    x->down |= 1ull << lz_broker_node_of(broker_of(x), r->to);
    later(w, x);
}

static void send_write(struct lz_world *w, struct lz_transactor *x, uint32_t nth)
{
    struct lz_broker *b = broker_of(x);
    struct write *wr = &x->writes[nth];
    const struct lz_partition *p = b->partitions[wr->partition];
    uint32_t node = p->leader == LZ_BROKER_NOBODY ? p->leader : p->replicas[p->leader].node;
    if (!can_ask(w, x, node)) {
        later(w, x);
        return;
    }
    struct lz_append *a = append_of(w, x, wr);
    wr->rpc = lz_rpc_send(w, &(struct lz_rpc_send){.kind = LZ_RPC_WRITE,
                                                   .from = x->p->client,
                                                   .to = b->first + node,
                                                   .way = &x->ways[node],
                                                   .path = lz_draw_index(x->p->path, node),
                                                   .owner = (uint64_t)nth << 32 | x->id,
                                                   .says = a->head.index,
                                                   .bytes = a->bytes,
                                                   .timeout = x->p->edge.timeout});
    a->rpc = wr->rpc;
}

static void write_all(struct lz_world *w, struct lz_transactor *x)
{
    bool is_done = true;
    for (uint32_t i = 0; i < x->write_count; i++) {
        is_done = is_done && x->writes[i].is_done;
        if (!x->writes[i].is_done && x->writes[i].rpc == 0)
            send_write(w, x, i);
    }
    if (!is_done)
        return;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), x->p->path, LZ_PURPOSE_ERROR, x->begun);
    end(w, x, lz_draw_unit(&draw) >= x->p->opts.aborts);
}

static void write_arrived(struct lz_world *w, struct lz_rpc *r)
{
    struct lz_broker *b = lz_broker_of(w, r->to);
    struct lz_append *a = lz_pool_at(&b->appends, (uint32_t)r->says);
    a->error = (uint16_t)lz_transaction_takes(w, r, a);
    if (a->error != LZ_BROKER_OK)
        lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
    else
        lz_append_begin(w, b, lz_broker_node_of(b, r->to), a);
}

static void write_dropped(struct lz_world *w, struct lz_rpc *r)
{
    struct lz_broker *b = lz_broker_of(w, r->to);
    lz_append_free(w, b, lz_pool_at(&b->appends, (uint32_t)r->says));
}

static void write_ended(struct lz_world *w, const struct lz_rpc *r, enum lz_rpc_end how)
{
    struct lz_transactor *x = at(w, r->owner);
    struct write *wr = &x->writes[r->owner >> 32];
    const struct lz_append *a = lz_pool_at(&broker_of(x)->appends, (uint32_t)r->says);
    LZ_ASSERT(x->phase == WRITING && wr->rpc == lz_pool_id(r));
    wr->rpc = 0;
    if (how != LZ_RPC_ANSWERED) {
        failed(w, x, r);
    } else if (a->error == LZ_BROKER_OK) {
        wr->is_done = true;
        wr->batch = a->batch;
        wr->offset = a->end - a->count;
        go(w, x);
    } else if (a->error == LZ_BROKER_FENCED) {
        fenced(w, x);
    } else if (a->error == LZ_BROKER_UNKNOWN_MEMBER) {
        over(w, x, ABORTED, OUT); // it was open for too long
    } else {
        later_by(w, x, a->error == LZ_BROKER_CONCURRENT ? CONCURRENT_NS : AGAIN_NS);
    }
}

// ---- the coordinator

static void ask(struct lz_world *w, struct lz_transactor *x, enum lz_transactor_op op)
{
    uint32_t node = lz_transaction_node(x->t);
    if (x->rpc != 0)
        return;
    if (!can_ask(w, x, node)) {
        later(w, x);
        return;
    }
    x->rpc = lz_rpc_send(
        w, &(struct lz_rpc_send){.kind = LZ_RPC_TRANSACT,
                                 .from = x->p->client,
                                 .to = broker_of(x)->first + node,
                                 .way = &x->ways[node],
                                 .path = lz_draw_index(x->p->path, node),
                                 .owner = (uint64_t)lz_transaction_index(x->t) << 32 | x->id,
                                 .says = lz_transactor_says(op, x->epoch, x->serial),
                                 .timeout = x->p->edge.timeout});
}

static void answered(struct lz_world *w, struct lz_transactor *x, const struct lz_rpc *r)
{
    if (r->error == LZ_BROKER_FENCED) {
        fenced(w, x);
    } else if (r->error == LZ_BROKER_UNKNOWN_MEMBER) {
        over(w, x, ABORTED, OUT);
    } else if (r->error != LZ_BROKER_OK) {
        later(w, x);
    } else if (x->phase == OUT) {
        x->epoch = lz_transactor_epoch(r->says);
        x->serial = 0;
        x->phase = IDLE;
        go(w, x);
    } else {
        over(w, x, x->commits ? COMMITTED : ABORTED, IDLE);
    }
}

static void ended(struct lz_world *w, const struct lz_rpc *r, enum lz_rpc_end how)
{
    struct lz_transactor *x = at(w, r->owner);
    LZ_ASSERT(x->rpc == lz_pool_id(r) && (x->phase == OUT || x->phase == ENDING));
    x->rpc = 0;
    if (how == LZ_RPC_ANSWERED)
        answered(w, x, r);
    else
        failed(w, x, r);
}

static void go(struct lz_world *w, struct lz_transactor *x)
{
    if (x->phase == IDLE && x->queue_count > 0)
        begin(w, x);
    if (x->phase == OUT && x->queue_count > 0)
        ask(w, x, LZ_TRANSACTOR_INIT);
    else if (x->phase == WRITING)
        write_all(w, x);
    else if (x->phase == ENDING)
        ask(w, x, x->commits ? LZ_TRANSACTOR_COMMIT : LZ_TRANSACTOR_ABORT);
    else if (x->phase == FENCED && x->queue_count > 0)
        later(w, x);
    watch(w, x);
}

void lz_transactor_send(struct lz_world *w, struct lz_producer *p,
                        const struct lz_producer_record *record)
{
    struct lz_transactor *x = p->transactor;
    p->buffered += p->record_bytes;
    x->queue = lz_grow(w->arena, x->queue, &x->queue_cap, x->queue_count + 1, sizeof(*x->queue));
    x->queue[x->queue_count++] = *record;
    if (x->phase != WRITING && x->phase != ENDING)
        go(w, x);
    else
        watch(w, x);
}

// ---- declaring

static void init(struct lz_world *w)
{
    static const struct lz_rpc_ops writes = {
        .arrived = write_arrived, .ended = write_ended, .dropped = write_dropped};
    static const struct lz_rpc_ops ops = {.arrived = lz_transaction_asked, .ended = ended};
    lz_rpc_serve(w, LZ_RPC_WRITE, &writes);
    lz_rpc_serve(w, LZ_RPC_TRANSACT, &ops);
    w->producers->transact_again = lz_sim_kind(w->sim, "transactor.again", on_again, w);
    w->producers->transact_expiry = lz_sim_kind(w->sim, "transactor.expiry", on_expiry, w);
}

static bool take_topics(const struct lz_world *w, struct lz_transactor *x, struct lz_err *err)
{
    const struct lz_producer_opts *o = &x->p->opts;
    x->topics[x->topic_count++] = x->p->topic;
    for (uint32_t i = 0; i < o->also_count; i++) {
        struct lz_topic *topic = lz_topic_at(w, o->also[i]);
        if (topic->broker != x->p->topic->broker)
            return lz_fail(err, LZ_EINVAL,
                           "also_to: a transaction is of one broker, and %s is on %s, not on %s",
                           topic->opts.name, topic->broker->opts.name,
                           x->p->topic->broker->opts.name);
        for (uint32_t k = 0; k < x->topic_count; k++)
            if (x->topics[k] == topic)
                return lz_fail(err, LZ_EINVAL, "also_to: %s is written to already",
                               topic->opts.name);
        x->topics[x->topic_count++] = topic;
    }
    return true;
}

bool lz_transactor_create(struct lz_world *w, lz_producer_id id, struct lz_err *err)
{
    struct lz_producer *p = lz_producer_at(w, id);
    struct lz_transactor *x = lz_arena_alloc(w->arena, sizeof(*x));
    *x = (struct lz_transactor){.p = p, .id = id};
    if (!take_topics(w, x, err) ||
        !lz_transaction_of_id(w, lz_producer_broker(p), p->opts.transactional_id, &x->t, err))
        return false;
    if (w->producers->transact_again == 0)
        init(w);
    x->ways = lz_arena_alloc(w->arena, broker_of(x)->opts.nodes * sizeof(*x->ways));
    p->opts.transactional_id = lz_arena_strdup(w->arena, p->opts.transactional_id);
    p->transactor = x;
    return true;
}
