#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "check/format.h"
#include "cli/cmd.h"
#include "cli/session.h"
#include "cli/watch.h"
#include "report/pen.h"
#include "report/report.h"

#define RECORD_MAX ((size_t)1 << 30) // a larger file is none of ours

static const struct lz_opt options[] = {
    {"seed", 0, "N", "whose last runs are looked at (default 1)", lz_flags_seed},
    LZ_FLAGS_SELECT,
    LZ_FLAGS_STOP,
    LZ_FLAGS_MACHINE,
    LZ_FLAGS_SHOW,
};

static unsigned char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    unsigned char *bytes = NULL;
    if (fseek(file, 0, SEEK_END) == 0 && ftell(file) > 0 && (size_t)ftell(file) <= RECORD_MAX) {
        *size = (size_t)ftell(file);
        rewind(file);
        bytes = malloc(*size);
    }
    if (bytes != NULL && fread(bytes, 1, *size, file) != *size) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

// The verdict of the run file that this run would replace; "" if there is none.
static void last_verdict(const struct lz_suite_run *run, struct lz_str *out)
{
    struct lz_str path;
    struct lz_report_run *record;
    struct lz_err err;
    size_t size = 0;
    lz_str_init(&path);
    lz_str_addf(&path, LZ_SESSION_RUNS "/%s.lzrun", run->name);
    unsigned char *image = read_whole(path.text, &size);
    if (image != NULL && lz_report_open(image, size, &record, &err)) {
        lz_str_addf(out, "last %s", lz_report_verdict(record));
        lz_report_close(record);
    }
    free(image);
    lz_str_finish(&path);
}

static size_t case_count(const struct lz_suite *suite, size_t scenario)
{
    size_t n = 0;
    for (size_t i = 0; i < suite->run_count; i++)
        n += suite->runs[i].scenario == scenario && suite->runs[i].of != NULL;
    return n;
}

static void write_case(struct lz_pen *pen, const struct lz_suite_run *run)
{
    struct lz_str last;
    lz_str_init(&last);
    last_verdict(run, &last);
    if (run->of->xfail)
        lz_str_add(&last, last.len > 0 ? ", meant to fail" : "meant to fail");
    const struct lz_select_pairs *params = &run->of->params;
    if (params->count > 0 || last.len > 0)
        lz_pen_to(pen, 2);
    for (size_t i = 0; i < params->count; i++)
        lz_pen_addf(pen, LZ_TINT_NONE, "%s%s=%s", i > 0 ? "," : "case  ", params->items[i].name,
                    params->items[i].value);
    if (params->count > 0 && last.len > 0)
        lz_pen_add(pen, LZ_TINT_NONE, "  ");
    if (last.len > 0)
        lz_pen_add(pen, LZ_TINT_DIM, last.text);
    if (params->count > 0 || last.len > 0)
        lz_pen_end(pen);
    lz_str_finish(&last);
}

static void write_scenario(struct lz_pen *pen, const struct lz_suite *suite, size_t index)
{
    const struct lz_worker_listing *listing = &suite->scenarios[index].listing;
    size_t cases = case_count(suite, index);
    char duration[40];
    lz_format_duration(duration, sizeof(duration), listing->duration);
    lz_pen_add(pen, LZ_TINT_BOLD, suite->scenarios[index].path);
    lz_pen_addf(pen, LZ_TINT_NONE, "  %s, %zu %s", duration, cases, cases == 1 ? "case" : "cases");
    lz_pen_end(pen);
    if (pen->style->quiet)
        return;
    lz_pen_wrap(pen, LZ_TINT_NONE, listing->scenario, 2);
    struct lz_str tags;
    lz_str_init(&tags);
    for (size_t i = 0; i < listing->tag_count; i++)
        lz_str_addf(&tags, "%s %s", i == 0 ? "tags:" : ",", listing->tags[i]);
    if (tags.len > 0)
        lz_pen_wrap(pen, LZ_TINT_NONE, tags.text, 2);
    lz_str_finish(&tags);
    for (size_t i = 0; i < suite->run_count; i++) {
        if (suite->runs[i].scenario == index && suite->runs[i].of != NULL)
            write_case(pen, &suite->runs[i]);
    }
}

// What is wrong with a file is for `check` to say; here it must only not be overlooked.
static void complain(const struct lz_suite_scenario *s)
{
    if (s->said != NULL)
        fputs(s->said, stderr);
    fprintf(stderr, "lorenz list: %s %s\n", s->path,
            s->problem != NULL ? s->problem : "does not load");
    fprintf(stderr, "help: lorenz check %s\n", s->path);
}

static enum lz_exit print(const struct lz_flags *flags, const struct lz_suite *suite,
                          struct lz_out *out)
{
    struct lz_term term = lz_term_look(&flags->term, STDOUT_FILENO);
    const struct lz_report_style style = {
        .colour = term.colour, .ascii = term.ascii, .width = term.width, .quiet = flags->quiet};
    struct lz_exit_set codes = {0};
    size_t scenarios = 0, cases = 0;
    struct lz_str text;
    lz_str_init(&text);
    struct lz_pen pen = lz_pen_begin(&text, &style);
    size_t wrong = 0;
    for (size_t i = 0; i < suite->scenario_count; i++) {
        if (flags->fail_max > 0 && wrong == flags->fail_max)
            break;
        wrong += suite->scenarios[i].code != LZ_EXIT_OK;
        lz_exit_add(&codes, suite->scenarios[i].code);
        if (suite->scenarios[i].code != LZ_EXIT_OK) {
            complain(&suite->scenarios[i]);
        } else if (case_count(suite, i) > 0) {
            write_scenario(&pen, suite, i);
            scenarios++;
            cases += case_count(suite, i);
        }
    }
    lz_str_addf(&text, "%s%zu %s, %zu %s\n", scenarios > 0 ? "\n" : "", scenarios,
                scenarios == 1 ? "scenario" : "scenarios", cases, cases == 1 ? "case" : "cases");
    lz_out_text(out, text.text);
    lz_str_finish(&text);
    if (scenarios == 0)
        lz_exit_add(&codes, LZ_EXIT_NOTHING);
    return lz_exit_worst(&codes, false);
}

struct watched {
    const struct lz_flags *flags;
    const struct lz_opts_rest *paths;
    struct lz_out *out;
};

static enum lz_exit list_once(void *ctx)
{
    const struct watched *w = ctx;
    struct lz_select_files files;
    struct lz_suite *suite;
    enum lz_exit status = lz_session_open(w->flags, w->paths, false, &files, &suite);
    if (status != LZ_EXIT_OK)
        return status;
    lz_subset_shard(&w->flags->subset, suite);
    status = print(w->flags, suite, w->out);
    lz_suite_destroy(suite);
    lz_select_free(&files);
    return status;
}

static enum lz_exit cmd_list(const struct lz_cmd *cmd, struct lz_out *out, int argc, char **argv)
{
    const struct lz_flags_line line = {cmd, argc, argv};
    struct lz_opts_rest paths;
    struct lz_flags flags;
    lz_flags_init(&flags);
    flags.is_live = true;
    enum lz_exit status;
    if (lz_flags_read(&line, out, &flags, &paths, &status))
        status = lz_watch_run(&flags, &paths, list_once, &(struct watched){&flags, &paths, out});
    free(paths.items);
    lz_flags_finish(&flags);
    return status;
}

const struct lz_cmd lz_cmd_list = {
    .name = "list",
    .args = "[PATH...]",
    .summary = "list scenarios with their tags, cases and last verdicts",
    .about =
        "List scenarios with their tags, cases and the verdicts of their last runs, as far as\n"
        "those are in .lorenz/runs. A PATH is a file or a folder; without one it is\n"
        "./scenarios.\n\n"
        "Exit status: 0, 2 if one does not load, 4 usage, 5 nothing matched.",
    .opts = options,
    .opt_count = sizeof(options) / sizeof(options[0]),
    .run = cmd_list,
};
