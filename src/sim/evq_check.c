#include "sim/evq.h"

// Apart from evq.c, for only tests look at all of it.

static void check_events(const struct lz_evq *q, uint32_t level, uint32_t slot,
                         const uint32_t *events, uint32_t count)
{
    uint32_t shift = LZ_EVQ_BITS * level;
    for (uint32_t i = 0; i < count; i++) {
        LZ_ASSERT(events[i] > 0 && events[i] < q->event_used);
        lz_time at = lz_evq_at(q, events[i]);
        LZ_ASSERT(at >= q->base);
        LZ_ASSERT((uint64_t)at >= q->near_end);
        LZ_ASSERT(((uint64_t)at >> shift & (LZ_EVQ_SLOTS - 1)) == slot);
        LZ_ASSERT(level + 1 == LZ_EVQ_LEVELS ||
                  ((uint64_t)at ^ (uint64_t)q->base) >> shift >> LZ_EVQ_BITS == 0);
    }
}

static uint32_t check_slot(const struct lz_evq *q, uint32_t level, uint32_t slot)
{
    const struct lz_evq_chunk *s = &q->slots[level][slot];
    uint32_t total = s->tail & 7u;
    LZ_ASSERT((s->tail != 0) == ((q->occupied[level].words[slot / 64] >> slot % 64 & 1) != 0));
    LZ_ASSERT(LZ_IMPLIES(s->tail != 0, total > 0));
    check_events(q, level, slot, s->events, total);
    for (uint32_t chunk = s->tail >> 3; chunk != 0; chunk = q->chunks[chunk].tail) {
        LZ_ASSERT(chunk >= LZ_EVQ_CHUNK_FIRST && chunk < q->chunk_used);
        check_events(q, level, slot, q->chunks[chunk].events, LZ_EVQ_CHUNK);
        total += LZ_EVQ_CHUNK;
    }
    return total;
}

void lz_evq_check(const struct lz_evq *q)
{
    uint32_t total = q->near_last - q->near_first;
    LZ_ASSERT(q->near_first <= q->near_last && q->near_last <= q->near_cap);
    LZ_ASSERT((uint64_t)q->base <= q->near_end);
    for (uint32_t i = q->near_first; i < q->near_last; i++) {
        LZ_ASSERT(q->near[i].at == lz_evq_at(q, q->near[i].event));
        LZ_ASSERT(i == q->near_first || lz_evq_before(q, &q->near[i - 1], &q->near[i]));
    }
    const struct lz_evq_entry *first = &q->near[q->near_first];
    LZ_ASSERT(q->next_at == (total > 0 ? first->at : LZ_FOREVER));
    LZ_ASSERT(LZ_IMPLIES(total > 0, q->next_rank == q->events[first->event].rank));
    LZ_ASSERT(LZ_IMPLIES(total > 0, (uint64_t)q->near[q->near_last - 1].at < q->near_end));
    for (uint32_t level = 0; level < LZ_EVQ_LEVELS; level++) {
        const struct lz_evq_bits *bits = &q->occupied[level];
        LZ_ASSERT((bits->words_used != 0) == ((q->levels >> level & 1u) != 0));
        for (uint32_t word = 0; word < LZ_EVQ_WORDS; word++)
            LZ_ASSERT((bits->words[word] != 0) == ((bits->words_used >> word & 1u) != 0));
        for (uint32_t slot = 0; q->digits[level] > 0 && slot < LZ_EVQ_SLOTS; slot++)
            total += check_slot(q, level, slot);
    }
    LZ_ASSERT(total == q->live + q->dead);
}
