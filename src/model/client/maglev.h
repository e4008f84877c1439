/*
 * maglev.h — Maglev's lookup table.
 *
 * Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016,
 * section 3.4. Each replica has a permutation of the table's entries, made of an offset and a
 * skip; in turn each takes the next free entry of its own. Shares differ by at most a little
 * (by one entry, with equal weights), and few entries change hands when a replica goes or
 * comes. Weights are Envoy's: in a round only those take an entry whose weight calls for it.
 */
#ifndef LZ_MODEL_CLIENT_MAGLEV_H
#define LZ_MODEL_CLIENT_MAGLEV_H

#include "base/arena.h"

#define LZ_MAGLEV_NOBODY UINT32_MAX

struct lz_maglev_owner {
    uint32_t offset, skip;
    uint32_t next;           /* of its permutation */
    uint64_t weight, called; /* called: weight it must have reached to take an entry */
};

struct lz_maglev {
    uint32_t *table; /* owner by entry */
    uint32_t size;
    struct lz_maglev_owner *owners;
    uint32_t owner_count;
};

void lz_maglev_init(struct lz_maglev *m, struct lz_arena *arena, uint64_t path, uint32_t size,
                    uint32_t owner_count);

/* Fill the table; an owner of weight 0 gets nothing. All 0: nobody owns anything. */
void lz_maglev_fill(struct lz_maglev *m, const uint32_t *weights);

bool lz_maglev_is_prime(uint32_t n);

#endif
