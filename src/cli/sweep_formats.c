#include "cli/sweep_formats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/sweep_out.h"
#include "explore/certain.h"
#include "report/html_draw.h"
#include "report/json.h"
#include "report/page.h"

const char lz_sweep_format_names[] = "github, html, json, junit, ndjson or tap";

enum outcome { HOLDS, FAILS, SKIPPED };

// A case as a test: its name, how it came out, and one line about it.
struct told {
    struct lz_str name, message;
    enum outcome outcome;
    const struct lz_sweep_failure *failure; // the first of it that counts; NULL: none
    const char *path;
};

static const struct lz_sweep_failure *failure_of(const struct lz_sweep *s, size_t run)
{
    for (size_t i = 0; i < s->failure_count; i++)
        if (s->failures[i].run == run && !s->failures[i].is_xfail &&
            !s->failures[i].is_inconclusive)
            return &s->failures[i];
    return NULL;
}

static const struct lz_cover_sometimes *unreached(const struct lz_sweep *s, size_t run)
{
    for (size_t i = 0; i < s->cover.sometimes_count; i++)
        if (s->cover.sometimes[i].run == run && s->cover.sometimes[i].reached == 0)
            return &s->cover.sometimes[i];
    return NULL;
}

static void add_failure(const struct lz_sweep *s, const struct lz_sweep_case *c, struct told *t)
{
    const struct lz_sweep_failure *f = t->failure;
    lz_str_addf(&t->message, "%" PRIu64 " of %" PRIu64 " runs failed", c->failed + c->broken,
                c->runs);
    if (f != NULL)
        lz_str_addf(&t->message, ", first with seed %" PRIu64 ": %s%s%s", f->seed, f->name,
                    f->actual[0] != '\0' ? ": " : "", f->actual);
    else if (c->xfail)
        lz_str_add(&t->message, ", and it is meant to fail");
    if (s->opts.max_rate > 0.0)
        lz_str_addf(&t->message, "; allowed are %g %%", 100.0 * s->opts.max_rate);
}

static struct told tell(const struct lz_sweep *s, const struct lz_sweep_case *c)
{
    const struct lz_suite_run *run = &s->opts.suite->runs[c->run];
    const struct lz_cover_sometimes *never = unreached(s, c->run);
    struct told t = {.path = s->opts.suite->scenarios[run->scenario].path,
                     .failure = failure_of(s, c->run)};
    bool is_rated = s->opts.max_rate > 0.0 && !c->xfail;
    bool fails =
        is_rated ? c->decision == LZ_CERTAIN_ABOVE || c->broken > 0
                 : (c->xfail ? c->passed > 0 && c->failed == 0 : c->failed > 0) || c->broken > 0;
    lz_str_init(&t.name);
    lz_str_init(&t.message);
    lz_suite_case_text(run->of, ",", &t.name);
    if (fails) {
        t.outcome = FAILS;
        add_failure(s, c, &t);
    } else if (c->runs == 0 || c->inconclusive > 0 || never != NULL ||
               (is_rated && c->decision == LZ_CERTAIN_OPEN)) {
        t.outcome = SKIPPED;
        lz_str_addf(&t.message, "inconclusive: %s%s",
                    never != NULL         ? "never reached: "
                    : c->runs == 0        ? "no run took place"
                    : c->inconclusive > 0 ? "some runs tested nothing"
                                          : "too few runs to decide",
                    never != NULL ? never->name : "");
    } else {
        lz_str_addf(&t.message, "%" PRIu64 " of %" PRIu64 " runs %s",
                    c->xfail ? c->failed : c->passed, c->runs,
                    c->xfail ? "fail, as they are meant to" : "hold");
    }
    return t;
}

static void forget(struct told *t)
{
    lz_str_finish(&t->name);
    lz_str_finish(&t->message);
}

static void add_name(const struct told *t, const struct lz_sweep *s, struct lz_str *name)
{
    lz_str_addf(name, "seeds %" PRIu64 " to %" PRIu64, s->opts.first, s->opts.last);
    if (t->name.len > 0)
        lz_str_addf(name, " [%s]", t->name.text);
}

// ---------------------------------------------------------------- junit, tap

static void write_junit(const struct lz_sweep *s, enum lz_exit status, struct lz_str *out)
{
    size_t counts[3] = {0};
    struct lz_str body;
    lz_str_init(&body);
    for (size_t i = 0; i < s->case_count; i++) {
        struct told t = tell(s, &s->cases[i]);
        struct lz_str name;
        lz_str_init(&name);
        add_name(&t, s, &name);
        counts[t.outcome]++;
        lz_str_add(&body, "  <testcase classname=\"");
        lz_html_text(&body, t.path);
        lz_str_add(&body, "\" file=\"");
        lz_html_text(&body, t.path);
        lz_str_add(&body, "\" name=\"");
        lz_html_text(&body, name.text);
        lz_str_add(&body, t.outcome == HOLDS ? "\"/>\n" : "\">\n");
        if (t.outcome != HOLDS) {
            lz_str_add(&body, t.outcome == FAILS ? "   <failure type=\"sweep\" message=\""
                                                 : "   <skipped message=\"");
            lz_html_text(&body, t.message.text);
            lz_str_add(&body, "\"/>\n  </testcase>\n");
        }
        lz_str_finish(&name);
        forget(&t);
    }
    (void)status;
    lz_str_addf(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" "
                "failures=\"%zu\" skipped=\"%zu\">\n <testsuite name=\"lorenz sweep\" "
                "tests=\"%zu\" failures=\"%zu\" skipped=\"%zu\">\n%s </testsuite>\n</testsuites>\n",
                s->case_count, counts[FAILS], counts[SKIPPED], s->case_count, counts[FAILS],
                counts[SKIPPED], body.text);
    lz_str_finish(&body);
}

// In one line, without what would be a directive.
static void add_plain(struct lz_str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        lz_str_add_char(out, *c == '#' || (unsigned char)*c < 0x20 ? ' ' : *c);
}

static void write_tap(const struct lz_sweep *s, enum lz_exit status, struct lz_str *out)
{
    size_t from = out->len;
    (void)status;
    lz_str_addf(out, "TAP version 14\n1..%zu\n", s->case_count);
    for (size_t i = 0; i < s->case_count; i++) {
        struct told t = tell(s, &s->cases[i]);
        struct lz_str name;
        lz_str_init(&name);
        add_name(&t, s, &name);
        lz_str_addf(out, "%s %zu - ", t.outcome == FAILS ? "not ok" : "ok", i + 1);
        add_plain(out, t.path);
        lz_str_add(out, " ");
        add_plain(out, name.text);
        if (t.outcome == SKIPPED) {
            lz_str_add(out, " # SKIP ");
            add_plain(out, t.message.text);
        }
        lz_str_add(out, "\n");
        if (t.outcome == FAILS) {
            lz_str_add(out, "  ---\n  message: ");
            lz_json_string(out, t.message.text);
            lz_str_add(out, "\n  ...\n");
        }
        lz_str_finish(&name);
        forget(&t);
    }
    lz_str_make_plain(out, from);
}

// ---------------------------------------------------------------- ndjson, github

static void write_ndjson(const struct lz_sweep *s, enum lz_exit status, struct lz_str *out)
{
    lz_str_addf(out, "{\"v\":1,\"event\":\"sweep\",\"first\":%" PRIu64 ",\"last\":%" PRIu64 "}\n",
                s->opts.first, s->opts.last);
    for (size_t i = 0; i < s->case_count; i++) {
        const struct lz_sweep_case *c = &s->cases[i];
        struct told t = tell(s, c);
        lz_str_add(out, "{\"v\":1,\"event\":\"case\",\"file\":");
        lz_json_string(out, t.path);
        lz_str_add(out, ",\"case\":");
        lz_json_string(out, t.name.text);
        lz_str_addf(out,
                    ",\"verdict\":\"%s\",\"runs\":%" PRIu64 ",\"passed\":%" PRIu64
                    ",\"failed\":%" PRIu64 ",\"inconclusive\":%" PRIu64 ",\"message\":",
                    t.outcome == HOLDS   ? "pass"
                    : t.outcome == FAILS ? "fail"
                                         : "inconclusive",
                    c->runs, c->passed, c->failed + c->broken, c->inconclusive);
        lz_json_string(out, t.message.text);
        lz_str_add(out, "}\n");
        forget(&t);
    }
    for (size_t i = 0; i < s->failing_count; i++) {
        const struct lz_sweep_seed *f = &s->failing[i];
        lz_str_addf(out, "{\"v\":1,\"event\":\"failure\",\"seed\":%" PRIu64 ",\"file\":", f->seed);
        lz_json_string(out, s->opts.suite->scenarios[s->opts.suite->runs[f->run].scenario].path);
        lz_str_add(out, ",\"name\":");
        lz_json_string(out, s->failures[f->failure].name);
        lz_str_add(out, "}\n");
    }
    lz_str_addf(out,
                "{\"v\":1,\"event\":\"summary\",\"runs\":%" PRIu64 ",\"failed\":%" PRIu64
                ",\"exit_code\":%d}\n",
                s->done, s->failed, (int)status);
}

static void add_escaped(struct lz_str *out, const char *text, bool is_property)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_odd =
            *c == '%' || *c == '\r' || *c == '\n' || (is_property && (*c == ':' || *c == ','));
        if (is_odd)
            lz_str_addf(out, "%%%02X", (unsigned)(unsigned char)*c);
        else
            lz_str_add_char(out, *c);
    }
}

// Ten annotations of a step are shown: nine, and how many more there are.
static void write_github(const struct lz_sweep *s, enum lz_exit status, struct lz_str *out)
{
    size_t shown = 0, more = 0, from = out->len;
    (void)status;
    for (size_t i = 0; i < s->case_count; i++) {
        struct told t = tell(s, &s->cases[i]);
        if (t.outcome != HOLDS && shown < 9) {
            lz_str_add(out, t.outcome == FAILS ? "::error file=" : "::warning file=");
            add_escaped(out, t.path, true);
            lz_str_add(out, ",title=sweep ");
            add_escaped(out, t.name.text, true);
            lz_str_add(out, "::");
            add_escaped(out, t.message.text, false);
            lz_str_add(out, "\n");
            shown++;
        } else {
            more += t.outcome != HOLDS;
        }
        forget(&t);
    }
    if (more > 0)
        lz_str_addf(out, "::error title=lorenz sweep::and %zu more cases\n", more);
    lz_str_make_plain(out, from);
}

// ---------------------------------------------------------------- html

static const char *file_of(const struct lz_sweep *s, size_t scenario)
{
    const char *path = s->opts.suite->scenarios[scenario].path;
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

// A square for each run would not end: a bar of how they came out.
static void write_bar(struct lz_str *out, const struct lz_sweep_case *c)
{
    const struct {
        uint64_t n;
        const char *colour, *what;
    } parts[] = {{c->passed, "#009e73", "held"},
                 {c->failed, "#d55e00", "failed"},
                 {c->inconclusive, "#e69f00", "inconclusive"},
                 {c->broken, "#777777", "broken"}};
    double all = (double)(c->runs > 0 ? c->runs : 1), x = 0.0;
    lz_str_add(out, "<svg viewBox=\"0 0 100 6\" width=\"100%\" height=\"6\" "
                    "preserveAspectRatio=\"none\" role=\"img\">");
    for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
        double wide = 100.0 * (double)parts[k].n / all;
        if (parts[k].n > 0)
            lz_str_addf(out,
                        "<rect x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"6\" fill=\"%s\">"
                        "<title>%" PRIu64 " %s</title></rect>",
                        x, wide, parts[k].colour, parts[k].n, parts[k].what);
        x += wide;
    }
    lz_str_add(out, "</svg>");
}

// Cells say what they are: on a narrow page they stand below one another, without a head.
static void write_case_row(struct lz_str *out, const struct lz_sweep *s,
                           const struct lz_sweep_case *c)
{
    static const char *const words[] = {"pass", "fail", "inconclusive"};
    static const char *const signs[] = {"&#10003;", "&#10007;", "?"};
    struct told t = tell(s, c);
    const char *file = file_of(s, s->opts.suite->runs[c->run].scenario);
    lz_str_addf(out, "<tr><td><span class=\"v %s\">%s</span></td><td>", words[t.outcome],
                signs[t.outcome]);
    lz_html_text(out, t.name.len > 0 ? t.name.text : file);
    if (t.name.len > 0) {
        lz_str_add(out, " <span class=\"quiet\">");
        lz_html_text(out, file);
        lz_str_add(out, "</span>");
    }
    write_bar(out, c);
    lz_str_addf(out, "</td><td>%" PRIu64 " held, %" PRIu64 " failed", c->passed, c->failed);
    if (c->inconclusive + c->broken > 0)
        lz_str_addf(out, ", %" PRIu64 " unknown", c->inconclusive + c->broken);
    lz_str_add(out, "</td><td>");
    if (c->passed + c->failed > 0) {
        struct lz_certain_interval in =
            lz_certain_interval(c->passed + c->failed, c->failed, s->opts.confidence);
        lz_str_add(out, "fails in ");
        lz_sweep_out_rate(out, in.low);
        lz_str_add(out, " to ");
        lz_sweep_out_rate(out, in.high);
        lz_str_add(out, " of runs");
    }
    lz_str_add(out, "</td><td>");
    lz_html_text(out, t.message.text);
    lz_str_add(out, "</td></tr>\n");
    forget(&t);
}

static void write_failures(struct lz_str *out, const struct lz_sweep *s)
{
    lz_str_add(out, "<h2>Distinct failures</h2>\n");
    if (s->failure_count == 0)
        lz_str_add(out, "<p class=\"quiet\">None.</p>\n");
    for (size_t i = 0; i < s->failure_count && i < 100; i++) {
        const struct lz_sweep_failure *f = &s->failures[i];
        struct lz_str command;
        lz_str_init(&command);
        lz_sweep_out_command(s, f, &command);
        lz_str_addf(out, "<p><b class=\"%s\">%" PRIu64 " runs</b> ",
                    f->is_inconclusive ? "inconclusive" : "fail", f->count);
        lz_html_text(out, f->name);
        lz_str_add(out, f->actual[0] != '\0' ? ": " : "");
        lz_html_text(out, f->actual);
        lz_str_add(out, f->is_xfail ? " (meant to fail)</p><pre>" : "</p><pre>");
        lz_html_text(out, command.text);
        lz_str_add(out, "</pre>\n");
        lz_str_finish(&command);
    }
}

static void write_coverage(struct lz_str *out, const struct lz_sweep *s)
{
    const struct lz_cover *c = &s->cover;
    lz_str_add(out, "<h2>What was tried</h2>\n");
    if (c->fault_count > 0)
        lz_str_add(out, "<table class=\"holds\"><thead><tr><th></th><th>fault</th><th>runs</th>"
                        "<th>of these</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < c->fault_count; i++) {
        const struct lz_cover_fault *f = &c->faults[i];
        const char *never = f->came == 0  ? "never came: "
                            : f->bit == 0 ? "never touched anything: "
                                          : "";
        lz_str_addf(out, "<tr><td><span class=\"v %s</span></td><td>",
                    never[0] != '\0' ? "inconclusive\">?" : "pass\">&#10003;");
        lz_html_text(out, f->kind);
        lz_str_add(out, " ");
        lz_html_text(out, f->target);
        lz_str_add(out, " <span class=\"quiet\">");
        lz_html_text(out, file_of(s, f->scenario));
        lz_str_addf(out,
                    "</span></td><td>in %" PRIu64 " runs</td><td>%scame in %" PRIu64
                    ", touched something in %" PRIu64 ", over in %" PRIu64 "</td></tr>\n",
                    f->runs, never, f->came, f->bit, f->over);
    }
    lz_str_add(out, c->fault_count > 0 ? "</tbody></table>\n"
                                       : "<p class=\"quiet\">No fault was declared.</p>\n");
    for (size_t i = 0; i < c->sometimes_count; i++) {
        const struct lz_cover_sometimes *e = &c->sometimes[i];
        struct lz_str name;
        lz_str_init(&name);
        lz_suite_case_text(s->opts.suite->runs[e->run].of, ",", &name);
        lz_str_addf(out, "<p class=\"%s\">", e->reached > 0 ? "quiet" : "inconclusive");
        lz_html_text(out, e->name);
        lz_str_add(out, name.len > 0 ? " (" : "");
        lz_html_text(out, name.text);
        lz_str_addf(out, "%s: reached in %" PRIu64 " of %" PRIu64 " runs</p>\n",
                    name.len > 0 ? ")" : "", e->reached, e->runs);
        lz_str_finish(&name);
    }
}

static void write_html(const struct lz_sweep *s, enum lz_exit status, struct lz_str *out)
{
    lz_str_addf(out,
                "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                "<title>lorenz sweep</title>\n<style>%s</style></head><body>\n"
                "<h1>Seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " of %" PRIu64
                " runs failed</h1>\n<p class=\"quiet\">%" PRIu64 " of %" PRIu64
                " runs took place &#183; exit %d &#183; lorenz " LZ_VERSION "</p>\n",
                lz_page_style, s->opts.first, s->opts.last, s->failed, s->done, s->done, s->total,
                (int)status);
    lz_str_addf(out,
                "<h2>Cases</h2>\n<table class=\"holds\"><thead><tr><th></th><th>case</th>"
                "<th>runs</th><th>%g %% sure it fails</th><th></th></tr></thead><tbody>\n",
                100.0 * s->opts.confidence);
    for (int bad = 1; bad >= 0; bad--)
        for (size_t i = 0; i < s->case_count; i++)
            if ((s->cases[i].failed + s->cases[i].broken > 0) == (bad == 1))
                write_case_row(out, s, &s->cases[i]);
    lz_str_add(out, "</tbody></table>\n");
    write_failures(out, s);
    write_coverage(out, s);
    lz_str_add(out, "</body></html>\n");
}

lz_sweep_format_fn *lz_sweep_format_find(const char *name, size_t len)
{
    static const struct {
        const char *name;
        lz_sweep_format_fn *write;
    } formats[] = {{"github", write_github}, {"html", write_html},     {"json", lz_sweep_out_json},
                   {"junit", write_junit},   {"ndjson", write_ndjson}, {"tap", write_tap}};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strlen(formats[i].name) == len && memcmp(formats[i].name, name, len) == 0)
            return formats[i].write;
    return NULL;
}
