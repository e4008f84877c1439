#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/cmd.h"
#include "cli/session.h"
#include "explore/crew.h"
#include "explore/wire.h"
#include "script/plan.h"

#define OUTPUTS_MAX 8
#define WIDTH_MAX 100 // of the text; wider rows are hard to follow

// FORMAT=FILE, apart: the name is copied, the path is argv's.
struct output {
    char format[16];
    const char *path;
};

struct plan {
    struct lz_flags flags;
    struct output outputs[OUTPUTS_MAX]; // the text is not among them
    size_t output_count;
    const struct lz_suite_scenario *scenario;
    struct lz_plan_opts opts;
    char *texts[OUTPUTS_MAX + 1]; // the text, then the outputs
    char *problem;
};

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    struct plan *plan = into;
    size_t len = strcspn(value, "=");
    struct output *o = &plan->outputs[plan->output_count];
    if (plan->output_count == OUTPUTS_MAX)
        return lz_fail(err, LZ_EFULL, "given more than %d times", OUTPUTS_MAX);
    if (value[len] != '=' || value[len + 1] == '\0')
        return lz_fail(err, LZ_EINVAL, "expected FORMAT=FILE, got \"%s\"", value);
    snprintf(o->format, sizeof(o->format), "%.*s", (int)len, value);
    if (strlen(o->format) != len || !lz_plan_is_format(o->format))
        return lz_fail(err, LZ_ENOENT, "there is no format \"%.*s\"; there is: mermaid, dot, text",
                       (int)len, value);
    o->path = value + len + 1;
    plan->output_count++;
    return true;
}

// The readers of shared flags are given those; they are the first member.
_Static_assert(offsetof(struct plan, flags) == 0, "a struct plan is a struct lz_flags too");

static const struct lz_opt options[] = {
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"seed", 0, "N", "the seed that is named (default 1)", lz_flags_seed},
    {"output", 'o', "mermaid|dot|text=FILE", "write the plan as a graph; - is stdout", take_output},
    {"width", 0, "N", "columns of the text, at most 100", lz_flags_width},
    {"timeout", 0, "DURATION", "the wall-clock limit that is named (default 300s)",
     lz_flags_timeout},
    {"max-events", 0, "N", "the event budget that is named", lz_flags_events},
};

// In the child: load again, write all formats.
static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct plan *plan = ctx;
    const struct lz_worker_source source = {plan->scenario->path, plan->scenario->text,
                                            plan->scenario->len};
    struct lz_script *script = lz_worker_load(&source, &plan->flags.sets);
    (void)job;
    if (lz_script_trouble(script) != LZ_SCRIPT_OK) {
        fprintf(stderr, "lorenz: %s could not be loaded a second time\n", plan->scenario->path);
        _exit(LZ_EXIT_BUG);
    }
    for (size_t i = 0; i <= plan->output_count; i++) {
        struct lz_plan_opts opts = plan->opts;
        struct lz_str text;
        lz_str_init(&text);
        opts.format = i == 0 ? "text" : plan->outputs[i - 1].format;
        lz_plan_write(script, &opts, &text);
        lz_str_make_plain(&text, 0);
        lz_wire_put_text(message, text.text);
        lz_str_finish(&text);
    }
    lz_script_destroy(script);
}

static bool done(void *ctx, size_t job, struct lz_crew_result *result)
{
    struct plan *plan = ctx;
    (void)job;
    if (result->said.len > 0)
        fputs(result->said.text, stderr);
    struct lz_wire in = {.at = result->message.text, .left = result->message.len};
    bool ok = result->end == LZ_CREW_DONE;
    for (size_t i = 0; ok && i <= plan->output_count; i++) {
        plan->texts[i] = lz_wire_get_text(&in);
        ok = plan->texts[i] != NULL && !in.broken;
    }
    if (!ok)
        plan->problem = strdup(result->end == LZ_CREW_TIMED_OUT ? "planning took too long"
                                                                : "planning crashed");
    return true;
}

static size_t count_to_stdout(const struct plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->output_count; i++)
        n += strcmp(plan->outputs[i].path, "-") == 0;
    return n;
}

static enum lz_exit write_outputs(const struct plan *plan, struct lz_out *out)
{
    enum lz_exit status = LZ_EXIT_OK;
    if (count_to_stdout(plan) == 0)
        lz_out_text(out, plan->texts[0]);
    for (size_t i = 0; i < plan->output_count; i++) {
        const char *path = plan->outputs[i].path, *text = plan->texts[i + 1];
        struct lz_err err;
        if (strcmp(path, "-") == 0) {
            lz_out_text(out, text);
        } else if (!lz_out_file(path, text, strlen(text), &err)) {
            fprintf(stderr, "lorenz plan: %s\n", err.msg);
            status = LZ_EXIT_WRITE;
        }
    }
    return status;
}

static enum lz_exit make(struct plan *plan, struct lz_out *out)
{
    int width = lz_term_look(&plan->flags.term, STDOUT_FILENO).width;
    plan->opts = (struct lz_plan_opts){
        .width = width < WIDTH_MAX ? width : WIDTH_MAX,
        .seed = plan->flags.seed,
        .timeout_ns = plan->flags.timeout_ns,
        .events_max = plan->flags.events_max,
    };
    const struct lz_crew_opts crew = {
        .jobs = 1,
        .workers = 1,
        .timeout_ns = plan->flags.timeout_ns,
        .ctx = plan,
        .work = work,
        .done = done,
    };
    struct lz_err err;
    int signal = 0;
    enum lz_exit status = LZ_EXIT_BUG;
    if (!lz_crew_run(&crew, &signal, &err))
        fprintf(stderr, "lorenz plan: %s\n", err.msg);
    else if (signal != 0)
        status = lz_exit_signal(signal);
    else if (plan->problem != NULL)
        fprintf(stderr, "lorenz plan: %s: %s\n", plan->scenario->path, plan->problem);
    else
        status = write_outputs(plan, out);
    for (size_t i = 0; i <= OUTPUTS_MAX; i++)
        free(plan->texts[i]);
    free(plan->problem);
    return status;
}

static enum lz_exit show(struct plan *plan, const struct lz_opts_rest *paths, struct lz_out *out)
{
    struct lz_select_files files;
    struct lz_suite *suite;
    enum lz_exit status = lz_session_open(&plan->flags, paths, true, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    plan->scenario = &suite->scenarios[0];
    if (suite->scenario_count != 1) {
        fprintf(stderr, "lorenz plan: a plan is of one scenario, got %zu\n", suite->scenario_count);
        fprintf(stderr, "help: lorenz plan %s\n", plan->scenario->path);
        status = LZ_EXIT_USAGE;
    } else if (plan->scenario->code != LZ_EXIT_OK) {
        status = plan->scenario->code;
        if (plan->scenario->said != NULL)
            fputs(plan->scenario->said, stderr);
        if (plan->scenario->problem != NULL)
            fprintf(stderr, "lorenz plan: %s: %s\n", plan->scenario->path, plan->scenario->problem);
        else
            fputs(plan->scenario->listing.diagnostics, stderr);
    } else {
        status = make(plan, out);
    }
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return status;
}

static enum lz_exit cmd_plan(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct plan plan = {0};
    struct lz_opts_rest paths;
    lz_flags_init(&plan.flags);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &plan, &paths, &status)) {
        status = LZ_EXIT_USAGE;
        if (count_to_stdout(&plan) > 1)
            fprintf(stderr, "lorenz plan: -o: only one format can go to standard output\n");
        else
            status = show(&plan, &paths, out);
    }
    free(paths.items);
    lz_flags_finish(&plan.flags);
    return status;
}

const struct lz_cmd lz_cmd_plan = {
    .name = "plan",
    .args = "PATH",
    .summary = "show what a run would be: topology, timeline, cases, load",
    .about = "Show what a run of a scenario would be, and run nothing: what it is made of, when\n"
             "what goes wrong, what must hold, its cases, and how many requests and events there\n"
             "are to simulate. -o mermaid=FILE and -o dot=FILE draw it.\n\n"
             "Exit status: 0, 2 if it does not load, 4 usage, 5 nothing matched, 74 if a file\n"
             "could not be written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_plan,
};
