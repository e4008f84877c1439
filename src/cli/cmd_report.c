/* cmd_report.c — `lorenz report`: recorded runs again, in any format, of any number of shards. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sort.h"
#include "base/str.h"
#include "cli/cmd.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/session.h"
#include "cli/sweep_report.h"
#include "report/run.h"

#define RUNS_MAX 100000

/* The shared flags come first: their readers are given a struct lz_flags. */
struct report_flags {
    struct lz_flags common;
    double confidence, max_rate;
};

static bool take_confidence(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_share(value, &((struct report_flags *)into)->confidence, err);
}

static bool take_max_rate(void *into, const char *value, struct lz_err *err)
{
    return lz_opts_share(value, &((struct report_flags *)into)->max_rate, err);
}

static const struct lz_opt options[] = {
    {"output", 'o', "FORMAT=FILE", "write this format; may be repeated, - is stdout",
     lz_flags_output},
    {"epoch", 0, "SECONDS", "what time 0 is, in Unix time (default 946684800)", lz_flags_epoch},
    {"confidence", 0, "P", "of a sweep: how sure the interval is (default 95%)", take_confidence},
    {"max-rate", 0, "P", "of a sweep: decide whether fewer, or more, runs fail", take_max_rate},
    {"report-only", 0, NULL, "failed and inconclusive runs do not fail the command",
     lz_flags_report_only},
    {"profile", 0, "NAME", "the configuration's settings of this name", lz_flags_profile},
    {"config", 0, "FILE", "the configuration (default lorenz.conf.lua, here or above)",
     lz_flags_config},
    LZ_FLAGS_SHOW,
};

struct report {
    const struct lz_flags *flags;
    struct lz_runs_file *files;
    size_t count;
    struct lz_exit_set codes;
    size_t damaged;
    char **parts; // of sweeps
    size_t part_count;
};

// ---------------------------------------------------------------- reading

// A file that cannot be read costs that file: it is named, and the command says so at its end.
static void add_file(struct report *r, const char *name)
{
    struct lz_runs_file file;
    struct lz_err err;
    if (r->count == RUNS_MAX || !lz_runs_open(name, &file, &err)) {
        fprintf(stderr, "lorenz report: %s\n",
                r->count == RUNS_MAX ? "more than 100000 runs" : err.msg);
        r->damaged++;
        return;
    }
    r->files = lz_mem_resize(r->files, (r->count + 1) * sizeof(r->files[0]));
    r->files[r->count++] = file;
}

static int by_bytes(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);
    return len > tail && strcmp(name + len - tail, end) == 0;
}

static void add_part(struct report *r, const char *path)
{
    char *copy = lz_mem_alloc(strlen(path) + 1);
    strcpy(copy, path);
    r->parts = lz_mem_resize(r->parts, (r->part_count + 1) * sizeof(r->parts[0]));
    r->parts[r->part_count++] = copy;
}

static void add_any(struct report *r, const char *name)
{
    if (ends_in(name, ".lzsweep"))
        add_part(r, name);
    else
        add_file(r, name);
}

static void add_folder(struct report *r, const char *folder)
{
    DIR *dir = opendir(folder);
    char **names = NULL;
    size_t count = 0;
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir)) {
        if (!ends_in(e->d_name, ".lzrun") && !ends_in(e->d_name, ".lzsweep"))
            continue;
        struct lz_str path;
        lz_str_init(&path);
        lz_str_addf(&path, "%s/%s", folder, e->d_name);
        names = lz_mem_resize(names, (count + 1) * sizeof(names[0]));
        names[count++] = lz_str_take(&path);
    }
    if (dir != NULL)
        closedir(dir);
    lz_sort(names, count, sizeof(names[0]), by_bytes, NULL);
    for (size_t i = 0; i < count; i++) {
        add_any(r, names[i]);
        free(names[i]);
    }
    free(names);
}

// ---------------------------------------------------------------- merging

static int by_run(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_report_run *x = ((const struct lz_runs_file *)a)->report;
    const struct lz_report_run *y = ((const struct lz_runs_file *)b)->report;
    int order = strcmp(x->file, y->file);
    if (order == 0 && x->ordinal != y->ordinal)
        order = x->ordinal < y->ordinal ? -1 : 1;
    if (order == 0)
        order = strcmp(x->case_id, y->case_id);
    if (order == 0 && x->seed != y->seed)
        order = x->seed < y->seed ? -1 : 1;
    return order;
}

// "lz1-<seed>-<scenario>-<engine>": the two hashes; false: it has no token.
static bool read_token(const struct lz_report_run *run, struct lz_token *token)
{
    struct lz_err err;
    return run->token[0] != '\0' && lz_token_read(run->token, token, &err);
}

static bool refuse(const struct lz_report_run *a, const struct lz_report_run *b, const char *what)
{
    fprintf(stderr,
            "lorenz report: %s and %s are of different %s: they are no parts of one whole\n"
            "help: run both again with one version of lorenz and of the scenario\n",
            a->path, b->path, what);
    return false;
}

// Runs by two engines, or of two texts of one scenario, say nothing together.
static bool check_alike(const struct report *r)
{
    const struct lz_report_run *first = NULL;
    struct lz_token mine, other;
    for (size_t i = 0; i < r->count; i++) {
        const struct lz_report_run *run = r->files[i].report;
        if (!read_token(run, &mine))
            continue;
        if (first != NULL && read_token(first, &other) && other.engine != mine.engine)
            return refuse(first, run, "engines");
        const struct lz_report_run *last = i > 0 ? r->files[i - 1].report : NULL;
        if (last != NULL && strcmp(last->file, run->file) == 0 && read_token(last, &other) &&
            other.scenario != mine.scenario)
            return refuse(last, run, "texts of the scenario");
        first = first == NULL ? run : first;
    }
    return true;
}

// A run that is there twice, of a block that ran again, counts once.
static bool drop_doubles(struct report *r)
{
    for (size_t i = 1; i < r->count; i++) {
        const struct lz_report_run *a = r->files[i - 1].report, *b = r->files[i].report;
        if (by_run(&r->files[i - 1], &r->files[i], NULL) == 0 &&
            strcmp(a->trace_hash, b->trace_hash) != 0) {
            fprintf(stderr, "lorenz report: %s and %s are the same run and differ\n", a->path,
                    b->path);
            lz_exit_add(&r->codes, LZ_EXIT_DIVERGED);
            return false;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (kept > 0 && by_run(&r->files[kept - 1], &r->files[i], NULL) == 0)
            lz_runs_close(&r->files[i]);
        else
            r->files[kept++] = r->files[i];
    }
    r->count = kept;
    return true;
}

// ---------------------------------------------------------------- writing

static void write_text(const struct report *r, struct lz_report_run *const *runs, size_t scenarios,
                       struct lz_out *out, int status)
{
    const struct lz_term term = lz_term_look(&r->flags->term, 1);
    const struct lz_report_style style = {.colour = term.colour,
                                          .ascii = term.ascii,
                                          .width = term.width,
                                          .quiet = r->flags->quiet,
                                          .verbose = r->flags->verbose,
                                          .seed = runs[0]->seed};
    struct lz_str text;
    lz_str_init(&text);
    lz_report_text_head(&text, &style, runs[0]->seed, scenarios, r->count);
    for (size_t i = 0, from = 0; i < r->count; i++) {
        if (i + 1 < r->count && strcmp(runs[i]->file, runs[i + 1]->file) == 0)
            continue;
        lz_report_text_runs(&text, &style, runs + from, i + 1 - from);
        from = i + 1;
    }
    lz_report_text_end(&text, &style, runs, r->count, status);
    lz_out_write(out, text.text, text.len);
    lz_str_finish(&text);
}

static enum lz_exit write_all(struct report *r, struct lz_out *out)
{
    struct lz_report_run **runs = lz_mem_alloc((r->count + 1) * sizeof(runs[0]));
    size_t scenarios = 0;
    for (size_t i = 0; i < r->count; i++) {
        runs[i] = r->files[i].report;
        scenarios += i == 0 || strcmp(runs[i - 1]->file, runs[i]->file) != 0;
        lz_exit_add(&r->codes, lz_exit_verdict(runs[i]->verdict));
        if (strcmp(runs[i]->stop, "") != 0 && strcmp(runs[i]->stop, "script") != 0)
            lz_exit_add(&r->codes, LZ_EXIT_BUDGET);
    }
    if (r->damaged > 0)
        lz_exit_add(&r->codes, LZ_EXIT_BUDGET); // what is there is not all
    int codes[LZ_EXIT_KINDS];
    const struct lz_report_options shown = {
        .version = LZ_VERSION,
        .seed = runs[0]->seed,
        .exit_code = (int)lz_exit_worst(&r->codes, r->flags->report_only),
        .exit_codes = codes,
        .exit_code_count = lz_exit_list(&r->codes, codes),
        .epoch_s = r->flags->epoch_s,
    };
    if (!lz_flags_write_outputs(r->flags, &shown, runs, r->count, out))
        lz_exit_add(&r->codes, LZ_EXIT_WRITE);
    enum lz_exit status = lz_exit_worst(&r->codes, r->flags->report_only);
    if (r->flags->output_count == 0)
        write_text(r, runs, scenarios, out, (int)status);
    free(runs);
    return status;
}

static enum lz_exit report(const struct report_flags *f, const struct lz_opts_rest *names,
                           struct lz_out *out)
{
    struct report r = {.flags = &f->common};
    static const char *const everything[] = {LZ_SESSION_RUNS};
    const char *const *items = names->count > 0 ? names->items : everything;
    for (size_t i = 0; i < (names->count > 0 ? names->count : 1); i++) {
        struct stat st;
        if (stat(items[i], &st) == 0 && S_ISDIR(st.st_mode))
            add_folder(&r, items[i]);
        else
            add_any(&r, items[i]);
    }
    lz_sort(r.files, r.count, sizeof(r.files[0]), by_run, NULL);
    enum lz_exit status = LZ_EXIT_USAGE;
    const struct lz_sweep_report sweep = {.flags = &f->common,
                                          .confidence = f->confidence,
                                          .max_rate = f->max_rate,
                                          .paths = (const char *const *)r.parts,
                                          .count = r.part_count};
    if (r.part_count > 0 && r.count > 0) {
        fprintf(stderr, "lorenz report: runs and parts of a sweep are no whole\n");
    } else if (r.part_count > 0) {
        status = lz_sweep_report_run(&sweep, out);
    } else if (r.count == 0 && r.damaged == 0) {
        fprintf(stderr,
                "lorenz report: there is no run in %s\n"
                "help: `lorenz run` makes them\n",
                items[0]);
        status = LZ_EXIT_NOTHING;
    } else if (r.count > 0 && check_alike(&r)) {
        status = drop_doubles(&r) ? write_all(&r, out) : lz_exit_worst(&r.codes, false);
    }
    for (size_t i = 0; i < r.count; i++)
        lz_runs_close(&r.files[i]);
    for (size_t i = 0; i < r.part_count; i++)
        free(r.parts[i]);
    free(r.parts);
    free(r.files);
    return status;
}

static enum lz_exit cmd_report(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest names;
    struct report_flags flags = {.confidence = 0.95};
    lz_flags_init(&flags.common);
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &names, &status))
        status = report(&flags, &names, out);
    free(names.items);
    lz_flags_finish(&flags.common);
    return status;
}

const struct lz_cmd lz_cmd_report = {
    .name = "report",
    .args = "[RUN...]",
    .summary = "show recorded runs again, as text or in another format; merge shards",
    .about =
        "Show recorded runs again, as `lorenz run` shows them, or in other formats. A RUN is a\n"
        "run file, its name in .lorenz/runs, or a folder of run files; without one it is\n"
        ".lorenz/runs. Runs of several shards are put in order by scenario, case and seed, and\n"
        "one that is there twice counts once; runs by different engines, or of different texts of\n"
        "a scenario, are refused. Parts of a sweep (.lzsweep) become one sweep in the same way, "
        "and\n"
        "what is missing is counted.\n\n"
        "Exit status: that of the runs, as of `lorenz run`; 4 usage, 5 there are none, 6 two\n"
        "records of one run differ, 7 a file could not be read, 74 a result could not be written.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_report,
};
