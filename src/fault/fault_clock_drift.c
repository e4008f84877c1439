#include "fault/kinds.h"
#include "model/node/clock.h"

static const struct lz_param params[] = {
    {.name = "ppm",
     .type = LZ_PARAM_SIGNED,
     .offset = offsetof(struct lz_fault_params, ppm),
     .required = true,
     .doc = "parts per million that they run fast; below 0: slow"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    double ppm = o->params.ppm;
    if (ppm >= -LZ_CLOCK_PPM_MAX && ppm <= LZ_CLOCK_PPM_MAX && (ppm > 0.0 || ppm < 0.0))
        return true;
    return lz_fail(err, LZ_ERANGE,
                   "fault.clock_drift: ppm must be between -1e6 and 1e6 and not 0, got %g", ppm);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_clock_apply(w, f, &(struct lz_clock_error){.ppm = f->opts.params.ppm});
}

const struct lz_fault_kind lz_fault_clock_drift = {
    .name = "clock_drift",
    .doc = "Let clocks run fast or slow.",
    .effect_unit = "clock readings affected",
    .elsewhere = "No other tool has it. A quartz is wrong by 10 to 100 ppm: 100 ppm are 8.6 s a "
                 "day. At the end the clock is right again at once, as after an NTP step.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_clock_revert,
};
