#include "model/cache/pool.h"

#include <string.h>

#include "base/check.h"

void lz_pool_offer(struct lz_pool *p, uint64_t key, uint64_t worth)
{
    LZ_ASSERT(p->count <= LZ_POOL_MAX);
    uint32_t at = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        if (p->all[i].key == key)
            return;
        at += p->all[i].worth <= worth;
    }
    if (at == LZ_POOL_MAX)
        return;
    uint32_t moved = p->count < LZ_POOL_MAX ? p->count : LZ_POOL_MAX - 1;
    memmove(&p->all[at + 1], &p->all[at], (moved - at) * sizeof(p->all[0]));
    p->all[at].key = key;
    p->all[at].worth = worth;
    p->count = moved + 1;
}

bool lz_pool_take(struct lz_pool *p, uint64_t *key)
{
    if (p->count == 0)
        return false;
    *key = p->all[0].key;
    memmove(&p->all[0], &p->all[1], --p->count * sizeof(p->all[0]));
    LZ_ASSERT(p->count < LZ_POOL_MAX);
    return true;
}
