#include "base/check.h"
#include "model/data/database_state.h"
#include "model/world_kinds.h"

/*
 * Backends: a database's connections, as PostgreSQL calls the processes behind them. There are
 * `max_connections`; who finds none waits in line, first come, first served.
 */

static inline void set_connections(struct lz_world *w, struct lz_database *d, uint32_t count)
{
    d->connections = count;
    lz_metrics_count_on(w->metrics, d->series.connections_on, lz_sim_now(w->sim), count);
}

// Some are kept for those who look after it, and faults take some.
static bool has_room(const struct lz_database *d)
{
    if (d->pooler != NULL) // clients come to the pool, which has room for so many: see route
        return true;
    return d->connections + d->connections_taken + d->sessions.reserved < d->opts.max_connections;
}

bool lz_backend_refuses(struct lz_world *w, struct lz_database *d)
{
    bool is_full = d->pooler != NULL ? lz_pooler_is_full(d) : d->sessions.refuses && !has_room(d);
    if (is_full && d->connections_taken > 0)
        lz_hold_refused(d);
    if (is_full)
        lz_metrics_add(w->metrics, d->series.connections_refused, 1);
    return is_full;
}

// Apart, as handing one on is: the usual way saves no registers for them.
static __attribute__((noinline)) void stand_in_line(struct lz_world *w, struct lz_database *d,
                                                    uint64_t call)
{
    if (d->connections_taken > 0)
        lz_hold_refused(d);
    struct lz_waiter *waiter = lz_pool_take(&d->waiters);
    waiter->call = call;
    waiter->since = lz_sim_now(w->sim);
    waiter->prev = d->wait_last;
    if (d->wait_last != 0)
        ((struct lz_waiter *)lz_pool_at(&d->waiters, d->wait_last))->next = waiter->head.index;
    else
        d->wait_first = waiter->head.index;
    d->wait_last = waiter->head.index;
}

bool lz_backend_take(struct lz_world *w, lz_component_id id, uint64_t call)
{
    struct lz_database *d = lz_database_at(w, id);
    if (!has_room(d)) {
        stand_in_line(w, d, call);
        return false;
    }
    set_connections(w, d, d->connections + 1);
    lz_metrics_observe_none_on(w->metrics, d->series.connections_wait_on);
    return true;
}

lz_instance_id lz_backend_open(struct lz_world *w, lz_component_id id)
{
    struct lz_database *d = lz_database_at(w, id);
    if (!lz_query_is_straight(w, d) || !has_room(d))
        return 0;
    d->connections++;
    lz_metrics_enter_on(w->metrics, d->series.connections_on, lz_sim_now(w->sim), 1);
    lz_metrics_observe_none_on(w->metrics, d->series.connections_wait_on);
    return d->first + d->primary;
}

static void remove_waiter(struct lz_database *d, struct lz_waiter *waiter)
{
    if (waiter->prev != 0)
        ((struct lz_waiter *)lz_pool_at(&d->waiters, waiter->prev))->next = waiter->next;
    else
        d->wait_first = waiter->next;
    if (waiter->next != 0)
        ((struct lz_waiter *)lz_pool_at(&d->waiters, waiter->next))->prev = waiter->prev;
    else
        d->wait_last = waiter->prev;
    lz_pool_give(&d->waiters, waiter);
}

static __attribute__((noinline)) void hand_on(struct lz_world *w, struct lz_database *d)
{
    struct lz_waiter *waiter = lz_pool_at(&d->waiters, d->wait_first);
    uint64_t call = waiter->call;
    lz_metrics_observe_on(w->metrics, d->series.connections_wait_on,
                          lz_sim_now(w->sim) - waiter->since);
    remove_waiter(d, waiter);
    lz_client_connected(w, call);
}

void lz_backend_give(struct lz_world *w, lz_component_id id)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(d->connections > 0);
    if (d->wait_first == 0 || d->pooler != NULL ||
        d->connections - 1 + d->connections_taken + d->sessions.reserved >=
            d->opts.max_connections) {
        d->connections--;
        lz_metrics_leave_on(w->metrics, d->series.connections_on, lz_sim_now(w->sim), 1);
        return;
    }
    hand_on(w, d);
}

// More of them are there than before.
void lz_backend_serve_line(struct lz_world *w, struct lz_database *d)
{
    if (d->pooler != NULL)
        lz_pooler_serve_line(w, d);
    while (d->wait_first != 0 && has_room(d)) {
        set_connections(w, d, d->connections + 1);
        hand_on(w, d);
    }
}

void lz_backend_forget(struct lz_world *w, lz_component_id id, uint64_t call)
{
    struct lz_database *d = lz_database_at(w, id);
    for (uint32_t at = d->wait_first; at != 0;) {
        struct lz_waiter *waiter = lz_pool_at(&d->waiters, at);
        if (waiter->call == call) {
            lz_metrics_observe_on(w->metrics, d->series.connections_wait_on,
                                  lz_sim_now(w->sim) - waiter->since);
            remove_waiter(d, waiter);
            return;
        }
        at = waiter->next;
    }
    LZ_UNREACHABLE("a call that waits is in line");
}
