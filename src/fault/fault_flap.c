#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "up",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, up),
     .required = true,
     .doc = "how long it works"},
    {.name = "down",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, down),
     .required = true,
     .doc = "how long it does not"},
    LZ_PARAM_DIRECTION,
    LZ_PARAM_BY,
    {0},
};

#define STEP_MIN LZ_MS

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.up < STEP_MIN || o->params.down < STEP_MIN)
        return lz_fail(err, LZ_ERANGE, "`up` and `down` of fault.flap must be at least 1ms");
    return lz_fault_net_check(o, err);
}

static void cut(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_link_effect){.cut = LZ_LINK_CUT});
}

static bool is_cut(const struct lz_fault *f)
{
    return f->step % 2 == 0;
}

static lz_time next(struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    return is_cut(f) ? f->opts.params.down : f->opts.params.up;
}

static void advance(struct lz_world *w, struct lz_fault *f)
{
    if (is_cut(f))
        cut(w, f);
    else
        lz_fault_net_revert(w, f);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    if (is_cut(f))
        lz_fault_net_revert(w, f);
}

const struct lz_fault_kind lz_fault_flap = {
    .name = "flap",
    .doc = "Cut a link and mend it, again and again, beginning with the cut.",
    .effect_unit = "messages cut",
    .elsewhere = "Other tools do it by a script around `ip link set down` and `up`; here the first "
                 "cut comes at once.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = cut,
    .revert = revert,
    .next = next,
    .advance = advance,
    .is_quiet = true,
};
