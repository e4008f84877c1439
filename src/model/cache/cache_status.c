/* cache_status.c — a cache's roles and what it holds, for model/status.h. */
#include "base/check.h"
#include "model/cache/cluster.h"
#include "model/status.h"

void lz_cache_status(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    const struct lz_cache *c = lz_cache_at(w, id);
    LZ_ASSERT(c->nodes > 0);
    lz_status_number(to, 0, "entries", (double)c->entries);
    lz_status_number(to, 0, "bytes", (double)c->used);
    static const char *const modes[] = {[LZ_CACHE_SINGLE] = "single",
                                        [LZ_CACHE_SENTINEL] = "sentinel",
                                        [LZ_CACHE_CLUSTER] = "cluster"};
    lz_status_text(to, 0, "mode", modes[c->opts.mode]);
    lz_status_number(to, 0, "sentinels", c->sentinel_count);
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cache_node *node = &c->node[n];
        if (c->cluster != NULL)
            lz_status_number(to, n + 1, "shard", lz_cluster_shard(c, n) + 1);
        lz_status_text(to, n + 1, "role", node->leads ? "primary" : "replica");
        lz_status_number(to, n + 1, "entries", lz_keyspace_count(node->keys));
        lz_status_flag(to, n + 1, "loading",
                       (!node->leads && node->loading >= 0) || lz_persist_is_loading(c, n));
        lz_status_flag(to, n + 1, "replaced", node->is_replaced);
    }
}
