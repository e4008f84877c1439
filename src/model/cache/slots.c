#include "model/cache/slots.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/cache/cache_state.h"

// Four bits at a time: row n is n << 12, divided by the polynomial.
uint16_t lz_slots_crc16(const void *bytes, size_t len)
{
    static const uint16_t rows[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5,
                                      0x60c6, 0x70e7, 0x8108, 0x9129, 0xa14a, 0xb16b,
                                      0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
    const unsigned char *p = bytes;
    uint16_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc = (uint16_t)(crc << 4) ^ rows[(crc >> 12 ^ p[i] >> 4) & 15];
        crc = (uint16_t)(crc << 4) ^ rows[(crc >> 12 ^ p[i]) & 15];
    }
    return crc;
}

uint32_t lz_slots_of_text(const char *text, size_t len)
{
    const char *open = memchr(text, '{', len);
    if (open != NULL) {
        const char *tag = open + 1;
        const char *close = memchr(tag, '}', len - (size_t)(tag - text));
        if (close != NULL && close > tag) {
            text = tag;
            len = (size_t)(close - tag);
        }
    }
    return lz_slots_crc16(text, len) & (LZ_SLOTS - 1);
}

static uint32_t of_integer(uint64_t key)
{
    char text[24];
    size_t at = sizeof(text);
    bool is_negative = (int64_t)key < 0;
    uint64_t n = is_negative ? 0 - key : key;
    do
        text[--at] = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    if (is_negative)
        text[--at] = '-';
    return lz_slots_crc16(text + at, sizeof(text) - at) & (LZ_SLOTS - 1);
}

static struct lz_slot_text *find(const struct lz_slot_texts *t, uint64_t key)
{
    uint32_t i = (uint32_t)lz_hash_mix(key, 5) & (t->cap - 1);
    while (t->all[i].slot != 0 && t->all[i].key != key)
        i = (i + 1) & (t->cap - 1);
    return &t->all[i];
}

static void widen(struct lz_world *w, struct lz_slot_texts *t)
{
    struct lz_slot_text *old = t->all;
    uint32_t old_cap = t->cap;
    t->cap = old_cap > 0 ? 2 * old_cap : 64;
    t->all = lz_arena_alloc(w->arena, t->cap * sizeof(*t->all));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].slot != 0)
            *find(t, old[i].key) = old[i];
    lz_arena_free(w->arena, old, old_cap * sizeof(*old));
}

void lz_slots_learn(struct lz_world *w, uint64_t key, const char *text, size_t len)
{
    if (!w->caches->has_clusters)
        return;
    struct lz_slot_texts *t = &w->caches->texts;
    if (2 * (t->count + 1) > t->cap)
        widen(w, t);
    struct lz_slot_text *at = find(t, key);
    if (at->slot != 0)
        return;
    *at = (struct lz_slot_text){.key = key, .slot = lz_slots_of_text(text, len) + 1};
    t->count++;
}

uint32_t lz_slots_of_key(const struct lz_world *w, uint64_t key)
{
    const struct lz_slot_texts *t = &w->caches->texts;
    if (t->count > 0) {
        const struct lz_slot_text *at = find(t, key);
        if (at->slot != 0)
            return at->slot - 1;
    }
    return of_integer(key);
}

uint64_t lz_slots_next_key(const struct lz_world *w, uint64_t key,
                           bool (*has)(const void *ctx, uint32_t slot), const void *ctx)
{
    for (uint32_t tries = 0; tries < 64 * LZ_SLOTS; tries++)
        if (has(ctx, lz_slots_of_key(w, key + tries)))
            return key + tries;
    return key; // it has no slot at all
}
