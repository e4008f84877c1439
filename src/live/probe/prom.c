#include "live/probe/prom.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/check.h"
#include "base/curl.h"
#include "base/mem.h"
#include "live/load/fetch.h"
#include "live/loop.h"

#define ANSWER_MAX 1048576u
#define DEFAULT_TIME LZ_S

struct query {
    struct lz_prom *prom;
    const struct lz_live_query *plan;
    struct lz_fetch *fetch;
    bool is_asking;
    bool is_troubled; // and that was told
    struct lz_err wrong;
};

struct lz_prom {
    struct lz_live *live;
    const struct lz_live_prometheus *plan;
    struct lz_loop_timer next;
    struct query *queries;
};

// --- reading an answer; SQLite's functions know JSON ---

static const char fields[] =
    "select json_extract(?1, '$.status'), json_extract(?1, '$.error'),"
    " json_extract(?1, '$.data.resultType'), json_array_length(?1, '$.data.result'),"
    " json_extract(?1, '$.data.result[0].value[1]'), json_extract(?1, '$.data.result[1]')"
    " where json_valid(?1)";

static const char *text_at(sqlite3_stmt *row, int i)
{
    const char *text = (const char *)sqlite3_column_text(row, i);
    return text != NULL ? text : "";
}

static bool read_number(const char *text, double *value, struct lz_err *err)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end != '\0')
        return lz_fail(err, LZ_EINVAL, "the value \"%.40s\" is no number", text);
    if (!isfinite(v))
        return lz_fail(err, LZ_ERANGE, "the value is %s", text);
    *value = v;
    return true;
}

static bool read_row(sqlite3_stmt *row, double *value, struct lz_err *err)
{
    if (strcmp(text_at(row, 0), "success") != 0)
        return lz_fail(err, LZ_EINVAL, "the server says: %.160s",
                       text_at(row, 1)[0] != '\0' ? text_at(row, 1) : "an error without a text");
    const char *type = text_at(row, 2);
    if (strcmp(type, "scalar") == 0)
        return read_number(text_at(row, 5), value, err);
    if (strcmp(type, "vector") != 0)
        return lz_fail(err, LZ_EINVAL, "the result is a %.20s: ask for an instant vector", type);
    int series = sqlite3_column_int(row, 3);
    if (series == 0)
        return lz_fail(err, LZ_ENOENT, "no series matches");
    if (series > 1)
        return lz_fail(err, LZ_ERANGE, "%d series match: aggregate them, as sum(...) does", series);
    return read_number(text_at(row, 4), value, err);
}

bool lz_prom_read(const char *json, size_t size, double *value, struct lz_err *err)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    bool ok = false;
    if (size >= ANSWER_MAX)
        return lz_fail(err, LZ_EFULL, "the answer is longer than 1 MiB: aggregate the query");
    if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, fields, -1, &row, NULL) != SQLITE_OK)
        lz_fail(err, LZ_EIO, "this SQLite cannot read JSON: %s", sqlite3_errmsg(db));
    else if (sqlite3_bind_text(row, 1, json, (int)size, SQLITE_STATIC) != SQLITE_OK ||
             sqlite3_step(row) != SQLITE_ROW)
        lz_fail(err, LZ_EINVAL, "the answer is no JSON: is it a Prometheus server?");
    else
        ok = read_row(row, value, err);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return ok;
}

// --- asking ---

static void troubled(struct query *q, const char *why)
{
    struct lz_live *live = q->prom->live;
    lz_live_queried(live, q->plan->metric, false, 0.0);
    if (!q->is_troubled)
        lz_live_note(live, "%s: \"%s\" has no value: %s", q->prom->plan->name, q->plan->name, why);
    q->is_troubled = true;
}

static void on_answer(void *ctx, const struct lz_fetch_result *r)
{
    struct query *q = ctx;
    struct lz_err err;
    double value = 0.0;
    q->is_asking = false;
    if (r->outcome != LZ_FETCH_ANSWERED) {
        troubled(q, r->text);
        return;
    }
    // Its errors are JSON too, with a status of 400, 422 or 503.
    if (!lz_prom_read(r->text, r->size, &value, &err)) {
        if (r->status != 200)
            lz_fail_in(&err, "status %u", r->status);
        troubled(q, err.msg);
        return;
    }
    if (q->is_troubled)
        lz_live_note(q->prom->live, "%s: \"%s\" has a value again", q->prom->plan->name,
                     q->plan->name);
    q->is_troubled = false;
    lz_live_queried(q->prom->live, q->plan->metric, true, value);
}

static void ask(void *ctx, int64_t now_ns)
{
    struct lz_prom *prom = ctx;
    const struct lz_live_prometheus *p = prom->plan;
    int64_t timeout = p->timeout > 0 ? p->timeout : DEFAULT_TIME;
    lz_loop_arm(lz_live_loop(prom->live), &prom->next,
                now_ns + (p->every > 0 ? p->every : DEFAULT_TIME));
    for (size_t i = 0; i < p->query_count; i++) {
        struct query *q = &prom->queries[i];
        if (q->wrong.msg[0] != '\0') {
            troubled(q, q->wrong.msg);
        } else if (!q->is_asking) {
            q->is_asking = true;
            lz_fetch_begin(q->fetch, timeout, false, on_answer, q);
        }
    }
}

// The base may end with a slash, and may have a path of its own before /api.
static void make_fetch(struct query *q)
{
    const char *base = q->prom->plan->url;
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/')
        len--;
    if (!lz_curl_load(&q->wrong))
        return;
    char *promql = curl_easy_escape(NULL, q->plan->promql, 0);
    LZ_ASSERT(promql != NULL);
    struct lz_str url;
    lz_str_init(&url);
    lz_str_add_n(&url, base, len);
    lz_str_addf(&url, "/api/v1/query?query=%s", promql);
    curl_free(promql);
    struct lz_err err;
    const struct lz_fetch_opts opts = {.url = url.text, .connections = 1, .keep = ANSWER_MAX};
    if (!lz_fetch_create(lz_live_loop(q->prom->live), &opts, &q->fetch, &err))
        q->wrong = err;
    lz_str_finish(&url);
}

struct lz_prom *lz_prom_start(struct lz_live *live, const struct lz_live_prometheus *prometheus)
{
    struct lz_prom *prom = lz_mem_alloc(sizeof(*prom));
    *prom = (struct lz_prom){.live = live, .plan = prometheus, .next = {.fn = ask, .ctx = prom}};
    prom->queries = lz_mem_alloc((prometheus->query_count + 1) * sizeof(struct query));
    for (size_t i = 0; i < prometheus->query_count; i++) {
        prom->queries[i] = (struct query){.prom = prom, .plan = &prometheus->queries[i]};
        make_fetch(&prom->queries[i]);
    }
    struct lz_loop *loop = lz_live_loop(live);
    lz_loop_arm(loop, &prom->next, lz_loop_now(loop));
    return prom;
}

void lz_prom_stop(struct lz_prom *prom)
{
    if (prom == NULL)
        return;
    lz_loop_cancel(lz_live_loop(prom->live), &prom->next);
    for (size_t i = 0; i < prom->plan->query_count; i++)
        lz_fetch_destroy(prom->queries[i].fetch);
    free(prom->queries);
    free(prom);
}
