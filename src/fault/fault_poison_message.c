// The marks go with the fault: its end is the fix that can work on the record.
#include "fault/kinds.h"
#include "model/broker/topic.h"

static const struct lz_param params[] = {
    {.name = "count",
     .type = LZ_PARAM_COUNT,
     .offset = offsetof(struct lz_fault_params, limit),
     .min = 1,
     .preset = 1,
     .doc = "how many of the next records; default 1"},
    {0},
};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    const struct lz_target *t = &f->opts.target;
    *lz_fault_undo(w, f) = lz_topic_poison(w, t->id, t->ordinal, f->opts.params.limit, &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    lz_topic_cure(w, f->opts.target.id, f->undo[0]);
}

const struct lz_fault_kind lz_fault_poison_message = {
    .name = "poison_message",
    .doc = "Send records that nobody can work on: each attempt fails, and `on_error` of the "
           "consumers says what follows.",
    .effect_unit = "attempts that failed",
    .elsewhere = "No other tool has it. With on_error = \"retry\" the record holds up its "
                 "partition, as a deserialisation error does in a poll loop; when the fault is "
                 "over it can be worked on, as after a fix.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_INSTANCE),
    .on = LZ_FAULT_ON(LZ_COMPONENT_TOPIC),
    .params = params,
    .apply = apply,
    .revert = revert,
};
