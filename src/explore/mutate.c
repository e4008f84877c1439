#include "explore/mutate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "explore/crew.h"
#include "explore/cut.h"

#define SLOWER 10.0
#define MORE 4.0
#define DEGRADE "20"

struct mutating {
    const struct lz_mutate_opts *opts;
    struct lz_mutate *out;
    struct lz_cut cut;
    char **texts; // of the mutants
    size_t done;
};

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

static bool is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

#define IS_AMONG(word, words) is_among(word, words, sizeof(words) / sizeof((words)[0]))

// ---------------------------------------------------------------- mutants

static void add(struct mutating *m, char *what, uint32_t line, char *text)
{
    struct lz_mutate *out = m->out;
    size_t most = m->opts->mutants_max > 0 ? m->opts->mutants_max : LZ_MUTATE_MAX;
    if (out->count == most) {
        out->dropped++;
        free(what);
        free(text);
        return;
    }
    out->mutants = lz_mem_resize(out->mutants, (out->count + 1) * sizeof(*out->mutants));
    m->texts = lz_mem_resize(m->texts, (out->count + 1) * sizeof(*m->texts));
    m->texts[out->count] = text;
    out->mutants[out->count++] = (struct lz_mutate_mutant){.what = what, .line = line};
}

// One atom left out, or with something else in its place.
static void add_cut(struct mutating *m, size_t at, const char *with, const char *lead)
{
    const struct lz_atom *a = &m->cut.atoms.items[at];
    struct lz_str what, text;
    lz_str_init(&what);
    lz_str_init(&text);
    lz_str_addf(&what, "%s %s of %s", lead, last_part(a->label), a->of);
    lz_cut_set(&m->cut, at, with);
    lz_cut_write(&m->cut, &text);
    lz_cut_set(&m->cut, at, NULL);
    add(m, lz_str_take(&what), a->line, lz_str_take(&text));
}

static void add_scaled(struct mutating *m, size_t at, double factor, const char *lead)
{
    const struct lz_atom *a = &m->cut.atoms.items[at];
    struct lz_str now, scaled;
    lz_str_init(&now);
    lz_str_init(&scaled);
    lz_str_add_n(&now, m->cut.text + a->from, a->size);
    if (lz_cut_scale(now.text, factor, &scaled))
        add_cut(m, at, scaled.text, lead);
    lz_str_finish(&now);
    lz_str_finish(&scaled);
}

static void mutate_item(struct mutating *m, size_t at)
{
    static const char *const guards[] = {
        "retries",       "retry_budget", "retry_on",       "timeout",    "overall_timeout",
        "breaker",       "throttle",     "hedge",          "fallback",   "through",
        "bulkhead",      "rate_limit",   "adaptive_limit", "shed",       "autoscale",
        "queue",         "deadlines",    "cancel",         "outliers",   "health",
        "single_flight", "fence",        "fencing",        "zone_aware", "probes",
        "liveness",      "readiness",    "startup_probe"};
    const struct lz_atom *a = &m->cut.atoms.items[at];
    bool is_part = a->role == LZ_ATOM_COMPONENT || a->role == LZ_ATOM_TRAFFIC;
    if (is_part && strcmp(a->label, "failover") == 0)
        add_cut(m, at, "failover = false,", "no");
    else if (is_part && strcmp(a->label, "replication") == 0)
        add_cut(m, at, "replication = \"async\",", "asynchronous");
    else if (is_part && !a->is_list && IS_AMONG(last_part(a->label), guards))
        add_cut(m, at, "", "no");
}

static void mutate_literal(struct mutating *m, size_t at)
{
    static const char *const counts[] = {"replicas", "nodes"};
    static const char *const times[] = {"service_time", "query_time", "cpu_time", "latency",
                                        "p50",          "p99",        "mean"};
    const struct lz_atom *a = &m->cut.atoms.items[at];
    const char *name = last_part(a->label);
    if (a->role == LZ_ATOM_COMPONENT && IS_AMONG(name, counts)) {
        if (a->size != 1 || m->cut.text[a->from] != '1')
            add_cut(m, at, "1", "only one of");
    } else if (a->role == LZ_ATOM_COMPONENT && IS_AMONG(name, times)) {
        add_scaled(m, at, SLOWER, "ten times the");
    } else if (a->role == LZ_ATOM_TRAFFIC && strcmp(name, "rate") == 0) {
        add_scaled(m, at, MORE, "four times the");
    }
}

// `local web = service "web"` at the top level: the variable's name.
static bool variable_of(const struct mutating *m, const struct lz_atom *a, struct lz_str *name)
{
    const char *at = m->cut.text + a->from, *end = at + a->size;
    const char *word = NULL;
    for (const char *c = at; c + 6 < end && word == NULL; c++)
        if (strncmp(c, "local ", 6) == 0 && (c == at || c[-1] == '\n'))
            word = c + 6;
    if (word == NULL)
        return false;
    size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    const char *after = word + len + strspn(word + len, " ");
    lz_str_add_n(name, word, len);
    return len > 0 && *after == '=';
}

static void add_fault(struct mutating *m, const struct lz_atom *a, const char *variable,
                      const char *kind, const char *said)
{
    struct lz_str what, text;
    bool is_degrade = strcmp(kind, "degrade") == 0;
    lz_str_init(&what);
    lz_str_init(&text);
    lz_str_addf(&what, "%s %s from the middle on", a->label, said);
    lz_str_add_n(&text, m->cut.text, m->cut.len);
    lz_str_addf(&text, "\nfault.%s { %s, at = \"%" PRId64 "ms\"%s }\n", kind, variable,
                m->opts->duration / 2000000, is_degrade ? ", factor = " DEGRADE : "");
    add(m, lz_str_take(&what), a->line, lz_str_take(&text));
}

static void break_component(struct mutating *m, size_t at)
{
    const struct lz_atom *a = &m->cut.atoms.items[at];
    struct lz_str variable;
    lz_str_init(&variable);
    bool is_part = a->parent == at && a->role == LZ_ATOM_COMPONENT;
    if (is_part && variable_of(m, a, &variable)) {
        add_fault(m, a, variable.text, "kill", "stopped");
        add_fault(m, a, variable.text, "degrade", "twenty times slower");
    }
    lz_str_finish(&variable);
}

static void make_mutants(struct mutating *m)
{
    for (size_t i = 0; i < m->cut.atoms.count; i++)
        if (m->cut.atoms.items[i].kind == LZ_ATOM_STATEMENT)
            break_component(m, i);
    for (size_t i = 0; i < m->cut.atoms.count; i++) {
        if (m->cut.atoms.items[i].kind == LZ_ATOM_ITEM)
            mutate_item(m, i);
        else if (m->cut.atoms.items[i].kind == LZ_ATOM_LITERAL)
            mutate_literal(m, i);
    }
}

// ---------------------------------------------------------------- running

// Job 0 is the scenario as it is.
static void work(void *ctx, size_t job, struct lz_str *message)
{
    const struct mutating *m = ctx;
    const struct lz_mutate_opts *o = m->opts;
    struct lz_worker_source source = o->source;
    if (job > 0) {
        source.text = m->texts[job - 1];
        source.len = strlen(source.text);
    }
    const struct lz_worker_run_opts opts = {
        .source = source,
        .params = o->params,
        .version = o->version,
        .seed = o->seed,
        .order = o->order,
        .events_max = o->events_max,
        .is_brief = true,
    };
    lz_worker_run(&opts, message);
}

static void take_base(struct lz_mutate *out, const struct lz_brief *b)
{
    out->verdict = copy(b->verdict);
    out->why = copy(b->why);
    out->expectations = lz_mem_alloc((b->expectation_count + 1) * sizeof(*out->expectations));
    for (size_t i = 0; i < b->expectation_count; i++)
        out->expectations[out->expectation_count++] = (struct lz_mutate_expectation){
            .name = copy(b->expectations[i].name), .verdict = b->expectations[i].verdict};
}

// One that ended in an error while it ran has been noticed by nobody's expectation.
static void take_mutant(struct lz_mutate *out, size_t index, const struct lz_brief *b)
{
    struct lz_mutate_mutant *mutant = &out->mutants[index];
    mutant->is_run = b->expectation_count > 0 && b->events > 0;
    out->run += mutant->is_run;
    for (size_t i = 0; i < b->expectation_count; i++) {
        for (size_t k = 0; k < out->expectation_count; k++) {
            struct lz_mutate_expectation *e = &out->expectations[k];
            if (strcmp(e->name, b->expectations[i].name) != 0 ||
                b->expectations[i].verdict == LZ_VERDICT_PASS)
                continue;
            e->first = e->noticed == 0 ? index : e->first;
            e->noticed++;
            mutant->is_killed = true;
        }
    }
}

static bool done(void *ctx, size_t job, struct lz_crew_result *r)
{
    struct mutating *m = ctx;
    struct lz_brief b;
    bool is_read = r->end == LZ_CREW_DONE && lz_brief_read(&r->message, &b);
    if (job == 0 && !is_read) {
        m->out->verdict = copy("error");
        m->out->why = copy(r->end == LZ_CREW_TIMED_OUT ? "the wall-clock limit was reached"
                                                       : "the run crashed");
        return false;
    }
    if (is_read && job == 0)
        take_base(m->out, &b);
    else if (is_read)
        take_mutant(m->out, job - 1, &b);
    if (is_read)
        lz_brief_finish(&b);
    if (m->opts->progress != NULL)
        m->opts->progress(m->opts->ctx, ++m->done, m->out->count + 1);
    return job > 0 || strcmp(m->out->verdict, "pass") == 0;
}

bool lz_mutate_run(const struct lz_mutate_opts *opts, struct lz_mutate *out, struct lz_err *err)
{
    LZ_ASSERT(opts->workers >= 1 && opts->duration > 0);
    *out = (struct lz_mutate){0};
    struct mutating m = {.opts = opts, .out = out};
    lz_cut_init(&m.cut, opts->source.text, opts->source.len);
    make_mutants(&m);
    const struct lz_crew_opts crew = {
        .jobs = out->count + 1,
        .workers = opts->workers,
        .timeout_ns = opts->timeout_ns,
        .ctx = &m,
        .work = work,
        .done = done,
    };
    bool ok = lz_crew_run(&crew, &out->signal, err);
    for (size_t i = 0; i < out->count; i++)
        free(m.texts[i]);
    free(m.texts);
    lz_cut_finish(&m.cut);
    if (!ok)
        lz_mutate_finish(out);
    return ok;
}

void lz_mutate_finish(struct lz_mutate *mutate)
{
    for (size_t i = 0; i < mutate->count; i++)
        free(mutate->mutants[i].what);
    for (size_t i = 0; i < mutate->expectation_count; i++)
        free(mutate->expectations[i].name);
    free(mutate->mutants);
    free(mutate->expectations);
    free(mutate->verdict);
    free(mutate->why);
    *mutate = (struct lz_mutate){0};
}
