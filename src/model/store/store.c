#include "model/store/store.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/client/client.h"
#include "model/client/edge.h"
#include "model/store/store_state.h"
#include "model/store/transact.h"
#include "model/store/versions.h"

#define CORES 100000.0 // nothing contends: a managed store is larger than its callers

#define AT(member) offsetof(struct lz_store_series, member)
static const struct lz_measure_row rows[] = {
    LZ_MEASURE_ROWS,
    {"throttled", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(throttled), 0, 0,
     "requests, and parts of uploads, refused for want of throughput"},
    {"reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(reads), 0, 0, "reads answered"},
    {"stale_reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale_reads), 0, 0,
     "reads that missed a committed write"},
    {"stale_tokens", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale_tokens), 0, 0,
     "writes refused for a token lower than one shown before"},
    {"lost_updates", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lost_updates), 0, 0,
     "writes overwritten by one that had not seen them"},
    {"acked", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(acked), 0, 0, "writes acknowledged"},
    {"items", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(items), 0, 0, "keys that it has"},
    {"size", LZ_VIEW_LEVEL, LZ_UNIT_BYTES, AT(size), 0, 0,
     "bytes of these, of older versions and of uploads that nobody completed"},
    {"versions", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(versions), 0, 0,
     "versions that are not current, delete markers among them"},
    {"uploads", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(uploads), 0, 0,
     "multipart uploads that were left, and still take room"},
    {"expired", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(expired), 0, 0,
     "objects, versions and uploads that the lifecycle removed"},
    {"transactions", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(transactions), 0, 0,
     "transactions that were done"},
    {"transactions.cancelled", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(cancelled), 0, 0,
     "transactions of which nothing was done"},
    {"conflicts", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(conflicts), 0, 0,
     "writes and transactions refused because a transaction under way had the item"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const struct {
    const char *name;
    enum lz_store_op op;
    bool of_objects, of_items;
} ops[] = {
    {"get", LZ_STORE_GET, true, true},
    {"head", LZ_STORE_HEAD, true, true},
    {"list", LZ_STORE_LIST, true, false},
    {"put", LZ_STORE_PUT, true, true},
    {"put_if_absent", LZ_STORE_PUT_IF_ABSENT, true, true},
    {"put_if_match", LZ_STORE_PUT_IF_MATCH, true, true},
    {"increment", LZ_STORE_INCREMENT, false, true},
    {"delete", LZ_STORE_DELETE, true, true},
    {"versions", LZ_STORE_VERSIONS, true, false},
    {"restore", LZ_STORE_RESTORE, true, false},
    {"transact_write", LZ_STORE_TRANSACT_WRITE, false, true},
    {"transact_get", LZ_STORE_TRANSACT_GET, false, true},
};

const struct lz_metric_info *lz_store_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_store *lz_store_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(id < w->stores->cap && w->stores->all[id] != NULL);
    return w->stores->all[id];
}

static struct lz_store *store_of(const struct lz_world *w, lz_instance_id instance)
{
    return lz_store_at(w, lz_instance_get(w, instance)->component);
}

// Transactions are DynamoDB's; a quorum is Dynamo's, which has none.
static bool is_of(const struct lz_store *s, size_t i)
{
    bool transacts = ops[i].op == LZ_STORE_TRANSACT_GET || ops[i].op == LZ_STORE_TRANSACT_WRITE;
    if (s->opts.kind == LZ_STORE_OBJECT)
        return ops[i].of_objects;
    return ops[i].of_items && !(transacts && s->opts.quorum.is_on);
}

static enum lz_store_op op_named(const struct lz_store *s, const char *name)
{
    size_t len = strcspn(name, " \t");
    if (len == 0)
        return LZ_STORE_GET;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        if (strlen(ops[i].name) == len && strncasecmp(name, ops[i].name, len) == 0)
            return is_of(s, i) ? ops[i].op : 0;
    return 0;
}

bool lz_store_has_op(const struct lz_world *w, lz_component_id id, const char *op)
{
    return op_named(lz_store_at(w, id), op) != 0;
}

const char *lz_store_ops(const struct lz_world *w, lz_component_id id)
{
    return lz_store_at(w, id)->opts.kind == LZ_STORE_OBJECT
               ? "get, head, list, put, put_if_absent, put_if_match, delete, versions and restore"
           : lz_store_at(w, id)->opts.quorum.is_on
               ? "get, head, put, put_if_absent, put_if_match, increment and delete"
               : "get, head, put, put_if_absent, put_if_match, increment, delete, transact_write "
                 "and transact_get";
}

// Users may call it by a word of their own, or none: that is a get.
enum lz_store_op lz_store_op_of(const struct lz_world *w, const struct lz_store *s, lz_op op)
{
    enum lz_store_op found = op_named(s, lz_call_op_name(w, op));
    return found != 0 ? found : LZ_STORE_GET;
}

uint64_t lz_store_token(struct lz_world *w)
{
    return ++w->stores->tokens << 1; // those that callers say are odd
}

void lz_store_answer(struct lz_world *w, struct lz_store *s, struct lz_task *t,
                     enum lz_outcome outcome, uint16_t status)
{
    lz_measure_left(w, &s->series.m, outcome, lz_sim_now(w->sim) - t->arrived);
    lz_task_answer(w, t, outcome, status);
}

static lz_region_id region_of(const struct lz_world *w, lz_instance_id instance)
{
    lz_zone_id zone = lz_place_host_zone(w, lz_instance_get(w, instance)->host);
    return zone != 0 ? lz_place_zone_region(w, zone) : 0;
}

// The nodes that are up and in `region`, or anywhere if that is 0: the nth of them, or how many.
static uint32_t count_up(const struct lz_world *w, const struct lz_store *s, lz_region_id region,
                         uint32_t nth, lz_instance_id *out)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < s->nodes; n++) {
        lz_instance_id id = s->first + n;
        if (!lz_instance_is_up(lz_instance_get(w, id)) ||
            (region != 0 && region_of(w, id) != region))
            continue;
        if (out != NULL && count == nth)
            *out = id;
        count++;
    }
    return count;
}

// A door of the caller's own region, if one is open there.
static lz_instance_id route(struct lz_world *w, lz_component_id id, const struct lz_route *ask)
{
    const struct lz_store *s = lz_store_at(w, id);
    lz_region_id region = s->opts.region_count > 1 ? region_of(w, ask->client) : 0;
    uint32_t count = count_up(w, s, region, 0, NULL);
    if (count == 0 && region != 0) {
        region = 0;
        count = count_up(w, s, 0, 0, NULL);
    }
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), ask->path, LZ_PURPOSE_BALANCE, 0);
    if (count == 0) // all are down: whoever is asked does not answer
        return s->first + (uint32_t)lz_draw_below(&draw, s->nodes);
    lz_instance_id out = 0;
    count_up(w, s, region, (uint32_t)lz_draw_below(&draw, count), &out);
    return out;
}

lz_time lz_store_time(struct lz_world *w, const struct lz_store *s, const struct lz_task *t,
                      bool writes, uint64_t counter)
{
    const struct lz_store_node *n = &s->node[t->server - s->first];
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_SERVICE, counter);
    double ns = (double)lz_dist_time(writes ? &s->opts.put_time : &s->opts.get_time, &draw);
    return (lz_time)(ns * n->capacity->factor + 0.5);
}

lz_time lz_store_stream_time(const struct lz_store *s, uint64_t bytes)
{
    return (lz_time)((double)bytes / s->opts.stream_rate * 1e9);
}

void lz_store_work(struct lz_world *w, struct lz_store *s, struct lz_task *t, lz_time demand)
{
    t->job = lz_cpu_start(w, s->node[t->server - s->first].capacity->cpu, demand > 0 ? demand : 1,
                          lz_pool_id(t));
}

// Units: an object's request is one, an item's as large as it is.
static double units_of(const struct lz_world *w, const struct lz_store *s, const struct lz_task *t,
                       const struct lz_store_units *u)
{
    if (s->opts.kind == LZ_STORE_OBJECT)
        return 1.0;
    bool is_own = u->times <= 1; // of a transaction each item's size is its own
    uint64_t size = is_own ? lz_items_size(w, s, t) : lz_items_size_of(w, s, t, u->key, u->writes);
    uint64_t unit = u->writes ? 1024 : 4096;
    double units = (double)((size + unit - 1) / unit);
    bool is_whole = u->writes || !is_own || lz_items_is_consistent(w, s, t);
    return (is_whole ? units : 0.5 * units) * (is_own ? 1 : u->times);
}

bool lz_store_takes(struct lz_world *w, struct lz_store *s, const struct lz_task *t,
                    const struct lz_store_units *u)
{
    struct lz_throughput *own = s->throughput[s->node[t->server - s->first].region];
    if (lz_throughput_take(own, u->key, u->writes ? LZ_THROUGHPUT_WRITE : LZ_THROUGHPUT_READ,
                           units_of(w, s, t, u), lz_sim_now(w->sim)))
        return true;
    lz_metrics_add(w->metrics, s->series.throttled, 1);
    return false;
}

static bool takes(struct lz_world *w, struct lz_store *s, const struct lz_task *t, bool writes)
{
    return lz_store_takes(w, s, t, &(struct lz_store_units){.key = t->key, .writes = writes});
}

void lz_store_throttle(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    t->value = 0;
    lz_store_answer(w, s, t, LZ_OUTCOME_REFUSED, s->opts.kind == LZ_STORE_OBJECT ? 503 : 400);
}

static void arrive(struct lz_world *w, struct lz_task *t)
{
    struct lz_store *s = store_of(w, t->server);
    struct lz_store_node *n = &s->node[t->server - s->first];
    lz_measure_arrived(w, &s->series.m);
    lz_client_count_request(w, s->id);
    t->state = LZ_TASK_WORKING;
    t->started = lz_sim_now(w->sim);
    if (n->capacity->loss_count > 0)
        lz_capacity_touch(n->capacity);
    enum lz_store_op op = lz_store_op_of(w, s, t->op);
    bool writes = op >= LZ_STORE_PUT, is_object = s->opts.kind == LZ_STORE_OBJECT;
    uint64_t size = lz_items_size(w, s, t);
    bool has_body = op == LZ_STORE_GET || (op >= LZ_STORE_PUT && op <= LZ_STORE_PUT_IF_MATCH);
    if (op == LZ_STORE_TRANSACT_GET || op == LZ_STORE_TRANSACT_WRITE)
        lz_transact_arrive(w, s, t, op);
    else if (is_object && writes && has_body && size > s->opts.part_size)
        lz_upload_begin(w, s, t, size);
    else if (!takes(w, s, t, writes))
        lz_store_throttle(w, s, t);
    else
        lz_store_work(w, s, t,
                      lz_store_time(w, s, t, writes, 0) +
                          (is_object && has_body ? lz_store_stream_time(s, size) : 0));
}

static void turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                      uint16_t status)
{
    struct lz_store *s = store_of(w, t->server);
    lz_measure_arrived(w, &s->series.m);
    lz_client_count_request(w, s->id);
    lz_store_answer(w, s, t, outcome, status);
}

static bool turns_out_wrong(struct lz_world *w, const struct lz_store *s, const struct lz_task *t)
{
    double more = s->node[t->server - s->first].capacity->error_ratio;
    double ratio = 1.0 - (1.0 - s->opts.error_ratio) * (1.0 - more);
    if (!(ratio > 0.0))
        return false;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_ERROR, 0);
    return lz_draw_unit(&draw) < ratio;
}

static void on_done(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->job == 0 || lz_instance_defer(w, entity, w->stores->done, payload))
        return;
    struct lz_store *s = store_of(w, entity);
    lz_cpu_remove(w, s->node[entity - s->first].capacity->cpu, t->job);
    t->job = 0;
    if (!turns_out_wrong(w, s, t)) {
        lz_items_operate(w, s, t);
        return;
    }
    lz_transact_forget(w, s, t);
    t->value = 0;
    lz_store_answer(w, s, t, LZ_OUTCOME_ERROR, 500);
}

static void called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result)
{
    (void)w;
    (void)t;
    (void)result;
    LZ_UNREACHABLE("a store calls nobody");
}

static void let_go(struct lz_world *w, struct lz_store *s, struct lz_task *t)
{
    if (lz_upload_is_under_way(w, s, t))
        lz_upload_leave(w, s, t);
    lz_transact_forget(w, s, t);
    if (t->job != 0)
        lz_cpu_remove(w, s->node[t->server - s->first].capacity->cpu, t->job);
    t->job = 0;
}

static void cancel(struct lz_world *w, struct lz_task *t)
{
    struct lz_store *s = store_of(w, t->server);
    let_go(w, s, t);
    lz_measure_left(w, &s->series.m, LZ_OUTCOME_PENDING, lz_sim_now(w->sim) - t->arrived);
    lz_task_free(w, t);
}

static void refused(struct lz_world *w, lz_component_id id, lz_instance_id instance)
{
    (void)instance;
    lz_measure_refused(w, &lz_store_at(w, id)->series.m);
}

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    struct lz_store *s = store_of(w, id);
    for (uint32_t at = lz_task_first_at(w, id); at != 0; at = lz_task_first_at(w, id)) {
        struct lz_task *t = lz_task_at(w, at);
        let_go(w, s, t);
        lz_measure_left(w, &s->series.m, LZ_OUTCOME_RESET, lz_sim_now(w->sim) - t->arrived);
        lz_task_reset(w, t, silent);
    }
    lz_cpu_clear(w, s->node[id - s->first].capacity->cpu);
    lz_cpu_freeze(w, s->node[id - s->first].capacity->cpu, false);
}

static void started(struct lz_world *w, lz_instance_id id)
{
    LZ_ASSERT(store_of(w, id)->nodes > 0);
}

static void stopped(struct lz_world *w, lz_instance_id id)
{
    lz_cpu_freeze(w, lz_capacity_get(w, id)->cpu, true);
}

static void resumed(struct lz_world *w, lz_instance_id id)
{
    lz_cpu_freeze(w, lz_capacity_get(w, id)->cpu, false);
}

void lz_store_reconsider(struct lz_world *w)
{
    for (lz_component_id id = 1; id < w->stores->cap; id++)
        if (w->stores->all[id] != NULL && w->stores->all[id]->holds)
            lz_items_deliver(w, w->stores->all[id]);
}

static const struct lz_instance_ops instance_ops = {
    .died = died, .started = started, .stopped = stopped, .resumed = resumed};
static const struct lz_server_ops server_ops = {.arrive = arrive,
                                                .turn_away = turn_away,
                                                .called = called,
                                                .cancel = cancel,
                                                .route = route,
                                                .refused = refused};

void lz_stores_init(struct lz_world *w)
{
    w->stores = lz_arena_alloc(w->arena, sizeof(*w->stores));
    w->stores->done = lz_sim_kind(w->sim, "store.done", on_done, w);
    lz_uploads_init(w);
    lz_items_init(w);
}

static void make_series(struct lz_world *w, struct lz_store *s)
{
    s->series.throttled = lz_metrics_counter(w->metrics);
    s->series.reads = lz_metrics_counter(w->metrics);
    s->series.stale_reads = lz_metrics_counter(w->metrics);
    s->series.stale_tokens = lz_metrics_counter(w->metrics);
    s->series.lost_updates = lz_metrics_counter(w->metrics);
    s->series.acked = lz_metrics_counter(w->metrics);
    s->series.items = lz_metrics_gauge(w->metrics, 0.0);
    s->series.size = lz_metrics_gauge(w->metrics, 0.0);
    s->series.versions = lz_metrics_gauge(w->metrics, 0.0);
    s->series.uploads = lz_metrics_gauge(w->metrics, 0.0);
    s->series.expired = lz_metrics_counter(w->metrics);
    s->series.transactions = lz_metrics_counter(w->metrics);
    s->series.cancelled = lz_metrics_counter(w->metrics);
    s->series.conflicts = lz_metrics_counter(w->metrics);
    lz_measure_init(w, &s->series.m);
    lz_measure_define(w, s->id, "", rows, ROW_COUNT, &s->series);
    lz_requests_measure(w, s->id);
}

static void fill_defaults(struct lz_store_opts *o)
{
    bool is_object = o->kind == LZ_STORE_OBJECT;
    o->nodes = o->nodes > 0 ? o->nodes : 3;
    if (o->get_time.kind == LZ_DIST_NONE)
        o->get_time = lz_dist_constant(is_object ? 20 * LZ_MS : 3 * LZ_MS);
    if (o->put_time.kind == LZ_DIST_NONE)
        o->put_time = lz_dist_constant(is_object ? 40 * LZ_MS : 5 * LZ_MS);
    if (o->lag.kind == LZ_DIST_NONE)
        o->lag = lz_dist_constant(LZ_S);
    o->item_size = o->item_size > 0 ? o->item_size : 1024;
    o->part_size = o->part_size > 0 ? o->part_size : 8u << 20;
    o->parallel_parts = o->parallel_parts > 0 ? o->parallel_parts : 10;
    o->stream_rate = o->stream_rate > 0.0 ? o->stream_rate : 85e6;
    o->prefixes = o->prefixes > 0 ? o->prefixes : 1;
    o->lifecycle.every = o->lifecycle.every > 0 ? o->lifecycle.every : 24 * 3600 * LZ_S;
}

static bool check_versions(const struct lz_store_opts *o, struct lz_err *err)
{
    const struct lz_lifecycle_opts *l = &o->lifecycle;
    if (o->versioning != LZ_VERSIONING_OFF && o->region_count > 1)
        return lz_fail(err, LZ_EINVAL,
                       "S3 replicates versions between buckets of which each has its own, and "
                       "removals of a version never; copies in `regions` have one version each: "
                       "declare a store in each region and write to both, or leave versioning or "
                       "regions out");
    if ((l->expiration > 0 || l->noncurrent > 0) && o->region_count > 1)
        return lz_fail(err, LZ_EINVAL, "lifecycle is of a bucket in one region: leave regions out");
    if (l->noncurrent > 0 && o->versioning == LZ_VERSIONING_OFF)
        return lz_fail(err, LZ_EINVAL,
                       "lifecycle: noncurrent is of versions, and this bucket keeps none: give it "
                       "versioning = \"enabled\"");
    return true;
}

static bool check_quorum(const struct lz_store_opts *o, struct lz_err *err)
{
    const struct lz_quorum_opts *q = &o->quorum;
    if (q->n < 1 || q->n > LZ_COPIES_MAX)
        return lz_fail(err, LZ_ERANGE, "quorum: n must be between 1 and %d, got %u", LZ_COPIES_MAX,
                       q->n);
    if (q->w < 1 || q->w > q->n || q->r < 1 || q->r > q->n)
        return lz_fail(err, LZ_ERANGE,
                       "quorum: w and r must be between 1 and n = %u, got w = %u, r = %u", q->n,
                       q->w, q->r);
    if (q->n > o->nodes)
        return lz_fail(err, LZ_EINVAL, "quorum: n = %u copies need as many nodes, there are %u",
                       q->n, o->nodes);
    if (o->region_count > 1)
        return lz_fail(err, LZ_EINVAL,
                       "a store in several regions has one copy in each: leave "
                       "quorum out, or regions");
    if (q->sloppy && q->no_hints)
        return lz_fail(err, LZ_EINVAL,
                       "a sloppy quorum is one of hints: hinted_handoff = false "
                       "does not go with it");
    return true;
}

static bool check_opts(const struct lz_store_opts *o, struct lz_err *err)
{
    if (o->nodes * (o->region_count > 0 ? o->region_count : 1) > LZ_STORE_NODES_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d nodes in all, got %u", LZ_STORE_NODES_MAX,
                       o->nodes);
    if (o->item_size > LZ_STORE_ITEM_MAX)
        return lz_fail(err, LZ_ERANGE, "an object has at most 5 TiB");
    if (o->kind == LZ_STORE_OBJECT && o->quorum.is_on)
        return lz_fail(err, LZ_EINVAL,
                       "quorum is of kind = \"key_value\": objects are read as they "
                       "were written last");
    if ((o->read_capacity > 0.0) != (o->write_capacity > 0.0))
        return lz_fail(err, LZ_EINVAL, "read_capacity and write_capacity are provisioned together");
    return check_versions(o, err) && (!o->quorum.is_on || check_quorum(o, err));
}

// As many as throughput needs (3,000 reads, 1,000 writes); a table on demand begins with four.
static uint32_t partitions_of(const struct lz_store_opts *o)
{
    if (o->partitions > 0)
        return o->partitions;
    if (!(o->read_capacity > 0.0))
        return 4;
    double need = o->read_capacity / 3000.0 + o->write_capacity / 1000.0;
    return need > 1.0 ? (uint32_t)need + (need > (double)(uint32_t)need) : 1;
}

static void make_throughput(struct lz_world *w, struct lz_store *s)
{
    const struct lz_store_opts *o = &s->opts;
    bool is_object = o->kind == LZ_STORE_OBJECT;
    uint32_t regions = o->region_count > 0 ? o->region_count : 1;
    s->throughput = lz_arena_alloc(w->arena, regions * sizeof(struct lz_throughput *));
    struct lz_throughput_opts t = {
        .parts = is_object ? o->prefixes : partitions_of(o),
        .part_rate = {is_object ? 5500.0 : 3000.0, is_object ? 3500.0 : 1000.0},
        .rate = {o->read_capacity, o->write_capacity},
        .saved_s = 300.0,
        .adaptive = !o->rigid,
    };
    for (uint32_t r = 0; r < regions; r++)
        s->throughput[r] = lz_throughput_create(w->arena, &t);
}

static void make_nodes(struct lz_world *w, struct lz_store *s)
{
    s->node = lz_arena_alloc(w->arena, s->nodes * sizeof(*s->node));
    lz_capacity_declare(
        w, s->id, CORES, w->stores->done,
        (struct lz_capacity_places){.first = &s->node[0].capacity, .stride = sizeof(s->node[0])});
    for (uint32_t n = 0; n < s->nodes; n++) {
        uint32_t region = n / s->opts.nodes;
        s->node[n].region = region;
        if (s->opts.region_count > 0) {
            struct lz_spread spread = {.region = s->opts.regions[region]};
            lz_instance_get(w, s->first + n)->host = lz_place_assign(w, &spread, n % s->opts.nodes);
        }
        lz_capacity_get(w, s->first + n);
    }
}

bool lz_store_create(struct lz_world *w, const struct lz_store_opts *opts, lz_component_id *id,
                     struct lz_err *err)
{
    struct lz_store_opts o = *opts;
    fill_defaults(&o);
    if (!check_opts(&o, err) ||
        !lz_world_add(w, opts->name, LZ_COMPONENT_STORE, opts->line, id, err))
        return false;
    struct lz_stores *ss = w->stores;
    ss->all = lz_grow(w->arena, ss->all, &ss->cap, *id + 1, sizeof(struct lz_store *));
    struct lz_store *s = ss->all[*id] = lz_arena_alloc(w->arena, sizeof(*s));
    s->opts = o;
    s->id = *id;
    s->nodes = o.nodes * (o.region_count > 0 ? o.region_count : 1);
    w->components[*id].port = 443;
    lz_instances_add(w, *id, s->nodes, &o.spread, &instance_ops);
    s->first = lz_world_component(w, *id)->instances_first;
    s->path = lz_world_component(w, *id)->path;
    make_nodes(w, s);
    make_throughput(w, s);
    lz_items_create(w, s);
    make_series(w, s);
    lz_versions_create(w, s);
    lz_task_serve(w, *id, &server_ops);
    return true;
}

size_t lz_store_bytes(const struct lz_world *w, lz_component_id id)
{
    const struct lz_store *s = lz_store_at(w, id);
    return sizeof(*s) + s->nodes * sizeof(*s->node) + lz_keyspace_memory(s->items) +
           s->copy_cap * sizeof(*s->copies) + lz_versions_bytes(s);
}
