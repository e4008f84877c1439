// The verdict of a run, in one place. A test that tested nothing must not pass: besides
// its expectations, a run answers for having had any, for its faults having bitten, and
// for anybody having used the system.

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "check/expect.h"
#include "model/real.h"
#include "model/traffic/traffic.h"

#define WHY_SIZE 400

static bool has_traffic(const struct lz_world *w)
{
    if (lz_real_is_live(w))
        if (lz_real_observations(w) > 0)
            return true;
    for (uint32_t id = 1; id <= w->component_count; id++)
        if (lz_world_component(w, id)->kind == LZ_COMPONENT_TRAFFIC && lz_traffic_sent(w, id) > 0)
            return true;
    return false;
}

// Units read "connections reset": things, and what became of them.
static void describe_idle_fault(const struct lz_world *w, const struct lz_fault *f, char *why,
                                size_t why_size)
{
    if (f->firings == 0)
        snprintf(why, why_size, "fault %s never fired", f->name);
    else if (f->missed)
        snprintf(why, why_size, "fault %s found no target", f->name);
    else if (f->effect == 0)
        snprintf(why, why_size, "fault %s touched nothing: 0 %s", f->name, f->kind->effect_unit);
    else
        snprintf(why, why_size, "fault %s was never noticed: %s", f->name, lz_fault_waits(w, f));
}

static bool has_bitten(const struct lz_world *w, const struct lz_fault *f)
{
    return f->firings > 0 && f->effect > 0 && lz_fault_waits(w, f) == NULL;
}

// Of what a chaos brings again and again one may come where nobody is: so may one with `every`.
static bool has_kin_bitten(const struct lz_checks *c, const struct lz_fault *f)
{
    size_t faults = lz_fault_count(c->faults);
    for (lz_fault_id id = 1; f->opts.family != 0 && id <= faults; id++) {
        const struct lz_fault *kin = lz_fault_get(c->faults, id);
        if (kin->opts.family == f->opts.family && has_bitten(c->world, kin))
            return true;
    }
    return false;
}

static bool is_fault_idle(const struct lz_checks *c, char *why, size_t why_size)
{
    size_t faults = c->faults != NULL ? lz_fault_count(c->faults) : 0;
    for (lz_fault_id id = 1; id <= faults; id++) {
        const struct lz_fault *f = lz_fault_get(c->faults, id);
        if (!f->is_left_out && !has_bitten(c->world, f) && !has_kin_bitten(c, f)) {
            describe_idle_fault(c->world, f, why, why_size);
            return true;
        }
    }
    const char *chaos = c->faults != NULL ? lz_fault_barren(c->faults) : NULL;
    if (chaos != NULL)
        snprintf(why, why_size,
                 "chaos \"%.100s\" brought nothing with this seed: shorten `mtbf`, or let the run "
                 "last longer",
                 chaos);
    return chaos != NULL;
}

// The first reason, if any, why this run tested nothing whatever its expectations say.
static bool is_idle(const struct lz_checks *c, char *why, size_t why_size)
{
    if (c->count == 0) {
        snprintf(why, why_size, "nothing is expected: add an expect block");
        return true;
    }
    if (lz_real_doubted(c->world) != NULL) {
        snprintf(why, why_size, "%s", lz_real_doubted(c->world));
        return true;
    }
    if (!has_traffic(c->world)) {
        snprintf(why, why_size, "%s",
                 lz_real_is_live(c->world) ? "no request and no answer of a probe was seen"
                                           : "no request was sent");
        return true;
    }
    return is_fault_idle(c, why, why_size);
}

// The first expectation with the worst verdict, severity "warn" aside; NULL if none counts.
static const struct lz_expect *worst_of(const struct lz_checks *c, uint32_t *alike)
{
    const struct lz_expect *worst = NULL;
    *alike = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct lz_expect *e = c->items[i];
        if (e->opts.warn)
            continue;
        if (worst == NULL || e->result.verdict > worst->result.verdict) {
            worst = e;
            *alike = 0;
        }
        *alike += e->result.verdict == worst->result.verdict;
    }
    return worst;
}

static void describe_worst(const struct lz_expect *e, uint32_t alike, char *why, size_t why_size)
{
    const struct lz_expect_result *r = &e->result;
    const char *reason = r->verdict == LZ_VERDICT_FAIL ? r->actual : r->why;
    if (alike > 1)
        snprintf(why, why_size, "%s: %s, and %u more", e->opts.name, reason, alike - 1);
    else
        snprintf(why, why_size, "%s: %s", e->opts.name, reason);
}

bool lz_checks_is_idle(const struct lz_checks *c)
{
    char why[WHY_SIZE];
    return is_idle(c, why, sizeof(why));
}

enum lz_verdict lz_checks_verdict(const struct lz_checks *c, char *why, size_t why_size)
{
    LZ_ASSERT(why != NULL);
    LZ_ASSERT(why_size > 0);
    why[0] = '\0';
    uint32_t alike;
    const struct lz_expect *worst = worst_of(c, &alike);
    enum lz_verdict verdict = worst != NULL ? worst->result.verdict : LZ_VERDICT_PASS;
    if (verdict == LZ_VERDICT_FAIL) {
        describe_worst(worst, alike, why, why_size);
        return LZ_VERDICT_FAIL;
    }
    if (is_idle(c, why, why_size))
        return LZ_VERDICT_INCONCLUSIVE;
    if (verdict == LZ_VERDICT_INCONCLUSIVE)
        describe_worst(worst, alike, why, why_size);
    return verdict;
}
