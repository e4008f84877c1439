/*
 * fault_surge.c — more users than anybody planned for.
 *
 * Their arrivals are a stream beside the traffic's own, with draws of its own: what would have
 * come without them comes all the same, to the nanosecond.
 */
#include "fault/kinds.h"
#include "fault/surge.h"

const struct lz_fault_kind lz_fault_surge = {
    .name = "surge",
    .doc = "Add users: a campaign, a link on the news, a failover from elsewhere.",
    .effect_unit = "requests added",
    .elsewhere = "No chaos tool has load as a fault; one runs a load generator beside it, and sees "
                 "its requests in no budget. Here they are the traffic's own users, with its "
                 "operation, timeout and retries, and count in its metrics. fault.bots adds load "
                 "that counts nowhere.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON_ALL,
    .ramps_itself = true,
    .params = lz_surge_params,
    .check = lz_surge_check,
    .fits = lz_surge_fits,
    .apply = lz_surge_users,
    .revert = lz_surge_revert,
};
