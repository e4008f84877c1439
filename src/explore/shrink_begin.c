#include "explore/shrink_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"
#include "report/report.h"
#include "script/chaos.h"

#define EVENTS_FACTOR 10
#define EVENTS_LEAST 1000000

static char *copy_n(const char *text, size_t len)
{
    char *copy = lz_mem_alloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static char *copy(const char *text)
{
    return copy_n(text, strlen(text));
}

// ---------------------------------------------------------------- chaos

static void pin_work(void *ctx, size_t job, struct lz_str *message)
{
    const struct lz_shrink_search *s = ctx;
    (void)job;
    struct lz_script *script = lz_worker_load(&s->opts->source, s->opts->params);
    if (lz_script_trouble(script) == LZ_SCRIPT_OK)
        lz_chaos_pin(script, s->opts->seed, message);
    else
        lz_str_add_n(message, s->opts->source.text, s->opts->source.len);
    lz_script_destroy(script);
}

static bool pin_done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct lz_shrink_search *s = ctx;
    (void)job;
    if (r->end == LZ_CREW_DONE && r->message.len > 0)
        lz_str_add_n(&s->pinned, r->message.text, r->message.len);
    else
        lz_str_add_n(&s->pinned, s->opts->source.text, s->opts->source.len);
    return true;
}

// The text with the faults that its chaos brings in the place of it.
bool lz_shrink_pin_chaos(struct lz_shrink_search *s)
{
    const struct lz_crew_opts crew = {
        .jobs = 1,
        .workers = 1,
        .timeout_ns = s->opts->timeout_ns,
        .ctx = s,
        .work = pin_work,
        .done = pin_done,
    };
    lz_str_init(&s->pinned);
    return lz_crew_run(&crew, &s->out->signal, s->err);
}

// ---------------------------------------------------------------- the case

// Whether an element of a param's list is the value: without quotes, comma and blanks.
static bool is_value(const struct lz_cut *cut, const struct lz_atom *a, const char *value)
{
    const char *from = cut->text + a->from, *to = from + a->size;
    while (to > from && strchr(", ;\t\n", to[-1]) != NULL)
        to--;
    if (to - from >= 2 && (*from == '"' || *from == '\'')) {
        from++;
        to--;
    }
    size_t len = (size_t)(to - from);
    return strlen(value) == len && memcmp(from, value, len) == 0;
}

// Put a value where a literal stands, in its quotes.
static void put_value(struct lz_cut *cut, size_t atom, const char *value)
{
    const char quote = cut->text[cut->atoms.items[atom].from];
    bool is_text = quote == '"' || quote == '\'';
    struct lz_str text;
    lz_str_init(&text);
    lz_str_addf(&text, is_text ? "\"%s\"" : "%s", value);
    lz_cut_set(cut, atom, text.text);
    lz_str_finish(&text);
}

// Whether an atom is one of a param's values: what stands right in its list, or is its only one.
static bool is_of_param(const struct lz_cut *cut, size_t atom, const char *name)
{
    const struct lz_atom *a = &cut->atoms.items[atom];
    if (a->kind == LZ_ATOM_STATEMENT || a->role != LZ_ATOM_PARAM ||
        strncmp(a->of, "param ", 6) != 0 || strcmp(a->of + 6, name) != 0)
        return false;
    const struct lz_atom *around = &cut->atoms.items[a->parent];
    return around->kind == LZ_ATOM_STATEMENT || around->role != LZ_ATOM_PARAM;
}

// Of a param's values only the case's stays. One that is not in the list was set by hand.
static void pin_param(struct lz_shrink_search *s, const char *name, const char *value)
{
    struct lz_cut *cut = &s->cut;
    size_t none = cut->atoms.count, first = none, kept = none;
    for (size_t i = 0; i < cut->atoms.count; i++) {
        if (!is_of_param(cut, i, name))
            continue;
        first = first == none ? i : first;
        if (kept == none && is_value(cut, &cut->atoms.items[i], value))
            kept = i;
    }
    for (size_t i = 0; i < cut->atoms.count; i++)
        if (i != (kept != none ? kept : first) && is_of_param(cut, i, name))
            lz_cut_set(cut, i, "");
    if (kept == none && first != none)
        put_value(cut, first, value);
}

// A case that is meant to fail is no more than one that fails.
void lz_shrink_pin_case(struct lz_shrink_search *s)
{
    for (size_t i = 0; i < s->cut.atoms.count; i++) {
        const struct lz_atom *a = &s->cut.atoms.items[i];
        if (a->kind == LZ_ATOM_ITEM && a->role == LZ_ATOM_SCENARIO &&
            strcmp(a->label, "xfail") == 0)
            lz_cut_set(&s->cut, i, "");
    }
    for (size_t i = 0; i < s->opts->params->count; i++)
        pin_param(s, s->opts->params->items[i].name, s->opts->params->items[i].value);
}

static char *first_line(const char *text)
{
    return copy_n(text, strcspn(text, "\n"));
}

static bool first_done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct lz_shrink_search *s = ctx;
    (void)job;
    if (r->end != LZ_CREW_DONE || !lz_brief_read(&r->message, &s->first))
        s->first = (struct lz_brief){0};
    return true;
}

// What it is that fails: the expectation asked for, or the first; or the error.
static bool find_failure(struct lz_shrink_search *s)
{
    const struct lz_brief *b = &s->first;
    s->out->verdict = copy(b->verdict != NULL ? b->verdict : "crash");
    if (b->verdict == NULL)
        return false;
    if (strcmp(b->verdict, "error") == 0 && b->events > 0 && s->opts->name == NULL) {
        s->error = first_line(b->why);
        s->out->name = copy(s->error);
        return true;
    }
    for (size_t i = 0; i < b->expectation_count; i++) {
        const struct lz_brief_expectation *e = &b->expectations[i];
        if (lz_shrink_try_is_failure(b, e) &&
            (s->opts->name == NULL || strcmp(e->name, s->opts->name) == 0)) {
            s->out->name = copy(e->name);
            return true;
        }
    }
    return false;
}

bool lz_shrink_run_first(struct lz_shrink_search *s)
{
    lz_shrink_write_text(s, 0);
    const struct lz_crew_opts crew = {
        .jobs = 1,
        .workers = 1,
        .timeout_ns = s->opts->timeout_ns,
        .ctx = s,
        .work = lz_shrink_try_work,
        .done = first_done,
    };
    s->events_max = s->opts->events_max;
    s->out->runs++;
    if (!lz_crew_run(&crew, &s->out->signal, s->err)) {
        s->is_broken = true;
        return false;
    }
    if (s->out->signal != 0 || !find_failure(s))
        return false;
    if (s->events_max == 0)
        s->events_max = s->first.events * EVENTS_FACTOR + EVENTS_LEAST;
    return true;
}
