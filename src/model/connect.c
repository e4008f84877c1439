#include "model/connect.h"

#include "base/check.h"
#include "model/instance.h"
#include "model/task.h"

void lz_connect_warm(struct lz_world *w, struct lz_edge *e)
{
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    for (uint32_t c = 0; c < e->client_count; c++)
        for (uint32_t s = 0; s < e->server_count; s++)
            if (ops->route == NULL || s == 0)
                e->pairs[c * e->server_count + s].connected = 1;
}

void lz_connect_cold(struct lz_edge *e)
{
    for (uint32_t i = 0; i < e->client_count * e->server_count; i++)
        e->pairs[i].connected = 0;
}

// The call it passes on, if it is a balancer's.
static const struct lz_call *passed_on(const struct lz_world *w, const struct lz_call *c)
{
    const struct lz_task *t = c->owner_kind == LZ_OWNER_TASK ? lz_task_find(w, c->owner) : NULL;
    return t != NULL ? lz_pool_find(&w->clients->pool, t->call) : NULL;
}

static uint64_t size_of(const struct lz_world *w, const struct lz_call *c, bool is_answer)
{
    while (c != NULL) {
        const struct lz_edge_opts *o = &lz_edge_get(w, c->edge)->opts;
        uint64_t size = is_answer ? o->response_size : o->size;
        if (size != 0)
            return size;
        c = passed_on(w, c);
    }
    return is_answer ? LZ_CALL_RESPONSE_SIZE : LZ_CALL_SIZE; // who asked no longer waits
}

void lz_connect_address(const struct lz_world *w, uint64_t call, struct lz_message *m)
{
    const struct lz_call *c = lz_pool_find(&w->clients->pool, call);
    LZ_ASSERT(c != NULL);
    bool is_answer = m->purpose == LZ_PURPOSE_NET_BACK;
    if (is_answer)
        m->to = c->client;
    m->bytes = size_of(w, c, is_answer);
    m->window = lz_edge_get(w, c->edge)->opts.tcp.window;
}

uint32_t lz_connect_retries(const struct lz_world *w, uint64_t call)
{
    const struct lz_call *c = lz_pool_find(&w->clients->pool, call);
    LZ_ASSERT(c != NULL);
    return lz_edge_get(w, c->edge)->opts.tcp.retries;
}

void lz_connect_retry(struct lz_world *w, struct lz_call *c)
{
    const struct lz_tcp_opts *tcp = &lz_edge_get(w, c->edge)->opts.tcp;
    lz_time now = lz_sim_now(w->sim);
    lz_time wait;
    c->state = LZ_CALL_CONNECTING;
    if (c->tries > tcp->syn_retries + tcp->syn_linear) {
        lz_client_unreachable(w, c);
        return;
    }
    uint64_t path = lz_draw_index(c->path, c->attempt);
    bool is_heard = lz_net_round_trip(w, c->client, c->server, path, c->tries, &wait);
    if (!is_heard)
        wait = lz_tcp_syn_wait(c->tries, tcp->syn_linear);
    c->tries++;
    lz_kind kind = is_heard ? w->clients->connect : w->clients->again;
    c->timer = lz_sim_at(w->sim, now + wait, kind, c->client, lz_client_token(c));
}

void lz_connect_begin(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_instance *server = lz_instance_get(w, c->server);
    c->connected = lz_sim_now(w->sim);
    bool is_open = lz_edge_pair(e, c->client, c->server)->connected == server->incarnation;
    // A process that ended has closed its connections; a host that is gone has told nobody.
    if (is_open && (lz_instance_listens(server) || server->state == LZ_INSTANCE_LOST))
        lz_client_send(w, c);
    else
        lz_connect_retry(w, c);
}

static void on_connect(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_call *c = lz_client_find_turn(w, payload);
    if (c == NULL || lz_instance_defer(w, entity, w->clients->connect, payload))
        return;
    c->timer = 0;
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_instance *server = lz_instance_get(w, c->server);
    if (!lz_instance_listens(server) && server->state != LZ_INSTANCE_LOST) {
        lz_client_refused(w, c);
        return;
    }
    if (server->state == LZ_INSTANCE_LOST) {
        lz_connect_retry(w, c);
        return;
    }
    lz_edge_pair(e, c->client, c->server)->connected = server->incarnation;
    lz_client_send(w, c);
}

void lz_connect_broke(struct lz_world *w, const struct lz_call *c)
{
    LZ_ASSERT(c->state == LZ_CALL_SENT);
    lz_edge_pair(lz_edge_get(w, c->edge), c->client, c->server)->connected = 0;
}

void lz_connect_init(struct lz_world *w)
{
    w->clients->connect = lz_sim_kind(w->sim, "connect", on_connect, w);
}
