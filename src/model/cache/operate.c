#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/cache/cache_state.h"
#include "model/cache/cluster_state.h"
#include "model/cache/sets.h"
#include "model/client/edge.h"
#include "model/history/recorder.h"
#include "model/service/argument.h"
#include "model/service/fence.h"

/* What an operation does to the keys of a node, and what it is answered. */

#define CYCLE (100 * LZ_MS) // hz 10

static const struct {
    const char *name;
    enum lz_cache_op op;
} ops[] = {
    {"get", LZ_CACHE_GET},     {"exists", LZ_CACHE_EXISTS}, {"set", LZ_CACHE_SET},
    {"setnx", LZ_CACHE_SETNX}, {"del", LZ_CACHE_DEL},       {"incr", LZ_CACHE_INCR},
    {"decr", LZ_CACHE_DECR},   {"expire", LZ_CACHE_EXPIRE}, {"mget", LZ_CACHE_MGET},
    {"mset", LZ_CACHE_MSET},   {"sadd", LZ_CACHE_SADD},     {"smembers", LZ_CACHE_SMEMBERS},
};

static enum lz_cache_op op_named(const char *name)
{
    size_t len = strcspn(name, " \t");
    if (len == 0)
        return LZ_CACHE_GET;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        if (strlen(ops[i].name) == len && strncasecmp(name, ops[i].name, len) == 0)
            return ops[i].op;
    return 0;
}

bool lz_cache_has_op(const char *op)
{
    return op_named(op) != 0;
}

const char *lz_cache_ops(void)
{
    return "get, exists, set, setnx, del, incr, decr, expire, mget, mset, sadd and smembers";
}

// A call without an operation of its own is told by its first use.
enum lz_cache_op lz_cache_op_of(struct lz_world *w, lz_op op)
{
    struct lz_caches *cs = w->caches;
    if (op >= cs->op_cap || cs->ops[op] == 0) {
        cs->ops = lz_grow(w->arena, cs->ops, &cs->op_cap, op + 1u, sizeof(*cs->ops));
        enum lz_cache_op found = op_named(lz_call_op_name(w, op));
        cs->ops[op] = (uint8_t)(found != 0 ? found : LZ_CACHE_GET);
    }
    return (enum lz_cache_op)cs->ops[op];
}

const struct lz_edge_opts *lz_operate_asked(const struct lz_world *w, const struct lz_task *t)
{
    return t->asked.edge != 0 ? &lz_edge_get(w, t->asked.edge)->opts : NULL;
}

lz_time lz_operate_expires(const struct lz_world *w, const struct lz_cache *c,
                           const struct lz_task *t)
{
    const struct lz_edge_opts *o = lz_operate_asked(w, t);
    lz_time ttl = o != NULL && o->ttl > 0 ? o->ttl : c->opts.ttl;
    return ttl > 0 ? lz_sim_now(w->sim) + ttl : 0;
}

static void answer(struct lz_world *w, struct lz_cache *c, struct lz_task *t, uint16_t status,
                   lz_value value)
{
    enum lz_outcome outcome = status >= 500 ? LZ_OUTCOME_ERROR : LZ_OUTCOME_OK;
    t->value = value;
    lz_cache_answer(w, c, t, outcome, status);
}

void lz_operate_arm(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cache_node *n = &c->node[node];
    if (n->cycle == 0 && n->leads && lz_keyspace_mortal(n->keys) > 0)
        n->cycle =
            lz_sim_at(w->sim, lz_sim_now(w->sim) + CYCLE, w->caches->cycle, c->first + node, 0);
}

// Only who leads lets entries run out; its replicas are told.
static void on_cycle(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->cycle, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first;
    struct lz_cache_node *n = &c->node[node];
    n->cycle = 0;
    if (!n->leads || !lz_cache_lives(w, entity))
        return;
    lz_keyspace_expire_some(n->keys, lz_sim_now(w->sim), n->cycles++);
    lz_cache_account(w, c, node);
    lz_operate_arm(w, c, node);
}

struct watched {
    struct lz_world *w;
    struct lz_cache *c;
    uint32_t node;
};

static void on_gone(void *ctx, const struct lz_entry *e, bool is_evicted)
{
    struct watched *at = ctx;
    const struct lz_cache_series *s = &at->c->series;
    if (!at->c->node[at->node].leads)
        return;
    bool has_run_out = e->expires != 0 && lz_sim_now(at->w->sim) >= e->expires;
    if (is_evicted)
        lz_metrics_add(at->w->metrics, s->evictions, 1);
    else if (has_run_out)
        lz_metrics_add(at->w->metrics, s->expired, 1);
    lz_cache_wrote(
        at->w, at->c, at->node,
        &(struct lz_record){.put = {.key = e->key}, .removes = true, .acked = at->c->is_deleting});
}

void lz_operate_watch(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct watched *at = lz_arena_alloc(w->arena, sizeof(*at));
    *at = (struct watched){.w = w, .c = c, .node = node};
    lz_keyspace_on_gone(c->node[node].keys, on_gone, at);
}

// Does a replica answer what its primary would not?
static void count_stale(struct lz_world *w, struct lz_cache *c, uint32_t node, uint64_t key,
                        const struct lz_entry *e)
{
    const struct lz_cache_node *n = &c->node[node];
    if (n->leads || !lz_cache_lives(w, c->first + n->follows))
        return;
    lz_time now = lz_sim_now(w->sim);
    const struct lz_entry *real = lz_keyspace_peek(c->node[n->follows].keys, key, now);
    uint64_t have = e != NULL ? e->version : 0, want = real != NULL ? real->version : 0;
    if (have != want)
        lz_metrics_add(w->metrics, c->series.stale_reads, 1);
}

// Whether who got this hit should make the value anew already (Vattani, Chierichetti, Lowenstein,
// "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015: XFetch). The draw is the caller's.
static bool is_early(const struct lz_world *w, const struct lz_task *t, const struct lz_entry *e)
{
    const struct lz_edge_opts *o = lz_operate_asked(w, t);
    if (o == NULL || !(o->beta > 0.0) || e->expires == 0 || e->cost == 0)
        return false;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_EARLY, 0);
    double gap_ns = (double)e->cost * o->beta * lz_draw_exponential(&draw);
    return (double)lz_sim_now(w->sim) + gap_ns >= (double)e->expires;
}

// What an answer about its key can carry: of a set nothing, which only SMEMBERS reads.
static lz_value plain(const struct lz_entry *e)
{
    return lz_sets_is(e->value) ? 0 : e->value;
}

/*
 * GET of a set, and SMEMBERS of what is none, is WRONGTYPE: 400, and has read nothing. A set that
 * is not there is empty (redis.io/commands/get, smembers).
 */
static void read(struct lz_world *w, struct lz_cache *c, struct lz_task *t, enum lz_cache_op op)
{
    uint32_t node = t->server - c->first;
    struct lz_keyspace *keys = c->node[node].keys;
    lz_time now = lz_sim_now(w->sim);
    // A replica does not let run out what it was not told of.
    const struct lz_entry *e = c->node[node].leads ? lz_keyspace_get(keys, t->key, now)
                                                   : lz_keyspace_peek(keys, t->key, now);
    lz_metrics_add(w->metrics, c->series.lookups, 1);
    if (e != NULL)
        lz_metrics_add(w->metrics, c->series.hits, 1);
    count_stale(w, c, node, t->key, e);
    bool is_of_set = op == LZ_CACHE_SMEMBERS;
    if (e != NULL && op != LZ_CACHE_EXISTS && lz_sets_is(e->value) != is_of_set) {
        answer(w, c, t, 400, 0);
        return;
    }
    lz_recorder_effect(w, t, e != NULL ? e->version : 0);
    if (e == NULL && !is_of_set)
        answer(w, c, t, 404, 0);
    else
        answer(w, c, t, e != NULL && is_early(w, t, e) ? LZ_CACHE_EARLY : 200,
               op == LZ_CACHE_EXISTS ? 0
               : is_of_set           ? lz_sets_text(w, e != NULL ? e->value : 0)
                                     : e->value);
}

// What its key holds from now on, what its client is told, and which version that was made of.
struct setting {
    lz_value value, answer;
    lz_time expires;
    uint64_t before;
    bool has_before;
};

// A write that is done: replicas are told, and its client.
static void wrote(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                  const struct lz_record *record, const struct setting *s)
{
    lz_cache_wrote(w, c, t->server - c->first, record);
    lz_fence_accepted(w, t);
    if (s->has_before)
        lz_recorder_makes(w, t,
                          &(struct lz_recorder_made){.version = record->put.version,
                                                     .before = s->before,
                                                     .value = s->answer});
    else
        lz_recorder_effect(w, t, record->put.version);
    lz_metrics_add(w->metrics, c->series.acked, 1);
    answer(w, c, t, 200, s->answer);
}

static void put_over(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                     const struct setting *s)
{
    struct lz_cache_node *n = &c->node[t->server - c->first];
    const struct lz_edge_opts *o = lz_operate_asked(w, t);
    struct lz_record r = {
        .put = {.key = t->key,
                .value = s->value,
                .version = c->writes,
                .expires = s->expires,
                .cost = (lz_time)t->asked.cost_us * LZ_US,
                .size = o != NULL && o->entry_size > 0 ? o->entry_size : c->opts.value_size},
        .acked = true};
    lz_time now = lz_sim_now(w->sim);
    uint32_t more = c->limits_active > 0 && lz_keyspace_peek(n->keys, t->key, now) == NULL;
    if (!lz_cache_has_room(w, c, t->server - c->first, more) ||
        lz_keyspace_put(n->keys, &r.put, now) == NULL) {
        answer(w, c, t, 507, 0);
        return;
    }
    lz_operate_arm(w, c, t->server - c->first);
    wrote(w, c, t, &r, s);
}

static void put(struct lz_world *w, struct lz_cache *c, struct lz_task *t, lz_value value,
                lz_time expires)
{
    put_over(w, c, t, &(struct setting){.value = value, .answer = value, .expires = expires});
}

static lz_value carried(const struct lz_world *w, const struct lz_task *t)
{
    return lz_argument_to_value(w, lz_argument_of(w, t));
}

static void set(struct lz_world *w, struct lz_cache *c, struct lz_task *t)
{
    lz_value v = carried(w, t);
    put(w, c, t, v != 0 ? v : lz_value_integer((int64_t)c->writes), lz_operate_expires(w, c, t));
}

static void del(struct lz_world *w, struct lz_cache *c, struct lz_task *t, const struct lz_entry *e)
{
    lz_value v = carried(w, t);
    if (e == NULL) {
        answer(w, c, t, 404, 0);
    } else if (v != 0 && e->value != v) {
        answer(w, c, t, 409, plain(e));
    } else {
        c->is_deleting = true;
        lz_keyspace_remove(c->node[t->server - c->first].keys, t->key, lz_sim_now(w->sim));
        c->is_deleting = false;
        lz_fence_accepted(w, t);
        lz_recorder_effect(w, t, c->writes);
        lz_metrics_add(w->metrics, c->series.acked, 1);
        answer(w, c, t, 200, 0);
    }
}

static void incr(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                 const struct lz_entry *e, bool is_down)
{
    lz_value v = carried(w, t), old = e != NULL ? e->value : lz_value_integer(0);
    v = v != 0 ? v : lz_value_integer(1);
    if (lz_value_kind(v) != LZ_VALUE_INTEGER || lz_value_kind(old) != LZ_VALUE_INTEGER) {
        answer(w, c, t, 400, 0);
        return;
    }
    int64_t by = lz_value_to_integer(v);
    int64_t sum = lz_value_to_integer(old) + (is_down ? -by : by);
    if (sum > LZ_VALUE_INTEGER_MAX || sum < LZ_VALUE_INTEGER_MIN)
        answer(w, c, t, 400, 0);
    else
        put_over(w, c, t,
                 &(struct setting){.value = lz_value_integer(sum),
                                   .answer = lz_value_integer(sum),
                                   .expires = e != NULL ? e->expires : lz_operate_expires(w, c, t),
                                   .before = e != NULL ? e->version : 0,
                                   .has_before = true});
}

/* SADD of one element; answers whether it was new. A key that holds no set (WRONGTYPE), an element
 * that would be two, and a set that no answer could hold: 400. */
static void add_element(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                        const struct lz_entry *e)
{
    lz_value v = carried(w, t);
    v = v != 0 ? v : lz_value_integer((int64_t)c->writes);
    char number[32];
    size_t size;
    const char *one = number;
    if (lz_value_kind(v) == LZ_VALUE_TEXT)
        one = lz_value_to_text(w, v, &size);
    else
        size = strlen(lz_value_show(w, v, number, sizeof(number)));
    uint64_t old = e != NULL ? e->value : 0, set = 0;
    if ((e == NULL || lz_sets_is(old)) && size > 0 && memchr(one, ',', size) == NULL)
        set = lz_sets_add(w, old, one, size);
    if (set == 0) {
        answer(w, c, t, 400, 0);
        return;
    }
    put_over(w, c, t,
             &(struct setting){.value = set,
                               .answer = lz_value_integer(set != old),
                               .expires = e != NULL ? e->expires : lz_operate_expires(w, c, t),
                               .before = e != NULL ? e->version : 0,
                               .has_before = true});
}

static void expire(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                   const struct lz_entry *e)
{
    if (e == NULL)
        answer(w, c, t, 404, 0);
    else
        put_over(w, c, t,
                 &(struct setting){.value = e->value,
                                   .answer = plain(e),
                                   .expires = lz_operate_expires(w, c, t)});
}

static void write(struct lz_world *w, struct lz_cache *c, struct lz_task *t, enum lz_cache_op op)
{
    uint32_t node = t->server - c->first;
    if (!c->node[node].leads || !lz_cache_may_write(w, c, node) ||
        lz_persist_refuses_writes(c, node)) {
        answer(w, c, t, 503, 0); // READONLY, NOREPLICAS, MISCONF
        return;
    }
    lz_value high;
    if (lz_fence_refuses(w, t, &high)) {
        lz_metrics_add(w->metrics, c->series.stale_tokens, 1);
        answer(w, c, t, 412, high);
        return;
    }
    c->writes++;
    const struct lz_entry *e =
        op == LZ_CACHE_SET || op == LZ_CACHE_MSET
            ? NULL
            : lz_keyspace_get(c->node[node].keys, t->key, lz_sim_now(w->sim));
    switch (op) {
    case LZ_CACHE_SETNX:
        if (e != NULL) {
            answer(w, c, t, 409, plain(e));
        } else {
            lz_fence_grant(w, t, c->writes); // it may be a lock
            set(w, c, t);
        }
        return;
    case LZ_CACHE_DEL:
        del(w, c, t, e);
        return;
    case LZ_CACHE_INCR:
    case LZ_CACHE_DECR:
        incr(w, c, t, e, op == LZ_CACHE_DECR);
        return;
    case LZ_CACHE_EXPIRE:
        expire(w, c, t, e);
        return;
    case LZ_CACHE_SADD:
        add_element(w, c, t, e);
        return;
    case LZ_CACHE_MSET:
        lz_many_set(w, c, t);
        return;
    case LZ_CACHE_SET:
    default:
        set(w, c, t);
    }
}

// A node of a cluster does only what is about its own slots. To be sent on is no answer, and not
// measured as one.
static bool is_turned_away(struct lz_world *w, struct lz_cache *c, struct lz_task *t,
                           enum lz_cache_op op)
{
    struct lz_cluster_keys keys;
    lz_many_keys(w, t, op, &keys);
    uint16_t status = lz_cluster_refuses(w, c, t, &keys, op >= LZ_CACHE_SET);
    if (status == 0)
        return false;
    if (status != LZ_CLUSTER_MOVED && status != LZ_CLUSTER_ASK) {
        lz_cache_answer(w, c, t, LZ_OUTCOME_ERROR, status);
        return true;
    }
    lz_measure_left(w, &c->series.m, LZ_OUTCOME_PENDING, lz_sim_now(w->sim) - t->arrived);
    lz_task_answer(w, t, LZ_OUTCOME_ERROR, status);
    return true;
}

void lz_operate(struct lz_world *w, struct lz_cache *c, struct lz_task *t)
{
    LZ_ASSERT(t->state == LZ_TASK_WORKING && t->job == 0);
    enum lz_cache_op op = lz_cache_op_of(w, t->op);
    if (lz_persist_is_loading(c, t->server - c->first)) {
        answer(w, c, t, 503, 0); // LOADING
        return;
    }
    if (c->cluster != NULL && is_turned_away(w, c, t, op))
        return;
    if (c->cluster != NULL && lz_manual_holds(w, c, t, op >= LZ_CACHE_SET))
        return;
    if (op == LZ_CACHE_MGET)
        lz_many_get(w, c, t);
    else if (op < LZ_CACHE_SET)
        read(w, c, t, op);
    else
        write(w, c, t, op);
}

void lz_operate_init(struct lz_world *w)
{
    w->caches->cycle = lz_sim_kind(w->sim, "cache.cycle", on_cycle, w);
}
