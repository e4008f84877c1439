#include "fault/kinds.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_backup_apply(w, f, true);
}

const struct lz_fault_kind lz_fault_backup_corrupt = {
    .name = "backup_corrupt",
    .doc = "Let what is backed up be unreadable: a full backup that ends while it lasts is made, "
           "and nobody notices before a restore, or a drill. Of a database, or of a store that "
           "keeps databases' backups.",
    .elsewhere = "No tool has it.",
    .effect_unit = "backups touched",
    .fits = lz_fault_backup_fits,
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON_KEEPERS,
    .params = params,
    .apply = apply,
    .revert = lz_fault_backup_revert,
};
