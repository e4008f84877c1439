#include "model/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"

struct text {
    const char *bytes;
    uint32_t len;
    uint32_t next; // of those whose hashes end alike
    uint64_t hash;
};

struct lz_values {
    struct text *texts; // 1 .. count
    uint32_t count, cap;
    uint32_t *buckets; // the first text in each
    uint32_t bucket_count;
    size_t bytes;
};

#define BUCKETS_MIN 64u

void lz_values_init(struct lz_world *w)
{
    w->values = lz_arena_alloc(w->arena, sizeof(*w->values));
}

static void link_text(struct lz_values *vs, uint32_t number)
{
    uint32_t *bucket = &vs->buckets[vs->texts[number].hash & (vs->bucket_count - 1)];
    vs->texts[number].next = *bucket;
    *bucket = number;
}

static void widen(struct lz_world *w, struct lz_values *vs)
{
    size_t old = vs->bucket_count * sizeof(*vs->buckets);
    vs->bucket_count = vs->bucket_count > 0 ? vs->bucket_count * 2 : BUCKETS_MIN;
    size_t size = vs->bucket_count * sizeof(*vs->buckets);
    vs->buckets = lz_arena_resize(w->arena, vs->buckets, old, size);
    memset(vs->buckets, 0, size);
    for (uint32_t i = 1; i <= vs->count; i++)
        link_text(vs, i);
}

lz_value lz_value_text(struct lz_world *w, const char *bytes, size_t len)
{
    LZ_ASSERT(len <= LZ_VALUE_TEXT_MAX);
    struct lz_values *vs = w->values;
    uint64_t hash = lz_hash_bytes(bytes, len);
    if (vs->count >= vs->bucket_count)
        widen(w, vs);
    for (uint32_t i = vs->buckets[hash & (vs->bucket_count - 1)]; i != 0; i = vs->texts[i].next) {
        const struct text *t = &vs->texts[i];
        if (t->hash == hash && t->len == len && memcmp(t->bytes, bytes, len) == 0)
            return (uint64_t)i << 2 | LZ_VALUE_TEXT;
    }
    vs->texts = lz_grow(w->arena, vs->texts, &vs->cap, vs->count + 2, sizeof(*vs->texts));
    char *copy = lz_arena_alloc(w->arena, len + 1);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    uint32_t number = ++vs->count;
    vs->texts[number] = (struct text){.bytes = copy, .len = (uint32_t)len, .hash = hash};
    vs->bytes += len + 1;
    link_text(vs, number);
    return (uint64_t)number << 2 | LZ_VALUE_TEXT;
}

const char *lz_value_to_text(const struct lz_world *w, lz_value v, size_t *len)
{
    LZ_ASSERT(lz_value_kind(v) == LZ_VALUE_TEXT);
    uint64_t number = v >> 2;
    LZ_ASSERT(number >= 1 && number <= w->values->count);
    *len = w->values->texts[number].len;
    return w->values->texts[number].bytes;
}

const char *lz_value_show(const struct lz_world *w, lz_value v, char *out, size_t size)
{
    size_t len = 0;
    switch (lz_value_kind(v)) {
    case LZ_VALUE_NOTHING:
        snprintf(out, size, "nil");
        break;
    case LZ_VALUE_INTEGER:
        snprintf(out, size, "%" PRId64, lz_value_to_integer(v));
        break;
    case LZ_VALUE_TEXT: {
        const char *text = lz_value_to_text(w, v, &len);
        snprintf(out, size, "\"%s\"", text);
        break;
    }
    case LZ_VALUE_BOOLEAN:
        snprintf(out, size, "%s", lz_value_to_boolean(v) ? "true" : "false");
        break;
    }
    return out;
}

size_t lz_values_bytes(const struct lz_world *w)
{
    const struct lz_values *vs = w->values;
    return vs->bytes + vs->cap * sizeof(*vs->texts) + vs->bucket_count * sizeof(*vs->buckets);
}
