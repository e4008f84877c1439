#define SQLITE_ENABLE_PREUPDATE_HOOK // declares what Debian, Fedora and others compile in
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "model/data/sql/replay_state.h"

/* Row images as they are taken, by the preupdate hook; and what is known of the tables. */

void lz_replay_init(struct lz_replay *r, struct lz_arena *arena, struct lz_authorize *guard)
{
    *r = (struct lz_replay){.arena = arena, .guard = guard};
}

// ---- tables

sqlite3_stmt *lz_replay_prepare(struct lz_replay *r, const char *sql)
{
    bool was_ours = r->guard->is_ours;
    sqlite3_stmt *st = NULL;
    r->guard->is_ours = true;
    int rc = sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    r->guard->is_ours = was_ours;
    return rc == SQLITE_OK ? st : NULL;
}

static bool is_column(const struct lz_replay_table *t, const char *name)
{
    for (uint32_t i = 0; i < t->columns; i++)
        if (sqlite3_stricmp(t->names[i], name) == 0)
            return true;
    return false;
}

static void add_column(struct lz_replay *r, struct lz_replay_table *t, sqlite3_stmt *q)
{
    uint32_t cap = t->columns, key_cap = t->columns;
    t->names = lz_arena_resize(r->arena, t->names, cap * sizeof(char *),
                               (t->columns + 1) * sizeof(char *));
    t->is_key = lz_arena_resize(r->arena, t->is_key, key_cap * sizeof(bool),
                                (t->columns + 1) * sizeof(bool));
    t->names[t->columns] = lz_arena_strdup(r->arena, (const char *)sqlite3_column_text(q, 1));
    t->is_key[t->columns] = sqlite3_column_int(q, 5) > 0;
    t->columns++;
}

// The column that is the rowid: the one of an INTEGER PRIMARY KEY.
static int alias_of(struct lz_replay *r, const struct lz_replay_table *t)
{
    int keys = 0, at = -1;
    for (uint32_t i = 0; i < t->columns; i++)
        if (t->is_key[i]) {
            keys++;
            at = (int)i;
        }
    const char *type = NULL;
    if (keys != 1 || sqlite3_table_column_metadata(r->db, "main", t->name, t->names[at], &type,
                                                   NULL, NULL, NULL, NULL) != SQLITE_OK)
        return -1;
    return type != NULL && sqlite3_stricmp(type, "INTEGER") == 0 ? at : -1;
}

static bool describe(struct lz_replay *r, struct lz_replay_table *t)
{
    char *sql = sqlite3_mprintf("SELECT * FROM pragma_table_xinfo(%Q)", t->name);
    sqlite3_stmt *q = lz_replay_prepare(r, sql);
    sqlite3_free(sql);
    if (q == NULL)
        return false;
    bool was_ours = r->guard->is_ours, is_plain = true;
    r->guard->is_ours = true;
    while (sqlite3_step(q) == SQLITE_ROW) {
        is_plain = is_plain && sqlite3_column_int(q, 6) == 0;
        add_column(r, t, q);
    }
    sqlite3_finalize(q);
    sql = sqlite3_mprintf("SELECT wr FROM pragma_table_list(%Q)", t->name);
    q = lz_replay_prepare(r, sql);
    sqlite3_free(sql);
    bool is_without = q != NULL && sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int(q, 0) != 0;
    sqlite3_finalize(q);
    r->guard->is_ours = was_ours;
    t->alias = is_without ? -1 : alias_of(r, t);
    t->has_rowid = !is_without && t->alias < 0;
    bool has_key = false;
    for (uint32_t i = 0; i < t->columns; i++)
        has_key = has_key || t->is_key[i];
    t->by_rowid = !has_key || t->alias >= 0;
    t->rowid = !is_column(t, "rowid") ? "rowid" : !is_column(t, "oid") ? "oid" : "_rowid_";
    return is_plain && t->columns > 0;
}

struct lz_replay_table *lz_replay_table_of(struct lz_replay *r, const char *name)
{
    for (uint32_t i = 0; i < r->table_count; i++)
        if (strcmp(r->tables[i].name, name) == 0)
            return &r->tables[i];
    r->tables = lz_grow(r->arena, r->tables, &r->table_cap, r->table_count + 1, sizeof(*r->tables));
    struct lz_replay_table *t = &r->tables[r->table_count];
    *t = (struct lz_replay_table){.name = lz_arena_strdup(r->arena, name)};
    if (!describe(r, t))
        return NULL;
    r->table_count++;
    return t;
}

// ---- taking

static void put(struct lz_replay *r, const void *bytes, size_t size)
{
    r->bytes = lz_grow(r->arena, r->bytes, &r->cap, r->size + (uint32_t)size, 1);
    if (size > 0)
        memcpy(r->bytes + r->size, bytes, size);
    r->size += (uint32_t)size;
}

static void put_cell(struct lz_replay *r, sqlite3_value *v)
{
    unsigned char head[9] = {0};
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER: {
        sqlite3_int64 i = sqlite3_value_int64(v);
        head[0] = LZ_CELL_INTEGER;
        memcpy(head + 1, &i, 8);
        put(r, head, 9);
        return;
    }
    case SQLITE_FLOAT: {
        double f = sqlite3_value_double(v);
        head[0] = LZ_CELL_FLOAT;
        memcpy(head + 1, &f, 8);
        put(r, head, 9);
        return;
    }
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        bool is_text = sqlite3_value_type(v) == SQLITE_TEXT;
        const void *bytes = is_text ? (const void *)sqlite3_value_text(v) : sqlite3_value_blob(v);
        uint32_t size = (uint32_t)sqlite3_value_bytes(v);
        head[0] = is_text ? LZ_CELL_TEXT : LZ_CELL_BLOB;
        memcpy(head + 1, &size, 4);
        put(r, head, 5);
        put(r, bytes, size);
        return;
    }
    default:
        head[0] = LZ_CELL_NULL;
        put(r, head, 1);
    }
}

typedef int value_fn(sqlite3 *db, int column, sqlite3_value **out);

static void put_cells(struct lz_replay *r, const struct lz_replay_table *t, value_fn *value)
{
    for (uint32_t i = 0; i < t->columns; i++) {
        sqlite3_value *v = NULL;
        if (value(r->db, (int)i, &v) != SQLITE_OK || v == NULL)
            r->failed = true;
        else
            put_cell(r, v);
    }
}

static void add_key(struct lz_replay *r, uint64_t key)
{
    r->keys = lz_grow(r->arena, r->keys, &r->key_cap, r->key_count + 1, sizeof(*r->keys));
    r->keys[r->key_count++] = key;
}

// Of a row's key columns, as they were or as they are: rows of one key are one row.
static uint64_t key_of(struct lz_replay *r, const struct lz_replay_table *t, value_fn *value,
                       sqlite3_int64 rowid)
{
    uint64_t key = lz_hash_text(t->name);
    if (t->by_rowid)
        key = lz_hash_mix(key, (uint64_t)rowid);
    for (uint32_t i = 0; i < t->columns && !t->by_rowid; i++) {
        sqlite3_value *v = NULL;
        if (!t->is_key[i] || value(r->db, (int)i, &v) != SQLITE_OK || v == NULL)
            continue;
        const void *bytes = sqlite3_value_text(v);
        key = lz_hash_mix(key, lz_hash_bytes(bytes != NULL ? bytes : "",
                                             bytes != NULL ? (size_t)sqlite3_value_bytes(v) : 0));
    }
    add_key(r, key);
    return key;
}

static void on_change(void *ctx, sqlite3 *db, int op, const char *schema, const char *name,
                      sqlite3_int64 before, sqlite3_int64 after)
{
    (void)db;
    (void)schema;
    struct lz_replay *r = ctx;
    if (!r->takes || strcmp(name, LZ_AUTHORIZE_TABLE) == 0)
        return;
    const struct lz_replay_table *t =
        strlen(name) <= UINT8_MAX ? lz_replay_table_of(r, name) : NULL;
    if (t == NULL || (uint32_t)sqlite3_preupdate_count(r->db) != t->columns) {
        r->failed = true;
        return;
    }
    unsigned char length = (unsigned char)strlen(name);
    unsigned char head[2] = {op == SQLITE_INSERT   ? OP_INSERT
                             : op == SQLITE_UPDATE ? OP_UPDATE
                                                   : OP_DELETE,
                             length};
    uint16_t columns = (uint16_t)t->columns;
    put(r, head, 2);
    put(r, name, length);
    put(r, &columns, 2);
    put(r, &before, 8);
    put(r, &after, 8);
    uint64_t old_key = op != SQLITE_INSERT ? key_of(r, t, sqlite3_preupdate_old, before) : 0;
    uint64_t new_key = op != SQLITE_DELETE ? key_of(r, t, sqlite3_preupdate_new, after) : 0;
    put(r, &old_key, 8);
    put(r, &new_key, 8);
    if (op != SQLITE_INSERT)
        put_cells(r, t, sqlite3_preupdate_old);
    if (op != SQLITE_DELETE)
        put_cells(r, t, sqlite3_preupdate_new);
}

void lz_replay_open(struct lz_replay *r, sqlite3 *db)
{
    LZ_ASSERT(r->db == NULL);
    r->db = db;
    sqlite3_preupdate_hook(db, on_change, r);
}

void lz_replay_forget(struct lz_replay *r)
{
    for (uint32_t i = 0; i < r->table_count; i++) {
        struct lz_replay_table *t = &r->tables[i];
        sqlite3_stmt *all[] = {t->insert, t->update, t->erase, t->fetch, t->force, t->replace};
        for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
            sqlite3_finalize(all[k]);
    }
    r->table_count = 0;
}

void lz_replay_close(struct lz_replay *r)
{
    lz_replay_forget(r);
    r->db = NULL;
    r->takes = false;
}

void lz_replay_take(struct lz_replay *r)
{
    r->takes = true;
    r->failed = false;
    r->size = 0;
    r->key_count = 0;
}

void lz_replay_stop(struct lz_replay *r)
{
    r->takes = false;
}

void lz_replay_take_text(struct lz_replay *r, const char *text, size_t size)
{
    unsigned char op = OP_TEXT;
    uint32_t length = (uint32_t)size;
    r->size = 0; // what the statement changed in rows it changes again
    put(r, &op, 1);
    put(r, &length, 4);
    put(r, text, size);
}

void lz_replay_rewrite(struct lz_replay *r)
{
    if (r->guard->altered[0] == '\0')
        return;
    lz_replay_forget(r);
    const struct lz_replay_table *t = lz_replay_table_of(r, r->guard->altered);
    if (t == NULL)
        return; // it has another name now
    bool took = r->takes;
    r->takes = false;
    int on = 0;
    sqlite3_db_config(r->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &on);
    sqlite3_db_config(r->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    char *sql = sqlite3_mprintf("UPDATE main.\"%w\" SET \"%w\" = \"%w\"", t->name, t->names[0],
                                t->names[0]);
    sqlite3_stmt *st = lz_replay_prepare(r, sql);
    sqlite3_free(sql);
    sqlite3_step(st);
    sqlite3_finalize(st);
    sqlite3_db_config(r->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, on, NULL);
    r->takes = took;
}

struct lz_image *lz_replay_image(const struct lz_replay *r)
{
    return r->size > 0 ? lz_image_create(r->arena, r->bytes, r->size) : NULL;
}
