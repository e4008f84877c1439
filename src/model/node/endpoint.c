#include "model/node/endpoint.h"

#include "base/check.h"
#include "model/client/edge.h"

static bool set_away(struct lz_world *w, lz_instance_id instance, bool is_away)
{
    struct lz_instance *i = lz_instance_get(w, instance);
    if (i->is_away == is_away)
        return false;
    i->is_away = is_away;
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++) {
        struct lz_edge *e = lz_edge_get(w, id);
        if (e->opts.to == i->component)
            lz_balance_set_away(w, e, instance, is_away);
    }
    return true;
}

bool lz_endpoint_add(struct lz_world *w, lz_instance_id instance)
{
    return set_away(w, instance, false);
}

bool lz_endpoint_remove(struct lz_world *w, lz_instance_id instance)
{
    return set_away(w, instance, true);
}
