/*
 * site.h — the real system of one live run: its processes, their addresses, the ways between.
 *
 * Made from the plan (script/live_plan.h): ports are chosen, each declared edge gets a proxy in
 * front of what it leads to, and templates are filled in. Nothing is started here.
 *
 *   client ──▶ proxy (an edge's own port on 127.0.0.1) ──▶ process (its port)
 *
 * Invariants
 * 1. Every address is of the loopback unless its host was allowed (--allow-target).
 * 2. No two things of one run have the same port, and no proxy leads to a proxy.
 * 3. A process that is not running has pid 0.
 */
#ifndef LZ_LIVE_SITE_H
#define LZ_LIVE_SITE_H

#include <sys/types.h>

#include "script/live_plan.h"

#define LZ_SITE_HOST_SIZE 256

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
    struct lz_program *own; /* of program.c */
};

struct lz_site_edge {
    const struct lz_live_edge *plan;
    uint32_t index;
    char name[128];                /* "web -> orders-db", "web -> db-1" if there are several */
    struct lz_site_address listen; /* of the proxy */
    struct lz_site_process *from;  /* NULL: traffic */
    struct lz_site_process *to;
    enum lz_live_protocol protocol;
    uint32_t proxy; /* id in the proxy's process, 0: there is none yet */
};

struct lz_site {
    const struct lz_live_plan *plan;
    struct lz_site_process *processes; /* as plan->targets */
    size_t process_count;
    struct lz_site_edge *edges; /* as plan->edges */
    size_t edge_count;
    char *folder; /* of the run: outputs, files, programs' own folders */
};

#endif
