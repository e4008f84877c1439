// What spreads in waves: after wave k of n, the first k/n of the hits are degraded.
#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/capacity.h"

#define WAVES_MAX 1000
#define GAP (60 * LZ_S)

bool lz_fault_waves_check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    if (p->waves < 1 || p->waves > WAVES_MAX)
        return lz_fail(err, LZ_ERANGE, "`waves` must be between 1 and %d, got %u", WAVES_MAX,
                       p->waves);
    if (p->gap > 0 && p->waves == 1)
        return lz_fail(err, LZ_EINVAL, "`gap` is between two waves, and there is one: say `waves`");
    lz_time gap = p->gap > 0 ? p->gap : GAP;
    if (p->waves > 1 && o->lasting > 0 && gap > (o->lasting - 1) / (p->waves - 1))
        return lz_fail(err, LZ_EINVAL,
                       "%u waves do not fit into `lasting`: the last would come after the end",
                       p->waves);
    return true;
}

lz_time lz_fault_waves_next(struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    const struct lz_fault_params *p = &f->opts.params;
    if (f->step + 1 >= p->waves)
        return 0;
    return p->gap > 0 ? p->gap : GAP;
}

// Of the hits, those that the first `waves` of all waves reach.
static uint32_t reached(const struct lz_fault *f, uint32_t waves)
{
    LZ_ASSERT(waves <= f->opts.params.waves);
    return (uint32_t)((uint64_t)f->hit_count * waves / f->opts.params.waves);
}

static void hit(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    double factor = p->factor > 0.0 ? p->factor : 1.0;
    for (uint32_t i = reached(f, f->step); i < reached(f, f->step + 1); i++)
        f->undo[i] = lz_capacity_degrade(w, f->hits[i], factor, p->error_ratio, &f->effect);
}

void lz_fault_waves_apply(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->step == 0);
    hit(w, f);
}

void lz_fault_waves_advance(struct lz_world *w, struct lz_fault *f)
{
    LZ_ASSERT(f->step > 0);
    hit(w, f);
}

void lz_fault_waves_revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < reached(f, f->step + 1); i++)
        lz_capacity_undo(w, f->hits[i], f->undo[i]);
}
