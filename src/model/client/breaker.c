#include "model/client/breaker.h"

#include <string.h>

#include "base/check.h"

void lz_breaker_fill_defaults(struct lz_breaker_opts *o)
{
    if (o->consecutive == 0 && !(o->ratio > 0.0))
        o->ratio = 0.5;
    if (o->volume == 0)
        o->volume = o->calls > 0 ? o->calls : 20;
    if (o->over == 0)
        o->over = 10 * LZ_S;
    if (o->open == 0)
        o->open = 5 * LZ_S;
    if (o->probes == 0)
        o->probes = 1;
}

void lz_breaker_init(struct lz_breaker *b, const struct lz_breaker_opts *o, struct lz_arena *arena)
{
    LZ_ASSERT(o->calls <= LZ_BREAKER_CALLS_MAX);
    *b = (struct lz_breaker){.state = LZ_BREAKER_CLOSED};
    if (o->calls > 0)
        b->last = lz_arena_alloc(arena, o->calls * sizeof(*b->last));
}

static void move(struct lz_breaker *b, enum lz_breaker_state to)
{
    static const bool allowed[3][3] = {
        [LZ_BREAKER_CLOSED] = {[LZ_BREAKER_OPEN] = true},
        [LZ_BREAKER_OPEN] = {[LZ_BREAKER_HALF_OPEN] = true},
        [LZ_BREAKER_HALF_OPEN] = {[LZ_BREAKER_CLOSED] = true, [LZ_BREAKER_OPEN] = true},
    };
    LZ_ASSERT(allowed[b->state][to]);
    b->state = to;
    b->generation++;
    b->in_a_row = 0;
    b->admitted = b->ended = b->failed = 0;
    memset(b->buckets, 0, sizeof(b->buckets));
    b->last_at = b->last_count = b->last_failed = 0;
}

static void open_now(struct lz_breaker *b, lz_time now)
{
    move(b, LZ_BREAKER_OPEN);
    b->opened = now;
}

bool lz_breaker_admit(struct lz_breaker *b, const struct lz_breaker_opts *o, lz_time now)
{
    if (b->state == LZ_BREAKER_CLOSED)
        return true;
    if (b->state == LZ_BREAKER_OPEN) {
        if (now - b->opened < o->open)
            return false;
        move(b, LZ_BREAKER_HALF_OPEN);
    }
    if (b->admitted == o->probes)
        return false;
    b->admitted++;
    return true;
}

// The share of failures among what counts; false while that is too few.
static bool is_too_much(const struct lz_breaker *b, const struct lz_breaker_opts *o, lz_time now)
{
    uint64_t total = b->last_count, failed = b->last_failed;
    if (o->calls == 0) {
        int64_t newest = now / (o->over / LZ_BREAKER_BUCKETS);
        for (int i = 0; i < LZ_BREAKER_BUCKETS; i++) {
            if (b->buckets[i].number <= newest - LZ_BREAKER_BUCKETS)
                continue;
            total += b->buckets[i].total;
            failed += b->buckets[i].failed;
        }
    }
    return total >= o->volume && (double)failed >= o->ratio * (double)total;
}

static void count(struct lz_breaker *b, const struct lz_breaker_opts *o, lz_time now, bool failed)
{
    b->in_a_row = failed ? b->in_a_row + 1 : 0;
    if (o->calls > 0) {
        if (b->last_count == o->calls)
            b->last_failed -= b->last[b->last_at];
        else
            b->last_count++;
        b->last[b->last_at] = failed;
        b->last_failed += failed;
        b->last_at = (b->last_at + 1) % o->calls;
        return;
    }
    int64_t number = now / (o->over / LZ_BREAKER_BUCKETS);
    struct lz_breaker_bucket *bucket = &b->buckets[number % LZ_BREAKER_BUCKETS];
    if (bucket->number != number)
        *bucket = (struct lz_breaker_bucket){.number = number};
    bucket->total++;
    bucket->failed += failed;
}

static void probed(struct lz_breaker *b, const struct lz_breaker_opts *o, lz_time now, bool failed)
{
    LZ_ASSERT(b->ended < b->admitted);
    b->ended++;
    b->failed += failed;
    if (failed && !(o->ratio > 0.0)) {
        open_now(b, now);
        return;
    }
    if (b->ended < o->probes)
        return;
    if (o->ratio > 0.0 && (double)b->failed >= o->ratio * (double)b->ended)
        open_now(b, now);
    else
        move(b, LZ_BREAKER_CLOSED);
}

void lz_breaker_result(struct lz_breaker *b, const struct lz_breaker_opts *o, lz_time now,
                       uint8_t generation, bool failed)
{
    if (generation != b->generation)
        return;
    LZ_ASSERT(b->state != LZ_BREAKER_OPEN); // nobody was admitted in it
    if (b->state == LZ_BREAKER_HALF_OPEN) {
        probed(b, o, now, failed);
        return;
    }
    count(b, o, now, failed);
    if ((o->consecutive > 0 && b->in_a_row >= o->consecutive) ||
        (o->ratio > 0.0 && is_too_much(b, o, now)))
        open_now(b, now);
}

void lz_breaker_forget(struct lz_breaker *b, uint8_t generation)
{
    if (generation != b->generation || b->state != LZ_BREAKER_HALF_OPEN)
        return;
    LZ_ASSERT(b->admitted > b->ended);
    b->admitted--; // another may try in its place
}
