#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .required = true,
     .doc = "share of reads that are changed"},
    {.name = "bytes",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, bytes),
     .max = 1e18,
     .doc = "for people: how much at once; default 1B"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f, &(struct lz_disk_effect){.corrupt = f->opts.params.ratio});
}

const struct lz_fault_kind lz_fault_disk_corrupt = {
    .name = "disk_corrupt",
    .doc = "Change what is read from a disk, silently; with checksums it is an error.",
    .effect_unit = "reads changed",
    .elsewhere = "Chaos Mesh's IOChaos mistake. While it lasts every read goes to the disk; "
                 "without `checksums` nobody notices, and only the count tells.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_DISKS,
    .fits = lz_fault_disk_fits,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_disk_revert,
};
