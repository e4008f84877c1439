#include "fault/ramp.h"

#include "base/check.h"

// Where a number lies at `share` of the way to `full`.
static double between(enum lz_param_ramp ramp, double full, double share)
{
    switch (ramp) {
    case LZ_RAMP_FROM_0:
        return full * share;
    case LZ_RAMP_FROM_1:
        return 1.0 + (full - 1.0) * share;
    case LZ_RAMP_FROM_MAX:
        return full / share;
    case LZ_RAMP_NONE:
        break;
    }
    return full;
}

static double number_of(enum lz_param_type type, const void *field)
{
    switch (type) {
    case LZ_PARAM_RATIO:
    case LZ_PARAM_NUMBER:
    case LZ_PARAM_SIGNED:
    case LZ_PARAM_SIZE:
    case LZ_PARAM_SPEED:
    case LZ_PARAM_RATE:
        return *(const double *)field;
    case LZ_PARAM_DURATION:
    case LZ_PARAM_OFFSET:
        return (double)*(const lz_time *)field;
    case LZ_PARAM_COUNT:
        return *(const uint32_t *)field;
    case LZ_PARAM_DIST:
        return ((const struct lz_dist *)field)->kind != LZ_DIST_NONE;
    default:
        LZ_UNREACHABLE("a parameter with a ramp has a magnitude");
    }
    return 0.0;
}

static void set_number(enum lz_param_type type, void *field, double v)
{
    if (type == LZ_PARAM_COUNT)
        *(uint32_t *)field = v < 1.0 ? 1 : v < 4e9 ? (uint32_t)(v + 0.5) : 4000000000u;
    else if (type == LZ_PARAM_DURATION || type == LZ_PARAM_OFFSET)
        *(lz_time *)field = (lz_time)v;
    else
        *(double *)field = v;
}

bool lz_ramp_has(const struct lz_fault_kind *kind, const struct lz_fault_params *full)
{
    for (const struct lz_param *p = kind->params; p->name != NULL; p++)
        if (p->ramp != LZ_RAMP_NONE && number_of(p->type, (const char *)full + p->offset) != 0.0)
            return true;
    return false;
}

void lz_ramp_at(const struct lz_fault_kind *kind, const struct lz_fault_params *full, double share,
                struct lz_arena *arena, struct lz_fault_params *out)
{
    LZ_ASSERT(share > 0.0 && share <= 1.0);
    *out = *full;
    for (const struct lz_param *p = kind->params; p->name != NULL; p++) {
        const void *from = (const char *)full + p->offset;
        void *to = (char *)out + p->offset;
        // Zero is "not given": there is nothing to grow.
        if (p->ramp == LZ_RAMP_NONE || number_of(p->type, from) == 0.0)
            continue;
        if (p->type != LZ_PARAM_DIST)
            set_number(p->type, to, between(p->ramp, number_of(p->type, from), share));
        else if (share < 1.0)
            lz_dist_scale(to, from, share, arena);
    }
}
