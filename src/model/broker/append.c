/*
 * append.c — what producers write, at the leader.
 *
 *   arrived ──▶ on the disk ──written, in order──▶ in the log ──▶ answered (acks = leader)
 *      │                                               │
 *      └─ not the leader; too few in sync              └─▶ waits for the high watermark ──▶
 * answered
 *
 * An idempotent producer's records have the sequence that follows what the log has of it; what the
 * log has already is acknowledged and not written again; what would leave a gap is refused
 * (ProducerAppendInfo, OutOfOrderSequenceException). A higher producer epoch begins anew.
 *
 * With acks = all too few in sync refuse before writing, and an ISR that shrinks meanwhile refuses
 * after it (NotEnoughReplicasAfterAppend): such a record is in the log, and its retry, without
 * idempotence, is there twice.
 */
#include "base/check.h"
#include "model/broker/transaction.h"
#include "model/history/recorder_log.h"
#include "model/node/capacity.h"
#include "model/node/disk.h"
#include "model/node/life.h"
#include "model/service/task.h"

enum state { SENT, ON_DISK, COMMITTING, DONE };

// A write under way on a disk that is felt: what happens after it.
struct pending {
    struct lz_pool_head head;
    lz_kind done;
    uint64_t payload;
    lz_time wait;
};

static struct lz_append *find(const struct lz_broker *b, uint64_t id)
{
    return lz_pool_find(&b->appends, id);
}

static struct lz_append *at(const struct lz_broker *b, uint32_t index)
{
    return lz_pool_at(&b->appends, index);
}

// ---- disks

lz_time lz_append_write(struct lz_world *w, struct lz_broker *b, uint32_t node,
                        const struct lz_append_write *write)
{
    struct lz_capacity *c = lz_capacity_get(w, b->first + node);
    if (c->loss_count > 0)
        lz_capacity_touch(c);
    double wait_ns = (double)lz_dist_time(&b->opts.append, write->draw) * c->factor;
    lz_time now = lz_sim_now(w->sim), wait = (lz_time)(wait_ns + 0.5);
    lz_instance_id id = b->first + node;
    lz_time when = now + wait > write->not_before ? now + wait : write->not_before;
    if (!lz_disk_is_felt(w, id)) {
        lz_sim_at(w->sim, when, write->done, id, write->payload);
        return when;
    }
    struct pending *p = lz_pool_take(&w->brokers->writes);
    p->done = write->done;
    p->payload = write->payload;
    p->wait = when - now;
    lz_disk_start(w, id,
                  &(struct lz_disk_request){.op = LZ_DISK_WRITE,
                                            .owner = write->path,
                                            .done = w->brokers->disk_done,
                                            .failed = w->brokers->disk_failed,
                                            .payload = lz_pool_id(p)});
    return now;
}

static void on_disk_done(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct pending *p = lz_pool_find(&w->brokers->writes, payload);
    LZ_ASSERT(p != NULL);
    struct pending copy = *p;
    lz_pool_give(&w->brokers->writes, p);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + copy.wait, copy.done, entity, copy.payload);
}

// A broker whose only log directory fails halts.
static void on_disk_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct pending *p = lz_pool_find(&w->brokers->writes, payload);
    LZ_ASSERT(p != NULL);
    lz_pool_give(&w->brokers->writes, p);
    lz_life_crash(w, entity, "its log directory failed");
}

// ---- answers

static void answer_request(struct lz_world *w, struct lz_broker *b, uint64_t id)
{
    struct lz_rpc *rpc = lz_rpc_find(w, id);
    LZ_ASSERT(rpc != NULL);
    bool must_close = false;
    for (uint32_t i = (uint32_t)rpc->says; i != 0; i = at(b, i)->next) {
        const struct lz_append *a = at(b, i);
        if (a->state != DONE)
            return;
        must_close = must_close || (a->acks == LZ_ACKS_NONE && a->error != LZ_BROKER_OK);
    }
    if (must_close) // the only way to tell who waits for no answer (KafkaApis.handleProduceRequest)
        lz_rpc_close(w, rpc);
    else
        lz_rpc_answer(w, rpc, LZ_BROKER_OK, 0);
}

// The leader had it in its log, then it waited for the copies.
static void leave_trail(struct lz_world *w, const struct lz_topic *topic, const struct lz_append *a,
                        lz_instance_id leader)
{
    struct lz_trail trail = {.origin = a->origin,
                             .component = topic->id,
                             .instance = leader,
                             .partition = a->partition - topic->first,
                             .kind = LZ_TRAIL_APPEND,
                             .offset = a->end - a->count,
                             .start = a->arrived,
                             .end = a->written};
    lz_trail_add(w, &trail);
    if (a->acks != LZ_ACKS_ALL)
        return;
    trail.kind = LZ_TRAIL_REPLICATE;
    trail.has_failed = a->error != LZ_BROKER_OK;
    trail.start = a->written;
    trail.end = lz_sim_now(w->sim);
    lz_trail_add(w, &trail);
}

static void answer_call(struct lz_world *w, struct lz_broker *b, struct lz_append *a)
{
    struct lz_task *t = lz_task_find(w, a->task);
    bool is_good = a->error == LZ_BROKER_OK;
    struct lz_batch *batch = lz_pool_find(&b->batches, a->batch);
    if (t != NULL) {
        struct lz_topic *topic = b->partitions[a->partition]->topic;
        if (is_good && batch != NULL)
            batch->is_acked = true;
        lz_metrics_add(w->metrics, topic->series.acked, is_good);
        uint64_t offset = a->end - a->count;
        if (is_good)
            lz_recorder_log_answered(w, topic->id, a->sent, &offset);
        if (a->origin.request != 0 && a->written != 0)
            leave_trail(w, topic, a, t->server);
        t->value = 0;
        lz_task_answer(w, t, is_good ? LZ_OUTCOME_OK : LZ_OUTCOME_ERROR, is_good ? 200 : 503);
    }
    lz_append_free(w, b, a);
}

static void measure(struct lz_world *w, struct lz_partition *p, const struct lz_append *a)
{
    if (a->control != LZ_CONTROL_NONE)
        return; // nobody's record
    struct lz_measure *m = &p->topic->series.m;
    lz_time now = lz_sim_now(w->sim);
    bool is_good = a->error == LZ_BROKER_OK;
    lz_metrics_leave_on(w->metrics, m->in_flight_on, now, a->count);
    lz_metrics_add(w->metrics, m->outcomes, a->count);
    lz_metrics_add(w->metrics, is_good ? m->ok : m->failed, a->count);
    lz_metrics_observe(w->metrics, m->latency, now - a->arrived);
}

static void finish(struct lz_world *w, struct lz_broker *b, struct lz_append *a,
                   enum lz_broker_error error)
{
    LZ_ASSERT(a->state != DONE);
    a->error = (uint16_t)error;
    a->state = DONE;
    measure(w, b->partitions[a->partition], a);
    if (a->control != LZ_CONTROL_NONE) {
        lz_transaction_marked(w, b, a);
        lz_append_free(w, b, a);
    } else if (a->rpc != 0) {
        answer_request(w, b, a->rpc);
    } else {
        answer_call(w, b, a);
    }
}

void lz_append_free(struct lz_world *w, struct lz_broker *b, struct lz_append *a)
{
    if (a->record_room > 0)
        lz_arena_free(w->arena, a->records, a->record_room * sizeof(*a->records));
    lz_pool_give(&b->appends, a);
}

// ---- the two lines

static void push(const struct lz_broker *b, uint32_t *first, uint32_t *last, struct lz_append *a)
{
    a->next_in_line = 0;
    if (*last != 0)
        at(b, *last)->next_in_line = a->head.index;
    else
        *first = a->head.index;
    *last = a->head.index;
}

static struct lz_append *shift(const struct lz_broker *b, uint32_t *first, uint32_t *last)
{
    struct lz_append *a = at(b, *first);
    *first = a->next_in_line;
    if (*first == 0)
        *last = 0;
    return a;
}

static bool has_enough(const struct lz_partition *p, const struct lz_replica *r)
{
    return (uint32_t)__builtin_popcount(r->isr) >= p->topic->opts.min_isr;
}

void lz_append_commit(struct lz_world *w, struct lz_partition *p, struct lz_replica *r)
{
    struct lz_broker *b = p->broker;
    while (r->commit_first != 0 && at(b, r->commit_first)->end <= r->hw) {
        struct lz_append *a = shift(b, &r->commit_first, &r->commit_last);
        finish(w, b, a, has_enough(p, r) ? LZ_BROKER_OK : LZ_BROKER_NOT_ENOUGH_REPLICAS);
    }
}

void lz_append_fail_all(struct lz_world *w, struct lz_partition *p, struct lz_replica *r)
{
    struct lz_broker *b = p->broker;
    while (r->disk_first != 0)
        finish(w, b, shift(b, &r->disk_first, &r->disk_last), LZ_BROKER_NOT_LEADER);
    while (r->commit_first != 0)
        finish(w, b, shift(b, &r->commit_first, &r->commit_last), LZ_BROKER_NOT_LEADER);
}

// Connections break: nobody is answered. A request's appends go with it, a call's here.
static void forget(struct lz_world *w, struct lz_partition *p, struct lz_append *a)
{
    a->error = LZ_BROKER_NOT_LEADER;
    a->state = DONE;
    measure(w, p, a);
    if (a->control != LZ_CONTROL_NONE && a->mark_rpc == 0)
        lz_transaction_marked(w, p->broker, a);
    if (a->rpc == 0)
        lz_append_free(w, p->broker, a);
}

void lz_append_died(struct lz_world *w, struct lz_partition *p, struct lz_replica *r)
{
    struct lz_broker *b = p->broker;
    while (r->disk_first != 0)
        forget(w, p, shift(b, &r->disk_first, &r->disk_last));
    while (r->commit_first != 0)
        forget(w, p, shift(b, &r->commit_first, &r->commit_last));
    r->append_at = 0;
}

// ---- into the log

static const struct lz_batch *written_before(const struct lz_replica *r, const struct lz_append *a)
{
    for (uint32_t i = r->log.count; i > 0; i--) {
        const struct lz_batch *b = lz_plog_at(&r->log, i - 1);
        if (b->producer == a->producer && b->producer_epoch == a->producer_epoch &&
            b->sequence == a->sequence)
            return b;
    }
    return NULL;
}

static struct lz_batch *make_batch(struct lz_broker *b, const struct lz_replica *r,
                                   struct lz_append *a)
{
    struct lz_batch *batch = lz_pool_take_sized(&b->batches, sizeof(*batch));
    batch->count = a->count;
    batch->offset = r->log.end;
    batch->bytes = a->bytes;
    batch->sequence = a->sequence;
    batch->at = a->at;
    batch->epoch = r->epoch;
    batch->producer = a->producer;
    batch->producer_epoch = a->producer_epoch;
    batch->records = a->records;
    batch->record_room = a->record_room;
    batch->sent = a->sent;
    batch->origin = a->origin;
    batch->transaction = a->transaction;
    batch->nth = a->nth;
    batch->control = a->control;
    a->record_room = 0; // they are the log's now
    return batch;
}

static void put(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                struct lz_append *a)
{
    struct lz_broker *b = p->broker;
    struct lz_batch *batch = make_batch(b, r, a);
    batch->is_copy = a->parcel != 0 && lz_producer_is_again(w, a->parcel, r, &b->batches);
    batch->is_acked = a->acks == LZ_ACKS_NONE;
    a->batch = lz_pool_id(batch);
    a->end = lz_batch_end(batch);
    lz_replica_append(w, p, r, batch);
    if (a->control != LZ_CONTROL_NONE) {
        lz_transaction_appended(r, batch);
        return;
    }
    if (a->parcel != 0)
        lz_producer_appended(w, a->parcel, batch);
    lz_recorder_log_appended(w, p->topic->id, a->sent);
    lz_metrics_add(w->metrics, p->topic->series.appended, a->count);
    lz_metrics_add(w->metrics, p->topic->series.duplicates, batch->is_copy ? a->count : 0);
    if (w->brokers->holds != NULL)
        lz_hold_touched(w, p, a->count);
    if (p->topic->poison != NULL)
        lz_poison_appended(w, p->topic, p->number, batch);
}

// A transactional producer is an idempotent one: a call that was made again is there once.
static const struct lz_batch *called_before(const struct lz_replica *r, const struct lz_append *a)
{
    for (uint32_t i = r->log.count; i > 0; i--) {
        const struct lz_batch *b = lz_plog_at(&r->log, i - 1);
        if (b->transaction != a->transaction || b->control != LZ_CONTROL_NONE)
            continue;
        if (b->nth < a->nth)
            return NULL;
        if (b->nth == a->nth && b->sequence == a->sequence)
            return b;
    }
    return NULL;
}

// True if it is in the log now, or was already; else why not.
static bool take(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                 struct lz_append *a)
{
    if (a->producer == 0) {
        bool is_written = a->transaction != 0 && a->control == LZ_CONTROL_NONE;
        const struct lz_batch *b = is_written ? called_before(r, a) : NULL;
        if (b == NULL) {
            put(w, p, r, a);
            return true;
        }
        a->batch = lz_pool_id(b);
        a->end = lz_batch_end(b);
        return true;
    }
    const struct lz_sequence *s = lz_replica_sequence(w, r, a->producer);
    bool is_new = s->next == 0 || a->producer_epoch > s->epoch;
    if (!is_new && a->producer_epoch == s->epoch && a->sequence + a->count <= s->next) {
        const struct lz_batch *b = written_before(r, a);
        a->batch = b != NULL ? lz_pool_id(b) : 0;
        a->end = b != NULL ? lz_batch_end(b) : 0;
        return true;
    }
    if (!is_new && (a->producer_epoch != s->epoch || a->sequence != s->next))
        return false;
    put(w, p, r, a);
    return true;
}

static void append(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                   struct lz_append *a)
{
    struct lz_broker *b = p->broker;
    if (!take(w, p, r, a)) {
        finish(w, b, a, LZ_BROKER_OUT_OF_ORDER);
        return;
    }
    a->written = lz_sim_now(w->sim);
    bool waits = a->acks == LZ_ACKS_ALL && a->end > r->hw;
    if (waits) {
        a->state = COMMITTING;
        push(b, &r->commit_first, &r->commit_last, a);
    } else {
        finish(w, b, a, LZ_BROKER_OK);
    }
    lz_replica_advance(w, p, r);
    lz_copy_wake(w, p, r);
}

// Appends to one log are written one after the other, whatever the disk does.
static void on_written(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->brokers->written, payload))
        return;
    struct lz_broker *b = lz_broker_of(w, entity);
    struct lz_append *a = find(b, payload);
    if (a == NULL || a->state != ON_DISK)
        return;
    a->is_written = true;
    struct lz_partition *p = b->partitions[a->partition];
    struct lz_replica *r = lz_partition_on(p, lz_broker_node_of(b, entity));
    while (r->disk_first != 0 && at(b, r->disk_first)->is_written)
        append(w, p, r, shift(b, &r->disk_first, &r->disk_last));
}

void lz_append_begin(struct lz_world *w, struct lz_broker *b, uint32_t node, struct lz_append *a)
{
    LZ_ASSERT(a->state == SENT && a->count > 0);
    struct lz_partition *p = b->partitions[a->partition];
    struct lz_replica *r = lz_partition_on(p, node);
    struct lz_measure *m = &p->topic->series.m;
    a->arrived = lz_sim_now(w->sim);
    if (a->control == LZ_CONTROL_NONE)
        lz_metrics_enter_on(w->metrics, m->in_flight_on, a->arrived, a->count);
    if (r == NULL || !r->leads) {
        finish(w, b, a, LZ_BROKER_NOT_LEADER);
        return;
    }
    if (a->acks == LZ_ACKS_ALL && !has_enough(p, r)) {
        if (w->brokers->holds != NULL)
            lz_hold_touched(w, p, a->count);
        finish(w, b, a, LZ_BROKER_NOT_ENOUGH_REPLICAS);
        return;
    }
    a->state = ON_DISK;
    push(b, &r->disk_first, &r->disk_last, a);
    uint64_t nth = ++p->copies;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), p->path, LZ_PURPOSE_SERVICE, nth);
    r->append_at = lz_append_write(w, b, node,
                                   &(struct lz_append_write){.draw = &draw,
                                                             .path = lz_draw_index(p->path, nth),
                                                             .not_before = r->append_at,
                                                             .done = w->brokers->written,
                                                             .payload = lz_pool_id(a)});
}

void lz_append_init(struct lz_world *w)
{
    lz_pool_init(&w->brokers->writes, w->arena, sizeof(struct pending));
    w->brokers->written = lz_sim_kind(w->sim, "broker.written", on_written, w);
    w->brokers->disk_done = lz_sim_kind(w->sim, "broker.disk", on_disk_done, w);
    w->brokers->disk_failed = lz_sim_kind(w->sim, "broker.disk_failed", on_disk_failed, w);
}
