// What is nearest in the wheel, into the sorted run.
#include <string.h>

#include "base/check.h"
#include "sim/evq.h"
#include "sim/keys.h"

#define NO_END (1ull << 63) // the wheel is empty: everything is near
#define FEW 16              // slots that hold so many together are opened
#define SOME_MAX 112        // a slot that holds no more is sorted at once
#define COUNTED_FROM 33     // one of the second level that does not hold less is sorted by counting
#define ORDER_BITS 7        // of a key: the order of filing
#define ORDER ((1u << ORDER_BITS) - 1)
#define LEVELS_SORTED 4 // slots of higher ones are dealt
#define CHUNKS_AHEAD 5  // whose events are fetched while one is dealt

// A key is how far a time is into the first of the slots that are opened, which are of one level
// and of one digit above it, and below that the order of filing.
_Static_assert(SOME_MAX <= ORDER + 1 && ORDER < LZ_KEYS_MAX, "the order of filing fits");
_Static_assert(LZ_EVQ_BITS *LEVELS_SORTED + ORDER_BITS <= 61, "and the time");
_Static_assert(FEW < 8 * LZ_EVQ_CHUNK_FIRST, "a slot with chunks shows by its tail");
_Static_assert(SOME_MAX + FEW <= LZ_EVQ_NEAR_FIRST, "the run has room for them");

// What was found in the slots that are opened, oldest first in each.
struct found {
    uint32_t events[SOME_MAX + 8]; // whole slots are copied
    uint32_t count;
    uint32_t slots; // from the first to the last
};

static void free_chunk(struct lz_evq *q, uint32_t i)
{
    q->chunks[i].tail = q->chunk_free;
    q->chunk_free = i;
}

static void clear_slot(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    struct lz_evq_bits *bits = &q->occupied[level];
    q->slots[level][slot].tail = 0;
    bits->words[slot / 64] &= ~(1ull << slot % 64);
    if (bits->words[slot / 64] == 0)
        bits->words_used &= ~(1ull << slot / 64);
    if (bits->words_used == 0)
        q->levels &= ~(1u << level);
}

static void prefetch_events(const struct lz_evq *q, uint32_t chunk)
{
    for (uint32_t i = 0; i < LZ_EVQ_CHUNK; i++)
        __builtin_prefetch(&q->events[q->chunks[chunk].events[i]]);
}

// A slot's chunks, the oldest first: the tail of each is now the newer one.
static uint32_t reverse_chunks(struct lz_evq *q, uint32_t chunk)
{
    uint32_t oldest = 0;
    while (chunk != 0) {
        uint32_t older = q->chunks[chunk].tail;
        q->chunks[chunk].tail = oldest;
        oldest = chunk;
        chunk = older;
    }
    return oldest;
}

typedef void put_fn(struct lz_evq *q, const uint32_t *events, uint32_t count);

// The last chunk of the slot that is opened after that one, if it is of the same word of bits.
static inline uint32_t chunk_after(const struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint64_t left = q->occupied[level].words[slot / 64] & (~1ull << slot % 64);
    if (left == 0)
        return 0;
    return q->slots[level][slot / 64 * 64 + (uint32_t)__builtin_ctzll(left)].tail >> 3;
}

/*
 * A slot is emptied, each of its chunks put elsewhere by `put`, oldest first. Events are in no
 * order in memory, and of 1e5 few are in the second cache level: those of the chunks ahead are
 * fetched, which takes as long as to put thirty, and are at hand when they are opened, soon. Chunks
 * are in no order either, and each knows the next alone: those of the slot that comes next are
 * fetched meanwhile, or turning them around would wait for one after the other.
 */
static inline void empty_slot(struct lz_evq *q, uint32_t level, uint32_t slot, put_fn *put)
{
    struct lz_evq_chunk own = q->slots[level][slot];
    clear_slot(q, level, slot);
    uint32_t chunk = reverse_chunks(q, own.tail >> 3), ahead = chunk;
    uint32_t after = chunk_after(q, level, slot);
    for (uint32_t i = 0; i < CHUNKS_AHEAD && ahead != 0; i++) {
        prefetch_events(q, ahead);
        ahead = q->chunks[ahead].tail;
    }
    while (chunk != 0) {
        struct lz_evq_chunk c = q->chunks[chunk];
        __builtin_prefetch(&q->chunks[after], 1);
        if (ahead != 0) {
            prefetch_events(q, ahead);
            ahead = q->chunks[ahead].tail;
        }
        free_chunk(q, chunk);
        put(q, c.events, LZ_EVQ_CHUNK); // which may make chunks, or move them
        chunk = c.tail;
        if (after != 0)
            after = q->chunks[after].tail;
    }
    put(q, own.events, own.tail & 7u);
}

// Into the run, as they come.
static void put_into_near(struct lz_evq *q, const uint32_t *events, uint32_t count)
{
    lz_evq_widen_near(q, q->near_last + count);
    for (uint32_t i = 0; i < count; i++)
        q->near[q->near_last++] =
            (struct lz_evq_entry){.at = lz_evq_at(q, events[i]),
                                  .event = events[i],
                                  .is_late = q->events[events[i]].when >> 63 != 0};
}

// As from outside: where it belongs now that `base` has changed, or that others have gone.
static void put_into_wheel(struct lz_evq *q, const uint32_t *events, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        lz_evq_file(q, lz_evq_at(q, events[i]), events[i], 0);
}

static void put_if_live(struct lz_evq *q, const uint32_t *events, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (lz_evq_is_live(q, events[i]))
            put_into_wheel(q, events + i, 1);
        else
            lz_evq_release(q, events[i]);
}

static __attribute__((noinline)) void deal_near(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    empty_slot(q, level, slot, put_into_near);
}

// One level down, or more.
static __attribute__((noinline)) void deal(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    empty_slot(q, level, slot, put_into_wheel);
}

/*
 * The slots from `slot` on that have no chunks, and FEW events together. Whole slots are copied, so
 * that nothing depends on how many one has. None, if the first has too many.
 */
static inline void find_few(struct lz_evq *q, uint32_t level, uint32_t slot, struct found *f)
{
    struct lz_evq_bits *bits = &q->occupied[level];
    struct lz_evq_chunk *slots = q->slots[level];
    uint32_t word = slot / 64, last = slot, count = 0;
    uint64_t left = bits->words[word];
    for (;;) {
        uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(left), more = slots[i].tail;
        if (count + more > FEW)
            break;
        memcpy(f->events + count, &slots[i], sizeof(slots[i]));
        slots[i].tail = 0;
        count += more;
        last = i;
        left &= left - 1;
        if (left != 0)
            continue;
        bits->words[word] = 0;
        bits->words_used &= bits->words_used - 1; // the first that is
        if (bits->words_used == 0) {
            q->levels &= q->levels - 1; // so is the level
            break;
        }
        word = (uint32_t)__builtin_ctzll(bits->words_used);
        left = bits->words[word];
    }
    bits->words[word] = left;
    f->count = count;
    f->slots = last - slot + 1;
}

// The slot's, if they are no more than are sorted by a network.
static __attribute__((noinline)) void find_some(struct lz_evq *q, uint32_t level, uint32_t slot,
                                                struct found *f)
{
    const struct lz_evq_chunk *own = &q->slots[level][slot];
    uint32_t count = own->tail & 7u, most = level == 1 ? COUNTED_FROM - 1 : SOME_MAX;
    for (uint32_t chunk = own->tail >> 3; chunk != 0; chunk = q->chunks[chunk].tail)
        if ((count += LZ_EVQ_CHUNK) > most)
            return;
    f->slots = 1;
    f->count = count;
    count -= own->tail & 7u;
    memcpy(f->events + count, own->events, sizeof(own->events));
    for (uint32_t chunk = own->tail >> 3; chunk != 0;) {
        uint32_t older = q->chunks[chunk].tail;
        count -= LZ_EVQ_CHUNK;
        memcpy(f->events + count, q->chunks[chunk].events, sizeof(own->events));
        prefetch_events(q, chunk);
        free_chunk(q, chunk);
        chunk = older;
    }
    clear_slot(q, level, slot);
}

static inline double key_of(const struct lz_evq *q, const struct found *f, uint32_t i)
{
    // That it is late is shifted out.
    return lz_keys_of((q->events[f->events[i]].when - (uint64_t)q->base) << ORDER_BITS | i);
}

static inline struct lz_evq_entry entry_of(const struct lz_evq *q, const struct found *f, double k)
{
    uint64_t key = lz_keys_to(k);
    // Of a number beyond FEW the sum may be any, and more than a time can be.
    return (struct lz_evq_entry){.at = (lz_time)((uint64_t)q->base + (key >> ORDER_BITS)),
                                 .event = f->events[key & ORDER]};
}

static __attribute__((noinline)) void sort_some(struct lz_evq *q, const struct found *f)
{
    double keys[LZ_KEYS_MAX];
    uint64_t late = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        late |= q->events[f->events[i]].when;
        keys[i] = key_of(q, f, i);
    }
    lz_keys_sort(keys, f->count);
    for (uint32_t i = 0; i < f->count; i++)
        q->near[i] = entry_of(q, f, keys[i]);
    q->near_last = f->count;
    if ((late & LZ_EVQ_LATE) != 0)
        lz_evq_mark_late(q);
}

/*
 * The same for FEW, without asking how many: what is beyond them in `found` are numbers of events
 * too, whichever, and is overwritten before it is sorted. A stranger that is late costs a look.
 */
static inline void sort_few(struct lz_evq *q, const struct found *f)
{
    double keys[2 * FEW];
    uint64_t late = 0;
#pragma GCC unroll 16
    for (uint32_t i = 0; i < FEW; i++) {
        late |= q->events[f->events[i]].when;
        keys[i] = key_of(q, f, i);
    }
    for (uint32_t i = 0; i < FEW; i++)
        keys[f->count + i] = LZ_KEYS_LAST;
    lz_keys_sort_sixteen(keys);
#pragma GCC unroll 16
    for (uint32_t i = 0; i < FEW; i++)
        q->near[i] = entry_of(q, f, keys[i]);
    q->near_last = f->count;
    if ((late & LZ_EVQ_LATE) != 0)
        lz_evq_mark_late(q);
}

// So few that the wheel costs more than it saves: all into the run.
static void gather(struct lz_evq *q)
{
    while (q->levels != 0) {
        uint32_t level = (uint32_t)__builtin_ctz(q->levels);
        uint32_t word = (uint32_t)__builtin_ctzll(q->occupied[level].words_used);
        uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(q->occupied[level].words[word]);
        deal_near(q, level, slot);
    }
    LZ_ASSERT(q->near_last == q->live + q->dead);
    lz_evq_sort_near(q);
    q->near_end = NO_END;
    q->near_limit = 2 * LZ_EVQ_GATHER;
}

// One of the second level: without being dealt to the first, of which each slot is one instant.
static __attribute__((noinline)) bool open_many(struct lz_evq *q, uint32_t slot)
{
    if (!lz_evq_sort_many(q, &q->slots[1][slot], chunk_after(q, 1, slot))) {
        deal(q, 1, slot);
        return false;
    }
    clear_slot(q, 1, slot);
    q->near_end = (uint64_t)q->base + LZ_EVQ_SLOTS;
    return true;
}

// The slots' events into the run; false: there were so many that they were dealt instead.
static inline bool open_at(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    struct found f; // not cleared: that would take longer than sorting
    f.count = 0;
    f.slots = 1;
    memset(f.events, 0, FEW * sizeof(*f.events));
    if (level < LEVELS_SORTED) {
        find_few(q, level, slot, &f);
        if (f.count == 0)
            find_some(q, level, slot, &f);
        if (f.count == 0 && level == 1)
            return open_many(q, slot);
    }
    if (f.count > FEW) {
        sort_some(q, &f);
    } else if (f.count > 0) {
        sort_few(q, &f);
    } else if (level == 0) { // a crowd, all of one instant
        deal_near(q, level, slot);
        lz_evq_sort_near(q);
    } else {
        deal(q, level, slot);
        return false;
    }
    q->near_end = (uint64_t)q->base + ((uint64_t)f.slots << (LZ_EVQ_BITS * level));
    if (2 * q->near_last > LZ_EVQ_NEAR_MAX)
        q->near_limit = q->near_joins = 2 * q->near_last;
    return true;
}

/*
 * A slot that starts after `limit` stays closed, unless it is opened with one before it: `base`,
 * which is the start of the first, must not pass the present, or what is added between the present
 * and `base` could no longer be filed.
 */
static inline bool open_next(struct lz_evq *q, lz_time limit)
{
    q->near_first = q->near_last = 0;
    q->near_limit = LZ_EVQ_NEAR_MAX;
    if (q->levels != 0 && q->live + q->dead <= LZ_EVQ_GATHER) {
        gather(q);
        return true;
    }
    while (q->levels != 0) {
        uint32_t level = (uint32_t)__builtin_ctz(q->levels);
        const struct lz_evq_bits *bits = &q->occupied[level];
        uint32_t word = (uint32_t)__builtin_ctzll(bits->words_used);
        uint32_t slot = word * 64 + (uint32_t)__builtin_ctzll(bits->words[word]);
        uint32_t shift = LZ_EVQ_BITS * level;
        uint64_t above = level + 1 < LZ_EVQ_LEVELS ? -1ull << shift << LZ_EVQ_BITS : 0;
        uint64_t start = ((uint64_t)q->base & above) | (uint64_t)slot << shift;
        LZ_ASSERT(start >= (uint64_t)q->base);
        q->near_end = start; // nothing in the wheel is before it
        if ((lz_time)start > limit)
            return false;
        q->base = (lz_time)start;
        if (open_at(q, level, slot))
            return true;
    }
    q->near_end = NO_END;
    q->near_limit = 2 * LZ_EVQ_GATHER;
    return false;
}

bool lz_evq_open(struct lz_evq *q, lz_time limit)
{
    LZ_ASSERT(q->near_first == q->near_last);
    bool is_open = open_next(q, limit);
    lz_evq_look(q);
    return is_open;
}

// Of the slots that are opened next, in the same word of bits.
uint32_t lz_evq_ahead(const struct lz_evq *q, uint32_t events[LZ_EVQ_AHEAD])
{
    if (q->levels == 0)
        return 0;
    uint32_t level = (uint32_t)__builtin_ctz(q->levels), count = 0;
    const struct lz_evq_bits *bits = &q->occupied[level];
    uint32_t word = (uint32_t)__builtin_ctzll(bits->words_used);
    for (uint64_t left = bits->words[word]; left != 0; left &= left - 1) {
        const struct lz_evq_chunk *s =
            &q->slots[level][word * 64 + (uint32_t)__builtin_ctzll(left)];
        uint32_t more = s->tail & 7u;
        if (count + more > LZ_EVQ_AHEAD)
            break;
        for (uint32_t i = 0; i < more; i++)
            events[count++] = s->events[i];
    }
    return count;
}

// More dead than living: go through everything once, and pack what is left.
void lz_evq_purge(struct lz_evq *q)
{
    uint32_t last = q->near_first;
    for (uint32_t i = q->near_first; i < q->near_last; i++) {
        if (lz_evq_is_live(q, q->near[i].event))
            q->near[last++] = q->near[i];
        else
            lz_evq_release(q, q->near[i].event);
    }
    q->near_last = last;
    lz_evq_look(q);
    for (uint32_t level = 0; level < LZ_EVQ_LEVELS; level++)
        for (uint32_t word = 0; word < LZ_EVQ_WORDS; word++)
            for (uint64_t left = q->occupied[level].words[word]; left != 0; left &= left - 1)
                empty_slot(q, level, word * 64 + (uint32_t)__builtin_ctzll(left), put_if_live);
    q->dead = 0;
}
