#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/formats.h"
#include "report/json.h"

// Processes are components: of the k-th run those from k * RUN_STEP on.
#define RUN_STEP 100000

struct tracing {
    struct lz_str *out;
    const struct lz_report_run *run;
    int64_t first; // process
    bool is_first;
};

// Begin an event; microseconds, with the nanoseconds behind the point.
static void begin(struct tracing *t, const char *phase, const char *name, lz_time at)
{
    lz_str_addf(t->out, "%s{\"ph\":\"%s\",\"name\":", t->is_first ? "\n" : ",\n", phase);
    t->is_first = false;
    lz_json_string(t->out, name);
    if (at >= 0)
        lz_str_addf(t->out, ",\"ts\":%" PRId64 ".%03d", at / 1000, (int)(at % 1000));
}

static void add_place(struct tracing *t, int64_t component, int64_t ordinal)
{
    lz_str_addf(t->out, ",\"pid\":%" PRId64 ",\"tid\":%" PRId64, t->first + component, ordinal);
}

static void write_names(struct tracing *t)
{
    sqlite3_stmt *q = lz_run_ask(t->run, "select id, name, kind from component order by id", 0, 0);
    while (lz_run_next(&q)) {
        begin(t, "M", "process_name", -1);
        add_place(t, sqlite3_column_int64(q, 0), 0);
        lz_str_add(t->out, ",\"args\":{\"name\":");
        lz_json_string(t->out, lz_run_text(q, 1));
        lz_str_add(t->out, "}}");
    }
    q = lz_run_ask(t->run,
                   "select i.component, i.ordinal, c.name from instance i join component c"
                   " on c.id = i.component order by i.id",
                   0, 0);
    while (lz_run_next(&q)) {
        int64_t ordinal = sqlite3_column_int64(q, 1);
        begin(t, "M", "thread_name", -1);
        add_place(t, sqlite3_column_int64(q, 0), ordinal);
        struct lz_str name;
        lz_str_init(&name);
        lz_str_addf(&name, "%s[%" PRId64 "]", lz_run_text(q, 2), ordinal);
        lz_str_add(t->out, ",\"args\":{\"name\":");
        lz_json_string(t->out, name.text);
        lz_str_add(t->out, "}}");
        lz_str_finish(&name);
    }
}

// A span on its server, and an arrow to it from where it was called.
static const char spans_sql[] =
    "select s.request, s.call, s.attempt, coalesce(s.component, 0), coalesce(v.ordinal, 0),"
    " coalesce(l.component, 0), coalesce(l.ordinal, 0), coalesce(s.op, c.name, ''), s.outcome,"
    " s.start_ns, s.end_ns, s.queue_ns, s.work_ns from span s left join instance v on v.id = "
    "s.server"
    " left join instance l on l.id = s.client left join component c on c.id = s.component"
    " order by s.start_ns, s.request, s.call, s.attempt";

static void write_spans(struct tracing *t)
{
    sqlite3_stmt *q = lz_run_ask(t->run, spans_sql, 0, 0);
    while (lz_run_next(&q)) {
        char id[100];
        const char *const phases[] = {"b", "e"};
        snprintf(id, sizeof(id),
                 ",\"cat\":\"request\",\"id\":\"%" PRId64 ".%" PRId64 ".%" PRId64 ".%" PRId64 "\"",
                 t->first, (int64_t)sqlite3_column_int64(q, 0), (int64_t)sqlite3_column_int64(q, 1),
                 (int64_t)sqlite3_column_int64(q, 2));
        for (int i = 0; i < 2; i++) {
            begin(t, phases[i], lz_run_text(q, 7), lz_run_time(q, 9 + i));
            add_place(t, sqlite3_column_int64(q, 3), sqlite3_column_int64(q, 4));
            lz_str_add(t->out, id);
            if (i == 0) {
                lz_str_add(t->out, ",\"args\":{\"outcome\":");
                lz_json_string(t->out, lz_run_text(q, 8));
                lz_str_addf(t->out, ",\"queue_ms\":%.6g,\"work_ms\":%.6g}",
                            (double)sqlite3_column_int64(q, 11) / 1e6,
                            (double)sqlite3_column_int64(q, 12) / 1e6);
            }
            lz_str_add(t->out, "}");
        }
        for (int i = 0; i < 2 && sqlite3_column_int64(q, 5) != 0; i++) {
            begin(t, i == 0 ? "s" : "f", "call", lz_run_time(q, 9));
            add_place(t, sqlite3_column_int64(q, i == 0 ? 5 : 3),
                      sqlite3_column_int64(q, i == 0 ? 6 : 4));
            lz_str_add(t->out, id);
            lz_str_add(t->out, i == 0 ? "}" : ",\"bp\":\"e\"}");
        }
    }
}

// What became of a record, where it did: arrows from the leader to each group that polled it.
static const char messages_sql[] =
    "select m.request, m.call, m.kind, m.component, coalesce(v.component, 0), coalesce(v.ordinal, "
    "0)"
    ", m.kind || ' ' || coalesce(t.name, ''), m.outcome, m.start_ns, m.end_ns, m.partition,"
    " m.record_offset, coalesce(l.component, 0), coalesce(l.ordinal, 0), a.end_ns from message m"
    " left join instance v on v.id = m.instance left join component t on t.id = m.topic"
    " left join message a on m.kind = 'poll' and a.kind = 'append' and a.request = m.request and"
    " a.call = m.call and a.topic = m.topic and a.partition = m.partition and a.record_offset ="
    " m.record_offset left join instance l on l.id = a.instance"
    " order by m.start_ns, m.request, m.call, m.rowid";

static void write_messages(struct tracing *t)
{
    sqlite3_stmt *q = lz_run_ask(t->run, messages_sql, 0, 0);
    while (lz_run_next(&q)) {
        char id[140];
        const char *const phases[] = {"b", "e"};
        snprintf(id, sizeof(id),
                 ",\"cat\":\"message\",\"id\":\"%" PRId64 ".%" PRId64 ".%" PRId64 ".%s.%" PRId64
                 ".%" PRId64 "\"",
                 t->first, (int64_t)sqlite3_column_int64(q, 0), (int64_t)sqlite3_column_int64(q, 1),
                 lz_run_text(q, 2), (int64_t)sqlite3_column_int64(q, 3), lz_run_time(q, 8));
        for (int i = 0; i < 2; i++) {
            begin(t, phases[i], lz_run_text(q, 6), lz_run_time(q, 8 + i));
            add_place(t, sqlite3_column_int64(q, 4), sqlite3_column_int64(q, 5));
            lz_str_add(t->out, id);
            if (i == 0) {
                lz_str_add(t->out, ",\"args\":{\"outcome\":");
                lz_json_string(t->out, lz_run_text(q, 7));
                lz_str_addf(t->out, ",\"partition\":%" PRId64 ",\"offset\":%" PRId64 "}",
                            (int64_t)sqlite3_column_int64(q, 10),
                            (int64_t)sqlite3_column_int64(q, 11));
            }
            lz_str_add(t->out, "}");
        }
        for (int i = 0; i < 2 && sqlite3_column_int64(q, 12) != 0; i++) {
            begin(t, i == 0 ? "s" : "f", "record", i == 0 ? lz_run_time(q, 14) : lz_run_time(q, 9));
            add_place(t, sqlite3_column_int64(q, i == 0 ? 12 : 4),
                      sqlite3_column_int64(q, i == 0 ? 13 : 5));
            lz_str_add(t->out, id);
            lz_str_add(t->out, i == 0 ? "}" : ",\"bp\":\"e\"}");
        }
    }
}

static void write_counters(struct tracing *t)
{
    sqlite3_stmt *q =
        lz_run_ask(t->run,
                   "select m.component, m.name, s.start_ns, s.value from series s join metric m"
                   " on m.id = s.metric order by m.id, s.start_ns",
                   0, 0);
    while (lz_run_next(&q)) {
        double value = lz_run_real(q, 3);
        if (!isfinite(value))
            continue;
        begin(t, "C", lz_run_text(q, 1), lz_run_time(q, 2));
        add_place(t, sqlite3_column_int64(q, 0), 0);
        lz_str_add(t->out, ",\"args\":{\"value\":");
        lz_json_number(t->out, value);
        lz_str_add(t->out, "}}");
    }
}

static void write_events(struct tracing *t)
{
    sqlite3_stmt *q = lz_run_ask(
        t->run, "select coalesce(component, 0), kind, text, at_ns from event order by seq", 0, 0);
    while (lz_run_next(&q)) {
        bool is_fault = strncmp(lz_run_text(q, 1), "fault", 5) == 0;
        begin(t, "i", lz_run_text(q, 2), lz_run_time(q, 3));
        add_place(t, sqlite3_column_int64(q, 0), 0);
        lz_str_addf(t->out, ",\"s\":\"%s\",\"cat\":", is_fault ? "g" : "p");
        lz_json_string(t->out, lz_run_text(q, 1));
        lz_str_add(t->out, "}");
    }
}

void lz_perfetto_write(struct lz_str *out, const struct lz_report_options *options,
                       struct lz_report_run *const *runs, size_t count)
{
    struct tracing t = {.out = out, .is_first = true};
    (void)options;
    lz_str_add(out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    for (size_t i = 0; i < count; i++) {
        t.run = runs[i];
        t.first = (int64_t)i * RUN_STEP;
        write_names(&t);
        write_events(&t);
        write_spans(&t);
        write_messages(&t);
        write_counters(&t);
    }
    lz_str_add(out, "\n]}\n");
}
