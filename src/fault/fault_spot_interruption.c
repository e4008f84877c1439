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

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_time notice = f->opts.params.notice > 0 ? f->opts.params.notice : NOTICE_NS;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        if (f->opts.params.capacity) {
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
    .elsewhere = "AWS FIS sends the same notice two minutes ahead; Azure and Google give 30 "
                 "seconds. None of them can take away the capacity that a replacement needs, which "
                 "is what happens when a whole market is reclaimed.",
    .targets = LZ_TARGETS_PLACES | LZ_TARGET_BIT(LZ_TARGET_HOST),
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_stop_revert,
};
