#include "base/check.h"
#include "model/data/txn_state.h"
#include "model/world_kinds.h"

/* Rows' locks at a node: waits for them, and how they end (lock.h says who gets which). */

static struct lz_txn *txn_of_owner(const struct lz_world *w, uint64_t payload)
{
    return payload & LZ_TXN_OWNER ? lz_txn_find(w, payload & ~LZ_TXN_OWNER) : NULL;
}

static void measure_locks(struct lz_world *w, struct lz_database *d)
{
    lz_metrics_set(w->metrics, d->series.locks_waiting, lz_sim_now(w->sim),
                   d->nodes[d->primary].locks.waiting);
}

static void waited(struct lz_world *w, struct lz_database *d, struct lz_task *t, lz_time since)
{
    lz_metrics_observe(w->metrics, d->series.locks_wait, lz_sim_now(w->sim) - since);
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
}

// What waits no longer runs. It may end at once, and free others: one loop for all of them.
static void run_granted(struct lz_world *w, struct lz_database *d, struct lz_database_node *n)
{
    measure_locks(w, d);
    if (n->is_granting)
        return;
    n->is_granting = true;
    for (uint64_t who; (who = lz_lock_granted(&n->locks)) != 0;) {
        if ((who & LZ_HOLD_OWNER) && !(who & LZ_TXN_OWNER))
            continue; // a hold has what it wanted
        struct lz_txn *x = txn_of_owner(w, who);
        struct lz_task *t = lz_task_find(w, x != NULL ? x->task : who);
        LZ_ASSERT(t != NULL && t->state == LZ_TASK_WORKING);
        waited(w, d, t, x != NULL ? x->waits_since : t->started);
        if (x != NULL) {
            lz_sim_cancel(w->sim, x->timer);
            x->timer = 0;
        }
        lz_query_work(w, d, t);
    }
    n->is_granting = false;
    measure_locks(w, d);
}

void lz_row_lock_end(struct lz_world *w, struct lz_database *d, lz_instance_id node,
                     lz_lock_owner *owner)
{
    struct lz_database_node *n = &d->nodes[node - d->first];
    if (*owner == 0)
        return;
    lz_lock_owner ending = *owner;
    *owner = 0;
    bool was_alone = n->locks.waiting == 0;
    lz_lock_end(&n->locks, ending);
    if (!was_alone)
        run_granted(w, d, n);
}

// It gives up when its patience is over.
void lz_row_lock_patience(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_txns *txns = lz_txns_get(w);
    if (d->sessions.lock_timeout > 0)
        t->timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + d->sessions.lock_timeout,
                             txns->lock_timeout, t->server, lz_pool_id(t));
}

static void begin_wait(struct lz_world *w, struct lz_database *d, struct lz_task *t, uint64_t key)
{
    measure_locks(w, d);
    if (d->hold_count > 0)
        lz_hold_waited(d, t->server - d->first, key);
    lz_row_lock_patience(w, d, t);
}

// A write that is a transaction of its own: it holds one lock, and so is part of no cycle.
bool lz_row_lock_write(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_locks *locks = &d->nodes[t->server - d->first].locks;
    t->locks = lz_lock_take_sole(locks, lz_pool_id(t), t->key);
    if (t->locks != 0) {
        lz_metrics_observe_on(w->metrics, d->series.locks_wait_on, 0);
        return true;
    }
    t->locks = lz_lock_begin(locks, lz_pool_id(t));
    if (lz_lock_take(locks, t->locks, t->key, LZ_LOCK_EXCLUSIVE)) {
        lz_metrics_observe(w->metrics, d->series.locks_wait, 0);
        return true;
    }
    begin_wait(w, d, t, t->key);
    return false;
}

bool lz_row_lock_take(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                      struct lz_task *t)
{
    struct lz_locks *locks = &lz_txn_node(d, x)->locks;
    if (x->locks == 0)
        x->locks = lz_lock_begin(locks, lz_pool_id(x) | LZ_TXN_OWNER);
    if (lz_lock_take(locks, x->locks, x->statement.key, LZ_LOCK_EXCLUSIVE)) {
        lz_metrics_observe(w->metrics, d->series.locks_wait, 0);
        return true;
    }
    x->waits_since = lz_sim_now(w->sim);
    begin_wait(w, d, t, x->statement.key);
    x->timer = lz_sim_at(w->sim, x->waits_since + d->sessions.deadlock_timeout, w->txns->deadlock,
                         t->server, lz_pool_id(x));
    return false;
}

bool lz_row_lock_keys(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                      struct lz_task *t, const uint64_t *keys, uint32_t count)
{
    struct lz_locks *locks = &d->nodes[t->server - d->first].locks;
    lz_lock_owner *owner = x != NULL ? &x->locks : &t->locks;
    if (*owner == 0)
        *owner = lz_lock_begin(locks, x != NULL ? lz_pool_id(x) | LZ_TXN_OWNER : lz_pool_id(t));
    for (uint32_t i = 0; i < count; i++) {
        if (lz_lock_take(locks, *owner, keys[i], LZ_LOCK_EXCLUSIVE))
            continue;
        begin_wait(w, d, t, keys[i]);
        if (x == NULL)
            return false;
        x->waits_since = lz_sim_now(w->sim);
        x->timer = lz_sim_at(w->sim, x->waits_since + d->sessions.deadlock_timeout,
                             w->txns->deadlock, t->server, lz_pool_id(x));
        return false;
    }
    return true;
}

// PostgreSQL's CheckDeadLock: whoever finds the cycle is the one to give up.
static void on_deadlock(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_txn *x = lz_session_active(w, entity, w->txns->deadlock, payload);
    if (x == NULL || x->locks == 0)
        return;
    struct lz_database *d = lz_database_at(w, x->database);
    uint64_t cycle[LZ_LOCK_CYCLE_MAX];
    x->timer = 0;
    uint32_t length = lz_lock_cycle(&lz_txn_node(d, x)->locks, x->locks, cycle);
    if (length == 0)
        return;
    lz_instance_note(w, x->server, "deadlock", "deadlock of %u transactions, one rolled back",
                     length);
    struct lz_task *t = lz_task_find(w, x->task);
    LZ_ASSERT(t != NULL);
    waited(w, d, t, x->waits_since);
    lz_session_fail(w, d, t, LZ_TXN_DEADLOCK);
}

static void on_lock_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->timer == 0 || lz_instance_defer(w, entity, w->txns->lock_timeout, payload))
        return;
    struct lz_database *d = lz_database_of(w, t);
    struct lz_txn *x = t->is_session ? lz_txn_find(w, t->key) : NULL;
    t->timer = 0;
    waited(w, d, t, x != NULL ? x->waits_since : t->started);
    if (x != NULL) {
        lz_session_fail(w, d, t, LZ_TXN_LOCK_TIMEOUT);
        return;
    }
    lz_session_count(w, d, LZ_TXN_LOCK_TIMEOUT);
    lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 409);
}

void lz_row_locks_init(struct lz_world *w, struct lz_txns *txns)
{
    txns->deadlock = lz_sim_kind(w->sim, "deadlock", on_deadlock, w);
    txns->lock_timeout = lz_sim_kind(w->sim, "lock.timeout", on_lock_timeout, w);
}
