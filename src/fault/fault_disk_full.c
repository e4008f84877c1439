#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {.name = "keep",
     .type = LZ_PARAM_SIZE,
     .offset = offsetof(struct lz_fault_params, keep),
     .max = 1e18,
     .doc = "what stays free; default 0B"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f,
                        &(struct lz_disk_effect){.is_full = true, .keep = f->opts.params.keep});
}

const struct lz_fault_kind lz_fault_disk_full = {
    .name = "disk_full",
    .doc = "Fill disks: writes are refused once `keep` more bytes are written.",
    .effect_unit = "writes refused",
    .elsewhere = "Litmus, ChaosBlade and Gremlin write a file of so many bytes or percent; here "
                 "what is left is said, and the writes of the database count against it.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_DISKS,
    .fits = lz_fault_disk_fits,
    .takes = lz_fault_disk_takes,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_disk_revert,
};
