/*
 * fault.h — what goes wrong: a schedule of faults over a world, and the table of kinds.
 *
 * A fault kind is one file, fault_<kind>.c, holding one `struct lz_fault_kind`: its
 * parameters as data (the Lua half reads them to check scenarios), what it may
 * target, how it is applied and reverted, and what counts as its effect. A new kind
 * is one file and one row in kinds.c's table.
 *
 * Common options are `at`, `lasting`, `every`, `pick` and `ramp` (ramp.h). A share of the
 * instances is rounded half up and is at least one, drawn without replacement; Chaos Mesh
 * rounds up, Litmus takes the first so many.
 *
 * Life of a fault: planned ─at─▶ active ─lasting─▶ over, and with `every` again and
 * again; without `lasting` it stays active to the end. When it fires, its target is
 * resolved and `pick` chooses among the instances by keyed draw. It reverts on what
 * it hit, whatever roles say by then. Reverting recomputes from the base and the
 * faults still active, so that faults stack and un-stack in any order.
 *
 * Effect: each fault counts what it touched. One that never found a target, or
 * touched nothing, makes the run inconclusive. Those that a chaos draws of one fault of its
 * set are, like the firings of one with `every`, judged together.
 */
#ifndef LZ_FAULT_FAULT_H
#define LZ_FAULT_FAULT_H

#include <stddef.h>

#include "model/net/loss.h"
#include "model/target.h"
#include "model/world.h"
#include "sim/shape.h"

typedef uint32_t lz_fault_id; /* 0 is never issued */

enum lz_pick_kind {
    LZ_PICK_ALL, /* the default */
    LZ_PICK_ONE,
    LZ_PICK_COUNT,
    LZ_PICK_SHARE,  /* "50%": round half up, at least one, without replacement */
    LZ_PICK_RANDOM, /* "random 50%": each by its own draw */
};

struct lz_pick {
    enum lz_pick_kind kind;
    double amount; /* count or share */
};

/* Which requests, and what happens to them. */
struct lz_fault_request_params {
    double ratio;
    const char *path, *method; /* NULL: any */
    const char *body;          /* instead of the answer's */
    uint32_t status;           /* of the answer; 0: not said */
    uint32_t first, nth;       /* 0: not said */
    unsigned code;             /* rpc_status: which of its words */
    double rate;               /* per second */
    uint32_t burst;            /* 0: not said */
    uint32_t port;             /* of who serves; 0: any */
    uint32_t of_status;        /* of answers: only those; 0: any */
    unsigned side;             /* enum lz_fault_side */
    const char *header;        /* "name: value", or a name; NULL: any */
    const char *set_header;    /* of the answer */
};

/* Where a request is met: before it comes in, or when it is answered. */
enum lz_fault_side { LZ_FAULT_OF_REQUEST, LZ_FAULT_OF_ANSWER };

/* Parameters of all kinds; each kind lists which of them it has. */
struct lz_fault_params {
    struct lz_dist add;     /* latency */
    double ratio;           /* loss */
    double factor;          /* degrade */
    double error_ratio;     /* degrade */
    struct lz_shape more;   /* surge, bots */
    double load;            /* cpu: share of the cores stolen */
    double cores;           /* cpu: cores stolen */
    unsigned direction;     /* enum lz_fault_direction */
    unsigned per;           /* of what `ratio` is: enum lz_fault_per */
    unsigned by;            /* of faults on packets, live: enum lz_fault_by */
    const char *version;    /* bad_deploy: of the service's versions; NULL: all that run */
    uint32_t waves;         /* bad_deploy, config_push: in so many steps */
    lz_time gap;            /* between two of them */
    struct lz_dist delay;   /* dns */
    unsigned answer;        /* dns: enum lz_fault_dns_answer */
    const char *spoof;      /* dns: an address */
    double quota;           /* cpu_throttle */
    double fill;            /* memory: share of the limit */
    double leak;            /* memory: bytes per second */
    unsigned oom;           /* memory: kill, swap */
    uint32_t limit;         /* fd_limit, thread_limit, pid_limit, port_exhaustion */
    lz_time notice;         /* evict, drain, spot_interruption, reboot */
    bool capacity;          /* spot_interruption */
    lz_time offset;         /* clock_skew, clock_step */
    double ppm;             /* clock_drift */
    lz_time graceful;       /* kill, stop */
    lz_time backoff;        /* crash_loop */
    lz_time life;           /* crash_loop */
    double correlation;     /* of latency, loss, duplicate, reorder, corrupt */
    struct lz_loss burst;   /* loss */
    double rate;            /* bandwidth: bytes per second; flood: messages per second */
    double buffer;          /* bandwidth: bytes */
    double size;            /* slicer, flood, memory: bytes */
    lz_time piece_delay;    /* slicer */
    double variation;       /* slicer: bytes */
    lz_time cpu_time;       /* flood */
    lz_time up, down;       /* flap */
    uint32_t port;          /* blackhole */
    lz_time after;          /* reset */
    double bytes;           /* reset, limit_data */
    uint32_t response;      /* reset: of which answer */
    lz_time linger;         /* slow_close */
    lz_time expires_at;     /* cert_expiry */
    bool withdraw;          /* key_rotation */
    uint32_t key;           /* hot_key, lock, long_transaction */
    const char *table;      /* lock */
    double keep;            /* disk_full: bytes */
    uint32_t node;          /* failover: from 1 */
    double stay;            /* split_brain: share of the callers */
    unsigned mode;          /* failover: enum lz_cluster_failover */
    unsigned operations;    /* disk_error: bits */
    const char *errno_name; /* disk_error */
    struct lz_fault_request_params request; /* http_*, rpc_status, throttle */
};

/* Of a network fault: messages both ways, only to its target, or only from it. */
enum lz_fault_direction { LZ_FAULT_BOTH, LZ_FAULT_TO, LZ_FAULT_FROM };

/* What a draw of `ratio` decides: one message, or all that a connection carries. */
enum lz_fault_per { LZ_FAULT_PER_MESSAGE, LZ_FAULT_PER_CONNECTION };

/* Who acts on packets in a live run: whoever can, the kernel's traffic control, or a carrier. */
enum lz_fault_by { LZ_FAULT_BY_ANY, LZ_FAULT_BY_TC, LZ_FAULT_BY_NFQUEUE };

enum lz_param_type {
    LZ_PARAM_DURATION, /* lz_time */
    LZ_PARAM_OFFSET,   /* lz_time, may be below 0 */
    LZ_PARAM_DIST,     /* struct lz_dist; a plain duration is constant */
    LZ_PARAM_RATIO,    /* double, 0 to 1 */
    LZ_PARAM_NUMBER,   /* double */
    LZ_PARAM_SIGNED,   /* double, may be below 0 */
    LZ_PARAM_COUNT,    /* uint32_t */
    LZ_PARAM_SIZE,     /* double, bytes */
    LZ_PARAM_SPEED,    /* double, bytes per second: a bandwidth */
    LZ_PARAM_RATE,     /* double, per second */
    LZ_PARAM_LOAD,     /* struct lz_shape; a rate is constant */
    LZ_PARAM_TEXT,     /* const char *, NULL if absent */
    LZ_PARAM_BOOL,     /* bool */
    LZ_PARAM_CHOICE,   /* unsigned: which word of `choices`, "both|to|from"; the first is 0 */
    LZ_PARAM_BURST,    /* struct lz_loss: a model of loss in bursts */
    LZ_PARAM_WORDS,    /* unsigned: bit i for word i of `choices`, from 0; 0 if absent */
};

/* What a parameter grows from with `ramp`, see ramp.h. */
enum lz_param_ramp {
    LZ_RAMP_NONE,     /* has no magnitude, or must not change while the fault lasts */
    LZ_RAMP_FROM_0,   /* an addition, a share */
    LZ_RAMP_FROM_1,   /* a factor, a quota */
    LZ_RAMP_FROM_MAX, /* a limit: it comes down from infinity, as limit / share */
};

struct lz_param {
    const char *name;
    enum lz_param_type type;
    enum lz_param_ramp ramp;
    size_t offset; /* in struct lz_fault_params */
    bool required;
    double min, max; /* NUMBER, SIGNED, SIZE, SPEED, RATE; both 0: unbounded. COUNT: the least */
    double preset;   /* of a number, when it is absent */
    const char *choices;
    const char *doc; /* one line, with its unit */
};

struct lz_fault_opts {
    const char *kind;
    const char *name; /* "kill orders-db.primary"; NULL: made from kind and target */
    uint32_t line;
    uint32_t family; /* of a chaos: what it is one coming of; 0: it stands alone */
    struct lz_target target;
    struct lz_target target_b; /* partition: the other side; kind 0: everything else */
    lz_time at;                /* -1: now */
    lz_time spread;            /* it comes up to so much before or after `at`, by chance */
    lz_time lasting;           /* 0: to the end */
    lz_time every;             /* 0: once */
    lz_time ramp;              /* 0: at full strength at once */
    struct lz_pick pick;
    struct lz_fault_params params;
};

/*
 * A fault in the schedule. Kinds may read all of it and keep their undo data in `undo`. While a
 * ramp rises `opts.params` are those in force, and `full` what was asked for.
 */
struct lz_fault {
    const struct lz_fault_kind *kind;
    struct lz_fault_opts opts;
    struct lz_fault_params full;
    char *name;
    lz_time nominal;  /* `at` as it was asked for */
    uint64_t path;    /* owner of its draws */
    uint64_t effect;  /* what it touched, in the kind's unit */
    uint64_t applied; /* of it, what the latest firing's `apply` counted by itself, at the most */
    uint32_t firings;
    bool active;
    bool is_resolved;       /* `hits` are who is meant, even if they are none */
    bool is_left_out;       /* by a swarm: it never fires, and nobody misses it */
    bool has_come;          /* what its kind waits for, after an earlier firing */
    bool missed;            /* fired at least once without finding a target */
    lz_time started, ended; /* of the latest firing; -1 if not yet */
    lz_event_id ending;     /* its end, if it has a time */
    bool is_stopped;        /* its first firing, before that: it ended when `ended` says */
    lz_time stopped;        /* its latest firing, by somebody; -1: it was not */
    lz_instance_id *hits;   /* of the latest firing */
    uint32_t hit_count, hit_cap;
    uint32_t *undo;    /* one per hit, and one more, for the kind */
    lz_host_id *hosts; /* where `hits` stood, for kinds that ask */
    uint32_t host_cap;
    uint32_t step;  /* of the latest firing: 0 is its beginning */
    uint32_t risen; /* steps of the ramp of the latest firing */
    lz_event_id next_rise;
};

struct lz_fault_kind {
    const char *name;
    const char *doc;         /* one sentence */
    const char *effect_unit; /* "messages delayed" */
    const char *elsewhere;   /* how other tools' fault of this kind differs; NULL: it does not */
    unsigned targets; /* LZ_TARGET_BIT(...) it accepts; 0 in `target` allowed if needs_none */
    unsigned second;  /* LZ_TARGET_BITs of target_b; 0: takes no second target */
    /* LZ_FAULT_ON(kind)s of component that its component targets may be; 0: all but names. */
    unsigned on;
    bool per_instance; /* `hits` are resolved and picked before apply */
    bool per_link;     /* the same only for roles and for `pick`; a whole target may change */
    bool ramps_itself; /* `ramp` is read by apply; no steps */
    const struct lz_param *params; /* ends with name NULL */
    /* Optional: refuse a combination of parameters. */
    bool (*check)(const struct lz_fault_opts *opts, struct lz_err *err);
    /* Optional: refuse a target that has not what it needs. */
    bool (*fits)(const struct lz_world *w, const struct lz_fault_opts *opts, struct lz_err *err);
    /* Optional: of a place's instances, can this one be hit? What cannot is not picked. */
    bool (*takes)(const struct lz_world *w, lz_instance_id instance);
    void (*apply)(struct lz_world *w, struct lz_fault *f);
    /* Optional: a step of the ramp in place, for those whose reverting would lose what waits. */
    void (*change)(struct lz_world *w, struct lz_fault *f);
    /* Optional, both or none: how long until the next step, 0 if none is left; and its doing. */
    lz_time (*next)(struct lz_world *w, const struct lz_fault *f);
    void (*advance)(struct lz_world *w, struct lz_fault *f);
    void (*revert)(struct lz_world *w, struct lz_fault *f);
    /*
     * Optional: of one whose harm waits for something else, has that come? NULL when it has; or
     * what did not, for a run that has therefore tested nothing.
     */
    const char *(*waits)(const struct lz_world *w, const struct lz_fault *f);
    bool is_quiet;     /* its steps are many, and nothing to tell of */
    unsigned platform; /* of those: enum lz_platform_part that it withholds */
};

#define LZ_FAULT_ON(kind) (1u << (kind))
#define LZ_FAULT_ON_ALL (~0u)

struct lz_faults;

/* The table of kinds, in alphabetical order. */
size_t lz_fault_kind_count(void);
const struct lz_fault_kind *lz_fault_kind_get(size_t i);
const struct lz_fault_kind *lz_fault_kind_find(const char *name); /* NULL: no such kind */

/* What a fault waits for that has not come: nothing could have noticed it. NULL: nothing. */
const char *lz_fault_waits(const struct lz_world *w, const struct lz_fault *f);

struct lz_faults *lz_faults_create(struct lz_world *w);

/*
 * Who carries faults out in place of the model: a live run. Times, `pick`, targets and names are as
 * always, and so is what a fault counts, but for what it counts it in: `effect` is the hands'.
 * Before the first fault is added. `check` is asked when one is.
 */
struct lz_fault_hands {
    void *ctx;
    bool (*check)(void *ctx, const struct lz_fault_opts *opts, struct lz_err *err);
    void (*apply)(void *ctx, struct lz_fault *f);
    void (*change)(void *ctx, struct lz_fault *f); /* its opts.params rose */
    void (*revert)(void *ctx, struct lz_fault *f);
};
void lz_faults_hand_over(struct lz_faults *faults, const struct lz_fault_hands *hands);

/* End those that are in force, and begin no other: the run is over before its time. */
void lz_faults_end(struct lz_faults *faults);

/* Plan a fault, or with at = -1 begin it now. The opts' pointers must outlive the run. */
bool lz_fault_add(struct lz_faults *faults, const struct lz_fault_opts *opts, lz_fault_id *id,
                  struct lz_err *err) LZ_MUST_CHECK;

/* End what is in force now, before its time. False: it is not in force. */
bool lz_faults_stop(struct lz_faults *faults, lz_fault_id id, struct lz_err *err) LZ_MUST_CHECK;

/* For kinds that hit more than their target names: one more of `hits`, with room in `undo`. */
void lz_fault_hit(struct lz_world *w, struct lz_fault *f, lz_instance_id instance);

/*
 * Leave out each fault that is added from here on with this probability, by its own draw: seeds
 * that have some faults only find what all of them together hide (swarm testing; Groce and others,
 * ISSTA 2012). Those that act at once, from a script, stay.
 */
void lz_faults_swarm(struct lz_faults *faults, double share);

/* Before any is added: leave out the nth of them, from 1, as a swarm would; 0: none. */
void lz_faults_without(struct lz_faults *faults, size_t nth);

/* What could have come and did not, with this seed: a kind and a target, as they are written. */
struct lz_fault_absent {
    const char *kind, *target;
};
void lz_fault_note_absent(struct lz_faults *faults, const char *kind, const char *target);
size_t lz_fault_absent_count(const struct lz_faults *faults);
const struct lz_fault_absent *lz_fault_absent_get(const struct lz_faults *faults, size_t i);

/* The name of a chaos that brought nothing at all with this seed; NULL: there is none. */
void lz_fault_note_barren(struct lz_faults *faults, const char *chaos);
const char *lz_fault_barren(const struct lz_faults *faults);

size_t lz_fault_count(const struct lz_faults *faults); /* ids are 1 .. count */
const struct lz_fault *lz_fault_get(const struct lz_faults *faults, lz_fault_id id);

#endif
