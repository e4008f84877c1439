#include <inttypes.h>
#include <string.h>

#include "report/block.h"
#include "report/formats.h"

// What a workflow command may not hold as it is.
static void add_escaped(struct lz_str *out, const char *text, bool is_property)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_special =
            *c == '%' || *c == '\r' || *c == '\n' || (is_property && (*c == ':' || *c == ','));
        if (is_special)
            lz_str_addf(out, "%%%02X", (unsigned)(unsigned char)*c);
        else
            lz_str_add_char(out, *c);
    }
}

static void add_command(struct lz_str *out, const char *kind, const char *file, int64_t line,
                        const char *title, const char *message)
{
    lz_str_addf(out, "::%s file=", kind);
    add_escaped(out, file, true);
    if (line > 0)
        lz_str_addf(out, ",line=%" PRId64, line);
    lz_str_add(out, ",title=");
    add_escaped(out, title, true);
    lz_str_add(out, "::");
    add_escaped(out, message, false);
    lz_str_add_char(out, '\n');
}

// The lines that are left, and what did not get one.
struct notes {
    struct lz_str *out;
    const struct lz_report_options *options;
    size_t written, left_out;
};

static void note(struct notes *n, const struct lz_report_run *run, const char *kind, int64_t line,
                 const char *title, const char *message)
{
    if (n->written == LZ_GITHUB_ANNOTATIONS_MAX - 1) {
        n->left_out++;
        return;
    }
    struct lz_str text;
    lz_str_init(&text);
    lz_format_case(&text, n->options, run);
    if (text.len > 0)
        lz_str_add(&text, ": ");
    lz_str_addf(&text, "%s\nagain: ", message);
    lz_format_command(&text, run);
    add_command(n->out, kind, run->file, line, title, text.text);
    lz_str_finish(&text);
    n->written++;
}

static void note_expectations(struct notes *n, const struct lz_report_run *run, const char *verdict,
                              const char *kind)
{
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        if (strcmp(e->verdict, verdict) != 0 || strcmp(e->severity, "warn") == 0)
            continue;
        struct lz_str message;
        lz_str_init(&message);
        lz_format_outcome(&message, e);
        note(n, run, kind, e->line, e->name, message.text);
        lz_str_finish(&message);
    }
}

// What is wrong first, then what failed, then what was never tested.
static void note_run(struct notes *n, const struct lz_report_run *run, int rank)
{
    bool is_failed = strcmp(run->verdict, "fail") == 0;
    bool is_unknown = strcmp(run->verdict, "inconclusive") == 0;
    if (rank == 0 && lz_format_is_bad(run->verdict) && !is_failed)
        note(n, run, "error", 0, lz_run_title(run),
             run->error[0] != '\0'                ? run->error
             : strcmp(run->verdict, "xpass") == 0 ? "it is declared to fail, and passed"
                                                  : run->why);
    if (rank == 1 && is_failed)
        note_expectations(n, run, "fail", "error");
    if (rank == 2 && is_unknown) {
        size_t before = n->written + n->left_out;
        note_expectations(n, run, "inconclusive", "warning");
        if (n->written + n->left_out == before)
            note(n, run, "warning", 0, lz_run_title(run), run->why);
    }
}

void lz_github_write(struct lz_str *out, const struct lz_report_options *options,
                     struct lz_report_run *const *runs, size_t count)
{
    struct notes n = {.out = out, .options = options};
    size_t from = out->len;
    for (int rank = 0; rank < 3; rank++)
        for (size_t i = 0; i < count; i++)
            note_run(&n, runs[i], rank);
    if (n.left_out > 0)
        lz_str_addf(out, "::error title=lorenz::and %zu more; the job summary has all\n",
                    n.left_out);
    lz_str_make_plain(out, from);
}

// ---------------------------------------------------------------- the job's summary

// A cell of a table: no markup of Markdown's or HTML's.
static void add_cell(struct lz_str *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '<')
            lz_str_add(out, "&lt;");
        else if (*c == '&')
            lz_str_add(out, "&amp;");
        else if (strchr("|\\`*_[]#@~", *c) != NULL)
            lz_str_addf(out, "\\%c", *c);
        else
            lz_str_add_char(out, *c == '\n' || *c == '\r' ? ' ' : *c);
    }
}

static void add_row(struct lz_str *out, const struct lz_report_options *options,
                    const struct lz_report_run *run)
{
    struct lz_str name;
    lz_str_init(&name);
    lz_format_case(&name, options, run);
    size_t held = 0;
    for (size_t i = 0; i < run->expectation_count; i++)
        held += strcmp(run->expectations[i].verdict, "pass") == 0;
    lz_str_addf(out, "| %s%s | ", lz_format_is_bad(run->verdict) ? "**" : "", run->verdict);
    if (lz_format_is_bad(run->verdict))
        out->text[out->len - 3] = '\0', out->len -= 3, lz_str_add(out, "** | ");
    add_cell(out, lz_run_title(run));
    lz_str_add(out, " | ");
    add_cell(out, name.text);
    lz_str_addf(out, " | %zu of %zu |\n", held, run->expectation_count);
    lz_str_finish(&name);
}

// A fence longer than any in the text.
static void add_fenced(struct lz_str *out, const char *kind, const char *text)
{
    size_t longest = 2, now = 0;
    for (const char *c = text; *c != '\0'; c++) {
        now = *c == '`' ? now + 1 : 0;
        longest = now > longest ? now : longest;
    }
    lz_str_add_repeat(out, "`", longest + 1);
    lz_str_addf(out, "%s\n%s", kind, text);
    lz_str_add_repeat(out, "`", longest + 1);
    lz_str_add(out, "\n");
}

static void add_story(struct lz_str *out, const struct lz_report_run *run)
{
    static const struct lz_report_style style = {.width = 80};
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &style);
    if (strcmp(run->verdict, "error") == 0 || strcmp(run->verdict, "diverged") == 0)
        lz_str_add(&text, run->error);
    else if (strcmp(run->verdict, "inconclusive") == 0 || strcmp(run->verdict, "budget") == 0)
        lz_block_inconclusive(&pen, run);
    else
        lz_block_failed(&pen, run);
    lz_str_add(out, "\n");
    add_fenced(out, "text", text.text);
    lz_str_finish(&text);
}

// Whole pieces only: half a block would take the rest of the page with it.
static bool append(struct lz_str *out, const struct lz_str *piece)
{
    if (out->len + piece->len > LZ_SUMMARY_SIZE_MAX - 200)
        return false;
    lz_str_add_n(out, piece->text, piece->len);
    return true;
}

void lz_summary_write(struct lz_str *out, const struct lz_report_options *options,
                      struct lz_report_run *const *runs, size_t count)
{
    struct lz_str piece;
    size_t left_out = 0, from = out->len;
    lz_str_init(&piece);
    lz_str_addf(out,
                "### lorenz, seed %" PRIu64 "\n\n| | scenario | case | held |\n|---|---|---|---|\n",
                options->seed);
    for (int is_good = 0; is_good <= 1; is_good++) {
        for (size_t i = 0; i < count; i++) {
            bool is_plain =
                strcmp(runs[i]->verdict, "pass") == 0 || strcmp(runs[i]->verdict, "xfail") == 0;
            if (is_plain != (is_good == 1))
                continue;
            lz_str_clear(&piece);
            add_row(&piece, options, runs[i]);
            left_out += out->len > LZ_SUMMARY_SIZE_MAX / 2 || !append(out, &piece);
        }
    }
    if (left_out > 0)
        lz_str_addf(out, "\nand %zu more runs\n", left_out);
    if (count > 0) {
        struct lz_str graph;
        lz_str_init(&graph);
        lz_graph_mermaid(&graph, options, runs, 1);
        lz_str_clear(&piece);
        lz_str_add(&piece, "\n");
        add_fenced(&piece, "mermaid", graph.text);
        (void)append(out, &piece);
        lz_str_finish(&graph);
    }
    left_out = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(runs[i]->verdict, "pass") == 0 || strcmp(runs[i]->verdict, "xfail") == 0)
            continue;
        lz_str_clear(&piece);
        add_story(&piece, runs[i]);
        left_out += !append(out, &piece);
    }
    if (left_out > 0)
        lz_str_addf(out, "\nand %zu more that did not pass\n", left_out);
    lz_str_finish(&piece);
    lz_str_make_plain(out, from);
}
