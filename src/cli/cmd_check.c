/* cmd_check.c — `lorenz check`: every file in a child of its own, and nothing is run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "cli/check_fix.h"
#include "cli/check_out.h"
#include "cli/cmd.h"
#include "cli/session.h"
#include "explore/crew.h"
#include "explore/vet.h"

#define FIX_ROUNDS_MAX 20 // an edit may uncover what the next one is for

enum format { JSON, SARIF, GITHUB, FORMATS };

static const struct {
    const char *name;
    void (*write)(struct lz_str *out, const struct lz_check_result *result);
} formats[FORMATS] = {
    [JSON] = {"json", lz_check_out_json},
    [SARIF] = {"sarif", lz_check_out_sarif},
    [GITHUB] = {"github", lz_check_out_github},
};

struct check_flags {
    struct lz_flags common; // first: readers that commands share fill it
    const char *paths[FORMATS];
    bool fix, strict;
};

static bool take_output(void *into, const char *value, struct lz_err *err)
{
    struct check_flags *flags = into;
    for (size_t i = 0; i < FORMATS; i++) {
        size_t len = strlen(formats[i].name);
        if (strncmp(value, formats[i].name, len) != 0 || value[len] != '=' ||
            value[len + 1] == '\0')
            continue;
        for (size_t k = 0; k < FORMATS; k++)
            if (flags->paths[k] != NULL && strcmp(flags->paths[k], "-") == 0 &&
                strcmp(value + len + 1, "-") == 0)
                return lz_fail(err, LZ_EINVAL, "only one format can go to standard output");
        flags->paths[i] = value + len + 1;
        return true;
    }
    return lz_fail(err, LZ_EINVAL,
                   "expected FORMAT=FILE with the format json, sarif or github, "
                   "got \"%s\"",
                   value);
}

static bool take_fix(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct check_flags *)into)->fix = true;
    return true;
}

static bool take_strict(void *into, const char *value, struct lz_err *err)
{
    (void)value;
    (void)err;
    ((struct check_flags *)into)->strict = true;
    return true;
}

static const struct lz_opt options[] = {
    {"set", 0, "NAME=VALUE", "pin a param; may be repeated", lz_flags_set},
    {"output", 'o', "json|sarif|github=FILE", "also write this format; FILE - is standard output",
     take_output},
    {"fix", 0, NULL, "make the edits that can only be meant", take_fix},
    {"strict", 0, NULL, "a warning is an error", take_strict},
    {"quiet", 'q', NULL, "say only what is wrong", lz_flags_quiet},
    {"color", 0, "WHEN", "auto, always or never", lz_flags_color},
    {"jobs", 'j', "N|auto", "files at once", lz_flags_jobs},
    {"timeout", 0, "DURATION", "wall-clock limit of each file (default 300s)", lz_flags_timeout},
};

struct check {
    const struct check_flags *flags;
    struct lz_suite *suite; // the texts
    struct lz_check_file *files;
    const size_t *jobs; // files to look at: indices
    bool colour;
    struct lz_str said; // what was fixed
    bool write_failed;
};

// ---------------------------------------------------------------- looking

static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct check *c = ctx;
    const struct lz_suite_scenario *s = &c->suite->scenarios[c->jobs[job]];
    lz_vet_write(
        &(struct lz_vet_opts){
            .source = {.path = s->path, .text = s->text, .len = s->len},
            .sets = &c->flags->common.sets,
            .colour = c->colour,
        },
        message);
}

static char *explain(const struct check *c, const struct lz_crew_result *r)
{
    struct lz_str text;
    lz_str_init(&text);
    if (r->end == LZ_CREW_TIMED_OUT)
        lz_str_addf(&text, "loading took longer than %g s of wall time",
                    (double)c->flags->common.timeout_ns / 1e9);
    else
        lz_str_addf(&text, "loading crashed (%s); this is a bug in lorenz, please report it",
                    r->how[0] != '\0' ? r->how : "a message nobody understands");
    return lz_str_take(&text);
}

static enum lz_exit code_of(const struct check *c, const struct lz_vet *vet)
{
    if (vet->trouble == LZ_SCRIPT_MEMORY)
        return LZ_EXIT_BUDGET;
    if (vet->trouble != LZ_SCRIPT_OK)
        return LZ_EXIT_SCENARIO;
    return c->flags->strict && vet->count > 0 ? LZ_EXIT_SCENARIO : LZ_EXIT_OK;
}

static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct check *c = ctx;
    struct lz_check_file *file = &c->files[c->jobs[job]];
    lz_vet_free(&file->vet);
    free(file->problem);
    file->problem = NULL;
    if (r->said.len > 0)
        fputs(r->said.text, stderr);
    if (r->end != LZ_CREW_DONE || !lz_vet_read(&r->message, &file->vet)) {
        file->problem = explain(c, r);
        file->code = r->end == LZ_CREW_TIMED_OUT ? LZ_EXIT_BUDGET : LZ_EXIT_BUG;
        return true;
    }
    file->code = code_of(c, &file->vet);
    file->problem = file->vet.problem; // the memory budget, in a sentence
    file->vet.problem = NULL;
    return true;
}

static enum lz_exit look(struct check *c, const size_t *jobs, size_t count)
{
    int signal = 0;
    struct lz_err err;
    c->jobs = jobs;
    const struct lz_crew_opts opts = {
        .jobs = count,
        .workers = c->flags->common.jobs,
        .timeout_ns = c->flags->common.timeout_ns,
        .ctx = c,
        .work = work,
        .done = done,
    };
    if (!lz_crew_run(&opts, &signal, &err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        return LZ_EXIT_BUG;
    }
    return signal != 0 ? lz_exit_signal(signal) : LZ_EXIT_OK;
}

// ---------------------------------------------------------------- fixing

// One round on one file: true if its text has changed.
static bool fix_once(struct check *c, size_t i)
{
    struct lz_suite_scenario *s = &c->suite->scenarios[i];
    const struct lz_str text = {.text = s->text, .len = s->len};
    struct lz_str fixed;
    lz_str_init(&fixed);
    if (lz_check_fix_apply(&text, s->path, &c->files[i].vet, &fixed, &c->said) == 0) {
        lz_str_finish(&fixed);
        return false;
    }
    free(s->text);
    s->len = fixed.len;
    s->text = lz_str_take(&fixed);
    return true;
}

static void save_fixed(struct check *c, const bool *changed)
{
    struct lz_err err;
    for (size_t i = 0; i < c->suite->scenario_count; i++) {
        const struct lz_suite_scenario *s = &c->suite->scenarios[i];
        const struct lz_str text = {.text = s->text, .len = s->len};
        if (changed[i] && !lz_check_fix_write(s->path, &text, &err)) {
            fprintf(stderr, "lorenz: %s\n", err.msg);
            c->write_failed = true;
        }
    }
}

static enum lz_exit fix(struct check *c)
{
    size_t count = c->suite->scenario_count;
    size_t *jobs = lz_mem_alloc((count + 1) * sizeof(jobs[0]));
    bool *changed = lz_mem_alloc((count + 1) * sizeof(changed[0]));
    enum lz_exit status = LZ_EXIT_OK;
    memset(changed, 0, (count + 1) * sizeof(changed[0]));
    for (int round = 0; round < FIX_ROUNDS_MAX && status == LZ_EXIT_OK; round++) {
        size_t left = 0;
        for (size_t i = 0; i < count; i++) {
            if (!fix_once(c, i))
                continue;
            changed[i] = true;
            jobs[left++] = i;
        }
        if (left == 0)
            break;
        status = look(c, jobs, left);
    }
    if (status == LZ_EXIT_OK)
        save_fixed(c, changed);
    free(changed);
    free(jobs);
    return status;
}

// ---------------------------------------------------------------- telling

static struct lz_check_result sum_up(const struct check *c)
{
    struct lz_check_result result = {.files = c->files, .count = c->suite->scenario_count};
    for (size_t i = 0; i < result.count; i++) {
        const struct lz_check_file *file = &c->files[i];
        lz_exit_add(&result.codes, file->code);
        result.errors += file->problem != NULL;
        for (size_t k = 0; k < file->vet.count; k++) {
            result.warnings += file->vet.items[k].is_warning;
            result.errors += !file->vet.items[k].is_warning;
        }
    }
    if (c->write_failed)
        lz_exit_add(&result.codes, LZ_EXIT_WRITE);
    return result;
}

static void print_file(const struct check *c, const struct lz_check_file *file, struct lz_out *out)
{
    if (file->problem != NULL)
        fprintf(stderr, "lorenz: %s: %s\n", file->path, file->problem);
    for (size_t i = 0; i < file->vet.count; i++) {
        lz_out_text(out, i > 0 ? "\n" : "");
        lz_out_text(out, file->vet.items[i].shown);
    }
    if (file->code == LZ_EXIT_OK && !c->flags->common.quiet)
        lz_out_textf(out, "%sok  %s  %s, %zu %s\n", file->vet.count > 0 ? "\n" : "", file->path,
                     file->vet.scenario, file->vet.case_count,
                     file->vet.case_count == 1 ? "case" : "cases");
}

// True if a format has standard output for itself.
static bool write_formats(struct check *c, struct lz_check_result *result, struct lz_out *out)
{
    bool is_taken = false;
    struct lz_err err;
    for (size_t i = 0; i < FORMATS; i++) {
        const char *path = c->flags->paths[i];
        struct lz_str text;
        if (path == NULL)
            continue;
        lz_str_init(&text);
        formats[i].write(&text, result);
        if (strcmp(path, "-") == 0) {
            lz_out_write(out, text.text, text.len);
            is_taken = true;
        } else if (!lz_out_file(path, text.text, text.len, &err)) {
            fprintf(stderr, "lorenz: %s\n", err.msg);
            lz_exit_add(&result->codes, LZ_EXIT_WRITE);
        }
        lz_str_finish(&text);
    }
    return is_taken;
}

static enum lz_exit tell(struct check *c, struct lz_out *out)
{
    struct lz_check_result result = sum_up(c);
    bool is_silent = write_formats(c, &result, out);
    if (c->said.len > 0)
        fputs(c->said.text, stderr);
    for (size_t i = 0; i < result.count; i++) {
        if (!is_silent)
            print_file(c, &c->files[i], out);
        else if (c->files[i].problem != NULL)
            fprintf(stderr, "lorenz: %s: %s\n", c->files[i].path, c->files[i].problem);
    }
    return lz_exit_worst(&result.codes, false);
}

// ---------------------------------------------------------------- the command

static enum lz_exit check_files(struct check *c, struct lz_out *out)
{
    size_t count = c->suite->scenario_count;
    size_t *all = lz_mem_alloc((count + 1) * sizeof(all[0]));
    c->files = lz_mem_alloc((count + 1) * sizeof(c->files[0]));
    for (size_t i = 0; i < count; i++) {
        all[i] = i;
        c->files[i] = (struct lz_check_file){.path = c->suite->scenarios[i].path};
    }
    lz_str_init(&c->said);
    enum lz_exit status = look(c, all, count);
    if (status == LZ_EXIT_OK && c->flags->fix)
        status = fix(c);
    if (status == LZ_EXIT_OK)
        status = tell(c, out);
    for (size_t i = 0; i < count; i++) {
        lz_vet_free(&c->files[i].vet);
        free(c->files[i].problem);
    }
    lz_str_finish(&c->said);
    free(c->files);
    free(all);
    return status;
}

static enum lz_exit check(const struct check_flags *flags, const struct lz_opts_rest *paths,
                          struct lz_out *out)
{
    struct lz_select_files files = {0};
    struct lz_err err;
    if (!lz_select_find(paths->items, paths->count, &files, &err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    if (files.count == 0) {
        fprintf(stderr, "lorenz: nothing matched: no scenario (*.lua) in %s\n",
                paths->count > 0 ? paths->items[0] : LZ_SELECT_DEFAULT);
        fprintf(stderr, "help: name a file or a folder: lorenz check PATH\n");
        return LZ_EXIT_NOTHING;
    }
    struct check c = {
        .flags = flags,
        .colour = lz_term_look(&flags->common.term, STDOUT_FILENO).colour,
    };
    const struct lz_suite_opts suite = {
        .files = &files,
        .sets = &flags->common.sets,
        .cases = &flags->common.cases,
        .version = LZ_VERSION,
        .workers = flags->common.jobs,
    };
    enum lz_exit status = LZ_EXIT_USAGE;
    if (lz_suite_create(&suite, &c.suite, &err))
        status = check_files(&c, out);
    else
        fprintf(stderr, "lorenz: %s\n", err.msg);
    lz_suite_destroy(c.suite);
    lz_select_free(&files);
    return status;
}

static enum lz_exit cmd_check(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_opts opts = {cmd->name, cmd->opts, cmd->opt_count};
    struct lz_opts_rest paths;
    struct check_flags flags = {0};
    struct lz_err err;
    lz_flags_init(&flags.common);
    enum lz_exit status = LZ_EXIT_USAGE;
    enum lz_opts_outcome outcome = lz_opts_parse(&opts, argc, argv, &flags, &paths);
    if (outcome == LZ_OPTS_HELP) {
        lz_cmd_help_page(cmd, out);
        status = LZ_EXIT_OK;
    } else if (outcome == LZ_OPTS_OK && !lz_flags_complete(&flags.common, &err)) {
        fprintf(stderr, "lorenz %s: %s\n", cmd->name, err.msg);
    } else if (outcome == LZ_OPTS_OK) {
        status = check(&flags, &paths, out);
    }
    free(paths.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_check = {
    .name = "check",
    .args = "[PATH...]",
    .summary = "load and validate scenarios with all their cases; run nothing",
    .about = "Load and validate scenarios with all their cases; run nothing. A PATH is a file or\n"
             "a folder; without one it is ./scenarios. What is right to run and tests less than\n"
             "it seems to is a warning; `lorenz explain CODE` has a page for each code.\n\n"
             "--fix makes the edits that can only be meant (a missing comma, `:` for `=`, quotes\n"
             "around a quantity, the one name that is near, a missing `local`), says which, and\n"
             "leaves the rest.\n\n"
             "Exit status: 0 all are right, 2 one is wrong, 4 usage, 5 nothing matched, 7 a\n"
             "budget was used up, 74 a file could not be written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_check,
};
