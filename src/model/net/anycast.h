/*
 * anycast.h — one address announced from several sites: which of them a source's packets reach.
 *
 * A name with the policy `anycast` is one address that all its answers announce (BGP). A source's
 * packets go to the nearest site that, as its routers know, announces it. A site whose health
 * checks fail withdraws its route, one that passes announces it again; each source's routers come
 * to know of that after a time of their own, a draw of `convergence`. Until then its packets go to
 * where they went: to a site that is gone they are lost, which is why withdrawal is what anycast's
 * failover takes. There is no cache and no TTL: nobody asks for anything.
 *
 *   site fails ──health checks──▶ withdrawn ──convergence, each source──▶ the next nearest
 *
 * The default, uniform from 0 to 30 s, is the phase of one router that paces its announcements by
 * RFC 4271's MinRouteAdvertisementInterval (section 10 suggests 30 s for EBGP).
 *
 * What is under way over a connection to the former site: an answer of one flight still comes,
 * since the way back is the client's own; one that needs acknowledging is reset, for the site that
 * gets the acknowledgement has no such connection. When no site announces it, packets go nowhere;
 * to those who have not heard of that yet, to the site that was last.
 */
#ifndef LZ_MODEL_NET_ANYCAST_H
#define LZ_MODEL_NET_ANYCAST_H

#include "model/world.h"

struct lz_anycast;

struct lz_anycast *lz_anycast_create(struct lz_world *w, uint32_t sites,
                                     const struct lz_dist *convergence);

/* A site withdraws its route, or announces it. */
void lz_anycast_changed(struct lz_world *w, struct lz_anycast *a, uint32_t site, bool is_announced);

/* The sites that announce it, as the routers of `source` know: bit i is site i. */
uint64_t lz_anycast_known(struct lz_world *w, const struct lz_anycast *a, uint64_t source);

#endif
