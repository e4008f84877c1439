#include "model/data/sql/isolate.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/data/database_state.h"
#include "model/data/sql/execute.h"
#include "model/data/txn_state.h"

static bool add(struct lz_world *w, struct lz_sql_hidden *h, uint32_t count, struct lz_image *image)
{
    h->all = lz_grow(w->arena, h->all, &h->cap, count + 1, sizeof(struct lz_image *));
    h->all[count] = image;
    return true;
}

bool lz_isolate_hide(struct lz_world *w, struct lz_database *d, uint32_t node,
                     const struct lz_txn *x, struct lz_store_run *run)
{
    const struct lz_database_node *n = &d->nodes[node];
    bool has_snapshot = x != NULL && x->has_snapshot;
    bool is_late = n->log->leader == node && n->applied < n->lsn && lz_visible_is_late(d);
    if (d->multi != NULL || d->agree != NULL || (!has_snapshot && !is_late))
        return true;
    struct lz_sql_hidden *h = lz_execute_hidden(d);
    uint64_t from = has_snapshot ? x->snapshot : n->applied, to = lz_execute_store(d, node)->lsn;
    uint32_t count = 0;
    for (uint64_t lsn = from + 1; lsn <= to; lsn++) {
        const struct lz_wal_record *r = lz_wal_get(&n->log->wal, lsn);
        if (r == NULL || r->image == NULL)
            return false;
        if (has_snapshot && lz_replay_has_text(r->image))
            return false;
        if (has_snapshot || !r->is_seen)
            count += add(w, h, count, r->image);
    }
    run->hidden = h->all;
    run->hidden_count = count;
    return true;
}

bool lz_isolate_upto(const struct lz_world *w, const struct lz_database *d, uint32_t node,
                     const struct lz_txn *x, uint64_t *upto)
{
    (void)w;
    const struct lz_database_node *n = &d->nodes[node];
    *upto = lz_execute_store(d, node)->lsn;
    if (d->multi != NULL || d->agree != NULL)
        return d->multi == NULL;
    bool has_snapshot = x != NULL && x->has_snapshot;
    if (has_snapshot || (n->log->leader == node && n->applied < n->lsn && lz_visible_is_late(d))) {
        uint64_t to = *upto;
        *upto = has_snapshot ? x->snapshot : n->applied;
        for (uint64_t lsn = *upto + 1; lsn <= to && !has_snapshot; lsn++) {
            const struct lz_wal_record *r = lz_wal_get(&n->log->wal, lsn);
            if (r == NULL || r->is_seen)
                return false;
        }
    }
    return true;
}

static bool has_word(const struct lz_sql_statement *st, const char *word)
{
    uint32_t size = (uint32_t)strlen(word);
    for (uint32_t at = 0; at + size <= st->size; at++)
        if (sqlite3_strnicmp(st->text + at, word, (int)size) == 0)
            return true;
    return false;
}

bool lz_isolate_looks_around(const struct lz_sql_statement *st)
{
    return has_word(st, "select");
}

struct overlap {
    const uint64_t *keys;
    uint32_t count;
    bool found;
};

static void compare(void *ctx, uint64_t key)
{
    struct overlap *o = ctx;
    for (uint32_t i = 0; i < o->count; i++)
        o->found = o->found || o->keys[i] == key;
}

static bool is_overtaken(const struct lz_store_run *run, const uint64_t *keys, uint32_t count)
{
    struct overlap o = {.keys = keys, .count = count};
    for (uint32_t i = 0; i < run->hidden_count && !o.found; i++)
        lz_replay_each_key(run->hidden[i], compare, &o);
    return o.found;
}

// The tables it names are read; or the row that it found by its rowid, and changed.
static bool mark(struct lz_serial *s, uint32_t me, const struct lz_authorize_touch *t,
                 const uint64_t *keys, uint32_t count, bool is_point)
{
    bool ok = true;
    for (uint32_t i = 0; i < t->read_count; i++)
        if (!is_point || count == 0)
            ok = lz_serial_read(s, me, t->reads[i]) && ok;
    for (uint32_t i = 0; i < count; i++) {
        if (is_point)
            ok = lz_serial_read(s, me, keys[i]) && ok;
        ok = lz_serial_write(s, me, keys[i]) && ok;
    }
    for (uint32_t i = 0; i < t->write_count && count > 0; i++)
        ok = lz_serial_write(s, me, t->writes[i]) && ok;
    return ok;
}

enum lz_txn_error lz_isolate_ran(struct lz_database *d, const struct lz_txn *x,
                                 const struct lz_store_run *run)
{
    struct lz_store *s = lz_execute_store(d, x->server - d->first);
    uint32_t count = 0;
    const uint64_t *keys = s->is_open ? lz_store_keys(s, &count) : NULL;
    if (x->has_snapshot && count > 0 && is_overtaken(run, keys, count))
        return LZ_TXN_CONFLICT;
    if (x->serial == 0)
        return LZ_TXN_OK;
    struct lz_authorize_touch touch;
    bool is_point;
    lz_store_look(s, run->statement, &touch, &is_point);
    if (touch.is_full)
        return LZ_TXN_TOO_LARGE;
    bool ok = mark(lz_txn_node(d, x)->serial, x->serial, &touch, keys, count, is_point);
    return ok ? LZ_TXN_OK : LZ_TXN_DANGEROUS;
}

uint64_t lz_isolate_oldest(const struct lz_database *d)
{
    uint64_t oldest = UINT64_MAX;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        const struct lz_mvcc *m = &d->nodes[n].mvcc;
        if (m->snapshot_count > 0 && m->snapshots[0] < oldest)
            oldest = m->snapshots[0];
    }
    return oldest;
}
