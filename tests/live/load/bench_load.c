/*
 * How many requests a second one core sends, against a server that runs already.
 *
 *     bench_load PORT RATE SECONDS [CONNECTIONS [CA-FILE [h2]]]
 *
 * With a file of certificates it is TLS, with "h2" HTTP/2. The whole way of a request of a live run
 * is in it, but for the proxy: the model's arrivals, the loop, libcurl, the traffic's measures.
 * What counts is CPU time: on a busy machine the rate that was reached says how busy it was. Not
 * part of the suite; figures are in tests/bench/README.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "live/load/load.h"
#include "model/service/service.h"
#include "model/traffic/traffic.h"
#include "stage.h"

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static void check(bool ok, const struct lz_err *err)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", err->msg);
    exit(1);
}

static double value(struct lz_live *live, lz_component_id users, const char *name)
{
    return lz_metrics_whole(live->world->metrics, lz_world_metric(live->world, users, name)).value;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: bench_load PORT RATE SECONDS [CONNECTIONS [CA-FILE [h2]]]\n");
        return 4;
    }
    uint16_t port = (uint16_t)atoi(argv[1]);
    double rate = atof(argv[2]), seconds = atof(argv[3]);
    struct lz_err err;
    struct lz_live *live = stage_make((lz_time)((seconds + 10.0) * 1e9));
    lz_component_id web, users;
    const struct lz_service_opts service = {.name = "web", .replicas = 1};
    check(lz_service_create(live->world, &service, &web, &err), &err);
    struct lz_traffic_opts traffic = {.name = "users", .to = web, .edge = {.timeout = LZ_S}};
    check(lz_shape_constant(&traffic.rate, rate, &err), &err);
    check(lz_traffic_create(live->world, &traffic, &users, &err), &err);
    const struct lz_live_edge plan = {.client = users, .server = web};
    struct lz_live_target target = {.instance =
                                        lz_world_component(live->world, web)->instances_first};
    struct lz_site_process process = {.target = &target,
                                      .address = {.host = "127.0.0.1", .port = port}};
    const struct lz_site_edge edge = {
        .plan = &plan, .to = &process, .listen = {.host = "127.0.0.1", .port = port}};
    const struct lz_live_traffic sent = {.component = users,
                                         .path = "/",
                                         .ca_file = argc > 5 ? argv[5] : NULL,
                                         .http2 = argc > 6 && strcmp(argv[6], "h2") == 0,
                                         .connections = argc > 4 ? (uint32_t)atoi(argv[4]) : 0};
    struct lz_load *load;
    lz_load_create(live, &load);
    check(lz_load_add(load, &sent, &edge, &err), &err);
    stage_begin(live);
    double cpu = cpu_seconds();
    stage_run_for(live, (int64_t)(seconds * 1e9));
    cpu = cpu_seconds() - cpu;
    struct lz_load_count count = lz_load_count(load);
    double each = cpu / (double)count.attempts;
    printf("%.0f/s asked, %.0f/s sent, %.1f us of CPU each: %.0f/s a core\n", rate,
           (double)count.sent / seconds, each * 1e6, 1.0 / each);
    printf("good %.4f, p50 %.0f us, p99 %.0f us, late %llu, by %.1f ms at most\n",
           value(live, users, "success.ratio"), value(live, users, "latency.p50") * 1e6,
           value(live, users, "latency.p99") * 1e6, (unsigned long long)count.late,
           (double)count.latest / 1e6);
    lz_load_end(load);
    lz_load_destroy(load);
    stage_free(live);
    return 0;
}
