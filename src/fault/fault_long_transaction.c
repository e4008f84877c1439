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
    struct lz_fault_params *p = &f->opts.params;
    p->gap = lz_hold_patience(w, f->opts.target.id); // of the server: see `next`
    *lz_fault_undo(w, f) = lz_hold_begin(
        w, f->opts.target.id,
        &(struct lz_hold_opts){
            .has_row = p->key != 0, .row = p->key, .has_snapshot = true, .touched = &f->effect});
}

// Nobody says anything in it: idle_in_transaction_timeout ends it (PostgreSQL's
// idle_in_transaction_session_timeout), and whoever left it open does not notice.
static lz_time next(struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    return f->step == 0 ? f->opts.params.gap : 0;
}

static void expire(struct lz_world *w, struct lz_fault *f)
{
    lz_hold_expire(w, f->opts.target.id, f->undo[0]);
    f->undo[0] = 0;
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    if (f->undo[0] != 0)
        lz_hold_end(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_long_transaction = {
    .name = "long_transaction",
    .doc = "Hold a transaction open: its snapshot keeps every version that is replaced from then "
           "on (dead_rows), and its row stays locked, until idle_in_transaction_timeout ends it or "
           "its "
           "server's process ends.",
    .elsewhere = "It is done by hand with BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1. What "
                 "the dead rows cost queries is not modelled.",
    .effect_unit = "versions kept and waits caused",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON(LZ_COMPONENT_DATABASE),
    .params = params,
    .is_quiet = true,
    .apply = apply,
    .next = next,
    .advance = expire,
    .revert = revert,
};
