/*
 * alert_ring.h — the last samples of a series, in a row.
 *
 * A range of them is where it lies, and need not be copied: at the end of their room they are moved
 * to its beginning, half a ring later again. Room is taken as samples come.
 *
 * Invariants: never more than `held` samples, in time's order, no two of one millisecond.
 */
#ifndef LZ_MODEL_ALERT_ALERT_RING_H
#define LZ_MODEL_ALERT_ALERT_RING_H

#include "base/arena.h"
#include "promql/promql.h"

struct lz_alert_ring {
    struct lz_promql_point *points;
    uint32_t first, count;
    uint32_t held; /* how many there may be; 0: none are kept yet */
    uint32_t room; /* taken by now */
};

/* It keeps so many, or more if it did. */
void lz_alert_ring_widen(struct lz_alert_ring *r, uint32_t held);

/* The latest; of one millisecond in place of the one before. */
void lz_alert_ring_put(struct lz_arena *arena, struct lz_alert_ring *r, int64_t t_ms, double value);

/* Those in (after, until]. */
const struct lz_promql_point *lz_alert_ring_range(const struct lz_alert_ring *r, int64_t after_ms,
                                                  int64_t until_ms, uint32_t *count);

/* INT64_MIN: it is empty. */
int64_t lz_alert_ring_first_ms(const struct lz_alert_ring *r);
int64_t lz_alert_ring_last_ms(const struct lz_alert_ring *r);

void lz_alert_ring_free(struct lz_arena *arena, struct lz_alert_ring *r);

#endif
