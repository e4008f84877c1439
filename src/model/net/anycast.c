#include "model/net/anycast.h"

#include "base/check.h"
#include "base/grow.h"

#define SITES_MAX 64u // a set of them is the bits of a uint64_t
#define CHANGES_KEPT 16u

// The latest changes of a site's route, the newest first. Older ones are known to all who matter.
struct site {
    lz_time at[CHANGES_KEPT];
    uint64_t changes; // odd: it is withdrawn
};

struct lz_anycast {
    struct lz_dist convergence;
    uint32_t count;
    struct site sites[];
};

struct lz_anycast *lz_anycast_create(struct lz_world *w, uint32_t sites,
                                     const struct lz_dist *convergence)
{
    LZ_ASSERT(sites >= 1 && sites <= SITES_MAX);
    struct lz_anycast *a = lz_arena_alloc(w->arena, sizeof(*a) + sites * sizeof(a->sites[0]));
    a->count = sites;
    a->convergence = *convergence;
    return a;
}

void lz_anycast_changed(struct lz_world *w, struct lz_anycast *a, uint32_t site, bool is_announced)
{
    LZ_ASSERT(site < a->count);
    struct site *s = &a->sites[site];
    LZ_ASSERT(is_announced == ((s->changes & 1) != 0)); // it does change
    for (uint32_t i = CHANGES_KEPT - 1; i > 0; i--)
        s->at[i] = s->at[i - 1];
    s->at[0] = lz_sim_now(w->sim);
    s->changes++;
}

// When the routers of a source hear of the nth change of a site.
static lz_time heard(struct lz_world *w, const struct lz_anycast *a, uint64_t source, uint32_t site,
                     uint64_t nth, lz_time at)
{
    uint64_t owner = lz_draw_index(source, site);
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_ROUTE, nth);
    return at + lz_dist_time(&a->convergence, &draw);
}

// The newest change that has been heard of decides, even if an older one comes later.
static bool is_known(struct lz_world *w, const struct lz_anycast *a, uint64_t source, uint32_t site)
{
    const struct site *s = &a->sites[site];
    lz_time now = lz_sim_now(w->sim);
    uint64_t nth = s->changes;
    for (uint32_t i = 0; i < CHANGES_KEPT && nth > 0; i++, nth--)
        if (heard(w, a, source, site, nth, s->at[i]) <= now)
            break;
    return (nth & 1) == 0;
}

uint64_t lz_anycast_known(struct lz_world *w, const struct lz_anycast *a, uint64_t source)
{
    uint64_t known = 0;
    for (uint32_t i = 0; i < a->count; i++)
        if (is_known(w, a, source, i))
            known |= 1ull << i;
    return known;
}
