#include "fault/kinds.h"
#include "model/data/hold.h"

static const struct lz_param params[] = {
    {.name = "table",
     .type = LZ_PARAM_TEXT,
     .offset = offsetof(struct lz_fault_params, table),
     .doc = "whose lock is held; default all tables', if there is no key"},
    {.name = "key",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, key),
     .doc = "of the row whose lock is held, from 1"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_fault_params *p = &f->opts.params;
    *lz_fault_undo(w, f) = lz_hold_begin(w, f->opts.target.id,
                                         &(struct lz_hold_opts){.has_row = p->key != 0,
                                                                .row = p->key,
                                                                .has_table = p->key == 0,
                                                                .table = p->table,
                                                                .touched = &f->effect});
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_hold_end(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_lock = {
    .name = "lock",
    .doc =
        "Hold a table's lock, as LOCK TABLE and most ALTER TABLE do, so that all statements "
        "that name it wait; or a row's, so that its writers do. Its server's process ends it too.",
    .elsewhere = "AWS FIS and Gremlin have none; it is done by hand with BEGIN; LOCK TABLE. "
                 "Statements inside a handler's transaction wait too, if their SQL names it.",
    .effect_unit = "waits caused",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .apply = apply,
    .revert = revert,
};
