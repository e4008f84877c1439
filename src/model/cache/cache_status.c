/* cache_status.c — a cache's roles and what it holds, for model/status.h. */
#include "base/check.h"
#include "model/cache/cache_state.h"
#include "model/status.h"

void lz_cache_status(const struct lz_world *w, lz_component_id id, const struct lz_status *to)
{
    const struct lz_cache *c = lz_cache_at(w, id);
    LZ_ASSERT(c->nodes > 0);
    lz_status_number(to, 0, "entries", (double)c->entries);
    lz_status_number(to, 0, "bytes", (double)c->used);
    lz_status_text(to, 0, "mode", c->opts.mode == LZ_CACHE_SENTINEL ? "sentinel" : "single");
    lz_status_number(to, 0, "sentinels", c->sentinel_count);
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cache_node *node = &c->node[n];
        lz_status_text(to, n + 1, "role", node->leads ? "primary" : "replica");
        lz_status_number(to, n + 1, "entries", lz_keyspace_count(node->keys));
        lz_status_flag(to, n + 1, "loading", !node->leads && node->loading >= 0);
        lz_status_flag(to, n + 1, "replaced", node->is_replaced);
    }
}
