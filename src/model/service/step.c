#include "base/check.h"
#include "model/client/client_state.h"
#include "model/client/edge.h"
#include "model/client/plain.h"
#include "model/data/txn.h"
#include "model/service/service_state.h"

// What task->detour says.
enum {
    FALLING_BACK = 1, // the call under way is the fallback of its step
    DEGRADED = 2,     // something was answered by a fallback, or left out
    TRANSACTING = 4,  // task->rest_ns is a transaction
};

#define PATH_OF_STATEMENTS (1u << 18) /* above any number of calls and fallbacks */

static inline void begin_call(struct lz_world *w, struct lz_service *s, struct lz_task *t,
                              lz_edge_id edge, uint64_t path)
{
    t->child = lz_plain_call(w, &(struct lz_client_begin){
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

// Reads of the first row and those behind it, then writes of them, then COMMIT.
static struct lz_statement statement_of(const struct lz_edge *e, const struct lz_task *t,
                                        uint32_t number)
{
    uint32_t reads = e->opts.reads, total = 0u + reads + e->opts.writes;
    if (number == total)
        return (struct lz_statement){.kind = LZ_STATEMENT_COMMIT};
    uint32_t row = number < reads ? number : number - reads;
    return (struct lz_statement){
        .kind = number < reads ? LZ_STATEMENT_READ : LZ_STATEMENT_WRITE,
        .key = row == 0 ? t->key : lz_draw_index(t->key, row),
        .value = lz_value_integer((int64_t)(t->path >> 8)),
    };
}

static void next_statement(struct lz_world *w, struct lz_task *t, const struct lz_edge *e,
                           lz_edge_id edge)
{
    lz_txn_id id = (lz_txn_id)t->rest_ns;
    uint32_t number = lz_txn_said(w, id);
    struct lz_statement statement = statement_of(e, t, number);
    lz_txn_say(w, id, &statement);
    uint64_t path = lz_draw_index(lz_draw_index(t->path, t->step), PATH_OF_STATEMENTS + number);
    t->child = lz_client_begin(w, &(struct lz_client_begin){
                                      .edge = edge,
                                      .client = t->server,
                                      .owner_kind = LZ_OWNER_TASK,
                                      .owner = lz_pool_id(t),
                                      .request = t->request,
                                      .path = path,
                                      .key = id,
                                      .parent_call = t->call_number,
                                  });
}

static void begin_transaction(struct lz_world *w, struct lz_task *t, const struct lz_edge *e,
                              lz_edge_id edge)
{
    t->rest_ns = (lz_time)lz_txn_open(
        w, &(struct lz_txn_opts){.edge = edge,
                                 .client = t->server,
                                 .isolation = (enum lz_isolation)e->opts.isolation,
                                 .path = lz_draw_index(t->path, t->step)});
    t->detour |= TRANSACTING;
    next_statement(w, t, e, edge);
}

// A statement has ended: true if there is another, and it is on its way.
static bool goes_on(struct lz_world *w, struct lz_task *t, lz_edge_id edge,
                    const struct lz_call_result *result)
{
    const struct lz_edge *e = lz_edge_get(w, edge);
    uint32_t total = 1u + e->opts.reads + e->opts.writes;
    if (result->outcome == LZ_OUTCOME_OK && lz_txn_said(w, (lz_txn_id)t->rest_ns) < total) {
        next_statement(w, t, e, edge);
        return true;
    }
    lz_step_let_go(w, t);
    return false;
}

void lz_step_let_go(struct lz_world *w, struct lz_task *t)
{
    if (!(t->detour & TRANSACTING))
        return;
    t->detour &= (uint8_t)~TRANSACTING;
    lz_txn_close(w, (lz_txn_id)t->rest_ns);
    t->rest_ns = 0;
}

static inline void end(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    if (t->detour & DEGRADED)
        lz_metrics_add(w->metrics, seat.s->series.degraded, 1);
    lz_serve_finish_at(w, seat, t, LZ_OUTCOME_OK, 200);
}

void lz_step_begin(struct lz_world *w, struct lz_service_seat seat, struct lz_task *t)
{
    struct lz_service *s = seat.s;
    if (t->step == s->step_count) {
        end(w, seat, t);
        return;
    }
    if (!s->opts.parallel || s->step_count == 1) {
        lz_edge_id edge = s->steps[t->step].edge;
        const struct lz_edge *e = lz_edge_get(w, edge);
        if (e->opts.session)
            begin_transaction(w, t, e, edge);
        else
            begin_call(w, s, t, edge, lz_draw_index(t->path, t->step));
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
    const struct lz_service_seat seat = lz_service_seat(w, t->server);
    struct lz_service *s = seat.s;
    if (t->handler != 0) {
        w->services->script.called(w->services->script.ctx, lz_pool_id(t), result);
        return;
    }
    LZ_ASSERT(t->step < s->step_count);
    if (t->detour == 0 && result->outcome == LZ_OUTCOME_OK && !result->is_degraded &&
        s->gateway == NULL) { // the usual way of what follows
        t->step++;
        lz_step_begin(w, seat, t);
        return;
    }
    if ((t->detour & TRANSACTING) && goes_on(w, t, s->steps[t->step].edge, result))
        return;
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
    lz_step_begin(w, seat, t);
}
