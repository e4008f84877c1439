/*
 * bench_model.c — the model's speed: queues, three tiers, many idle hosts. Scenarios, run as a
 * user runs them; nothing is switched off.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_scenario.h"
#include "explore/ticker.h"
#include "model/service/service.h"

static void mm1_service(void)
{
    bench_scenario_run(&(struct bench_scenario){
        .name = "mm1_service", .source = BENCH_QUEUE("1", "900", "2000"), .counts = "customers"});
}

static void mm8_service(void)
{
    bench_scenario_run(&(struct bench_scenario){
        .name = "mm8_service", .source = BENCH_QUEUE("8", "7200", "250"), .counts = "customers"});
}

static void tier3(void)
{
    bench_scenario_run(&(struct bench_scenario){
        .name = "tier3", .source = BENCH_TIERS("2000s", BENCH_TIERS_NATIVE), .counts = "users"});
}

// Five hundred writers in a closed loop, each write on three nodes: flushed at home, shipped,
// flushed by a standby, confirmed. A flush takes a millisecond and is shared by what came during
// the one before, as PostgreSQL's group commit does: some 170 writes each.
static void db_rows(void)
{
    bench_scenario_run(&(struct bench_scenario){
        .name = "db_rows",
        .source = "scenario 'rows' { duration = '6s' }\n"
                  "local db = database 'db' { nodes = 3, commit = 'on', wal_flush = '1ms',\n"
                  "    query_time = '20us', cpu = 64, max_connections = 1000 }\n"
                  "traffic 'writers' { to = db, op = 'write x', arrivals = 'closed',\n"
                  "    users = 500, beside = true, timeout = '10s',\n"
                  "    keys = dist.zipf { n = 10000, skew = 0.5 } }\n"
                  "expect 'writes are made' { at_end = db.acked:at_least(300000) }\n",
        .counts = "writers"});
}

// The same with a schema: each write inserts a row on a real SQLite and is replayed on two more,
// each with a transaction and a flush of its own.
static void db_sqlite(void)
{
    bench_scenario_run(&(struct bench_scenario){
        .name = "db_sqlite",
        .source = "scenario 'sql' { duration = '2s' }\n"
                  "local db = database 'db' { nodes = 3, commit = 'on', wal_flush = '1ms',\n"
                  "    query_time = '20us', cpu = 64, max_connections = 1000,\n"
                  "    schema = 'create table t(id integer primary key, k int, n int)' }\n"
                  "traffic 'writers' { to = db, op = 'insert into t(k, n) values (:key, 1)',\n"
                  "    arrivals = 'closed', users = 100, beside = true, timeout = '10s',\n"
                  "    keys = dist.zipf { n = 1000, skew = 0.5 } }\n"
                  "expect 'writes are made' { at_end = db.acked:at_least(60000) }\n",
        .counts = "writers"});
}

// Records one by one from their making to a consumer's work on them: each is an arrival, has its
// own intended time, latency and outcome, goes into a batch of one of twelve partitions (sticky, no
// keys), is copied twice, acknowledged and read. 100,000 a second, batched with linger = 5 ms; what
// lies between its making and its answer is a batch's, about 80 records to one.
static void broker(void)
{
    bench_scenario_run(&(struct bench_scenario){
        .name = "broker",
        .source = "scenario 'records' { duration = '40s', warmup = '2s' }\n"
                  "local eu = region 'eu' { zones = { 'a', 'b', 'c' } }\n"
                  "local kafka = broker 'kafka' { nodes = 3, spread = eu,\n"
                  "    disk_write = dist.lognormal { p50 = '1ms', p99 = '12ms' } }\n"
                  "local orders = topic 'orders' { on = kafka, partitions = 12,\n"
                  "    replication = 3, min_isr = 2 }\n"
                  "traffic 'shop' { to = orders, rate = '100k/s', size = '200B', retries = 5,\n"
                  "    timeout = '2s', linger = '5ms', near = eu }\n"
                  "local billing = consumers 'billing' { of = orders, members = 6,\n"
                  "    work = '30us' }\n"
                  "expect 'billing keeps up' { always = billing.lag.time:below '2s' }\n"
                  "expect 'nothing is lost' { always = orders.lost_acks:equals(0) }\n",
        .counts = "shop"});
}

#define SERVICES 1000
#define REPLICAS 1000

// Each replica has a host of its own; nobody calls, and ten seconds go by.
static void nodes(void)
{
    struct lz_arena *arena;
    struct lz_err err;
    double start = bench_now();
    if (!lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &arena, &err)) {
        fprintf(stderr, "bench: %s\n", err.msg);
        exit(1);
    }
    struct lz_world *w = lz_world_create(
        &(struct lz_world_opts){.arena = arena, .seed = 1, .run_key = 1, .end = 10 * LZ_S});
    for (uint32_t i = 0; i < SERVICES; i++) {
        char name[32];
        lz_component_id id;
        snprintf(name, sizeof(name), "service-%u", i);
        if (!lz_service_create(w, &(struct lz_service_opts){.name = name, .replicas = REPLICAS},
                               &id, &err)) {
            fprintf(stderr, "bench: %s\n", err.msg);
            exit(1);
        }
    }
    double took = bench_now() - start;
    lz_world_run(w);
    bench_report("nodes/1e6", (double)lz_arena_used(arena) / SERVICES / REPLICAS, "B");
    bench_report("nodes/1e6/setup", took, "s");
    lz_arena_destroy(arena);
}

static const struct bench_workload workloads[] = {
    {"mm1_service", mm1_service}, {"mm8_service", mm8_service}, {"tier3", tier3},
    {"db_rows", db_rows},         {"db_sqlite", db_sqlite},     {"broker", broker},
    {"nodes/1e6", nodes},
};

int main(int argc, char **argv)
{
    lz_ticker_start(); // as a worker does
    return bench_main(argc, argv, workloads, sizeof(workloads) / sizeof(workloads[0]));
}
