/*
 * supervise.c — who starts a process again that has ended, and when; loops of crashes.
 *
 *   ended ──wants to be back──▶ back-off ──lz_supervise_on_restart──▶ starting
 *
 * A loop of crashes is a fault's: as long as one is on, each process ends so long after its start,
 * and is started again whatever was declared.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/node/life_state.h"

bool lz_life_is_supervised(const struct lz_world *w, lz_instance_id id)
{
    return lz_life_opts_of(w, id)->restart != LZ_RESTART_NEVER;
}

// The kubelet's back-off: the delay doubles with each restart and is forgotten after a long life.
static lz_time next_delay(struct lz_life *l, lz_time now)
{
    lz_time first = l->opts->backoff;
    for (uint32_t n = 0; n < l->loop_count; n++)
        if (l->loop_is_on[n] && l->loops[n].backoff > 0)
            first = l->loops[n].backoff;
    if (l->backoff == 0 || now - l->restarted > l->opts->backoff_reset) {
        l->backoff = first;
        return 0;
    }
    lz_time delay = l->backoff;
    lz_time most = l->opts->backoff_max > first ? l->opts->backoff_max : first;
    l->backoff = delay < most / 2 ? 2 * delay : most;
    return delay;
}

void lz_supervise(struct lz_world *w, lz_instance_id id, struct lz_life *l)
{
    bool wants = l->opts->restart == LZ_RESTART_ALWAYS || l->loops_on > 0 ||
                 (l->opts->restart == LZ_RESTART_ON_FAILURE && l->was_failure);
    if (!wants || l->is_restarting)
        return;
    lz_time delay = next_delay(l, lz_sim_now(w->sim));
    if (delay > 0)
        lz_instance_note(w, id, "backoff", "is started again in %g s", (double)delay / 1e9);
    l->is_restarting = true;
    l->restarts++;
    l->restarted = lz_sim_now(w->sim) + delay;
    l->restart = lz_life_later(w, delay, w->lives->restart, id);
}

void lz_supervise_on_restart(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_life *l = lz_life_get(w, entity);
    LZ_ASSERT(l->is_restarting);
    l->is_restarting = false;
    l->restart = 0;
    if (l->holds > 0)
        return; // whoever holds it lets it start
    lz_instance_get(w, entity)->is_ended = false;
    lz_instance_settle(w, entity);
}

static void count_crash(struct lz_life *l)
{
    for (uint32_t n = 0; n < l->loop_count; n++)
        if (l->loop_is_on[n])
            (*l->loops[n].crashes)++;
}

void lz_supervise_on_crash(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_life *l = lz_life_get(w, entity);
    if (!lz_life_is_current(w, entity, payload) || l->loops_on == 0)
        return;
    if (lz_life_crash(w, entity, "crashed"))
        count_crash(l);
}

uint32_t lz_life_crash_loop(struct lz_world *w, lz_instance_id id,
                            const struct lz_life_crashing *crashing)
{
    struct lz_life *l = lz_life_of(w, id);
    uint32_t n = 0;
    while (n < l->loop_count && l->loop_is_on[n])
        n++;
    l->loops = lz_grow(w->arena, l->loops, &l->loop_cap, n + 1, sizeof(*l->loops));
    l->loop_is_on =
        lz_grow(w->arena, l->loop_is_on, &l->loop_on_cap, n + 1, sizeof(*l->loop_is_on));
    if (n == l->loop_count)
        l->loop_count++;
    l->loops[n] = *crashing;
    l->loop_is_on[n] = true;
    l->loops_on++;
    if (lz_instance_has_begun(lz_instance_get(w, id)))
        lz_life_later(w, crashing->life, w->lives->crash, id);
    return n + 1;
}

void lz_life_crash_loop_end(struct lz_world *w, lz_instance_id id, uint32_t loop)
{
    struct lz_life *l = lz_life_get(w, id);
    LZ_ASSERT(l != NULL && loop >= 1 && loop <= l->loop_count);
    LZ_ASSERT(l->loop_is_on[loop - 1]);
    l->loop_is_on[loop - 1] = false;
    l->loops_on--;
}
