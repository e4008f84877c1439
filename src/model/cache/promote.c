#include "base/check.h"
#include "model/cache/cluster_state.h"
#include "model/node/instance.h"

/*
 * A replica takes over from its primary: clusterHandleSlaveFailover of redis/src/cluster.c.
 *
 *   DELAY = 500 milliseconds + random delay between 0 and 500 milliseconds +
 *           SLAVE_RANK * 1000 milliseconds                          (cluster-spec)
 *
 *   its primary is FAIL ──DELAY──▶ asks all primaries ──most votes──▶ leads, in a new epoch
 *           ▲                              └─ 2 node_timeout (2 s at least): not elected
 *           └─────────── twice as long after it was planned ──┘
 *
 * The rank is how many replicas of the same primary have more writes. A primary votes once in an
 * epoch, and for a replica of the same primary not again within 2 node_timeout.
 */

#define FIXED_DELAY (500 * LZ_MS)
#define RANDOM_DELAY (500 * LZ_MS)
#define RANK_DELAY LZ_S
#define AUTH_MIN (2 * LZ_S)
#define REPL_PING (10 * LZ_S) // repl-ping-replica-period

static lz_time auth_timeout(const struct lz_cache *c)
{
    lz_time twice = 2 * c->opts.cluster.node_timeout;
    return twice > AUTH_MIN ? twice : AUTH_MIN;
}

static uint32_t rank_of(const struct lz_cache *c, uint32_t node)
{
    const struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint32_t rank = 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        rank += n != node && !v->of[n].leads && v->of[n].follows == c->node[node].follows &&
                v->of[n].offset > c->node[node].offset;
    return rank;
}

// What it has is too old to be worth anything (cluster-replica-validity-factor).
static bool is_too_old(const struct lz_world *w, const struct lz_cache *c, uint32_t node)
{
    const struct lz_cluster_opts *o = &c->opts.cluster;
    const struct lz_peer *p = &lz_cluster_node(c, node)->of[c->node[node].follows];
    lz_time age = lz_sim_now(w->sim) - p->data - o->node_timeout;
    return c->node[node].is_behind ||
           (o->validity_factor > 0 &&
            age > REPL_PING + o->node_timeout * (lz_time)o->validity_factor);
}

static void plan(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    v->auth_rank = rank_of(c, node);
    v->auth_at = lz_sim_now(w->sim) + FIXED_DELAY +
                 (lz_time)(lz_gossip_draw(w, c, node) * (double)RANDOM_DELAY) +
                 (lz_time)v->auth_rank * RANK_DELAY;
    v->is_auth_sent = false;
    v->votes = 0;
    lz_instance_note(w, c->first + node, "cluster", "will stand for election, rank %u",
                     v->auth_rank);
    lz_gossip_tell_all(w, c, node); // the other replicas learn how much it has
}

void lz_promote_ask(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    v->auth_epoch = ++v->epoch;
    v->is_auth_sent = true;
    if (v->manual.until != 0) { // there is no delay, and no rank
        v->auth_at = lz_sim_now(w->sim);
        v->votes = 0;
    }
    for (uint32_t n = 0; n < c->nodes; n++)
        if (n != node)
            lz_cluster_send(w, c,
                            &(struct lz_cache_tell){.from = node,
                                                    .to = n,
                                                    .kind = w->caches->cluster.ask,
                                                    .payload = lz_gossip_say(w, c, node, n)});
}

// clusterFailoverReplaceYourMaster
static void lead(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint32_t old = c->node[node].follows;
    uint64_t *touched = v->manual.touched;
    if (touched != NULL)
        ++*touched;
    v->manual = (struct lz_manual){0};
    v->of[node].leads = v->of[node].was_promoted = true;
    v->of[node].config_epoch = v->auth_epoch;
    for (uint32_t slot = 0; slot < LZ_SLOTS; slot++)
        if (v->owner[slot] == old + 1)
            lz_claims_assign(c, node, slot, node + 1);
    v->claim++;
    lz_cache_lead(w, c, node, v->auth_epoch);
    lz_gossip_tell_all(w, c, node);
    lz_claims_judge(w, c, node);
    lz_claims_measure(w, c);
}

// clusterBumpConfigEpochWithoutConsensus, and then as if it had been elected.
void lz_promote_take_over(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    uint64_t most = v->epoch;
    for (uint32_t n = 0; n < c->nodes; n++)
        most = v->of[n].config_epoch > most ? v->of[n].config_epoch : most;
    v->epoch = v->auth_epoch = most + 1;
    lead(w, c, node);
}

void lz_promote_tick(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    const struct lz_peer *primary = &v->of[c->node[node].follows];
    lz_time now = lz_sim_now(w->sim), timeout = auth_timeout(c);
    if (!primary->is_fail || primary->slots == 0 || is_too_old(w, c, node))
        return;
    if (now - v->auth_at > 2 * timeout) {
        plan(w, c, node);
        return;
    }
    uint32_t rank = rank_of(c, node);
    if (!v->is_auth_sent && rank > v->auth_rank) {
        v->auth_at += (lz_time)(rank - v->auth_rank) * RANK_DELAY;
        v->auth_rank = rank;
    }
    if (now >= v->auth_at && now - v->auth_at <= timeout && !v->is_auth_sent)
        lz_promote_ask(w, c, node);
}

// Nobody it knows of has one of the slots by a newer claim than that of who failed.
static bool is_newest(const struct lz_cache *c, uint32_t node, uint32_t failed, uint64_t epoch)
{
    const struct lz_cluster_node *v = lz_cluster_node(c, node);
    return v->of[failed].config_epoch <= epoch && v->of[failed].slots > 0;
}

static void on_ask(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cluster.ask, payload) || !lz_cache_lives(w, entity))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, from = lz_gossip_from(payload);
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    const struct lz_saying *s = lz_gossip_hear(w, c, node, payload);
    if (s == NULL || s->leads || !c->node[node].leads || v->of[node].slots == 0)
        return;
    struct lz_peer *failed = &v->of[s->follows];
    lz_time now = lz_sim_now(w->sim);
    if (s->epoch < v->epoch || v->vote_epoch == v->epoch || (!failed->is_fail && !s->is_manual) ||
        now - failed->voted < 2 * c->opts.cluster.node_timeout ||
        !is_newest(c, node, s->follows, s->config_epoch))
        return;
    v->vote_epoch = v->epoch;
    failed->voted = now;
    lz_cluster_send(
        w, c,
        &(struct lz_cache_tell){
            .from = node, .to = from, .kind = w->caches->cluster.vote, .payload = s->epoch});
}

static void on_vote(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cluster.vote, payload) ||
        !lz_cache_lives(w, entity))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, from = lz_gossip_from(payload);
    struct lz_cluster_node *v = lz_cluster_node(c, node);
    bool counts = v->of[from].leads && v->of[from].slots > 0 && payload >> 8 == v->auth_epoch;
    bool is_late = lz_sim_now(w->sim) - v->auth_at > auth_timeout(c);
    if (c->node[node].leads || !v->is_auth_sent || !counts || is_late)
        return;
    v->votes |= (uint64_t)1 << from;
    uint32_t count = 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        count += (uint32_t)(v->votes >> n & 1);
    if (count >= lz_claims_primaries(c, node) / 2 + 1)
        lead(w, c, node);
}

void lz_promote_init(struct lz_world *w)
{
    w->caches->cluster.ask = lz_sim_kind(w->sim, "cluster.ask", on_ask, w);
    w->caches->cluster.vote = lz_sim_kind(w->sim, "cluster.vote", on_vote, w);
}
