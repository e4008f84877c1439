#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/evict.h"
#include "model/node/life.h"

#define NOTICE_NS (120 * LZ_S) /* AWS: "two minutes before" a Spot Instance is reclaimed */

static const struct lz_param params[] = {
    {.name = "notice",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, notice),
     .doc = "from being told until the host is gone; default 2m"},
    {.name = "capacity",
     .type = LZ_PARAM_BOOL,
     .offset = offsetof(struct lz_fault_params, capacity),
     .preset = 1,
     .doc = "false: no other hosts are to be had until the fault is over; default true"},
    {0},
};

// The machine goes all the same; nobody places what stood there.
static bool goes_unheard(struct lz_world *w, struct lz_fault *f, uint32_t hit, lz_time notice)
{
    if (!lz_instance_runs(lz_instance_get(w, f->hits[hit])) ||
        !lz_fault_evict_is_unheard(w, f, hit))
        return false;
    f->effect += lz_life_stop(w, f->hits[hit], notice);
    return true;
}

// Somebody decides again: what has ended begins elsewhere.
static void settle(struct lz_world *w, struct lz_fault *f, uint32_t hit)
{
    lz_instance_id id = f->hits[hit];
    const struct lz_instance *i = lz_instance_get(w, id);
    if (lz_instance_runs(i) || lz_fault_evict_is_unheard(w, f, hit))
        return;
    f->undo[hit] = LZ_FAULT_STOPPED;
    lz_host_id host = i->downs == 0 ? lz_evict_place(w, id, &f->opts.target) : 0;
    if (host == 0)
        return;
    lz_life_relocate(w, id, host);
    lz_life_release(w, id);
    f->undo[hit] = LZ_FAULT_FREE;
}

static void advance(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] == LZ_FAULT_UNHEARD)
            settle(w, f, i);
}

// What nobody has placed begins where it was.
static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] == LZ_FAULT_UNHEARD)
            f->undo[i] = LZ_FAULT_STOPPED;
    lz_fault_stop_revert(w, f);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_time notice = f->opts.params.notice > 0 ? f->opts.params.notice : NOTICE_NS;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        if (f->opts.params.capacity) {
            if (goes_unheard(w, f, i, notice))
                continue;
            f->undo[i] = lz_fault_evict_one(w, f, f->hits[i], &f->opts.target, notice);
            continue;
        }
        f->effect += lz_life_stop(w, f->hits[i], notice);
        f->undo[i] = LZ_FAULT_STOPPED;
    }
}

const struct lz_fault_kind lz_fault_spot_interruption = {
    .name = "spot_interruption",
    .doc = "Take hosts back after a notice; replicas go elsewhere if there is capacity.",
    .effect_unit = "replicas interrupted",
    .elsewhere =
        "AWS FIS sends the same notice two minutes ahead; Azure and Google give 30 "
        "seconds. None of them can take away the capacity that a replacement needs, which "
        "is what happens when a whole market is reclaimed. While the control plane is down "
        "nothing is placed.",
    .targets = LZ_TARGETS_PLACES | LZ_TARGET_BIT(LZ_TARGET_HOST),
    .per_instance = true,
    .params = params,
    .apply = apply,
    .next = lz_fault_evict_next,
    .advance = advance,
    .revert = revert,
    .is_quiet = true,
};
