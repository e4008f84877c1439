#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client/edge.h"
#include "model/history/recorder.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/service/argument.h"
#include "model/service/fence.h"
#include "model/store/store_state.h"
#include "model/store/transact.h"
#include "model/store/versions.h"

/*
 * What a store keeps: for each key the latest write, and where there are copies which of them has
 * heard of what (copies.h). An item whose value is nothing is one that was deleted.
 */

static const struct lz_edge_opts *asked(const struct lz_world *w, const struct lz_task *t)
{
    return t->asked.edge != 0 ? &lz_edge_get(w, t->asked.edge)->opts : NULL;
}

uint64_t lz_items_size_of(const struct lz_world *w, const struct lz_store *s,
                          const struct lz_task *t, uint64_t key, bool writes)
{
    const struct lz_edge_opts *o = asked(w, t);
    if (o != NULL && o->entry_size > 0)
        return o->entry_size;
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    return e != NULL && !writes && e->size > 0 ? e->size : s->opts.item_size;
}

uint64_t lz_items_size(const struct lz_world *w, const struct lz_store *s, const struct lz_task *t)
{
    return lz_items_size_of(w, s, t, t->key, lz_store_op_of(w, s, t->op) >= LZ_STORE_PUT);
}

bool lz_items_is_consistent(const struct lz_world *w, const struct lz_store *s,
                            const struct lz_task *t)
{
    const struct lz_edge_opts *o = asked(w, t);
    return s->opts.strong || (o != NULL && o->consistent);
}

static bool is_global(const struct lz_store *s)
{
    return s->opts.region_count > 1;
}

static bool has_copies(const struct lz_store *s)
{
    return s->order.n > 0;
}

// ---------------------------------------------------------------- ways to copies

static bool is_there(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    return lz_instance_is_up(lz_instance_get(w, to)) && (from == to || lz_net_can_ask(w, from, to));
}

static lz_instance_id owner_of(const struct lz_store *s, uint64_t key, uint32_t copy)
{
    return s->first + (uint32_t)((lz_hash_mix(key, 5) + copy) % s->nodes);
}

// What was meant for it is lost on the way, as far as there is one.
static void swallow(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    struct lz_link *l = from != to ? lz_link_get(w, from, to) : NULL;
    if (l != NULL && l->is_cut[0])
        lz_link_swallow(w, l, LZ_PURPOSE_LOG);
}

// A node of the region that can be told; 0: none.
static lz_instance_id door_of(struct lz_world *w, const struct lz_store *s, lz_instance_id from,
                              uint32_t region)
{
    lz_instance_id first = s->first + region * s->opts.nodes;
    for (uint32_t n = 0; n < s->opts.nodes; n++)
        if (is_there(w, from, first + n))
            return first + n;
    swallow(w, from, first);
    return 0;
}

static lz_time trip(struct lz_world *w, lz_instance_id from, lz_instance_id to,
                    const struct lz_dist *dist, struct lz_draw *draw)
{
    if (dist->kind != LZ_DIST_NONE)
        return lz_dist_time(dist, draw);
    return from == to ? 0 : lz_net_latency(w, from, to, draw);
}

// Is there somebody else to take what a copy cannot be told?
static bool has_stand_in(struct lz_world *w, const struct lz_store *s, const struct lz_task *t)
{
    uint32_t up = 0;
    for (uint32_t n = 0; n < s->nodes; n++)
        up += is_there(w, t->server, s->first + n);
    uint32_t owners = 0;
    for (uint32_t i = 0; i < s->order.n; i++)
        owners += is_there(w, t->server, owner_of(s, t->key, i));
    return up > owners;
}

// What a task says to copies is about one key; of several each has draws of its own.
static struct lz_draw times_draw(struct lz_world *w, const struct lz_task *t, uint64_t key,
                                 bool writes)
{
    uint64_t path = key == t->key ? t->path : lz_draw_index(t->path, key);
    return lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_QUORUM, writes);
}

static struct lz_copies_times quorum_times(struct lz_world *w, const struct lz_store *s,
                                           const struct lz_task *t, uint64_t key, bool writes)
{
    const struct lz_quorum_opts *q = &s->opts.quorum;
    struct lz_copies_times out;
    struct lz_draw draw = times_draw(w, t, key, writes);
    for (uint32_t i = 0; i < s->order.n; i++) {
        lz_instance_id to = owner_of(s, key, i);
        out.there[i] = trip(w, t->server, to, writes ? &q->write : &q->read, &draw);
        out.back[i] = trip(w, to, t->server, writes ? &q->ack : &q->response, &draw);
        if (is_there(w, t->server, to))
            continue;
        swallow(w, t->server, to);
        bool is_taken = writes && q->sloppy && has_stand_in(w, s, t);
        out.back[i] = is_taken ? out.there[i] + out.back[i] : -1;
        out.there[i] = -1;
    }
    return out;
}

// Its own region at once; the others hear of a write, and are not asked.
static struct lz_copies_times region_times(struct lz_world *w, const struct lz_store *s,
                                           const struct lz_task *t, uint64_t key, bool writes)
{
    uint32_t own = s->node[t->server - s->first].region;
    struct lz_copies_times out;
    struct lz_draw draw = times_draw(w, t, key, writes);
    for (uint32_t r = 0; r < s->order.n; r++) {
        out.there[r] = r == own ? 0 : lz_dist_time(&s->opts.lag, &draw);
        out.back[r] = r == own ? 0 : LZ_FOREVER / 2;
        bool hears = r == own || (writes && door_of(w, s, t->server, r) != 0);
        if (!hears)
            out.there[r] = out.back[r] = -1;
    }
    return out;
}

static struct lz_copies_times times_of(struct lz_world *w, const struct lz_store *s,
                                       const struct lz_task *t, uint64_t key, bool writes)
{
    return is_global(s) ? region_times(w, s, t, key, writes) : quorum_times(w, s, t, key, writes);
}

bool lz_items_can_write(struct lz_world *w, const struct lz_store *s, const struct lz_task *t,
                        uint64_t key)
{
    uint32_t up = 0;
    for (uint32_t i = 0; i < s->order.n && !is_global(s); i++)
        up += is_there(w, t->server, owner_of(s, key, i));
    return is_global(s) || up >= s->order.w;
}

// ---------------------------------------------------------------- answers

void lz_items_answer(struct lz_world *w, struct lz_store *s, struct lz_task *t, uint16_t status,
                     lz_value value)
{
    t->value = value;
    lz_store_answer(w, s, t, status >= 500 ? LZ_OUTCOME_ERROR : LZ_OUTCOME_OK, status);
}

// Known now, told when the copies have answered.
void lz_items_answer_after(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_time wait,
                           uint16_t status, lz_value value)
{
    if (wait == 0) {
        lz_items_answer(w, s, t, status, value);
        return;
    }
    t->rest_ns = (lz_time)value;
    t->step = status;
    t->timer =
        lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, w->stores->settled, t->server, lz_pool_id(t));
}

static void on_settled(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->state != LZ_TASK_WORKING ||
        lz_instance_defer(w, entity, w->stores->settled, payload))
        return;
    t->timer = 0;
    lz_items_answer(w, lz_store_at(w, lz_instance_get(w, entity)->component), t, t->step,
                    (lz_value)t->rest_ns);
}

void lz_items_measure(struct lz_world *w, struct lz_store *s)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, s->series.items, now, s->live);
    uint64_t bytes = lz_keyspace_bytes_used(s->items) + s->upload_bytes;
    bytes += s->versions != NULL ? s->versions->bytes : 0;
    lz_metrics_set(w->metrics, s->series.size, now, (double)bytes);
    lz_metrics_set(w->metrics, s->series.uploads, now, s->upload_count);
    lz_metrics_set(w->metrics, s->series.versions, now,
                   s->versions != NULL ? s->versions->kept : 0);
}

// ---------------------------------------------------------------- operations

static void read(struct lz_world *w, struct lz_store *s, struct lz_task *t, bool has_body)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, t->key, 0);
    if (e == NULL || !has_copies(s)) {
        lz_metrics_add(w->metrics, s->series.reads, 1);
        lz_recorder_effect(w, t, e != NULL ? e->version : 0);
        lz_items_answer(w, s, t, e != NULL ? 200 : 404, e != NULL && has_body ? e->value : 0);
        return;
    }
    struct lz_copies_times times = times_of(w, s, t, t->key, false);
    struct lz_copies_opts order = s->order;
    if (lz_items_is_consistent(w, s, t) && !is_global(s) && order.r + order.w <= order.n)
        order.r = order.n - order.w + 1;
    struct lz_copies_seen seen =
        lz_copies_get(&order, &s->copies[e->bytes], &times, lz_sim_now(w->sim));
    if (seen.wait == LZ_FOREVER) {
        lz_items_answer(w, s, t, 503, 0); // too few copies can be asked
        return;
    }
    lz_recorder_effect(w, t, seen.version);
    lz_metrics_add(w->metrics, s->series.reads, 1);
    if (seen.is_stale)
        lz_metrics_add(w->metrics, s->series.stale_reads, 1);
    lz_items_answer_after(w, s, t, seen.wait, seen.value != 0 ? 200 : 404,
                          has_body ? seen.value : 0);
}

static struct lz_copies *copies_of(struct lz_world *w, struct lz_store *s, uint64_t key,
                                   uint32_t *number)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    if (e != NULL && e->bytes != 0) {
        *number = e->bytes;
        return &s->copies[e->bytes];
    }
    *number = ++s->copy_count;
    s->copies = lz_grow(w->arena, s->copies, &s->copy_cap, s->copy_count + 1, sizeof(*s->copies));
    return &s->copies[*number];
}

// What the writer goes by: its region's copy, or the latest there is.
static lz_value current(struct lz_world *w, const struct lz_store *s, const struct lz_task *t)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, t->key, 0);
    if (e == NULL)
        return 0;
    uint64_t value = e->value;
    if (is_global(s))
        lz_copies_at(&s->copies[e->bytes], s->node[t->server - s->first].region, lz_sim_now(w->sim),
                     &value);
    return value;
}

// A write to copies: how long until it is committed.
static lz_time spread(struct lz_world *w, struct lz_store *s, const struct lz_task *t,
                      const struct lz_put *p, uint32_t *number)
{
    lz_time now = lz_sim_now(w->sim);
    struct lz_copies *c = copies_of(w, s, p->key, number);
    struct lz_copies_times times = times_of(w, s, t, p->key, true);
    if (is_global(s)) {
        uint64_t unused;
        uint32_t own = s->node[t->server - s->first].region;
        if (lz_copies_at(c, own, now, &unused) < lz_copies_committed(c, now))
            lz_metrics_add(w->metrics, s->series.lost_updates, 1);
    }
    struct lz_copies_write write = {.version = p->version, .value = p->value};
    lz_time wait = lz_copies_put(&s->order, c, &write, &times, now);
    for (uint32_t i = 0; i < s->order.n && wait != LZ_FOREVER; i++)
        s->holds = s->holds || times.there[i] < 0;
    return wait;
}

lz_time lz_items_set(struct lz_world *w, struct lz_store *s, const struct lz_task *t, uint64_t key,
                     lz_value value)
{
    const struct lz_entry *e = lz_keyspace_peek(s->items, key, 0);
    bool was_there = e != NULL && e->value != 0;
    struct lz_put p = {
        .key = key, .value = value, .version = ++s->writes, .cost = lz_sim_now(w->sim)};
    p.size = value != 0 ? lz_items_size(w, s, t) : 0;
    lz_time wait = 0;
    if (has_copies(s))
        wait = spread(w, s, t, &p, &p.bytes);
    if (wait == LZ_FOREVER || lz_keyspace_put(s->items, &p, 0) == NULL)
        return LZ_FOREVER;
    s->live += (uint32_t)(value != 0) - (uint32_t)was_there;
    lz_metrics_add(w->metrics, s->series.acked, 1);
    return wait;
}

// `before`: the version that it was made of; NULL: of none, or nobody can say.
static void put_over(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_value value,
                     const uint64_t *before)
{
    lz_time wait = lz_items_set(w, s, t, t->key, value);
    if (wait == LZ_FOREVER) {
        lz_items_answer(w, s, t, 503, 0);
        return;
    }
    if (before != NULL)
        lz_recorder_makes(
            w, t,
            &(struct lz_recorder_made){.version = s->writes, .before = *before, .value = value});
    else
        lz_recorder_effect(w, t, s->writes);
    lz_fence_accepted(w, t);
    lz_items_measure(w, s);
    lz_items_answer_after(w, s, t, wait, 200, value);
}

static void put(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_value value)
{
    put_over(w, s, t, value, NULL);
}

static lz_value carried(const struct lz_world *w, const struct lz_task *t)
{
    return lz_argument_to_value(w, lz_argument_of(w, t));
}

lz_value lz_items_put_value(const struct lz_world *w, const struct lz_store *s,
                            const struct lz_task *t)
{
    lz_value v = carried(w, t);
    return v != 0 ? v : lz_value_integer((int64_t)s->writes + 1);
}

// What is asked for only if something holds, which does not; it says what there is instead.
static void decline(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_value there)
{
    lz_items_answer(w, s, t, s->opts.kind == LZ_STORE_OBJECT ? 412 : 400, there);
}

// A put that has a condition; with versions it is one like any other.
static void put_if(struct lz_world *w, struct lz_store *s, struct lz_task *t, enum lz_store_op op)
{
    const struct lz_store_ask *ask = lz_store_ask_of(w, t);
    lz_value there = current(w, s, t), wanted = 0;
    if (op == LZ_STORE_PUT_IF_MATCH)
        wanted = ask != NULL ? ask->match : 0;
    if (there != wanted || (op == LZ_STORE_PUT_IF_MATCH && wanted == 0))
        decline(w, s, t, there);
    else if (!lz_versions_operate(w, s, t, LZ_STORE_PUT))
        put(w, s, t, lz_items_put_value(w, s, t));
}

static void increment(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_value old)
{
    lz_value by = carried(w, t);
    by = by != 0 ? by : lz_value_integer(1);
    old = old != 0 ? old : lz_value_integer(0);
    const struct lz_entry *e = lz_keyspace_peek(s->items, t->key, 0);
    uint64_t before = e != NULL ? e->version : 0;
    bool fits = lz_value_kind(by) == LZ_VALUE_INTEGER && lz_value_kind(old) == LZ_VALUE_INTEGER;
    int64_t sum = fits ? lz_value_to_integer(by) + lz_value_to_integer(old) : 0;
    if (!fits || sum > LZ_VALUE_INTEGER_MAX || sum < LZ_VALUE_INTEGER_MIN)
        lz_items_answer(w, s, t, 400, 0);
    else
        put_over(w, s, t, lz_value_integer(sum), has_copies(s) ? NULL : &before);
}

// What has copies remembers that it is gone; what has none is gone.
static void remove_item(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_value old)
{
    lz_value v = carried(w, t);
    if (old == 0) {
        lz_items_answer(w, s, t, 404, 0);
    } else if (v != 0 && v != old) {
        decline(w, s, t, old);
    } else if (has_copies(s)) {
        put(w, s, t, 0);
    } else {
        lz_keyspace_remove(s->items, t->key, 0);
        s->live--;
        lz_fence_accepted(w, t);
        lz_metrics_add(w->metrics, s->series.acked, 1);
        lz_items_measure(w, s);
        lz_items_answer(w, s, t, 200, 0);
    }
}

// A transaction that is under way has the item: TransactionConflictException.
static void hold_off(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    lz_metrics_add(w->metrics, s->series.conflicts, 1);
    t->value = lz_value_text(w, "TransactionConflict", strlen("TransactionConflict"));
    lz_store_answer(w, s, t, LZ_OUTCOME_REFUSED, 400);
}

static bool is_fenced_off(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    lz_value high;
    if (!lz_fence_refuses(w, t, &high))
        return false;
    lz_metrics_add(w->metrics, s->series.stale_tokens, 1);
    lz_items_answer(w, s, t, 412, high);
    return true;
}

static void operate(struct lz_world *w, struct lz_store *s, struct lz_task *t, enum lz_store_op op)
{
    switch (op) {
    case LZ_STORE_GET:
    case LZ_STORE_HEAD:
        read(w, s, t, op == LZ_STORE_GET);
        return;
    case LZ_STORE_LIST:
        lz_items_answer(w, s, t, 200, lz_value_integer(s->live));
        return;
    case LZ_STORE_PUT:
        put(w, s, t, lz_items_put_value(w, s, t));
        return;
    case LZ_STORE_INCREMENT:
        increment(w, s, t, current(w, s, t));
        return;
    case LZ_STORE_DELETE:
        remove_item(w, s, t, current(w, s, t));
        return;
    case LZ_STORE_VERSIONS: // of a bucket that keeps none
        lz_items_answer(w, s, t, 200, lz_value_integer(current(w, s, t) != 0));
        return;
    case LZ_STORE_RESTORE:
        lz_items_answer(w, s, t, 400, 0);
        return;
    default:
        LZ_UNREACHABLE("an operation is one of ours");
    }
}

void lz_items_operate(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    LZ_ASSERT(t->state == LZ_TASK_WORKING && t->job == 0);
    enum lz_store_op op = lz_store_op_of(w, s, t->op);
    bool has_condition = op == LZ_STORE_PUT_IF_ABSENT || op == LZ_STORE_PUT_IF_MATCH;
    if (op == LZ_STORE_TRANSACT_GET || op == LZ_STORE_TRANSACT_WRITE)
        lz_transact_go_on(w, s, t, op);
    else if (op >= LZ_STORE_PUT && lz_transact_holds(s, t->key))
        hold_off(w, s, t);
    else if (op >= LZ_STORE_PUT && is_fenced_off(w, s, t))
        return;
    else if (has_condition)
        put_if(w, s, t, op);
    else if (!lz_versions_operate(w, s, t, op))
        operate(w, s, t, op);
}

// Whoever can be reached again is sent what was held for it: a holder's next message.
void lz_items_deliver(struct lz_world *w, struct lz_store *s)
{
    lz_time now = lz_sim_now(w->sim);
    bool still = false;
    for (uint32_t i = 0; i < lz_keyspace_count(s->items); i++) {
        const struct lz_entry *e = lz_keyspace_at(s->items, i);
        struct lz_copies *c = &s->copies[e->bytes];
        for (uint32_t copy = 0; copy < s->order.n; copy++) {
            lz_instance_id to =
                is_global(s) ? s->first + copy * s->opts.nodes : owner_of(s, e->key, copy);
            lz_instance_id from = s->first + (to - s->first + s->opts.nodes) % s->nodes;
            struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(s->path, e->key),
                                                LZ_PURPOSE_QUORUM, (uint64_t)now);
            lz_time after = is_global(s) ? lz_dist_time(&s->opts.lag, &draw) : LZ_MS;
            if (from == to)
                from = s->first + (to - s->first + 1) % s->nodes;
            if (is_there(w, from, to))
                lz_copies_deliver(c, copy, now + after);
            else
                still = true;
        }
    }
    s->holds = still;
}

void lz_items_create(struct lz_world *w, struct lz_store *s)
{
    const struct lz_quorum_opts *q = &s->opts.quorum;
    s->items = lz_keyspace_create(&(struct lz_keyspace_opts){.arena = w->arena,
                                                             .run_key = lz_sim_key(w->sim),
                                                             .owner = s->path,
                                                             .eviction = LZ_EVICTION_NONE,
                                                             .entries = LZ_KEYSPACE_ENTRIES_MAX});
    if (is_global(s))
        s->order = (struct lz_copies_opts){
            .n = s->opts.region_count, .w = 1, .r = 1, .propagates = true, .hints = true};
    else if (q->is_on)
        s->order = (struct lz_copies_opts){.n = q->n,
                                           .w = q->w,
                                           .r = q->r,
                                           .propagates = true,
                                           .read_repair = q->read_repair,
                                           .hints = !q->no_hints};
    else if (s->opts.kind == LZ_STORE_KEY_VALUE && s->nodes >= 3)
        s->order =
            (struct lz_copies_opts){.n = 3, .w = 2, .r = 1, .propagates = true, .hints = true};
}

void lz_items_init(struct lz_world *w)
{
    w->stores->settled = lz_sim_kind(w->sim, "store.settled", on_settled, w);
}
