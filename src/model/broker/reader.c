/*
 * reader.c — a member's fetches: one at a time to each leader, for the partitions of which it has
 * nothing left. What is there comes at once, else after 500 ms with nothing (fetch.max.wait.ms);
 * a member learns of another leader 100 ms after an error (retry.backoff.ms).
 *
 * A position that the leader's log does not reach (it was cut) goes back to its end (KIP-320); one
 * that has expired goes where auto.offset.reset says.
 */
#include "base/check.h"
#include "model/broker/transaction.h"
#include "model/history/recorder_log.h"
#include "model/net/net.h"

#define WAIT_NS (500 * LZ_MS)
#define AGAIN_NS (100 * LZ_MS)
#define TIMEOUT_NS (30 * LZ_S)
#define PARTITION_BYTES (1u << 20) // max.partition.fetch.bytes
#define RESPONSE_BYTES (50u << 20) // fetch.max.bytes
#define HEADER_BYTES 100u

void lz_reader_learn(struct lz_cursor *c, const struct lz_partition *p)
{
    c->leader = p->leader == LZ_BROKER_NOBODY ? LZ_BROKER_NOBODY : p->replicas[p->leader].node;
}

static void learn_later(struct lz_world *w, struct lz_member *m)
{
    if (m->refresh == 0)
        m->refresh =
            lz_sim_at(w->sim, lz_sim_now(w->sim) + AGAIN_NS, w->groups->refresh, m->id, m->turn);
}

static bool can_ask_anybody(struct lz_world *w, const struct lz_member *m)
{
    const struct lz_broker *b = m->group->broker;
    for (uint32_t n = 0; n < b->opts.nodes; n++)
        if (lz_controller_is_alive(w, b, n) && lz_net_can_ask(w, m->id, b->first + n))
            return true;
    return false;
}

void lz_reader_on_refresh(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->refresh, payload))
        return;
    struct lz_member *m = lz_member_of(w, entity);
    if (m->turn != payload)
        return;
    m->refresh = 0;
    bool is_known = can_ask_anybody(w, m);
    for (uint32_t i = 0; i < m->cursor_count && is_known; i++)
        lz_reader_learn(&m->cursors[i], lz_group_partition(m->group, m->cursors[i].partition));
    for (uint32_t i = 0; i < m->cursor_count; i++)
        is_known = is_known && m->cursors[i].leader != LZ_BROKER_NOBODY;
    if (!is_known)
        learn_later(w, m);
    lz_reader_go(w, m);
}

static void go_to(struct lz_world *w, struct lz_member *m, uint32_t node)
{
    struct lz_reading *r = &m->readings[node];
    uint32_t count = 0;
    if (r->is_busy)
        return;
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        struct lz_cursor *c = &m->cursors[i];
        if (c->leader != node || !c->is_loaded || c->fetched > c->position)
            continue;
        c->is_asked = true;
        c->is_misled = false;
        c->offered = c->position;
        m->group->claims[c->partition].reader = m->number;
        count++;
    }
    if (count == 0)
        return;
    r->is_busy = true;
    r->begun = lz_sim_now(w->sim);
    r->turn++;
    r->rpc = lz_rpc_send(w, &(struct lz_rpc_send){
                                .kind = LZ_RPC_READ,
                                .from = m->id,
                                .to = m->group->broker->first + node,
                                .way = &r->way,
                                .path = lz_draw_index(m->path, node),
                                .owner = (uint64_t)r->turn << 32 | node,
                                .timeout = TIMEOUT_NS,
                            });
}

void lz_reader_go(struct lz_world *w, struct lz_member *m)
{
    if (m->cursor_count == 0)
        return;
    bool is_known = true;
    for (uint32_t i = 0; i < m->cursor_count; i++)
        is_known = is_known && m->cursors[i].leader != LZ_BROKER_NOBODY;
    for (uint32_t n = 0; n < m->group->broker->opts.nodes; n++)
        go_to(w, m, n);
    if (!is_known)
        learn_later(w, m);
}

// Its cursors are others now: what is under way is about nothing any more.
void lz_reader_forget(struct lz_world *w, struct lz_member *m)
{
    for (uint32_t n = 0; n < m->group->broker->opts.nodes; n++) {
        struct lz_reading *r = &m->readings[n];
        struct lz_rpc *rpc = r->is_parked ? lz_rpc_find(w, r->rpc) : NULL;
        lz_rpc_forget(w, r->rpc);
        if (rpc != NULL && lz_rpc_is_there(rpc))
            lz_rpc_answer(w, rpc, LZ_BROKER_OK, 0);
        lz_sim_cancel(w->sim, r->park);
        r->park = 0;
        r->rpc = 0;
        r->is_busy = r->is_parked = false;
        r->turn++;
    }
    for (uint32_t i = 0; i < m->cursor_count; i++)
        m->cursors[i].is_asked = false;
    lz_sim_cancel(w->sim, m->refresh);
    m->refresh = 0;
}

// ---- at the leader

static uint64_t offer(const struct lz_group *g, const struct lz_replica *r, uint64_t from,
                      uint64_t *bytes)
{
    const struct lz_plog *l = &r->log;
    uint64_t upto = from, own = 0;
    for (uint32_t i = lz_plog_find(l, from); i < l->count; i++) {
        const struct lz_batch *b = lz_plog_at(l, i);
        bool is_much = own + b->bytes > PARTITION_BYTES || *bytes + b->bytes > RESPONSE_BYTES;
        if (lz_batch_end(b) > r->hw || (is_much && *bytes > 0))
            break;
        if (b->transaction != 0 &&
            lz_transaction_sight(r, b, g->opts.reads_committed) == LZ_SIGHT_OPEN)
            break; // the last stable offset
        upto = lz_batch_end(b);
        own += b->bytes;
        *bytes += b->bytes;
    }
    return upto;
}

// What one partition has for the cursor; true if that is anything at all.
static bool look(const struct lz_group *g, struct lz_cursor *c, uint32_t node, uint64_t *bytes)
{
    const struct lz_partition *p = lz_group_partition(g, c->partition);
    const struct lz_replica *r = lz_partition_on(p, node);
    if (r == NULL || !r->leads) {
        c->is_misled = true;
        return true;
    }
    uint64_t start = p->start > r->log.start ? p->start : r->log.start;
    if (c->position > r->log.end || c->position < start) {
        c->must_restart = true;
        c->restart = c->position > r->log.end ? r->log.end
                     : g->opts.from_earliest  ? start
                     : r->hw > start          ? r->hw
                                              : start;
        return true;
    }
    c->offered = offer(g, r, c->position, bytes);
    return c->offered > c->position;
}

static void record_one(struct lz_world *w, struct lz_member *m, const struct lz_cursor *c,
                       struct lz_reading *to)
{
    const struct lz_group *g = m->group;
    uint32_t node = (uint32_t)(to - m->readings);
    const struct lz_replica *r = lz_partition_on(lz_group_partition(g, c->partition), node);
    const struct lz_plog *l = &r->log;
    for (uint32_t i = lz_plog_find(l, c->position); i < l->count; i++) {
        const struct lz_batch *b = lz_plog_at(l, i);
        if (lz_batch_end(b) > c->offered)
            return;
        if (b->transaction != 0 &&
            lz_transaction_sight(r, b, g->opts.reads_committed) != LZ_SIGHT_PLAIN)
            continue;
        uint32_t at = lz_recorder_log_offer(w, g->topic->id,
                                            &(struct lz_recorder_poll){.offset = b->offset,
                                                                       .group = g->id,
                                                                       .member = m->number,
                                                                       .partition = c->partition,
                                                                       .count = b->count,
                                                                       .send = b->sent});
        if (to->recorded_count == 0)
            to->recorded = at;
        to->recorded_count += at != 0;
    }
}

// What the answer takes along: it is heard when it has arrived.
static void record(struct lz_world *w, struct lz_member *m, uint32_t node)
{
    struct lz_reading *r = &m->readings[node];
    r->recorded_count = 0;
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        const struct lz_cursor *c = &m->cursors[i];
        if (c->is_asked && c->leader == node && !c->is_misled && !c->must_restart &&
            c->offered > c->position)
            record_one(w, m, c, r);
    }
}

static void serve(struct lz_world *w, struct lz_member *m, struct lz_rpc *rpc, bool waits)
{
    uint32_t node = (uint32_t)rpc->owner;
    struct lz_reading *r = &m->readings[node];
    uint64_t bytes = 0;
    bool has_news = false;
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        struct lz_cursor *c = &m->cursors[i];
        if (c->is_asked && c->leader == node)
            has_news = look(m->group, c, node, &bytes) || has_news;
    }
    r->is_parked = waits && !has_news;
    if (r->is_parked) {
        if (r->park == 0)
            r->park = lz_sim_at(w->sim, lz_sim_now(w->sim) + WAIT_NS, w->groups->park, rpc->to,
                                (uint64_t)m->id << 32 | r->turn);
        return;
    }
    lz_sim_cancel(w->sim, r->park);
    r->park = 0;
    if (lz_recorder_log_is_on(w, m->group->topic->id))
        record(w, m, node);
    lz_rpc_answer(w, rpc, LZ_BROKER_OK, bytes + HEADER_BYTES);
}

static void arrived(struct lz_world *w, struct lz_rpc *rpc)
{
    struct lz_member *m = lz_member_of(w, rpc->from);
    bool is_current = m->readings[(uint32_t)rpc->owner].turn == rpc->owner >> 32;
    if (is_current && lz_rpc_is_wanted(w, rpc))
        serve(w, m, rpc, true);
    else
        lz_rpc_answer(w, rpc, LZ_BROKER_OK, 0);
}

static struct lz_rpc *parked(const struct lz_world *w, const struct lz_reading *r)
{
    struct lz_rpc *rpc = r->is_parked ? lz_rpc_find(w, r->rpc) : NULL;
    return rpc != NULL && lz_rpc_is_there(rpc) ? rpc : NULL;
}

static void on_park(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->park, payload))
        return;
    struct lz_member *m = lz_member_of(w, (lz_instance_id)(payload >> 32));
    struct lz_reading *r = &m->readings[lz_broker_node_of(m->group->broker, entity)];
    struct lz_rpc *rpc = parked(w, r);
    if (rpc == NULL || r->turn != (uint32_t)payload)
        return;
    r->park = 0;
    serve(w, m, rpc, false);
}

void lz_reader_wake(struct lz_world *w, struct lz_partition *p, const struct lz_replica *leader)
{
    for (uint32_t i = 0; i < p->topic->group_count; i++) {
        struct lz_group *g = p->topic->groups[i];
        uint32_t reader = g->claims[p->number].reader;
        if (reader == LZ_BROKER_NOBODY)
            continue;
        struct lz_member *m = &g->members[reader];
        struct lz_rpc *rpc = parked(w, &m->readings[leader->node]);
        if (rpc != NULL)
            serve(w, m, rpc, true);
    }
}

void lz_reader_died(struct lz_world *w, struct lz_broker *b, uint32_t node)
{
    for (uint32_t i = 0; i < b->group_count; i++)
        for (uint32_t k = 0; k < b->groups[i]->opts.members; k++) {
            struct lz_reading *r = &b->groups[i]->members[k].readings[node];
            lz_sim_cancel(w->sim, r->park);
            r->park = 0;
            r->is_parked = false;
        }
}

// ---- at the member again

static void ended(struct lz_world *w, const struct lz_rpc *rpc, enum lz_rpc_end how)
{
    struct lz_member *m = lz_member_of(w, rpc->from);
    uint32_t node = (uint32_t)rpc->owner;
    struct lz_reading *r = &m->readings[node];
    if (r->turn != rpc->owner >> 32)
        return;
    r->is_busy = r->is_parked = false;
    bool has_failed = how != LZ_RPC_ANSWERED;
    if (r->recorded_count > 0 && !has_failed)
        lz_recorder_log_heard(w, m->group->topic->id, r->recorded, r->recorded_count);
    r->recorded_count = 0;
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        struct lz_cursor *c = &m->cursors[i];
        if (!c->is_asked || c->leader != node)
            continue;
        c->is_asked = false;
        if (how != LZ_RPC_ANSWERED || c->is_misled) {
            c->leader = LZ_BROKER_NOBODY;
            has_failed = true;
        } else if (c->must_restart) {
            c->position = c->done = c->fetched = c->restart;
        } else if (c->offered > c->fetched) {
            if (m->group->topic->is_traced)
                lz_work_trail(w, m,
                              &(struct lz_member_step){.partition = c->partition,
                                                       .from = c->fetched,
                                                       .to = c->offered,
                                                       .start = r->begun,
                                                       .kind = LZ_TRAIL_POLL});
            c->fetched = c->offered;
        }
        c->must_restart = false;
    }
    if (has_failed)
        learn_later(w, m);
    lz_work_poll(w, m);
    lz_reader_go(w, m);
}

void lz_reader_init(struct lz_world *w)
{
    static const struct lz_rpc_ops ops = {.arrived = arrived, .ended = ended};
    lz_rpc_serve(w, LZ_RPC_READ, &ops);
    w->groups->refresh = lz_sim_kind(w->sim, "group.refresh", lz_reader_on_refresh, w);
    w->groups->park = lz_sim_kind(w->sim, "group.park", on_park, w);
}
