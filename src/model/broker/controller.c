/*
 * controller.c — which nodes live, who leads each partition, and who is told.
 *
 *   live ──silent──▶ silent ──election──▶ fenced ──registers──▶ live
 *     ▲                │ heard again
 *     └────────────────┘
 *
 * A session belongs to a process: one that was started again before its predecessor's session has
 * run out registers only then (KRaft's DuplicateBrokerRegistration). A node that is told to stop
 * hands its leaderships over first (controlled shutdown) and is fenced when it has ended.
 *
 * Decisions are made here at once and reach nodes by a message each. A node that does not hear of
 * them goes on as it was: that is what a zombie leader is.
 */
#include "base/check.h"
#include "model/broker/broker_state.h"
#include "model/net/net.h"

#define REBALANCE_NS (300 * LZ_S) // leader.imbalance.check.interval.seconds
#define IMBALANCE 0.1             // leader.imbalance.per.broker.percentage
#define ALTER_TIMEOUT_NS (5 * LZ_S)

bool lz_controller_is_alive(const struct lz_world *w, const struct lz_broker *b, uint32_t node)
{
    return !b->nodes[node].is_fenced && lz_broker_is_up(w, b, node);
}

static bool reaches(struct lz_world *w, const struct lz_broker *b, uint32_t i, uint32_t k)
{
    lz_instance_id a = b->first + i, c = b->first + k;
    return i == k || (lz_net_can_ask(w, a, c) && lz_net_can_ask(w, c, a));
}

// The node that reaches most others, the first of equals.
static uint32_t find_controller(struct lz_world *w, const struct lz_broker *b)
{
    uint32_t best = LZ_BROKER_NOBODY, most = 0;
    for (uint32_t i = 0; i < b->opts.nodes; i++) {
        uint32_t reached = 0;
        if (!lz_broker_is_up(w, b, i))
            continue;
        for (uint32_t k = 0; k < b->opts.nodes; k++)
            reached += lz_broker_is_up(w, b, k) && reaches(w, b, i, k);
        if (reached > most) {
            most = reached;
            best = i;
        }
    }
    return best;
}

// ---- news

static void tell(struct lz_world *w, struct lz_broker *b)
{
    if (b->controller == LZ_BROKER_NOBODY)
        return;
    struct lz_broker_node *from = &b->nodes[b->controller];
    for (uint32_t n = 0; n < b->opts.nodes; n++)
        if (lz_instance_runs(lz_instance_get(w, b->first + n)))
            lz_rpc_send(w, &(struct lz_rpc_send){.kind = LZ_RPC_NEWS,
                                                 .from = from->id,
                                                 .to = b->first + n,
                                                 .way = &from->news[n],
                                                 .path = lz_draw_index(b->path, n)});
}

static void news_arrived(struct lz_world *w, struct lz_rpc *r)
{
    struct lz_broker *b = lz_broker_of(w, r->to);
    const struct lz_broker_node *node = &b->nodes[lz_broker_node_of(b, r->to)];
    lz_rpc_answer(w, r, LZ_BROKER_OK, 0);
    for (uint32_t i = 0; i < node->hosted_count; i++) {
        struct lz_partition *p = b->partitions[node->hosted[i].partition];
        lz_replica_hear(w, p, &p->replicas[node->hosted[i].replica]);
    }
}

// One that could not be told will be when it registers.
static void news_ended(struct lz_world *w, const struct lz_rpc *r, enum lz_rpc_end how)
{
    (void)w;
    (void)r;
    (void)how;
}

// ---- elections

static void take_levels(struct lz_world *w, struct lz_broker *b)
{
    uint32_t offline = 0, under = 0, up = 0;
    for (uint32_t i = 0; i < b->partition_count; i++) {
        const struct lz_partition *p = b->partitions[i];
        bool is_offline = p->leader == LZ_BROKER_NOBODY;
        offline += is_offline;
        under += is_offline || (uint32_t)__builtin_popcount(p->isr) < p->count;
        if (p->number == 0)
            lz_topic_levels(w, p->topic);
    }
    for (uint32_t n = 0; n < b->opts.nodes; n++)
        up += !b->nodes[n].is_fenced;
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, b->series.offline, now, offline);
    lz_metrics_set(w->metrics, b->series.under_replicated, now, under);
    lz_metrics_set(w->metrics, b->series.nodes_up, now, up);
}

void lz_controller_elect(struct lz_world *w, struct lz_partition *p, uint32_t replica, bool clean)
{
    struct lz_broker *b = p->broker;
    struct lz_replica *r = &p->replicas[replica];
    LZ_ASSERT(replica < p->count);
    LZ_ASSERT(LZ_IMPLIES(clean, (p->isr >> replica & 1) != 0));
    p->leader = replica;
    p->epoch++;
    p->was_led_by = r->node;
    if (!clean)
        p->isr = 1u << replica;
    lz_metrics_add(w->metrics, b->series.elections, 1);
    lz_metrics_add(w->metrics, b->series.unclean, !clean);
    lz_topic_count_lost(w, p, r);
    lz_group_truncated(w, p, r->log.end);
    lz_poison_cut(p->topic, p->number, r->log.end);
}

static bool can_lead(const struct lz_world *w, const struct lz_partition *p, uint32_t replica,
                     uint32_t not_node)
{
    uint32_t node = p->replicas[replica].node;
    return node != not_node && lz_controller_is_alive(w, p->broker, node) &&
           !p->broker->nodes[node].is_leaving;
}

// The first live replica of the ISR; without one any, if that is allowed. False: nobody can.
static bool elect(struct lz_world *w, struct lz_partition *p, uint32_t not_node)
{
    for (uint32_t i = 0; i < p->count; i++)
        if ((p->isr >> i & 1) != 0 && can_lead(w, p, i, not_node)) {
            lz_controller_elect(w, p, i, true);
            return true;
        }
    for (uint32_t i = 0; i < p->count && p->topic->opts.unclean; i++)
        if (can_lead(w, p, i, not_node)) {
            lz_controller_elect(w, p, i, false);
            return true;
        }
    return false;
}

static void take_out(struct lz_world *w, struct lz_partition *p, uint32_t replica)
{
    uint32_t others = p->isr & ~(1u << replica);
    if (others == p->isr || others == 0)
        return; // the last one keeps what was acknowledged
    p->isr = others;
    lz_metrics_add(w->metrics, p->broker->series.shrinks, 1);
}

static void fence(struct lz_world *w, struct lz_broker *b, uint32_t n)
{
    struct lz_broker_node *node = &b->nodes[n];
    LZ_ASSERT(!node->is_fenced);
    node->is_fenced = true;
    node->is_silent = node->is_leaving = false;
    lz_sim_cancel(w->sim, node->fencing);
    node->fencing = 0;
    uint32_t moved = 0, stuck = 0;
    for (uint32_t i = 0; i < node->hosted_count; i++) {
        struct lz_partition *p = b->partitions[node->hosted[i].partition];
        uint32_t replica = node->hosted[i].replica;
        if (p->leader == replica) {
            bool is_led = elect(w, p, n);
            moved += is_led;
            stuck += !is_led;
            if (!is_led)
                p->leader = LZ_BROKER_NOBODY;
        }
        take_out(w, p, replica);
    }
    lz_instance_note(w, node->id, "fenced", "is fenced: %u partitions get another leader%s", moved,
                     stuck > 0 ? ", others none" : "");
    tell(w, b);
    take_levels(w, b);
}

static void register_node(struct lz_world *w, struct lz_broker *b, uint32_t n)
{
    struct lz_broker_node *node = &b->nodes[n];
    node->is_fenced = node->is_leaving = node->is_silent = false;
    node->incarnation = lz_instance_get(w, node->id)->incarnation;
    for (uint32_t i = 0; i < node->hosted_count; i++) {
        struct lz_partition *p = b->partitions[node->hosted[i].partition];
        if (p->leader == LZ_BROKER_NOBODY)
            elect(w, p, LZ_BROKER_NOBODY);
    }
    tell(w, b);
    take_levels(w, b);
}

// It stops in order: others lead before it goes.
static void hand_over(struct lz_world *w, struct lz_broker *b, uint32_t n)
{
    struct lz_broker_node *node = &b->nodes[n];
    node->is_leaving = true;
    for (uint32_t i = 0; i < node->hosted_count; i++) {
        struct lz_partition *p = b->partitions[node->hosted[i].partition];
        if (p->leader == node->hosted[i].replica && !elect(w, p, n))
            continue; // it leads to its end
        take_out(w, p, node->hosted[i].replica);
    }
    tell(w, b);
    take_levels(w, b);
}

void lz_controller_tell(struct lz_world *w, struct lz_broker *b)
{
    tell(w, b);
    take_levels(w, b);
}

// ---- sessions

static void watch(struct lz_world *w, struct lz_broker *b, uint32_t n)
{
    struct lz_broker_node *node = &b->nodes[n];
    const struct lz_instance *i = lz_instance_get(w, node->id);
    bool is_heard = b->controller != LZ_BROKER_NOBODY && lz_instance_is_up(i) &&
                    reaches(w, b, n, b->controller);
    if (node->is_fenced) {
        if (is_heard)
            register_node(w, b, n);
        return;
    }
    bool is_same = i->incarnation == node->incarnation;
    if (i->state == LZ_INSTANCE_STOPPING && is_same && !node->is_leaving)
        hand_over(w, b, n);
    if (node->is_leaving && (!lz_instance_runs(i) || !is_same)) {
        fence(w, b, n);
        watch(w, b, n);
        return;
    }
    bool is_silent = !(is_heard && is_same) && !node->is_leaving;
    if (is_silent && !node->is_silent) {
        node->fencing =
            lz_sim_at(w->sim, lz_sim_now(w->sim) + b->opts.election, w->brokers->fence, b->id, n);
    } else if (!is_silent && node->is_silent) {
        lz_sim_cancel(w->sim, node->fencing);
        node->fencing = 0;
        tell(w, b); // what it has missed
    }
    node->is_silent = is_silent;
}

void lz_controller_reconsider(struct lz_world *w, struct lz_broker *b)
{
    b->controller = find_controller(w, b);
    for (uint32_t n = 0; n < b->opts.nodes; n++)
        watch(w, b, n);
    for (uint32_t i = 0; i < b->group_count; i++)
        lz_group_reconsider(w, b->groups[i]);
    lz_transactions_reconsider(w, b);
}

static void on_fence(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_broker *b = lz_broker_at(w, entity);
    b->nodes[payload].fencing = 0;
    fence(w, b, (uint32_t)payload);
    lz_controller_reconsider(w, b);
}

// ---- what is done from time to time

static void on_check_isr(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_broker *b = lz_broker_at(w, entity);
    for (uint32_t i = 0; i < b->partition_count; i++)
        for (uint32_t r = 0; r < b->partitions[i]->count; r++) {
            struct lz_replica *one = &b->partitions[i]->replicas[r];
            if (one->leads && lz_broker_is_up(w, b, one->node))
                lz_replica_check_isr(w, b->partitions[i], one);
        }
    lz_sim_at(w->sim, lz_sim_now(w->sim) + b->opts.replica_lag_time / 2, w->brokers->check_isr,
              b->id, 0);
}

bool lz_controller_prefer(struct lz_world *w, struct lz_partition *p)
{
    if (p->leader == 0 || (p->isr & 1) == 0 || !can_lead(w, p, 0, LZ_BROKER_NOBODY))
        return false;
    lz_controller_elect(w, p, 0, true);
    return true;
}

// Leadership goes back to the first replicas, node by node, where enough of it has gone.
static void on_rebalance(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_broker *b = lz_broker_at(w, entity);
    uint32_t moved = 0;
    for (uint32_t n = 0; n < b->opts.nodes; n++) {
        uint32_t own = 0, away = 0;
        for (uint32_t i = 0; i < b->partition_count; i++) {
            const struct lz_partition *p = b->partitions[i];
            own += p->replicas[0].node == n;
            away += p->replicas[0].node == n && p->leader != 0;
        }
        if ((double)away <= IMBALANCE * (double)own)
            continue;
        for (uint32_t i = 0; i < b->partition_count; i++) {
            struct lz_partition *p = b->partitions[i];
            moved += p->replicas[0].node == n && lz_controller_prefer(w, p);
        }
    }
    if (moved > 0)
        tell(w, b);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + REBALANCE_NS, w->brokers->rebalance, b->id, 0);
}

// ---- in sync or not

void lz_controller_alter(struct lz_world *w, struct lz_partition *p, struct lz_replica *r,
                         uint32_t isr)
{
    struct lz_broker *b = p->broker;
    LZ_ASSERT(r->leads && !r->is_altering);
    if (b->controller == LZ_BROKER_NOBODY)
        return; // it will be asked for again
    struct lz_broker_node *node = &b->nodes[r->node];
    r->isr_base = r->isr;
    r->isr_wanted = isr;
    r->is_altering = true;
    lz_rpc_send(w, &(struct lz_rpc_send){.kind = LZ_RPC_ALTER,
                                         .from = node->id,
                                         .to = b->first + b->controller,
                                         .way = &node->alterings[b->controller],
                                         .path = lz_draw_index(b->path, b->opts.nodes + r->node),
                                         .owner = p->index,
                                         .says = r->epoch,
                                         .timeout = ALTER_TIMEOUT_NS});
}

// Only who leads may ask, and only live nodes come in.
static void alter_arrived(struct lz_world *w, struct lz_rpc *rpc)
{
    struct lz_broker *b = lz_broker_of(w, rpc->to);
    struct lz_partition *p = b->partitions[rpc->owner];
    uint32_t n = lz_broker_node_of(b, rpc->from);
    const struct lz_replica *r = lz_partition_on(p, n);
    LZ_ASSERT(r != NULL);
    bool leads = p->leader == lz_replica_index(p, r) && p->epoch == rpc->says;
    if (b->controller != lz_broker_node_of(b, rpc->to) || !leads || b->nodes[n].is_fenced) {
        lz_rpc_answer(w, rpc, LZ_BROKER_NOT_LEADER, 0);
        return;
    }
    uint32_t out = r->isr_base & ~r->isr_wanted, in = r->isr_wanted & ~r->isr_base, alive = 0;
    for (uint32_t i = 0; i < p->count; i++)
        alive |= (uint32_t)!b->nodes[p->replicas[i].node].is_fenced << i;
    uint32_t isr = (p->isr & ~out) | (in & alive) | 1u << p->leader;
    lz_metrics_add(w->metrics, b->series.shrinks, (uint64_t)__builtin_popcount(p->isr & ~isr));
    lz_metrics_add(w->metrics, b->series.expands, (uint64_t)__builtin_popcount(isr & ~p->isr));
    p->isr = isr;
    take_levels(w, b);
    lz_rpc_answer(w, rpc, LZ_BROKER_OK, 0);
}

static void alter_ended(struct lz_world *w, const struct lz_rpc *rpc, enum lz_rpc_end how)
{
    struct lz_broker *b = lz_broker_of(w, rpc->from);
    struct lz_partition *p = b->partitions[rpc->owner];
    struct lz_replica *r = lz_partition_on(p, lz_broker_node_of(b, rpc->from));
    if (r->epoch != rpc->says || !r->is_altering)
        return;
    r->is_altering = false;
    if (how == LZ_RPC_ANSWERED && rpc->error == LZ_BROKER_OK && p->epoch == r->epoch)
        r->isr = p->isr;
    r->isr_wanted = r->isr;
    lz_replica_advance(w, p, r);
}

// ---- the beginning

void lz_controller_begin(struct lz_world *w, struct lz_broker *b)
{
    b->controller = find_controller(w, b);
    for (uint32_t n = 0; n < b->opts.nodes; n++)
        b->nodes[n].incarnation = lz_instance_get(w, b->first + n)->incarnation;
    for (uint32_t i = 0; i < b->partition_count; i++) {
        struct lz_partition *p = b->partitions[i];
        p->leader = 0;
        p->epoch = 1;
        p->isr = (uint32_t)((1ull << p->count) - 1);
        for (uint32_t r = 0; r < p->count; r++)
            lz_replica_hear(w, p, &p->replicas[r]);
    }
    lz_time now = lz_sim_now(w->sim);
    lz_sim_at(w->sim, now + b->opts.replica_lag_time / 2, w->brokers->check_isr, b->id, 0);
    lz_sim_at(w->sim, now + REBALANCE_NS, w->brokers->rebalance, b->id, 0);
    lz_controller_reconsider(w, b);
}

void lz_controller_init(struct lz_world *w)
{
    static const struct lz_rpc_ops news = {.arrived = news_arrived, .ended = news_ended};
    static const struct lz_rpc_ops alter = {.arrived = alter_arrived, .ended = alter_ended};
    lz_rpc_serve(w, LZ_RPC_NEWS, &news);
    lz_rpc_serve(w, LZ_RPC_ALTER, &alter);
    w->brokers->fence = lz_sim_kind(w->sim, "broker.fence", on_fence, w);
    w->brokers->check_isr = lz_sim_kind(w->sim, "broker.isr", on_check_isr, w);
    w->brokers->rebalance = lz_sim_kind(w->sim, "broker.rebalance", on_rebalance, w);
}
