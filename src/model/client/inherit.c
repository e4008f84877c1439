#include "model/client/inherit.h"

#include "model/client/client_state.h"
#include "model/service/task.h"

// What the call, or the call it is a leg of, is made for: a task of the calling service.
static const struct lz_task *owner_of(const struct lz_world *w, const struct lz_call *c)
{
    while (c != NULL && c->owner_kind >= LZ_OWNER_FAN)
        c = lz_client_find(w, c->owner);
    return c != NULL && c->owner_kind == LZ_OWNER_TASK ? lz_task_find(w, c->owner) : NULL;
}

lz_time lz_inherit_deadline(const struct lz_world *w, const struct lz_edge *e,
                            const struct lz_call *c)
{
    lz_time own = e->opts.overall_timeout > 0 ? c->begun + e->opts.overall_timeout : LZ_FOREVER;
    const struct lz_task *t = e->heeds_deadline ? owner_of(w, c) : NULL;
    return t != NULL && t->deadline != 0 && t->deadline < own ? t->deadline : own;
}

lz_time lz_inherit_told_deadline(const struct lz_world *w, const struct lz_edge *e,
                                 const struct lz_call *c)
{
    if (!e->tells_deadline)
        return 0;
    lz_time whole = lz_inherit_deadline(w, e, c), own = c->started + e->opts.timeout;
    return whole < own ? whole : own;
}

uint8_t lz_inherit_priority(const struct lz_world *w, const struct lz_edge *e,
                            const struct lz_call *c)
{
    if (e->opts.priority > 0)
        return (uint8_t)(e->opts.priority - 1);
    const struct lz_task *t = e->hands_priority_on ? owner_of(w, c) : NULL;
    return t != NULL ? t->priority : 0;
}
