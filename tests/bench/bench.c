#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_report(const char *name, double value, const char *unit)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"bench\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"rss_kib\":%ld}\n", name, value, unit,
           usage.ru_maxrss);
}

void bench_report_rate(const char *name, double count, double start)
{
    bench_report(name, count / (bench_now() - start), "1/s");
}

int bench_main(int argc, char **argv, const struct bench_workload *all, size_t count)
{
    size_t ran = 0;
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], "--list") == 0) {
            puts(all[i].name);
            ran++;
        } else if (argc < 2 || strcmp(argv[1], all[i].name) == 0) {
            all[i].run();
            fflush(stdout);
            ran++;
        }
    }
    if (ran > 0)
        return 0;
    fprintf(stderr, "%s: no workload is named \"%s\"; --list says which there are\n", argv[0],
            argv[1]);
    return 2;
}
