/* cmd_why.c — `lorenz why`: when a failure became certain, and what happened then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/format.h"
#include "cli/cmd.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "explore/certain.h"
#include "explore/why.h"
#include "report/json.h"
#include "report/pen.h"
#include "report/run.h"

#define FUTURES 20
#define BAR_WIDTH 30
#define AROUND_NS INT64_C(1000000000) // events that are told lie this close to the step

struct why_flags {
    struct lz_flags common;
    const char *name, *json;
    uint64_t futures;
};

static bool take_name(void *into, const char *value, struct lz_err *err)
{
    (void)err;
    ((struct why_flags *)into)->name = value;
    return true;
}

static bool take_futures(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_number(value, 2, 100000, &((struct why_flags *)into)->futures, err);
}

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    if (strncmp(value, "json=", 5) != 0 || value[5] == '\0')
        return lz_fail(err, LZ_EINVAL, "expected json=FILE, got \"%s\"", value);
    ((struct why_flags *)into)->json = value + 5;
    return true;
}

static const struct lz_opt options[] = {
    {"expectation", 'e', "NAME", "which failure (default the first)", take_name},
    {"futures", 'n', "N", "how many at each instant (default 20)", take_futures},
    {"output", 'o', "json=FILE", "also write the curve as json; - is stdout", take_output},
    {"timeout", 0, "DURATION", "wall-clock limit of each run (default 300s)", lz_flags_timeout},
    {"max-events", 0, "N", "event budget of each run", lz_flags_events},
    LZ_FLAGS_MACHINE_BASE,
    LZ_FLAGS_SHOW,
};

static const struct lz_run_expectation *find(const struct lz_report_run *run, const char *name)
{
    for (size_t i = 0; i < run->expectation_count; i++) {
        const struct lz_run_expectation *e = &run->expectations[i];
        if (strcmp(e->verdict, "fail") == 0 && (name == NULL || strcmp(e->name, name) == 0))
            return e;
    }
    return NULL;
}

static void write_points(struct lz_pen *pen, const struct lz_why *w)
{
    lz_pen_to(pen, 2);
    lz_pen_add(pen, LZ_TINT_BOLD, "another future from   fails");
    lz_pen_end(pen);
    for (size_t i = 0; i < w->count; i++) {
        const struct lz_why_point *p = &w->points[i];
        char at[40];
        if (p->futures == 0)
            continue;
        double share = (double)p->failed / (double)p->futures;
        lz_pen_to(pen, 2);
        lz_pen_addf(pen, LZ_TINT_NONE, "%19s   %4.0f %%  ",
                    lz_format_instant(at, sizeof(at), p->at), 100.0 * share);
        lz_pen_draw(pen, share < LZ_WHY_CERTAIN ? LZ_TINT_NONE : LZ_TINT_BAD, LZ_GLYPH_BUSY,
                    (int)(share * BAR_WIDTH + 0.5));
        lz_pen_end(pen);
    }
}

static void write_events(struct lz_pen *pen, const struct lz_report_run *run, int64_t from,
                         int64_t to)
{
    size_t shown = 0;
    sqlite3_stmt *q = lz_run_ask(run,
                                 "select at_ns, text, line from event where at_ns >= ? and"
                                 " at_ns <= ? order by seq limit 12",
                                 from - AROUND_NS, to + AROUND_NS);
    while (lz_run_next(&q)) {
        char at[40];
        lz_pen_to(pen, 4);
        lz_pen_addf(pen, LZ_TINT_NONE, "%-12s  %s",
                    lz_format_instant(at, sizeof(at), lz_run_time(q, 0)), lz_run_text(q, 1));
        if (sqlite3_column_int64(q, 2) > 0)
            lz_pen_addf(pen, LZ_TINT_DIM, "   line %" PRId64, (int64_t)sqlite3_column_int64(q, 2));
        lz_pen_end(pen);
        shown++;
    }
    if (shown > 0)
        return;
    lz_pen_to(pen, 4);
    lz_pen_add(pen, LZ_TINT_NONE,
               "nothing is in the journal then: it was requests' own chance "
               "(arrivals, work, losses)");
    lz_pen_end(pen);
}

// "decided at 4m11.203118s by: answer at db[2]"
static void write_moment(struct lz_pen *pen, const struct lz_why *w)
{
    if (!w->has_moment)
        return;
    lz_pen_to(pen, 2);
    lz_pen_addf(pen, LZ_TINT_BOLD, "decided at %.9gs by", (double)w->moment / 1e9);
    for (size_t i = 0; i < w->fired_count; i++)
        lz_pen_addf(pen, LZ_TINT_NONE, "%s %s%s%s", i > 0 ? "," : "", w->fired[i].kind,
                    w->fired[i].where[0] != '\0' ? " at " : "", w->fired[i].where);
    if (w->fired_total > w->fired_count)
        lz_pen_addf(pen, LZ_TINT_DIM, " and %zu more", w->fired_total - w->fired_count);
    lz_pen_end(pen);
}

static void write_step(struct lz_pen *pen, const struct lz_report_run *run, const struct lz_why *w)
{
    char from[40], to[40];
    lz_pen_end(pen);
    lz_pen_to(pen, 2);
    if (!w->has_step) {
        lz_pen_wrap(
            pen, LZ_TINT_BOLD,
            "It was bound to happen from the start: no chance decides it. What is scheduled "
            "does; `lorenz shrink` says which of it.",
            2);
        return;
    }
    lz_pen_addf(pen, LZ_TINT_BOLD, "bound to happen after %s, still open at %s",
                lz_format_instant(to, sizeof(to), w->decided),
                lz_format_instant(from, sizeof(from), w->open));
    lz_pen_end(pen);
    write_moment(pen, w);
    write_events(pen, run, w->open, w->decided);
}

static void write_json(const struct lz_report_run *run, const struct lz_run_expectation *e,
                       const struct lz_why *w, struct lz_str *out)
{
    lz_str_add(out, "{\"schema\":\"lorenz.why/1\",\"file\":");
    lz_json_string(out, run->file);
    lz_str_addf(out, ",\"seed\":%" PRIu64 ",\"expectation\":", run->seed);
    lz_json_string(out, e->name);
    lz_str_add(out, ",\"open_ns\":");
    lz_json_number(out, w->has_step ? (double)w->open : (double)0);
    lz_str_addf(out,
                ",\"decided_ns\":%" PRId64 ",\"has_step\":%s,\"moment_ns\":%" PRId64 ",\"curve\":[",
                w->has_step ? w->decided : 0, w->has_step ? "true" : "false",
                w->has_moment ? w->moment : INT64_C(-1));
    for (size_t i = 0; i < w->count; i++) {
        const struct lz_why_point *p = &w->points[i];
        struct lz_certain_interval in = {0.0, 1.0};
        if (p->futures > 0)
            in = lz_certain_interval(p->futures, p->failed, 0.95);
        lz_str_addf(out,
                    "%s\n{\"at_ns\":%" PRId64 ",\"futures\":%" PRIu64 ",\"failed\":%" PRIu64
                    ",\"low\":",
                    i > 0 ? "," : "", p->at, p->futures, p->failed);
        lz_json_number(out, in.low);
        lz_str_add(out, ",\"high\":");
        lz_json_number(out, in.high);
        lz_str_add(out, "}");
    }
    lz_str_add(out, "\n]}\n");
}

static enum lz_exit tell(const struct why_flags *f, const struct lz_report_run *run,
                         const struct lz_run_expectation *e, const struct lz_why *w,
                         struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    const struct lz_report_style style = {
        .colour = term.colour, .ascii = term.ascii, .width = term.width};
    struct lz_str text, json;
    struct lz_err err;
    enum lz_exit status = LZ_EXIT_OK;
    lz_str_init(&text);
    lz_str_init(&json);
    struct lz_pen pen = lz_pen_begin(&text, &style);
    lz_pen_add(&pen, LZ_TINT_BOLD, e->name);
    lz_pen_end(&pen);
    write_points(&pen, w);
    write_step(&pen, run, w);
    write_json(run, e, w, &json);
    bool to_stdout = f->json != NULL && strcmp(f->json, "-") == 0;
    lz_out_write(out, to_stdout ? json.text : text.text, to_stdout ? json.len : text.len);
    if (f->json != NULL && !to_stdout && !lz_out_file(f->json, json.text, json.len, &err)) {
        fprintf(stderr, "lorenz why: %s\n", err.msg);
        status = LZ_EXIT_WRITE;
    }
    lz_str_finish(&text);
    lz_str_finish(&json);
    return status;
}

static enum lz_exit ask(const struct why_flags *f, const struct lz_report_run *run,
                        struct lz_out *out)
{
    const struct lz_run_expectation *e = find(run, f->name);
    struct lz_select_pairs params = {0};
    struct lz_why why;
    struct lz_err err;
    if (e == NULL) {
        fprintf(stderr, "lorenz why: nothing failed in %s%s%s\n", run->path,
                f->name != NULL ? " by the name of " : "", f->name != NULL ? f->name : "");
        return LZ_EXIT_NOTHING;
    }
    sqlite3_stmt *q = lz_run_ask(run, "select name, value from param", 0, 0);
    while (lz_run_next(&q))
        lz_select_pairs_put(&params, lz_run_text(q, 0), lz_run_text(q, 1));
    const struct lz_why_opts opts = {
        .source = {run->file, run->source, strlen(run->source)},
        .params = &params,
        .version = LZ_VERSION,
        .name = e->name,
        .seed = run->seed,
        .order = lz_runs_order(run),
        .until = e->at >= 0 ? e->at : run->virtual_ns,
        .futures = f->futures,
        .workers = f->common.jobs,
        .timeout_ns = f->common.timeout_ns,
        .events_max = f->common.events_max,
    };
    enum lz_exit status = LZ_EXIT_BUG;
    if (!lz_why_run(&opts, &why, &err))
        fprintf(stderr, "lorenz why: %s\n", err.msg);
    else if (why.signal != 0)
        status = lz_exit_signal(why.signal);
    else
        status = tell(f, run, e, &why, out);
    lz_select_pairs_free(&params);
    return status;
}

static enum lz_exit cmd_why(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest rest;
    struct why_flags flags = {.futures = FUTURES};
    struct lz_runs_file file;
    struct lz_err err;
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (!lz_flags_read(&line, out, &flags, &rest, &status)) {
        // said
    } else if (rest.count != 1) {
        fprintf(stderr, "lorenz why: takes one run, got %zu\nhelp: lorenz why db_failover-1\n",
                rest.count);
        status = LZ_EXIT_USAGE;
    } else if (!lz_runs_open_again(rest.items[0], &file, &err)) {
        fprintf(stderr, "lorenz why: %s\n", err.msg);
        status = LZ_EXIT_USAGE;
    } else {
        status = ask(&flags, file.report, out);
        lz_runs_close(&file);
    }
    free(rest.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_why = {
    .name = "why",
    .args = "RUN",
    .summary = "say when a failure became certain, and what happened then",
    .about =
        "Say when a failure became certain. At instants before it the run is taken up and all\n"
        "chance from then on is drawn anew, many times: the share of those futures that fail is\n"
        "what was still open then. The step after which nine of ten fail is bisected down to the\n"
        "event in which chance decided, a draw or a message, which is named, and what the journal\n"
        "has around it. Faults and scripts happen in all futures as they\n"
        "were scheduled; which of them matter is what `lorenz shrink` says.\n\n"
        "RUN is a run file of a failing run, or its name in .lorenz/runs.\n\n"
        "Exit status: 0, 4 usage, 5 nothing failed in it, 70 internal error, 74 not written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_why,
};
