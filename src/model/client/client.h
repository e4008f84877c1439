/*
 * client.h — calls under way, as traffic, services and tasks see them; for model/ only.
 */
#ifndef LZ_MODEL_CLIENT_CLIENT_H
#define LZ_MODEL_CLIENT_CLIENT_H

#include "model/client/call.h"
#include "model/service/task.h"
#include "model/traffic/request.h"
#include "model/world.h"

/* Who is told of its end: a task's server, the traffic that sent it, auth.c, a call it is a leg of.
 */
enum lz_client_owner {
    LZ_OWNER_TRAFFIC,
    LZ_OWNER_TASK,
    LZ_OWNER_AUTH,
    LZ_OWNER_FAN,
    LZ_OWNER_RACE,
    LZ_OWNER_BUNDLE,
    LZ_OWNER_THROUGH,
    LZ_OWNER_STREAM, /* a task that has gone on with the first byte */
};

struct lz_client_begin {
    lz_edge_id edge;
    lz_instance_id client;
    enum lz_client_owner owner_kind;
    uint64_t owner; /* task id; for traffic, the request id */
    lz_request_id request;
    uint64_t path; /* owner of the call's draws */
    uint64_t key;
    uint32_t argument;    /* what it carries, see argument.h; the call keeps it for itself */
    uint32_t parent_call; /* number of the call within whose work this one is made */
    lz_op op;             /* 0: the edge's own */
    lz_time begun;        /* of a leg: when its call began */
};

void lz_client_init(struct lz_world *w);

/* The lane of an attempt's timeout, and the list for those that are kept in the calls. */
lz_lane lz_client_timeout_lane(struct lz_world *w, lz_time timeout);
struct lz_sim_timers *lz_client_timers(struct lz_world *w, lz_time timeout);

/* Begin a call; its end is told to the owner, never before this returns. */
uint64_t lz_client_begin(struct lz_world *w, const struct lz_client_begin *begin);

/* Forget a call: its owner died. Connections are given up, nothing is told. */
void lz_client_drop(struct lz_world *w, uint64_t call);

/* The same for the call a task is waiting for, which keeps what it had cost. */
void lz_client_abandon(struct lz_world *w, struct lz_task *t);

/* A connection that the call waited for is its own now. */
void lz_client_connected(struct lz_world *w, uint64_t call);

/* Who makes a call; 0 once it has ended. */
lz_instance_id lz_client_who(const struct lz_world *w, uint64_t call);

bool lz_client_is_waiting(const struct lz_world *w, uint64_t call, lz_task_id task);
void lz_client_answered(struct lz_world *w, const struct lz_task *t);
void lz_client_reset(struct lz_world *w, const struct lz_task *t);
void lz_client_orphan(struct lz_world *w, uint64_t call);

/* Requests begun at a component, for amplification(a, b). */
void lz_client_count_amplified(struct lz_world *w, lz_component_id component);
static inline void lz_client_count_request(struct lz_world *w, lz_component_id component)
{
    if ((w->unusual & LZ_UNUSUAL_AMPLIFIED) != 0)
        lz_client_count_amplified(w, component);
}

/* For traffic: the answer to a user's own call. */
void lz_traffic_called(struct lz_world *w, lz_request_id request,
                       const struct lz_call_result *result);
void lz_traffic_answered(struct lz_world *w, struct lz_request *r,
                         const struct lz_call_result *result); /* the same, where it is at hand */

#endif
