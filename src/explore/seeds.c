#include "explore/seeds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define FILE_SIZE_MAX (16 << 20)

char *lz_seeds_path(const char *scenario_path)
{
    const char *slash = strrchr(scenario_path, '/');
    const char *name = slash != NULL ? slash + 1 : scenario_path;
    size_t folder = (size_t)(name - scenario_path), len = strlen(name);
    if (len > 4 && strcmp(name + len - 4, ".lua") == 0)
        len -= 4;
    struct lz_str path;
    lz_str_init(&path);
    lz_str_add_n(&path, scenario_path, folder);
    lz_str_add(&path, "seeds/");
    lz_str_add_n(&path, name, len);
    lz_str_add(&path, ".seeds");
    return lz_str_take(&path);
}

// False with errno; a file that is not there is empty.
static bool read_text(const char *path, struct lz_str *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errno == ENOENT;
    char chunk[4096];
    size_t n;
    while (out->len <= FILE_SIZE_MAX && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        lz_str_add_n(out, chunk, n);
    bool ok = ferror(file) == 0 && out->len <= FILE_SIZE_MAX;
    int why = ferror(file) != 0 ? errno : EFBIG;
    fclose(file);
    errno = why;
    return ok;
}

// The suite's run with this case's text; run_count if there is none.
static size_t find_run(const struct lz_suite *suite, size_t scenario, const char *text, size_t len)
{
    for (size_t i = 0; i < suite->run_count; i++) {
        if (suite->runs[i].scenario != scenario || suite->runs[i].of == NULL)
            continue;
        struct lz_str mine;
        lz_str_init(&mine);
        lz_suite_case_text(suite->runs[i].of, ",", &mine);
        bool is_it = mine.len == len && memcmp(mine.text, text, len) == 0;
        lz_str_finish(&mine);
        if (is_it)
            return i;
    }
    return suite->run_count;
}

// Whether the scenario has such a case at all, selected or not.
static bool has_case(const struct lz_suite_scenario *s, const char *text, size_t len)
{
    bool found = false;
    for (size_t i = 0; i < s->listing.case_count && !found; i++) {
        struct lz_str name;
        lz_str_init(&name);
        lz_suite_case_text(&s->listing.cases[i], ",", &name);
        found = name.len == len && memcmp(name.text, text, len) == 0;
        lz_str_finish(&name);
    }
    return found;
}

struct loading {
    const struct lz_suite *suite;
    struct lz_subset_saved *all;
    size_t count;
    struct lz_str *told;
};

static size_t trimmed(const char *text, size_t len)
{
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
        len--;
    return len;
}

// A line in its parts; the case and the manner are the rest of it, up to what is for people.
struct line {
    uint64_t seed;
    bool has_seed, has_manner;
    const char *values;
    size_t values_len;
    struct lz_manner manner;
};

static bool read_line(const char *text, struct line *out)
{
    size_t len = trimmed(text, strcspn(text, "#\n"));
    const char *at = text + strspn(text, " \t"), *last = text + len;
    if (at >= last)
        return false;
    char *end;
    errno = 0;
    *out = (struct line){.seed = strtoull(at, &end, 10)};
    out->has_seed = errno == 0 && end != at && *at != '-' && end <= last;
    out->values = end + strspn(end, " \t");
    out->values = out->values < last ? out->values : last;
    const char *manner = out->values;
    while (manner < last && !(manner[0] == '-' && manner[1] == '-' &&
                              (manner == out->values || strchr(" \t", manner[-1]) != NULL)))
        manner++;
    out->values_len = trimmed(out->values, (size_t)(manner - out->values));
    out->has_manner = lz_manner_read(manner, (size_t)(last - manner), &out->manner);
    return true;
}

static void take_line(struct loading *l, size_t scenario, const char *path, unsigned number,
                      const char *text)
{
    struct line line;
    if (!read_line(text, &line))
        return;
    size_t run = find_run(l->suite, scenario, line.values, line.values_len);
    const struct lz_suite_scenario *s = &l->suite->scenarios[scenario];
    bool is_there = run < l->suite->run_count, is_right = line.has_seed && line.has_manner;
    if (is_right && !is_there && has_case(s, line.values, line.values_len))
        return; // it was not asked for
    if (!is_right || !is_there) {
        lz_str_addf(l->told, "%s:%u: skipped: %s\n", path, number,
                    !line.has_seed     ? "no seed"
                    : !line.has_manner ? "what follows the case is not --swarm or --order HOW"
                                       : "there is no such case");
        return;
    }
    for (size_t i = 0; i < l->count; i++)
        if (l->all[i].seed == line.seed && l->all[i].run == run &&
            lz_manner_is_equal(&l->all[i].manner, &line.manner))
            return; // two sweeps found it
    l->all = lz_mem_resize(l->all, (l->count + 1) * sizeof(*l->all));
    l->all[l->count++] =
        (struct lz_subset_saved){.seed = line.seed, .run = run, .manner = line.manner};
}

bool lz_seeds_load(const struct lz_suite *suite, struct lz_subset_saved **out, size_t *count,
                   struct lz_str *told, struct lz_err *err)
{
    struct loading l = {.suite = suite, .told = told};
    bool ok = true;
    for (size_t i = 0; i < suite->scenario_count && ok; i++) {
        if (suite->scenarios[i].code != LZ_EXIT_OK)
            continue;
        char *path = lz_seeds_path(suite->scenarios[i].path);
        struct lz_str text;
        lz_str_init(&text);
        ok = read_text(path, &text) ||
             lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
        unsigned number = 1;
        for (const char *line = text.text; ok && *line != '\0'; number++) {
            take_line(&l, i, path, number, line);
            line += strcspn(line, "\n");
            line += *line == '\n';
        }
        lz_str_finish(&text);
        free(path);
    }
    if (!ok) {
        free(l.all);
        return false;
    }
    *out = l.all;
    *count = l.count;
    return true;
}

static struct lz_manner manner_of(const struct lz_sweep *sweep)
{
    const struct lz_suite_opts *opts = &sweep->opts.suite->opts;
    return (struct lz_manner){.swarm = opts->swarm, .order = opts->order};
}

static bool is_saved(const struct lz_sweep *sweep, const struct lz_sweep_seed *s)
{
    const struct lz_manner manner = manner_of(sweep);
    for (size_t i = 0; i < sweep->opts.saved_count; i++)
        if (sweep->opts.saved[i].seed == s->seed && sweep->opts.saved[i].run == s->run &&
            lz_manner_is_equal(&sweep->opts.saved[i].manner, &manner))
            return true;
    return false;
}

// Of an error of the script, which mostly all seeds meet, the first run that says it is enough.
static bool says_nothing_new(const struct lz_sweep *sweep, const struct lz_sweep_seed *s)
{
    const struct lz_sweep_failure *f = &sweep->failures[s->failure];
    return f->code == LZ_EXIT_SCENARIO && (f->seed != s->seed || f->run != s->run);
}

static bool append(const char *path, const struct lz_str *lines, bool is_new, const char *name,
                   struct lz_err *err)
{
    FILE *file = fopen(path, "ab");
    if (file == NULL)
        return lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(errno));
    // In one piece, so that two sweeps at once do not mix their lines.
    char *buffer = lz_mem_alloc(lines->len + 4096);
    setvbuf(file, buffer, _IOFBF, lines->len + 4096);
    if (is_new)
        fprintf(file, "# failing seeds of %s; run first by lorenz\n", name);
    size_t written = fwrite(lines->text, 1, lines->len, file);
    bool ok = written == lines->len && fflush(file) == 0;
    int why = errno;
    ok = fclose(file) == 0 && ok;
    free(buffer);
    return ok || lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(why));
}

static bool make_folder(const char *path, struct lz_err *err)
{
    char *folder = lz_mem_alloc(strlen(path) + 1);
    strcpy(folder, path);
    *strrchr(folder, '/') = '\0';
    bool ok = mkdir(folder, 0777) == 0 || errno == EEXIST ||
              lz_fail(err, LZ_EIO, "cannot make %s: %s", folder, strerror(errno));
    free(folder);
    return ok;
}

static bool save_scenario(const struct lz_sweep *sweep, size_t scenario, size_t *added,
                          struct lz_err *err)
{
    const struct lz_suite *suite = sweep->opts.suite;
    const struct lz_manner manner = manner_of(sweep);
    struct lz_str lines;
    size_t count = 0;
    lz_str_init(&lines);
    for (size_t i = 0; i < sweep->failing_count; i++) {
        const struct lz_sweep_seed *s = &sweep->failing[i];
        const struct lz_suite_run *run = &suite->runs[s->run];
        if (run->scenario != scenario || is_saved(sweep, s) || s->is_cut_off ||
            says_nothing_new(sweep, s))
            continue;
        lz_str_addf(&lines, "%" PRIu64, s->seed);
        if (run->of->params.count > 0)
            lz_str_add_char(&lines, ' ');
        lz_suite_case_text(run->of, ",", &lines);
        lz_manner_write(&manner, &lines);
        lz_str_addf(&lines, "  # %s\n", sweep->failures[s->failure].name);
        count++;
    }
    bool ok = true;
    if (count > 0) {
        char *path = lz_seeds_path(suite->scenarios[scenario].path);
        struct stat st;
        ok = make_folder(path, err) &&
             append(path, &lines, stat(path, &st) != 0, suite->scenarios[scenario].path, err);
        free(path);
    }
    *added += ok ? count : 0;
    lz_str_finish(&lines);
    return ok;
}

bool lz_seeds_save(const struct lz_sweep *sweep, size_t *added, struct lz_err *err)
{
    *added = 0;
    for (size_t i = 0; i < sweep->opts.suite->scenario_count; i++)
        if (!save_scenario(sweep, i, added, err))
            return false;
    return true;
}
