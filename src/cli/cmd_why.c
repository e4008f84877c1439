/* cmd_why.c — `lorenz why`: when a failure became certain, and what happened then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/why_out.h"

#define FUTURES 20

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
    lz_why_out_text(&pen, run, w);
    lz_why_out_json(run, e, w, &json);
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

// What a second was like is known when it is over; `at` is when it began.
static int64_t known_at(const struct lz_report_run *run, const struct lz_run_expectation *e)
{
    bool is_within = e->at >= 0 && e->at < run->virtual_ns - LZ_S;
    return is_within ? e->at + LZ_S : run->virtual_ns;
}

static enum lz_exit ask(const struct why_flags *f, const struct lz_report_run *run,
                        struct lz_out *out)
{
    const struct lz_run_expectation *e = find(run, f->name);
    const struct lz_manner manner = lz_runs_manner(run);
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
    size_t faults = 0;
    q = lz_run_ask(run, "select count(*) from fault", 0, 0);
    while (lz_run_next(&q))
        faults = (size_t)sqlite3_column_int64(q, 0);
    const struct lz_why_opts opts = {
        .source = {run->file, run->source, strlen(run->source)},
        .params = &params,
        .version = LZ_VERSION,
        .name = e->name,
        .seed = run->seed,
        .swarm = manner.swarm,
        .order = manner.order,
        .faults = faults,
        .until = known_at(run, e),
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
        "event in which chance decided; then the draws made in it are made anew by themselves, "
        "until\n"
        "the one is found that opens it again: whose it was, what for, and what came of it. The\n"
        "journal has what is around it.\n\n"
        "Faults and scripts happen in all futures as they were scheduled. Where the end was never\n"
        "open, each fault is left out by itself, and those without which it holds are named.\n\n"
        "RUN is a run file of a failing run, or its name in .lorenz/runs.\n\n"
        "Exit status: 0, 4 usage, 5 nothing failed in it, 70 internal error, 74 not written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_why,
};
