// What the faults of backups share: those of a database, or all that a component keeps.
#include "fault/kinds.h"
#include "model/data/backup.h"

bool lz_fault_backup_fits(const struct lz_world *w, const struct lz_fault_opts *o,
                          struct lz_err *err)
{
    const struct lz_component *c = lz_world_component(w, o->target.id);
    if (lz_backup_is_any(w, o->target.id))
        return true;
    if (c->kind == LZ_COMPONENT_DATABASE)
        return lz_fail(err, LZ_EINVAL,
                       "fault.%s: %s has no backups: give it backup = { full = \"24h\" }", o->kind,
                       c->name);
    return lz_fail(err, LZ_EINVAL,
                   "fault.%s: no database keeps its backups at %s: give one backup = { to = %s }",
                   o->kind, c->name, c->name);
}

void lz_fault_backup_apply(struct lz_world *w, struct lz_fault *f, bool corrupts)
{
    *lz_fault_undo(w, f) = lz_backup_disturb(w, &(struct lz_backup_effect){.of = f->opts.target.id,
                                                                           .fails = !corrupts,
                                                                           .corrupts = corrupts,
                                                                           .touched = &f->effect});
}

void lz_fault_backup_revert(struct lz_world *w, struct lz_fault *f)
{
    lz_backup_undo(w, f->undo[0]);
}
