/*
 * roles.h — who leads, of several real things that stand for one component.
 *
 * A model knows its primary; of real programs only they themselves know who it is, and after a
 * failover it is another. Each target with an `is_primary` is asked again and again (asker.h), in
 * PostgreSQL's case `select not pg_is_in_recovery()`, in Redis' `ROLE`. Who last began to say yes
 * is the component's primary from then on (lz_real_leads): a fault on db.primary that fires hits
 * that one, on db.replica the others.
 *
 * Two may say yes at a time: who was cut off does not know that it was replaced. The later one is
 * taken. While none says yes it is who was the last.
 */
#ifndef LZ_LIVE_ROLES_H
#define LZ_LIVE_ROLES_H

#include "live/live.h"

struct lz_roles;

/* Begin to ask, once all are ready. */
bool lz_roles_start(struct lz_live *live, struct lz_roles **out, struct lz_err *err) LZ_MUST_CHECK;
void lz_roles_stop(struct lz_roles *roles); /* NULL is allowed */

#endif
