#include "model/client/outlier.h"

#include "base/check.h"
#include "model/client/caller.h"
#include "model/client/policy.h"
#include "model/node/instance.h"

static void eject(struct lz_world *w, struct lz_edge *e, lz_instance_id client,
                  lz_instance_id server)
{
    const struct lz_outlier_opts *o = &e->opts.balance.outliers;
    struct lz_policy_pair *p = lz_policy_pair(e, client, server);
    uint32_t *ejected = &e->policy->ejected[client - e->client_first];
    if ((double)*ejected >= o->share_max * (double)e->server_count)
        return;
    p->is_ejected = true;
    p->ejected_at = lz_sim_now(w->sim);
    p->failures = 0;
    if (p->times * o->ejection < o->ejection_max)
        p->times++;
    ++*ejected;
    LZ_ASSERT(*ejected <= e->server_count);
    lz_caller_ejected(w, e, 1);
    char who[80];
    lz_instance_describe(w, client, who, sizeof(who));
    lz_instance_note(w, server, "ejected", "%u failures in a row, as %s sees it", o->failures, who);
}

void lz_outlier_result(struct lz_world *w, struct lz_edge *e, lz_instance_id client,
                       lz_instance_id server, const struct lz_call_result *result)
{
    LZ_ASSERT(e->opts.balance.outliers.on);
    struct lz_policy_pair *p = lz_policy_pair(e, client, server);
    if (!lz_call_failed(result)) {
        p->failures = 0;
        return;
    }
    if (!p->is_ejected && ++p->failures >= e->opts.balance.outliers.failures)
        eject(w, e, client, server);
}

static void look_again(struct lz_world *w, struct lz_edge *e, lz_instance_id client,
                       lz_instance_id server)
{
    const struct lz_outlier_opts *o = &e->opts.balance.outliers;
    struct lz_policy_pair *p = lz_policy_pair(e, client, server);
    if (!p->is_ejected) {
        if (p->times > 0)
            p->times--;
        return;
    }
    lz_time lasts =
        p->times * o->ejection < o->ejection_max ? p->times * o->ejection : o->ejection_max;
    if (lz_sim_now(w->sim) - p->ejected_at < lasts)
        return;
    p->is_ejected = false;
    LZ_ASSERT(e->policy->ejected[client - e->client_first] > 0);
    e->policy->ejected[client - e->client_first]--;
    lz_policy_back(w, e, server - e->server_first);
    lz_caller_ejected(w, e, -1);
    char who[80];
    lz_instance_describe(w, client, who, sizeof(who));
    lz_instance_note(w, server, "back", "its ejection by %s is over", who);
}

static void on_interval(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_edge *e = lz_edge_get(w, entity);
    for (uint32_t c = 0; c < e->client_count; c++)
        for (uint32_t s = 0; s < e->server_count; s++)
            look_again(w, e, e->client_first + c, e->server_first + s);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + e->opts.balance.outliers.every, w->balances->outlier,
              entity, 0);
}

void lz_outlier_watch(struct lz_world *w, lz_edge_id id)
{
    const struct lz_edge *e = lz_edge_get(w, id);
    if (!e->opts.balance.outliers.on || e->policy == NULL) // there is no other to ask
        return;
    if (w->balances->outlier == 0)
        w->balances->outlier = lz_sim_kind(w->sim, "outlier", on_interval, w);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + e->opts.balance.outliers.every, w->balances->outlier, id,
              0);
}
