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

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    bool is_component = o->target.kind != 0 && o->target.kind <= LZ_TARGET_REPLICA;
    const struct lz_component *c = is_component ? lz_world_component(w, o->target.id) : NULL;
    if (c != NULL && (c->kind == LZ_COMPONENT_CONSENSUS || c->kind == LZ_COMPONENT_CACHE))
        return lz_fail(err, LZ_EINVAL,
                       "fault.disk_corrupt: the nodes of %s read their disks only when a process "
                       "begins, and end when a checksum is wrong (%s): fault.kill does that",
                       c->name,
                       c->kind == LZ_COMPONENT_CACHE ? "Redis: Wrong RDB checksum"
                                                     : "etcd: walpb: crc mismatch");
    return lz_fault_disk_fits(w, o, err);
}

const struct lz_fault_kind lz_fault_disk_corrupt = {
    .name = "disk_corrupt",
    .doc = "Change what is read from a disk, silently; with checksums it is an error.",
    .effect_unit = "reads changed",
    .elsewhere = "Chaos Mesh's IOChaos mistake. While it lasts every read goes to the disk; "
                 "without `checksums` nobody notices, and only the count tells.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_DISKS,
    .fits = fits,
    .takes = lz_fault_disk_takes,
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = lz_fault_disk_revert,
};
