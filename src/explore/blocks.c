#include "explore/blocks.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "explore/brief.h"
#include "explore/token.h"
#include "record/record.h"

static const char schema[] =
    "begin;"
    "create table part (schema text, version text, engine text, first text, last text,"
    " shard integer, shards integer, swarm text, delivery text);"
    "create table scenario (id integer primary key, path text, text_hash text);"
    "create table kase (id integer primary key, scenario integer, name text, xfail integer);"
    "create table run (kase integer, seed text, is_saved integer, manner text, brief blob);";

// ---------------------------------------------------------------- a part

struct row {
    uint64_t seed;
    size_t run; // index of the suite's runs
    bool is_saved;
    struct lz_manner manner;
    char *brief;
    size_t size;
};

struct lz_blocks_part {
    struct row *rows;
    size_t count, cap;
};

struct lz_blocks_part *lz_blocks_begin(void)
{
    struct lz_blocks_part *part = lz_mem_alloc(sizeof(*part));
    *part = (struct lz_blocks_part){0};
    return part;
}

static void add_row(struct lz_blocks_part *part, struct row row)
{
    if (part->count == part->cap) {
        part->cap = part->cap > 0 ? 2 * part->cap : 256;
        part->rows = lz_mem_resize(part->rows, part->cap * sizeof(part->rows[0]));
    }
    part->rows[part->count++] = row;
}

void lz_blocks_keep(struct lz_blocks_part *part, const struct lz_sweep_kept *kept)
{
    struct row row = {.seed = kept->seed,
                      .run = kept->run,
                      .is_saved = kept->is_saved,
                      .manner = kept->manner,
                      .brief = lz_mem_alloc(kept->brief->len + 1),
                      .size = kept->brief->len};
    memcpy(row.brief, kept->brief->text, kept->brief->len);
    add_row(part, row);
}

static void free_part(struct lz_blocks_part *part)
{
    for (size_t i = 0; i < part->count; i++)
        free(part->rows[i].brief);
    free(part->rows);
    free(part);
}

// A statement with numbers and texts in its places; texts of 64 bits, which SQLite has no integer
// for.
static bool put(sqlite3 *db, const char *sql, const char *const *texts, size_t count)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        sqlite3_bind_text(q, (int)i + 1, texts[i], -1, SQLITE_TRANSIENT);
    bool ok = sqlite3_step(q) == SQLITE_DONE;
    return sqlite3_finalize(q) == SQLITE_OK && ok;
}

static const char *number(uint64_t n, char text[24])
{
    snprintf(text, 24, "%" PRIu64, n);
    return text;
}

static bool put_facts(sqlite3 *db, const struct lz_sweep_opts *opts)
{
    const struct lz_suite *suite = opts->suite;
    char a[24], b[24], c[24], d[24], e[24], swarm[32], order[LZ_ORDER_TEXT_SIZE];
    snprintf(swarm, sizeof(swarm), "%.17g", suite->opts.swarm);
    const char *const part[] = {LZ_BLOCKS_SCHEMA,
                                LZ_VERSION,
                                number(lz_token_engine(), a),
                                number(opts->first, b),
                                number(opts->last, c),
                                number(opts->shard, d),
                                number(opts->shards, e),
                                swarm,
                                lz_order_write(&suite->opts.order, order)};
    bool ok = put(db, "insert into part values (?, ?, ?, ?, ?, ?, ?, ?, ?)", part, 9);
    for (size_t i = 0; ok && i < suite->scenario_count; i++) {
        const char *const row[] = {number(i, a), suite->scenarios[i].path,
                                   number(suite->scenarios[i].listing.text_hash, b)};
        ok = put(db, "insert into scenario values (?, ?, ?)", row, 3);
    }
    for (size_t i = 0; ok && i < suite->run_count; i++) {
        struct lz_str name;
        lz_str_init(&name);
        lz_suite_case_text(suite->runs[i].of, ",", &name);
        const char *const row[] = {number(i, a), number(suite->runs[i].scenario, b), name.text,
                                   number(suite->runs[i].of->xfail, c)};
        ok = put(db, "insert into kase values (?, ?, ?, ?)", row, 4);
        lz_str_finish(&name);
    }
    return ok;
}

static bool put_rows(sqlite3 *db, const struct lz_blocks_part *part)
{
    sqlite3_stmt *q = NULL;
    char seed[24];
    struct lz_str manner;
    lz_str_init(&manner);
    bool ok =
        sqlite3_prepare_v2(db, "insert into run values (?, ?, ?, ?, ?)", -1, &q, NULL) == SQLITE_OK;
    for (size_t i = 0; ok && i < part->count; i++) {
        const struct row *r = &part->rows[i];
        sqlite3_bind_int64(q, 1, (sqlite3_int64)r->run);
        sqlite3_bind_text(q, 2, number(r->seed, seed), -1, SQLITE_TRANSIENT);
        sqlite3_bind_int(q, 3, r->is_saved);
        lz_str_clear(&manner);
        if (r->is_saved)
            lz_manner_write(&r->manner, &manner);
        sqlite3_bind_text(q, 4, manner.text, -1, SQLITE_TRANSIENT);
        sqlite3_bind_blob64(q, 5, r->brief, r->size, SQLITE_STATIC);
        ok = sqlite3_step(q) == SQLITE_DONE;
        sqlite3_reset(q);
    }
    lz_str_finish(&manner);
    sqlite3_finalize(q);
    return ok;
}

bool lz_blocks_end(struct lz_blocks_part *part, const struct lz_sweep_opts *opts, const char *path,
                   struct lz_err *err)
{
    bool ok = true;
    if (path != NULL) {
        sqlite3 *db = lz_record_memory();
        sqlite3_int64 size = 0;
        unsigned char *image = NULL;
        ok = db != NULL && sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK &&
             put_facts(db, opts) && put_rows(db, part) &&
             sqlite3_exec(db, "commit", NULL, NULL, NULL) == SQLITE_OK;
        if (ok)
            image = sqlite3_serialize(db, "main", &size, 0);
        ok = image != NULL || lz_fail(err, LZ_EIO, "cannot build %s: no memory", path);
        ok = ok && lz_record_save(path, image, (size_t)size, err);
        sqlite3_free(image);
        sqlite3_close(db);
    }
    free_part(part);
    return ok;
}

// ---------------------------------------------------------------- a whole

struct merging {
    struct lz_blocks_whole *out;
    struct lz_select_files files; // texts of the suite's paths
    struct lz_blocks_part *rows;
    uint64_t engine, first, last;
    bool *is_there; // parts, by their number
    struct lz_err *err;
};

static const char *text_of(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);
    return text != NULL ? text : "";
}

static uint64_t number_of(sqlite3_stmt *q, int column)
{
    return strtoull(text_of(q, column), NULL, 10);
}

static char *copy(const char *text)
{
    size_t len = strlen(text);
    return memcpy(lz_mem_alloc(len + 1), text, len + 1);
}

static bool differ(struct merging *m, const char *path, const char *what)
{
    return lz_fail(m->err, LZ_EINVAL,
                   "%s is of %s than the parts before it: they are no parts of one whole", path,
                   what);
}

static bool read_facts(struct merging *m, sqlite3 *db, const char *path)
{
    sqlite3_stmt *q = NULL;
    struct lz_blocks_whole *w = m->out;
    struct lz_order_opts order = {0};
    const char *sql =
        "select schema, engine, first, last, shard, shards, swarm, delivery from part";
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK || sqlite3_step(q) != SQLITE_ROW ||
        strcmp(text_of(q, 0), LZ_BLOCKS_SCHEMA) != 0) {
        sqlite3_finalize(q);
        return lz_fail(m->err, LZ_EINVAL, "%s is no part of a sweep, or is damaged", path);
    }
    uint64_t engine = number_of(q, 1), first = number_of(q, 2), last = number_of(q, 3);
    uint64_t shard = number_of(q, 4), shards = number_of(q, 5);
    double swarm = strtod(text_of(q, 6), NULL);
    bool is_known = text_of(q, 7)[0] == '\0' || lz_order_parse(text_of(q, 7), &order, m->err);
    sqlite3_finalize(q);
    if (!is_known)
        return lz_fail_in(m->err, "%s", path);
    shards = shards > 0 ? shards : 1;
    shard = shard > 0 ? shard : 1;
    if (shards > LZ_SUBSET_SHARDS_MAX || shard > shards || last < first)
        return lz_fail(m->err, LZ_EINVAL, "%s is damaged", path);
    if (w->parts == 0) {
        m->engine = engine;
        m->first = first;
        m->last = last;
        w->suite->opts.swarm = swarm;
        w->suite->opts.order = order;
        w->shards = (uint32_t)shards;
        m->is_there = lz_mem_alloc(shards + 1);
        memset(m->is_there, 0, shards + 1);
    }
    if (engine != m->engine)
        return differ(m, path, "another engine");
    const struct lz_order_opts *mine = &w->suite->opts.order;
    if (order.kind != mine->kind || order.window != mine->window || order.depth != mine->depth ||
        order.steps != mine->steps)
        return differ(m, path, "another order of messages");
    if (swarm < w->suite->opts.swarm || swarm > w->suite->opts.swarm)
        return differ(m, path, "another choice of faults");
    if (first != m->first || last != m->last || shards != w->shards)
        return differ(m, path, "other seeds or another number of parts");
    if (m->is_there[shard]) // it ran twice, and came to the same
        return true;
    m->is_there[shard] = true;
    w->parts++;
    return true;
}

static bool read_scenarios(struct merging *m, sqlite3 *db, const char *path)
{
    struct lz_suite *suite = m->out->suite;
    sqlite3_stmt *q = NULL;
    size_t at = 0;
    bool ok = sqlite3_prepare_v2(db, "select path, text_hash from scenario order by id", -1, &q,
                                 NULL) == SQLITE_OK;
    for (; ok && sqlite3_step(q) == SQLITE_ROW; at++) {
        if (m->out->parts == 1 && at == suite->scenario_count) {
            suite->scenarios =
                lz_mem_resize(suite->scenarios, (at + 1) * sizeof(suite->scenarios[0]));
            suite->scenarios[suite->scenario_count++] = (struct lz_suite_scenario){
                .path = copy(text_of(q, 0)), .listing = {.text_hash = number_of(q, 1)}};
        }
        ok = at < suite->scenario_count && strcmp(suite->scenarios[at].path, text_of(q, 0)) == 0 &&
             suite->scenarios[at].listing.text_hash == number_of(q, 1);
    }
    sqlite3_finalize(q);
    return (ok && at == suite->scenario_count) || differ(m, path, "another text of a scenario");
}

static struct lz_worker_case *read_case(const char *name, bool xfail)
{
    struct lz_worker_case *c = lz_mem_alloc(sizeof(*c));
    struct lz_err ignored;
    *c = (struct lz_worker_case){.xfail = xfail};
    if (name[0] != '\0' && !lz_select_pairs_add(&c->params, name, true, &ignored))
        lz_select_pairs_put(&c->params, "case", name);
    return c;
}

static bool read_cases(struct merging *m, sqlite3 *db, const char *path)
{
    struct lz_suite *suite = m->out->suite;
    sqlite3_stmt *q = NULL;
    size_t at = 0;
    bool ok = sqlite3_prepare_v2(db, "select scenario, name, xfail from kase order by id", -1, &q,
                                 NULL) == SQLITE_OK;
    for (; ok && sqlite3_step(q) == SQLITE_ROW; at++) {
        size_t scenario = (size_t)number_of(q, 0);
        if (m->out->parts == 1 && at == suite->run_count) {
            suite->runs = lz_mem_resize(suite->runs, (at + 1) * sizeof(suite->runs[0]));
            suite->runs[suite->run_count++] = (struct lz_suite_run){
                .scenario = scenario, .of = read_case(text_of(q, 1), number_of(q, 2) != 0)};
        }
        struct lz_str name;
        lz_str_init(&name);
        if (at < suite->run_count)
            lz_suite_case_text(suite->runs[at].of, ",", &name);
        ok = at < suite->run_count && scenario < suite->scenario_count &&
             suite->runs[at].scenario == scenario && strcmp(name.text, text_of(q, 1)) == 0;
        lz_str_finish(&name);
    }
    sqlite3_finalize(q);
    return (ok && at == suite->run_count && at > 0) || differ(m, path, "other cases");
}

// A file that something else wrote may have a good seal and hold no result: told here, for later it
// would be a crash of the run.
static bool is_result(const struct merging *m, const struct row *row)
{
    struct lz_brief b;
    const struct lz_str brief = {.text = row->brief, .len = row->size};
    if (row->run >= m->out->suite->run_count ||
        (!row->is_saved && (row->seed < m->first || row->seed > m->last)) ||
        !lz_brief_read(&brief, &b))
        return false;
    lz_brief_finish(&b);
    return true;
}

static bool read_rows(struct merging *m, sqlite3 *db, const char *path)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, "select kase, seed, is_saved, brief, manner from run", -1, &q,
                           NULL) != SQLITE_OK)
        return lz_fail(m->err, LZ_EINVAL, "%s is damaged", path);
    int step;
    while ((step = sqlite3_step(q)) == SQLITE_ROW) {
        struct row row = {.run = (size_t)number_of(q, 0),
                          .seed = number_of(q, 1),
                          .is_saved = number_of(q, 2) != 0,
                          .size = (size_t)sqlite3_column_bytes(q, 3)};
        bool ok = lz_manner_read(text_of(q, 4), strlen(text_of(q, 4)), &row.manner);
        row.brief = lz_mem_alloc(row.size + 1);
        if (row.size > 0)
            memcpy(row.brief, sqlite3_column_blob(q, 3), row.size);
        add_row(m->rows, row);
        if (!ok || !is_result(m, &row)) {
            sqlite3_finalize(q);
            return lz_fail(m->err, LZ_EINVAL,
                           "%s: what it has of seed %" PRIu64
                           " is no result: the file is damaged, run this part again",
                           path, row.seed);
        }
    }
    sqlite3_finalize(q);
    return step == SQLITE_DONE || lz_fail(m->err, LZ_EINVAL, "%s is damaged", path);
}

static bool read_part(struct merging *m, const char *path)
{
    unsigned char *image;
    size_t size;
    sqlite3 *db = NULL;
    if (!lz_record_load(path, &image, &size, m->err))
        return false;
    size_t before = m->out->parts;
    bool ok = sqlite3_open(":memory:", &db) == SQLITE_OK &&
              sqlite3_deserialize(db, "main", image, (sqlite3_int64)size, (sqlite3_int64)size,
                                  SQLITE_DESERIALIZE_READONLY) == SQLITE_OK;
    ok = ok || lz_fail(m->err, LZ_EINVAL, "%s is no part of a sweep", path);
    ok = ok && read_facts(m, db, path);
    bool is_new = m->out->parts > before;
    ok = ok && read_scenarios(m, db, path) && read_cases(m, db, path);
    ok = ok && (!is_new || read_rows(m, db, path));
    sqlite3_close(db);
    free(image);
    return ok;
}

// Saved seeds first, then seed by seed all cases: the order of a sweep in one place.
static int by_order(const void *a, const void *b, void *ctx)
{
    const struct row *x = a, *y = b;
    (void)ctx;
    if (x->is_saved != y->is_saved)
        return x->is_saved ? -1 : 1;
    if (x->seed != y->seed)
        return x->seed < y->seed ? -1 : 1;
    return x->run < y->run ? -1 : x->run > y->run;
}

static size_t count_saved(const struct lz_blocks_part *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += rows->rows[i].is_saved;
    return count;
}

static void count_rows(struct merging *m, double confidence, double max_rate)
{
    struct lz_blocks_whole *w = m->out;
    const struct lz_sweep_opts opts = {.suite = w->suite,
                                       .first = m->first,
                                       .last = m->last,
                                       .saved_count = count_saved(m->rows),
                                       .confidence = confidence,
                                       .max_rate = max_rate};
    lz_sort(m->rows->rows, m->rows->count, sizeof(m->rows->rows[0]), by_order, NULL);
    lz_sweep_begin(&opts, &w->sweep);
    uint64_t counted = 0;
    for (size_t i = 0; i < m->rows->count; i++) {
        const struct row *r = &m->rows->rows[i];
        const struct lz_str brief = {.text = r->brief, .len = r->size};
        lz_sweep_add(&w->sweep,
                     &(struct lz_sweep_kept){r->seed, r->run, r->is_saved, r->manner, &brief});
        counted += !r->is_saved;
    }
    lz_sweep_end(&w->sweep);
    uint64_t wanted = (m->last - m->first + 1) * w->suite->run_count;
    w->missing = counted < wanted && !w->sweep.decided ? wanted - counted : 0;
    if (w->missing > 0)
        lz_exit_add(&w->sweep.codes, LZ_EXIT_BUDGET);
}

bool lz_blocks_merge(const char *const *paths, size_t count, double confidence, double max_rate,
                     struct lz_blocks_whole *out, struct lz_err *err)
{
    *out = (struct lz_blocks_whole){.suite = lz_mem_alloc(sizeof(struct lz_suite))};
    *out->suite = (struct lz_suite){0};
    struct merging m = {.out = out, .rows = lz_blocks_begin(), .err = err};
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = read_part(&m, paths[i]);
    out->suite->run_scenarios = out->suite->scenario_count;
    if (ok)
        count_rows(&m, confidence, max_rate);
    free_part(m.rows);
    free(m.is_there);
    if (!ok)
        lz_blocks_finish(out);
    return ok;
}

void lz_blocks_finish(struct lz_blocks_whole *whole)
{
    if (whole->suite == NULL)
        return;
    if (whole->sweep.cases != NULL)
        lz_sweep_finish(&whole->sweep);
    for (size_t i = 0; i < whole->suite->run_count; i++) {
        struct lz_worker_case *c = (struct lz_worker_case *)whole->suite->runs[i].of;
        lz_select_pairs_free(&c->params);
        free(c);
    }
    for (size_t i = 0; i < whole->suite->scenario_count; i++)
        free((char *)whole->suite->scenarios[i].path);
    lz_suite_destroy(whole->suite);
    *whole = (struct lz_blocks_whole){0};
}
