#include "base/check.h"
#include "base/grow.h"
#include "model/data/leader.h"
#include "model/net/net.h"
#include "model/node/instance.h"

/*
 * Who leads, as a caller knows it. Nobody tells a caller: it is told when it asks, which is when it
 * calls. Each keeps the node it knew until it is told of another, and hears of none that it cannot
 * reach. While faults split the database, a share of the callers hears nothing.
 */

static bool is_kept_away(struct lz_world *w, const struct lz_database *d, lz_instance_id client)
{
    if (d->split_count == 0)
        return false;
    uint64_t owner = lz_draw_join(d->path, lz_instance_path(w, client));
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_RESOLVER, d->timelines);
    return lz_draw_unit(&draw) < d->split_stay;
}

static bool hears(struct lz_world *w, const struct lz_database *d, lz_instance_id client,
                  uint32_t known)
{
    bool leads = d->nodes[known].log->leader == known;
    if (leads && is_kept_away(w, d, client))
        return false;
    if (!d->failover.is_discovered)
        return true;
    return lz_sim_now(w->sim) >= d->promoted_at + d->failover.discovery &&
           lz_net_can_ask(w, client, d->first + d->primary);
}

uint32_t lz_discovery_primary(struct lz_world *w, struct lz_database *d, lz_instance_id client)
{
    if (!d->failover.is_discovered && d->split_count == 0 && d->known_cap == 0)
        return d->primary;
    d->known = lz_grow(w->arena, d->known, &d->known_cap, client + 1, sizeof(*d->known));
    // Who is asked for the first time knew whoever led before the last promotion.
    uint32_t known = d->known[client] > 0 ? d->known[client] - 1u : d->led_before;
    if (known != d->primary && hears(w, d, client, known))
        known = d->primary;
    LZ_ASSERT(known < d->opts.nodes);
    d->known[client] = (uint8_t)(known + 1);
    return known;
}
