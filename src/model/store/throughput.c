#include "model/store/throughput.h"

#include "base/check.h"
#include "base/hash.h"

struct bucket {
    double rate, burst, level;
    lz_time last;
};

struct lz_throughput {
    struct lz_throughput_opts opts;
    struct bucket *parts, *shares; // two each: reads, writes
    struct bucket whole[2];
};

static struct bucket bucket_of(double rate, double seconds)
{
    double burst = rate * seconds > 1.0 ? rate * seconds : 1.0;
    return (struct bucket){.rate = rate, .burst = burst, .level = burst};
}

struct lz_throughput *lz_throughput_create(struct lz_arena *arena,
                                           const struct lz_throughput_opts *opts)
{
    struct lz_throughput *t = lz_arena_alloc(arena, sizeof(*t));
    t->opts = *opts;
    struct lz_throughput_opts *o = &t->opts;
    o->parts = o->parts > 0 ? o->parts : 1;
    o->saved_s = o->saved_s > 1.0 ? o->saved_s : 1.0;
    t->parts = lz_arena_alloc(arena, 2 * (size_t)o->parts * sizeof(*t->parts));
    t->shares = lz_arena_alloc(arena, 2 * (size_t)o->parts * sizeof(*t->shares));
    for (uint32_t i = 0; i < 2 * o->parts; i++) {
        LZ_ASSERT(o->part_rate[i % 2] > 0.0);
        t->parts[i] = bucket_of(o->part_rate[i % 2], 1.0);
        t->shares[i] = bucket_of(o->rate[i % 2] / o->parts, o->saved_s);
    }
    for (uint32_t way = 0; way < 2; way++)
        t->whole[way] = bucket_of(o->rate[way], o->saved_s);
    return t;
}

uint32_t lz_throughput_part(const struct lz_throughput *t, uint64_t key)
{
    return (uint32_t)(lz_hash_mix(key, 4) % t->opts.parts);
}

static bool has(struct bucket *b, double units, lz_time now)
{
    LZ_ASSERT(now >= b->last);
    b->level += (double)(now - b->last) / (double)LZ_S * b->rate;
    b->level = b->level < b->burst ? b->level : b->burst;
    b->last = now;
    // More than it ever holds is let through when it is full, and paid back later.
    double least = units < b->burst ? units : b->burst;
    return b->level >= least;
}

bool lz_throughput_take(struct lz_throughput *t, uint64_t key, enum lz_throughput_way way,
                        double units, lz_time now)
{
    LZ_ASSERT(units > 0.0);
    uint32_t at = 2 * lz_throughput_part(t, key) + (uint32_t)way;
    struct bucket *part = &t->parts[at];
    struct bucket *table = t->opts.adaptive ? &t->whole[way] : &t->shares[at];
    bool is_limited = t->opts.rate[way] > 0.0;
    bool passes = has(part, units, now);
    if (is_limited)
        passes = has(table, units, now) && passes;
    if (!passes)
        return false;
    part->level -= units;
    if (is_limited)
        table->level -= units;
    return true;
}
