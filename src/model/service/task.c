#include "model/service/task.h"

#include "base/check.h"
#include "base/grow.h"
#include "base/sort.h"
#include "model/client/plain.h"
#include "model/client/stream.h"
#include "model/net/connect.h"
#include "model/net/link.h"
#include "model/net/net.h"
#include "model/node/instance.h"
#include "model/node/ulimit.h"
#include "model/service/argument.h"
#include "model/service/filter.h"
#include "model/service/straight.h"
#include "model/service/task_state.h"

// A message that nobody waits for is not sent again, and the task is of no use.
static bool somebody_waits(struct lz_world *w, uint64_t payload, uint32_t tries)
{
    (void)tries;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_client_is_waiting(w, t->call, payload))
        return t != NULL;
    lz_task_free(w, t);
    return false;
}

// Unanswered so often, the client's side gives the connection up: for it, it broke.
static bool request_is_wanted(struct lz_world *w, uint64_t payload, uint32_t tries)
{
    if (!somebody_waits(w, payload, tries))
        return false;
    struct lz_task *t = lz_task_find(w, payload);
    if (tries <= lz_connect_retries(w, t->call))
        return true;
    lz_client_reset(w, t);
    lz_task_free(w, t);
    return false;
}

static void answer_instead(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome,
                           uint16_t status)
{
    lz_task_ops_at(w, t->server)->turn_away(w, t, outcome, status);
}

// ---------------------------------------------------------------- at the server's door

static void hold(struct lz_world *w, struct lz_task *t, lz_time wait, lz_kind kind)
{
    LZ_ASSERT(wait > 0);
    bool is_new = t->state == LZ_TASK_SENT;
    t->state = LZ_TASK_HELD;
    if (is_new)
        lz_task_link(w, t);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, kind, t->server, lz_pool_id(t));
}

// What was held has been let in by a limit.
static void on_passed(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || t->state != LZ_TASK_HELD ||
        lz_instance_defer(w, entity, w->tasks->passed, payload))
        return;
    const struct lz_server_ops *ops = lz_task_ops_at(w, entity);
    t->state = LZ_TASK_QUEUED;
    t->started = lz_sim_now(w->sim);
    if (ops->door != NULL)
        ops->door->let_in(w, t);
    else
        ops->arrive(w, t);
}

// Limits let it in, but later. It has arrived, and has been told so.
static void hold_back(struct lz_world *w, struct lz_task *t, lz_time wait)
{
    const struct lz_server_ops *ops = lz_task_ops_at(w, t->server);
    if (w->tasks->passed == 0)
        w->tasks->passed = lz_sim_kind(w->sim, "passed", on_passed, w);
    t->is_limited = true;
    hold(w, t, wait, w->tasks->passed);
    if (ops->door != NULL)
        ops->door->held(w, t);
}

// It leaves the door without having been let in.
static void leave_door(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome)
{
    const struct lz_server_ops *ops = lz_task_ops_at(w, t->server);
    LZ_ASSERT(t->state == LZ_TASK_HELD);
    if (t->is_limited && ops->door != NULL)
        ops->door->left(w, t, outcome);
}

// Delays are over: what else stands there decides.
static void come_in(struct lz_world *w, struct lz_task *t, lz_component_id component)
{
    struct lz_filter_verdict v = {.outcome = LZ_OUTCOME_PENDING};
    LZ_ASSERT(t->state == LZ_TASK_SENT || t->state == LZ_TASK_HELD);
    if (lz_filter_is_any(w))
        v = lz_filter_judge(w, t);
    bool is_new = t->state == LZ_TASK_SENT;
    t->arrived = lz_sim_now(w->sim);
    t->state = LZ_TASK_QUEUED;
    if (is_new)
        lz_task_link(w, t);
    t->is_barred = v.is_fault;
    if (v.outcome != LZ_OUTCOME_PENDING)
        answer_instead(w, t, v.outcome, v.status);
    else if (lz_ulimit_is_any(w) && !lz_ulimit_admits(w, t->server))
        answer_instead(w, t, LZ_OUTCOME_REFUSED, 503);
    else if (v.wait > 0)
        hold_back(w, t, v.wait);
    else
        lz_task_ops(w, component)->arrive(w, t);
}

// A request or its caller's patience may be over while the message is on its way; the
// server does not know and works on.
static void arrive(struct lz_world *w, lz_instance_id at, struct lz_task *t)
{
    const struct lz_instance *i = lz_instance_get(w, at);
    if (i->state == LZ_INSTANCE_LOST) {
        lz_task_free(w, t); // the host went away under it
        return;
    }
    if (!lz_instance_listens(i) || i->incarnation != t->incarnation) {
        lz_task_reset(w, t, false);
        return;
    }
    lz_time delay = lz_filter_is_any(w) ? lz_filter_delay(w, t) : 0;
    if (delay > 0)
        hold(w, t, delay, w->tasks->held);
    else
        come_in(w, t, i->component);
}

// A process that is up, the same that its caller knows, and nothing that stands at its door.
static inline bool comes_straight_in(const struct lz_world *w, const struct lz_instance *i,
                                     const struct lz_task *t)
{
    const uint32_t at_the_door = LZ_UNUSUAL_FILTERS | LZ_UNUSUAL_ULIMITS | LZ_UNUSUAL_RSS;
    return i->state == LZ_INSTANCE_UP && i->incarnation == t->incarnation &&
           (w->unusual & at_the_door) == 0;
}

// Something has changed since it was sent, or it was not sent straight.
void lz_task_arrive_otherwise(struct lz_world *w, lz_instance_id at, struct lz_task *t)
{
    (void)lz_task_take_drawn(w, t); // it may be another now
    const struct lz_instance *i = lz_instance_get(w, at);
    if (comes_straight_in(w, i, t)) {
        LZ_ASSERT(t->state == LZ_TASK_SENT);
        t->arrived = lz_sim_now(w->sim);
        t->state = LZ_TASK_QUEUED;
        lz_task_link(w, t);
        i->serves->arrive(w, t);
    } else if (!lz_instance_defer(w, at, w->tasks->arrive, lz_pool_id(t))) {
        arrive(w, at, t);
    }
}

static void on_held(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t != NULL && t->state == LZ_TASK_HELD &&
        !lz_instance_defer(w, entity, w->tasks->held, payload))
        come_in(w, t, lz_instance_get(w, entity)->component);
}

void lz_task_end_otherwise(struct lz_world *w, lz_instance_id at, struct lz_task *t)
{
    uint64_t id = lz_pool_id(t);
    if (lz_instance_defer(w, at, w->tasks->answer, id))
        return;
    LZ_ASSERT(t->state == LZ_TASK_ANSWERED);
    struct lz_call *c = lz_client_find(w, t->call);
    bool is_waiting = c != NULL && c->state == LZ_CALL_SENT && c->task == id;
    if (is_waiting && !lz_plain_answered(w, c, t))
        lz_client_answered(w, t);
    lz_task_give(w, t);
}

// A reset carries the task too: by now it is only the name of what was asked.
static void on_reset(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->tasks->reset, payload))
        return;
    if (lz_client_is_waiting(w, t->call, payload))
        lz_client_reset(w, t);
    lz_task_free(w, t);
}

static void drop_held(struct lz_world *w, struct lz_task *t)
{
    leave_door(w, t, LZ_OUTCOME_PENDING);
    lz_task_free(w, t);
}

static void on_cancel(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->tasks->cancel, payload))
        return;
    if (t->state == LZ_TASK_HELD)
        drop_held(w, t);
    else if (lz_task_is_linked(t))
        lz_task_ops_at(w, entity)->cancel(w, t);
}

void lz_tasks_init(struct lz_world *w)
{
    struct lz_tasks *ts = lz_arena_alloc(w->arena, sizeof(*ts));
    lz_hops_init(&ts->face.hops, w->arena);
    w->tasks = ts;
    ts->arrive = lz_sim_kind(w->sim, "request", lz_straight_on_request, w);
    ts->held = lz_sim_kind(w->sim, "held", on_held, w);
    ts->answer = lz_sim_kind(w->sim, "answer", lz_straight_on_answer, w);
    ts->reply = lz_sim_kind_also(w->sim, ts->answer, lz_straight_on_reply);
    ts->reset = lz_sim_kind(w->sim, "reset", on_reset, w);
    ts->cancel = lz_sim_kind(w->sim, "cancel", on_cancel, w);
}

void lz_task_serve(struct lz_world *w, lz_component_id component, const struct lz_server_ops *ops)
{
    LZ_ASSERT(!w->running);
    struct lz_tasks *ts = w->tasks;
    ts->face.ops = lz_grow(w->arena, ts->face.ops, &ts->face.ops_cap, component + 1,
                           sizeof(struct lz_server_ops *));
    ts->face.ops[component] = ops;
    const struct lz_component *c = lz_world_component(w, component);
    uint32_t end = c->instances_first + c->instance_count;
    ts->at = lz_grow(w->arena, ts->at, &ts->at_cap, end, sizeof(*ts->at));
    for (lz_instance_id i = c->instances_first; i < end; i++)
        if (lz_instance_get(w, i)->component == component) // a topic's are its broker's
            lz_instance_get(w, i)->serves = ops;
}

// In the hop of its call, if there is room.
static struct lz_task *take(struct lz_tasks *ts, uint64_t call)
{
    struct lz_hops *hops = &ts->face.hops;
    const struct lz_call *c = lz_hop_find_call(hops, call);
    bool has_room = c != NULL && !lz_hop_is_live(lz_hop_task(c));
    return lz_hop_begin(has_room ? lz_hop_task(c) : lz_hop_open(hops), sizeof(struct lz_task));
}

struct lz_task *lz_task_send(struct lz_world *w, lz_instance_id client, lz_instance_id server,
                             const struct lz_task_facts *facts)
{
    struct lz_tasks *ts = w->tasks;
    struct lz_task *t = take(ts, facts->call);
    t->call = facts->call;
    t->request = facts->request;
    t->path = facts->path;
    t->key = facts->key;
    lz_argument_give_task(w, t, facts->argument);
    t->op = facts->op;
    t->priority = facts->priority;
    t->deadline = facts->deadline;
    t->call_number = facts->call_number;
    t->is_tied = facts->tied;
    t->is_session = facts->session;
    t->server = server;
    t->incarnation = lz_instance_get(w, server)->incarnation;
    t->state = LZ_TASK_SENT;
    struct lz_message m = {.from = client,
                           .to = server,
                           .kind = ts->arrive,
                           .payload = lz_pool_id(t),
                           .owner = t->path,
                           .purpose = LZ_PURPOSE_NET_OUT,
                           .wanted = request_is_wanted};
    lz_connect_address(w, t->call, &m);
    lz_net_send(w, &m);
    return t;
}

struct lz_task *lz_task_begin(struct lz_world *w, lz_instance_id instance, uint64_t path,
                              uint64_t key)
{
    struct lz_task *t = take(w->tasks, 0);
    t->path = path;
    t->key = key;
    t->server = instance;
    t->incarnation = lz_instance_get(w, instance)->incarnation;
    t->arrived = lz_sim_now(w->sim);
    t->state = LZ_TASK_QUEUED;
    lz_task_link(w, t);
    return t;
}

static void send_back(struct lz_world *w, struct lz_task *t, lz_kind kind)
{
    lz_task_id id = lz_pool_id(t);
    const struct lz_call *c = lz_client_find(w, t->call);
    if (c == NULL || c->state != LZ_CALL_SENT || c->task != id) {
        lz_task_free(w, t); // nobody would notice the message
        return;
    }
    if (kind == w->tasks->answer && lz_plain_send_back(w, c, t))
        return;
    struct lz_message m = {.from = t->server,
                           .kind = kind,
                           .payload = id,
                           .owner = t->path,
                           .purpose = LZ_PURPOSE_NET_BACK,
                           .wanted = somebody_waits};
    lz_connect_address(w, t->call, &m);
    if (kind == w->tasks->reset)
        m.bytes = LZ_NET_SMALL_BYTES;
    lz_net_send(w, &m);
}

// The answer was held outside of the process, which may have ended since: it is on its way all the
// same, unless the host is gone.
static void on_let_go(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL)
        return;
    LZ_ASSERT(t->state == LZ_TASK_ANSWERED);
    if (lz_instance_get(w, entity)->state == LZ_INSTANCE_LOST)
        lz_task_free(w, t);
    else
        send_back(w, t,
                  w->streams == NULL ? w->tasks->answer
                                     : lz_stream_half_kind(w, t, w->tasks->answer));
}

static void hold_answer(struct lz_world *w, const struct lz_task *t, lz_time wait)
{
    if (w->tasks->let_go == 0)
        w->tasks->let_go = lz_sim_kind(w->sim, "let go", on_let_go, w);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, w->tasks->let_go, t->server, lz_pool_id(t));
}

// Something has changed since it was sent, or it was not sent so, or nobody waits for it.
static __attribute__((noinline)) void answer_otherwise(struct lz_world *w, struct lz_task *t,
                                                       enum lz_outcome outcome, uint16_t status)
{
    if (w->streams != NULL && lz_stream_is_broken(w, t)) {
        lz_task_reset(w, t, false); // what it would pass on is cut short
        return;
    }
    lz_time held = 0;
    if (lz_filter_is_any(w) && !t->is_barred)
        held = lz_filter_answer(w, t, &outcome, &status);
    if (outcome == LZ_OUTCOME_RESET) {
        lz_task_reset(w, t, false);
        return;
    }
    lz_task_unlink(w, t);
    lz_time now = lz_sim_now(w->sim);
    if (t->state == LZ_TASK_QUEUED)
        t->started = now;
    t->state = LZ_TASK_ANSWERED;
    t->answered = now;
    t->outcome = (uint8_t)outcome;
    t->status = status;
    if (held > 0) {
        hold_answer(w, t, held);
        return;
    }
    lz_kind kind = w->tasks->answer;
    send_back(w, t, w->streams == NULL ? kind : lz_stream_half_kind(w, t, kind));
}

void lz_task_answer(struct lz_world *w, struct lz_task *t, enum lz_outcome outcome, uint16_t status)
{
    LZ_ASSERT(lz_task_is_linked(t));
    LZ_ASSERT(outcome != LZ_OUTCOME_PENDING);
    if (lz_plain_is_on_its_way(w, t))
        lz_task_answer_straight(w, t, outcome, status);
    else
        answer_otherwise(w, t, outcome, status);
}

void lz_task_reset(struct lz_world *w, struct lz_task *t, bool silent)
{
    if (lz_task_is_linked(t))
        lz_task_unlink(w, t);
    if (t->state == LZ_TASK_QUEUED && t->is_limited && !t->is_begun)
        t->started = 0;
    t->state = LZ_TASK_ANSWERED;
    t->answered = lz_sim_now(w->sim);
    t->outcome = LZ_OUTCOME_RESET;
    if (silent)
        lz_task_free(w, t);
    else
        send_back(w, t, w->tasks->reset);
}

void lz_task_orphan(struct lz_world *w, struct lz_task *t)
{
    t->request = 0;
    if (t->child != 0)
        lz_client_orphan(w, t->child);
}

void lz_task_send_cancel(struct lz_world *w, lz_instance_id client, lz_task_id id)
{
    const struct lz_task *t = lz_task_find(w, id);
    if (t == NULL)
        return;
    lz_net_send(w, &(struct lz_message){.from = client,
                                        .to = t->server,
                                        .kind = w->tasks->cancel,
                                        .payload = id,
                                        .owner = lz_draw_index(t->path, 1),
                                        .conversation = t->path,
                                        .purpose = LZ_PURPOSE_NET_OUT});
}

static void on_untie(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_task *t = lz_task_find(w, payload);
    if (t == NULL || lz_instance_defer(w, entity, w->tasks->untie, payload))
        return;
    if (t->state == LZ_TASK_HELD)
        drop_held(w, t);
    else if (t->state == LZ_TASK_QUEUED && !t->is_begun) // it has told the others itself
        lz_task_ops_at(w, entity)->cancel(w, t);
}

void lz_task_send_untie(struct lz_world *w, lz_instance_id from, lz_task_id id)
{
    const struct lz_task *t = lz_task_find(w, id);
    if (t == NULL)
        return;
    if (w->tasks->untie == 0)
        w->tasks->untie = lz_sim_kind(w->sim, "untie", on_untie, w);
    lz_net_send(w, &(struct lz_message){.from = from,
                                        .to = t->server,
                                        .kind = w->tasks->untie,
                                        .payload = id,
                                        .owner = lz_draw_index(t->path, 2),
                                        .conversation = t->path,
                                        .purpose = LZ_PURPOSE_NET_OUT});
}

void lz_task_free(struct lz_world *w, struct lz_task *t)
{
    if (lz_task_is_linked(t))
        lz_task_unlink(w, t);
    lz_argument_task_ended(w, t);
    if (w->streams != NULL)
        lz_stream_task_gone(w, t);
    lz_hop_give_task(&w->tasks->face.hops, t);
}

static int by_turn(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_task_came *one = a, *two = b;
    return one->joined < two->joined ? -1 : one->joined > two->joined;
}

static bool is_there(const struct lz_world *w, const struct lz_task_came *c)
{
    const struct lz_task *t = lz_task_at(w, c->index);
    return lz_hop_is_live(t) && lz_task_is_linked(t) && t->joined == c->joined;
}

// Who has left is left out; what is left fills half of the row at the most.
static void widen(struct lz_world *w, struct lz_task_row *row)
{
    uint32_t kept = 0;
    for (uint32_t i = row->first; i < row->count; i++)
        if (is_there(w, &row->all[i]))
            row->all[kept++] = row->all[i];
    row->first = 0;
    row->count = kept;
    row->all = lz_grow(w->arena, row->all, &row->cap, 2 * kept + 1, sizeof(*row->all));
}

void lz_task_note(struct lz_world *w, const struct lz_task *t)
{
    struct lz_tasks *ts = w->tasks;
    LZ_ASSERT(t->server < ts->row_cap);
    struct lz_task_row *row = &ts->rows[t->server];
    if (ts->at[t->server] == 1) // nobody else
        row->first = row->count = 0;
    if (row->count == row->cap)
        widen(w, row);
    row->all[row->count++] = (struct lz_task_came){.joined = t->joined, .index = t->head.index};
}

// The first time that somebody asks: all tasks there are, each into the row of its instance.
static __attribute__((noinline)) void begin_rows(struct lz_world *w)
{
    struct lz_tasks *ts = w->tasks;
    ts->rows = lz_grow(w->arena, ts->rows, &ts->row_cap, ts->at_cap, sizeof(*ts->rows));
    for (uint32_t i = 1; i < ts->face.hops.pool.used; i++) {
        const struct lz_task *t = lz_task_at(w, i);
        if (!lz_hop_is_live(t) || !lz_task_is_linked(t))
            continue;
        struct lz_task_row *row = &ts->rows[t->server];
        row->all = lz_grow(w->arena, row->all, &row->cap, ts->at[t->server], sizeof(*row->all));
        LZ_ASSERT(row->count < ts->at[t->server]);
        row->all[row->count++] = (struct lz_task_came){.joined = t->joined, .index = i};
    }
    for (uint32_t i = 0; i < ts->at_cap; i++) {
        LZ_ASSERT(ts->rows[i].count == ts->at[i]);
        lz_sort(ts->rows[i].all, ts->rows[i].count, sizeof(*ts->rows[i].all), by_turn, NULL);
    }
}

static uint32_t oldest_at(struct lz_world *w, lz_instance_id instance)
{
    struct lz_tasks *ts = w->tasks;
    if (ts->at[instance] == 0)
        return 0;
    if (ts->rows == NULL)
        begin_rows(w);
    struct lz_task_row *row = &ts->rows[instance];
    while (!is_there(w, &row->all[row->first])) {
        row->first++;
        LZ_ASSERT(row->first < row->count);
    }
    return row->all[row->first].index;
}

uint32_t lz_task_first_at(struct lz_world *w, lz_instance_id instance)
{
    uint32_t at = oldest_at(w, instance);
    for (; at != 0; at = oldest_at(w, instance)) {
        struct lz_task *t = lz_task_at(w, at);
        if (t->state != LZ_TASK_HELD)
            break;
        leave_door(w, t, LZ_OUTCOME_RESET);
        lz_task_reset(w, t, lz_instance_get(w, instance)->state == LZ_INSTANCE_LOST);
    }
    return at;
}

uint32_t lz_task_count_at(const struct lz_world *w, lz_instance_id instance)
{
    return instance < w->tasks->at_cap ? w->tasks->at[instance] : 0;
}

size_t lz_tasks_bytes(const struct lz_world *w)
{
    return lz_pool_bytes(&w->tasks->face.hops.pool);
}
