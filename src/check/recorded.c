// What clients did and saw, over the whole run: judged at its end, by a model of history/.
//
// The answer has three values, as a verdict has. If the checker and what the servers know
// contradict each other, neither is to be trusted: the expectation is inconclusive, the history is
// saved, and whoever reads it is asked to report a bug of ours.

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/expect.h"
#include "check/history/counted.h"
#include "check/history/history_write.h"
#include "check/history/judge.h"
#include "check/recorded.h"

#define WHY_LINES_MAX 14

static void nothing_to_see(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    (void)c;
    (void)e;
    (void)now;
}

// False: nothing can be written here.
static bool save(const struct lz_checks *c, const struct lz_recorder *r, const char *path)
{
    struct lz_str text;
    lz_str_init(&text);
    lz_history_write(c->world, r, &(struct lz_history_naming){0}, &text);
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(text.text, 1, text.len, file) == text.len;
    ok = (file == NULL || fclose(file) == 0) && ok;
    lz_str_finish(&text);
    return ok;
}

// The rest of the run is as good as it was: only this is not known.
static void contradicted(const struct lz_checks *c, const struct lz_recorder *recorder,
                         const struct lz_judge_result *j, struct lz_expect_result *r)
{
    char path[80];
    snprintf(path, sizeof(path), "lorenz-history-%016llx.jsonl",
             (unsigned long long)lz_sim_trace(c->world->sim));
    bool is_saved = save(c, recorder, path);
    r->verdict = LZ_VERDICT_INCONCLUSIVE;
    r->samples = j->operations;
    snprintf(r->actual, sizeof(r->actual), "a bug of Lorenz");
    snprintf(r->why, sizeof(r->why),
             "a bug of Lorenz: its checker says that the history is %s, and what the servers know "
             "says that it is %s; please report it, with %s%s",
             j->answer == LZ_VERIFY_HOLDS ? "good" : "bad",
             j->white == LZ_JUDGE_PROVEN ? "good" : "bad",
             is_saved ? "the scenario, the seed and " : "the scenario and the seed",
             is_saved ? path : "");
}

// The first lines of an explanation; it may be as long as the history.
static char *shorten(const struct lz_checks *c, const char *text)
{
    const char *end = text;
    for (int line = 0; line < WHY_LINES_MAX && *end != '\0'; line++) {
        end += strcspn(end, "\n");
        end += *end == '\n';
    }
    size_t len = (size_t)(end - text);
    char *out = lz_arena_alloc(c->world->arena, len + 1);
    memcpy(out, text, len);
    return out;
}

static void describe(const struct lz_checks *c, const struct lz_expect *e,
                     const struct lz_judge_result *j, struct lz_expect_result *r)
{
    static const enum lz_verdict verdicts[] = {[LZ_VERIFY_HOLDS] = LZ_VERDICT_PASS,
                                               [LZ_VERIFY_VIOLATED] = LZ_VERDICT_FAIL,
                                               [LZ_VERIFY_UNKNOWN] = LZ_VERDICT_INCONCLUSIVE};
    r->verdict = verdicts[j->answer];
    r->samples = j->operations;
    if (j->answer == LZ_VERIFY_VIOLATED) {
        snprintf(r->actual, sizeof(r->actual), "%s: %s", j->anomaly, j->facts.text);
        r->details = shorten(c, j->why.text);
        r->at = j->at > 0 ? j->at : r->at;
        return;
    }
    snprintf(r->actual, sizeof(r->actual), "%s", j->facts.text);
    if (j->answer == LZ_VERIFY_HOLDS)
        return;
    size_t len = strcspn(j->why.text, "\n");
    enum lz_recorder_kind kind = lz_counted_kind(e->opts.history->model);
    if (j->operations == 0 && kind != LZ_RECORDER_OBJECTS)
        lz_counted_lacks(lz_recorder_of(c->world, e->opts.of), kind,
                         lz_world_component(c->world, e->opts.of), r->why, sizeof(r->why));
    else if (j->operations == 0)
        snprintf(r->why, sizeof(r->why), "nothing was done to %s that %s is about",
                 lz_world_component(c->world, e->opts.of)->name, e->opts.history->word);
    else
        snprintf(r->why, sizeof(r->why), "%.*s", (int)len, j->why.text);
}

static void decide(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                   struct lz_expect_result *r)
{
    (void)now;
    const struct lz_recorded_opts *o = e->opts.history;
    const struct lz_recorder *recorder = lz_recorder_of(c->world, e->opts.of);
    // Not strict: real time is what `linearizable` is about.
    const struct lz_judge_opts opts = {.model = o->model,
                                       .consistency =
                                           o->consistency != NULL ? o->consistency : "serializable",
                                       .column = o->column,
                                       .tolerates = o->tolerates,
                                       .steps_max = o->steps_max};
    struct lz_judge_result j;
    struct lz_err err;
    LZ_ASSERT(recorder != NULL);
    snprintf(r->expected, sizeof(r->expected), "%s, by the history of %s", o->word,
             lz_world_component(c->world, e->opts.of)->name);
    if (recorder->dropped > 0) {
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "not judged");
        snprintf(r->why, sizeof(r->why), "%llu operations too many: at most %u are recorded",
                 (unsigned long long)recorder->dropped, LZ_RECORDER_OPS_MAX);
        return;
    }
    enum lz_recorder_kind kind = lz_counted_kind(o->model);
    const char *obstacle = kind != LZ_RECORDER_OBJECTS ? lz_counted_obstacle(recorder, kind) : NULL;
    if (obstacle != NULL) {
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "not judged");
        snprintf(r->why, sizeof(r->why), "%s", obstacle);
        return;
    }
    uint64_t unknown = kind == LZ_RECORDER_OBJECTS ? lz_judge_untold(recorder) : 0;
    if (unknown > 0) {
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "not judged");
        snprintf(r->why, sizeof(r->why),
                 "%llu operation%s wrote what no client knows: several keys at once, an "
                 "increment without an answer, an element of a set, or SQL that was tried again",
                 (unsigned long long)unknown, unknown == 1 ? "" : "s");
        return;
    }
    if (!lz_judge_run(c->world, recorder, &opts, &j, &err)) {
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "not judged");
        snprintf(r->why, sizeof(r->why), "%s", err.msg);
        return;
    }
    if (j.is_contradiction) {
        contradicted(c, recorder, &j, r);
        lz_judge_finish(&j);
        return;
    }
    if (recorder->hidden > 0 && j.answer == LZ_VERIFY_HOLDS) {
        j.answer = LZ_VERIFY_UNKNOWN;
        lz_str_clear(&j.why);
        lz_str_addf(
            &j.why,
            "%llu statement%s did not say which rows: a SELECT tells what it read if it has "
            "its table's primary key among its columns",
            (unsigned long long)recorder->hidden, recorder->hidden == 1 ? "" : "s");
    }
    describe(c, e, &j, r);
    lz_judge_finish(&j);
}

const struct lz_temporal_op lz_temporal_recorded = {
    .word = "history",
    .second = nothing_to_see,
    .decide = decide,
};

static bool never_asked(void *ctx, uint32_t ref)
{
    (void)ctx;
    (void)ref;
    return false;
}

// "POST /like", with a line for each: what they do.
static bool play(const struct lz_checks *c, const struct lz_expect_opts *opts, const char *ops,
                 const struct lz_recorder_role *role, struct lz_err *err)
{
    for (const char *at = ops; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, "\n");
        char *op = lz_arena_alloc(c->world->arena, size + 1);
        memcpy(op, at, size);
        if (!lz_recorder_play(c->world, opts->of, op, role, err))
            return false;
        at += size + (at[size] == '\n');
    }
    return true;
}

static bool plays(const struct lz_checks *c, const struct lz_expect_opts *opts, struct lz_err *err)
{
    const struct lz_recorded_opts *o = opts->history;
    bool is_set = lz_counted_kind(o->model) == LZ_RECORDER_SETS;
    const struct lz_recorder_role adds = {.f = is_set ? LZ_RECORDER_INSERT : LZ_RECORDER_ADD};
    const struct lz_recorder_role reads = {.f = is_set ? LZ_RECORDER_MEMBERS : LZ_RECORDER_READ};
    const struct lz_recorder_role ids = {.f = LZ_RECORDER_ADD, .is_id = true};
    if (o->per_key)
        lz_recorder_part(c->world, opts->of);
    return play(c, opts, o->adds, &adds, err) && play(c, opts, o->reads, &reads, err) &&
           play(c, opts, o->generates, &ids, err);
}

bool lz_recorded_expect(struct lz_checks *c, const struct lz_expect_opts *opts, lz_expect_id *id,
                        struct lz_err *err)
{
    LZ_ASSERT(opts->history != NULL);
    bool is_log = strcmp(opts->history->model, LZ_JUDGE_PARTITIONS) == 0;
    if (!is_log && lz_verify_find(opts->history->model) == NULL)
        return lz_fail(err, LZ_EINVAL, "there is no model \"%s\" of histories",
                       opts->history->model);
    if (opts->over != 0)
        return lz_fail(err, LZ_EINVAL, "`over` has no meaning for a history: it is of all of it");
    struct lz_recorded_opts *own = lz_arena_alloc(c->world->arena, sizeof(*own));
    *own = *opts->history;
    own->model = lz_arena_strdup(c->world->arena, own->model);
    own->word = lz_arena_strdup(c->world->arena, own->word);
    if (own->tolerates != NULL)
        own->tolerates = lz_arena_strdup(c->world->arena, own->tolerates);
    if (own->column != NULL)
        own->column = lz_arena_strdup(c->world->arena, own->column);
    if (own->consistency != NULL)
        own->consistency = lz_arena_strdup(c->world->arena, own->consistency);
    struct lz_expect_opts o = *opts;
    o.temporal = LZ_HISTORY;
    o.history = own;
    o.op = &lz_temporal_recorded;
    o.matcher = (struct lz_matcher){.script = never_asked};
    if (!lz_check_expect(c, &o, id, err))
        return false;
    lz_recorder_watch(c->world, opts->of);
    lz_recorder_ask(c->world, opts->of, lz_counted_kind(own->model));
    return is_log || plays(c, opts, err);
}
