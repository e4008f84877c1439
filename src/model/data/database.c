#include "model/data/database.h"

#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/data/hold.h"
#include "model/data/leader.h"
#include "model/data/query.h"
#include "model/data/sql/execute.h"
#include "model/data/txn.h"
#include "model/node/disk.h"
#include "model/world_kinds.h"

/*
 * A database as a whole: where its calls go, what becomes of it when a node dies. Connections are
 * in backend.c, a query on its node in query.c, the log's way to the replicas in replicate.c, who
 * leads in failover.c.
 */

#define AT(member) offsetof(struct lz_database_series, member)
static const struct lz_measure_row rows[] = {
    LZ_MEASURE_ROWS,
    {"connections", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(connections), 0, 0, "connections in use"},
    LZ_MEASURE_QUANTILES("connections.wait", AT(connections_wait), "wait for a connection"),
    {"cpu", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(cpu), 0, 0, "share of the primary's cores in use"},
    {"lag.time", LZ_VIEW_LEVEL, LZ_UNIT_SECONDS, AT(lag_time), 0, 0,
     "age of the oldest write that the slowest replica does not have"},
    {"lag.records", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(lag_records), 0, 0,
     "writes that the slowest replica does not have"},
    {"failovers", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(failovers), 0, 0, "promotions of a replica"},
    {"lost_acks", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lost_acks), 0, 0,
     "acknowledged writes that are gone"},
    {"reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(reads), 0, 0,
     "reads answered, but those of transactions"},
    {"stale_reads", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale_reads), 0, 0,
     "reads that missed an acknowledged write"},
    {"stale_tokens", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(stale_tokens), 0, 0,
     "writes refused for a token lower than one shown before"},
    {"unflushed", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(unflushed), 0, 0,
     "writes of the primary that a loss of power would take, though they were flushed"},
    {"primaries", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(primaries), 0, 0,
     "nodes that take writes as the primary; two are a split brain"},
    {"two_primaries", LZ_VIEW_TOTAL, LZ_UNIT_SECONDS, AT(two_primaries), 0, 0,
     "time with more than one primary"},
    {"diverged", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(diverged), 0, 0,
     "rows that differ between nodes that take writes"},
    {"corrupt", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(corrupt), 0, 0,
     "nodes that came back with a file that is not whole; with a schema"},
    {"locked", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(locked), 0, 0,
     "nodes that came back and could not open their data, with `encryption`"},
    {"handshakes.refused", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(handshakes_refused), 0, 0,
     "attempts of standbys to connect that TLS has refused, with `encryption`"},
    {"wal.bytes", LZ_VIEW_TOTAL, LZ_UNIT_BYTES, AT(wal_bytes), 0, 0,
     "bytes of its log, with `checkpoint`: records and whole pages"},
    {"wal.full_pages", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(wal_full_pages), 0, 0,
     "whole pages in it: each that was changed first since a checkpoint"},
    {"wal.kept", LZ_VIEW_LEVEL, LZ_UNIT_BYTES, AT(wal_kept), 0, 0,
     "segments of the log on the primary's disk, with `wal`"},
    {"wal.panics", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(wal_panics), 0, 0,
     "times a node stopped because its disk had no room for the log"},
    {"standbys.lost", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(standbys_lost), 0, 0,
     "times the log that a standby needs was removed: it must be copied anew"},
    {"checkpoints", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(checkpoints), 0, 0,
     "checkpoints that began because it was time"},
    {"checkpoints.requested", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(checkpoints_requested), 0, 0,
     "checkpoints that began because of max_wal_size, or a promotion"},
    {"checkpoints.pages", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(checkpoint_pages), 0, 0,
     "pages that checkpoints have written"},
    {"conflicts", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(conflicts), 0, 0,
     "writes that found another version of their row than they had replaced"},
    {"lost_updates", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lost_updates), 0, 0,
     "acknowledged writes that gave way to one that had not seen them"},
    {"acked", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(acked), 0, 0, "writes acknowledged"},
    {"connections.wait", LZ_VIEW_MEAN, LZ_UNIT_SECONDS, AT(connections_wait), 0, 0,
     "mean wait for a connection"},
    {"rpo", LZ_VIEW_LEVEL, LZ_UNIT_SECONDS, AT(rpo), 0, 0,
     "age of the newest state that its backups could bring back"},
    {"rto", LZ_VIEW_LEVEL, LZ_UNIT_SECONDS, AT(rto), 0, 0, "what the latest restore or drill took"},
    {"restoring", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(restoring), 0, 0,
     "1 while it is restored, and when that has failed"},
    {"restores.failed", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(restores_failed), 0, 0,
     "restores that found no backup they could read"},
    {"backups", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(backups), 0, 0, "full backups that were made"},
    {"backups.failed", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(backups_failed), 0, 0,
     "full backups that failed"},
    {"drills", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(drills), 0, 0, "restore drills"},
    {"drills.failed", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(drills_failed), 0, 0,
     "restore drills that failed"},
    {"connections.refused", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(connections_refused), 0, 0,
     "calls that were refused a connection"},
    LZ_MEASURE_QUANTILES("pool.wait", AT(pool_wait), "wait for one of the pool's connections"),
    {"pool.waiting", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(pool_waiting), 0, 0,
     "queries in line for one of the pool's connections"},
    {"pool.used", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(pool_used), 0, 0,
     "connections of the pool that clients have"},
    {"pool.timeouts", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(pool_timeouts), 0, 0,
     "queries that gave up waiting for one"},
    {"locks.wait", LZ_VIEW_MEAN, LZ_UNIT_SECONDS, AT(locks_wait), 0, 0,
     "mean wait for a row's lock"},
    LZ_MEASURE_QUANTILES("locks.wait", AT(locks_wait), "wait for a row's lock"),
    {"locks.waiting", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(locks_waiting), 0, 0,
     "statements in line for a lock"},
    {"transactions", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(transactions), 0, 0,
     "transactions of several statements that are open"},
    {"dead_rows", LZ_VIEW_LEVEL, LZ_UNIT_COUNT, AT(dead_rows), 0, 0,
     "replaced versions that the primary keeps for snapshots"},
    {"deadlocks", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(deadlocks), 0, 0,
     "transactions rolled back to end a deadlock"},
    {"lock_timeouts", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(lock_timeouts), 0, 0,
     "statements that gave up waiting for a lock"},
    {"serialization_failures", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(serialization_failures), 0, 0,
     "transactions that could not be serialized"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_database_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

bool lz_database_is_read(const char *op)
{
    static const char *const words[] = {"select", "get",  "read",  "find",  "list",
                                        "count",  "show", "fetch", "query", "scan"};
    size_t len = strcspn(op, " \t");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == len && strncasecmp(op, words[i], len) == 0)
            return true;
    return false;
}

bool lz_database_hands_on(const struct lz_world *w, lz_component_id id)
{
    const struct lz_database *d = lz_database_at(w, id);
    bool waits = d->opts.sync || d->replication.commit >= LZ_COMMIT_REMOTE_WRITE;
    return d->agree != NULL || (d->multi == NULL && waits);
}

bool lz_database_look_at_op(const struct lz_world *w, lz_op op)
{
    struct lz_databases *ds = w->databases;
    if (op >= ds->op_cap)
        ds->ops = lz_grow(w->arena, ds->ops, &ds->op_cap, op + 1u, sizeof(*ds->ops));
    bool reads = lz_database_is_read(lz_call_op_name(w, op));
    ds->ops[op] = reads ? LZ_DATABASE_OP_READS : LZ_DATABASE_OP_WRITES;
    return reads;
}

lz_instance_id lz_database_primary(const struct lz_world *w, lz_component_id id)
{
    const struct lz_database *d = lz_database_at(w, id);
    return d->first + d->primary;
}

lz_instance_id lz_database_replica(const struct lz_world *w, lz_component_id id, uint32_t ordinal)
{
    const struct lz_database *d = lz_database_at(w, id);
    LZ_ASSERT(ordinal >= 1);
    for (uint32_t n = 0; n < d->opts.nodes; n++)
        if (n != d->primary && --ordinal == 0)
            return d->first + n;
    return 0;
}

// Clients ask who leads by name and are told at once; what a dead leader answers is
// for the network to say. Reads may go to any replica that runs.
static lz_instance_id route(struct lz_world *w, lz_component_id id, const struct lz_route *ask)
{
    struct lz_database *d = lz_database_at(w, id);
    bool may_refuse = d->pooler != NULL || d->sessions.refuses;
    if (may_refuse && lz_backend_refuses(w, d))
        return 0;
    if (d->multi != NULL)
        return lz_multi_route(w, d, ask);
    if (!d->opts.read_replicas || d->opts.nodes == 1 || !lz_database_op_reads(w, ask->op))
        return d->first + lz_discovery_primary(w, d, ask->client);
    return lz_reads_route(w, d, ask);
}

static void called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result)
{
    (void)w;
    (void)t;
    (void)result;
    LZ_UNREACHABLE("a database calls nobody");
}

static void refused(struct lz_world *w, lz_component_id id, lz_instance_id instance)
{
    (void)instance;
    lz_measure_refused(w, &lz_database_at(w, id)->series.m);
}

static void died(struct lz_world *w, lz_instance_id id, bool silent)
{
    struct lz_database *d = lz_database_here(w, id);
    uint32_t broken = lz_query_break_all(w, d, id, silent);
    struct lz_database_node *n = &d->nodes[id - d->first];
    if (id - d->first != d->primary && d->multi == NULL && d->agree == NULL)
        n->is_stale = true;
    if (d->hold_count > 0)
        lz_hold_died(w, d, id - d->first);
    lz_database_died(w, d, id - d->first, silent);
    lz_cpu_clear(w, d->nodes[id - d->first].capacity->cpu);
    lz_cpu_freeze(w, d->nodes[id - d->first].capacity->cpu, false);
    lz_query_measure_cpu(w, d);
    if (broken > 0 && !silent)
        lz_instance_note(w, id, "reset", "%u connections reset", broken);
}

static void powerless(struct lz_world *w, lz_instance_id id)
{
    struct lz_database *d = lz_database_here(w, id);
    lz_database_died(w, d, id - d->first, true);
}

// It reads its log up to the first record that is not whole. What that means for who leads is for
// failover.c, which hears of every change of state.
static void started(struct lz_world *w, lz_instance_id id)
{
    struct lz_database *d = lz_database_here(w, id);
    if (d->sql != NULL)
        lz_execute_started(w, d, id - d->first);
    if (d->encrypt != NULL)
        lz_encrypt_started(w, d, id - d->first);
    lz_database_recover(w, d, id);
    if (d->retain != NULL)
        lz_retain_started(w, d, id - d->first);
}

static void has_turned(struct lz_world *w, lz_instance_id id)
{
    struct lz_database *d = lz_database_here(w, id);
    if (d->agree != NULL)
        lz_agree_began(w, d, id - d->first);
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
    struct lz_database *d = lz_database_here(w, id);
    if (id - d->first == d->primary)
        lz_query_measure_cpu(w, d);
}

static const struct lz_instance_ops instance_ops = {.died = died,
                                                    .powerless = powerless,
                                                    .started = started,
                                                    .stopped = stopped,
                                                    .resumed = resumed,
                                                    .turned = has_turned,
                                                    .loaded = loaded};
static const struct lz_server_ops server_ops = {.arrive = lz_query_arrive,
                                                .turn_away = lz_query_turn_away,
                                                .called = called,
                                                .cancel = lz_query_cancel,
                                                .route = route,
                                                .open = lz_backend_open,
                                                .draws = lz_query_draws,
                                                .request = lz_query_request,
                                                .connect = lz_backend_take,
                                                .disconnect = lz_backend_give,
                                                .forget = lz_backend_forget,
                                                .refused = refused,
                                                .closed = lz_pooler_closed,
                                                .sessions = &lz_txn_sessions};

void lz_databases_init(struct lz_world *w)
{
    w->databases = lz_arena_alloc(w->arena, sizeof(*w->databases));
    lz_queries_init(w);
    lz_replicate_init(w);
    lz_multi_init(w);
    lz_failover_init(w);
}

static void make_series(struct lz_world *w, struct lz_database *d, double cores)
{
    struct lz_database_series *s = &d->series;
    lz_measure_init(w, &s->m);
    s->connections = lz_metrics_tally(w->metrics);
    s->connections_wait = lz_metrics_hist(w->metrics);
    s->cpu = lz_metrics_share(w->metrics, cores);
    s->lag_time = lz_metrics_gauge(w->metrics, 0.0);
    s->lag_records = lz_metrics_gauge(w->metrics, 0.0);
    s->unflushed = lz_metrics_gauge(w->metrics, 0.0);
    s->failovers = lz_metrics_counter(w->metrics);
    s->lost_acks = lz_metrics_counter(w->metrics);
    s->reads = lz_metrics_counter(w->metrics);
    s->stale_reads = lz_metrics_counter(w->metrics);
    s->stale_tokens = lz_metrics_counter(w->metrics);
    s->acked = lz_metrics_counter(w->metrics);
    s->primaries = lz_metrics_gauge(w->metrics, 1.0);
    s->two_primaries = lz_metrics_counter(w->metrics);
    s->conflicts = lz_metrics_counter(w->metrics);
    s->lost_updates = lz_metrics_counter(w->metrics);
    s->diverged = lz_metrics_gauge(w->metrics, 0.0);
    s->rpo = lz_metrics_gauge(w->metrics, 0.0);
    s->rto = lz_metrics_gauge(w->metrics, 0.0);
    s->restoring = lz_metrics_gauge(w->metrics, 0.0);
    s->backups = lz_metrics_counter(w->metrics);
    s->backups_failed = lz_metrics_counter(w->metrics);
    s->drills = lz_metrics_counter(w->metrics);
    s->drills_failed = lz_metrics_counter(w->metrics);
    s->restores_failed = lz_metrics_counter(w->metrics);
    s->connections_refused = lz_metrics_counter(w->metrics);
    s->pool_wait = lz_metrics_hist(w->metrics);
    s->pool_waiting = lz_metrics_gauge(w->metrics, 0.0);
    s->pool_used = lz_metrics_gauge(w->metrics, 0.0);
    s->pool_timeouts = lz_metrics_counter(w->metrics);
    s->locks_wait = lz_metrics_hist(w->metrics);
    s->locks_waiting = lz_metrics_gauge(w->metrics, 0.0);
    s->transactions = lz_metrics_gauge(w->metrics, 0.0);
    s->dead_rows = lz_metrics_gauge(w->metrics, 0.0);
    s->deadlocks = lz_metrics_counter(w->metrics);
    s->lock_timeouts = lz_metrics_counter(w->metrics);
    s->serialization_failures = lz_metrics_counter(w->metrics);
    s->corrupt = lz_metrics_counter(w->metrics);
    s->locked = lz_metrics_counter(w->metrics);
    s->handshakes_refused = lz_metrics_counter(w->metrics);
    s->wal_bytes = lz_metrics_counter(w->metrics);
    s->wal_full_pages = lz_metrics_counter(w->metrics);
    s->wal_kept = lz_metrics_gauge(w->metrics, 0.0);
    s->wal_panics = lz_metrics_counter(w->metrics);
    s->standbys_lost = lz_metrics_counter(w->metrics);
    s->checkpoints = lz_metrics_counter(w->metrics);
    s->checkpoints_requested = lz_metrics_counter(w->metrics);
    s->checkpoint_pages = lz_metrics_counter(w->metrics);
    s->connections_on = lz_metrics_series(w->metrics, s->connections, LZ_WINDOW_GAUGE);
    s->connections_wait_on = lz_metrics_series(w->metrics, s->connections_wait, LZ_WINDOW_HIST);
    s->cpu_on = lz_metrics_series(w->metrics, s->cpu, LZ_WINDOW_GAUGE);
    s->lag_time_on = lz_metrics_series(w->metrics, s->lag_time, LZ_WINDOW_GAUGE);
    s->lag_records_on = lz_metrics_series(w->metrics, s->lag_records, LZ_WINDOW_GAUGE);
    s->unflushed_on = lz_metrics_series(w->metrics, s->unflushed, LZ_WINDOW_GAUGE);
    s->acked_on = lz_metrics_series(w->metrics, s->acked, LZ_WINDOW_COUNTER);
    s->locks_wait_on = lz_metrics_series(w->metrics, s->locks_wait, LZ_WINDOW_HIST);
    lz_measure_define(w, d->id, "", rows, ROW_COUNT, s);
    lz_requests_measure(w, d->id);
}

static void fill_defaults(struct lz_database_opts *o)
{
    if (o->nodes == 0)
        o->nodes = 1;
    if (o->max_connections == 0)
        o->max_connections = 100;
    if (o->query_time.kind == LZ_DIST_NONE)
        o->query_time = lz_dist_constant(LZ_MS);
    if (o->detect == 0)
        o->detect = 5 * LZ_S;
    if (o->promote == 0)
        o->promote = 4 * LZ_S;
}

bool lz_database_create(struct lz_world *w, const struct lz_database_opts *opts,
                        lz_component_id *id, struct lz_err *err)
{
    if (opts->nodes > LZ_DATABASE_NODES_MAX)
        return lz_fail(err, LZ_EFULL, "nodes must be at most %d, got %u", LZ_DATABASE_NODES_MAX,
                       opts->nodes);
    if (opts->sync && opts->nodes < 2)
        return lz_fail(err, LZ_EINVAL,
                       "synchronous replication needs at least 2 nodes: nobody could confirm a "
                       "write");
    if (!lz_world_add(w, opts->name, LZ_COMPONENT_DATABASE, opts->line, id, err))
        return false;
    struct lz_databases *ds = w->databases;
    ds->all = lz_grow(w->arena, ds->all, &ds->cap, *id + 1, sizeof(struct lz_database *));
    struct lz_database *d = ds->all[*id] = lz_arena_alloc(w->arena, sizeof(*d));
    d->opts = *opts;
    fill_defaults(&d->opts);
    d->id = *id;
    d->is_writable = true;
    d->split_since = -1;
    d->failover = (struct lz_failover_opts){.mode = d->opts.failover ? LZ_FAILOVER_AUTOMATIC
                                                                     : LZ_FAILOVER_NONE,
                                            .detect = d->opts.detect,
                                            .promote = d->opts.promote};
    d->sessions.deadlock_timeout = LZ_S;
    bool is_mysql = opts->engine != NULL && strcmp(opts->engine, "mysql") == 0;
    w->components[*id].port = is_mysql ? 3306 : 5432;
    lz_instances_add(w, *id, d->opts.nodes, &opts->spread, &instance_ops);
    d->first = lz_world_component(w, *id)->instances_first;
    d->path = lz_world_component(w, *id)->path;
    lz_wal_init(&d->log.wal, w->arena);
    d->replication = (struct lz_replication_opts){
        .commit = opts->sync ? LZ_COMMIT_ON : LZ_COMMIT_LOCAL, .quorum = 1};
    lz_rows_init(&d->acked_rows, w->arena);
    lz_pool_init(&d->waiters, w->arena, sizeof(struct lz_waiter));
    // A query whose client gave up runs on: there may be more of them than connections.
    double cores = d->opts.cpu > 0.0 ? d->opts.cpu : (double)d->opts.max_connections;
    d->nodes = lz_arena_alloc(w->arena, d->opts.nodes * sizeof(*d->nodes));
    lz_instances_keep(w, *id, d, d->nodes, sizeof(d->nodes[0]));
    lz_capacity_declare(
        w, *id, cores, ds->queried,
        (struct lz_capacity_places){.first = &d->nodes[0].capacity, .stride = sizeof(d->nodes[0])});
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        d->nodes[n].log = &d->log;
        d->nodes[n].silent_since = -1;
        lz_rows_init(&d->nodes[n].rows, w->arena);
        lz_mvcc_init(&d->nodes[n].mvcc, w->arena);
        lz_locks_init(&d->nodes[n].locks, w->arena);
        d->nodes[n].rows.past = &d->nodes[n].mvcc;
        lz_rows_engine_init(&d->nodes[n].rows_engine, &d->nodes[n].rows);
        d->nodes[n].engine = &d->nodes[n].rows_engine.base;
        lz_capacity_get(w, d->first + n);
    }
    make_series(w, d, cores);
    lz_disk_serves(w, *id);
    lz_task_serve(w, *id, &server_ops);
    return true;
}

size_t lz_database_bytes(const struct lz_world *w, lz_component_id id)
{
    const struct lz_database *d = lz_database_at(w, id);
    size_t bytes = d->log.wal.cap * sizeof(*d->log.wal.records) + lz_rows_bytes(&d->acked_rows);
    bytes += lz_backup_bytes(d) + lz_checkpoint_bytes(d) + lz_retain_bytes(d);
    bytes += d->agree != NULL ? lz_agree_bytes(w, d) : 0;
    for (uint32_t n = 0; n < d->opts.nodes; n++) {
        const struct lz_database_node *one = &d->nodes[n];
        bytes += sizeof(*one) + one->engine->ops->bytes(one->engine) + lz_mvcc_bytes(&one->mvcc) +
                 lz_locks_bytes(&one->locks);
        bytes += one->serial != NULL ? lz_serial_bytes(one->serial) : 0;
    }
    return bytes;
}
