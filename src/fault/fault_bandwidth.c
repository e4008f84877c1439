#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "rate",
     .type = LZ_PARAM_SPEED,
     .offset = offsetof(struct lz_fault_params, rate),
     .required = true,
     .ramp = LZ_RAMP_FROM_MAX,
     .doc = "such as \"10Mbit/s\" or \"1MiB/s\""},
    {.name = "buffer",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, buffer),
     .min = 1,
     .max = 1e15,
     .doc = "what may wait for the line; default 256KiB"},
    LZ_PARAM_DIRECTION,
    LZ_PARAM_BY,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_params *p = &o->params;
    if (!(p->rate > 0.0))
        return lz_fail(err, LZ_ERANGE,
                       "`rate` of fault.bandwidth must be above 0: to cut the way altogether, use "
                       "fault.partition");
    struct lz_link_conditions c = {.rate = p->rate, .buffer = p->buffer};
    return lz_fault_net_check(o, err) && lz_link_check(&c, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f,
                       &(struct lz_link_effect){.conditions = {.rate = f->opts.params.rate,
                                                               .buffer = f->opts.params.buffer}});
}

static void change(struct lz_world *w, struct lz_fault *f)
{
    lz_link_effect_set_rate(w, f->undo[0], f->opts.params.rate);
}

const struct lz_fault_kind lz_fault_bandwidth = {
    .name = "bandwidth",
    .doc = "Limit how many bytes get through; what does not fit into the buffer is dropped.",
    .effect_unit = "bytes slowed or dropped",
    .elsewhere = "tc tbf and Chaos Mesh limit what leaves one pod, with a token bucket's burst; "
                 "Toxiproxy limits each connection. "
                 "Here a link or a pair is one line in each direction that all share, and a single "
                 "target has one line of its own for each of its instances; there is no burst, and "
                 "the buffer drops from its tail.",
    .targets = LZ_TARGETS_NET,
    .second = LZ_TARGETS_INSTANCES,
    .per_link = true,
    .params = params,
    .check = check,
    .apply = apply,
    .change = change,
    .revert = lz_fault_net_revert,
};
