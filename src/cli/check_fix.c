#include "cli/check_fix.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "cli/out.h"

struct edit {
    size_t from, len; // bytes of the text
    const struct lz_finding *of;
};

// Where a line begins; the text's length if it has no such line.
static size_t line_start(const struct lz_str *text, uint32_t line)
{
    size_t at = 0;
    for (uint32_t n = 1; n < line; n++) {
        const char *end = memchr(text->text + at, '\n', text->len - at);
        if (end == NULL)
            return text->len;
        at = (size_t)(end - text->text) + 1;
    }
    return at;
}

// False if the edit does not lie in one line of the text: then it is of another one.
static bool place(const struct lz_str *text, const struct lz_finding *f, struct edit *out)
{
    if (f->fix.with == NULL || f->fix.line == 0 || f->fix.col == 0)
        return false;
    size_t start = line_start(text, f->fix.line);
    const char *newline = memchr(text->text + start, '\n', text->len - start);
    size_t end = newline != NULL ? (size_t)(newline - text->text) : text->len;
    size_t from = start + f->fix.col - 1;
    if (from > end || f->fix.len > end - from)
        return false;
    *out = (struct edit){from, f->fix.len, f};
    return true;
}

static int by_place(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct edit *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return 0;
}

static void tell(struct lz_str *said, const char *path, const struct lz_str *text,
                 const struct edit *e)
{
    const struct lz_finding *f = e->of;
    lz_str_addf(said, "fixed %s:%" PRIu32 ":%" PRIu32 ": ", path, f->fix.line, f->col);
    if (e->len > 0)
        lz_str_addf(said, "`%.*s` is now `%s`", (int)e->len, text->text + e->from, f->fix.with);
    else
        lz_str_addf(said, "added `%s`", f->fix.with);
    lz_str_addf(said, " (%s)\n", f->code);
}

size_t lz_check_fix_apply(const struct lz_str *text, const char *path, const struct lz_vet *vet,
                          struct lz_str *out, struct lz_str *said)
{
    struct edit *edits = lz_mem_alloc((vet->count + 1) * sizeof(edits[0]));
    size_t count = 0, applied = 0, at = 0;
    for (size_t i = 0; i < vet->count; i++) {
        const struct lz_finding *f = &vet->items[i];
        if (strcmp(f->path, path) == 0 && place(text, f, &edits[count]))
            count++;
    }
    lz_sort(edits, count, sizeof(edits[0]), by_place, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct edit *e = &edits[i];
        bool is_same = i > 0 && e->from == edits[i - 1].from;
        if (e->from < at || is_same)
            continue;
        lz_str_add_n(out, text->text + at, e->from - at);
        lz_str_add(out, e->of->fix.with);
        at = e->from + e->len;
        tell(said, path, text, e);
        applied++;
    }
    lz_str_add_n(out, text->text + at, text->len - at);
    free(edits);
    return applied;
}

bool lz_check_fix_write(const char *path, const struct lz_str *text, struct lz_err *err)
{
    struct stat st;
    char *real = realpath(path, NULL);
    if (real == NULL || stat(real, &st) != 0) {
        free(real);
        return lz_fail(err, LZ_EIO, "cannot write %s: %s", path, strerror(errno));
    }
    bool ok = lz_out_file(real, text->text, text->len, err);
    if (ok && chmod(real, st.st_mode & 07777) != 0)
        ok = lz_fail(err, LZ_EIO, "cannot give %s its rights back: %s", path, strerror(errno));
    free(real);
    return ok;
}
