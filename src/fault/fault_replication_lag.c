/* fault_replication_lag.c — records of a database's log held back before they are sent. */
#include "fault/kinds.h"
#include "model/data/replicate.h"

static const struct lz_param params[] = {
    {.name = "add",
     .type = LZ_PARAM_DIST,
     .ramp = LZ_RAMP_FROM_0,
     .offset = offsetof(struct lz_fault_params, add),
     .required = true,
     .doc = "how much longer; a duration or a distribution"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_replication_effect e = {
        .add = f->opts.params.add, .path = f->path, .touched = &f->effect};
    lz_fault_replication_apply(w, f, &e);
}

const struct lz_fault_kind lz_fault_replication_lag = {
    .name = "replication_lag",
    .doc = "Hold the records of the log back before they are sent; none overtakes another. Writes "
           "that wait for a standby wait as much longer, the others are lost if the primary dies.",
    .elsewhere =
        "PostgreSQL's recovery_min_apply_delay and MySQL's SOURCE_DELAY hold back what has "
        "arrived, which costs no data when the primary dies: that is apply_time here.",
    .effect_unit = "records held back",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .fits = lz_fault_replication_fits,
    .apply = apply,
    .revert = lz_fault_replication_revert,
};
