/*
 * state.h — one script's state, for the files of script/ only.
 *
 * Reachable from any coroutine through the Lua state's extra space. Errors travel in Lua
 * by longjmp, so every binding has three parts, parse (may raise, owns nothing), act (C,
 * may not raise), push. `// [a b]` is the Lua stack after that line.
 */
#ifndef LZ_SCRIPT_STATE_H
#define LZ_SCRIPT_STATE_H

#include <lua.h>
#include <setjmp.h>

#include "script/script.h"
#include "script/seed.h"

struct lz_caller;
struct lz_procs;
struct lz_sleeper;

struct lz_script {
    struct lz_arena *arena;
    lua_State *L;
    struct lz_seed seed; /* of Lua's hashes; pinned while the state is made */
    struct lz_script_opts opts;
    struct lz_script_file used; /* the module that is being read */
    uint64_t text_hash;
    enum lz_script_trouble trouble;
    uint64_t instructions_max;
    uint64_t instructions;       /* since the last time something was given back */
    bool is_asking;              /* the Lua half looks at a call's table: sandbox.c */
    lua_State *volatile running; /* what runs Lua now; for lz_script_tick */
    volatile uint64_t slices;    /* times that Lua was entered */
    bool loading;                /* the top level runs: nothing may act */
    int ref_main;                /* the Lua half's module table */
    int ref_state;               /* its state for this file */
    struct lz_script_world world;
    struct lz_procs *procs;
    struct lz_sleeper *sleeper; /* sleep.c's own */
    struct lz_caller *caller;   /* call_word.c's own */
    uint64_t draws;             /* made by rand() at this instant's owner */
    uint64_t draw_owner;
    bool judges;         // code that judges is running: words that act are refused
    bool knows_layout;   /* tables are looked at as layout.h has it */
    bool has_code;       /* to run while the world does, or about it */
    uint64_t flights;    /* of single flight, counted */
    uint64_t *sql_noted; /* hashes of what the journal has been told of failed statements */
    uint32_t sql_noted_count, sql_noted_cap;
    struct lz_dist *dists; /* that requests draw from, by the numbers the Lua half has for them */
    uint32_t dist_count, dist_cap;
    enum lz_sim_stop stop;
    jmp_buf *full; /* where to go when the memory budget is used up */
    struct lz_script_case *cases;
    size_t case_count;
    const char *name, *about;
    const char **tags;
    size_t tag_count;
    double swarm;   // share of the faults that a seed leaves out
    size_t without; // the one fault that is left out, from 1
    struct lz_order_opts order;
    lz_time duration, warmup;
    uint64_t seeds;
    struct lz_live_plan *live; /* NULL: it is simulated */
    struct lz_str diagnostics;
};

static inline struct lz_script *lz_script_of(lua_State *L)
{
    return *(struct lz_script **)lua_getextraspace(L);
}

/* script.c: the private half's libraries and `require`; a module of it: [module] */
void lz_script_open_private(lua_State *L);
void lz_script_require(lua_State *L, const char *module);

/* script.c: a function of the Lua half and its state: [f state] */
void lz_script_push_main(struct lz_script *s, const char *function);

/* script.c: where a used-up memory budget ends it: a function of the state, or the one on top. */
void lz_script_guarded(struct lz_script *s, lua_CFunction body);
void lz_script_guarded_value(struct lz_script *s);

/* sandbox.c */
bool lz_sandbox_open(struct lz_script *s, struct lz_err *err);
void lz_sandbox_base(lua_State *L);          /* [base]: what a scenario gets of Lua itself */
void lz_sandbox_refused(lua_State *L);       /* [refused]: name -> why it is not there */
void lz_sandbox_settle(struct lz_script *s); /* what is there by now is going to stay */
void lz_sandbox_random(lua_State *L);        /* [function]: keyed draws, as math.random */
void lz_sandbox_watch(struct lz_script *s,
                      lua_State *L); /* the instruction budget, on a coroutine */

/* Around each time that Lua of the scenario runs. Gives what ran before, for leave. */
static inline lua_State *lz_sandbox_enter(struct lz_script *s, lua_State *L)
{
    lua_State *before = s->running;
    s->slices++;
    s->running = L;
    return before;
}

static inline void lz_sandbox_leave(struct lz_script *s, lua_State *before)
{
    s->running = before;
}

/* A state that was made for another script becomes this one's. */
void lz_sandbox_adopt(struct lz_script *s);

/*
 * warm.c. Make the universe of what was kept: false if that fails; s->arena stays NULL if
 * there is nothing to make it of. Keep a universe that has seen no scenario yet.
 */
bool lz_warm_revive(struct lz_script *s, struct lz_err *err) LZ_MUST_CHECK;
void lz_warm_keep(const struct lz_script *s);

/* A universe is ticked from here on, until it is made NULL again. */
void lz_sandbox_tick(struct lz_script *s);

/* pairs.c and order.c: pairs and next in a defined order, a stable sort. */
int lz_order_pairs(lua_State *L);
int lz_order_next(lua_State *L);
int lz_order_sort(lua_State *L);
int lz_order_tostring(lua_State *L);

/* What draws of a run are keyed by: its seed, sentence and parameters. */
uint64_t lz_script_run_key(const struct lz_script *s, uint64_t seed);

/* bind_*.c: add their functions to the table on top of the stack. */
void lz_bind_model(lua_State *L);
void lz_bind_consensus(lua_State *L);
void lz_bind_names(lua_State *L);
void lz_bind_node(lua_State *L);
void lz_bind_chaos(lua_State *L);
void lz_bind_prompt(lua_State *L);
void lz_bind_fault(lua_State *L);
void lz_bind_check(lua_State *L);
void lz_bind_run(lua_State *L);
void lz_bind_txn(lua_State *L);
void lz_bind_backup(lua_State *L);
void lz_bind_sql(lua_State *L);
void lz_bind_version(lua_State *L);
void lz_bind_replication(lua_State *L);
void lz_bind_broker(lua_State *L);
void lz_bind_cache(lua_State *L);
void lz_bind_alert(lua_State *L);
void lz_bind_store(lua_State *L);
void lz_bind_live(lua_State *L);

/* prompt.c: keep the top level's locals as the chunk returns. */
void lz_prompt_capture(struct lz_script *s, lua_State *thread);

/* proc.c: coroutines that the kernel alone resumes. */
void lz_procs_init(struct lz_script *s);
void lz_procs_second(struct lz_script *s, lz_time now);

/* Push `nil, message`. */
int lz_bind_refuse(lua_State *L, const struct lz_err *err);

#endif
