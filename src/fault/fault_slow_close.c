#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "delay",
     .type = LZ_PARAM_DURATION,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, linger),
     .required = true,
     .doc = "how much later"},
    LZ_PARAM_CONNECTIONS,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.linger <= 0)
        return lz_fail(err, LZ_ERANGE, "`delay` of fault.slow_close must be above 0s");
    return lz_fault_share_check(o, "connections", err) && lz_fault_net_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_connection_apply(w, f,
                              &(struct lz_connection_effect){.fate = LZ_CONNECTION_LINGERS,
                                                             .after = f->opts.params.linger});
}

const struct lz_fault_kind lz_fault_slow_close = {
    .name = "slow_close",
    .doc =
        "Let connections that are closed take their places, in pools and at databases, for longer.",
    .effect_unit = "closes delayed",
    .elsewhere = "As Toxiproxy's slow_close, which delays the FIN. A connection is closed after a "
                 "timeout, a reset, or when "
                 "its pool finds it too old.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_connection_revert,
};
