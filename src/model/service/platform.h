/*
 * platform.h — what the platform under the services does not do for a while: faults.
 *
 *   DECIDE   autoscalers decide nothing: what there is stays
 *   START    replicas that are added wait, or come late by `delay`; those that run, run on, and
 *            what is started again where it was needs neither a scheduler nor an image
 *   PLACE    nothing new is placed there: hosts that are drained, cordoned, or some of them
 *   PULL     images cannot be pulled (image.h)
 *   DEPLOY   shares of requests by version cannot be changed
 *   SCRAPE   samples are lost, a share of them: autoscalers do not know what is used, alerts have
 *            nothing to go by, and wait_until does not see what it waits for
 *   ALERT    wait_until, and who an alert is about, is told late by `add`
 *
 * A cluster's own control plane that is down or has no majority (nodes.h) withholds DECIDE and
 * START in the same way, without a fault.
 *
 * Of a component, or of all that have a replica in a place. Each effect in force counts what it
 * touched. Nobody asks while there is none.
 */
#ifndef LZ_MODEL_SERVICE_PLATFORM_H
#define LZ_MODEL_SERVICE_PLATFORM_H

#include "model/target.h"
#include "sim/dist.h"

enum lz_platform_part {
    LZ_PLATFORM_DECIDE = 1u << 0,
    LZ_PLATFORM_START = 1u << 1,
    LZ_PLATFORM_DEPLOY = 1u << 2,
    LZ_PLATFORM_SCRAPE = 1u << 3,
    LZ_PLATFORM_ALERT = 1u << 4,
    LZ_PLATFORM_PULL = 1u << 5,
    LZ_PLATFORM_PLACE = 1u << 6,
};

struct lz_platform_effect {
    const struct lz_target *target;
    unsigned parts;
    const lz_host_id *hosts; /* PLACE: only these, and not the target's; NULL: all of it */
    uint32_t host_count;
    lz_time delay;      /* START: late, not never */
    struct lz_dist add; /* ALERT */
    double ratio;       /* SCRAPE: of the samples */
    uint64_t path;      /* owner of its draws */
    uint64_t *touched;  /* NULL: nobody counts */
};

uint32_t lz_platform_add(struct lz_world *w, const struct lz_platform_effect *effect);
void lz_platform_remove(struct lz_world *w, uint32_t id);

/* Each counts what it says no to. `nth` numbers what is asked, for draws. */
bool lz_platform_withholds(struct lz_world *w, lz_component_id id, enum lz_platform_part part);
bool lz_platform_holds_start(struct lz_world *w, lz_instance_id id, bool is_news, lz_time *late);
bool lz_platform_refuses_pull(struct lz_world *w, lz_instance_id id);
bool lz_platform_loses_sample(struct lz_world *w, lz_component_id id, uint64_t nth);

/* What is to be left by who would be placed on the host; NULL: nothing. And: is all of the zone to
   be left? */
const struct lz_target *lz_platform_cordon(const struct lz_world *w, lz_host_id host);
bool lz_platform_bars(const struct lz_world *w, lz_zone_id zone);

/* Controllers and the API of what runs the component are down: nothing of it can be changed. */
bool lz_platform_is_stopped(struct lz_world *w, lz_component_id id);

/* The control plane of a region, or of its cloud: nothing is decided there and nothing starts. */
bool lz_platform_is_down(struct lz_world *w, lz_region_id region);

/* Of one notification about these components: each effect draws, and counts, once. */
struct lz_platform_about {
    const lz_component_id *all; /* no one twice */
    uint32_t count;
};
lz_time lz_platform_alert_delay(struct lz_world *w, const struct lz_platform_about *about,
                                uint64_t nth);

#endif
