#include "model/node/ulimit.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/edge.h"
#include "model/service/task.h"

struct lowered {
    uint64_t *refused; // NULL: a free place
    enum lz_ulimit_kind kind;
    uint32_t most;
};

struct limit {
    bool is_set;
    uint32_t declared[LZ_ULIMITS], most[LZ_ULIMITS];
    struct lowered *lowered;
    uint32_t lowered_count, lowered_cap;
};

struct lz_ulimits {
    struct limit *all; // by instance
    uint32_t cap;
};

static struct limit *limit_of(struct lz_world *w, lz_instance_id id)
{
    struct lz_ulimits *ls = w->ulimits;
    ls->all = lz_grow(w->arena, ls->all, &ls->cap, id + 1, sizeof(*ls->all));
    struct limit *l = &ls->all[id];
    for (int k = 0; k < LZ_ULIMITS && !l->is_set; k++)
        l->declared[k] = l->most[k] = LZ_ULIMIT_NONE;
    l->is_set = true;
    lz_world_has(w, LZ_UNUSUAL_ULIMITS);
    return l;
}

void lz_ulimit_declare(struct lz_world *w, lz_component_id id, const uint32_t most[LZ_ULIMITS])
{
    LZ_ASSERT(!w->running);
    const struct lz_component *c = lz_world_component(w, id);
    for (uint32_t i = 0; i < c->instance_count; i++) {
        struct limit *l = limit_of(w, c->instances_first + i);
        for (int k = 0; k < LZ_ULIMITS; k++)
            l->declared[k] = l->most[k] = most[k];
    }
}

static void recompute(struct limit *l)
{
    for (int k = 0; k < LZ_ULIMITS; k++)
        l->most[k] = l->declared[k];
    for (uint32_t i = 0; i < l->lowered_count; i++) {
        const struct lowered *f = &l->lowered[i];
        if (f->refused != NULL && f->most < l->most[f->kind])
            l->most[f->kind] = f->most;
    }
}

uint32_t lz_ulimit_lower(struct lz_world *w, lz_instance_id id, enum lz_ulimit_kind kind,
                         uint32_t most, uint64_t *refused)
{
    struct limit *l = limit_of(w, id);
    uint32_t at = 0;
    while (at < l->lowered_count && l->lowered[at].refused != NULL)
        at++;
    l->lowered = lz_grow(w->arena, l->lowered, &l->lowered_cap, at + 1, sizeof(*l->lowered));
    if (at == l->lowered_count)
        l->lowered_count++;
    l->lowered[at] = (struct lowered){.kind = kind, .most = most, .refused = refused};
    recompute(l);
    return at + 1;
}

void lz_ulimit_undo(struct lz_world *w, lz_instance_id id, uint32_t limit)
{
    struct limit *l = limit_of(w, id);
    LZ_ASSERT(limit >= 1 && limit <= l->lowered_count);
    LZ_ASSERT(l->lowered[limit - 1].refused != NULL);
    l->lowered[limit - 1].refused = NULL;
    recompute(l);
}

// Calls of an instance that are open, to whomever.
static uint32_t calls_open(const struct lz_world *w, lz_instance_id id)
{
    uint32_t open = 0;
    lz_component_id component = lz_instance_get(w, id)->component;
    for (lz_edge_id e = 1; e <= lz_edge_count(w); e++) {
        const struct lz_edge *edge = lz_edge_get(w, e);
        if (edge->opts.from != component)
            continue;
        for (uint32_t s = 0; s < edge->server_count; s++)
            open += lz_edge_pair(edge, id, edge->server_first + s)->in_flight;
    }
    return open;
}

// Every fault that has lowered it so far is told.
static bool is_refused(struct limit *l, enum lz_ulimit_kind kind, uint32_t wanted)
{
    if (wanted <= l->most[kind])
        return false;
    for (uint32_t i = 0; i < l->lowered_count; i++)
        if (l->lowered[i].refused != NULL && l->lowered[i].kind == kind &&
            wanted > l->lowered[i].most)
            (*l->lowered[i].refused)++;
    return true;
}

bool lz_ulimit_admits(struct lz_world *w, lz_instance_id server)
{
    if (server >= w->ulimits->cap || !w->ulimits->all[server].is_set)
        return true;
    struct limit *l = &w->ulimits->all[server];
    uint32_t requests = lz_task_count_at(w, server);
    bool counts_fds = l->most[LZ_ULIMIT_FDS] != LZ_ULIMIT_NONE;
    uint32_t fds = counts_fds ? requests + calls_open(w, server) : 0;
    return !is_refused(l, LZ_ULIMIT_FDS, fds) && !is_refused(l, LZ_ULIMIT_THREADS, requests) &&
           !is_refused(l, LZ_ULIMIT_PIDS, requests + 1);
}

bool lz_ulimit_may_call(struct lz_world *w, lz_instance_id client)
{
    if (client >= w->ulimits->cap || !w->ulimits->all[client].is_set)
        return true;
    struct limit *l = &w->ulimits->all[client];
    if (l->most[LZ_ULIMIT_FDS] == LZ_ULIMIT_NONE && l->most[LZ_ULIMIT_PORTS] == LZ_ULIMIT_NONE)
        return true;
    uint32_t calls = calls_open(w, client) + 1;
    return !is_refused(l, LZ_ULIMIT_PORTS, calls) &&
           !is_refused(l, LZ_ULIMIT_FDS, calls + lz_task_count_at(w, client));
}

void lz_ulimits_init(struct lz_world *w)
{
    w->ulimits = lz_arena_alloc(w->arena, sizeof(*w->ulimits));
}
