#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "model/data/sql/store_state.h"

/* A store as an engine: what it is loaded with, replays, is copied to, and found to be. */

#define SEED_STEPS_MAX 100u // statements' worth of steps that a schema and its rows may take

struct lz_snapshot {
    struct lz_volume volume;
    uint64_t lsn;
};

// ---- loading

static void say_where(struct lz_store *s, const char *sql, const char *at,
                      struct lz_store_fault *out)
{
    out->at = (size_t)(at - sql);
#if SQLITE_VERSION_NUMBER >= 3038000
    int offset = sqlite3_error_offset(s->db);
    if (offset > 0)
        out->at += (size_t)offset;
#endif
    snprintf(out->text, sizeof(out->text), "%s", lz_authorize_message(&s->guard, s->db));
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n' || *at == ';'))
        at++;
    return at;
}

static bool load_all(struct lz_store *s, const char *sql, size_t size, bool runs,
                     struct lz_store_fault *out)
{
    const char *end = sql + size;
    uint64_t steps = 0;
    for (const char *at = skip_space(sql, end); at < end;) {
        const char *rest = NULL;
        sqlite3_stmt *st = lz_store_compile(s, at, (size_t)(end - at), &rest);
        int rc = sqlite3_errcode(s->db);
        while (st != NULL && runs && (rc = sqlite3_step(st)) == SQLITE_ROW)
            continue;
        steps += s->guard.steps;
        bool ok = st == NULL ? rc == SQLITE_OK : !runs || rc == SQLITE_DONE;
        if (!ok)
            say_where(s, sql, at, out);
        sqlite3_finalize(st);
        if (!ok)
            return false;
        if (steps > (uint64_t)SEED_STEPS_MAX * LZ_AUTHORIZE_STEPS_MAX) {
            *out = (struct lz_store_fault){.at = (size_t)(at - sql),
                                           .text = "it takes more than a billion steps"};
            return false;
        }
        at = skip_space(rest, end);
    }
    return true;
}

static bool load(struct lz_store *s, const char *sql, size_t size, bool runs,
                 struct lz_store_fault *out)
{
    LZ_ASSERT(!s->is_open);
    struct lz_err err;
    *out = (struct lz_store_fault){0};
    lz_store_enter(s, 0, 1);
    bool ok = lz_store_connect(s, &err) && lz_store_step_own(s, s->begin) == SQLITE_DONE;
    LZ_ASSERT(ok); // an empty volume has no faults
    lz_store_set_rules(s, true);
    ok = load_all(s, sql, size, runs, out);
    if (ok && runs && lz_store_step_own(s, s->commit) != SQLITE_DONE) {
        say_where(s, sql, sql, out); // a foreign key that is checked at the end
        ok = false;
    }
    if (sqlite3_get_autocommit(s->db) == 0)
        lz_store_step_own(s, s->rollback);
    lz_store_forget(s);
    lz_library_leave();
    return ok;
}

bool lz_store_load(struct lz_store *s, const char *sql, size_t size, struct lz_store_fault *out)
{
    return load(s, sql, size, true, out);
}

bool lz_store_check(struct lz_store *s, const char *sql, size_t size, struct lz_store_fault *out)
{
    return load(s, sql, size, false, out);
}

// ---- the engine's table

static struct lz_store *of(struct lz_engine *e)
{
    LZ_ASSERT(e != NULL);
    return (struct lz_store *)e;
}

static void apply(struct lz_engine *e, const struct lz_change *c, struct lz_conflicts *conflicts)
{
    struct lz_store *s = of(e);
    struct lz_err err;
    LZ_ASSERT(!s->is_open && c->image != NULL);
    if (c->lsn <= s->lsn)
        return; // it came with a copy
    lz_store_enter(s, c->lsn, 2);
    if (lz_store_connect(s, &err) && lz_store_step_own(s, s->begin) == SQLITE_DONE) {
        lz_store_set_rules(s, false);
        bool ok = lz_replay_apply(&s->replay, c->image, conflicts) &&
                  lz_store_commit_lsn(s, c->lsn) == SQLITE_DONE;
        if (!ok)
            lz_store_roll_back(s);
    }
    lz_library_leave();
}

bool lz_store_take_back(struct lz_store *s, const struct lz_image *image)
{
    LZ_ASSERT(!s->is_open && s->lsn > 0);
    struct lz_err err;
    struct lz_conflicts conflicts = {0};
    bool ok = false;
    lz_store_enter(s, 0, 6);
    if (lz_store_connect(s, &err) && lz_store_step_own(s, s->begin) == SQLITE_DONE) {
        lz_store_set_rules(s, false);
        ok = lz_replay_take_back(&s->replay, image, &conflicts) && conflicts.count == 0 &&
             lz_store_commit_lsn(s, s->lsn - 1) == SQLITE_DONE;
        if (!ok)
            lz_store_roll_back(s);
    }
    lz_library_leave();
    return ok;
}

static uint64_t lsn(const struct lz_engine *e)
{
    return ((const struct lz_store *)e)->lsn;
}

static void close_store(struct lz_store *s)
{
    if (s->db == NULL)
        return;
    LZ_ASSERT(!s->is_open);
    lz_store_enter(s, 0, 3);
    lz_store_disconnect(s);
    lz_library_leave();
}

static void copy(struct lz_engine *e, const struct lz_engine *from)
{
    LZ_ASSERT(e->ops == from->ops);
    close_store(of(e));
    lz_volume_copy(&of(e)->volume, &((const struct lz_store *)from)->volume);
    of(e)->lsn = ((const struct lz_store *)from)->lsn;
}

static struct lz_snapshot *save(struct lz_engine *e)
{
    struct lz_snapshot *snapshot = lz_arena_alloc(e->arena, sizeof(*snapshot));
    lz_volume_init(&snapshot->volume, e->arena);
    lz_volume_copy(&snapshot->volume, &of(e)->volume);
    snapshot->lsn = of(e)->lsn;
    return snapshot;
}

static void restore(struct lz_engine *e, const struct lz_snapshot *snapshot)
{
    close_store(of(e));
    lz_volume_copy(&of(e)->volume, &snapshot->volume);
    of(e)->lsn = snapshot->lsn;
}

static void drop(struct lz_engine *e, struct lz_snapshot *snapshot)
{
    lz_volume_finish(&snapshot->volume);
    lz_arena_free(e->arena, snapshot, sizeof(*snapshot));
}

// Each row for itself, summed: in which order they lie is not content, nor are rowids.
static uint64_t hash_rows(struct lz_store *s, const char *name, uint64_t seed)
{
    char *sql = sqlite3_mprintf("SELECT * FROM main.\"%w\"", name);
    sqlite3_stmt *st = lz_store_own(s, sql);
    sqlite3_free(sql);
    uint64_t sum = 0;
    s->guard.is_ours = true;
    while (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
        uint64_t row = seed;
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            uint64_t type = (uint64_t)sqlite3_column_type(st, i);
            const void *bytes = sqlite3_column_blob(st, i);
            size_t size = (size_t)sqlite3_column_bytes(st, i);
            row = lz_hash_mix(row + type, lz_hash_bytes(size > 0 ? bytes : "", size));
        }
        sum += lz_hash_mix(row, seed);
    }
    s->guard.is_ours = false;
    sqlite3_finalize(st);
    return sum;
}

static uint64_t hash(struct lz_engine *e)
{
    struct lz_store *s = of(e);
    struct lz_err err;
    uint64_t sum = 0;
    lz_store_enter(s, 0, 4);
    if (lz_store_connect(s, &err)) {
        sqlite3_stmt *q =
            lz_store_own(s, "SELECT name, sql, type FROM sqlite_master WHERE sql IS NOT NULL "
                            "AND name <> '" LZ_AUTHORIZE_TABLE "' AND name NOT LIKE "
                            "'sqlite\\_%' ESCAPE '\\'");
        while (q != NULL && sqlite3_step(q) == SQLITE_ROW) {
            const char *name = (const char *)sqlite3_column_text(q, 0);
            uint64_t seed = lz_hash_text((const char *)sqlite3_column_text(q, 1));
            sum += seed;
            if (strcmp((const char *)sqlite3_column_text(q, 2), "table") == 0)
                sum += hash_rows(s, name, seed);
        }
        sqlite3_finalize(q);
    }
    lz_library_leave();
    return sum;
}

static bool check_in_scope(struct lz_store *s, struct lz_err *out)
{
    if (!lz_store_connect(s, out))
        return false;
    sqlite3_stmt *q = lz_store_own(s, "PRAGMA integrity_check(1)");
    s->guard.is_ours = true;
    bool ok = q != NULL && sqlite3_step(q) == SQLITE_ROW;
    const char *said = ok ? (const char *)sqlite3_column_text(q, 0) : sqlite3_errmsg(s->db);
    ok = ok && strcmp(said, "ok") == 0;
    if (!ok) {
        const char *line = strrchr(said, '\n'); // "*** in database main ***", then what it is
        lz_fail(out, LZ_EINVAL, "%s", line != NULL && line[1] != '\0' ? line + 1 : said);
    }
    s->guard.is_ours = false;
    sqlite3_finalize(q);
    return ok;
}

static bool check(struct lz_engine *e, struct lz_err *out)
{
    lz_store_enter(of(e), 0, 5);
    bool ok = check_in_scope(of(e), out);
    lz_library_leave();
    return ok;
}

static size_t bytes(const struct lz_engine *e)
{
    return sizeof(struct lz_store) + lz_volume_bytes(&((const struct lz_store *)e)->volume);
}

static const struct lz_engine_ops ops = {.name = "sqlite",
                                         .apply = apply,
                                         .lsn = lsn,
                                         .copy = copy,
                                         .save = save,
                                         .restore = restore,
                                         .drop = drop,
                                         .hash = hash,
                                         .check = check,
                                         .bytes = bytes};

void lz_store_init(struct lz_store *s, const struct lz_store_opts *opts)
{
    LZ_ASSERT(opts->arena != NULL);
    lz_library_init();
    *s = (struct lz_store){.base = {.ops = &ops, .arena = opts->arena}, .opts = *opts};
    lz_volume_init(&s->volume, opts->arena);
    lz_replay_init(&s->replay, opts->arena, &s->guard);
}

void lz_store_finish(struct lz_store *s)
{
    close_store(s);
    lz_volume_finish(&s->volume);
}

void lz_store_close(struct lz_store *s, bool power)
{
    close_store(s);
    if (power)
        lz_volume_lose_power(&s->volume);
}

bool lz_store_recover(struct lz_store *s, struct lz_err *out)
{
    LZ_ASSERT(!s->is_open);
    return check(&s->base, out);
}
