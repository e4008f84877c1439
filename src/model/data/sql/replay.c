#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/data/sql/replay_state.h"
#include "model/data/sql/store_state.h"

/* Row images as they are replayed, by a table's prepared statements. */

struct row {
    enum op op;
    struct lz_replay_table *table;
    uint32_t columns;
    sqlite3_int64 rowid_before, rowid_after;
    uint64_t key_before, key_after;
    const struct lz_cell *before, *after; // of what there is
};

// ---- reading an image

static const unsigned char *read_cells(const unsigned char *p, struct lz_cell *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (struct lz_cell){.kind = *p++};
        switch (out[i].kind) {
        case LZ_CELL_INTEGER:
            memcpy(&out[i].integer, p, 8);
            p += 8;
            break;
        case LZ_CELL_FLOAT:
            memcpy(&out[i].real, p, 8);
            p += 8;
            break;
        case LZ_CELL_TEXT:
        case LZ_CELL_BLOB:
            memcpy(&out[i].size, p, 4);
            out[i].bytes = (const char *)p + 4;
            p += 4 + out[i].size;
            break;
        default:
            LZ_ASSERT(out[i].kind == LZ_CELL_NULL);
        }
    }
    return p;
}

static const unsigned char *read_row(struct lz_replay *r, const unsigned char *p, struct row *out)
{
    char name[256];
    uint16_t columns;
    *out = (struct row){.op = (enum op)p[0]};
    memcpy(name, p + 2, p[1]);
    name[p[1]] = '\0';
    p += 2 + p[1];
    memcpy(&columns, p, 2);
    memcpy(&out->rowid_before, p + 2, 8);
    memcpy(&out->rowid_after, p + 10, 8);
    memcpy(&out->key_before, p + 18, 8);
    memcpy(&out->key_after, p + 26, 8);
    p += 34;
    r->cells = lz_grow(r->arena, r->cells, &r->cell_cap, 2u * columns, sizeof(*r->cells));
    out->columns = columns;
    out->before = r->cells;
    out->after = r->cells + columns;
    if (out->op != OP_INSERT)
        p = read_cells(p, r->cells, columns);
    if (out->op != OP_DELETE)
        p = read_cells(p, r->cells + columns, columns);
    out->table = lz_replay_table_of(r, name);
    if (out->table != NULL && out->table->columns != columns)
        out->table = NULL;
    return p;
}

// ---- the statements that replay a table's rows

enum list { LIST_NAMES, LIST_SET, LIST_HOLES };

static void append_list(sqlite3_str *s, const struct lz_replay_table *t, enum list what, int from)
{
    for (uint32_t i = 0; i < t->columns; i++) {
        const char *comma = i > 0 ? "," : "";
        if (what == LIST_NAMES)
            sqlite3_str_appendf(s, "%s\"%w\"", comma, t->names[i]);
        else if (what == LIST_SET)
            sqlite3_str_appendf(s, "%s\"%w\"=?%d", comma, t->names[i], from + (int)i);
        else
            sqlite3_str_appendf(s, "%s?%d", comma, from + (int)i);
    }
}

// Parameters `from` on are the old row, and the one behind them its rowid.
static void append_where(sqlite3_str *s, const struct lz_replay_table *t, int from, bool all)
{
    const char *and = " WHERE ";
    if (t->by_rowid) {
        sqlite3_str_appendf(s, "%s%s=?%d", and, t->alias >= 0 ? "rowid" : t->rowid,
                            from + (int)t->columns);
        and = " AND ";
    }
    for (uint32_t i = 0; i < t->columns; i++) {
        bool is_key = t->is_key[i] && !t->by_rowid;
        if (!is_key && !all)
            continue;
        sqlite3_str_appendf(s, "%s\"%w\" %s ?%d", and, t->names[i], is_key ? "=" : "IS",
                            from + (int)i);
        and = " AND ";
    }
}

static sqlite3_stmt *finish(struct lz_replay *r, sqlite3_str *s)
{
    char *sql = sqlite3_str_finish(s);
    sqlite3_stmt *st = sql != NULL ? lz_replay_prepare(r, sql) : NULL;
    sqlite3_free(sql);
    return st;
}

static sqlite3_stmt *make_insert(struct lz_replay *r, const struct lz_replay_table *t,
                                 const char *verb)
{
    sqlite3_str *s = sqlite3_str_new(r->db);
    sqlite3_str_appendf(s, "%s INTO main.\"%w\"(", verb, t->name);
    append_list(s, t, LIST_NAMES, 0);
    if (t->has_rowid)
        sqlite3_str_appendf(s, ",%s", t->rowid);
    sqlite3_str_appendf(s, ") VALUES(");
    append_list(s, t, LIST_HOLES, 1);
    if (t->has_rowid)
        sqlite3_str_appendf(s, ",?%d", (int)t->columns + 1);
    sqlite3_str_appendf(s, ")");
    return finish(r, s);
}

static sqlite3_stmt *make_update(struct lz_replay *r, const struct lz_replay_table *t)
{
    sqlite3_str *s = sqlite3_str_new(r->db);
    sqlite3_str_appendf(s, "UPDATE main.\"%w\" SET ", t->name);
    append_list(s, t, LIST_SET, (int)t->columns + 2);
    append_where(s, t, 1, true);
    return finish(r, s);
}

static sqlite3_stmt *make_erase(struct lz_replay *r, const struct lz_replay_table *t, bool all)
{
    sqlite3_str *s = sqlite3_str_new(r->db);
    sqlite3_str_appendf(s, "DELETE FROM main.\"%w\"", t->name);
    append_where(s, t, 1, all);
    return finish(r, s);
}

static sqlite3_stmt *make_fetch(struct lz_replay *r, const struct lz_replay_table *t)
{
    sqlite3_str *s = sqlite3_str_new(r->db);
    sqlite3_str_appendf(s, "SELECT ");
    append_list(s, t, LIST_NAMES, 0);
    sqlite3_str_appendf(s, " FROM main.\"%w\"", t->name);
    append_where(s, t, 1, false);
    return finish(r, s);
}

// ---- replaying

static void bind_all(sqlite3_stmt *st, int from, const struct lz_cell *cells, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        lz_store_bind(st, from + (int)i, &cells[i]);
}

// Steps once and gives the extended result.
static int step(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        rc = sqlite3_extended_errcode(sqlite3_db_handle(st));
    sqlite3_reset(st);
    return rc;
}

static bool is_constraint(int rc)
{
    return (rc & 0xff) == SQLITE_CONSTRAINT;
}

static int insert(struct lz_replay *r, const struct row *row, bool replaces)
{
    struct lz_replay_table *t = row->table;
    sqlite3_stmt **st = replaces ? &t->replace : &t->insert;
    if (*st == NULL)
        *st = make_insert(r, t, replaces ? "INSERT OR REPLACE" : "INSERT");
    if (*st == NULL)
        return sqlite3_extended_errcode(r->db);
    bind_all(*st, 1, row->after, t->columns);
    if (t->has_rowid)
        sqlite3_bind_int64(*st, (int)t->columns + 1, row->rowid_after);
    int rc = step(*st);
    if (rc == SQLITE_CONSTRAINT_ROWID && !t->by_rowid) { // the place is taken by another row
        sqlite3_bind_null(*st, (int)t->columns + 1);
        rc = step(*st);
    }
    return rc;
}

static int erase(struct lz_replay *r, const struct row *row, bool all)
{
    struct lz_replay_table *t = row->table;
    sqlite3_stmt **st = all ? &t->erase : &t->force;
    if (*st == NULL)
        *st = make_erase(r, t, all);
    if (*st == NULL)
        return sqlite3_extended_errcode(r->db);
    bind_all(*st, 1, row->before, t->columns);
    sqlite3_bind_int64(*st, (int)t->columns + 1, row->rowid_before);
    return step(*st);
}

static int update(struct lz_replay *r, const struct row *row)
{
    struct lz_replay_table *t = row->table;
    if (t->by_rowid && t->has_rowid && row->rowid_before != row->rowid_after) {
        int rc = erase(r, row, true);
        return rc == SQLITE_DONE && sqlite3_changes(r->db) == 1 ? insert(r, row, false) : rc;
    }
    if (t->update == NULL)
        t->update = make_update(r, t);
    if (t->update == NULL)
        return sqlite3_extended_errcode(r->db);
    bind_all(t->update, 1, row->before, t->columns);
    sqlite3_bind_int64(t->update, (int)t->columns + 1, row->rowid_before);
    bind_all(t->update, (int)t->columns + 2, row->after, t->columns);
    return step(t->update);
}

static void read_found(sqlite3_stmt *st, struct lz_cell *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        sqlite3_value *v = sqlite3_column_value(st, (int)i);
        int type = sqlite3_value_type(v);
        out[i] = (struct lz_cell){.kind = LZ_CELL_NULL};
        if (type == SQLITE_INTEGER)
            out[i] = (struct lz_cell){.kind = LZ_CELL_INTEGER, .integer = sqlite3_value_int64(v)};
        else if (type == SQLITE_FLOAT)
            out[i] = (struct lz_cell){.kind = LZ_CELL_FLOAT, .real = sqlite3_value_double(v)};
        else if (type != SQLITE_NULL)
            out[i] =
                (struct lz_cell){.kind = type == SQLITE_TEXT ? LZ_CELL_TEXT : LZ_CELL_BLOB,
                                 .bytes = type == SQLITE_TEXT ? (const char *)sqlite3_value_text(v)
                                                              : sqlite3_value_blob(v),
                                 .size = (uint32_t)sqlite3_value_bytes(v)};
    }
}

static bool ask(struct lz_conflicts *conflicts, const struct row *row, const struct lz_cell *found,
                bool is_found)
{
    if (conflicts == NULL || conflicts->rule == NULL)
        return true;
    const struct lz_replay_table *t = row->table;
    struct lz_image_row none = {.table = t->name, .names = t->names};
    struct lz_conflict c = {.key = row->op == OP_INSERT ? row->key_after : row->key_before,
                            .expected = none,
                            .found = none,
                            .wanted = none};
    if (row->op != OP_INSERT) {
        c.expected.cells = row->before;
        c.expected.count = t->columns;
    }
    if (is_found) {
        c.found.cells = found;
        c.found.count = t->columns;
    }
    if (row->op != OP_DELETE) {
        c.wanted.cells = row->after;
        c.wanted.count = t->columns;
    }
    return conflicts->rule(conflicts->ctx, &c);
}

// The row here is not the one that was changed there: whose stays?
static int settle(struct lz_replay *r, const struct row *row, struct lz_conflicts *conflicts)
{
    struct lz_replay_table *t = row->table;
    if (conflicts != NULL)
        conflicts->count++;
    if (t->fetch == NULL)
        t->fetch = make_fetch(r, t);
    if (t->fetch == NULL)
        return sqlite3_extended_errcode(r->db);
    bool is_new = row->op == OP_INSERT;
    bind_all(t->fetch, 1, is_new ? row->after : row->before, t->columns);
    sqlite3_bind_int64(t->fetch, (int)t->columns + 1,
                       is_new ? row->rowid_after : row->rowid_before);
    size_t size = t->columns * sizeof(struct lz_cell);
    struct lz_cell *found = lz_arena_alloc(r->arena, size);
    bool is_found = sqlite3_step(t->fetch) == SQLITE_ROW;
    if (is_found)
        read_found(t->fetch, found, t->columns);
    bool takes = ask(conflicts, row, found, is_found);
    sqlite3_reset(t->fetch); // what was found is good until here
    lz_arena_free(r->arena, found, size);
    int rc = SQLITE_DONE;
    if (takes && !is_new)
        rc = erase(r, row, false);
    if (takes && rc == SQLITE_DONE && row->op != OP_DELETE)
        rc = insert(r, row, true);
    return rc;
}

static bool replay_row(struct lz_replay *r, const struct row *row, struct lz_conflicts *conflicts)
{
    int rc = row->op == OP_INSERT   ? insert(r, row, false)
             : row->op == OP_UPDATE ? update(r, row)
                                    : erase(r, row, true);
    bool is_missing = rc == SQLITE_DONE && sqlite3_changes(r->db) == 0;
    if (is_constraint(rc) || is_missing)
        rc = settle(r, row, conflicts);
    return rc == SQLITE_DONE;
}

static bool replay_text(struct lz_replay *r, const char *text, uint32_t size)
{
    sqlite3_stmt *st = NULL;
    bool was_ours = r->guard->is_ours;
    r->guard->is_ours = true;
    r->guard->altered[0] = '\0';
    int rc = sqlite3_prepare_v2(r->db, text, (int)size, &st, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW)
        rc = sqlite3_step(st);
    sqlite3_finalize(st);
    r->guard->is_ours = was_ours;
    lz_replay_forget(r);
    if (rc == SQLITE_DONE)
        lz_replay_rewrite(r);
    return rc == SQLITE_DONE;
}

static const unsigned char *skip_cells(const unsigned char *p, uint32_t n)
{
    for (; n > 0; n--) {
        uint32_t size = 0;
        if (p[0] == LZ_CELL_TEXT || p[0] == LZ_CELL_BLOB)
            memcpy(&size, p + 1, 4);
        p += p[0] == LZ_CELL_NULL                               ? 1
             : p[0] == LZ_CELL_INTEGER || p[0] == LZ_CELL_FLOAT ? 9
                                                                : 5 + size;
    }
    return p;
}

// Behind an entry; gives what it is, and of a row its keys.
static const unsigned char *skip_entry(const unsigned char *p, enum op *op, uint64_t keys[2])
{
    uint16_t columns;
    uint32_t size;
    *op = (enum op)p[0];
    if (*op == OP_TEXT) {
        memcpy(&size, p + 1, 4);
        return p + 5 + size;
    }
    p += 2 + p[1];
    memcpy(&columns, p, 2);
    memcpy(keys, p + 18, 16);
    return skip_cells(p + 34, *op == OP_UPDATE ? 2u * columns : columns);
}

bool lz_replay_has_text(const struct lz_image *image)
{
    const unsigned char *p = image->bytes, *end = p + image->size;
    enum op op;
    uint64_t keys[2];
    while (p < end) {
        p = skip_entry(p, &op, keys);
        if (op == OP_TEXT)
            return true;
    }
    return false;
}

void lz_replay_each_key(const struct lz_image *image, void (*fn)(void *ctx, uint64_t key),
                        void *ctx)
{
    const unsigned char *p = image->bytes, *end = p + image->size;
    enum op op;
    uint64_t keys[2];
    while (p < end) {
        p = skip_entry(p, &op, keys);
        if (op == OP_TEXT)
            continue;
        if (op != OP_INSERT)
            fn(ctx, keys[0]);
        if (op != OP_DELETE && (op == OP_INSERT || keys[1] != keys[0]))
            fn(ctx, keys[1]);
    }
}

void lz_replay_each_row(struct lz_replay *r, const struct lz_image *image,
                        void (*fn)(void *ctx, const struct lz_replay_row *row), void *ctx)
{
    const unsigned char *p = image->bytes, *end = p + image->size;
    enum op op;
    uint64_t keys[2];
    while (p < end) {
        if (*p == OP_TEXT) {
            p = skip_entry(p, &op, keys);
            continue;
        }
        struct row row;
        p = read_row(r, p, &row);
        fn(ctx, &(struct lz_replay_row){.table = row.table,
                                        .columns = row.columns,
                                        .rowid_before = row.rowid_before,
                                        .rowid_after = row.rowid_after,
                                        .key_before = row.key_before,
                                        .key_after = row.key_after,
                                        .before = row.op != OP_INSERT ? row.before : NULL,
                                        .after = row.op != OP_DELETE ? row.after : NULL});
    }
}

bool lz_replay_apply(struct lz_replay *r, const struct lz_image *image,
                     struct lz_conflicts *conflicts)
{
    bool took = r->takes;
    const unsigned char *p = image->bytes, *end = p + image->size;
    bool ok = true;
    r->takes = false;
    while (ok && p < end) {
        if (*p == OP_TEXT) {
            uint32_t size;
            memcpy(&size, p + 1, 4);
            ok = replay_text(r, (const char *)p + 5, size);
            p += 5 + size;
            continue;
        }
        struct row row;
        p = read_row(r, p, &row);
        ok = row.table != NULL && replay_row(r, &row, conflicts);
    }
    r->takes = took;
    return ok;
}

// What a row's change is in the other direction.
static struct row inverse(const struct row *row)
{
    struct row out = *row;
    out.op = row->op == OP_INSERT ? OP_DELETE : row->op == OP_DELETE ? OP_INSERT : OP_UPDATE;
    out.before = row->after;
    out.after = row->before;
    out.rowid_before = row->rowid_after;
    out.rowid_after = row->rowid_before;
    out.key_before = row->key_after;
    out.key_after = row->key_before;
    return out;
}

bool lz_replay_take_back(struct lz_replay *r, const struct lz_image *image,
                         struct lz_conflicts *conflicts)
{
    const unsigned char *begin = image->bytes, *end = begin + image->size;
    uint32_t *starts = NULL, count = 0, cap = 0;
    for (const unsigned char *p = begin; p < end && *p != OP_TEXT;) {
        struct row row;
        starts = lz_grow(r->arena, starts, &cap, count + 1, sizeof(*starts));
        starts[count++] = (uint32_t)(p - begin);
        p = read_row(r, p, &row);
    }
    bool took = r->takes, ok = true;
    r->takes = false;
    while (ok && count > 0) {
        struct row row;
        read_row(r, begin + starts[--count], &row);
        struct row back = inverse(&row);
        ok = row.table != NULL && replay_row(r, &back, conflicts);
    }
    r->takes = took;
    lz_arena_free(r->arena, starts, cap * sizeof(*starts));
    return ok;
}
