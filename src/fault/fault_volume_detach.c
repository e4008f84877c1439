#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f, &(struct lz_disk_effect){.is_detached = true});
}

const struct lz_fault_kind lz_fault_volume_detach = {
    .name = "volume_detach",
    .doc = "Take volumes away: every operation fails.",
    .effect_unit = "operations failed",
    .elsewhere = "AWS FIS and Litmus detach an EBS volume; they need a cloud account for it.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_DISKS,
    .fits = lz_fault_disk_fits,
    .takes = lz_fault_disk_takes,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_disk_revert,
};
