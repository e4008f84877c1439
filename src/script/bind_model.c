/* bind_model.c — places, components and the ways between them, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/client/call.h"
#include "model/data/database.h"
#include "model/net/connect.h"
#include "model/net/link.h"
#include "model/service/service.h"
#include "model/traffic/traffic.h"
#include "script/bind_broker.h"
#include "script/bind_call.h"
#include "script/read.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

int lz_bind_refuse(lua_State *L, const struct lz_err *err)
{
    lua_pushnil(L);
    lua_pushstring(L, err->msg);
    return 2;
}

static int answer(lua_State *L, bool ok, uint32_t id, const struct lz_err *err)
{
    if (!ok)
        return lz_bind_refuse(L, err);
    lua_pushinteger(L, id);
    return 1;
}

// check_dist(dist) -> true | nil, message
static int check_dist(lua_State *L)
{
    struct lz_dist d;
    struct lz_err err;
    if (!lz_read_dist_at(L, 1, &d, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// cloud(name) -> id
static int cloud(lua_State *L)
{
    struct lz_err err;
    lz_cloud_id id = 0;
    bool ok = lz_place_cloud(world_of(L), luaL_checkstring(L, 1), &id, &err);

    return answer(L, ok, id, &err);
}

// check_shape(shape) -> true | nil, message
static int check_shape(lua_State *L)
{
    struct lz_shape s;
    struct lz_err err;
    if (!lz_read_shape_at(L, 1, &s, &err))
        return lz_bind_refuse(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

// shape_area(shape, to) -> requests expected from the start to then
static int shape_area(lua_State *L)
{
    struct lz_shape s;
    struct lz_err err;
    if (!lz_read_shape_at(L, 1, &s, &err))
        return lz_bind_refuse(L, &err);
    lua_pushnumber(L, lz_shape_area(&s, 0, luaL_checkinteger(L, 2)));
    return 1;
}

// region{name, zones, latency, cloud} -> id
static int region(lua_State *L)
{
    struct lz_err err;
    struct lz_region_opts o = {.name = lz_read_text(L, 1, "name"),
                               .cloud = (lz_cloud_id)lz_read_int(L, 1, "cloud", 0)};
    lua_getfield(L, 1, "zones"); // [opts zones]
    o.zone_count = (uint32_t)luaL_len(L, 2);
    const char **zones =
        lz_arena_alloc(lz_script_of(L)->arena, (o.zone_count + 1) * sizeof(*zones));
    for (uint32_t i = 0; i < o.zone_count; i++) {
        lua_geti(L, 2, (lua_Integer)i + 1);
        zones[i] = lz_arena_strdup(lz_script_of(L)->arena, luaL_checkstring(L, -1));
        lua_pop(L, 1);
    }
    o.zones = zones;
    if (!lz_read_dist(L, 1, "latency", &o.latency, &err))
        return lz_bind_refuse(L, &err);

    lz_region_id id = 0;
    bool ok = lz_place_region(world_of(L), &o, &id, &err);

    return answer(L, ok, id, &err);
}

// zone(region, index) -> id
static int zone(lua_State *L)
{
    lua_Integer r = luaL_checkinteger(L, 1), i = luaL_checkinteger(L, 2);
    lua_pushinteger(L, lz_place_zone(world_of(L), (lz_region_id)r, (uint32_t)i));
    return 1;
}

// host{name, zone} -> id
static int host(lua_State *L)
{
    struct lz_host_opts o = {.name = lz_read_text(L, 1, "name"),
                             .zone = (lz_zone_id)lz_read_int(L, 1, "zone", 0)};

    struct lz_err err;
    lz_host_id id = 0;
    bool ok = lz_place_host(world_of(L), &o, &id, &err);

    return answer(L, ok, id, &err);
}

static enum lz_queue_policy queue_policy_of(const char *name)
{
    static const char *const names[] = {[LZ_QUEUE_FIFO] = "fifo",
                                        [LZ_QUEUE_LIFO] = "lifo",
                                        [LZ_QUEUE_CODEL] = "codel",
                                        [LZ_QUEUE_ADAPTIVE_LIFO] = "adaptive_lifo"};
    for (size_t i = 0; name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return (enum lz_queue_policy)i;
    return LZ_QUEUE_FIFO;
}

static bool read_queue(lua_State *L, struct lz_queue_opts *out, struct lz_err *err)
{
    int64_t max = lz_read_int(L, 1, "queue_max", 1024);
    *out = (struct lz_queue_opts){
        .max = max < 0 ? LZ_SERVICE_UNBOUNDED : (uint32_t)max,
        .policy = queue_policy_of(lz_read_text(L, 1, "queue_policy")),
        .codel = {.target = lz_read_int(L, 1, "queue_target", 0),
                  .interval = lz_read_int(L, 1, "queue_interval", 0)},
        .preemptive = lz_read_bool(L, 1, "queue_preemptive"),
    };
    return lz_read_dist(L, 1, "queue_timeout", &out->timeout, err);
}

// One direction of an autoscaler's behavior; what the table under `name` does not say is default.
static struct lz_scaling_rules read_rules(lua_State *L, const char *name, bool is_up)
{
    struct lz_scaling_rules r = lz_scaling_default(is_up);
    if (lua_getfield(L, 1, name) != LUA_TTABLE) {
        lua_pop(L, 1);
        return r;
    }
    int at = lua_gettop(L);
    const char *select = lz_read_text(L, at, "select");
    r.window = lz_read_int(L, at, "window", r.window);
    r.tolerance = lz_read_num(L, at, "tolerance", r.tolerance);
    r.select = select == NULL || strcmp(select, "max") == 0 ? LZ_SCALING_MAX
               : strcmp(select, "min") == 0                 ? LZ_SCALING_MIN
                                                            : LZ_SCALING_DISABLED;
    if (lua_getfield(L, at, "policies") == LUA_TTABLE) {
        r.count = 0;
        while (r.count < LZ_SCALING_POLICIES_MAX &&
               lua_rawgeti(L, at + 1, (lua_Integer)r.count + 1) == LUA_TTABLE) {
            int one = lua_gettop(L);
            double percent = lz_read_num(L, one, "percent", 0);
            r.policies[r.count++] = (struct lz_scaling_policy){
                .is_percent = percent > 0.0,
                .value = percent > 0.0 ? percent * 100.0 : lz_read_num(L, one, "pods", 0),
                .period = lz_read_int(L, one, "period", LZ_SCALING_EVERY),
            };
        }
    }
    lua_settop(L, at - 1);
    return r;
}

static struct lz_autoscale_opts read_autoscale(lua_State *L)
{
    return (struct lz_autoscale_opts){
        .min = (uint32_t)lz_read_int(L, 1, "scale_min", 0),
        .max = (uint32_t)lz_read_int(L, 1, "scale_max", 0),
        .by_hand = lz_read_bool(L, 1, "scale_by_hand"),
        .target_cpu = lz_read_num(L, 1, "scale_target_cpu", 0),
        .target_rate = lz_read_num(L, 1, "scale_target_rate", 0),
        .target_in_flight = lz_read_num(L, 1, "scale_target_in_flight", 0),
        .startup = lz_read_int(L, 1, "scale_startup", 0),
        .is_simple = lz_read_int(L, 1, "scale_cooldown", -1) >= 0,
        .cooldown = lz_read_int(L, 1, "scale_cooldown", 0),
        .period = lz_read_int(L, 1, "scale_period", 0),
        .up = read_rules(L, "scale_up", true),
        .down = read_rules(L, "scale_down", false),
    };
}

// { count } or { share } under `name` of the table at `at`; a share is whole to 1e-6 percent.
static struct lz_amount read_amount(lua_State *L, int at, const char *name)
{
    struct lz_amount a = {0};
    if (lua_getfield(L, at, name) == LUA_TTABLE) {
        int here = lua_gettop(L);
        double share = lz_read_num(L, here, "share", -1.0);
        a.is_percent = share >= 0.0;
        a.value = a.is_percent ? (double)(int64_t)(share * 1e8 + 0.5) / 1e6
                               : (double)lz_read_int(L, here, "count", 0);
    }
    lua_settop(L, at);
    return a;
}

static struct lz_rollout_opts read_rollout(lua_State *L)
{
    struct lz_rollout_opts o = {0};
    if (lua_getfield(L, 1, "rollout") == LUA_TTABLE) {
        int at = lua_gettop(L);
        o = (struct lz_rollout_opts){
            .is_on = true,
            .is_recreate = lz_read_bool(L, at, "recreate"),
            .max_surge = read_amount(L, at, "max_surge"),
            .max_unavailable = read_amount(L, at, "max_unavailable"),
            .min_ready = lz_read_int(L, at, "min_ready", 0),
            .deadline = lz_read_int(L, at, "deadline", 0),
        };
    }
    lua_settop(L, 1);
    return o;
}

static struct lz_disruption_opts read_disruption(lua_State *L)
{
    struct lz_disruption_opts o = {0};
    if (lua_getfield(L, 1, "disruption") == LUA_TTABLE) {
        int at = lua_gettop(L);
        o.is_on = true;
        o.is_min = lz_read_bool(L, at, "is_min");
        o.amount = read_amount(L, at, "amount");
    }
    lua_settop(L, 1);
    return o;
}

// service{...} -> component id
static int service(lua_State *L)
{
    struct lz_err err;
    struct lz_service_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .is_balancer = lz_read_bool(L, 1, "is_balancer"),
        .is_gateway = lz_read_bool(L, 1, "is_gateway"),
        .replicas = (uint32_t)lz_read_int(L, 1, "replicas", 0),
        .concurrency = (uint32_t)lz_read_int(L, 1, "concurrency", 0),
        .shed = {.in_flight = (uint32_t)lz_read_int(L, 1, "shed_in_flight", 0),
                 .cpu = lz_read_num(L, 1, "shed_cpu", 0),
                 .queue_age = lz_read_int(L, 1, "shed_queue_age", 0)},
        .rate_limit = {.rate = lz_read_num(L, 1, "limit_rate", 0),
                       .burst = lz_read_num(L, 1, "limit_burst", 0),
                       .status = (uint16_t)lz_read_int(L, 1, "limit_status", 0)},
        .adaptive_limit = {.initial = (uint32_t)lz_read_int(L, 1, "adaptive_initial", 0),
                           .max = (uint32_t)lz_read_int(L, 1, "adaptive_max", 0)},
        .io = {.reads = lz_read_num(L, 1, "io_reads", 0),
               .writes = lz_read_num(L, 1, "io_writes", 0),
               .flush = lz_read_bool(L, 1, "io_flush")},
        .deadlines = lz_read_bool(L, 1, "deadlines"),
        .parallel = lz_read_bool(L, 1, "parallel"),
        .cpu = lz_read_num(L, 1, "cpu", 0),
        .error_ratio = lz_read_num(L, 1, "error_ratio", 0),
        .port = (uint16_t)lz_read_int(L, 1, "port", 0),
        .autoscale = read_autoscale(L),
        .rollout = read_rollout(L),
        .disruption = read_disruption(L),
    };
    lz_read_spread(L, 1, &o.spread);
    if (!read_queue(L, &o.queue, &err) ||
        !lz_read_dist(L, 1, "service_time", &o.service_time, &err) ||
        !lz_read_dist(L, 1, "cpu_time", &o.cpu_time, &err))
        return lz_bind_refuse(L, &err);

    lz_component_id id = 0;
    bool ok = lz_service_create(world_of(L), &o, &id, &err);

    return answer(L, ok, id, &err);
}

// database{...} -> component id
static int database(lua_State *L)
{
    struct lz_err err;
    struct lz_database_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .engine = lz_read_text(L, 1, "engine"),
        .nodes = (uint32_t)lz_read_int(L, 1, "nodes", 0),
        .sync = lz_read_bool(L, 1, "sync"),
        .read_replicas = lz_read_bool(L, 1, "read_replicas"),
        .cpu = lz_read_num(L, 1, "cpu", 0),
        .max_connections = (uint32_t)lz_read_int(L, 1, "max_connections", 0),
        .failover = lz_read_bool(L, 1, "failover"),
        .detect = lz_read_int(L, 1, "detect", 0),
        .promote = lz_read_int(L, 1, "promote", 0),
    };
    lz_read_spread(L, 1, &o.spread);
    if (!lz_read_dist(L, 1, "query_time", &o.query_time, &err))
        return lz_bind_refuse(L, &err);

    lz_component_id id = 0;
    bool ok = lz_database_create(world_of(L), &o, &id, &err);

    return answer(L, ok, id, &err);
}

// edge{from, to, ...} -> id
static int edge(lua_State *L)
{
    struct lz_edge_opts o = lz_bind_read_edge(L, 1);

    struct lz_err err;
    lz_edge_id id = 0;
    bool ok = lz_call_edge(world_of(L), &o, &id, &err);

    return answer(L, ok, id, &err);
}

// add_call(service, edge, fallback edge or nil, optional) -> edge
static int add_call(lua_State *L)
{
    lz_component_id s = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_call_member m = {.edge = (lz_edge_id)luaL_checkinteger(L, 2),
                               .fallback = (lz_edge_id)luaL_optinteger(L, 3, 0),
                               .is_optional = lua_toboolean(L, 4)};

    struct lz_err err;
    bool ok = lz_service_add_call(world_of(L), s, &m, &err);

    return answer(L, ok, m.edge, &err);
}

// traffic{...} -> component id
static int traffic(lua_State *L)
{
    struct lz_err err;
    struct lz_traffic_opts o = {
        .name = lz_read_text(L, 1, "name"),
        .line = (uint32_t)lz_read_int(L, 1, "line", 0),
        .constant = lz_read_bool(L, 1, "constant"),
        .batch = (uint32_t)lz_read_int(L, 1, "batch", 0),
        .users = (uint32_t)lz_read_int(L, 1, "users", 0),
        .session = (uint32_t)lz_read_int(L, 1, "session", 0),
        .leave = lz_read_num(L, 1, "leave", 0),
        .local = lz_read_bool(L, 1, "local"),
        .near = (uint32_t)lz_read_int(L, 1, "near", 0),
        .edge = lz_bind_read_edge(L, 1),
        .produce = lz_bind_read_producer(L, 1, "produce"),
    };
    o.to = o.edge.to;
    if (!lz_read_dist(L, 1, "keys", &o.keys, &err) || !lz_read_dist(L, 1, "gaps", &o.gaps, &err) ||
        !lz_read_dist(L, 1, "think", &o.think, &err) || !lz_read_shape(L, 1, "rate", &o.rate, &err))
        return lz_bind_refuse(L, &err);

    lz_component_id id = 0;
    bool ok = lz_traffic_create(world_of(L), &o, &id, &err);

    return answer(L, ok, id, &err);
}

static struct lz_loss read_struck(lua_State *L, const char *name)
{
    double ratio = lz_read_num(L, 1, name, 0);
    return (struct lz_loss){.kind = ratio > 0.0 ? LZ_LOSS_RATIO : LZ_LOSS_NONE,
                            .ratio = ratio,
                            .correlation = lz_read_num(L, 1, "loss_correlation", 0)};
}

// link{from, to, one_way, latency, correlation, loss, loss_correlation, burst, ...} -> true
static int link(lua_State *L)
{
    struct lz_err err;
    struct lz_link_opts o = {
        .one_way = lz_read_bool(L, 1, "one_way"),
        .conditions = {.latency_correlation = lz_read_num(L, 1, "correlation", 0),
                       .loss = read_struck(L, "loss"),
                       .corrupt = read_struck(L, "corrupt"),
                       .duplicate = read_struck(L, "duplicate"),
                       .reorder = read_struck(L, "reorder"),
                       .gap = lz_read_int(L, 1, "gap", 10 * LZ_MS),
                       .rate = lz_read_num(L, 1, "bandwidth", 0),
                       .buffer = lz_read_num(L, 1, "buffer", 0)}};
    struct lz_loss burst;
    lz_read_burst(L, 1, "burst", &burst);
    if (burst.kind != LZ_LOSS_NONE)
        o.conditions.loss = burst;
    lua_getfield(L, 1, "from");
    lz_read_target(L, 2, &o.from);
    lua_getfield(L, 1, "to");
    lz_read_target(L, 3, &o.to);
    if (!lz_read_dist(L, 1, "latency", &o.conditions.latency, &err))
        return lz_bind_refuse(L, &err);

    bool ok = lz_link_declare(world_of(L), &o, &err);

    return answer(L, ok, 1, &err);
}

// transport(component, tls, transport, early_data) -> true
static int transport(lua_State *L)
{
    const char *tls = luaL_optstring(L, 2, "off");
    struct lz_transport_opts o = {
        .tls = strcmp(tls, "1.2") == 0   ? LZ_TLS_1_2
               : strcmp(tls, "1.3") == 0 ? LZ_TLS_1_3
                                         : LZ_TLS_OFF,
        .is_quic = strcmp(luaL_optstring(L, 3, "tcp"), "quic") == 0,
        .is_early_data = lua_toboolean(L, 4),
    };

    struct lz_err err;
    bool ok = lz_connect_transport(world_of(L), (lz_component_id)luaL_checkinteger(L, 1), &o, &err);

    return answer(L, ok, 1, &err);
}

// link_metric(a, b, name) -> metric id, 0 if there is none; the component it is of
static int link_metric(lua_State *L)
{
    struct lz_arena *arena = lz_script_of(L)->arena;
    struct lz_target *a = lz_arena_alloc(arena, sizeof(*a)), *b = lz_arena_alloc(arena, sizeof(*b));
    lz_read_target(L, 1, a);
    lz_read_target(L, 2, b);
    const struct lz_world *w = world_of(L);
    lz_metric id = lz_link_metric(world_of(L), a, b, luaL_checkstring(L, 3));
    lua_pushinteger(L, id);
    lua_pushinteger(L, id != 0 ? lz_metrics_component(w->metrics, id) : 0);
    return 2;
}

// is_read(op) -> whether a database takes it for a read
static int is_read(lua_State *L)
{
    lua_pushboolean(L, lz_database_is_read(luaL_checkstring(L, 1)));
    return 1;
}

static const luaL_Reg functions[] = {
    {"check_dist", check_dist},
    {"check_shape", check_shape},
    {"shape_area", shape_area},
    {"cloud", cloud},
    {"region", region},
    {"zone", zone},
    {"host", host},
    {"service", service},
    {"database", database},
    {"edge", edge},
    {"add_call", add_call},
    {"traffic", traffic},
    {"link", link},
    {"transport", transport},
    {"link_metric", link_metric},
    {"is_read", is_read},
    {NULL, NULL},
};

void lz_bind_model(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
