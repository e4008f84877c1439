#include "explore/shrink_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"

#define STEPS 3
#define LEAST 0.015  // of what an amount was: a little below 1/64
#define KNOBS_MAX 10 // amounts that are changed to see whether they matter

static char *copy(const char *text)
{
    size_t len = strlen(text);
    return memcpy(lz_mem_alloc(len + 1), text, len + 1);
}

static const char *last_part(const char *label)
{
    const char *dot = strrchr(label, '.');
    return dot != NULL ? dot + 1 : label;
}

static bool is_duration(const struct lz_atom *a)
{
    return a->kind == LZ_ATOM_LITERAL && a->role == LZ_ATOM_SCENARIO &&
           strcmp(a->label, "duration") == 0;
}

// What says how much of something there is; what says what it is like is left as it is.
static bool is_amount(const struct lz_atom *a)
{
    static const char *const counts[] = {"replicas", "nodes", "concurrency", "users"};
    if (a->kind != LZ_ATOM_LITERAL || is_duration(a))
        return false;
    if (a->role != LZ_ATOM_COMPONENT)
        return a->role == LZ_ATOM_FAULT || a->role == LZ_ATOM_TRAFFIC || a->role == LZ_ATOM_DRIVE ||
               a->role == LZ_ATOM_SCENARIO || a->role == LZ_ATOM_OTHER;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (strcmp(last_part(a->label), counts[i]) == 0)
            return true;
    return false;
}

void lz_shrink_add_note(struct lz_shrink_note *notes, size_t *count, const struct lz_atom *a,
                        const char *before, const char *after)
{
    if (*count == LZ_SHRINK_NOTES_MAX)
        return;
    struct lz_str what;
    lz_str_init(&what);
    // A scenario's name is a sentence, and there is only one.
    const char *of = strncmp(a->of, "scenario ", 9) == 0 ? "the scenario" : a->of;
    lz_str_addf(&what, "%s%s%s", a->label, a->label[0] != '\0' ? " of " : "", of);
    for (size_t i = 0; i < *count; i++) { // two faults may be alike: once is enough
        if (strcmp(notes[i].what, what.text) == 0 && strcmp(notes[i].after, after) == 0) {
            lz_str_finish(&what);
            return;
        }
    }
    notes[(*count)++] = (struct lz_shrink_note){copy(before), copy(after), lz_str_take(&what)};
}

// Texts with other amounts in the place of one; returns how many differ from what there is.
static size_t write_scaled(struct lz_shrink_search *s, size_t atom, const double *factors,
                           size_t count, struct lz_str *amounts)
{
    size_t n = 0;
    struct lz_str now;
    lz_str_init(&now);
    lz_cut_literal(&s->cut, atom, &now);
    for (size_t i = 0; i < count; i++) {
        lz_str_clear(&amounts[n]);
        if (!lz_cut_scale(now.text, factors[i], &amounts[n]) ||
            (n > 0 && strcmp(amounts[n - 1].text, amounts[n].text) == 0))
            continue;
        bool is_own = s->cut.with[atom] == NULL;
        lz_cut_set(&s->cut, atom, amounts[n].text);
        lz_shrink_write_text(s, n);
        lz_cut_set(&s->cut, atom, is_own ? NULL : now.text);
        n++;
    }
    lz_str_finish(&now);
    return n;
}

// False: it stays as it was, because a fault would not be needed any more.
static bool put_amount(struct lz_shrink_search *s, size_t atom, const char *amount)
{
    char *before = s->cut.with[atom] != NULL ? copy(s->cut.with[atom]) : NULL;
    lz_cut_set(&s->cut, atom, amount);
    bool ok = lz_shrink_needs_all(s);
    if (!ok)
        lz_cut_set(&s->cut, atom, before);
    free(before);
    return ok;
}

// Down by eighths and halves, then once by a quarter.
static bool narrow(struct lz_shrink_search *s, size_t atom)
{
    static const double steps[STEPS] = {0.125, 0.5, 0.75};
    bool has_changed = false;
    struct lz_str amounts[LZ_SHRINK_BATCH];
    for (size_t i = 0; i < LZ_SHRINK_BATCH; i++)
        lz_str_init(&amounts[i]);
    double part = 1.0; // of what it was
    while (!s->is_over) {
        size_t first = 0;
        while (part * steps[first] < LEAST)
            first++;
        size_t n = write_scaled(s, atom, steps + first, STEPS - first, amounts);
        size_t hit = n > 0 ? lz_shrink_try(s, n) : 0;
        if (hit == n || !put_amount(s, atom, amounts[hit].text))
            break;
        has_changed = true;
        part *= steps[first + hit];
        if (hit + 1 == n || part * steps[STEPS - 1] < LEAST)
            break;
    }
    for (size_t i = 0; i < LZ_SHRINK_BATCH; i++)
        lz_str_finish(&amounts[i]);
    return has_changed;
}

bool lz_shrink_narrow_all(struct lz_shrink_search *s, bool only_duration)
{
    bool has_changed = false;
    s->doing = only_duration ? "duration" : "amounts";
    for (size_t i = 0; i < s->cut.atoms.count && !s->is_over; i++) {
        const struct lz_atom *a = &s->cut.atoms.items[i];
        if (lz_cut_is_there(&s->cut, i) && (only_duration ? is_duration(a) : is_amount(a)))
            has_changed = narrow(s, i) || has_changed;
    }
    return has_changed;
}

// Does half of it, or twice as much, make it pass? Says what mattered.
static bool try_knob(struct lz_shrink_search *s, size_t atom)
{
    static const double factors[] = {0.5, 2.0};
    struct lz_str amounts[2], now;
    lz_str_init(&now);
    lz_str_init(&amounts[0]);
    lz_str_init(&amounts[1]);
    size_t n = write_scaled(s, atom, factors, 2, amounts);
    size_t hit = n > 0 ? lz_shrink_try(s, n) : 0;
    if (hit < n) {
        lz_cut_literal(&s->cut, atom, &now);
        lz_shrink_add_note(s->out->passes, &s->out->passes_count, &s->cut.atoms.items[atom],
                           now.text, amounts[hit].text);
    }
    lz_str_finish(&amounts[0]);
    lz_str_finish(&amounts[1]);
    lz_str_finish(&now);
    return n > 0;
}

void lz_shrink_try_knobs(struct lz_shrink_search *s)
{
    size_t tried = 0;
    s->doing = "what mattered";
    s->wanted = LZ_SHRINK_PASSES;
    for (size_t i = 0; i < s->cut.atoms.count && tried < KNOBS_MAX && !s->is_over; i++) {
        const struct lz_atom *a = &s->cut.atoms.items[i];
        bool is_knob =
            a->kind == LZ_ATOM_LITERAL && (a->role == LZ_ATOM_COMPONENT ||
                                           a->role == LZ_ATOM_FAULT || a->role == LZ_ATOM_TRAFFIC);
        is_knob = is_knob && strcmp(last_part(a->label), "at") != 0;
        if (is_knob && lz_cut_is_there(&s->cut, i))
            tried += try_knob(s, i);
    }
}
