#include "model/data/sql/store_state.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"

#define WAYS 4u

// ---- scopes

void lz_store_enter(struct lz_store *s, uint64_t owner, uint64_t counter)
{
    struct lz_library_scope scope = {0};
    if (s->opts.scope != NULL)
        s->opts.scope(s->opts.ctx, &scope);
    scope.arena = s->opts.arena;
    scope.volume = &s->volume;
    scope.owner = lz_hash_mix(scope.owner, owner);
    scope.counter = counter;
    lz_library_enter(&scope);
}

// ---- the connection

// A statement of the engine's own; NULL if SQLite will not have it.
sqlite3_stmt *lz_store_own(struct lz_store *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    s->guard.is_ours = true;
    int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    s->guard.is_ours = false;
    return rc == SQLITE_OK ? st : NULL;
}

int lz_store_step_own(struct lz_store *s, sqlite3_stmt *st)
{
    s->guard.is_ours = true;
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    s->guard.is_ours = false;
    return rc;
}

// Runs one; its first column of the first row, if it is wanted.
static bool run_own(struct lz_store *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *st = lz_store_own(s, sql);
    if (st == NULL)
        return false;
    s->guard.is_ours = true;
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && out != NULL)
        *out = sqlite3_column_int64(st, 0);
    s->guard.is_ours = false;
    sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static void look_for_rules(struct lz_store *s)
{
    int64_t found = 0;
    run_own(s,
            "SELECT EXISTS(SELECT 1 FROM sqlite_master WHERE type = 'trigger') OR EXISTS(SELECT 1 "
            "FROM sqlite_master AS m, pragma_foreign_key_list(m.name) WHERE m.type = 'table')",
            &found);
    s->has_rules = found != 0;
}

void lz_store_set_rules(struct lz_store *s, bool on)
{
    if (!s->has_rules || s->rules_are_on == on)
        return;
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, (int)on, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, (int)on, NULL);
    s->rules_are_on = on;
}

void lz_store_disconnect(struct lz_store *s)
{
    if (s->db == NULL)
        return;
    lz_replay_close(&s->replay);
    for (uint32_t i = 0; i < LZ_STORE_CACHE; i++) {
        sqlite3_finalize(s->cache[i].st);
        s->cache[i] = (struct lz_store_cached){0};
    }
    sqlite3_stmt *all[] = {s->begin, s->commit, s->rollback, s->set_lsn};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        sqlite3_finalize(all[i]);
    s->begin = s->commit = s->rollback = s->set_lsn = NULL;
    int rc = sqlite3_close(s->db);
    LZ_ASSERT(rc == SQLITE_OK); // all its statements are finalized
    s->db = NULL;
}

static bool fail(struct lz_store *s, struct lz_err *out)
{
    char text[200];
    snprintf(text, sizeof(text), "%s", s->db != NULL ? sqlite3_errmsg(s->db) : "no memory");
    lz_store_disconnect(s);
    return lz_fail(out, LZ_EINVAL, "%s", text);
}

// What is there is recovered as it is opened. False: it is no database.
bool lz_store_connect(struct lz_store *s, struct lz_err *out)
{
    static const char *const settings[] = {
        "PRAGMA page_size = 1024",
        "PRAGMA locking_mode = EXCLUSIVE", // its log's index is memory of its own
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA secure_delete = OFF",
        "CREATE TABLE IF NOT EXISTS " LZ_AUTHORIZE_TABLE "(id INTEGER PRIMARY KEY, lsn)",
        "INSERT OR IGNORE INTO " LZ_AUTHORIZE_TABLE " VALUES (1, 0)",
    };
    if (s->db != NULL)
        return true;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(LZ_VOLUME_NAME, &s->db, flags, LZ_LIBRARY_VFS) != SQLITE_OK)
        return fail(s, out);
    lz_authorize_install(s->db, &s->guard);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    s->rules_are_on = true;
    s->is_open = false;
    s->replay.db = NULL;
    lz_replay_open(&s->replay, s->db);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (!run_own(s, settings[i], NULL))
            return fail(s, out);
    int64_t lsn = 0;
    if (!run_own(s, "SELECT lsn FROM " LZ_AUTHORIZE_TABLE " WHERE id = 1", &lsn))
        return fail(s, out);
    s->begin = lz_store_own(s, "BEGIN IMMEDIATE");
    s->commit = lz_store_own(s, "COMMIT");
    s->rollback = lz_store_own(s, "ROLLBACK");
    s->set_lsn = lz_store_own(s, "UPDATE " LZ_AUTHORIZE_TABLE " SET lsn = ?1 WHERE id = 1");
    if (s->begin == NULL || s->commit == NULL || s->rollback == NULL || s->set_lsn == NULL)
        return fail(s, out);
    s->lsn = (uint64_t)lsn;
    look_for_rules(s);
    return true;
}

// ---- statements

void lz_store_forget(struct lz_store *s)
{
    for (uint32_t i = 0; i < LZ_STORE_CACHE; i++) {
        sqlite3_finalize(s->cache[i].st);
        s->cache[i] = (struct lz_store_cached){0};
    }
    lz_replay_forget(&s->replay);
    look_for_rules(s);
}

static bool is_blank(const char *sql, size_t size)
{
    char word[16];
    return lz_statement_verb(sql, size, word)[0] == '\0' && strspn(sql, " \t\r\n;") >= size;
}

// Compiled anew; NULL and SQLite's error if it cannot be. `rest` is what stands behind it.
sqlite3_stmt *lz_store_compile(struct lz_store *s, const char *sql, size_t size, const char **rest)
{
    s->guard.refused[0] = '\0';
    s->guard.alters = false;
    s->guard.altered[0] = '\0';
    s->guard.steps = 0;
    sqlite3_stmt *st = NULL;
    sqlite3_prepare_v3(s->db, sql, (int)size, SQLITE_PREPARE_PERSISTENT, &st, rest);
    return st;
}

static sqlite3_stmt *find_cached(struct lz_store *s, const char *sql, uint32_t size,
                                 struct lz_store_cached **place)
{
    uint64_t hash = lz_hash_bytes(sql, size);
    struct lz_store_cached *set = &s->cache[hash & (LZ_STORE_CACHE - 1) & ~(WAYS - 1)];
    *place = set;
    for (uint32_t i = 0; i < WAYS; i++) {
        if (set[i].st != NULL && set[i].hash == hash && set[i].size == size) {
            set[i].used = ++s->uses;
            *place = &set[i];
            return set[i].st;
        }
        if (set[i].used < (*place)->used)
            *place = &set[i];
    }
    sqlite3_finalize((*place)->st);
    **place = (struct lz_store_cached){.hash = hash, .size = size, .used = ++s->uses};
    return NULL;
}

struct kind {
    uint16_t status;
    const char *code;
};

// What became of it, in the words of the wire: 4xx is the caller's, 5xx the server's.
static struct kind kind_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
        return (struct kind){409, "constraint"};
    case SQLITE_AUTH:
        return (struct kind){403, "refused"};
    case SQLITE_READONLY:
        return (struct kind){503, "read_only"};
    case SQLITE_FULL:
        return (struct kind){507, "full"};
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return (struct kind){500, "io"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return (struct kind){500, "corrupt"};
    case SQLITE_NOMEM:
        return (struct kind){500, "memory"};
    case SQLITE_INTERRUPT:
        return (struct kind){500, "steps"};
    case SQLITE_TOOBIG:
        return (struct kind){400, "too_big"};
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        return (struct kind){400, "type"};
    default:
        return (struct kind){400, "statement"};
    }
}

static void say_failed(struct lz_store *s, int rc, struct lz_statement_builder *out)
{
    if (out == NULL)
        return;
    struct kind k = kind_of(rc);
    if (s->guard.refused[0] != '\0')
        k = (struct kind){403, "refused"};
    const char *text = lz_authorize_message(&s->guard, s->db);
    lz_statement_fail(out, k.status, k.code, text);
}

void lz_store_bind(sqlite3_stmt *st, int at, const struct lz_cell *c)
{
    switch (c->kind) {
    case LZ_CELL_INTEGER:
        sqlite3_bind_int64(st, at, c->integer);
        break;
    case LZ_CELL_FLOAT:
        sqlite3_bind_double(st, at, c->real);
        break;
    case LZ_CELL_TEXT:
        sqlite3_bind_text64(st, at, c->bytes, c->size, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case LZ_CELL_BLOB:
        sqlite3_bind_blob64(st, at, c->bytes, c->size, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_null(st, at);
    }
}

static bool bind_all(sqlite3_stmt *st, const struct lz_store_run *run,
                     struct lz_statement_builder *out)
{
    const struct lz_sql_statement *text = run->statement;
    int wanted = sqlite3_bind_parameter_count(st);
    int key = sqlite3_bind_parameter_index(st, ":key");
    char why[LZ_ERR_SIZE];
    if (key > 0)
        sqlite3_bind_int64(st, key, (int64_t)run->key);
    if (wanted - (key > 0) != (int)text->count) {
        snprintf(why, sizeof(why), "the statement has %d parameters%s, got %u values",
                 wanted - (key > 0), key > 0 ? " beside :key" : "", text->count);
        lz_statement_fail(out, 400, "parameters", why);
        return false;
    }
    for (uint32_t i = 0, at = 1; i < text->count; i++, at++) {
        at += (int)at == key;
        lz_store_bind(st, (int)at, &text->cells[i]);
    }
    return true;
}

static bool add_row(sqlite3_stmt *st, struct lz_statement_builder *out)
{
    for (uint32_t i = 0; i < out->answer.columns; i++) {
        struct lz_cell c = {.kind = LZ_CELL_NULL};
        switch (sqlite3_column_type(st, (int)i)) {
        case SQLITE_INTEGER:
            c = (struct lz_cell){.kind = LZ_CELL_INTEGER,
                                 .integer = sqlite3_column_int64(st, (int)i)};
            break;
        case SQLITE_FLOAT:
            c = (struct lz_cell){.kind = LZ_CELL_FLOAT, .real = sqlite3_column_double(st, (int)i)};
            break;
        case SQLITE_TEXT:
            c.kind = LZ_CELL_TEXT;
            c.bytes = (const char *)sqlite3_column_text(st, (int)i);
            c.size = (uint32_t)sqlite3_column_bytes(st, (int)i);
            break;
        case SQLITE_BLOB:
            c.kind = LZ_CELL_BLOB;
            c.bytes = sqlite3_column_blob(st, (int)i);
            c.size = (uint32_t)sqlite3_column_bytes(st, (int)i);
            break;
        default:
            break;
        }
        if (!lz_statement_add(out, &c))
            return false;
    }
    return true;
}

// To its end. The result, SQLITE_DONE if it got there.
static int step_all(struct lz_store *s, sqlite3_stmt *st, struct lz_statement_builder *out)
{
    int columns = sqlite3_column_count(st);
    int64_t before = sqlite3_total_changes(s->db);
    for (int i = 0; i < columns; i++)
        lz_statement_name(out, sqlite3_column_name(st, i));
    int rc;
    s->guard.steps = 0;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        if (!add_row(st, out)) {
            sqlite3_reset(st);
            lz_statement_fail(out, 400, "too_big", "the rows are more than 64 MiB");
            return SQLITE_TOOBIG;
        }
    if (rc == SQLITE_DONE) {
        bool has_changed = sqlite3_total_changes(s->db) != before;
        out->answer.changes = has_changed ? sqlite3_changes(s->db) : 0;
        out->answer.last_id = has_changed ? sqlite3_last_insert_rowid(s->db) : 0;
    } else {
        rc = sqlite3_extended_errcode(s->db);
        say_failed(s, rc, out);
    }
    return rc;
}

void lz_store_roll_back(struct lz_store *s)
{
    if (sqlite3_get_autocommit(s->db) == 0)
        lz_store_step_own(s, s->rollback);
    LZ_ASSERT(sqlite3_get_autocommit(s->db) != 0);
    lz_replay_stop(&s->replay);
    s->is_open = false;
    if (s->was_altered)
        lz_store_forget(s);
    s->was_altered = false;
}

// A transaction without what is hidden, and with what is pending.
static bool begin(struct lz_store *s, const struct lz_store_run *run,
                  struct lz_statement_builder *out)
{
    int rc = lz_store_step_own(s, s->begin);
    if (rc != SQLITE_DONE) {
        say_failed(s, rc, out);
        return false;
    }
    if (run->pending_count + run->hidden_count > 0)
        lz_store_set_rules(s, false);
    struct lz_conflicts conflicts = {0};
    bool ok = true;
    for (uint32_t i = run->hidden_count; i > 0 && ok; i--)
        ok = lz_replay_take_back(&s->replay, run->hidden[i - 1], &conflicts);
    for (uint32_t i = 0; i < run->pending_count && ok; i++)
        ok = lz_replay_apply(&s->replay, run->pending[i], NULL);
    if (!ok) {
        say_failed(s, sqlite3_extended_errcode(s->db), out);
        lz_store_roll_back(s);
    }
    return ok;
}

static bool execute(struct lz_store *s, sqlite3_stmt *st, const struct lz_store_run *run,
                    struct lz_statement_builder *out)
{
    bool writes = sqlite3_stmt_readonly(st) == 0;
    if (writes && run->reads_only) {
        lz_statement_fail(out, 503, "read_only", "a standby takes no writes");
        return false;
    }
    bool is_begun = writes || run->pending_count + run->hidden_count > 0;
    if (is_begun && !begin(s, run, out))
        return false;
    if (writes) {
        lz_store_set_rules(s, true);
        lz_replay_take(&s->replay);
        s->is_open = true;
    }
    bool ok = bind_all(st, run, out) && step_all(s, st, out) == SQLITE_DONE;
    sqlite3_reset(st);
    if (ok && s->was_altered) {
        lz_replay_rewrite(&s->replay);
        lz_replay_take_text(&s->replay, run->statement->text, run->statement->size);
    }
    if (ok && writes && s->replay.failed) {
        lz_statement_fail(
            out, 400, "refused",
            "a table with generated columns, or a name of over 255 bytes, is refused: its "
            "rows could not be replicated");
        ok = false;
    }
    lz_replay_stop(&s->replay);
    if (is_begun && (!ok || !writes))
        lz_store_roll_back(s);
    return ok;
}

static bool run_in_scope(struct lz_store *s, const struct lz_store_run *run,
                         struct lz_statement_builder *out)
{
    const struct lz_sql_statement *text = run->statement;
    struct lz_err err;
    if (!lz_store_connect(s, &err)) {
        lz_statement_fail(out, 500, "corrupt", err.msg);
        return false;
    }
    struct lz_store_cached *place;
    sqlite3_stmt *st = find_cached(s, text->text, text->size, &place);
    bool is_cached = st != NULL;
    s->was_altered = false;
    if (!is_cached) {
        const char *rest = NULL;
        st = lz_store_compile(s, text->text, text->size, &rest);
        if (st == NULL && sqlite3_errcode(s->db) == SQLITE_OK) {
            lz_statement_fail(out, 400, "statement", "there is no statement in it");
            return false;
        }
        if (st == NULL) {
            say_failed(s, sqlite3_extended_errcode(s->db), out);
            return false;
        }
        if (!is_blank(rest, text->size - (size_t)(rest - text->text))) {
            lz_statement_fail(out, 400, "statement", "one statement at a time");
            sqlite3_finalize(st);
            return false;
        }
        s->was_altered = s->guard.alters;
    }
    bool is_kept = !s->was_altered;
    if (is_kept)
        place->st = st;
    bool ok = execute(s, st, run, out);
    if (!is_kept)
        sqlite3_finalize(st);
    return ok;
}

bool lz_store_run(struct lz_store *s, const struct lz_store_run *run,
                  struct lz_statement_builder *out)
{
    LZ_ASSERT(!s->is_open);
    lz_statement_begin(out);
    lz_store_enter(s, run->owner, run->counter);
    bool ok = run_in_scope(s, run, out);
    lz_library_leave();
    if (!ok && strcmp(out->answer.code, "memory") == 0)
        lz_arena_alloc(s->opts.arena, LZ_STATEMENT_ANSWER_MAX); // the run's, and it ends
    LZ_ASSERT(LZ_IMPLIES(s->is_open, ok));
    return ok;
}

// One step in its plan, and that finds a row by its rowid; an IN would find several.
static bool is_point_search(struct lz_store *s, const struct lz_sql_statement *st)
{
    for (uint32_t i = 0; i + 4 <= st->size; i++)
        if (sqlite3_strnicmp(st->text + i, " in ", 4) == 0 ||
            sqlite3_strnicmp(st->text + i, " in(", 4) == 0)
            return false;
    char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %.*s", (int)st->size, st->text);
    sqlite3_stmt *q = lz_store_own(s, sql);
    sqlite3_free(sql);
    uint32_t steps = 0, points = 0;
    while (q != NULL && sqlite3_step(q) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(q, 3);
        steps++;
        points += step != NULL && strstr(step, "INTEGER PRIMARY KEY (rowid=?)") != NULL;
    }
    sqlite3_finalize(q);
    return steps == 1 && points == 1;
}

void lz_store_look(struct lz_store *s, const struct lz_sql_statement *st,
                   struct lz_authorize_touch *out, bool *is_point)
{
    lz_store_enter(s, 0, 0);
    bool was_altered = s->guard.alters;
    s->guard.touch = (struct lz_authorize_touch){0};
    sqlite3_finalize(lz_store_compile(s, st->text, st->size, NULL));
    s->guard.alters = was_altered;
    *out = s->guard.touch;
    *is_point = !s->has_rules && is_point_search(s, st); // a trigger's plan is not shown
    lz_library_leave();
}

const uint64_t *lz_store_keys(const struct lz_store *s, uint32_t *count)
{
    LZ_ASSERT(s->is_open);
    *count = s->replay.key_count;
    return s->replay.keys;
}

void lz_store_undo(struct lz_store *s)
{
    LZ_ASSERT(s->is_open);
    lz_store_enter(s, 0, 0);
    lz_store_roll_back(s);
    lz_library_leave();
}

struct lz_image *lz_store_set_aside(struct lz_store *s)
{
    struct lz_image *image = lz_replay_image(&s->replay);
    lz_store_undo(s);
    return image;
}

// With the connection in a transaction: the LSN, and all that it did.
int lz_store_commit_lsn(struct lz_store *s, uint64_t lsn)
{
    sqlite3_bind_int64(s->set_lsn, 1, (int64_t)lsn);
    int rc = lz_store_step_own(s, s->set_lsn);
    if (rc == SQLITE_DONE)
        rc = lz_store_step_own(s, s->commit);
    if (rc == SQLITE_DONE)
        s->lsn = lsn;
    return rc;
}

struct lz_image *lz_store_commit(struct lz_store *s, uint64_t lsn, struct lz_statement_builder *out)
{
    LZ_ASSERT(s->is_open);
    LZ_ASSERT(lsn > s->lsn);
    struct lz_image *image = lz_replay_image(&s->replay);
    if (image == NULL)
        image = lz_image_create(s->opts.arena, NULL, 0); // nothing: and it has its place in the log
    lz_store_enter(s, 0, 0);
    int rc = lz_store_commit_lsn(s, lsn);
    if (rc != SQLITE_DONE) {
        say_failed(s, sqlite3_extended_errcode(s->db), out);
        lz_store_roll_back(s);
        lz_image_release(image);
        image = NULL;
    } else {
        s->is_open = false;
        if (s->was_altered)
            lz_store_forget(s);
        s->was_altered = false;
    }
    lz_library_leave();
    return image;
}

struct lz_image *lz_store_join(struct lz_arena *arena, struct lz_image *const *all, uint32_t count)
{
    size_t size = 0, at = 0;
    for (uint32_t i = 0; i < count; i++)
        size += all[i]->size;
    struct lz_image *out = lz_image_create(arena, NULL, 0);
    if (size == 0)
        return out;
    lz_image_release(out);
    unsigned char *bytes = lz_arena_alloc(arena, size);
    for (uint32_t i = 0; i < count; at += all[i++]->size)
        memcpy(bytes + at, all[i]->bytes, all[i]->size);
    out = lz_image_create(arena, bytes, size);
    lz_arena_free(arena, bytes, size);
    return out;
}

struct lz_image *lz_store_commit_all(struct lz_store *s, struct lz_image *const *pending,
                                     uint32_t count, uint64_t lsn, struct lz_statement_builder *out)
{
    LZ_ASSERT(!s->is_open);
    struct lz_err err;
    struct lz_image *image = NULL;
    struct lz_store_run run = {.pending = pending, .pending_count = count};
    lz_store_enter(s, 0, 0);
    if (!lz_store_connect(s, &err)) {
        if (out != NULL)
            lz_statement_fail(out, 500, "corrupt", err.msg);
    } else if (begin(s, &run, out)) {
        if (lz_store_commit_lsn(s, lsn) == SQLITE_DONE) {
            image = lz_store_join(s->opts.arena, pending, count);
        } else {
            say_failed(s, sqlite3_extended_errcode(s->db), out);
            lz_store_roll_back(s);
        }
    }
    lz_library_leave();
    return image;
}
