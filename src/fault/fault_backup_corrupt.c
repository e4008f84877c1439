#include "fault/kinds.h"
#include "model/data/backup.h"

static const struct lz_param params[] = {{0}};

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    return lz_backup_is_any(w, o->target.id) ||
           lz_fail(err, LZ_EINVAL,
                   "fault.backup_corrupt: %s has no backups: give it backup = { full = \"24h\" }",
                   lz_world_component(w, o->target.id)->name);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    *lz_fault_undo(w, f) = lz_backup_disturb(
        w, f->opts.target.id, &(struct lz_backup_effect){.corrupts = true, .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_backup_undo(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_backup_corrupt = {
    .name = "backup_corrupt",
    .doc = "Let what is backed up be unreadable: a full backup that ends while it lasts is made, "
           "and nobody notices before a restore, or a drill.",
    .elsewhere = "No tool has it.",
    .effect_unit = "backups touched",
    .fits = fits,
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .apply = apply,
    .revert = revert,
};
