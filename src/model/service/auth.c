#include "model/service/auth.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/edge.h"
#include "model/node/instance.h"
#include "model/service/service_state.h"

#define PAIRS_OF_HOLDERS_MAX 1000000u
#define END_BITS 48
#define END_MASK (((uint64_t)1 << END_BITS) - 1)

#define ROTATIONS_MAX (UINT16_MAX - 2) // of one issuer in a run; an id has 16 bits of a token

struct keys {
    uint16_t ids[LZ_AUTH_KEYS_MAX]; // oldest first
    uint32_t count;
};

struct issuer {
    lz_component_id id;
    struct keys keys; // published; the last signs
    uint16_t rotations;
};

// What a fault does to an issuer; numbers are places in the list, from 1.
struct trouble {
    lz_component_id issuer; // 0: free
    uint16_t key;           // of a rotation; 0: the issuer is away
    bool withdraws;
    uint64_t *refused;
};

// Asks the issuer for something, again and again: a holder for tokens, a replica for keys.
struct asker {
    uint64_t path;
    uint32_t auth;
    lz_instance_id instance;
    lz_edge_id edge;
    uint32_t asked; // times, so far
    uint64_t call;  // under way; 0: none
    lz_event_id timer;
    lz_time asked_at;
    bool is_replica;
    uint64_t token;   // of a holder
    struct keys keys; // of a replica
};

struct wallet {
    lz_component_id from;
    uint32_t first, per_instance; // askers
};

struct auth {
    lz_component_id service;
    struct lz_auth_opts opts;
    uint32_t issuer;       // place in the list
    uint32_t caches_first; // askers
    struct wallet *wallets;
    uint32_t wallet_count, wallet_cap;
};

struct lz_auths {
    uint32_t *by_component; // place of its auth; 0: it wants no token
    uint32_t by_cap;
    struct auth *all; // 1 .. count
    uint32_t count, cap;
    struct issuer *issuers; // 1 .. issuer_count
    uint32_t issuer_count, issuer_cap;
    struct asker *askers; // 1 .. asker_count
    uint32_t asker_count, asker_cap;
    struct trouble *troubles; // 1 .. trouble_count
    uint32_t trouble_count, trouble_cap;
    uint32_t away; // issuers, as often as a fault keeps them so
    lz_kind ask;
};

static struct auth *auth_of(const struct lz_world *w, lz_component_id id)
{
    const struct lz_auths *as = w->auths;
    return id < as->by_cap && as->by_component[id] != 0 ? &as->all[as->by_component[id]] : NULL;
}

static struct issuer *issuer_of(const struct lz_world *w, lz_component_id id)
{
    struct lz_auths *as = w->auths;
    for (uint32_t i = 1; as != NULL && i <= as->issuer_count; i++)
        if (as->issuers[i].id == id)
            return &as->issuers[i];
    return NULL;
}

bool lz_auth_is_issuer(const struct lz_world *w, lz_component_id id)
{
    return issuer_of(w, id) != NULL;
}

// ---------------------------------------------------------------- tokens and keys

static uint64_t token_of(const struct issuer *issuer, lz_time end)
{
    LZ_ASSERT(issuer->keys.count > 0);
    uint64_t key = issuer->keys.ids[issuer->keys.count - 1];
    return key << END_BITS | ((uint64_t)(end / LZ_US) & END_MASK);
}

static lz_time end_of(uint64_t token)
{
    return (lz_time)(token & END_MASK) * LZ_US;
}

static bool has_key(const struct keys *keys, uint16_t id)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (keys->ids[i] == id)
            return true;
    return false;
}

static void publish(struct keys *keys, uint16_t id)
{
    if (keys->count == LZ_AUTH_KEYS_MAX) {
        for (uint32_t i = 1; i < keys->count; i++)
            keys->ids[i - 1] = keys->ids[i];
        keys->count--;
    }
    keys->ids[keys->count++] = id;
}

// The keys are a function of the rotations in force, in the order they came.
static void republish(struct lz_world *w, struct issuer *issuer)
{
    const struct lz_auths *as = w->auths;
    issuer->keys = (struct keys){.ids = {1}, .count = 1};
    for (uint32_t key = 2; key <= issuer->rotations + 1u; key++)
        for (uint32_t i = 1; i <= as->trouble_count; i++) {
            const struct trouble *t = &as->troubles[i];
            if (t->issuer != issuer->id || t->key != key)
                continue;
            if (t->withdraws)
                issuer->keys.count = 0;
            publish(&issuer->keys, t->key);
        }
}

// ---------------------------------------------------------------- asking

static void plan(struct lz_world *w, uint32_t number, lz_time at)
{
    struct asker *a = &w->auths->askers[number];
    lz_time now = lz_sim_now(w->sim);
    lz_sim_cancel(w->sim, a->timer);
    a->timer = lz_sim_at(w->sim, at > now ? at : now, w->auths->ask, a->instance, number);
}

static void ask(struct lz_world *w, uint32_t number)
{
    struct asker *a = &w->auths->askers[number];
    LZ_ASSERT(a->call == 0);
    lz_sim_cancel(w->sim, a->timer);
    a->timer = 0;
    a->asked_at = lz_sim_now(w->sim);
    a->call =
        lz_client_begin(w, &(struct lz_client_begin){.edge = a->edge,
                                                     .client = a->instance,
                                                     .owner_kind = LZ_OWNER_AUTH,
                                                     .owner = number,
                                                     .path = lz_draw_index(a->path, ++a->asked)});
}

static void on_ask(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    uint32_t number = (uint32_t)payload;
    struct asker *a = &w->auths->askers[number];
    if (lz_instance_defer(w, entity, w->auths->ask, payload))
        return;
    a->timer = 0;
    if (a->call != 0)
        return; // a paused process asked for another reason meanwhile
    if (lz_instance_runs(lz_instance_get(w, entity)))
        ask(w, number);
    else if (!a->is_replica) // a replica's keys are asked for when it starts
        plan(w, number, lz_sim_now(w->sim) + w->auths->all[a->auth].opts.retry);
}

void lz_auth_called(struct lz_world *w, uint64_t owner, const struct lz_call_result *result)
{
    const struct lz_auths *as = w->auths;
    struct asker *a = &as->askers[owner];
    const struct auth *auth = &as->all[a->auth];
    const struct issuer *issuer = &as->issuers[auth->issuer];
    lz_time now = lz_sim_now(w->sim);
    LZ_ASSERT(a->call != 0);
    a->call = 0;
    if (result->outcome != LZ_OUTCOME_OK) {
        plan(w, (uint32_t)owner, now + auth->opts.retry);
        return;
    }
    if (a->is_replica) {
        a->keys = issuer->keys;
        plan(w, (uint32_t)owner, now + auth->opts.refresh);
        return;
    }
    a->token = token_of(issuer, now + auth->opts.lifetime);
    plan(w, (uint32_t)owner, now + auth->opts.lifetime - auth->opts.renew);
}

void lz_auth_died(struct lz_world *w, lz_instance_id id)
{
    for (uint32_t i = 1; i <= w->auths->asker_count; i++) {
        struct asker *a = &w->auths->askers[i];
        if (a->instance != id)
            continue;
        if (a->call != 0)
            lz_client_drop(w, a->call);
        a->call = 0;
        if (a->is_replica)
            a->keys.count = 0;
        else if (a->timer == 0)
            plan(w, i, lz_sim_now(w->sim) + w->auths->all[a->auth].opts.retry);
    }
}

void lz_auth_started(struct lz_world *w, lz_instance_id id)
{
    for (uint32_t i = 1; i <= w->auths->asker_count; i++) {
        const struct asker *a = &w->auths->askers[i];
        if (a->instance == id && a->is_replica && a->call == 0)
            ask(w, i);
    }
}

// ---------------------------------------------------------------- wallets

static bool add_edge(struct lz_world *w, const struct auth *auth, lz_component_id from,
                     const char *op, lz_edge_id *id, struct lz_err *err)
{
    return lz_call_edge(
        w,
        &(struct lz_edge_opts){
            .from = from, .to = auth->opts.issuer, .op = op, .timeout = auth->opts.timeout},
        id, err);
}

// `count` askers for each instance of a component, each with draws of its own.
static uint32_t add_askers(struct lz_world *w, uint32_t auth, lz_component_id from, uint32_t count,
                           lz_edge_id edge)
{
    struct lz_auths *as = w->auths;
    const struct lz_component *c = lz_world_component(w, from);
    uint32_t first = as->asker_count + 1, all = c->instance_count * count;
    as->askers = lz_grow(w->arena, as->askers, &as->asker_cap, first + all, sizeof(*as->askers));
    uint64_t path = lz_draw_name(
        lz_hash_mix(lz_world_component(w, as->all[auth].service)->path, c->path), "auth");
    for (uint32_t i = 0; i < all; i++)
        as->askers[first + i] = (struct asker){.path = lz_draw_index(path, i),
                                               .auth = auth,
                                               .instance = c->instances_first + i / count,
                                               .edge = edge};
    as->asker_count += all;
    return first;
}

static bool add_wallet(struct lz_world *w, uint32_t number, lz_component_id from,
                       struct lz_err *err)
{
    struct lz_auths *as = w->auths;
    struct auth *auth = &as->all[number];
    for (uint32_t i = 0; i < auth->wallet_count; i++)
        if (auth->wallets[i].from == from)
            return true;
    const struct lz_component *c = lz_world_component(w, from);
    uint32_t per = c->kind == LZ_COMPONENT_TRAFFIC ? auth->opts.holders : 1;
    if (as->asker_count + c->instance_count * per > PAIRS_OF_HOLDERS_MAX)
        return lz_fail(err, LZ_EFULL, "auth: at most %u tokens and caches in all",
                       PAIRS_OF_HOLDERS_MAX);
    lz_edge_id edge = 0;
    if (!add_edge(w, auth, from, "POST /token", &edge, err))
        return false;
    auth->wallets = lz_grow(w->arena, auth->wallets, &auth->wallet_cap, auth->wallet_count + 1,
                            sizeof(*auth->wallets));
    auth->wallets[auth->wallet_count++] = (struct wallet){
        .from = from, .first = add_askers(w, number, from, per, edge), .per_instance = per};
    return true;
}

// Where in its period the i-th of n is when the run begins.
static lz_time lived(struct lz_world *w, const struct asker *a, uint32_t i, uint32_t n,
                     lz_time period)
{
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), a->path, LZ_PURPOSE_TOKEN, 0);
    return (lz_time)((i + lz_draw_unit(&draw)) / n * (double)period);
}

// The tokens of a wallet as they are now: each somewhere in its life.
static void start_wallet(struct lz_world *w, const struct auth *auth, const struct wallet *own)
{
    struct lz_auths *as = w->auths;
    uint32_t all = lz_world_component(w, own->from)->instance_count * own->per_instance;
    lz_time now = lz_sim_now(w->sim), period = auth->opts.lifetime - auth->opts.renew;
    for (uint32_t i = 0; i < all; i++) {
        struct asker *a = &as->askers[own->first + i];
        lz_time age = lived(w, a, i, all, period);
        a->token = token_of(&as->issuers[auth->issuer], now + auth->opts.lifetime - age);
        plan(w, own->first + i, now + period - age);
    }
}

// ---------------------------------------------------------------- a request's way

static const struct wallet *wallet_of(const struct auth *auth, lz_component_id from)
{
    for (uint32_t i = 0; i < auth->wallet_count; i++)
        if (auth->wallets[i].from == from)
            return &auth->wallets[i];
    return NULL;
}

void lz_auth_show(struct lz_world *w, lz_component_id to, lz_instance_id client, uint64_t path,
                  struct lz_task *t)
{
    const struct auth *auth = auth_of(w, to);
    if (auth == NULL)
        return;
    lz_component_id from = lz_instance_get(w, client)->component;
    const struct wallet *own = wallet_of(auth, from);
    if (own == NULL) { // a handler's call, that nobody knew of before
        struct lz_err err;
        if (!add_wallet(w, w->auths->by_component[to], from, &err))
            return;
        own = wallet_of(auth, from);
        start_wallet(w, auth, own);
    }
    uint32_t one = (client - lz_world_component(w, from)->instances_first) * own->per_instance;
    if (own->per_instance > 1) {
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_TOKEN, 0);
        one += (uint32_t)lz_draw_below(&draw, own->per_instance);
    }
    t->token = w->auths->askers[own->first + one].token;
}

static void refuse(struct lz_world *w, const struct auth *auth, bool has_ended)
{
    const struct lz_auths *as = w->auths;
    struct lz_service *s = lz_service_at(w, auth->service);
    lz_metrics_add(w->metrics, s->series.tokens_refused, 1);
    for (uint32_t i = 1; i <= as->trouble_count; i++)
        if (as->troubles[i].issuer == auth->opts.issuer && (as->troubles[i].key == 0) == has_ended)
            (*as->troubles[i].refused)++;
}

static bool is_away(const struct lz_world *w, lz_component_id id)
{
    const struct lz_auths *as = w->auths;
    for (uint32_t i = 1; i <= as->trouble_count; i++)
        if (as->troubles[i].issuer == id && as->troubles[i].key == 0)
            return true;
    return false;
}

uint16_t lz_auth_check(struct lz_world *w, const struct lz_task *t)
{
    lz_component_id at = lz_instance_get(w, t->server)->component;
    if (w->auths->away > 0 && is_away(w, at))
        return 503;
    const struct auth *auth = auth_of(w, at);
    if (auth == NULL)
        return 0;
    lz_time now = lz_sim_now(w->sim);
    if (t->token != 0 && now >= end_of(t->token)) {
        refuse(w, auth, true);
        return 401;
    }
    uint32_t number = auth->caches_first + (t->server - lz_service_at(w, auth->service)->first);
    const struct asker *cache = &w->auths->askers[number];
    if (t->token != 0 && has_key(&cache->keys, (uint16_t)(t->token >> END_BITS)))
        return 0;
    bool is_cool = cache->asked == 0 || now - cache->asked_at >= auth->opts.cooldown;
    if (t->token != 0 && auth->opts.on_unknown && cache->call == 0 && is_cool)
        ask(w, number);
    refuse(w, auth, false);
    return 401;
}

// ---------------------------------------------------------------- what goes wrong

static uint32_t add_trouble(struct lz_world *w, const struct trouble *t)
{
    struct lz_auths *as = w->auths;
    uint32_t id = 1;
    while (id <= as->trouble_count && as->troubles[id].issuer != 0)
        id++;
    as->troubles = lz_grow(w->arena, as->troubles, &as->trouble_cap, id + 1, sizeof(*as->troubles));
    if (id > as->trouble_count)
        as->trouble_count = id;
    as->troubles[id] = *t;
    return id;
}

uint32_t lz_auth_take_away(struct lz_world *w, lz_component_id issuer, uint64_t *refused)
{
    LZ_ASSERT(lz_auth_is_issuer(w, issuer) && refused != NULL);
    w->auths->away++;
    return add_trouble(w, &(struct trouble){.issuer = issuer, .refused = refused});
}

uint32_t lz_auth_rotate(struct lz_world *w, lz_component_id issuer, bool withdraw,
                        uint64_t *refused)
{
    struct issuer *of = issuer_of(w, issuer);
    LZ_ASSERT(of != NULL && refused != NULL);
    if (of->rotations < ROTATIONS_MAX) // no more ids: later ones change nothing
        of->rotations++;
    uint32_t id = add_trouble(w, &(struct trouble){.issuer = issuer,
                                                   .key = (uint16_t)(of->rotations + 1u),
                                                   .withdraws = withdraw,
                                                   .refused = refused});
    republish(w, of);
    return id;
}

void lz_auth_restore(struct lz_world *w, uint32_t id)
{
    struct lz_auths *as = w->auths;
    LZ_ASSERT(id >= 1 && id <= as->trouble_count && as->troubles[id].issuer != 0);
    struct issuer *of = issuer_of(w, as->troubles[id].issuer);
    as->away -= as->troubles[id].key == 0;
    as->troubles[id].issuer = 0;
    republish(w, of);
}

// ---------------------------------------------------------------- building

static bool fill_opts(const struct lz_world *w, struct lz_auth_opts *o, struct lz_err *err)
{
    enum lz_component_kind kind = lz_world_component(w, o->issuer)->kind;
    if (kind != LZ_COMPONENT_SERVICE && kind != LZ_COMPONENT_BALANCER &&
        kind != LZ_COMPONENT_GATEWAY)
        return lz_fail(err, LZ_EINVAL, "auth: a %s issues no tokens", lz_world_kind_name(kind));
    o->lifetime = o->lifetime > 0 ? o->lifetime : 3600 * LZ_S;
    o->renew = o->renew > 0 ? o->renew : o->lifetime / 10;
    if (o->renew >= o->lifetime)
        return lz_fail(err, LZ_ERANGE, "auth: renew (%gs) must be below lifetime (%gs)",
                       (double)o->renew / 1e9, (double)o->lifetime / 1e9);
    if (o->lifetime < LZ_MS)
        return lz_fail(err, LZ_ERANGE, "auth: lifetime must be at least 1ms, got %gs",
                       (double)o->lifetime / 1e9);
    o->holders = o->holders > 0 ? o->holders : 100;
    if (o->holders > LZ_AUTH_HOLDERS_MAX)
        return lz_fail(err, LZ_EFULL, "auth: holders must be at most %d, got %u",
                       LZ_AUTH_HOLDERS_MAX, o->holders);
    o->refresh = o->refresh > 0 ? o->refresh : 600 * LZ_S;
    o->cooldown = o->cooldown >= 0 ? o->cooldown : 30 * LZ_S;
    o->timeout = o->timeout > 0 ? o->timeout : 5 * LZ_S;
    o->retry = o->retry > 0 ? o->retry : 5 * LZ_S;
    if (o->refresh < LZ_MS || o->retry < LZ_MS)
        return lz_fail(err, LZ_ERANGE, "auth: refresh and retry must be at least 1ms");
    return true;
}

static uint32_t add_issuer(struct lz_world *w, lz_component_id id)
{
    struct lz_auths *as = w->auths;
    for (uint32_t i = 1; i <= as->issuer_count; i++)
        if (as->issuers[i].id == id)
            return i;
    as->issuers =
        lz_grow(w->arena, as->issuers, &as->issuer_cap, as->issuer_count + 2, sizeof(*as->issuers));
    as->issuers[++as->issuer_count] = (struct issuer){.id = id, .keys = {.ids = {1}, .count = 1}};
    return as->issuer_count;
}

static void init(struct lz_world *w)
{
    w->auths = lz_arena_alloc(w->arena, sizeof(*w->auths));
    lz_world_has(w, LZ_UNUSUAL_AUTHS);
    w->auths->ask = lz_sim_kind(w->sim, "auth", on_ask, w);
}

bool lz_auth_require(struct lz_world *w, lz_component_id service, const struct lz_auth_opts *opts,
                     struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_auth_opts o = *opts;
    if (!fill_opts(w, &o, err))
        return false;
    if (o.issuer == service)
        return lz_fail(err, LZ_EINVAL, "auth: a service cannot be the issuer of its own tokens");
    if (w->auths == NULL)
        init(w);
    struct lz_auths *as = w->auths;
    as->by_component =
        lz_grow(w->arena, as->by_component, &as->by_cap, service + 1, sizeof(*as->by_component));
    LZ_ASSERT(as->by_component[service] == 0);
    as->all = lz_grow(w->arena, as->all, &as->cap, as->count + 2, sizeof(*as->all));
    uint32_t number = as->by_component[service] = ++as->count;
    as->all[number] =
        (struct auth){.service = service, .opts = o, .issuer = add_issuer(w, o.issuer)};
    lz_edge_id keys = 0;
    if (!add_edge(w, &as->all[number], service, "GET /jwks.json", &keys, err))
        return false;
    as->all[number].caches_first = add_askers(w, number, service, 1, keys);
    for (lz_edge_id id = 1, count = lz_edge_count(w); id <= count; id++) {
        const struct lz_edge *e = lz_edge_get(w, id);
        if (e->members == NULL && e->opts.to == service &&
            !add_wallet(w, number, e->opts.from, err))
            return false;
    }
    return true;
}

void lz_auths_start(struct lz_world *w)
{
    struct lz_auths *as = w->auths;
    for (uint32_t n = 1; n <= as->count; n++) {
        const struct auth *auth = &as->all[n];
        uint32_t replicas = lz_world_component(w, auth->service)->instance_count;
        for (uint32_t i = 0; i < replicas; i++) {
            struct asker *a = &as->askers[auth->caches_first + i];
            a->is_replica = true;
            a->keys = as->issuers[auth->issuer].keys;
            plan(w, auth->caches_first + i,
                 auth->opts.refresh - lived(w, a, i, replicas, auth->opts.refresh));
        }
        for (uint32_t k = 0; k < auth->wallet_count; k++)
            start_wallet(w, auth, &auth->wallets[k]);
    }
}
