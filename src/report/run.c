#include "report/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

const char *lz_report_text(sqlite3_stmt *st, int column)
{
    const unsigned char *text = sqlite3_column_text(st, column);
    return text != NULL ? (const char *)text : "";
}

sqlite3_stmt *lz_report_ask(const struct lz_report_run *run, const char *sql, int arg_count,
                            const int64_t *args)
{
    sqlite3_stmt *st = NULL;
    int status = sqlite3_prepare_v2(run->db, sql, -1, &st, NULL);
    LZ_ASSERT(status == SQLITE_OK); // the tables were checked when the record was opened
    for (int i = 0; i < arg_count; i++)
        sqlite3_bind_int64(st, i + 1, args[i]);
    return st;
}

int64_t lz_report_number(const struct lz_report_run *run, const char *sql, int arg_count,
                         const int64_t *args, int64_t fallback)
{
    sqlite3_stmt *st = lz_report_ask(run, sql, arg_count, args);
    int64_t v = fallback;
    if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
        v = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return v;
}

static char *copy(sqlite3_stmt *st, int column)
{
    const char *text = lz_report_text(st, column);
    size_t size = strlen(text) + 1;
    return memcpy(lz_mem_alloc(size), text, size);
}

static char *copy_or_null(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? NULL : copy(st, column);
}

static bool read_run(struct lz_report_run *r)
{
    sqlite3_stmt *st;
    const char *sql = "SELECT version, file, scenario, case_id, seed, token, verdict, why,"
                      " trace_hash, error, stop, source, events, virtual_ns, warmup_ns,"
                      " in_flight_max, memory_bytes FROM run";
    if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) != SQLITE_OK)
        return false;
    bool ok = sqlite3_step(st) == SQLITE_ROW;
    char **texts[] = {&r->version, &r->file,    &r->scenario, &r->cases,     &r->seed,
                      &r->token,   &r->verdict, &r->why,      &r->trace_hash};
    for (int i = 0; ok && i < 9; i++)
        *texts[i] = copy(st, i);
    if (ok) {
        r->error = copy_or_null(st, 9);
        r->stop = copy_or_null(st, 10);
        r->source = copy(st, 11);
        r->events = sqlite3_column_int64(st, 12);
        r->virtual_ns = sqlite3_column_int64(st, 13);
        r->warmup_ns = sqlite3_column_int64(st, 14);
        r->in_flight_max = sqlite3_column_int64(st, 15);
        r->memory_bytes = sqlite3_column_int64(st, 16);
    }
    sqlite3_finalize(st);
    return ok;
}

// A record lacks no table: a report asks without looking first.
static bool has_tables(sqlite3 *db)
{
    static const char *const tables[] = {"param", "component", "instance", "metric", "series",
                                         "event", "fault",     "request",  "span",   "expectation"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char sql[80];
        snprintf(sql, sizeof(sql), "SELECT 1 FROM %s LIMIT 1", tables[i]);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

bool lz_report_open(const unsigned char *image, size_t size, struct lz_report_run **out,
                    struct lz_err *err)
{
    struct lz_report_run *r = lz_mem_alloc(sizeof(*r));
    memset(r, 0, sizeof(*r));
    if (sqlite3_open(":memory:", &r->db) != SQLITE_OK ||
        sqlite3_deserialize(r->db, "main", (unsigned char *)image, (sqlite3_int64)size,
                            (sqlite3_int64)size, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK ||
        !has_tables(r->db) || !read_run(r)) {
        lz_report_close(r);
        return lz_fail(err, LZ_EINVAL, "this is not a record of a run");
    }
    *out = r;
    return true;
}

void lz_report_close(struct lz_report_run *r)
{
    if (r == NULL)
        return;
    char *texts[] = {r->version, r->file, r->scenario,   r->cases, r->seed, r->token,
                     r->verdict, r->why,  r->trace_hash, r->error, r->stop, r->source};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    sqlite3_close(r->db);
    free(r);
}

void lz_report_set_path(struct lz_report_run *run, const char *path)
{
    run->path = path;
}

const char *lz_report_verdict(const struct lz_report_run *run)
{
    return run->verdict;
}

bool lz_report_is_failure(const struct lz_report_run *run)
{
    static const char *const bad[] = {"fail", "xpass", "error", "budget"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(run->verdict, bad[i]) == 0)
            return true;
    return false;
}

static double number_or_nan(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? (double)NAN
                                                          : sqlite3_column_double(st, column);
}

static int64_t time_or_none(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL ? -1 : sqlite3_column_int64(st, column);
}

static void read_expect(sqlite3_stmt *st, struct lz_report_expect *e)
{
    e->id = sqlite3_column_int64(st, 0);
    snprintf(e->name, sizeof(e->name), "%s", lz_report_text(st, 1));
    e->line = sqlite3_column_int64(st, 2);
    snprintf(e->temporal, sizeof(e->temporal), "%s", lz_report_text(st, 3));
    e->metric = sqlite3_column_int64(st, 4);
    snprintf(e->verdict, sizeof(e->verdict), "%s", lz_report_text(st, 5));
    snprintf(e->severity, sizeof(e->severity), "%s", lz_report_text(st, 6));
    snprintf(e->expected, sizeof(e->expected), "%s", lz_report_text(st, 7));
    snprintf(e->actual, sizeof(e->actual), "%s", lz_report_text(st, 8));
    snprintf(e->spare, sizeof(e->spare), "%s", lz_report_text(st, 9));
    snprintf(e->why, sizeof(e->why), "%s", lz_report_text(st, 10));
    e->margin = number_or_nan(st, 11);
    e->value = number_or_nan(st, 12);
    e->at_ns = time_or_none(st, 13);
    e->deadline_ns = time_or_none(st, 14);
    e->limit = number_or_nan(st, 15);
    snprintf(e->limit_text, sizeof(e->limit_text), "%s", lz_report_text(st, 16));
}

struct lz_report_expect *lz_report_expects(const struct lz_report_run *run, size_t *count)
{
    int64_t n = lz_report_number(run, "SELECT count(*) FROM expectation", 0, NULL, 0);
    struct lz_report_expect *all = lz_mem_alloc(((size_t)n + 1) * sizeof(*all));
    sqlite3_stmt *st = lz_report_ask(
        run,
        "SELECT id, name, line, temporal, metric, verdict, severity, expected, actual, spare, why,"
        " margin, value, at_ns, deadline_ns, limit_value, limit_text FROM expectation ORDER BY id",
        0, NULL);
    *count = 0;
    while (*count < (size_t)n && sqlite3_step(st) == SQLITE_ROW)
        read_expect(st, &all[(*count)++]);
    sqlite3_finalize(st);
    return all;
}
