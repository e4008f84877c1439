#include "fault/kinds.h"
#include "model/node/life.h"

static const struct lz_param params[] = {
    {.name = "backoff",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, backoff),
     .doc = "before the second restart, doubling up to 5m; default 10s"},
    {.name = "life",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, life),
     .doc = "how long each process serves before it crashes; default 0s"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] =
            lz_life_crash_loop(w, f->hits[i],
                               &(struct lz_life_crashing){.life = f->opts.params.life,
                                                          .backoff = f->opts.params.backoff,
                                                          .crashes = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_life_crash_loop_end(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_crash_loop = {
    .name = "crash_loop",
    .doc = "End processes each time they serve; they are started again at once, then after 10s, "
           "20s, ... up to 5m.",
    .effect_unit = "crashes",
    .elsewhere =
        "Kubernetes shows it as CrashLoopBackOff; Chaos Mesh and Litmus kill again and "
        "again at a fixed interval instead. When the fault is over the process still waits "
        "for the back-off it is in, up to five minutes: so does a real one.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
