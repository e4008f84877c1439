#include "live/machine/grip.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "live/acts.h"

struct lz_grip_value {
    struct lz_grip_value *next;
    const struct lz_action_firing *firing;
    double value;
    uint64_t effect_before;
};

// Of this process's one live run; in the order they began.
static struct lz_grip *grips;

static struct lz_grip **find(const struct lz_grip_kind *kind, const struct lz_site_process *process)
{
    struct lz_grip **at = &grips;
    while (*at != NULL && ((*at)->kind != kind || (*at)->process != process))
        at = &(*at)->next;
    return at;
}

static struct lz_grip_value *value_of(const struct lz_grip *g, const struct lz_action_firing *f)
{
    struct lz_grip_value *v = g != NULL ? g->values : NULL;
    while (v != NULL && v->firing != f)
        v = v->next;
    return v;
}

static bool put_in_force(struct lz_grip *g, struct lz_err *err)
{
    LZ_ASSERT(g->values != NULL);
    double value = g->kind->is_sum ? 0 : g->values->value;
    for (const struct lz_grip_value *v = g->values; v != NULL; v = v->next) {
        if (g->kind->is_sum)
            value += v->value;
        else if (v->value < value)
            value = v->value;
    }
    g->value = value;
    return g->kind->set(g, value, err);
}

static void on_look(void *ctx, int64_t now_ns)
{
    struct lz_grip *g = ctx;
    if (!lz_acts_are_waiting(lz_live_acts(g->live))) // who changes it is half-way
        g->kind->look(g);
    lz_loop_arm(lz_live_loop(g->live), &g->timer, now_ns + g->kind->look_every_ns);
}

static bool begin(const struct lz_grip_kind *kind, struct lz_live *live,
                  struct lz_site_process *process, struct lz_err *err)
{
    struct lz_grip *g = lz_mem_alloc(sizeof(*g));
    *g = (struct lz_grip){.kind = kind, .live = live, .process = process};
    if (!kind->begin(g, err)) {
        free(g);
        return false;
    }
    *find(kind, process) = g;
    g->timer = (struct lz_loop_timer){.fn = on_look, .ctx = g};
    if (kind->look_every_ns > 0)
        lz_loop_arm(lz_live_loop(live), &g->timer, lz_loop_clock() + kind->look_every_ns);
    return true;
}

static void drop_value(struct lz_grip *g, const struct lz_action_firing *f)
{
    struct lz_grip_value **at = &g->values;
    while (*at != NULL && (*at)->firing != f)
        at = &(*at)->next;
    struct lz_grip_value *v = *at;
    if (v == NULL)
        return;
    *at = v->next;
    free(v);
}

static void let_go(const struct lz_grip_kind *kind, const struct lz_site_process *process,
                   const struct lz_action_firing *f)
{
    struct lz_grip **at = find(kind, process);
    struct lz_grip *g = *at;
    struct lz_err err;
    if (g == NULL || value_of(g, f) == NULL)
        return;
    drop_value(g, f);
    if (g->values != NULL) {
        if (!put_in_force(g, &err))
            lz_live_doubt(g->live, "process %s: %s: %s", process->target->name, kind->name,
                          err.msg);
        return;
    }
    *at = g->next;
    lz_loop_cancel(lz_live_loop(g->live), &g->timer);
    kind->finish(g);
    free(g);
}

static bool take(const struct lz_grip_kind *kind, struct lz_live *live, struct lz_site_process *p,
                 const struct lz_action_firing *f, double value, struct lz_err *err)
{
    if (*find(kind, p) == NULL && !begin(kind, live, p, err))
        return false;
    struct lz_grip *g = *find(kind, p);
    struct lz_grip_value *v = lz_mem_alloc(sizeof(*v));
    *v = (struct lz_grip_value){
        .next = g->values, .firing = f, .value = value, .effect_before = g->effect};
    g->values = v;
    if (put_in_force(g, err))
        return true;
    let_go(kind, p, f);
    return false;
}

bool lz_grip_apply(const struct lz_grip_kind *kind, struct lz_live *live,
                   struct lz_action_firing *f, double value, struct lz_err *err)
{
    for (size_t i = 0; i < f->process_count; i++) {
        if (take(kind, live, f->processes[i], f, value, err))
            continue;
        lz_fail_in(err, "process %s", f->processes[i]->target->name);
        while (i-- > 0)
            let_go(kind, f->processes[i], f);
        return false;
    }
    return true;
}

bool lz_grip_change(const struct lz_grip_kind *kind, struct lz_action_firing *f, double value,
                    struct lz_err *err)
{
    for (size_t i = 0; i < f->process_count; i++) {
        struct lz_grip *g = *find(kind, f->processes[i]);
        struct lz_grip_value *v = value_of(g, f);
        LZ_ASSERT(v != NULL);
        v->value = value;
        if (!put_in_force(g, err))
            return lz_fail_in(err, "process %s", f->processes[i]->target->name);
    }
    return true;
}

void lz_grip_end(const struct lz_grip_kind *kind, struct lz_action_firing *f)
{
    for (size_t i = 0; i < f->process_count; i++)
        let_go(kind, f->processes[i], f);
}

uint64_t lz_grip_effect(const struct lz_grip_kind *kind, const struct lz_action_firing *f)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < f->process_count; i++) {
        struct lz_grip *g = *find(kind, f->processes[i]);
        const struct lz_grip_value *v = value_of(g, f);
        if (v == NULL)
            continue;
        if (kind->look != NULL)
            kind->look(g);
        sum += g->effect - v->effect_before;
    }
    return sum;
}
