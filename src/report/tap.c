#include <inttypes.h>
#include <string.h>

#include "report/formats.h"
#include "report/json.h"

// A description: no line breaks, and what would begin a directive is escaped.
static void add_text(struct lz_str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_plain = (unsigned char)*c >= 0x20 && *c != 0x7f;
        if (*c == '#' || *c == '\\')
            lz_str_add_char(out, '\\');
        lz_str_add_char(out, is_plain ? *c : ' ');
    }
}

// A JSON text is a YAML one.
static void add_field(struct lz_str *out, const char *name, const char *text)
{
    lz_str_addf(out, "      %s: ", name);
    lz_json_string(out, text);
    lz_str_add_char(out, '\n');
}

static void write_details(struct lz_str *out, const struct lz_report_run *run,
                          const struct lz_run_expectation *e)
{
    lz_str_add(out, "      ---\n");
    add_field(out, "expected", e->expected);
    add_field(out, "actual", e->actual);
    if (e->at >= 0)
        lz_str_addf(out, "      at: %.9g\n", (double)e->at / 1e9);
    if (e->limit_text[0] != '\0')
        add_field(out, "limit", e->limit_text);
    lz_str_addf(out, "      seed: %" PRIu64 "\n      file: ", run->seed);
    lz_json_string(out, run->file);
    lz_str_addf(out, "\n      line: %" PRId64 "\n      ...\n", e->line);
}

static void write_expectation(struct lz_str *out, const struct lz_report_run *run, size_t number,
                              const struct lz_run_expectation *e)
{
    bool is_pass = strcmp(e->verdict, "pass") == 0;
    bool is_unknown = strcmp(e->verdict, "inconclusive") == 0;
    bool is_meant = strcmp(run->verdict, "xfail") == 0 || strcmp(e->severity, "warn") == 0;
    lz_str_addf(out, "    %s %zu - ", is_pass || is_unknown ? "ok" : "not ok", number);
    add_text(out, e->name);
    if (is_unknown) {
        lz_str_add(out, " # SKIP inconclusive: ");
        add_text(out, e->why);
    } else if (!is_pass && is_meant) {
        lz_str_add(out, strcmp(e->severity, "warn") == 0 ? " # TO"
                                                           "DO a warning"
                                                         : " # TO"
                                                           "DO known to fail");
    }
    lz_str_add_char(out, '\n');
    if (!is_pass && !is_unknown)
        write_details(out, run, e);
}

static void add_comment(struct lz_str *out, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        lz_str_add(out, "    # ");
        lz_str_add_n(out, text, len);
        lz_str_add_char(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static void write_run(struct lz_str *out, const struct lz_report_options *options,
                      const struct lz_report_run *run, size_t number)
{
    struct lz_str name;
    lz_str_init(&name);
    lz_format_case(&name, options, run);
    struct lz_str title;
    lz_str_init(&title);
    add_text(&title, lz_run_title(run));
    if (name.len > 0) {
        lz_str_add(&title, " (");
        add_text(&title, name.text);
        lz_str_add(&title, ")");
    }
    lz_str_addf(out, "# Subtest: %s\n    1..%zu\n", title.text, run->expectation_count);
    for (size_t i = 0; i < run->expectation_count; i++)
        write_expectation(out, run, i + 1, &run->expectations[i]);
    add_comment(out, run->error);
    bool is_bad = lz_format_is_bad(run->verdict);
    lz_str_addf(out, "%s %zu - %s", is_bad ? "not ok" : "ok", number, title.text);
    if (strcmp(run->verdict, "inconclusive") == 0) {
        lz_str_add(out, " # SKIP inconclusive: ");
        add_text(out, run->why);
    } else if (is_bad && strcmp(run->verdict, "fail") != 0) {
        lz_str_addf(out, "\n  ---\n  verdict: %s\n  ...", run->verdict);
    }
    lz_str_add_char(out, '\n');
    lz_str_finish(&title);
    lz_str_finish(&name);
}

void lz_tap_write(struct lz_str *out, const struct lz_report_options *options,
                  struct lz_report_run *const *runs, size_t count)
{
    size_t from = out->len;
    lz_str_addf(out, "TAP version 14\n1..%zu\n", count);
    for (size_t i = 0; i < count; i++)
        write_run(out, options, runs[i], i + 1);
    lz_str_make_plain(out, from);
}
