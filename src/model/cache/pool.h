/*
 * pool.h — candidates for eviction that were drawn and not taken; for model/cache/ only.
 *
 * Redis draws `maxmemory-samples` keys for each eviction and remembers the best of them for the
 * next: sixteen, the worst first, so that few draws come near to what looking at all would give
 * (antirez, "Random notes on improving the Redis LRU algorithm", 2016; evict.c). They are known by
 * key, since an entry may go while it is here; what it was worth when it was drawn is what counts,
 * as in Redis. A newcomer that is better than all of a full pool finds no room; of equals the one
 * that was here first goes first.
 */
#ifndef LZ_MODEL_CACHE_POOL_H
#define LZ_MODEL_CACHE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define LZ_POOL_MAX 16u /* Redis' EVPOOL_SIZE */

struct lz_pool {
    struct {
        uint64_t key;
        uint64_t worth; /* the least goes */
    } all[LZ_POOL_MAX];
    uint32_t count;
};

/* One that is in it already stays as it is. */
void lz_pool_offer(struct lz_pool *p, uint64_t key, uint64_t worth);

/* The worst, which is not in it any more. False: it is empty. */
bool lz_pool_take(struct lz_pool *p, uint64_t *key);

#endif
