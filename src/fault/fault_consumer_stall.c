#include "fault/kinds.h"
#include "model/broker/consumers.h"

static const struct lz_param params[] = {{0}};

static void apply(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_consumers_stall(w, f->hits[i], &f->effect);
}

static void revert(struct lz_world *w, struct lz_fault *f)
{
    for (uint32_t i = 0; i < f->hit_count; i++)
        lz_consumers_release(w, f->hits[i], &f->effect);
}

const struct lz_fault_kind lz_fault_consumer_stall = {
    .name = "consumer_stall",
    .doc = "Stop reading without leaving: what was taken is worked on, nothing more is, and the "
           "heartbeat goes on.",
    .effect_unit = "polls held back",
    .elsewhere = "fault.pause stops the heartbeat too, and the session runs out. This is a poll "
                 "loop that is stuck: only max_poll_interval notices it.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT) | LZ_TARGET_BIT(LZ_TARGET_INSTANCE),
    .on = LZ_FAULT_ON(LZ_COMPONENT_CONSUMERS),
    .per_instance = true,
    .params = params,
    .apply = apply,
    .revert = revert,
};
