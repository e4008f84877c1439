#include "model/data/sql/cells.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/data/database_state.h"
#include "model/data/sql/isolate.h"
#include "model/data/sql/replay_state.h"
#include "model/data/sql/store_state.h"
#include "model/history/recorder_txn.h"

#define COLUMNS_MAX 500u /* of an answer: as statement.h's builder has it */

static lz_value value_of(struct lz_world *w, const struct lz_cell *c)
{
    char text[40];
    int size;
    switch (c->kind) {
    case LZ_CELL_NULL:
        return 0;
    case LZ_CELL_INTEGER:
        if (c->integer >= LZ_VALUE_INTEGER_MIN && c->integer <= LZ_VALUE_INTEGER_MAX)
            return lz_value_integer(c->integer);
        size = snprintf(text, sizeof(text), "%lld", (long long)c->integer);
        return lz_value_text(w, text, (size_t)size);
    case LZ_CELL_FLOAT:
        size = snprintf(text, sizeof(text), "%.17g", c->real);
        return lz_value_text(w, text, (size_t)size);
    default: // a text or bytes; of what is too long its beginning and its hash
        if (c->size <= LZ_VALUE_TEXT_MAX)
            return lz_value_text(w, c->bytes, c->size);
        size = snprintf(text, sizeof(text), "%.8s... %016llx", c->bytes,
                        (unsigned long long)lz_hash_bytes(c->bytes, c->size));
        return lz_value_text(w, text, (size_t)size);
    }
}

static void add_key(struct lz_str *out, const struct lz_cell *c, bool is_first)
{
    if (!is_first)
        lz_str_add_char(out, ',');
    if (c->kind == LZ_CELL_INTEGER)
        lz_str_addf(out, "%lld", (long long)c->integer);
    else if (c->kind == LZ_CELL_FLOAT)
        lz_str_addf(out, "%.17g", c->real);
    else if (c->kind != LZ_CELL_NULL)
        lz_str_add_n(out, c->bytes, c->size < 64 ? c->size : 64);
}

static void tell(struct lz_world *w, const struct lz_cells_where *at, struct lz_str *name,
                 const char *column, struct lz_recorder_cell *cell)
{
    size_t len = name->len;
    lz_str_addf(name, ".%s", column);
    cell->name = name->text;
    cell->size = name->len;
    lz_recorder_txn_cell(w, at->x, at->t, cell);
    name->len = len;
    name->text[len] = '\0';
}

// ---- what was written

struct writing {
    struct lz_world *w;
    const struct lz_cells_where *at;
};

static bool is_key(const struct lz_replay_table *t, uint32_t column)
{
    return t->alias >= 0 ? column == (uint32_t)t->alias : t->is_key[column];
}

static bool is_same(const struct lz_cell *a, const struct lz_cell *b)
{
    if (a->kind != b->kind || a->size != b->size)
        return false;
    if (a->kind == LZ_CELL_TEXT || a->kind == LZ_CELL_BLOB)
        return memcmp(a->bytes, b->bytes, a->size) == 0;
    return a->kind == LZ_CELL_NULL || a->integer == b->integer;
}

// The row's name: its table, and its key as it is in these cells.
static void name_row(struct lz_str *out, const struct lz_replay_row *r, const struct lz_cell *cells,
                     int64_t rowid)
{
    bool is_first = true;
    lz_str_addf(out, "%s[", r->table->name);
    for (uint32_t i = 0; i < r->columns; i++)
        if (is_key(r->table, i)) {
            add_key(out, &cells[i], is_first);
            is_first = false;
        }
    if (is_first)
        lz_str_addf(out, "%lld", (long long)rowid);
    lz_str_add_char(out, ']');
}

// One side of a row's change: all its cells, or with the other side those that differ.
static void write_side(const struct writing *g, const struct lz_replay_row *r,
                       const struct lz_cell *cells, const struct lz_cell *other, bool is_gone)
{
    struct lz_str name;
    lz_str_init(&name);
    name_row(&name, r, cells, is_gone ? r->rowid_before : r->rowid_after);
    for (uint32_t i = 0; i < r->columns; i++) {
        if (is_key(r->table, i) || (other != NULL && is_same(&cells[i], &other[i])))
            continue;
        struct lz_recorder_cell cell = {.value = is_gone ? 0 : value_of(g->w, &cells[i]),
                                        .is_write = true};
        tell(g->w, g->at, &name, r->table->names[i], &cell);
    }
    lz_str_finish(&name);
}

static void on_row(void *ctx, const struct lz_replay_row *r)
{
    const struct writing *g = ctx;
    if (r->table == NULL)
        return;
    if (r->before != NULL && r->after != NULL && r->key_before == r->key_after) {
        write_side(g, r, r->after, r->before, false);
        return;
    }
    if (r->before != NULL)
        write_side(g, r, r->before, NULL, true);
    if (r->after != NULL)
        write_side(g, r, r->after, NULL, false);
}

void lz_cells_wrote(struct lz_world *w, const struct lz_cells_where *at,
                    const struct lz_sql_statement *st, const struct lz_image *image)
{
    if (!lz_recorder_txn_wants(w, at->x, at->t))
        return;
    if (lz_isolate_looks_around(st)) // and does not say what it saw
        lz_recorder_txn_hides(w, at->x, at->t);
    struct writing g = {.w = w, .at = at};
    lz_store_enter(at->store, 0, 0);
    lz_replay_each_row(&at->store->replay, image, on_row, &g);
    lz_library_leave();
}

// ---- what was read

struct origin {
    const char *table, *column; // NULL: an expression
};

struct reading {
    struct origin columns[COLUMNS_MAX];
    uint32_t count;
};

// How often a column of the table is in the answer, and where.
static uint32_t find(const struct reading *g, const char *table, const char *column, uint32_t *at)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->columns[i].table == NULL || sqlite3_stricmp(g->columns[i].table, table) != 0 ||
            sqlite3_stricmp(g->columns[i].column, column) != 0)
            continue;
        *at = i;
        times++;
    }
    return times;
}

static bool has_key(const struct reading *g, const struct lz_replay_table *t)
{
    uint32_t keys = 0, at;
    for (uint32_t i = 0; i < t->columns; i++) {
        if (!is_key(t, i))
            continue;
        keys++;
        if (find(g, t->name, t->names[i], &at) != 1)
            return false;
    }
    return keys > 0;
}

// A cell of the builder: bytes are where its texts lie.
static struct lz_cell cell_at(const struct lz_statement_builder *b, uint32_t row, uint32_t column)
{
    struct lz_cell c = b->cells[row * b->answer.columns + column];
    if (c.kind == LZ_CELL_TEXT || c.kind == LZ_CELL_BLOB)
        c.bytes = b->bytes + (uintptr_t)c.bytes;
    return c;
}

static void tell_row(struct lz_world *w, const struct lz_cells_where *where,
                     const struct reading *g, const struct lz_replay_table *t,
                     const struct lz_statement_builder *b, uint32_t row)
{
    struct lz_str name;
    struct lz_recorder_cell cell = {0};
    bool is_first = true;
    uint32_t at = 0;
    lz_str_init(&name);
    lz_str_addf(&name, "%s[", t->name);
    for (uint32_t i = 0; i < t->columns; i++) {
        if (!is_key(t, i))
            continue;
        (void)find(g, t->name, t->names[i], &at);
        struct lz_cell key = cell_at(b, row, at);
        add_key(&name, &key, is_first);
        is_first = false;
    }
    lz_str_add_char(&name, ']');
    uint32_t node = where->t->server - where->d->first;
    cell.has_upto = lz_isolate_upto(w, where->d, node, where->x, &cell.upto);
    for (uint32_t i = 0; i < t->columns; i++) {
        if (is_key(t, i) || find(g, t->name, t->names[i], &at) == 0)
            continue;
        struct lz_cell c = cell_at(b, row, at);
        cell.value = value_of(w, &c);
        tell(w, where, &name, t->names[i], &cell);
    }
    lz_str_finish(&name);
}

// The tables that the statement reads: from each its rows, or it hides what it saw.
static void tell_tables(struct lz_world *w, const struct lz_cells_where *where,
                        const struct reading *g, const struct lz_statement_builder *b,
                        struct lz_authorize_touch *touch)
{
    struct lz_replay *r = &where->store->replay;
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->columns[i].table == NULL)
            continue;
        const struct lz_replay_table *t = lz_replay_table_of(r, g->columns[i].table);
        if (t == NULL || !has_key(g, t))
            continue;
        uint64_t hash = lz_hash_text(t->name);
        bool is_new = false;
        for (uint32_t k = 0; k < touch->read_count; k++)
            if (touch->reads[k] == hash) {
                touch->reads[k] = 0; // what remains is hidden
                is_new = true;
            }
        uint32_t rows = b->cell_count / g->count;
        for (uint32_t row = 0; is_new && row < rows; row++)
            tell_row(w, where, g, t, b, row);
    }
    for (uint32_t k = 0; k < touch->read_count; k++)
        if (touch->reads[k] != 0)
            lz_recorder_txn_hides(w, where->x, where->t);
}

void lz_cells_read(struct lz_world *w, const struct lz_cells_where *at,
                   const struct lz_sql_statement *st, const struct lz_statement_builder *b)
{
    if (!lz_recorder_txn_wants(w, at->x, at->t))
        return;
    struct lz_store *s = at->store;
    struct reading *g = lz_arena_alloc(w->arena, sizeof(*g));
    lz_store_enter(s, 0, 0);
    bool was_altered = s->guard.alters;
    s->guard.touch = (struct lz_authorize_touch){0};
    sqlite3_stmt *q = lz_store_compile(s, st->text, st->size, NULL);
    struct lz_authorize_touch touch = s->guard.touch;
    g->count = q != NULL ? (uint32_t)sqlite3_column_count(q) : 0;
    LZ_ASSERT(g->count <= COLUMNS_MAX && g->count == b->answer.columns);
    for (uint32_t i = 0; i < g->count; i++) {
        g->columns[i].column = sqlite3_column_origin_name(q, (int)i);
        if (g->columns[i].column != NULL)
            g->columns[i].table = sqlite3_column_table_name(q, (int)i);
    }
    tell_tables(w, at, g, b, &touch);
    if (touch.is_full)
        lz_recorder_txn_hides(w, at->x, at->t);
    sqlite3_finalize(q);
    s->guard.alters = was_altered;
    lz_library_leave();
    lz_arena_free(w->arena, g, sizeof(*g));
}
