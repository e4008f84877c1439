#include "model/data/agree.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/consensus/consensus_member.h"
#include "model/consensus/raft_log.h"
#include "model/data/agree_state.h"
#include "model/data/query.h"
#include "model/data/sql/execute.h"
#include "model/data/standby.h"
#include "model/data/txn_state.h"
#include "model/history/recorder_txn.h"
#include "model/service/argument.h"
#include "model/service/task.h"

void lz_agree_drop(struct lz_world *w, struct lz_agree *a, struct lz_agree_commit *c)
{
    lz_image_release(c->image);
    lz_arena_free(w->arena, c->rows, c->count * sizeof(*c->rows));
    lz_pool_give(&a->commits, c);
}

// ---------------------------------------------------------------- what is committed

static void note_risk(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t index,
                      uint64_t writes)
{
    struct lz_agree *a = d->agree;
    if (lz_consensus_majority_keeps(w, d->id, node, index)) {
        a->risk_count = 0; // nor is what came before it
        return;
    }
    a->risks = lz_grow(w->arena, a->risks, &a->risk_cap, a->risk_count + 1, sizeof(*a->risks));
    uint64_t term = lz_consensus_term(w, d->id, node, index);
    a->risks[a->risk_count++] =
        (struct lz_agree_risk){.index = index, .term = term, .writes = writes};
}

static void note_acked(struct lz_world *w, struct lz_database *d, const struct lz_task *t,
                       uint64_t index, const struct lz_raft_entry *e)
{
    const struct lz_agree_commit *c =
        e->expect != 0 ? lz_pool_find(&d->agree->commits, e->expect) : NULL;
    if (c == NULL)
        lz_rows_put(&d->acked_rows, e->key, index, index);
    for (uint32_t i = 0; c != NULL && i < c->count; i++)
        lz_rows_put(&d->acked_rows, c->rows[i].key, index, index);
    uint64_t writes = c != NULL && c->count > 0 ? c->count : 1;
    lz_metrics_add(w->metrics, d->series.acked, writes);
    note_risk(w, d, t->server - d->first, index, writes);
    struct lz_agree *a = d->agree;
    if (c != NULL && c->image != NULL) {
        a->acked =
            lz_grow(w->arena, a->acked, &a->acked_cap, a->acked_count + 1, sizeof(*a->acked));
        a->acked[a->acked_count++] = index;
    }
    d->acked_last = index > d->acked_last ? index : d->acked_last;
    if (d->opts.read_replicas)
        lz_reads_wrote(w, d, t->request, index);
}

static void tell_recorder(struct lz_world *w, const struct lz_task *t, uint64_t index)
{
    const struct lz_txn *x = t->is_session ? lz_txn_find(w, t->key) : NULL;
    if (!t->is_session)
        lz_recorder_effect(w, t, index);
    if ((x != NULL && x->recorded != 0) || !t->is_session)
        lz_recorder_txn_committed(w, x, t, index);
}

static void acknowledge(struct lz_world *w, struct lz_database *d, uint32_t node, uint64_t index,
                        const struct lz_raft_entry *e)
{
    struct lz_task *t = e->request != 0 && e->node == node ? lz_task_find(w, e->request) : NULL;
    if (t == NULL || t->server != d->first + node || lz_database_commit_lsn(t) != index)
        return;
    t->rest_ns = 0;
    note_acked(w, d, t, index, e);
    t->value = lz_value_integer((int64_t)index);
    if (w->recorders != NULL)
        tell_recorder(w, t, index);
    lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
}

static void applied(struct lz_world *w, void *ctx, uint32_t node, uint64_t index,
                    const struct lz_raft_entry *e)
{
    struct lz_database *d = ctx;
    struct lz_agree *a = d->agree;
    struct lz_database_node *n = &d->nodes[node];
    bool has = lz_agree_apply(w, d, node, index);
    if (n->serial != NULL)
        lz_serial_show(n->serial, n->applied);
    acknowledge(w, d, node, index, e);
    struct lz_agree_commit *c = e->expect != 0 ? lz_pool_find(&a->commits, e->expect) : NULL;
    if (c == NULL || !has)
        return;
    c->applied |= 1u << node;
    uint32_t members = lz_consensus_members(w, d->id);
    bool may_come_back = false; // from the log of one, to another that lost it
    for (uint32_t i = 0; i < d->opts.nodes; i++)
        may_come_back = may_come_back || a->undos[i].count > 0;
    if ((c->applied & members) == members && !may_come_back)
        lz_agree_drop(w, a, c);
}

static void *save(struct lz_world *w, void *ctx, uint32_t node, void *old)
{
    (void)w;
    struct lz_database *d = ctx;
    struct lz_engine *engine = d->nodes[node].engine;
    if (old != NULL)
        engine->ops->drop(engine, old);
    return engine->ops->save(engine);
}

static void put_back(struct lz_world *w, void *ctx, uint32_t node, void *content, uint64_t index)
{
    struct lz_database *d = ctx;
    struct lz_database_node *n = &d->nodes[node];
    n->engine->ops->restore(n->engine, content);
    if (d->sql != NULL) { // its file says how far it is: not only to there
        struct lz_change none = {.lsn = index, .image = lz_image_create(w->arena, NULL, 0)};
        n->engine->ops->apply(n->engine, &none, NULL);
        lz_image_release((struct lz_image *)none.image);
        lz_execute_rebuilt(w, d, node);
    }
    lz_agree_forget_undos(d->agree, node);
    d->agree->put_back = node;
    d->agree->undos[node].floor = index;
    d->agree->applied[node] = n->lsn = n->applied = index;
}

static void forget(struct lz_world *w, void *ctx, uint32_t node)
{
    (void)w;
    struct lz_database *d = ctx;
    lz_agree_forget_undos(d->agree, node);
    d->agree->undos[node].floor = 0;
    d->agree->applied[node] = d->nodes[node].lsn = d->nodes[node].applied = 0;
}

// Readers expect what `node` has of what was acknowledged beyond `since`. How many keys that is?
static uint64_t forget_acked(struct lz_world *w, struct lz_database *d, uint32_t node,
                             uint64_t since)
{
    struct lz_rows old;
    lz_rows_init(&old, w->arena);
    lz_rows_copy(&old, &d->acked_rows);
    uint64_t lost = 0, at = 0, key = 0, version = 0;
    while (lz_rows_next(&old, &at, &key, &version)) {
        if (version <= since)
            continue;
        uint64_t now = lz_rows_get(&d->nodes[node].rows, key);
        lz_rows_put(&d->acked_rows, key, now, now);
        lost++;
    }
    lz_rows_finish(&old);
    return lost;
}

static uint64_t undone(struct lz_world *w, void *ctx, uint64_t since)
{
    struct lz_database *d = ctx;
    uint64_t lost = forget_acked(w, d, d->agree->put_back, since);
    for (uint32_t i = 0; i < d->agree->acked_count; i++)
        lost += d->agree->acked[i] > since;
    d->agree->acked_count = d->agree->risk_count = 0;
    lz_metrics_add(w->metrics, d->series.lost_acks, lost);
    return lost;
}

// ---------------------------------------------------------------- who leads

static void measure_leaders(struct lz_world *w, struct lz_database *d, uint32_t node, bool leads)
{
    struct lz_agree *a = d->agree;
    a->leaders = leads ? a->leaders | 1u << node : a->leaders & ~(1u << node);
    uint32_t count = 0;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        count += a->leaders >> n & 1u;
    lz_metrics_set(w->metrics, d->series.primaries, lz_sim_now(w->sim), count);
}

// What was acknowledged and its log has not is in no log that ever counts: it leads, and has
// committed an entry of its own. (What its log no longer keeps it has applied.)
static void count_lost(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    struct lz_agree *a = d->agree;
    uint32_t kept = 0;
    while (kept < a->risk_count &&
           lz_consensus_has(w, d->id, node, a->risks[kept].index, a->risks[kept].term))
        kept++;
    if (kept == a->risk_count)
        return;
    uint64_t since = a->risks[kept].index - 1, lost = 0;
    for (uint32_t i = kept; i < a->risk_count; i++)
        lost += a->risks[i].writes;
    a->risk_count = kept;
    (void)forget_acked(w, d, node, since);
    while (a->acked_count > 0 && a->acked[a->acked_count - 1] > since)
        a->acked_count--;
    d->acked_last = since < d->acked_last ? since : d->acked_last;
    lz_metrics_add(w->metrics, d->series.lost_acks, lost);
    lz_instance_note(w, d->first + node, "lost_acks", "lacks %llu acknowledged writes",
                     (unsigned long long)lost);
}

static void turned(struct lz_world *w, void *ctx, uint32_t node, bool leads)
{
    struct lz_database *d = ctx;
    measure_leaders(w, d, node, leads);
    if (!leads) { // whose locks and transactions mean nothing any more
        lz_query_break_all(w, d, d->first + node, false);
        return;
    }
    if (d->agree->risk_count > 0)
        count_lost(w, d, node);
    if (d->primary == node)
        return;
    d->led_before = d->primary;
    d->primary = node;
    d->promoted_at = lz_sim_now(w->sim);
    lz_metrics_add(w->metrics, d->series.failovers, 1);
    lz_instance_note(w, d->first + node, "promoted", "is the primary: it leads the group");
}

bool lz_agree_leads(const struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    return lz_consensus_leads(w, d->id, node);
}

void lz_agree_began(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    lz_consensus_began(w, d->id, node);
}

void lz_agree_died(struct lz_world *w, struct lz_database *d, uint32_t node, bool silent)
{
    struct lz_database_node *n = &d->nodes[node];
    struct lz_agree *a = d->agree;
    measure_leaders(w, d, node, false);
    if (d->sql != NULL) { // its file says how far it is
        uint64_t has = lz_execute_died(w, d, node, silent, a->applied[node]);
        bool lacks = silent && lz_execute_store(d, node)->lsn < a->applied[node];
        a->applied[node] = lacks && has < a->applied[node] ? has : a->applied[node];
    }
    lz_consensus_ended(w, d->id, node, silent);
    if (silent)
        lz_agree_take_back(w, d, node);
    lz_standby_died(n);
    n->lsn = n->applied = a->applied[node];
}

size_t lz_agree_bytes(const struct lz_world *w, const struct lz_database *d)
{
    const struct lz_agree *a = d->agree;
    size_t bytes = sizeof(*a) + lz_pool_bytes(&a->commits) + a->acked_cap * sizeof(*a->acked) +
                   a->risk_cap * sizeof(*a->risks);
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        bytes += sizeof(*a->logs) + sizeof(*a->applied) + sizeof(*a->undos) +
                 a->undos[n].cap * sizeof(*a->undos[n].all);
    return bytes + lz_consensus_bytes(w, d->id);
}

void lz_agree_second(struct lz_world *w, struct lz_database *d)
{
    const struct lz_agree *a = d->agree;
    uint64_t most = a->applied[d->primary], least = most;
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (a->applied[n] < least && lz_consensus_votes(w, d->id, n) &&
            lz_instance_has_begun(lz_instance_get(w, d->first + n)))
            least = a->applied[n];
    lz_metrics_set(w->metrics, d->series.lag_records, lz_sim_now(w->sim), (double)(most - least));
}

// ---------------------------------------------------------------- queries

// It goes on as of now: what had been acknowledged when it came, it must see.
static void readable(struct lz_world *w, void *ctx, uint32_t node, uint64_t task)
{
    struct lz_database *d = ctx;
    struct lz_task *t = lz_task_find(w, task);
    if (t != NULL && t->state == LZ_TASK_WORKING && t->server == d->first + node)
        lz_query_admitted(w, d, t);
}

// Of a transaction what writes, or ends it, is for session.c to refuse.
static bool is_read(const struct lz_world *w, const struct lz_task *t)
{
    const struct lz_txn *x = t->is_session ? lz_txn_find(w, t->key) : NULL;
    if (!t->is_session)
        return lz_database_op_reads(w, t->op);
    return x != NULL && x->statement.kind != LZ_STATEMENT_COMMIT &&
           x->statement.kind != LZ_STATEMENT_ROLLBACK && lz_session_reads(w, t);
}

bool lz_agree_admits(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    uint32_t node = t->server - d->first;
    bool reads = is_read(w, t);
    if (!lz_consensus_votes(w, d->id, node) ||
        (lz_consensus_members(w, d->id) >> node & 1u) == 0) { // a learner, or no member
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 503);
        return false;
    }
    if (t->is_session && !reads)
        return true;
    if (!t->is_session && reads)
        t->rest_ns = (lz_time)lz_rows_get(&d->acked_rows, t->key); // read_row compares
    if (reads && d->opts.read_replicas && !lz_consensus_is_leader(w, d->id, node))
        return true; // a follower's answer may be old
    if (!reads && lz_agree_leads(w, d, node))
        return true; // what it writes is committed, or is not
    if (!reads && !lz_consensus_is_leader(w, d->id, node)) {
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 503);
        return false;
    }
    return lz_consensus_read(w, d->id, node, lz_pool_id(t));
}

static bool propose(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                    const struct lz_raft_entry *entry)
{
    uint32_t node = t->server - d->first;
    LZ_ASSERT(lz_agree_leads(w, d, node));
    struct lz_raft_entry e = *entry;
    e.op = LZ_RAFT_PUT;
    e.node = (uint8_t)node;
    e.request = lz_pool_id(t);
    // Alone, or with a disk that takes no time, it may be committed before this returns.
    t->rest_ns = (lz_time)(lz_consensus_last(w, d->id, node) + 1);
    (void)lz_consensus_propose(w, d->id, node, &e);
    return true;
}

bool lz_agree_write(struct lz_world *w, struct lz_database *d, struct lz_task *t, lz_value value)
{
    if (!lz_agree_leads(w, d, t->server - d->first))
        return false;
    return propose(w, d, t, &(struct lz_raft_entry){.key = t->key, .value = value});
}

bool lz_agree_commit(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                     const struct lz_txn *x)
{
    if (!lz_agree_leads(w, d, t->server - d->first))
        return false;
    struct lz_agree_commit *c = lz_pool_take(&d->agree->commits);
    c->rows = lz_arena_alloc(w->arena, x->write_count * sizeof(*c->rows));
    for (uint32_t i = x->writes_first; i != 0;) {
        const struct lz_txn_write *one = lz_pool_at(&w->txns->writes, i);
        c->rows[c->count++] = (struct lz_agree_row){.key = one->key, .value = one->value};
        i = one->next;
    }
    LZ_ASSERT(c->count == x->write_count);
    return propose(w, d, t, &(struct lz_raft_entry){.expect = lz_pool_id(c)});
}

bool lz_agree_commit_rows(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                          struct lz_image *image)
{
    if (!lz_agree_leads(w, d, t->server - d->first))
        return false;
    struct lz_agree_commit *c = lz_pool_take(&d->agree->commits);
    c->image = lz_image_hold(image);
    return propose(w, d, t, &(struct lz_raft_entry){.key = t->key, .expect = lz_pool_id(c)});
}

uint64_t lz_agree_next(const struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    return lz_consensus_last(w, d->id, node) + 1;
}

// ---------------------------------------------------------------- making one

bool lz_agree_declare(struct lz_world *w, lz_component_id id, const struct lz_consensus_opts *opts,
                      struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running && d->agree == NULL && d->multi == NULL);
    if (d->opts.nodes < LZ_AGREE_NODES_MIN || d->opts.nodes > LZ_CONSENSUS_NODES_MAX)
        return lz_fail(err, LZ_EINVAL,
                       "replication = \"raft\" needs %d to %d nodes, got %u: with fewer than three "
                       "none may fail",
                       LZ_AGREE_NODES_MIN, LZ_CONSENSUS_NODES_MAX, d->opts.nodes);
    struct lz_consensus_opts o = *opts;
    o.nodes = d->opts.nodes;
    const struct lz_consensus_host host = {.ctx = d,
                                           .applied = applied,
                                           .readable = readable,
                                           .turned = turned,
                                           .restored = lz_agree_restored,
                                           .rewound = lz_agree_rewound,
                                           .save = save,
                                           .put_back = put_back,
                                           .forget = forget,
                                           .undone = undone};
    if (!lz_consensus_embed(w, id, &o, &host, err))
        return false;
    struct lz_agree *a = d->agree = lz_arena_alloc(w->arena, sizeof(*a));
    lz_pool_init(&a->commits, w->arena, sizeof(struct lz_agree_commit));
    a->applied = lz_arena_alloc(w->arena, d->opts.nodes * sizeof(*a->applied));
    a->undos = lz_arena_alloc(w->arena, d->opts.nodes * sizeof(*a->undos));
    a->logs = lz_arena_alloc(w->arena, d->opts.nodes * sizeof(*a->logs));
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        a->logs[n] = (struct lz_log){.leader = n, .timeline = n};
        lz_wal_init(&a->logs[n].wal, w->arena);
        d->nodes[n].log = &a->logs[n];
    }
    d->failover.mode = LZ_FAILOVER_NONE;
    return true;
}
