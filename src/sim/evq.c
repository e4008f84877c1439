#include "sim/evq.h"

#include "base/grow.h"

void lz_evq_init(struct lz_evq *q, struct lz_arena *arena)
{
    q->arena = arena;
    q->event_used = 1;
    q->chunk_used = 1;
    q->near_limit = LZ_EVQ_NEAR_MAX;
}

uint32_t lz_evq_grow_events(struct lz_evq *q)
{
    q->events = lz_grow(q->arena, q->events, &q->event_cap,
                        q->event_cap > 0 ? q->event_cap + 1 : 1024, sizeof(*q->events));
    return q->event_used++;
}

static uint32_t new_chunk(struct lz_evq *q)
{
    uint32_t i = q->chunk_free;
    if (i != 0) {
        q->chunk_free = q->chunks[i].next;
    } else {
        if (q->chunk_used >= q->chunk_cap)
            q->chunks = lz_grow(q->arena, q->chunks, &q->chunk_cap,
                                q->chunk_cap > 0 ? q->chunk_cap + 1 : 256, sizeof(*q->chunks));
        i = q->chunk_used++;
    }
    q->chunks[i].count = 0;
    return i;
}

static void free_chunk(struct lz_evq *q, uint32_t i)
{
    q->chunks[i].next = q->chunk_free;
    q->chunk_free = i;
}

static uint32_t level_of(lz_time at, lz_time base)
{
    uint64_t differs = (uint64_t)at ^ (uint64_t)base;
    return differs == 0 ? 0 : (63u - (uint32_t)__builtin_clzll(differs)) / 6;
}

void lz_evq_file(struct lz_evq *q, struct lz_evq_entry e)
{
    LZ_ASSERT(e.at >= q->base);
    uint32_t level = level_of(e.at, q->base);
    uint32_t slot = (uint32_t)((uint64_t)e.at >> (6 * level)) & (LZ_EVQ_SLOTS - 1);
    uint32_t *head = &q->slots[level][slot];
    if (*head == 0 || q->chunks[*head].count == LZ_EVQ_CHUNK) {
        uint32_t chunk = new_chunk(q);
        q->chunks[chunk].next = *head;
        *head = chunk;
        q->occupied[level] |= 1ull << slot;
        q->levels |= 1u << level;
    }
    struct lz_evq_chunk *c = &q->chunks[*head];
    c->entries[c->count++] = e;
}

void lz_evq_grow_near(struct lz_evq *q)
{
    q->near = lz_grow(q->arena, q->near, &q->near_cap, q->near_cap > 0 ? q->near_cap + 1 : 128,
                      sizeof(*q->near));
}

/*
 * `near` has grown: keep the nearest few, and file the rest where it is found again. What
 * is filed must not be before what stays, and equals must stay together, so a crowd at
 * one instant stays whole, as does what is before `base`; the limit is raised then, or
 * every push would try again.
 */
void lz_evq_spill(struct lz_evq *q)
{
    struct lz_evq_entry kept[LZ_EVQ_OPEN_MAX];
    LZ_ASSERT(q->near_count > LZ_EVQ_OPEN_MAX);
    for (uint32_t i = 0; i < LZ_EVQ_OPEN_MAX; i++)
        kept[i] = lz_evq_near_pop(q);
    q->near_end = kept[LZ_EVQ_OPEN_MAX - 1].at + 1;
    if (q->near_end < q->base) // pushed behind a look ahead
        q->near_end = q->base;
    uint32_t count = q->near_count;
    q->near_count = 0;
    // Each is read before its place can be written: at most i + 1 are in the heap after i.
    for (uint32_t i = 0; i < count; i++) {
        struct lz_evq_entry e = q->near[i];
        if (e.at < q->near_end)
            lz_evq_near_push(q, e);
        else
            lz_evq_file(q, e);
    }
    for (uint32_t i = 0; i < LZ_EVQ_OPEN_MAX; i++)
        lz_evq_near_push(q, kept[i]);
    q->near_limit = 2 * q->near_count > LZ_EVQ_NEAR_MAX ? 2 * q->near_count : LZ_EVQ_NEAR_MAX;
}

static void slot_emptied(struct lz_evq *q, uint32_t level, uint32_t slot)
{
    q->slots[level][slot] = 0;
    q->occupied[level] &= ~(1ull << slot);
    if (q->occupied[level] == 0)
        q->levels &= ~(1u << level);
}

// Where an opened slot's entry goes: few of them, or those of one instant, into the heap.
static void deal(struct lz_evq *q, uint32_t chunk, bool all_near, lz_time *latest)
{
    while (chunk != 0) {
        struct lz_evq_chunk c = q->chunks[chunk]; // filing may move the chunks
        free_chunk(q, chunk);
        chunk = c.next;
        for (uint32_t i = 0; i < c.count; i++) {
            if (q->events[c.entries[i].event].is_dead) {
                q->dead--;
                lz_evq_free(q, c.entries[i].event);
            } else if (all_near) {
                if (c.entries[i].at > *latest)
                    *latest = c.entries[i].at;
                lz_evq_near_push(q, c.entries[i]);
            } else {
                lz_evq_file(q, c.entries[i]);
            }
        }
    }
}

bool lz_evq_open(struct lz_evq *q)
{
    LZ_ASSERT(q->near_count == 0);
    q->near_limit = LZ_EVQ_NEAR_MAX;
    while (q->near_count == 0) {
        if (q->levels == 0)
            return false;
        uint32_t level = (uint32_t)__builtin_ctz(q->levels);
        uint32_t slot = (uint32_t)__builtin_ctzll(q->occupied[level]);
        uint64_t width = 1ull << (6 * level);
        uint64_t above = level + 1 < LZ_EVQ_LEVELS ? ~((width << 6) - 1) : 0;
        lz_time start = (lz_time)(((uint64_t)q->base & above) | slot * width);
        uint32_t chunk = q->slots[level][slot], count = 0;
        for (uint32_t c = chunk; c != 0 && count <= LZ_EVQ_OPEN_MAX; c = q->chunks[c].next)
            count += q->chunks[c].count;
        slot_emptied(q, level, slot);
        LZ_ASSERT(start >= q->base);
        q->base = start;
        lz_time latest = q->base;
        deal(q, chunk, level == 0 || count <= LZ_EVQ_OPEN_MAX, &latest);
        // If all were dead: what is still to be pushed may be before `base`, and is near.
        q->near_end = q->near_count > 0 ? latest + 1 : q->base;
    }
    return true;
}

// Keep what lives of `count` entries; returns how many that are.
static uint32_t purge(struct lz_evq *q, struct lz_evq_entry *entries, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (q->events[entries[i].event].is_dead)
            lz_evq_free(q, entries[i].event);
        else
            entries[kept++] = entries[i];
    }
    return kept;
}

// More dead than living: go through everything once.
void lz_evq_purge(struct lz_evq *q)
{
    uint32_t kept = purge(q, q->near, q->near_count);
    q->near_count = 0;
    for (uint32_t i = 0; i < kept; i++)
        lz_evq_near_push(q, q->near[i]);
    for (uint32_t slot = 0; slot < LZ_EVQ_LEVELS * LZ_EVQ_SLOTS; slot++) {
        uint32_t c = q->slots[slot / LZ_EVQ_SLOTS][slot % LZ_EVQ_SLOTS];
        for (; c != 0; c = q->chunks[c].next)
            q->chunks[c].count = purge(q, q->chunks[c].entries, q->chunks[c].count);
    }
    q->dead = 0;
}
