#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .preset = 1,
     .doc = "share of writes; default all"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f,
                        &(struct lz_disk_effect){.loses = f->opts.params.ratio, .path = f->path});
}

const struct lz_fault_kind lz_fault_lost_write = {
    .name = "lost_write",
    .doc = "Acknowledge writes that never reach the disk; nobody knows until the power is lost.",
    .effect_unit = "writes lost",
    .elsewhere = "No other tool has it. The log is read up to the first write that is not there, "
                 "so all behind it is gone too, unless a checkpoint (5 min) has passed.",
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
