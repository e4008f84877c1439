#include "model/traffic/trail.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/service/task.h"

#define PURGE_MIN 256u

struct lz_trails {
    struct lz_trail *all;
    uint32_t count, cap;
    uint32_t purge_at;
};

const char *lz_trail_name(enum lz_trail_kind kind)
{
    static const char *const names[] = {[LZ_TRAIL_APPEND] = "append",
                                        [LZ_TRAIL_REPLICATE] = "replicate",
                                        [LZ_TRAIL_POLL] = "poll",
                                        [LZ_TRAIL_PROCESS] = "process"};
    LZ_ASSERT(kind <= LZ_TRAIL_PROCESS);
    return names[kind];
}

struct lz_origin lz_trail_origin(const struct lz_world *w, const struct lz_task *t)
{
    const struct lz_request *r = lz_request_find(w, t->request);
    if (r == NULL)
        return (struct lz_origin){0};
    return (struct lz_origin){.request = t->request,
                              .ordinal = r->ordinal,
                              .traffic = r->traffic,
                              .call = t->call_number};
}

// Its request is under way, or among those that are kept so far.
static bool is_wanted(const struct lz_world *w, const struct lz_origin *o)
{
    if (lz_request_find(w, o->request) != NULL)
        return true;
    size_t count = lz_requests_kept(w);
    for (size_t i = 0; i < count; i++) {
        const struct lz_trace_kept *k = lz_requests_kept_get(w, i);
        if (k->ordinal == o->ordinal && k->traffic == o->traffic)
            return true;
    }
    return false;
}

// Each is looked at once for every one that comes, on average.
static void purge(struct lz_world *w)
{
    struct lz_trails *ts = w->trails;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ts->count; i++)
        if (is_wanted(w, &ts->all[i].origin))
            ts->all[kept++] = ts->all[i];
    ts->count = kept;
    ts->purge_at = 2 * kept > PURGE_MIN ? 2 * kept : PURGE_MIN;
}

void lz_trail_add(struct lz_world *w, const struct lz_trail *trail)
{
    LZ_ASSERT(trail->start <= trail->end);
    if (trail->origin.request == 0 || !is_wanted(w, &trail->origin))
        return;
    if (w->trails == NULL) {
        w->trails = lz_arena_alloc(w->arena, sizeof(*w->trails));
        w->trails->purge_at = PURGE_MIN;
    }
    struct lz_trails *ts = w->trails;
    if (ts->count >= ts->purge_at)
        purge(w);
    ts->all = lz_grow(w->arena, ts->all, &ts->cap, ts->count + 1, sizeof(*ts->all));
    ts->all[ts->count++] = *trail;
}

const struct lz_trail *lz_trail_at(const struct lz_world *w, size_t i)
{
    return w->trails != NULL && i < w->trails->count ? &w->trails->all[i] : NULL;
}
