#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "after",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, after),
     .doc = "of a connection's life, or of the fault's for what was open; default 0s"},
    {.name = "bytes",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, bytes),
     .doc = "instead: after it carried so many, both ways together"},
    {.name = "response",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, response),
     .min = 1,
     .doc = "with `bytes`: so many of this answer on a connection; 1 is its first"},
    {.name = "first",
     .type = LZ_PARAM_COUNT,
     .offset = LZ_FAULT_AT(first),
     .min = 1,
     .doc = "only the first so many connections that are opened while it lasts"},
    LZ_PARAM_CONNECTIONS,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.after > 0 && o->params.bytes > 0.0)
        return lz_fail(err, LZ_EINVAL, "fault.reset has `after` and `bytes`: one of them");
    if (o->params.response > 0 && !(o->params.bytes > 0.0))
        return lz_fail(err, LZ_EINVAL,
                       "fault.reset has `response` without `bytes`: how many of it come through?");
    return lz_fault_share_check(o, "connections", err) && lz_fault_net_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_connection_apply(
        w, f,
        &(struct lz_connection_effect){.fate = LZ_CONNECTION_RESET,
                                       .after = f->opts.params.after,
                                       .bytes = f->opts.params.bytes,
                                       .response = f->opts.params.response,
                                       .first = f->opts.params.request.first});
}

const struct lz_fault_kind lz_fault_reset = {
    .name = "reset",
    .doc = "Reset connections (TCP RST): what is open, and what is opened while it lasts.",
    .effect_unit = "connections reset",
    .elsewhere =
        "Toxiproxy's reset_peer resets each connection `timeout` after it was accepted, new ones "
        "only; here those that are open are reset too, unless `first` counts those that come. The "
        "request under way fails at once; the server works on. Its `down`, a proxy that is "
        "disabled, is this too: who comes is reset, where there nobody listens.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_connection_revert,
};
