#include "explore/subset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"

#define LEDGER_SIZE_MAX (16 << 20)

void lz_subset_finish(struct lz_subset *subset)
{
    lz_match_destroy(subset->names);
    for (size_t i = 0; i < subset->tag_count; i++)
        lz_match_destroy(subset->tags[i]);
    *subset = (struct lz_subset){0};
}

// ---------------------------------------------------------------- names and tags

struct named {
    const struct lz_suite_scenario *scenario;
    const char *case_text;
};

static bool has_name(const void *ctx, const char *word)
{
    const struct named *n = ctx;
    const char *sentence = n->scenario->listing.scenario;
    return lz_match_contains(n->scenario->path, word) ||
           lz_match_contains(sentence != NULL ? sentence : "", word) ||
           lz_match_contains(n->case_text, word);
}

static bool has_tag(const void *ctx, const char *word)
{
    const struct lz_worker_listing *listing = ctx;
    for (size_t i = 0; i < listing->tag_count; i++)
        if (strcmp(listing->tags[i], word) == 0)
            return true;
    return false;
}

static bool is_picked(const struct lz_subset *subset, const struct lz_suite *suite,
                      const struct lz_suite_run *run)
{
    const struct lz_suite_scenario *s = &suite->scenarios[run->scenario];
    if (run->of == NULL)
        return true;
    bool is_tagged = subset->tag_count == 0;
    for (size_t i = 0; i < subset->tag_count; i++)
        is_tagged = is_tagged || lz_match_holds(subset->tags[i], has_tag, &s->listing);
    if (!is_tagged || subset->names == NULL)
        return is_tagged;
    struct lz_str text;
    lz_str_init(&text);
    lz_suite_case_text(run->of, ",", &text);
    const struct named named = {s, text.text};
    bool ok = lz_match_holds(subset->names, has_name, &named);
    lz_str_finish(&text);
    return ok;
}

// ---------------------------------------------------------------- what failed last

// False with errno; a file that is not there is empty.
static bool read_ledger(const char *path, struct lz_str *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return errno == ENOENT;
    char chunk[4096];
    size_t n;
    while (out->len <= LEDGER_SIZE_MAX && (n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        lz_str_add_n(out, chunk, n);
    int why = ferror(file) != 0 ? errno : EFBIG;
    bool ok = ferror(file) == 0 && out->len <= LEDGER_SIZE_MAX;
    fclose(file);
    errno = why;
    return ok;
}

static void write_line(const struct lz_suite *suite, const struct lz_suite_run *run,
                       struct lz_str *out)
{
    lz_str_add(out, suite->scenarios[run->scenario].path);
    lz_str_add_char(out, '\t');
    if (run->of != NULL)
        lz_suite_case_text(run->of, ",", out);
    lz_str_add_char(out, '\n');
}

static bool has_line(const struct lz_str *ledger, const char *line, size_t len)
{
    for (const char *at = ledger->text; *at != '\0';) {
        size_t n = strcspn(at, "\n") + 1;
        if (n == len && memcmp(at, line, len) == 0)
            return true;
        at += n - 1;
        at += *at == '\n';
    }
    return false;
}

static bool is_in(const struct lz_str *ledger, const struct lz_suite *suite,
                  const struct lz_suite_run *run)
{
    struct lz_str line;
    lz_str_init(&line);
    write_line(suite, run, &line);
    bool found = has_line(ledger, line.text, line.len);
    lz_str_finish(&line);
    return found;
}

// ---------------------------------------------------------------- the suite

static void release(struct lz_suite_run *run)
{
    free(run->name);
}

static void count_scenarios(struct lz_suite *suite)
{
    suite->run_scenarios = 0;
    for (size_t i = 0; i < suite->scenario_count; i++) {
        bool has_run = false;
        for (size_t k = 0; k < suite->run_count && !has_run; k++)
            has_run = suite->runs[k].scenario == i;
        suite->run_scenarios += has_run;
    }
}

// Keep those that are marked; those marked with 2 come first.
static void keep(struct lz_suite *suite, const int *marks)
{
    struct lz_suite_run *runs = lz_mem_alloc((suite->run_count + 1) * sizeof(*runs));
    size_t count = 0;
    for (int wanted = 2; wanted >= 1; wanted--)
        for (size_t i = 0; i < suite->run_count; i++)
            if (marks[i] == wanted)
                runs[count++] = suite->runs[i];
    for (size_t i = 0; i < suite->run_count; i++)
        if (marks[i] == 0)
            release(&suite->runs[i]);
    free(suite->runs);
    suite->runs = runs;
    suite->run_count = count;
    count_scenarios(suite);
}

bool lz_subset_apply(const struct lz_subset *subset, struct lz_suite *suite, const char *path,
                     struct lz_str *told, struct lz_err *err)
{
    struct lz_str ledger;
    lz_str_init(&ledger);
    if (subset->failed != LZ_SUBSET_ALL && !read_ledger(path, &ledger)) {
        lz_str_finish(&ledger);
        return lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
    }
    int *marks = lz_mem_alloc((suite->run_count + 1) * sizeof(*marks));
    size_t failed = 0;
    for (size_t i = 0; i < suite->run_count; i++) {
        marks[i] = is_picked(subset, suite, &suite->runs[i]);
        if (marks[i] == 1 && ledger.len > 0 && is_in(&ledger, suite, &suite->runs[i]))
            marks[i] = 2, failed++;
    }
    if (subset->failed == LZ_SUBSET_FAILED_ONLY && failed == 0)
        lz_str_add(told, "nothing that is selected failed last time: all of it is run\n");
    for (size_t i = 0;
         subset->failed == LZ_SUBSET_FAILED_ONLY && failed > 0 && i < suite->run_count; i++)
        marks[i] = marks[i] == 2 ? 2 : 0;
    keep(suite, marks);
    free(marks);
    lz_str_finish(&ledger);
    return true;
}

void lz_subset_saved_first(struct lz_suite *suite, const struct lz_subset_saved *saved,
                           size_t count)
{
    size_t all = suite->run_count + count;
    struct lz_suite_run *runs = lz_mem_alloc((all + 1) * sizeof(*runs));
    for (size_t i = 0; i < count; i++) {
        LZ_ASSERT(saved[i].run < suite->run_count);
        const struct lz_suite_run *like = &suite->runs[saved[i].run];
        runs[i] = (struct lz_suite_run){.scenario = like->scenario,
                                        .of = like->of,
                                        .seed = saved[i].seed,
                                        .is_saved = true,
                                        .manner = saved[i].manner};
        runs[i].name = lz_suite_name_run(suite, &runs[i]);
    }
    memcpy(runs + count, suite->runs, suite->run_count * sizeof(*runs));
    free(suite->runs);
    suite->runs = runs;
    suite->run_count = all;
}

void lz_subset_shard(const struct lz_subset *subset, struct lz_suite *suite)
{
    if (subset->shards == 0)
        return;
    int *marks = lz_mem_alloc((suite->run_count + 1) * sizeof(*marks));
    for (size_t i = 0; i < suite->run_count; i++)
        marks[i] = i % subset->shards == subset->shard - 1;
    keep(suite, marks);
    free(marks);
}

// The lines of `ledger` that no run of the suite has taken the place of.
static void copy_others(const struct lz_str *ledger, const struct lz_str *ran, struct lz_str *out)
{
    for (const char *at = ledger->text; *at != '\0';) {
        size_t n = strcspn(at, "\n");
        struct lz_str line;
        lz_str_init(&line);
        lz_str_add_n(&line, at, n);
        lz_str_add_char(&line, '\n');
        if (n > 0 && !has_line(ran, line.text, line.len) && !has_line(out, line.text, line.len))
            lz_str_add_n(out, line.text, line.len);
        lz_str_finish(&line);
        at += n;
        at += *at == '\n';
    }
}

static bool replace(const char *path, const struct lz_str *text, struct lz_err *err)
{
    struct lz_str temporary;
    lz_str_init(&temporary);
    lz_str_addf(&temporary, "%s.%ld", path, (long)getpid());
    FILE *file = fopen(temporary.text, "wb");
    bool ok = file != NULL && fwrite(text->text, 1, text->len, file) == text->len;
    int why = errno;
    if (file != NULL && fclose(file) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(temporary.text, path) != 0) {
        ok = false;
        why = errno;
    }
    if (!ok && file != NULL)
        unlink(temporary.text);
    lz_str_finish(&temporary);
    return ok || lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(why));
}

bool lz_subset_remember(const struct lz_suite *suite, const char *path,
                        int (*has_failed)(const void *ctx, size_t run), const void *ctx,
                        struct lz_err *err)
{
    struct lz_str ledger, ran, failed;
    lz_str_init(&ledger);
    lz_str_init(&ran);
    lz_str_init(&failed);
    for (size_t i = 0; i < suite->run_count; i++) {
        int how = has_failed(ctx, i);
        if (how >= 0)
            write_line(suite, &suite->runs[i], &ran);
        if (how > 0 && !is_in(&failed, suite, &suite->runs[i]))
            write_line(suite, &suite->runs[i], &failed);
    }
    bool ok = read_ledger(path, &ledger) ||
              lz_fail(err, LZ_EIO, "cannot read %s: %s", path, strerror(errno));
    if (ok) {
        copy_others(&ledger, &ran, &failed);
        bool is_same =
            failed.len == ledger.len && memcmp(failed.text, ledger.text, ledger.len) == 0;
        ok = is_same || replace(path, &failed, err);
    }
    lz_str_finish(&failed);
    lz_str_finish(&ran);
    lz_str_finish(&ledger);
    return ok;
}
