#include "model/data/dcs.h"

#include "base/check.h"
#include "base/hash.h"
#include "model/consensus/raft_ask.h"
#include "model/data/leader.h"
#include "model/data/sql/execute.h"

#define NOTHING LZ_RAFT_NOOP /* is under way */
#define PAUSE LZ_S           /* after all members have refused, one after another */

struct agent {
    bool holds; // the key, as far as it knows
    uint8_t what;
    lz_time since; // it began to try
    lz_raft_ask_id ask, watch;
    lz_event_id timer;
    uint64_t asked; // ever: counts its draws
    uint32_t member, refused;
};

struct lz_dcs {
    uint64_t key;
    struct agent *agents; // by node
};

struct lz_dcses {
    lz_kind loop, answered, timeout;
};

static struct agent *agent_of(const struct lz_database *d, uint32_t node)
{
    return &d->dcs->agents[node];
}

static bool lives(const struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    return lz_instance_has_begun(lz_instance_get(w, d->first + node));
}

static bool demotes(const struct lz_database *d, uint32_t node)
{
    return node == d->primary && d->is_writable && d->lead == LZ_LEAD_HEALTHY &&
           lz_leader_is_fenced(d);
}

// ---------------------------------------------------------------- asking

static lz_raft_ask_id ask_member(struct lz_world *w, const struct lz_database *d, uint32_t node,
                                 uint8_t what)
{
    struct agent *a = agent_of(d, node);
    uint64_t owner = lz_draw_index(lz_draw_name(lz_draw_index(d->path, node), "dcs"), ++a->asked);
    return lz_raft_ask_send(w, &(struct lz_raft_ask){.group = d->failover.store,
                                                     .client = d->first + node,
                                                     .node = a->member,
                                                     .what = what,
                                                     .key = d->dcs->key,
                                                     .value = node + 1u,
                                                     .ttl = d->failover.ttl,
                                                     .owner = owner,
                                                     .answered = w->dcses->answered});
}

static void go_to_next(struct lz_world *w, const struct lz_database *d, struct agent *a)
{
    a->member = (a->member + 1) % lz_raft_ask_members(w, d->failover.store);
}

static lz_time patience(struct lz_world *w, const struct lz_database *d)
{
    uint32_t members = lz_raft_ask_members(w, d->failover.store);
    lz_time each = (d->failover.retry_timeout + members - 1) / members; // so many, and no more
    lz_time least = LZ_S < d->failover.retry_timeout ? LZ_S : d->failover.retry_timeout;
    return each > least ? each : least;
}

static void wait(struct lz_world *w, const struct lz_database *d, uint32_t node, lz_time how_long)
{
    struct agent *a = agent_of(d, node);
    lz_sim_cancel(w->sim, a->timer);
    a->timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + how_long, w->dcses->timeout, d->first + node,
                         a->asked);
}

static void ask(struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    struct agent *a = agent_of(d, node);
    lz_raft_ask_forget(w, a->ask);
    a->ask = ask_member(w, d, node, a->what);
    wait(w, d, node, patience(w, d));
}

static void end(struct lz_world *w, struct agent *a)
{
    lz_sim_cancel(w->sim, a->timer);
    lz_raft_ask_forget(w, a->ask);
    a->timer = 0;
    a->ask = 0;
    a->what = NOTHING;
    a->refused = 0;
}

static void begin(struct lz_world *w, const struct lz_database *d, uint32_t node, uint8_t what)
{
    struct agent *a = agent_of(d, node);
    if (a->what == what)
        return; // it tries already
    end(w, a);
    a->what = what;
    a->since = lz_sim_now(w->sim);
    ask(w, d, node);
}

static void watch(struct lz_world *w, const struct lz_database *d, uint32_t node)
{
    struct agent *a = agent_of(d, node);
    lz_raft_ask_forget(w, a->watch);
    a->watch = ask_member(w, d, node, LZ_ASK_GONE);
}

// ---------------------------------------------------------------- what comes of it

static void step_down(struct lz_world *w, struct lz_database *d, uint32_t node, const char *why)
{
    if (!demotes(d, node))
        return;
    d->is_writable = false;
    lz_instance_note(w, d->first + node, "stepped_down", "%s, and steps down", why);
}

static void lead_on(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    d->lease.until = lz_sim_now(w->sim) + d->failover.ttl;
    d->lease.lsn = d->log.flushed;
    if (d->is_writable || d->is_handed_over || d->lead != LZ_LEAD_HEALTHY)
        return;
    d->is_writable = true;
    lz_instance_note(w, d->first + node, "lease", "has its lease, and leads again");
    lz_database_reconsider(w);
}

// Nobody whom it reaches has more of the log, and it is not meant for another.
static bool may_run(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    const struct lz_database_node *n = &d->nodes[node];
    if (d->forced_to != 0 && !lz_instance_is_up(lz_instance_get(w, d->first + d->forced_to - 1u)))
        d->forced_to = 0;
    bool is_meant = d->forced_to == 0 || d->forced_to == node + 1;
    if (d->lead != LZ_LEAD_HEALTHY || !is_meant || !lz_leader_can_be(w, d, node))
        return false;
    if (node != d->primary && !lz_leader_may_follow(d, node))
        return false;
    for (uint32_t m = 0; m < d->opts.nodes; m++) {
        bool is_rival = m != node && (m == d->primary || lz_leader_may_follow(d, m)) &&
                        lz_leader_can_be(w, d, m) && d->forced_to == 0;
        if (is_rival && d->nodes[m].lsn > n->lsn &&
            lz_leader_reaches(w, d->first + node, d->first + m))
            return false;
    }
    return true;
}

static void won(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    agent_of(d, node)->holds = true;
    if (node == d->primary) {
        d->is_handed_over = false;
        lead_on(w, d, node);
        return;
    }
    if (d->lead != LZ_LEAD_HEALTHY)
        return; // it leads soon
    d->forced_to = node + 1;
    d->hand_over_tries = 0;
    lz_instance_note(w, d->first + node, "lease", "has acquired the lease");
    lz_leader_race(w, d, d->failover.promote);
}

static void lost(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    agent_of(d, node)->holds = false;
    step_down(w, d, node, "its lease has run out");
    watch(w, d, node);
}

static void settle_answer(struct lz_world *w, struct lz_database *d, uint32_t node, uint8_t what,
                          bool is_done)
{
    if (what == LZ_RAFT_ACQUIRE && is_done)
        won(w, d, node);
    else if (what == LZ_RAFT_RENEW && is_done && node == d->primary)
        lead_on(w, d, node);
    else if (what == LZ_RAFT_RELEASE)
        agent_of(d, node)->holds = false;
    else if (!is_done)
        lost(w, d, node);
}

static void on_answered(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    const struct lz_raft_ask *q = lz_raft_ask_find(w, payload);
    if (q == NULL || lz_instance_defer(w, entity, w->dcses->answered, payload))
        return;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    uint32_t node = entity - d->first;
    struct agent *a = agent_of(d, node);
    bool is_refused = q->is_refused, is_done = q->is_done, is_watch = payload == a->watch;
    lz_raft_ask_forget(w, payload);
    if (is_watch)
        a->watch = 0;
    if (!lives(w, d, node) || (!is_watch && payload != a->ask))
        return;
    if (is_refused) {
        go_to_next(w, d, a);
        if (is_watch)
            return; // the next loop asks another
        a->ask = 0;
        a->refused++;
        bool by_all = a->refused % lz_raft_ask_members(w, d->failover.store) == 0;
        wait(w, d, node, by_all ? PAUSE : 1);
    } else if (is_watch) {
        if (may_run(w, d, node))
            begin(w, d, node, LZ_RAFT_ACQUIRE);
    } else {
        uint8_t what = a->what;
        end(w, a);
        settle_answer(w, d, node, what, is_done);
    }
}

static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    uint32_t node = entity - d->first;
    struct agent *a = agent_of(d, node);
    if (a->what == NOTHING || a->asked < payload ||
        lz_instance_defer(w, entity, w->dcses->timeout, payload))
        return;
    a->timer = 0;
    if (!lives(w, d, node)) {
        end(w, a);
    } else if (lz_sim_now(w->sim) - a->since < d->failover.retry_timeout) {
        if (a->ask != 0)
            go_to_next(w, d, a); // it has not answered
        ask(w, d, node);
    } else {
        end(w, a);
        step_down(w, d, node, "cannot renew its lease");
    }
}

static void on_loop(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_database *d = lz_database_at(w, lz_instance_get(w, entity)->component);
    uint32_t node = entity - d->first;
    struct agent *a = agent_of(d, node);
    if (lz_instance_defer(w, entity, w->dcses->loop, payload))
        return;
    bool leads = node == d->primary;
    lz_time every = d->failover.poll > 0 && !leads ? d->failover.poll : d->failover.loop_wait;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + every, w->dcses->loop, entity, payload);
    if (!lives(w, d, node)) {
        end(w, a);
        return;
    }
    bool is_next = d->forced_to == node + 1 && d->lead == LZ_LEAD_PROMOTING;
    if (a->holds && ((!leads && !is_next) || (leads && d->is_handed_over)))
        begin(w, d, node, LZ_RAFT_RELEASE);
    else if (a->holds)
        begin(w, d, node, LZ_RAFT_RENEW);
    else if (a->what == NOTHING)
        watch(w, d, node);
    if (a->watch != 0)
        go_to_next(w, d, a); // for the next time, should this one not answer
}

// ---------------------------------------------------------------- from failover.c

void lz_dcs_settle(struct lz_world *w, struct lz_database *d)
{
    if (w->running)
        begin(w, d, d->primary, agent_of(d, d->primary)->holds ? LZ_RAFT_RENEW : LZ_RAFT_ACQUIRE);
}

void lz_dcs_hand_over(struct lz_world *w, struct lz_database *d)
{
    if (lives(w, d, d->primary))
        begin(w, d, d->primary, LZ_RAFT_RELEASE);
}

static void init(struct lz_world *w)
{
    w->dcses = lz_arena_alloc(w->arena, sizeof(*w->dcses));
    w->dcses->loop = lz_sim_kind(w->sim, "dcs.loop", on_loop, w);
    w->dcses->answered = lz_sim_kind(w->sim, "dcs.answered", on_answered, w);
    w->dcses->timeout = lz_sim_kind(w->sim, "dcs.timeout", on_timeout, w);
}

void lz_dcs_declare(struct lz_world *w, struct lz_database *d)
{
    LZ_ASSERT(!w->running && d->dcs == NULL);
    if (w->dcses == NULL)
        init(w);
    d->dcs = lz_arena_alloc(w->arena, sizeof(*d->dcs));
    d->dcs->key = lz_hash_mix(d->path, 6) | 1ull << 63; // nobody else's
    d->dcs->agents = lz_arena_alloc(w->arena, d->opts.nodes * sizeof(struct agent));
    agent_of(d, d->primary)->holds = true;
    lz_raft_ask_held(w, d->failover.store, d->dcs->key, d->primary + 1u, d->failover.ttl);
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(d->path, n), LZ_PURPOSE_PHASE, 1);
        lz_time phase = (lz_time)lz_draw_below(&draw, (uint64_t)d->failover.loop_wait);
        agent_of(d, n)->member =
            (uint32_t)lz_draw_below(&draw, lz_raft_ask_members(w, d->failover.store));
        lz_sim_at(w->sim, lz_sim_now(w->sim) + phase, w->dcses->loop, d->first + n, 0);
    }
}
