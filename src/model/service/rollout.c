#include "model/service/rollout.h"

#include <stdio.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/journal.h"
#include "model/node/life.h"
#include "model/service/platform.h"
#include "model/service/pod_order.h"
#include "model/service/rollout_sets.h"
#include "model/service/version.h"

enum event { SYNC, DEADLINE };

bool lz_rollout_is_on(const struct lz_world *w, lz_component_id service)
{
    return lz_service_at(w, service)->rollout != NULL;
}

uint32_t lz_rollout_desired(const struct lz_service *s)
{
    return s->rollout->desired;
}

// ---- pods as the sets should have them

static void adjust(struct lz_world *w, struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->sets[i].active > r->sets[i].size)
            lz_pod_order_take(w, s, i, r->sets[i].active - r->sets[i].size);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct lz_rollout_set *set = &r->sets[i];
        struct lz_pods_kind kind = {.set = i, .version = set->version};
        if (set->active < set->size)
            lz_pods_add(w, s, kind, set->size - set->active); // the rest when a place is free
    }
}

// ---- going on, and being over

static const char *version_name(const struct lz_service *s, uint32_t number)
{
    return number != 0 ? lz_version_name(s, number) : "the service as declared";
}

static void mark(struct lz_world *w, const struct lz_service *s, const char *what)
{
    char name[320]; // a name of 200 bytes, and what
    struct lz_err err;
    snprintf(name, sizeof(name), "%s %s", s->opts.name, what);
    if (!lz_journal_mark(w, name, s->opts.line, &err))
        lz_journal_add(w, &(struct lz_journal_entry){.kind = "deploy", .component = s->id},
                       "%s: %s", name, err.msg);
}

static void wait_for_deadline(struct lz_world *w, const struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    if (r->deadline == 0 && r->is_running && !r->has_stalled)
        r->deadline = lz_sim_at(w->sim, r->progressed + s->opts.rollout.deadline,
                                w->services->rollout, s->id, DEADLINE);
}

static void conclude(struct lz_world *w, struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    r->is_running = false;
    lz_sim_cancel(w->sim, r->deadline);
    r->deadline = 0;
    lz_journal_add(w, &(struct lz_journal_entry){.kind = "deployed", .component = s->id},
                   "%s has %s deployed after %.3g s: %u replicas are available", s->opts.name,
                   version_name(s, lz_rollout_sets_newest(r)->version),
                   (double)(lz_sim_now(w->sim) - r->begun) / 1e9, r->desired);
    mark(w, s, "deployed");
}

static void count_versions(struct lz_world *w, const struct lz_service *s)
{
    uint32_t ready[LZ_VERSIONS_MAX + 1] = {0};
    for (uint32_t i = 0; s->versions != NULL && i < s->slots; i++)
        if (lz_pods_at(s, i)->state == LZ_POD_SERVING && lz_pods_at(s, i)->is_ready)
            ready[lz_pods_at(s, i)->version]++;
    if (s->versions != NULL)
        lz_version_counted(w, s, ready);
}

static void look_at_progress(struct lz_world *w, struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    struct lz_rollout_set all = lz_rollout_sets_total(r);
    const struct lz_rollout_set *to = lz_rollout_sets_newest(r);
    struct lz_rollout_progress now = {.updated = to->active,
                                      .old = all.active - to->active,
                                      .ready = all.ready,
                                      .available = all.available};
    bool goes_on = now.updated > r->progress.updated || now.old < r->progress.old ||
                   now.ready > r->progress.ready || now.available > r->progress.available;
    r->progress = now;
    lz_time at = lz_sim_now(w->sim);
    count_versions(w, s);
    lz_metrics_set(w->metrics, s->series.updated, at, to->active);
    lz_metrics_set(w->metrics, s->series.available, at, all.available);
    lz_metrics_set(w->metrics, s->series.unavailable, at,
                   all.size > all.available ? (double)(all.size - all.available) : 0.0);
    if (!r->is_running)
        return;
    if (goes_on) {
        r->progressed = at;
        r->has_stalled = false;
    }
    if (now.updated == r->desired && now.old == 0 && to->available == r->desired)
        conclude(w, s);
    else
        wait_for_deadline(w, s);
}

// Is there anything to decide, and may nobody?
static bool is_withheld(struct lz_world *w, const struct lz_service *s)
{
    const struct lz_rollout *r = s->rollout;
    bool is_due = r->is_running;
    for (uint32_t i = 0; i < r->count; i++)
        is_due = is_due || r->sets[i].active != r->sets[i].size;
    return is_due && lz_platform_is_stopped(w, s->id);
}

static void sync(struct lz_world *w, struct lz_service *s)
{
    lz_rollout_sets_count(w, s);
    bool is_more = !is_withheld(w, s);
    while (is_more) {
        lz_rollout_sets_count(w, s);
        is_more = s->rollout->is_running && lz_rollout_sets_step(s);
        adjust(w, s);
    }
    lz_rollout_sets_count(w, s);
    look_at_progress(w, s);
}

static void on_deadline(struct lz_world *w, struct lz_service *s)
{
    struct lz_rollout *r = s->rollout;
    r->deadline = 0;
    if (lz_sim_now(w->sim) - r->progressed < s->opts.rollout.deadline) {
        wait_for_deadline(w, s);
        return;
    }
    r->has_stalled = true;
    lz_journal_add(w, &(struct lz_journal_entry){.kind = "stalled", .component = s->id},
                   "%s makes no progress with %s for %.4g s: %u of %u are available", s->opts.name,
                   version_name(s, lz_rollout_sets_newest(r)->version),
                   (double)s->opts.rollout.deadline / 1e9, lz_rollout_sets_newest(r)->available,
                   r->desired);
    mark(w, s, "stalled");
}

static void on_rollout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_service *s = lz_service_at(w, entity);
    if (payload == DEADLINE) {
        on_deadline(w, s);
        return;
    }
    s->rollout->is_planned = false;
    sync(w, s);
}

// ---- what happens to it

void lz_rollout_changed(struct lz_world *w, struct lz_service *s)
{
    if (s->rollout->is_planned || !w->running)
        return;
    s->rollout->is_planned = true;
    lz_sim_soon(w->sim, w->services->rollout, s->id, SYNC);
}

void lz_rollouts_reconsider(struct lz_world *w)
{
    for (lz_component_id id = 1; id < w->services->cap; id++) {
        struct lz_service *s = w->services->all[id];
        if (s != NULL && s->rollout != NULL)
            lz_rollout_changed(w, s);
    }
}

void lz_rollout_begins(struct lz_world *w, const struct lz_service *s, uint32_t index)
{
    const struct lz_pod *p = lz_pods_at(s, index);
    static const enum lz_life_flaw flaws[] = {
        [LZ_VERSION_FAILS_NOT] = LZ_LIFE_SOUND,
        [LZ_VERSION_FAILS_READINESS] = LZ_LIFE_NEVER_READY,
        [LZ_VERSION_FAILS_START] = LZ_LIFE_NEVER_STARTS,
        [LZ_VERSION_FAILS_IMAGE] = LZ_LIFE_SOUND, // it has none, and never comes here
    };
    lz_life_renew(w, s->first + index,
                  p->version != 0 ? flaws[lz_version_fails(s, p->version)] : LZ_LIFE_SOUND);
}

void lz_rollout_turned(struct lz_world *w, struct lz_service *s, uint32_t index)
{
    const struct lz_pod *p = lz_pods_at(s, index);
    lz_rollout_changed(w, s);
    lz_time available = p->ready_since + s->opts.rollout.min_ready;
    if (p->is_ready && available > lz_sim_now(w->sim))
        lz_sim_at(w->sim, available, w->services->rollout, s->id, SYNC);
}

static void begin(struct lz_world *w, struct lz_service *s, uint32_t number)
{
    struct lz_rollout *r = s->rollout;
    struct lz_fenceposts f = lz_rollout_fenceposts(&s->opts.rollout, r->desired);
    r->sets = lz_grow(w->arena, r->sets, &r->cap, r->count + 1, sizeof(*r->sets));
    r->sets[r->count++] = (struct lz_rollout_set){.version = (uint8_t)number, .made = ++r->made};
    r->is_running = true;
    r->has_stalled = false;
    r->begun = r->progressed = lz_sim_now(w->sim);
    lz_sim_cancel(w->sim, r->deadline);
    r->deadline = 0;
    lz_rollout_sets_count(w, s);
    struct lz_rollout_set all = lz_rollout_sets_total(r);
    r->progress = (struct lz_rollout_progress){
        .updated = 0, .old = all.active, .ready = all.ready, .available = all.available};
    const char *name = version_name(s, number);
    struct lz_journal_entry e = {.kind = "deploy", .component = s->id};
    if (s->opts.rollout.is_recreate)
        lz_journal_add(w, &e, "%s deploys %s: all %u replicas are recreated", s->opts.name, name,
                       r->desired);
    else
        lz_journal_add(w, &e, "%s deploys %s: %u replicas, at most %u more and %u unavailable",
                       s->opts.name, name, r->desired, f.surge, f.unavailable);
    lz_rollout_changed(w, s);
}

// A version that was deployed before, with pods or without: its set becomes the newest again, and
// stays as old as it is (FindNewReplicaSet goes by the template alone).
static bool revive(struct lz_world *w, struct lz_service *s, uint32_t number)
{
    struct lz_rollout *r = s->rollout;
    uint32_t from = r->count;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->sets[i].version == number && r->sets[i].made > 0)
            from = i;
    if (from == r->count)
        return false;
    begin(w, s, number);
    uint32_t to = r->count - 1;
    r->sets[to].size = r->sets[from].size;
    r->sets[to].made = r->sets[from].made;
    r->sets[from].size = r->sets[from].made = 0;
    for (uint32_t i = 0; i < s->slots; i++)
        if (lz_pods_at(s, i)->set == from)
            lz_pods_at(s, i)->set = to;
    for (uint32_t i = 0; i < s->pods->left_count; i++)
        if (s->pods->left[i].set == from)
            s->pods->left[i].set = to;
    lz_rollout_sets_count(w, s);
    r->progress.updated = r->sets[to].active;
    r->progress.old -= r->sets[to].active;
    return true;
}

static bool may_deploy(const struct lz_service *s, struct lz_err *err)
{
    if (s->rollout != NULL)
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "%s is not rolled out: give it rollout = {}, or route its requests (route)",
                   s->opts.name);
}

static void bring_out(struct lz_world *w, struct lz_service *s, uint32_t number)
{
    LZ_ASSERT(number <= LZ_VERSIONS_MAX);
    if (lz_rollout_sets_newest(s->rollout)->version == number)
        return; // as `kubectl apply` of what is there
    if (!revive(w, s, number))
        begin(w, s, number);
}

bool lz_rollout_deploy(struct lz_world *w, lz_component_id service, uint32_t number,
                       struct lz_err *err)
{
    struct lz_service *s = lz_service_at(w, service);
    if (!may_deploy(s, err))
        return false;
    struct lz_rollout *r = s->rollout;
    r->base = (uint8_t)number;
    for (uint32_t i = 0; i < r->take_count; i++)
        r->takes[i].is_over = true;
    bring_out(w, s, number);
    return true;
}

uint32_t lz_rollout_take(struct lz_world *w, lz_component_id service, uint32_t number)
{
    struct lz_service *s = lz_service_at(w, service);
    struct lz_rollout *r = s->rollout;
    r->takes = lz_grow(w->arena, r->takes, &r->take_cap, r->take_count + 1, sizeof(*r->takes));
    r->takes[r->take_count++] =
        (struct lz_rollout_take){.id = ++r->last_take, .version = (uint8_t)number};
    bring_out(w, s, number);
    return r->last_take;
}

void lz_rollout_undo(struct lz_world *w, lz_component_id service, uint32_t id)
{
    struct lz_service *s = lz_service_at(w, service);
    struct lz_rollout *r = s->rollout;
    uint32_t kept = 0, number = r->base;
    for (uint32_t i = 0; i < r->take_count; i++) {
        if (r->takes[i].id == id)
            continue;
        number = r->takes[i].is_over ? number : r->takes[i].version;
        r->takes[kept++] = r->takes[i];
    }
    LZ_ASSERT(kept + 1 == r->take_count);
    r->take_count = kept;
    bring_out(w, s, number);
}

bool lz_rollout_restart(struct lz_world *w, lz_component_id service, struct lz_err *err)
{
    struct lz_service *s = lz_service_at(w, service);
    if (!may_deploy(s, err))
        return false;
    begin(w, s, lz_rollout_sets_newest(s->rollout)->version);
    return true;
}

// ---- other numbers

void lz_rollout_scale(struct lz_world *w, struct lz_service *s, uint32_t desired)
{
    struct lz_rollout *r = s->rollout;
    uint32_t active = 0, last = r->count - 1;
    for (uint32_t i = 0; i < r->count; i++) {
        active += r->sets[i].size > 0;
        last = r->sets[i].size > 0 ? i : last;
    }
    const struct lz_rollout_opts *o = &s->opts.rollout;
    uint32_t was = r->desired + lz_rollout_fenceposts(o, r->desired).surge;
    uint32_t limit = desired + lz_rollout_fenceposts(o, desired).surge;
    r->desired = desired;
    if (active == 1)
        r->sets[last].size = desired;
    else if (active > 1 && !o->is_recreate)
        lz_rollout_sets_spread(w, s, was, limit);
    lz_rollout_changed(w, s);
}

// ---- declaring

void lz_rollout_set_first(struct lz_service *s, uint32_t number)
{
    LZ_ASSERT(s->rollout->count == 1 && number <= LZ_VERSIONS_MAX);
    lz_rollout_sets_newest(s->rollout)->version = s->rollout->base = (uint8_t)number;
    for (uint32_t i = 0; i < s->slots; i++)
        lz_pods_at(s, i)->version = (uint8_t)number;
}

void lz_rollout_create(struct lz_world *w, struct lz_service *s)
{
    LZ_ASSERT(!w->running && s->pods != NULL && s->rollout == NULL);
    if (w->services->rollout == 0) // numbers of kinds are in the trace
        w->services->rollout = lz_sim_kind(w->sim, "rollout", on_rollout, w);
    struct lz_rollout *r = s->rollout = lz_arena_alloc(w->arena, sizeof(*r));
    r->sets = lz_grow(w->arena, r->sets, &r->cap, 1, sizeof(*r->sets));
    r->sets[r->count++] = (struct lz_rollout_set){.made = ++r->made, .size = s->present};
    r->desired = s->present;
}
