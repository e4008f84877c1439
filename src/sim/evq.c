#include "sim/evq.h"

#include <string.h>

#include "base/grow.h"
#include "base/sort.h"

#define NO_END (1ull << 63) /* the wheel is empty: everything is near */

void lz_evq_init(struct lz_evq *q, struct lz_arena *arena)
{
    q->arena = arena;
    q->event_used = 1;
    q->chunk_used = LZ_EVQ_CHUNK_FIRST;
    q->no_slots.tail = LZ_EVQ_CHUNK; // which nobody files into
    for (uint32_t level = 0; level < LZ_EVQ_LEVELS; level++)
        q->slots[level] = &q->no_slots;
    q->near_limit = 2 * LZ_EVQ_GATHER;
    q->near_end = NO_END;
    q->next_at = LZ_FOREVER;
    q->near = lz_grow(arena, NULL, &q->near_cap, LZ_EVQ_NEAR_FIRST, sizeof(*q->near));
}

void lz_evq_grow_events(struct lz_evq *q)
{
    LZ_ASSERT(q->event_free == 0);
    LZ_ASSERT(q->event_used < UINT32_MAX);
    if (q->event_used >= q->event_cap)
        q->events = lz_grow(q->arena, q->events, &q->event_cap,
                            q->event_cap > 0 ? q->event_cap + 1 : 1024, sizeof(*q->events));
    q->event_free = q->event_used++;
    q->events[q->event_free].entity = 0;
}

void lz_evq_widen_near(struct lz_evq *q, uint32_t count)
{
    q->near = lz_grow(q->arena, q->near, &q->near_cap, count, sizeof(*q->near));
}

// What has been popped leaves room at the front; half of it free makes a move cheap enough.
static void widen_near(struct lz_evq *q)
{
    uint32_t count = q->near_last - q->near_first;
    if (q->near_first <= q->near_cap / 2) {
        lz_evq_widen_near(q, q->near_cap + 1);
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
        q->chunk_free = q->chunks[i].tail;
        return i;
    }
    if (q->chunk_used >= q->chunk_cap)
        q->chunks =
            lz_grow(q->arena, q->chunks, &q->chunk_cap, q->chunk_used + 252, sizeof(*q->chunks));
    LZ_ASSERT(q->chunk_used < 1u << 29);
    return q->chunk_used++;
}

// A slot that is full, the first of a word of bits, or of a level.
uint64_t lz_evq_file_anew(struct lz_evq *q, lz_time at, uint32_t event, uint64_t id)
{
    uint32_t level = lz_evq_level(at, q->base);
    uint32_t slot = (uint32_t)((uint64_t)at >> (LZ_EVQ_BITS * level)) & (LZ_EVQ_SLOTS - 1);
    if (q->digits[level] == 0) {
        q->slots[level] = lz_arena_alloc(q->arena, LZ_EVQ_SLOTS * sizeof(**q->slots));
        q->digits[level] = LZ_EVQ_SLOTS - 1;
    }
    struct lz_evq_chunk *s = &q->slots[level][slot];
    if ((s->tail & 7u) == LZ_EVQ_CHUNK) {
        uint32_t chunk = new_chunk(q);
        q->chunks[chunk] = *s;
        q->chunks[chunk].tail = s->tail >> 3;
        s->tail = chunk << 3;
    }
    s->events[s->tail++ & 7u] = event;
    struct lz_evq_bits *bits = &q->occupied[level];
    bits->words[slot / 64] |= 1ull << slot % 64;
    bits->words_used |= 1ull << slot / 64;
    q->levels |= 1u << level;
    return id;
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
        lz_evq_file(q, near[i].at, near[i].event, 0);
    q->near_last = cut;
    uint32_t kept = cut - q->near_first;
    q->near_limit = 2 * kept > LZ_EVQ_NEAR_MAX ? 2 * kept : LZ_EVQ_NEAR_MAX;
    q->near_joins = q->near_limit;
}

// A run of thousands that loses one for each that joins never grows: joins are counted too.
static bool has_to_spill(struct lz_evq *q)
{
    uint32_t count = q->near_last - q->near_first;
    return count >= q->near_limit || (count > LZ_EVQ_NEAR_MANY && q->near_joins-- == 0);
}

// Any entry, anywhere; `near` may have to be spilled or widened first.
static __attribute__((noinline)) uint64_t put_anywhere(struct lz_evq *q, struct lz_evq_entry e,
                                                       uint64_t id)
{
    if (has_to_spill(q)) {
        spill(q);
        lz_evq_look(q);
        if ((uint64_t)e.at >= q->near_end)
            return lz_evq_put(q, e, id);
    }
    if (q->near_last - q->near_first > LZ_EVQ_NEAR_FEW) {
        insert_among_many(q, e);
    } else {
        if (q->near_last == q->near_cap)
            widen_near(q);
        insert_among_few(q, e);
    }
    lz_evq_look(q);
    return id;
}

/*
 * Among the first few, whose number nobody can guess: it is counted, those before it go one place
 * towards the front, all of the few are written, and those behind it put back. There is a place
 * before the first, and twice as many places from there on.
 */
#define FIRST_FEW 4
#define FEW_NEAR 15u
typedef uint64_t whole_entry __attribute__((vector_size(16), aligned(8), may_alias));
static inline void put_first(struct lz_evq *q, struct lz_evq_entry *first, struct lz_evq_entry e)
{
    size_t before = 0;
    for (uint32_t i = 0; i < FIRST_FEW; i++)
        before += first[i].at <= e.at;
    whole_entry *all = (whole_entry *)first, *behind = all + before;
    const whole_entry a = all[0], b = all[1], c = all[2], d = all[3];
    const whole_entry k = behind[0], l = behind[1], m = behind[2], n = behind[3];
    all[-1] = a, all[0] = b, all[1] = c, all[2] = d;
    behind[0] = k, behind[1] = l, behind[2] = m, behind[3] = n;
    first[before - 1] = e;
    q->near_first--;
    const uint64_t is_first = 0 - (uint64_t)(e.at < q->next_at); // all bits, or none: no jump
    q->next_rank ^= (q->next_rank ^ q->events[e.event].rank) & is_first;
    q->next_at ^= (q->next_at ^ e.at) & (lz_time)is_first;
}

/*
 * Most others come among the last (what takes the longest of constant delays) or among the first:
 * these need no search, and make room as they are passed. A late one must not be told its place by
 * time alone.
 */
static __attribute__((noinline)) uint64_t put_otherwise(struct lz_evq *q, struct lz_evq_entry e,
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
    } else {
        q->near_last++;
        for (; at > first && lz_evq_before(q, &e, at - 1); at--)
            *at = at[-1];
        *at = e;
    }
    lz_evq_look(q);
    return id;
}

// Where more are near, whether one comes among the first few would be one more guess.
uint64_t lz_evq_put_near(struct lz_evq *q, struct lz_evq_entry e, uint64_t id)
{
    _Static_assert(FEW_NEAR < LZ_EVQ_NEAR_MAX, "so few are never spilled");
    uint32_t count = q->near_last - q->near_first;
    struct lz_evq_entry *first = q->near + q->near_first;
    if (count - FIRST_FEW - 1u < FEW_NEAR - FIRST_FEW &&
        q->near_first - 1u < q->near_cap - 2 * FIRST_FEW && e.is_late == 0 &&
        e.at < first[FIRST_FEW].at) {
        put_first(q, first, e);
        return id;
    }
    return put_otherwise(q, e, id);
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
void lz_evq_sort_near(struct lz_evq *q)
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

/*
 * What was sorted by time alone, of which some are late: by rank, and marked so. Equals are else in
 * the order of filing, which is that of their ranks.
 */
void lz_evq_mark_late(struct lz_evq *q)
{
    for (uint32_t i = q->near_first; i < q->near_last; i++)
        q->near[i].is_late = q->events[q->near[i].event].when >> 63 != 0;
    lz_evq_sort_near(q);
}
