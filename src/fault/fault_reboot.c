#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/life.h"

#define NOTICE_NS (10 * LZ_S)
#define LASTING_NS (120 * LZ_S)

static const struct lz_param params[] = {
    {.name = "notice",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, notice),
     .doc = "from SIGTERM until the host goes off; default 10s"},
    {0},
};

static lz_time notice_of(const struct lz_fault_opts *o)
{
    return o->params.notice > 0 ? o->params.notice : NOTICE_NS;
}

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    lz_time lasting = o->lasting > 0 ? o->lasting : LASTING_NS;
    if (notice_of(o) < lasting)
        return true;
    return lz_fail(err, LZ_ERANGE,
                   "fault.reboot: `lasting` (%g s) is the whole of it and must be longer than the "
                   "notice (%g s)",
                   (double)lasting / 1e9, (double)notice_of(o) / 1e9);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    if (f->opts.lasting == 0)
        f->opts.lasting = LASTING_NS;
    lz_fault_hit_hosts(w, f);
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->effect += lz_life_stop(w, f->hits[i], notice_of(&f->opts));
}

static lz_time next(struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    return f->step == 0 ? notice_of(&f->opts) : 0;
}

// The processes have ended; now the host is silent until it has booted. From a cluster's node they
// may be moved meanwhile, and only the node's silence holds them.
static void advance(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_fault_lose(w, f, i);
    for (uint32_t i = 0; i < f->hit_count; i++)
        if (f->undo[i] != LZ_FAULT_LOST_ALONE)
            lz_life_release(w, f->hits[i]);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        bool is_lost = f->step > 0;
        bool is_held = !is_lost || f->undo[i] == LZ_FAULT_LOST_ALONE;
        if (is_lost)
            lz_fault_return(w, f, i);
        if (is_held)
            lz_life_release(w, f->hits[i]);
    }
}

const struct lz_fault_kind lz_fault_reboot = {
    .name = "reboot",
    .doc = "Restart hosts in order: SIGTERM, silence while they are off, then the processes start; "
           "all of it takes `lasting`, 2m unless said.",
    .effect_unit = "processes stopped",
    .elsewhere =
        "AWS FIS' and Litmus' reboots take as long as the machine does; here `lasting` says "
        "it. fault.down is the same without warning; like there, a component as the target means "
        "the hosts it runs on, with all that runs there.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .next = next,
    .advance = advance,
    .revert = revert,
};
