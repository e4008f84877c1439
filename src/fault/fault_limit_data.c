#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "bytes",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, bytes),
     .required = true,
     .doc = "what a connection may carry, both ways together or in its direction"},
    LZ_PARAM_DIRECTION,
    LZ_PARAM_CONNECTIONS,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (!(o->params.bytes >= 1.0))
        return lz_fail(err, LZ_ERANGE, "`bytes` of fault.limit_data must be at least 1B, got %gB",
                       o->params.bytes);
    return lz_fault_share_check(o, "connections", err) && lz_fault_net_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_connection_apply(w, f,
                              &(struct lz_connection_effect){.fate = LZ_CONNECTION_CLOSED,
                                                             .bytes = f->opts.params.bytes});
}

const struct lz_fault_kind lz_fault_limit_data = {
    .name = "limit_data",
    .doc = "Close connections once they have carried so many bytes; the message that exceeds it is "
           "cut off.",
    .effect_unit = "connections closed",
    .elsewhere =
        "Toxiproxy counts the bytes of its toxic's stream, upstream (\"to\" the server) or "
        "downstream (\"from\" it), from when the toxic is there; here both ways count "
        "unless `direction` says one, from the connection's first byte on, or from the "
        "fault's if its way was not tracked before.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_connection_revert,
};
