/*
 * sets.h — the sets of caches, as SADD makes them: an add costs what is added.
 *
 * What an entry holds, and its replicas, is a *version* of a set: a number that equals no value of
 * value.h, good as long as the run, and equal exactly if nothing was added in between. Versions
 * that follow each other share one list of elements, in the order in which they were added; one
 * that is added to after another has gone on from it, as a replica does that is promoted without
 * its primary's last adds, begins a list of its own, on top of that one's beginning. Elements are
 * texts. Of a whole set a text is made only when somebody asks, and once for each version.
 */
#ifndef LZ_MODEL_CACHE_SETS_H
#define LZ_MODEL_CACHE_SETS_H

#include "model/value.h"

static inline bool lz_sets_is(uint64_t value)
{
    return value != 0 && lz_value_kind(value) == LZ_VALUE_NOTHING;
}

/* The version with it, `set` itself if it is there already; 0: no text could hold it any more.
 * `set` 0 is the empty one. An element has at least one byte, and no comma. */
uint64_t lz_sets_add(struct lz_world *w, uint64_t set, const char *element, size_t size);

/* Its elements, with commas between; of 0 the empty text. */
lz_value lz_sets_text(struct lz_world *w, uint64_t set);

#endif
