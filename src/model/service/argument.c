#include "model/service/argument.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/pool.h"
#include "model/client/client_state.h"
#include "model/service/task.h"

struct argument {
    struct lz_pool_head head;
    void *bytes;
    uint64_t stamp;
    uint32_t size;
    uint32_t held; // by so many
};

struct table {
    lz_argument_id *ids; // by index
    uint32_t cap;
};

struct lz_arguments {
    struct lz_pool pool;
    size_t bytes;
    struct table calls, tasks, answers;
};

static struct argument *at(const struct lz_world *w, lz_argument_id id)
{
    LZ_ASSERT(id != 0 && w->arguments != NULL);
    struct argument *a = lz_pool_at(&w->arguments->pool, id);
    LZ_ASSERT(a->held > 0);
    return a;
}

static size_t size_of(const struct argument *a)
{
    return a->size > 0 ? a->size : 1;
}

lz_argument_id lz_argument_make(struct lz_world *w, const void *bytes, uint32_t size)
{
    if (w->arguments == NULL) {
        w->arguments = lz_arena_alloc(w->arena, sizeof(*w->arguments));
        lz_world_has(w, LZ_UNUSUAL_ARGUMENTS);
        lz_pool_init(&w->arguments->pool, w->arena, sizeof(struct argument));
    }
    struct argument *a = lz_pool_take(&w->arguments->pool);
    a->size = size;
    a->held = 1;
    a->bytes = lz_arena_alloc(w->arena, size_of(a));
    if (bytes != NULL)
        memcpy(a->bytes, bytes, size);
    w->arguments->bytes += size_of(a);
    return a->head.index;
}

void lz_argument_keep(struct lz_world *w, lz_argument_id id)
{
    if (id != 0)
        at(w, id)->held++;
}

void lz_argument_drop(struct lz_world *w, lz_argument_id id)
{
    if (id == 0 || --at(w, id)->held > 0)
        return;
    struct argument *a = lz_pool_at(&w->arguments->pool, id);
    w->arguments->bytes -= size_of(a);
    lz_arena_free(w->arena, a->bytes, size_of(a));
    lz_pool_give(&w->arguments->pool, a);
}

void *lz_argument_bytes(const struct lz_world *w, lz_argument_id id, uint32_t *size)
{
    *size = id != 0 ? at(w, id)->size : 0;
    return id != 0 ? at(w, id)->bytes : NULL;
}

lz_argument_id lz_argument_value(struct lz_world *w, lz_value v)
{
    return lz_argument_make(w, &v, sizeof(v));
}

lz_value lz_argument_to_value(const struct lz_world *w, lz_argument_id id)
{
    if (id == 0)
        return 0;
    const struct argument *a = at(w, id);
    LZ_ASSERT(a->size >= sizeof(lz_value)); // what carries more begins with it
    lz_value v;
    memcpy(&v, a->bytes, sizeof(v));
    return v;
}

void lz_argument_stamp(struct lz_world *w, lz_argument_id id, uint64_t stamp)
{
    at(w, id)->stamp = stamp;
}

uint64_t lz_argument_stamp_of(const struct lz_world *w, lz_argument_id id)
{
    return id != 0 ? at(w, id)->stamp : 0;
}

static lz_argument_id look(const struct table *t, uint32_t index)
{
    return index < t->cap ? t->ids[index] : 0;
}

static void put(struct lz_world *w, struct table *t, uint32_t index, lz_argument_id id)
{
    lz_argument_id old = look(t, index);
    if (id != 0)
        t->ids = lz_grow(w->arena, t->ids, &t->cap, index + 1, sizeof(*t->ids));
    if (index < t->cap)
        t->ids[index] = id;
    lz_argument_drop(w, old);
}

lz_argument_id lz_argument_of(const struct lz_world *w, const struct lz_task *t)
{
    return w->arguments != NULL ? look(&w->arguments->tasks, t->head.index) : 0;
}

lz_argument_id lz_argument_of_call(const struct lz_world *w, const struct lz_call *c)
{
    return w->arguments != NULL ? look(&w->arguments->calls, c->head.index) : 0;
}

lz_argument_id lz_argument_answered(const struct lz_world *w, const struct lz_task *t)
{
    return w->arguments != NULL ? look(&w->arguments->answers, t->head.index) : 0;
}

void lz_argument_answer(struct lz_world *w, const struct lz_task *t, lz_argument_id id)
{
    if (id != 0 || w->arguments != NULL)
        put(w, &w->arguments->answers, t->head.index, id);
}

void lz_argument_give_call(struct lz_world *w, const struct lz_call *c, lz_argument_id id)
{
    if (id == 0)
        return;
    lz_argument_keep(w, id);
    put(w, &w->arguments->calls, c->head.index, id);
}

void lz_argument_give_task(struct lz_world *w, const struct lz_task *t, lz_argument_id id)
{
    if (id == 0)
        return;
    lz_argument_keep(w, id);
    put(w, &w->arguments->tasks, t->head.index, id);
}

void lz_argument_call_ended(struct lz_world *w, const struct lz_call *c)
{
    if (w->arguments != NULL)
        put(w, &w->arguments->calls, c->head.index, 0);
}

void lz_argument_task_ended(struct lz_world *w, const struct lz_task *t)
{
    if (w->arguments == NULL)
        return;
    put(w, &w->arguments->tasks, t->head.index, 0);
    put(w, &w->arguments->answers, t->head.index, 0);
}

size_t lz_arguments_bytes(const struct lz_world *w)
{
    const struct lz_arguments *as = w->arguments;
    if (as == NULL)
        return 0;
    size_t entries = (size_t)as->calls.cap + as->tasks.cap + as->answers.cap;
    return as->bytes + lz_pool_bytes(&as->pool) + entries * sizeof(lz_argument_id);
}
