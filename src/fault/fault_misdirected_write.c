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
    lz_fault_disk_apply(
        w, f, &(struct lz_disk_effect){.misdirects = f->opts.params.ratio, .path = f->path});
}

const struct lz_fault_kind lz_fault_misdirected_write = {
    .name = "misdirected_write",
    .doc = "Let writes get to another place of the disk; nobody knows until the power is lost.",
    .effect_unit = "writes misdirected",
    .elsewhere = "No other tool has it; Bairavasundaram et al. (FAST 2008) counted such writes on "
                 "1.53 million disks. A log ends at its first record that is not there; of a "
                 "database with a schema the place it got to is damaged too: see metric corrupt.",
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
