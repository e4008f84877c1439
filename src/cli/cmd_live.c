#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/live_compare.h"
#include "cli/session.h"
#include "explore/project.h"
#include "live/recover.h"
#include "live/runner.h"
#include "record/record.h"

#define HOSTS_MAX 64
#define REPEAT_MAX 100
#define FOLDER ".lorenz/live"

/* The shared flags come first: their readers are given a struct lz_flags. */
struct live_flags {
    struct lz_flags common;
    bool may_run, is_dry, is_beside, is_compared;
    const char *hosts[HOSTS_MAX];
    size_t host_count;
    uint64_t repeat;
    const char *folder;
};

static bool take_run(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct live_flags *)into)->may_run = true;
    return true;
}

static bool take_dry(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct live_flags *)into)->is_dry = true;
    return true;
}

static bool take_beside(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct live_flags *)into)->is_beside = true;
    return true;
}

static bool take_compare(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct live_flags *)into)->is_compared = true;
    return true;
}

static bool take_host(void *into, const char *value, struct lz_err *err)
{
    struct live_flags *f = into;
    if (value[0] == '\0' || strpbrk(value, "/ \t") != NULL)
        return lz_fail(err, LZ_EINVAL, "a host's name or address, got \"%s\"", value);
    if (f->host_count == HOSTS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d hosts", HOSTS_MAX);
    f->hosts[f->host_count++] = value;
    return true;
}

static bool take_repeat(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_number(value, 1, REPEAT_MAX, &((struct live_flags *)into)->repeat, err);
}

static bool take_folder(void *into, const char *value, struct lz_err *err)
{
    if (value[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "a folder");
    ((struct live_flags *)into)->folder = value;
    return true;
}

static const struct lz_opt options[] = {
    {"allow-run", 0, NULL, "the scenario's programs may be started", take_run},
    {"allow-target", 0, "HOST", "this host may be reached and broken too; may be repeated",
     take_host},
    {"dry-run", 0, NULL, "show every action, in order, and do none", take_dry},
    {"compare", 0, NULL, "simulate it too, and show where model and reality differ", take_compare},
    {"repeat", 0, "N", "run it N times (default 1); with --compare, intervals", take_repeat},
    {"beside", 0, NULL, "begin although another live run is under way", take_beside},
    {"run-folder", 0, "DIR", "where programs run and their output is kept (default " FOLDER ")",
     take_folder},
    {"seed", 0, "N|random", "what Lorenz's own chance is drawn from (default 1)", lz_flags_seed},
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"case", 0, "NAME=VALUE,...", "only cases with these values", lz_flags_case},
    {"keep", 0, "WHICH", "run files to keep: all, failed or none", lz_flags_keep},
    {"report-only", 0, NULL, "failed and inconclusive runs do not fail the command",
     lz_flags_report_only},
    {"output", 'o', "FORMAT=FILE", "also write this format; may be repeated, - is stdout",
     lz_flags_output},
    LZ_FLAGS_SHOW,
};

// ---------------------------------------------------------------- before any run

static bool is_alone(const struct live_flags *f, enum lz_exit *status)
{
    struct lz_recovery r;
    struct lz_err err;
    bool ok = lz_recover(&r, &err);
    *status = LZ_EXIT_WRITE;
    if (!ok) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
    } else if (r.damaged > 0) {
        fprintf(stderr,
                "lorenz: an earlier live run left something behind:\n%s"
                "help: look at it, then: lorenz recover --set-aside\n",
                r.said.text);
        ok = false;
    } else if (r.running > 0 && !f->is_beside) {
        fprintf(stderr,
                "lorenz: another live run is under way (%s, process %d): the two would disturb "
                "each other\nhelp: wait for it, or begin all the same: --beside\n",
                r.running_name, (int)r.running_pid);
        *status = LZ_EXIT_USAGE;
        ok = false;
    } else if (r.recovered > 0) {
        fprintf(stderr, "lorenz: undone first, of an earlier live run:\n%s", r.said.text);
    }
    lz_str_finish(&r.said);
    return ok;
}

// Absolute, for programs that run somewhere else.
static bool absolute(const char *path, struct lz_str *out, struct lz_err *err)
{
    char here[PATH_MAX];
    if (path[0] == '/') {
        lz_str_add(out, path);
        return true;
    }
    if (getcwd(here, sizeof(here)) == NULL)
        return lz_fail(err, LZ_EIO, "the current folder has no name: %s", strerror(errno));
    lz_str_addf(out, "%s/%s", here, path);
    return true;
}

// ---------------------------------------------------------------- one run

struct course {
    const struct live_flags *flags;
    struct lz_suite *suite;
    struct lz_out *out;
    struct lz_report_style style;
    struct lz_exit_set codes;
    struct lz_report_run **reports; /* of live runs */
    unsigned char **images;
    char **paths; /* of their run files */
    size_t count;
    bool is_silent; /* a format goes to standard output */
    int signal;
};

static enum lz_exit code_of(const struct lz_runner_result *r)
{
    switch (r->end) {
    case LZ_RUNNER_WRONG:
        return LZ_EXIT_SCENARIO;
    case LZ_RUNNER_REFUSED:
        return LZ_EXIT_USAGE;
    case LZ_RUNNER_UNSAFE:
        return LZ_EXIT_WRITE;
    case LZ_RUNNER_UNREADY: // nothing failed, and nothing was tested
    case LZ_RUNNER_JUDGED:
        break;
    }
    return LZ_EXIT_INCONCLUSIVE;
}

static void keep(struct course *c, const char *name, struct lz_runner_result *r)
{
    struct lz_err err;
    struct lz_report_run *report = NULL;
    if (!lz_report_open(r->image, r->size, &report, &err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        lz_exit_add(&c->codes, LZ_EXIT_BUG);
        return;
    }
    enum lz_exit code = lz_exit_verdict(lz_report_verdict(report));
    enum lz_flags_keep which = c->flags->common.keep;
    lz_exit_add(&c->codes, code);
    c->paths[c->count] = NULL;
    if (which == LZ_FLAGS_KEEP_ALL || (which == LZ_FLAGS_KEEP_FAILED && code != LZ_EXIT_OK)) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), LZ_SESSION_RUNS "/%s.lzrun", name);
        bool ok =
            lz_out_folder(LZ_SESSION_RUNS, &err) && lz_record_save(path, r->image, r->size, &err);
        if (ok) {
            c->paths[c->count] = strdup(path);
            lz_report_set_path(report, c->paths[c->count]);
        } else {
            fprintf(stderr, "lorenz: %s\n", err.msg);
            lz_exit_add(&c->codes, LZ_EXIT_WRITE);
        }
    }
    c->reports[c->count] = report;
    c->images[c->count++] = r->image;
    r->image = NULL;
}

static void show(struct course *c)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_report_text_runs(&text, &c->style, &c->reports[c->count - 1], 1);
    if (!c->is_silent)
        lz_out_write(c->out, text.text, text.len);
    lz_str_finish(&text);
}

static void tell(struct course *c, struct lz_runner_result *r, const char *name, const char *folder)
{
    bool is_quiet = c->flags->common.quiet;
    if (r->end == LZ_RUNNER_JUDGED && c->flags->is_dry) {
        lz_out_text(c->out, r->said.text);
    } else if (r->end == LZ_RUNNER_JUDGED && r->image != NULL) {
        keep(c, name, r);
        show(c);
        if (!is_quiet)
            fprintf(stderr, "lorenz: what the programs wrote is in %s\n", folder);
    } else {
        bool is_rendered = strncmp(r->said.text, "error", 5) == 0;
        fprintf(stderr, "%s%s\n", is_rendered ? "" : "lorenz: ", r->said.text);
        if (code_of(r) != LZ_EXIT_USAGE)
            lz_exit_add(&c->codes, code_of(r));
        else if (c->signal == 0)
            c->signal = -1; // one for all: the others are refused too
    }
    if (!r->is_clean)
        lz_exit_add(&c->codes, LZ_EXIT_WRITE);
    if (r->signal != 0)
        c->signal = r->signal;
}

static bool run_one(struct course *c, const struct lz_suite_run *run, uint64_t ordinal)
{
    const struct lz_suite_scenario *s = &c->suite->scenarios[run->scenario];
    const struct live_flags *f = c->flags;
    struct lz_str name, folder, path;
    struct lz_runner_result result = {0};
    struct lz_err err;
    lz_str_init(&name);
    lz_str_init(&folder);
    lz_str_init(&path);
    lz_str_addf(&name, "%s-live", run->name);
    if (ordinal > 0)
        lz_str_addf(&name, "~%" PRIu64, ordinal + 1);
    struct lz_str unique;
    lz_str_init(&unique);
    lz_str_addf(&unique, "%.30s-%d", name.text, (int)getpid());
    bool ok = absolute(f->folder, &folder, &err) && absolute(s->path, &path, &err);
    if (ok) {
        lz_str_addf(&folder, "/%s", unique.text);
        char *slash = strrchr(path.text, '/');
        *slash = '\0';
        const struct lz_runner_opts opts = {
            .script = {.path = s->path,
                       .source = s->text,
                       .source_len = s->len,
                       .sets = run->of->params.items,
                       .set_count = run->of->params.count,
                       .files = {.ctx = (void *)s->path, .read = lz_project_read}},
            .params = run->of->params.items,
            .param_count = run->of->params.count,
            .version = LZ_VERSION,
            .seed = run->seed + ordinal,
            .name = unique.text,
            .folder = folder.text,
            .scenario_folder = path.text,
            .hosts = f->hosts,
            .host_count = f->host_count,
            .may_run = f->may_run,
            .xfail = run->of->xfail,
            .is_dry = f->is_dry,
            .is_quiet = f->common.quiet};
        ok = lz_runner_run(&opts, &result, &err);
        tell(c, &result, name.text, folder.text);
        lz_runner_result_free(&result);
    }
    if (!ok) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        lz_exit_add(&c->codes, LZ_EXIT_BUG);
    }
    lz_str_finish(&name);
    lz_str_finish(&unique);
    lz_str_finish(&folder);
    lz_str_finish(&path);
    return ok && c->signal == 0;
}

// ---------------------------------------------------------------- all of them

struct simulated {
    struct lz_select_files files;
    struct lz_suite *suite;
};

static bool go_on(void *ctx, struct lz_suite *suite, size_t index)
{
    (void)ctx;
    (void)suite;
    (void)index;
    return true;
}

// The same case simulated with one seed; its report stays the suite's. NULL: that was said.
static struct lz_report_run *simulate(struct course *c, const struct lz_opts_rest *paths,
                                      uint64_t ordinal, struct simulated *out)
{
    struct lz_flags flags = c->flags->common;
    struct lz_err err;
    flags.seed += ordinal;
    if (lz_session_open(&flags, paths, false, &out->files, &out->suite) != LZ_EXIT_OK)
        return NULL;
    if (!lz_suite_run(out->suite, go_on, NULL, &err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        return NULL;
    }
    struct lz_report_run *report = out->suite->run_count > 0 ? out->suite->runs[0].report : NULL;
    if (report != NULL && strcmp(lz_report_verdict(report), "error") != 0)
        return report;
    struct lz_str why;
    lz_str_init(&why);
    if (report != NULL)
        lz_report_text_runs(&why, &c->style, &report, 1);
    fprintf(stderr, "lorenz: it cannot be simulated, so there is nothing to compare with\n%s",
            why.text);
    lz_str_finish(&why);
    return NULL;
}

// With as many seeds as there are live runs.
static void compare(struct course *c, const struct lz_opts_rest *paths)
{
    size_t count = 0, want = c->count;
    struct simulated *all = lz_mem_alloc(want * sizeof(*all));
    struct lz_report_run **reports = lz_mem_alloc(want * sizeof(struct lz_report_run *));
    struct lz_str text;
    for (; count < want; count++) {
        all[count] = (struct simulated){0};
        reports[count] = simulate(c, paths, count, &all[count]);
        if (reports[count] == NULL)
            break;
    }
    if (count == want) {
        const struct lz_live_compare table = {.simulated = reports,
                                              .simulated_count = count,
                                              .live = c->reports,
                                              .live_count = c->count};
        lz_str_init(&text);
        lz_live_compare_write(&table, &text);
        if (!c->is_silent)
            lz_out_text(c->out, text.text);
        lz_str_finish(&text);
    } else {
        lz_exit_add(&c->codes, LZ_EXIT_SCENARIO);
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        if (all[i].suite != NULL) {
            lz_suite_destroy(all[i].suite);
            lz_select_free(&all[i].files);
        }
    }
    free(reports);
    free(all);
}

// What the command ends with: a signal that ended it is what its parent has to hear.
static enum lz_exit status_of(const struct course *c)
{
    enum lz_exit status = lz_exit_worst(&c->codes, c->flags->common.report_only);
    if (c->signal > 0)
        return lz_exit_signal(c->signal);
    return c->signal < 0 && status == LZ_EXIT_OK ? LZ_EXIT_USAGE : status;
}

static void finish(struct course *c)
{
    int codes[LZ_EXIT_KINDS];
    const struct lz_flags *f = &c->flags->common;
    const struct lz_report_options report = {
        .version = LZ_VERSION,
        .seed = f->seed,
        .exit_code = (int)status_of(c),
        .exit_codes = codes,
        .exit_code_count = lz_exit_list(&c->codes, codes),
    };
    if (c->count == 0)
        return;
    if (!lz_flags_write_outputs(f, &report, c->reports, c->count, c->out))
        lz_exit_add(&c->codes, LZ_EXIT_WRITE);
    struct lz_str text;
    lz_str_init(&text);
    lz_report_text_end(&text, &c->style, c->reports, c->count, (int)status_of(c));
    if (!c->is_silent)
        lz_out_write(c->out, text.text, text.len);
    lz_str_finish(&text);
}

static void run_all(struct course *c, const struct lz_opts_rest *paths)
{
    uint64_t repeat = c->flags->is_dry ? 1 : c->flags->repeat;
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < c->suite->run_count; i++) {
        const struct lz_suite_run *run = &c->suite->runs[i];
        const struct lz_suite_scenario *s = &c->suite->scenarios[run->scenario];
        if (run->of == NULL) {
            fputs(s->listing.diagnostics != NULL ? s->listing.diagnostics : "", stderr);
            fputs(s->problem != NULL ? s->problem : "", stderr);
            lz_exit_add(&c->codes, s->code);
            continue;
        }
        for (uint64_t k = 0; goes_on && k < repeat; k++)
            goes_on = run_one(c, run, k);
    }
    if (goes_on && c->flags->is_compared && c->count > 0)
        compare(c, paths);
}

static enum lz_exit run_suite(const struct live_flags *f, const struct lz_opts_rest *paths,
                              struct lz_suite *suite, struct lz_out *out)
{
    const struct lz_term term = lz_term_look(&f->common.term, STDOUT_FILENO);
    size_t room = suite->run_count * f->repeat + 1;
    struct course c = {
        .flags = f,
        .suite = suite,
        .out = out,
        .style = {.colour = term.colour,
                  .ascii = term.ascii,
                  .width = term.width,
                  .seed = f->repeat > 1 ? 0 : f->common.seed,
                  .quiet = f->common.quiet,
                  .verbose = f->common.verbose},
        .reports = lz_mem_alloc(room * sizeof(struct lz_report_run *)),
        .images = lz_mem_alloc(room * sizeof(unsigned char *)),
        .paths = lz_mem_alloc(room * sizeof(char *)),
    };
    for (size_t i = 0; i < f->common.output_count; i++)
        c.is_silent = c.is_silent || strcmp(f->common.outputs[i].path, "-") == 0;
    run_all(&c, paths);
    finish(&c);
    enum lz_exit status = status_of(&c);
    for (size_t i = 0; i < c.count; i++) {
        lz_report_close(c.reports[i]);
        free(c.images[i]);
        free(c.paths[i]);
    }
    free(c.reports);
    free(c.images);
    free(c.paths);
    return status;
}

static enum lz_exit live(const struct live_flags *f, const struct lz_opts_rest *paths,
                         struct lz_out *out)
{
    struct lz_select_files files;
    struct lz_suite *suite;
    enum lz_exit status;
    if (paths->count == 0) {
        fprintf(stderr, "lorenz live: which scenario? A live run breaks real things, so its file "
                        "is named\nusage: lorenz live [OPTIONS] PATH...\n");
        return LZ_EXIT_USAGE;
    }
    if (f->is_compared && f->is_dry) {
        fprintf(stderr, "lorenz live: --compare runs, --dry-run does not: one of them\n");
        return LZ_EXIT_USAGE;
    }
    if (!f->is_dry && !is_alone(f, &status))
        return status;
    status = lz_session_open(&f->common, paths, false, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    if (f->is_compared && suite->run_count > 1) {
        fprintf(stderr,
                "lorenz live: --compare is about one case, and there are %zu: pick one by "
                "--set or --case\n",
                suite->run_count);
        status = LZ_EXIT_USAGE;
    } else if (suite->run_count == 0) {
        status = lz_session_nothing(&f->common, "live");
    } else {
        status = run_suite(f, paths, suite, out);
    }
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return status;
}

static enum lz_exit cmd_live(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest paths;
    struct live_flags f = {.repeat = 1, .folder = FOLDER};
    enum lz_exit status;
    lz_flags_init(&f.common);
    f.common.is_live = true;
    if (lz_flags_read(&line, out, &f, &paths, &status))
        status = live(&f, &paths, out);
    free(paths.items);
    lz_flags_finish(&f.common);
    return status;
}

const struct lz_cmd lz_cmd_live = {
    .name = "live",
    .args = "PATH...",
    .summary = "run scenarios against real programs, and judge them",
    .about =
        "Run scenarios against real programs: those of their `process` blocks and `live` fields\n"
        "are started, faults are carried out on them and on proxies in between, and the same\n"
        "expectations are judged. A live run is not deterministic. Nothing is started without\n"
        "--allow-run, and nothing but this machine's loopback is reached without --allow-target.\n"
        "Whatever is done is written down before, and undone: at the fault's end, at the run's,\n"
        "by a watchdog if lorenz is killed, or by `lorenz recover`.\n\n"
        "Exit status: 0 all held, 1 an expectation failed, 2 a scenario is wrong or has no live\n"
        "form, 3 inconclusive, or a program or address was not ready, 4 usage, or not allowed,\n"
        "5 nothing matched, 70 internal error, 74 a result or the undo log could not be written,\n"
        "130 interrupted.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_live,
};
