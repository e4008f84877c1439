#include "rows.h"

#include <stddef.h>

// Alphabetical, as in fault.c's table.
const struct fault_row fault_rows[] = {
    {"bad_deploy", "s.web, version = \"next\", waves = 2, gap = \"300ms\"", "busy-web",
     "errors.ratio"},
    {"bandwidth", "link(s.web, s.db), rate = \"100kbit/s\", buffer = \"4KiB\"", "busy-users",
     "latency.mean"},
    {"blackhole", "s.mail, port = 25", "busy-users", "errors.ratio"},
    {"config_push", "s.web, factor = 5, waves = 3, gap = \"300ms\"", "busy-users", "latency.mean"},
    {"corrupt", "link(s.web, s.db), ratio = \"20%\"", "busy-users", "latency.p99"},
    {"cpu", "s.web, load = \"95%\"", "busy-users", "latency.mean"},
    {"crash_loop", "s.web.replica[1], backoff = \"1s\"", "busy-web", "restarts"},
    {"degrade", "s.web, factor = 5, error_ratio = \"20%\"", "busy-web", "errors.ratio"},
    {"dns", "s.shop, answer = \"nxdomain\"", "busy-buyers", "errors.ratio"},
    {"down", "s.region.zone.b", "busy-web", "replicas.up"},
    {"duplicate", "link(s.web, s.db), ratio = \"50%\", correlation = \"50%\"", "busy-users",
     "latency.mean"},
    {"flap", "s.web, s.db, up = \"300ms\", down = \"700ms\"", "busy-users", "errors.ratio"},
    {"flood", "s.web, rate = \"100k/s\"", "busy-users", "latency.mean"},
    {"kill", "s.web.replica[1]", "busy-web", "replicas.up"},
    {"latency", "link(s.web, s.db), add = \"20ms\"", "busy-users", "latency.mean"},
    {"loss", "link(s.web, s.db), ratio = \"20%\"", "busy-users", "latency.p99"},
    {"nic_down", "s.box", "busy-users", "errors.ratio"},
    {"partition", "s.web, s.db", "busy-users", "errors.ratio"},
    {"pause", "s.web.replica[2]", "busy-web", "replicas.ready"},
    {"reorder", "link(s.web, s.db), ratio = \"50%\", gap = \"30ms\"", "busy-users", "latency.mean"},
    {"route_loss", "s.region.zone.a, s.region.zone.b", "busy-users", "errors.ratio"},
    {"slicer", "link(s.web, s.db), size = \"100B\", delay = \"5ms\"", "busy-users", "latency.mean"},
    {"stop", "s.web.replica[3]", "busy-web", "replicas.ready"},
    {0},
};
