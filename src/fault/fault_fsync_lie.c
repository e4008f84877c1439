#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f, &(struct lz_disk_effect){.lies = true});
}

const struct lz_fault_kind lz_fault_fsync_lie = {
    .name = "fsync_lie",
    .doc = "Acknowledge flushes that only reached the cache: a loss of power takes them.",
    .effect_unit = "flushes lied about",
    .elsewhere =
        "No other tool has it; Rebello et al., \"Can Applications Recover from fsync Failures?\" "
        "(ATC 2020), and Zheng et al. (FAST 2013) found disks that do it. It is harmless until "
        "fault.down: then lost_acks counts what is gone. One honest flush afterwards mends it.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_LOGS,
    .fits = lz_fault_disk_fits,
    .per_instance = true,
    .params = params,
    .takes = lz_fault_disk_takes,
    .apply = apply,
    .revert = lz_fault_disk_revert,
    .waits = lz_fault_disk_waits,
};
