/*
 * codel.h — controlled delay: which of a queue's requests to drop so that no queue stands.
 *
 * A queue that is good absorbs a burst and empties; one that is bad stands: for a whole
 * `interval` nobody waited less than `target`. CoDel (RFC 8289) sees that by the wait of those
 * that leave the queue, and drops from its head: the first after an interval above target, and
 * then ever more often, an interval / sqrt(n) after the one before, until the wait is below target
 * again. The pseudo-code followed is that of its section 5; a queue that holds nothing else than
 * the request looked at counts as good (there: at most one packet).
 */
#ifndef LZ_MODEL_SERVICE_CODEL_H
#define LZ_MODEL_SERVICE_CODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/time.h"

struct lz_codel {
    lz_time
        first_above; /* when the wait will have been above target for an interval; 0: it is not */
    lz_time drop_next;
    uint32_t count;      /* drops since it began to drop */
    uint32_t last_count; /* what `count` was when it began the last time */
    bool is_dropping;
    bool has_dropped; /* the request before this one: the next drop is planned from it */
};

struct lz_codel_opts {
    lz_time target;
    lz_time interval;
};

/*
 * The oldest request leaves the queue at `now` after `wait`; `is_last` if it was the only one.
 * True if it is to be dropped; the next one is asked about at once.
 */
bool lz_codel_drops(struct lz_codel *c, const struct lz_codel_opts *opts, lz_time now, lz_time wait,
                    bool is_last);

#endif
