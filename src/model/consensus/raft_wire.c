/*
 * raft_wire.c — messages between the nodes of a group, and the disk they wait for.
 *
 * A vote, and that a log has come, may be told only once the disk has it: every message carries
 * the number of its sender's latest write and is held until that is flushed. One flush is under
 * way at a time and takes all that was written before it began (group commit, as etcd's and
 * every WAL's). A node whose disk takes no time holds nothing.
 *
 * While a flush is under way its node says nothing, applies nothing and does not count the time:
 * what it is told it hears. (etcd's raftNode.start: one loop sends, saves, and takes its ticks. So
 * a disk that takes longer than an election timeout ends a leader, whose heartbeats it holds up:
 * "leader failed to send out heartbeat on time; took too long, leader is overloaded likely from
 * slow disk".)
 *
 * Between two nodes there is a connection for entries and one for all else, as etcd has it (its
 * rafthttp's two streams), and a state comes over one of its own. One on which something was under
 * way for a whole election timeout breaks, as etcd's do, and what was on it is gone: the leader
 * then asks from where to go on.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/consensus/consensus_state.h"
#include "model/net/bus.h"
#include "model/net/net.h"
#include "model/node/clock.h"
#include "model/node/disk.h"
#include "model/node/life.h"

struct lz_raft_message *lz_raft_message(struct lz_world *w, struct lz_consensus *g, uint32_t from,
                                        uint32_t to, enum lz_raft_message_kind kind)
{
    LZ_ASSERT(from < g->opts.nodes && to < g->opts.nodes);
    LZ_ASSERT(from != to);
    struct lz_raft_message *m = lz_pool_take_sized(&w->consensuses->messages, sizeof(*m));
    if (++g->messages > g->messages_max)
        g->messages_max = g->messages;
    m->group = g->id;
    m->kind = (uint8_t)kind;
    m->from = (uint8_t)from;
    m->to = (uint8_t)to;
    m->term = g->nodes[from].hard.term;
    m->cluster = g->nodes[from].cluster;
    m->incarnation = lz_instance_get(w, g->first + from)->incarnation;
    return m;
}

void lz_raft_free(struct lz_world *w, struct lz_raft_message *m)
{
    struct lz_consensus *g = lz_consensus_at(w, m->group);
    LZ_ASSERT(g->messages > 0);
    g->messages--;
    if (m->state != NULL) {
        g->state_keys -= m->state->cap;
        lz_raft_machine_finish(m->state);
        lz_arena_free(w->arena, m->state, sizeof(*m->state));
    }
    lz_pool_give(&w->consensuses->messages, m);
}

// Of a state, which is long under way: is it worth sending again? If not it is gone.
static bool is_wanted(struct lz_world *w, uint64_t payload, uint32_t tries)
{
    struct lz_raft_message *m = lz_pool_find(&w->consensuses->messages, payload);
    if (m == NULL)
        return false;
    struct lz_consensus *g = lz_consensus_at(w, m->group);
    const struct lz_instance *i = lz_instance_get(w, g->first + m->from);
    bool is_old = tries > 0 && lz_sim_now(w->sim) - m->sent > g->opts.election;
    if (lz_instance_runs(i) && i->incarnation == m->incarnation && !is_old)
        return true;
    lz_raft_broke(g, m->from, m->to);
    lz_raft_free(w, m);
    return false;
}

static uint64_t bytes_of(const struct lz_consensus *g, const struct lz_raft_message *m)
{
    uint64_t entries = m->state != NULL ? m->state->count : m->count;
    return LZ_RAFT_HEADER_BYTES + entries * g->opts.entry_bytes;
}

static void send_now(struct lz_world *w, struct lz_consensus *g, struct lz_raft_message *m)
{
    uint64_t owner = lz_draw_index(lz_consensus_node_path(g, m->from), m->to);
    m->sent = lz_sim_now(w->sim);
    if (m->kind == LZ_RAFT_BEAT)
        m->clock = lz_clock_read(w, g->first + m->from);
    owner = lz_draw_index(owner, ++g->nodes[m->from].messages);
    if (m->kind != LZ_RAFT_STATE) {
        lz_bus_send(w, g->bus,
                    &(struct lz_bus_message){.from = m->from,
                                             .to = m->to,
                                             .channel = m->kind == LZ_RAFT_APPEND,
                                             .kind = w->consensuses->message,
                                             .payload = lz_pool_id(m),
                                             .owner = owner,
                                             .bytes = bytes_of(g, m)});
        return;
    }
    lz_net_send(w, &(struct lz_message){
                       .from = g->first + m->from,
                       .to = g->first + m->to,
                       .kind = w->consensuses->message,
                       .payload = lz_pool_id(m),
                       .owner = owner,
                       .purpose = LZ_PURPOSE_LOG,
                       .bytes = bytes_of(g, m),
                       .wanted = is_wanted,
                   });
}

void lz_raft_send(struct lz_world *w, struct lz_consensus *g, struct lz_raft_message *m)
{
    struct lz_raft_node *node = &g->nodes[m->from];
    // What a leader sends may be ahead of its own disk; it counts itself only once it is there.
    bool waits = m->kind == LZ_RAFT_VOTE || m->kind == LZ_RAFT_VOTED || m->kind == LZ_RAFT_APPENDED;
    m->write = waits ? node->written : 0;
    if (m->write <= node->flushed && node->flushing == 0) {
        send_now(w, g, m);
        return;
    }
    if (node->held_last != 0)
        ((struct lz_raft_message *)lz_pool_at(&w->consensuses->messages, node->held_last))->next =
            m->head.index;
    else
        node->held_first = m->head.index;
    node->held_last = m->head.index;
}

void lz_raft_drop_held(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    while (node->held_first != 0) {
        struct lz_raft_message *m = lz_pool_at(&w->consensuses->messages, node->held_first);
        node->held_first = m->next;
        lz_raft_free(w, m);
    }
    node->held_last = 0;
}

// ---- the disk

uint64_t lz_raft_write(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (lz_disk_durable(w, g->first + n, node->flushed) == node->flushed)
        node->hard_safe = node->hard;
    return ++node->written;
}

// One tick waits for the loop to go on; the others have not been.
static void skip_time(struct lz_world *w, const struct lz_consensus *g, struct lz_raft_node *node)
{
    lz_time missed = lz_sim_now(w->sim) - node->flush_began - g->opts.heartbeat;
    if (missed <= 0)
        return;
    node->heard += missed;
    for (uint32_t i = 0; i < g->opts.nodes; i++)
        node->peers[i].heard += missed;
}

static void have_flushed(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t write)
{
    struct lz_raft_node *node = &g->nodes[n];
    LZ_ASSERT(write <= node->written);
    node->flushed = write;
    lz_disk_flushed(w, g->first + n, write);
    while (node->held_first != 0) {
        struct lz_raft_message *m = lz_pool_at(&w->consensuses->messages, node->held_first);
        if (m->write > node->flushed)
            break;
        node->held_first = m->next;
        if (node->held_first == 0)
            node->held_last = 0;
        m->next = 0;
        send_now(w, g, m);
    }
    lz_raft_is_flushed(w, g, n);
}

void lz_raft_flush(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (node->flushed == node->written || node->flushing != 0)
        return;
    if (!lz_disk_is_felt(w, g->first + n)) {
        have_flushed(w, g, n, node->written);
        return;
    }
    node->flushing = node->written;
    node->flush_began = lz_sim_now(w->sim);
    uint64_t owner =
        lz_draw_index(lz_draw_name(lz_consensus_node_path(g, n), "fsync"), node->flushing);
    lz_disk_start(w, g->first + n,
                  &(struct lz_disk_request){.op = LZ_DISK_FSYNC,
                                            .owner = owner,
                                            .done = w->consensuses->flushed,
                                            .failed = w->consensuses->flush_failed,
                                            .payload = node->flushing});
}

static struct lz_raft_node *flushing(struct lz_world *w, lz_instance_id id, lz_kind kind,
                                     uint64_t write)
{
    struct lz_consensus *g = lz_consensus_of(w, id);
    struct lz_raft_node *node = &g->nodes[id - g->first];
    if (lz_instance_defer(w, id, kind, write) || !node->is_on || node->flushing != write)
        return NULL; // asked for by a process that is no more
    node->flushing = 0;
    return node;
}

static void on_flushed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (flushing(w, entity, w->consensuses->flushed, payload) == NULL)
        return;
    struct lz_consensus *g = lz_consensus_of(w, entity);
    skip_time(w, g, &g->nodes[entity - g->first]);
    have_flushed(w, g, entity - g->first, payload);
    if (g->nodes[entity - g->first].is_on)
        lz_raft_apply(w, g, entity - g->first);
    lz_raft_flush(w, g, entity - g->first);
}

// Nobody can vote or confirm without a disk: the process ends, as etcd's does ("failed to save").
static void on_flush_failed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (flushing(w, entity, w->consensuses->flush_failed, payload) != NULL)
        (void)lz_life_crash(w, entity, "cannot write its log");
}

static void take(struct lz_world *w, struct lz_raft_message *m)
{
    struct lz_consensus *g = lz_consensus_at(w, m->group);
    const struct lz_raft_node *node = &g->nodes[m->to];
    bool is_heard = node->is_on && node->cluster == m->cluster;
    if (is_heard && !lz_raft_tell_gone(w, g, m)) {
        lz_raft_receive(w, g, m);
        return;
    }
    if (!node->is_on)
        lz_raft_broke(g, m->from, m->to);
    lz_raft_free(w, m);
}

static void on_state(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_raft_message *m = lz_pool_find(&w->consensuses->messages, payload);
    if (m != NULL && !lz_instance_defer(w, entity, w->consensuses->message, payload))
        take(w, m);
}

static void heard(struct lz_world *w, lz_instance_id at, const struct lz_bus_message *m)
{
    (void)at;
    take(w, lz_pool_find(&w->consensuses->messages, m->payload));
}

static void lost(struct lz_world *w, const struct lz_bus_message *m)
{
    lz_raft_free(w, lz_pool_find(&w->consensuses->messages, m->payload));
}

static void broke(struct lz_world *w, lz_instance_id sender, const struct lz_bus_message *way,
                  bool by_reset)
{
    struct lz_consensus *g = lz_consensus_of(w, sender);
    lz_raft_broke(g, way->from, way->to);
    // What it had asked may be lost; of one whose process ended it will hear that another leads.
    if (!by_reset && g->nodes[way->from].is_on)
        lz_raft_retry(w, g, way->from);
}

void lz_raft_connect(struct lz_world *w, struct lz_consensus *g)
{
    static const struct lz_bus_ops ops = {.heard = heard, .lost = lost, .broke = broke};
    g->bus = lz_bus_create(w, &(struct lz_bus_opts){.ops = &ops,
                                                    .first = g->first,
                                                    .nodes = g->opts.nodes,
                                                    .channels = 2,
                                                    .patience = g->opts.election});
}

void lz_raft_wire_init(struct lz_world *w)
{
    struct lz_consensuses *cs = w->consensuses;
    lz_pool_init(&cs->messages, w->arena, sizeof(struct lz_raft_message));
    cs->message = lz_sim_kind(w->sim, "raft", on_state, w);
    cs->flushed = lz_sim_kind(w->sim, "raft.flushed", on_flushed, w);
    cs->flush_failed = lz_sim_kind(w->sim, "raft.flush.failed", on_flush_failed, w);
}
