#include "explore/shrink_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"

#define GUARD_MAX 8 // faults of which each must stay needed

static char *copy_n(const char *text, size_t len)
{
    char *copy = lz_mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

// ---------------------------------------------------------------- leaving out

// A list of atoms, and how many of them are tried together.
struct group {
    size_t *atoms;
    size_t count, size;
};

static size_t write_groups(struct lz_shrink_search *s, const struct group *g, size_t from)
{
    size_t n = 0;
    for (; n < LZ_SHRINK_BATCH && from + n * g->size < g->count; n++) {
        size_t first = from + n * g->size, last = first + g->size;
        last = last < g->count ? last : g->count;
        for (size_t i = first; i < last; i++)
            lz_cut_set(&s->cut, g->atoms[i], "");
        lz_shrink_write_text(s, n);
        for (size_t i = first; i < last; i++)
            lz_cut_set(&s->cut, g->atoms[i], NULL);
    }
    return n;
}

// False: it stays, because a fault would not be needed any more.
static bool leave_out(struct lz_shrink_search *s, struct group *g, size_t first)
{
    size_t size = first + g->size < g->count ? g->size : g->count - first;
    for (size_t i = first; i < first + size; i++)
        lz_cut_set(&s->cut, g->atoms[i], "");
    if (!lz_shrink_needs_all(s)) {
        for (size_t i = first; i < first + size; i++)
            lz_cut_set(&s->cut, g->atoms[i], NULL);
        return false;
    }
    memmove(g->atoms + first, g->atoms + first + size,
            (g->count - first - size) * sizeof(g->atoms[0]));
    g->count -= size;
    return true;
}

// Largest groups first. What stands inside something that went is not in the list any more.
static bool reduce(struct lz_shrink_search *s, struct group *g)
{
    bool has_changed = false;
    for (g->size = g->count; g->size > 0 && !s->is_over; g->size /= 2) {
        for (size_t at = 0; at < g->count && !s->is_over;) {
            size_t n = write_groups(s, g, at);
            size_t hit = lz_shrink_try(s, n);
            if (hit == n) {
                at += n * g->size;
                continue;
            }
            at += hit * g->size;
            bool is_out = leave_out(s, g, at);
            at += is_out ? 0 : g->size;
            has_changed = has_changed || is_out;
        }
    }
    return has_changed;
}

typedef bool wanted_fn(const struct lz_shrink_search *s, const struct lz_atom *a);

// Those that are wanted and still there, the last first: what refers comes after its subject.
static bool reduce_all(struct lz_shrink_search *s, const char *doing, wanted_fn *is_wanted)
{
    struct group g = {0};
    g.atoms = lz_mem_alloc((s->cut.atoms.count + 1) * sizeof(g.atoms[0]));
    s->doing = doing;
    for (size_t i = s->cut.atoms.count; i-- > 0;) {
        const struct lz_atom *a = &s->cut.atoms.items[i];
        if (is_wanted(s, a) && s->cut.with[i] == NULL && lz_cut_is_there(&s->cut, i))
            g.atoms[g.count++] = i;
    }
    bool has_changed = reduce(s, &g);
    free(g.atoms);
    return has_changed;
}

static bool is_other_expectation(const struct lz_shrink_search *s, const struct lz_atom *a)
{
    return a->kind == LZ_ATOM_STATEMENT && a->role == LZ_ATOM_EXPECT &&
           (s->error != NULL || strcmp(a->of, s->out->name) != 0);
}

static bool is_fault(const struct lz_shrink_search *s, const struct lz_atom *a)
{
    (void)s;
    return a->kind == LZ_ATOM_STATEMENT && a->role == LZ_ATOM_FAULT;
}

static bool is_other_statement(const struct lz_shrink_search *s, const struct lz_atom *a)
{
    (void)s;
    return a->kind == LZ_ATOM_STATEMENT &&
           (a->role == LZ_ATOM_OTHER || a->role >= LZ_ATOM_TRAFFIC) && a->role != LZ_ATOM_FAULT;
}

static bool is_item(const struct lz_shrink_search *s, const struct lz_atom *a)
{
    (void)s;
    bool is_fixed = a->role == LZ_ATOM_PARAM || a->role == LZ_ATOM_EXPECT ||
                    a->role == LZ_ATOM_USE || a->role == LZ_ATOM_KEPT;
    bool is_duration = a->role == LZ_ATOM_SCENARIO && strcmp(a->label, "duration") == 0;
    return a->kind == LZ_ATOM_ITEM && !is_fixed && !is_duration;
}

// ---------------------------------------------------------------- all of it

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void count(const struct lz_shrink_search *s, int when)
{
    for (size_t i = 0; i < s->cut.atoms.count; i++) {
        const struct lz_atom *a = &s->cut.atoms.items[i];
        if (a->kind != LZ_ATOM_STATEMENT || !lz_cut_is_there(&s->cut, i))
            continue;
        s->out->faults[when] += a->role == LZ_ATOM_FAULT;
        s->out->statements[when]++;
    }
}

// Each fault that is left, one by one, until all are needed; from then on they are guarded.
static void guard_faults(struct lz_shrink_search *s)
{
    size_t *faults = lz_mem_alloc((s->cut.atoms.count + 1) * sizeof(*faults));
    size_t count = 0;
    bool has_changed = true;
    while (has_changed && !s->is_over)
        has_changed = reduce_all(s, "faults", is_fault);
    for (size_t i = 0; i < s->cut.atoms.count; i++)
        if (is_fault(s, &s->cut.atoms.items[i]) && lz_cut_is_there(&s->cut, i))
            faults[count++] = i;
    s->guarded = faults;
    s->guarded_count = count <= GUARD_MAX ? count : 0;
}

static void search_all(struct lz_shrink_search *s)
{
    reduce_all(s, "expectations", is_other_expectation);
    lz_shrink_narrow_all(s, true);
    guard_faults(s);
    reduce_all(s, "statements", is_other_statement);
    if (reduce_all(s, "fields", is_item))
        reduce_all(s, "statements", is_other_statement);
    lz_shrink_narrow_all(s, false);
    lz_shrink_narrow_all(s, true);
    if (!s->is_over)
        lz_shrink_try_knobs(s);
}

static void conclude(struct lz_shrink_search *s)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_cut_write(&s->cut, &text);
    s->out->lines[0] = count_lines(s->cut.text);
    s->out->lines[1] = count_lines(text.text);
    s->out->len = text.len;
    s->out->text = lz_str_take(&text);
    for (size_t i = 0; i < s->cut.atoms.count; i++) {
        const struct lz_atom *a = &s->cut.atoms.items[i];
        if (a->kind != LZ_ATOM_LITERAL || s->cut.with[i] == NULL || !lz_cut_is_there(&s->cut, i))
            continue;
        char *before = copy_n(s->cut.text + a->from, a->size);
        lz_shrink_add_note(s->out->narrowed, &s->out->narrowed_count, a, before, s->cut.with[i]);
        free(before);
    }
}

bool lz_shrink_run(const struct lz_shrink_opts *opts, struct lz_shrink *out, struct lz_err *err)
{
    LZ_ASSERT(opts->workers >= 1 && opts->params != NULL);
    *out = (struct lz_shrink){0};
    struct lz_shrink_search s = {
        .opts = opts, .out = out, .doing = "the first run", .wanted = LZ_SHRINK_LIKE, .err = err};
    for (size_t i = 0; i < LZ_SHRINK_BATCH; i++)
        lz_str_init(&s.texts[i]);
    s.is_broken = !lz_shrink_pin_chaos(&s);
    if (s.pinned.len == 0)
        lz_str_add_n(&s.pinned, opts->source.text, opts->source.len);
    lz_cut_init(&s.cut, s.pinned.text, s.pinned.len);
    count(&s, 0);
    lz_shrink_pin_case(&s);
    out->fails = !s.is_broken && lz_shrink_run_first(&s);
    if (out->fails && s.cut.atoms.count > 0)
        search_all(&s);
    count(&s, 1);
    conclude(&s);
    for (size_t i = 0; i < LZ_SHRINK_BATCH; i++)
        lz_str_finish(&s.texts[i]);
    lz_brief_finish(&s.first);
    lz_cut_finish(&s.cut);
    lz_str_finish(&s.pinned);
    free(s.error);
    free(s.guarded);
    if (s.is_broken)
        lz_shrink_finish(out);
    return !s.is_broken;
}

static void free_notes(struct lz_shrink_note *notes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(notes[i].before);
        free(notes[i].after);
        free(notes[i].what);
    }
}

void lz_shrink_finish(struct lz_shrink *shrink)
{
    free_notes(shrink->narrowed, shrink->narrowed_count);
    free_notes(shrink->passes, shrink->passes_count);
    free(shrink->name);
    free(shrink->text);
    free(shrink->verdict);
    *shrink = (struct lz_shrink){0};
}
