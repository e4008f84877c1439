/*
 * A quota of processor time: by a cgroup where one can be made, else by stopping the program for
 * part of each 100 ms. Both let it run at full speed and then not at all, as CFS's quota does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/family.h"
#include "live/machine/burn.h"
#include "live/machine/cgroup.h"
#include "live/machine/grip.h"
#include "live/program.h"

#define NS_PER_MS INT64_C(1000000)
#define PERIOD_NS (100 * NS_PER_MS) // CFS's
#define RUN_MIN_NS NS_PER_MS
#define LOOK_NS (250 * NS_PER_MS)
#define PIDS_MAX 4096

struct throttle {
    bool has_group;
    struct lz_cgroup group;
    // without a group:
    struct lz_loop_timer timer;
    bool is_stopped;
    int64_t stopped_at;
    uint64_t withheld_ns;
    lz_undo_id undo;
    pid_t undo_pid;
};

bool lz_throttle_probe(struct lz_str *saw)
{
    struct lz_str text;
    lz_str_init(&text);
    if (lz_cgroup_probe(&text))
        lz_str_add(saw, text.text);
    else
        lz_str_addf(saw, "by SIGSTOP and SIGCONT each 100 ms, for %s", text.text);
    lz_str_finish(&text);
    return true;
}

static struct lz_family family_of(const struct lz_site_process *p)
{
    return (struct lz_family){.pid = p->pid, .start = p->start_time};
}

static bool gather(struct lz_grip *g, struct lz_err *err)
{
    const struct throttle *t = g->own;
    const struct lz_family family = family_of(g->process);
    static pid_t pids[PIDS_MAX];
    size_t count = g->process->pid > 0 ? lz_family_pids(&family, pids, PIDS_MAX) : 0;
    bool any = count == 0;
    for (size_t i = 0; i < count; i++)
        any = lz_cgroup_add(&t->group, pids[i], err) || any; // one may have ended meanwhile
    return any;
}

static void cont(struct lz_grip *g)
{
    struct throttle *t = g->own;
    const struct lz_family family = family_of(g->process);
    if (!t->is_stopped)
        return;
    t->is_stopped = false;
    if (g->process->pid <= 0)
        return;
    if (lz_family_stopped(&family) > 0)
        t->withheld_ns += (uint64_t)(lz_loop_clock() - t->stopped_at);
    if (!lz_program_is_paused(g->process->own))
        lz_family_signal(&family, SIGCONT);
}

// Written down for each program that it becomes: one that was started again is another process.
static bool write_down(struct lz_grip *g)
{
    struct throttle *t = g->own;
    struct lz_err err;
    struct lz_undo *undo = lz_live_undo(g->live);
    if (t->undo != 0 && t->undo_pid == g->process->pid)
        return true;
    if (t->undo != 0)
        lz_undo_forget(undo, t->undo);
    t->undo = 0;
    const struct lz_undo_entry entry = {.verb = LZ_UNDO_SIGNAL,
                                        .pid = g->process->pid,
                                        .start = g->process->start_time,
                                        .number = SIGCONT};
    if (lz_undo_add(undo, &entry, &t->undo, &err)) {
        t->undo_pid = g->process->pid;
        return true;
    }
    t->undo = 0;
    lz_live_doubt(g->live, "process %s is not throttled: %s", g->process->target->name, err.msg);
    return false;
}

static void on_duty(void *ctx, int64_t now_ns)
{
    struct lz_grip *g = ctx;
    struct throttle *t = g->own;
    int64_t run = (int64_t)(g->value * (double)PERIOD_NS);
    run = run < RUN_MIN_NS ? RUN_MIN_NS : run > PERIOD_NS ? PERIOD_NS : run;
    if (t->is_stopped) {
        cont(g);
        lz_loop_arm(lz_live_loop(g->live), &t->timer, now_ns + run);
        return;
    }
    bool may = g->process->pid > 0 && g->value < 1.0 && !lz_program_is_paused(g->process->own);
    if (may && write_down(g)) {
        const struct lz_family family = family_of(g->process);
        lz_family_signal(&family, SIGSTOP);
        t->is_stopped = true;
        t->stopped_at = lz_loop_clock();
    }
    lz_loop_arm(lz_live_loop(g->live), &t->timer, now_ns + PERIOD_NS - run);
}

static bool begin(struct lz_grip *g, struct lz_err *err)
{
    struct throttle *t = lz_mem_alloc(sizeof(*t));
    struct lz_str saw;
    char name[128];
    *t = (struct throttle){.timer = {.fn = on_duty, .ctx = g}};
    g->own = t;
    lz_str_init(&saw);
    snprintf(name, sizeof(name), "lorenz-%s-%u", lz_live_run_name(g->live), g->process->index);
    t->has_group = lz_cgroup_probe(&saw);
    lz_str_finish(&saw);
    if (t->has_group && !lz_cgroup_create(lz_live_undo(g->live), name, &t->group, err)) {
        free(t);
        return false;
    }
    return true;
}

static bool set(struct lz_grip *g, double share, struct lz_err *err)
{
    struct throttle *t = g->own;
    LZ_ASSERT(share >= 0.0);
    if (t->has_group)
        return lz_cgroup_quota(&t->group,
                               share < 1.0 ? (share + 1e-6) * lz_burn_machine_cores() : 0, err) &&
               gather(g, err);
    if (!lz_loop_is_armed(&t->timer))
        on_duty(g, lz_loop_clock());
    return true;
}

static void look(struct lz_grip *g)
{
    struct throttle *t = g->own;
    struct lz_err err;
    uint64_t ns = t->withheld_ns;
    if (t->has_group) {
        bool gathered = gather(g, &err); // whoever was started since
        (void)gathered;
        ns = lz_cgroup_throttled_ns(&t->group);
    }
    g->effect = ns / (uint64_t)NS_PER_MS;
}

static void finish(struct lz_grip *g)
{
    struct throttle *t = g->own;
    struct lz_undo *undo = lz_live_undo(g->live);
    lz_loop_cancel(lz_live_loop(g->live), &t->timer);
    cont(g);
    if (t->undo != 0)
        lz_undo_forget(undo, t->undo);
    if (t->has_group)
        lz_cgroup_destroy(undo, &t->group);
    free(t);
}

const struct lz_grip_kind lz_grip_throttle = {
    .name = "cpu_throttle",
    .look_every_ns = LOOK_NS,
    .begin = begin,
    .set = set,
    .look = look,
    .finish = finish,
};
