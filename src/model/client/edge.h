/*
 * edge.h — the state behind a declared way to call; for model/ only.
 */
#ifndef LZ_MODEL_CLIENT_EDGE_H
#define LZ_MODEL_CLIENT_EDGE_H

#include "base/check.h"
#include "model/client/call.h"
#include "model/world.h"

struct lz_edge_client {
    uint32_t turn;   /* round robin */
    bool has_ticket; /* it has been there, and TLS is resumed */
};

struct lz_edge_server {
    bool is_out;   /* not to be asked: thought dead, gone or away */
    bool is_dead;  /* say health checks, or a reset */
    bool is_gone;  /* from the endpoints: unready, or leaving */
    bool is_ended; /* its process: for who goes by endpoints alone */
    bool is_away;  /* not there at all (endpoint.h): not asked in panic either */
    uint16_t fails, passes;
};

/* One client instance and one server instance. */
struct lz_edge_pair {
    uint32_t connected; /* incarnation of the server that connections are open to; 0: none */
    uint32_t in_flight;
    uint32_t there, back; /* numbers of the links, see link.h */
    uint32_t fresh;       /* lz_world's `ways` when all was as plain.h wants it; 0: it was not */
    lz_line line_there, line_back; /* then: of messages both ways */
    lz_kind request, answer;       /* and as which events they come */
    const struct lz_dist *draws;   /* and how long its tasks take; NULL: nobody knows before */
};

struct lz_edge {
    struct lz_edge_opts opts; /* defaults filled in */
    lz_op op;
    uint64_t path;
    const struct lz_server_ops *ops; /* of the callee, from the beginning of the run on */
    lz_lane timeout;
    struct lz_sim_timers *timers; /* for plain.h: timeouts kept in the calls; NULL: too late */
    lz_instance_id client_first, server_first;
    uint32_t client_count, server_count;
    struct lz_edge_client *clients;
    struct lz_edge_server *servers;
    struct lz_edge_pair *pairs;
    uint32_t out_count;         /* servers not to be asked */
    uint32_t away_count;        /* of them not there at all */
    uint32_t out_version;       /* counts changes of who is */
    struct lz_policy *policy;   /* NULL: a plain turn, a random one or the least loaded */
    struct lz_guard *guard;     /* NULL: nothing stands between a caller and its attempts */
    struct lz_hedging *hedging; /* NULL: a call is made once at a time */
    struct lz_flights *flights; /* NULL: each call is made for itself */
    struct lz_through *through; /* NULL: it is made at once, without a look into a cache */
    struct lz_caller *caller;   /* NULL: nobody measures */
    bool is_recorded;           /* its calls are written down, see recorder.h */
    bool is_watched;            /* has one of these */
    bool is_plain, is_small;    /* see plain.h */
    lz_series attempts;         /* 0: nobody asked */
    bool heeds_deadline;        /* its caller gives it what is left of its own caller's deadline */
    bool tells_deadline;        /* its callee wants to know */
    bool hands_priority_on;     /* there are priorities */
    bool is_keyed;              /* to a cache, store or topic: calls say which of it, may hear no */
    uint64_t probes;            /* rounds of health checks so far */
    struct lz_edge_pool *pool;  /* connections one by one; NULL: as many as it takes */
    const struct lz_call_member *members; /* of a bundle, which is no way to anywhere itself */
    uint32_t member_count;
    const struct lz_edge_name *name; /* asked which answer to call; NULL: called by itself */
};

/* What is read at every step begins call.c's own struct; read it by the getter. */
struct lz_calls_face {
    struct lz_edge **edges; /* 1 .. */
    uint32_t edge_count;
    bool has_long;           /* some edge's messages are of more than one segment */
    bool is_plain_forbidden; /* see plain.h */
};

static inline struct lz_edge *lz_edge_get(const struct lz_world *w, lz_edge_id id)
{
    const struct lz_calls_face *face = (const struct lz_calls_face *)w->calls;
    LZ_ASSERT(id - 1u < face->edge_count);
    return face->edges[id];
}

uint32_t lz_edge_count(const struct lz_world *w);

static inline struct lz_edge_pair *lz_edge_pair(const struct lz_edge *e, lz_instance_id client,
                                                lz_instance_id server)
{
    return &e->pairs[(client - e->client_first) * e->server_count + (server - e->server_first)];
}

/* A connection is open to a process of the server, or to none (0). */
static inline void lz_edge_set_connected(struct lz_edge_pair *pair, uint32_t incarnation)
{
    pair->connected = incarnation;
    pair->fresh = 0;
}

struct lz_balances {
    lz_kind probe, outlier; /* 0: nobody detects outliers */
    bool has_endpoints;     /* some edge goes by endpoints alone */
};

/* Who asks, and for what. */
struct lz_balance_ask {
    lz_instance_id client;
    uint64_t path; /* owner of the attempt's draws */
    uint64_t key;
    const lz_instance_id *avoid; /* servers that were asked already */
    uint32_t avoid_count;
};

/* A server to ask; 0: there is no endpoint, and the edge goes by nothing else. */
lz_instance_id lz_balance_pick(struct lz_world *w, struct lz_edge *e,
                               const struct lz_balance_ask *ask);

/* A connection to `server` was refused or broke: out until probes pass again. */
void lz_balance_out(struct lz_world *w, struct lz_edge *e, lz_instance_id server);

/* Callers hear that an instance is not among the endpoints any more, or is again. */
void lz_balance_endpoint(struct lz_world *w, lz_instance_id instance, bool is_gone);

/* Its process has ended, or serves again: who goes by endpoints alone hears of it so. */
void lz_balance_ended(struct lz_world *w, lz_instance_id instance, bool is_ended);

/* `server` is not there at all, or is again. */
void lz_balance_set_away(struct lz_world *w, struct lz_edge *e, lz_instance_id server,
                         bool is_away);

/* The endpoints there are, for an edge that has just been made. */
void lz_balance_join(struct lz_world *w, struct lz_edge *e);

/* Health checks begin on every edge that has a choice. */
void lz_balance_start(struct lz_world *w);
void lz_balance_watch(struct lz_world *w, lz_edge_id id); /* one that was made during the run */
void lz_balance_init(struct lz_world *w);

#endif
