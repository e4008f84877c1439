/* bind_node.c — what a component says about its processes, for the Lua half. */
#include <lauxlib.h>
#include <string.h>

#include "base/check.h"
#include "model/node/capacity.h"
#include "model/node/clock.h"
#include "model/node/disk.h"
#include "model/node/host.h"
#include "model/node/life.h"
#include "model/node/nodes.h"
#include "model/node/rss.h"
#include "model/node/ulimit.h"
#include "model/service/image.h"
#include "script/read.h"
#include "script/state.h"

static struct lz_world *world_of(lua_State *L)
{
    struct lz_world *w = lz_script_of(L)->world.world;
    LZ_ASSERT(w != NULL);
    return w;
}

static int answer(lua_State *L, bool ok, const struct lz_err *err)
{
    if (!ok) {
        lua_pushnil(L);
        lua_pushstring(L, err->msg);
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

static enum lz_restart restart_of(const char *name)
{
    if (strcmp(name, "always") == 0)
        return LZ_RESTART_ALWAYS;
    return strcmp(name, "on_failure") == 0 ? LZ_RESTART_ON_FAILURE : LZ_RESTART_NEVER;
}

// The table `name` of the one at `idx`; all zero where there is none.
static struct lz_probe_opts read_probe(lua_State *L, int idx, const char *name)
{
    struct lz_probe_opts o = {0};
    if (lua_getfield(L, idx, name) == LUA_TTABLE) { // [... probe]
        int at = lua_gettop(L);
        o = (struct lz_probe_opts){
            .is_on = lz_read_bool(L, at, "is_on"),
            .initial_delay = lz_read_int(L, at, "initial_delay", 0),
            .period = lz_read_int(L, at, "period", 0),
            .timeout = lz_read_int(L, at, "timeout", 0),
            .failure_threshold = (uint32_t)lz_read_int(L, at, "failure_threshold", 0),
            .success_threshold = (uint32_t)lz_read_int(L, at, "success_threshold", 0),
            .work = lz_read_int(L, at, "work", 0),
        };
    }
    lua_pop(L, 1);
    return o;
}

// life(component, {...}) -> true
static int life(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_err err;
    struct lz_life_opts o = {
        .restart = restart_of(lz_read_text(L, 2, "restart")),
        .backoff = lz_read_int(L, 2, "backoff", 0),
        .backoff_max = lz_read_int(L, 2, "backoff_max", 0),
        .backoff_reset = lz_read_int(L, 2, "backoff_reset", 0),
        .grace_period = lz_read_int(L, 2, "grace_period", -1),
        .pre_stop = lz_read_int(L, 2, "pre_stop", 0),
        .liveness = read_probe(L, 2, "liveness"),
        .readiness = read_probe(L, 2, "readiness"),
        .startup_probe = read_probe(L, 2, "startup_probe"),
    };
    bool ok = lz_read_dist(L, 2, "startup", &o.startup, &err) &&
              lz_read_dist(L, 2, "endpoint_delay", &o.endpoint_delay, &err) &&
              lz_life_declare(world_of(L), id, &o, &err);
    return answer(L, ok, &err);
}

// image(service, {pull_policy, pull_time}) -> true
static int image(lua_State *L)
{
    static const char *const policies[] = {[LZ_IMAGE_IF_NOT_PRESENT] = "if_not_present",
                                           [LZ_IMAGE_ALWAYS] = "always",
                                           [LZ_IMAGE_NEVER] = "never"};
    struct lz_err err;
    struct lz_image_opts o = {0};
    const char *policy = lz_read_text(L, 2, "pull_policy");
    for (unsigned i = 0; policy != NULL && i < sizeof(policies) / sizeof(policies[0]); i++)
        if (strcmp(policies[i], policy) == 0)
            o.policy = (enum lz_image_policy)i;
    bool ok = lz_read_dist(L, 2, "pull_time", &o.pull_time, &err);
    if (ok)
        lz_image_declare(world_of(L), (lz_component_id)luaL_checkinteger(L, 1), &o);
    return answer(L, ok, &err);
}

// cpu(component, {limit, period, weight}) -> true
static int cpu(lua_State *L)
{
    struct lz_world *w = world_of(L);
    const struct lz_component *c = lz_world_component(w, (lz_component_id)luaL_checkinteger(L, 1));
    double limit = lz_read_num(L, 2, "limit", 0), weight = lz_read_num(L, 2, "weight", 0);
    lz_time period = lz_read_int(L, 2, "period", 0);
    struct lz_err err;
    bool ok = true;
    for (uint32_t i = 0; i < c->instance_count && ok; i++) {
        lz_instance_id id = c->instances_first + i;
        ok = (!(limit > 0.0) || lz_capacity_limit(w, id, limit, period, &err)) &&
             (!(weight > 0.0) || lz_capacity_weigh(w, id, weight, &err));
    }
    return answer(L, ok, &err);
}

// memory(component, {...}) -> true
static int memory(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_rss_opts o = {
        .limit = lz_read_num(L, 2, "limit", 0),
        .base = lz_read_num(L, 2, "base", 0),
        .per_request = lz_read_num(L, 2, "per_request", 0),
        .swaps = lz_read_bool(L, 2, "swaps"),
        .swap_penalty = lz_read_num(L, 2, "swap_penalty", 0),
        .oom_score_adj = lz_read_num(L, 2, "oom_score_adj", 0),
    };
    struct lz_err err;
    return answer(L, lz_rss_declare(world_of(L), id, &o, &err), &err);
}

// host_capacity(host, {name, line, cores, memory}) -> the component that is measured
static int host_capacity(lua_State *L)
{
    lz_host_id host = (lz_host_id)luaL_checkinteger(L, 1);
    struct lz_host_capacity c = {
        .name = lz_read_text(L, 2, "name"),
        .line = (uint32_t)lz_read_int(L, 2, "line", 0),
        .cores = lz_read_num(L, 2, "cores", 0),
        .memory = lz_read_num(L, 2, "memory", 0),
    };
    struct lz_err err;
    lz_component_id id = 0;
    if (!lz_host_declare(world_of(L), host, &c, &id, &err))
        return answer(L, false, &err);
    lua_pushinteger(L, id);
    return 1;
}

// lifecycle(region, {...}) -> true
static int lifecycle(lua_State *L)
{
    struct lz_err err;
    struct lz_nodes_opts o = {
        .region = (lz_region_id)luaL_checkinteger(L, 1),
        .lease_renew = lz_read_int(L, 2, "lease_renew", -1),
        .monitor_period = lz_read_int(L, 2, "monitor_period", 0),
        .monitor_grace = lz_read_int(L, 2, "monitor_grace", 0),
        .toleration = lz_read_int(L, 2, "toleration", -1),
        .eviction_rate = lz_read_num(L, 2, "eviction_rate", -1),
        .secondary_rate = lz_read_num(L, 2, "secondary_rate", -1),
        .unhealthy_zone = lz_read_num(L, 2, "unhealthy_zone", 0),
        .large_zone = (uint32_t)lz_read_int(L, 2, "large_zone", LZ_NODES_DEFAULT),
        .room = (uint32_t)lz_read_int(L, 2, "room", LZ_NODES_DEFAULT),
        .control_plane = (lz_component_id)lz_read_int(L, 2, "control_plane", 0),
    };
    return answer(L, lz_nodes_declare(world_of(L), &o, &err), &err);
}

// limits(component, {fds, threads, pids, ports}) -> true
static int limits(lua_State *L)
{
    static const char *const names[] = {[LZ_ULIMIT_FDS] = "fds",
                                        [LZ_ULIMIT_THREADS] = "threads",
                                        [LZ_ULIMIT_PIDS] = "pids",
                                        [LZ_ULIMIT_PORTS] = "ports"};
    uint32_t most[LZ_ULIMITS];
    for (int k = 0; k < LZ_ULIMITS; k++)
        most[k] = (uint32_t)lz_read_int(L, 2, names[k], LZ_ULIMIT_NONE);
    lz_ulimit_declare(world_of(L), (lz_component_id)luaL_checkinteger(L, 1), most);
    return answer(L, true, NULL);
}

// host_clock(host, {offset, ppm}) -> true
static int host_clock(lua_State *L)
{
    struct lz_clock_opts o = {.offset = lz_read_int(L, 2, "offset", 0),
                              .ppm = lz_read_num(L, 2, "ppm", 0)};
    struct lz_err err;
    lz_host_id host = (lz_host_id)luaL_checkinteger(L, 1);
    return answer(L, lz_clock_declare(world_of(L), host, &o, &err), &err);
}

static bool read_disk(lua_State *L, struct lz_disk_opts *o, struct lz_err *err)
{
    *o = (struct lz_disk_opts){
        .iops = lz_read_num(L, 2, "iops", 0),
        .bandwidth = lz_read_num(L, 2, "bandwidth", 0),
        .size = lz_read_num(L, 2, "size", 0),
        .used = lz_read_num(L, 2, "used", 0),
        .write_bytes = lz_read_num(L, 2, "write_bytes", 0),
        .miss_ratio = lz_read_num(L, 2, "miss_ratio", 0),
        .checksums = lz_read_bool(L, 2, "checksums"),
    };
    return lz_read_dist(L, 2, "latency", &o->latency, err);
}

// disk(component, {...}) -> true
static int disk(lua_State *L)
{
    lz_component_id id = (lz_component_id)luaL_checkinteger(L, 1);
    struct lz_disk_opts o;
    struct lz_err err;
    bool ok = read_disk(L, &o, &err) && lz_disk_declare(world_of(L), id, &o, &err);
    return answer(L, ok, &err);
}

// host_disk(host, {...}) -> true
static int host_disk(lua_State *L)
{
    lz_host_id host = (lz_host_id)luaL_checkinteger(L, 1);
    struct lz_disk_opts o;
    struct lz_err err;
    bool ok = read_disk(L, &o, &err) && lz_disk_share(world_of(L), host, &o, &err);
    return answer(L, ok, &err);
}

static const luaL_Reg functions[] = {
    {"cpu", cpu},
    {"host_capacity", host_capacity},
    {"host_clock", host_clock},
    {"host_disk", host_disk},
    {"life", life},
    {"lifecycle", lifecycle},
    {"image", image},
    {"limits", limits},
    {"memory", memory},
    {"disk", disk},
    {NULL, NULL},
};

void lz_bind_node(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
