#include "fault/kinds.h"
#include "model/data/backup.h"

static const struct lz_param params[] = {{0}};

static bool fits(const struct lz_world *w, const struct lz_fault_opts *o, struct lz_err *err)
{
    return lz_backup_is_any(w, o->target.id) ||
           lz_fail(err, LZ_EINVAL,
                   "fault.backup_fail: %s has no backups: give it backup = { full = \"24h\" }",
                   lz_world_component(w, o->target.id)->name);
}

static void apply(struct lz_world *w, struct lz_fault *f)
{
    *lz_fault_undo(w, f) = lz_backup_disturb(
        w, f->opts.target.id, &(struct lz_backup_effect){.fails = true, .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_backup_undo(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_backup_fail = {
    .name = "backup_fail",
    .doc = "Let backups fail, full ones and the archive, as long as it lasts.",
    .elsewhere = "No tool has it: it is what a full disk, an expired credential or another version "
                 "of pg_dump does (GitLab, January 2017).",
    .effect_unit = "backups touched",
    .fits = fits,
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .apply = apply,
    .revert = revert,
};
