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

// Several on one host: its clock is wrong once.
static bool is_wrong_already(const struct lz_world *w, const struct lz_fault *f, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (lz_instance_get(w, f->hits[i])->host == lz_instance_get(w, f->hits[at])->host)
            return true;
    return false;
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    for (uint32_t i = 0; i < f->hit_count; i++) {
        f->undo[i] = 0;
        if (is_wrong_already(w, f, i))
            continue;
        f->undo[i] = lz_clock_disturb(w, f->hits[i],
                                      &(struct lz_clock_error){.ppm = p->ppm, .reads = &f->effect});
    }
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != 0)
            lz_clock_undo(w, f->undo[i]);
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
    .revert = revert,
};
