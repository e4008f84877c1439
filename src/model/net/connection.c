#include "model/net/connection_state.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/client/plain.h"
#include "model/net/connect.h"
#include "model/node/instance.h"
#include "model/service/task.h"

static struct lz_connection *connection_of(const struct lz_world *w, const struct lz_call *c)
{
    const struct lz_connections *cs = w->connections;
    if (c->head.index >= cs->by_call_cap || c->state == LZ_CALL_IN_LINE)
        return NULL;
    struct lz_connection *n = lz_pool_find(&cs->all, cs->by_call[c->head.index]);
    return n != NULL && n->call == lz_pool_id(c) ? n : NULL;
}

static void set_of_call(struct lz_world *w, const struct lz_call *c, uint64_t id)
{
    struct lz_connections *cs = w->connections;
    cs->by_call =
        lz_grow(w->arena, cs->by_call, &cs->by_call_cap, c->head.index + 1, sizeof(*cs->by_call));
    cs->by_call[c->head.index] = id;
}

static uint32_t *idle_of(const struct lz_edge *e, lz_instance_id client, lz_instance_id server)
{
    return &e->pool
                ->idle[(client - e->client_first) * e->server_count + (server - e->server_first)];
}

static struct lz_connection *at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->connections->all, index);
}

// ---------------------------------------------------------------- idle ones

static void push_idle(struct lz_world *w, const struct lz_edge *e, struct lz_connection *n)
{
    struct lz_pool_client *pc = lz_connection_client(e, n->client);
    uint32_t *first = idle_of(e, n->client, n->server);
    n->state = LZ_CONNECTION_IDLE;
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
    pc->idle++;
    LZ_ASSERT(pc->idle <= pc->open);
}

static void remove_idle(struct lz_world *w, const struct lz_edge *e, const struct lz_connection *n)
{
    struct lz_pool_client *pc = lz_connection_client(e, n->client);
    LZ_ASSERT(pc->idle > 0);
    pc->idle--;
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

// Gone for the client; its place may be taken once the server has let go too.
lz_time lz_connection_close(struct lz_world *w, struct lz_edge *e, struct lz_connection *n)
{
    if (n->state == LZ_CONNECTION_IDLE)
        remove_idle(w, e, n);
    lz_tcp_close(w, n->path[0]);
    lz_tcp_close(w, n->path[1]);
    lz_time linger = n->state != LZ_CONNECTION_OPENING ? lz_connection_fault_linger(w, n) : 0;
    if (linger > 0 && !n->is_fresh)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + linger, w->connections->lingered, n->client,
                  n->edge);
    else if (!n->is_fresh)
        lz_connection_client(e, n->client)->open--;
    bool had_backend = n->has_backend;
    lz_pool_give(&w->connections->all, n);
    if (had_backend)
        lz_task_ops(w, e->opts.to)->closed(w, e->opts.to);
    return linger;
}

static bool is_good(const struct lz_world *w, const struct lz_edge *e,
                    const struct lz_connection *n)
{
    const struct lz_pool_opts *o = &e->opts.pool;
    const struct lz_instance *server = lz_instance_get(w, n->server);
    lz_time now = lz_sim_now(w->sim);
    if (o->max_age > 0 && now - n->opened >= o->max_age)
        return false;
    if (w->connections->taking > 0 && o->max > 0 &&
        lz_connection_client(e, n->client)->open >
            lz_connection_fault_left(w, n->client, n->server, o->max))
        return false; // a fault has taken it
    if (o->idle_timeout > 0 && n->state == LZ_CONNECTION_IDLE &&
        now - n->idle_since >= o->idle_timeout)
        return false;
    // A process that ended has closed its connections; a host that is gone has told nobody.
    return n->incarnation == server->incarnation &&
           (lz_instance_listens(server) || server->state == LZ_INSTANCE_LOST);
}

// ---------------------------------------------------------------- opening, waiting

static void opened(struct lz_world *w, struct lz_connection *n)
{
    n->state = LZ_CONNECTION_BUSY;
    n->opened = lz_sim_now(w->sim);
    n->incarnation = lz_instance_get(w, n->server)->incarnation;
    if (w->connections->active > 0)
        lz_connection_fault_opened(w, n);
}

static struct lz_connection *new_one(struct lz_world *w, const struct lz_edge *e,
                                     const struct lz_call *c)
{
    struct lz_connection *n = lz_pool_take(&w->connections->all);
    n->edge = c->edge;
    n->client = c->client;
    n->server = c->server;
    n->call = lz_pool_id(c);
    n->is_fresh = lz_connect_is_fresh(w, e, c);
    struct lz_pool_client *pc = lz_connection_client(e, c->client);
    pc->open += !n->is_fresh;
    n->draws = lz_draw_index(lz_draw_index(e->path, c->client - e->client_first), ++pc->counted);
    set_of_call(w, c, lz_pool_id(n));
    return n;
}

static struct lz_connection *take_idle(struct lz_world *w, struct lz_edge *e,
                                       const struct lz_call *c)
{
    for (;;) {
        uint32_t first = *idle_of(e, c->client, c->server);
        if (first == 0)
            return NULL;
        struct lz_connection *n = at(w, first);
        if (!is_good(w, e, n)) {
            lz_connection_close(w, e, n);
            continue;
        }
        remove_idle(w, e, n);
        n->state = LZ_CONNECTION_BUSY;
        n->call = lz_pool_id(c);
        set_of_call(w, c, lz_pool_id(n));
        return n;
    }
}

static bool is_below(const struct lz_world *w, const struct lz_edge *e, const struct lz_call *c,
                     uint32_t count)
{
    uint32_t max = e->opts.pool.max;
    return max == 0 || count < lz_connection_fault_left(w, c->client, c->server, max);
}

// For one more that is in use: an idle one is room for one, and who asks the server for one of its
// own has taken one here.
static bool has_room(const struct lz_world *w, const struct lz_edge *e, const struct lz_call *c)
{
    const struct lz_pool_client *pc = lz_connection_client(e, c->client);
    return is_below(w, e, c, pc->open - pc->idle + pc->asking);
}

// One that was open before the run began costs no handshake, until it is too old.
static bool take_warm(const struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    struct lz_pool_client *pc = lz_connection_client(e, c->client);
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

static void get_in_line(struct lz_world *w, struct lz_edge *e, struct lz_call *c, bool is_routed)
{
    struct lz_pool_client *pc = lz_connection_client(e, c->client);
    struct lz_connection_waiter *v = lz_pool_take(&w->connections->waiters);
    v->call = lz_pool_id(c);
    v->is_routed = is_routed;
    v->prev = pc->wait_last;
    if (pc->wait_last != 0)
        ((struct lz_connection_waiter *)lz_pool_at(&w->connections->waiters, pc->wait_last))->next =
            v->head.index;
    else
        pc->wait_first = v->head.index;
    pc->wait_last = v->head.index;
    c->state = LZ_CALL_IN_LINE;
    set_of_call(w, c, lz_pool_id(v));
    if (w->connections->taking > 0)
        lz_connection_fault_missed(w, c->client, c->server);
}

static void leave_line(struct lz_world *w, struct lz_pool_client *pc,
                       struct lz_connection_waiter *v)
{
    struct lz_pool *all = &w->connections->waiters;
    if (v->prev != 0)
        ((struct lz_connection_waiter *)lz_pool_at(all, v->prev))->next = v->next;
    else
        pc->wait_first = v->next;
    if (v->next != 0)
        ((struct lz_connection_waiter *)lz_pool_at(all, v->next))->prev = v->prev;
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
    struct lz_connection *n = lz_pool_find(&w->connections->all, *session_of(w, e, c));
    if (n == NULL)
        return false;
    LZ_ASSERT(n->state == LZ_CONNECTION_HELD);
    n->state = LZ_CONNECTION_BUSY;
    n->call = lz_pool_id(c);
    set_of_call(w, c, lz_pool_id(n));
    return true;
}

void lz_connection_begin(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    struct lz_pool_client *pc = lz_connection_client(e, c->client);
    c->connected = lz_sim_now(w->sim);
    if (e->opts.session && take_held(w, e, c)) {
        lz_client_send(w, c);
        return;
    }
    if (lz_connect_is_fresh(w, e, c)) { // who is new shares nobody's pool
        new_one(w, e, c);
        lz_connect_retry(w, c);
        return;
    }
    if (take_idle(w, e, c) != NULL) {
        lz_client_send(w, c);
        return;
    }
    if (!is_below(w, e, c, pc->open) && pc->oldest != 0) // it may linger, and keep its place
        lz_connection_close(w, e, at(w, pc->oldest));
    if (!is_below(w, e, c, pc->open) || !has_room(w, e, c)) {
        get_in_line(w, e, c, true);
        return;
    }
    struct lz_connection *n = new_one(w, e, c);
    if (take_warm(w, e, c)) {
        opened(w, n);
        n->opened = 0;
        lz_client_send(w, c);
    } else {
        lz_connect_retry(w, c);
    }
}

bool lz_connection_stands_in_line(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    if (e->opts.pool.max == 0 || lz_connect_is_fresh(w, e, c))
        return false;
    // What faults leave is asked by server: any stands for the one that is chosen later.
    c->server = lz_world_component(w, e->opts.to)->instances_first;
    if (has_room(w, e, c))
        return false;
    get_in_line(w, e, c, false);
    return true;
}

static bool is_counted(const struct lz_world *w, const struct lz_edge *e, const struct lz_call *c)
{
    LZ_ASSERT(c->state == LZ_CALL_WAITING);
    return e->opts.pool.max > 0 && !lz_connect_is_fresh(w, e, c); // that is beside the pool
}

void lz_connection_asks(const struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    if (is_counted(w, e, c))
        lz_connection_client(e, c->client)->asking++;
}

void lz_connection_asked(const struct lz_world *w, struct lz_edge *e, const struct lz_call *c)
{
    if (!is_counted(w, e, c))
        return;
    LZ_ASSERT(lz_connection_client(e, c->client)->asking > 0);
    lz_connection_client(e, c->client)->asking--;
}

void lz_connection_opened(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    struct lz_connection *n = connection_of(w, c);
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
        struct lz_connection_waiter *v = lz_pool_find(&cs->waiters, cs->by_call[c->head.index]);
        LZ_ASSERT(v != NULL);
        leave_line(w, lz_connection_client(e, c->client), v);
        return 0;
    }
    struct lz_connection *n = connection_of(w, c);
    if (n == NULL)
        return 0;
    uint64_t *session = is_clean && e->opts.session ? session_of(w, e, c) : NULL;
    if (session != NULL) {
        *session = lz_pool_id(n);
        n->state = LZ_CONNECTION_HELD;
        n->call = 0;
        return 0;
    }
    if (!is_clean || n->is_fresh || !is_good(w, e, n))
        return lz_connection_close(w, e, n);
    push_idle(w, e, n);
    return 0;
}

bool *lz_connection_backend(struct lz_world *w, uint64_t call)
{
    const struct lz_call *c = lz_client_find(w, call);
    struct lz_connection *n = c != NULL ? connection_of(w, c) : NULL;
    return n != NULL ? &n->has_backend : NULL;
}

bool lz_connection_is_open(const struct lz_world *w, uint64_t connection)
{
    return lz_pool_find(&w->connections->all, connection) != NULL;
}

void lz_connection_end_session(struct lz_world *w, uint64_t connection, bool is_clean)
{
    struct lz_connection *n = lz_pool_find(&w->connections->all, connection);
    if (n == NULL || n->state != LZ_CONNECTION_HELD)
        return;
    struct lz_edge *e = lz_edge_get(w, n->edge);
    lz_instance_id client = n->client;
    if (is_clean && !n->is_fresh && is_good(w, e, n))
        push_idle(w, e, n);
    else
        lz_connection_close(w, e, n);
    lz_connection_next(w, e, client);
}

void lz_connection_next(struct lz_world *w, struct lz_edge *e, lz_instance_id client)
{
    struct lz_pool_client *pc = lz_connection_client(e, client);
    while (pc->wait_first != 0) {
        struct lz_connection_waiter *v = lz_pool_at(&w->connections->waiters, pc->wait_first);
        struct lz_call *c = lz_client_find(w, v->call);
        LZ_ASSERT(c != NULL && c->state == LZ_CALL_IN_LINE);
        if (!has_room(w, e, c))
            return;
        bool is_routed = v->is_routed;
        leave_line(w, pc, v);
        c->state = LZ_CALL_CONNECTING;
        if (is_routed)
            lz_connection_begin(w, e, c);
        else
            lz_client_reach(w, c);
    }
}

void lz_connection_forget(struct lz_world *w, struct lz_edge *e, lz_instance_id client)
{
    struct lz_pool_client *pc = lz_connection_client(e, client);
    while (pc->newest != 0) // the busy ones went with their calls
        lz_connection_close(w, e, at(w, pc->newest));
    pc->warm_left = 0;
}

static void on_lingered(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_edge *e = lz_edge_get(w, (lz_edge_id)payload);
    struct lz_pool_client *pc = lz_connection_client(e, entity);
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

void lz_connection_address(struct lz_world *w, const struct lz_call *c, struct lz_message *m)
{
    struct lz_connection *n = connection_of(w, c);
    if (n == NULL)
        return;
    bool is_answer = m->purpose == LZ_PURPOSE_NET_BACK;
    n->bytes[is_answer] += (double)m->bytes;
    n->answers += is_answer;
    n->answer_bytes = is_answer ? (double)m->bytes : 0.0;
    if (m->bytes > LZ_TCP_SEGMENT) {
        if (n->path[is_answer] == 0)
            n->path[is_answer] = lz_tcp_open(w);
        m->path = n->path[is_answer];
    }
    if (w->connections->active > 0) {
        m->connection = n->draws;
        lz_connection_fault_carried(w, n);
    }
}

// ---------------------------------------------------------------- tracking

// Requests under way are on connections that nobody has counted so far.
static void adopt(struct lz_world *w, struct lz_edge *e)
{
    const struct lz_hops *hops = &((const struct lz_tasks_face *)w->tasks)->hops;
    for (uint32_t i = 1; i < hops->pool.used; i++) {
        struct lz_call *c = lz_client_at(w, i);
        if (!lz_hop_is_live(c) || c->state != LZ_CALL_SENT || lz_edge_get(w, c->edge) != e)
            continue;
        struct lz_connection *n = new_one(w, e, c);
        n->state = LZ_CONNECTION_BUSY;
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

void lz_connections_init(struct lz_world *w)
{
    struct lz_connections *cs = lz_arena_alloc(w->arena, sizeof(*cs));
    lz_pool_init(&cs->all, w->arena, sizeof(struct lz_connection));
    lz_pool_init(&cs->waiters, w->arena, sizeof(struct lz_connection_waiter));
    w->connections = cs;
    lz_connection_fault_init(w);
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
