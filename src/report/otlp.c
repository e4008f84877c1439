#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "report/formats.h"
#include "report/json.h"

struct tracing {
    struct lz_str *out;
    const struct lz_report_run *run;
    int64_t epoch_ns;
    uint64_t key; // of the run: what ids are made of
    bool is_first;
};

static uint64_t key_of(const struct lz_report_run *run)
{
    uint64_t key = lz_hash_bytes(run->file, strlen(run->file));
    key = lz_hash_mix(key, lz_hash_bytes(run->case_id, strlen(run->case_id)));
    return lz_hash_mix(key, run->seed);
}

// Never 0, which means that there is none.
static uint64_t span_id(const struct tracing *t, int64_t request, int64_t call, int64_t attempt)
{
    uint64_t id = lz_hash_mix(lz_hash_mix(t->key, (uint64_t)request),
                              lz_hash_mix((uint64_t)call, (uint64_t)attempt));
    return id != 0 ? id : 1;
}

static void add_time(const struct tracing *t, const char *key, lz_time at)
{
    lz_str_addf(t->out, ",\"%s\":\"%" PRId64 "\"", key, t->epoch_ns + at);
}

static void add_attribute(struct lz_str *out, bool is_first, const char *key, const char *value)
{
    lz_str_addf(out, "%s{\"key\":\"%s\",\"value\":{\"stringValue\":", is_first ? "" : ",", key);
    lz_json_string(out, value);
    lz_str_add(out, "}}");
}

static void add_count(struct lz_str *out, const char *key, int64_t value)
{
    lz_str_addf(out, ",{\"key\":\"%s\",\"value\":{\"intValue\":\"%" PRId64 "\"}}", key, value);
}

static void begin_span(struct tracing *t, int64_t request, uint64_t id, uint64_t parent)
{
    lz_str_addf(t->out,
                "%s{\"traceId\":\"%016" PRIx64 "%016" PRIx64 "\",\"spanId\":\"%016" PRIx64 "\"",
                t->is_first ? "" : ",", t->key, (uint64_t)request, id);
    t->is_first = false;
    if (parent != 0)
        lz_str_addf(t->out, ",\"parentSpanId\":\"%016" PRIx64 "\"", parent);
}

static void end_span(struct tracing *t, const char *outcome)
{
    bool is_ok = strcmp(outcome, "ok") == 0;
    lz_str_addf(t->out, "],\"status\":{\"code\":%d", is_ok ? 1 : 2);
    if (!is_ok) {
        lz_str_add(t->out, ",\"message\":");
        lz_json_string(t->out, outcome);
    }
    lz_str_add(t->out, "}}");
}

// The attempt of the parent call that was under way when this one began.
static const char spans_sql[] =
    "select s.call, s.attempt, s.parent_call, coalesce((select p.attempt from span p"
    " where p.request = s.request and p.call = s.parent_call and p.start_ns <= s.start_ns"
    " order by p.start_ns desc limit 1), 0), coalesce(c.name, ''), coalesce(s.op, ''), s.outcome,"
    " s.status, s.start_ns, s.end_ns, s.queue_ns, s.network_ns, s.retry_wait_ns"
    " from span s left join component c on c.id = s.component"
    " where s.request = ? order by s.start_ns, s.call, s.attempt";

static void write_spans(struct tracing *t, int64_t request)
{
    sqlite3_stmt *q = lz_run_ask(t->run, spans_sql, request, 0);
    while (lz_run_next(&q)) {
        int64_t call = sqlite3_column_int64(q, 0), attempt = sqlite3_column_int64(q, 1);
        int64_t parent = sqlite3_column_int64(q, 2), of = sqlite3_column_int64(q, 3);
        bool is_root = parent == 0 || of == 0;
        begin_span(t, request, span_id(t, request, call, attempt),
                   is_root ? span_id(t, request, 0, 0) : span_id(t, request, parent, of));
        struct lz_str name;
        lz_str_init(&name);
        lz_str_addf(&name, "%s%s%s", lz_run_text(q, 4), lz_run_text(q, 5)[0] != '\0' ? " " : "",
                    lz_run_text(q, 5));
        lz_str_add(t->out, ",\"name\":");
        lz_json_string(t->out, name.text);
        lz_str_finish(&name);
        lz_str_add(t->out, ",\"kind\":3");
        add_time(t, "startTimeUnixNano", lz_run_time(q, 8));
        add_time(t, "endTimeUnixNano", lz_run_time(q, 9));
        lz_str_add(t->out, ",\"attributes\":[");
        add_attribute(t->out, true, "lorenz.component", lz_run_text(q, 4));
        add_attribute(t->out, false, "lorenz.outcome", lz_run_text(q, 6));
        add_count(t->out, "http.response.status_code", sqlite3_column_int64(q, 7));
        add_count(t->out, "http.request.resend_count", attempt - 1);
        add_count(t->out, "lorenz.queue_ns", sqlite3_column_int64(q, 10));
        add_count(t->out, "lorenz.network_ns", sqlite3_column_int64(q, 11));
        add_count(t->out, "lorenz.retry_wait_ns", sqlite3_column_int64(q, 12));
        end_span(t, lz_run_text(q, 6));
    }
}

static void write_requests(struct tracing *t)
{
    sqlite3_stmt *q = lz_run_ask(
        t->run,
        "select r.id, coalesce(c.name, ''), intended_ns, end_ns, outcome, status, kept_as"
        " from request r left join component c on c.id = r.traffic order by r.id",
        0, 0);
    while (lz_run_next(&q)) {
        int64_t request = sqlite3_column_int64(q, 0);
        begin_span(t, request, span_id(t, request, 0, 0), 0);
        lz_str_add(t->out, ",\"name\":");
        lz_json_string(t->out, lz_run_text(q, 1));
        lz_str_add(t->out, ",\"kind\":1");
        add_time(t, "startTimeUnixNano", lz_run_time(q, 2));
        add_time(t, "endTimeUnixNano", lz_run_time(q, 3));
        lz_str_add(t->out, ",\"attributes\":[");
        add_attribute(t->out, true, "lorenz.kept_as", lz_run_text(q, 6));
        add_count(t->out, "http.response.status_code", sqlite3_column_int64(q, 5));
        end_span(t, lz_run_text(q, 4));
        write_spans(t, request);
    }
}

static void write_run(struct lz_str *out, const struct lz_report_options *options,
                      const struct lz_report_run *run)
{
    char seed[24];
    int64_t epoch = options->epoch_s != 0 ? options->epoch_s : LZ_REPORT_EPOCH_S;
    struct tracing t = {.out = out,
                        .run = run,
                        .epoch_ns = epoch * 1000000000,
                        .key = key_of(run),
                        .is_first = true};
    snprintf(seed, sizeof(seed), "%" PRIu64, run->seed);
    lz_str_add(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    add_attribute(out, true, "service.name", run->file);
    add_attribute(out, false, "lorenz.scenario", run->scenario);
    add_attribute(out, false, "lorenz.case", run->case_id);
    add_attribute(out, false, "lorenz.seed", seed);
    add_attribute(out, false, "lorenz.verdict", run->verdict);
    lz_str_add(out, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"lorenz\",\"version\":");
    lz_json_string(out, run->version);
    lz_str_add(out, "},\"spans\":[");
    write_requests(&t);
    lz_str_add(out, "]}]}]}\n");
}

void lz_otlp_write(struct lz_str *out, const struct lz_report_options *options,
                   struct lz_report_run *const *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        write_run(out, options, runs[i]);
}
