#include "model/status.h"

#include "base/check.h"

void lz_status_tell(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    static lz_status_fn *const tellers[LZ_COMPONENT_KINDS] = {
        [LZ_COMPONENT_DATABASE] = lz_database_status,
        [LZ_COMPONENT_CACHE] = lz_cache_status,
        [LZ_COMPONENT_CONSENSUS] = lz_consensus_status,
        [LZ_COMPONENT_BROKER] = lz_broker_status,
        [LZ_COMPONENT_TOPIC] = lz_topic_status,
        [LZ_COMPONENT_CONSUMERS] = lz_consumers_status,
    };
    enum lz_component_kind kind = lz_world_component(w, id)->kind;
    LZ_ASSERT(kind >= 1 && kind < LZ_COMPONENT_KINDS);
    LZ_ASSERT(to->text != NULL && to->number != NULL);
    if (tellers[kind] != NULL)
        tellers[kind](w, id, to);
}
