#include "fault/kinds.h"
#include "model/node/instance.h"

static const struct lz_param params[] = {{0}};

// The pause is of a process: it is remembered which.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        const struct lz_instance *instance = lz_instance_get(w, f->hits[i]);
        f->undo[i] = lz_instance_runs(instance) ? instance->incarnation : 0;
        f->effect += lz_instance_pause(w, f->hits[i]);
    }
}

// One that ended meanwhile took its pause with it.
static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        const struct lz_instance *instance = lz_instance_get(w, f->hits[i]);
        if (lz_instance_runs(instance) && instance->incarnation == f->undo[i])
            lz_instance_resume(w, f->hits[i]);
    }
}

const struct lz_fault_kind lz_fault_pause = {
    .name = "pause",
    .doc = "Stop processes (SIGSTOP, a long GC): silence, then a burst.",
    .effect_unit = "processes paused",
    .elsewhere =
        "Pumba pauses containers by the freezer, ChaosBlade by SIGSTOP; both are this. What "
        "arrives is kept and served afterwards in one burst. A process that is killed "
        "while it stands still takes the pause with it, as a real one does.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_ALL,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
