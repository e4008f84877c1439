#include "model/broker/broker.h"

#include <stddef.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/broker/broker_state.h"
#include "model/client/client.h"
#include "model/client/edge.h"
#include "model/node/capacity.h"
#include "model/node/disk.h"
#include "model/service/task.h"

#define FLUSH_NS (30 * LZ_S) // Linux' vm.dirty_expire_centisecs

#define AT(member) offsetof(struct lz_broker_series, member)
static const struct lz_measure_row rows[] = {
    {"elections", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(elections), 0, 0,
     "partitions that got another leader, each time"},
    {"elections.unclean", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(unclean), 0, 0,
     "those of them that one led which was not in sync"},
    {"isr.shrinks", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(shrinks), 0, 0,
     "replicas that were taken out of an ISR"},
    {"isr.expands", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(expands), 0, 0,
     "replicas that came back into one"},
    {"partitions.offline", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(offline), 0, 0,
     "partitions without a leader"},
    {"partitions.under_replicated", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(under_replicated), 0, 0,
     "partitions with fewer replicas in sync than they should have"},
    {"transactions.committed", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(committed), 0, 0,
     "transactions that counted, of groups and of producers with a transactional id"},
    {"transactions.aborted", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(aborted), 0, 0,
     "transactions that were undone"},
    {"transactions.fenced", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(fenced), 0, 0,
     "producers that found that another has their transactional id"},
    {"nodes.up", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(nodes_up), 0, 0, "nodes whose session lives"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_broker_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_broker *lz_broker_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(id < w->brokers->cap && w->brokers->all[id] != NULL);
    return w->brokers->all[id];
}

struct lz_replica *lz_partition_on(const struct lz_partition *p, uint32_t node)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->replicas[i].node == node)
            return &p->replicas[i];
    return NULL;
}

// ---- calls of a topic arrive at its nodes

static void arrive(struct lz_world *w, struct lz_task *t)
{
    const struct lz_edge_opts *edge = &lz_edge_get(w, t->asked.edge)->opts;
    t->state = LZ_TASK_WORKING;
    t->started = lz_sim_now(w->sim);
    t->rest_ns = 0;
    lz_client_count_request(w, edge->to);
    lz_topic_produce(w, lz_topic_at(w, edge->to), t, edge);
}

static void turn_away(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                      uint16_t status)
{
    lz_component_id topic = lz_edge_get(w, t->asked.edge)->opts.to;
    struct lz_measure *m = &lz_topic_at(w, topic)->series.m;
    lz_client_count_request(w, topic);
    lz_measure_arrived(w, m);
    lz_measure_left(w, m, outcome, lz_sim_now(w->sim) - t->arrived);
    lz_task_answer(w, t, outcome, status);
}

static void called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result)
{
    (void)w;
    (void)t;
    (void)result;
    LZ_UNREACHABLE("a broker calls nobody");
}

// Its record is written all the same.
static void cancel(struct lz_world *w, struct lz_task *t)
{
    struct lz_broker *b = lz_broker_of(w, t->server);
    struct lz_append *a = lz_pool_find(&b->appends, (uint64_t)t->rest_ns);
    if (a != NULL)
        a->task = 0;
    lz_task_free(w, t);
}

static const struct lz_server_ops server_ops = {
    .arrive = arrive, .turn_away = turn_away, .called = called, .cancel = cancel};

// ---- processes

// What the page cache alone had goes with the power; what a disk lied about too.
static void lose_unflushed(struct lz_world *w, struct lz_broker *b, uint32_t n)
{
    struct lz_broker_node *node = &b->nodes[n];
    uint64_t durable = node->lsn;
    lz_time flushed = lz_sim_now(w->sim) - b->opts.flush;
    if (b->opts.flush > 0)
        durable = flushed < 0 ? 0 : node->marks[(uint64_t)(flushed / LZ_S) % LZ_BROKER_MARKS];
    uint64_t kept = lz_disk_durable(w, node->id, node->lsn);
    durable = kept < durable ? kept : durable;
    uint64_t lost = 0;
    for (uint32_t i = 0; i < node->hosted_count; i++) {
        struct lz_partition *p = b->partitions[node->hosted[i].partition];
        struct lz_replica *r = &p->replicas[node->hosted[i].replica];
        uint64_t end = r->log.end;
        for (uint32_t k = r->log.count; k > 0 && lz_plog_entry(&r->log, k - 1)->lsn > durable; k--)
            end = lz_plog_at(&r->log, k - 1)->offset;
        lost += r->log.end - end;
        lz_replica_truncate(w, p, r, end);
    }
    if (lost > 0)
        lz_instance_note(w, node->id, "lost", "loses %llu records that were not flushed",
                         (unsigned long long)lost);
    lz_disk_is_whole(w, node->id);
}

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    struct lz_broker *b = lz_broker_of(w, id);
    uint32_t n = lz_broker_node_of(b, id);
    struct lz_broker_node *node = &b->nodes[n];
    for (uint32_t i = 0; i < node->hosted_count; i++) {
        struct lz_partition *p = b->partitions[node->hosted[i].partition];
        struct lz_replica *r = &p->replicas[node->hosted[i].replica];
        lz_append_died(w, p, r);
        r->leads = r->is_altering = r->is_asked = false;
        r->leader = LZ_BROKER_NOBODY;
        r->epoch = 0;
    }
    for (uint32_t at = lz_task_first_at(w, id); at != 0; at = lz_task_first_at(w, id))
        lz_task_reset(w, lz_task_at(w, at), silent);
    lz_copy_died(w, b, n);
    lz_reader_died(w, b, n);
    lz_rpc_died(w, id, silent);
    if (silent)
        lose_unflushed(w, b, n);
}

static void powerless(struct lz_world *w, lz_instance_id id)
{
    struct lz_broker *b = lz_broker_of(w, id);
    lose_unflushed(w, b, lz_broker_node_of(b, id));
}

static void nothing(struct lz_world *w, lz_instance_id id)
{
    (void)w;
    (void)id;
}

static const struct lz_instance_ops instance_ops = {.died = died,
                                                    .powerless = powerless,
                                                    .started = nothing,
                                                    .stopped = nothing,
                                                    .resumed = nothing};

// ---- time

void lz_brokers_second(struct lz_world *w)
{
    if (w->brokers == NULL)
        return;
    uint64_t second = (uint64_t)(lz_sim_now(w->sim) / LZ_S);
    for (lz_component_id id = 1; id <= w->component_count; id++) {
        if (w->components[id].kind == LZ_COMPONENT_TOPIC)
            lz_topic_second(w, lz_topic_at(w, id));
        if (w->components[id].kind != LZ_COMPONENT_BROKER)
            continue;
        struct lz_broker *b = lz_broker_at(w, id);
        for (uint32_t n = 0; n < b->opts.nodes; n++)
            b->nodes[n].marks[second % LZ_BROKER_MARKS] = b->nodes[n].lsn;
        for (uint32_t i = 0; i < b->group_count; i++)
            lz_group_second(w, b->groups[i]);
    }
}

void lz_brokers_reconsider(struct lz_world *w)
{
    if (w->brokers == NULL || !w->running)
        return;
    for (lz_component_id id = 1; id <= w->component_count; id++)
        if (w->components[id].kind == LZ_COMPONENT_BROKER)
            lz_controller_reconsider(w, lz_broker_at(w, id));
}

void lz_brokers_start(struct lz_world *w)
{
    if (w->brokers == NULL)
        return;
    for (lz_component_id id = 1; id <= w->component_count; id++)
        if (w->components[id].kind == LZ_COMPONENT_BROKER)
            lz_controller_begin(w, lz_broker_at(w, id));
    lz_groups_start(w);
}

// Made with the first broker, so that worlds without one are as they were.
static void init(struct lz_world *w)
{
    w->brokers = lz_arena_alloc(w->arena, sizeof(*w->brokers));
    lz_rpcs_init(w);
    lz_controller_init(w);
    lz_copy_init(w);
    lz_append_init(w);
    lz_producer_init(w);
    lz_group_init(w);
}

// ---- declaring

static void make_nodes(struct lz_world *w, struct lz_broker *b)
{
    uint32_t n = b->opts.nodes;
    b->nodes = lz_arena_alloc(w->arena, n * sizeof(*b->nodes));
    for (uint32_t i = 0; i < n; i++) {
        struct lz_broker_node *node = &b->nodes[i];
        node->id = b->first + i;
        node->copiers = lz_arena_alloc(w->arena, n * sizeof(*node->copiers));
        node->news = lz_arena_alloc(w->arena, n * sizeof(*node->news));
        node->alterings = lz_arena_alloc(w->arena, n * sizeof(*node->alterings));
        for (uint32_t k = 0; k < n; k++)
            node->copiers[k].path =
                lz_draw_index(lz_draw_index(lz_draw_name(b->path, "copier"), i), k);
    }
}

static void make_series(struct lz_world *w, struct lz_broker *b)
{
    b->series = (struct lz_broker_series){
        .elections = lz_metrics_counter(w->metrics),
        .unclean = lz_metrics_counter(w->metrics),
        .shrinks = lz_metrics_counter(w->metrics),
        .expands = lz_metrics_counter(w->metrics),
        .offline = lz_metrics_gauge(w->metrics, 0.0),
        .under_replicated = lz_metrics_gauge(w->metrics, 0.0),
        .nodes_up = lz_metrics_gauge(w->metrics, b->opts.nodes),
        .committed = lz_metrics_counter(w->metrics),
        .aborted = lz_metrics_counter(w->metrics),
        .fenced = lz_metrics_counter(w->metrics),
    };
    lz_measure_define(w, b->id, "", rows, ROW_COUNT, &b->series);
}

static void fill_defaults(struct lz_broker_opts *o)
{
    if (o->nodes == 0)
        o->nodes = 1;
    if (o->election == 0)
        o->election = 6 * LZ_S;
    if (o->append.kind == LZ_DIST_NONE)
        o->append = lz_dist_constant(LZ_MS);
    if (o->replica_lag_time == 0)
        o->replica_lag_time = 30 * LZ_S;
    if (o->flush < 0)
        o->flush = FLUSH_NS;
}

bool lz_broker_create(struct lz_world *w, const struct lz_broker_opts *opts, lz_component_id *id,
                      struct lz_err *err)
{
    if (opts->nodes > LZ_BROKER_NODES_MAX)
        return lz_fail(err, LZ_EFULL, "nodes must be at most %d, got %u", LZ_BROKER_NODES_MAX,
                       opts->nodes);
    if (opts->flush / LZ_S >= LZ_BROKER_MARKS)
        return lz_fail(err, LZ_ERANGE, "flush must be below %ds, got %.9gs", LZ_BROKER_MARKS,
                       (double)opts->flush / 1e9);
    if (!lz_world_add(w, opts->name, LZ_COMPONENT_BROKER, opts->line, id, err))
        return false;
    if (w->brokers == NULL)
        init(w);
    struct lz_brokers *bs = w->brokers;
    bs->all = lz_grow(w->arena, bs->all, &bs->cap, *id + 1, sizeof(struct lz_broker *));
    struct lz_broker *b = bs->all[*id] = lz_arena_alloc(w->arena, sizeof(*b));
    b->opts = *opts;
    fill_defaults(&b->opts);
    b->id = *id;
    w->components[*id].port = 9092;
    lz_instances_add(w, *id, b->opts.nodes, &opts->spread, &instance_ops);
    b->first = lz_world_component(w, *id)->instances_first;
    b->path = lz_world_component(w, *id)->path;
    lz_pool_init(&b->batches, w->arena, sizeof(struct lz_batch));
    lz_pool_init(&b->appends, w->arena, sizeof(struct lz_append));
    make_nodes(w, b);
    // Appending is no work for the CPU; what makes a node slower makes its appends slower.
    lz_capacity_declare(
        w, *id, 1.0, w->brokers->written,
        (struct lz_capacity_places){.first = &b->nodes[0].capacity, .stride = sizeof(b->nodes[0])});
    make_series(w, b);
    lz_task_serve(w, *id, &server_ops);
    lz_disk_serves(w, *id);
    return true;
}

size_t lz_broker_bytes(const struct lz_world *w, lz_component_id id)
{
    const struct lz_broker *b = lz_broker_at(w, id);
    size_t bytes = lz_pool_bytes(&b->batches) + lz_pool_bytes(&b->appends);
    for (uint32_t i = 0; i < b->partition_count; i++)
        for (uint32_t r = 0; r < b->partitions[i]->count; r++)
            bytes += b->partitions[i]->replicas[r].log.cap * sizeof(struct lz_plog_entry);
    return bytes;
}
