#include "fault/kinds.h"
#include "model/node/capacity.h"
#include "model/node/host.h"

static const struct lz_param params[] = {
    {.name = "load",
     .type = LZ_PARAM_RATIO,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, load),
     .doc = "share of the instance's cores kept busy by something else"},
    {.name = "cores",
     .type = LZ_PARAM_NUMBER,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, cores),
     .max = 1e6,
     .doc = "cores kept busy by something else"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.load > 0.0 || o->params.cores > 0.0)
        return true;
    return lz_fail(err, LZ_EINVAL, "fault.cpu needs `load` (a share) or `cores` (a number)");
}

#define OF_HOST (1u << 31) // in `undo`: the load is the host's

static bool is_place(const struct lz_fault *f)
{
    return f->opts.target.kind > LZ_TARGET_REPLICA;
}

// A host whose cores are shared is loaded once, for all that stand on it.
static bool is_loaded_already(const struct lz_world *w, const struct lz_fault *f, uint32_t at)
{
    lz_host_id host = lz_instance_get(w, f->hits[at])->host;
    for (uint32_t i = 0; i < at; i++)
        if (lz_instance_get(w, f->hits[i])->host == host)
            return true;
    return false;
}

static uint32_t load(struct lz_world *w, struct lz_fault *f, uint32_t at)
{
    const struct lz_fault_params *p = &f->opts.params;
    lz_instance_id id = f->hits[at];
    lz_host_id host = lz_instance_get(w, id)->host;
    if (!is_place(f) || lz_host_cpu(w, host) == NULL)
        return lz_capacity_steal(w, id, p->load, p->cores);
    return is_loaded_already(w, f, at) ? 0 : OF_HOST | lz_host_steal(w, host, p->load, p->cores);
}

// Load on a host whose process does not run touches nothing.
static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++) {
        f->undo[i] = load(w, f, i);
        f->effect += f->undo[i] != 0 && lz_instance_is_up(lz_instance_get(w, f->hits[i]));
    }
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        if ((f->undo[i] & OF_HOST) != 0)
            lz_host_undo(w, f->undo[i] & ~OF_HOST);
        else if (f->undo[i] != 0)
            lz_capacity_undo(w, f->hits[i], f->undo[i]);
}

const struct lz_fault_kind lz_fault_cpu = {
    .name = "cpu",
    .doc = "Keep cores busy with something else; the instance's own work shares what is left.",
    .effect_unit = "CPUs loaded",
    .elsewhere = "Chaos Mesh's, Litmus' and Gremlin's CPU stress burn cores beside the target and "
                 "compete by the scheduler's weights; here the load comes first and the target "
                 "shares what is left, at least 1 % of its cores. A host with declared cores is "
                 "loaded as a whole.",
    .targets = LZ_TARGETS_INSTANCES,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = revert,
};
