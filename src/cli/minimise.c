#include "cli/minimise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "explore/suite.h"
#include "report/run.h"

// ---------------------------------------------------------------- where it goes

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

static bool is_in_min(const char *path)
{
    size_t len = folder_len(path);
    return len >= 4 && memcmp(path + len - 4, "min/", 4) == 0 && (len == 4 || path[len - 5] == '/');
}

// "scenarios/min/retry_storm-214.lua", or beside it "scenarios/retry_storm-214.min.lua".
static void name_file(const struct lz_minimise_opts *o, bool is_beside, struct lz_str *out)
{
    const char *path = o->source.path;
    size_t folder = folder_len(path), len = strlen(path) - folder;
    if (len > 4 && strcmp(path + strlen(path) - 4, ".lua") == 0)
        len -= 4;
    lz_str_add_n(out, path, folder);
    if (!is_beside && !is_in_min(path))
        lz_str_add(out, "min/");
    lz_str_add_n(out, path + folder, len);
    lz_str_addf(out, "-%" PRIu64 "%s.lua", o->seed, is_beside ? ".min" : "");
}

// A folder deeper, "./x.lua" is "../x.lua".
static void write_moved(const char *text, bool is_deeper, struct lz_str *out)
{
    for (const char *c = text; *c != '\0';) {
        bool is_use = strncmp(c, "use", 3) == 0;
        const char *quote = c + 3 + strspn(is_use ? c + 3 : "", " (");
        bool is_file = is_use && (*quote == '"' || *quote == '\'') &&
                       (strncmp(quote + 1, "./", 2) == 0 || strncmp(quote + 1, "../", 3) == 0);
        if (!is_file || !is_deeper) {
            lz_str_add_char(out, *c++);
            continue;
        }
        lz_str_add_n(out, c, (size_t)(quote + 1 - c));
        lz_str_add(out, "../");
        c = quote + 1 + (quote[2] == '/' ? 2 : 0);
    }
}

static void write_command(const struct lz_minimise_opts *o, const char *path, struct lz_str *out)
{
    lz_str_addf(out, "lorenz run %s", path);
    if (o->seed != 1)
        lz_str_addf(out, " --seed %" PRIu64, o->seed);
    lz_manner_write(&o->manner, out);
}

static void write_file_text(const struct lz_minimise_opts *o, const struct lz_shrink *s,
                            const char *path, struct lz_str *out)
{
    lz_str_add(out, "-- This fails");
    if (s->name != NULL && strchr(s->name, '\n') == NULL)
        lz_str_addf(out, ": %.70s", s->name);
    lz_str_addf(out,
                "\n-- with seed %" PRIu64 ", and is what lorenz shrink left of\n-- %s:\n--     ",
                o->seed, o->source.path);
    write_command(o, path, out);
    lz_str_add(out, "\n\n");
    bool is_deeper = strstr(path, "min/") != NULL && !is_in_min(o->source.path);
    write_moved(s->text, is_deeper && folder_len(path) != folder_len(o->source.path), out);
}

// ---------------------------------------------------------------- does it fail there

struct proof {
    const char *name;
    bool fails;
    int64_t virtual_ns;
};

static bool prove_done(void *ctx, struct lz_suite *suite, size_t index)
{
    struct proof *p = ctx;
    const struct lz_report_run *run = suite->runs[index].report;
    if (run == NULL)
        return true;
    p->virtual_ns = run->virtual_ns;
    p->fails = p->fails || (strcmp(run->verdict, "error") == 0 && run->events > 0);
    for (size_t i = 0; i < run->expectation_count; i++)
        if (strcmp(run->expectations[i].name, p->name) == 0 &&
            strcmp(run->expectations[i].verdict, "fail") == 0)
            p->fails = true;
    return true;
}

static bool prove(const struct lz_minimise_opts *o, const char *path, struct proof *p)
{
    struct lz_select_pairs none = {0};
    char *paths[] = {(char *)path};
    struct lz_select_files files = {paths, 1};
    const struct lz_suite_opts opts = {.files = &files,
                                       .sets = &none,
                                       .cases = &none,
                                       .version = LZ_VERSION,
                                       .seed = o->seed,
                                       .swarm = o->manner.swarm,
                                       .order = o->manner.order,
                                       .timeout_ns = o->flags->timeout_ns,
                                       .workers = 1};
    struct lz_suite *suite = NULL;
    struct lz_err err;
    bool ok = lz_suite_create(&opts, &suite, &err) && lz_suite_list(suite, &err) &&
              lz_suite_run(suite, prove_done, p, &err);
    lz_suite_destroy(suite);
    return ok && p->fails;
}

// ---------------------------------------------------------------- telling

static const char *arrow(const struct lz_minimise_opts *o)
{
    return o->style->ascii ? "->" : "→";
}

static void tell_count(const struct lz_minimise_opts *o, const size_t counts[2], const char *what,
                       struct lz_str *text)
{
    if (counts[0] != counts[1])
        lz_str_addf(text, "    %zu %s %zu %s\n", counts[0], arrow(o), counts[1], what);
}

static void tell(const struct lz_minimise_opts *o, const struct lz_shrink *s, const char *path,
                 const struct proof *p, struct lz_str *text)
{
    lz_str_addf(text, "%s\n  fails alike after %zu runs%s: %g s of virtual time\n", path, s->runs,
                s->is_cut_short ? ", which were all that it may take" : "",
                (double)p->virtual_ns / 1e9);
    tell_count(o, s->lines, "lines", text);
    tell_count(o, s->faults, "faults", text);
    for (size_t i = 0; i < s->narrowed_count; i++)
        lz_str_addf(text, "    %s %s %s   %s\n", s->narrowed[i].before, arrow(o),
                    s->narrowed[i].after, s->narrowed[i].what);
    for (size_t i = 0; i < s->passes_count; i++)
        lz_str_addf(text, "  the same with %s passes: %s instead of %s\n", s->passes[i].what,
                    s->passes[i].after, s->passes[i].before);
}

static void progress(void *ctx, size_t runs, const char *doing)
{
    (void)ctx;
    if (isatty(STDERR_FILENO) == 1)
        fprintf(stderr, "\rlorenz: shrinking: %zu runs, %s\x1b[K", runs, doing);
}

static bool save(const struct lz_minimise_opts *o, const struct lz_shrink *s, struct lz_str *path,
                 struct lz_err *err)
{
    struct lz_str text, folder;
    lz_str_init(&text);
    lz_str_init(&folder);
    write_file_text(o, s, path->text, &text);
    lz_str_add_n(&folder, path->text, folder_len(path->text));
    bool ok = (folder.len == 0 || lz_out_folder(folder.text, err)) &&
              lz_out_file(path->text, text.text, text.len, err);
    lz_str_finish(&text);
    lz_str_finish(&folder);
    return ok;
}

// Where it was asked for, else in min/, else beside the scenario.
static enum lz_minimise_end place(const struct lz_minimise_opts *o, const struct lz_shrink *s,
                                  struct lz_str *text)
{
    struct proof proof = {.name = s->name};
    struct lz_str path;
    struct lz_err err;
    bool ok = false, is_written = true;
    lz_str_init(&path);
    for (int is_beside = 0; is_beside <= (o->output == NULL) && !ok && is_written; is_beside++) {
        if (is_beside)
            unlink(path.text);
        lz_str_clear(&path);
        if (o->output != NULL)
            lz_str_add(&path, o->output);
        else
            name_file(o, is_beside != 0, &path);
        is_written = save(o, s, &path, &err);
        ok = is_written && prove(o, path.text, &proof);
    }
    if (ok)
        tell(o, s, path.text, &proof, text);
    else if (!is_written) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        lz_str_add(text, "what is left could not be written; `lorenz shrink -o -` prints it\n");
    } else
        fprintf(stderr,
                "lorenz: what is left of %s is in %s and does not fail there: this is a "
                "bug in lorenz, please report it\n",
                o->source.path, path.text);
    lz_str_finish(&path);
    return ok ? LZ_MINIMISE_DONE : is_written ? LZ_MINIMISE_FAILED : LZ_MINIMISE_UNWRITTEN;
}

static void tell_passes(const struct lz_minimise_opts *o, const struct lz_shrink *s,
                        struct lz_str *text)
{
    lz_str_addf(text, "%s with seed %" PRIu64 " does not fail%s%s: the verdict is %s\n",
                o->source.path, o->seed, o->name != NULL ? " in " : "",
                o->name != NULL ? o->name : "", s->verdict);
}

enum lz_minimise_end lz_minimise_run(const struct lz_minimise_opts *o, struct lz_str *text,
                                     int *signal)
{
    const struct lz_shrink_opts opts = {
        .source = o->source,
        .params = o->params,
        .version = LZ_VERSION,
        .seed = o->seed,
        .name = o->name,
        .workers = o->flags->jobs,
        .timeout_ns = o->flags->timeout_ns,
        .events_max = o->flags->events_max,
        .swarm = o->manner.swarm,
        .order = o->manner.order,
        .runs_max = o->runs_max,
        .progress = o->flags->quiet ? NULL : progress,
    };
    struct lz_shrink s;
    struct lz_err err;
    bool ok = lz_shrink_run(&opts, &s, &err);
    if (!o->flags->quiet && isatty(STDERR_FILENO) == 1)
        fputs("\r\x1b[K", stderr);
    *signal = 0;
    if (!ok) {
        fprintf(stderr, "lorenz: %s\n", err.msg);
        return LZ_MINIMISE_FAILED;
    }
    enum lz_minimise_end end = LZ_MINIMISE_PASSES;
    *signal = s.signal;
    if (!s.fails)
        tell_passes(o, &s, text);
    else if (o->output != NULL && strcmp(o->output, "-") == 0)
        lz_str_add_n(text, s.text, s.len), end = LZ_MINIMISE_DONE;
    else
        end = place(o, &s, text);
    if (s.signal != 0)
        end = LZ_MINIMISE_STOPPED;
    lz_shrink_finish(&s);
    return end;
}
