#include "model/service/autoscale.h"

#include "base/check.h"
#include "model/journal.h"
#include "model/node/endpoint.h"
#include "model/node/life.h"
#include "model/service/image.h"
#include "model/service/platform.h"
#include "model/service/service_state.h"

#define DRAIN_LOOK LZ_S

enum slot_state { PREPARED, STARTING, SERVING, DRAINING };

struct slot {
    uint8_t state;
    bool is_held;  // STARTING: the platform does not let it
    uint32_t turn; // counts its moves: an event of an earlier turn is stale
    lz_time since;
    double used_ns; // of the CPU, in ns of one core, at the last look
};

struct lz_autoscale {
    struct slot *slots; // one for each replica there may be
    lz_time looked, decided;
    uint64_t looks;
};

// Kubernetes counts in whole percent.
static double percent_of(double used, uint32_t replicas)
{
    return (double)(int64_t)(used / (double)replicas * 100.0 + 1e-9);
}

static double ratio_of(const struct lz_autoscale_view *v, double used, uint32_t replicas)
{
    return percent_of(used, replicas) / (double)(int64_t)(v->target * 100.0 + 1e-9);
}

static uint32_t round_up(double replicas)
{
    uint32_t whole = (uint32_t)replicas;
    return (double)whole < replicas ? whole + 1 : whole;
}

static bool is_near(double ratio)
{
    return ratio >= 1.0 - LZ_AUTOSCALE_TOLERANCE && ratio <= 1.0 + LZ_AUTOSCALE_TOLERANCE;
}

uint32_t lz_autoscale_desired(const struct lz_autoscale_view *v)
{
    LZ_ASSERT(v->target > 0.0);
    LZ_ASSERT(v->used >= 0.0);
    uint32_t current = v->ready + v->starting + v->missing;
    if (v->ready == 0)
        return current; // nothing is known
    double ratio = ratio_of(v, v->used, v->ready);
    bool is_up = ratio > 1.0;
    bool with_starting = v->starting > 0 && is_up;
    if (!with_starting && v->missing == 0)
        return is_near(ratio) ? current : round_up(ratio * v->ready);
    uint32_t counted = v->ready + (with_starting ? v->starting : 0);
    counted += is_up || ratio < 1.0 ? v->missing : 0;
    double missing_use = v->target > 1.0 ? v->target : 1.0;
    double used = v->used + (ratio < 1.0 ? missing_use * v->missing : 0.0);
    double cautious = ratio_of(v, used, counted);
    if (is_near(cautious) || (ratio < 1.0 && cautious > 1.0) || (is_up && cautious < 1.0))
        return current;
    uint32_t desired = round_up(cautious * counted);
    if ((cautious < 1.0 && desired > current) || (cautious > 1.0 && desired < current))
        return current;
    return desired;
}

bool lz_autoscale_check(struct lz_autoscale_opts *o, uint32_t replicas, struct lz_err *err)
{
    LZ_ASSERT(o->max > 0);
    if (o->min == 0)
        o->min = 1;
    if (o->max > LZ_SERVICE_REPLICAS_MAX)
        return lz_fail(err, LZ_EFULL, "autoscale: max must be at most %d, got %u",
                       LZ_SERVICE_REPLICAS_MAX, o->max);
    if (o->min > o->max)
        return lz_fail(err, LZ_ERANGE, "autoscale: min (%u) is above max (%u)", o->min, o->max);
    if (!(o->target_cpu >= 0.01 && o->target_cpu <= 1.0))
        return lz_fail(err, LZ_ERANGE,
                       "autoscale: target_cpu must be between 1%% and 100%%, got "
                       "%g%%",
                       o->target_cpu * 100.0);
    if (o->period == 0)
        o->period = LZ_AUTOSCALE_PERIOD;
    if (o->startup < 0 || o->cooldown < 0 || o->period < 0)
        return lz_fail(err, LZ_ERANGE, "autoscale: times must be positive");
    if (replicas != 0 && (replicas < o->min || replicas > o->max))
        return lz_fail(err, LZ_ERANGE,
                       "autoscale: it begins with %u replicas, and may have %u to %u", replicas,
                       o->min, o->max);
    return true;
}

static struct slot *slot_at(const struct lz_service *s, uint32_t index)
{
    LZ_ASSERT(s->scale != NULL && index < s->slots);
    return &s->scale->slots[index];
}

static void move(struct lz_world *w, struct slot *slot, enum slot_state to)
{
    static const uint8_t from[] = {
        [PREPARED] = 1u << STARTING | 1u << DRAINING,
        [STARTING] = 1u << PREPARED,
        [SERVING] = 1u << STARTING,
        [DRAINING] = 1u << SERVING,
    };
    LZ_ASSERT(from[to] & 1u << slot->state);
    slot->state = (uint8_t)to;
    slot->since = lz_sim_now(w->sim);
    slot->turn++;
}

// The index lies in the upper half of what a slot's events carry, the turn in the lower.
static void plan(struct lz_world *w, const struct lz_service *s, uint32_t index, lz_time wait)
{
    lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, w->services->slot, s->id,
              (uint64_t)index << 32 | slot_at(s, index)->turn);
}

static void change_present(struct lz_world *w, struct lz_service *s, bool is_more)
{
    LZ_ASSERT(is_more || s->present > 1);
    s->present += is_more ? 1u : -1u;
    LZ_ASSERT(s->present <= s->slots);
    lz_level_present(w, s);
}

static void serve(struct lz_world *w, struct lz_service *s, uint32_t index)
{
    struct slot *slot = slot_at(s, index);
    lz_instance_id id = s->first + index;
    move(w, slot, SERVING);
    slot->used_ns = s->replicas[index].rules->use.ns;
    lz_instance_restart(w, id);
    lz_endpoint_add(w, id);
    change_present(w, s, true);
}

// Its process has ended; it is held down as one that never was there.
static void end(struct lz_world *w, struct lz_service *s, uint32_t index)
{
    lz_instance_id id = s->first + index;
    move(w, slot_at(s, index), PREPARED);
    lz_endpoint_remove(w, id);
    lz_instance_kill(w, id);
    lz_life_release(w, id);
    change_present(w, s, false);
}

static void on_slot(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_service *s = lz_service_at(w, entity);
    uint32_t index = (uint32_t)(payload >> 32);
    if (slot_at(s, index)->turn != (uint32_t)payload)
        return;
    if (slot_at(s, index)->state == STARTING)
        serve(w, s, index);
    else if (!lz_instance_runs(lz_instance_get(w, s->first + index)))
        end(w, s, index);
    else
        plan(w, s, index, DRAIN_LOOK);
}

static void begin_start(struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    struct slot *slot = slot_at(s, index);
    lz_time late = 0;
    bool was_held = slot->is_held;
    slot->is_held = lz_platform_holds_start(w, s->first + index, !was_held, &late);
    if (!slot->is_held && !lz_image_fetch(w, s->first + index)) {
        slot->is_held = true; // it has said so
        return;
    }
    if (!slot->is_held)
        plan(w, s, index, s->opts.autoscale.startup + late);
    else if (!was_held)
        lz_instance_note(w, s->first + index, "pending", "waits for the platform");
}

// The lowest that are prepared; fewer if some still drain.
static void add(struct lz_world *w, struct lz_service *s, uint32_t count)
{
    for (uint32_t i = 0; i < s->slots && count > 0; i++) {
        if (slot_at(s, i)->state != PREPARED)
            continue;
        move(w, slot_at(s, i), STARTING);
        begin_start(w, s, i);
        count--;
    }
}

// The highest: those that start before those that serve.
static void take(struct lz_world *w, struct lz_service *s, uint32_t count)
{
    for (uint32_t i = s->slots; i-- > 0 && count > 0;) {
        if (slot_at(s, i)->state != STARTING)
            continue;
        move(w, slot_at(s, i), PREPARED);
        slot_at(s, i)->is_held = false;
        count--;
    }
    for (uint32_t i = s->slots; i-- > 0 && count > 0;) {
        if (slot_at(s, i)->state != SERVING)
            continue;
        move(w, slot_at(s, i), DRAINING);
        lz_life_stop(w, s->first + i, -1);
        plan(w, s, i, DRAIN_LOOK);
        count--;
    }
    LZ_ASSERT(count == 0);
}

// What there is, and what it used since the last look.
static struct lz_autoscale_view look(struct lz_world *w, struct lz_service *s)
{
    struct lz_autoscale_view view = {.target = s->opts.autoscale.target_cpu};
    lz_time now = lz_sim_now(w->sim);
    for (uint32_t i = 0; i < s->slots; i++) {
        struct slot *slot = slot_at(s, i);
        struct lz_service_replica *r = &s->replicas[i];
        if (slot->state == STARTING)
            view.starting++;
        if (slot->state != SERVING)
            continue;
        lz_level_settle_cpu(w, r);
        lz_time since = slot->since > s->scale->looked ? slot->since : s->scale->looked;
        double used = r->rules->use.ns - slot->used_ns;
        slot->used_ns = r->rules->use.ns;
        if (!lz_instance_has_begun(lz_instance_get(w, s->first + i)) || now == since) {
            view.missing++;
            continue;
        }
        view.ready++;
        view.used += used / ((double)(now - since) * s->cores);
    }
    s->scale->looked = now;
    return view;
}

static uint32_t wanted(const struct lz_service *s, const struct lz_autoscale_view *view)
{
    uint32_t desired = lz_autoscale_desired(view);
    if (desired < s->opts.autoscale.min)
        return s->opts.autoscale.min;
    return desired < s->opts.autoscale.max ? desired : s->opts.autoscale.max;
}

static void on_look(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_service *s = lz_service_at(w, entity);
    lz_time now = lz_sim_now(w->sim);
    lz_sim_at(w->sim, now + s->opts.autoscale.period, w->services->scale, entity, 0);
    if (lz_platform_loses_sample(w, s->id, s->scale->looks++))
        return; // of what is not known nothing is decided
    struct lz_autoscale_view view = look(w, s);
    uint32_t current = view.ready + view.starting + view.missing, desired = wanted(s, &view);
    bool cools = s->scale->decided > 0 && now - s->scale->decided < s->opts.autoscale.cooldown;
    if (desired == current || cools || lz_platform_withholds(w, s->id, LZ_PLATFORM_DECIDE))
        return;
    s->scale->decided = now;
    lz_metrics_set(w->metrics, s->series.desired, now, desired);
    lz_journal_add(w, &(struct lz_journal_entry){.component = s->id, .kind = "scale"},
                   "%s goes from %u to %u replicas, cpu at %.0f%% of %.0f%%", s->opts.name, current,
                   desired, view.ready > 0 ? view.used / view.ready * 100.0 : 0.0,
                   view.target * 100.0);
    if (desired > current)
        add(w, s, desired - current);
    else
        take(w, s, current - desired);
}

bool lz_autoscale_is_on(const struct lz_world *w, lz_component_id id)
{
    return lz_service_at(w, id)->scale != NULL;
}

void lz_autoscale_reconsider(struct lz_world *w)
{
    for (lz_component_id id = 1; id < w->services->cap; id++) {
        const struct lz_service *s = w->services->all[id];
        for (uint32_t i = 0; s != NULL && s->scale != NULL && i < s->slots; i++)
            if (slot_at(s, i)->state == STARTING && slot_at(s, i)->is_held)
                begin_start(w, s, i);
    }
}

void lz_autoscale_init(struct lz_world *w)
{
    w->services->scale = lz_sim_kind(w->sim, "autoscale", on_look, w);
    w->services->slot = lz_sim_kind(w->sim, "replica", on_slot, w);
}

void lz_autoscale_create(struct lz_world *w, struct lz_service *s)
{
    LZ_ASSERT(!w->running);
    s->scale = lz_arena_alloc(w->arena, sizeof(*s->scale));
    s->keeps_cpu = true;
    s->scale->slots = lz_arena_alloc(w->arena, s->slots * sizeof(*s->scale->slots));
    for (uint32_t i = 0; i < s->slots; i++) {
        s->scale->slots[i].state = i < s->present ? SERVING : PREPARED;
        if (i >= s->present)
            lz_instance_prepare(w, s->first + i);
    }
    lz_sim_at(w->sim, s->opts.autoscale.period, w->services->scale, s->id, 0);
}
