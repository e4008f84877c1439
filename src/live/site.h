/*
 * site.h — the real system of one live run: its processes, their addresses, the ways between.
 *
 * Made from the plan (script/live_plan.h): ports are chosen, each declared edge gets a proxy in
 * front of what it leads to, and templates are filled in. Nothing is started here.
 *
 *   client ──▶ proxy (an edge's own port on 127.0.0.1) ──▶ process (its port)
 *
 * What is at an address of IPv6 has a proxy at ::1.
 *
 * In namespaces (net/spaces.h) each process has an address of its own, and all that others send to
 * it, of whatever protocol, goes straight there. Only where requests are to be seen, before what
 * speaks HTTP, is there still a proxy: at an address of its own, with the port of the process.
 *
 * Invariants
 * 1. Every address is of the loopback unless its host was allowed (--allow-target).
 * 2. No two things of one run have the same port, and no proxy leads to a proxy.
 * 3. A process that is not running has pid 0.
 */
#ifndef LZ_LIVE_SITE_H
#define LZ_LIVE_SITE_H

#include <sys/types.h>

#include "base/str.h"
#include "live/proxy/proxy.h"
#include "script/live_plan.h"

#define LZ_SITE_HOST_SIZE 256
#define LZ_SITE_NO_NODE UINT32_MAX

struct lz_site_address {
    char host[LZ_SITE_HOST_SIZE]; /* numeric for what we start, else as the URL has it */
    uint16_t port;
    bool is_tls;
};

enum lz_site_state {
    LZ_SITE_STOPPED,  /* not started, or told to end and gone */
    LZ_SITE_SETTING,  /* a program of its `setup` runs */
    LZ_SITE_STARTING, /* runs, and is not ready yet */
    LZ_SITE_READY,
    LZ_SITE_STOPPING, /* has its signal, and some grace */
    LZ_SITE_DEAD,     /* ended without being told, or killed by a fault */
    LZ_SITE_REMOTE,   /* an endpoint: somebody else's to start and stop */
};

struct lz_site_process {
    const struct lz_live_target *target;
    uint32_t index;
    struct lz_site_address address; /* where it really listens */
    char *folder;                   /* its own, in the run's folder */
    char *log;                      /* what it writes, both streams */
    enum lz_site_state state;
    pid_t pid;              /* leader of its own session and process group; 0: not running */
    uint64_t start_time;    /* of that pid, in clock ticks since boot: a reused pid has another */
    uint64_t starts;        /* so far */
    bool has_clock;         /* libfaketime stands before its clocks: machine/clock.h */
    struct lz_program *own; /* of program.c */
};

struct lz_site_edge {
    const struct lz_live_edge *plan;
    uint32_t index;
    char name[LZ_PROXY_NAME_SIZE]; /* "web -> orders-db", "web -> db-1" if there are several */
    struct lz_site_address listen; /* of the proxy */
    struct lz_site_process *from;  /* NULL: traffic */
    struct lz_site_process *to;
    enum lz_live_protocol protocol;
    uint32_t proxy; /* id in the proxy's process, 0: there is none, or not yet */
    bool has_proxy;
    uint32_t client_node; /* in namespaces: whose packets they are; LZ_SITE_NO_NODE: Lorenz' own */
};

struct lz_site {
    const struct lz_live_plan *plan;
    const struct lz_world *world;      /* names of components */
    struct lz_site_process *processes; /* as plan->targets */
    size_t process_count;
    struct lz_site_edge *edges; /* as plan->edges */
    size_t edge_count;
    char *folder;          /* of the run: outputs, files, programs' own folders; absolute */
    char *scenario_folder; /* where the scenario's file is; absolute */
};

struct lz_site_opts {
    const struct lz_live_plan *plan;
    const struct lz_world *world; /* names of components */
    const char *folder, *scenario_folder;
    const char *const *hosts; /* that may be reached besides the loopback's */
    size_t host_count;
};

/* Choose ports, look up addresses. Refused: a host that was not allowed or does not resolve, a port
   that is in use (and by whom), one that two want. */
bool lz_site_create(const struct lz_site_opts *opts, struct lz_site **out,
                    struct lz_err *err) LZ_MUST_CHECK;
void lz_site_destroy(struct lz_site *site); /* NULL is allowed */

/* In namespaces: how many, beside the run's own. The first are of the processes, by their index,
   then come those of traffics, whose commands run in them. */
size_t lz_site_node_count(const struct lz_site *site);

/* "127.0.0.1:80", "[::1]:80" */
void lz_site_write_address(const struct lz_site_address *a, struct lz_str *out);

/* "scheme://host:port/...": its parts. LZ_EINVAL: it is no URL, or has no port that is known. */
bool lz_site_read_url(const char *url, struct lz_site_address *out,
                      struct lz_err *err) LZ_MUST_CHECK;

/* May this host be reached? Looked up, all its addresses must be loopback's, or it is allowed. */
bool lz_site_may_reach(const char *host, const char *const *hosts, size_t host_count,
                       struct lz_err *err) LZ_MUST_CHECK;

/*
 * Fill in a text's templates, as seen by `self` (NULL: by a probe):
 *
 *   {{port}} {{host}} {{address}} {{dir}} {{name}}   its own; address is host:port
 *   {{db.port}} {{db.host}} {{db.address}}           of another: the proxy in between, if `self`
 *                                                    connects to it, else where it really listens
 *   {{db.direct_port}} {{db.direct_address}}         where it really listens, whatever is between
 *   {{db.dir}}                                       its folder
 *   {{run.dir}} {{scenario.dir}}                     the run's folder, the scenario file's
 *
 * `db` is a process, an endpoint or a component that one of them stands for (its first).
 */
bool lz_site_fill(const struct lz_site *site, const struct lz_site_process *self, const char *text,
                  struct lz_str *out, struct lz_err *err) LZ_MUST_CHECK;

#endif
