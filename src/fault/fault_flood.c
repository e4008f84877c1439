#include "base/check.h"
#include "fault/kinds.h"
#include "model/node/capacity.h"

#define SIZE_BYTES 1024.0
#define CPU_NS (5 * LZ_US) /* to receive a packet and drop it in the kernel */

static const struct lz_param params[] = {
    {.name = "rate",
     .type = LZ_PARAM_RATE,
     .offset = offsetof(struct lz_fault_params, rate),
     .required = true,
     .ramp = LZ_RAMP_FROM_0,
     .min = 0.001,
     .max = 1e9,
     .doc = "junk messages per second, to each instance"},
    {.name = "size",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, size),
     .doc = "of a message; default 1KiB"},
    {.name = "cpu_time",
     .type = LZ_PARAM_DURATION,
     .offset = offsetof(struct lz_fault_params, cpu_time),
     .doc = "that a message costs the receiver; default 5us"},
    {0},
};

static double bytes_per_s(const struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    return p->rate * (p->size > 0.0 ? p->size : SIZE_BYTES);
}

static double cores(const struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    return p->rate * (double)(p->cpu_time > 0 ? p->cpu_time : CPU_NS) * 1e-9;
}

// undo[0] is the link's effect, undo[1 ..] the CPUs'.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_net_apply(w, f, &(struct lz_link_effect){.junk = bytes_per_s(f)});
    for (uint32_t i = 0; i < f->hit_count; i++)
        f->undo[i + 1] = lz_capacity_steal(w, f->hits[i], 0.0, cores(f));
}

static void change(struct lz_world *w, struct lz_fault *f)
{
    lz_link_effect_set_junk(w, f->undo[0], bytes_per_s(f));
    for (uint32_t i = 0; i < f->hit_count; i++) {
        lz_capacity_undo(w, f->hits[i], f->undo[i + 1]);
        f->undo[i + 1] = lz_capacity_steal(w, f->hits[i], 0.0, cores(f));
    }
}

// Junk that arrives is fluid: what it did to others they know, here it is only counted, at the rate
// that it has at the end of each second.
static void advance(struct lz_world *w, struct lz_fault *f)
{
    (void)w;
    f->effect += (uint64_t)(bytes_per_s(f) * f->hit_count + 0.5);
}

static lz_time next(struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    (void)f;
    return LZ_S;
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_capacity_undo(w, f->hits[i], f->undo[i + 1]);
    lz_time since = lz_sim_now(w->sim) - f->started - (lz_time)f->step * LZ_S;
    f->effect += (uint64_t)(bytes_per_s(f) * f->hit_count * (double)since * 1e-9 + 0.5);
    lz_fault_net_revert(w, f);
}

const struct lz_fault_kind lz_fault_flood = {
    .name = "flood",
    .doc = "Send junk to the target that competes for the bandwidth of its links and for its CPU.",
    .effect_unit = "bytes of junk",
    .elsewhere =
        "Others send real packets (iperf, hping3). Here junk is fluid: it fills the buffers of "
        "links with a bandwidth, takes its share of them when they overflow, and steals "
        "cpu_time for each message.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = lz_fault_net_check,
    .apply = apply,
    .change = change,
    .revert = revert,
    .next = next,
    .advance = advance,
    .is_quiet = true,
};
