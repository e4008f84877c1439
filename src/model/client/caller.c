#include "model/client/caller.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/measure.h"

struct lz_callers {
    struct lz_caller **all; // by component; NULL: not measured
    uint32_t cap;
};

#define AT(member) offsetof(struct lz_caller, member)
static const struct lz_measure_row rows[] = {
    {"retries.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(retries), 0, 0,
     "attempts per second after a call's first"},
    {"retries.per_call", LZ_VIEW_RATIO, LZ_UNIT_COUNT, AT(retries), AT(calls), 0,
     "attempts after the first, per call made"},
    {"hedges.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(hedges), 0, 0,
     "requests per second sent beside one that is late"},
    {"hedges.per_call", LZ_VIEW_RATIO, LZ_UNIT_COUNT, AT(hedges), AT(calls), 0,
     "requests sent beside one that is late, per call made"},
    {"hedges.won", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(wins), AT(hedges), 0,
     "share of hedged requests that were answered first"},
    {"rejected.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(rejected), 0, 0,
     "attempts per second that a breaker or throttling kept from being made"},
    {"rejected.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(rejected), AT(calls), 0,
     "attempts that a breaker or throttling kept from being made, per call made"},
    {"shared.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(shared), 0, 0,
     "calls per second that took the answer of one under way"},
    {"shared.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(shared), AT(calls), 0,
     "share of the calls that took the answer of one under way"},
    {"breaker.open", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(open), 0, 0,
     "circuit breakers that are not closed, one per calling instance and call"},
    {"breaker.opened", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(opened), 0, 0,
     "times a closed circuit breaker opened"},
    {"ejections", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(ejections), 0, 0,
     "times a calling instance ejected a replica as an outlier"},
    {"ejected", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(ejected), 0, 0,
     "replicas ejected right now, one per calling instance"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_caller_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_caller *lz_caller_of(const struct lz_world *w, lz_component_id component)
{
    const struct lz_callers *cs = w->callers;
    return cs != NULL && component < cs->cap ? cs->all[component] : NULL;
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

void lz_caller_measure(struct lz_world *w, lz_component_id component, const char *name)
{
    if (w->running || lz_caller_of(w, component) != NULL || (name != NULL && !is_ours(name)))
        return;
    if (w->callers == NULL)
        w->callers = lz_arena_alloc(w->arena, sizeof(*w->callers));
    struct lz_callers *cs = w->callers;
    cs->all = lz_grow(w->arena, cs->all, &cs->cap, component + 1, sizeof(struct lz_caller *));
    struct lz_caller *c = cs->all[component] = lz_arena_alloc(w->arena, sizeof(*c));
    lz_series *counters[] = {&c->calls,    &c->retries, &c->hedges, &c->wins,
                             &c->rejected, &c->shared,  &c->opened, &c->ejections};
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        *counters[i] = lz_metrics_counter(w->metrics);
    c->open = lz_metrics_gauge(w->metrics, 0.0);
    c->ejected = lz_metrics_gauge(w->metrics, 0.0);
    lz_measure_define(w, component, "", rows, ROW_COUNT, c);
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++)
        if (lz_edge_get(w, id)->opts.from == component) {
            lz_edge_get(w, id)->caller = c;
            lz_edge_get(w, id)->is_watched = true;
        }
}

void lz_caller_count(struct lz_world *w, const struct lz_edge *e, enum lz_caller_event event)
{
    const struct lz_caller *c = e->caller;
    if (c == NULL)
        return;
    const lz_series series[] = {
        [LZ_CALLER_CALL] = c->calls,        [LZ_CALLER_RETRY] = c->retries,
        [LZ_CALLER_HEDGE] = c->hedges,      [LZ_CALLER_WIN] = c->wins,
        [LZ_CALLER_REJECTED] = c->rejected, [LZ_CALLER_SHARED] = c->shared,
    };
    lz_metrics_add(w->metrics, series[event], 1);
}

static void level(struct lz_world *w, lz_series gauge, lz_series counter, uint32_t *count,
                  int change)
{
    LZ_ASSERT(change == 1 || (change == -1 && *count > 0));
    *count += (uint32_t)change;
    lz_metrics_set(w->metrics, gauge, lz_sim_now(w->sim), *count);
    if (change > 0)
        lz_metrics_add(w->metrics, counter, 1);
}

void lz_caller_breaker(struct lz_world *w, const struct lz_edge *e, int change)
{
    struct lz_caller *c = e->caller;
    if (c != NULL)
        level(w, c->open, c->opened, &c->open_count, change);
}

void lz_caller_ejected(struct lz_world *w, const struct lz_edge *e, int change)
{
    struct lz_caller *c = e->caller;
    if (c != NULL)
        level(w, c->ejected, c->ejections, &c->ejected_count, change);
}
