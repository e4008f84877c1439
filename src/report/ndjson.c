#include <inttypes.h>
#include <string.h>

#include "report/formats.h"
#include "report/json.h"

static void begin(struct lz_str *out, const char *event)
{
    lz_str_addf(out, "{\"v\":1,\"event\":\"%s\"", event);
}

static void add_text(struct lz_str *out, const char *key, const char *text)
{
    lz_str_addf(out, ",\"%s\":", key);
    lz_json_string(out, text);
}

static void add_time(struct lz_str *out, const char *key, lz_time t)
{
    if (t < 0)
        lz_str_addf(out, ",\"%s\":null", key);
    else
        lz_str_addf(out, ",\"%s\":%" PRId64, key, t);
}

static void add_number(struct lz_str *out, const char *key, double value)
{
    lz_str_addf(out, ",\"%s\":", key);
    lz_json_number(out, value);
}

static void write_expectations(struct lz_str *out, const struct lz_report_run *run, size_t number)
{
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        begin(out, "expectation");
        lz_str_addf(out, ",\"run\":%zu", number);
        add_text(out, "name", e->name);
        add_text(out, "verdict", e->verdict);
        add_text(out, "severity", e->severity);
        add_text(out, "expected", e->expected);
        add_text(out, "actual", e->actual);
        add_text(out, "why", e->why);
        add_number(out, "value", e->value);
        add_number(out, "margin", e->margin);
        add_time(out, "at_ns", e->at);
        lz_str_addf(out, ",\"line\":%" PRId64 "}\n", e->line);
    }
}

static void write_faults(struct lz_str *out, const struct lz_report_run *run, size_t number)
{
    sqlite3_stmt *q =
        lz_run_ask(run,
                   "select kind, name, target, started_ns, ended_ns, effect, effect_unit from fault"
                   " order by id",
                   0, 0);
    while (lz_run_next(&q)) {
        begin(out, "fault");
        lz_str_addf(out, ",\"run\":%zu", number);
        add_text(out, "kind", lz_run_text(q, 0));
        add_text(out, "name", lz_run_text(q, 1));
        add_text(out, "target", lz_run_text(q, 2));
        add_time(out, "started_ns", lz_run_time(q, 3));
        add_time(out, "ended_ns", lz_run_time(q, 4));
        lz_str_addf(out, ",\"effect\":%" PRId64, (int64_t)sqlite3_column_int64(q, 5));
        add_text(out, "effect_unit", lz_run_text(q, 6));
        lz_str_add(out, "}\n");
    }
}

static void write_run(struct lz_str *out, const struct lz_report_run *run, size_t number)
{
    begin(out, "run");
    lz_str_addf(out, ",\"run\":%zu", number);
    add_text(out, "file", run->file);
    add_text(out, "scenario", run->scenario);
    add_text(out, "case", run->case_id);
    lz_str_addf(out, ",\"seed\":%" PRIu64, run->seed);
    add_text(out, "verdict", run->verdict);
    add_text(out, "why", run->why);
    add_text(out, "error", run->error);
    add_text(out, "token", run->token);
    add_text(out, "trace_hash", run->trace_hash);
    add_time(out, "events", run->events);
    add_time(out, "virtual_ns", run->virtual_ns);
    lz_str_add(out, "}\n");
    write_expectations(out, run, number);
    write_faults(out, run, number);
}

void lz_ndjson_write(struct lz_str *out, const struct lz_report_options *options,
                     struct lz_report_run *const *runs, size_t count)
{
    static const char *const words[] = {"pass",  "fail",   "inconclusive", "xfail",
                                        "xpass", "budget", "error",        "diverged"};
    begin(out, "start");
    add_text(out, "version", options->version != NULL ? options->version : "");
    lz_str_addf(out, ",\"seed\":%" PRIu64 ",\"runs\":%zu}\n", options->seed, count);
    for (size_t i = 0; i < count; i++)
        write_run(out, runs[i], i + 1);
    begin(out, "summary");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = 0;
        for (size_t k = 0; k < count; k++)
            n += strcmp(runs[k]->verdict, words[i]) == 0;
        lz_str_addf(out, ",\"%s\":%zu", words[i], n);
    }
    lz_str_addf(out, ",\"exit_code\":%d}\n", options->exit_code);
}
