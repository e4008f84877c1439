/*
 * json.c — one document: {"schema":"lorenz.result/1", ..., "runs":[...]}.
 *
 * Numbers are written so that reading them back gives the same bits; what is not a
 * number is null; bytes that are not UTF-8 become U+FFFD.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats.h"
#include "report/run.h"

// Length of the valid UTF-8 sequence at p, or 0.
static size_t sequence(const unsigned char *p)
{
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
               : (p[0] & 0xf0) == 0xe0       ? 3
               : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if (n == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0)))
        return 0;
    if (n == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)))
        return 0;
    return n;
}

static void put_text(struct lz_str *out, const char *text)
{
    lz_str_add_char(out, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        size_t n = sequence(p);
        if (n == 0) {
            lz_str_add(out, "\\ufffd");
            p++;
            continue;
        }
        if (*p == '"' || *p == '\\')
            lz_str_addf(out, "\\%c", *p);
        else if (*p == '\n')
            lz_str_add(out, "\\n");
        else if (*p == '\t')
            lz_str_add(out, "\\t");
        else if (*p < 0x20 || *p == 0x7f)
            lz_str_addf(out, "\\u%04x", *p);
        else
            lz_str_add_n(out, (const char *)p, n);
        p += n;
    }
    lz_str_add_char(out, '"');
}

static void put_number(struct lz_str *out, double v)
{
    if (!isfinite(v)) {
        lz_str_add(out, "null");
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v) // NOLINT: exactly
            break;
    }
    lz_str_add(out, text);
}

// "name":  after a comma unless it is the first.
static void key(struct lz_str *out, bool *first, const char *name)
{
    if (!*first)
        lz_str_add_char(out, ',');
    *first = false;
    put_text(out, name);
    lz_str_add_char(out, ':');
}

static void text_field(struct lz_str *out, bool *first, const char *name, const char *value)
{
    key(out, first, name);
    if (value != NULL)
        put_text(out, value);
    else
        lz_str_add(out, "null");
}

static void int_field(struct lz_str *out, bool *first, const char *name, int64_t value)
{
    key(out, first, name);
    lz_str_addf(out, "%" PRId64, value);
}

static void put_case(struct lz_str *out, const struct lz_report_run *run)
{
    bool first = true;
    lz_str_add_char(out, '{');
    sqlite3_stmt *st = lz_report_ask(run, "SELECT name, value FROM param", 0, NULL);
    while (sqlite3_step(st) == SQLITE_ROW)
        text_field(out, &first, lz_report_text(st, 0), lz_report_text(st, 1));
    sqlite3_finalize(st);
    lz_str_add_char(out, '}');
}

static void put_expectations(struct lz_str *out, const struct lz_report_run *run)
{
    size_t count;
    struct lz_report_expect *all = lz_report_expects(run, &count);
    lz_str_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        const struct lz_report_expect *e = &all[i];
        bool first = true;
        lz_str_add(out, i > 0 ? ",{" : "{");
        text_field(out, &first, "name", e->name);
        text_field(out, &first, "verdict", e->verdict);
        text_field(out, &first, "severity", e->severity);
        int_field(out, &first, "line", e->line);
        text_field(out, &first, "expected", e->expected);
        text_field(out, &first, "actual", e->actual);
        key(out, &first, "value");
        put_number(out, e->value);
        key(out, &first, "margin");
        put_number(out, e->margin);
        key(out, &first, "at_ns");
        if (e->at_ns >= 0)
            lz_str_addf(out, "%" PRId64, e->at_ns);
        else
            lz_str_add(out, "null");
        text_field(out, &first, "why", e->why);
        lz_str_add_char(out, '}');
    }
    lz_str_add_char(out, ']');
    free(all);
}

static void put_faults(struct lz_str *out, const struct lz_report_run *run)
{
    bool first_row = true;
    lz_str_add_char(out, '[');
    sqlite3_stmt *st = lz_report_ask(
        run, "SELECT kind, name, target, line, at_ns, effect, effect_unit FROM fault ORDER BY id",
        0, NULL);
    while (sqlite3_step(st) == SQLITE_ROW) {
        bool first = true;
        lz_str_add(out, first_row ? "{" : ",{");
        first_row = false;
        text_field(out, &first, "kind", lz_report_text(st, 0));
        text_field(out, &first, "name", lz_report_text(st, 1));
        text_field(out, &first, "target", lz_report_text(st, 2));
        int_field(out, &first, "line", sqlite3_column_int64(st, 3));
        int_field(out, &first, "at_ns", sqlite3_column_int64(st, 4));
        int_field(out, &first, "effect", sqlite3_column_int64(st, 5));
        text_field(out, &first, "effect_unit", lz_report_text(st, 6));
        lz_str_add_char(out, '}');
    }
    sqlite3_finalize(st);
    lz_str_add_char(out, ']');
}

static void put_metrics(struct lz_str *out, const struct lz_report_run *run)
{
    bool first = true;
    lz_str_add_char(out, '{');
    sqlite3_stmt *st =
        lz_report_ask(run,
                      "SELECT c.name || '.' || m.name, m.whole, m.present FROM metric m"
                      " JOIN component c ON c.id = m.component ORDER BY m.id",
                      0, NULL);
    while (sqlite3_step(st) == SQLITE_ROW) {
        key(out, &first, lz_report_text(st, 0));
        bool present = sqlite3_column_int64(st, 2) != 0;
        put_number(out, present ? sqlite3_column_double(st, 1) : (double)NAN);
    }
    sqlite3_finalize(st);
    lz_str_add_char(out, '}');
}

static void put_run(struct lz_str *out, const struct lz_report_run *run)
{
    bool first = true;
    lz_str_add_char(out, '{');
    text_field(out, &first, "file", run->file);
    text_field(out, &first, "scenario", run->scenario);
    key(out, &first, "case");
    put_case(out, run);
    key(out, &first, "seed");
    lz_str_add(out, run->seed);
    text_field(out, &first, "verdict", run->verdict);
    text_field(out, &first, "why", run->why);
    text_field(out, &first, "trace_hash", run->trace_hash[0] != '\0' ? run->trace_hash : NULL);
    int_field(out, &first, "events", run->events);
    int_field(out, &first, "virtual_ns", run->virtual_ns);
    if (run->error != NULL)
        text_field(out, &first, "error", run->error);
    if (run->stop != NULL)
        text_field(out, &first, "stop", run->stop);
    key(out, &first, "expectations");
    put_expectations(out, run);
    key(out, &first, "faults");
    put_faults(out, run);
    key(out, &first, "metrics");
    put_metrics(out, run);
    lz_str_add_char(out, '}');
}

// Worst first; the run that failed says more than the one that could not be judged.
static const char *worst(struct lz_report_run *const *runs, size_t count)
{
    static const char *const order[] = {"error",        "fail",  "xpass", "budget",
                                        "inconclusive", "xfail", "pass"};
    for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
        for (size_t i = 0; i < count; i++)
            if (strcmp(runs[i]->verdict, order[k]) == 0)
                return order[k];
    return "inconclusive";
}

void lz_report_json(struct lz_str *out, const struct lz_report_options *options,
                    struct lz_report_run *const *runs, size_t count)
{
    bool first = true;
    lz_str_add_char(out, '{');
    text_field(out, &first, "schema", "lorenz.result/1");
    text_field(out, &first, "version", options->version);
    key(out, &first, "seed");
    lz_str_addf(out, "%" PRIu64, options->seed);
    text_field(out, &first, "verdict", worst(runs, count));
    int_field(out, &first, "exit_code", options->exit_code);
    key(out, &first, "exit_codes");
    lz_str_add_char(out, '[');
    for (size_t i = 0; i < options->exit_code_count; i++)
        lz_str_addf(out, "%s%d", i > 0 ? "," : "", options->exit_codes[i]);
    lz_str_add_char(out, ']');
    key(out, &first, "runs");
    lz_str_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        lz_str_add(out, i > 0 ? ",\n" : "\n");
        put_run(out, runs[i]);
    }
    lz_str_add(out, "]}\n");
}
