#include "model/service/fence.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/client_state.h"
#include "model/data/rows.h"
#include "model/service/task.h"

// Of the task (by its index) whose call was answered last.
struct grant {
    uint64_t task, token;
};

struct resource {
    lz_component_id component;
    bool ignores;
    struct lz_rows shown; /* by key: the highest token */
    struct lz_rows keys;  /* by key: which of `written` is its own, one more */
    struct lz_fence_write *written;
    uint32_t written_count, written_cap;
    struct lz_fence_report report;
};

struct lz_fences {
    struct grant *grants;
    uint32_t grant_cap;
    struct resource *all;
    uint32_t count, cap;
};

static struct lz_fences *fences_of(struct lz_world *w)
{
    if (w->fences == NULL)
        w->fences = lz_arena_alloc(w->arena, sizeof(*w->fences));
    return w->fences;
}

static struct resource *find(const struct lz_world *w, lz_component_id id)
{
    for (uint32_t i = 0; w->fences != NULL && i < w->fences->count; i++)
        if (w->fences->all[i].component == id)
            return &w->fences->all[i];
    return NULL;
}

static struct resource *resource_of(struct lz_world *w, lz_component_id id)
{
    struct lz_fences *f = fences_of(w);
    struct resource *known = find(w, id);
    if (known != NULL)
        return known;
    f->all = lz_grow(w->arena, f->all, &f->cap, f->count + 1, sizeof(*f->all));
    struct resource *r = &f->all[f->count++];
    *r = (struct resource){.component = id};
    lz_rows_init(&r->shown, w->arena);
    lz_rows_init(&r->keys, w->arena);
    return r;
}

void lz_fence_grant(struct lz_world *w, const struct lz_task *t, uint64_t token)
{
    LZ_ASSERT(token > 0);
    const struct lz_call *c = t->call != 0 ? lz_client_find(w, t->call) : NULL;
    if (c == NULL || c->owner_kind != LZ_OWNER_TASK)
        return;
    struct lz_fences *f = fences_of(w);
    uint32_t index = (uint32_t)c->owner;
    f->grants = lz_grow(w->arena, f->grants, &f->grant_cap, index + 1, sizeof(*f->grants));
    f->grants[index] = (struct grant){.task = c->owner, .token = token};
}

uint64_t lz_fence_take(struct lz_world *w, uint64_t task)
{
    uint32_t index = (uint32_t)task;
    if (w->fences == NULL || index >= w->fences->grant_cap)
        return 0;
    struct grant was = w->fences->grants[index];
    w->fences->grants[index] = (struct grant){0};
    return was.task == task ? was.token : 0;
}

void lz_fence_ignore(struct lz_world *w, lz_component_id resource)
{
    LZ_ASSERT(!w->running);
    resource_of(w, resource)->ignores = true;
}

void lz_fence_show(struct lz_world *w, lz_argument_id id, uint64_t token)
{
    LZ_ASSERT(token > 0 && token <= LZ_FENCE_TOKEN_MAX);
    (void)fences_of(w);
    lz_argument_stamp(w, id, token);
}

bool lz_fence_refused(struct lz_world *w, const struct lz_task *t, lz_value *high)
{
    uint64_t token = lz_argument_stamp_of(w, lz_argument_of(w, t));
    if (token == 0)
        return false;
    struct resource *r = resource_of(w, lz_instance_get(w, t->server)->component);
    uint64_t by = 0, seen = lz_rows_read(&r->shown, t->key, &by);
    if (token > seen)
        lz_rows_put(&r->shown, t->key, token, t->server);
    if (token >= seen || r->ignores)
        return false;
    r->report.refused++;
    r->report.by_others += by != t->server;
    *high = lz_value_integer((int64_t)seen);
    return true;
}

static struct lz_fence_write *written_at(struct lz_world *w, struct resource *r, uint64_t key)
{
    uint64_t at = lz_rows_get(&r->keys, key);
    if (at == 0) {
        r->written = lz_grow(w->arena, r->written, &r->written_cap, r->written_count + 1,
                             sizeof(*r->written));
        at = ++r->written_count;
        r->written[at - 1] = (struct lz_fence_write){0};
        lz_rows_put(&r->keys, key, at, 0);
    }
    return &r->written[at - 1];
}

void lz_fence_accept(struct lz_world *w, const struct lz_task *t)
{
    uint64_t token = lz_argument_stamp_of(w, lz_argument_of(w, t));
    if (token == 0)
        return;
    struct resource *r = resource_of(w, lz_instance_get(w, t->server)->component);
    struct lz_fence_write *high = written_at(w, r, t->key);
    const struct lz_call *c = lz_client_find(w, t->call);
    const struct lz_fence_write one = {
        .token = token, .at = lz_sim_now(w->sim), .client = c != NULL ? c->client : 0};
    r->report.accepted++;
    if (token >= high->token) {
        *high = one;
        return;
    }
    if (r->report.broken++ == 0) {
        r->report.key = t->key;
        r->report.high = *high;
        r->report.low = one;
    }
}

struct lz_fence_report lz_fence_report(const struct lz_world *w, lz_component_id resource)
{
    const struct resource *r = find(w, resource);
    return r != NULL ? r->report : (struct lz_fence_report){0};
}
