/*
 * ttl_cache.h — which keys are held, each until its time to live is over.
 *
 * A key's time counts from when it was put (fixed, as in a CDN or a resolver) or from when it was
 * last found (sliding). At most `entries` are held; one more pushes out the least recently used.
 * With Poisson requests at rate lambda, a key is found with probability lambda T / (1 + lambda T)
 * when fixed (Jung, Berger, Balakrishnan, INFOCOM 2003) and 1 - exp(-lambda T) when sliding.
 */
#ifndef LZ_MODEL_NET_TTL_CACHE_H
#define LZ_MODEL_NET_TTL_CACHE_H

#include "base/arena.h"
#include "sim/time.h"

#define LZ_TTL_CACHE_ENTRIES_MAX 10000000

struct lz_ttl_cache;

/* `ttl` 0: until it is pushed out. */
struct lz_ttl_cache *lz_ttl_cache_create(struct lz_arena *arena, uint32_t entries, lz_time ttl,
                                         bool is_sliding);

bool lz_ttl_cache_get(struct lz_ttl_cache *c, uint64_t key, lz_time now);
void lz_ttl_cache_put(struct lz_ttl_cache *c, uint64_t key, lz_time now);
void lz_ttl_cache_clear(struct lz_ttl_cache *c);
uint32_t lz_ttl_cache_count(const struct lz_ttl_cache *c); /* run out ones too */

#endif
