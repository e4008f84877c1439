#include "script/seed.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define BLOCK_MAX 8192u // the first block is below 2 KiB in 5.4
#define PROBES 8
#define NOT_FOUND (-2)
#define EQUAL (-3)

/*
 * How the place is found. lua_newstate is called with an allocator that hands out one static
 * block, zeroed, and refuses the second one (and always with the same context, which is kept
 * in the state too); what the first block holds then is a picture of
 * the state with its seed. Two pictures taken from different depths of the stack differ in
 * two things only: pointers into the stack (the error jump), which differ by exactly as much
 * as the stack does, and the seed, which is drawn from the address of a local. More pictures
 * make sure that one word, and always the same, is left. The seed is a weak hash: one time in
 * thousands two pictures have the same, and say nothing.
 */
struct picture {
    _Alignas(16) unsigned char block[BLOCK_MAX];
    size_t size;
    unsigned blocks;
    uintptr_t frame; // of the allocator when it refused
};

static struct picture live, kept; // kept: before the state that was not made is taken apart
static int place = -1;            // offset of the seed, or NOT_FOUND; -1: not looked for yet

static void *probe_alloc(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    struct picture *p = ctx;
    (void)old_size;
    if (ptr != NULL || new_size == 0 || new_size > BLOCK_MAX)
        return NULL;
    p->blocks++;
    if (p->blocks == 1) {
        p->size = new_size;
        return p->block;
    }
    if (p->blocks == 2) { // the seed has been drawn, nothing is hashed yet
        p->frame = (uintptr_t)__builtin_frame_address(0);
        kept = *p;
    }
    return NULL;
}

static __attribute__((noinline)) void take(void)
{
    live = kept = (struct picture){0};
#if LUA_VERSION_NUM >= 505 // is given its seed, and this finds no place of one
    lua_State *L = lua_newstate(probe_alloc, &live, 0);
#else
    lua_State *L = lua_newstate(probe_alloc, &live);
#endif
    LZ_ASSERT(L == NULL);
}

// The same from further down the stack. Volatile, so that the frame is really there.
static __attribute__((noinline)) void take_deeper(unsigned times)
{
    volatile unsigned char room[176];
    room[0] = (unsigned char)times;
    if (times > 0)
        take_deeper(times - 1);
    else
        take();
    room[1] = room[0];
}

static uint64_t word_at(const unsigned char *block, size_t at)
{
    uint64_t word;
    memcpy(&word, block + at, sizeof(word));
    return word;
}

// Where the only 4 bytes are that differ and are no pointer into the stack; EQUAL if nothing
// else differs, NOT_FOUND if more does.
static int differing(const struct picture *a, const struct picture *b)
{
    int found = EQUAL;
    if (a->size != b->size || a->size == 0 || a->frame == b->frame)
        return NOT_FOUND;
    for (size_t at = 0; at + 8 <= a->size; at += 8) {
        uint64_t x = word_at(a->block, at), y = word_at(b->block, at);
        if (x == y || x - y == (uint64_t)a->frame - (uint64_t)b->frame)
            continue;
        bool low = (uint32_t)x != (uint32_t)y, high = x >> 32 != y >> 32;
        if (found != EQUAL || (low && high))
            return NOT_FOUND;
        found = (int)at + (low ? 0 : 4);
    }
    return found;
}

static int calibrate(void)
{
    take_deeper(0);
    struct picture *first = lz_mem_alloc(sizeof(*first));
    *first = kept;
    int found = EQUAL;
    unsigned agreed = 0;
    for (unsigned i = 1; i < PROBES && found != NOT_FOUND; i++) {
        take_deeper(i);
        int differs = differing(first, &kept);
        if (differs == EQUAL)
            continue;
        found = found == EQUAL || found == differs ? differs : NOT_FOUND;
        agreed++;
    }
    free(first);
    return agreed >= 2 ? found : NOT_FOUND;
}

bool lz_seed_is_pinnable(void)
{
    if (place == -1)
        place = calibrate();
    return place >= 0;
}

void lz_seed_block(struct lz_seed *seed, void *ptr)
{
    seed->blocks++;
    if (seed->blocks == 1)
        seed->first = ptr;
    if (seed->blocks == 2 && lz_seed_is_pinnable())
        memcpy(seed->first + place, &seed->value, sizeof(seed->value));
}
