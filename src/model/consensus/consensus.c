#include "model/consensus/consensus.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/consensus/consensus_state.h"
#include "model/net/bus.h"
#include "model/net/net.h"
#include "model/node/disk.h"
#include "model/world_kinds.h"

// The component: its processes, its measures, and how it is made.

#define AT(member) offsetof(struct lz_consensus_series, member)
static const struct lz_measure_row rows[] = {
    LZ_MEASURE_ROWS,
    {"cpu", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(cpu), 0, 0, "share of the leader's cores in use"},
    LZ_MEASURE_QUANTILES("commit", AT(commit),
                         "time from an entry's arrival at the leader until a majority has it"),
    {"elections", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(elections), 0, 0, "elections begun, won or not"},
    {"leader_changes", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(leader_changes), 0, 0,
     "times that another node came to lead"},
    {"no_leader", LZ_VIEW_TOTAL, LZ_UNIT_SECONDS, AT(no_leader), 0, 0,
     "seconds in which no node led"},
    {"has_leader", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(lead), 0, 0,
     "1 while a node leads, else 0; its mean is the share of time"},
    LZ_MEASURE_QUANTILES("downtime", AT(downtime), "time without a leader, until the next one"),
    {"reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(reads), 0, 0, "reads answered"},
    {"stale_reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale_reads), 0, 0,
     "reads that missed a write acknowledged before they came"},
    {"snapshots", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(snapshots), 0, 0, "snapshots taken"},
    {"expired", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(expired), 0, 0,
     "leases that ran out without being renewed"},
    {"acked", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(acked), 0, 0, "writes acknowledged"},
    {"members", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(members), 0, 0, "nodes that vote"},
    {"learners", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(learners), 0, 0,
     "members that are sent the log and do not vote"},
    {"transfers", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(transfers), 0, 0,
     "times that a leader handed over to another"},
    {"restores", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(restores), 0, 0,
     "times that it began again from a snapshot"},
    {"lost", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lost), 0, 0,
     "keys whose newest acknowledged write a restore undid"},
    {"lost_acks", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lost_acks), 0, 0,
     "acknowledged writes that are gone: with disks that lied, or undone by a restore"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_consensus_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

struct lz_consensus *lz_consensus_at(const struct lz_world *w, lz_component_id id)
{
    LZ_ASSERT(w->consensuses != NULL);
    LZ_ASSERT(id < w->consensuses->cap && w->consensuses->all[id] != NULL);
    return w->consensuses->all[id];
}

// ---- who leads

// Its process must go on: one that stands still leads nobody.
static uint32_t leader_of(const struct lz_world *w, const struct lz_consensus *g)
{
    uint32_t found = 0;
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_node *node = &g->nodes[n];
        bool leads = node->is_on && node->role == LZ_RAFT_LEADER && node->cluster == g->cluster &&
                     lz_instance_get(w, g->first + n)->state != LZ_INSTANCE_PAUSED;
        if (leads && (found == 0 || node->hard.term > g->nodes[found - 1].hard.term))
            found = n + 1;
    }
    return found;
}

lz_instance_id lz_consensus_leader(const struct lz_world *w, lz_component_id id)
{
    const struct lz_consensus *g = lz_consensus_at(w, id);
    uint32_t leader = leader_of(w, g);
    return leader != 0 ? g->first + leader - 1 : 0;
}

static void count_unled(struct lz_world *w, struct lz_consensus *g)
{
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_add(w->metrics, g->series.no_leader, (uint64_t)(now - g->unled_told));
    g->unled_told = now;
}

void lz_consensus_reckon(struct lz_world *w, struct lz_consensus *g)
{
    uint32_t leader = leader_of(w, g);
    lz_time now = lz_sim_now(w->sim);
    lz_metrics_set(w->metrics, g->series.lead, now, leader != 0);
    if (leader == 0) {
        if (g->unled_since < 0)
            g->unled_since = g->unled_told = now;
        return;
    }
    if (g->unled_since >= 0) {
        count_unled(w, g);
        lz_metrics_observe(w->metrics, g->series.downtime, now - g->unled_since);
        g->unled_since = -1;
    }
    if (leader != g->led_by)
        lz_metrics_add(w->metrics, g->series.leader_changes, 1);
    g->led_by = leader;
}

void lz_consensus_second(struct lz_world *w)
{
    for (lz_component_id id = 1; id < w->consensuses->cap; id++) {
        struct lz_consensus *g = w->consensuses->all[id];
        if (g != NULL && g->unled_since >= 0)
            count_unled(w, g);
    }
}

// ---- processes

static void boot_if_begun(struct lz_world *w, lz_instance_id id)
{
    struct lz_consensus *g = lz_consensus_of(w, id);
    uint32_t n = id - g->first;
    if (!g->nodes[n].is_on && g->nodes[n].is_member && lz_consensus_runs(w, g, n))
        lz_raft_boot(w, g, n);
    lz_consensus_reckon(w, g);
}

// The power is gone, and with it what only the disk's cache had.
static void lose_power(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    struct lz_raft_node *node = &g->nodes[n];
    uint64_t durable = lz_disk_durable(w, g->first + n, node->flushed);
    g->has_lost = g->has_lost || durable < node->flushed;
    uint64_t last = node->log.base;
    for (const struct lz_raft_entry *e = lz_raft_log_get(&node->log, last + 1);
         e != NULL && e->write <= durable; e = lz_raft_log_get(&node->log, last + 1))
        last++;
    if (last < node->snapshot_index) { // the snapshot has them, but what follows must follow it
        lz_raft_log_reset(&node->log, node->snapshot_index, node->snapshot_term);
    } else {
        lz_raft_log_cut(&node->log, last);
    }
    lz_raft_config_cut(node);
    if (node->hard.write > durable)
        node->hard = node->hard_safe;
    lz_disk_is_whole(w, g->first + n);
}

static void end_node(struct lz_world *w, struct lz_consensus *g, uint32_t n, bool silent)
{
    struct lz_raft_node *node = &g->nodes[n];
    lz_raft_drop_held(w, g, n);
    lz_sim_cancel(w->sim, node->timer);
    lz_sim_cancel(w->sim, node->beat);
    node->timer = node->beat = 0;
    node->turn++;
    node->is_on = false;
    node->role = LZ_RAFT_FOLLOWER;
    node->leader = 0;
    node->flushing = 0;
    node->snapshot_job = 0;
    if (silent)
        lose_power(w, g, n);
    lz_bus_ended(w, g->bus, n, silent);
    lz_consensus_reckon(w, g);
}

void lz_consensus_leave(struct lz_world *w, struct lz_consensus *g, uint32_t n)
{
    if (lz_consensus_is_embedded(g)) {
        lz_raft_forget_waiters(w, g, n);
        g->host.turned(w, g->host.ctx, n, false); // who is connected to it finds out
    } else {
        lz_raft_reset_calls(w, g, n, false);
    }
    struct lz_raft_node *node = &g->nodes[n];
    node->is_member = false;
    lz_raft_config_show(w, g, n);
    if (node->snapshot_job != 0) // its process goes on, and nobody else clears its CPU
        lz_cpu_remove(w, node->capacity->cpu, node->snapshot_job);
    end_node(w, g, n, false);
}

// Of another cluster it begins from nothing; but nobody votes twice in a term.
void lz_consensus_join(struct lz_world *w, struct lz_consensus *g, uint32_t n, uint64_t index)
{
    struct lz_raft_node *node = &g->nodes[n];
    if (node->cluster != g->cluster) {
        if (node->is_on)
            lz_consensus_leave(w, g, n);
        lz_raft_log_reset(&node->log, 0, 0);
        lz_raft_config_set(w, node, &(struct lz_raft_config){0});
        lz_raft_machine_finish(&node->snapshot);
        node->snapshot_index = node->snapshot_term = 0;
        node->cluster = g->cluster;
        if (lz_consensus_is_embedded(g))
            g->host.forget(w, g->host.ctx, n);
    }
    node->is_member = true;
    node->joined_at = index;
    boot_if_begun(w, g->first + n);
}

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    struct lz_consensus *g = lz_consensus_of(w, id);
    uint32_t n = id - g->first;
    lz_raft_reset_calls(w, g, n, silent);
    end_node(w, g, n, silent);
    lz_cpu_clear(w, g->nodes[n].capacity->cpu);
    lz_cpu_freeze(w, g->nodes[n].capacity->cpu, false);
}

static void powerless(struct lz_world *w, lz_instance_id id)
{
    struct lz_consensus *g = lz_consensus_of(w, id);
    lose_power(w, g, id - g->first);
}

static void stopped(struct lz_world *w, lz_instance_id id)
{
    lz_cpu_freeze(w, lz_capacity_get(w, id)->cpu, true);
}

static void resumed(struct lz_world *w, lz_instance_id id)
{
    lz_cpu_freeze(w, lz_capacity_get(w, id)->cpu, false);
}

static void loaded(struct lz_world *w, lz_instance_id id)
{
    struct lz_consensus *g = lz_consensus_of(w, id);
    lz_raft_measure_cpu(w, g, id - g->first);
}

static const struct lz_instance_ops instance_ops = {.died = died,
                                                    .powerless = powerless,
                                                    .started = boot_if_begun,
                                                    .stopped = stopped,
                                                    .resumed = resumed,
                                                    .turned = boot_if_begun,
                                                    .loaded = loaded};

// ---- making one

static void init(struct lz_world *w)
{
    w->consensuses = lz_arena_alloc(w->arena, sizeof(*w->consensuses));
    lz_raft_wire_init(w);
    lz_raft_elect_init(w);
    lz_raft_apply_init(w);
    lz_raft_serve_init(w);
}

static bool check(const struct lz_consensus_opts *o, struct lz_err *err)
{
    if (o->nodes > LZ_CONSENSUS_NODES_MAX)
        return lz_fail(err, LZ_EFULL, "nodes must be at most %d, got %u", LZ_CONSENSUS_NODES_MAX,
                       o->nodes);
    uint32_t nodes = o->nodes > 0 ? o->nodes : 3;
    if (o->members > nodes)
        return lz_fail(err, LZ_ERANGE, "members must be at most nodes, %u, got %u", nodes,
                       o->members);
    lz_time heartbeat = o->heartbeat > 0 ? o->heartbeat : 100 * LZ_MS;
    lz_time election = o->election > 0 ? o->election : LZ_S;
    if (election < 2 * heartbeat)
        return lz_fail(err, LZ_ERANGE,
                       "election must be at least twice the heartbeat, got %g s and %g s: a "
                       "single lost heartbeat would begin an election",
                       (double)election / 1e9, (double)heartbeat / 1e9);
    if (o->reads == LZ_READS_LEASE && o->no_check_quorum)
        return lz_fail(err, LZ_EINVAL,
                       "reads by lease need check_quorum: without it nobody keeps others from "
                       "electing a second leader within the lease");
    return true;
}

static void fill_defaults(struct lz_consensus_opts *o)
{
    if (o->nodes == 0)
        o->nodes = 3;
    if (o->members == 0)
        o->members = o->nodes;
    if (o->heartbeat == 0)
        o->heartbeat = 100 * LZ_MS;
    if (o->election == 0)
        o->election = LZ_S;
    if (o->request_time.kind == LZ_DIST_NONE)
        o->request_time = lz_dist_constant(100 * LZ_US);
    if (o->request_timeout == 0)
        o->request_timeout = 5 * LZ_S + 2 * o->election;
    if (o->lease == 0)
        o->lease = 10 * LZ_S;
    if (o->snapshot_every == 0)
        o->snapshot_every = 10000;
    if (o->snapshot_keep == 0)
        o->snapshot_keep = 5000;
    if (o->entry_bytes == 0)
        o->entry_bytes = 256;
}

static void make_series(struct lz_world *w, struct lz_consensus *g)
{
    struct lz_consensus_series *s = &g->series;
    lz_measure_init(w, &s->m);
    s->cpu = lz_metrics_gauge(w->metrics, 0.0);
    s->lead = lz_metrics_gauge(w->metrics, 1.0);
    s->commit = lz_metrics_hist(w->metrics);
    s->downtime = lz_metrics_hist(w->metrics);
    s->elections = lz_metrics_counter(w->metrics);
    s->leader_changes = lz_metrics_counter(w->metrics);
    s->no_leader = lz_metrics_counter(w->metrics);
    s->reads = lz_metrics_counter(w->metrics);
    s->stale_reads = lz_metrics_counter(w->metrics);
    s->snapshots = lz_metrics_counter(w->metrics);
    s->expired = lz_metrics_counter(w->metrics);
    s->acked = lz_metrics_counter(w->metrics);
    s->members = lz_metrics_gauge(w->metrics, g->opts.members);
    s->learners = lz_metrics_gauge(w->metrics, 0.0);
    s->transfers = lz_metrics_counter(w->metrics);
    s->restores = lz_metrics_counter(w->metrics);
    s->lost = lz_metrics_counter(w->metrics);
    s->lost_acks = lz_metrics_counter(w->metrics);
}

static void make_nodes(struct lz_world *w, struct lz_consensus *g)
{
    uint32_t count = g->opts.nodes;
    g->nodes = lz_arena_alloc(w->arena, count * sizeof(*g->nodes));
    for (uint32_t n = 0; n < count; n++) {
        struct lz_raft_node *node = &g->nodes[n];
        lz_raft_log_init(&node->log, w->arena);
        lz_raft_machine_init(&node->machine, w->arena);
        lz_raft_machine_init(&node->snapshot, w->arena);
        node->peers = lz_arena_alloc(w->arena, count * sizeof(*node->peers));
        node->cluster = g->cluster;
        node->is_member = n < g->opts.members;
        lz_raft_config_set(w, node,
                           &(struct lz_raft_config){.voters = (1u << g->opts.members) - 1u});
    }
}

static void give_capacity(struct lz_world *w, struct lz_consensus *g)
{
    double cores = g->opts.cpu > 0.0 ? g->opts.cpu : 65535.0;
    lz_capacity_declare(
        w, g->id, cores, w->consensuses->handled,
        (struct lz_capacity_places){.first = &g->nodes[0].capacity, .stride = sizeof(g->nodes[0])});
    for (uint32_t n = 0; n < g->opts.nodes; n++)
        lz_capacity_get(w, g->first + n);
}

// The group of a component whose instances there are.
static struct lz_consensus *make(struct lz_world *w, lz_component_id id,
                                 const struct lz_consensus_opts *opts)
{
    if (w->consensuses == NULL)
        init(w);
    struct lz_consensuses *cs = w->consensuses;
    cs->all = lz_grow(w->arena, cs->all, &cs->cap, id + 1, sizeof(struct lz_consensus *));
    struct lz_consensus *g = cs->all[id] = lz_arena_alloc(w->arena, sizeof(*g));
    g->opts = *opts;
    fill_defaults(&g->opts);
    g->id = id;
    g->cluster = 1;
    g->unled_since = -1;
    g->timeout = lz_sim_lane(w->sim, g->opts.request_timeout, cs->timeout);
    lz_pool_init(&g->waiters, w->arena, sizeof(struct lz_raft_waiter));
    lz_rows_init(&g->acked, w->arena);
    make_nodes(w, g);
    return g;
}

bool lz_consensus_create(struct lz_world *w, const struct lz_consensus_opts *opts,
                         lz_component_id *id, struct lz_err *err)
{
    if (!check(opts, err) ||
        !lz_world_add(w, opts->name, LZ_COMPONENT_CONSENSUS, opts->line, id, err))
        return false;
    struct lz_consensus *g = make(w, *id, opts);
    w->components[*id].port = 2379; // etcd's
    lz_instances_add(w, *id, g->opts.nodes, &opts->spread, &instance_ops);
    g->first = lz_world_component(w, *id)->instances_first;
    g->path = lz_world_component(w, *id)->path;
    lz_raft_connect(w, g);
    give_capacity(w, g);
    make_series(w, g);
    lz_measure_define(w, g->id, "", rows, ROW_COUNT, &g->series);
    lz_requests_measure(w, g->id);
    lz_task_serve(w, *id, &lz_raft_serve_ops);
    lz_disk_serves(w, *id);
    return true;
}

// ---- for another component

bool lz_consensus_embed(struct lz_world *w, lz_component_id id,
                        const struct lz_consensus_opts *opts, const struct lz_consensus_host *host,
                        struct lz_err *err)
{
    LZ_ASSERT(host->applied != NULL && host->readable != NULL && host->turned != NULL);
    LZ_ASSERT(host->save != NULL && host->put_back != NULL && host->undone != NULL);
    LZ_ASSERT(host->rewound != NULL);
    if (!check(opts, err))
        return false;
    struct lz_consensus *g = make(w, id, opts);
    g->host = *host;
    g->first = lz_world_component(w, id)->instances_first;
    g->path = lz_draw_name(lz_world_component(w, id)->path, "raft");
    lz_raft_connect(w, g);
    for (uint32_t n = 0; n < g->opts.nodes; n++)
        g->nodes[n].capacity = lz_capacity_get(w, g->first + n);
    make_series(w, g);
    return true;
}

void lz_consensus_began(struct lz_world *w, lz_component_id id, uint32_t node)
{
    boot_if_begun(w, lz_consensus_at(w, id)->first + node);
}

void lz_consensus_ended(struct lz_world *w, lz_component_id id, uint32_t node, bool silent)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    lz_raft_forget_waiters(w, g, node);
    end_node(w, g, node, silent);
}

bool lz_consensus_is_leader(const struct lz_world *w, lz_component_id id, uint32_t node)
{
    const struct lz_raft_node *n = &lz_consensus_at(w, id)->nodes[node];
    return n->is_on && n->role == LZ_RAFT_LEADER;
}

bool lz_consensus_leads(const struct lz_world *w, lz_component_id id, uint32_t node)
{
    const struct lz_raft_node *n = &lz_consensus_at(w, id)->nodes[node];
    return lz_consensus_is_leader(w, id, node) && n->applied >= n->term_first && n->transfer == 0;
}

uint64_t lz_consensus_last(const struct lz_world *w, lz_component_id id, uint32_t node)
{
    return lz_consensus_at(w, id)->nodes[node].log.last;
}

uint64_t lz_consensus_applied(const struct lz_world *w, lz_component_id id, uint32_t node)
{
    return lz_consensus_at(w, id)->nodes[node].applied;
}

const struct lz_raft_entry *lz_consensus_entry(const struct lz_world *w, lz_component_id id,
                                               uint32_t node, uint64_t index)
{
    return lz_raft_log_get(&lz_consensus_at(w, id)->nodes[node].log, index);
}

uint64_t lz_consensus_term(const struct lz_world *w, lz_component_id id, uint32_t node,
                           uint64_t index)
{
    return lz_raft_log_term(&lz_consensus_at(w, id)->nodes[node].log, index);
}

bool lz_consensus_has(const struct lz_world *w, lz_component_id id, uint32_t node, uint64_t index,
                      uint64_t term)
{
    const struct lz_raft_log *log = &lz_consensus_at(w, id)->nodes[node].log;
    const struct lz_raft_entry *e = lz_raft_log_get(log, index);
    return e != NULL ? e->term == term : index <= log->base;
}

bool lz_consensus_keeps(const struct lz_world *w, lz_component_id id, uint32_t node, uint64_t write)
{
    const struct lz_consensus *g = lz_consensus_at(w, id);
    return write <= lz_disk_durable(w, g->first + node, g->nodes[node].flushed);
}

// No disk has forgotten anything, and none would now: what is committed a majority has flushed.
static bool has_honest_disks(const struct lz_world *w, const struct lz_consensus *g)
{
    for (uint32_t n = 0; n < g->opts.nodes && !g->has_lost; n++)
        if (lz_disk_durable(w, g->first + n, g->nodes[n].flushed) < g->nodes[n].flushed)
            return false;
    return !g->has_lost;
}

bool lz_consensus_majority_keeps(const struct lz_world *w, lz_component_id id, uint32_t node,
                                 uint64_t index)
{
    const struct lz_consensus *g = lz_consensus_at(w, id);
    if (index <= g->nodes[node].commit && has_honest_disks(w, g))
        return true;
    uint64_t term = lz_raft_log_term(&g->nodes[node].log, index);
    uint32_t keep = 0;
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_log *log = &g->nodes[n].log;
        const struct lz_raft_entry *e = lz_raft_log_get(log, index);
        bool has = lz_consensus_has(w, id, n, index, term) &&
                   (e == NULL || lz_consensus_keeps(w, id, n, e->write));
        keep |= (uint32_t)has << n;
    }
    return lz_raft_is_quorum(&g->nodes[node], keep);
}

uint64_t lz_consensus_propose(struct lz_world *w, lz_component_id id, uint32_t node,
                              const struct lz_raft_entry *e)
{
    LZ_ASSERT(lz_consensus_leads(w, id, node));
    return lz_raft_propose(w, lz_consensus_at(w, id), node, e);
}

bool lz_consensus_read(struct lz_world *w, lz_component_id id, uint32_t node, uint64_t task)
{
    struct lz_consensus *g = lz_consensus_at(w, id);
    bool leases = g->opts.reads == LZ_READS_LEASE;
    if (leases && lz_consensus_leads(w, id, node) && lz_raft_has_lease(w, g, node))
        return true;
    lz_raft_ask(w, g, node, task);
    return false;
}

// All have been up for long: the first node leads, and everybody has its first entry.
static void settle(struct lz_world *w, struct lz_consensus *g)
{
    const struct lz_raft_entry first = {.term = 1, .op = LZ_RAFT_NOOP};
    bool is_one = g->opts.members == 1;
    for (uint32_t n = 0; n < g->opts.members; n++) {
        struct lz_raft_node *node = &g->nodes[n];
        if (!is_one) {
            node->hard = node->hard_safe = (struct lz_raft_hard){.term = 1, .vote = 1};
            (void)lz_raft_log_append(&node->log, &first);
        }
        for (uint32_t i = 0; i < g->held_count; i++)
            (void)lz_raft_log_append(&node->log, &g->held[i]);
        if (!lz_consensus_runs(w, g, n))
            continue;
        lz_raft_boot(w, g, n);
        if (!is_one)
            node->leader = 1;
    }
    for (uint32_t n = g->opts.members; n < g->opts.nodes; n++)
        lz_raft_config_show(w, g, n);
    g->led_by = 1;
    if (!is_one && g->nodes[0].is_on)
        lz_raft_lead(w, g, 0);
    lz_consensus_reckon(w, g);
}

void lz_consensus_start(struct lz_world *w)
{
    for (lz_component_id id = 1; id < w->consensuses->cap; id++)
        if (w->consensuses->all[id] != NULL)
            settle(w, w->consensuses->all[id]);
}

size_t lz_consensus_bytes(const struct lz_world *w, lz_component_id id)
{
    const struct lz_consensus *g = lz_consensus_at(w, id);
    size_t bytes = sizeof(*g) + lz_pool_bytes(&g->waiters) + lz_rows_bytes(&g->acked) +
                   lz_bus_bytes(g->bus) + g->messages_max * sizeof(struct lz_raft_message) +
                   (g->state_keys_max + g->backup.machine.cap) * sizeof(struct lz_raft_key) +
                   g->risk_cap * sizeof(*g->risks) + g->held_cap * sizeof(*g->held);
    for (uint32_t n = 0; n < g->opts.nodes; n++) {
        const struct lz_raft_node *node = &g->nodes[n];
        bytes += sizeof(*node) + g->opts.nodes * sizeof(*node->peers) +
                 node->log.cap * sizeof(*node->log.entries) +
                 node->config_cap * sizeof(*node->configs) +
                 (node->machine.cap + node->snapshot.cap) * sizeof(*node->machine.keys);
    }
    return bytes;
}
