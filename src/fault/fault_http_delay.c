#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, add),
     .required = true,
     .doc = "how much later it comes in, or is answered: a duration or a distribution"},
    LZ_PARAMS_SIDE,
    LZ_PARAMS_REQUESTS,
    {0},
};

// A step of the ramp is a filter of its own, and counts requests anew.
static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    const struct lz_fault_request_params *p = &o->params.request;
    if (o->ramp > 0 && (p->first > 0 || p->nth > 0))
        return lz_fail(err, LZ_EINVAL,
                       "fault.http_delay: `%s` counts requests, and `ramp` would begin to count "
                       "anew with each of its steps: use `ratio`, or no ramp",
                       p->first > 0 ? "first" : "nth");
    return lz_fault_side_check(o, err);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    bool is_answer = f->opts.params.request.side == LZ_FAULT_OF_ANSWER;
    lz_fault_filter_apply(w, f,
                          &(struct lz_filter){.act = is_answer ? LZ_FILTER_HOLD : LZ_FILTER_DELAY,
                                              .add = f->opts.params.add});
}

const struct lz_fault_kind lz_fault_http_delay = {
    .name = "http_delay",
    .doc = "Hold requests at the door of a replica, or its answers; its own latency does not count "
           "it.",
    .elsewhere =
        "Chaos Mesh's HTTPChaos delay holds a request or a response (`side`), Envoy's fault filter "
        "a request: once, as here. Toxiproxy's latency and tc's netem delay packets: see "
        "fault.latency.",
    .effect_unit = "requests held",
    .fits = lz_fault_filter_fits,
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_filter_revert,
};
