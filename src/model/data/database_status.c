/* database_status.c — a database's roles and lag, for model/status.h. */
#include "base/check.h"
#include "model/data/database_state.h"
#include "model/status.h"

static void tell_standby(const struct lz_world *w, const struct lz_database *d, uint32_t n,
                         const struct lz_status *to)
{
    const struct lz_database_node *node = &d->nodes[n], *primary = &d->nodes[d->primary];
    lz_status_text(to, n + 1, "role", "standby");
    lz_status_flag(to, n + 1, "rebuilding", node->is_stale || node->is_rejoining);
    if (node->log != &d->log || node->applied >= primary->lsn)
        return;
    lz_status_number(to, n + 1, "behind", (double)(primary->lsn - node->applied));
    const struct lz_wal_record *missing = lz_wal_get(&d->log.wal, node->applied + 1);
    if (missing != NULL)
        lz_status_number(to, n + 1, "lag", (double)(lz_sim_now(w->sim) - missing->at) / 1e9);
}

void lz_database_status(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    const struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(d->primary < d->opts.nodes);
    lz_status_flag(to, 0, "many_masters", d->multi != NULL);
    lz_status_flag(to, 0, "writable", d->multi != NULL || d->is_writable);
    lz_status_flag(to, 0, "promoting", d->lead == LZ_LEAD_PROMOTING);
    lz_status_flag(to, 0, "suspect", d->lead == LZ_LEAD_SUSPECT);
    lz_status_flag(to, 0, "restoring", d->is_restoring);
    lz_status_number(to, 0, "connections", d->connections);
    lz_status_number(to, 0, "connections_max", d->opts.max_connections);
    lz_status_number(to, 0, "transactions", d->txn_count);
    lz_status_number(to, 0, "timeline", (double)d->log.timeline);
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        if (d->multi != NULL)
            lz_status_text(to, n + 1, "role", "master");
        else if (n == d->primary)
            lz_status_text(to, n + 1, "role", "primary");
        else
            tell_standby(w, d, n, to);
    }
}
