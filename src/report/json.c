#include "report/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "report/run.h"

#define WHOLE_MAX 9007199254740992.0 // beyond it not every whole number is a double

size_t lz_json_sequence(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    unsigned least = 0x80, greatest = 0xbf;
    size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (p[0] == 0xe0)
        least = 0xa0; // else written longer than needed
    else if (p[0] == 0xf0)
        least = 0x90;
    else if (p[0] == 0xed)
        greatest = 0x9f; // else half of a pair of UTF-16
    else if (p[0] == 0xf4)
        greatest = 0x8f; // else beyond Unicode
    for (size_t i = 1; i < len; i++) {
        if (p[i] < least || p[i] > greatest)
            return 0;
        least = 0x80;
        greatest = 0xbf;
    }
    return len;
}

// `<`, U+2028 and U+2029 are escaped too, so that the document may stand in a script.
void lz_json_string(struct lz_str *out, const char *text)
{
    static const char *const escapes = "\"\"\\\\\bb\ff\nn\rr\tt";
    const unsigned char *p = (const unsigned char *)text;
    lz_str_add_char(out, '"');
    while (*p != '\0') {
        size_t len = lz_json_sequence(p);
        const char *escape = strchr(escapes, (char)*p);
        if (len == 0) {
            lz_str_add(out, "\\ufffd");
            p++;
            continue;
        }
        bool is_short = escape != NULL && (escape - escapes) % 2 == 0;
        if (is_short)
            lz_str_addf(out, "\\%c", escape[1]);
        else if (*p < 0x20 || *p == 0x7f || *p == '<')
            lz_str_addf(out, "\\u%04x", *p);
        else if (len == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] == 0xa8 || p[2] == 0xa9))
            lz_str_addf(out, "\\u%04x", 0x2000u + (p[2] & 0x3fu));
        else
            lz_str_add_n(out, (const char *)p, len);
        p += len;
    }
    lz_str_add_char(out, '"');
}

static void add_key(struct lz_str *out, const char *key)
{
    char last = out->text[out->len - 1];
    if (last != '{' && last != '\n')
        lz_str_add_char(out, ',');
    lz_json_string(out, key);
    lz_str_add_char(out, ':');
}

// The fewest digits that give back the same number; what is whole is written so.
void lz_json_number(struct lz_str *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        lz_str_add(out, "null");
        return;
    }
    bool is_whole = fabs(value) < WHOLE_MAX && value == floor(value);
    for (int digits = 1; digits <= 17; digits++) {
        if (is_whole)
            snprintf(text, sizeof(text), "%.0f", value);
        else
            snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    lz_str_add(out, text);
}

static void add_text_field(struct lz_str *out, const char *key, const char *text)
{
    add_key(out, key);
    lz_json_string(out, text);
}

static void add_time_field(struct lz_str *out, const char *key, lz_time t)
{
    add_key(out, key);
    if (t < 0)
        lz_str_add(out, "null");
    else
        lz_str_addf(out, "%" PRId64, t);
}

static void add_case(struct lz_str *out, const struct lz_report_run *run)
{
    add_key(out, "case");
    lz_str_add_char(out, '{');
    sqlite3_stmt *q = lz_run_ask(run, "select name, value from param order by rowid", 0, 0);
    while (lz_run_next(&q))
        add_text_field(out, lz_run_text(q, 0), lz_run_text(q, 1));
    lz_str_add_char(out, '}');
}

static void add_expectations(struct lz_str *out, const struct lz_report_run *run)
{
    add_key(out, "expectations");
    lz_str_add_char(out, '[');
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        lz_str_add(out, i > 0 ? ",{" : "{");
        add_text_field(out, "name", e->name);
        add_text_field(out, "verdict", e->verdict);
        add_text_field(out, "severity", e->severity);
        add_text_field(out, "expected", e->expected);
        add_text_field(out, "actual", e->actual);
        add_key(out, "value");
        lz_json_number(out, e->value);
        add_key(out, "margin");
        lz_json_number(out, e->margin);
        add_time_field(out, "at_ns", e->at);
        lz_str_add_char(out, '}');
    }
    lz_str_add_char(out, ']');
}

static void add_faults(struct lz_str *out, const struct lz_report_run *run)
{
    add_key(out, "faults");
    lz_str_add_char(out, '[');
    sqlite3_stmt *q = lz_run_ask(
        run, "select kind, target, coalesce(at_ns, started_ns), effect from fault order by id", 0,
        0);
    for (bool is_first = true; lz_run_next(&q); is_first = false) {
        lz_str_add(out, is_first ? "{" : ",{");
        add_text_field(out, "kind", lz_run_text(q, 0));
        add_text_field(out, "target", lz_run_text(q, 1));
        add_time_field(out, "at_ns", lz_run_time(q, 2));
        add_key(out, "effect");
        lz_str_addf(out, "%" PRId64, (int64_t)sqlite3_column_int64(q, 3));
        lz_str_add_char(out, '}');
    }
    lz_str_add_char(out, ']');
}

static void add_metrics(struct lz_str *out, const struct lz_report_run *run)
{
    add_key(out, "metrics");
    lz_str_add_char(out, '{');
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select c.name || '.' || m.name, whole from metric m"
                                 " join component c on c.id = m.component order by m.id",
                                 0, 0);
    while (lz_run_next(&q)) {
        add_key(out, lz_run_text(q, 0));
        lz_json_number(out, lz_run_real(q, 1));
    }
    lz_str_add_char(out, '}');
}

static void add_run(struct lz_str *out, const struct lz_report_run *run)
{
    lz_str_add_char(out, '{');
    add_text_field(out, "file", run->file);
    add_text_field(out, "scenario", run->scenario);
    add_case(out, run);
    add_key(out, "seed");
    lz_str_addf(out, "%" PRIu64, run->seed);
    add_text_field(out, "verdict", run->verdict);
    if (run->error[0] != '\0')
        add_text_field(out, "error", run->error);
    add_key(out, "token");
    if (run->token[0] != '\0')
        lz_json_string(out, run->token);
    else
        lz_str_add(out, "null");
    add_key(out, "trace_hash");
    if (run->trace_hash[0] != '\0')
        lz_json_string(out, run->trace_hash);
    else
        lz_str_add(out, "null");
    add_time_field(out, "events", run->events);
    add_time_field(out, "virtual_ns", run->virtual_ns);
    add_expectations(out, run);
    add_faults(out, run);
    add_metrics(out, run);
    lz_str_add_char(out, '}');
}

// The exit codes order verdicts in the same way.
static const char *worst_verdict(struct lz_report_run *const *runs, size_t count)
{
    static const char *const order[] = {"error",        "fail",  "xpass", "budget",
                                        "inconclusive", "xfail", "pass"};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        for (size_t k = 0; k < count; k++)
            if (strcmp(runs[k]->verdict, order[i]) == 0)
                return order[i];
    return "inconclusive"; // nothing ran, so nothing was tested
}

void lz_json_write(struct lz_str *out, const struct lz_report_options *options,
                   struct lz_report_run *const *runs, size_t count)
{
    LZ_ASSERT(options != NULL);
    LZ_ASSERT(LZ_IMPLIES(count > 0, runs != NULL));
    lz_str_add_char(out, '{');
    add_text_field(out, "schema", "lorenz.result/1");
    add_text_field(out, "version", options->version != NULL ? options->version : "");
    add_key(out, "seed");
    lz_str_addf(out, "%" PRIu64, options->seed);
    add_text_field(out, "verdict", worst_verdict(runs, count));
    add_key(out, "exit_code");
    lz_str_addf(out, "%d", options->exit_code);
    add_key(out, "exit_codes");
    lz_str_add_char(out, '[');
    for (size_t i = 0; i < options->exit_code_count; i++)
        lz_str_addf(out, "%s%d", i > 0 ? "," : "", options->exit_codes[i]);
    lz_str_add_char(out, ']');
    add_key(out, "runs");
    lz_str_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        lz_str_add(out, i > 0 ? ",\n" : "\n");
        add_run(out, runs[i]);
    }
    lz_str_add(out, count > 0 ? "\n]}\n" : "]}\n");
}
