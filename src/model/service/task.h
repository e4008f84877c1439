/*
 * task.h — the server's side of a request: one piece of work at one instance.
 *
 * A task is made when its message is sent and lives until its answer has arrived, so it is on the
 * way, held at the door, queued, worked on, or answered. It does not end because its caller stopped
 * waiting. Kinds of component that serve (services, databases) hang their behaviour in by
 * `struct lz_server_ops`.
 *
 *   SENT ──arrive──▶ QUEUED ──▶ WORKING ──answer──▶ ANSWERED ──▶ gone
 *     │ │                ▲ │            │
 *     │ └──▶ HELD ───────┘ │            │
 *     │        └───────────┴────────────┴─ process dies: reset
 *     └─ no process there: reset
 *
 * HELD is a request at the door that a filter (filter.h) delays: it has a connection to the
 * process, which waits for it when it drains, and it can be cancelled. What a *limit* holds back
 * has arrived: its server counts it from then on (`struct lz_door_ops`).
 */
#ifndef LZ_MODEL_SERVICE_TASK_H
#define LZ_MODEL_SERVICE_TASK_H

#include "base/pool.h"
#include "model/client/call.h"
#include "model/node/instance.h"
#include "model/service/hop.h"
#include "model/service/service.h"
#include "model/traffic/request.h"
#include "model/world.h"

enum lz_task_state {
    LZ_TASK_SENT,
    LZ_TASK_HELD,
    LZ_TASK_QUEUED,
    LZ_TASK_WORKING,
    LZ_TASK_ANSWERED,
};

struct lz_task {
    struct lz_pool_head head;
    uint64_t call;         /* who asked; may have stopped waiting */
    lz_request_id request; /* 0 once orphaned */
    uint64_t path;         /* owner of its draws */
    uint64_t key;          /* what it is about */
    uint64_t joined;       /* its turn among those at their servers, see lz_task_first_at */
    union {
        lz_time deadline; /* before: when its caller gives up; 0: not said */
        uint64_t value;   /* ANSWERED: of the answer */
    };
    uint64_t child;    /* the call it is waiting for; 0: none */
    lz_event_id timer; /* sleep, or the rest of the work that needs no CPU */
    lz_time arrived, started;
    union {
        lz_time child_ns; /* spent in calls that have ended */
        lz_time left_ns;  /* of one that is_begun: its work on the CPU, see preempt.c */
    };
    union {
        uint64_t token; /* before: what its caller shows, see auth.h; 0: none */
        struct {
            uint32_t edge;    /* before, at a cache or a store: which says what is to be kept */
            uint32_t cost_us; /* and what it cost to make, if that was measured */
        } asked;
        lz_time rest_ns;  /* is_drawn; WORKING: of the work, after the CPU's part; then its kind's
                             scratch */
        lz_time answered; /* ANSWERED */
    };
    lz_instance_id server;
    uint32_t incarnation; /* of the server's process, as its caller knows it */
    uint32_t queue_prev, queue_next;
    uint32_t job;         /* on the CPU; 0: none */
    uint32_t call_number; /* within the request */
    uint16_t op;
    uint16_t status;
    uint16_t step; /* which call comes next */
    uint8_t state;
    uint8_t outcome;
    union {
        uint32_t handler; /* of a script; 0: none */
        uint32_t locks;   /* at a database: the owner of its row's lock, see lock.h; 0: none */
    };
    uint8_t version;     /* of the service that serves it; 0: as it is declared */
    uint8_t priority;    /* 0 is served first */
    uint8_t detour;      /* of its calls: enum in step.c */
    bool is_tied : 1;    /* others of its race are told when it begins */
    bool is_session : 1; /* its key is the session that it is part of */
    bool is_drawn : 1;   /* until it is begun: `rest_ns` is what it was drawn to take, when sent */
    bool may_lose : 1;   /* WORKING: somebody more urgent may take its worker */
    bool is_begun : 1;   /* QUEUED: somebody has, and it is to work on */
    bool is_limited : 1; /* a limit held it back: QUEUED, `started` is when it let it in */
    bool is_barred : 1;  /* a fault answers it, before its server */
};

_Static_assert(sizeof(struct lz_task) == LZ_HOP_TASK_BYTES, "as hop.h has it");

/* Who asks a component that decides itself which of its instances is asked, and for what. */
struct lz_route {
    lz_instance_id client;
    lz_request_id request; /* 0: nobody waits any more */
    lz_op op;
    uint64_t call;
    uint64_t path; /* owner of the attempt's draws */
    uint64_t key;
};

/*
 * Calls of an edge that says `session`: their key is a session's number, and each goes on the
 * connection and to the process that the first of them went to.
 */
struct lz_session_ops {
    lz_instance_id (*server)(const struct lz_world *w, uint64_t session); /* 0: none yet */
    bool (*is_lost)(struct lz_world *w, uint64_t session); /* that process is no more */
    void (*sent)(struct lz_world *w, uint64_t session, lz_instance_id server);
    bool (*keeps_connection)(struct lz_world *w, uint64_t session); /* that a call had */
    /* Where the number of its connection is kept, of a way whose connections are tracked. */
    uint64_t *(*connection)(struct lz_world *w, uint64_t session);
};

/* Of a kind of component that counts what a limit holds back. */
struct lz_door_ops {
    void (*held)(struct lz_world *w, struct lz_task *t);   /* it has come, and must wait */
    void (*let_in)(struct lz_world *w, struct lz_task *t); /* instead of `arrive` */
    void (*left)(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome); /* never let in */
};

/* How a kind of component serves. All are called on a live task at one of its instances. */
struct lz_server_ops {
    void (*arrive)(struct lz_world *w, struct lz_task *t);
    /* Instead: it is answered at the door, and only counted. */
    void (*turn_away)(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                      uint16_t status);
    void (*called)(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result);
    void (*cancel)(struct lz_world *w, struct lz_task *t); /* still queued or working: forget it */
    /* The instance to ask for an operation; 0: nobody leads. NULL: balance over all. */
    lz_instance_id (*route)(struct lz_world *w, lz_component_id id, const struct lz_route *ask);
    /* Both of these in one go, where nothing is unusual: whom to ask, a connection being taken. 0:
       nothing was done, `route` and `connect` are to be asked. NULL: always. */
    lz_instance_id (*open)(struct lz_world *w, lz_component_id id);
    /* How long a task that is about to be sent to an instance will take there, if that is one draw
       by its path for LZ_PURPOSE_SERVICE, and nothing but the world's `ways` can make it another:
       it is drawn when the task is sent, so that nobody waits for it when it comes. NULL: it is
       not. */
    const struct lz_dist *(*draws)(const struct lz_world *w, lz_instance_id instance);
    /* The kind of the event by which a request comes straight to an instance: one that goes beside
       the usual, see lz_sim_kind_also. NULL: the usual. */
    lz_kind (*request)(const struct lz_world *w, lz_instance_id instance);
    /* Connections are limited: may one be taken? NULL: no limit. */
    bool (*connect)(struct lz_world *w, lz_component_id id, uint64_t call);
    void (*disconnect)(struct lz_world *w, lz_component_id id);
    void (*forget)(struct lz_world *w, lz_component_id id,
                   uint64_t call); /* stopped waiting for one */
    /* Requests at one instance, served and waiting. NULL: it does not tell. */
    uint32_t (*load)(const struct lz_world *w, lz_instance_id instance);
    /* Something happened at the component without a task: a refused connection. */
    void (*refused)(struct lz_world *w, lz_component_id id, lz_instance_id instance);
    /* A client's connection of which lz_connection_backend said so is closed. NULL: nobody says. */
    void (*closed)(struct lz_world *w, lz_component_id id);
    /* The answer names another instance, which `route` will say: go there at once. NULL: never. */
    bool (*redirects)(struct lz_world *w, const struct lz_task *t, lz_instance_id client);
    /* An attempt got no answer from it (0: it had none to ask). NULL: nobody wants to know. */
    void (*failed)(struct lz_world *w, lz_component_id id, lz_instance_id client,
                   lz_instance_id server);
    const struct lz_session_ops *sessions; /* NULL: it has none */
    const struct lz_door_ops *door;        /* NULL: it counts them when they are let in */
};

void lz_tasks_init(struct lz_world *w);
void lz_task_serve(struct lz_world *w, lz_component_id component, const struct lz_server_ops *ops);

/* What is read at every step begins task.c's own struct; read it by the getters. */
struct lz_tasks_face {
    struct lz_hops hops;
    const struct lz_server_ops **ops; /* by component */
    uint32_t ops_cap;
};

static inline const struct lz_server_ops *lz_task_ops(const struct lz_world *w,
                                                      lz_component_id component)
{
    const struct lz_tasks_face *face = (const struct lz_tasks_face *)w->tasks;
    LZ_ASSERT(component < face->ops_cap);
    LZ_ASSERT(face->ops[component] != NULL);
    return face->ops[component];
}

/* How the instance at which a task is serves. */
static inline const struct lz_server_ops *lz_task_ops_at(const struct lz_world *w,
                                                         lz_instance_id instance)
{
    const struct lz_instance *i = lz_instance_get(w, instance);
    LZ_ASSERT(i->serves != NULL);
    return i->serves;
}

/* NULL once it is gone. */
static inline struct lz_task *lz_task_find(const struct lz_world *w, lz_task_id id)
{
    return lz_hop_find_task(&((const struct lz_tasks_face *)w->tasks)->hops, id);
}

static inline struct lz_task *lz_task_at(const struct lz_world *w, uint32_t index)
{
    return (struct lz_task *)(void *)lz_hop_at(&((const struct lz_tasks_face *)w->tasks)->hops,
                                               index);
}

struct lz_task_facts {
    uint64_t call;
    lz_request_id request;
    uint64_t path, key;
    uint32_t call_number;
    uint32_t argument; /* what it carries; 0: nothing */
    lz_op op;
    uint8_t priority;
    lz_time deadline; /* when the caller gives up; 0: not said */
    bool tied;        /* the server tells the others of the race when it begins */
    bool session;     /* the key is that of a session */
};

/* Send a request to `server`: the task is on its way. */
struct lz_task *lz_task_send(struct lz_world *w, lz_instance_id client, lz_instance_id server,
                             const struct lz_task_facts *facts);

/* Work that nobody sent: it is there, and its instance must begin it. */
struct lz_task *lz_task_begin(struct lz_world *w, lz_instance_id instance, uint64_t path,
                              uint64_t key);

/* The answer leaves for the caller. The server is done with it. */
void lz_task_answer(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                    uint16_t status);

/* Tell the caller that its connection broke, and forget the task. Silent: just forget. */
void lz_task_reset(struct lz_world *w, struct lz_task *t, bool silent);

/* The request it belonged to no longer waits for it, nor for anything below it. */
void lz_task_orphan(struct lz_world *w, struct lz_task *t);

/* Ask the server to stop working on it; takes a message to get there. */
void lz_task_send_cancel(struct lz_world *w, lz_instance_id client, lz_task_id id);

/* From server to server: forget it if it still waits, it is being served elsewhere. */
void lz_task_send_untie(struct lz_world *w, lz_instance_id from, lz_task_id id);

/* Give it back; its caller is told nothing. */
void lz_task_free(struct lz_world *w, struct lz_task *t);

/*
 * The oldest task at an instance that is queued or worked on; 0: there is none. For when its
 * process dies: those before it that are held at the door are reset. Until somebody asks in a run,
 * to come and to leave is a count each. Then all tasks are looked through, and from then on whoever
 * comes is noted, so that a death costs what is at the instance and not what is elsewhere.
 */
uint32_t lz_task_first_at(struct lz_world *w, lz_instance_id instance);
uint32_t lz_task_count_at(const struct lz_world *w, lz_instance_id instance);
size_t lz_tasks_bytes(const struct lz_world *w); /* and of calls, at the most */

#endif
