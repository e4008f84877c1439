// Whether the writes that showed a lock's token came in the order of their tokens: judged at the
// end of a run, by what the resource itself saw (model/service/fence.h). No history has to be
// recorded for it: a write that was accepted with a lower token than one before it is a fact.

#include "check/fenced.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/str.h"
#include "check/expect.h"
#include "check/recorded.h"
#include "model/data/database.h"
#include "model/node/instance.h"
#include "model/service/fence.h"

#define KEY_TOLD_MAX (1ull << 40) // above are hashes of texts, which say nothing

static void nothing_to_see(struct lz_checks *c, struct lz_expect *e, lz_time now)
{
    (void)c;
    (void)e;
    (void)now;
}

static void tell(const struct lz_world *w, struct lz_str *out, const char *text,
                 const struct lz_fence_write *write)
{
    char name[96] = "a request that had ended";
    if (write->client != 0)
        lz_instance_describe(w, write->client, name, sizeof(name));
    lz_str_addf(out, "    %s token %" PRIu64 ", by %s, at %.6f s\n", text, write->token, name,
                (double)write->at / 1e9);
}

static const char *explain(const struct lz_checks *c, const struct lz_fence_report *f)
{
    struct lz_world *w = c->world;
    struct lz_str text;
    lz_str_init(&text);
    if (f->key < KEY_TOLD_MAX)
        lz_str_addf(&text, "a write to key %" PRIu64, f->key);
    else
        lz_str_add(&text, "a write to one key");
    lz_str_add(&text, " was accepted after another with a higher token\n");
    tell(w, &text, "written with", &f->high);
    tell(w, &text, "then with", &f->low);
    const char *out = lz_arena_strdup(w->arena, text.text);
    lz_str_finish(&text);
    return out;
}

// Whether what one node has acknowledged is known wherever the next write may go.
static bool agrees(const struct lz_world *w, lz_component_id id)
{
    enum lz_component_kind kind = lz_world_component(w, id)->kind;
    return kind == LZ_COMPONENT_STORE ||
           (kind == LZ_COMPONENT_DATABASE && lz_database_hands_on(w, id));
}

static void decide(const struct lz_checks *c, const struct lz_expect *e, lz_time now,
                   struct lz_expect_result *r)
{
    (void)now;
    const char *name = lz_world_component(c->world, e->opts.of)->name;
    const struct lz_fence_report f = lz_fence_report(c->world, e->opts.of);
    snprintf(r->expected, sizeof(r->expected), "fenced, by the tokens that %s was shown", name);
    r->samples = f.accepted + f.refused;
    if (r->samples == 0) {
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "no write had a token");
        snprintf(
            r->why, sizeof(r->why),
            "no write to %s showed a token: write token = lock.token, of what a grant answered",
            name);
        return;
    }
    if (f.broken == 0 && f.by_others > 0 && !agrees(c->world, e->opts.of)) {
        r->verdict = LZ_VERDICT_INCONCLUSIVE;
        snprintf(r->actual, sizeof(r->actual), "%" PRIu64 " of %" PRIu64 " refused by other nodes",
                 f.by_others, f.refused);
        snprintf(
            r->why, sizeof(r->why),
            "another node of %s had been shown the higher token, and what it tells the rest may "
            "be lost: with replication = \"raft\" or \"sync\" it is not",
            name);
        return;
    }
    if (f.broken == 0) {
        r->verdict = LZ_VERDICT_PASS;
        snprintf(r->actual, sizeof(r->actual),
                 "%" PRIu64 " writes with tokens, %" PRIu64 " refused", f.accepted, f.refused);
        return;
    }
    r->verdict = LZ_VERDICT_FAIL;
    snprintf(r->actual, sizeof(r->actual), "stale-token: %" PRIu64 " of %" PRIu64 " writes",
             f.broken, f.accepted);
    r->details = explain(c, &f);
    r->at = f.low.at;
}

static const struct lz_temporal_op lz_temporal_fenced = {
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

bool lz_fenced_expect(struct lz_checks *c, const struct lz_expect_opts *opts, lz_expect_id *id,
                      struct lz_err *err)
{
    LZ_ASSERT(opts->of != 0);
    struct lz_recorded_opts *own = lz_arena_alloc(c->world->arena, sizeof(*own));
    *own = (struct lz_recorded_opts){.model = LZ_FENCED, .word = LZ_FENCED};
    struct lz_expect_opts o = *opts;
    o.temporal = LZ_HISTORY;
    o.history = own;
    o.op = &lz_temporal_fenced;
    o.matcher = (struct lz_matcher){.script = never_asked};
    return lz_check_expect(c, &o, id, err);
}
