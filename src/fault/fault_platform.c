// What the faults of the platform share: one effect in force, taken back by its number.
#include "base/check.h"
#include "fault/kinds.h"
#include "model/service/autoscale.h"
#include "model/service/platform.h"
#include "model/service/rollout.h"

bool lz_fault_platform_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                            struct lz_err *err)
{
    if (o->target.kind != LZ_TARGET_COMPONENT || lz_autoscale_is_on(w, o->target.id) ||
        lz_rollout_is_on(w, o->target.id))
        return true;
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s: %s adds no replicas: give it autoscale = { max = 10, target_cpu = "
                   "\"60%%\" }",
                   o->kind, lz_world_component(w, o->target.id)->name);
}

// Each part of an effect reads its own number; a kind without the parameter leaves it at 0.
void lz_fault_platform_apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    LZ_ASSERT(f->kind->platform != 0);
    *lz_fault_undo(w, f) =
        lz_platform_add(w, &(struct lz_platform_effect){.target = &f->opts.target,
                                                        .parts = f->kind->platform,
                                                        .delay = p->after,
                                                        .add = p->add,
                                                        .ratio = p->ratio,
                                                        .path = lz_draw_index(f->path, f->firings),
                                                        .touched = &f->effect});
}

void lz_fault_platform_revert(struct lz_world *w, struct lz_fault *f)
{
    lz_platform_remove(w, f->undo[0]);
}
