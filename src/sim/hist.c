#include "sim/hist.h"

#include <string.h>

double lz_hist_value(uint32_t bucket)
{
    if (bucket < 2 * LZ_HIST_SUBS)
        return (double)bucket; // one value each: shift is 0 up to here
    uint32_t shift = (bucket >> LZ_HIST_SUB_BITS) - 1;
    uint64_t low = (uint64_t)(bucket - (shift << LZ_HIST_SUB_BITS)) << shift;
    return (double)low + 0.5 * (double)((1ull << shift) - 1);
}

// Of no values: any is less than the least, and none below 0.
static const struct lz_hist_facts none = {.min = INT64_MAX};

void lz_hist_init(struct lz_hist *h, struct lz_arena *arena)
{
    *h = (struct lz_hist){.facts = none, .arena = arena};
}

// Of counts[]: all before it are 0, as those behind the last are.
static uint32_t first_used(const struct lz_hist *h)
{
    LZ_ASSERT(h->facts.count > 0);
    return lz_hist_bucket(h->facts.min) - h->first;
}

// What adds up windows has been as wide as the widest, and mostly is nearly empty.
void lz_hist_clear(struct lz_hist *h)
{
    if (h->facts.count > 0) {
        uint32_t from = first_used(h), to = lz_hist_bucket(h->facts.max) - h->first;
        LZ_ASSERT(from <= to && to < h->cap);
        memset(h->counts + from, 0, (to - from + 1) * sizeof(*h->counts));
    }
    h->facts = none;
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

static void merge_facts(struct lz_hist_facts *to, const struct lz_hist_facts *from)
{
    if (to->count == 0 || from->min < to->min)
        to->min = from->min;
    if (to->count == 0 || from->max > to->max)
        to->max = from->max;
    to->count += from->count;
    to->sum_low += from->sum_low;
    to->sum_high += from->sum_high + (to->sum_low < from->sum_low);
}

void lz_hist_merge(struct lz_hist *h, const struct lz_hist *from)
{
    LZ_ASSERT(h != from);
    if (from->facts.count == 0)
        return;
    if (h->cap == 0 || from->first < h->first || from->first + from->cap > h->first + h->cap) {
        lz_hist_widen(h, from->first);
        lz_hist_widen(h, from->first + from->cap - 1);
    }
    for (uint32_t i = 0; i < from->cap; i++)
        h->counts[from->first + i - h->first] += from->counts[i];
    merge_facts(&h->facts, &from->facts);
}

// Of count > 0 values.
static struct lz_hist_facts facts_of(const int64_t *values, size_t count)
{
    struct lz_hist_facts f = none;
    for (size_t i = 0; i < count; i++) {
        int64_t value = values[i];
        f.min = value < f.min ? value : f.min;
        f.max = value > f.max ? value : f.max;
        f.sum_low += (uint64_t)value;
        f.sum_high += f.sum_low < (uint64_t)value;
    }
    f.count = count;
    return f;
}

void lz_hist_add_all(struct lz_hist *h, const int64_t *values, size_t count)
{
    if (count == 0)
        return;
    struct lz_hist_facts f = facts_of(values, count);
    LZ_ASSERT(f.min >= 0);
    uint32_t ends[2] = {lz_hist_bucket(f.min), lz_hist_bucket(f.max)};
    for (uint32_t i = 0; i < 2; i++)
        if (ends[i] - h->first >= h->cap)
            lz_hist_widen(h, ends[i]);
    uint64_t *counts = h->counts;
    uint32_t first = h->first;
    for (size_t i = 0; i < count; i++)
        counts[lz_hist_bucket(values[i]) - first]++;
    merge_facts(&h->facts, &f);
}

void lz_hist_add_many(struct lz_hist *h, int64_t value, uint64_t times)
{
    if (times == 0)
        return;
    lz_hist_add(h, value);
    __extension__ typedef unsigned __int128 u128;
    u128 sum = (u128)h->facts.sum_high << 64 | h->facts.sum_low;
    sum += (u128)(uint64_t)value * (times - 1);
    h->facts.sum_low = (uint64_t)sum;
    h->facts.sum_high = (uint64_t)(sum >> 64);
    h->facts.count += times - 1;
    h->counts[lz_hist_bucket(value) - h->first] += times - 1;
}

uint64_t lz_hist_at_most(const struct lz_hist *h, int64_t value)
{
    LZ_ASSERT(value >= 0);
    uint32_t last = lz_hist_bucket(value);
    uint64_t count = 0;
    for (uint32_t i = 0; i < h->cap && h->first + i <= last; i++)
        count += h->counts[i];
    LZ_ASSERT(count <= h->facts.count);
    return count;
}

double lz_hist_mean(const struct lz_hist *h)
{
    LZ_ASSERT(h->facts.count > 0);
    double sum = (double)h->facts.sum_high * 0x1p64 + (double)h->facts.sum_low;
    return sum / (double)h->facts.count;
}

/*
 * Nearest rank: the smallest value that at least q of all do not exceed. 0.55 * 100 is a
 * little over 55 in binary, and means the 55th all the same.
 */
static uint64_t rank_of(uint64_t count, double q)
{
    double exact = q * (double)count;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact * (1.0 - 0x1p-50))
        rank++;
    return rank;
}

double lz_hist_quantile(const struct lz_hist *h, double q)
{
    LZ_ASSERT(h->facts.count > 0);
    LZ_ASSERT(q >= 0.0 && q <= 1.0);
    uint64_t rank = rank_of(h->facts.count, q);
    if (rank <= 1)
        return (double)h->facts.min;
    if (rank >= h->facts.count)
        return (double)h->facts.max;
    uint64_t seen = 0;
    uint32_t i = first_used(h);
    while ((seen += h->counts[i]) < rank)
        i++;
    LZ_ASSERT(i < h->cap);
    double value = lz_hist_value(h->first + i);
    if (value < (double)h->facts.min)
        return (double)h->facts.min;
    return value > (double)h->facts.max ? (double)h->facts.max : value;
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

// What there is room for goes to `to`; returns how many bytes all of it takes.
static size_t pack_into(const struct lz_hist *h, unsigned char *to, size_t room)
{
    unsigned char pair[20];
    size_t size = 0;
    uint32_t before = 0;
    for (uint32_t i = 0; i < h->cap; i++) {
        if (h->counts[i] == 0)
            continue;
        size_t n = put_varint(pair, h->first + i - before);
        n += put_varint(pair + n, h->counts[i]);
        if (size + n <= room)
            memcpy(to + size, pair, n);
        size += n;
        before = h->first + i;
    }
    return size;
}

unsigned char *lz_hist_pack(const struct lz_hist *h, uint32_t *size)
{
    *size = 0;
    if (h->facts.count == 0)
        return NULL;
    unsigned char small[2048]; // most need no second walk
    *size = (uint32_t)pack_into(h, small, sizeof(small));
    unsigned char *packed = lz_arena_alloc(h->arena, *size);
    if (*size <= sizeof(small))
        return memcpy(packed, small, *size);
    pack_into(h, packed, *size);
    return packed;
}

/*
 * Of a window of few values, as most are: each pair takes at most four bytes, for buckets and
 * counts are below 2^14. Whether a bucket among others is used nobody can guess: each is written
 * as if it were, which takes two bytes behind the last, and the next one in its place if not. Many
 * in a row that are not used are passed over.
 */
#define ROW 4u

struct packing {
    unsigned char *at;
    uint32_t before; // the last used bucket
};

static inline struct packing pack_bucket(struct packing p, uint32_t bucket, uint64_t count)
{
    uint64_t step = bucket - p.before, is_used = count != 0;
    if (__builtin_expect((step | count) >= 0x80 && is_used, 0)) {
        p.at += put_varint(p.at, step);
        p.at += put_varint(p.at, count);
    } else {
        p.at[0] = (unsigned char)step;
        p.at[1] = (unsigned char)count;
        p.at += 2 * is_used;
    }
    p.before += (uint32_t)(step & (0 - is_used));
    return p;
}

static size_t move_away(struct lz_hist *h, struct lz_hist *whole, unsigned char *to)
{
    uint64_t *sums = whole->counts + (h->first - whole->first);
    struct packing p = {.at = to};
    for (uint32_t i = 0; i < h->cap; i += ROW) {
        uint64_t *counts = h->counts + i, any = 0;
        for (uint32_t j = 0; j < ROW; j++)
            any |= counts[j];
        if (any == 0)
            continue;
        for (uint32_t j = 0; j < ROW; j++) {
            p = pack_bucket(p, h->first + i + j, counts[j]);
            sums[i + j] += counts[j];
            counts[j] = 0;
        }
    }
    return (size_t)(p.at - to);
}

unsigned char *lz_hist_pack_away(struct lz_hist *h, struct lz_hist *whole, uint32_t *size)
{
    unsigned char small[8192];
    *size = 0;
    if (h->facts.count == 0)
        return NULL;
    uint64_t most = h->facts.count < h->cap ? h->facts.count : h->cap;
    if (h->facts.count >= 1u << 14 || 4 * most + 2 > sizeof(small)) {
        unsigned char *packed = lz_hist_pack(h, size);
        lz_hist_merge(whole, h);
        lz_hist_clear(h);
        return packed;
    }
    if (h->first - whole->first >= whole->cap)
        lz_hist_widen(whole, h->first);
    if (h->first + h->cap - 1 - whole->first >= whole->cap)
        lz_hist_widen(whole, h->first + h->cap - 1);
    *size = (uint32_t)move_away(h, whole, small);
    merge_facts(&whole->facts, &h->facts);
    h->facts = none;
    unsigned char *packed = lz_arena_alloc(h->arena, *size);
    return memcpy(packed, small, *size);
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
    LZ_ASSERT(packed == end);
    if (facts->count > 0)
        merge_facts(&h->facts, facts);
}
