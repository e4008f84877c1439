/*
 * fault_evict.c — replicas put somewhere else. What fault.drain and fault.spot_interruption share
 * with it is here too.
 */
#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/evict.h"
#include "model/node/life.h"

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

void lz_fault_evict_apply(struct lz_world *w, struct lz_fault *f)
{
    lz_time grace = f->opts.params.notice > 0 ? f->opts.params.notice : -1;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = lz_fault_evict_one(w, f, f->hits[i], &f->opts.target, grace);
}

const struct lz_fault_kind lz_fault_evict = {
    .name = "evict",
    .doc = "Put replicas somewhere else: each is stopped in order while its successor starts on "
           "another host.",
    .effect_unit = "replicas evicted",
    .elsewhere = "Kubernetes' eviction without a disruption budget: all that are hit go at once; "
                 "`pick` says how many. Where there is no other place they wait until the fault is "
                 "over; one without `lasting` is over at once, and they start where they were.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .apply = lz_fault_evict_apply,
    .revert = lz_fault_stop_revert,
};
