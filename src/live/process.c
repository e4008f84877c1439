// Faults on processes that we started: by signals, and by who starts them again.

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/family.h"
#include "live/live.h"
#include "live/loop.h"
#include "live/program.h"
#include "model/traffic/traffic.h"

#define LOOK_EVERY (20 * LZ_MS)
#define BACKOFF (10 * LZ_S)
#define BACKOFF_MAX (300 * LZ_S)

// What was done to one of its processes.
struct hit {
    struct lz_program *program;
    pid_t pid; // of the process that was hit; 0: none was
    uint64_t start;
    bool is_held;
    bool was_seen; // the effect, in /proc
};

struct hits {
    struct hit *all;
    size_t count;
};

static struct hits *take(struct lz_action_firing *f)
{
    struct hits *hits = lz_mem_alloc(sizeof(*hits));
    *hits = (struct hits){.all = lz_mem_alloc((f->process_count + 1) * sizeof(struct hit)),
                          .count = f->process_count};
    for (size_t i = 0; i < hits->count; i++)
        hits->all[i] = (struct hit){.program = f->processes[i]->own,
                                    .pid = f->processes[i]->pid,
                                    .start = f->processes[i]->start_time};
    f->own = hits;
    return hits;
}

static void drop(struct lz_action_firing *f)
{
    struct hits *hits = f->own;
    free(hits->all);
    free(hits);
    f->own = NULL;
}

// ---------------------------------------------------------------- kill, stop

static bool apply_kill(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    (void)live;
    (void)err;
    struct hits *hits = take(f);
    bool is_held = f->fault->opts.lasting > 0;
    lz_time grace = f->fault->full.graceful;
    bool is_asked = strcmp(f->fault->kind->name, "stop") == 0 || grace > 0;
    for (size_t i = 0; i < hits->count; i++) {
        struct hit *h = &hits->all[i];
        uint32_t n = is_asked ? lz_program_end(h->program, grace, is_held)
                              : lz_program_kill(h->program, is_held);
        h->is_held = is_held;
        if (n == 0)
            h->pid = 0;
    }
    return true;
}

static void end_kill(struct lz_live *live, struct lz_action_firing *f)
{
    (void)live;
    struct hits *hits = f->own;
    for (size_t i = 0; i < hits->count; i++)
        if (hits->all[i].is_held)
            lz_program_release(hits->all[i].program);
    drop(f);
}

// Those that are gone. Of `stop` being told is the effect, and it was there to be told.
static uint64_t effect_kill(struct lz_live *live, const struct lz_action_firing *f)
{
    (void)live;
    const struct hits *hits = f->own;
    bool is_stop = strcmp(f->fault->kind->name, "stop") == 0;
    uint64_t count = 0;
    for (size_t i = 0; i < hits->count; i++) {
        struct hit *h = &hits->all[i];
        bool is_gone = h->pid != 0 && lz_family_start_time(h->pid) != h->start;
        h->was_seen = h->was_seen || is_gone || (is_stop && h->pid != 0);
        count += h->was_seen;
    }
    return count;
}

// ---------------------------------------------------------------- pause

static bool apply_pause(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    (void)live;
    struct hits *hits = take(f);
    bool ok = true;
    for (size_t i = 0; i < hits->count && ok; i++) {
        struct hit *h = &hits->all[i];
        err->msg[0] = '\0';
        h->is_held = lz_program_pause(h->program, err) > 0;
        ok = err->msg[0] == '\0';
    }
    return ok;
}

static void end_pause(struct lz_live *live, struct lz_action_firing *f)
{
    (void)live;
    struct hits *hits = f->own;
    for (size_t i = 0; i < hits->count; i++) {
        struct hit *h = &hits->all[i];
        if (h->is_held && lz_family_start_time(h->pid) == h->start)
            lz_program_resume(h->program);
    }
    drop(f);
}

static uint64_t effect_pause(struct lz_live *live, const struct lz_action_firing *f)
{
    (void)live;
    const struct hits *hits = f->own;
    uint64_t count = 0;
    for (size_t i = 0; i < hits->count; i++) {
        struct hit *h = &hits->all[i];
        const struct lz_family family = {.pid = h->pid, .start = h->start};
        if (h->is_held && !h->was_seen)
            h->was_seen = lz_family_stopped(&family) > 0;
        count += h->was_seen;
    }
    return count;
}

// ---------------------------------------------------------------- crash_loop

enum phase { SERVES, IS_DOWN, COMES };

struct looped {
    struct lz_program *program;
    struct lz_site_process *process;
    enum phase phase;
    int64_t until; // of IS_DOWN, and of a life
    uint32_t crashes;
};

struct loops {
    struct lz_live *live;
    struct lz_loop_timer timer;
    struct looped *all;
    size_t count;
    lz_time life, backoff;
};

// At once, then after the back-off, twice it, ... as the kubelet does.
static lz_time wait_of(const struct loops *ls, uint32_t crashes)
{
    lz_time wait = crashes > 1 ? ls->backoff : 0;
    for (uint32_t i = 2; i < crashes && wait < BACKOFF_MAX; i++)
        wait *= 2;
    return wait < BACKOFF_MAX ? wait : BACKOFF_MAX;
}

static void look(struct loops *ls, struct looped *l, int64_t now)
{
    bool is_ready = l->process->state == LZ_SITE_READY;
    if (l->phase == COMES && is_ready) {
        l->phase = SERVES;
        l->until = now + ls->life;
    }
    if (l->phase == SERVES && is_ready && now >= l->until) {
        if (lz_program_kill(l->program, true) > 0)
            l->crashes++;
        l->phase = IS_DOWN;
        l->until = now + wait_of(ls, l->crashes);
    } else if (l->phase == IS_DOWN && now >= l->until && l->process->pid == 0) {
        l->phase = COMES;
        lz_program_release(l->program);
    }
}

static void on_look(void *ctx, int64_t now)
{
    struct loops *ls = ctx;
    for (size_t i = 0; i < ls->count; i++)
        look(ls, &ls->all[i], now);
    lz_loop_arm(lz_live_loop(ls->live), &ls->timer, now + LOOK_EVERY);
}

static bool apply_loop(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    (void)err;
    struct loops *ls = lz_mem_alloc(sizeof(*ls));
    lz_time backoff = f->fault->full.backoff;
    *ls = (struct loops){.live = live,
                         .timer = {.fn = on_look, .ctx = ls},
                         .all = lz_mem_alloc((f->process_count + 1) * sizeof(*ls->all)),
                         .count = f->process_count,
                         .life = f->fault->full.life,
                         .backoff = backoff > 0 ? backoff : BACKOFF};
    for (size_t i = 0; i < ls->count; i++)
        ls->all[i] = (struct looped){
            .program = f->processes[i]->own, .process = f->processes[i], .phase = COMES};
    f->own = ls;
    on_look(ls, lz_loop_clock());
    return true;
}

static void end_loop(struct lz_live *live, struct lz_action_firing *f)
{
    struct loops *ls = f->own;
    lz_loop_cancel(lz_live_loop(live), &ls->timer);
    for (size_t i = 0; i < ls->count; i++)
        if (ls->all[i].phase == IS_DOWN)
            lz_program_release(ls->all[i].program);
    free(ls->all);
    free(ls);
    f->own = NULL;
}

static uint64_t effect_loop(struct lz_live *live, const struct lz_action_firing *f)
{
    (void)live;
    const struct loops *ls = f->own;
    uint64_t count = 0;
    for (size_t i = 0; i < ls->count; i++)
        count += ls->all[i].crashes;
    return count;
}

// ---------------------------------------------------------------- surge

// The arrivals are the model's own, and so is what makes more of them; it counts them itself.
static bool apply_surge(struct lz_live *live, struct lz_action_firing *f, struct lz_err *err)
{
    (void)err;
    f->fault->kind->apply(lz_live_world(live), (struct lz_fault *)f->fault);
    return true;
}

static void end_surge(struct lz_live *live, struct lz_action_firing *f)
{
    f->fault->kind->revert(lz_live_world(live), (struct lz_fault *)f->fault);
}

const struct lz_action lz_process_actions[] = {
    {.fault = "crash_loop",
     .on = LZ_ACTION_PROCESS,
     .how = "SIGKILL each time it serves, started again after the back-off",
     .apply = apply_loop,
     .end = end_loop,
     .effect = effect_loop},
    {.fault = "kill",
     .on = LZ_ACTION_PROCESS,
     .how = "SIGKILL to the program and all it started; with `lasting` started again then",
     .apply = apply_kill,
     .end = end_kill,
     .effect = effect_kill},
    {.fault = "pause",
     .on = LZ_ACTION_PROCESS,
     .how = "SIGSTOP to the program and all it started, SIGCONT at the end",
     .apply = apply_pause,
     .end = end_pause,
     .effect = effect_pause},
    {.fault = "stop",
     .on = LZ_ACTION_PROCESS,
     .how = "its stop signal, SIGKILL after its grace; with `lasting` started again then",
     .apply = apply_kill,
     .end = end_kill,
     .effect = effect_kill},
    {.fault = "surge",
     .on = LZ_ACTION_TRAFFIC,
     .how = "more requests are sent",
     .apply = apply_surge,
     .end = end_surge},
    {0},
};
