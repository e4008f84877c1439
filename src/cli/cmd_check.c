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
#include "cli/watch.h"
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
    LZ_FLAGS_SELECT,
    LZ_FLAGS_STOP,
    {"output", 'o', "json|sarif|github=FILE", "also write this format; FILE - is standard output",
     take_output},
    {"fix", 0, NULL, "make the edits that can only be meant", take_fix},
    {"strict", 0, NULL, "a warning is an error", take_strict},
    LZ_FLAGS_MACHINE,
    LZ_FLAGS_SHOW,
};

struct check {
    const struct check_flags *flags;
    struct lz_suite *suite; // the texts
    struct lz_check_file *files;
    const size_t *jobs; // files to look at: indices
    size_t wrong;       // of them, so far
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
            .cases = &c->flags->common.cases,
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
        lz_str_addf(&text, "loading crashed (%s)%s",
                    r->how[0] != '\0' ? r->how : "a message nobody understands", lz_crew_cause(r));
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

// One more is wrong: is that enough?
static bool goes_on(struct check *c)
{
    size_t most = c->flags->common.fail_max;
    c->wrong++;
    return most == 0 || c->wrong < most;
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
        return goes_on(c);
    }
    file->code = code_of(c, &file->vet);
    file->problem = file->vet.problem; // the memory budget, in a sentence
    file->vet.problem = NULL;
    file->is_looked_at = true;
    return file->code == LZ_EXIT_OK || goes_on(c);
}

static enum lz_exit look(struct check *c, const size_t *jobs, size_t count)
{
    int signal = 0;
    struct lz_err err;
    c->jobs = jobs;
    c->wrong = 0;
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
    struct lz_check_result result = {.files = c->files};
    // Files come in order: what was not reached is at the end.
    while (result.count < c->suite->scenario_count &&
           (c->files[result.count].is_looked_at || c->files[result.count].problem != NULL))
        result.count++;
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
    if (!file->is_looked_at || file->code != LZ_EXIT_OK || c->flags->common.quiet)
        return;
    struct lz_str line;
    lz_str_init(&line);
    lz_str_addf(&line, "ok  %s  %s, %zu %s", file->path, file->vet.scenario, file->vet.case_count,
                file->vet.case_count == 1 ? "case" : "cases");
    for (char *at = line.text; *at != '\0'; at++)
        *at = *at == '\n' ? ' ' : *at;
    lz_str_make_plain(&line, 0);
    lz_out_textf(out, "%s%s\n", file->vet.count > 0 ? "\n" : "", line.text);
    lz_str_finish(&line);
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

static void keep_files(struct lz_select_files *files, const bool *is_kept)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (is_kept[i])
            files->paths[kept++] = files->paths[i];
        else
            free(files->paths[i]);
    }
    files->count = kept;
}

// Names and tags are known only to who has loaded the file: each is listed first.
static bool mark_selected(const struct lz_subset *subset, struct lz_suite *suite, bool *is_kept,
                          struct lz_err *err)
{
    struct lz_str told;
    lz_str_init(&told);
    bool ok =
        lz_suite_list(suite, err) && lz_subset_apply(subset, suite, LZ_SESSION_FAILED, &told, err);
    if (ok && told.len > 0)
        fprintf(stderr, "lorenz: %s", told.text);
    lz_str_finish(&told);
    for (size_t i = 0; ok && i < suite->scenario_count; i++)
        is_kept[i] = false;
    for (size_t i = 0; ok && i < suite->run_count; i++)
        is_kept[suite->runs[i].scenario] = true;
    return ok;
}

// Leave out the files that are not selected, and those of other shards.
static bool narrow(const struct lz_suite_opts *opts, const struct lz_subset *subset,
                   struct lz_select_files *files, struct lz_err *err)
{
    bool is_all = subset->names == NULL && subset->tag_count == 0 &&
                  subset->failed == LZ_SUBSET_ALL && opts->cases->count == 0;
    bool ok = true;
    bool *is_kept = lz_mem_alloc((files->count + 1) * sizeof(*is_kept));
    memset(is_kept, true, files->count + 1);
    if (!is_all) {
        struct lz_suite *suite = NULL;
        ok = lz_suite_create(opts, &suite, err) && mark_selected(subset, suite, is_kept, err);
        lz_suite_destroy(suite);
    }
    if (ok)
        keep_files(files, is_kept);
    for (size_t i = 0; ok && subset->shards > 0 && i < files->count; i++)
        is_kept[i] = i % subset->shards == subset->shard - 1;
    if (ok && subset->shards > 0)
        keep_files(files, is_kept);
    free(is_kept);
    return ok;
}

static enum lz_exit check_selected(const struct check_flags *flags, struct lz_select_files *files,
                                   struct lz_out *out)
{
    struct check c = {
        .flags = flags,
        .colour = lz_term_look(&flags->common.term, STDOUT_FILENO).colour,
    };
    const struct lz_suite_opts opts = {
        .files = files,
        .sets = &flags->common.sets,
        .cases = &flags->common.cases,
        .version = LZ_VERSION,
        .timeout_ns = flags->common.timeout_ns,
        .workers = flags->common.jobs,
    };
    struct lz_err err;
    enum lz_exit status = LZ_EXIT_USAGE;
    if (!narrow(&opts, &flags->common.subset, files, &err))
        fprintf(stderr, "lorenz: %s\n", err.msg);
    else if (files->count == 0)
        status = lz_session_nothing(&flags->common, "check");
    else if (!lz_suite_create(&opts, &c.suite, &err))
        fprintf(stderr, "lorenz: %s\n", err.msg);
    else
        status = check_files(&c, out);
    lz_suite_destroy(c.suite);
    return status;
}

struct watched {
    const struct check_flags *flags;
    const struct lz_opts_rest *paths;
    struct lz_out *out;
};

static enum lz_exit check_once(void *ctx)
{
    const struct watched *w = ctx;
    struct lz_select_files files = {0};
    struct lz_err err;
    if (!lz_select_find(w->paths->items, w->paths->count, &files, &err)) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        return LZ_EXIT_USAGE;
    }
    enum lz_exit status = LZ_EXIT_NOTHING;
    if (files.count > 0) {
        status = check_selected(w->flags, &files, w->out);
    } else {
        fprintf(stderr, "lorenz: nothing matched: no scenario (*.lua) in %s\n",
                w->paths->count > 0 ? w->paths->items[0] : LZ_SELECT_DEFAULT);
        fprintf(stderr, "help: name a file or a folder: lorenz check PATH\n");
    }
    lz_select_free(&files);
    return status;
}

static enum lz_exit cmd_check(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest paths;
    struct check_flags flags = {0};
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &paths, &status))
        status =
            lz_watch_run(&flags.common, &paths, check_once, &(struct watched){&flags, &paths, out});
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
