#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {.name = "limit",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .required = true,
     .doc = "operations per second"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.limit >= 1)
        return true;
    return lz_fail(err, LZ_ERANGE,
                   "fault.disk_iops: limit must be at least 1; fault.disk_freeze "
                   "stops all");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f, &(struct lz_disk_effect){.iops = (double)f->opts.params.limit});
}

const struct lz_fault_kind lz_fault_disk_iops = {
    .name = "disk_iops",
    .doc = "Limit the operations of a disk per second.",
    .effect_unit = "operations slowed",
    .elsewhere = "A cloud volume whose burst credits are used up; other tools load the disk "
                 "instead, which takes as much as the load happens to.",
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
