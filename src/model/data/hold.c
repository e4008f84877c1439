#include "model/data/hold.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/data/sql/statement.h"
#include "model/data/txn_state.h"
#include "model/service/argument.h"
#include "model/world_kinds.h"

struct lz_hold {
    struct lz_hold_opts opts; // touched NULL: nothing is held
    bool is_over;             // ended with its node's process; the place is its fault's until then
    uint32_t node;
    lz_lock_owner owner;
    uint64_t snapshot;
    uint64_t kept;        // versions, when last looked at
    uint32_t first, last; // tasks that wait for the table
};

static struct lz_hold *hold_at(const struct lz_database *d, uint32_t i)
{
    LZ_ASSERT(i >= 1 && i <= d->hold_cap);
    return &d->holds[i - 1];
}

// As few are left as the strictest says.
static void recompute_connections(struct lz_world *w, struct lz_database *d)
{
    uint32_t clients = d->opts.max_connections - d->sessions.reserved, left = clients;
    for (uint32_t i = 1; i <= d->hold_cap; i++) {
        const struct lz_hold_opts *o = &hold_at(d, i)->opts;
        if (o->touched != NULL && o->has_connections && o->connections_left < left)
            left = o->connections_left;
    }
    d->connections_taken = clients - left;
    lz_backend_serve_line(w, d);
}

uint32_t lz_hold_begin(struct lz_world *w, lz_component_id database,
                       const struct lz_hold_opts *opts)
{
    struct lz_database *d = lz_database_at(w, database);
    LZ_ASSERT(opts->touched != NULL);
    uint32_t i = 1;
    while (i <= d->hold_cap && (d->holds[i - 1].opts.touched != NULL || d->holds[i - 1].is_over))
        i++;
    d->holds = lz_grow(w->arena, d->holds, &d->hold_cap, i, sizeof(*d->holds));
    struct lz_hold *h = hold_at(d, i);
    *h = (struct lz_hold){.opts = *opts, .node = d->primary};
    d->hold_count++;
    w->ways++;
    struct lz_database_node *n = &d->nodes[h->node];
    if (opts->has_row) {
        h->owner = lz_lock_begin(&n->locks, LZ_HOLD_OWNER | i);
        (void)lz_lock_take(&n->locks, h->owner, opts->row, LZ_LOCK_EXCLUSIVE);
    }
    if (opts->has_snapshot) {
        h->snapshot = n->applied;
        lz_mvcc_hold(&n->mvcc, h->snapshot);
    }
    if (opts->has_connections)
        recompute_connections(w, d);
    return i;
}

static void leave_line(struct lz_world *w, struct lz_hold *h, struct lz_task *t)
{
    t->detour &= (uint8_t)~LZ_QUERY_HELD;
    if (t->queue_prev != 0)
        lz_task_at(w, t->queue_prev)->queue_next = t->queue_next;
    else
        h->first = t->queue_next;
    if (t->queue_next != 0)
        lz_task_at(w, t->queue_next)->queue_prev = t->queue_prev;
    else
        h->last = t->queue_prev;
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
}

static void let_go(struct lz_world *w, struct lz_database *d, struct lz_hold *h)
{
    LZ_ASSERT(h->opts.touched != NULL);
    struct lz_database_node *n = &d->nodes[h->node];
    lz_hold_second(w, d);
    if (h->opts.has_snapshot) {
        lz_mvcc_let_go(&n->mvcc, h->snapshot);
        lz_session_measure(w, d);
    }
    bool has_connections = h->opts.has_connections;
    h->opts = (struct lz_hold_opts){0};
    d->hold_count--;
    w->ways++;
    lz_row_lock_end(w, d, d->first + h->node, &h->owner);
    while (h->first != 0) {
        struct lz_task *t = lz_task_at(w, h->first);
        leave_line(w, h, t);
        lz_metrics_observe(w->metrics, d->series.locks_wait, lz_sim_now(w->sim) - t->started);
        lz_query_begin(w, d, t);
    }
    if (has_connections)
        recompute_connections(w, d);
}

void lz_hold_end(struct lz_world *w, lz_component_id database, uint32_t hold)
{
    struct lz_database *d = lz_database_at(w, database);
    struct lz_hold *h = hold_at(d, hold);
    if (!h->is_over)
        let_go(w, d, h);
    h->is_over = false;
}

void lz_hold_died(struct lz_world *w, struct lz_database *d, uint32_t node)
{
    for (uint32_t i = 1; i <= d->hold_cap; i++) {
        struct lz_hold *h = hold_at(d, i);
        if (h->opts.touched == NULL || h->node != node || h->opts.has_connections)
            continue;
        let_go(w, d, h);
        h->is_over = true;
    }
}

lz_time lz_hold_patience(const struct lz_world *w, lz_component_id database)
{
    return lz_database_at(w, database)->sessions.idle_timeout;
}

void lz_hold_expire(struct lz_world *w, lz_component_id database, uint32_t hold)
{
    struct lz_database *d = lz_database_at(w, database);
    LZ_ASSERT(d->sessions.idle_timeout > 0);
    if (!hold_at(d, hold)->is_over)
        lz_instance_note(w, d->first + hold_at(d, hold)->node, "rollback",
                         "ends a transaction that said nothing for %gs",
                         (double)d->sessions.idle_timeout / 1e9);
    lz_hold_end(w, database, hold);
}

// What it says: the statement that it carries, or its operation. "insert into orders(id)" names
// orders; a transaction of keys names no table.
static bool names(struct lz_world *w, const struct lz_task *t, const char *table)
{
    const struct lz_sql_statement *carried = lz_statement_of(w, lz_argument_of(w, t));
    const char *p = carried != NULL ? carried->text : lz_call_op_name(w, t->op);
    const char *end = p + (carried != NULL ? carried->size : strlen(p));
    size_t len = strlen(table);
    while (p < end) {
        size_t word = 0;
        while (p + word < end && (isalnum((unsigned char)p[word]) || p[word] == '_'))
            word++;
        if (word == len && strncasecmp(p, table, len) == 0)
            return true;
        p += word > 0 ? word : 1;
    }
    return false;
}

bool lz_hold_stops(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    for (uint32_t i = 1; i <= d->hold_cap; i++) {
        struct lz_hold *h = hold_at(d, i);
        const struct lz_hold_opts *o = &h->opts;
        if (o->touched == NULL || !o->has_table || t->server != d->first + h->node ||
            (o->table != NULL && !names(w, t, o->table)))
            continue;
        (*o->touched)++;
        t->detour |= LZ_QUERY_HELD;
        t->queue_prev = h->last;
        t->queue_next = 0;
        if (h->last != 0)
            lz_task_at(w, h->last)->queue_next = t->head.index;
        else
            h->first = t->head.index;
        h->last = t->head.index;
        lz_row_lock_patience(w, d, t);
        return true;
    }
    return false;
}

void lz_hold_left(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (!(t->detour & LZ_QUERY_HELD))
        return;
    uint32_t first = t->head.index; // of its line
    while (lz_task_at(w, first)->queue_prev != 0)
        first = lz_task_at(w, first)->queue_prev;
    for (uint32_t i = 1; i <= d->hold_cap; i++)
        if (hold_at(d, i)->first == first) {
            leave_line(w, hold_at(d, i), t);
            return;
        }
    LZ_UNREACHABLE("it is in one of the lines");
}

void lz_hold_waited(struct lz_database *d, uint32_t node, uint64_t key)
{
    uint64_t holder = lz_lock_holder(&d->nodes[node].locks, key);
    if (!(holder & LZ_HOLD_OWNER) || (holder & LZ_TXN_OWNER))
        return;
    (*hold_at(d, (uint32_t)holder)->opts.touched)++;
}

void lz_hold_refused(struct lz_database *d)
{
    for (uint32_t i = 1; i <= d->hold_cap; i++)
        if (hold_at(d, i)->opts.touched != NULL && hold_at(d, i)->opts.has_connections)
            (*hold_at(d, i)->opts.touched)++;
}

// Versions that are kept since, at the most.
void lz_hold_second(struct lz_world *w, struct lz_database *d)
{
    lz_session_measure(w, d);
    for (uint32_t i = 1; i <= d->hold_cap; i++) {
        struct lz_hold *h = hold_at(d, i);
        uint64_t kept = d->nodes[h->node].mvcc.dead;
        if (h->opts.touched == NULL || !h->opts.has_snapshot || kept <= h->kept)
            continue;
        *h->opts.touched += kept - h->kept;
        h->kept = kept;
    }
}
