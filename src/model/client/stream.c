#include "model/client/stream.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/net/connect.h"
#include "model/net/net.h"
#include "model/node/instance.h"
#include "model/service/argument.h"
#include "model/service/task.h"

// Of a task that passes on an answer, by its index.
struct passing {
    uint64_t call;        // upstream; 0: none, or it is through
    uint32_t incarnation; // of the process through which it passes
    bool is_answered;     // its own answer is on the way
    bool has_half;        // all of that is there, but for what is still upstream
    bool has_tail;        // the news that it is through
    bool is_broken;
};

struct lz_streams {
    lz_kind first, half, tail;
    struct passing *tasks;
    uint32_t task_cap;
    lz_time *first_at; // by call's index
    uint32_t call_cap;
};

bool lz_stream_check(const struct lz_edge_opts *o, struct lz_err *err)
{
    if (o->stream && (o->fan_out > 1 || o->hedge.attempts > 1 || o->single_flight))
        return lz_fail(err, LZ_EINVAL,
                       "stream cannot be together with fan_out, hedge or single_flight: an answer "
                       "that is one of several, or shared, is awaited as a whole");
    return true;
}

static struct passing *passing_of(const struct lz_world *w, const struct lz_task *t)
{
    struct lz_streams *ss = w->streams;
    return ss != NULL && t->head.index < ss->task_cap ? &ss->tasks[t->head.index] : NULL;
}

static struct passing *make_passing(struct lz_world *w, const struct lz_task *t)
{
    struct lz_streams *ss = w->streams;
    ss->tasks = lz_grow(w->arena, ss->tasks, &ss->task_cap, t->head.index + 1, sizeof(*ss->tasks));
    return &ss->tasks[t->head.index];
}

// The caller goes on while the rest arrives.
static void let_go_on(struct lz_world *w, struct lz_call *c, const struct lz_task *answered)
{
    struct lz_task *t = lz_task_find(w, c->owner);
    LZ_ASSERT(t != NULL && t->child == lz_pool_id(c));
    struct passing *p = make_passing(w, t);
    if (p->call != 0)
        return; // it passes one on already: of this one it waits for all
    *p = (struct passing){.call = t->child,
                          .incarnation = lz_instance_get(w, t->server)->incarnation};
    const struct lz_call_result result = {.outcome = answered->outcome,
                                          .status = answered->status,
                                          .value = answered->value,
                                          .answer = lz_argument_answered(w, answered)};
    c->owner_kind = LZ_OWNER_STREAM;
    t->child = 0;
    t->child_ns += lz_sim_now(w->sim) - c->begun;
    lz_task_ops(w, lz_instance_get(w, t->server)->component)->called(w, t, &result);
}

static void on_first(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || !lz_client_is_waiting(w, t->call, payload) ||
        lz_instance_defer(w, entity, w->streams->first, payload))
        return;
    struct lz_streams *ss = w->streams;
    struct lz_call *c = lz_client_find(w, t->call);
    if (t->outcome != LZ_OUTCOME_OK)
        return; // its caller may try again
    ss->first_at =
        lz_grow(w->arena, ss->first_at, &ss->call_cap, c->head.index + 1, sizeof(lz_time));
    ss->first_at[c->head.index] = lz_sim_now(w->sim);
    if (c->owner_kind == LZ_OWNER_TASK)
        let_go_on(w, c, t);
}

static void arrive(struct lz_world *w, struct lz_task *t)
{
    if (lz_client_is_waiting(w, t->call, lz_pool_id(t)))
        lz_client_answered(w, t);
    lz_task_free(w, t);
}

// All that its server had to send is there.
static void on_half(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->streams->half, payload))
        return;
    struct passing *p = passing_of(w, t);
    LZ_ASSERT(p != NULL);
    p->has_half = true;
    if (p->has_tail || !lz_client_is_waiting(w, t->call, payload))
        arrive(w, t);
}

// What it passes on is through, and so is the last of it.
static void on_tail(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->streams->tail, payload))
        return;
    struct passing *p = passing_of(w, t);
    LZ_ASSERT(p != NULL);
    p->has_tail = true;
    if (p->has_half)
        arrive(w, t);
}

void lz_stream_declare(struct lz_world *w)
{
    if (w->streams != NULL)
        return;
    w->streams = lz_arena_alloc(w->arena, sizeof(*w->streams));
    lz_world_has(w, LZ_UNUSUAL_STREAMS);
    w->streams->first = lz_sim_kind(w->sim, "first byte", on_first, w);
    w->streams->half = lz_sim_kind(w->sim, "streamed", on_half, w);
    w->streams->tail = lz_sim_kind(w->sim, "stream end", on_tail, w);
}

lz_kind lz_stream_first_kind(const struct lz_world *w, const struct lz_edge *e)
{
    return e->opts.stream ? w->streams->first : 0;
}

lz_time lz_stream_first_at(const struct lz_world *w, const struct lz_call *c)
{
    const struct lz_streams *ss = w->streams;
    return ss != NULL && c->head.index < ss->call_cap ? ss->first_at[c->head.index] : 0;
}

static void send_tail(struct lz_world *w, const struct lz_task *t)
{
    struct lz_message m = {.from = t->server,
                           .kind = w->streams->tail,
                           .payload = lz_pool_id(t),
                           .owner = lz_draw_index(t->path, 3),
                           .conversation = t->path,
                           .purpose = LZ_PURPOSE_NET_BACK};
    lz_connect_address(w, t->call, &m);
    m.bytes = LZ_NET_SMALL_BYTES;
    m.first = 0;
    lz_net_send(w, &m);
}

void lz_stream_ended(struct lz_world *w, lz_task_id id, const struct lz_call_result *result)
{
    struct lz_task *t = lz_task_find(w, id);
    struct passing *p = t != NULL ? passing_of(w, t) : NULL;
    if (p == NULL)
        return;
    p->call = 0;
    const struct lz_instance *i = lz_instance_get(w, t->server);
    bool is_through = result->outcome == LZ_OUTCOME_OK && i->incarnation == p->incarnation &&
                      lz_instance_is_up(i);
    if (is_through && !p->is_answered)
        return; // it answers as a whole
    p->is_broken = !is_through;
    if (!p->is_answered)
        return;
    if (!lz_client_is_waiting(w, t->call, id))
        return; // its own message frees it
    if (is_through)
        send_tail(w, t);
    else
        lz_task_reset(w, t, i->state == LZ_INSTANCE_LOST);
}

lz_kind lz_stream_half_kind(struct lz_world *w, const struct lz_task *t, lz_kind answer)
{
    struct passing *p = passing_of(w, t);
    if (p == NULL || p->call == 0)
        return answer;
    if (t->outcome != LZ_OUTCOME_OK) { // it says something of its own instead
        uint64_t call = p->call;
        p->call = 0;
        lz_client_drop(w, call);
        return answer;
    }
    p->is_answered = true;
    return w->streams->half;
}

bool lz_stream_is_broken(const struct lz_world *w, const struct lz_task *t)
{
    const struct passing *p = passing_of(w, t);
    return p != NULL && p->is_broken;
}

void lz_stream_task_gone(struct lz_world *w, const struct lz_task *t)
{
    struct passing *p = passing_of(w, t);
    if (p == NULL)
        return;
    uint64_t call = p->call;
    *p = (struct passing){0};
    if (call != 0)
        lz_client_drop(w, call);
}

void lz_stream_call_gone(struct lz_world *w, const struct lz_call *c)
{
    if (c->head.index < w->streams->call_cap)
        w->streams->first_at[c->head.index] = 0;
}
