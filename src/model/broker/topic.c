#include "model/broker/topic.h"

#include <stddef.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/broker/broker_state.h"
#include "model/broker/murmur.h"
#include "model/broker/transaction.h"
#include "model/client/client.h"
#include "model/history/recorder_log.h"
#include "model/service/argument.h"
#include "model/service/task.h"

#define RETENTION_NS (7 * 86400 * LZ_S)

#define AT(member) offsetof(struct lz_topic_series, member)
static const struct lz_measure_row rows[] = {
    {"rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(m.outcomes), 0, 0,
     "records answered or refused by leaders per second"},
    {"errors.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(m.failed), AT(m.outcomes), 0,
     "records refused of all that leaders answered"},
    {"errors.rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(m.failed), 0, 0, "records refused per second"},
    {"success.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(m.ok), AT(m.outcomes), 0,
     "records written of all that leaders answered"},
    {"in_flight", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(m.in_flight), 0, 0,
     "records at leaders that are not answered"},
    LZ_MEASURE_QUANTILES("latency", AT(m.latency),
                         "time of a batch from its arrival at the leader to the answer"),
    {"appended", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(appended), 0, 0,
     "records that leaders put in the log"},
    {"acked", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(acked), 0, 0, "records acknowledged"},
    {"lost_acks", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lost_acks), 0, 0,
     "records acknowledged and then lost"},
    {"duplicates", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(duplicates), 0, 0,
     "records that a producer's retry put in the log once more"},
    {"expired", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(expired), 0, 0,
     "records older than retention, or more than it keeps, that not all groups had read"},
    {"records", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(records), 0, 0,
     "records in the logs of leaders that not all groups have read, once a second"},
    {"partitions.offline", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(offline), 0, 0,
     "partitions without a leader"},
    {"partitions.under_replicated", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(under_replicated), 0, 0,
     "partitions with fewer replicas in sync than they should have"},
    {"isr", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(isr), 0, 0,
     "replicas in sync of the partition that has fewest"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_topic_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_topic *lz_topic_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(id < w->brokers->topic_cap && w->brokers->topics[id] != NULL);
    return w->brokers->topics[id];
}

lz_component_id lz_topic_broker(const struct lz_world *w, lz_component_id id)
{
    return lz_topic_at(w, id)->broker->id;
}

uint32_t lz_topic_partitions(const struct lz_world *w, lz_component_id id)
{
    return lz_topic_at(w, id)->opts.partitions;
}

// ---- calls

// Clients know who led last, and find out by asking when that is not so any more.
static lz_instance_id route(struct lz_world *w, lz_component_id id, const struct lz_route *ask)
{
    const struct lz_topic *t = lz_topic_at(w, id);
    uint32_t p = lz_murmur_partition(ask->key, t->opts.partitions);
    return t->broker->first + t->broker->partitions[t->first + p]->was_led_by;
}

static void wrong_door(struct lz_world *w, struct lz_task *t)
{
    (void)w;
    (void)t;
    LZ_UNREACHABLE("a topic's calls arrive at its broker's nodes");
}

static void refused(struct lz_world *w, lz_component_id id, lz_instance_id instance)
{
    (void)instance;
    lz_measure_refused(w, &lz_topic_at(w, id)->series.m);
}

void lz_topic_produce(struct lz_world *w, struct lz_topic *topic, struct lz_task *t,
                      const struct lz_edge_opts *edge)
{
    struct lz_broker *b = topic->broker;
    struct lz_append *a = lz_pool_take(&b->appends);
    a->partition = topic->first + lz_murmur_partition(t->key, topic->opts.partitions);
    a->count = 1;
    a->task = lz_pool_id(t);
    a->bytes = edge->size;
    a->at = lz_sim_now(w->sim);
    a->acks = LZ_ACKS_ALL;
    a->origin = lz_trail_origin(w, t);
    topic->is_traced |= a->origin.request != 0;
    if (lz_recorder_log_is_on(w, topic->id))
        a->sent = lz_recorder_log_send(
            w, topic->id,
            &(struct lz_recorder_send){.partition = a->partition - topic->first, .count = 1});
    if (topic->keeps_records) {
        a->record_room = 1;
        a->records = lz_arena_alloc(w->arena, sizeof(*a->records));
        a->records[0] = (struct lz_record){.key = t->key,
                                           .value = lz_argument_to_value(w, lz_argument_of(w, t))};
    }
    t->rest_ns = (lz_time)lz_pool_id(a);
    if (!lz_transaction_admits(w, topic, edge->from, t, a)) {
        lz_recorder_log_gave_up(w, topic->id, a->sent);
        lz_append_free(w, b, a);
        lz_task_answer(w, t, LZ_OUTCOME_ERROR, 409); // PRODUCER_FENCED
        return;
    }
    lz_append_begin(w, b, lz_broker_node_of(b, t->server), a);
}

// ---- what is gone

void lz_topic_lost(struct lz_world *w, struct lz_topic *t, uint64_t records)
{
    lz_metrics_add(w->metrics, t->series.lost_acks, records);
}

// The process that the controller means: until it is fenced, one whose power is gone has the name.
static bool leads(const struct lz_world *w, const struct lz_partition *p)
{
    if (p->leader == LZ_BROKER_NOBODY)
        return false;
    uint32_t n = p->replicas[p->leader].node;
    const struct lz_broker_node *node = &p->broker->nodes[n];
    return lz_controller_is_alive(w, p->broker, n) &&
           lz_instance_get(w, node->id)->incarnation == node->incarnation;
}

void lz_topic_accepted(struct lz_world *w, struct lz_partition *p, struct lz_batch *b)
{
    b->is_acked = true;
    if (b->is_lost || !leads(w, p))
        return; // who leads next is judged by what is acknowledged: lz_topic_count_lost
    const struct lz_plog *log = &p->replicas[p->leader].log;
    if (b->offset < log->start || lz_plog_has(log, b))
        return;
    b->is_lost = true; // while the answer was on its way
    lz_recorder_log_lost(w, p->topic->id, b->sent);
    lz_topic_lost(w, p->topic, b->count);
}

static void free_batch(struct lz_world *w, struct lz_broker *b, struct lz_batch *batch)
{
    if (batch->record_room > 0)
        lz_arena_free(w->arena, batch->records, batch->record_room * sizeof(*batch->records));
    lz_pool_give(&b->batches, batch);
}

void lz_topic_dropped(struct lz_world *w, struct lz_topic *t, struct lz_batch *b, bool is_old)
{
    if (b->refs > 0)
        return;
    if (!is_old && b->is_acked && !b->is_lost) {
        lz_recorder_log_lost(w, t->id, b->sent);
        lz_topic_lost(w, t, b->count);
    }
    free_batch(w, t->broker, b);
}

void lz_topic_count_lost(struct lz_world *w, struct lz_partition *p, const struct lz_replica *r)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct lz_plog *l = &p->replicas[i].log;
        if (&p->replicas[i] == r)
            continue;
        for (uint32_t k = l->count; k > 0; k--) {
            struct lz_batch *b = lz_plog_at(l, k - 1);
            if (lz_batch_end(b) <= r->log.start || lz_plog_has(&r->log, b))
                break;
            if (b->is_acked && !b->is_lost) {
                b->is_lost = true;
                lz_recorder_log_lost(w, p->topic->id, b->sent);
                lost += b->count;
            }
        }
    }
    if (lost == 0)
        return;
    lz_topic_lost(w, p->topic, lost);
    lz_instance_note(w, p->broker->first + r->node, "lost_acks",
                     "leads %s[%u] and lacks %llu acknowledged records", p->topic->opts.name,
                     p->number + 1, (unsigned long long)lost);
}

// ---- levels

void lz_topic_levels(struct lz_world *w, struct lz_topic *t)
{
    uint32_t offline = 0, under = 0, least = t->opts.replication;
    for (uint32_t i = 0; i < t->opts.partitions; i++) {
        const struct lz_partition *p = t->broker->partitions[t->first + i];
        uint32_t isr = p->leader == LZ_BROKER_NOBODY ? 0 : (uint32_t)__builtin_popcount(p->isr);
        offline += isr == 0;
        under += isr < p->count;
        least = isr < least ? isr : least;
    }
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, t->series.offline, now, offline);
    lz_metrics_set(w->metrics, t->series.under_replicated, now, under);
    lz_metrics_set(w->metrics, t->series.isr, now, least);
}

static uint64_t expire(struct lz_world *w, struct lz_partition *p, const struct lz_replica *r)
{
    const struct lz_topic_opts *o = &p->topic->opts;
    lz_time now = lz_sim_now(w->sim);
    uint64_t before = p->start;
    if (p->start < r->log.start)
        p->start = r->log.start;
    double bytes = 0.0;
    uint32_t i = lz_plog_find(&r->log, p->start);
    if (o->retention_bytes > 0.0)
        for (uint32_t k = i; k < r->log.count; k++)
            bytes += (double)lz_plog_at(&r->log, k)->bytes;
    for (; i < r->log.count; i++) {
        const struct lz_batch *b = lz_plog_at(&r->log, i);
        bool is_much = o->retention_bytes > 0.0 && bytes > o->retention_bytes;
        if ((now - b->at < o->retention && !is_much) || lz_batch_end(b) > r->hw)
            break;
        p->start = lz_batch_end(b);
        bytes -= (double)b->bytes;
    }
    return p->start > before && before >= r->log.start ? p->start - before : 0;
}

// What every replica has and nobody will read again need not be remembered one by one.
static void drop_old(struct lz_world *w, struct lz_partition *p)
{
    uint64_t upto = p->topic->group_count > 0 ? p->replicas[0].hw : 0; // for who comes yet
    for (uint32_t i = 1; i < p->count; i++)
        upto = p->replicas[i].hw < upto ? p->replicas[i].hw : upto;
    lz_group_needs(p, &upto);
    upto = p->start > upto ? p->start : upto;
    while (true) {
        struct lz_plog *first = &p->replicas[0].log;
        if (first->count < 2 || lz_batch_end(lz_plog_at(first, 0)) > upto)
            return;
        struct lz_batch *b = lz_plog_at(first, 0);
        for (uint32_t i = 0; i < p->count; i++) {
            const struct lz_plog *l = &p->replicas[i].log;
            if (l->count < 2 || lz_plog_at(l, 0) != b)
                return;
        }
        for (uint32_t i = 0; i < p->count; i++)
            lz_plog_drop(&p->replicas[i].log);
        lz_topic_dropped(w, p->topic, b, true);
    }
}

void lz_topic_second(struct lz_world *w, struct lz_topic *t)
{
    uint64_t records = 0, expired = 0;
    for (uint32_t i = 0; i < t->opts.partitions; i++) {
        struct lz_partition *p = t->broker->partitions[t->first + i];
        if (p->leader != LZ_BROKER_NOBODY)
            expired += expire(w, p, &p->replicas[p->leader]);
        const struct lz_replica *r = &p->replicas[p->leader != LZ_BROKER_NOBODY ? p->leader : 0];
        records += r->log.end > p->start ? r->log.end - p->start : 0;
        drop_old(w, p);
    }
    lz_metrics_add(w->metrics, t->series.expired, expired);
    lz_metrics_set(w->metrics, t->series.records, lz_sim_now(w->sim), (double)records);
}

// ---- declaring

/*
 * Nodes in an order in which zones alternate: first those that are the first of their zone, then
 * the second ones, and so on.
 */
static void alternate(const struct lz_world *w, const struct lz_broker *b, uint32_t *order)
{
    uint32_t rank[LZ_BROKER_NODES_MAX], count = 0;
    for (uint32_t n = 0; n < b->opts.nodes; n++) {
        lz_zone_id zone = lz_place_host_zone(w, lz_instance_get(w, b->first + n)->host);
        rank[n] = 0;
        for (uint32_t k = 0; k < n; k++)
            rank[n] += lz_place_host_zone(w, lz_instance_get(w, b->first + k)->host) == zone;
    }
    for (uint32_t r = 0; count < b->opts.nodes; r++)
        for (uint32_t n = 0; n < b->opts.nodes; n++)
            if (rank[n] == r)
                order[count++] = n;
}

static void host(struct lz_world *w, struct lz_broker *b, struct lz_partition *p, uint32_t replica,
                 uint32_t node)
{
    struct lz_replica *r = &p->replicas[replica];
    r->node = node;
    r->leader = LZ_BROKER_NOBODY;
    r->followers = lz_arena_alloc(w->arena, p->count * sizeof(*r->followers));
    lz_plog_init(&r->log, w->arena, &b->batches);
    struct lz_broker_node *n = &b->nodes[node];
    n->hosted =
        lz_grow(w->arena, n->hosted, &n->hosted_cap, n->hosted_count + 1, sizeof(*n->hosted));
    n->hosted[n->hosted_count++] = (struct lz_hosted){.partition = p->index, .replica = replica};
}

static void make_partitions(struct lz_world *w, struct lz_topic *t)
{
    struct lz_broker *b = t->broker;
    uint32_t order[LZ_BROKER_NODES_MAX];
    alternate(w, b, order);
    uint64_t path = lz_world_component(w, t->id)->path;
    uint32_t start = b->partition_count % b->opts.nodes;
    t->first = b->partition_count;
    b->partitions = lz_grow(w->arena, b->partitions, &b->partition_cap,
                            b->partition_count + t->opts.partitions, sizeof(struct lz_partition *));
    for (uint32_t i = 0; i < t->opts.partitions; i++) {
        struct lz_partition *p = lz_arena_alloc(w->arena, sizeof(*p));
        *p = (struct lz_partition){.topic = t,
                                   .broker = b,
                                   .number = i,
                                   .index = b->partition_count,
                                   .count = t->opts.replication,
                                   .path = lz_draw_index(path, i),
                                   .leader = LZ_BROKER_NOBODY};
        p->replicas = lz_arena_alloc(w->arena, p->count * sizeof(*p->replicas));
        b->partitions[b->partition_count++] = p;
        for (uint32_t r = 0; r < p->count; r++)
            host(w, b, p, r, order[(start + i + r) % b->opts.nodes]);
        p->was_led_by = p->replicas[0].node;
    }
}

static void make_series(struct lz_world *w, struct lz_topic *t)
{
    struct lz_topic_series *s = &t->series;
    lz_measure_init(w, &s->m);
    s->appended = lz_metrics_counter(w->metrics);
    s->acked = lz_metrics_counter(w->metrics);
    s->lost_acks = lz_metrics_counter(w->metrics);
    s->duplicates = lz_metrics_counter(w->metrics);
    s->expired = lz_metrics_counter(w->metrics);
    s->offline = lz_metrics_gauge(w->metrics, 0.0);
    s->under_replicated = lz_metrics_gauge(w->metrics, 0.0);
    s->isr = lz_metrics_gauge(w->metrics, t->opts.replication);
    s->records = lz_metrics_gauge(w->metrics, 0.0);
    lz_measure_define(w, t->id, "", rows, ROW_COUNT, s);
}

static void fill_defaults(struct lz_topic_opts *o)
{
    if (o->partitions == 0)
        o->partitions = 1;
    if (o->replication == 0)
        o->replication = 1;
    if (o->min_isr == 0)
        o->min_isr = 1;
    if (o->retention == 0)
        o->retention = RETENTION_NS;
}

static bool check(const struct lz_broker *b, const struct lz_topic_opts *o, struct lz_err *err)
{
    if (o->replication > b->opts.nodes || o->replication > LZ_BROKER_REPLICAS_MAX)
        return lz_fail(err, LZ_ERANGE, "%u copies need as many nodes, at most %d; %s has %u",
                       o->replication, LZ_BROKER_REPLICAS_MAX, b->opts.name, b->opts.nodes);
    if (o->min_isr > o->replication)
        return lz_fail(err, LZ_ERANGE, "min_isr %u is above replication, which is %u", o->min_isr,
                       o->replication);
    if (o->partitions > LZ_BROKER_PARTITIONS_MAX - b->partition_count)
        return lz_fail(err, LZ_EFULL, "a broker has at most %u partitions, and %s has %u already",
                       LZ_BROKER_PARTITIONS_MAX, b->opts.name, b->partition_count);
    return true;
}

bool lz_topic_create(struct lz_world *w, const struct lz_topic_opts *opts, lz_component_id *id,
                     struct lz_err *err)
{
    static const struct lz_server_ops topic_ops = {
        .arrive = wrong_door, .route = route, .refused = refused};
    struct lz_broker *b = lz_broker_at(w, opts->broker);
    struct lz_topic_opts o = *opts;
    fill_defaults(&o);
    if (!check(b, &o, err) || !lz_world_add(w, o.name, LZ_COMPONENT_TOPIC, o.line, id, err))
        return false;
    struct lz_brokers *bs = w->brokers;
    bs->topics = lz_grow(w->arena, bs->topics, &bs->topic_cap, *id + 1, sizeof(struct lz_topic *));
    struct lz_topic *t = bs->topics[*id] = lz_arena_alloc(w->arena, sizeof(*t));
    t->opts = o;
    t->opts.name = lz_world_component(w, *id)->name;
    t->id = *id;
    t->broker = b;
    // Who calls a topic calls its broker's nodes.
    w->components[*id].instances_first = b->first;
    w->components[*id].instance_count = b->opts.nodes;
    w->components[*id].port = w->components[b->id].port;
    make_partitions(w, t);
    make_series(w, t);
    lz_task_serve(w, *id, &topic_ops);
    return true;
}
