/*
 * station.h — a queue by itself, in C on the kernel: what the workloads mm1 and mm8 are.
 *
 * Customers arrive after exponential gaps; a free server takes the next one, first come, first
 * served, for an exponential time; the line has no end (Kendall's M/M/c). It is what simulators of
 * queues are compared by, and has neither network nor callers, timeouts, phases or spans: those
 * are in the workloads mm1_service and mm8_service, which are scenarios. On is what a station of a
 * model has on: keyed draws (a customer's gap and work are its own block), the trace hash over
 * each of its two events, the time in the system as a histogram and the number there as a gauge,
 * in windows that are closed on every whole second.
 *
 * All memory is the simulation's arena's. The line doubles when it is full.
 */
#ifndef LZ_BENCH_STATION_H
#define LZ_BENCH_STATION_H

#include "sim/metric.h"
#include "sim/sim.h"

struct station_opts {
    uint32_t servers;
    double arrivals_per_s;
    double served_per_s; /* by one server */
    uint64_t owner;      /* of its draws */
};

struct station_customer {
    lz_time arrived, work;
};

struct station {
    struct lz_sim *sim;
    lz_kind arrive, leave;
    struct lz_draw_row draws; /* of a customer: the gap to the next, and its work */
    double gap_ns, work_ns;
    uint64_t customers; /* arrived so far */
    uint64_t left;      /* customers until it is over */
    uint32_t servers, busy;
    int32_t there_now;
    struct station_customer *line; /* a ring; cap is a power of two */
    uint64_t first, last;
    uint64_t cap;
    struct lz_metrics *metrics;
    struct lz_series_face *times, *length;
    lz_metric there;
};

/* `s` must stay where it is. The first customer is on its way. */
void station_open(struct station *s, struct lz_sim *sim, const struct station_opts *opts);

/* Run until so many more have been served. */
void station_run(struct station *s, uint64_t customers);

/* Over all whole seconds so far. */
double station_mean_there(const struct station *s);

#endif
