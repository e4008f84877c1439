#include "model/data/sql/execute.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/data/database_state.h"
#include "model/data/sql/cells.h"
#include "model/data/sql/isolate.h"
#include "model/data/txn_state.h"
#include "model/history/recorder_txn.h"
#include "model/node/clock.h"
#include "model/node/disk.h"
#include "model/service/task.h"

struct node {
    struct lz_store store;
    struct lz_world *w;
    lz_instance_id id;
    bool is_broken;           // SQLite says that its file is not whole
    char broken[LZ_ERR_SIZE]; // and why
};

struct lz_sql {
    struct node *nodes;
    struct lz_statement_builder answer, other; // of the query, and of what it is compared with
    struct lz_sql_hidden hidden;
};

static struct node *node_at(const struct lz_database *d, uint32_t n)
{
    LZ_ASSERT(d->sql != NULL && n < d->opts.nodes);
    return &d->sql->nodes[n];
}

struct lz_sql_hidden *lz_execute_hidden(const struct lz_database *d)
{
    return &d->sql->hidden;
}

struct lz_store *lz_execute_store(const struct lz_database *d, uint32_t n)
{
    return &node_at(d, n)->store;
}

// ---- what a store is told of the world

static lz_time clock_of(void *ctx)
{
    const struct node *n = ctx;
    return lz_clock_read(n->w, n->id);
}

static struct lz_volume_fate fate_of(void *ctx, uint64_t nth)
{
    const struct node *n = ctx;
    struct lz_disk_fate f = lz_disk_fate(n->w, n->id, nth);
    return (struct lz_volume_fate){.lies = f.lies,
                                   .loses = f.loses,
                                   .tears = f.tears,
                                   .misdirects = f.misdirects,
                                   .where = f.where};
}

static void scope_of(void *ctx, struct lz_library_scope *out)
{
    struct node *n = ctx;
    out->now = clock_of;
    out->ctx = n;
    out->run_key = lz_sim_key(n->w->sim);
    out->owner = lz_instance_path(n->w, n->id);
    n->store.volume.fate = lz_disk_is_felt(n->w, n->id) ? fate_of : NULL;
    n->store.volume.ctx = n;
}

// ---- declaring

static bool say(struct lz_err *err, const char *what, const struct lz_store_fault *f)
{
    return lz_fail(err, LZ_EINVAL, "%s: %s", what, f->text);
}

bool lz_execute_declare(struct lz_world *w, lz_component_id id, const struct lz_execute_opts *o,
                        struct lz_err *err)
{
    struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(!w->running && d->sql == NULL);
    struct lz_sql *s = lz_arena_alloc(w->arena, sizeof(*s));
    s->nodes = lz_arena_alloc(w->arena, d->opts.nodes * sizeof(*s->nodes));
    s->answer.arena = s->other.arena = w->arena;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        struct node *node = &s->nodes[n];
        node->w = w;
        node->id = d->first + n;
        lz_store_init(&node->store,
                      &(struct lz_store_opts){.arena = w->arena, .scope = scope_of, .ctx = node});
        d->nodes[n].engine = &node->store.base;
    }
    struct lz_store_fault f;
    struct lz_store *first = &s->nodes[0].store;
    if (!lz_store_load(first, o->schema, o->schema_size, &f))
        return say(err, "schema", &f);
    if (o->seed != NULL && !lz_store_load(first, o->seed, o->seed_size, &f))
        return say(err, "seed", &f);
    for (uint32_t n = 1; n < d->opts.nodes; n++)
        first->base.ops->copy(&s->nodes[n].store.base, &first->base);
    d->sql = s;
    return true;
}

bool lz_execute_check(struct lz_arena *arena, const struct lz_execute_text *texts, size_t count,
                      size_t *which, struct lz_store_fault *out)
{
    struct lz_store *s = lz_arena_alloc(arena, sizeof(*s));
    lz_store_init(s, &(struct lz_store_opts){.arena = arena});
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        *which = i;
        ok = i < 2 ? lz_store_load(s, texts[i].bytes, texts[i].size, out)
                   : lz_store_check(s, texts[i].bytes, texts[i].size, out);
    }
    lz_store_finish(s);
    lz_arena_free(arena, s, sizeof(*s));
    return ok;
}

// ---- queries

static void answer(struct lz_world *w, struct lz_database *d, struct lz_task *t, bool ok)
{
    struct lz_statement_builder *b = &d->sql->answer;
    uint16_t status = b->answer.status;
    lz_argument_id id = lz_statement_end(b, w);
    lz_argument_answer(w, t, id);
    if (!ok)
        lz_database_answer(w, d, t, LZ_OUTCOME_ERROR, status);
}

// What it carries, or its operation's own text.
static struct lz_sql_statement statement_of(const struct lz_world *w, const struct lz_task *t)
{
    const struct lz_sql_statement *carried = lz_statement_of(w, lz_argument_of(w, t));
    if (carried != NULL)
        return *carried;
    const char *op = lz_call_op_name(w, t->op);
    return (struct lz_sql_statement){.text = op, .size = (uint32_t)strlen(op)};
}

// Where a statement ran, for who writes down what it read and wrote.
static struct lz_cells_where where(struct lz_database *d, const struct lz_txn *x,
                                   const struct lz_task *t)
{
    return (struct lz_cells_where){
        .d = d, .x = x, .t = t, .store = &node_at(d, t->server - d->first)->store};
}

static bool is_broken(struct lz_database *d, const struct node *n)
{
    if (n->is_broken)
        lz_statement_fail(&d->sql->answer, 500, "corrupt", n->broken);
    return n->is_broken;
}

// A standby that is behind: would one that has all acknowledged commits have said the same?
static bool is_stale(struct lz_world *w, struct lz_database *d, const struct lz_task *t,
                     const struct lz_sql_statement *st)
{
    uint32_t n = t->server - d->first;
    const struct node *primary = node_at(d, d->primary);
    if (d->multi != NULL || d->agree != NULL || n == d->primary ||
        node_at(d, n)->store.lsn >= d->acked_last || primary->is_broken)
        return false;
    struct lz_statement_builder *a = &d->sql->answer, *b = &d->sql->other;
    struct lz_store_run run = {
        .statement = st, .key = t->key, .owner = t->path, .reads_only = true};
    if (!lz_isolate_hide(w, d, d->primary, NULL, &run))
        return false;
    if (!lz_store_run(&node_at(d, d->primary)->store, &run, b))
        return false;
    return !lz_statement_is_same(a, b);
}

// Its own commits cannot be beside it, so all that is hidden is in the log.
static bool can_hide(struct lz_world *w, struct lz_database *d, struct lz_task *t, uint32_t n,
                     struct lz_store_run *run)
{
    if (lz_isolate_hide(w, d, n, NULL, run))
        return true;
    lz_statement_fail(&d->sql->answer, 500, "corrupt", "the log does not go back so far");
    answer(w, d, t, false);
    return false;
}

void lz_execute_read(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    uint32_t n = t->server - d->first;
    struct node *node = node_at(d, n);
    struct lz_sql_statement st = statement_of(w, t);
    if (is_broken(d, node)) {
        answer(w, d, t, false);
        return;
    }
    struct lz_store_run run = {.statement = &st,
                               .key = t->key,
                               .owner = t->path,
                               .reads_only = !lz_database_takes_writes(w, d, n)};
    if (!can_hide(w, d, t, n, &run))
        return;
    if (w->recorders != NULL)
        lz_recorder_txn_runs(w, t);
    bool ok = lz_store_run(&node->store, &run, &d->sql->answer);
    if (node->store.is_open) { // it was called a read, and writes
        lz_store_undo(&node->store);
        lz_execute_write(w, d, t);
        return;
    }
    if (ok)
        lz_metrics_add(w->metrics, d->series.reads, 1);
    if (ok && is_stale(w, d, t, &st))
        lz_metrics_add(w->metrics, d->series.stale_reads, 1);
    struct lz_cells_where at = where(d, NULL, t);
    if (ok && w->recorders != NULL)
        lz_cells_read(w, &at, &st, &d->sql->answer);
    answer(w, d, t, ok);
    if (ok)
        lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
}

static void commit(struct lz_world *w, struct lz_database *d, struct lz_task *t,
                   struct lz_image *image)
{
    uint32_t n = t->server - d->first;
    struct lz_change change = {.key = t->key, .image = image};
    uint64_t lsn = lz_database_append(w, d, n, &change);
    LZ_ASSERT(d->multi != NULL || lsn == node_at(d, n)->store.lsn);
    if (w->recorders != NULL) {
        struct lz_cells_where at = where(d, NULL, t);
        struct lz_sql_statement st = statement_of(w, t);
        lz_cells_wrote(w, &at, &st, image);
        lz_recorder_txn_committed(w, NULL, t, lsn);
    }
    if (d->multi != NULL)
        lz_multi_wrote_rows(w, d, n, lsn);
    lz_image_release(image); // the record has it
    answer(w, d, t, true);
    lz_database_appended(w, d, n);
    lz_database_commit(w, d, t, lsn);
    lz_database_measure_lag(w, d);
}

// Of the store's next commit. With many masters logs are several, and each node counts for itself.
static uint64_t next_lsn(const struct lz_database *d, uint32_t n)
{
    return (d->multi != NULL ? node_at(d, n)->store.lsn : d->nodes[n].log->wal.last) + 1;
}

// The locks of the rows that the open statement has changed. False: somebody else has one; it is
// undone, and runs again when that one is free.
static bool takes_rows(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                       struct lz_task *t)
{
    struct lz_store *s = &node_at(d, t->server - d->first)->store;
    uint32_t count = 0;
    const uint64_t *keys = lz_store_keys(s, &count);
    if (lz_row_lock_keys(w, d, x, t, keys, count))
        return true;
    lz_store_undo(s);
    return false;
}

// The one that there may be, where commits are agreed on: it runs when it is.
static bool is_writer(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                      struct lz_task *t)
{
    const uint64_t key = LZ_AGREE_WRITER;
    return lz_row_lock_keys(w, d, x, t, &key, 1);
}

// What the open statement has changed is proposed; it is there when that is applied.
static void agree_to(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    struct lz_image *image = lz_store_set_aside(&node_at(d, t->server - d->first)->store);
    struct lz_cells_where at = where(d, NULL, t);
    struct lz_sql_statement st = statement_of(w, t);
    if (w->recorders != NULL && image != NULL)
        lz_cells_wrote(w, &at, &st, image);
    answer(w, d, t, true);
    (void)lz_agree_commit_rows(w, d, t, image); // it leads: that was looked at
    lz_image_release(image);
}

// What ran while others' commits were taken back is committed upon them.
static struct lz_image *commit_open(struct lz_database *d, uint32_t n, bool is_beside)
{
    struct lz_store *s = &node_at(d, n)->store;
    struct lz_statement_builder *out = &d->sql->answer;
    if (!is_beside)
        return lz_store_commit(s, next_lsn(d, n), out);
    struct lz_image *aside = lz_store_set_aside(s);
    LZ_ASSERT(aside != NULL);
    struct lz_image *image = lz_store_commit_all(s, &aside, 1, next_lsn(d, n), out);
    lz_image_release(aside);
    return image;
}

void lz_execute_write(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    uint32_t n = t->server - d->first;
    struct node *node = node_at(d, n);
    LZ_ASSERT(lz_database_takes_writes(w, d, n));
    if (d->agree != NULL && !is_writer(w, d, NULL, t))
        return;
    struct lz_sql_statement st = statement_of(w, t);
    struct lz_store_run run = {.statement = &st, .key = t->key, .owner = t->path};
    if (lz_isolate_looks_around(&st) && !can_hide(w, d, t, n, &run))
        return;
    if (w->recorders != NULL)
        lz_recorder_txn_runs(w, t);
    if (is_broken(d, node) || !lz_store_run(&node->store, &run, &d->sql->answer)) {
        answer(w, d, t, false);
        return;
    }
    uint32_t rows = 0;
    if (node->store.is_open)
        lz_store_keys(&node->store, &rows);
    if (!node->store.is_open || (rows == 0 && !node->store.was_altered)) {
        if (node->store.is_open)
            lz_store_undo(&node->store); // nothing has changed: nothing to wait for
        answer(w, d, t, true);
        lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
        return;
    }
    if (d->nodes[n].locks.count > 0 && !takes_rows(w, d, NULL, t))
        return;
    if (d->agree != NULL) {
        agree_to(w, d, t);
        return;
    }
    struct lz_image *image = commit_open(d, n, run.hidden_count > 0);
    if (image == NULL)
        answer(w, d, t, false);
    else
        commit(w, d, t, image);
}

void lz_execute_failed(struct lz_world *w, struct lz_database *d, struct lz_task *t, bool is_full)
{
    uint32_t n = t->server - d->first;
    struct lz_volume *v = &node_at(d, n)->store.volume;
    if (lz_database_op_reads(w, t->op) || !lz_database_takes_writes(w, d, n)) {
        lz_statement_fail(&d->sql->answer, 500, "io", "disk I/O error");
        answer(w, d, t, false);
        return;
    }
    v->failure = is_full ? SQLITE_FULL : SQLITE_IOERR;
    lz_execute_write(w, d, t);
    v->failure = 0;
}

// ---- transactions

static void fail_in(struct lz_world *w, struct lz_database *d, struct lz_task *t)
{
    lz_argument_answer(w, t, lz_statement_end(&d->sql->answer, w));
    lz_session_fail(w, d, t, LZ_TXN_SQL);
}

void lz_execute_in(struct lz_world *w, struct lz_database *d, struct lz_txn *x, struct lz_task *t)
{
    uint32_t n = t->server - d->first;
    struct node *node = node_at(d, n);
    struct lz_sql_statement st = statement_of(w, t);
    struct lz_store_run run = {.statement = &st,
                               .owner = t->path,
                               .reads_only =
                                   x->opts.is_read_only || !lz_database_takes_writes(w, d, n),
                               .pending = x->images,
                               .pending_count = x->image_count};
    if (d->agree != NULL && !lz_session_reads(w, t) && !run.reads_only && !is_writer(w, d, x, t))
        return;
    bool looks = x->has_snapshot || lz_session_reads(w, t) || lz_isolate_looks_around(&st);
    if (looks && !lz_isolate_hide(w, d, n, x, &run)) {
        lz_session_fail(w, d, t, LZ_TXN_CONFLICT);
        return;
    }
    if (is_broken(d, node) || !lz_store_run(&node->store, &run, &d->sql->answer)) {
        fail_in(w, d, t);
        return;
    }
    if (node->store.is_open && !takes_rows(w, d, x, t))
        return;
    enum lz_txn_error error = lz_isolate_ran(d, x, &run);
    if (error != LZ_TXN_OK) {
        if (node->store.is_open)
            lz_store_undo(&node->store);
        lz_session_fail(w, d, t, error);
        return;
    }
    struct lz_cells_where at = where(d, x, t);
    if (x->recorded != 0 && !node->store.is_open)
        lz_cells_read(w, &at, &st, &d->sql->answer);
    if (node->store.is_open) {
        struct lz_image *image = lz_store_set_aside(&node->store);
        if (x->recorded != 0 && image != NULL)
            lz_cells_wrote(w, &at, &st, image);
        x->images = lz_grow(w->arena, x->images, &x->image_cap, x->image_count + 1,
                            sizeof(struct lz_image *));
        if (image != NULL)
            x->images[x->image_count++] = image;
    }
    lz_argument_answer(w, t, lz_statement_end(&d->sql->answer, w));
    lz_database_answer(w, d, t, LZ_OUTCOME_OK, 200);
}

void lz_execute_commit(struct lz_world *w, struct lz_database *d, struct lz_txn *x,
                       struct lz_task *t)
{
    uint32_t n = t->server - d->first;
    if (d->agree != NULL) {
        struct lz_image *all = lz_store_join(w->arena, x->images, x->image_count);
        lz_session_committing(x);
        (void)lz_agree_commit_rows(w, d, t, all);
        lz_image_release(all);
        return;
    }
    uint64_t lsn = next_lsn(d, n);
    struct lz_image *image =
        lz_store_commit_all(&node_at(d, n)->store, x->images, x->image_count, lsn, &d->sql->answer);
    if (image == NULL) {
        fail_in(w, d, t);
        return;
    }
    lsn = lz_database_append(w, d, n, &(struct lz_change){.key = t->key, .image = image});
    if (d->multi != NULL)
        lz_multi_wrote_rows(w, d, n, lsn);
    lz_image_release(image); // the record has it
    if (x->recorded != 0)
        lz_recorder_txn_committed(w, x, t, lsn);
    lz_session_committing(x);
    lz_database_appended(w, d, n);
    lz_database_commit(w, d, t, lsn);
    lz_database_measure_lag(w, d);
}

void lz_execute_forget(struct lz_world *w, struct lz_txn *x)
{
    for (uint32_t i = 0; i < x->image_count; i++)
        lz_image_release(x->images[i]);
    lz_arena_free(w->arena, x->images, x->image_cap * sizeof(struct lz_image *));
    x->images = NULL;
    x->image_count = x->image_cap = 0;
}

// ---- the life of a node

uint64_t lz_execute_died(struct lz_world *w, struct lz_database *d, uint32_t n, bool silent,
                         uint64_t lsn)
{
    (void)w;
    struct node *node = node_at(d, n);
    struct lz_err err;
    uint64_t had = node->store.lsn;
    lz_store_close(&node->store, silent);
    if (node->is_broken)
        return lsn;
    // What the disk kept is known at once; that the process reads it when it starts changes
    // nothing of it.
    uint64_t oldest = d->nodes[n].log->wal.base;
    if (!lz_store_recover(&node->store, &err)) {
        node->is_broken = true;
        snprintf(node->broken, sizeof(node->broken), "%s", err.msg);
    } else if (d->multi != NULL) { // nobody could say what others think that it has
        node->is_broken = node->store.lsn < had;
        snprintf(node->broken, sizeof(node->broken), "it lacks %llu of its commits",
                 (unsigned long long)(had - node->store.lsn));
    } else if (node->store.lsn < oldest) {
        node->is_broken = true;
        snprintf(node->broken, sizeof(node->broken),
                 "it is at %llu of a log that is kept from %llu on",
                 (unsigned long long)node->store.lsn, (unsigned long long)oldest);
    } else if (node->store.lsn < lsn) {
        lsn = node->store.lsn;
    }
    lz_store_close(&node->store, false);
    return lsn;
}

void lz_execute_started(struct lz_world *w, struct lz_database *d, uint32_t n)
{
    const struct node *node = node_at(d, n);
    if (!node->is_broken)
        return;
    lz_metrics_add(w->metrics, d->series.corrupt, 1);
    lz_instance_note(w, d->first + n, "corrupt", "integrity check: %s", node->broken);
}

void lz_execute_rebuilt(struct lz_world *w, struct lz_database *d, uint32_t n)
{
    (void)w;
    node_at(d, n)->is_broken = false;
}

bool lz_execute_can_lead(const struct lz_database *d, uint32_t n)
{
    return !node_at(d, n)->is_broken;
}

void lz_execute_take_back(struct lz_database *d, uint32_t n, uint64_t lsn,
                          const struct lz_image *image)
{
    struct node *node = node_at(d, n);
    if (node->is_broken || node->store.lsn < lsn)
        return; // its disk has not kept it
    if (!lz_store_take_back(&node->store, image)) {
        node->is_broken = true;
        snprintf(node->broken, sizeof(node->broken), "it has commit %llu, which its log lacks",
                 (unsigned long long)lsn);
    }
    lz_store_close(&node->store, false);
}

void lz_execute_rewind(struct lz_database *d, uint64_t lsn)
{
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        struct lz_store *s = &node_at(d, n)->store;
        if (d->nodes[n].log != &d->log || d->nodes[n].is_stale || node_at(d, n)->is_broken)
            continue;
        while (s->lsn > lsn) {
            const struct lz_wal_record *r = lz_wal_get(&d->log.wal, s->lsn);
            if (r == NULL || !lz_store_take_back(s, r->image)) {
                d->nodes[n].is_stale = true;
                break;
            }
        }
    }
}
