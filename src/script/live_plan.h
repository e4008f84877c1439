/*
 * live_plan.h — what a scenario says about the real world: programs, addresses, probes.
 *
 * The same file is simulated and run live. What only a live run needs is read beside the model,
 * checked like everything else, and kept here as data; src/live carries it out. Each `process` and
 * `endpoint` is a *target*: something with an address that can be reached, watched and, if it was
 * started by us, hit. A target that a component names in its `live` stands for one of that
 * component's instances, in order; one that nobody names stands for itself.
 *
 * All texts and lists live in the script's arena; times are nanoseconds; counts of things that may
 * be absent are 0. Texts may hold templates such as {{orders-db.port}}: see src/live/template.h.
 */
#ifndef LZ_SCRIPT_LIVE_PLAN_H
#define LZ_SCRIPT_LIVE_PLAN_H

#include "check/matcher.h"
#include "model/world.h"
#include "script/script.h"

#define LZ_LIVE_TARGETS_MAX 256
#define LZ_LIVE_PROBES_MAX 256

/* What is between the real things. */
enum lz_live_network {
    LZ_LIVE_PROXIES,    /* the machine's loopback, a proxy in front of every edge */
    LZ_LIVE_NAMESPACES, /* each has a network of its own, and packets between them are Lorenz' */
};

enum lz_live_protocol {
    LZ_LIVE_TCP,  /* bytes: a proxy sees connections, and no requests */
    LZ_LIVE_HTTP, /* HTTP/1.1: a proxy sees requests, and they are measured */
};

struct lz_live_argv {
    const char *const *items; /* items[count] is NULL */
    size_t count;
};

struct lz_live_pair {
    const char *name, *value;
};

struct lz_live_pairs {
    const struct lz_live_pair *items;
    size_t count;
};

enum lz_live_probe_kind {
    LZ_LIVE_PROBE_TCP,     /* a connection is accepted */
    LZ_LIVE_PROBE_HTTP,    /* an answer has the status, and the text in it */
    LZ_LIVE_PROBE_COMMAND, /* a program ends with 0, and has the text in its output */
};

/* How something is asked whether it works, once every while. Also how a process is found ready. */
struct lz_live_probe {
    enum lz_live_probe_kind kind;
    const char *name;          /* of `probe "name"`; NULL: it is a target's `ready` */
    lz_component_id component; /* of `probe "name"`; 0 likewise */
    uint32_t line;
    uint32_t of;              /* index of the target that is asked, plus 1; 0: `url` says all */
    const char *url;          /* HTTP: "http://..." or a path of `of`; TCP: "host:port" or NULL */
    struct lz_live_argv argv; /* COMMAND; no shell is in between */
    const char *ca_file;      /* HTTP: as of a traffic */
    const char *contains;     /* of the body or the output; NULL: anything */
    uint32_t status;          /* HTTP; 0: 200 to 299 */
    bool has_value;           /* a number at the start of the body or the output is its value */
    lz_component_id reads;    /* the topic whose records it lists; 0: none */
    lz_time every, timeout;
    uint32_t fails, passes; /* in a row, to turn; at least 1 */
};

/* Something with an address. */
struct lz_live_target {
    const char *name;
    uint32_t line;
    lz_component_id component; /* `process` or `endpoint`: its own */
    lz_instance_id instance;   /* what it stands for: its own, or one of a modelled component */
    lz_component_id of;        /* whose instance that is */
    uint32_t ordinal;          /* of it, from 1 */
    enum lz_live_protocol protocol;
    bool is_tls;     /* of HTTP: within TLS */
    bool is_v6;      /* of a process: it listens at ::1 */
    const char *url; /* of an endpoint; NULL: it is a process, and what follows is about it */
    struct lz_live_argv run;
    const struct lz_live_argv *setup; /* programs that end with 0, one after another, before it */
    size_t setup_count;
    struct lz_live_pairs env, files; /* files: path in its folder, and content */
    const char *cwd, *user;          /* NULL: its folder; who runs lorenz */
    uint32_t port;                   /* where it listens; 0: a free one is chosen */
    struct lz_live_probe ready;      /* how it is found to be ready */
    bool has_ready;                  /* or it is when it listens */
    struct lz_live_probe primary;    /* how it is found to lead */
    bool has_primary;
    lz_time ready_within, grace;
    int stop_signal;
    bool is_restarted; /* when it has died of itself or by a fault that does not last */
    lz_time backoff;   /* before it is started again */
};

/* Who calls whom: one proxy stands in between. */
struct lz_live_edge {
    uint32_t from;                  /* index of the target plus 1; 0: it is traffic, see `client` */
    uint32_t to;                    /* index of the target */
    lz_component_id client, server; /* components as the scenario names them */
    uint32_t line;
};

/* Requests that are sent for a `traffic` block. */
struct lz_live_traffic {
    lz_component_id component;
    uint32_t line;
    const char *method, *path; /* from `op`, such as "GET /product" */
    const char *body;          /* NULL: none */
    struct lz_live_pairs headers;
    const char *ca_file; /* PEM, what a TLS certificate is checked against; NULL: the system's */
    bool http2;
    bool if_match;               /* it writes only what it has read */
    uint32_t connections;        /* at most, at once; 0: 256, of commands 32 */
    struct lz_live_argv command; /* run for each request, in place of HTTP; none: count 0 */
};

struct lz_live_query {
    const char *name, *promql;
    lz_metric metric;
};

struct lz_live_prometheus {
    const char *name, *url;
    lz_component_id component;
    uint32_t line;
    lz_time every, timeout;
    const struct lz_live_query *queries;
    size_t query_count;
};

struct lz_live_abort {
    struct lz_matcher matcher;
    const char *text; /* as the scenario says it */
};

struct lz_live_plan {
    enum lz_live_network network;
    struct lz_live_target *targets;
    size_t target_count;
    struct lz_live_edge *edges;
    size_t edge_count;
    struct lz_live_probe *probes; /* with a name; those of `ready` are the targets' */
    size_t probe_count;
    struct lz_live_traffic *traffics;
    size_t traffic_count;
    struct lz_live_prometheus *prometheus;
    size_t prometheus_count;
    struct lz_live_abort *aborts;
    size_t abort_count;
};

/* After a build without trouble of a script that was loaded to run live. */
const struct lz_live_plan *lz_script_live_plan(const struct lz_script *s);

#endif
