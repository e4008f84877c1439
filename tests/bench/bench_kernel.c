/*
 * bench_kernel.c — the kernel's speed, with everything on that a run has on: keyed
 * draws, trace hash, budgets.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "bench.h"
#include "sim/sim.h"
#include "station.h"

struct bench {
    struct lz_sim *sim;
    lz_kind kind;
    lz_lane lane;
    uint64_t left; // events until it is over
    uint64_t count;
    uint32_t size;
    struct lz_draw_row *rows; // of each that holds; NULL: each draws by itself
};

static struct bench make(uint32_t size)
{
    struct lz_arena *arena;
    struct lz_err err;
    if (!lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &arena, &err)) {
        fprintf(stderr, "bench_kernel: %s\n", err.msg);
        exit(1);
    }
    struct bench b = {.size = size};
    b.sim = lz_sim_create(&(struct lz_sim_opts){.arena = arena, .seed = 1, .run_key = 42});
    return b;
}

static void unmake(struct bench *b)
{
    lz_arena_destroy(lz_sim_arena(b->sim));
}

static void over(struct bench *b)
{
    if (--b->left == 0)
        lz_sim_stop(b->sim);
}

// N pending; each event reschedules itself after an exponential time of mean 1 ms.
static void hold_again(struct bench *b, uint32_t entity, uint64_t payload, double gap)
{
    lz_sim_at(b->sim, lz_sim_now(b->sim) + (lz_time)(gap * 1e6), b->kind, entity, payload + 1);
    over(b);
}

// As a traffic does: its next draws are made four at a time.
static void on_hold(void *ctx, uint32_t entity, uint64_t payload)
{
    struct bench *b = ctx;
    uint64_t key = lz_sim_key(b->sim);
    hold_again(b, entity, payload, lz_draw_exponential_next(&b->rows[entity], key, payload));
}

// The same numbers, each made when it is needed.
static void on_hold_once(void *ctx, uint32_t entity, uint64_t payload)
{
    struct bench *b = ctx;
    uint64_t key = lz_sim_key(b->sim);
    hold_again(b, entity, payload,
               lz_draw_exponential_once(key, entity, LZ_PURPOSE_SERVICE, payload));
}

static void hold(const char *name, uint32_t size, uint64_t events)
{
    struct bench b = make(size);
    // Rows of 1e5 would be 10 MB and be waited for longer than a number takes to be made.
    bool has_rows = size <= 10000;
    b.kind = lz_sim_kind(b.sim, "hold", has_rows ? on_hold : on_hold_once, &b);
    if (has_rows)
        b.rows = lz_arena_alloc(lz_sim_arena(b.sim), size * sizeof(*b.rows));
    for (uint32_t i = 0; i < size; i++) {
        struct lz_draw d = lz_draw_begin(42, i, LZ_PURPOSE_ARRIVAL, 0);
        if (has_rows)
            b.rows[i] = (struct lz_draw_row){.owner = i, .purpose = LZ_PURPOSE_SERVICE};
        lz_sim_at(b.sim, (lz_time)(lz_draw_exponential(&d) * 1e6), b.kind, i, 0);
    }
    b.left = events / 4;
    lz_sim_run(b.sim, LZ_FOREVER); // warm
    b.left = events;
    double start = bench_now();
    lz_sim_run(b.sim, LZ_FOREVER);
    bench_report_rate(name, (double)events, start);
    unmake(&b);
}

static void hold_1e3(void)
{
    hold("hold/1e3", 1000, 20000000);
}

static void hold_1e5(void)
{
    hold("hold/1e5", 100000, 10000000);
}

static void hold_1e6(void)
{
    hold("hold/1e6", 1000000, 10000000);
}

// Two processes wake each other at the same instant.
static void on_ping(void *ctx, uint32_t entity, uint64_t payload)
{
    struct bench *b = ctx;
    lz_sim_soon(b->sim, b->kind, entity ^ 1u, payload + 1);
    over(b);
}

static void pingpong(void)
{
    struct bench b = make(2);
    uint64_t events = 100000000;
    b.kind = lz_sim_kind(b.sim, "ping", on_ping, &b);
    lz_sim_soon(b.sim, b.kind, 0, 0);
    b.left = events;
    double start = bench_now();
    lz_sim_run(b.sim, LZ_FOREVER);
    bench_report_rate("pingpong", (double)events, start);
    unmake(&b);
}

static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)ctx;
    (void)entity;
    (void)payload;
    LZ_UNREACHABLE("each timeout is cancelled within 10 ms");
}

// A request sets a 30 s timeout and is answered within 10 ms; the answer's payload is the timer.
static void begin_request(struct bench *b, uint32_t entity, lz_time now)
{
    lz_event_id timer = lz_sim_arm(b->sim, b->lane, entity, b->count);
    uint64_t bits = lz_draw_u64_once(lz_sim_key(b->sim), 0, LZ_PURPOSE_SERVICE, b->count++);
    lz_time gap = (lz_time)((double)(bits >> 11) * 0x1p-53 * 1e7);
    lz_sim_at(b->sim, now + gap, b->kind, entity, timer);
}

// And the next begins.
static void on_answer(void *ctx, uint32_t entity, uint64_t payload)
{
    struct bench *b = ctx;
    LZ_ASSERT(lz_sim_cancel(b->sim, payload));
    begin_request(b, entity, lz_sim_now(b->sim));
    over(b);
}

// It will cancel its timer.
static void foresee_answer(void *ctx, uint32_t entity, uint64_t payload)
{
    const struct bench *b = ctx;
    (void)entity;
    lz_sim_foresee_cancel(b->sim, payload);
}

static void timeouts(void)
{
    uint32_t size = 100000;
    uint64_t events = 10000000;
    struct bench b = make(size);
    b.kind = lz_sim_kind(b.sim, "answer", on_answer, &b);
    lz_sim_foresee(b.sim, b.kind, foresee_answer);
    b.lane = lz_sim_lane(b.sim, 30 * LZ_S, lz_sim_kind(b.sim, "timeout", on_timeout, &b));
    for (uint32_t i = 0; i < size; i++)
        begin_request(&b, i, 0);
    b.left = events / 4;
    lz_sim_run(b.sim, LZ_FOREVER);
    b.left = events;
    double start = bench_now();
    lz_sim_run(b.sim, LZ_FOREVER);
    bench_report_rate("timeout/1e5", (double)events, start);
    unmake(&b);
}

// At 0.9 of what the servers can do. The mean number there must be the queue's own (Erlang's C):
// a fast simulator of something else is worth nothing.
static void queue(const char *name, uint32_t servers, double mean_there)
{
    struct bench b = make(0);
    struct station s;
    const uint64_t customers = 20000000;
    station_open(&s, b.sim,
                 &(struct station_opts){.servers = servers,
                                        .arrivals_per_s = 90000.0 * servers,
                                        .served_per_s = 100000,
                                        .owner = 1});
    station_run(&s, customers / 4);
    double start = bench_now();
    station_run(&s, customers);
    bench_report_rate(name, (double)customers, start);
    double there = station_mean_there(&s);
    if (there < 0.97 * mean_there || there > 1.03 * mean_there) {
        fprintf(stderr, "bench_kernel: %s: %.3f customers there, not %.3f\n", name, there,
                mean_there);
        exit(1);
    }
    unmake(&b);
}

static void mm1(void)
{
    queue("mm1", 1, 9.0); // rho / (1 - rho)
}

static void mm8(void)
{
    queue("mm8", 8, 13.5138); // 7.2 + C(8, 7.2) * 9, C = 0.70153
}

/*
 * What the machine is worth at this moment: a chain of products with a table of 16 KiB beside
 * it. Timed gates are ratios to this, run beside them.
 */
static void calibration(void)
{
    static uint64_t table[2048];
    uint64_t x = 1, steps = 200000000;
    double start = bench_now();
    for (uint64_t i = 0; i < steps; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        table[x >> 53] ^= x;
    }
    bench_report_rate(table[0] == 1 ? "impossible" : "calibration", (double)steps, start);
}

static const struct bench_workload workloads[] = {
    {"calibration", calibration},
    {"hold/1e3", hold_1e3},
    {"hold/1e5", hold_1e5},
    {"hold/1e6", hold_1e6},
    {"pingpong", pingpong},
    {"timeout/1e5", timeouts},
    {"mm1", mm1},
    {"mm8", mm8},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, workloads, sizeof(workloads) / sizeof(workloads[0]));
}
