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

static void begin_span(struct tracing *t, uint64_t trace, uint64_t id, uint64_t parent)
{
    lz_str_addf(t->out,
                "%s{\"traceId\":\"%016" PRIx64 "%016" PRIx64 "\",\"spanId\":\"%016" PRIx64 "\"",
                t->is_first ? "" : ",", t->key, trace, id);
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

// ---- messaging, by OpenTelemetry's semantic conventions for it, and for Kafka

static void add_messaging(struct lz_str *out, const char *name, const char *type, const char *topic)
{
    add_attribute(out, false, "messaging.system", "kafka");
    add_attribute(out, false, "messaging.operation.name", name);
    if (type != NULL)
        add_attribute(out, false, "messaging.operation.type", type);
    add_attribute(out, false, "messaging.destination.name", topic);
}

/*
 * What became of a record. The broker's part belongs to the producer's trace: append below send,
 * replicate below append. A group's is a trace of its own, process below poll, and both are linked
 * to the send, which did not wait for them.
 */
static const struct step {
    const char *kind;
    int span_kind;      // SpanKind of OTLP: 1 internal, 2 server, 3 client, 5 consumer
    const char *type;   // messaging.operation.type; NULL: of a broker there is none
    const char *parent; // of the same record and group; NULL: see is_group
    bool is_group;
} steps[] = {{"append", 2, NULL, NULL, false},
             {"replicate", 1, NULL, "append", false},
             {"poll", 3, "receive", NULL, true},
             {"process", 5, "process", "poll", true}};

static const struct step *step_of(const char *kind)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (strcmp(steps[i].kind, kind) == 0)
            return &steps[i];
    return &steps[0];
}

// By the record's place and who works on it; a record that is polled again has another time.
static uint64_t message_id(const struct tracing *t, const char *kind, int64_t request,
                           int64_t component, int64_t place, int64_t start)
{
    uint64_t id = lz_hash_mix(t->key, lz_hash_bytes(kind, strlen(kind)));
    id = lz_hash_mix(lz_hash_mix(id, (uint64_t)request), (uint64_t)component);
    id = lz_hash_mix(lz_hash_mix(id, (uint64_t)place), (uint64_t)start);
    return id != 0 ? id : 1;
}

// Of a record's partition and offset; the poll, or append, that came before this step; the attempt
// that sent it, which is the last to have begun before the record was appended.
static const char messages_sql[] =
    "select m.call, m.kind, m.component, m.record_offset * 65536 + m.partition, m.start_ns,"
    " m.end_ns, m.outcome, coalesce(t.name, ''), m.partition, m.record_offset, coalesce(c.name, "
    "''),"
    " coalesce(v.ordinal, 0), coalesce((select max(p.start_ns) from message p where p.request ="
    " m.request and p.call = m.call and p.component = m.component and p.partition = m.partition and"
    " p.record_offset = m.record_offset and p.kind = case m.kind when 'process' then 'poll' else"
    " 'append' end and p.start_ns <= m.start_ns), -1), (select s.attempt from span s where "
    "s.request"
    " = m.request and s.call = m.call and s.start_ns <= coalesce((select min(a.start_ns) from"
    " message a where a.request = m.request and a.call = m.call and a.kind = 'append' and a.topic ="
    " m.topic and a.partition = m.partition and a.record_offset = m.record_offset), m.end_ns)"
    " order by s.start_ns desc limit 1)"
    " from message m left join component t on t.id = m.topic left join component c on c.id ="
    " m.component left join instance v on v.id = m.instance"
    " where m.request = ? order by m.start_ns, m.end_ns, m.rowid";

static void write_messages(struct tracing *t, int64_t request)
{
    sqlite3_stmt *q = lz_run_ask(t->run, messages_sql, request, 0);
    while (lz_run_next(&q)) {
        const struct step *s = step_of(lz_run_text(q, 1));
        int64_t component = sqlite3_column_int64(q, 2), place = sqlite3_column_int64(q, 3);
        int64_t before = sqlite3_column_int64(q, 12);
        uint64_t sent =
            span_id(t, request, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 13));
        uint64_t parent = s->is_group ? 0 : sent;
        if (s->parent != NULL && before >= 0)
            parent = message_id(t, s->parent, request, component, place, before);
        uint64_t trace = (uint64_t)request;
        if (s->is_group)
            trace = message_id(t, "trace", request, component, place, 0);
        begin_span(t, trace, message_id(t, s->kind, request, component, place, lz_run_time(q, 4)),
                   parent);
        lz_str_addf(t->out, ",\"name\":\"%s ", s->kind);
        struct lz_str name;
        lz_str_init(&name);
        lz_json_string(&name, lz_run_text(q, 7));
        lz_str_addf(t->out, "%s,\"kind\":%d", name.text + 1, s->span_kind);
        lz_str_finish(&name);
        add_time(t, "startTimeUnixNano", lz_run_time(q, 4));
        add_time(t, "endTimeUnixNano", lz_run_time(q, 5));
        if (s->is_group)
            lz_str_addf(t->out,
                        ",\"links\":[{\"traceId\":\"%016" PRIx64 "%016" PRIx64
                        "\",\"spanId\":\"%016" PRIx64 "\"}]",
                        t->key, (uint64_t)request, sent);
        lz_str_add(t->out, ",\"attributes\":[");
        add_attribute(t->out, true, "lorenz.component", lz_run_text(q, 10));
        add_messaging(t->out, s->kind, s->type, lz_run_text(q, 7));
        char number[24];
        snprintf(number, sizeof(number), "%" PRId64, (int64_t)sqlite3_column_int64(q, 8));
        add_attribute(t->out, false, "messaging.destination.partition.id", number);
        add_count(t->out, "messaging.kafka.offset", sqlite3_column_int64(q, 9));
        if (s->is_group) {
            add_attribute(t->out, false, "messaging.consumer.group.name", lz_run_text(q, 10));
            struct lz_str client;
            lz_str_init(&client);
            lz_str_addf(&client, "%s[%" PRId64 "]", lz_run_text(q, 10),
                        (int64_t)sqlite3_column_int64(q, 11));
            add_attribute(t->out, false, "messaging.client.id", client.text);
            lz_str_finish(&client);
        }
        end_span(t, lz_run_text(q, 6));
    }
}

// The attempt of the parent call that was under way when this one began.
static const char spans_sql[] =
    "select s.call, s.attempt, s.parent_call, coalesce((select p.attempt from span p"
    " where p.request = s.request and p.call = s.parent_call and p.start_ns <= s.start_ns"
    " order by p.start_ns desc limit 1), 0), coalesce(c.name, ''), coalesce(s.op, ''), s.outcome,"
    " s.status, s.start_ns, s.end_ns, s.queue_ns, s.network_ns, s.retry_wait_ns,"
    " coalesce(c.kind, '') = 'topic'"
    " from span s left join component c on c.id = s.component"
    " where s.request = ? order by s.start_ns, s.call, s.attempt";

static void write_spans(struct tracing *t, int64_t request)
{
    sqlite3_stmt *q = lz_run_ask(t->run, spans_sql, request, 0);
    while (lz_run_next(&q)) {
        int64_t call = sqlite3_column_int64(q, 0), attempt = sqlite3_column_int64(q, 1);
        int64_t parent = sqlite3_column_int64(q, 2), of = sqlite3_column_int64(q, 3);
        bool is_root = parent == 0 || of == 0;
        begin_span(t, (uint64_t)request, span_id(t, request, call, attempt),
                   is_root ? span_id(t, request, 0, 0) : span_id(t, request, parent, of));
        struct lz_str name;
        lz_str_init(&name);
        bool is_send = sqlite3_column_int64(q, 13) != 0;
        if (is_send)
            lz_str_addf(&name, "send %s", lz_run_text(q, 4));
        else
            lz_str_addf(&name, "%s%s%s", lz_run_text(q, 4), lz_run_text(q, 5)[0] != '\0' ? " " : "",
                        lz_run_text(q, 5));
        lz_str_add(t->out, ",\"name\":");
        lz_json_string(t->out, name.text);
        lz_str_finish(&name);
        lz_str_add(t->out, is_send ? ",\"kind\":4" : ",\"kind\":3");
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
        if (is_send)
            add_messaging(t->out, "send", "send", lz_run_text(q, 4));
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
        begin_span(t, (uint64_t)request, span_id(t, request, 0, 0), 0);
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
        write_messages(t, request);
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
