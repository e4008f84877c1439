#include "rows.h"

#include <stddef.h>

// Alphabetical, as in fault.c's table.
const struct fault_row fault_rows[] = {
    {"bad_deploy", "s.web, version = \"next\", waves = 2, gap = \"300ms\"", "busy-web",
     "errors.ratio"},
    {"config_push", "s.web, factor = 5, waves = 3, gap = \"300ms\"", "busy-users", "latency.mean"},
    {"cpu", "s.web, load = \"95%\"", "busy-users", "latency.mean"},
    {"crash_loop", "s.web.replica[1], backoff = \"1s\"", "busy-web", "restarts"},
    {"degrade", "s.web, factor = 5, error_ratio = \"20%\"", "busy-web", "errors.ratio"},
    {"dns", "s.shop, answer = \"nxdomain\"", "busy-buyers", "errors.ratio"},
    {"down", "s.region.zone.b", "busy-web", "replicas.up"},
    {"kill", "s.web.replica[1]", "busy-web", "replicas.up"},
    {"latency", "link(s.web, s.db), add = \"20ms\"", "busy-users", "latency.mean"},
    {"loss", "link(s.web, s.db), ratio = \"20%\"", "busy-users", "latency.p99"},
    {"partition", "s.web, s.db", "busy-users", "errors.ratio"},
    {"pause", "s.web.replica[2]", "busy-web", "replicas.ready"},
    {"stop", "s.web.replica[3]", "busy-web", "replicas.ready"},
    {0},
};
