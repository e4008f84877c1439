#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "port",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, port),
     .doc = "only what listens on that port; default all"},
    LZ_PARAM_BY,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.port > UINT16_MAX)
        return lz_fail(err, LZ_ERANGE, "`port` must be between 1 and 65535, got %u",
                       o->params.port);
    return lz_fault_net_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(
        w, f,
        &(struct lz_link_effect){.cut = LZ_LINK_SERVED, .port = (uint16_t)f->opts.params.port});
}

const struct lz_fault_kind lz_fault_blackhole = {
    .name = "blackhole",
    .doc = "Swallow what is asked of the target, and its answers: silence, no reset. It still "
           "reaches others.",
    .effect_unit = "messages cut",
    .elsewhere = "AWS FIS and Gremlin drop all packets of a host or a port, as here; a refused "
                 "port (REJECT) is `kill`. "
                 "Unlike fault.partition it leaves the calls that the target makes itself alone. "
                 "Toxiproxy's timeout, which ends what is open after a while, is this with a "
                 "fault.reset that has `after` beside it; who connects is not accepted here.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
