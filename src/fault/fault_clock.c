#include "fault/kinds.h"
#include "model/node/clock.h"

/* fault_clock.c — what the faults of clocks share. */

// Several on one host: its clock is wrong once.
static bool is_wrong_already(const struct lz_world *w, const struct lz_fault *f, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (lz_instance_get(w, f->hits[i])->host == lz_instance_get(w, f->hits[at])->host)
            return true;
    return false;
}

void lz_fault_clock_apply(struct lz_world *w, struct lz_fault *f, struct lz_clock_error *e)
{
    e->reads = &f->effect;
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i] = is_wrong_already(w, f, i) ? 0 : lz_clock_disturb(w, f->hits[i], e);
}

void lz_fault_clock_revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != 0)
            lz_clock_undo(w, f->undo[i]);
}
