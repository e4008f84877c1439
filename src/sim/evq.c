#include "sim/evq.h"

#include <string.h>

#include "base/grow.h"
#include "base/sort.h"

#define NO_END (1ull << 63) /* the wheel is empty: everything is near */

void lz_evq_init(struct lz_evq *q, struct lz_arena *arena)
{
    q->arena = arena;
    q->event_used = 1;
    q->chunk_used = 1; // chunk 0 ends every list
    q->chunks = lz_grow(arena, NULL, &q->chunk_cap, 256, sizeof(*q->chunks));
    q->near_limit = 2 * LZ_EVQ_GATHER;
    q->near_end = NO_END;
    q->near = lz_grow(arena, NULL, &q->near_cap, 4 * LZ_EVQ_NEAR_MAX, sizeof(*q->near));
}

void lz_evq_grow_events(struct lz_evq *q)
{
    LZ_ASSERT(q->event_free == 0);
    if (q->event_used >= q->event_cap)
        q->events = lz_grow(q->arena, q->events, &q->event_cap,
                            q->event_cap > 0 ? q->event_cap + 1 : 1024, sizeof(*q->events));
    q->event_free = q->event_used++;
    q->events[q->event_free].entity = 0;
}

// What has been popped leaves room at the front; half of it free makes a move cheap enough.
static void widen_near(struct lz_evq *q)
{
    uint32_t count = q->near_last - q->near_first;
    if (q->near_first <= q->near_cap / 2) {
        q->near =
            lz_grow(q->arena, q->near, &q->near_cap,
                    q->near_cap > 0 ? q->near_cap + 1 : 4 * LZ_EVQ_NEAR_MAX, sizeof(*q->near));
        return;
    }
    memcpy(q->near, q->near + q->near_first, count * sizeof(*q->near));
    q->near_first = 0;
    q->near_last = count;
}

// The first place in the run whose entry is after `e`, by halving without a branch to be guessed.
static uint32_t place_near(const struct lz_evq *q, const struct lz_evq_entry *e)
{
    const struct lz_evq_entry *first = q->near + q->near_first, *at = first;
    LZ_ASSERT(q->near_last > q->near_first);
    size_t count = q->near_last - q->near_first;
    while (count > 1) {
        size_t half = count / 2;
        const struct lz_evq_entry *right = at + half;
        // Told that nobody knows, the compiler moves instead of jumping.
        bool is_right = __builtin_expect_with_probability(right[-1].at <= e->at, 1, 0.5);
        at = is_right ? right : at;
        count -= half;
    }
    at += at->at <= e->at;
    while (at > first && lz_evq_before(q, e, at - 1))
        at--; // of one instant, and older than the moment it was added
    return (uint32_t)(at - q->near);
}

// There is a place at the end.
static inline void insert_among_few(struct lz_evq *q, struct lz_evq_entry e)
{
    struct lz_evq_entry *first = q->near + q->near_first, *at = q->near + q->near_last++;
    for (; at > first && lz_evq_before(q, &e, at - 1); at--)
        *at = at[-1];
    *at = e;
}

// The shorter side makes room.
static void insert_among_many(struct lz_evq *q, struct lz_evq_entry e)
{
    if (q->near_last == q->near_cap)
        widen_near(q);
    uint32_t i = place_near(q, &e), before = i - q->near_first;
    if (q->near_first > 0 && before < q->near_last - i) {
        struct lz_evq_entry *first = &q->near[q->near_first--];
        memmove(first - 1, first, before * sizeof(e));
        q->near[i - 1] = e;
    } else {
        memmove(&q->near[i + 1], &q->near[i], (q->near_last++ - i) * sizeof(e));
        q->near[i] = e;
    }
}

static uint32_t new_chunk(struct lz_evq *q)
{
    uint32_t i = q->chunk_free;
    if (i != 0) {
        q->chunk_free = q->chunks[i].next[0];
        return i;
    }
    if (q->chunk_used >= q->chunk_cap)
        q->chunks =
            lz_grow(q->arena, q->chunks, &q->chunk_cap, q->chunk_cap + 1, sizeof(*q->chunks));
    LZ_ASSERT(q->chunk_used < 1u << 29);
    return q->chunk_used++;
}

static void free_chunk(struct lz_evq *q, uint32_t i)
{
    q->chunks[i].next[0] = q->chunk_free;
    q->chunk_free = i;
}

/*
 * A list of chunks is walked by prefetching the fourth chunk ahead: else each step waits for
 * the main memory when a slot holds many. Only next[0] must be right.
 */
static inline void follow(struct lz_evq_chunk *c, uint32_t next, const struct lz_evq_chunk *after)
{
    c->next[0] = next;
    memcpy(c->next + 1, after->next, 3 * sizeof(*c->next));
}

// The oldest entry of a chunk is its last.
static inline const struct lz_evq_entry *entry_at(const struct lz_evq *q, uint32_t chunk,
                                                  uint32_t i)
{
    return &q->chunks[chunk].entries[LZ_EVQ_CHUNK - 1 - i];
}

static void prefetch_chunk(const struct lz_evq *q, uint32_t chunk)
{
    __builtin_prefetch(&q->chunks[chunk].entries[0]);
    __builtin_prefetch(&q->chunks[chunk].next[0]);
}

// A chunk is as large as eight entries, so that a place is also an index into all of them as if
// they were one row.
static inline struct lz_evq_entry *row_of(const struct lz_evq *q)
{
    _Static_assert(sizeof(*q->chunks) == 8 * sizeof(struct lz_evq_entry), "a place is an index");
    return (struct lz_evq_entry *)(void *)q->chunks;
}

// A slot whose newest chunk has no place left, or that has none, gets one. Apart, and left by a
// jump, for else all that files would save registers for it.
static __attribute__((noinline)) uint64_t append_to_full(struct lz_evq *q, uint32_t index,
                                                         struct lz_evq_entry e, uint64_t id)
{
    uint32_t *place = &q->slots[index / LZ_EVQ_SLOTS][index % LZ_EVQ_SLOTS];
    uint32_t chunk = new_chunk(q), older = *place >> 3;
    follow(&q->chunks[chunk], older, &q->chunks[older]);
    q->occupied[index / LZ_EVQ_SLOTS] |= 1ull << index % LZ_EVQ_SLOTS;
    q->levels |= 1u << index / LZ_EVQ_SLOTS;
    *place = (chunk << 3 | LZ_EVQ_CHUNK) - 1;
    row_of(q)[*place] = e;
    return id;
}

// An empty slot is 0, which has no places left either: one test for both.
static inline uint64_t append(struct lz_evq *q, uint32_t index, struct lz_evq_entry e, uint64_t id)
{
    uint32_t *place = &q->slots[0][0] + index;
    if ((*place & 7u) == 0)
        return append_to_full(q, index, e, id);
    row_of(q)[--*place] = e;
    return id;
}

static inline uint64_t file(struct lz_evq *q, uint64_t base, struct lz_evq_entry e, uint64_t id)
{
    uint64_t differs = (uint64_t)e.at ^ base;
    uint32_t level = (63u - (uint32_t)__builtin_clzll(differs | 1)) / 6;
    uint32_t slot = (uint32_t)((uint64_t)e.at >> (6 * level)) & (LZ_EVQ_SLOTS - 1);
    return append(q, level * LZ_EVQ_SLOTS + slot, e, id);
}

/*
 * `near` has grown: keep the nearest few and file the rest, where it is found again. What is
 * filed must not be before what stays, and equals must stay together; a crowd at one instant
 * is filed whole. Nor can anything before `base` be filed. The limit follows what is left, or
 * every push would try again.
 */
static void spill(struct lz_evq *q)
{
    const struct lz_evq_entry *near = q->near;
    uint32_t cut = q->near_first + LZ_EVQ_NEAR_KEPT;
    LZ_ASSERT(cut < q->near_last);
    while (cut > q->near_first && near[cut - 1].at == near[cut].at)
        cut--;
    while (cut < q->near_last && near[cut].at < q->base)
        cut++;
    if (cut < q->near_last)
        q->near_end = (uint64_t)near[cut].at;
    for (uint32_t i = cut; i < q->near_last; i++)
        file(q, (uint64_t)q->base, near[i], 0);
    q->near_last = cut;
    uint32_t kept = cut - q->near_first;
    q->near_limit = 2 * kept > LZ_EVQ_NEAR_MAX ? 2 * kept : LZ_EVQ_NEAR_MAX;
}

// Any entry, anywhere; `near` may have to be spilled or widened first.
static __attribute__((noinline)) uint64_t put_anywhere(struct lz_evq *q, struct lz_evq_entry e,
                                                       uint64_t id)
{
    if (q->near_last - q->near_first >= q->near_limit) {
        spill(q);
        if ((uint64_t)e.at >= q->near_end)
            return file(q, (uint64_t)q->base, e, id);
    }
    if (q->near_last - q->near_first > LZ_EVQ_NEAR_FEW) {
        insert_among_many(q, e);
        return id;
    }
    if (q->near_last == q->near_cap)
        widen_near(q);
    insert_among_few(q, e);
    return id;
}

/*
 * Most come among the last (what takes the longest of constant delays) or among the first (what
 * takes a short time): these need no search, and make room as they are passed. A late one must
 * not be told its place by time alone. Out of line, for the way into the wheel is short and calls
 * nothing.
 */
static __attribute__((noinline)) uint64_t put_near(struct lz_evq *q, struct lz_evq_entry e,
                                                   uint64_t id)
{
    uint32_t count = q->near_last - q->near_first;
    if (q->near_last == q->near_cap || count >= q->near_limit)
        return put_anywhere(q, e, id);
    struct lz_evq_entry *first = q->near + q->near_first, *at = q->near + q->near_last;
    bool is_early = q->near_first > 0 && count > 0 && e.at < first[count / 2].at;
    if (count > 2 * LZ_EVQ_NEAR_FEW) {
        is_early = q->near_first > 0 && e.at < first[LZ_EVQ_NEAR_FEW].at;
        if (!is_early && e.at - e.is_late < at[-LZ_EVQ_NEAR_FEW].at)
            return put_anywhere(q, e, id);
    }
    if (is_early) {
        q->near_first--;
        for (at = first; !lz_evq_before(q, &e, at); at++)
            at[-1] = *at;
        at[-1] = e;
        return id;
    }
    q->near_last++;
    for (; at > first && lz_evq_before(q, &e, at - 1); at--)
        *at = at[-1];
    *at = e;
    return id;
}

uint64_t lz_evq_put(struct lz_evq *q, struct lz_evq_entry e, uint64_t id)
{
    if ((uint64_t)e.at < q->near_end)
        return put_near(q, e, id);
    LZ_ASSERT(e.at >= q->base);
    return file(q, (uint64_t)q->base, e, id);
}

static int by_time_and_rank(const void *a, const void *b, void *ctx)
{
    return lz_evq_before(ctx, a, b) ? -1 : 1; // no two are equal
}

static bool is_sorted(const struct lz_evq *q)
{
    for (uint32_t i = q->near_first + 1; i < q->near_last; i++)
        if (!lz_evq_before(q, &q->near[i - 1], &q->near[i]))
            return false;
    return true;
}

/*
 * A few are sorted by insertion; counting how many come before each, without a branch, took
 * longer. Of a crowd, all of one instant, most need nothing: entries were filed in the order
 * of their ranks and stay so from level to level, but for those whose rank is older than the
 * moment they were added (a lane's alarm, what comes first on an instant).
 */
static void sort_near(struct lz_evq *q)
{
    uint32_t last = q->near_last;
    LZ_ASSERT(q->near_first == 0);
    if (last > LZ_EVQ_NEAR_MAX) {
        if (!is_sorted(q))
            lz_sort(q->near, last, sizeof(*q->near), by_time_and_rank, q);
        return;
    }
    q->near_last = 0;
    while (q->near_last < last)
        insert_among_few(q, q->near[q->near_last]);
}

// Stably, what is nearly sorted.
static void sort_by_time(struct lz_evq *q)
{
    struct lz_evq_entry *first = q->near, *end = q->near + q->near_last;
    LZ_ASSERT(q->near_first == 0);
    for (struct lz_evq_entry *next = first + 1; next < end; next++) {
        struct lz_evq_entry e = *next, *at = next;
        for (; at > first && e.at < at[-1].at; at--)
            *at = at[-1];
        *at = e;
    }
}

static inline void clear_slot(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    q->slots[level][slot] = 0;
    q->occupied[level] &= ~(1ull << slot);
    if (q->occupied[level] == 0)
        q->levels &= ~(1u << level);
}

// A slot's chunks, taken off the wheel, oldest first. `newest_count` is that of the last one.
static uint32_t empty_slot(struct lz_evq *q, uint32_t level, uint32_t slot, uint32_t *newest_count)
{
    uint32_t place = q->slots[level][slot], oldest = 0;
    *newest_count = LZ_EVQ_CHUNK - (place & 7u);
    for (uint32_t chunk = place >> 3; chunk != 0;) {
        struct lz_evq_chunk *c = &q->chunks[chunk];
        uint32_t older = c->next[0];
        __builtin_prefetch(&q->chunks[c->next[3]].next[0]);
        follow(c, oldest, &q->chunks[oldest]);
        oldest = chunk;
        chunk = older;
    }
    clear_slot(q, level, slot);
    return oldest;
}

// At most two chunks of entries. Opening more at a time costs sorting, less costs dealing.
static bool holds_few(const struct lz_evq *q, uint32_t place)
{
    uint32_t second = q->chunks[place >> 3].next[0];
    return q->chunks[second].next[0] == 0; // chunk 0 has none after it
}

// Into the sorted run, as they come. Their events are fetched, for they fire next.
static void deal_near(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint32_t newest_count;
    uint32_t chunk = empty_slot(q, level, slot, &newest_count);
    while (chunk != 0) {
        uint32_t next = q->chunks[chunk].next[0];
        uint32_t count = next != 0 ? LZ_EVQ_CHUNK : newest_count;
        const struct lz_evq_entry *from = entry_at(q, chunk, 0);
        q->near = lz_grow(q->arena, q->near, &q->near_cap, q->near_last + count, sizeof(*q->near));
        struct lz_evq_entry *to = q->near + q->near_last;
        q->near_last += count;
        for (; count > 0; count--) {
            __builtin_prefetch(&q->events[from->event]);
            *to++ = *from--;
        }
        free_chunk(q, chunk);
        chunk = next;
    }
}

// One level down, or more.
static void deal(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint64_t base = (uint64_t)q->base;
    uint32_t newest_count;
    uint32_t chunk = empty_slot(q, level, slot, &newest_count);
    while (chunk != 0) {
        uint32_t next = q->chunks[chunk].next[0];
        uint32_t count = next != 0 ? LZ_EVQ_CHUNK : newest_count;
        prefetch_chunk(q, q->chunks[chunk].next[3]);
        for (uint32_t i = 0; i < count; i++)
            file(q, base, *entry_at(q, chunk, i), 0); // which may move the chunks
        free_chunk(q, chunk);
        chunk = next;
    }
}

/*
 * What a slot of few holds, as it is sorted: how far its time is into the slot, above the order
 * of filing in the lowest 4 bits. One number each, so that sorting moves numbers and needs no
 * jump that would be guessed wrong for every second entry.
 */
struct few {
    uint64_t keys[2 * LZ_EVQ_CHUNK];
    uint32_t events[2 * LZ_EVQ_CHUNK];
    uint32_t count;
    uint32_t late; // 1: some are
};

_Static_assert(2 * LZ_EVQ_CHUNK <= 16, "the order of filing has 4 bits");
_Static_assert(6 * (LZ_EVQ_LEVELS - 1) <= 60, "a time within a slot leaves them free");

// The entries of a chunk that has `left` places, oldest first, each to where it belongs.
static inline void add_few(const struct lz_evq *q, struct few *f, uint32_t chunk, uint32_t left)
{
    const struct lz_evq_entry *entries = q->chunks[chunk].entries;
    for (uint32_t i = LZ_EVQ_CHUNK; i-- > left;) {
        uint64_t key = (uint64_t)(entries[i].at - q->base) << 4 | f->count;
        f->events[f->count] = entries[i].event;
        f->late |= entries[i].is_late;
        __builtin_prefetch(&q->events[entries[i].event]);
        for (uint32_t at = 0; at < f->count; at++) {
            uint64_t low = key < f->keys[at] ? key : f->keys[at];
            key = key < f->keys[at] ? f->keys[at] : key;
            f->keys[at] = low;
        }
        f->keys[f->count++] = key;
    }
}

// Equals are in the order of filing, which is that of their ranks unless one of them is late.
static void open_few(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    struct few f; // not cleared: that took longer than sorting
    f.count = f.late = 0;
    uint32_t place = q->slots[level][slot], newest = place >> 3;
    uint32_t older = q->chunks[newest].next[0];
    clear_slot(q, level, slot);
    if (older != 0) {
        add_few(q, &f, older, 0);
        free_chunk(q, older);
    }
    add_few(q, &f, newest, place & 7u);
    free_chunk(q, newest);
    for (uint32_t i = 0; i < f.count; i++)
        q->near[i] = (struct lz_evq_entry){.at = q->base + (lz_time)(f.keys[i] >> 4),
                                           .event = f.events[f.keys[i] & 15u]};
    q->near_last = f.count;
    if (f.late != 0)
        sort_near(q);
}

// How many chunks a slot has, if they are no more than LZ_EVQ_SOME; else 0.
static uint32_t count_some(const struct lz_evq *q, uint32_t place)
{
    uint32_t count = 0;
    for (uint32_t chunk = place >> 3; chunk != 0; chunk = q->chunks[chunk].next[0])
        if (++count > LZ_EVQ_SOME)
            return 0;
    return count;
}

/*
 * A slot of some is sorted by the digit of the level below, by counting, and then by insertion,
 * which has little left to do: two walks, where dealing takes one and then one for each slot.
 * The chunks are walked from the newest, so that each digit's places are filled from the last.
 */
static void open_some(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint32_t shift = 6 * (level - 1), late = 0, ends[LZ_EVQ_SLOTS] = {0};
    uint32_t place = q->slots[level][slot], left = place & 7u;
    LZ_ASSERT(level > 0);
    clear_slot(q, level, slot);
    for (uint32_t chunk = place >> 3; chunk != 0; chunk = q->chunks[chunk].next[0], left = 0)
        for (uint32_t i = left; i < LZ_EVQ_CHUNK; i++)
            ends[(uint64_t)q->chunks[chunk].entries[i].at >> shift & (LZ_EVQ_SLOTS - 1)]++;
    uint32_t count = 0;
    for (uint32_t digit = 0; digit < LZ_EVQ_SLOTS; digit++)
        ends[digit] = count += ends[digit];
    LZ_ASSERT(count <= LZ_EVQ_SOME * LZ_EVQ_CHUNK);
    left = place & 7u;
    for (uint32_t chunk = place >> 3; chunk != 0; left = 0) {
        const struct lz_evq_chunk *c = &q->chunks[chunk];
        for (uint32_t i = left; i < LZ_EVQ_CHUNK; i++) {
            struct lz_evq_entry e = c->entries[i];
            __builtin_prefetch(&q->events[e.event]);
            late |= e.is_late;
            q->near[--ends[(uint64_t)e.at >> shift & (LZ_EVQ_SLOTS - 1)]] = e;
        }
        uint32_t older = c->next[0];
        free_chunk(q, chunk);
        chunk = older;
    }
    q->near_last = count;
    if (late != 0)
        sort_near(q);
    else
        sort_by_time(q);
}

/*
 * The next slots of a level are opened soon: fetch the events of the next one, whose entries
 * an earlier call has fetched, and the entries of the one after it.
 */
static void look_ahead(const struct lz_evq *q, uint32_t level)
{
    uint64_t left = q->occupied[level];
    if (left == 0)
        return;
    uint32_t place = q->slots[level][__builtin_ctzll(left)];
    const struct lz_evq_chunk *c = &q->chunks[place >> 3];
    for (uint32_t i = place & 7u; i < LZ_EVQ_CHUNK; i++)
        __builtin_prefetch(&q->events[c->entries[i].event]);
    left &= left - 1;
    if (left != 0)
        prefetch_chunk(q, q->slots[level][__builtin_ctzll(left)] >> 3);
}

// So few that the wheel costs more than it saves: all into the run.
static void gather(struct lz_evq *q)
{
    for (uint32_t level = 0; level < LZ_EVQ_LEVELS; level++)
        while (q->occupied[level] != 0)
            deal_near(q, level, (uint32_t)__builtin_ctzll(q->occupied[level]));
    LZ_ASSERT(q->levels == 0);
    LZ_ASSERT(q->near_last == q->live + q->dead);
    sort_near(q);
    q->near_end = NO_END;
    q->near_limit = 2 * LZ_EVQ_GATHER;
}

/*
 * A slot that starts after `limit` stays closed: `base` must not pass the present, or what is
 * added between the present and `base` could no longer be filed.
 */
bool lz_evq_open(struct lz_evq *q, lz_time limit)
{
    LZ_ASSERT(q->near_first == q->near_last);
    q->near_first = q->near_last = 0;
    q->near_limit = LZ_EVQ_NEAR_MAX;
    if (q->levels != 0 && q->live + q->dead <= LZ_EVQ_GATHER) {
        gather(q);
        return true;
    }
    while (q->levels != 0) {
        uint32_t level = (uint32_t)__builtin_ctz(q->levels);
        uint32_t slot = (uint32_t)__builtin_ctzll(q->occupied[level]);
        uint64_t width = 1ull << (6 * level);
        uint64_t above = level + 1 < LZ_EVQ_LEVELS ? ~((width << 6) - 1) : 0;
        uint64_t start = ((uint64_t)q->base & above) | slot * width;
        LZ_ASSERT(start >= (uint64_t)q->base);
        q->near_end = start; // nothing in the wheel is before it
        if ((lz_time)start > limit)
            return false;
        q->base = (lz_time)start;
        if (holds_few(q, q->slots[level][slot])) {
            open_few(q, level, slot);
        } else if (level == 0) {
            deal_near(q, level, slot);
            sort_near(q);
        } else if (count_some(q, q->slots[level][slot]) > 0) {
            open_some(q, level, slot);
        } else {
            deal(q, level, slot);
            continue;
        }
        look_ahead(q, level);
        q->near_end = start + width;
        if (2 * q->near_last > LZ_EVQ_NEAR_MAX)
            q->near_limit = 2 * q->near_last;
        return true;
    }
    q->near_end = NO_END;
    q->near_limit = 2 * LZ_EVQ_GATHER;
    return false;
}

static void purge_slot(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint32_t newest_count;
    uint32_t chunk = empty_slot(q, level, slot, &newest_count);
    while (chunk != 0) {
        uint32_t next = q->chunks[chunk].next[0];
        uint32_t count = next != 0 ? LZ_EVQ_CHUNK : newest_count;
        for (uint32_t i = 0; i < count; i++) {
            struct lz_evq_entry e = *entry_at(q, chunk, i);
            if (lz_evq_is_live(q, e.event))
                append(q, level * LZ_EVQ_SLOTS + slot, e, 0);
            else
                lz_evq_release(q, e.event);
        }
        free_chunk(q, chunk);
        chunk = next;
    }
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
    for (uint32_t level = 0; level < LZ_EVQ_LEVELS; level++)
        for (uint64_t left = q->occupied[level]; left != 0; left &= left - 1)
            purge_slot(q, level, (uint32_t)__builtin_ctzll(left));
    q->dead = 0;
}
