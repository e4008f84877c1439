#include "model/data/pooler.h"

#include "base/check.h"
#include "model/client/client_state.h"
#include "model/data/txn_state.h"
#include "model/net/connection.h"
#include "model/world_kinds.h"

struct lz_pooler {
    struct lz_pooler_opts opts;
    uint32_t used;
    uint32_t waiting;
    uint32_t first, last; // tasks in line
    lz_kind timeout;
};

static uint32_t slots(const struct lz_database *d)
{
    uint32_t taken = d->connections_taken + d->sessions.reserved;
    uint32_t left = taken < d->opts.max_connections ? d->opts.max_connections - taken : 0;
    return left < d->pooler->opts.size ? left : d->pooler->opts.size;
}

static void measure(struct lz_world *w, struct lz_database *d)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, d->series.pool_used, now, d->pooler->used);
    lz_metrics_set(w->metrics, d->series.pool_waiting, now, d->pooler->waiting);
}

static void get_in_line(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_pooler *p = d->pooler;
    t->state = LZ_TASK_QUEUED;
    t->detour |= LZ_QUERY_IN_LINE;
    t->queue_prev = p->last;
    t->queue_next = 0;
    if (p->last != 0)
        lz_task_at(w, p->last)->queue_next = t->head.index;
    else
        p->first = t->head.index;
    p->last = t->head.index;
    p->waiting++;
    t->timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + p->opts.queue_timeout, p->timeout, t->server,
                         lz_pool_id(t));
    measure(w, d);
}

static void leave_line(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_pooler *p = d->pooler;
    t->detour &= (uint8_t)~LZ_QUERY_IN_LINE;
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        p->first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        p->last = t->queue_prev;
    LZ_ASSERT(p->waiting > 0);
    p->waiting--;
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
    lz_metrics_observe(w->metrics, d->series.pool_wait, lz_sim_now(w->sim) - t->arrived);
    measure(w, d);
}

// Where it is kept, for a client that has a connection of its own, that it has a server's.
static bool *of_client(struct lz_world *w, const struct lz_database *d, const struct lz_task *t)
{
    return d->pooler->opts.mode == LZ_POOLING_SESSION ? lz_connection_backend(w, t->call) : NULL;
}

static void take(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    bool *client = of_client(w, d, t);
    struct lz_txn *x = t->is_session ? lz_txn_find(w, t->key) : NULL;
    d->pooler->used++;
    LZ_ASSERT(d->pooler->used <= d->pooler->opts.size);
    if (client != NULL)
        *client = true;
    else if (x != NULL && x->state <= LZ_TXN_ACTIVE)
        x->has_slot = true;
    else
        t->detour |= LZ_QUERY_HAS_SLOT;
    measure(w, d);
}

static bool has_one(struct lz_world *w, const struct lz_database *d, const struct lz_task *t)
{
    const bool *client = of_client(w, d, t);
    const struct lz_txn *x = t->is_session ? lz_txn_find(w, t->key) : NULL;
    return (client != NULL && *client) || (x != NULL && x->has_slot);
}

bool lz_pooler_admits(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_pooler *p = d->pooler;
    if (has_one(w, d, t))
        return true;
    if (t->is_session && p->opts.mode == LZ_POOLING_STATEMENT) {
        struct lz_txn *x = lz_txn_find(w, t->key);
        if (x != NULL)
            x->error = LZ_TXN_POOLED;
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 409);
        return false;
    }
    if (p->used >= slots(d) || p->first != 0) {
        get_in_line(w, d, t);
        if (d->connections_taken > 0)
            lz_hold_refused(d);
        return false;
    }
    take(w, d, t);
    lz_metrics_observe(w->metrics, d->series.pool_wait, 0);
    return true;
}

void lz_pooler_serve_line(struct lz_world *w, struct lz_database *d)
{
    struct lz_pooler *p = d->pooler;
    while (p->first != 0 && p->used < slots(d)) {
        struct lz_task *t = lz_task_at(w, p->first);
        leave_line(w, d, t);
        take(w, d, t);
        lz_query_begin(w, d, t);
    }
}

static void give(struct lz_world *w, struct lz_database *d)
{
    LZ_ASSERT(d->pooler->used > 0);
    d->pooler->used--;
    measure(w, d);
    lz_pooler_serve_line(w, d);
}

void lz_pooler_left(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (t->detour & LZ_QUERY_IN_LINE)
        leave_line(w, d, t);
    if (!(t->detour & LZ_QUERY_HAS_SLOT))
        return;
    t->detour &= (uint8_t)~LZ_QUERY_HAS_SLOT;
    give(w, d);
}

void lz_pooler_txn_ended(struct lz_world *w, struct lz_database *d, struct lz_txn *x)
{
    if (!x->has_slot)
        return;
    x->has_slot = false;
    give(w, d);
}

void lz_pooler_closed(struct lz_world *w, lz_component_id database)
{
    give(w, lz_database_at(w, database));
}

bool lz_pooler_is_full(const struct lz_database *d)
{
    return d->connections >= d->pooler->opts.max_clients;
}

// PgBouncer closes the client's connection; here its query fails.
static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || !(t->detour & LZ_QUERY_IN_LINE))
        return;
    struct lz_database *d = lz_database_of(w, t);
    if (lz_instance_defer(w, entity, d->pooler->timeout, payload))
        return;
    struct lz_txn *x = t->is_session ? lz_txn_find(w, t->key) : NULL;
    if (x != NULL)
        x->error = LZ_TXN_QUEUE_TIMEOUT;
    t->timer = 0;
    lz_metrics_add(w->metrics, d->series.pool_timeouts, 1);
    lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 503);
}

bool lz_pooler_declare(struct lz_world *w, lz_component_id database,
                       const struct lz_pooler_opts *opts, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, database);
    LZ_ASSERT(!w->running);
    struct lz_pooler_opts o = *opts;
    if (o.size == 0)
        o.size = 20;
    if (o.max_clients == 0)
        o.max_clients = 100;
    if (o.queue_timeout == 0)
        o.queue_timeout = 120 * LZ_S;
    uint32_t most = d->opts.max_connections - d->sessions.reserved;
    if (o.size > most)
        return lz_fail(err, LZ_ERANGE,
                       "the pool's size must be at most what clients may have of the database, "
                       "max_connections less reserved (%u), got %u",
                       most, o.size);
    d->pooler = lz_arena_alloc(w->arena, sizeof(*d->pooler));
    d->pooler->opts = o;
    d->pooler->timeout = lz_sim_kind(w->sim, "pool.timeout", on_timeout, w);
    return true;
}
