#include "base/check.h"
#include "model/service_state.h"

void lz_queue_push(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                   struct lz_task *t)
{
    uint32_t index = t->head.index;
    t->queue_next = 0;
    t->queue_prev = r->queue_last;
    if (r->queue_last != 0)
        lz_task_at(w, r->queue_last)->queue_next = index;
    else
        r->queue_first = index;
    r->queue_last = index;
    r->queue_len++;
    s->queued++;
    lz_level_queue(w, s, r);
}

void lz_queue_remove(struct lz_world *w, struct lz_service *s, struct lz_service_replica *r,
                     struct lz_task *t)
{
    LZ_ASSERT(r->queue_len > 0);
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        r->queue_first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        r->queue_last = t->queue_prev;
    r->queue_len--;
    s->queued--;
    lz_level_queue(w, s, r);
}
