/*
 * leaks.c — lorenz with a leak planted in it, so that the search for leaks can be seen to work.
 *
 * Linked with --wrap: the functions below stand in the place of the real ones. LZ_LEAK names
 * the leak; without it the program is as it should be. Each is of a kind that has got into
 * simulators: an address, the order of a hash, the clock, a result that no event shows.
 */
#include <lauxlib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/traffic/request.h"
#include "script/state.h"
#include "sim/sim.h"

#define SLOT_SHIFT 36 /* arenas lie 64 GiB apart */

static bool has_leak(const char *name)
{
    const char *leak = getenv("LZ_LEAK");
    return leak != NULL && strcmp(leak, name) == 0;
}

static uint32_t slot_of(const void *block)
{
    return (uint32_t)((uintptr_t)block >> SLOT_SHIFT) & 7u;
}

lz_event_id __real_lz_sim_at(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                             uint64_t payload);
lz_event_id __wrap_lz_sim_at(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                             uint64_t payload);
lz_event_id __wrap_lz_sim_at(struct lz_sim *sim, lz_time at, lz_kind kind, uint32_t entity,
                             uint64_t payload)
{
    bool is_late = lz_sim_now(sim) > 2 * LZ_S;
    if (has_leak("address") && is_late)
        at += slot_of(sim);
    if (has_leak("crash") && is_late && slot_of(sim) > 0)
        abort();
    if (has_leak("clock") && is_late) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        at += t.tv_nsec % 1000;
    }
    return __real_lz_sim_at(sim, at, kind, entity, payload);
}

// Stock pairs, in the order of the hash.
static int next_by_hash(lua_State *L)
{
    lua_settop(L, 2);
    return lua_next(L, 1) ? 2 : 0;
}

int __real_lz_order_pairs(lua_State *L);
int __wrap_lz_order_pairs(lua_State *L);
int __wrap_lz_order_pairs(lua_State *L)
{
    if (!has_leak("hash"))
        return __real_lz_order_pairs(L);
    lua_settop(L, 1);
    lua_pushcfunction(L, next_by_hash);
    lua_insert(L, 1);
    return 2;
}

// A Lua in which the seed is not found: it is drawn as ever, and stays.
bool __real_lz_seed_is_pinnable(void);
bool __wrap_lz_seed_is_pinnable(void);
bool __wrap_lz_seed_is_pinnable(void)
{
    return !has_leak("unpinned") && __real_lz_seed_is_pinnable();
}

void __real_lz_seed_block(struct lz_seed *seed, void *block);
void __wrap_lz_seed_block(struct lz_seed *seed, void *block);
void __wrap_lz_seed_block(struct lz_seed *seed, void *block)
{
    if (!has_leak("unpinned"))
        __real_lz_seed_block(seed, block);
}

uint32_t __real_lz_requests_open_max(const struct lz_world *w);
uint32_t __wrap_lz_requests_open_max(const struct lz_world *w);
uint32_t __wrap_lz_requests_open_max(const struct lz_world *w)
{
    return __real_lz_requests_open_max(w) + (has_leak("record") ? slot_of(w) : 0);
}
