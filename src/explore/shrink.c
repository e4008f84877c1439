#include "explore/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"
#include "report/report.h"
#include "script/chaos.h"

#define BATCH 4 // tried at once, whatever the number of workers
#define STEPS 3
#define LEAST 0.015        // of what an amount was: a little below 1/64
#define GUARD_MAX 8        // faults of which each must stay needed
#define REFUSED_PER_RUN 40 // texts that do not load are cheap, but not for nothing
#define KNOBS_MAX 10       // amounts that are changed to see whether they matter
#define EVENTS_FACTOR 10
#define EVENTS_LEAST 1000000

enum outcome { UNTRIED, LIKE, PASSES, OTHER, UNLOADABLE };

struct search {
    const struct lz_shrink_opts *opts;
    struct lz_shrink *out;
    struct lz_cut cut;
    struct lz_str pinned; // what is cut: the text, with what a chaos brings
    char *error;          // what it ended with; NULL: an expectation failed
    uint64_t events_max;
    const char *doing;
    struct lz_str texts[BATCH]; // what is being tried
    enum outcome outcomes[BATCH];
    struct lz_brief first; // of the first run
    struct lz_err *err;
    size_t *guarded; // faults, each of which is needed
    size_t guarded_count;
    enum outcome wanted; // ends a batch
    bool is_over;        // stopped, out of runs, or no child could be made
    bool is_broken;
};

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

// ---------------------------------------------------------------- trying

static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct search *s = ctx;
    const struct lz_worker_run_opts opts = {
        .source = {.path = s->opts->source.path,
                   .text = s->texts[job].text,
                   .len = s->texts[job].len},
        .params = s->opts->params,
        .version = s->opts->version,
        .seed = s->opts->seed,
        .events_max = s->events_max,
        .swarm = s->opts->swarm,
        .order = s->opts->order,
        .is_brief = true,
    };
    lz_worker_run(&opts, message);
}

static const struct lz_brief_expectation *find(const struct lz_brief *b, const char *name)
{
    for (size_t i = 0; i < b->expectation_count; i++)
        if (strcmp(b->expectations[i].name, name) == 0)
            return &b->expectations[i];
    return NULL;
}

static bool is_failure(const struct lz_brief *b, const struct lz_brief_expectation *e)
{
    return strcmp(b->verdict, "fail") == 0 && e->verdict == LZ_VERDICT_FAIL && !e->warn;
}

static enum outcome judge(const struct search *s, const struct lz_brief *b)
{
    bool is_error = strcmp(b->verdict, "error") == 0;
    if (is_error && b->events == 0)
        return UNLOADABLE;
    if (s->error != NULL) {
        size_t len = strlen(s->error);
        bool is_like =
            is_error && strncmp(b->why, s->error, len) == 0 && strchr("\n", b->why[len]) != NULL;
        return is_like ? LIKE : strcmp(b->verdict, "pass") == 0 ? PASSES : OTHER;
    }
    const struct lz_brief_expectation *e = find(b, s->out->name);
    if (e != NULL && is_failure(b, e))
        return LIKE;
    return e != NULL && e->verdict == LZ_VERDICT_PASS ? PASSES : OTHER;
}

static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct search *s = ctx;
    struct lz_brief b;
    s->outcomes[job] = OTHER;
    if (r->end == LZ_CREW_DONE && lz_brief_read(&r->message, &b)) {
        s->outcomes[job] = judge(s, &b);
        lz_brief_finish(&b);
    }
    bool is_run = s->outcomes[job] != UNLOADABLE;
    s->out->runs += is_run;
    s->out->refused += !is_run;
    if (s->opts->progress != NULL)
        s->opts->progress(s->opts->ctx, s->out->runs, s->doing);
    return s->outcomes[job] != s->wanted;
}

// The first of the texts whose outcome is the wanted one, or `count`.
static size_t try_texts(struct search *s, size_t count)
{
    size_t most = s->opts->runs_max > 0 ? s->opts->runs_max : LZ_SHRINK_RUNS;
    if (s->out->runs >= most || s->out->refused >= REFUSED_PER_RUN * most) {
        s->out->is_cut_short = s->is_over = true;
        return count;
    }
    for (size_t i = 0; i < count; i++)
        s->outcomes[i] = UNTRIED;
    const struct lz_crew_opts crew = {
        .jobs = count,
        .workers = s->opts->workers,
        .timeout_ns = s->opts->timeout_ns,
        .ctx = s,
        .work = work,
        .done = done,
    };
    bool ok = lz_crew_run(&crew, &s->out->signal, s->err);
    s->is_broken = !ok;
    s->is_over = s->is_over || !ok || s->out->signal != 0;
    size_t i = 0;
    while (i < count && s->outcomes[i] != s->wanted)
        i++;
    return i;
}

static void write_text(struct search *s, size_t at)
{
    lz_str_clear(&s->texts[at]);
    lz_cut_write(&s->cut, &s->texts[at]);
}

/*
 * Whether each of the faults that are left is needed. A smaller system may fail with fewer of them,
 * which would be another failure than the one that was found ("slippage"): such a change is
 * refused. Told of the state of the cut as it is.
 */
static bool needs_all(struct search *s)
{
    for (size_t at = 0; at < s->guarded_count && !s->is_over; at += BATCH) {
        size_t n = 0;
        for (; n < BATCH && at + n < s->guarded_count; n++) {
            lz_cut_set(&s->cut, s->guarded[at + n], "");
            write_text(s, n);
            lz_cut_set(&s->cut, s->guarded[at + n], NULL);
        }
        if (try_texts(s, n) < n)
            return false;
    }
    return !s->is_over;
}

// ---------------------------------------------------------------- leaving out

// A list of atoms, and how many of them are tried together.
struct group {
    size_t *atoms;
    size_t count, size;
};

static size_t write_groups(struct search *s, const struct group *g, size_t from)
{
    size_t n = 0;
    for (; n < BATCH && from + n * g->size < g->count; n++) {
        size_t first = from + n * g->size, last = first + g->size;
        last = last < g->count ? last : g->count;
        for (size_t i = first; i < last; i++)
            lz_cut_set(&s->cut, g->atoms[i], "");
        write_text(s, n);
        for (size_t i = first; i < last; i++)
            lz_cut_set(&s->cut, g->atoms[i], NULL);
    }
    return n;
}

// False: it stays, because a fault would not be needed any more.
static bool leave_out(struct search *s, struct group *g, size_t first)
{
    size_t size = first + g->size < g->count ? g->size : g->count - first;
    for (size_t i = first; i < first + size; i++)
        lz_cut_set(&s->cut, g->atoms[i], "");
    if (!needs_all(s)) {
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
static bool reduce(struct search *s, struct group *g)
{
    bool has_changed = false;
    for (g->size = g->count; g->size > 0 && !s->is_over; g->size /= 2) {
        for (size_t at = 0; at < g->count && !s->is_over;) {
            size_t n = write_groups(s, g, at);
            size_t hit = try_texts(s, n);
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

typedef bool wanted_fn(const struct search *s, const struct lz_atom *a);

// Those that are wanted and still there, the last first: what refers comes after its subject.
static bool reduce_all(struct search *s, const char *doing, wanted_fn *is_wanted)
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

static bool is_other_expectation(const struct search *s, const struct lz_atom *a)
{
    return a->kind == LZ_ATOM_STATEMENT && a->role == LZ_ATOM_EXPECT &&
           (s->error != NULL || strcmp(a->of, s->out->name) != 0);
}

static bool is_fault(const struct search *s, const struct lz_atom *a)
{
    (void)s;
    return a->kind == LZ_ATOM_STATEMENT && a->role == LZ_ATOM_FAULT;
}

static bool is_other_statement(const struct search *s, const struct lz_atom *a)
{
    (void)s;
    return a->kind == LZ_ATOM_STATEMENT &&
           (a->role == LZ_ATOM_OTHER || a->role >= LZ_ATOM_TRAFFIC) && a->role != LZ_ATOM_FAULT;
}

static bool is_item(const struct search *s, const struct lz_atom *a)
{
    (void)s;
    bool is_fixed = a->role == LZ_ATOM_PARAM || a->role == LZ_ATOM_EXPECT ||
                    a->role == LZ_ATOM_USE || a->role == LZ_ATOM_KEPT;
    bool is_duration = a->role == LZ_ATOM_SCENARIO && strcmp(a->label, "duration") == 0;
    return a->kind == LZ_ATOM_ITEM && !is_fixed && !is_duration;
}

// ---------------------------------------------------------------- amounts

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

static void add_note(struct lz_shrink_note *notes, size_t *count, const struct lz_atom *a,
                     const char *before, const char *after)
{
    if (*count == LZ_SHRINK_NOTES_MAX)
        return;
    struct lz_str what;
    lz_str_init(&what);
    lz_str_addf(&what, "%s%s%s", a->label, a->label[0] != '\0' ? " of " : "", a->of);
    notes[(*count)++] = (struct lz_shrink_note){copy(before), copy(after), lz_str_take(&what)};
}

// Texts with other amounts in the place of one; returns how many differ from what there is.
static size_t write_scaled(struct search *s, size_t atom, const double *factors, size_t count,
                           struct lz_str *amounts)
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
        write_text(s, n);
        lz_cut_set(&s->cut, atom, is_own ? NULL : now.text);
        n++;
    }
    lz_str_finish(&now);
    return n;
}

// False: it stays as it was, because a fault would not be needed any more.
static bool put_amount(struct search *s, size_t atom, const char *amount)
{
    char *before = s->cut.with[atom] != NULL ? copy(s->cut.with[atom]) : NULL;
    lz_cut_set(&s->cut, atom, amount);
    bool ok = needs_all(s);
    if (!ok)
        lz_cut_set(&s->cut, atom, before);
    free(before);
    return ok;
}

// Down by eighths and halves, then once by a quarter.
static bool narrow(struct search *s, size_t atom)
{
    static const double steps[STEPS] = {0.125, 0.5, 0.75};
    bool has_changed = false;
    struct lz_str amounts[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        lz_str_init(&amounts[i]);
    double part = 1.0; // of what it was
    while (!s->is_over) {
        size_t first = 0;
        while (part * steps[first] < LEAST)
            first++;
        size_t n = write_scaled(s, atom, steps + first, STEPS - first, amounts);
        size_t hit = n > 0 ? try_texts(s, n) : 0;
        if (hit == n || !put_amount(s, atom, amounts[hit].text))
            break;
        has_changed = true;
        part *= steps[first + hit];
        if (hit + 1 == n || part * steps[STEPS - 1] < LEAST)
            break;
    }
    for (size_t i = 0; i < BATCH; i++)
        lz_str_finish(&amounts[i]);
    return has_changed;
}

static bool narrow_all(struct search *s, bool only_duration)
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
static bool try_knob(struct search *s, size_t atom)
{
    static const double factors[] = {0.5, 2.0};
    struct lz_str amounts[2], now;
    lz_str_init(&now);
    lz_str_init(&amounts[0]);
    lz_str_init(&amounts[1]);
    size_t n = write_scaled(s, atom, factors, 2, amounts);
    size_t hit = n > 0 ? try_texts(s, n) : 0;
    if (hit < n) {
        lz_cut_literal(&s->cut, atom, &now);
        add_note(s->out->passes, &s->out->passes_count, &s->cut.atoms.items[atom], now.text,
                 amounts[hit].text);
    }
    lz_str_finish(&amounts[0]);
    lz_str_finish(&amounts[1]);
    lz_str_finish(&now);
    return n > 0;
}

static void try_knobs(struct search *s)
{
    size_t tried = 0;
    s->doing = "what mattered";
    s->wanted = PASSES;
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

// ---------------------------------------------------------------- chaos

static void pin_work(void *ctx, size_t job, struct lz_str *message)
{
    const struct search *s = ctx;
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
    struct search *s = ctx;
    (void)job;
    if (r->end == LZ_CREW_DONE && r->message.len > 0)
        lz_str_add_n(&s->pinned, r->message.text, r->message.len);
    else
        lz_str_add_n(&s->pinned, s->opts->source.text, s->opts->source.len);
    return true;
}

// The text with the faults that its chaos brings in the place of it.
static bool pin_chaos(struct search *s)
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

// Of a param's values only the case's stays. One that is not in the list was set by hand.
static void pin_param(struct search *s, size_t param, const char *value)
{
    struct lz_cut *cut = &s->cut;
    size_t none = cut->atoms.count, first = none, kept = none;
    for (size_t i = param + 1; i < cut->atoms.count; i++) {
        if (cut->atoms.items[i].parent != param)
            continue;
        first = first == none ? i : first;
        if (kept == none && is_value(cut, &cut->atoms.items[i], value))
            kept = i;
    }
    for (size_t i = param + 1; i < cut->atoms.count; i++)
        if (cut->atoms.items[i].parent == param && i != (kept != none ? kept : first))
            lz_cut_set(cut, i, "");
    if (kept == none && first != none)
        put_value(cut, first, value);
}

// A case that is meant to fail is no more than one that fails.
static void pin(struct search *s)
{
    for (size_t i = 0; i < s->cut.atoms.count; i++) {
        const struct lz_atom *a = &s->cut.atoms.items[i];
        if (a->kind == LZ_ATOM_ITEM && a->role == LZ_ATOM_SCENARIO &&
            strcmp(a->label, "xfail") == 0)
            lz_cut_set(&s->cut, i, "");
        bool is_param = a->kind == LZ_ATOM_STATEMENT && a->role == LZ_ATOM_PARAM;
        const char *value = is_param ? lz_select_pairs_value(s->opts->params, a->of) : NULL;
        if (value != NULL)
            pin_param(s, i, value);
    }
}

static char *first_line(const char *text)
{
    return copy_n(text, strcspn(text, "\n"));
}

static bool first_done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct search *s = ctx;
    (void)job;
    if (r->end != LZ_CREW_DONE || !lz_brief_read(&r->message, &s->first))
        s->first = (struct lz_brief){0};
    return true;
}

// What it is that fails: the expectation asked for, or the first; or the error.
static bool find_failure(struct search *s)
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
        if (is_failure(b, e) && (s->opts->name == NULL || strcmp(e->name, s->opts->name) == 0)) {
            s->out->name = copy(e->name);
            return true;
        }
    }
    return false;
}

static bool run_first(struct search *s)
{
    write_text(s, 0);
    const struct lz_crew_opts crew = {
        .jobs = 1,
        .workers = 1,
        .timeout_ns = s->opts->timeout_ns,
        .ctx = s,
        .work = work,
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

// ---------------------------------------------------------------- all of it

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void count(const struct search *s, int when)
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
static void guard_faults(struct search *s)
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

static void search_all(struct search *s)
{
    reduce_all(s, "expectations", is_other_expectation);
    narrow_all(s, true);
    guard_faults(s);
    reduce_all(s, "statements", is_other_statement);
    if (reduce_all(s, "fields", is_item))
        reduce_all(s, "statements", is_other_statement);
    narrow_all(s, false);
    narrow_all(s, true);
    if (!s->is_over)
        try_knobs(s);
}

static void conclude(struct search *s)
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
        add_note(s->out->narrowed, &s->out->narrowed_count, a, before, s->cut.with[i]);
        free(before);
    }
}

bool lz_shrink_run(const struct lz_shrink_opts *opts, struct lz_shrink *out, struct lz_err *err)
{
    LZ_ASSERT(opts->workers >= 1 && opts->params != NULL);
    *out = (struct lz_shrink){0};
    struct search s = {
        .opts = opts, .out = out, .doing = "the first run", .wanted = LIKE, .err = err};
    for (size_t i = 0; i < BATCH; i++)
        lz_str_init(&s.texts[i]);
    s.is_broken = !pin_chaos(&s);
    if (s.pinned.len == 0)
        lz_str_add_n(&s.pinned, opts->source.text, opts->source.len);
    lz_cut_init(&s.cut, s.pinned.text, s.pinned.len);
    count(&s, 0);
    pin(&s);
    out->fails = !s.is_broken && run_first(&s);
    if (out->fails && s.cut.atoms.count > 0)
        search_all(&s);
    count(&s, 1);
    conclude(&s);
    for (size_t i = 0; i < BATCH; i++)
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
