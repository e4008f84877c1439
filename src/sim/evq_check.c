#include "sim/evq.h"

// Apart from evq.c, for only tests look at all of it.

static uint32_t check_slot(const struct lz_evq *q, uint32_t level, uint32_t slot)
{
    uint32_t place = q->slots[level][slot], total = 0;
    uint32_t count = LZ_EVQ_CHUNK - (place & 7u);
    LZ_ASSERT((place != 0) == ((q->occupied[level] >> slot & 1) != 0));
    for (uint32_t chunk = place >> 3; chunk != 0; chunk = q->chunks[chunk].next[0]) {
        for (uint32_t i = 0; i < count; i++) {
            lz_time at = q->chunks[chunk].entries[LZ_EVQ_CHUNK - 1 - i].at;
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
    for (uint32_t i = q->near_first + 1; i < q->near_last; i++)
        LZ_ASSERT(lz_evq_before(q, &q->near[i - 1], &q->near[i]));
    LZ_ASSERT(LZ_IMPLIES(total > 0, (uint64_t)q->near[q->near_last - 1].at < q->near_end));
    for (uint32_t level = 0; level < LZ_EVQ_LEVELS; level++) {
        LZ_ASSERT((q->occupied[level] != 0) == ((q->levels >> level & 1u) != 0));
        for (uint32_t slot = 0; slot < LZ_EVQ_SLOTS; slot++)
            total += check_slot(q, level, slot);
    }
    LZ_ASSERT(total == q->live + q->dead);
}
