#include "model/net/resolver.h"

#include "base/check.h"
#include "model/client/call.h"
#include "model/client/plain.h"
#include "model/net/connect.h"
#include "model/net/dns.h"
#include "model/node/instance.h"

enum { COUNTER_HONOURS, COUNTER_KEEPS, COUNTER_PHASE, COUNTER_FIRST };

// One cache. Its answer may be used from `ready` to `expires`.
struct resolver {
    uint64_t path;
    lz_time ready;   // its latest lookup is over
    lz_time fresh;   // the answer's TTL is over
    lz_time expires; // it asks again
    lz_time keeps;   // an answer, at the least; 0: it honours the TTL
    uint64_t lookups;
    uint8_t reply; // enum lz_dns_reply
    uint8_t answer;
};

// All that one component asks a name through, shared by its edges to it.
struct lz_resolvers {
    struct lz_resolvers *next; // of the same world
    lz_component_id from, name;
    struct resolver *all;
    uint32_t count;
    bool is_anycast; // nobody asks: routers know
    bool are_shared; // by many users: a request draws which is its own
};

struct lz_edge_name {
    struct lz_resolvers *resolvers;
    lz_edge_id first; // one per answer
};

static double unit_of(const struct lz_world *w, uint64_t path, uint64_t counter)
{
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_RESOLVER, counter);
    return lz_draw_unit(&draw);
}

// It has asked before the run began: what it holds is between new and about to run out.
static struct resolver warm(struct lz_world *w, const struct lz_resolvers *rs, uint32_t i,
                            uint64_t path)
{
    const struct lz_dns_opts *o = lz_dns_opts(w, rs->name);
    lz_instance_id client = lz_world_component(w, rs->from)->instances_first;
    struct resolver r = {.path = path};
    if (!rs->are_shared)
        client += i;
    if (!(unit_of(w, path, COUNTER_HONOURS) < o->honour_ttl) && o->stale_at_most > o->ttl)
        r.keeps = o->ttl +
                  (lz_time)(unit_of(w, path, COUNTER_KEEPS) * (double)(o->stale_at_most - o->ttl));
    lz_time keeps = r.keeps > o->ttl ? r.keeps : o->ttl;
    lz_time left = (lz_time)(unit_of(w, path, COUNTER_PHASE) * (double)keeps);
    r.ready = lz_sim_now(w->sim);
    r.expires = r.ready + left;
    r.fresh = r.expires - keeps + o->ttl;
    r.answer = (uint8_t)lz_dns_first_answer(w, rs->name, client, path);
    r.reply = LZ_DNS_ANSWER;
    return r;
}

static struct lz_resolvers *resolvers_of(struct lz_world *w, lz_component_id from,
                                         lz_component_id name)
{
    for (struct lz_resolvers *rs = w->resolvers; rs != NULL; rs = rs->next)
        if (rs->from == from && rs->name == name)
            return rs;
    const struct lz_component *c = lz_world_component(w, from);
    struct lz_resolvers *rs = lz_arena_alloc(w->arena, sizeof(*rs));
    rs->from = from;
    rs->name = name;
    rs->is_anycast = lz_dns_opts(w, name)->policy == LZ_DNS_ANYCAST;
    rs->are_shared = c->kind == LZ_COMPONENT_TRAFFIC;
    rs->count = rs->are_shared ? lz_dns_opts(w, name)->resolvers : c->instance_count;
    rs->all = lz_arena_alloc(w->arena, rs->count * sizeof(*rs->all));
    uint64_t path = lz_draw_join(c->path, lz_world_component(w, name)->path);
    for (uint32_t i = 0; i < rs->count; i++)
        rs->all[i] = warm(w, rs, i, lz_draw_index(path, i));
    rs->next = w->resolvers;
    w->resolvers = rs;
    return rs;
}

// Has anybody opened a connection to that answer before the run began?
static bool is_warm(struct lz_world *w, const struct lz_edge_opts *o, uint32_t answer)
{
    const struct lz_dns_opts *d = lz_dns_opts(w, o->to);
    if (d->policy == LZ_DNS_FAILOVER)
        return answer == 0;
    if (d->policy != LZ_DNS_ANYCAST)
        return true;
    const struct lz_component *c = lz_world_component(w, o->from);
    for (uint32_t i = 0; i < c->instance_count; i++)
        if (lz_dns_first_answer(w, o->to, c->instances_first + i, 0) == answer)
            return true;
    return false;
}

bool lz_resolver_edges(struct lz_world *w, const struct lz_edge_opts *opts, lz_edge_id *id,
                       struct lz_err *err)
{
    const struct lz_dns_opts *o = lz_dns_opts(w, opts->to);
    struct lz_edge_name *name = lz_arena_alloc(w->arena, sizeof(*name));
    for (uint32_t i = 0; i < o->answer_count; i++) {
        struct lz_edge_opts one = *opts;
        lz_edge_id made = 0;
        one.to = o->answers[i];
        if (!lz_call_edge(w, &one, &made, err))
            return false;
        if (i == 0)
            name->first = made;
        LZ_ASSERT(made == name->first + i);
        struct lz_edge *e = lz_edge_get(w, made), *first = lz_edge_get(w, name->first);
        e->name = name;
        e->guard = first->guard; // one caller, one opinion of what it calls by that name
        e->hedging = first->hedging;
        lz_plain_settle(w, e);
        if (!is_warm(w, opts, i))
            lz_connect_cold(lz_edge_get(w, made));
    }
    name->resolvers = resolvers_of(w, opts->from, opts->to);
    *id = name->first;
    return true;
}

static struct resolver *resolver_of(struct lz_world *w, const struct lz_resolvers *rs,
                                    const struct lz_call *c)
{
    if (!rs->are_shared) {
        uint32_t i = c->client - lz_world_component(w, rs->from)->instances_first;
        LZ_ASSERT(i < rs->count);
        return &rs->all[i];
    }
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), c->path, LZ_PURPOSE_RESOLVER, 0);
    return &rs->all[lz_draw_below(&draw, rs->count)];
}

static enum lz_resolved take(struct lz_world *w, const struct resolver *r, struct lz_call *c)
{
    const struct lz_edge_name *name = lz_edge_get(w, c->edge)->name;
    if (r->reply == LZ_DNS_ANSWER) {
        c->edge = name->first + r->answer;
        return LZ_RESOLVED;
    }
    if (r->reply == LZ_DNS_SPOOF)
        return LZ_NOWHERE;
    lz_dns_count_failed(w, name->resolvers->name);
    return LZ_UNRESOLVED;
}

static void look_up(struct lz_world *w, const struct lz_resolvers *rs, struct resolver *r,
                    lz_instance_id client)
{
    struct lz_dns_said said =
        lz_dns_look_up(w, rs->name, client, r->path, COUNTER_FIRST + r->lookups++);
    r->ready = lz_sim_now(w->sim) + said.took;
    r->fresh = r->ready + said.ttl;
    bool is_answer = said.reply == LZ_DNS_ANSWER || said.reply == LZ_DNS_SPOOF;
    r->expires = is_answer && r->keeps > said.ttl ? r->ready + r->keeps : r->fresh;
    r->reply = (uint8_t)said.reply;
    r->answer = (uint8_t)said.answer;
}

// Where packets go now.
static enum lz_resolved route(struct lz_world *w, const struct lz_resolvers *rs,
                              const struct resolver *r, struct lz_call *c)
{
    const struct lz_edge_name *name = lz_edge_get(w, c->edge)->name;
    lz_dns_count(w, rs->name, LZ_DNS_FROM_CACHE);
    uint32_t site = lz_dns_route(w, rs->name, c->client, r->path);
    if (site == LZ_DNS_NO_ROUTE)
        return LZ_NOWHERE;
    c->edge = name->first + site;
    return LZ_RESOLVED;
}

bool lz_resolver_moved(struct lz_world *w, const struct lz_call *c)
{
    const struct lz_edge_name *name = lz_edge_get(w, c->edge)->name;
    const struct lz_resolvers *rs = name->resolvers;
    if (!rs->is_anycast)
        return false;
    uint32_t site = lz_dns_route(w, rs->name, c->client, resolver_of(w, rs, c)->path);
    return site == LZ_DNS_NO_ROUTE || name->first + site != c->edge;
}

enum lz_resolved lz_resolver_ask(struct lz_world *w, struct lz_call *c, lz_time *until)
{
    const struct lz_resolvers *rs = lz_edge_get(w, c->edge)->name->resolvers;
    struct resolver *r = resolver_of(w, rs, c);
    lz_time now = lz_sim_now(w->sim);
    if (rs->is_anycast)
        return route(w, rs, r, c);
    if (now < r->ready) {
        lz_dns_count(w, rs->name, LZ_DNS_JOINED);
        *until = r->ready;
        return LZ_RESOLVING;
    }
    if (now < r->expires) {
        lz_dns_count(w, rs->name, now < r->fresh ? LZ_DNS_FROM_CACHE : LZ_DNS_STALE);
        return take(w, r, c);
    }
    lz_dns_count(w, rs->name, LZ_DNS_LOOKED_UP);
    look_up(w, rs, r, c->client);
    if (r->ready == now)
        return take(w, r, c);
    *until = r->ready;
    return LZ_RESOLVING;
}

enum lz_resolved lz_resolver_told(struct lz_world *w, struct lz_call *c)
{
    return take(w, resolver_of(w, lz_edge_get(w, c->edge)->name->resolvers, c), c);
}
