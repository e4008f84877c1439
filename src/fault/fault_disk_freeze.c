#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f, &(struct lz_disk_effect){.freezes = true});
}

const struct lz_fault_kind lz_fault_disk_freeze = {
    .name = "disk_freeze",
    .doc = "Hang all operations of a disk; they end when it is over.",
    .effect_unit = "operations hung",
    .elsewhere = "fsfreeze, an NFS server that is gone, a multipath failover. Processes live on "
                 "and hold what they have, which no health check of theirs sees.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_DISKS,
    .fits = lz_fault_disk_fits,
    .takes = lz_fault_disk_takes,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_disk_revert,
};
