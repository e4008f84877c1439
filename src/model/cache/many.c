#include "base/check.h"
#include "model/cache/cache_state.h"
#include "model/cache/cluster.h"
#include "model/cache/sets.h"
#include "model/client/edge.h"
#include "model/service/argument.h"

/*
 * Operations on several keys: mget and mset. What is asked is carried as pairs of key and value;
 * without any it is about the one key of the call, with the value that it carries.
 */

static const struct lz_cache_pair *pairs_of(const struct lz_world *w, const struct lz_task *t,
                                            uint32_t *count)
{
    uint32_t size = 0;
    const struct lz_cache_pair *pairs = lz_argument_bytes(w, lz_argument_of(w, t), &size);
    *count = pairs != NULL ? size / (uint32_t)sizeof(*pairs) : 0;
    return *count > 0 ? pairs : NULL;
}

void lz_many_keys(const struct lz_world *w, const struct lz_task *t, enum lz_cache_op op,
                  struct lz_cluster_keys *out)
{
    _Static_assert(sizeof(struct lz_cache_pair) == 2 * sizeof(uint64_t), "a stride of two");
    *out = (struct lz_cluster_keys){.all = &t->key, .count = 1, .stride = 1};
    uint32_t count = 0;
    if (op != LZ_CACHE_MGET && op != LZ_CACHE_MSET)
        return;
    const struct lz_cache_pair *pairs = pairs_of(w, t, &count);
    if (pairs != NULL)
        *out = (struct lz_cluster_keys){.all = &pairs->key, .count = count, .stride = 2};
}

static lz_value look_up(struct lz_world *w, struct lz_cache *c, uint32_t node, uint64_t key)
{
    lz_time now = lz_sim_now(w->sim);
    struct lz_keyspace *keys = c->node[node].keys;
    const struct lz_entry *e =
        c->node[node].leads ? lz_keyspace_get(keys, key, now) : lz_keyspace_peek(keys, key, now);
    lz_metrics_add(w->metrics, c->series.lookups, 1);
    if (e == NULL)
        return 0;
    lz_metrics_add(w->metrics, c->series.hits, 1);
    return lz_sets_is(e->value) ? 0 : e->value; // of what is no string Redis says nil
}

// What each key has goes back as pairs, in the order they were asked for.
void lz_many_get(struct lz_world *w, struct lz_cache *c, struct lz_task *t)
{
    uint32_t count = 0, node = t->server - c->first;
    const struct lz_cache_pair *asked = pairs_of(w, t, &count);
    if (asked == NULL) {
        t->value = look_up(w, c, node, t->key);
        lz_cache_answer(w, c, t, LZ_OUTCOME_OK, 200);
        return;
    }
    lz_argument_id answer =
        lz_argument_make(w, asked, count * (uint32_t)sizeof(struct lz_cache_pair));
    struct lz_cache_pair *pairs = lz_argument_bytes(w, answer, &count);
    count /= (uint32_t)sizeof(*pairs);
    for (uint32_t i = 0; i < count; i++)
        pairs[i].value = look_up(w, c, node, pairs[i].key);
    lz_argument_answer(w, t, answer); // the task holds it from now on
    t->value = 0;
    lz_cache_answer(w, c, t, LZ_OUTCOME_OK, 200);
}

static struct lz_record record_of(const struct lz_world *w, const struct lz_cache *c,
                                  const struct lz_task *t, const struct lz_cache_pair *pair)
{
    const struct lz_edge_opts *o = lz_operate_asked(w, t);
    return (struct lz_record){
        .put = {.key = pair->key,
                .value = pair->value,
                .version = c->writes,
                .expires = lz_operate_expires(w, c, t),
                .size = o != NULL && o->entry_size > 0 ? o->entry_size : c->opts.value_size},
        .acked = true};
}

// All or none: where nothing may be evicted, room for all of them is looked for first.
static bool has_room(struct lz_world *w, struct lz_cache *c, const struct lz_task *t,
                     uint32_t count)
{
    uint32_t node = t->server - c->first;
    struct lz_keyspace *keys = c->node[node].keys;
    const struct lz_edge_opts *o = lz_operate_asked(w, t);
    uint64_t size = o != NULL && o->entry_size > 0 ? o->entry_size : c->opts.value_size;
    if (c->opts.only_mortal) {
        bool is_so = lz_keyspace_make_way(keys, count, count * size, lz_sim_now(w->sim));
        lz_cache_account(w, c, node);
        return is_so;
    }
    if (c->opts.eviction != LZ_EVICTION_NONE)
        return c->opts.max_memory == 0 || size <= c->opts.max_memory;
    return lz_keyspace_count(keys) + count <= c->opts.entries &&
           (c->opts.max_memory == 0 ||
            lz_keyspace_bytes_used(keys) + count * size <= c->opts.max_memory);
}

void lz_many_set(struct lz_world *w, struct lz_cache *c, struct lz_task *t)
{
    uint32_t count = 0, node = t->server - c->first;
    struct lz_cache_pair one = {.key = t->key};
    const struct lz_cache_pair *pairs = pairs_of(w, t, &count);
    if (pairs == NULL) {
        one.value = lz_argument_to_value(w, lz_argument_of(w, t));
        if (one.value == 0)
            one.value = lz_value_integer((int64_t)c->writes);
        pairs = &one;
        count = 1;
    }
    t->value = 0;
    if (!has_room(w, c, t, count) || !lz_cache_has_room(w, c, node, count)) {
        lz_cache_answer(w, c, t, LZ_OUTCOME_ERROR, 507);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct lz_record r = record_of(w, c, t, &pairs[i]);
        const struct lz_entry *e = lz_keyspace_put(c->node[node].keys, &r.put, lz_sim_now(w->sim));
        LZ_ASSERT(e != NULL);
        lz_cache_wrote(w, c, node, &r);
    }
    lz_operate_arm(w, c, node);
    lz_metrics_add(w->metrics, c->series.acked, 1);
    lz_cache_answer(w, c, t, LZ_OUTCOME_OK, 200);
}
