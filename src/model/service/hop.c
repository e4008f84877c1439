#include "model/service/hop.h"

struct lz_pool_head *lz_hops_widen(struct lz_hops *hops)
{
    struct lz_pool *p = &hops->pool;
    LZ_ASSERT(hops->free == NULL);
    if (p->used >= p->chunk_count * LZ_POOL_CHUNK)
        lz_pool_grow(p);
    struct lz_pool_head *task = lz_hop_at(hops, p->used), *call = lz_hop_call(task);
    task->index = call->index = p->used++;
    return task;
}
