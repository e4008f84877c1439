#include "sim/hist.h"

#include <string.h>

#include "base/check.h"

double lz_hist_value(uint32_t bucket)
{
    if (bucket < 2 * LZ_HIST_SUBS)
        return (double)bucket; // one value each: shift is 0 up to here
    uint32_t shift = (bucket >> LZ_HIST_SUB_BITS) - 1;
    uint64_t low = (uint64_t)(bucket - (shift << LZ_HIST_SUB_BITS)) << shift;
    return (double)low + 0.5 * (double)((1ull << shift) - 1);
}

void lz_hist_init(struct lz_hist *h, struct lz_arena *arena)
{
    *h = (struct lz_hist){.arena = arena};
}

void lz_hist_clear(struct lz_hist *h)
{
    if (h->count > 0)
        memset(h->counts, 0, h->cap * sizeof(*h->counts));
    h->count = 0;
    h->sum = 0.0;
    h->min = h->max = 0;
}

void lz_hist_widen(struct lz_hist *h, uint32_t bucket)
{
    uint32_t first = bucket & ~(LZ_HIST_SUBS - 1), end = first + LZ_HIST_SUBS;
    if (h->cap > 0) {
        if (h->first < first)
            first = h->first;
        if (h->first + h->cap > end)
            end = h->first + h->cap;
    }
    uint64_t *counts = lz_arena_alloc(h->arena, (end - first) * sizeof(*counts));
    if (h->cap > 0)
        memcpy(counts + (h->first - first), h->counts, h->cap * sizeof(*counts));
    lz_arena_free(h->arena, h->counts, h->cap * sizeof(*counts));
    h->counts = counts;
    h->first = first;
    h->cap = end - first;
    LZ_ASSERT(bucket - h->first < h->cap);
}

static void merge_facts(struct lz_hist *h, const struct lz_hist_facts *f)
{
    if (h->count == 0 || f->min < h->min)
        h->min = f->min;
    if (h->count == 0 || f->max > h->max)
        h->max = f->max;
    h->count += f->count;
    h->sum += f->sum;
}

void lz_hist_merge(struct lz_hist *h, const struct lz_hist *from)
{
    if (from->count == 0)
        return;
    lz_hist_widen(h, from->first);
    lz_hist_widen(h, from->first + from->cap - 1);
    for (uint32_t i = 0; i < from->cap; i++)
        h->counts[from->first + i - h->first] += from->counts[i];
    merge_facts(h, &(struct lz_hist_facts){
                       .count = from->count, .min = from->min, .max = from->max, .sum = from->sum});
}

double lz_hist_quantile(const struct lz_hist *h, double q)
{
    LZ_ASSERT(h->count > 0);
    LZ_ASSERT(q >= 0.0 && q <= 1.0);
    double exact = q * (double)h->count;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact)
        rank++;
    if (rank <= 1)
        return (double)h->min;
    if (rank >= h->count)
        return (double)h->max;
    uint64_t seen = 0;
    uint32_t i = 0;
    while ((seen += h->counts[i]) < rank)
        i++;
    double value = lz_hist_value(h->first + i);
    if (value < (double)h->min)
        return (double)h->min;
    return value > (double)h->max ? (double)h->max : value;
}

static size_t put_varint(unsigned char *to, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        to[n++] = (unsigned char)(v | 0x80);
    to[n++] = (unsigned char)v;
    return n;
}

static const unsigned char *get_varint(const unsigned char *from, uint64_t *v)
{
    uint32_t shift = 0;
    *v = 0;
    for (;; shift += 7) {
        *v |= (uint64_t)(*from & 0x7f) << shift;
        if ((*from++ & 0x80) == 0)
            return from;
    }
}

unsigned char *lz_hist_pack(const struct lz_hist *h, uint32_t *size)
{
    unsigned char pair[20];
    size_t need = 0;
    uint32_t before = 0;
    for (int pass = 0;; pass++) {
        unsigned char *out = pass == 0 ? NULL : lz_arena_alloc(h->arena, need);
        size_t at = 0;
        before = 0;
        for (uint32_t i = 0; i < h->cap; i++) {
            if (h->counts[i] == 0)
                continue;
            size_t n = put_varint(pair, h->first + i - before);
            n += put_varint(pair + n, h->counts[i]);
            if (out != NULL)
                memcpy(out + at, pair, n);
            at += n;
            before = h->first + i;
        }
        if (pass == 1 || at == 0) {
            *size = (uint32_t)at;
            return out;
        }
        need = at;
    }
}

void lz_hist_merge_packed(struct lz_hist *h, const struct lz_hist_facts *facts,
                          const unsigned char *packed, uint32_t size)
{
    const unsigned char *end = packed + size;
    uint64_t bucket = 0;
    while (packed < end) {
        uint64_t step, count;
        packed = get_varint(get_varint(packed, &step), &count);
        bucket += step;
        if ((uint32_t)bucket - h->first >= h->cap)
            lz_hist_widen(h, (uint32_t)bucket);
        h->counts[bucket - h->first] += count;
    }
    if (facts->count > 0)
        merge_facts(h, facts);
}
