#include "model/cache/sentinel.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/net/net.h"

#define PING_PERIOD LZ_S             // SENTINEL_PING_PERIOD
#define ELECTION_TIMEOUT (10 * LZ_S) // SENTINEL_ELECTION_TIMEOUT
#define DESYNC LZ_S                  // SENTINEL_MAX_DESYNC
#define AGREED_FOR (5 * LZ_S)        // five times SENTINEL_ASK_PERIOD
#define HEARD_FOR (5 * LZ_S)         // five times the ping period, of a good replica
#define WRONG_FOR (8 * LZ_S)         // four times SENTINEL_PUBLISH_PERIOD
#define NEVER (-LZ_FOREVER / 2)

enum state { IDLE, ELECTING, PROMOTING };

// What a sentinel knows of a node.
struct view {
    lz_time pending; // when the first ping without an answer was sent; 0: none
    lz_time heard;
    lz_time wrong; // since when it has another role than it should; 0: it has not
    lz_event_id check;
    bool leads;
    uint32_t follows;
};

struct lz_sentinel {
    struct view *of;  // each node
    lz_time *agreed;  // when each other sentinel said last that the primary is down
    uint32_t primary; // as it knows
    uint64_t config_epoch;
    uint64_t epoch, voted_epoch;
    uint32_t voted_for;
    bool is_down;
    enum state state;
    bool led; // the latest failover was its own
    uint64_t ticks, draws;
    uint64_t failover_epoch, votes; // a bit for each sentinel
    lz_time failover_start;
    uint32_t candidate;
    uint64_t *touched; // counts a failover that an operator has asked for; NULL: nobody has
};

void lz_sentinel_fill_defaults(struct lz_sentinel_opts *o)
{
    if (o->count == 0)
        o->count = 3;
    if (o->quorum == 0)
        o->quorum = o->count / 2 + 1;
    if (o->down_after == 0)
        o->down_after = 30 * LZ_S;
    if (o->failover_timeout == 0)
        o->failover_timeout = 180 * LZ_S;
    if (o->parallel_syncs == 0)
        o->parallel_syncs = 1;
}

bool lz_sentinel_check(const struct lz_cache_opts *o, struct lz_err *err)
{
    const struct lz_sentinel_opts *s = &o->sentinel;
    if (o->nodes < 2)
        return lz_fail(err, LZ_EINVAL,
                       "sentinels need at least 2 nodes: there would be nobody to promote");
    if (s->count > LZ_CACHE_SENTINELS_MAX)
        return lz_fail(err, LZ_EFULL, "sentinels must be at most %d, got %u",
                       LZ_CACHE_SENTINELS_MAX, s->count);
    if (s->quorum > s->count)
        return lz_fail(err, LZ_EINVAL, "a quorum of %u can never be met by %u sentinels", s->quorum,
                       s->count);
    return true;
}

static struct lz_sentinel *at(const struct lz_cache *c, uint32_t i)
{
    LZ_ASSERT(i < c->sentinel_count);
    return &c->sentinels[i];
}

static uint32_t index_of(const struct lz_cache *c, uint32_t entity)
{
    LZ_ASSERT(entity >= c->first + c->nodes);
    return entity - c->first - c->nodes;
}

static void note(struct lz_world *w, const struct lz_cache *c, uint32_t i, const char *what)
{
    lz_instance_note(w, c->first + c->nodes + i, "sentinel", "%s", what);
}

static void tell_node(struct lz_world *w, struct lz_cache *c, uint32_t i, uint32_t node,
                      lz_kind kind, uint64_t payload)
{
    lz_cache_tell(
        w, c,
        &(struct lz_cache_tell){
            .from = c->nodes + i, .to = node, .kind = kind, .payload = payload, .wanted = true});
}

static void tell_others(struct lz_world *w, struct lz_cache *c, uint32_t i, lz_kind kind,
                        uint64_t payload)
{
    for (uint32_t other = 0; other < c->sentinel_count; other++)
        if (other != i)
            tell_node(w, c, i, c->nodes + other, kind, payload);
}

static double draw_unit(struct lz_world *w, const struct lz_cache *c, uint32_t i)
{
    uint64_t owner = lz_draw_index(c->path, c->nodes + i + 1);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_SENTINEL, at(c, i)->draws++);
    return lz_draw_unit(&draw);
}

static uint32_t votes_needed(const struct lz_cache *c)
{
    uint32_t majority = c->sentinel_count / 2 + 1;
    return majority > c->opts.sentinel.quorum ? majority : c->opts.sentinel.quorum;
}

// Whom it takes for the primary from now on; it tells whoever has not heard of it.
static void adopt(struct lz_cache *c, uint32_t i, uint32_t primary, uint64_t epoch)
{
    struct lz_sentinel *s = at(c, i);
    LZ_ASSERT(epoch > s->config_epoch);
    s->primary = primary;
    s->config_epoch = epoch;
    s->epoch = epoch > s->epoch ? epoch : s->epoch;
    s->is_down = false;
    s->state = IDLE;
    s->touched = NULL; // another one's failover is not that of a fault
    for (uint32_t other = 0; other < c->sentinel_count; other++)
        s->agreed[other] = NEVER;
    c->version++;
}

static void give_up(struct lz_world *w, struct lz_cache *c, uint32_t i, const char *why)
{
    at(c, i)->state = IDLE;
    at(c, i)->touched = NULL;
    note(w, c, i, why);
}

static bool is_better(const struct lz_cache *c, uint32_t a, uint32_t b)
{
    return c->node[a].offset > c->node[b].offset;
}

// Whether a sentinel would promote it: it is there, follows, and was heard lately.
static bool is_good(struct lz_world *w, const struct lz_cache *c, uint32_t i, uint32_t n)
{
    const struct lz_sentinel *s = at(c, i);
    const struct view *v = &s->of[n];
    return n != s->primary && !v->leads && lz_sim_now(w->sim) - v->heard <= HEARD_FOR &&
           !c->node[n].is_behind;
}

// Of the good replicas the one with the most writes; c->nodes: there is none.
static uint32_t best_of(struct lz_world *w, const struct lz_cache *c, uint32_t i)
{
    uint32_t best = c->nodes;
    for (uint32_t n = 0; n < c->nodes; n++)
        if (is_good(w, c, i, n) && (best == c->nodes || is_better(c, n, best)))
            best = n;
    return best;
}

static void order(struct lz_world *w, struct lz_cache *c, uint32_t i, uint32_t candidate)
{
    struct lz_sentinel *s = at(c, i);
    s->candidate = candidate;
    s->state = PROMOTING;
    tell_node(w, c, i, s->candidate, w->caches->order, s->candidate | s->failover_epoch << 8);
}

// It was elected.
static void promote(struct lz_world *w, struct lz_cache *c, uint32_t i)
{
    uint32_t best = best_of(w, c, i);
    if (best == c->nodes) {
        give_up(w, c, i, "found no good replica to promote");
        return;
    }
    note(w, c, i, "was elected to fail over");
    order(w, c, i, best);
}

static void count_vote(struct lz_world *w, struct lz_cache *c, uint32_t i, uint32_t from)
{
    struct lz_sentinel *s = at(c, i);
    s->votes |= 1ull << from;
    uint32_t count = 0;
    for (uint32_t v = 0; v < c->sentinel_count; v++)
        count += (uint32_t)(s->votes >> v & 1u);
    if (count >= votes_needed(c))
        promote(w, c, i);
}

static void ask(struct lz_world *w, struct lz_cache *c, uint32_t i)
{
    const struct lz_sentinel *s = at(c, i);
    uint64_t epoch = s->state == ELECTING ? s->failover_epoch : 0;
    tell_others(w, c, i, w->caches->ask, i | epoch << 8);
}

// Enough of them see it down, and it is not too soon after the last time.
static void try_failover(struct lz_world *w, struct lz_cache *c, uint32_t i)
{
    struct lz_sentinel *s = at(c, i);
    lz_time now = lz_sim_now(w->sim);
    if (!s->is_down || s->state != IDLE ||
        now < s->failover_start + 2 * c->opts.sentinel.failover_timeout)
        return;
    uint32_t agree = 1;
    for (uint32_t other = 0; other < c->sentinel_count; other++)
        agree += other != i && now - s->agreed[other] <= AGREED_FOR;
    if (agree < c->opts.sentinel.quorum)
        return;
    s->failover_epoch = ++s->epoch;
    s->failover_start = now + (lz_time)(draw_unit(w, c, i) * (double)DESYNC);
    s->voted_epoch = s->failover_epoch;
    s->voted_for = i;
    s->votes = 0;
    s->state = ELECTING;
    note(w, c, i, "tries to fail over");
    ask(w, c, i);
    count_vote(w, c, i, i);
}

// Replicas of another primary turn to this one, a few at a time; what leads is told later.
static void set_right(struct lz_world *w, struct lz_cache *c, uint32_t i)
{
    struct lz_sentinel *s = at(c, i);
    lz_time now = lz_sim_now(w->sim);
    uint32_t syncing = 0;
    for (uint32_t n = 0; n < c->nodes; n++)
        syncing += !c->node[n].leads && c->node[n].follows == s->primary && c->node[n].is_behind;
    for (uint32_t n = 0; n < c->nodes; n++) {
        struct view *v = &s->of[n];
        bool is_wrong = n != s->primary && now - v->heard <= 2 * PING_PERIOD &&
                        (v->leads || v->follows != s->primary);
        if (!is_wrong) {
            v->wrong = 0;
            continue;
        }
        v->wrong = v->wrong != 0 ? v->wrong : now;
        bool is_due = now - v->wrong >= WRONG_FOR || (s->led && !v->leads);
        if (!is_due || syncing >= c->opts.sentinel.parallel_syncs)
            continue;
        syncing++;
        tell_node(w, c, i, n, w->caches->order, s->primary | s->config_epoch << 8);
    }
}

static void ping(struct lz_world *w, struct lz_cache *c, uint32_t i)
{
    struct lz_sentinel *s = at(c, i);
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t n = 0; n < c->nodes; n++) {
        if (s->of[n].pending == 0) {
            s->of[n].pending = now;
            s->of[n].check = lz_sim_at(w->sim, now + c->opts.sentinel.down_after, w->caches->check,
                                       c->first + c->nodes + i, n);
        }
        tell_node(w, c, i, n, w->caches->ping, i);
    }
}

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t i = index_of(c, entity);
    struct lz_sentinel *s = at(c, i);
    lz_time now = lz_sim_now(w->sim);
    lz_sim_at(w->sim, now + PING_PERIOD, w->caches->watch, entity, payload);
    if (!lz_instance_is_up(lz_instance_get(w, entity)))
        return;
    lz_time limit = c->opts.sentinel.failover_timeout;
    if (s->state == ELECTING &&
        now - s->failover_start > (limit < ELECTION_TIMEOUT ? limit : ELECTION_TIMEOUT))
        give_up(w, c, i, "was not elected");
    if (s->state == PROMOTING && now - s->failover_start > limit)
        give_up(w, c, i, "had no word from whom it promoted");
    ping(w, c, i);
    if (s->is_down)
        ask(w, c, i);
    try_failover(w, c, i);
    set_right(w, c, i);
    if (s->ticks++ % 2 == 0)
        tell_others(w, c, i, w->caches->hello, s->primary | s->config_epoch << 8);
}

static void on_check(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->check, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t i = index_of(c, entity), n = (uint32_t)payload;
    struct lz_sentinel *s = at(c, i);
    s->of[n].check = 0;
    bool is_silent = s->of[n].pending != 0 &&
                     lz_sim_now(w->sim) - s->of[n].pending >= c->opts.sentinel.down_after;
    if (!lz_cache_lives(w, entity) || n != s->primary || !is_silent || s->is_down)
        return;
    s->is_down = true;
    note(w, c, i, "sees the primary down");
    ask(w, c, i);
    try_failover(w, c, i);
}

// At a node: an answer says what it takes itself for.
static void on_ping(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->ping, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first;
    const struct lz_cache_node *n = &c->node[node];
    if (!lz_cache_lives(w, entity))
        return;
    lz_cache_tell(w, c,
                  &(struct lz_cache_tell){.from = node,
                                          .to = c->nodes + (uint32_t)payload,
                                          .kind = w->caches->pong,
                                          .payload = node | (uint64_t)n->leads << 8 |
                                                     (uint64_t)n->follows << 16,
                                          .wanted = true});
}

static void on_pong(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->pong, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    if (!lz_cache_lives(w, entity))
        return;
    uint32_t i = index_of(c, entity), n = payload & 0xff;
    struct lz_sentinel *s = at(c, i);
    struct view *v = &s->of[n];
    v->pending = 0;
    lz_sim_cancel(w->sim, v->check);
    v->check = 0;
    v->heard = lz_sim_now(w->sim);
    v->leads = payload >> 8 & 1;
    v->follows = payload >> 16 & 0xff;
    if (n == s->primary && s->is_down) {
        s->is_down = false;
        note(w, c, i, "hears the primary again");
        if (s->state == ELECTING)
            s->state = IDLE;
    }
    if (s->state != PROMOTING || n != s->candidate || !v->leads)
        return;
    if (s->touched != NULL)
        ++*s->touched;
    adopt(c, i, n, s->failover_epoch);
    s->led = true;
    note(w, c, i, "has failed over");
    tell_others(w, c, i, w->caches->hello, s->primary | s->config_epoch << 8);
}

static void on_ask(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->ask, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    if (!lz_cache_lives(w, entity))
        return;
    uint32_t i = index_of(c, entity), from = payload & 0xff;
    struct lz_sentinel *s = at(c, i);
    uint64_t epoch = payload >> 8;
    s->epoch = epoch > s->epoch ? epoch : s->epoch;
    if (epoch > s->voted_epoch && epoch >= s->epoch) {
        s->voted_epoch = epoch;
        s->voted_for = from;
        s->failover_start = lz_sim_now(w->sim) + (lz_time)(draw_unit(w, c, i) * (double)DESYNC);
        if (s->state == ELECTING)
            s->state = IDLE;
    }
    uint64_t says = i | (uint64_t)s->is_down << 8 | (uint64_t)s->voted_for << 16;
    tell_node(w, c, i, c->nodes + from, w->caches->told, says | s->voted_epoch << 24);
}

static void on_told(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->told, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    if (!lz_cache_lives(w, entity))
        return;
    uint32_t i = index_of(c, entity), from = payload & 0xff;
    struct lz_sentinel *s = at(c, i);
    s->agreed[from] = payload >> 8 & 1 ? lz_sim_now(w->sim) : NEVER;
    bool is_vote = payload >> 24 == s->failover_epoch && (payload >> 16 & 0xff) == i;
    if (s->state == ELECTING && is_vote)
        count_vote(w, c, i, from);
    try_failover(w, c, i);
}

static void on_hello(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->hello, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t i = index_of(c, entity);
    if (!lz_cache_lives(w, entity) || payload >> 8 <= at(c, i)->config_epoch)
        return;
    adopt(c, i, payload & 0xff, payload >> 8);
    at(c, i)->led = false;
}

// At a node: REPLICAOF, or REPLICAOF NO ONE. An order of an older epoch is too late.
static void on_order(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->order, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, primary = payload & 0xff;
    const struct lz_cache_node *n = &c->node[node];
    uint64_t epoch = payload >> 8;
    if (!lz_cache_lives(w, entity) || epoch < n->epoch)
        return;
    if (primary == node && !n->leads)
        lz_cache_lead(w, c, node, epoch);
    else if (primary != node && (n->leads || n->follows != primary))
        lz_cache_follow(w, c, node, primary, epoch);
}

// Its file has kept what it voted and whom it takes for the primary.
void lz_sentinel_started(struct lz_world *w, struct lz_cache *c, uint32_t sentinel)
{
    struct lz_sentinel *s = at(c, sentinel);
    s->state = IDLE;
    s->touched = NULL;
    s->is_down = s->led = false;
    for (uint32_t n = 0; n < c->nodes; n++) {
        lz_sim_cancel(w->sim, s->of[n].check);
        s->of[n] = (struct view){.heard = lz_sim_now(w->sim)};
        s->of[n].follows = s->primary;
    }
    for (uint32_t other = 0; other < c->sentinel_count; other++)
        s->agreed[other] = NEVER;
}

static uint32_t first_up(const struct lz_world *w, const struct lz_cache *c)
{
    for (uint32_t i = 0; i < c->sentinel_count; i++)
        if (lz_cache_lives(w, c->first + c->nodes + i))
            return i;
    return c->sentinel_count;
}

bool lz_sentinel_failover(struct lz_world *w, struct lz_cache *c, const struct lz_cache_failover *f,
                          struct lz_err *err)
{
    LZ_ASSERT(f->node <= c->nodes && f->touched != NULL);
    const char *name = c->opts.name;
    uint32_t i = first_up(w, c);
    if (i == c->sentinel_count)
        return lz_fail(err, LZ_EINVAL, "no sentinel of %s is up", name);
    struct lz_sentinel *s = at(c, i);
    if (s->state != IDLE)
        return lz_fail(err, LZ_EINVAL, "INPROG: a failover of %s is under way", name);
    uint32_t node = f->node > 0 ? f->node - 1 : best_of(w, c, i);
    if (node == s->primary)
        return lz_fail(err, LZ_EINVAL, "%s[%u] leads already", name, node + 1);
    if (node == c->nodes || !is_good(w, c, i, node))
        return lz_fail(err, LZ_EINVAL, "NOGOODSLAVE: %s[%u] is told to fail over, and %s", name,
                       c->nodes + i + 1,
                       f->node > 0 ? "the node is no good replica" : "hears no good replica");
    s->failover_epoch = s->voted_epoch = ++s->epoch;
    s->voted_for = i;
    s->failover_start = lz_sim_now(w->sim) + (lz_time)(draw_unit(w, c, i) * (double)DESYNC);
    s->touched = f->touched;
    note(w, c, i, "is told to fail over, and asks nobody");
    order(w, c, i, node);
    return true;
}

uint32_t lz_sentinel_route(struct lz_world *w, struct lz_cache *c, lz_instance_id client)
{
    c->beliefs = lz_grow(w->arena, c->beliefs, &c->belief_cap, client + 1, sizeof(*c->beliefs));
    struct lz_cache_belief *b = &c->beliefs[client];
    if (b->version == c->version + 1)
        return b->node;
    b->version = c->version + 1;
    uint64_t best = 0;
    for (uint32_t i = 0; i < c->sentinel_count; i++) {
        lz_instance_id id = c->first + c->nodes + i;
        const struct lz_sentinel *s = at(c, i);
        if (s->config_epoch <= best || !lz_instance_is_up(lz_instance_get(w, id)) ||
            !lz_net_ask(w, client, id))
            continue;
        best = s->config_epoch;
        b->node = s->primary;
    }
    return b->node;
}

static void make_kinds(struct lz_world *w)
{
    struct lz_caches *cs = w->caches;
    if (cs->watch != 0)
        return;
    cs->watch = lz_sim_kind(w->sim, "sentinel.tick", on_tick, w);
    cs->check = lz_sim_kind(w->sim, "sentinel.check", on_check, w);
    cs->ping = lz_sim_kind(w->sim, "sentinel.ping", on_ping, w);
    cs->pong = lz_sim_kind(w->sim, "sentinel.pong", on_pong, w);
    cs->ask = lz_sim_kind(w->sim, "sentinel.ask", on_ask, w);
    cs->told = lz_sim_kind(w->sim, "sentinel.told", on_told, w);
    cs->hello = lz_sim_kind(w->sim, "sentinel.hello", on_hello, w);
    cs->order = lz_sim_kind(w->sim, "sentinel.order", on_order, w);
}

void lz_sentinels_create(struct lz_world *w, struct lz_cache *c)
{
    make_kinds(w);
    c->sentinels = lz_arena_alloc(w->arena, c->sentinel_count * sizeof(*c->sentinels));
    for (uint32_t i = 0; i < c->sentinel_count; i++) {
        struct lz_sentinel *s = at(c, i);
        s->of = lz_arena_alloc(w->arena, c->nodes * sizeof(*s->of));
        s->agreed = lz_arena_alloc(w->arena, c->sentinel_count * sizeof(*s->agreed));
        s->config_epoch = s->epoch = 1;
        s->failover_start = NEVER;
    }
}

void lz_sentinels_start(struct lz_world *w, struct lz_cache *c)
{
    for (uint32_t i = 0; i < c->sentinel_count; i++) {
        lz_sentinel_started(w, c, i);
        lz_sim_at(w->sim, (lz_time)(draw_unit(w, c, i) * (double)PING_PERIOD), w->caches->watch,
                  c->first + c->nodes + i, 0);
    }
}
