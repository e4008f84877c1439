#include "fault/kinds.h"

static const struct lz_param params[] = {
    {.name = "rate",
     .type = LZ_PARAM_RATE,
     .offset = LZ_FAULT_AT(rate),
     .required = true,
     .ramp = LZ_RAMP_FROM_MAX,
     .min = 1e-6,
     .max = 1e9,
     .doc = "what is let through, by all replicas that are hit together"},
    {.name = "burst",
     .type = LZ_PARAM_COUNT,
     .offset = LZ_FAULT_AT(burst),
     .doc = "how many at once, as tokens of a bucket; default those of one second, at least 1"},
    {.name = "status",
     .type = LZ_PARAM_COUNT,
     .offset = LZ_FAULT_AT(status),
     .doc = "of what is refused, 429 or 503; default 429"},
    LZ_PARAMS_REQUESTS,
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    uint32_t status = o->params.request.status;
    if (status != 0 && status != 429 && status != 503)
        return lz_fail(err, LZ_ERANGE, "`status` of fault.throttle is 429 or 503, got %u", status);
    return lz_fault_filter_check(o, err);
}

static double burst_of(const struct lz_fault *f)
{
    const struct lz_fault_request_params *p = &f->opts.params.request;
    double burst = p->burst > 0 ? (double)p->burst : p->rate;
    return burst > 1.0 ? burst : 1.0;
}

static void change(struct lz_world *w, struct lz_fault *f)
{
    lz_filter_set_limit(w, f->undo[0], f->opts.params.request.rate, burst_of(f));
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_request_params *p = &f->opts.params.request;
    struct lz_filter filter = {.act = LZ_FILTER_LIMIT,
                               .outcome = LZ_OUTCOME_REFUSED,
                               .status = (uint16_t)(p->status != 0 ? p->status : 429)};
    lz_limit_init(&filter.limit, LZ_LIMIT_TOKENS, p->rate, burst_of(f), lz_sim_now(w->sim));
    lz_fault_filter_apply(w, f, &filter);
}

const struct lz_fault_kind lz_fault_throttle = {
    .name = "throttle",
    .doc = "Refuse what exceeds a rate, as the API of a cloud does: a token bucket.",
    .elsewhere =
        "AWS FIS (inject-api-throttle-error) fails a percentage of calls whatever their rate: "
        "that is fault.http_abort with status 429.",
    .effect_unit = "requests refused",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .fits = lz_fault_filter_fits,
    .apply = apply,
    .change = change,
    .revert = lz_fault_filter_revert,
};
