#include "fault/kinds.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_backup_apply(w, f, false);
}

const struct lz_fault_kind lz_fault_backup_fail = {
    .name = "backup_fail",
    .doc = "Let backups fail, full ones and the archive, as long as it lasts: those of a "
           "database, or all that databases keep at a store.",
    .elsewhere = "No tool has it: it is what a full disk, an expired credential or another version "
                 "of pg_dump does (GitLab, January 2017).",
    .effect_unit = "backups touched",
    .fits = lz_fault_backup_fits,
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON_KEEPERS,
    .params = params,
    .apply = apply,
    .revert = lz_fault_backup_revert,
};
