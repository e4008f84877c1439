/*
 * script.h — a scenario file as a plan, and a plan as a world.
 *
 * Loading runs the file's top level in the sandbox; the Lua half checks every field,
 * unit, name and reference and collects diagnostics. Nothing is simulated yet. Building
 * turns the plan into a world with its faults and checks, and binds handlers and
 * `drive` bodies as coroutines that the kernel alone resumes.
 *
 * One script is one universe: one arena, one Lua state, one case.
 */
#ifndef LZ_SCRIPT_SCRIPT_H
#define LZ_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "check/check.h"
#include "fault/fault.h"
#include "model/world.h"

struct lz_script;

/* name = value as on the command line; pins a param. */
struct lz_script_set {
    const char *name, *value;
};

/* A module's file. The texts belong to whoever asked; a reader adds to them. */
struct lz_script_file {
    struct lz_str text;
    struct lz_str path; /* for messages */
    struct lz_str key;  /* the same for the same file, by whatever path */
};

/*
 * How `use "./shop.lua"` reads files: `from` is the path of the file that says it. Whoever opens
 * the scenario decides what may be read. NULL: nothing. LZ_ERANGE: the file may not be read.
 */
struct lz_script_files {
    void *ctx;
    bool (*read)(void *ctx, const char *from, const char *name, struct lz_script_file *out,
                 struct lz_err *err);
};

struct lz_script_opts {
    const char *path; /* for messages, as the user gave it */
    const char *source;
    size_t source_len;
    const struct lz_script_set *sets;
    size_t set_count;
    struct lz_script_files files;
    uint64_t instructions_max;          /* between two yields; 0 means 100 million */
    size_t memory_max;                  /* of the whole universe; 0 means 1 GiB */
    unsigned slot;                      /* arena slot */
    bool captures;                      /* keep the top level's locals, for a prompt (prompt.h) */
    const struct lz_fault_hands *hands; /* who does what faults ask: the run is live (real.h) */
    bool is_checked; /* it is built and not run: also what can only be run live */
    bool is_ticked;  /* instructions are not counted: see lz_script_tick */
    /* For a second run that must do the same (--shake); 0 means as always. */
    uint32_t hash_seed; /* of Lua's string hash */
    unsigned gc_pause;  /* percent a heap grows before it is collected again */
};

/* Why loading or running did not come to an end. */
enum lz_script_trouble {
    LZ_SCRIPT_OK,
    LZ_SCRIPT_WRONG,   /* diagnostics were given: exit 2 */
    LZ_SCRIPT_RUNAWAY, /* too many instructions without giving time back: LZ510, exit 2 */
    LZ_SCRIPT_MEMORY,  /* memory budget used up: exit 7 */
    LZ_SCRIPT_TICKED,  /* Lua ran on over two ticks: do it again, counted */
};

/* One combination of parameter values. */
struct lz_script_case {
    const char *const *names;  /* as declared */
    const char *const *values; /* as written: "3", "10%", "off", "true" */
    size_t count;
    bool xfail;
};

bool lz_script_load(const struct lz_script_opts *opts, struct lz_script **out, struct lz_err *err)
    LZ_MUST_CHECK; /* false only if the universe cannot be made */
void lz_script_destroy(struct lz_script *s);

/* Make what all universes begin with, for this process and those it forks. May be left out. */
void lz_script_warm(void);

/*
 * Counting instructions costs Lua a third of its speed. Who calls this every 25 ms or so of
 * processor time, from a signal handler, may go without: a script that has not given virtual
 * time back between two ticks is interrupted, and then run again from its beginning with its
 * instructions counted. A hundred million take longer than two ticks anywhere, so what comes
 * out does not depend on when a tick came. One ticked universe at a time in a process.
 */
void lz_script_tick(void);

enum lz_script_trouble lz_script_trouble(const struct lz_script *s);

/* All diagnostics, rendered for a terminal of that width; empty if there are none. */
const char *lz_script_diagnostics(struct lz_script *s, bool colour);
size_t lz_script_error_count(const struct lz_script *s);

/* After a load without trouble. */
const char *lz_script_scenario(const struct lz_script *s); /* its sentence */
const char *lz_script_about(const struct lz_script *s);    /* NULL if it has none */
size_t lz_script_tag_count(const struct lz_script *s);
const char *lz_script_tag(const struct lz_script *s, size_t i);
lz_time lz_script_duration(const struct lz_script *s);
uint64_t lz_script_seeds(const struct lz_script *s); /* that a sweep runs; 0: not said */

/* The hash of everything that was read: the scenario's text, then its modules' files. Valid
 * whatever the trouble. */
uint64_t lz_script_text_hash(const struct lz_script *s);

/* The matrix, after pins: at least one case, in the order values are written. */
size_t lz_script_case_count(const struct lz_script *s);
const struct lz_script_case *lz_script_case(const struct lz_script *s, size_t i);

/* Whether this version can run all that it declares; if not, building says what (LZ114).
   A scenario may be checked long before that. */
bool lz_script_is_runnable(struct lz_script *s);

/* Of one that was built: are there functions that run with the world, or look at it afterwards? */
bool lz_script_has_code(const struct lz_script *s);

/* Whether it can only be run live (real.h): something real stands for itself. */
bool lz_script_is_real(struct lz_script *s);

/*
 * Build the world for the loaded values (load again with all params pinned to run
 * another case). False with LZ_SCRIPT_WRONG and diagnostics if the model refuses.
 */
struct lz_script_world {
    struct lz_world *world;
    struct lz_faults *faults;
    struct lz_checks *checks;
};
/* Before it is built: leave out this share of the planned faults, see lz_faults_swarm. */
void lz_script_set_swarm(struct lz_script *s, double share);

/* Likewise: leave out the nth of them, see lz_faults_without. */
void lz_script_set_without(struct lz_script *s, size_t nth);
/* Before it is built: in which order messages arrive, see sim/order.h. */
void lz_script_set_order(struct lz_script *s, const struct lz_order_opts *order);

bool lz_script_build(struct lz_script *s, uint64_t seed, uint64_t events_max,
                     struct lz_script_world *out) LZ_MUST_CHECK;

/* Run to the end, judge, and decide. The trouble says whether a script went wrong inside. */
enum lz_sim_stop lz_script_run(struct lz_script *s);

#endif
