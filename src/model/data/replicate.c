#include "base/check.h"
#include "model/data/database_state.h"
#include "model/net/net.h"
#include "model/node/disk.h"
#include "model/service/argument.h"
#include "model/service/task.h"
#include "model/world_kinds.h"

struct lz_replication {
    lz_kind log, ack;
};

// What a log message and its confirmation say: LSN, node, timeline. One number, so that a
// message is an event like any other.
#define LSN_BITS 40
#define NODE_BITS 8

static uint64_t pack(const struct lz_database *d, uint64_t lsn, uint32_t node)
{
    LZ_ASSERT(lsn < 1ull << LSN_BITS);
    LZ_ASSERT(node < LZ_DATABASE_NODES_MAX);
    return lsn | (uint64_t)node << LSN_BITS | d->timeline << (LSN_BITS + NODE_BITS);
}

static uint64_t lsn_of(uint64_t payload)
{
    return payload & ((1ull << LSN_BITS) - 1);
}

static uint32_t node_of(uint64_t payload)
{
    return (uint32_t)(payload >> LSN_BITS) & ((1u << NODE_BITS) - 1);
}

static bool is_current(const struct lz_database *d, uint64_t payload)
{
    return payload >> (LSN_BITS + NODE_BITS) == (d->timeline & 0xffff);
}

static bool has_process(const struct lz_world *w, lz_instance_id id)
{
    return lz_instance_has_begun(lz_instance_get(w, id));
}

static void send(struct lz_world *w, const struct lz_database *d, uint32_t from, uint32_t to,
                 uint64_t lsn, lz_kind kind)
{
    uint32_t node = from == d->primary ? to : from;
    uint64_t owner = lz_draw_index(lz_draw_index(d->path, lsn), node);
    lz_net_send(w, &(struct lz_message){.from = d->first + from,
                                        .to = d->first + to,
                                        .kind = kind,
                                        .payload = pack(d, lsn, node),
                                        .owner = kind == w->replication->log ? owner : ~owner,
                                        .purpose = LZ_PURPOSE_LOG});
}

void lz_database_measure_lag(struct lz_world *w, struct lz_database *d)
{
    uint64_t last = d->nodes[d->primary].lsn, least = last;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (n != d->primary && d->nodes[n].lsn < least && has_process(w, d->first + n))
            least = d->nodes[n].lsn;
    const struct lz_wal_record *missing = lz_wal_get(&d->wal, least + 1);
    lz_time now = lz_sim_now(w->sim);
    double lag_s = missing != NULL && least < last ? (double)(now - missing->at) / 1e9 : 0.0;
    lz_metrics_set(w->metrics, d->series.lag_time, now, lag_s);
    lz_metrics_set(w->metrics, d->series.lag_records, now, (double)(last - least));
    // A primary without power may have to forget: what it would is kept.
    uint64_t durable = lz_disk_durable(w, d->first + d->primary, last);
    lz_wal_drop(&d->wal, least < durable ? least : durable);
}

static void acknowledge(struct lz_world *w, struct lz_database *d, struct lz_task *t, uint64_t lsn)
{
    struct lz_wal_record *r = lz_wal_get(&d->wal, lsn);
    if (r != NULL)
        r->acked = true;
    if (d->opts.read_replicas)
        lz_rows_put(&d->acked_rows, t->key, lsn, lsn);
    lz_metrics_add(w->metrics, d->series.acked, 1);
    t->value = lz_value_integer((int64_t)lsn);
    lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
}

static uint64_t commit_lsn(const struct lz_task *t)
{
    return (uint64_t)t->rest_ns;
}

static void wait_for_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                            uint64_t lsn)
{
    t->rest_ns = (lz_time)lsn;
    t->queue_prev = d->commit_last;
    t->queue_next = 0;
    if (d->commit_last != 0)
        lz_task_at(w, d->commit_last)->queue_next = t->head.index;
    else
        d->commit_first = t->head.index;
    d->commit_last = t->head.index;
}

void lz_database_forget_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (commit_lsn(t) == 0)
        return;
    t->rest_ns = 0;
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        d->commit_first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        d->commit_last = t->queue_prev;
}

// PostgreSQL's synchronous_standby_names = ANY 1: the most advanced standby decides.
static void commit_what_is_safe(struct lz_world *w, struct lz_database *d)
{
    uint64_t safe = 0;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (n != d->primary && d->nodes[n].acked > safe)
            safe = d->nodes[n].acked;
    while (d->commit_first != 0) {
        struct lz_task *t = lz_task_at(w, d->commit_first);
        uint64_t lsn = commit_lsn(t);
        if (lsn > safe)
            return;
        lz_database_forget_commit(w, d, t);
        acknowledge(w, d, t, lsn);
    }
}

// What the primary's disk has been asked to keep, and what it would keep.
static void note_flush(struct lz_world *w, struct lz_database *d, uint64_t lsn)
{
    lz_instance_id primary = d->first + d->primary;
    lz_disk_flushed(w, primary, lsn);
    double at_risk = (double)(lsn - lz_disk_durable(w, primary, lsn));
    if (at_risk > 0.0 || lz_metrics_level(w->metrics, d->series.unflushed) > 0.0)
        lz_metrics_set(w->metrics, d->series.unflushed, lz_sim_now(w->sim), at_risk);
}

void lz_database_write(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    LZ_ASSERT(d->is_writable);
    struct lz_database_node *p = &d->nodes[d->primary];
    lz_argument_id argument = lz_argument_of(w, t);
    lz_value value = argument != 0 ? lz_argument_to_value(w, argument)
                                   : lz_value_integer((int64_t)d->wal.last + 1);
    uint64_t lsn = lz_wal_append(&d->wal, t->key, &value, lz_sim_now(w->sim));
    LZ_ASSERT(lsn == p->lsn + 1);
    p->lsn = lsn;
    lz_rows_put(&p->rows, t->key, lsn, lz_wal_get(&d->wal, lsn)->value);
    note_flush(w, d, lsn);
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (n != d->primary && !d->nodes[n].is_stale && has_process(w, d->first + n))
            send(w, d, d->primary, n, lsn, w->replication->log);
    if (d->opts.sync)
        wait_for_commit(w, d, t, lsn);
    else
        acknowledge(w, d, t, lsn);
    lz_database_measure_lag(w, d);
}

static void on_log(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    if (lz_instance_defer(w, entity, w->replication->log, payload))
        return;
    uint32_t node = entity - d->first;
    struct lz_database_node *n = &d->nodes[node];
    if (!has_process(w, entity) || n->is_stale || !is_current(d, payload))
        return;
    uint64_t before = n->lsn;
    n->lsn = lz_wal_arrived(&d->wal, node, n->lsn, lsn_of(payload));
    if (n->lsn > before)
        lz_disk_flushed(w, entity, n->lsn);
    for (uint64_t lsn = before + 1; lsn <= n->lsn; lsn++) {
        const struct lz_wal_record *r = lz_wal_get(&d->wal, lsn);
        struct lz_change change = {.lsn = lsn, .key = r->key, .value = r->value, .image = r->image};
        n->engine->ops->apply(n->engine, &change, NULL);
    }
    if (n->lsn > before)
        send(w, d, node, d->primary, n->lsn, w->replication->ack);
}

static void on_ack(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    if (lz_instance_defer(w, entity, w->replication->ack, payload))
        return;
    if (!has_process(w, entity) || !is_current(d, payload) || entity != d->first + d->primary)
        return;
    struct lz_database_node *n = &d->nodes[node_of(payload)];
    if (lsn_of(payload) > n->acked)
        n->acked = lsn_of(payload);
    commit_what_is_safe(w, d);
    lz_database_measure_lag(w, d);
}

// Rebuilt from the primary (pg_rewind, pg_basebackup), whatever it had. The time the copy
// takes is not modelled.
void lz_database_rejoin(struct lz_world *w, struct lz_database *d, lz_instance_id node)
{
    uint32_t i = node - d->first;
    LZ_ASSERT(i != d->primary);
    struct lz_database_node *n = &d->nodes[i];
    LZ_ASSERT(n->is_stale);
    const struct lz_database_node *p = &d->nodes[d->primary];
    n->engine->ops->copy(n->engine, p->engine);
    n->lsn = p->lsn;
    n->is_stale = false;
    lz_disk_is_whole(w, node); // written anew
    lz_instance_note(w, node, "rejoined", "follows %s[%u]", d->opts.name, d->primary + 1);
    send(w, d, i, d->primary, n->lsn, w->replication->ack);
    lz_database_measure_lag(w, d);
}

void lz_replicate_init(struct lz_world *w)
{
    w->replication = lz_arena_alloc(w->arena, sizeof(*w->replication));
    w->replication->log = lz_sim_kind(w->sim, "log", on_log, w);
    w->replication->ack = lz_sim_kind(w->sim, "log.ack", on_ack, w);
}
