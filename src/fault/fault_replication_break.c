/* fault_replication_break.c — a log that is not sent, until it is repaired. */
#include "fault/kinds.h"
#include "model/data/replicate.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_replication_effect e = {.breaks = true, .path = f->path, .touched = &f->effect};
    lz_fault_replication_apply(w, f, &e);
}

const struct lz_fault_kind lz_fault_replication_break = {
    .name = "replication_break",
    .doc =
        "Stop replication: nodes run and reach each other, and no record is sent. When it is over "
        "all that were not sent are.",
    .elsewhere =
        "A slot that is invalid, a replica whose SQL thread stopped over an error: no chaos "
        "tool has it. A partition of the nodes is noticed, this is not.",
    .effect_unit = "records held back",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .fits = lz_fault_replication_fits,
    .apply = apply,
    .revert = lz_fault_replication_revert,
};
