#include "model/consensus/raft_ask.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/consensus/consensus_state.h"
#include "model/net/net.h"

struct asked {
    struct lz_pool_head head;
    struct lz_raft_ask ask;
};

static struct asked *find(const struct lz_world *w, lz_raft_ask_id id)
{
    return id != 0 ? lz_pool_find(&w->consensuses->asks, id) : NULL;
}

const struct lz_raft_ask *lz_raft_ask_find(const struct lz_world *w, lz_raft_ask_id id)
{
    const struct asked *a = find(w, id);
    return a != NULL ? &a->ask : NULL;
}

void lz_raft_ask_forget(struct lz_world *w, lz_raft_ask_id id)
{
    struct asked *a = find(w, id);
    if (a != NULL)
        lz_pool_give(&w->consensuses->asks, a);
}

static bool is_wanted(struct lz_world *w, uint64_t payload, uint32_t tries)
{
    (void)tries;
    return find(w, payload) != NULL;
}

static void send(struct lz_world *w, struct asked *a, bool is_answer)
{
    lz_instance_id member = lz_consensus_at(w, a->ask.group)->first + a->ask.node;
    lz_net_send(w, &(struct lz_message){
                       .from = is_answer ? member : a->ask.client,
                       .to = is_answer ? a->ask.client : member,
                       .kind = is_answer ? a->ask.answered : w->consensuses->asked,
                       .payload = lz_pool_id(a),
                       .owner = lz_draw_index(a->ask.owner, is_answer),
                       .purpose = LZ_PURPOSE_LOG,
                       .wanted = is_wanted,
                   });
}

lz_raft_ask_id lz_raft_ask_send(struct lz_world *w, const struct lz_raft_ask *ask)
{
    LZ_ASSERT(ask->node < lz_raft_ask_members(w, ask->group));
    struct asked *a = lz_pool_take(&w->consensuses->asks);
    a->ask = *ask;
    send(w, a, false);
    return lz_pool_id(a);
}

void lz_raft_ask_answer(struct lz_world *w, lz_raft_ask_id id, bool is_done)
{
    struct asked *a = find(w, id);
    if (a == NULL)
        return;
    a->ask.is_done = is_done;
    send(w, a, true);
}

static void refuse(struct lz_world *w, struct asked *a)
{
    a->ask.is_refused = true;
    send(w, a, true);
}

// A learner answers nobody, see raft_serve.c.
static bool serves(const struct lz_consensus *g, uint32_t n)
{
    return g->nodes[n].is_on && (lz_raft_voters(&g->nodes[n]) >> n & 1u) != 0;
}

static void on_asked(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct asked *a = find(w, payload);
    if (a == NULL || lz_instance_defer(w, entity, w->consensuses->asked, payload))
        return;
    struct lz_consensus *g = lz_consensus_of(w, entity);
    const struct lz_raft_node *node = &g->nodes[entity - g->first];
    if (!serves(g, entity - g->first)) {
        refuse(w, a);
        return;
    }
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), a->ask.owner, LZ_PURPOSE_SERVICE, a->ask.node);
    double took = (double)lz_dist_time(&g->opts.request_time, &draw) * node->capacity->factor;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + (lz_time)(took + 0.5), w->consensuses->ask_handled,
              entity, payload);
}

static void on_handled(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct asked *a = find(w, payload);
    if (a == NULL || lz_instance_defer(w, entity, w->consensuses->ask_handled, payload))
        return;
    struct lz_consensus *g = lz_consensus_of(w, entity);
    uint32_t n = entity - g->first;
    const struct lz_raft_key *k = lz_raft_machine_get(&g->nodes[n].machine, a->ask.key);
    if (!serves(g, n)) {
        refuse(w, a);
        return;
    }
    if (a->ask.what == LZ_ASK_GONE && (k == NULL || !k->is_there)) {
        lz_raft_ask_answer(w, payload, true);
        return;
    }
    lz_raft_serve_ask(w, g, n, payload, &a->ask);
}

static void init(struct lz_world *w)
{
    struct lz_consensuses *cs = w->consensuses;
    lz_pool_init(&cs->asks, w->arena, sizeof(struct asked));
    cs->asked = lz_sim_kind(w->sim, "raft.ask", on_asked, w);
    cs->ask_handled = lz_sim_kind(w->sim, "raft.ask.handled", on_handled, w);
}

void lz_raft_ask_held(struct lz_world *w, lz_component_id group, uint64_t key, uint64_t holder,
                      lz_time ttl)
{
    struct lz_consensus *g = lz_consensus_at(w, group);
    LZ_ASSERT(!w->running);
    if (w->consensuses->asked == 0)
        init(w); // for who asks nobody nothing is as it would not be
    g->held = lz_grow(w->arena, g->held, &g->held_cap, g->held_count + 1, sizeof(*g->held));
    g->held[g->held_count++] = (struct lz_raft_entry){
        .term = 1, .op = LZ_RAFT_ACQUIRE, .key = key, .value = holder, .ttl = ttl};
}

uint32_t lz_raft_ask_members(const struct lz_world *w, lz_component_id group)
{
    return lz_consensus_at(w, group)->opts.nodes;
}
