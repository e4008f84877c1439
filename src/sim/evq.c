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

uint32_t lz_evq_grow_events(struct lz_evq *q)
{
    q->events = lz_grow(q->arena, q->events, &q->event_cap,
                        q->event_cap > 0 ? q->event_cap + 1 : 1024, sizeof(*q->events));
    return q->event_used++;
}

// What has been popped leaves room at the front; half of it free makes a move cheap enough.
void lz_evq_widen_near(struct lz_evq *q)
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

// The shorter side makes room.
void lz_evq_insert_among_many(struct lz_evq *q, struct lz_evq_entry e)
{
    if (q->near_last == q->near_cap)
        lz_evq_widen_near(q);
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

static void prefetch_chunk(const struct lz_evq *q, uint32_t chunk)
{
    __builtin_prefetch(&q->chunks[chunk].entries[0]);
    __builtin_prefetch(&q->chunks[chunk].next[0]);
}

// An empty slot is 0, which has no places left either: one test for both.
static inline void append(struct lz_evq *q, uint32_t level, uint32_t slot, struct lz_evq_entry e)
{
    uint32_t *place = &q->slots[level][slot];
    if ((*place & 7u) == 0) {
        uint32_t chunk = new_chunk(q), older = *place >> 3;
        follow(&q->chunks[chunk], older, &q->chunks[older]);
        *place = chunk << 3 | LZ_EVQ_CHUNK;
        q->occupied[level] |= 1ull << slot;
        q->levels |= 1u << level;
    }
    q->chunks[*place >> 3].entries[LZ_EVQ_CHUNK - (*place & 7u)] = e;
    --*place;
}

static inline void file(struct lz_evq *q, struct lz_evq_entry e)
{
    uint64_t differs = (uint64_t)e.at ^ (uint64_t)q->base;
    uint32_t level = (63u - (uint32_t)__builtin_clzll(differs | 1)) / 6;
    append(q, level, (uint32_t)((uint64_t)e.at >> (6 * level)) & (LZ_EVQ_SLOTS - 1), e);
}

void lz_evq_file(struct lz_evq *q, struct lz_evq_entry e)
{
    LZ_ASSERT(e.at >= q->base);
    file(q, e);
}

/*
 * `near` has grown: keep the nearest few and file the rest, where it is found again. What is
 * filed must not be before what stays, and equals must stay together; a crowd at one instant
 * is filed whole. Nor can anything before `base` be filed. The limit follows what is left, or
 * every push would try again.
 */
void lz_evq_spill(struct lz_evq *q)
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
        file(q, near[i]);
    q->near_last = cut;
    uint32_t kept = cut - q->near_first;
    q->near_limit = 2 * kept > LZ_EVQ_NEAR_MAX ? 2 * kept : LZ_EVQ_NEAR_MAX;
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
        lz_evq_insert_among_few(q, q->near[q->near_last]);
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
    q->slots[level][slot] = 0;
    q->occupied[level] &= ~(1ull << slot);
    if (q->occupied[level] == 0)
        q->levels &= ~(1u << level);
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
        const struct lz_evq_entry *from = q->chunks[chunk].entries;
        q->near = lz_grow(q->arena, q->near, &q->near_cap, q->near_last + count, sizeof(*q->near));
        for (uint32_t i = 0; i < count; i++) {
            __builtin_prefetch(&q->events[from[i].event]);
            q->near[q->near_last++] = from[i];
        }
        free_chunk(q, chunk);
        chunk = next;
    }
}

// One level down, or more.
static void deal(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint32_t newest_count;
    uint32_t chunk = empty_slot(q, level, slot, &newest_count);
    while (chunk != 0) {
        uint32_t next = q->chunks[chunk].next[0];
        uint32_t count = next != 0 ? LZ_EVQ_CHUNK : newest_count;
        prefetch_chunk(q, q->chunks[chunk].next[3]);
        for (uint32_t i = 0; i < count; i++)
            file(q, q->chunks[chunk].entries[i]); // which may move the chunks
        free_chunk(q, chunk);
        chunk = next;
    }
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
    for (uint32_t i = 0; i < LZ_EVQ_CHUNK - (place & 7u); i++)
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
        if (level > 0 && !holds_few(q, q->slots[level][slot])) {
            deal(q, level, slot);
            continue;
        }
        deal_near(q, level, slot);
        look_ahead(q, level);
        sort_near(q);
        q->near_end = start + width;
        if (2 * q->near_last > LZ_EVQ_NEAR_MAX)
            q->near_limit = 2 * q->near_last;
        return true;
    }
    q->near_end = NO_END;
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
            struct lz_evq_entry e = q->chunks[chunk].entries[i];
            if (lz_evq_is_live(q, e.event))
                append(q, level, slot, e);
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

static uint32_t check_slot(const struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint32_t place = q->slots[level][slot], total = 0;
    uint32_t count = LZ_EVQ_CHUNK - (place & 7u);
    LZ_ASSERT((place != 0) == ((q->occupied[level] >> slot & 1) != 0));
    for (uint32_t chunk = place >> 3; chunk != 0; chunk = q->chunks[chunk].next[0]) {
        for (uint32_t i = 0; i < count; i++) {
            lz_time at = q->chunks[chunk].entries[i].at;
            LZ_ASSERT(at >= q->base);
            LZ_ASSERT((uint64_t)at >= q->near_end);
            LZ_ASSERT(((uint64_t)at >> (6 * level) & (LZ_EVQ_SLOTS - 1)) == slot);
            LZ_ASSERT(level + 1 == LZ_EVQ_LEVELS ||
                      ((uint64_t)at ^ (uint64_t)q->base) >> (6 * level + 6) == 0);
        }
        total += count;
        count = LZ_EVQ_CHUNK;
    }
    return total;
}

void lz_evq_check(const struct lz_evq *q)
{
    uint32_t total = q->near_last - q->near_first;
    LZ_ASSERT(q->near_first <= q->near_last && q->near_last <= q->near_cap);
    LZ_ASSERT((uint64_t)q->base <= q->near_end);
    LZ_ASSERT(is_sorted(q));
    LZ_ASSERT(LZ_IMPLIES(total > 0, (uint64_t)q->near[q->near_last - 1].at < q->near_end));
    for (uint32_t level = 0; level < LZ_EVQ_LEVELS; level++) {
        LZ_ASSERT((q->occupied[level] != 0) == ((q->levels >> level & 1u) != 0));
        for (uint32_t slot = 0; slot < LZ_EVQ_SLOTS; slot++)
            total += check_slot(q, level, slot);
    }
    LZ_ASSERT(total == q->live + q->dead);
}
