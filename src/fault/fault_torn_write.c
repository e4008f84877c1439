#include "fault/kinds.h"
#include "model/node/disk.h"

static const struct lz_param params[] = {
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    lz_fault_disk_apply(w, f, &(struct lz_disk_effect){.tears = true});
}

// It tears what is under way when the power goes; afterwards all is whole.
static void revert(struct lz_world *w, struct lz_fault *f)
{
    f->has_come = f->has_come || lz_fault_disk_waits(w, f) == NULL;
    lz_fault_disk_revert(w, f);
}

static const char *waits(const struct lz_world *w, const struct lz_fault *f)
{
    bool has_come = f->active && lz_fault_disk_waits(w, f) == NULL;
    return has_come ? NULL
                    : "nothing it hit has lost its power while it lasted, so that no write was "
                      "torn: let "
                      "fault.down take the power then";
}

const struct lz_fault_kind lz_fault_torn_write = {
    .name = "torn_write",
    .doc = "Leave the last write half there when the power is lost.",
    .effect_unit = "writes that may tear",
    .elsewhere = "No other tool has it; ALICE (Pillai et al., OSDI 2014) and CrashMonkey look for "
                 "it in files. A log ends before a record that is not whole, so the write is gone.",
    .targets = LZ_TARGETS_INSTANCES,
    .on = LZ_FAULT_ON_LOGS,
    .fits = lz_fault_disk_fits,
    .per_instance = true,
    .params = params,
    .takes = lz_fault_disk_takes,
    .apply = apply,
    .revert = revert,
    .waits = waits,
};
