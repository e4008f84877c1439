/*
 * proc_state.h — coroutines as proc.c and serving.c keep them. Nobody else looks in here but
 * call_word.c and sleep.c, which stand on the way of every request and of every switch.
 */
#ifndef LZ_SCRIPT_PROC_STATE_H
#define LZ_SCRIPT_PROC_STATE_H

#include "base/check.h"
#include "check/check.h"
#include "model/service/service.h"
#include "script/layout.h"
#include "script/proc.h"
#include "sim/draw.h"

enum lz_proc_kind { LZ_PROC_DRIVE, LZ_PROC_HANDLER };

/* What a handler's object says of the request itself. */
enum lz_fact { LZ_FACT_KEY, LZ_FACT_OP, LZ_FACT_VALUE, LZ_FACTS };

/*
 * A handler's coroutine has a few values at the bottom of its stack as long as it is not reset: the
 * object that its script knows the request by, and what serving.c is asked for again and again.
 * Between two requests it has ended, and nothing else is there.
 */
struct lz_proc {
    lua_State *L;
    int ref; /* keeps the coroutine alive */
    uint8_t kind;
    bool is_idle;     /* HANDLER: in the pool */
    bool is_running;  /* inside resume */
    bool is_gone;     /* its request was dropped while it ran */
    bool waits;       /* for a matcher */
    bool wants_table; /* HANDLER: its call's result is a table; else its values are */
    bool is_unseen;   /* HANDLER: a statement has failed, and may not have been looked at */
    uint32_t turn;    /* of wake-ups: an older one is stale */
    uint32_t next_idle;
    uint64_t flight; /* joined; 0: none */
    uint64_t owner, draws;
    lz_task_id task;         /* HANDLER; 0: none */
    uint16_t status;         /* HANDLER: of its answer */
    lz_component_id service; /* HANDLER: that it serves, or served last */
    const void *req;         /* HANDLER: its object; a switch reads no further */
    uint8_t at[LZ_FACTS];    /* HANDLER: nodes of the object that said these, if they still do */
    struct lz_draw_row *row; /* DRIVE: of what it sleeps for; NULL: it has not drawn often */
    uint32_t handler;        /* HANDLER: whose function it has at the bottom; 0: none */
    lz_op op;                /* HANDLER: whose name it has there */
    const void *op_text;     /* HANDLER: that name; NULL: it is a long one */
    const char *name;        /* DRIVE */
    struct lz_matcher matcher;
    lz_time over;
    lz_time since;   /* it waits */
    lz_time told_at; /* what it waits for was seen, and it hears of it then; 0: not yet */
    int flight_value;
};

/*
 * Where a switch to a coroutine will look: with a thousand of them that is another two kilobytes
 * each time, which the second cache level does not hold. Only for fetching: nothing is read there,
 * so that it does not matter whether Lua has moved it meanwhile.
 */
struct lz_proc_glance {
    const char *thread, *body, *call; /* the state, and its two innermost calls */
    const char *stack;
    const void *function; /* that the body is */
    const void *row;      /* of draws */
};

struct lz_procs {
    struct lz_proc *all; /* 1 .. */
    struct lz_proc_glance *glances;
    uint32_t count, cap, glance_cap;
    uint32_t current; /* that runs now; 0: none */
    lz_kind wake;
    const void *fact_names[LZ_FACTS];
    struct lz_serving *serving; /* serving.c's own */
};

static inline struct lz_proc *lz_proc_at(struct lz_script *s, uint32_t i)
{
    LZ_ASSERT(i >= 1 && i <= s->procs->count);
    return &s->procs->all[i];
}

/* The one that runs on L; NULL: none does, or Lua runs on a thread of something else. */
static inline struct lz_proc *lz_proc_on(lua_State *L)
{
    struct lz_script *s = lz_script_of(L);
    if (s->procs == NULL || s->procs->current == 0)
        return NULL;
    struct lz_proc *p = lz_proc_at(s, s->procs->current);
    return p->L == L ? p : NULL;
}

/*
 * The node of p's object where a fact was last, if that still has its name; only with a known
 * layout. Unlike what lz_layout_find tells it may have no value: a script may have set the field to
 * nil, and a new value goes to the same node as long as Lua has not rehashed the table.
 */
static inline struct lz_layout_node *lz_proc_fact(const struct lz_procs *ps,
                                                  const struct lz_proc *p, enum lz_fact fact)
{
    const struct lz_layout_table *t = lz_layout_of(p->req);
    if (p->at[fact] >= lz_layout_node_count(t))
        return NULL;
    struct lz_layout_node *node = &t->nodes[p->at[fact]];
    return lz_layout_is_field(node, ps->fact_names[fact]) ? node : NULL;
}

/* The running coroutine that calls, p, gives back until so much later. */
static inline int lz_proc_rest(struct lz_script *s, lua_State *L, const struct lz_proc *p,
                               lz_time duration)
{
    struct lz_sim *sim = s->world.world->sim;
    const uint32_t i = s->procs->current, turn = p->turn;
    if (duration == 0) // gives way to what is due
        lz_sim_soon(sim, s->procs->wake, i, turn);
    else
        lz_sim_at(sim, lz_sim_now(sim) + duration, s->procs->wake, i, turn);
    return lua_yield(L, 0);
}

/* A new coroutine, with nothing on its stack: its number. */
uint32_t lz_proc_make(struct lz_script *s, enum lz_proc_kind kind);

/* Run it on until it gives back; what it is given lies on top of its stack. */
void lz_proc_resume(struct lz_script *s, uint32_t i, int nargs);

/*
 * For resume, of a handler. What its function has returned is on its stack: true if that is its
 * answer; else what makes one of them is on the stack with that many arguments, to run first.
 */
bool lz_serving_returned(struct lz_script *s, uint32_t i, int *nargs);
/* Its answer, once the above was true. */
void lz_serving_answer(struct lz_script *s, uint32_t i);
/* Its request has failed over a statement's error, which is on top of its stack. */
void lz_serving_fail(struct lz_script *s, uint32_t i);
/* It was dropped while it ran, and has come back. */
void lz_serving_drop(struct lz_script *s, uint32_t i);

void lz_serving_init(struct lz_script *s);

#endif
