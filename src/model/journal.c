#include "model/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"

// When it was set, in order. What is asked about is mostly the first time, or the first after an
// anchor; so where there are too many, those in between go and the last is kept up to date.
struct mark {
    const char *name;
    lz_time *at;
    uint32_t count, cap;
};

struct lz_journal {
    struct lz_journal_entry *entries;
    uint32_t count, cap;
    struct mark *marks;
    uint32_t mark_count, mark_cap;
    size_t dropped;
};

void lz_journal_init(struct lz_world *w)
{
    w->journal = lz_arena_alloc(w->arena, sizeof(*w->journal));
}

void lz_journal_add(struct lz_world *w, const struct lz_journal_entry *e, const char *fmt, ...)
{
    LZ_ASSERT(e->kind != NULL);
    struct lz_journal *j = w->journal;
    if (j->count == LZ_JOURNAL_MAX) {
        j->dropped++;
        return;
    }
    char text[LZ_JOURNAL_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    j->entries = lz_grow(w->arena, j->entries, &j->cap, j->count + 1, sizeof(*j->entries));
    struct lz_journal_entry *new = &j->entries[j->count++];
    *new = *e;
    new->at = lz_sim_now(w->sim);
    new->text = lz_arena_strdup(w->arena, text);
}

size_t lz_journal_count(const struct lz_world *w)
{
    return w->journal->count;
}

size_t lz_journal_dropped(const struct lz_world *w)
{
    return w->journal->dropped;
}

const struct lz_journal_entry *lz_journal_get(const struct lz_world *w, size_t i)
{
    LZ_ASSERT(i < w->journal->count);
    return &w->journal->entries[i];
}

static struct mark *find(const struct lz_journal *j, const char *name)
{
    for (uint32_t i = 0; i < j->mark_count; i++)
        if (strcmp(j->marks[i].name, name) == 0)
            return &j->marks[i];
    return NULL;
}

static void set(struct lz_world *w, struct mark *m, lz_time now)
{
    LZ_ASSERT(m->count == 0 || m->at[m->count - 1] <= now);
    if (m->count > 0 && m->at[m->count - 1] == now)
        return;
    if (m->count == LZ_JOURNAL_INSTANTS_MAX)
        m->count--;
    m->at = lz_grow(w->arena, m->at, &m->cap, m->count + 1, sizeof(*m->at));
    m->at[m->count++] = now;
}

bool lz_journal_mark(struct lz_world *w, const char *name, uint32_t line, struct lz_err *err)
{
    LZ_ASSERT(name != NULL);
    struct lz_journal *j = w->journal;
    lz_journal_add(w, &(struct lz_journal_entry){.kind = "mark", .line = line}, "%s", name);
    struct mark *m = find(j, name);
    if (m == NULL) {
        if (j->mark_count == LZ_JOURNAL_MARKS_MAX)
            return lz_fail(err, LZ_EFULL, "at most %d different marks", LZ_JOURNAL_MARKS_MAX);
        j->marks = lz_grow(w->arena, j->marks, &j->mark_cap, j->mark_count + 1, sizeof(*j->marks));
        m = &j->marks[j->mark_count++];
        *m = (struct mark){.name = lz_arena_strdup(w->arena, name)};
    }
    set(w, m, lz_sim_now(w->sim));
    return true;
}

lz_time lz_journal_marked(const struct lz_world *w, const char *name)
{
    return lz_journal_marked_from(w, name, 0);
}

lz_time lz_journal_marked_from(const struct lz_world *w, const char *name, lz_time from)
{
    const struct mark *m = find(w->journal, name);
    uint32_t low = 0, high = m != NULL ? m->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->at[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return m != NULL && low < m->count ? m->at[low] : -1;
}
