#include "base/check.h"
#include "model/client/client_state.h"
#include "model/service/service_state.h"

// What task->detour says.
enum {
    FALLING_BACK = 1, // the call under way is the fallback of its step
    DEGRADED = 2,     // something was answered by a fallback, or left out
};

static void begin_call(struct lz_world *w, struct lz_service *s, struct lz_task *t, lz_edge_id edge,
                       uint64_t path)
{
    t->child = lz_client_begin(w, &(struct lz_client_begin){
                                      .edge = edge,
                                      .client = t->server,
                                      .owner_kind = LZ_OWNER_TASK,
                                      .owner = lz_pool_id(t),
                                      .request = t->request,
                                      .path = path,
                                      .key = t->key,
                                      .parent_call = t->call_number,
                                      .op = s->opts.is_balancer ? t->op : 0,
                                  });
}

static void end(struct lz_world *w, struct lz_service *s, struct lz_task *t)
{
    if (t->detour & DEGRADED)
        lz_metrics_add(w->metrics, s->series.degraded, 1);
    lz_serve_finish(w, t, LZ_OUTCOME_OK, 200);
}

void lz_step_begin(struct lz_world *w, struct lz_service *s, struct lz_task *t)
{
    if (t->step == s->step_count) {
        end(w, s, t);
        return;
    }
    if (!s->opts.parallel || s->step_count == 1) {
        begin_call(w, s, t, s->steps[t->step].edge, lz_draw_index(t->path, t->step));
        return;
    }
    if (s->bundle == 0)
        s->bundle = lz_call_bundle(w, s->id, s->steps, s->step_count);
    t->step = (uint16_t)(s->step_count - 1); // whose end is the end of all
    begin_call(w, s, t, s->bundle, t->path);
}

// Of calls in a row, what is to become of one that has failed: true if its fallback is tried.
static bool falls_back(struct lz_world *w, struct lz_service *s, struct lz_task *t)
{
    const struct lz_call_member *m = &s->steps[t->step];
    if (m->fallback == 0 || (t->detour & FALLING_BACK))
        return false;
    t->detour |= FALLING_BACK | DEGRADED;
    begin_call(w, s, t, m->fallback, lz_draw_index(t->path, LZ_PATH_OF_FALLBACKS + t->step));
    return true;
}

void lz_step_called(struct lz_world *w, struct lz_task *t, const struct lz_call_result *result)
{
    struct lz_service *s = lz_service_of(w, t);
    if (t->handler != 0) {
        w->services->script.called(w->services->script.ctx, lz_pool_id(t), result);
        return;
    }
    LZ_ASSERT(t->step < s->step_count);
    bool is_bundle = s->bundle != 0;
    if (result->is_degraded)
        t->detour |= DEGRADED;
    if (result->outcome != LZ_OUTCOME_OK) {
        if (!is_bundle && falls_back(w, s, t))
            return;
        if (is_bundle || !s->steps[t->step].is_optional) {
            lz_serve_finish(w, t, LZ_OUTCOME_ERROR, result->status);
            return;
        }
        t->detour |= DEGRADED;
    }
    if (s->gateway != NULL && result->outcome == LZ_OUTCOME_OK)
        lz_gateway_fetched(w, s, t);
    t->detour &= (uint8_t)~FALLING_BACK;
    t->step++;
    lz_step_begin(w, s, t);
}
