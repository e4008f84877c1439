#include "model/broker/transaction_state.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/client.h"
#include "model/service/task.h"

#define AGAIN_NS (100 * LZ_MS)
#define TIMEOUT_NS (30 * LZ_S)
#define MARKER_BYTES 78u // of a batch with one control record
#define PARTS_MAX 65536u
#define MEMBERS_MAX 65536u // see pack

static uint32_t node_of(const struct lz_transaction *t)
{
    return t->group != NULL ? t->group->coordinator : t->coordinator;
}

lz_instance_id lz_transaction_coordinator(const struct lz_transaction *t)
{
    uint32_t node = node_of(t);
    return node == LZ_BROKER_NOBODY ? 0 : t->broker->first + node;
}

static struct lz_transaction *of(const struct lz_group *g, uint32_t member)
{
    return &g->transactions[member];
}

// ---- what was decided is done

static void apply_offsets(struct lz_transaction *t)
{
    for (uint32_t i = 0; i < t->offset_count; i++)
        t->group->claims[t->offsets[i].partition].committed = t->offsets[i].to;
    t->offset_count = 0;
}

void lz_transaction_answer(struct lz_world *w, struct lz_transaction *t, enum lz_broker_error error)
{
    struct lz_rpc *r = t->waiting != 0 ? lz_rpc_find(w, t->waiting) : NULL;
    t->waiting = 0;
    if (r != NULL && lz_rpc_is_there(r))
        lz_rpc_answer(w, r, (uint16_t)error, 0);
}

static void complete(struct lz_world *w, struct lz_transaction *t)
{
    const struct lz_group *g = t->group;
    bool commits = t->state == LZ_TRANSACTION_PREPARE_COMMIT;
    LZ_ASSERT(commits || t->state == LZ_TRANSACTION_PREPARE_ABORT);
    if (commits)
        apply_offsets(t);
    t->offset_count = t->part_count = 0;
    t->state = LZ_TRANSACTION_EMPTY;
    t->nth++;
    lz_sim_cancel(w->sim, t->again);
    t->again = 0;
    const struct lz_broker_series *of = &t->broker->series;
    lz_metrics_add(w->metrics, commits ? of->committed : of->aborted, 1);
    if (g != NULL)
        lz_metrics_add(w->metrics, commits ? g->series.committed : g->series.aborted, 1);
    lz_transaction_answer(w, t, LZ_BROKER_OK);
}

static void try_later(struct lz_world *w, struct lz_transaction *t)
{
    if (t->again == 0 && lz_transaction_coordinator(t) != 0)
        t->again = lz_sim_at(w->sim, lz_sim_now(w->sim) + AGAIN_NS, w->groups->transaction_again,
                             lz_transaction_coordinator(t), t->payload);
}

static void part_ended(struct lz_world *w, struct lz_transaction *t, uint32_t part, bool is_good)
{
    if (t->state < LZ_TRANSACTION_PREPARE_COMMIT || part >= t->part_count)
        return;
    t->parts[part].sent = 0;
    t->parts[part].is_marked = t->parts[part].is_marked || is_good;
    if (!is_good) {
        try_later(w, t);
        return;
    }
    for (uint32_t i = 0; i < t->part_count; i++)
        if (!t->parts[i].is_marked)
            return;
    complete(w, t);
}

static struct lz_append *marker_of(const struct lz_world *w, struct lz_broker *b,
                                   const struct lz_transaction *t, uint32_t part)
{
    struct lz_append *a = lz_pool_take(&b->appends);
    a->partition = t->parts[part].partition;
    a->count = 1;
    a->bytes = MARKER_BYTES;
    a->at = lz_sim_now(w->sim);
    a->acks = LZ_ACKS_ALL;
    a->transaction = t->index + 1;
    a->nth = t->nth;
    a->control = t->state == LZ_TRANSACTION_PREPARE_COMMIT ? LZ_CONTROL_COMMIT : LZ_CONTROL_ABORT;
    return a;
}

static uint64_t pack(const struct lz_transaction *t, uint32_t part)
{
    return (uint64_t)t->index << 48 | (uint64_t)(t->nth & 0xffffffffu) << 16 | part;
}

static struct lz_transaction *unpack(const struct lz_broker *b, uint64_t owner, uint32_t *part)
{
    struct lz_transaction *t = b->transactions->all[owner >> 48];
    *part = (uint32_t)(owner & 0xffffu);
    bool is_same = t->nth == (uint32_t)(owner >> 16);
    return is_same && t->state >= LZ_TRANSACTION_PREPARE_COMMIT && *part < t->part_count ? t : NULL;
}

static void send_marker(struct lz_world *w, struct lz_transaction *t, uint32_t part)
{
    struct lz_broker *b = t->broker;
    const struct lz_partition *p = b->partitions[t->parts[part].partition];
    if (p->leader == LZ_BROKER_NOBODY) {
        try_later(w, t);
        return;
    }
    uint32_t from = node_of(t), to = p->replicas[p->leader].node;
    t->parts[part].sent = lz_instance_get(w, b->first + from)->incarnation + 1;
    if (from == to) {
        struct lz_append *a = marker_of(w, b, t, part);
        a->mark = pack(t, part) + 1;
        lz_append_begin(w, b, to, a);
        return;
    }
    (void)lz_rpc_send(w, &(struct lz_rpc_send){
                             .kind = LZ_RPC_MARK,
                             .from = b->first + from,
                             .to = b->first + to,
                             .way = &b->transactions->ways[from * b->opts.nodes + to],
                             .path = lz_draw_index(lz_draw_name(b->path, "markers"),
                                                   (uint64_t)from * b->opts.nodes + to),
                             .owner = pack(t, part),
                             .bytes = MARKER_BYTES,
                             .timeout = TIMEOUT_NS,
                         });
}

static void send_markers(struct lz_world *w, struct lz_transaction *t)
{
    const struct lz_instance *from = lz_instance_get(w, lz_transaction_coordinator(t));
    uint32_t nth = t->nth; // a marker may be written at once, and be the last
    for (uint32_t i = 0; lz_instance_is_up(from) && t->nth == nth && i < t->part_count; i++)
        if (!t->parts[i].is_marked && t->parts[i].sent != from->incarnation + 1)
            send_marker(w, t, i);
    if (t->nth == nth)
        try_later(w, t); // its process may end, and another begin
}

void lz_transaction_decide(struct lz_world *w, struct lz_transaction *t, bool commits)
{
    t->state = commits ? LZ_TRANSACTION_PREPARE_COMMIT : LZ_TRANSACTION_PREPARE_ABORT;
    t->has_committed = commits;
    lz_sim_cancel(w->sim, t->timeout);
    t->timeout = 0;
    if (t->part_count == 0)
        complete(w, t);
    else if (lz_transaction_coordinator(t) != 0)
        send_markers(w, t);
}

void lz_transaction_go_on(struct lz_world *w, struct lz_transaction *t)
{
    lz_sim_cancel(w->sim, t->again);
    t->again = 0;
    for (uint32_t i = 0; i < t->part_count; i++)
        t->parts[i].sent = 0;
    lz_transaction_answer(w, t, LZ_BROKER_NOT_COORDINATOR);
    if (t->state >= LZ_TRANSACTION_PREPARE_COMMIT && lz_transaction_coordinator(t) != 0)
        send_markers(w, t);
}

void lz_transaction_resume(struct lz_world *w, struct lz_group *g)
{
    for (uint32_t m = 0; g->transactions != NULL && m < g->opts.members; m++)
        lz_transaction_go_on(w, of(g, m));
}

static struct lz_transaction *timed(struct lz_world *w, uint64_t payload)
{
    lz_component_id id = (lz_component_id)(payload >> 32);
    if (lz_world_component(w, id)->kind == LZ_COMPONENT_CONSUMERS)
        return of(lz_group_at(w, id), (uint32_t)payload);
    return lz_broker_at(w, id)->transactions->all[(uint32_t)payload];
}

static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->transaction_again, payload))
        return;
    struct lz_transaction *t = timed(w, payload);
    if (lz_transaction_coordinator(t) != entity)
        return;
    t->again = 0;
    if (t->state >= LZ_TRANSACTION_PREPARE_COMMIT)
        send_markers(w, t);
}

static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_transaction *t = timed(w, payload);
    lz_time timeout = t->group != NULL ? t->group->opts.transaction_timeout : t->limit;
    t->timeout = 0;
    if (t->state != LZ_TRANSACTION_ONGOING)
        return;
    lz_instance_note(w, entity, "fenced", "its transaction is aborted: it was open for %.9gs",
                     (double)timeout / 1e9);
    t->is_fenced = true;
    lz_transaction_decide(w, t, false);
}

// ---- what members ask

void lz_transaction_end(struct lz_world *w, struct lz_group *g, const struct lz_member *m,
                        struct lz_rpc *r, bool commits)
{
    struct lz_transaction *t = of(g, m->number);
    if (t->is_fenced) {
        lz_rpc_answer(w, r, LZ_BROKER_UNKNOWN_MEMBER, 0);
        return;
    }
    lz_transaction_answer(w, t,
                          LZ_BROKER_NOT_COORDINATOR); // asked again: the old request is forgotten
    t->waiting = lz_pool_id(r);
    if (t->state >= LZ_TRANSACTION_PREPARE_COMMIT)
        return; // decided before: what it asks is the same
    t->offset_count = 0;
    for (uint32_t i = 0; commits && i < m->cursor_count; i++) {
        const struct lz_cursor *c = &m->cursors[i];
        t->offsets =
            lz_grow(w->arena, t->offsets, &t->offset_cap, t->offset_count + 1, sizeof(*t->offsets));
        t->offsets[t->offset_count++] =
            (struct lz_slice){.partition = c->partition, .to = c->committing};
    }
    if (t->state == LZ_TRANSACTION_ONGOING) {
        lz_transaction_decide(w, t, commits);
        return;
    }
    apply_offsets(t); // nothing was written: only positions
    lz_transaction_answer(w, t, LZ_BROKER_OK);
}

void lz_transaction_joined(struct lz_world *w, struct lz_group *g, const struct lz_member *m)
{
    struct lz_transaction *t = of(g, m->number);
    t->is_fenced = false;
    if (t->state == LZ_TRANSACTION_ONGOING)
        lz_transaction_decide(w, t, false);
}

bool lz_transaction_is_settled(const struct lz_group *g)
{
    for (uint32_t m = 0; g->transactions != NULL && m < g->opts.members; m++)
        if (of(g, m)->state >= LZ_TRANSACTION_PREPARE_COMMIT)
            return false;
    return true;
}

// ---- what is written

bool lz_transaction_add_part(struct lz_world *w, struct lz_transaction *t, uint32_t partition)
{
    for (uint32_t i = 0; i < t->part_count; i++)
        if (t->parts[i].partition == partition)
            return true;
    if (t->part_count == PARTS_MAX)
        return false;
    t->parts = lz_grow(w->arena, t->parts, &t->part_cap, t->part_count + 1, sizeof(*t->parts));
    t->parts[t->part_count++] = (struct lz_transaction_part){.partition = partition};
    return true;
}

void lz_transaction_begin(struct lz_world *w, struct lz_transaction *t, lz_instance_id who,
                          lz_time timeout)
{
    LZ_ASSERT(t->state == LZ_TRANSACTION_EMPTY && t->timeout == 0);
    t->state = LZ_TRANSACTION_ONGOING;
    t->limit = timeout;
    t->timeout = lz_sim_at(w->sim, lz_sim_now(w->sim) + timeout, w->groups->transaction_timeout,
                           who, t->payload);
}

bool lz_transaction_admits(struct lz_world *w, struct lz_topic *topic, lz_component_id from,
                           const struct lz_task *task, struct lz_append *a)
{
    if (topic->broker->transactions == NULL ||
        lz_world_component(w, from)->kind != LZ_COMPONENT_CONSUMERS)
        return true;
    struct lz_group *g = lz_group_at(w, from);
    if (g->transactions == NULL || g->broker != topic->broker)
        return true;
    lz_instance_id who = lz_client_who(w, task->call);
    if (who == 0)
        return false; // nobody waits for it: what it was part of may be over
    struct lz_transaction *t = of(g, who - g->first);
    if (t->is_fenced || t->state >= LZ_TRANSACTION_PREPARE_COMMIT ||
        !lz_transaction_add_part(w, t, a->partition))
        return false;
    if (t->state == LZ_TRANSACTION_EMPTY)
        lz_transaction_begin(w, t, who, g->opts.transaction_timeout);
    a->transaction = t->index + 1;
    a->nth = t->nth;
    a->sequence = task->call; // a retry of the call is the same record
    topic->has_transactions = true;
    return true;
}

static bool is_decided(const struct lz_replica *r, const struct lz_batch *b)
{
    const struct lz_batch *marker = b->marker != 0 ? lz_pool_find(r->log.batches, b->marker) : NULL;
    return marker != NULL && lz_plog_has(&r->log, marker);
}

void lz_transaction_appended(const struct lz_replica *r, const struct lz_batch *marker)
{
    for (uint32_t i = r->log.count; i > 0; i--) {
        struct lz_batch *b = lz_plog_at(&r->log, i - 1);
        if (b->transaction == marker->transaction && b->nth < marker->nth)
            return; // of those before: decided
        bool is_of = b->transaction == marker->transaction && b->nth == marker->nth;
        if (is_of && b->control == LZ_CONTROL_NONE && !is_decided(r, b))
            b->marker = lz_pool_id(marker);
    }
}

void lz_transaction_marked(struct lz_world *w, struct lz_broker *b, const struct lz_append *a)
{
    bool is_good = a->error == LZ_BROKER_OK;
    uint32_t part = 0;
    struct lz_rpc *r = a->mark_rpc != 0 ? lz_rpc_find(w, a->mark_rpc) : NULL;
    if (r != NULL && lz_rpc_is_there(r))
        lz_rpc_answer(w, r, a->error, 0);
    if (a->mark_rpc != 0)
        return;
    struct lz_transaction *t = unpack(b, a->mark - 1, &part);
    if (t != NULL)
        part_ended(w, t, part, is_good);
}

enum lz_sight lz_transaction_sight(const struct lz_replica *r, const struct lz_batch *b,
                                   bool reads_committed)
{
    if (b->transaction == 0)
        return LZ_SIGHT_PLAIN;
    if (b->control != LZ_CONTROL_NONE)
        return LZ_SIGHT_MARKER;
    if (!reads_committed)
        return LZ_SIGHT_PLAIN;
    const struct lz_batch *marker = b->marker != 0 ? lz_pool_find(r->log.batches, b->marker) : NULL;
    if (marker == NULL || lz_batch_end(marker) > r->hw || !lz_plog_has(&r->log, marker))
        return LZ_SIGHT_OPEN;
    return marker->control == LZ_CONTROL_COMMIT ? LZ_SIGHT_PLAIN : LZ_SIGHT_ABORTED;
}

// ---- markers between nodes

static void arrived(struct lz_world *w, struct lz_rpc *r)
{
    struct lz_broker *b = lz_broker_of(w, r->to);
    uint32_t part = 0;
    struct lz_transaction *t = unpack(b, r->owner, &part);
    if (t == NULL) { // it was sent twice, and the other has arrived
        lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
        return;
    }
    struct lz_append *a = marker_of(w, b, t, part);
    a->mark = r->owner + 1;
    a->mark_rpc = lz_pool_id(r);
    lz_append_begin(w, b, lz_broker_node_of(b, r->to), a);
}

static void ended(struct lz_world *w, const struct lz_rpc *r, enum lz_rpc_end how)
{
    struct lz_broker *b = lz_broker_of(w, r->from);
    uint32_t part = 0;
    struct lz_transaction *t = unpack(b, r->owner, &part);
    if (t != NULL && lz_transaction_coordinator(t) == r->from)
        part_ended(w, t, part, how == LZ_RPC_ANSWERED && r->error == LZ_BROKER_OK);
}

// ---- declaring

static void init(struct lz_world *w)
{
    static const struct lz_rpc_ops ops = {.arrived = arrived, .ended = ended};
    lz_rpc_serve(w, LZ_RPC_MARK, &ops);
    w->groups->transaction_again = lz_sim_kind(w->sim, "transaction.again", on_again, w);
    w->groups->transaction_timeout = lz_sim_kind(w->sim, "transaction.timeout", on_timeout, w);
}

bool lz_transaction_has_room(const struct lz_broker *b, uint32_t members, struct lz_err *err)
{
    uint32_t count = b->transactions != NULL ? b->transactions->count : 0;
    if (members <= MEMBERS_MAX - count)
        return true;
    return lz_fail(err, LZ_EFULL,
                   "a broker has at most %u members with transactions, and %s has %u already",
                   MEMBERS_MAX, b->opts.name, count);
}

void lz_transaction_add(struct lz_world *w, struct lz_broker *b, struct lz_transaction *t)
{
    LZ_ASSERT(!w->running);
    if (w->groups->transaction_again == 0)
        init(w);
    if (b->transactions == NULL) {
        b->transactions = lz_arena_alloc(w->arena, sizeof(*b->transactions));
        size_t ways = (size_t)b->opts.nodes * b->opts.nodes * sizeof(struct lz_rpc_way);
        b->transactions->ways = lz_arena_alloc(w->arena, ways);
    }
    struct lz_transactions *ts = b->transactions;
    ts->all = lz_grow(w->arena, ts->all, &ts->cap, ts->count + 1, sizeof(*ts->all));
    t->broker = b;
    t->index = ts->count;
    t->nth = 1;
    ts->all[ts->count++] = t;
}

void lz_transaction_declare(struct lz_world *w, struct lz_group *g)
{
    LZ_ASSERT(g->transactions == NULL);
    g->transactions = lz_arena_alloc(w->arena, g->opts.members * sizeof(*g->transactions));
    for (uint32_t m = 0; m < g->opts.members; m++) {
        g->transactions[m] =
            (struct lz_transaction){.group = g, .member = m, .payload = (uint64_t)g->id << 32 | m};
        lz_transaction_add(w, g->broker, &g->transactions[m]);
    }
}
