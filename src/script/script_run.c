/*
 * script_run.c — what was loaded becomes a world, and that is run to its end.
 */
#include "base/check.h"
#include "base/hash.h"
#include "base/wall.h"
#include "script/proc.h"

// The case that is loaded is the first of the matrix: all else is pinned.
uint64_t lz_script_run_key(const struct lz_script *s, uint64_t seed)
{
    uint64_t key = lz_hash_mix(lz_hash_mix(seed, 1), lz_hash_text(s->name));
    const struct lz_script_case *c = &s->cases[0];
    for (size_t i = 0; i < c->count; i++)
        key = lz_hash_mix(lz_hash_mix(key, lz_hash_text(c->names[i])), lz_hash_text(c->values[i]));
    return key;
}

static void on_second(void *ctx, lz_time now)
{
    struct lz_script *s = ctx;
    lz_checks_second(s->world.checks, now);
    lz_procs_second(s, now);
}

static int runnable_protected(lua_State *L)
{
    lz_script_push_main(lua_touserdata(L, 1), "is_runnable");
    lua_call(L, 1, 1);
    return 1;
}

static int real_protected(lua_State *L)
{
    lz_script_push_main(lua_touserdata(L, 1), "is_real");
    lua_call(L, 1, 1);
    return 1;
}

static bool ask(struct lz_script *s, lua_CFunction question)
{
    LZ_ASSERT(s->trouble == LZ_SCRIPT_OK);
    lua_pushcfunction(s->L, question);
    lua_pushlightuserdata(s->L, s);
    bool is_so = lua_pcall(s->L, 1, 1, 0) == LUA_OK && lua_toboolean(s->L, -1);
    lua_pop(s->L, 1);
    return is_so;
}

bool lz_script_is_runnable(struct lz_script *s)
{
    return ask(s, runnable_protected);
}

bool lz_script_has_code(const struct lz_script *s)
{
    return s->has_code;
}

bool lz_script_is_real(struct lz_script *s)
{
    return ask(s, real_protected);
}

// Nothing is ever done by them.
static bool allow_fault(void *ctx, const struct lz_fault_opts *opts, struct lz_err *err)
{
    (void)ctx;
    (void)opts;
    (void)err;
    return true;
}

static const struct lz_fault_hands no_hands = {.check = allow_fault};

static int build_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    lz_procs_init(s);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_pushboolean(L, s->opts.hands != NULL);
    lua_setfield(L, -2, "live");
    lua_settop(L, 0);
    lz_script_push_main(s, "build");
    lua_call(L, 1, 1);
    if (!lua_toboolean(L, -1))
        s->trouble = LZ_SCRIPT_WRONG;
    return 0;
}

void lz_script_set_swarm(struct lz_script *s, double share)
{
    LZ_ASSERT(s->world.world == NULL);
    s->swarm = share;
}

void lz_script_set_without(struct lz_script *s, size_t nth)
{
    LZ_ASSERT(s->world.world == NULL);
    s->without = nth;
}

void lz_script_set_order(struct lz_script *s, const struct lz_order_opts *order)
{
    LZ_ASSERT(s->world.world == NULL);
    s->order = *order;
}

bool lz_script_build(struct lz_script *s, uint64_t seed, uint64_t events_max,
                     struct lz_script_world *out)
{
    LZ_ASSERT(s->trouble == LZ_SCRIPT_OK);
    LZ_ASSERT(s->world.world == NULL);
    if (s->opts.is_checked && s->opts.hands == NULL && lz_script_is_real(s))
        s->opts.hands = &no_hands;
    s->world.world = lz_world_create(&(struct lz_world_opts){
        .arena = s->arena,
        .seed = seed,
        .run_key = lz_script_run_key(s, seed),
        .events_max = events_max,
        .warmup = s->warmup,
        .end = s->duration,
        .order = s->order,
        .is_live = s->opts.hands != NULL,
    });
    lz_wall_enter(lz_sim_clock(s->world.world->sim));
    s->world.faults = lz_faults_create(s->world.world);
    if (s->opts.hands != NULL)
        lz_faults_hand_over(s->world.faults, s->opts.hands);
    lz_faults_swarm(s->world.faults, s->swarm);
    lz_faults_without(s->world.faults, s->without);
    s->world.checks = lz_checks_create(s->world.world, s->world.faults);
    lz_script_guarded(s, build_protected);
    if (s->trouble != LZ_SCRIPT_OK)
        return false;
    lz_world_on_second(s->world.world, on_second, s);
    *out = s->world;
    return true;
}

static int run_protected(lua_State *L)
{
    struct lz_script *s = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_state);
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "running");
    lua_settop(L, 0);
    lz_procs_start(s);
    s->stop = lz_world_run(s->world.world);
    if (s->trouble == LZ_SCRIPT_OK && s->stop == LZ_SIM_ENDED)
        lz_checks_finish(s->world.checks, lz_sim_now(s->world.world->sim));
    return 0;
}

enum lz_sim_stop lz_script_run(struct lz_script *s)
{
    LZ_ASSERT(s->world.world != NULL);
    s->stop = LZ_SIM_STOPPED;
    lz_script_guarded(s, run_protected);
    return s->stop;
}
