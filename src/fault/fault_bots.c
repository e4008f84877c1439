/*
 * fault_bots.c — load that nobody wants: crawlers, scrapers, credential stuffing, a flood.
 */
#include "fault/kinds.h"
#include "fault/surge.h"

const struct lz_fault_kind lz_fault_bots = {
    .name = "bots",
    .doc = "Add load that nobody wants: crawlers, scrapers, credential stuffing, a flood.",
    .effect_unit = "requests added",
    .elsewhere =
        "No chaos tool has load as a fault. Unlike those of fault.surge, its requests count in "
        "no metric of the users, only where they arrive; and no two are about the same key, "
        "so that caches do not help. fault.flood is junk below the requests.",
    .targets = LZ_TARGET_BIT(LZ_TARGET_COMPONENT),
    .on = LZ_FAULT_ON_ALL,
    .ramps_itself = true,
    .params = lz_surge_params,
    .check = lz_surge_check,
    .fits = lz_surge_fits,
    .apply = lz_surge_bots,
    .revert = lz_surge_revert,
};
