// A slot of the second level that holds more than a network sorts, into the run.
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "sim/evq.h"

#define MANY_MAX 8190 // a slot that holds more is dealt
#define AHEAD 32      // events that are fetched while others are looked at
// So many more join them, and they are spilled: to move a part of them for each is as dear then.
#define ROOM_FOR_NEW 96
#define HALF_BITS (LZ_EVQ_BITS / 2)
#define HALVES (1u << HALF_BITS)

_Static_assert(MANY_MAX < UINT16_MAX, "how many have a value is counted in 16 bits");
_Static_assert(HALF_BITS * 2 == LZ_EVQ_BITS, "two halves are all that differs in a slot");

// How many there are with each value of the lower and of the upper half of their time in the slot,
// and then where the first of them goes.
struct halves {
    uint16_t low[HALVES], high[HALVES];
};

// So many, or more than MANY_MAX.
static uint32_t count_slot(const struct lz_evq *q, const struct lz_evq_chunk *slot)
{
    uint32_t count = slot->tail & 7u;
    for (uint32_t i = slot->tail >> 3; i != 0 && count <= MANY_MAX; i = q->chunks[i].tail)
        count += LZ_EVQ_CHUNK;
    return count;
}

// The slot's events, oldest first; its chunks are free then, all at once, as they hang together.
static void take_all(struct lz_evq *q, const struct lz_evq_chunk *slot, uint32_t *events,
                     uint32_t count)
{
    uint32_t at = count - (slot->tail & 7u), newest = slot->tail >> 3, oldest = 0;
    memcpy(events + at, slot->events, (slot->tail & 7u) * sizeof(*events));
    for (uint32_t i = newest; i != 0; i = q->chunks[i].tail) {
        at -= LZ_EVQ_CHUNK;
        memcpy(events + at, q->chunks[i].events, sizeof(q->chunks[i].events));
        oldest = i;
    }
    LZ_ASSERT(at == 0);
    if (oldest == 0)
        return;
    q->chunks[oldest].tail = q->chunk_free;
    q->chunk_free = newest;
}

/*
 * Each event with its time in the slot above its number. Events are in no order in memory, and of
 * 1e5 few are in the second cache level: they are fetched AHEAD of being looked at. Chunks are in
 * no order either, and each knows the next alone: those of the slot that comes next, from `after`
 * on, are fetched meanwhile. The result tells whether one of them is late.
 */
static bool look_at_all(const struct lz_evq *q, const uint32_t *events, uint32_t count,
                        uint32_t after, uint64_t *filed, struct halves *counts)
{
    uint64_t late = 0;
    for (uint32_t i = 0; i < AHEAD; i++)
        __builtin_prefetch(&q->events[events[i]]);
    for (uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(&q->events[events[i + AHEAD]]);
        uint64_t when = q->events[events[i]].when, into = when % LZ_EVQ_SLOTS;
        late |= when;
        counts->low[into % HALVES]++;
        counts->high[into / HALVES]++;
        filed[i] = into << 32 | events[i];
        if (i % LZ_EVQ_CHUNK == 0) {
            __builtin_prefetch(&q->chunks[after]);
            after = q->chunks[after].tail; // of none, none
        }
    }
    return (late & LZ_EVQ_LATE) != 0;
}

static void add_up(struct halves *counts)
{
    uint32_t low = 0, high = 0;
    for (uint32_t i = 0; i < HALVES; i++) {
        uint32_t more_low = counts->low[i], more_high = counts->high[i];
        counts->low[i] = (uint16_t)low;
        counts->high[i] = (uint16_t)high;
        low += more_low;
        high += more_high;
    }
}

bool lz_evq_sort_many(struct lz_evq *q, const struct lz_evq_chunk *slot, uint32_t after)
{
    uint32_t count = count_slot(q, slot), room = count + AHEAD;
    LZ_ASSERT(q->near_last == 0 && (uint64_t)q->base % LZ_EVQ_SLOTS == 0);
    if (count > MANY_MAX)
        return false;
    q->spare = lz_grow(q->arena, q->spare, &q->spare_cap, 2 * room, sizeof(*q->spare));
    lz_evq_widen_near(q, count);
    uint64_t *filed = q->spare, *halved = q->spare + room;
    uint32_t *events = (uint32_t *)(void *)halved; // which is written to when these are not needed
    take_all(q, slot, events, count);
    memset(events + count, 0, AHEAD * sizeof(*events));

    struct halves counts = {0};
    bool has_late = look_at_all(q, events, count, after, filed, &counts);
    add_up(&counts);
    for (uint32_t i = 0; i < count; i++)
        halved[counts.low[filed[i] >> 32 & (HALVES - 1)]++] = filed[i];
    for (uint32_t i = 0; i < count; i++)
        q->near[counts.high[halved[i] >> 32 >> HALF_BITS]++] = (struct lz_evq_entry){
            .at = q->base + (lz_time)(halved[i] >> 32), .event = (uint32_t)halved[i]};
    q->near_last = count;
    q->near_limit = count + ROOM_FOR_NEW;
    q->near_joins = ROOM_FOR_NEW;
    if (has_late)
        lz_evq_mark_late(q);
    return true;
}
