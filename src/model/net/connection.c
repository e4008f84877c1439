#include "model/net/connection.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/plain.h"
#include "model/net/connect.h"
#include "model/node/instance.h"
#include "model/service/task.h"

enum { OPENING, BUSY, IDLE, HELD };

struct connection {
    struct lz_pool_head head;
    lz_edge_id edge;
    lz_instance_id client, server;
    uint32_t incarnation;  // of the server's process
    uint32_t idle_next;    // of the same pair, the latest first
    uint32_t older, newer; // idle ones of the same client, by when they became so
    uint8_t state;         // OPENING, BUSY, IDLE, HELD
    bool has_backend;      // see lz_connection_backend
    uint64_t call;         // that has it; 0 while idle or held
    lz_time opened, idle_since;
    double bytes;           // carried, both ways
    double answer_bytes;    // of the latest answer
    uint32_t answers;       // so far
    uint64_t chosen;        // a bit for each effect that takes the first so many
    lz_tcp_path_id path[2]; // there, and back; 0 until something long was carried
};

// A call in line for a connection.
struct waiter {
    struct lz_pool_head head;
    uint32_t prev, next;
    uint64_t call;
};

struct pool_client {
    uint32_t open;      // opening, busy, idle, lingering
    uint32_t warm_left; // that were open before the run began
    uint32_t wait_first, wait_last;
    uint32_t oldest, newest; // idle ones
};

struct lz_edge_pool {
    struct pool_client *clients;
    uint32_t *idle; // by pair: the latest that became idle
};

struct effect {
    struct lz_connection_effect e;
    lz_time began;
    bool is_active;
    uint32_t chosen; // of the connections opened since, if it takes the first so many
};

struct lz_connections {
    struct lz_pool all, waiters;
    uint64_t *by_call; // connection or waiter, by index of the call
    uint32_t by_call_cap;
    struct effect *effects; // slots are used again
    uint32_t effect_count, effect_cap;
    uint32_t active;
    lz_kind cut, lingered, let_go;
};

static struct connection *connection_of(const struct lz_world *w, const struct lz_call *c)
{
    const struct lz_connections *cs = w->connections;
    if (c->head.index >= cs->by_call_cap || c->state == LZ_CALL_IN_LINE)
        return NULL;
    struct connection *n = lz_pool_find(&cs->all, cs->by_call[c->head.index]);
    return n != NULL && n->call == lz_pool_id(c) ? n : NULL;
}

static void set_of_call(struct lz_world *w, const struct lz_call *c, uint64_t id)
{
    struct lz_connections *cs = w->connections;
    cs->by_call =
        lz_grow(w->arena, cs->by_call, &cs->by_call_cap, c->head.index + 1, sizeof(*cs->by_call));
    cs->by_call[c->head.index] = id;
}

static struct pool_client *client_of(const struct lz_edge *e, lz_instance_id client)
{
    LZ_ASSERT(e->pool != NULL);
    return &e->pool->clients[client - e->client_first];
}

static uint32_t *idle_of(const struct lz_edge *e, lz_instance_id client, lz_instance_id server)
{
    return &e->pool
                ->idle[(client - e->client_first) * e->server_count + (server - e->server_first)];
}

static struct connection *at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->connections->all, index);
}

// ---------------------------------------------------------------- idle ones

static void push_idle(struct lz_world *w, const struct lz_edge *e, struct connection *n)
{
    struct pool_client *pc = client_of(e, n->client);
    uint32_t *first = idle_of(e, n->client, n->server);
    n->state = IDLE;
    n->call = 0;
    n->idle_since = lz_sim_now(w->sim);
    n->idle_next = *first;
    *first = n->head.index;
    n->older = pc->newest;
    n->newer = 0;
    if (pc->newest != 0)
        at(w, pc->newest)->newer = n->head.index;
    else
        pc->oldest = n->head.index;
    pc->newest = n->head.index;
}

static void remove_idle(struct lz_world *w, const struct lz_edge *e, const struct connection *n)
{
    struct pool_client *pc = client_of(e, n->client);
    uint32_t *link = idle_of(e, n->client, n->server);
    while (*link != n->head.index)
        link = &at(w, *link)->idle_next;
    *link = n->idle_next;
    if (n->older != 0)
        at(w, n->older)->newer = n->newer;
    else
        pc->oldest = n->newer;
    if (n->newer != 0)
        at(w, n->newer)->older = n->older;
    else
        pc->newest = n->older;
}

static bool matches(const struct lz_world *w, const struct lz_connection_effect *e,
                    lz_instance_id a, lz_instance_id b)
{
    return (lz_link_end_has(w, &e->from, a) && lz_link_end_has(w, &e->to, b)) ||
           (lz_link_end_has(w, &e->from, b) && lz_link_end_has(w, &e->to, a));
}

// How long it lasts at the server once it is closed; those that make it last count it.
static lz_time linger_of(const struct lz_world *w, lz_instance_id client, lz_instance_id server)
{
    const struct lz_connections *cs = w->connections;
    lz_time longest = 0;
    for (uint32_t i = 0; i < cs->effect_count && cs->active > 0; i++) {
        const struct lz_connection_effect *e = &cs->effects[i].e;
        if (!cs->effects[i].is_active || e->fate != LZ_CONNECTION_LINGERS ||
            !matches(w, e, client, server))
            continue;
        (*e->touched)++;
        longest = e->after > longest ? e->after : longest;
    }
    return longest;
}

// Gone for the client; its place may be taken once the server has let go too.
static lz_time close_one(struct lz_world *w, struct lz_edge *e, struct connection *n)
{
    if (n->state == IDLE)
        remove_idle(w, e, n);
    lz_tcp_close(w, n->path[0]);
    lz_tcp_close(w, n->path[1]);
    lz_time linger = n->state != OPENING ? linger_of(w, n->client, n->server) : 0;
    if (linger > 0)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + linger, w->connections->lingered, n->client,
                  n->edge);
    else
        client_of(e, n->client)->open--;
    bool had_backend = n->has_backend;
    lz_pool_give(&w->connections->all, n);
    if (had_backend)
        lz_task_ops(w, e->opts.to)->closed(w, e->opts.to);
    return linger;
}

static bool is_good(const struct lz_world *w, const struct lz_edge *e, const struct connection *n)
{
    const struct lz_pool_opts *o = &e->opts.pool;
    const struct lz_instance *server = lz_instance_get(w, n->server);
    lz_time now = lz_sim_now(w->sim);
    if (o->max_age > 0 && now - n->opened >= o->max_age)
        return false;
    if (o->idle_timeout > 0 && n->state == IDLE && now - n->idle_since >= o->idle_timeout)
        return false;
    // A process that ended has closed its connections; a host that is gone has told nobody.
    return n->incarnation == server->incarnation &&
           (lz_instance_listens(server) || server->state == LZ_INSTANCE_LOST);
}

// ---------------------------------------------------------------- opening, waiting

// An effect that takes the first so many connections says so when one is opened.
static bool is_chosen(const struct lz_connections *cs, uint32_t slot, const struct connection *n)
{
    return cs->effects[slot].e.first == 0 || (slot < 64 && (n->chosen >> slot & 1) != 0);
}

static void choose(struct lz_world *w, uint32_t slot, struct connection *n)
{
    struct effect *f = &w->connections->effects[slot];
    if (f->e.first > f->chosen && slot < 64 && matches(w, &f->e, n->client, n->server)) {
        f->chosen++;
        n->chosen |= UINT64_C(1) << slot;
    }
}

// Has it carried what the effect lets it?
static bool is_spent(const struct lz_connection_effect *e, const struct connection *n)
{
    if (e->response > 0)
        return n->answers == e->response && n->answer_bytes > e->bytes;
    return n->bytes > e->bytes;
}

// The cut that an effect has for a connection, counted from now on.
static void plan_cut(struct lz_world *w, uint32_t slot, const struct connection *n)
{
    const struct effect *f = &w->connections->effects[slot];
    if (!is_chosen(w->connections, slot, n) || f->e.fate != LZ_CONNECTION_RESET ||
        f->e.bytes > 0.0 || !matches(w, &f->e, n->client, n->server))
        return;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + f->e.after, w->connections->cut, n->client,
              lz_pool_id(n));
}

static void opened(struct lz_world *w, struct connection *n)
{
    const struct lz_connections *cs = w->connections;
    n->state = BUSY;
    n->opened = lz_sim_now(w->sim);
    n->incarnation = lz_instance_get(w, n->server)->incarnation;
    for (uint32_t i = 0; i < cs->effect_count && cs->active > 0; i++)
        if (cs->effects[i].is_active) {
            choose(w, i, n);
            plan_cut(w, i, n);
        }
}

static struct connection *new_one(struct lz_world *w, const struct lz_edge *e,
                                  const struct lz_call *c)
{
    struct connection *n = lz_pool_take(&w->connections->all);
    n->edge = c->edge;
    n->client = c->client;
    n->server = c->server;
    n->call = lz_pool_id(c);
    client_of(e, c->client)->open++;
    set_of_call(w, c, lz_pool_id(n));
    return n;
}

static struct connection *take_idle(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    for (;;) {
        uint32_t first = *idle_of(e, c->client, c->server);
        if (first == 0)
            return NULL;
        struct connection *n = at(w, first);
        if (!is_good(w, e, n)) {
            close_one(w, e, n);
            continue;
        }
        remove_idle(w, e, n);
        n->state = BUSY;
        n->call = lz_pool_id(c);
        set_of_call(w, c, lz_pool_id(n));
        return n;
    }
}

static bool has_room(const struct lz_edge *e, const struct pool_client *pc)
{
    return e->opts.pool.max == 0 || pc->open < e->opts.pool.max;
}

// One that was open before the run began costs no handshake, until it is too old.
static bool take_warm(const struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    struct pool_client *pc = client_of(e, c->client);
    const struct lz_pool_opts *o = &e->opts.pool;
    lz_time now = lz_sim_now(w->sim);
    if ((o->max_age > 0 && now >= o->max_age) || (o->idle_timeout > 0 && now >= o->idle_timeout))
        return false;
    const struct lz_instance *server = lz_instance_get(w, c->server);
    bool is_warm = lz_edge_pair(e, c->client, c->server)->connected == server->incarnation &&
                   (lz_instance_listens(server) || server->state == LZ_INSTANCE_LOST);
    if (!is_warm || pc->warm_left == 0)
        return false;
    pc->warm_left -= e->opts.pool.max != 0;
    return true;
}

static void get_in_line(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    struct pool_client *pc = client_of(e, c->client);
    struct waiter *v = lz_pool_take(&w->connections->waiters);
    v->call = lz_pool_id(c);
    v->prev = pc->wait_last;
    if (pc->wait_last != 0)
        ((struct waiter *)lz_pool_at(&w->connections->waiters, pc->wait_last))->next =
            v->head.index;
    else
        pc->wait_first = v->head.index;
    pc->wait_last = v->head.index;
    c->state = LZ_CALL_IN_LINE;
    set_of_call(w, c, lz_pool_id(v));
}

static void leave_line(struct lz_world *w, struct pool_client *pc, struct waiter *v)
{
    struct lz_pool *all = &w->connections->waiters;
    if (v->prev != 0)
        ((struct waiter *)lz_pool_at(all, v->prev))->next = v->next;
    else
        pc->wait_first = v->next;
    if (v->next != 0)
        ((struct waiter *)lz_pool_at(all, v->next))->prev = v->prev;
    else
        pc->wait_last = v->prev;
    lz_pool_give(all, v);
}

// Where a session keeps its connection.
static uint64_t *session_of(struct lz_world *w, const struct lz_edge *e, const struct lz_call *c)
{
    return lz_task_ops(w, e->opts.to)->sessions->connection(w, c->key);
}

// The next call of a session has the connection that the one before it had.
static bool take_held(struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    struct connection *n = lz_pool_find(&w->connections->all, *session_of(w, e, c));
    if (n == NULL)
        return false;
    LZ_ASSERT(n->state == HELD);
    n->state = BUSY;
    n->call = lz_pool_id(c);
    set_of_call(w, c, lz_pool_id(n));
    return true;
}

void lz_connection_begin(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    struct pool_client *pc = client_of(e, c->client);
    c->connected = lz_sim_now(w->sim);
    if (e->opts.session && take_held(w, e, c)) {
        lz_client_send(w, c);
        return;
    }
    if (take_idle(w, e, c) != NULL) {
        lz_client_send(w, c);
        return;
    }
    if (!has_room(e, pc) && pc->oldest != 0)
        close_one(w, e, at(w, pc->oldest));
    if (!has_room(e, pc)) {
        get_in_line(w, e, c);
        return;
    }
    struct connection *n = new_one(w, e, c);
    if (take_warm(w, e, c)) {
        opened(w, n);
        n->opened = 0;
        lz_client_send(w, c);
    } else {
        lz_connect_retry(w, c);
    }
}

void lz_connection_opened(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    struct connection *n = connection_of(w, c);
    if (n == NULL) // it began before the way was tracked
        n = new_one(w, e, c);
    opened(w, n);
    lz_client_send(w, c);
}

lz_time lz_connection_release(struct lz_world *w, struct lz_edge *e, const struct lz_call *c,
                              bool is_clean)
{
    struct lz_connections *cs = w->connections;
    if (c->state == LZ_CALL_IN_LINE) {
        struct waiter *v = lz_pool_find(&cs->waiters, cs->by_call[c->head.index]);
        LZ_ASSERT(v != NULL);
        leave_line(w, client_of(e, c->client), v);
        return 0;
    }
    struct connection *n = connection_of(w, c);
    if (n == NULL)
        return 0;
    uint64_t *session = is_clean && e->opts.session ? session_of(w, e, c) : NULL;
    if (session != NULL) {
        *session = lz_pool_id(n);
        n->state = HELD;
        n->call = 0;
        return 0;
    }
    if (!is_clean || !is_good(w, e, n))
        return close_one(w, e, n);
    push_idle(w, e, n);
    return 0;
}

bool *lz_connection_backend(struct lz_world *w, uint64_t call)
{
    const struct lz_call *c = lz_pool_find(&w->clients->pool, call);
    struct connection *n = c != NULL ? connection_of(w, c) : NULL;
    return n != NULL ? &n->has_backend : NULL;
}

bool lz_connection_is_open(const struct lz_world *w, uint64_t connection)
{
    return lz_pool_find(&w->connections->all, connection) != NULL;
}

void lz_connection_end_session(struct lz_world *w, uint64_t connection, bool is_clean)
{
    struct connection *n = lz_pool_find(&w->connections->all, connection);
    if (n == NULL || n->state != HELD)
        return;
    struct lz_edge *e = lz_edge_get(w, n->edge);
    lz_instance_id client = n->client;
    if (is_clean && is_good(w, e, n))
        push_idle(w, e, n);
    else
        close_one(w, e, n);
    lz_connection_next(w, e, client);
}

void lz_connection_next(struct lz_world *w, struct lz_edge *e, lz_instance_id client)
{
    struct pool_client *pc = client_of(e, client);
    while (pc->wait_first != 0 && (has_room(e, pc) || pc->oldest != 0)) {
        struct waiter *v = lz_pool_at(&w->connections->waiters, pc->wait_first);
        struct lz_call *c = lz_pool_find(&w->clients->pool, v->call);
        LZ_ASSERT(c != NULL && c->state == LZ_CALL_IN_LINE);
        leave_line(w, pc, v);
        c->state = LZ_CALL_CONNECTING;
        lz_connection_begin(w, e, c);
    }
}

void lz_connection_forget(struct lz_world *w, struct lz_edge *e, lz_instance_id client)
{
    struct pool_client *pc = client_of(e, client);
    while (pc->newest != 0) // the busy ones went with their calls
        close_one(w, e, at(w, pc->newest));
    pc->warm_left = 0;
}

static void on_lingered(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_edge *e = lz_edge_get(w, (lz_edge_id)payload);
    struct pool_client *pc = client_of(e, entity);
    LZ_ASSERT(pc->open > 0);
    pc->open--;
    lz_connection_next(w, e, entity);
}

static void on_let_go(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    lz_task_ops(w, entity)->disconnect(w, entity);
}

void lz_connection_let_go(struct lz_world *w, lz_component_id component, lz_time after)
{
    LZ_ASSERT(after > 0);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + after, w->connections->let_go, component, 0);
}

// ---------------------------------------------------------------- what breaks them

static void break_one(struct lz_world *w, struct connection *n)
{
    struct lz_edge *e = lz_edge_get(w, n->edge);
    lz_edge_pair(e, n->client, n->server)->connected = 0;
    struct lz_call *c = lz_pool_find(&w->clients->pool, n->call);
    if (n->state == IDLE || n->state == HELD) {
        close_one(w, e, n);
        return;
    }
    LZ_ASSERT(c != NULL);
    const struct lz_task *t = c->state == LZ_CALL_SENT ? lz_task_find(w, c->task) : NULL;
    if (t != NULL) // the server works on, and will not find whom to answer
        lz_client_reset(w, t);
}

// The time that an effect gave it is over, if the effect still is there.
static void on_cut(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_connections *cs = w->connections;
    struct connection *n = lz_pool_find(&cs->all, payload);
    if (n == NULL || n->state == OPENING || lz_instance_defer(w, entity, cs->cut, payload))
        return;
    bool is_cut = false;
    for (uint32_t i = 0; i < cs->effect_count; i++) {
        const struct lz_connection_effect *e = &cs->effects[i].e;
        if (!cs->effects[i].is_active || e->fate == LZ_CONNECTION_LINGERS || !is_chosen(cs, i, n) ||
            !matches(w, e, n->client, n->server))
            continue;
        lz_time from = n->opened > cs->effects[i].began ? n->opened : cs->effects[i].began;
        bool is_due = e->bytes > 0.0 ? is_spent(e, n) : lz_sim_now(w->sim) - from >= e->after;
        *e->touched += is_due;
        is_cut |= is_due;
    }
    if (is_cut)
        break_one(w, n);
}

void lz_connection_address(struct lz_world *w, const struct lz_call *c, struct lz_message *m)
{
    struct lz_connections *cs = w->connections;
    struct connection *n = connection_of(w, c);
    if (n == NULL)
        return;
    bool is_answer = m->purpose == LZ_PURPOSE_NET_BACK;
    n->bytes += (double)m->bytes;
    n->answers += is_answer;
    n->answer_bytes = is_answer ? (double)m->bytes : 0.0;
    if (m->bytes > LZ_TCP_SEGMENT) {
        if (n->path[is_answer] == 0)
            n->path[is_answer] = lz_tcp_open(w);
        m->path = n->path[is_answer];
    }
    for (uint32_t i = 0; i < cs->effect_count && cs->active > 0; i++) {
        const struct lz_connection_effect *e = &cs->effects[i].e;
        if (cs->effects[i].is_active && e->bytes > 0.0 && is_spent(e, n) && is_chosen(cs, i, n) &&
            matches(w, e, n->client, n->server)) {
            lz_sim_soon(w->sim, cs->cut, n->client, lz_pool_id(n));
            return;
        }
    }
}

// ---------------------------------------------------------------- tracking

// Requests under way are on connections that nobody has counted so far.
static void adopt(struct lz_world *w, struct lz_edge *e)
{
    struct lz_pool *calls = &w->clients->pool;
    for (uint32_t i = 1; i < calls->used; i++) {
        struct lz_call *c = lz_pool_at(calls, i);
        bool is_live = (c->head.gen & 1u) != 0;
        if (!is_live || c->state != LZ_CALL_SENT || lz_edge_get(w, c->edge) != e)
            continue;
        struct connection *n = new_one(w, e, c);
        n->state = BUSY;
        n->opened = c->connected;
        n->incarnation = lz_instance_get(w, n->server)->incarnation;
    }
}

void lz_connection_track(struct lz_world *w, struct lz_edge *e)
{
    if (e->pool != NULL)
        return;
    size_t pairs = (size_t)e->client_count * e->server_count;
    e->pool = lz_arena_alloc(w->arena, sizeof(*e->pool));
    e->pool->clients = lz_arena_alloc(w->arena, e->client_count * sizeof(*e->pool->clients));
    e->pool->idle = lz_arena_alloc(w->arena, pairs * sizeof(*e->pool->idle));
    for (uint32_t c = 0; c < e->client_count && !e->opts.pool.is_cold; c++)
        e->pool->clients[c].warm_left = e->opts.pool.max != 0 ? e->opts.pool.max : 1;
    lz_plain_settle(w, e);
    adopt(w, e);
}

static bool touches_edge(const struct lz_world *w, const struct lz_connection_effect *f,
                         const struct lz_edge *e)
{
    for (uint32_t c = 0; c < e->client_count; c++)
        for (uint32_t s = 0; s < e->server_count; s++)
            if (matches(w, f, e->client_first + c, e->server_first + s))
                return true;
    return false;
}

void lz_connection_join(struct lz_world *w, struct lz_edge *e)
{
    const struct lz_connections *cs = w->connections;
    bool is_tracked = e->opts.pool.is_on;
    for (uint32_t i = 0; i < cs->effect_count && cs->active > 0; i++)
        is_tracked |= cs->effects[i].is_active && touches_edge(w, &cs->effects[i].e, e);
    if (is_tracked)
        lz_connection_track(w, e);
}

lz_connection_effect_id lz_connection_effect_add(struct lz_world *w,
                                                 const struct lz_connection_effect *effect)
{
    struct lz_connections *cs = w->connections;
    LZ_ASSERT(effect->touched != NULL);
    uint32_t slot = 0;
    while (slot < cs->effect_count && cs->effects[slot].is_active)
        slot++;
    if (slot == cs->effect_count)
        cs->effect_count++;
    cs->effects = lz_grow(w->arena, cs->effects, &cs->effect_cap, slot + 1, sizeof(*cs->effects));
    cs->effects[slot] =
        (struct effect){.e = *effect, .began = lz_sim_now(w->sim), .is_active = true};
    cs->active++;
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++)
        if (touches_edge(w, effect, lz_edge_get(w, id)))
            lz_connection_track(w, lz_edge_get(w, id));
    for (uint32_t i = 1; i < cs->all.used; i++) {
        struct connection *n = at(w, i);
        if (slot < 64)
            n->chosen &= ~(UINT64_C(1) << slot); // an earlier effect's
        if ((n->head.gen & 1u) != 0)
            plan_cut(w, slot, n);
    }
    return slot + 1;
}

void lz_connection_effect_remove(struct lz_world *w, lz_connection_effect_id id)
{
    struct lz_connections *cs = w->connections;
    LZ_ASSERT(id >= 1 && id <= cs->effect_count && cs->effects[id - 1].is_active);
    cs->effects[id - 1].is_active = false;
    cs->active--;
}

void lz_connections_init(struct lz_world *w)
{
    struct lz_connections *cs = lz_arena_alloc(w->arena, sizeof(*cs));
    lz_pool_init(&cs->all, w->arena, sizeof(struct connection));
    lz_pool_init(&cs->waiters, w->arena, sizeof(struct waiter));
    w->connections = cs;
    cs->cut = lz_sim_kind(w->sim, "connection.cut", on_cut, w);
    cs->lingered = lz_sim_kind(w->sim, "connection.lingered", on_lingered, w);
    cs->let_go = lz_sim_kind(w->sim, "connection.let_go", on_let_go, w);
}

size_t lz_connection_bytes(const struct lz_edge *e)
{
    if (e->pool == NULL)
        return 0;
    return sizeof(*e->pool) + e->client_count * sizeof(*e->pool->clients) +
           (size_t)e->client_count * e->server_count * sizeof(*e->pool->idle);
}
