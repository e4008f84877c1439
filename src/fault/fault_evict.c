/*
 * fault_evict.c — replicas put somewhere else. What fault.drain and fault.spot_interruption share
 * with it is here too.
 */
#include "base/check.h"
#include "base/grow.h"
#include "fault/kinds.h"
#include "model/journal.h"
#include "model/node/evict.h"
#include "model/node/life.h"
#include "model/service/platform.h"

static const struct lz_param params[] = {
    {.name = "notice",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, notice),
     .doc = "how long it may take to finish; default its grace_period"},
    {0},
};

uint32_t lz_fault_evict_one(struct lz_world *w, struct lz_fault *f, lz_instance_id id,
                            const struct lz_target *leave, lz_time grace)
{
    lz_host_id host = lz_evict_place(w, id, leave);
    if (host == 0 && f->kind == &lz_fault_evict && f->opts.lasting == 0)
        host = lz_instance_get(w, id)->host;
    if (host != 0) {
        f->effect += lz_life_replace(w, id, grace, host);
        return LZ_FAULT_FREE;
    }
    f->effect += lz_life_stop(w, id, grace);
    return LZ_FAULT_STOPPED;
}

void lz_fault_evict_begin(struct lz_world *w, struct lz_fault *f)
{
    f->hosts = lz_grow(w->arena, f->hosts, &f->host_cap, f->hit_count + 1, sizeof(*f->hosts));
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->hosts[i] = lz_instance_get(w, f->hits[i])->host;
}

bool lz_fault_evict_is_unheard(struct lz_world *w, struct lz_fault *f, uint32_t hit)
{
    if (!lz_platform_is_stopped(w, lz_instance_get(w, f->hits[hit])->component))
        return false;
    f->undo[hit] = LZ_FAULT_UNHEARD;
    return true;
}

// Who drains a place as a whole drains whatever of it stands there.
bool lz_fault_evict_stands(const struct lz_world *w, const struct lz_fault *f, uint32_t hit)
{
    if (f->kind == &lz_fault_drain && f->opts.pick.kind == LZ_PICK_ALL)
        return lz_target_has(w, &f->opts.target, f->hits[hit]);
    return lz_instance_get(w, f->hits[hit])->host == f->hosts[hit];
}

lz_time lz_fault_evict_next(struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] == LZ_FAULT_WAITING || f->undo[i] == LZ_FAULT_UNHEARD)
            return LZ_FAULT_EVICT_AGAIN;
    return 0;
}

// Only who runs there still has stayed.
static uint32_t give_up(struct lz_world *w, struct lz_fault *f, uint32_t state)
{
    uint32_t stayed = 0;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        if (f->undo[i] != state)
            continue;
        f->undo[i] = LZ_FAULT_FREE;
        stayed +=
            lz_instance_runs(lz_instance_get(w, f->hits[i])) && lz_fault_evict_stands(w, f, i);
    }
    return stayed;
}

void lz_fault_evict_revert(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_journal_entry e = {.kind = "fault", .line = f->opts.line};
    uint32_t held = give_up(w, f, LZ_FAULT_WAITING), unheard = give_up(w, f, LZ_FAULT_UNHEARD);
    if (held > 0)
        lz_journal_add(w, &e,
                       "%s was not completed: %u replicas stayed, held by disruption budgets",
                       f->name, held);
    if (unheard > 0)
        lz_journal_add(w, &e,
                       "%s was not completed: %u replicas stayed, for the control plane was down",
                       f->name, unheard);
    lz_fault_stop_revert(w, f);
}

static void ask(struct lz_world *w, struct lz_fault *f, uint32_t hit)
{
    lz_time grace = f->opts.params.notice > 0 ? f->opts.params.notice : -1;
    if (!lz_fault_evict_is_unheard(w, f, hit))
        f->undo[hit] = lz_fault_evict_one(w, f, f->hits[hit], &f->opts.target, grace);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_evict_begin(w, f);
    for (uint32_t i = 0; i < f->hit_count; i++)
        ask(w, f, i);
}

static void advance(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] == LZ_FAULT_UNHEARD) {
            f->undo[i] = LZ_FAULT_FREE;
            if (lz_fault_evict_stands(w, f, i))
                ask(w, f, i);
        }
}

const struct lz_fault_kind lz_fault_evict = {
    .name = "evict",
    .doc = "Put replicas somewhere else: each is stopped in order while its successor starts on "
           "another host.",
    .effect_unit = "replicas evicted",
    .elsewhere =
        "Kubernetes' eviction without a disruption budget: all that are hit go at once; "
        "`pick` says how many. Where there is no other place they wait until the fault is "
        "over; one without `lasting` is over at once, and they start where they were. While "
        "the control plane is down nothing is evicted: it is asked again every 5 s.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .next = lz_fault_evict_next,
    .advance = advance,
    .revert = lz_fault_evict_revert,
    .is_quiet = true,
};
