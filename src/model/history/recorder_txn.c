#include "model/history/recorder_txn.h"

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/data/database_state.h"
#include "model/data/txn_state.h"
#include "model/history/recorder_state.h"

static struct lz_recorder *recorder_of(const struct lz_world *w, lz_component_id id)
{
    const struct lz_recorders *rs = w->recorders;
    LZ_ASSERT(lz_recorder_is_on(w, id));
    return &rs->all[rs->by_component[id] - 1];
}

static struct lz_recorder_txn *txn_at(const struct lz_recorder *r, uint32_t at)
{
    LZ_ASSERT(at > 0 && at <= r->txn_count);
    return &r->txns[at - 1];
}

static struct lz_recorder_step *step_at(const struct lz_recorder *r, uint32_t at)
{
    LZ_ASSERT(at > 0 && at <= r->step_count);
    return &r->steps[at - 1];
}

static uint32_t open_one(struct lz_world *w, struct lz_recorder *r, const struct lz_call *c)
{
    if (r->count + r->txn_count >= LZ_RECORDER_OPS_MAX || r->step_count >= LZ_RECORDER_OPS_MAX) {
        r->dropped++;
        return 0;
    }
    r->txns = lz_grow(w->arena, r->txns, &r->txn_cap, r->txn_count + 1, sizeof(*r->txns));
    r->txns[r->txn_count++] = (struct lz_recorder_txn){
        .begin = ++w->recorders->numbers,
        .at = lz_sim_now(w->sim),
        .who = lz_recorder_who(w, c, r->component),
        .process = lz_recorder_process_take(w, r, lz_recorder_who(w, c, r->component)),
        .outcome = LZ_RECORDER_UNKNOWN};
    return r->txn_count;
}

static void add_step(struct lz_world *w, struct lz_recorder *r, uint32_t txn,
                     const struct lz_recorder_step *step)
{
    struct lz_recorder_txn *t = txn_at(r, txn);
    if (r->step_count >= LZ_RECORDER_OPS_MAX) {
        r->dropped++;
        return;
    }
    r->steps = lz_grow(w->arena, r->steps, &r->step_cap, r->step_count + 1, sizeof(*r->steps));
    r->steps[r->step_count++] = *step;
    if (t->last != 0)
        step_at(r, t->last)->next = r->step_count;
    else
        t->first = r->step_count;
    t->last = r->step_count;
    if (t->unheard == 0)
        t->unheard = r->step_count;
}

bool lz_recorder_txn_begins(struct lz_world *w, uint32_t recorder, const struct lz_call *c)
{
    const struct lz_edge *e = lz_edge_get(w, c->edge);
    struct lz_recorder *r = &w->recorders->all[recorder];
    if (lz_world_component(w, e->opts.to)->kind != LZ_COMPONENT_DATABASE)
        return false;
    r->has_names = lz_database_at(w, e->opts.to)->sql != NULL;
    if (!e->opts.session && !r->has_names)
        return false;
    struct lz_txn *x = e->opts.session ? lz_txn_find(w, c->key) : NULL;
    uint32_t txn = x != NULL ? x->recorded : 0;
    if (txn == 0)
        txn = open_one(w, r, c);
    if (txn == 0)
        return true;
    if (x != NULL)
        x->recorded = txn;
    *lz_recorder_sent(w, c) = (struct lz_recorder_under_way){
        .call = lz_pool_id(c), .recorder = recorder, .op = txn, .is_txn = true};
    return true;
}

// ---- what its client hears

static void finish(struct lz_world *w, struct lz_recorder_txn *t, enum lz_recorder_outcome outcome)
{
    if (t->is_over)
        return;
    t->is_over = true;
    t->outcome = (uint8_t)outcome;
    t->done = lz_sim_now(w->sim);
    if (outcome == LZ_RECORDER_UNKNOWN)
        return;
    t->end = ++w->recorders->numbers;
    lz_recorder_process_give(w, t->who, t->process);
}

// Of a scan: a row that is not in the answer held nothing.
static lz_value value_told(const struct lz_world *w, const struct lz_txn *x,
                           const struct lz_recorder_step *s, const struct lz_call_result *result)
{
    if (x->statement.kind != LZ_STATEMENT_SCAN)
        return result->value;
    uint32_t count = 0;
    lz_value value = 0;
    const struct lz_txn_row *rows = lz_argument_bytes(w, x->rows, &count);
    count /= (uint32_t)sizeof(*rows);
    for (uint32_t i = 0; i < count && rows[i].key <= s->key; i++)
        value = rows[i].key == s->key ? rows[i].value : value;
    return value;
}

static void hear_steps(const struct lz_world *w, const struct lz_recorder *r,
                       struct lz_recorder_txn *t, const struct lz_txn *x,
                       const struct lz_call_result *result)
{
    for (uint32_t i = t->unheard; i != 0; i = step_at(r, i)->next) {
        struct lz_recorder_step *s = step_at(r, i);
        s->is_heard = true;
        if (x != NULL && s->f == LZ_RECORDER_STEP_READ && !r->has_names)
            s->value = value_told(w, x, s, result);
    }
    t->unheard = 0;
}

/*
 * A refusal that names its reason says that nothing was done. The errors of lost connections and of
 * a node that leads no more do not.
 */
static bool is_certain(const struct lz_txn *x, const struct lz_call_result *result)
{
    if (result->outcome == LZ_OUTCOME_REFUSED)
        return true;
    if (result->outcome != LZ_OUTCOME_ERROR)
        return false;
    return x->error != LZ_TXN_OK && x->error != LZ_TXN_LOST && x->error != LZ_TXN_IO &&
           (x->error != LZ_TXN_READ_ONLY || result->status == 409);
}

static void hear_statement(struct lz_world *w, struct lz_recorder *r, struct lz_recorder_txn *t,
                           struct lz_txn *x, const struct lz_call_result *result)
{
    bool is_ok = result->outcome == LZ_OUTCOME_OK;
    enum lz_statement_kind kind = x->statement.kind;
    if (kind == LZ_STATEMENT_COMMIT) {
        finish(w, t,
               is_ok                   ? LZ_RECORDER_OK
               : is_certain(x, result) ? LZ_RECORDER_FAIL
                                       : LZ_RECORDER_UNKNOWN);
        return;
    }
    if (!is_ok || kind == LZ_STATEMENT_ROLLBACK) {
        finish(w, t, LZ_RECORDER_FAIL); // nobody will say COMMIT
        return;
    }
    if (kind == LZ_STATEMENT_WRITE)
        add_step(w, r, x->recorded,
                 &(struct lz_recorder_step){.key = x->statement.key,
                                            .value = x->statement.value,
                                            .f = LZ_RECORDER_STEP_WRITE});
    hear_steps(w, r, t, x, result);
}

// A statement of SQL that is a transaction by itself: an answer below 500 says that it did nothing.
static void hear_alone(struct lz_world *w, struct lz_recorder *r, struct lz_recorder_txn *t,
                       const struct lz_call *c, const struct lz_call_result *result)
{
    bool is_alone = lz_client_attempts(c) <= 1;
    if (result->outcome == LZ_OUTCOME_OK) {
        hear_steps(w, r, t, NULL, result);
        finish(w, t, LZ_RECORDER_OK);
        return;
    }
    bool says_no = result->outcome == LZ_OUTCOME_REFUSED ||
                   (result->outcome == LZ_OUTCOME_ERROR && result->status < 500);
    finish(w, t, says_no && is_alone ? LZ_RECORDER_FAIL : LZ_RECORDER_UNKNOWN);
}

void lz_recorder_txn_answered(struct lz_world *w, const struct lz_recorder_under_way *u,
                              const struct lz_call *c, const struct lz_call_result *result)
{
    struct lz_recorder *r = &w->recorders->all[u->recorder];
    struct lz_recorder_txn *t = txn_at(r, u->op);
    bool is_session = lz_edge_get(w, c->edge)->opts.session;
    struct lz_txn *x = is_session ? lz_txn_find(w, c->key) : NULL;
    if (result == NULL || (is_session && x == NULL))
        return; // what its end is lz_recorder_txn_closed says, or nobody can
    if (is_session)
        hear_statement(w, r, t, x, result);
    else
        hear_alone(w, r, t, c, result);
}

void lz_recorder_txn_closed(struct lz_world *w, const struct lz_txn *x)
{
    if (x->recorded == 0)
        return;
    bool may_be = x->statement.kind == LZ_STATEMENT_COMMIT;
    finish(w, txn_at(recorder_of(w, x->database), x->recorded),
           may_be ? LZ_RECORDER_UNKNOWN : LZ_RECORDER_FAIL);
}

// ---- what its server did

static bool tells_versions(const struct lz_world *w, const struct lz_txn *x)
{
    return lz_database_at(w, x->database)->multi == NULL; // else each node counts for itself
}

void lz_recorder_txn_saw(struct lz_world *w, const struct lz_txn *x, uint64_t key, lz_value value,
                         uint64_t version)
{
    add_step(w, recorder_of(w, x->database), x->recorded,
             &(struct lz_recorder_step){.key = key,
                                        .value = value,
                                        .version = version,
                                        .has_version = tells_versions(w, x),
                                        .f = LZ_RECORDER_STEP_READ});
}

void lz_recorder_txn_grew(struct lz_world *w, const struct lz_txn *x, lz_value whole)
{
    add_step(w, recorder_of(w, x->database), x->recorded,
             &(struct lz_recorder_step){.key = x->statement.key,
                                        .value = x->statement.value,
                                        .whole = whole,
                                        .f = LZ_RECORDER_STEP_APPEND});
}

static void note_commit(struct lz_recorder *r, struct lz_recorder_txn *t, uint64_t lsn)
{
    r->is_rewound = r->is_rewound || lsn < r->commit;
    r->commit = lsn;
    t->is_committed = true;
}

void lz_recorder_txn_wrote(struct lz_world *w, const struct lz_txn *x, uint64_t key, uint64_t lsn)
{
    struct lz_recorder *r = recorder_of(w, x->database);
    struct lz_recorder_txn *t = txn_at(r, x->recorded);
    note_commit(r, t, lsn);
    for (uint32_t i = t->first; i != 0 && tells_versions(w, x); i = step_at(r, i)->next) {
        struct lz_recorder_step *s = step_at(r, i);
        if (s->f == LZ_RECORDER_STEP_READ || s->key != key)
            continue;
        s->version = lsn;
        s->has_version = true;
    }
}

// ---- SQL

// The recorder's number of the statement's transaction; 0: nobody wants to know.
static uint32_t number_of(const struct lz_world *w, const struct lz_txn *x, const struct lz_task *t)
{
    if (x != NULL)
        return x->recorded;
    const struct lz_recorder_under_way *u =
        w->recorders != NULL ? lz_recorder_under_way(w, t->call) : NULL;
    return u != NULL && u->is_txn ? u->op : 0;
}

bool lz_recorder_txn_wants(const struct lz_world *w, const struct lz_txn *x,
                           const struct lz_task *t)
{
    return number_of(w, x, t) != 0;
}

static struct lz_recorder *recorder_at(const struct lz_world *w, const struct lz_task *t)
{
    return recorder_of(w, lz_instance_get(w, t->server)->component);
}

void lz_recorder_txn_cell(struct lz_world *w, const struct lz_txn *x, const struct lz_task *t,
                          const struct lz_recorder_cell *cell)
{
    uint32_t txn = number_of(w, x, t);
    LZ_ASSERT(txn != 0);
    add_step(w, recorder_at(w, t), txn,
             &(struct lz_recorder_step){.key = lz_value_text(w, cell->name, cell->size),
                                        .value = cell->value,
                                        .version = cell->upto,
                                        .has_version = cell->has_upto,
                                        .is_upto = !cell->is_write,
                                        .f = cell->is_write ? LZ_RECORDER_STEP_WRITE
                                                            : LZ_RECORDER_STEP_READ});
}

void lz_recorder_txn_hides(struct lz_world *w, const struct lz_txn *x, const struct lz_task *t)
{
    LZ_ASSERT(number_of(w, x, t) != 0);
    recorder_at(w, t)->hidden++;
}

// It was tried again: what it did then it may have done twice, which one operation cannot say.
void lz_recorder_txn_runs(struct lz_world *w, const struct lz_task *t)
{
    uint32_t number = number_of(w, NULL, t);
    if (number == 0)
        return;
    struct lz_recorder *r = recorder_at(w, t);
    struct lz_recorder_txn *txn = txn_at(r, number);
    r->many += txn->is_committed;
    if (!txn->is_committed)
        txn->first = txn->last = txn->unheard = 0;
}

void lz_recorder_txn_committed(struct lz_world *w, const struct lz_txn *x, const struct lz_task *t,
                               uint64_t lsn)
{
    uint32_t number = number_of(w, x, t);
    if (number == 0)
        return;
    struct lz_recorder *r = recorder_at(w, t);
    struct lz_recorder_txn *txn = txn_at(r, number);
    note_commit(r, txn, lsn);
    bool tells = lz_database_of(w, t)->multi == NULL;
    for (uint32_t i = txn->first; i != 0 && tells; i = step_at(r, i)->next) {
        struct lz_recorder_step *s = step_at(r, i);
        if (s->f == LZ_RECORDER_STEP_READ)
            continue;
        s->version = lsn;
        s->has_version = true;
    }
}
