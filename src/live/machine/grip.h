/*
 * grip.h — a real process in the grip of faults of one kind, any number at once.
 *
 * Faults that hold something of a process (its quota, its limit, its clock) stack: what is in
 * force is the tightest of them, or their sum, worked out anew whenever one comes, changes or
 * goes. A grip exists while there is at least one; a kind says how it begins, how a value is put
 * in force, what is looked at now and then (a program that was started again, an effect that can
 * be seen), and how all is made good.
 *
 * `effect` is what was seen since the grip began; a firing's is what was seen since it came.
 */
#ifndef LZ_LIVE_MACHINE_GRIP_H
#define LZ_LIVE_MACHINE_GRIP_H

#include "live/action.h"
#include "live/live.h"
#include "live/loop.h"

struct lz_grip;

struct lz_grip_kind {
    const char *name;      /* of its faults, or of what they hold in common */
    bool is_sum;           /* else the smallest value is in force */
    int64_t look_every_ns; /* 0: not looked at */
    bool (*begin)(struct lz_grip *g, struct lz_err *err);
    bool (*set)(struct lz_grip *g, double value, struct lz_err *err);
    void (*look)(struct lz_grip *g);
    void (*finish)(struct lz_grip *g);
};

struct lz_grip_value;

struct lz_grip {
    struct lz_grip *next;
    const struct lz_grip_kind *kind;
    struct lz_live *live;
    struct lz_site_process *process;
    struct lz_grip_value *values;
    double value; /* in force */
    uint64_t effect;
    struct lz_loop_timer timer;
    void *own; /* the kind's */
};

bool lz_grip_apply(const struct lz_grip_kind *kind, struct lz_live *live,
                   struct lz_action_firing *f, double value, struct lz_err *err) LZ_MUST_CHECK;
bool lz_grip_change(const struct lz_grip_kind *kind, struct lz_action_firing *f, double value,
                    struct lz_err *err) LZ_MUST_CHECK;
void lz_grip_end(const struct lz_grip_kind *kind, struct lz_action_firing *f);
uint64_t lz_grip_effect(const struct lz_grip_kind *kind, const struct lz_action_firing *f);

/* Kinds, each a file. */
extern const struct lz_grip_kind lz_grip_throttle; /* share of the cores */
extern const struct lz_grip_kind lz_grip_descriptors;
extern const struct lz_grip_kind lz_grip_disk;  /* bytes that stay free */
extern const struct lz_grip_kind lz_grip_clock; /* nanoseconds that it is ahead */

/* What those files know of this machine. */
bool lz_throttle_probe(struct lz_str *saw);
bool lz_disk_probe(struct lz_str *saw);
bool lz_clock_probe(struct lz_str *saw);

#endif
