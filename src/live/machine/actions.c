/*
 * Faults of machines: rows of the table of actions.
 *
 * The machine is the one that Lorenz and the programs share, so what is taken of it (cores,
 * memory) is taken from all; what is held of a program (quota, descriptors, disk, clock) is its
 * own. Each row says so.
 */
#include <stdlib.h>

#include "base/check.h"
#include "live/live.h"
#include "live/machine/burn.h"
#include "live/machine/grip.h"

#define MIB 1048576.0
#define ALL_OF_IT 0.99 // of memory: what is less is told

// --- cpu: cores ---

static double cores_of(const struct lz_fault_params *p)
{
    double all = lz_burn_machine_cores();
    double cores = p->cores > 0.0 ? p->cores : p->load * all;
    return cores < all ? cores : all;
}

static bool check_cpu(const struct lz_fault_opts *o, struct lz_err *err)
{
    unsigned cores = lz_burn_machine_cores();
    if (o->params.cores <= cores)
        return true;
    return lz_fail(err, LZ_ERANGE, "fault.cpu: `cores` is %g, and this machine has %u",
                   o->params.cores, cores);
}

// A ramp begins with next to nothing and may grow to what was asked for in full.
static bool apply_cpu(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    struct lz_burn *b;
    if (!lz_burn_cores(lz_live_loop(live), cores_of(&f->fault->full), &b, err))
        return false;
    lz_burn_set_cores(b, cores_of(&f->fault->opts.params));
    f->own = b;
    return true;
}

static bool change_cpu(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    (void)live;
    (void)err;
    lz_burn_set_cores(f->own, cores_of(&f->fault->opts.params));
    return true;
}

static void end_burn(struct lz_live *live, struct lz_action_firing *f)
{
    (void)live;
    lz_burn_end(f->own);
    f->own = NULL;
}

static uint64_t effect_cpu(struct lz_live *live, const struct lz_action_firing *f)
{
    (void)live;
    return lz_burn_busy(f->own);
}

// --- memory ---

static bool check_memory(const struct lz_fault_opts *o, struct lz_err *err)
{
    double all = lz_burn_machine_memory();
    // enum: kill, swap.
    if (o->params.oom != 0)
        return lz_fail(err, LZ_EINVAL,
                       "fault.memory: whether memory is swapped out is for this machine to decide "
                       "in a live run: leave `oom` out");
    return o->params.size <= all ||
           lz_fail(err, LZ_ERANGE,
                   "fault.memory: `size` is %.0f MiB, and this machine has %.0f MiB",
                   o->params.size / MIB, all / MIB);
}

static double memory_of(const struct lz_fault_params *p)
{
    return p->size > 0.0 ? p->size : p->fill * lz_burn_machine_memory();
}

static bool apply_memory(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    const struct lz_fault_params *p = &f->fault->opts.params;
    struct lz_burn *b;
    if (!lz_burn_memory(lz_live_loop(live), memory_of(p), p->leak, &b, err))
        return false;
    f->own = b;
    return true;
}

static bool change_memory(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    (void)live;
    (void)err;
    const struct lz_fault_params *p = &f->fault->opts.params;
    lz_burn_set_memory(f->own, memory_of(p), p->leak);
    return true;
}

// An eighth is left to others, and what is over soon has not taken all: it says how much it was.
static void end_memory(struct lz_live *live, struct lz_action_firing *f)
{
    double want = memory_of(&f->fault->opts.params), taken = (double)lz_burn_bytes(f->own);
    if (taken < ALL_OF_IT * want)
        lz_live_note(live,
                     "fault %s took %.0f MiB of %.0f MiB: it had no time, or an eighth of "
                     "this machine's memory was left to others",
                     f->fault->name, taken / MIB, want / MIB);
    end_burn(live, f);
}

static uint64_t effect_memory(struct lz_live *live, const struct lz_action_firing *f)
{
    (void)live;
    return lz_burn_bytes(f->own);
}

// --- what is held of a program ---

#define ON_GRIP(NAME, KIND, VALUE)                                                                 \
    static bool apply_##NAME(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err) \
    {                                                                                              \
        return lz_grip_apply(&KIND, live, f, (double)f->fault->opts.params.VALUE, err);            \
    }                                                                                              \
    static bool change_##NAME(struct lz_live *live, struct lz_action_firing *f,                    \
                              struct lz_err *err)                                                  \
    {                                                                                              \
        (void)live;                                                                                \
        return lz_grip_change(&KIND, f, (double)f->fault->opts.params.VALUE, err);                 \
    }                                                                                              \
    static void end_##NAME(struct lz_live *live, struct lz_action_firing *f)                       \
    {                                                                                              \
        (void)live;                                                                                \
        lz_grip_end(&KIND, f);                                                                     \
    }                                                                                              \
    static uint64_t effect_##NAME(struct lz_live *live, const struct lz_action_firing *f)          \
    {                                                                                              \
        (void)live;                                                                                \
        return lz_grip_effect(&KIND, f);                                                           \
    }

ON_GRIP(throttle, lz_grip_throttle, quota)
ON_GRIP(descriptors, lz_grip_descriptors, limit)
ON_GRIP(disk, lz_grip_disk, keep)
ON_GRIP(clock, lz_grip_clock, offset)

#define GRIP_ROW(KIND, NAME, HOW, NEEDS, PROBE)                                                    \
    {                                                                                              \
        .fault = KIND, .on = LZ_ACTION_PROCESS, .how = HOW, .needs = NEEDS, .probe = PROBE,        \
        .apply = apply_##NAME, .change = change_##NAME, .end = end_##NAME, .effect = effect_##NAME \
    }

const struct lz_action lz_machine_actions[] = {
    GRIP_ROW("clock_skew", clock, "libfaketime in front of its clocks, for it alone",
             "libfaketime, and a program that is linked dynamically", lz_clock_probe),
    GRIP_ROW("clock_step", clock, "libfaketime in front of its clocks, for it alone",
             "libfaketime, and a program that is linked dynamically", lz_clock_probe),
    {.fault = "cpu",
     .on = LZ_ACTION_PROCESS,
     .how = "processes that keep cores of this machine busy, for all on it",
     .check = check_cpu,
     .apply = apply_cpu,
     .change = change_cpu,
     .end = end_burn,
     .effect = effect_cpu},
    GRIP_ROW("cpu_throttle", throttle, "a cgroup's quota, or SIGSTOP for part of each 100 ms",
             "nothing; a cgroup for cpu that is writable to do it by quota", lz_throttle_probe),
    GRIP_ROW("disk_full", disk, "its folder is a tmpfs of its own, which a file of ours fills",
             "CAP_SYS_ADMIN, or a user namespace: unshare -Urm lorenz live ...", lz_disk_probe),
    GRIP_ROW("fd_limit", descriptors, "its soft limit (prlimit), and of all it started", NULL,
             NULL),
    {.fault = "memory",
     .on = LZ_ACTION_PROCESS,
     .how = "a process that holds memory of this machine, an eighth is left to others",
     .check = check_memory,
     .apply = apply_memory,
     .change = change_memory,
     .end = end_memory,
     .effect = effect_memory},
    {0},
};
