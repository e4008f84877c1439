/*
 * member.c — a member of a group: how it joins, stays and leaves. What it reads is work.c's.
 *
 *   join ──▶ sync ──▶ take what was assigned ──▶ load positions ──▶ read
 *
 * A heartbeat says whether there is a rebalance; the member joins it at its next poll. Requests
 * that fail, or meet a node that is not the coordinator, are made again 100 ms later, to whoever it
 * is then (retry.backoff.ms; finding it takes no time of its own).
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/broker/group_state.h"
#include "model/net/net.h"

#define AGAIN_NS (100 * LZ_MS)
#define TIMEOUT_NS (30 * LZ_S) // request.timeout.ms

static struct lz_broker *broker_of(const struct lz_member *m)
{
    return m->group->broker;
}

struct lz_cursor *lz_member_cursor(struct lz_member *m, uint32_t partition)
{
    for (uint32_t i = 0; i < m->cursor_count; i++)
        if (m->cursors[i].partition == partition)
            return &m->cursors[i];
    return NULL;
}

// ---- asking the coordinator

static void again_later(struct lz_world *w, struct lz_member *m)
{
    lz_sim_cancel(w->sim, m->again);
    m->again_at = lz_sim_now(w->sim) + AGAIN_NS;
    m->again = lz_sim_at(w->sim, m->again_at, w->groups->again, m->id, m->turn);
}

// Some node says who it is: any that lives and can be reached.
static bool find_coordinator(struct lz_world *w, struct lz_member *m)
{
    const struct lz_broker *b = broker_of(m);
    for (uint32_t n = 0; n < b->opts.nodes; n++) {
        if (!lz_broker_is_up(w, b, n) || !lz_net_can_ask(w, m->id, b->first + n))
            continue;
        m->coordinator = m->group->coordinator;
        return m->coordinator != LZ_BROKER_NOBODY;
    }
    return false;
}

static uint64_t ask(struct lz_world *w, struct lz_member *m, enum lz_group_op op)
{
    if (m->coordinator == LZ_BROKER_NOBODY && !find_coordinator(w, m)) {
        again_later(w, m);
        return 0;
    }
    lz_time timeout =
        op == LZ_GROUP_JOIN ? m->group->opts.max_poll_interval + 5 * LZ_S : TIMEOUT_NS;
    return lz_rpc_send(w, &(struct lz_rpc_send){
                              .kind = LZ_RPC_GROUP,
                              .from = m->id,
                              .to = broker_of(m)->first + m->coordinator,
                              .way = &m->ways[m->coordinator],
                              .path = lz_draw_index(m->path, m->coordinator),
                              .owner = (uint64_t)m->number << 32 | m->turn,
                              .says = (uint64_t)m->generation << 32 | op,
                              .timeout = timeout,
                          });
}

// ---- joining

static void drop_cursors(struct lz_world *w, struct lz_member *m)
{
    m->cursor_count = 0;
    m->must_commit = false;
    lz_reader_forget(w, m);
    lz_consumers_assigned(w, m->group);
}

static void join(struct lz_world *w, struct lz_member *m)
{
    if (!m->group->opts.is_cooperative || m->is_lost)
        drop_cursors(w, m);
    m->phase = LZ_MEMBER_JOINING;
    m->must_rejoin = m->must_apply = m->is_lost = false;
    ask(w, m, LZ_GROUP_JOIN);
}

bool lz_member_has_uncommitted(const struct lz_member *m)
{
    for (uint32_t i = 0; i < m->cursor_count; i++)
        if (m->cursors[i].is_loaded && m->cursors[i].done != m->cursors[i].committing)
            return true;
    return false;
}

bool lz_member_may_commit(const struct lz_member *m)
{
    return m->phase >= LZ_MEMBER_LOADING || (m->phase == LZ_MEMBER_SYNCING && m->must_apply);
}

// What the COMMIT or LEAVE about to be sent says.
static void say_positions(struct lz_world *w, struct lz_member *m, bool ahead)
{
    uint32_t n = m->group->topic->opts.partitions;
    if (m->said == NULL)
        m->said = lz_arena_alloc(w->arena, n * sizeof(*m->said));
    for (uint32_t p = 0; p < n; p++)
        m->said[p] = LZ_POSITION_NONE;
    m->said_in = m->generation;
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        struct lz_cursor *c = &m->cursors[i];
        c->committing = ahead ? c->position : c->done;
        if (c->is_loaded) // of others it knows nothing yet
            m->said[c->partition] = c->committing;
    }
}

void lz_member_commit(struct lz_world *w, struct lz_member *m, bool ahead)
{
    m->must_commit = false;
    say_positions(w, m, ahead);
    m->last_commit = lz_sim_now(w->sim);
    m->commit = ask(w, m, LZ_GROUP_COMMIT);
}

void lz_member_abort(struct lz_world *w, struct lz_member *m)
{
    m->work = LZ_MEMBER_COMMITTING;
    m->then = LZ_MEMBER_ABORTED;
    lz_consumers_busy(w, m->group);
    m->commit = ask(w, m, LZ_GROUP_ABORT);
}

static void commit_then(struct lz_world *w, struct lz_member *m, enum lz_member_then then)
{
    m->work = LZ_MEMBER_COMMITTING;
    m->then = (uint8_t)then;
    lz_member_commit(w, m, false);
}

void lz_member_rejoin(struct lz_world *w, struct lz_member *m)
{
    LZ_ASSERT(m->work == LZ_MEMBER_IDLE);
    if (m->phase != LZ_MEMBER_READING && !m->is_lost)
        return; // it is about to, or will when it has loaded
    // onJoinPrepare commits by itself whatever the protocol; the rest is said by who gives up.
    const struct lz_consumers_opts *o = &m->group->opts;
    bool commits = !o->is_cooperative || (!o->commit_batch && !o->at_most_once);
    if (commits && !m->is_lost && lz_member_has_uncommitted(m))
        commit_then(w, m, LZ_MEMBER_REJOIN);
    else
        join(w, m);
}

// ---- what was assigned

static void add_cursor(struct lz_world *w, struct lz_member *m, uint32_t partition)
{
    m->cursors =
        lz_grow(w->arena, m->cursors, &m->cursor_cap, m->cursor_count + 1, sizeof(*m->cursors));
    m->cursors[m->cursor_count++] =
        (struct lz_cursor){.partition = partition, .leader = LZ_BROKER_NOBODY};
}

// Drops what is another's now; true if there was any.
static bool keep_own(struct lz_world *w, struct lz_member *m)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        const struct lz_cursor *c = &m->cursors[i];
        if (m->group->claims[c->partition].owner == m->number)
            m->cursors[kept++] = *c;
    }
    bool has_dropped = kept < m->cursor_count;
    m->cursor_count = kept;
    m->next_cursor = 0;
    if (has_dropped)
        lz_reader_forget(w, m);
    return has_dropped;
}

static void load(struct lz_world *w, struct lz_member *m)
{
    const struct lz_group *g = m->group;
    if (keep_own(w, m))
        m->must_rejoin = true; // so that somebody else gets it
    for (uint32_t p = 0; p < g->topic->opts.partitions; p++)
        if (g->claims[p].owner == m->number && lz_member_cursor(m, p) == NULL)
            add_cursor(w, m, p);
    lz_consumers_assigned(w, m->group);
    m->phase = LZ_MEMBER_LOADING;
    ask(w, m, LZ_GROUP_LOAD);
}

void lz_member_apply(struct lz_world *w, struct lz_member *m)
{
    LZ_ASSERT(m->work == LZ_MEMBER_IDLE);
    m->must_apply = false;
    bool gives_up = false;
    for (uint32_t i = 0; i < m->cursor_count; i++)
        gives_up = gives_up || m->group->claims[m->cursors[i].partition].owner != m->number;
    if (gives_up && lz_member_has_uncommitted(m))
        commit_then(w, m, LZ_MEMBER_REVOKE);
    else
        load(w, m);
}

static void begin_reading(struct lz_world *w, struct lz_member *m)
{
    for (uint32_t i = 0; i < m->cursor_count; i++) {
        struct lz_cursor *c = &m->cursors[i];
        if (c->is_loaded)
            continue;
        c->position = c->done = c->fetched = c->committing =
            m->group->claims[c->partition].committed;
        c->is_loaded = true;
        lz_reader_learn(c, lz_group_partition(m->group, c->partition));
    }
    lz_time now = lz_sim_now(w->sim);
    m->phase = LZ_MEMBER_READING;
    m->last_poll = m->last_commit = now;
    lz_reader_go(w, m);
    if (m->work == LZ_MEMBER_IDLE)
        lz_work_poll(w, m);
}

void lz_member_joined_again(struct lz_world *w, struct lz_member *m, enum lz_member_then then)
{
    if (then == LZ_MEMBER_REJOIN)
        join(w, m);
    else
        load(w, m);
}

// ---- what comes back

static void lose(struct lz_world *w, struct lz_member *m)
{
    m->is_lost = m->must_rejoin = true;
    if (m->work == LZ_MEMBER_IDLE)
        lz_work_poll(w, m);
}

static void succeeded(struct lz_world *w, struct lz_member *m, enum lz_group_op op)
{
    switch (op) {
    case LZ_GROUP_JOIN:
        m->generation = m->group->generation;
        m->phase = LZ_MEMBER_SYNCING;
        ask(w, m, LZ_GROUP_SYNC);
        return;
    case LZ_GROUP_SYNC:
        if (m->work == LZ_MEMBER_IDLE)
            lz_member_apply(w, m);
        else
            m->must_apply = true;
        return;
    case LZ_GROUP_LOAD:
        begin_reading(w, m);
        return;
    case LZ_GROUP_COMMIT:
    case LZ_GROUP_ABORT:
        lz_work_committed(w, m, true);
        return;
    case LZ_GROUP_HEARTBEAT:
    case LZ_GROUP_LEAVE:
        return;
    }
}

// What it asked as a member of an earlier generation, or before it joined the next, says nothing of
// what it is now (generationUnchanged of Kafka's ConsumerCoordinator; its heartbeats hear of a
// rebalance in the state STABLE only). A commit that is waited for is never of that kind: it holds
// its member back from joining.
static bool is_outdated(const struct lz_member *m, const struct lz_rpc *r)
{
    bool is_between = !lz_member_may_commit(m);
    bool is_awaited = m->work == LZ_MEMBER_COMMITTING && lz_pool_id(r) == m->commit;
    return !is_awaited && (is_between || lz_group_generation_of(r) != m->generation);
}

static void refused(struct lz_world *w, struct lz_member *m, const struct lz_rpc *r)
{
    enum lz_group_op op = lz_group_op_of(r);
    bool is_rebalancing = r->error == LZ_BROKER_REBALANCING;
    if (op == LZ_GROUP_JOIN) {
        again_later(w, m);
    } else if (op == LZ_GROUP_SYNC) {
        join(w, m);
    } else if (is_rebalancing && op == LZ_GROUP_LOAD) {
        m->must_rejoin = true; // positions are known all the same
        begin_reading(w, m);
    } else if (is_outdated(m, r)) {
        return;
    } else if (is_rebalancing) {
        m->must_rejoin = true;
        if (m->work == LZ_MEMBER_IDLE)
            lz_work_poll(w, m);
    } else {
        bool ends = op == LZ_GROUP_COMMIT || op == LZ_GROUP_ABORT;
        lose(w, m);
        if (ends && lz_pool_id(r) == m->commit)
            lz_work_committed(w, m, false);
    }
}

// Silence, a reset, or a node that is not the coordinator.
static void missed(struct lz_world *w, struct lz_member *m, const struct lz_rpc *r)
{
    enum lz_group_op op = lz_group_op_of(r);
    bool ends = op == LZ_GROUP_COMMIT || op == LZ_GROUP_ABORT;
    bool is_awaited = ends && m->work == LZ_MEMBER_COMMITTING && lz_pool_id(r) == m->commit;
    m->coordinator = LZ_BROKER_NOBODY;
    if (is_awaited)
        m->commit = 0;
    if (is_awaited || op == LZ_GROUP_JOIN || op == LZ_GROUP_SYNC || op == LZ_GROUP_LOAD)
        again_later(w, m);
}

void lz_member_ended(struct lz_world *w, const struct lz_rpc *r, enum lz_rpc_end how)
{
    struct lz_member *m = lz_member_of(w, r->from);
    if ((uint32_t)r->owner != m->turn)
        return;
    if (how != LZ_RPC_ANSWERED || r->error == LZ_BROKER_NOT_COORDINATOR)
        missed(w, m, r);
    else if (r->error != LZ_BROKER_OK)
        refused(w, m, r);
    else if ((lz_group_op_of(r) != LZ_GROUP_COMMIT && lz_group_op_of(r) != LZ_GROUP_ABORT) ||
             lz_pool_id(r) == m->commit)
        succeeded(w, m, lz_group_op_of(r));
}

void lz_member_on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->again, payload))
        return;
    struct lz_member *m = lz_member_of(w, entity);
    if (m->turn != payload || lz_sim_now(w->sim) < m->again_at)
        return; // what was kept while it was paused may have been put off since
    m->again = 0;
    if (m->work == LZ_MEMBER_COMMITTING && m->commit == 0)
        m->commit = ask(w, m, m->then == LZ_MEMBER_ABORTED ? LZ_GROUP_ABORT : LZ_GROUP_COMMIT);
    else if (m->phase == LZ_MEMBER_JOINING || m->phase == LZ_MEMBER_SYNCING)
        join(w, m);
    else if (m->phase == LZ_MEMBER_LOADING)
        ask(w, m, LZ_GROUP_LOAD);
}

// ---- heartbeats

static void arm_heartbeat(struct lz_world *w, struct lz_member *m, lz_time wait)
{
    m->heartbeat =
        lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, w->groups->heartbeat, m->id, m->turn);
}

void lz_member_on_heartbeat(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->groups->heartbeat, payload))
        return;
    struct lz_member *m = lz_member_of(w, entity);
    if (m->turn != payload)
        return;
    lz_time now = lz_sim_now(w->sim);
    arm_heartbeat(w, m, m->group->opts.heartbeat);
    if (m->work == LZ_MEMBER_IDLE && m->stall_count == 0)
        m->last_poll = now; // it asks all the time
    bool sits = m->phase >= LZ_MEMBER_SYNCING || m->group->opts.is_cooperative;
    if (m->is_lost || !sits || m->phase == LZ_MEMBER_OUT || m->phase == LZ_MEMBER_JOINING)
        return;
    if (now - m->last_poll > m->group->opts.max_poll_interval) {
        bool is_static = m->group->opts.is_static;
        lz_instance_note(w, m->id, "left", "%s: no poll for %.9gs",
                         is_static ? "is silent to its group" : "leaves its group",
                         (double)(now - m->last_poll) / 1e9);
        if (is_static)
            m->generation = 0; // it comes back as whoever has its name
        else
            ask(w, m, LZ_GROUP_LEAVE);
        m->is_lost = m->must_rejoin = true;
        return;
    }
    ask(w, m, LZ_GROUP_HEARTBEAT);
}

// ---- its process

static lz_time first_heartbeat(struct lz_world *w, const struct lz_member *m)
{
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), m->path, LZ_PURPOSE_PROBE, m->turn);
    return (lz_time)(lz_draw_unit(&draw) * (double)m->group->opts.heartbeat) + 1;
}

void lz_member_begin(struct lz_world *w, struct lz_member *m)
{
    LZ_ASSERT(m->cursor_count == 0);
    m->turn++;
    m->last_poll = m->last_commit = lz_sim_now(w->sim);
    m->coordinator = LZ_BROKER_NOBODY;
    if (m->group->opts.is_static)
        m->generation = 0;
    arm_heartbeat(w, m, first_heartbeat(w, m));
    join(w, m);
}

void lz_member_enter(struct lz_world *w, struct lz_member *m)
{
    const struct lz_group *g = m->group;
    m->turn++;
    m->generation = g->generation;
    m->coordinator = g->coordinator;
    for (uint32_t p = 0; p < g->topic->opts.partitions; p++)
        if (g->claims[p].owner == m->number)
            add_cursor(w, m, p);
    arm_heartbeat(w, m, first_heartbeat(w, m));
    begin_reading(w, m);
}

// Consumer.close(): it commits what it has worked on, and does not wait to hear that it has left. A
// static member does not leave.
void lz_member_leave(struct lz_world *w, struct lz_member *m)
{
    const struct lz_group *g = m->group;
    bool says = g->transactions == NULL && !g->opts.at_most_once && lz_member_may_commit(m);
    if (says)
        say_positions(w, m, false);
    if (!g->opts.is_static)
        ask(w, m, LZ_GROUP_LEAVE);
    else if (says && !m->is_lost)
        ask(w, m, LZ_GROUP_COMMIT);
    m->turn++;
    m->phase = LZ_MEMBER_OUT;
}

void lz_member_stop(struct lz_world *w, struct lz_member *m)
{
    m->is_leaving = true;
    bool is_free = m->work == LZ_MEMBER_IDLE || m->work == LZ_MEMBER_RESTING;
    if (is_free && m->phase != LZ_MEMBER_OUT)
        lz_member_leave(w, m);
}

bool lz_member_drains(const struct lz_member *m)
{
    return m->work == LZ_MEMBER_COMMITTING;
}

void lz_member_died(struct lz_world *w, struct lz_member *m)
{
    lz_work_died(w, m);
    m->turn++;
    m->phase = LZ_MEMBER_OUT;
    m->work = LZ_MEMBER_IDLE;
    m->must_rejoin = m->must_apply = m->must_commit = m->is_lost = m->is_leaving = false;
    m->commit = 0;
    lz_sim_cancel(w->sim, m->heartbeat);
    lz_sim_cancel(w->sim, m->again);
    m->heartbeat = m->again = 0;
    drop_cursors(w, m);
}
