#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/block.h"
#include "report/formats.h"

// ---------------------------------------------------------------- what formats share

void lz_format_outcome(struct lz_str *out, const struct lz_run_expectation *e)
{
    if (strcmp(e->verdict, "inconclusive") == 0) {
        lz_str_addf(out, "inconclusive: %s", e->why);
        return;
    }
    lz_str_add(out, e->actual);
    if (e->spare[0] != '\0')
        lz_str_addf(out, ", %s", e->spare);
    if (e->expected[0] != '\0')
        lz_str_addf(out, "; expected %s", e->expected);
}

void lz_format_case(struct lz_str *out, const struct lz_report_options *options,
                    const struct lz_report_run *run)
{
    lz_str_add(out, run->case_id);
    if (run->seed != options->seed)
        lz_str_addf(out, "%sseed %" PRIu64, out->len > 0 ? " " : "", run->seed);
}

void lz_format_command(struct lz_str *out, const struct lz_report_run *run)
{
    lz_str_addf(out, "lorenz run %s", run->file);
    if (run->case_id[0] != '\0')
        lz_str_addf(out, " --case '%s'", run->case_id);
    lz_str_addf(out, " --seed %" PRIu64 "%s", run->seed, run->is_swarm ? " --swarm" : "");
    if (run->order[0] != '\0')
        lz_str_addf(out, " --order %s", run->order);
}

bool lz_format_is_bad(const char *verdict)
{
    return strcmp(verdict, "pass") != 0 && strcmp(verdict, "xfail") != 0 &&
           strcmp(verdict, "inconclusive") != 0;
}

// ---------------------------------------------------------------- XML

// Bytes of a character that XML 1.0 may hold; 0: none begins here.
static size_t character(const unsigned char *p)
{
    if (*p < 0x80)
        return *p >= 0x20 || *p == '\t' || *p == '\n' ? *p != 0x7f : 0;
    size_t len = *p >= 0xc2 && *p < 0xe0   ? 2
                 : (*p & 0xf0) == 0xe0     ? 3
                 : *p >= 0xf0 && *p < 0xf5 ? 4
                                           : 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool is_surrogate = *p == 0xed && p[1] >= 0xa0;
    bool is_long =
        (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f);
    bool is_none = *p == 0xef && p[1] == 0xbf && p[2] >= 0xbe; // U+FFFE, U+FFFF
    return is_surrogate || is_long || is_none ? 0 : len;
}

static void add_xml(struct lz_str *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        size_t len = character(p);
        if (len == 0)
            lz_str_add(out, "\xef\xbf\xbd");
        else if (*p == '&')
            lz_str_add(out, "&amp;");
        else if (*p == '<')
            lz_str_add(out, "&lt;");
        else if (*p == '>')
            lz_str_add(out, "&gt;");
        else if (*p == '"')
            lz_str_add(out, "&quot;");
        else if (*p == '\n')
            lz_str_add(out, "&#10;");
        else if (*p == '\t')
            lz_str_add(out, "&#9;");
        else
            lz_str_add_n(out, (const char *)p, len);
        p += len > 0 ? len : 1;
    }
}

static void add_attribute(struct lz_str *out, const char *name, const char *text)
{
    lz_str_addf(out, " %s=\"", name);
    add_xml(out, text);
    lz_str_add_char(out, '"');
}

static void add_seconds(struct lz_str *out, lz_time t)
{
    lz_str_addf(out, " time=\"%.3f\"", (double)t / 1e9);
}

// ---------------------------------------------------------------- runs

enum kind { PASSED, FAILED, ERROR, SKIPPED };

struct counts {
    size_t tests, failures, errors, skipped;
};

static void begin_case(struct lz_str *out, const struct lz_report_run *run, const char *prefix,
                       const char *name)
{
    struct lz_str whole;
    lz_str_init(&whole);
    if (prefix[0] != '\0')
        lz_str_addf(&whole, "[%s] ", prefix);
    lz_str_add(&whole, name);
    lz_str_add(out, "    <testcase");
    add_attribute(out, "classname", run->file);
    add_attribute(out, "name", whole.text);
    add_attribute(out, "file", run->file);
    add_seconds(out, run->virtual_ns);
    lz_str_finish(&whole);
}

static void end_case(struct lz_str *out, enum kind kind, const char *type, const char *message,
                     const char *body, const char *page)
{
    static const char *const elements[] = {
        [FAILED] = "failure", [ERROR] = "error", [SKIPPED] = "skipped"};
    if (kind == PASSED) {
        lz_str_add(out, "/>\n");
        return;
    }
    lz_str_addf(out, ">\n      <%s", elements[kind]);
    if (kind != SKIPPED)
        add_attribute(out, "type", type);
    add_attribute(out, "message", message);
    lz_str_add(out, kind == SKIPPED ? "/>\n    </testcase>\n" : ">");
    if (kind == SKIPPED)
        return;
    add_xml(out, body);
    lz_str_addf(out, "</%s>\n", elements[kind]);
    if (page != NULL) {
        // As GitLab and Jenkins want it: of the case, by its path from where the job began.
        lz_str_add(out, "      <system-out>[[ATTACHMENT|");
        add_xml(out, page);
        lz_str_add(out, "]]</system-out>\n");
    }
    lz_str_add(out, "    </testcase>\n");
}

static void write_expectation(struct lz_str *out, const struct lz_report_run *run,
                              const struct lz_run_expectation *e, const char *prefix,
                              const char *page, struct counts *counts)
{
    struct lz_str message, body;
    bool is_expected = strcmp(run->verdict, "xfail") == 0;
    bool is_warning = strcmp(e->severity, "warn") == 0;
    enum kind kind = strcmp(e->verdict, "pass") == 0           ? PASSED
                     : strcmp(e->verdict, "inconclusive") == 0 ? SKIPPED
                     : is_expected || is_warning               ? SKIPPED
                                                               : FAILED;
    lz_str_init(&message);
    lz_str_init(&body);
    if (kind == SKIPPED && strcmp(e->verdict, "fail") == 0)
        lz_str_add(&message, is_warning ? "warning: " : "known to fail: ");
    lz_format_outcome(&message, e);
    lz_str_addf(&body, "%s\n%s:%" PRId64 "\n", message.text, run->file, e->line);
    if (e->because[0] != '\0')
        lz_str_addf(&body, "because %s\n", e->because);
    lz_str_add(&body, "again: ");
    lz_format_command(&body, run);
    begin_case(out, run, prefix, e->name);
    end_case(out, kind, "expectation", message.text, body.text, page);
    counts->tests++;
    counts->failures += kind == FAILED;
    counts->skipped += kind == SKIPPED;
    lz_str_finish(&message);
    lz_str_finish(&body);
}

// What is said of the run as a whole, if its expectations do not say it.
static void write_whole(struct lz_str *out, const struct lz_report_run *run, const char *prefix,
                        const char *page, struct counts *counts)
{
    static const struct {
        const char *verdict, *name, *message;
        enum kind kind;
    } rows[] = {
        {"error", "the scenario is right", "the scenario is wrong", ERROR},
        {"diverged", "the run is reproducible", "two runs of one seed differ", ERROR},
        {"budget", "the run comes to its end", "", ERROR},
        {"xpass", "the case fails, as declared", "it is declared to fail, and passed", FAILED},
        {"inconclusive", "the run tests something", "", SKIPPED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].verdict, run->verdict) != 0)
            continue;
        struct lz_str message;
        lz_str_init(&message);
        lz_str_addf(&message, "%s%s", rows[i].kind == SKIPPED ? "inconclusive: " : "",
                    rows[i].message[0] != '\0' ? rows[i].message : run->why);
        begin_case(out, run, prefix, rows[i].name);
        end_case(out, rows[i].kind, rows[i].verdict, message.text,
                 run->error[0] != '\0' ? run->error : run->why, page);
        counts->tests++;
        counts->failures += rows[i].kind == FAILED;
        counts->errors += rows[i].kind == ERROR;
        counts->skipped += rows[i].kind == SKIPPED;
        lz_str_finish(&message);
    }
}

static void add_property(struct lz_str *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    lz_str_add(out, "      <property");
    add_attribute(out, "name", name);
    add_attribute(out, "value", value);
    lz_str_add(out, "/>\n");
}

static void write_properties(struct lz_str *out, const struct lz_report_run *run)
{
    char seed[24];
    snprintf(seed, sizeof(seed), "%" PRIu64, run->seed);
    lz_str_add(out, "    <properties>\n");
    add_property(out, "scenario", run->scenario);
    add_property(out, "case", run->case_id);
    add_property(out, "seed", seed);
    add_property(out, "verdict", run->verdict);
    add_property(out, "token", run->token);
    add_property(out, "trace_hash", run->trace_hash);
    lz_str_add(out, "    </properties>\n");
}

// The terminal's block, once for the run.
static void write_story(struct lz_str *out, const struct lz_report_run *run)
{
    static const struct lz_report_style style = {.width = 80};
    if (strcmp(run->verdict, "fail") != 0)
        return;
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &style);
    lz_block_failed(&pen, run);
    lz_str_add(out, "    <system-out>");
    add_xml(out, text.text);
    lz_str_add(out, "</system-out>\n");
    lz_str_finish(&text);
}

static void add_counts(struct lz_str *out, const struct counts *c)
{
    lz_str_addf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", c->tests,
                c->failures, c->errors, c->skipped);
}

static void write_run(struct lz_str *out, const struct lz_report_options *options,
                      const struct lz_report_run *run, struct counts *total)
{
    struct lz_str body, prefix;
    struct counts counts = {0};
    lz_str_init(&body);
    lz_str_init(&prefix);
    lz_format_case(&prefix, options, run);
    write_whole(&body, run, prefix.text, options->page, &counts);
    for (size_t i = 0; i < run->expectation_count; i++)
        write_expectation(&body, run, &run->expectations[i], prefix.text, options->page, &counts);
    lz_str_add(out, "  <testsuite");
    add_attribute(out, "name", run->file);
    add_counts(out, &counts);
    add_seconds(out, run->virtual_ns);
    lz_str_add(out, ">\n");
    write_properties(out, run);
    lz_str_add_n(out, body.text, body.len);
    write_story(out, run);
    lz_str_add(out, "  </testsuite>\n");
    total->tests += counts.tests;
    total->failures += counts.failures;
    total->errors += counts.errors;
    total->skipped += counts.skipped;
    lz_str_finish(&body);
    lz_str_finish(&prefix);
}

void lz_junit_write(struct lz_str *out, const struct lz_report_options *options,
                    struct lz_report_run *const *runs, size_t count)
{
    struct lz_str body;
    struct counts total = {0};
    lz_str_init(&body);
    for (size_t i = 0; i < count; i++)
        write_run(&body, options, runs[i], &total);
    lz_str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lorenz\"");
    add_counts(out, &total);
    lz_str_add(out, ">\n");
    lz_str_add_n(out, body.text, body.len);
    lz_str_add(out, "</testsuites>\n");
    lz_str_finish(&body);
}
