/*
 * policy.c — who may be asked, and by which policy one of them is.
 */
#include "model/client/policy.h"

#include "base/check.h"
#include "base/math.h"
#include "model/client/locality.h"
#include "model/node/instance.h"
#include "model/service/task.h"

#define WEIGHT_ONE 65536 /* of a replica of weight 1 that has started */
#define PPM 1000000u

struct set {
    const uint32_t *list; // ascending
    uint32_t count;
    uint32_t *turn; // the client's among them: levels must not turn each other on
};

static bool is_thought_alive(const struct lz_edge *e, uint32_t client, uint32_t server)
{
    return !e->servers[server].is_out &&
           !e->policy->pairs[client * e->server_count + server].is_ejected;
}

// Asked in panic too. Who goes by endpoints alone has no opinion to give up.
static bool is_endpoint(const struct lz_edge *e, uint32_t server)
{
    const struct lz_edge_server *s = &e->servers[server];
    return e->opts.health.by_endpoints ? !s->is_out : !s->is_away;
}

// Which level this request goes to: Envoy's split, decided by a draw of the attempt's own.
static uint32_t level_of(struct lz_world *w, const struct lz_edge *e, uint32_t client,
                         const struct set *known, uint64_t path)
{
    const uint8_t *levels = e->policy->levels + (size_t)client * e->server_count;
    uint32_t total[LZ_LOCALITY_LEVELS] = {0}, alive[LZ_LOCALITY_LEVELS] = {0};
    uint32_t percent[LZ_LOCALITY_LEVELS];
    for (uint32_t i = 0; i < known->count; i++) {
        uint32_t s = known->list[i];
        total[levels[s]]++;
        alive[levels[s]] += is_thought_alive(e, client, s);
    }
    lz_locality_split(total, alive, LZ_LOCALITY_LEVELS,
                      (uint32_t)(e->opts.balance.overprovisioning * 100.0 + 0.5), percent);
    uint64_t at = 0;
    if (percent[0] < 100) {
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_BALANCE, 1);
        at = lz_draw_below(&draw, 100);
    }
    for (uint32_t level = 0; level < LZ_LOCALITY_LEVELS; level++) {
        if (at < percent[level])
            return level;
        at -= percent[level];
    }
    return LZ_LOCALITY_LEVELS; // nobody is alive: any level
}

static bool is_avoided(const struct lz_edge *e, const struct lz_balance_ask *ask, uint32_t server)
{
    for (uint32_t i = 0; i < ask->avoid_count; i++)
        if (ask->avoid[i] == e->server_first + server)
            return true;
    return false;
}

// Another than those that were asked already, if there is one.
static struct set others(const struct lz_edge *e, const struct lz_balance_ask *ask, struct set from)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < from.count; i++)
        kept += !is_avoided(e, ask, from.list[i]);
    if (kept == 0 || kept == from.count)
        return from;
    uint32_t *set = e->policy->set, count = 0;
    for (uint32_t i = 0; i < from.count; i++) // never writes ahead of where it reads
        if (!is_avoided(e, ask, from.list[i]))
            set[count++] = from.list[i];
    LZ_ASSERT(count == kept);
    return (struct set){set, count, from.turn};
}

static struct set gather(struct lz_world *w, const struct lz_edge *e, uint32_t client,
                         const struct lz_balance_ask *ask)
{
    const struct lz_policy *p = e->policy;
    uint32_t *turns = p->turns + (size_t)client * (LZ_LOCALITY_LEVELS + 1);
    struct set known = {p->all, e->server_count, turns + LZ_LOCALITY_LEVELS};
    if (p->subsets != NULL) {
        known.count = e->opts.balance.subset;
        known.list = p->subsets + (size_t)client * known.count;
    }
    bool all_alive = e->out_count == 0 && p->ejected[client] == 0;
    if (all_alive && p->levels == NULL)
        return others(e, ask, known);
    uint32_t level = LZ_LOCALITY_LEVELS;
    if (p->levels != NULL)
        level = level_of(w, e, client, &known, ask->path);
    uint32_t count = 0, in_level = 0;
    for (uint32_t i = 0; i < known.count; i++) {
        uint32_t s = known.list[i];
        if (level < LZ_LOCALITY_LEVELS && p->levels[client * e->server_count + s] != level)
            continue;
        in_level += is_endpoint(e, s);
        if (is_thought_alive(e, client, s))
            p->set[count++] = s;
    }
    if (count == 0 || (double)count < e->opts.balance.panic * (double)in_level) {
        count = 0; // panic: opinions are worth nothing
        for (uint32_t i = 0; i < known.count; i++)
            if (is_endpoint(e, known.list[i]) &&
                (level == LZ_LOCALITY_LEVELS ||
                 p->levels[client * e->server_count + known.list[i]] == level))
                p->set[count++] = known.list[i];
    }
    for (uint32_t s = 0; count == 0 && s < e->server_count; s++)
        if (is_endpoint(e, s)) // of its subset or its level no endpoint is left
            p->set[count++] = s;
    LZ_ASSERT(count > 0);
    return others(e, ask, (struct set){p->set, count, turns + level});
}

// Envoy's slow start: the weight grows over the window, from `least` of it.
static int64_t weight_now(const struct lz_edge *e, uint32_t server, lz_time now)
{
    const struct lz_slow_start_opts *slow = &e->opts.balance.slow_start;
    int64_t full = (int64_t)e->policy->weights[server] * WEIGHT_ONE;
    lz_time since = e->policy->since[server];
    if (slow->window == 0 || since == 0 || now - since >= slow->window)
        return full;
    double share = (double)(now - since) / (double)slow->window;
    if (slow->aggression > 1.0 || slow->aggression < 1.0)
        share = lz_math_pow(share, 1.0 / slow->aggression);
    if (share < slow->least)
        share = slow->least;
    int64_t weight = (int64_t)(share * (double)full + 0.5);
    return weight > 0 ? weight : 1;
}

static bool has_weights(const struct lz_edge *e)
{
    return e->opts.balance.weights != NULL || e->opts.balance.slow_start.window > 0;
}

// Fills `heft` with the set's weights; returns their sum.
static int64_t weigh(struct lz_world *w, const struct lz_edge *e, const struct set *set)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        e->policy->heft[i] = weight_now(e, set->list[i], lz_sim_now(w->sim));
        sum += e->policy->heft[i];
    }
    LZ_ASSERT(sum > 0);
    return sum;
}

// The first of the set at or after the client's turn.
static uint32_t turn_of(const struct set *set, uint32_t turn)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->list[i] >= turn)
            return i;
    return 0;
}

// nginx's smooth weighted round robin (commit 52327e0627): everyone gains its weight, the
// richest is taken and pays the sum. Weights 5, 1, 1 give a a b a c a a.
static uint32_t smooth(struct lz_world *w, const struct lz_edge *e, const struct set *set,
                       uint32_t client)
{
    int64_t sum = weigh(w, e, set);
    struct lz_policy_pair *pairs = e->policy->pairs + (size_t)client * e->server_count;
    uint32_t best = set->list[0];
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t s = set->list[i];
        pairs[s].current += e->policy->heft[i];
        if (pairs[s].current > pairs[best].current)
            best = s;
    }
    pairs[best].current -= sum;
    return best;
}

static uint32_t in_turn(struct lz_world *w, const struct lz_edge *e, const struct set *set,
                        uint32_t client)
{
    if (has_weights(e))
        return smooth(w, e, set, client);
    uint32_t s = set->list[turn_of(set, *set->turn % e->server_count)];
    *set->turn = s + 1;
    return s;
}

static uint32_t any_of(struct lz_world *w, const struct lz_edge *e, const struct set *set,
                       struct lz_draw *draw)
{
    if (!has_weights(e))
        return set->list[lz_draw_below(draw, set->count)];
    int64_t at = (int64_t)lz_draw_below(draw, (uint64_t)weigh(w, e, set));
    for (uint32_t i = 0; i < set->count; i++) {
        at -= e->policy->heft[i];
        if (at < 0)
            return set->list[i];
    }
    LZ_UNREACHABLE("a draw below the sum of weights");
}

static uint32_t open_at(const struct lz_edge *e, uint32_t client, uint32_t server)
{
    return e->pairs[client * e->server_count + server].in_flight;
}

// Is a less loaded than b, each by its weight? One more than is open: Envoy's way, so that
// weights count among idle ones too.
static bool is_less(const struct lz_edge *e, uint32_t client, uint32_t a, uint32_t b, lz_time now)
{
    int64_t open_a = (int64_t)open_at(e, client, a) + 1,
            open_b = (int64_t)open_at(e, client, b) + 1;
    if (!has_weights(e))
        return open_a < open_b;
    return open_a * weight_now(e, b, now) < open_b * weight_now(e, a, now);
}

static uint32_t least_loaded(struct lz_world *w, const struct lz_edge *e, const struct set *set,
                             uint32_t client)
{
    lz_time now = lz_sim_now(w->sim);
    uint32_t from = turn_of(set, *set->turn % e->server_count);
    uint32_t best = set->list[from];
    for (uint32_t i = 1; i < set->count; i++) {
        uint32_t s = set->list[(from + i) % set->count];
        if (is_less(e, client, s, best, now))
            best = s;
    }
    *set->turn = best + 1;
    return best;
}

// Drawn one after the other, so the first of the least loaded is a random one of them.
static uint32_t of_choices(struct lz_world *w, const struct lz_edge *e, const struct set *set,
                           uint32_t client, struct lz_draw *draw)
{
    const struct lz_balance_opts *o = &e->opts.balance;
    uint32_t drawn[LZ_BALANCE_CHOICES_MAX];
    uint32_t wanted = o->choices;
    if (!o->replacement && wanted > set->count)
        wanted = set->count;
    uint32_t best = 0;
    for (uint32_t n = 0; n < wanted; n++) {
        bool is_new = false;
        while (!is_new) {
            drawn[n] = set->list[lz_draw_below(draw, set->count)];
            is_new = true;
            for (uint32_t i = 0; i < n && !o->replacement; i++)
                is_new = is_new && drawn[i] != drawn[n];
        }
        if (n == 0 || is_less(e, client, drawn[n], best, lz_sim_now(w->sim)))
            best = drawn[n];
    }
    return best;
}

static uint32_t shortest_queue(struct lz_world *w, const struct lz_edge *e, const struct set *set,
                               uint32_t client, struct lz_draw *draw)
{
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    uint32_t least = UINT32_MAX, ties = 0;
    uint32_t *best = e->policy->marks; // not needed otherwise by this policy
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t s = set->list[i];
        uint32_t load =
            ops->load != NULL ? ops->load(w, e->server_first + s) : open_at(e, client, s);
        if (load < least) {
            least = load;
            ties = 0;
        }
        if (load == least)
            best[ties++] = s;
    }
    LZ_ASSERT(ties > 0);
    return best[ties > 1 ? lz_draw_below(draw, ties) : 0];
}

// By the key: the entries of a ring or a table from the key's own on, to the first whose
// replica may be asked and has room.
struct walk {
    const struct lz_edge *e;
    uint32_t client;
    uint64_t open, weights; // of the set
};

static struct walk walk_of(const struct lz_edge *e, const struct set *set, uint32_t client)
{
    struct lz_policy *p = e->policy;
    struct walk walk = {.e = e, .client = client};
    p->mark++;
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t s = set->list[i];
        p->marks[s] = p->mark;
        walk.open += open_at(e, client, s);
        walk.weights += p->weights[s];
    }
    return walk;
}

// Capacity: (1 + bound) times the mean of what will be open, rounded up; by weight.
static bool has_room(const struct walk *walk, uint32_t server)
{
    const struct lz_policy *p = walk->e->policy;
    if (p->marks[server] != p->mark)
        return false;
    if (p->bound_ppm == 0)
        return true;
    uint64_t share = (walk->open + 1) * (PPM + p->bound_ppm) * p->weights[server];
    uint64_t over = PPM * walk->weights;
    return open_at(walk->e, walk->client, server) < (share + over - 1) / over;
}

static uint32_t on_ring(const struct lz_edge *e, const struct set *set, uint32_t client,
                        uint64_t hash)
{
    const struct lz_ring *ring = &e->policy->ring;
    struct walk walk = walk_of(e, set, client);
    uint32_t at = lz_ring_find(ring, hash);
    for (uint32_t i = 0; i < ring->count; i++) {
        uint32_t s = ring->points[at].owner;
        if (has_room(&walk, s))
            return s;
        at = at + 1 == ring->count ? 0 : at + 1;
    }
    LZ_UNREACHABLE("capacities add up to more than what is open");
}

static uint32_t in_table(const struct lz_edge *e, const struct set *set, uint32_t client,
                         uint64_t hash)
{
    struct lz_policy *p = e->policy;
    if (p->maglev_version != e->out_version) {
        bool none = e->out_count == e->server_count;
        uint32_t *weights = p->marks;
        for (uint32_t s = 0; s < e->server_count; s++)
            weights[s] =
                (none && !e->servers[s].is_away) || !e->servers[s].is_out ? p->weights[s] : 0;
        lz_maglev_fill(&p->maglev, weights);
        for (uint32_t s = 0; s < e->server_count; s++)
            p->marks[s] = 0;
        p->maglev_version = e->out_version;
    }
    struct walk walk = walk_of(e, set, client);
    uint32_t at = (uint32_t)(hash % p->maglev.size);
    for (uint32_t i = 0; i < p->maglev.size; i++) {
        uint32_t s = p->maglev.table[at];
        if (s != LZ_MAGLEV_NOBODY && has_room(&walk, s))
            return s;
        at = at + 1 == p->maglev.size ? 0 : at + 1;
    }
    return set->list[0]; // a replica whose weight earns it no entry, and nobody else is left
}

lz_instance_id lz_policy_pick(struct lz_world *w, struct lz_edge *e,
                              const struct lz_balance_ask *ask)
{
    LZ_ASSERT(e->policy != NULL);
    uint32_t client = ask->client - e->client_first;
    LZ_ASSERT(client < e->client_count);
    struct set set = gather(w, e, client, ask);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), ask->path, LZ_PURPOSE_BALANCE, 0);
    uint64_t hash = lz_hash_mix(ask->key, 0x6b6579);
    uint32_t s = 0;
    switch (e->opts.balance.policy) {
    case LZ_BALANCE_ROUND_ROBIN:
        s = in_turn(w, e, &set, client);
        break;
    case LZ_BALANCE_RANDOM:
        s = any_of(w, e, &set, &draw);
        break;
    case LZ_BALANCE_LEAST_REQUESTS:
        s = least_loaded(w, e, &set, client);
        break;
    case LZ_BALANCE_POWER_OF_TWO:
        s = of_choices(w, e, &set, client, &draw);
        break;
    case LZ_BALANCE_JOIN_SHORTEST_QUEUE:
        s = shortest_queue(w, e, &set, client, &draw);
        break;
    case LZ_BALANCE_RING_HASH:
        s = on_ring(e, &set, client, hash);
        break;
    case LZ_BALANCE_MAGLEV:
        s = in_table(e, &set, client, hash);
        break;
    }
    LZ_ASSERT(s < e->server_count);
    return e->server_first + s;
}

void lz_policy_back(struct lz_world *w, struct lz_edge *e, uint32_t server)
{
    LZ_ASSERT(server < e->server_count);
    if (e->policy != NULL)
        e->policy->since[server] = lz_sim_now(w->sim);
}

bool lz_policy_is_needed(const struct lz_balance_opts *o)
{
    return o->policy > LZ_BALANCE_LEAST_REQUESTS || o->weights != NULL || o->zone_aware ||
           o->subset > 0 || o->slow_start.window > 0 || o->outliers.on || o->panic > 0.0;
}

// Deterministic subsetting (SRE book, ch. 20): callers come in rounds of as many as there are
// subsets; each round shuffles the replicas its own way and deals them out.
static void deal_subsets(struct lz_world *w, struct lz_edge *e)
{
    struct lz_policy *p = e->policy;
    uint32_t size = e->opts.balance.subset, n = e->server_count, per_round = n / size;
    p->subsets = lz_arena_alloc(w->arena, (size_t)e->client_count * size * sizeof(*p->subsets));
    for (uint32_t c = 0; c < e->client_count; c++) {
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), e->path, LZ_PURPOSE_BALANCE, c / per_round);
        for (uint32_t s = 0; s < n; s++)
            p->set[s] = s;
        for (uint32_t s = n - 1; s > 0; s--) {
            uint32_t other = (uint32_t)lz_draw_below(&draw, s + 1), was = p->set[s];
            p->set[s] = p->set[other];
            p->set[other] = was;
        }
        uint32_t *own = p->subsets + (size_t)c * size, kept = 0;
        p->mark++;
        for (uint32_t i = 0; i < size; i++)
            p->marks[p->set[(c % per_round) * size + i]] = p->mark;
        for (uint32_t s = 0; s < n; s++)
            if (p->marks[s] == p->mark)
                own[kept++] = s;
        LZ_ASSERT(kept == size);
    }
}

static void make_table(struct lz_world *w, struct lz_edge *e)
{
    struct lz_policy *p = e->policy;
    const struct lz_balance_opts *o = &e->opts.balance;
    uint64_t path = lz_world_component(w, e->opts.to)->path;
    if (o->policy == LZ_BALANCE_MAGLEV) {
        lz_maglev_init(&p->maglev, w->arena, path, o->table_size, e->server_count);
        p->maglev_version = e->out_version - 1; // filled on first use
    } else if (o->policy == LZ_BALANCE_RING_HASH) {
        for (uint32_t s = 0; s < e->server_count; s++)
            p->set[s] = p->weights[s] * o->virtual_nodes;
        lz_ring_build(&p->ring, w->arena, path, p->set, e->server_count);
    }
}

void lz_policy_create(struct lz_world *w, struct lz_edge *e)
{
    const struct lz_balance_opts *o = &e->opts.balance;
    uint32_t n = e->server_count;
    size_t pairs = (size_t)e->client_count * n;
    struct lz_policy *p = e->policy = lz_arena_alloc(w->arena, sizeof(*p));
    p->all = lz_arena_alloc(w->arena, n * sizeof(*p->all));
    p->set = lz_arena_alloc(w->arena, n * sizeof(*p->set));
    p->heft = lz_arena_alloc(w->arena, n * sizeof(*p->heft));
    p->marks = lz_arena_alloc(w->arena, n * sizeof(*p->marks));
    p->since = lz_arena_alloc(w->arena, n * sizeof(*p->since));
    p->pairs = lz_arena_alloc(w->arena, pairs * sizeof(*p->pairs));
    p->ejected = lz_arena_alloc(w->arena, e->client_count * sizeof(*p->ejected));
    p->turns = lz_arena_alloc(w->arena, (size_t)e->client_count * (LZ_LOCALITY_LEVELS + 1) *
                                            sizeof(*p->turns));
    for (uint32_t i = 0; i < e->client_count * (LZ_LOCALITY_LEVELS + 1); i++)
        p->turns[i] = i / (LZ_LOCALITY_LEVELS + 1); // callers do not begin with the same replica
    p->bound_ppm = (uint64_t)(o->load_bound * (double)PPM + 0.5);
    uint32_t *weights = lz_arena_alloc(w->arena, n * sizeof(*weights));
    for (uint32_t s = 0; s < n; s++) {
        p->all[s] = s;
        weights[s] = o->weights != NULL && s < o->weight_count ? o->weights[s] : 1;
    }
    p->weights = weights;
    if (o->weights != NULL) // the caller's own may go away
        e->opts.balance.weights = weights;
    if (o->subset > 0 && o->subset < n)
        deal_subsets(w, e);
    if (o->zone_aware) {
        p->levels = lz_arena_alloc(w->arena, pairs);
        for (uint32_t c = 0; c < e->client_count; c++)
            for (uint32_t s = 0; s < n; s++)
                p->levels[c * n + s] =
                    (uint8_t)lz_locality_between(w, e->client_first + c, e->server_first + s);
    }
    make_table(w, e);
}

size_t lz_policy_bytes(const struct lz_edge *e)
{
    const struct lz_policy *p = e->policy;
    if (p == NULL)
        return 0;
    size_t pairs = (size_t)e->client_count * e->server_count;
    size_t bytes = sizeof(*p) + pairs * (sizeof(*p->pairs) + (p->levels != NULL));
    if (p->subsets != NULL)
        bytes += (size_t)e->client_count * e->opts.balance.subset * sizeof(*p->subsets);
    return bytes + p->ring.count * sizeof(*p->ring.points) +
           p->maglev.size * sizeof(*p->maglev.table) +
           e->server_count * (4 * sizeof(uint32_t) + 2 * sizeof(int64_t));
}
