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
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .preset = 1,
     .doc = "share of operations that is slowed, each by its own draw; default all"},
    {.name = "operations",
     .type = LZ_PARAM_WORDS,
     .offset = offsetof(struct lz_fault_params, operations),
     .choices = LZ_DISK_OPS,
     .doc = "which; default all; a record of a log goes with its flush, as both"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (!(o->params.ratio > 0.0))
        return lz_fail(err, LZ_ERANGE, "fault.disk_latency: a ratio of 0 slows nothing");
    if (o->params.add.kind != LZ_DIST_NONE || o->params.factor > 0.0)
        return true;
    return lz_fail(err, LZ_EINVAL, "fault.disk_latency needs `add` or `factor`");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    lz_fault_disk_apply(w, f,
                        &(struct lz_disk_effect){.add = p->add,
                                                 .factor = p->factor,
                                                 .slow_ratio = p->ratio,
                                                 .operations = p->operations});
}

const struct lz_fault_kind lz_fault_disk_latency = {
    .name = "disk_latency",
    .doc = "Slow disks down.",
    .effect_unit = "operations slowed",
    .elsewhere = "Chaos Mesh's IOChaos delays the calls of one process on one volume (FUSE); here "
                 "it is the node's disk, for its flushes and the reads that miss memory. Its "
                 "`percent` is `ratio`, its `methods` are `operations`.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_DISKS,
    .fits = lz_fault_disk_fits,
    .takes = lz_fault_disk_takes,
    .per_instance = true,
    .params = params,
    .check = check,
    .apply = apply,
    .revert = lz_fault_disk_revert,
};
