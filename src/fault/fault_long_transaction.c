#include "fault/kinds.h"
#include "model/data/hold.h"

static const struct lz_param params[] = {
    {.name = "key",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, key),
     .doc = "a row that it has written, from 1; default none"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    *lz_fault_undo(w, f) = lz_hold_begin(
        w, f->opts.target.id,
        &(struct lz_hold_opts){
            .has_row = p->key != 0, .row = p->key, .has_snapshot = true, .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_hold_end(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_long_transaction = {
    .name = "long_transaction",
    .doc = "Hold a transaction open: its snapshot keeps every version that is replaced from then "
           "on (dead_rows), and its row stays locked.",
    .elsewhere = "It is done by hand with BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1. What "
                 "the dead rows cost queries is not modelled.",
    .effect_unit = "versions kept and waits caused",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .apply = apply,
    .revert = revert,
};
