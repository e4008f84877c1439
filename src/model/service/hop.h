/*
 * hop.h — the place of a call and of the task that it makes; for model/ only.
 *
 * A call has a record at its caller (struct lz_call, client_state.h) and, once it is sent, one at
 * its server (struct lz_task, task.h). Each may end without the other: a caller stops waiting, and
 * the server works on; an attempt fails, and there is another. But most begin and end together. So
 * both lie side by side in one record, a *hop*, that is found by one index and taken once; each
 * part is cleared by who begins it, and from either the other is a sum away.
 *
 *   hop   task  144 bytes   its id and the call's have the same index, and generations of their own
 *         call  168 bytes
 *
 * Each part is live while its generation is odd; a hop is free when neither is. A task finds room
 * in the hop of its call, if no earlier attempt's task is still there; else, and where it has no
 * call, it takes a hop for itself alone.
 */
#ifndef LZ_MODEL_SERVICE_HOP_H
#define LZ_MODEL_SERVICE_HOP_H

#include "base/check.h"
#include "base/pool.h"

#define LZ_HOP_TASK_BYTES 144u
#define LZ_HOP_CALL_BYTES 168u
#define LZ_HOP_BYTES ((size_t)LZ_HOP_TASK_BYTES + LZ_HOP_CALL_BYTES)

/* All there ever were at once: their heads keep their index, and free ones are chained by address.
 */
struct lz_hops {
    struct lz_pool pool;
    struct lz_pool_head *free; /* its task; where the next is, is written behind its head */
};

struct lz_pool_head *lz_hops_widen(struct lz_hops *hops); /* none is free: a new one */

static inline void lz_hops_init(struct lz_hops *hops, struct lz_arena *arena)
{
    hops->free = NULL;
    lz_pool_init(&hops->pool, arena, LZ_HOP_BYTES);
}

/* Its task; the call lies behind it. */
static inline struct lz_pool_head *lz_hop_at(const struct lz_hops *hops, uint32_t index)
{
    return lz_pool_at_sized(&hops->pool, index, LZ_HOP_BYTES);
}

static inline void *lz_hop_call(const void *task)
{
    return (char *)(uintptr_t)task + LZ_HOP_TASK_BYTES;
}

static inline void *lz_hop_task(const void *call)
{
    return (char *)(uintptr_t)call - LZ_HOP_TASK_BYTES;
}

static inline bool lz_hop_is_live(const void *part)
{
    return (((const struct lz_pool_head *)part)->gen & 1u) != 0;
}

/* A hop of which no part is live. */
static inline void *lz_hop_open(struct lz_hops *hops)
{
    struct lz_pool_head *task = hops->free;
    if (task == NULL)
        return lz_hops_widen(hops);
    memcpy(&hops->free, task + 1, sizeof(void *));
    return task;
}

/* A part of an open hop, zeroed but for its head. */
static inline void *lz_hop_begin(void *part, size_t size)
{
    struct lz_pool_head *head = part, was = *head;
    LZ_ASSERT(!lz_hop_is_live(part));
    lz_pool_clear(part, size);
    *head = (struct lz_pool_head){.index = was.index, .gen = was.gen + 1};
    return part;
}

/* The last part that was live is not any more. */
static inline void lz_hop_free(struct lz_hops *hops, struct lz_pool_head *task)
{
    memcpy(task + 1, &hops->free, sizeof(void *));
    hops->free = task;
}

static inline void lz_hop_give_task(struct lz_hops *hops, void *task)
{
    struct lz_pool_head *head = task;
    LZ_ASSERT(lz_hop_is_live(task));
    head->gen++;
    if (!lz_hop_is_live(lz_hop_call(task)))
        lz_hop_free(hops, head);
}

static inline void lz_hop_give_call(struct lz_hops *hops, void *call)
{
    struct lz_pool_head *head = call, *task = lz_hop_task(call);
    LZ_ASSERT(lz_hop_is_live(call));
    head->gen++;
    if (!lz_hop_is_live(task))
        lz_hop_free(hops, task);
}

/* NULL if that part is not live any more. An id is 0 or one that was issued. */
static inline void *lz_hop_find_task(const struct lz_hops *hops, uint64_t id)
{
    return lz_pool_find_sized(&hops->pool, id, LZ_HOP_BYTES);
}

static inline void *lz_hop_find_call(const struct lz_hops *hops, uint64_t id)
{
    LZ_ASSERT((uint32_t)id < hops->pool.used);
    if (id == 0)
        return NULL;
    struct lz_pool_head *call = lz_hop_call(lz_hop_at(hops, (uint32_t)id));
    return call->gen == (uint32_t)(id >> 32) ? call : NULL;
}

#endif
