/*
 * bench.h — what the benchmarks share: workloads by name, one JSON line for each figure.
 *
 * A program has a table of workloads and runs one, all, or says their names:
 *
 *   bench_kernel hold/1e3      bench_kernel      bench_kernel --list
 *
 * tools/bench runs each in a process of its own, so that its memory is its own, pinned and
 * several times. Clocks are seen here and nowhere else.
 */
#ifndef LZ_BENCH_H
#define LZ_BENCH_H

#include <stddef.h>

struct bench_workload {
    const char *name;
    void (*run)(void);
};

/* Seconds of processor time: what others do on the machine at the same time is not counted. */
double bench_now(void);

/* `unit` is "1/s", "B" or "s". */
void bench_report(const char *name, double value, const char *unit);

/* `count` pieces of work since `start`. */
void bench_report_rate(const char *name, double count, double start);

/* Run what the arguments say; the status of the program. */
int bench_main(int argc, char **argv, const struct bench_workload *all, size_t count);

#endif
