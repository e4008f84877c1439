/*
 * action.h — how a fault is carried out on real programs: a table, fault kind x what it hits.
 *
 * The plan of faults is the simulator's: the same kinds, parameters, times, `pick` and targets.
 * When one fires in a live run the world does not change; an *action* does its doing instead. An
 * action is a row: which kind of fault it is for, what it acts on, how it says so to people, what
 * it needs of the machine, how it begins and ends, and what it was seen to do.
 *
 *   planned ──apply──▶ in force ──end──▶ over          `effect` may be asked at any time
 *
 * Rules for a row
 * - What it changes outside of this process is written to the undo log (undo.h) before it is done.
 *   What ends with the proxy's process needs no entry.
 * - `effect` counts what was observed (bytes delayed by the proxy, a process seen stopped in
 * /proc), never what was asked for. 0 at the end makes the run inconclusive.
 * - Faults stack and un-stack in any order: `end` recomputes from what is still in force.
 * - Nothing may block the loop for longer than a few milliseconds.
 *
 * A kind without a row that fits its target has no live form, and the scenario does not load live.
 */
#ifndef LZ_LIVE_ACTION_H
#define LZ_LIVE_ACTION_H

#include "base/str.h"
#include "fault/fault.h"
#include "live/site.h"

struct lz_live;

enum lz_action_on {
    LZ_ACTION_PROCESS = 1, /* programs that we started */
    LZ_ACTION_EDGE = 2,    /* the proxies between them */
    LZ_ACTION_TRAFFIC = 4, /* the load that we send */
};

/* Who carries a fault on edges out: a proxy, or whoever has the packets of namespaces. */
enum lz_action_by {
    LZ_ACTION_BY_PROXY = 1,
    LZ_ACTION_BY_PACKETS = 2,
};

/* An edge that a fault hits. */
struct lz_action_edge {
    struct lz_site_edge *edge;
    bool is_reversed; /* the fault's target is the client: what goes *to* it are the answers */
};

/* One firing of a fault. Made when it fires, gone when it has ended. */
struct lz_action_firing {
    const struct lz_fault *fault; /* its kind, full parameters and times */
    struct lz_site_process **processes;
    size_t process_count;
    struct lz_action_edge *edges;
    size_t edge_count;
    void *own;       /* the row's; it frees it in `end` */
    uint64_t number; /* of all firings of the run, from 1: owner of its draws with fault->path */
};

struct lz_action {
    const char *fault; /* kind: "latency" */
    unsigned on;       /* LZ_ACTION_ bits: what `firing` is filled with */
    unsigned by;       /* of edges: LZ_ACTION_BY_ bits; where both can, packets are it */
    bool is_of_http;   /* it looks into what passes: an edge that speaks HTTP/1.1 in the clear */
    const char *how;   /* "SIGSTOP to its process group, SIGCONT at the end": dry run, doctor */
    const char *how_packets; /* on packets, if it is not only that; NULL: likewise, or never */
    const char *needs;       /* "cgroup v2 that is writable"; NULL: nothing but this user */
    /* Does it work on this machine, as this user? `saw` gets a sentence either way. NULL: yes. */
    bool (*probe)(struct lz_str *saw);
    /* Refuse parameters that have no live form. NULL: all have one. */
    bool (*check)(const struct lz_fault_opts *opts, struct lz_err *err);
    bool (*apply)(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err);
    /* Of a ramp that rises: fault->opts.params have changed. NULL: it does not ramp live. */
    bool (*change)(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err);
    void (*end)(struct lz_live *live, struct lz_action_firing *f);
    /* Observed so far; in fault->kind->effect_unit. Called before `end` and now and then. */
    uint64_t (*effect)(struct lz_live *live, const struct lz_action_firing *f);
};

/* The rows of one file, ended by one without a name. */
extern const struct lz_action lz_machine_actions[];
extern const struct lz_action lz_process_actions[];
extern const struct lz_action lz_proxy_actions[];

/* The table: all of those. */
size_t lz_action_count(void);
const struct lz_action *lz_action_get(size_t i);
/* Is it carried out on packets in this run, where it hits these edges? Shares of connections are a
 * proxy's, if there is one on each. */
bool lz_action_is_by_packets(const struct lz_action *a, const struct lz_live *live,
                             const struct lz_fault_opts *o, const struct lz_action_firing *f);

const struct lz_action *lz_action_find(const char *fault); /* NULL: it has no live form */

#endif
