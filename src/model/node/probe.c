/*
 * probe.c — startup, liveness and readiness probes, as the kubelet makes them.
 *
 * Each probe of each instance has its own phase, drawn once: processes come and go, the period
 * goes on. kubernetes/pkg/kubelet/prober/worker.go: a result counts when it has come as often in
 * a row as its threshold says; liveness begins as passed, the others as failed. Until the startup
 * probe has passed there are no others, and then it is over for this process; the first readiness
 * probe is made at once then (prober_manager.go, UpdatePodStatus), without waiting for its period.
 */
#include "base/check.h"
#include "model/node/capacity.h"
#include "model/node/life_state.h"

struct lz_probes {
    lz_kind tick, late;
};

static const struct lz_probe_opts *opts_of(const struct lz_life *l, enum lz_probe_kind kind)
{
    const struct lz_probe_opts *const all[] = {[LZ_PROBE_LIVENESS] = &l->opts->liveness,
                                               [LZ_PROBE_READINESS] = &l->opts->readiness,
                                               [LZ_PROBE_STARTUP] = &l->opts->startup_probe};
    return all[kind];
}

static void probe(struct lz_world *w, lz_instance_id id, enum lz_probe_kind kind);

// The container has started, for the kubelet: who has no readiness probe is ready.
static void pass_startup(struct lz_world *w, lz_instance_id id)
{
    struct lz_life *l = lz_life_get(w, id);
    l->is_started = true;
    lz_instance_note(w, id, "startup", "passes its startup probe");
    if (l->opts->readiness.is_on)
        probe(w, id, LZ_PROBE_READINESS);
    else
        lz_life_set_ready(w, id, true);
}

static void judge(struct lz_world *w, lz_instance_id id, enum lz_probe_kind kind, bool passed)
{
    struct lz_life *l = lz_life_get(w, id);
    const struct lz_probe_opts *o = opts_of(l, kind);
    struct lz_probe *p = &l->probes[kind];
    if (l->is_started == (kind == LZ_PROBE_STARTUP))
        return;
    p->run = p->passed == passed ? p->run + 1 : 1;
    p->passed = passed;
    if (p->run < (passed ? o->success_threshold : o->failure_threshold))
        return;
    if (kind == LZ_PROBE_READINESS)
        lz_life_set_ready(w, id, passed);
    else if (!passed)
        lz_life_fails(w, id, kind == LZ_PROBE_STARTUP ? "startup" : "liveness");
    else if (kind == LZ_PROBE_STARTUP)
        pass_startup(w, id);
}

// How long a process that runs takes to answer; it does not queue for a worker.
static lz_time answer_ns(struct lz_world *w, lz_instance_id id, const struct lz_probe_opts *o)
{
    if (o->work == 0)
        return 0;
    const struct lz_capacity *c = lz_capacity_get(w, id);
    if (c == NULL)
        return 0;
    return lz_cpu_estimate(c->cpu, o->work);
}

// What the event of its timeout carries: of the kind the lowest bit is at the bottom, the rest on
// top.
static uint64_t late_of(const struct lz_instance *i, bool stands, enum lz_probe_kind kind)
{
    return (uint64_t)kind >> 1 << 40 | (uint64_t)i->incarnation << 2 | (uint64_t)stands << 1 |
           ((uint64_t)kind & 1);
}

static void probe(struct lz_world *w, lz_instance_id id, enum lz_probe_kind kind)
{
    const struct lz_life *l = lz_life_get(w, id);
    const struct lz_probe_opts *o = opts_of(l, kind);
    const struct lz_instance *i = lz_instance_get(w, id);
    if (!lz_instance_runs(i) || l->is_told || lz_sim_now(w->sim) - l->begun < o->initial_delay)
        return;
    if (l->is_started == (kind == LZ_PROBE_STARTUP))
        return;
    bool stands = i->state == LZ_INSTANCE_PAUSED;
    if (stands || (i->state == LZ_INSTANCE_UP && answer_ns(w, id, o) > o->timeout))
        lz_sim_at(w->sim, lz_sim_now(w->sim) + o->timeout, w->probes->late, id,
                  late_of(i, stands, kind));
    else
        judge(w, id, kind,
              i->state == LZ_INSTANCE_UP &&
                  !(kind == LZ_PROBE_READINESS && l->flaw == LZ_LIFE_NEVER_READY));
}

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    enum lz_probe_kind kind = (enum lz_probe_kind)payload;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + opts_of(lz_life_get(w, entity), kind)->period,
              w->probes->tick, entity, payload);
    probe(w, entity, kind);
}

// The timeout of a probe: one that went on in time has answered.
static void on_late(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    const struct lz_instance *i = lz_instance_get(w, entity);
    enum lz_probe_kind kind = (enum lz_probe_kind)(payload >> 40 << 1 | (payload & 1));
    if (i->incarnation != (uint32_t)(payload >> 2) || lz_life_get(w, entity)->is_told)
        return;
    bool stood = (payload >> 1 & 1) != 0;
    judge(w, entity, kind, stood && i->state == LZ_INSTANCE_UP);
}

void lz_probes_reset(struct lz_life *l)
{
    l->probes[LZ_PROBE_LIVENESS] = (struct lz_probe){.passed = true};
    l->probes[LZ_PROBE_READINESS] = (struct lz_probe){.passed = !l->is_unready};
    l->probes[LZ_PROBE_STARTUP] = (struct lz_probe){.passed = false};
}

void lz_probes_start(struct lz_world *w, lz_instance_id id)
{
    const struct lz_life *l = lz_life_get(w, id);
    uint64_t owner = lz_instance_path(w, id);
    for (int kind = 0; kind < LZ_PROBE_KINDS; kind++) {
        const struct lz_probe_opts *o = opts_of(l, (enum lz_probe_kind)kind);
        if (!o->is_on)
            continue;
        struct lz_draw draw =
            lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_PROBE, (uint64_t)kind);
        lz_time phase = (lz_time)(lz_draw_unit(&draw) * (double)o->period);
        lz_sim_at(w->sim, lz_sim_now(w->sim) + phase, w->probes->tick, id, (uint64_t)kind);
    }
}

void lz_probes_init(struct lz_world *w)
{
    w->probes = lz_arena_alloc(w->arena, sizeof(*w->probes));
    w->probes->tick = lz_sim_kind(w->sim, "life.probe", on_tick, w);
    w->probes->late = lz_sim_kind(w->sim, "life.probe_late", on_late, w);
}
