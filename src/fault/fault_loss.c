#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, ratio),
     .doc = "share of packets lost, each by its own draw"},
    LZ_PARAM_PER,
    LZ_PARAM_CORRELATION,
    {.name = "burst",
     .type = LZ_PARAM_BURST,
     .offset = offsetof(struct lz_fault_params, burst),
     .doc = "loss in bursts instead of a ratio: Gilbert-Elliott or four states"},
    LZ_PARAM_DIRECTION,
    LZ_PARAM_BY,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    bool has_burst = p->burst.kind != LZ_LOSS_NONE;
    if (has_burst && (p->ratio > 0.0 || p->correlation > 0.0))
        return lz_fail(
            err, LZ_EINVAL,
            "fault.loss has `burst`, and `ratio` or `correlation`: a burst model says all "
            "of it");
    if (!has_burst && !(p->ratio > 0.0))
        return lz_fail(err, LZ_EINVAL, "fault.loss needs `ratio`, above 0, or `burst`");
    if (has_burst && p->per == LZ_FAULT_PER_CONNECTION)
        return lz_fail(
            err, LZ_EINVAL,
            "fault.loss has `burst` and `per`: a burst is of packets, not of connections");
    return lz_fault_net_check(o, err) &&
           (lz_loss_check(&p->burst, err) || lz_fail_in(err, "burst"));
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    struct lz_loss loss = p->burst.kind != LZ_LOSS_NONE ? p->burst : lz_fault_net_struck(f);
    lz_fault_net_apply(w, f, &(struct lz_link_effect){.conditions = {.loss = loss}});
}

const struct lz_fault_kind lz_fault_loss = {
    .name = "loss",
    .doc =
        "Lose packets; TCP sends each again, after a round trip or a timeout of at least 200 ms.",
    .effect_unit = "packets lost",
    .elsewhere = "tc netem and Chaos Mesh correlate by filtering random numbers, so that less is "
                 "lost than was asked for; here the share stays. "
                 "`burst` takes netem's `gemodel` (p, r, bad = 1-h, good = 1-k) and `state` (p13, "
                 "p31, p32, p23, p14). "
                 "Pumba and Litmus give plain ratios.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_net_revert,
};
