#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, add),
     .doc = "added to each operation: a duration or a distribution"},
    {.name = "factor",
     .type = LZ_PARAM_NUMBER,
     .ramp = LZ_RAMP_FROM_1,
     .offset = offsetof(struct lz_fault_params, factor),
     .min = 0.001,
     .max = 1e6,
     .doc = "how many times longer operations take; of a disk with a declared latency"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.add.kind != LZ_DIST_NONE || o->params.factor > 0.0)
        return true;
    return lz_fail(err, LZ_EINVAL, "fault.disk_latency needs `add` or `factor`");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(
        w, f, &(struct lz_disk_effect){.add = f->opts.params.add, .factor = f->opts.params.factor});
}

const struct lz_fault_kind lz_fault_disk_latency = {
    .name = "disk_latency",
    .doc = "Slow disks down.",
    .effect_unit = "operations slowed",
    .elsewhere = "Chaos Mesh's IOChaos delays the calls of one process on one volume (FUSE); here "
                 "it is the node's disk, for its flushes and the reads that miss memory.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_DISKS,
    .fits = lz_fault_disk_fits,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_disk_revert,
};
