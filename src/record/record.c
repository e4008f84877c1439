#include "record/record.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "model/call.h"
#include "model/instance.h"
#include "model/journal.h"
#include "model/request.h"

// Column names carry the unit. Times are virtual nanoseconds since the start of the run.
static const char schema[] =
    "CREATE TABLE run (schema TEXT, version TEXT, file TEXT, scenario TEXT, about TEXT,"
    " case_text TEXT, seed TEXT, token TEXT, verdict TEXT, why TEXT, trace_hash TEXT,"
    " events INTEGER, virtual_ns INTEGER, warmup_ns INTEGER, stop TEXT, error TEXT, source TEXT,"
    " requests_in_flight_max INTEGER, memory_bytes INTEGER);"
    "CREATE TABLE param (name TEXT, value TEXT);"
    "CREATE TABLE component (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, line INTEGER,"
    " instances INTEGER);"
    "CREATE TABLE instance (id INTEGER PRIMARY KEY, component INTEGER, ordinal INTEGER,"
    " host INTEGER, zone TEXT, region TEXT);"
    "CREATE TABLE metric (id INTEGER PRIMARY KEY, component INTEGER, name TEXT, unit TEXT,"
    " view TEXT, whole REAL, present INTEGER);"
    "CREATE TABLE series (metric INTEGER, start_ns INTEGER, width_ns INTEGER, value REAL, low REAL,"
    " high REAL, count INTEGER, PRIMARY KEY (metric, start_ns)) WITHOUT ROWID;"
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, at_ns INTEGER, component INTEGER,"
    " instance INTEGER, kind TEXT, text TEXT, line INTEGER);"
    "CREATE TABLE fault (id INTEGER PRIMARY KEY, kind TEXT, name TEXT, target TEXT, line INTEGER,"
    " at_ns INTEGER, started_ns INTEGER, ended_ns INTEGER, firings INTEGER, effect INTEGER,"
    " effect_unit TEXT, missed INTEGER);"
    "CREATE TABLE expectation (id INTEGER PRIMARY KEY, name TEXT, line INTEGER, temporal TEXT,"
    " metric INTEGER, verdict TEXT, severity TEXT, expected TEXT, actual TEXT, spare TEXT,"
    " why TEXT, margin REAL, value REAL, at_ns INTEGER, deadline_ns INTEGER, limit_value REAL,"
    " limit_text TEXT, because TEXT);"
    "CREATE TABLE request (id INTEGER PRIMARY KEY, traffic INTEGER, ordinal INTEGER,"
    " intended_ns INTEGER, end_ns INTEGER, outcome TEXT, status INTEGER, spans INTEGER,"
    " kept_as TEXT);"
    "CREATE TABLE span (request INTEGER, call INTEGER, parent_call INTEGER, client INTEGER,"
    " server INTEGER, component INTEGER, op TEXT, attempt INTEGER, outcome TEXT, status INTEGER,"
    " start_ns INTEGER, end_ns INTEGER, connect_ns INTEGER, queue_ns INTEGER, work_ns INTEGER,"
    " network_ns INTEGER, retry_wait_ns INTEGER);";

struct writer {
    sqlite3 *db;
    const struct lz_record_meta *meta;
    const struct lz_world *world;
    const struct lz_faults *faults;
    const struct lz_checks *checks;
    struct lz_err *err;
};

static bool sql_failed(struct writer *wr)
{
    return lz_fail(wr->err, LZ_EIO, "cannot build the record: %s", sqlite3_errmsg(wr->db));
}

static bool prepare(struct writer *wr, const char *table, int columns, sqlite3_stmt **out)
{
    char sql[160];
    int n = snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES (?", table);
    for (int i = 1; i < columns; i++)
        n += snprintf(sql + n, sizeof(sql) - (size_t)n, ",?");
    snprintf(sql + n, sizeof(sql) - (size_t)n, ")");
    if (sqlite3_prepare_v2(wr->db, sql, -1, out, NULL) != SQLITE_OK)
        return sql_failed(wr);
    return true;
}

static void bind_number(sqlite3_stmt *st, int column, double v)
{
    if (isfinite(v))
        sqlite3_bind_double(st, column, v);
    else
        sqlite3_bind_null(st, column);
}

/* One row. `types` has a letter per column: i int64_t, d double (NaN: null), t text or NULL. */
static bool put(struct writer *wr, sqlite3_stmt *st, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    for (int i = 0; types[i] != '\0'; i++) {
        if (types[i] == 'i')
            sqlite3_bind_int64(st, i + 1, va_arg(ap, int64_t));
        else if (types[i] == 'd')
            bind_number(st, i + 1, va_arg(ap, double));
        else
            sqlite3_bind_text(st, i + 1, va_arg(ap, const char *), -1, SQLITE_STATIC);
    }
    va_end(ap);
    bool ok = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_reset(st);
    return ok || sql_failed(wr);
}

static void case_text(const struct lz_record_meta *m, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < m->param_count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s=%s", i > 0 ? "," : "", m->params[i].name,
                               m->params[i].value);
}

static const char *verdict_of(const struct writer *wr, char *why, size_t size)
{
    why[0] = '\0';
    if (wr->meta->error != NULL)
        return "error";
    enum lz_verdict v = LZ_VERDICT_INCONCLUSIVE;
    if (wr->checks != NULL)
        v = lz_checks_verdict(wr->checks, why, size);
    if (wr->meta->stop != NULL && v != LZ_VERDICT_FAIL) {
        snprintf(why, size, "the run ended early: its %s budget was used up", wr->meta->stop);
        return "budget";
    }
    if (wr->meta->xfail && v == LZ_VERDICT_FAIL)
        return "xfail";
    if (wr->meta->xfail && v == LZ_VERDICT_PASS)
        return "xpass";
    return lz_check_verdict_name(v);
}

static bool write_run(struct writer *wr)
{
    const struct lz_record_meta *m = wr->meta;
    const struct lz_world *w = wr->world;
    sqlite3_stmt *st;
    if (!prepare(wr, "run", 19, &st))
        return false;
    char why[300], cases[1000], seed[24], trace[24] = "";
    case_text(m, cases, sizeof(cases));
    snprintf(seed, sizeof(seed), "%" PRIu64, m->seed);
    if (w != NULL)
        snprintf(trace, sizeof(trace), "%016" PRIx64, lz_sim_trace(w->sim));
    const char *verdict = verdict_of(wr, why, sizeof(why));
    bool ok = put(wr, st, "tttttttttttiiitttii", LZ_RECORD_SCHEMA, m->version, m->file, m->scenario,
                  m->about, cases, seed, m->token, verdict, why, w != NULL ? trace : NULL,
                  w != NULL ? (int64_t)lz_sim_events(w->sim) : 0,
                  w != NULL ? lz_sim_now(w->sim) : 0, w != NULL ? w->warmup : 0, m->stop, m->error,
                  m->source, w != NULL ? (int64_t)lz_requests_open_max(w) : 0,
                  w != NULL ? (int64_t)lz_arena_peak(w->arena) : 0);
    sqlite3_finalize(st);
    if (!ok || !prepare(wr, "param", 2, &st))
        return false;
    for (size_t i = 0; i < m->param_count && ok; i++)
        ok = put(wr, st, "tt", m->params[i].name, m->params[i].value);
    sqlite3_finalize(st);
    return ok;
}

static bool write_components(struct writer *wr)
{
    const struct lz_world *w = wr->world;
    sqlite3_stmt *st;
    bool ok = prepare(wr, "component", 5, &st);
    if (!ok)
        return false;
    for (lz_component_id id = 1; id <= w->component_count && ok; id++) {
        const struct lz_component *c = &w->components[id];
        ok = put(wr, st, "ittii", (int64_t)id, c->name, lz_world_kind_name(c->kind),
                 (int64_t)c->line, (int64_t)c->instance_count);
    }
    sqlite3_finalize(st);
    if (!ok || !prepare(wr, "instance", 6, &st))
        return false;
    for (lz_instance_id id = 1; id <= lz_instance_count(w) && ok; id++) {
        const struct lz_instance *i = lz_instance_get(w, id);
        lz_zone_id zone = lz_place_host_zone(w, i->host);
        const char *zone_name = zone != 0 ? lz_place_zone_name(w, zone) : NULL;
        const char *region =
            zone != 0 ? lz_place_region_name(w, lz_place_zone_region(w, zone)) : NULL;
        ok = put(wr, st, "iiiitt", (int64_t)id, (int64_t)i->component, (int64_t)i->ordinal,
                 (int64_t)i->host, zone_name, region);
    }
    sqlite3_finalize(st);
    return ok;
}

static const char *unit_name(enum lz_unit unit)
{
    static const char *const names[] = {[LZ_UNIT_COUNT] = "count",
                                        [LZ_UNIT_RATIO] = "ratio",
                                        [LZ_UNIT_SECONDS] = "seconds",
                                        [LZ_UNIT_RATE] = "per_second",
                                        [LZ_UNIT_BYTES] = "bytes"};
    return names[unit];
}

static const char *view_name(enum lz_view view)
{
    static const char *const names[] = {
        [LZ_VIEW_RATE] = "rate",        [LZ_VIEW_RATIO] = "ratio", [LZ_VIEW_TOTAL] = "total",
        [LZ_VIEW_LEVEL] = "level",      [LZ_VIEW_MEAN] = "mean",   [LZ_VIEW_MAX] = "max",
        [LZ_VIEW_QUANTILE] = "quantile"};
    return names[view];
}

static bool write_series(struct writer *wr, sqlite3_stmt *st, lz_metric id)
{
    const struct lz_metrics *m = wr->world->metrics;
    int64_t width = lz_metrics_width(m);
    size_t windows = lz_metrics_windows(m, id);
    bool ok = true;
    for (size_t i = 0; i < windows && ok; i++) {
        struct lz_sample s = lz_metrics_stored(m, id, i);
        if (s.present)
            ok = put(wr, st, "iiidddi", (int64_t)id, (int64_t)i * width, width, s.value, s.low,
                     s.high, (int64_t)s.count);
    }
    return ok;
}

static bool write_metrics(struct writer *wr)
{
    const struct lz_metrics *m = wr->world->metrics;
    sqlite3_stmt *st, *series;
    if (!prepare(wr, "metric", 7, &st))
        return false;
    bool ok = prepare(wr, "series", 7, &series);
    for (lz_metric id = 1; id <= lz_metrics_count(m) && ok; id++) {
        const struct lz_metric_def *def = lz_metrics_def(m, id);
        struct lz_sample whole = lz_metrics_whole(m, id);
        ok = put(wr, st, "iitttdi", (int64_t)id, (int64_t)lz_metrics_component(m, id), def->name,
                 unit_name(def->unit), view_name(def->view),
                 whole.present ? whole.value : (double)NAN, (int64_t)whole.present) &&
             write_series(wr, series, id);
    }
    sqlite3_finalize(series);
    sqlite3_finalize(st);
    return ok;
}

static bool write_events(struct writer *wr)
{
    sqlite3_stmt *st;
    bool ok = prepare(wr, "event", 7, &st);
    if (!ok)
        return false;
    size_t count = lz_journal_count(wr->world);
    for (size_t i = 0; i < count && ok; i++) {
        const struct lz_journal_entry *e = lz_journal_get(wr->world, i);
        ok = put(wr, st, "iiiitti", (int64_t)i + 1, e->at, (int64_t)e->component,
                 (int64_t)e->instance, e->kind, e->text, (int64_t)e->line);
    }
    size_t dropped = lz_journal_dropped(wr->world);
    char text[80];
    snprintf(text, sizeof(text), "%zu further events are not kept", dropped);
    if (ok && dropped > 0)
        ok = put(wr, st, "iiiitti", (int64_t)count + 1, lz_sim_now(wr->world->sim), (int64_t)0,
                 (int64_t)0, "dropped", text, (int64_t)0);
    sqlite3_finalize(st);
    return ok;
}

static bool write_faults(struct writer *wr)
{
    sqlite3_stmt *st;
    bool ok = prepare(wr, "fault", 12, &st);
    if (!ok)
        return false;
    for (lz_fault_id id = 1; id <= lz_fault_count(wr->faults) && ok; id++) {
        const struct lz_fault *f = lz_fault_get(wr->faults, id);
        char target[200];
        lz_target_describe(wr->world, &f->opts.target, target, sizeof(target));
        ok = put(wr, st, "itttiiiiiiti", (int64_t)id, f->kind->name, f->name, target,
                 (int64_t)f->opts.line, f->opts.at, f->started, f->ended, (int64_t)f->firings,
                 (int64_t)f->effect, f->kind->effect_unit, (int64_t)f->missed);
    }
    sqlite3_finalize(st);
    return ok;
}

static const char *temporal_name(enum lz_temporal t)
{
    static const char *const names[] = {
        [LZ_ALWAYS] = "always", [LZ_NEVER] = "never",         [LZ_EVENTUALLY] = "eventually",
        [LZ_AT_END] = "at_end", [LZ_SOMETIMES] = "sometimes", [LZ_SLO] = "slo"};
    return names[t];
}

static bool write_expectations(struct writer *wr)
{
    sqlite3_stmt *st;
    bool ok = prepare(wr, "expectation", 18, &st);
    if (!ok)
        return false;
    for (lz_expect_id id = 1; id <= lz_check_count(wr->checks) && ok; id++) {
        const struct lz_expect_opts *o = lz_check_opts(wr->checks, id);
        const struct lz_expect_result *r = lz_check_result(wr->checks, id);
        bool has_limit =
            o->matcher.metric != 0 && o->matcher.compare != LZ_RECOVERS_TO && o->temporal != LZ_SLO;
        ok = put(wr, st,
                 "itititttttt"
                 "ddiidtt",
                 (int64_t)id, o->name, (int64_t)o->line, temporal_name(o->temporal),
                 (int64_t)o->matcher.metric, lz_check_verdict_name(r->verdict),
                 o->warn ? "warn" : "error", r->expected, r->actual, r->spare, r->why, r->margin,
                 r->value, r->at, r->deadline, has_limit ? o->matcher.limit : (double)NAN,
                 o->matcher.limit_text, o->because);
    }
    sqlite3_finalize(st);
    return ok;
}

static bool write_span(struct writer *wr, sqlite3_stmt *st, int64_t request,
                       const struct lz_span *s)
{
    return put(wr, st, "iiiiiititiiiiiiii", request, (int64_t)s->call, (int64_t)s->parent_call,
               (int64_t)s->client, (int64_t)s->server, (int64_t)s->component,
               lz_call_op_name(wr->world, s->op), (int64_t)s->attempt,
               lz_request_outcome_name(s->outcome), (int64_t)s->status, s->start, s->end,
               s->phase[LZ_PHASE_CONNECT], s->phase[LZ_PHASE_QUEUE], s->phase[LZ_PHASE_WORK],
               s->phase[LZ_PHASE_NETWORK], s->phase[LZ_PHASE_RETRY_WAIT]);
}

static bool write_requests(struct writer *wr)
{
    sqlite3_stmt *st, *span;
    if (!prepare(wr, "request", 9, &st))
        return false;
    bool ok = prepare(wr, "span", 17, &span);
    for (size_t i = 0; i < lz_requests_kept(wr->world) && ok; i++) {
        const struct lz_trace_kept *k = lz_requests_kept_get(wr->world, i);
        int64_t id = (int64_t)i + 1;
        ok = put(wr, st, "iiiiitiit", id, (int64_t)k->traffic, (int64_t)k->ordinal, k->intended,
                 k->end, lz_request_outcome_name(k->outcome), (int64_t)k->status,
                 (int64_t)k->span_count, lz_request_kept_name(k->kept_as));
        for (uint32_t s = 0; s < k->span_count && ok; s++)
            ok = write_span(wr, span, id, &k->spans[s]);
    }
    sqlite3_finalize(span);
    sqlite3_finalize(st);
    return ok;
}

static bool write_all(struct writer *wr)
{
    if (sqlite3_exec(wr->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(wr->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        return sql_failed(wr);
    if (!write_run(wr))
        return false;
    if (wr->world != NULL &&
        !(write_components(wr) && write_metrics(wr) && write_events(wr) && write_requests(wr)))
        return false;
    if (wr->faults != NULL && !write_faults(wr))
        return false;
    if (wr->checks != NULL && !write_expectations(wr))
        return false;
    if (sqlite3_exec(wr->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return sql_failed(wr);
    return true;
}

bool lz_record_build(const struct lz_record_meta *meta, const struct lz_world *world,
                     const struct lz_faults *faults, const struct lz_checks *checks,
                     unsigned char **image, size_t *size, struct lz_err *err)
{
    struct writer wr = {
        .meta = meta, .world = world, .faults = faults, .checks = checks, .err = err};
    if (sqlite3_open(":memory:", &wr.db) != SQLITE_OK) {
        sqlite3_close(wr.db);
        return lz_fail(err, LZ_EIO, "cannot build the record: no memory for SQLite");
    }
    unsigned char *bytes = NULL;
    sqlite3_int64 n = 0;
    bool ok = write_all(&wr);
    if (ok)
        bytes = sqlite3_serialize(wr.db, "main", &n, 0);
    if (ok && bytes == NULL)
        ok = lz_fail(err, LZ_EIO, "cannot build the record: no memory for its image");
    if (ok) {
        *image = malloc((size_t)n);
        LZ_ASSERT(*image != NULL);
        memcpy(*image, bytes, (size_t)n);
        *size = (size_t)n;
    }
    sqlite3_free(bytes);
    sqlite3_close(wr.db);
    return ok;
}
