#include "report/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "record/record.h"

#define HEADER_BYTES 100 // of a SQLite database; less cannot be one

struct lz_run_text {
    struct lz_run_text *next;
    char text[];
};

// A copy that lives as long as the run.
static const char *keep(struct lz_report_run *run, const char *text)
{
    if (text[0] == '\0')
        return "";
    size_t size = strlen(text) + 1;
    struct lz_run_text *t = lz_mem_alloc(sizeof(*t) + size);
    memcpy(t->text, text, size);
    t->next = run->texts;
    run->texts = t;
    return t->text;
}

sqlite3_stmt *lz_run_ask(const struct lz_report_run *run, const char *sql, int64_t a, int64_t b)
{
    LZ_ASSERT(run->db != NULL);
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(run->db, sql, -1, &q, NULL) != SQLITE_OK)
        return NULL; // a damaged record has no rows
    int params = sqlite3_bind_parameter_count(q);
    LZ_ASSERT(params <= 2);
    if (params >= 1)
        sqlite3_bind_int64(q, 1, a);
    if (params >= 2)
        sqlite3_bind_int64(q, 2, b);
    return q;
}

bool lz_run_next(sqlite3_stmt **q)
{
    if (*q != NULL && sqlite3_step(*q) == SQLITE_ROW)
        return true;
    lz_run_stop(q);
    return false;
}

void lz_run_stop(sqlite3_stmt **q)
{
    sqlite3_finalize(*q);
    *q = NULL;
}

const char *lz_run_text(sqlite3_stmt *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q, column);
    return text != NULL ? (const char *)text : "";
}

lz_time lz_run_time(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? -1 : sqlite3_column_int64(q, column);
}

double lz_run_real(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? (double)NAN
                                                         : sqlite3_column_double(q, column);
}

enum lz_unit lz_run_unit(sqlite3_stmt *q, int column)
{
    static const struct {
        const char *word;
        enum lz_unit unit;
    } units[] = {{"ratio", LZ_UNIT_RATIO},
                 {"s", LZ_UNIT_SECONDS},
                 {"/s", LZ_UNIT_RATE},
                 {"B", LZ_UNIT_BYTES}};
    const char *word = lz_run_text(q, column);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(word, units[i].word) == 0)
            return units[i].unit;
    return LZ_UNIT_COUNT;
}

static bool is_verdict(const char *word)
{
    static const char *const words[] = {"pass",  "fail",  "inconclusive", "xfail",
                                        "xpass", "error", "budget",       "diverged"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static bool read_run(struct lz_report_run *run)
{
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select schema, version, file, scenario, about, case_id, token, verdict, why, trace_hash,"
        " stop, error, source, seed, events, virtual_ns, warmup_ns, ordinal from run",
        0, 0);
    if (!lz_run_next(&q))
        return false;
    const char **const texts[] = {
        &run->version, &run->file, &run->scenario,   &run->about, &run->case_id, &run->token,
        &run->verdict, &run->why,  &run->trace_hash, &run->stop,  &run->error,   &run->source,
    };
    bool is_known = strcmp(lz_run_text(q, 0), LZ_RECORD_SCHEMA) == 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = keep(run, lz_run_text(q, (int)i + 1));
    run->order = run->token;
    for (int dashes = 0; dashes < 4 && run->order[0] != '\0'; run->order++)
        dashes += run->order[0] == '-';
    run->is_swarm = strncmp(run->order, "swarm", 5) == 0;
    run->order += run->is_swarm ? 5 : 0;
    run->order += run->is_swarm && run->order[0] == '-';
    run->seed = strtoull(lz_run_text(q, 13), NULL, 10);
    run->events = sqlite3_column_int64(q, 14);
    run->virtual_ns = sqlite3_column_int64(q, 15);
    run->warmup_ns = sqlite3_column_int64(q, 16);
    run->ordinal = sqlite3_column_int64(q, 17);
    lz_run_stop(&q);
    return is_known && is_verdict(run->verdict) && run->virtual_ns >= 0 && run->warmup_ns >= 0;
}

static void read_expectation(struct lz_report_run *run, sqlite3_stmt *q,
                             struct lz_run_expectation *e)
{
    const char **const texts[] = {&e->name,     &e->temporal,   &e->verdict,  &e->severity,
                                  &e->expected, &e->actual,     &e->spare,    &e->why,
                                  &e->because,  &e->limit_text, &e->violates, &e->metric_name};
    e->details = keep(run, lz_run_text(q, 22));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = keep(run, lz_run_text(q, (int)i));
    e->unit = lz_run_unit(q, 12);
    e->metric = sqlite3_column_int64(q, 13);
    e->line = sqlite3_column_int64(q, 14);
    e->margin = lz_run_real(q, 15);
    e->value = lz_run_real(q, 16);
    e->at = lz_run_time(q, 17);
    e->deadline = lz_run_time(q, 18);
    e->within = sqlite3_column_int64(q, 19);
    e->limit_value = lz_run_real(q, 20);
    e->limit_b = lz_run_real(q, 21);
}

static void read_expectations(struct lz_report_run *run)
{
    sqlite3_stmt *q = lz_run_ask(
        run,
        "select e.name, temporal, verdict, severity, expected, actual, spare, why, because,"
        " limit_text, violates, c.name || '.' || m.name, m.unit, e.metric, e.line, margin,"
        " value, at_ns, deadline_ns, within_ns, limit_value, limit_b, details"
        " from expectation e left join metric m on m.id = e.metric"
        " left join component c on c.id = m.component order by e.id",
        0, 0);
    size_t cap = 0;
    while (lz_run_next(&q)) {
        if (run->expectation_count == cap) {
            cap = cap > 0 ? cap * 2 : 8;
            run->expectations = lz_mem_resize(run->expectations, cap * sizeof(*run->expectations));
        }
        read_expectation(run, q, &run->expectations[run->expectation_count++]);
    }
}

// Only read, so that the caller's bytes stay as they are.
static bool attach(struct lz_report_run *run, const unsigned char *image, size_t size)
{
    return size >= HEADER_BYTES && size <= INT64_MAX &&
           sqlite3_open_v2(":memory:", &run->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                           NULL) == SQLITE_OK &&
           sqlite3_deserialize(run->db, "main", (unsigned char *)image, (sqlite3_int64)size,
                               (sqlite3_int64)size, SQLITE_DESERIALIZE_READONLY) == SQLITE_OK;
}

bool lz_run_open(const unsigned char *image, size_t size, struct lz_report_run **out,
                 struct lz_err *err)
{
    LZ_ASSERT(out != NULL);
    struct lz_report_run *run = lz_mem_alloc(sizeof(*run));
    *run = (struct lz_report_run){0};
    if (!attach(run, image, size) || !read_run(run)) {
        lz_run_close(run);
        return lz_fail(err, LZ_EINVAL, "not a run file of this version of lorenz");
    }
    read_expectations(run);
    *out = run;
    return true;
}

void lz_run_close(struct lz_report_run *run)
{
    if (run == NULL)
        return;
    sqlite3_close(run->db);
    while (run->texts != NULL) {
        struct lz_run_text *next = run->texts->next;
        free(run->texts);
        run->texts = next;
    }
    free(run->expectations);
    free(run);
}

bool lz_run_is_live(const struct lz_report_run *run)
{
    return run->trace_hash[0] == '\0' && run->virtual_ns > 0;
}

const char *lz_run_title(const struct lz_report_run *run)
{
    return run->scenario[0] != '\0' ? run->scenario : run->file;
}

bool lz_run_source_line(const struct lz_report_run *run, int64_t line, const char **text,
                        size_t *len)
{
    const char *at = run->source;
    for (int64_t i = 1; i < line && at != NULL; i++) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    if (line < 1 || at == NULL || *at == '\0')
        return false;
    *text = at;
    *len = strcspn(at, "\n");
    return true;
}

size_t lz_run_points(const struct lz_report_run *run, int64_t metric, lz_time from, lz_time to,
                     struct lz_run_point **points)
{
    static const char *const sql =
        "select start_ns, width_ns, value, low, high, count from series where metric = ?"
        " and start_ns >= ? order by start_ns";
    sqlite3_stmt *q = lz_run_ask(run, sql, metric, from);
    struct lz_run_point *all = NULL;
    size_t count = 0, cap = 0;
    while (lz_run_next(&q)) {
        struct lz_run_point p = {
            .start = lz_run_time(q, 0), .width = lz_run_time(q, 1), .value = lz_run_real(q, 2)};
        if (p.start >= to || p.width <= 0 || isnan(p.value))
            continue;
        p.low = sqlite3_column_type(q, 3) == SQLITE_NULL ? p.value : lz_run_real(q, 3);
        p.high = sqlite3_column_type(q, 4) == SQLITE_NULL ? p.value : lz_run_real(q, 4);
        p.count = sqlite3_column_int64(q, 5);
        if (count == cap) {
            cap = cap > 0 ? cap * 2 : 64;
            all = lz_mem_resize(all, cap * sizeof(*all));
        }
        all[count++] = p;
    }
    *points = all;
    return count;
}
