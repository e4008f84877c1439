/*
 * instance.h — running processes: starting, up, paused, stopping, dead, on a host that may be lost.
 *
 *            kill                       restart
 *   up ───────────────▶ dead ───────────────────────▶ starting ──startup──▶ up  (incarnation + 1)
 *   up ──pause──▶ paused ──resume──▶ up                    (state kept, messages waited)
 *   up ──SIGTERM──▶ stopping ──drained, or the grace is over──▶ dead
 *   up ──host down──▶ lost ──host back──▶ starting         (incarnation + 1, silence between)
 *
 * A killed process resets its connections at once; a lost host is silence; a paused process is
 * silence and then a burst. One that starts or stops does not listen: it answers with a reset,
 * like a host without the process; the stopping one finishes what it has. Several faults may
 * hold an instance down at once: it comes back when the last lets go. A pause ends with the
 * process it stopped.
 *
 * How long starting and stopping take, and who starts again what has ended, is for life.h.
 * Kinds of component hang their behaviour in by `struct lz_instance_ops`.
 */
#ifndef LZ_MODEL_NODE_INSTANCE_H
#define LZ_MODEL_NODE_INSTANCE_H

#include "base/check.h"
#include "model/place.h"
#include "model/world.h"

enum lz_instance_state {
    LZ_INSTANCE_UP,
    LZ_INSTANCE_PAUSED,
    LZ_INSTANCE_DEAD,     /* the process ended: its host answers with a reset */
    LZ_INSTANCE_LOST,     /* the host is gone: silence */
    LZ_INSTANCE_STARTING, /* a process that does not listen yet */
    LZ_INSTANCE_STOPPING, /* told to end: finishes what it has, listens no more */
};

struct lz_instance_ops {
    void (*died)(struct lz_world *w, lz_instance_id id, bool silent); /* volatile state is gone */
    void (*started)(struct lz_world *w, lz_instance_id id);           /* a fresh process */
    void (*stopped)(struct lz_world *w, lz_instance_id id); /* paused: work stands still */
    void (*resumed)(struct lz_world *w, lz_instance_id id);
    void (*turned)(struct lz_world *w, lz_instance_id id); /* listens, or is in service, or not */
    /* Optional: the host of what has no process is gone, and with it what only its memory had. */
    void (*powerless)(struct lz_world *w, lz_instance_id id);
    /* Optional: a process is about to begin. False: it waits until lz_instance_pulled. */
    bool (*may_start)(struct lz_world *w, lz_instance_id id);
    /* Optional: its CPU may be in use to another share, and not by what it was asked (cpu.h). */
    void (*loaded)(struct lz_world *w, lz_instance_id id);
    /* Optional: a process that was told to end has more to finish than its tasks. It ends after the
       lz_life_idle that finds it has not. */
    bool (*drains)(const struct lz_world *w, lz_instance_id id);
};

/* A million of them lie idle in a large world, and each is one line of the cache. */
struct lz_instance {
    lz_component_id component;
    uint32_t ordinal; /* from 1 within its component */
    lz_host_id host;
    uint32_t incarnation;
    lz_host_id imaged;             /* where a process of it has run last; 0: nowhere yet */
    uint32_t deferred_last;        /* events waiting for a paused process, in a ring */
    uint16_t kills, pauses, downs; /* faults that hold it so */
    uint8_t state;                 /* enum lz_instance_state */
    bool is_away : 1;              /* no endpoint: callers are not told of it (endpoint.h) */
    bool is_starting : 1;          /* its process */
    bool is_stopping : 1;
    bool is_ended : 1;    /* the process ended, and nobody has started another */
    bool is_out : 1;      /* not among the endpoints: unready, or leaving */
    bool is_unpulled : 1; /* it would start, but for its image */
    const struct lz_instance_ops *ops;
    const struct lz_server_ops *serves; /* how it is asked, see task.h; NULL: by nobody */
    void *whole, *part; /* what its kind keeps of its component and of it alone; or NULL */
};

_Static_assert(sizeof(struct lz_instance) <= 64, "an instance is a line of the cache");

void lz_instances_init(struct lz_world *w);

/* `count` instances of a component, placed by `spread`. */
void lz_instances_add(struct lz_world *w, lz_component_id component, uint32_t count,
                      const struct lz_spread *spread, const struct lz_instance_ops *ops);

/* What `whole` and `part` are; those of the next instance are `stride` bytes further. */
void lz_instances_keep(struct lz_world *w, lz_component_id component, void *whole, void *first_part,
                       size_t stride);

/* Before the run: prepared, but no process; lz_instance_restart starts it. */
void lz_instance_prepare(struct lz_world *w, lz_instance_id id);

/* What is read at every step begins instance.c's own struct; read it by the getters. */
struct lz_instances_face {
    struct lz_instance *all; /* 1 .. */
    uint32_t count;
};

static inline struct lz_instance *lz_instance_get(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_instances_face *face = (const struct lz_instances_face *)w->instances;
    LZ_ASSERT(id - 1u < face->count);
    return &face->all[id];
}

/* Where its component is spread. */
const struct lz_spread *lz_instance_spread(const struct lz_world *w, lz_component_id component);

uint32_t lz_instance_count(const struct lz_world *w);

/*
 * Whose draws are its own: by its component and its ordinal. Its number depends on what else is
 * declared, and owns no draws.
 */
uint64_t lz_instance_path(const struct lz_world *w, lz_instance_id id);

static inline bool lz_instance_is_up(const struct lz_instance *i)
{
    return i->state == LZ_INSTANCE_UP;
}

/* It has a process. */
static inline bool lz_instance_runs(const struct lz_instance *i)
{
    return i->state != LZ_INSTANCE_DEAD && i->state != LZ_INSTANCE_LOST;
}

/* Connections are accepted, if not always soon. */
static inline bool lz_instance_listens(const struct lz_instance *i)
{
    return i->state == LZ_INSTANCE_UP || i->state == LZ_INSTANCE_PAUSED;
}

/* It has finished starting, and works or stands still. */
static inline bool lz_instance_has_begun(const struct lz_instance *i)
{
    return lz_instance_runs(i) && !i->is_starting;
}

/* Requests should come here: it is up, and among the endpoints. */
static inline bool lz_instance_is_ready(const struct lz_instance *i)
{
    return i->state == LZ_INSTANCE_UP && !i->is_out;
}

/* "web[2]"; a single instance has its component's name alone. */
void lz_instance_describe(const struct lz_world *w, lz_instance_id id, char *out, size_t size);

/* A line in the journal about an instance: "web[2] <what>". */
void lz_instance_note(struct lz_world *w, lz_instance_id id, const char *kind, const char *fmt, ...)
    LZ_PRINTF(4, 5);

/* For life.c, which sets the flags of a process: what they mean now. True if the state changed. */
bool lz_instance_settle(struct lz_world *w, lz_instance_id id);

/*
 * Faults: each call is undone by its counterpart, in any order. True if the state changed. A pause
 * is of a process: false if there is none, and it ends with it. Resume only the same incarnation.
 */
bool lz_instance_kill(struct lz_world *w, lz_instance_id id);
bool lz_instance_restart(struct lz_world *w, lz_instance_id id);

/* What its start waited for is there, or should be looked for again. */
bool lz_instance_pulled(struct lz_world *w, lz_instance_id id);
bool lz_instance_pause(struct lz_world *w, lz_instance_id id);
bool lz_instance_resume(struct lz_world *w, lz_instance_id id);
bool lz_instance_lose(struct lz_world *w, lz_instance_id id);
bool lz_instance_return(struct lz_world *w, lz_instance_id id);

void lz_instance_keep(struct lz_world *w, lz_instance_id id, lz_kind kind, uint64_t payload);

/* For handlers of events at an instance: if it is paused, keep the event for later, true. */
static inline bool lz_instance_defer(struct lz_world *w, lz_instance_id id, lz_kind kind,
                                     uint64_t payload)
{
    if (lz_instance_get(w, id)->state != LZ_INSTANCE_PAUSED)
        return false;
    lz_instance_keep(w, id, kind, payload);
    return true;
}

#endif
