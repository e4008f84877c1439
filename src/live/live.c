#include "live/live.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/inner.h"
#include "live/told.h"
#include "model/journal.h"
#include "model/real.h"
#include "script/prompt.h"

#define STATUS_BAD 500
#define NOTE_MAX 1000

struct lz_loop *lz_live_loop(struct lz_live *live)
{
    return live->loop;
}

struct lz_world *lz_live_world(struct lz_live *live)
{
    return live->built.world;
}

const struct lz_live_plan *lz_live_plan_of(const struct lz_live *live)
{
    return live->plan;
}

struct lz_site *lz_live_site(struct lz_live *live)
{
    return live->site;
}

struct lz_undo *lz_live_undo(struct lz_live *live)
{
    return live->undo;
}

struct lz_acts *lz_live_acts(struct lz_live *live)
{
    return live->acts;
}

struct lz_proxy *lz_live_proxy(struct lz_live *live)
{
    return live->proxy;
}

struct lz_cable *lz_live_cable(struct lz_live *live)
{
    return live->cable;
}

struct lz_shaper *lz_live_shaper(struct lz_live *live)
{
    return live->shaper;
}

const char *lz_live_cable_lacks(const struct lz_live *live)
{
    return live->cable_lacks;
}

int lz_live_space(struct lz_live *live, uint32_t node)
{
    return live->spaces != NULL && node != LZ_SITE_NO_NODE ? lz_spaces_fd(live->spaces, node) : 0;
}

const char *lz_live_run_name(const struct lz_live *live)
{
    return live->opts->name;
}

// What happens in the world may itself ask for the time: it is the world's then.
lz_time lz_live_now(struct lz_live *live)
{
    static const volatile int never;
    struct lz_world *w = live->built.world;
    if (live->phase != LZ_LIVE_RUNNING || live->is_advancing)
        return lz_sim_now(w->sim);
    lz_time now = lz_loop_clock() - live->begun_ns;
    now = now < w->end ? now : w->end;
    if (now > lz_sim_now(w->sim) || now == 0) {
        live->is_advancing = true;
        lz_prompt_advance(live->script, now, 0, &never);
        live->is_advancing = false;
    }
    if (lz_script_trouble(live->script) != LZ_SCRIPT_OK)
        lz_loop_stop(live->loop);
    return lz_sim_now(w->sim);
}

void lz_live_arrived(struct lz_live *live, lz_component_id component)
{
    if (live->phase != LZ_LIVE_RUNNING)
        return;
    lz_live_now(live);
    lz_real_arrived(live->built.world, component);
}

void lz_live_answered(struct lz_live *live, lz_component_id component, enum lz_live_outcome outcome,
                      lz_time latency)
{
    static const enum lz_outcome as[] = {[LZ_LIVE_OK] = LZ_OUTCOME_OK,
                                         [LZ_LIVE_FAILED] = LZ_OUTCOME_ERROR,
                                         [LZ_LIVE_REFUSED] = LZ_OUTCOME_REFUSED,
                                         [LZ_LIVE_RESET] = LZ_OUTCOME_RESET};
    if (live->phase != LZ_LIVE_RUNNING)
        return;
    lz_live_now(live);
    if (outcome == LZ_LIVE_REFUSED)
        lz_real_refused(live->built.world, component);
    else
        lz_real_answered(live->built.world, component, as[outcome], latency);
}

static void tell_component(struct lz_live *live, lz_component_id id,
                           const struct lz_proxy_seen *seen)
{
    switch ((enum lz_proxy_saw)seen->saw) {
    case LZ_PROXY_ARRIVED:
        lz_live_arrived(live, id);
        return;
    case LZ_PROXY_ANSWERED:
        lz_live_answered(live, id, seen->status < STATUS_BAD ? LZ_LIVE_OK : LZ_LIVE_FAILED,
                         seen->latency_ns);
        return;
    case LZ_PROXY_REFUSED:
        lz_live_answered(live, id, LZ_LIVE_REFUSED, 0);
        return;
    case LZ_PROXY_RESET:
        lz_live_answered(live, id, LZ_LIVE_RESET, seen->latency_ns);
        return;
    }
}

void lz_live_on_seen(void *ctx, const struct lz_proxy_seen *seen)
{
    struct lz_live *live = ctx;
    for (size_t i = 0; i < live->site->edge_count; i++) {
        const struct lz_site_edge *e = &live->site->edges[i];
        lz_component_id own = e->to->target->component;
        // What arrived before the run began is answered in it: nobody's.
        if (e->proxy != seen->edge || seen->at_ns - seen->latency_ns < live->begun_ns)
            continue;
        tell_component(live, e->plan->server, seen);
        if (own != 0 && own != e->plan->server)
            tell_component(live, own, seen);
    }
}

void lz_live_probed(struct lz_live *live, lz_component_id probe, const struct lz_live_reading *r)
{
    if (live->phase != LZ_LIVE_RUNNING)
        return;
    lz_live_now(live);
    lz_real_probed(live->built.world, probe, r->is_ok, r->latency);
}

void lz_live_queried(struct lz_live *live, lz_metric metric, bool has_value, double value)
{
    if (live->phase != LZ_LIVE_RUNNING || !has_value)
        return;
    lz_live_now(live);
    lz_real_value(live->built.world, metric, value);
}

void lz_live_note(struct lz_live *live, const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    lz_live_now(live);
    if (live->phase == LZ_LIVE_RUNNING || live->phase == LZ_LIVE_ENDING)
        lz_journal_add(live->built.world, &(struct lz_journal_entry){.kind = "log"}, "%s", text);
    if (live->opts->is_quiet)
        return;
    fprintf(stderr, "%8.3f  %s\n", (double)lz_sim_now(live->built.world->sim) / 1e9, text);
}

void lz_live_doubt(struct lz_live *live, const char *fmt, ...)
{
    char text[NOTE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    lz_real_doubt(live->built.world, text);
    lz_live_note(live, "%s", text);
}

void lz_live_fail(struct lz_live *live, const char *fmt, ...)
{
    va_list ap;
    if (live->has_failed)
        return; // what follows from the first
    live->has_failed = true;
    va_start(ap, fmt);
    lz_str_vaddf(&live->said, fmt, ap);
    va_end(ap);
    lz_loop_stop(live->loop);
}

// ---------------------------------------------------------------- probes and queries

// Of a probe that lists what is in a topic.
static void tell_records(const struct lz_live_asked *a, const struct lz_live_reading *reading)
{
    struct lz_world *w = a->live->built.world;
    size_t count;
    if (!reading->is_ok || reading->text == NULL || !lz_recorder_is_on(w, a->probe.reads))
        return;
    bool is_cut = reading->size >= LZ_ASKER_KEEP_RECORDS;
    struct lz_recorder_told *records =
        lz_told_records(reading->text, reading->size, is_cut, &count);
    lz_recorder_tell_read(w, a->probe.reads, lz_sim_now(w->sim) - reading->latency, records, count);
    free(records);
}

static void on_probed(void *ctx, const struct lz_live_reading *reading, const char *said)
{
    struct lz_live_asked *a = ctx;
    (void)said;
    lz_live_probed(a->live, a->probe.component, reading);
    a->alike = reading->is_ok == a->was_ok ? a->alike + 1 : 1;
    a->was_ok = reading->is_ok;
    if (a->alike >= (a->was_ok ? a->probe.passes : a->probe.fails) &&
        a->live->phase == LZ_LIVE_RUNNING)
        lz_real_up(a->live->built.world, a->probe.component, a->was_ok);
    if (a->value != 0)
        lz_live_queried(a->live, a->value, reading->has_value, reading->value);
    if (a->probe.reads != 0 && a->live->phase == LZ_LIVE_RUNNING)
        tell_records(a, reading);
}

bool lz_live_start_probes(struct lz_live *live, struct lz_err *err)
{
    const struct lz_live_plan *plan = live->plan;
    live->asked = lz_mem_alloc((plan->probe_count + 1) * sizeof(*live->asked));
    live->proms = lz_mem_alloc((plan->prometheus_count + 1) * sizeof(struct lz_prom *));
    for (size_t i = 0; i < plan->probe_count; i++) {
        struct lz_live_asked *a = &live->asked[i];
        const struct lz_site_process *of =
            plan->probes[i].of != 0 ? &live->site->processes[plan->probes[i].of - 1] : NULL;
        *a = (struct lz_live_asked){.live = live, .probe = plan->probes[i]};
        if (!lz_prepare_probe(live->site, NULL, &live->texts, &a->probe, err))
            return lz_fail_in(err, "probe \"%s\"", a->probe.name);
        if (a->probe.has_value)
            a->value = lz_world_metric(live->built.world, a->probe.component, "value");
        a->asker = lz_asker_start(live, &a->probe, of, on_probed, a);
        live->asked_count = i + 1;
    }
    for (; live->prom_count < plan->prometheus_count; live->prom_count++)
        live->proms[live->prom_count] = lz_prom_start(live, &plan->prometheus[live->prom_count]);
    return true;
}

void lz_live_stop_probes(struct lz_live *live)
{
    for (size_t i = 0; i < live->asked_count; i++)
        lz_asker_stop(live->asked[i].asker);
    for (size_t i = 0; i < live->prom_count; i++)
        lz_prom_stop(live->proms[i]);
    live->asked_count = live->prom_count = 0;
    free(live->asked);
    free(live->proms);
    live->asked = NULL;
    live->proms = NULL;
}
