/* bind_names.c — names and what stands before services, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/net/dns.h"
#include "model/service/auth.h"
#include "model/service/gateway.h"
#include "script/read.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static int answer(lua_State *L, bool ok, uint32_t id, const struct lz_err *err)
{
    if (!ok)
        return lz_bind_refuse(L, err);
    lua_pushinteger(L, id);
    return 1;
}

// The numbers of the list `name`, in the arena; NULL if it is absent.
static double *read_numbers(lua_State *L, const char *name, uint32_t *count)
{
    double *out = NULL;
    *count = 0;
    if (lua_getfield(L, 1, name) != LUA_TNIL) { // [opts .. list]
        *count = (uint32_t)luaL_len(L, -1);
        out = lz_arena_alloc(lz_script_of(L)->arena, (*count + 1) * sizeof(*out));
        for (uint32_t i = 0; i < *count; i++) {
            lua_geti(L, -1, (lua_Integer)i + 1);
            out[i] = luaL_checknumber(L, -1);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return out;
}

static enum lz_dns_policy policy_of(const char *name)
{
    if (name != NULL && strcmp(name, "weighted") == 0)
        return LZ_DNS_WEIGHTED;
    if (name != NULL && strcmp(name, "geo") == 0)
        return LZ_DNS_GEO;
    if (name != NULL && strcmp(name, "anycast") == 0)
        return LZ_DNS_ANYCAST;
    return LZ_DNS_FAILOVER;
}

// dns{name, line, answers, weights, policy, ttl, ...} -> component id
static int dns(lua_State *L)
{
    struct lz_err err;
    struct lz_dns_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .policy = policy_of(lz_read_text(L, 1, "policy")),
        .ttl = lz_read_int(L, 1, "ttl", 60 * LZ_S),
        .negative_ttl = lz_read_int(L, 1, "negative_ttl", 900 * LZ_S),
        .is_checked = lz_read_bool(L, 1, "is_checked"),
        .health = {.every = lz_read_int(L, 1, "health_every", 0),
                   .timeout = lz_read_int(L, 1, "health_timeout", 0),
                   .fails = (uint32_t)lz_read_int(L, 1, "health_fails", 0),
                   .passes = (uint32_t)lz_read_int(L, 1, "health_passes", 0)},
        .honour_ttl = lz_read_num(L, 1, "honour_ttl", 1.0),
        .stale_at_most = lz_read_int(L, 1, "stale_at_most", 900 * LZ_S),
        .resolvers = (uint32_t)lz_read_int(L, 1, "resolvers", 0),
    };
    uint32_t weight_count;
    const double *ids = read_numbers(L, "answers", &o.answer_count);
    LZ_ASSERT(ids != NULL);
    lz_component_id *answers =
        lz_arena_alloc(lz_script_of(L)->arena, (o.answer_count + 1) * sizeof(*answers));
    for (uint32_t i = 0; i < o.answer_count; i++)
        answers[i] = (lz_component_id)ids[i];
    o.answers = answers;
    o.weights = read_numbers(L, "weights", &weight_count);
    LZ_ASSERT(o.weights == NULL || weight_count == o.answer_count);
    if (!lz_read_dist(L, 1, "lookup_time", &o.lookup_time, &err) ||
        !lz_read_dist(L, 1, "convergence", &o.convergence, &err))
        return lz_bind_refuse(L, &err);

    lz_component_id id = 0;
    bool ok = lz_dns_create(world_of(L), &o, &id, &err);

    return answer(L, ok, id, &err);
}

// gateway(component, {limit, burst, leaky, waf_delay, ...}) -> component
static int gateway(lua_State *L)
{
    struct lz_err err;
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_gateway_opts o = {
        .algorithm = lz_read_bool(L, 2, "leaky") ? LZ_LIMIT_LEAKY : LZ_LIMIT_TOKENS,
        .limit = lz_read_num(L, 2, "limit", 0),
        .burst = lz_read_num(L, 2, "burst", -1),
        .holds = lz_read_num(L, 2, "delay", -1) >= 0,
        .at_once = lz_read_num(L, 2, "delay", 0),
        .limit_status = (uint16_t)lz_read_int(L, 2, "limit_status", 0),
        .waf_blocked = lz_read_num(L, 2, "waf_blocked", 0),
        .has_cache = lz_read_bool(L, 2, "has_cache"),
        .hit_ratio = lz_read_num(L, 2, "hit_ratio", -1),
        .entries = (uint32_t)lz_read_int(L, 2, "entries", 0),
        .ttl = lz_read_int(L, 2, "ttl", 0),
        .is_sliding = lz_read_bool(L, 2, "is_sliding"),
    };
    if (!lz_read_dist(L, 2, "waf_delay", &o.waf_delay, &err))
        return lz_bind_refuse(L, &err);

    bool ok = lz_gateway_equip(world_of(L), id, &o, &err);

    return answer(L, ok, id, &err);
}

// auth(component, {issuer, lifetime, renew, holders, refresh, ...}) -> component
static int auth(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    const struct lz_auth_opts o = {
        .issuer = (lz_component_id)lz_read_int(L, 2, "issuer", 0),
        .lifetime = lz_read_int(L, 2, "lifetime", 0),
        .renew = lz_read_int(L, 2, "renew", 0),
        .holders = (uint32_t)lz_read_int(L, 2, "holders", 0),
        .refresh = lz_read_int(L, 2, "refresh", 0),
        .on_unknown = lz_read_bool(L, 2, "refresh_on_unknown"),
        .cooldown = lz_read_int(L, 2, "cooldown", -1),
        .timeout = lz_read_int(L, 2, "timeout", 0),
        .retry = lz_read_int(L, 2, "retry", 0),
    };

    struct lz_err err;
    bool ok = lz_auth_require(world_of(L), id, &o, &err);

    return answer(L, ok, id, &err);
}

static const luaL_Reg functions[] = {
    {"auth", auth},
    {"gateway", gateway},
    {"dns", dns},
    {NULL, NULL},
};

void lz_bind_names(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
