#include "live/action.h"

#include <string.h>

#include "base/check.h"
#include "live/live.h"

// One list for each file that has some.
static const struct lz_action *const lists[] = {
    lz_machine_actions,
    lz_process_actions,
    lz_proxy_actions,
};

size_t lz_action_count(void)
{
    size_t count = 0;
    for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
        for (const struct lz_action *a = lists[l]; a->fault != NULL; a++)
            count++;
    return count;
}

const struct lz_action *lz_action_get(size_t i)
{
    for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
        for (const struct lz_action *a = lists[l]; a->fault != NULL; a++)
            if (i-- == 0)
                return a;
    LZ_UNREACHABLE("i is below the count");
    return NULL;
}

const struct lz_action *lz_action_find(const char *fault)
{
    size_t count = lz_action_count();
    for (size_t i = 0; i < count; i++)
        if (strcmp(lz_action_get(i)->fault, fault) == 0)
            return lz_action_get(i);
    return NULL;
}

bool lz_action_is_by_packets(const struct lz_action *a, const struct lz_live *live,
                             const struct lz_fault_opts *o, const struct lz_action_firing *f)
{
    bool has_proxies = (a->by & LZ_ACTION_BY_PROXY) != 0 && f->edge_count > 0;
    for (size_t i = 0; i < f->edge_count; i++)
        has_proxies = has_proxies && f->edges[i].edge->has_proxy;
    if (has_proxies && o->params.per == LZ_FAULT_PER_CONNECTION)
        return false;
    return (a->by & LZ_ACTION_BY_PACKETS) != 0 &&
           lz_live_plan_of(live)->network == LZ_LIVE_NAMESPACES;
}
