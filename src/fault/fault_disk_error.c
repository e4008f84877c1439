#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {.name = "ratio",
     .type = LZ_PARAM_RATIO,
     .offset = offsetof(struct lz_fault_params, ratio),
     .preset = 1,
     .doc = "share of operations that fail; default all"},
    {.name = "errno",
     .type = LZ_PARAM_TEXT,
     .offset = offsetof(struct lz_fault_params, errno_name),
     .doc = "for people; default EIO"},
    {.name = "operations",
     .type = LZ_PARAM_WORDS,
     .offset = offsetof(struct lz_fault_params, operations),
     .choices = LZ_DISK_OPS,
     .doc = "which; default all; a record of a log goes with its flush, as both"},
    {0},
};

static bool check(const struct lz_fault_opts *o, struct lz_err *err)
{
    if (o->params.ratio > 0.0)
        return true;
    return lz_fail(err, LZ_ERANGE, "fault.disk_error: a ratio of 0 fails nothing");
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f,
                        &(struct lz_disk_effect){.error_ratio = f->opts.params.ratio,
                                                 .operations = f->opts.params.operations});
}

const struct lz_fault_kind lz_fault_disk_error = {
    .name = "disk_error",
    .doc = "Fail operations of a disk.",
    .effect_unit = "operations failed",
    .elsewhere = "Chaos Mesh's IOChaos fault with an errno. A database answers the request with an "
                 "error; PostgreSQL would end itself on a failed fsync, which is fault.kill.",
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
