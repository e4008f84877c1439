#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, add),
     .required = true,
     .doc = "delay added to each message, one way: a duration or a distribution"},
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .preset = 1.0,
     .doc = "share of the messages that is delayed, each by its own draw; default all"},
    LZ_PARAM_PER,
    LZ_PARAM_CORRELATION,
    LZ_PARAM_DIRECTION,
    LZ_PARAM_BY,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    return lz_fault_share_check(o, "messages", err) && lz_fault_net_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    bool is_share = p->per == LZ_FAULT_PER_MESSAGE && p->ratio < 1.0;
    lz_fault_net_apply(w, f,
                       &(struct lz_link_effect){
                           .conditions = {.latency = p->add, .latency_correlation = p->correlation},
                           .delayed = is_share ? p->ratio : 0.0});
}

const struct lz_fault_kind lz_fault_latency = {
    .name = "latency",
    .doc = "Delay messages: per message and direction, so a round trip pays it twice.",
    .effect_unit = "messages delayed",
    .elsewhere =
        "Chaos Mesh and tc netem delay what leaves a pod, filter their random numbers to "
        "correlate them, which changes the distribution, and reorder as they vary; "
        "Toxiproxy delays each chunk of a stream, by `jitter` more or less (dist.uniform). "
        "Here each message pays, in each direction that is named; correlated delays keep "
        "their distribution; "
        "TCP keeps the order.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
