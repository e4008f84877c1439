/*
 * world.h — the simulated system: what exists, by number and by name.
 *
 * A world is made of *components*, the things a scenario names (a service, a
 * database, traffic). A component runs as *instances*: the replicas of a service,
 * the nodes of a database, the users of a traffic source. Everything is known by a
 * small number, never by pointer; 0 is never issued.
 *
 * Each file of model/ keeps its own state and hangs it here by a pointer that only
 * that file looks behind. They are made in this order, and may call leftwards:
 *
 *   place < net < instance < life < cpu < request < task < call < service, database < traffic
 *
 * Building happens before the first event: components, then edges between them. While
 * it runs no component is added; a handler's call may add an edge.
 *
 * Ownership: the world and all in it live in the run's arena.
 */
#ifndef LZ_MODEL_WORLD_H
#define LZ_MODEL_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "sim/dist.h"
#include "sim/metric.h"
#include "sim/order.h"
#include "sim/sim.h"

typedef uint32_t lz_component_id;
typedef uint32_t lz_instance_id;

enum lz_component_kind {
    LZ_COMPONENT_SERVICE = 1,
    LZ_COMPONENT_BALANCER,
    LZ_COMPONENT_TRAFFIC,
    LZ_COMPONENT_DATABASE,
    LZ_COMPONENT_DNS,
    LZ_COMPONENT_GATEWAY,
    LZ_COMPONENT_CACHE,
    LZ_COMPONENT_STORE,
    LZ_COMPONENT_BROKER,
    LZ_COMPONENT_TOPIC, /* its instances are its broker's nodes */
    LZ_COMPONENT_CONSUMERS,
    LZ_COMPONENT_LINK, /* one that is measured; it has no instances */
    LZ_COMPONENT_CONSENSUS,
    LZ_COMPONENT_HOST,    /* without instances: what stands on it is not its own */
    LZ_COMPONENT_PROCESS, /* these four are observed, never simulated: real.h */
    LZ_COMPONENT_ENDPOINT,
    LZ_COMPONENT_PROBE,
    LZ_COMPONENT_PROMETHEUS,
    LZ_COMPONENT_ALERT, /* without instances: a rule that looks at others */
    LZ_COMPONENT_RULE,  /* likewise: one that records what it sees */
    LZ_COMPONENT_KINDS, /* one more than the last */
};

struct lz_component {
    const char *name;
    enum lz_component_kind kind;
    uint32_t line;  /* of its block in the scenario */
    uint32_t index; /* in its kind's own table, from 0 */
    lz_instance_id instances_first;
    uint32_t instance_count;
    uint64_t path;      /* owner of its draws */
    uint16_t port;      /* where it listens; 0 if not said */
    uint8_t trips;      /* round trips of a handshake that are not TCP's first: TLS */
    bool is_quic;       /* it needs no TCP: its own handshake is one trip, TLS included */
    bool is_early_data; /* who has been there sends the request with TLS' first step */
};

#define LZ_WORLD_COMPONENTS_MAX 65535

/*
 * What few worlds have and every request would have to ask for, a bit each: one look says that
 * there is none of it. Set by whoever makes the first.
 */
enum lz_unusual {
    LZ_UNUSUAL_FILTERS = 1u << 0,   /* filter.h: some are in force */
    LZ_UNUSUAL_ULIMITS = 1u << 1,   /* ulimit.h: somebody has one */
    LZ_UNUSUAL_RSS = 1u << 2,       /* rss.h: a request takes memory somewhere */
    LZ_UNUSUAL_DRAINS = 1u << 3,    /* life.h: processes that finish what they have, then end */
    LZ_UNUSUAL_STREAMS = 1u << 4,   /* stream.h: answers that are passed on as they arrive */
    LZ_UNUSUAL_ARGUMENTS = 1u << 5, /* argument.h: calls that carry something */
    LZ_UNUSUAL_AUTHS = 1u << 6,     /* auth.h: somebody asks for tokens */
    LZ_UNUSUAL_HOTS = 1u << 7,      /* hot.h: a key that is asked for more than it is by itself */
    LZ_UNUSUAL_AMPLIFIED = 1u << 8, /* call.h: requests are counted for amplification(a, b) */
    LZ_UNUSUAL_FUTURES = 1u << 9,   /* sim.h: the run has another key from an instant on */
};

struct lz_world {
    struct lz_sim *sim;
    struct lz_arena *arena;
    struct lz_metrics *metrics;
    lz_time warmup;
    lz_time end;
    struct lz_component *components; /* 1 .. component_count */
    uint32_t component_count;
    uint32_t component_cap;
    bool running;           /* the first event has fired: nothing may be added */
    uint32_t unusual;       /* enum lz_unusual */
    uint32_t ways;          /* counts changes of processes, links, edges and of what is unusual:
                               what a pair of an edge knew of them is old then; never 0 */
    struct lz_order *order; /* of deliveries; NULL: as the network says */

    struct lz_world_clock *clock;
    struct lz_journal *journal;
    struct lz_place *place;
    struct lz_links *links;
    struct lz_net *net;
    struct lz_tcps *tcps;
    struct lz_buses *buses; /* NULL: no component has one */
    struct lz_instances *instances;
    struct lz_lives *lives;
    struct lz_tells *tells;
    struct lz_nodes *nodes; /* NULL: no region looks after its nodes */
    struct lz_hosts *hosts;
    struct lz_disks *disks;
    struct lz_clocks *clocks;
    struct lz_ulimits *ulimits;
    struct lz_rsses *rsses;
    struct lz_probes *probes;
    struct lz_capacities *capacities;
    struct lz_requests *requests;
    struct lz_trails *trails; /* NULL: no request has written records */
    struct lz_tasks *tasks;
    struct lz_values *values;
    struct lz_arguments *arguments; /* NULL: no call carries anything */
    struct lz_fences *fences;       /* NULL: nobody was granted a lock, or shows its token */
    struct lz_calls *calls;
    struct lz_clients *clients;
    struct lz_connections *connections;
    struct lz_balances *balances;
    struct lz_callers *callers;
    struct lz_streams *streams; /* NULL: no answer is passed on as it arrives */
    struct lz_services *services;
    struct lz_databases *databases;
    struct lz_replication *replication;
    struct lz_standbys *standbys;
    struct lz_failovers *failovers;
    struct lz_caches *caches;
    struct lz_stores *stores;
    struct lz_leases *leases;
    struct lz_dcses *dcses; /* NULL: no database keeps its lease in a group */
    struct lz_multis *multis;
    struct lz_rejoins *rejoins;
    struct lz_recorders *recorders;     /* NULL: nobody's operations are written down */
    struct lz_consensuses *consensuses; /* NULL: there is none */
    struct lz_txns *txns;               /* NULL: nobody has begun a transaction */
    struct lz_platform *platform;       /* NULL: it does all that it should */
    struct lz_images *images;
    struct lz_backup_effects *backup_effects; /* NULL: no fault has been about backups */
    struct lz_hots *hots;       /* NULL: no key is asked for more than it is by itself */
    struct lz_brokers *brokers; /* NULL, with the next three: there is none */
    struct lz_rpcs *rpcs;
    struct lz_producers *producers;
    struct lz_groups *groups;
    struct lz_traffics *traffics;
    struct lz_arrivals *arrivals;
    struct lz_users *users;
    struct lz_dnses *dnses;
    struct lz_filters *filters;
    struct lz_certs *certs;
    struct lz_auths *auths; /* NULL: nobody asks for tokens */
    struct lz_resolvers *resolvers;
    struct lz_reals *reals;   /* NULL: nothing real is declared, and the run is simulated */
    struct lz_alerts *alerts; /* NULL: there is none */
};

struct lz_world_opts {
    struct lz_arena *arena;
    uint64_t seed;
    uint64_t run_key;
    uint64_t events_max;
    lz_time warmup;
    lz_time end;                /* duration of the scenario */
    struct lz_order_opts order; /* of deliveries */
    bool is_live;               /* nothing of the model runs: real.h */
};

struct lz_world *lz_world_create(const struct lz_world_opts *opts);

/* For model files: a name is taken once; the component's instances come later. */
bool lz_world_add(struct lz_world *w, const char *name, enum lz_component_kind kind, uint32_t line,
                  lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;

/* There is some of that now: whoever thought that there was none looks again. */
static inline void lz_world_has(struct lz_world *w, enum lz_unusual what)
{
    if ((w->unusual & what) != 0)
        return;
    w->unusual |= what;
    w->ways++;
}

/* 0 if there is none of that name. */
lz_component_id lz_world_find(const struct lz_world *w, const char *name);

static inline const struct lz_component *lz_world_component(const struct lz_world *w,
                                                            lz_component_id id)
{
    LZ_ASSERT(id >= 1 && id <= w->component_count);
    return &w->components[id];
}

/* "service", "database", ... */
const char *lz_world_kind_name(enum lz_component_kind kind);

/* What a kind of component measures, known before any is made: for checking names at load. */
struct lz_metric_info {
    const char *name; /* "latency.p99" */
    enum lz_unit unit;
    const char *doc; /* one line */
};
bool lz_world_kind_calls(enum lz_component_kind kind); /* others, and may measure that */
const struct lz_metric_info *lz_world_kind_metrics(enum lz_component_kind kind, size_t *count);

/* The metrics of a component, by the name after the dot; 0 if it has none such. */
lz_metric lz_world_metric(const struct lz_world *w, lz_component_id id, const char *name);

/*
 * Run to the end: every whole second, windows close and then `on_second` is called
 * (monitors judge there). Returns why it stopped.
 */
typedef void lz_world_second_fn(void *ctx, lz_time now);
void lz_world_on_second(struct lz_world *w, lz_world_second_fn *fn, void *ctx);
enum lz_sim_stop lz_world_run(struct lz_world *w);

/* Part of a run, for the REPL and tests: up to `until`. */
enum lz_sim_stop lz_world_run_until(struct lz_world *w, lz_time until);

#endif
