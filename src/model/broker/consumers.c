#include "model/broker/consumers.h"

#include <stddef.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/broker/group_state.h"
#include "model/broker/transaction.h"
#include "model/service/service.h"

#define AT(member) offsetof(struct lz_consumers_series, member)
static const struct lz_measure_row rows[] = {
    {"rate", LZ_VIEW_RATE, LZ_UNIT_RATE, AT(records), 0, 0, "records worked on per second"},
    {"lag.time", LZ_VIEW_LEVEL, LZ_UNIT_SECONDS, AT(lag_time), 0, 0,
     "age of the oldest record that nobody has worked on, once a second"},
    {"lag.records", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(lag_records), 0, 0,
     "records that nobody has worked on, once a second"},
    {"duplicates", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(duplicates), 0, 0,
     "times that a record was worked on again"},
    {"lost", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(lost), 0, 0,
     "records that were committed or passed over, and nobody has worked on or will"},
    {"failed", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(failed), 0, 0,
     "records that were skipped because they failed"},
    {"batches", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(batches), 0, 0, "batches worked on"},
    {"rebalances", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(rebalances), 0, 0, "rebalances begun"},
    {"transactions.committed", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(committed), 0, 0,
     "transactions that counted"},
    {"transactions.aborted", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(aborted), 0, 0,
     "transactions that were undone, by a failure, a new process or their timeout"},
    LZ_MEASURE_QUANTILES("rebalance.time", AT(rebalance_time),
                         "time of a rebalance, from its beginning until all are assigned"),
    LZ_MEASURE_QUANTILES("latency", AT(latency), "time from a record's making to its work's end"),
    {"members.assigned", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(members), 0, 0,
     "members that have partitions"},
    {"busy", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(busy), 0, 0, "share of all members that work"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_consumers_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_consumers_record lz_consumers_record(const struct lz_world *w, lz_instance_id member)
{
    const struct lz_member *m = lz_member_of(w, member);
    LZ_ASSERT(m->slice < m->slice_count);
    uint32_t partition = m->slices[m->slice].partition;
    const struct lz_partition *p = lz_group_partition(m->group, partition);
    struct lz_consumers_record out = {.partition = partition + 1, .offset = m->offset};
    const struct lz_plog *l = &lz_partition_on(p, p->was_led_by)->log;
    if (m->offset < l->start || m->offset >= l->end)
        return out; // cut meanwhile: nobody knows what it was
    const struct lz_batch *b = lz_plog_at(l, lz_plog_find(l, m->offset));
    out.at = b->at;
    if (b->records != NULL) {
        out.key = b->records[m->offset - b->offset].key;
        out.value = b->records[m->offset - b->offset].value;
    }
    return out;
}

// ---- levels

void lz_consumers_busy(struct lz_world *w, struct lz_group *g)
{
    uint32_t busy = 0;
    for (uint32_t i = 0; i < g->opts.members; i++)
        busy += g->members[i].work == LZ_MEMBER_WORKING;
    lz_metrics_set(w->metrics, g->series.busy, lz_sim_now(w->sim),
                   (double)busy / (double)g->opts.members);
}

void lz_consumers_assigned(struct lz_world *w, struct lz_group *g)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->opts.members; i++)
        count += g->members[i].cursor_count > 0;
    lz_metrics_set(w->metrics, g->series.members, lz_sim_now(w->sim), count);
}

// What a commit has passed, nobody has worked on and nobody has in hand.
static uint64_t lost_of(const struct lz_group *g, uint32_t partition)
{
    const struct lz_claim *c = &g->claims[partition];
    uint64_t missing = lz_seen_missing(&c->seen, 0, c->committed);
    for (uint32_t m = 0; m < g->opts.members && missing > 0; m++) {
        uint64_t held = lz_work_holds(&g->members[m], partition, 0, c->committed);
        missing -= held < missing ? held : missing;
    }
    return missing;
}

static void move_front(const struct lz_group *g, uint32_t partition)
{
    struct lz_claim *c = &g->claims[partition];
    c->front = lz_seen_next(&c->seen, c->front);
    if (c->front >= c->committed)
        return;
    uint64_t held = 0;
    for (uint32_t m = 0; m < g->opts.members; m++)
        held += lz_work_holds(&g->members[m], partition, c->front, c->committed);
    if (held == 0)
        c->front = lz_seen_next(&c->seen, c->committed);
}

void lz_group_second(struct lz_world *w, struct lz_group *g)
{
    lz_time now = lz_sim_now(w->sim), oldest = now;
    uint64_t records = 0, lost = 0;
    for (uint32_t i = 0; i < g->topic->opts.partitions; i++) {
        const struct lz_partition *p = lz_group_partition(g, i);
        const struct lz_plog *l = &lz_partition_on(p, p->was_led_by)->log;
        move_front(g, i);
        lost += lost_of(g, i);
        uint64_t front = g->claims[i].front;
        front = front > p->start ? front : p->start;
        if (front >= l->end)
            continue;
        records += lz_seen_missing(&g->claims[i].seen, front, l->end);
        const struct lz_batch *b =
            lz_plog_at(l, lz_plog_find(l, front > l->start ? front : l->start));
        oldest = b->at < oldest ? b->at : oldest;
    }
    lz_metrics_set(w->metrics, g->series.lag_records, now, (double)records);
    lz_metrics_set(w->metrics, g->series.lag_time, now, (double)(now - oldest) / 1e9);
    lz_metrics_set(w->metrics, g->series.lost, now, (double)lost);
}

// ---- faults

void lz_consumers_stall(struct lz_world *w, lz_instance_id member, uint64_t *touched)
{
    struct lz_member *m = lz_member_of(w, member);
    m->stalls = lz_grow(w->arena, m->stalls, &m->stall_cap, m->stall_count + 1, sizeof(*m->stalls));
    m->stalls[m->stall_count++] = touched;
}

void lz_consumers_release(struct lz_world *w, lz_instance_id member, uint64_t *touched)
{
    struct lz_member *m = lz_member_of(w, member);
    uint32_t i = 0;
    while (i < m->stall_count && m->stalls[i] != touched)
        i++;
    LZ_ASSERT(i < m->stall_count);
    m->stalls[i] = m->stalls[--m->stall_count];
    if (m->stall_count == 0)
        lz_work_poll(w, m);
}

// ---- processes: those of a service, and members beside

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    lz_member_died(w, lz_member_of(w, id));
    lz_service_instance_ops.died(w, id, silent);
}

static void begin_if_up(struct lz_world *w, lz_instance_id id)
{
    struct lz_member *m = lz_member_of(w, id);
    if (lz_instance_is_up(lz_instance_get(w, id)) && m->phase == LZ_MEMBER_OUT)
        lz_member_begin(w, m);
}

static void started(struct lz_world *w, lz_instance_id id)
{
    lz_service_instance_ops.started(w, id);
    begin_if_up(w, id);
}

static void turned(struct lz_world *w, lz_instance_id id)
{
    lz_service_instance_ops.turned(w, id);
    if (lz_instance_get(w, id)->state == LZ_INSTANCE_STOPPING)
        lz_member_stop(w, lz_member_of(w, id));
    else
        begin_if_up(w, id);
}

static void stopped(struct lz_world *w, lz_instance_id id)
{
    lz_service_instance_ops.stopped(w, id);
}

static void resumed(struct lz_world *w, lz_instance_id id)
{
    lz_service_instance_ops.resumed(w, id);
}

static bool drains(const struct lz_world *w, lz_instance_id id)
{
    return lz_member_drains(lz_member_of(w, id));
}

static const struct lz_instance_ops instance_ops = {.died = died,
                                                    .started = started,
                                                    .stopped = stopped,
                                                    .resumed = resumed,
                                                    .turned = turned,
                                                    .drains = drains};

void lz_groups_start(struct lz_world *w)
{
    for (lz_component_id id = 1; id <= w->component_count; id++) {
        if (w->components[id].kind != LZ_COMPONENT_CONSUMERS)
            continue;
        struct lz_group *g = lz_group_at(w, id);
        lz_group_seat_all(w, g);
        for (uint32_t i = 0; i < g->opts.members; i++)
            if (lz_instance_is_up(lz_instance_get(w, g->first + i)))
                lz_member_enter(w, &g->members[i]);
        lz_consumers_assigned(w, g);
    }
}

// ---- declaring

static void fill_defaults(struct lz_consumers_opts *o)
{
    if (o->members == 0)
        o->members = 1;
    if (o->batch == 0)
        o->batch = 500;
    if (o->work.kind == LZ_DIST_NONE)
        o->work = lz_dist_constant(LZ_MS);
    if (o->session == 0)
        o->session = 45 * LZ_S;
    if (o->heartbeat == 0)
        o->heartbeat = o->session / 3 < 3 * LZ_S ? o->session / 3 : 3 * LZ_S;
    if (o->max_poll_interval == 0)
        o->max_poll_interval = 300 * LZ_S;
    if (o->commit_every == 0)
        o->commit_every = 5 * LZ_S;
}

static bool check(const struct lz_consumers_opts *o, struct lz_err *err)
{
    if (o->members > LZ_CONSUMERS_MEMBERS_MAX)
        return lz_fail(err, LZ_EFULL, "members must be at most %d, got %u",
                       LZ_CONSUMERS_MEMBERS_MAX, o->members);
    if (o->heartbeat >= o->session)
        return lz_fail(err, LZ_ERANGE,
                       "heartbeat must be shorter than session: %.9gs is not shorter than %.9gs",
                       (double)o->heartbeat / 1e9, (double)o->session / 1e9);
    if (o->transaction_timeout > LZ_TRANSACTION_LIMIT_NS)
        return lz_fail(err, LZ_ERANGE,
                       "transaction_timeout must be at most %.9gs, transaction.max.timeout.ms, got "
                       "%.9gs",
                       (double)LZ_TRANSACTION_LIMIT_NS / 1e9, (double)o->transaction_timeout / 1e9);
    if (o->transaction_timeout > 0 && !o->is_handled)
        return lz_fail(err, LZ_EINVAL,
                       "transactions are about what a handler writes: give the group a `handle` or "
                       "`calls`");
    if (o->transaction_timeout > 0 && o->is_cooperative)
        return lz_fail(err, LZ_EINVAL,
                       "a group with transactions rebalances eagerly: what is open must end before "
                       "its partitions go to others");
    if (o->transaction_timeout > 0 && (o->at_most_once || !o->commit_batch))
        return lz_fail(err, LZ_EINVAL,
                       "a transaction ends with its batch: leave `commit` out, or say "
                       "commit = { after = \"batch\" }");
    if (o->is_cooperative && o->assignment != LZ_ASSIGN_STICKY)
        return lz_fail(err, LZ_EINVAL,
                       "a cooperative group needs assignment = \"sticky\": the others move "
                       "partitions about that nobody gives up");
    return true;
}

static void make_series(struct lz_world *w, struct lz_group *g)
{
    g->series = (struct lz_consumers_series){
        .records = lz_metrics_counter(w->metrics),
        .batches = lz_metrics_counter(w->metrics),
        .duplicates = lz_metrics_counter(w->metrics),
        .failed = lz_metrics_counter(w->metrics),
        .rebalances = lz_metrics_counter(w->metrics),
        .committed = lz_metrics_counter(w->metrics),
        .aborted = lz_metrics_counter(w->metrics),
        .latency = lz_metrics_hist(w->metrics),
        .rebalance_time = lz_metrics_hist(w->metrics),
        .lag_time = lz_metrics_gauge(w->metrics, 0.0),
        .lag_records = lz_metrics_gauge(w->metrics, 0.0),
        .lost = lz_metrics_gauge(w->metrics, 0.0),
        .members = lz_metrics_gauge(w->metrics, 0.0),
        .busy = lz_metrics_gauge(w->metrics, 0.0),
    };
    lz_measure_define(w, g->id, "", rows, ROW_COUNT, &g->series);
}

static void make_members(struct lz_world *w, struct lz_group *g)
{
    uint32_t nodes = g->broker->opts.nodes;
    g->members = lz_arena_alloc(w->arena, g->opts.members * sizeof(*g->members));
    for (uint32_t i = 0; i < g->opts.members; i++) {
        struct lz_member *m = &g->members[i];
        m->group = g;
        m->number = i;
        m->id = g->first + i;
        m->path = lz_draw_index(g->path, i);
        m->coordinator = LZ_BROKER_NOBODY;
        m->readings = lz_arena_alloc(w->arena, nodes * sizeof(*m->readings));
        m->ways = lz_arena_alloc(w->arena, nodes * sizeof(*m->ways));
    }
}

static void make_claims(struct lz_world *w, struct lz_group *g)
{
    uint32_t n = g->topic->opts.partitions;
    g->claims = lz_arena_alloc(w->arena, n * sizeof(*g->claims));
    g->owners = lz_arena_alloc(w->arena, n * sizeof(*g->owners));
    g->load = lz_arena_alloc(w->arena, g->opts.members * sizeof(*g->load));
    for (uint32_t i = 0; i < n; i++) {
        g->claims[i].owner = g->claims[i].reader = LZ_BROKER_NOBODY;
        lz_seen_init(&g->claims[i].seen, w->arena);
    }
}

static void join_topic(struct lz_world *w, struct lz_group *g)
{
    struct lz_topic *t = g->topic;
    struct lz_broker *b = g->broker;
    t->groups =
        lz_grow(w->arena, t->groups, &t->group_cap, t->group_count + 1, sizeof(struct lz_group *));
    t->groups[t->group_count++] = g;
    b->groups =
        lz_grow(w->arena, b->groups, &b->group_cap, b->group_count + 1, sizeof(struct lz_group *));
    g->index = b->group_count;
    b->groups[b->group_count++] = g;
    t->keeps_records = t->keeps_records || g->opts.is_handled;
}

bool lz_consumers_create(struct lz_world *w, const struct lz_consumers_opts *opts,
                         lz_component_id *id, struct lz_err *err)
{
    struct lz_consumers_opts o = *opts;
    fill_defaults(&o);
    if (!check(&o, err))
        return false;
    if (o.transaction_timeout > 0 &&
        !lz_transaction_has_room(lz_topic_at(w, o.topic)->broker, o.members, err))
        return false;
    const struct lz_service_opts service = {.name = o.name,
                                            .line = o.line,
                                            .kind = LZ_COMPONENT_CONSUMERS,
                                            .instance_ops = &instance_ops,
                                            .ended = lz_work_ended,
                                            .replicas = o.members,
                                            .spread = o.spread,
                                            .concurrency = 1,
                                            .cpu = o.cpu,
                                            .service_time = o.work};
    if (!lz_service_create(w, &service, id, err))
        return false;
    struct lz_groups *gs = w->groups;
    gs->all = lz_grow(w->arena, gs->all, &gs->cap, *id + 1, sizeof(struct lz_group *));
    struct lz_group *g = gs->all[*id] = lz_arena_alloc(w->arena, sizeof(*g));
    g->opts = o;
    g->opts.name = lz_world_component(w, *id)->name;
    g->id = *id;
    g->topic = lz_topic_at(w, o.topic);
    g->broker = g->topic->broker;
    g->path = lz_world_component(w, *id)->path;
    g->first = lz_world_component(w, *id)->instances_first;
    g->coordinator = LZ_BROKER_NOBODY;
    make_members(w, g);
    make_claims(w, g);
    make_series(w, g);
    join_topic(w, g);
    if (g->opts.transaction_timeout > 0)
        lz_transaction_declare(w, g);
    return true;
}

lz_component_id lz_consumers_topic(const struct lz_world *w, lz_component_id id)
{
    return lz_group_at(w, id)->topic->id;
}
