#include "model/data/session.h"

#include <string.h>

#include "base/check.h"
#include "base/str.h"
#include "model/data/mvcc.h"
#include "model/data/txn_state.h"
#include "model/history/recorder_txn.h"
#include "model/node/disk.h"
#include "model/world_kinds.h"

// The only way from one state to another.
static void move(struct lz_txn *x, enum lz_txn_state to)
{
    static const uint8_t allowed[] = {
        [LZ_TXN_OPEN] = 1u << LZ_TXN_ACTIVE | 1u << LZ_TXN_ABORTED,
        [LZ_TXN_ACTIVE] = 1u << LZ_TXN_COMMITTING | 1u << LZ_TXN_COMMITTED | 1u << LZ_TXN_ABORTED,
        [LZ_TXN_COMMITTING] = 1u << LZ_TXN_COMMITTED | 1u << LZ_TXN_ABORTED,
        [LZ_TXN_COMMITTED] = 0,
        [LZ_TXN_ABORTED] = 0,
    };
    LZ_ASSERT(allowed[x->state] >> to & 1u);
    x->state = (uint8_t)to;
}

// ---------------------------------------------------------------- beginning and end

static void enter(struct lz_world *w, struct lz_database *d, struct lz_txn *x)
{
    move(x, LZ_TXN_ACTIVE);
    x->began = lz_sim_now(w->sim);
    x->prev = d->txn_last;
    if (d->txn_last != 0)
        ((struct lz_txn *)lz_pool_at(&w->txns->all, d->txn_last))->next = x->head.index;
    else
        d->txn_first = x->head.index;
    d->txn_last = x->head.index;
    lz_metrics_set(w->metrics, d->series.transactions, x->began, ++d->txn_count);
}

static void leave(struct lz_world *w, struct lz_database *d, struct lz_txn *x)
{
    struct lz_pool *all = &w->txns->all;
    if (x->prev != 0)
        ((struct lz_txn *)lz_pool_at(all, x->prev))->next = x->next;
    else
        d->txn_first = x->next;
    if (x->next != 0)
        ((struct lz_txn *)lz_pool_at(all, x->next))->prev = x->prev;
    else
        d->txn_last = x->prev;
    lz_metrics_set(w->metrics, d->series.transactions, lz_sim_now(w->sim), --d->txn_count);
}

void lz_session_measure(struct lz_world *w, struct lz_database *d)
{
    lz_metrics_set(w->metrics, d->series.dead_rows, lz_sim_now(w->sim),
                   d->nodes[d->primary].mvcc.dead);
}

static void take_snapshot(struct lz_world *w, struct lz_database *d, struct lz_txn *x)
{
    bool has_many =
        d->sql != NULL && (d->multi != NULL || d->agree != NULL); // and no log to go back along
    if (x->has_snapshot || x->opts.isolation == LZ_READ_COMMITTED || has_many)
        return;
    x->has_snapshot = true;
    struct lz_database_node *n = lz_txn_node(d, x);
    x->snapshot = n->applied;
    lz_mvcc_hold(&n->mvcc, x->snapshot);
    if (x->opts.isolation != LZ_SERIALIZABLE ||
        !lz_database_takes_writes(w, d, x->server - d->first))
        return;
    if (n->serial == NULL) {
        n->serial = lz_arena_alloc(w->arena, sizeof(*n->serial));
        lz_serial_init(n->serial, w->arena);
    }
    x->serial = lz_serial_begin(n->serial);
}

// It is over at its node, whichever way: nothing it had is left.
static void end(struct lz_world *w, struct lz_database *d, struct lz_txn *x, enum lz_txn_state how)
{
    move(x, how);
    leave(w, d, x);
    lz_sim_cancel(w->sim, x->timer);
    x->timer = 0;
    x->task = 0;
    while (x->writes_first != 0) {
        struct lz_txn_write *one = lz_pool_at(&w->txns->writes, x->writes_first);
        x->writes_first = one->next;
        lz_pool_give(&w->txns->writes, one);
    }
    x->writes_last = x->write_count = 0;
    lz_execute_forget(w, x);
    if (x->has_snapshot) {
        x->has_snapshot = false;
        lz_mvcc_let_go(&lz_txn_node(d, x)->mvcc, x->snapshot);
        lz_session_measure(w, d);
    }
    if (x->serial != 0 && how == LZ_TXN_ABORTED)
        lz_serial_abort(lz_txn_node(d, x)->serial, x->serial);
    x->serial = 0;
    lz_row_lock_end(w, d, x->server, &x->locks);
    if (d->pooler != NULL)
        lz_pooler_txn_ended(w, d, x);
    lz_txn_done(w, x);
}

void lz_session_count(struct lz_world *w, struct lz_database *d, enum lz_txn_error error)
{
    const struct lz_database_series *s = &d->series;
    if (error == LZ_TXN_CONFLICT || error == LZ_TXN_DANGEROUS)
        lz_metrics_add(w->metrics, s->serialization_failures, 1);
    else if (error == LZ_TXN_DEADLOCK)
        lz_metrics_add(w->metrics, s->deadlocks, 1);
    else if (error == LZ_TXN_LOCK_TIMEOUT)
        lz_metrics_add(w->metrics, s->lock_timeouts, 1);
}

void lz_session_abort(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                      enum lz_txn_error error)
{
    if (error != LZ_TXN_OK)
        x->error = (uint8_t)error;
    end(w, d, x, LZ_TXN_ABORTED);
}

// The statement under way is not done, and the transaction with it.
void lz_session_fail(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                     enum lz_txn_error error)
{
    struct lz_txn *x = lz_txn_find(w, t->key);
    LZ_ASSERT(x != NULL && x->task == lz_pool_id(t));
    lz_session_count(w, d, error);
    x->error = (uint8_t)error;
    lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, error == LZ_TXN_READ_ONLY ? 503 : 409);
}

// ---------------------------------------------------------------- statements

static struct lz_txn_write *own_write(const struct lz_world *w, const struct lz_txn *x,
                                      uint64_t key)
{
    for (uint32_t i = x->writes_first; i != 0;) {
        struct lz_txn_write *one = lz_pool_at(&w->txns->writes, i);
        if (one->key == key)
            return one;
        i = one->next;
    }
    return NULL;
}

// False: the transaction cannot go on.
static bool read_key(struct lz_world *w, struct lz_database *d, const struct lz_txn *x,
                     uint64_t key, lz_value *value)
{
    const struct lz_database_node *n = lz_txn_node(d, x);
    const struct lz_txn_write *own = own_write(w, x, key);
    if (own != NULL) {
        *value = own->value;
        return true;
    }
    uint64_t version = x->has_snapshot ? lz_mvcc_read(&n->mvcc, &n->rows, x->snapshot, key, value)
                                       : lz_rows_read(&n->rows, key, value);
    if (x->recorded != 0)
        lz_recorder_txn_saw(w, x, key, *value, version);
    return x->serial == 0 || lz_serial_read(n->serial, x->serial, key);
}

static bool scan(struct lz_world *w, struct lz_database *d, struct lz_txn *x)
{
    const struct lz_statement *s = &x->statement;
    struct lz_txn_row found[64], *rows = found;
    uint32_t count = 0, most = (uint32_t)(s->to - s->key + 1);
    if (most > sizeof(found) / sizeof(found[0]))
        rows = lz_arena_alloc(w->arena, most * sizeof(*rows));
    bool can_go_on = true;
    for (uint64_t key = s->key; can_go_on; key++) {
        lz_value value = 0;
        can_go_on = read_key(w, d, x, key, &value);
        if (value != 0)
            rows[count++] = (struct lz_txn_row){.key = key, .value = value};
        if (key == s->to)
            break;
    }
    lz_argument_drop(w, x->rows);
    x->rows = lz_argument_make(w, rows, count * (uint32_t)sizeof(*rows));
    if (rows != found)
        lz_arena_free(w->arena, rows, most * sizeof(*rows));
    return can_go_on;
}

static void write_key(struct lz_world *w, struct lz_txn *x, lz_value value)
{
    struct lz_txn_write *one = own_write(w, x, x->statement.key);
    if (one == NULL) {
        one = lz_pool_take(&w->txns->writes);
        one->key = x->statement.key;
        if (x->writes_last != 0)
            ((struct lz_txn_write *)lz_pool_at(&w->txns->writes, x->writes_last))->next =
                one->head.index;
        else
            x->writes_first = one->head.index;
        x->writes_last = one->head.index;
        x->write_count++;
    }
    one->value = value;
}

/*
 * As `v || ',' || element` of SQL, of the row as it is now: whoever could have changed it since
 * would hold its lock, or has made this transaction fail. False: the text is too long.
 */
static bool append_key(struct lz_world *w, const struct lz_database *d, struct lz_txn *x,
                       lz_value *value)
{
    const struct lz_txn_write *own = own_write(w, x, x->statement.key);
    lz_value before = 0;
    char text[40];
    struct lz_str s;
    if (own != NULL)
        before = own->value;
    else
        lz_rows_read(&lz_txn_node(d, x)->rows, x->statement.key, &before);
    lz_str_init(&s);
    for (int i = 0; i < 2; i++) {
        lz_value part = i == 0 ? before : x->statement.value;
        size_t size = 0;
        if (part == 0)
            continue;
        if (s.len > 0)
            lz_str_add_char(&s, ',');
        if (lz_value_kind(part) == LZ_VALUE_TEXT) {
            const char *bytes = lz_value_to_text(w, part, &size);
            lz_str_add_n(&s, bytes, size);
        } else {
            lz_str_add(&s, lz_value_show(w, part, text, sizeof(text)));
        }
    }
    bool fits = s.len <= LZ_VALUE_TEXT_MAX;
    if (fits)
        *value = lz_value_text(w, s.text, s.len);
    lz_str_finish(&s);
    return fits;
}

// Of a row whose lock it has: has another transaction written it since the snapshot?
static bool is_overtaken(const struct lz_database *d, const struct lz_txn *x)
{
    return x->has_snapshot && lz_rows_get(&lz_txn_node(d, x)->rows, x->statement.key) > x->snapshot;
}

static enum lz_txn_error execute(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                                 lz_value *value)
{
    uint64_t key = x->statement.key;
    switch (x->statement.kind) {
    case LZ_STATEMENT_READ:
        return read_key(w, d, x, key, value) ? LZ_TXN_OK : LZ_TXN_DANGEROUS;
    case LZ_STATEMENT_SCAN:
        return scan(w, d, x) ? LZ_TXN_OK : LZ_TXN_DANGEROUS;
    case LZ_STATEMENT_LOCK:
        if (is_overtaken(d, x))
            return LZ_TXN_CONFLICT;
        return read_key(w, d, x, key, value) ? LZ_TXN_OK : LZ_TXN_DANGEROUS;
    case LZ_STATEMENT_WRITE:
        if (is_overtaken(d, x))
            return LZ_TXN_CONFLICT;
        if (x->serial != 0 && !lz_serial_write(lz_txn_node(d, x)->serial, x->serial, key))
            return LZ_TXN_DANGEROUS;
        write_key(w, x, x->statement.value);
        *value = x->statement.value;
        return LZ_TXN_OK;
    case LZ_STATEMENT_APPEND:
        if (is_overtaken(d, x))
            return LZ_TXN_CONFLICT;
        if (x->serial != 0 && !lz_serial_write(lz_txn_node(d, x)->serial, x->serial, key))
            return LZ_TXN_DANGEROUS;
        if (!append_key(w, d, x, value))
            return LZ_TXN_TOO_LARGE;
        write_key(w, x, *value);
        if (x->recorded != 0)
            lz_recorder_txn_grew(w, x, *value);
        return LZ_TXN_OK;
    case LZ_STATEMENT_SQL:
    case LZ_STATEMENT_COMMIT:
    case LZ_STATEMENT_ROLLBACK:
        break;
    }
    LZ_UNREACHABLE("it is not worked on");
}

bool lz_session_reads(const struct lz_world *w, const struct lz_task *t)
{
    const struct lz_txn *x = lz_txn_find(w, t->key);
    if (x != NULL && x->statement.kind == LZ_STATEMENT_SQL)
        return x->statement.to != 0;
    return x != NULL && x->statement.kind != LZ_STATEMENT_WRITE &&
           x->statement.kind != LZ_STATEMENT_APPEND;
}

void lz_session_worked(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_txn *x = lz_txn_find(w, t->key);
    LZ_ASSERT(x != NULL && x->state == LZ_TXN_ACTIVE);
    if (x->statement.kind == LZ_STATEMENT_SQL) {
        lz_execute_in(w, d, x, t);
        return;
    }
    lz_value value = 0;
    enum lz_txn_error error = execute(w, d, x, &value);
    if (error != LZ_TXN_OK) {
        lz_session_fail(w, d, t, error);
        return;
    }
    t->value = value;
    lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
}

static bool may_write(const struct lz_world *w, const struct lz_database *d, const struct lz_txn *x)
{
    return lz_database_takes_writes(w, d, x->server - d->first) && !x->opts.is_read_only;
}

// From now on it is not ours to abort; it is in no snapshot before others see it.
static bool commit_serial(const struct lz_world *w, const struct lz_database *d, struct lz_txn *x)
{
    struct lz_database_node *n = lz_txn_node(d, x);
    uint32_t records = x->write_count > 0 ? x->write_count : x->image_count > 0;
    uint64_t last = n->lsn + records;
    if (d->agree != NULL)
        last = lz_agree_next(w, d, x->server - d->first);
    bool hides = records > 0 && (lz_visible_is_late(d) || d->agree != NULL);
    if (!lz_serial_commit(n->serial, x->serial, hides ? last : 0))
        return false;
    x->serial = 0;
    return true;
}

void lz_session_flushed(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_txn *x = lz_txn_find(w, t->key);
    LZ_ASSERT(x != NULL && x->state == LZ_TXN_ACTIVE);
    if (x->write_count + x->image_count > 0 && !may_write(w, d, x)) {
        lz_session_fail(w, d, t, LZ_TXN_READ_ONLY);
        return;
    }
    if (x->serial != 0 && !commit_serial(w, d, x)) {
        lz_session_fail(w, d, t, LZ_TXN_DANGEROUS);
        return;
    }
    if (x->image_count > 0) {
        lz_execute_commit(w, d, x, t);
        return;
    }
    if (x->write_count == 0) {
        lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
        return;
    }
    if (d->agree != NULL) {
        move(x, LZ_TXN_COMMITTING);
        (void)lz_agree_commit(w, d, t, x); // it leads: it may write
        return;
    }
    uint32_t node = t->server - d->first;
    uint64_t lsn = 0;
    for (uint32_t i = x->writes_first; i != 0;) {
        const struct lz_txn_write *one = lz_pool_at(&w->txns->writes, i);
        i = one->next;
        lsn = lz_database_append(w, d, node,
                                 &(struct lz_change){.key = one->key, .value = one->value});
        lz_wal_get(&d->nodes[node].log->wal, lsn)->more = i != 0;
        if (d->multi != NULL)
            lz_multi_wrote(w, d, node, lsn);
        else if (!lz_visible_is_late(d))
            lz_database_put(&d->nodes[node], lz_wal_get(&d->nodes[node].log->wal, lsn), lsn);
        if (x->recorded != 0)
            lz_recorder_txn_wrote(w, x, one->key, lsn);
    }
    move(x, LZ_TXN_COMMITTING);
    lz_session_measure(w, d);
    lz_database_appended(w, d, node);
    lz_database_commit(w, d, t, lsn);
    lz_database_measure_lag(w, d);
}

void lz_session_committing(struct lz_txn *x)
{
    move(x, LZ_TXN_COMMITTING);
}

static void commit(struct lz_world *w, struct lz_database *d, struct lz_txn *x, struct lz_task *t)
{
    bool waits = d->agree == NULL && d->replication.commit != LZ_COMMIT_ASYNC &&
                 lz_disk_is_felt(w, t->server);
    if (x->write_count + x->image_count > 0 && waits)
        lz_query_flush(w, t);
    else
        lz_session_flushed(w, d, t);
}

static bool is_too_large(const struct lz_txn *x)
{
    const struct lz_statement *s = &x->statement;
    if (s->kind == LZ_STATEMENT_SCAN)
        return s->to < s->key || s->to - s->key >= LZ_TXN_SCAN_MAX;
    bool writes = s->kind == LZ_STATEMENT_WRITE || s->kind == LZ_STATEMENT_APPEND;
    return writes && x->write_count >= LZ_TXN_WRITES_MAX;
}

// What it is that has arrived. False if it is answered already, or waits.
static bool begin_statement(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                            struct lz_task *t)
{
    enum lz_statement_kind kind = x->statement.kind;
    bool writes =
        kind == LZ_STATEMENT_WRITE || kind == LZ_STATEMENT_APPEND || kind == LZ_STATEMENT_LOCK;
    if (kind == LZ_STATEMENT_ROLLBACK)
        lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
    else if (kind == LZ_STATEMENT_COMMIT)
        commit(w, d, x, t);
    else if (is_too_large(x))
        lz_session_fail(w, d, t, LZ_TXN_TOO_LARGE);
    else if (writes && !may_write(w, d, x))
        lz_session_fail(w, d, t, LZ_TXN_READ_ONLY);
    else {
        take_snapshot(w, d, x);
        return !writes || lz_row_lock_take(w, d, x, t);
    }
    return false;
}

bool lz_session_arrived(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    if (!t->is_session)
        return d->sql != NULL || lz_row_lock_write(w, d, t); // rows of SQL are known later
    struct lz_txn *x = lz_txn_find(w, t->key);
    bool is_here = x != NULL && x->server == t->server && !x->is_closed;
    if (is_here && x->state == LZ_TXN_OPEN)
        enter(w, d, x);
    if (!is_here || x->state != LZ_TXN_ACTIVE) {
        if (is_here && x->error == LZ_TXN_OK)
            x->error = LZ_TXN_FAILED;
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, 409);
        return false;
    }
    lz_sim_cancel(w->sim, x->timer);
    x->timer = 0;
    x->task = lz_pool_id(t);
    bool ends =
        x->statement.kind == LZ_STATEMENT_COMMIT || x->statement.kind == LZ_STATEMENT_ROLLBACK;
    x->waits_since = lz_sim_now(w->sim);
    if (d->hold_count > 0 && !ends && lz_hold_stops(w, d, t))
        return false; // it comes here again
    return begin_statement(w, d, x, t);
}

// Its client has the word now.
static void go_idle(struct lz_world *w, struct lz_database *d, struct lz_txn *x)
{
    x->task = 0;
    if (x->is_unwanted)
        lz_session_abort(w, d, x, LZ_TXN_LOST);
    else if (d->sessions.idle_timeout > 0)
        x->timer = lz_sim_at(w->sim, lz_sim_now(w->sim) + d->sessions.idle_timeout, w->txns->idle,
                             x->server, lz_pool_id(x));
}

void lz_session_answers(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                        enum lz_outcome outcome)
{
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
    if (!t->is_session) {
        lz_row_lock_end(w, d, t->server, &t->locks);
        return;
    }
    struct lz_txn *x = lz_txn_find(w, t->key);
    if (x == NULL || x->task != lz_pool_id(t)) {
        if (x != NULL && x->error == LZ_TXN_OK && outcome != LZ_OUTCOME_OK)
            x->error = LZ_TXN_IO; // turned away at the door
        return;
    }
    if (outcome != LZ_OUTCOME_OK)
        lz_session_abort(w, d, x, x->error == LZ_TXN_OK ? LZ_TXN_IO : LZ_TXN_OK);
    else if (x->statement.kind == LZ_STATEMENT_COMMIT)
        end(w, d, x, LZ_TXN_COMMITTED);
    else if (x->statement.kind == LZ_STATEMENT_ROLLBACK)
        lz_session_abort(w, d, x, LZ_TXN_OK);
    else
        go_idle(w, d, x);
}

void lz_session_dropped(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    lz_sim_cancel(w->sim, t->timer);
    t->timer = 0;
    if (!t->is_session) {
        lz_row_lock_end(w, d, t->server, &t->locks);
        return;
    }
    struct lz_txn *x = lz_txn_find(w, t->key);
    if (x != NULL && x->task == lz_pool_id(t))
        lz_session_abort(w, d, x, LZ_TXN_LOST);
}

void lz_session_node_ended(struct lz_world *w, struct lz_database *d, lz_instance_id node)
{
    for (uint32_t i = d->txn_first; i != 0;) {
        struct lz_txn *x = lz_pool_at(&w->txns->all, i);
        if (x->server != node) {
            i = x->next;
            continue;
        }
        LZ_ASSERT(x->task == 0);
        lz_session_abort(w, d, x, LZ_TXN_LOST);
        i = d->txn_first; // one that ends may end others
    }
}

// ---------------------------------------------------------------- events

struct lz_txn *lz_session_active(struct lz_world *w, lz_instance_id at, lz_kind kind, uint64_t id)
{
    struct lz_txn *x = lz_txn_find(w, id);
    bool is_active = x != NULL && x->state == LZ_TXN_ACTIVE && x->server == at;
    return is_active && !lz_instance_defer(w, at, kind, id) ? x : NULL;
}

// Its client has closed the connection.
static void on_end(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_txn *x = lz_txn_find(w, payload);
    if (x == NULL || lz_instance_defer(w, entity, w->txns->end, payload))
        return;
    x->is_unwanted = true;
    if (x->state == LZ_TXN_ACTIVE && x->task == 0)
        lz_session_abort(w, lz_database_at(w, x->database), x, LZ_TXN_LOST);
}

static void on_idle(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_txn *x = lz_session_active(w, entity, w->txns->idle, payload);
    if (x == NULL || x->task != 0)
        return;
    x->timer = 0;
    lz_session_abort(w, lz_database_at(w, x->database), x, LZ_TXN_IDLE_TIMEOUT);
}

bool lz_session_declare(struct lz_world *w, lz_component_id database,
                        const struct lz_session_opts *opts, struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, database);
    LZ_ASSERT(!w->running);
    if (opts->reserved >= d->opts.max_connections)
        return lz_fail(err, LZ_ERANGE,
                       "reserved must be below max_connections (%u), got %u: no client would ever "
                       "get a connection",
                       d->opts.max_connections, opts->reserved);
    d->sessions = *opts;
    if (d->sessions.deadlock_timeout == 0)
        d->sessions.deadlock_timeout = LZ_S;
    return true;
}

void lz_sessions_init(struct lz_world *w, struct lz_txns *txns)
{
    txns->end = lz_sim_kind(w->sim, "session.end", on_end, w);
    lz_row_locks_init(w, txns);
    txns->idle = lz_sim_kind(w->sim, "session.idle", on_idle, w);
}
