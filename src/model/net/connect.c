#include "model/net/connect.h"
#include "model/client/stream.h"

#include "base/check.h"
#include "model/net/cert.h"
#include "model/net/connection.h"
#include "model/node/instance.h"
#include "model/service/task.h"

void lz_connect_warm(struct lz_world *w, struct lz_edge *e)
{
    const struct lz_server_ops *ops = lz_task_ops(w, e->opts.to);
    for (uint32_t c = 0; c < e->client_count; c++)
        for (uint32_t s = 0; s < e->server_count; s++)
            if (ops->route == NULL || s == 0)
                lz_edge_set_connected(&e->pairs[c * e->server_count + s], 1);
    for (uint32_t c = 0; c < e->client_count; c++)
        e->clients[c].has_ticket = !e->opts.pool.is_cold;
}

void lz_connect_cold(struct lz_edge *e)
{
    for (uint32_t i = 0; i < e->client_count * e->server_count; i++)
        lz_edge_set_connected(&e->pairs[i], 0);
    for (uint32_t c = 0; c < e->client_count; c++)
        e->clients[c].has_ticket = false;
}

void lz_connect_forget(struct lz_world *w, lz_instance_id client)
{
    uint32_t count = lz_edge_count(w);
    for (lz_edge_id id = 1; id <= count; id++) {
        struct lz_edge *e = lz_edge_get(w, id);
        if (client < e->client_first || client - e->client_first >= e->client_count)
            continue;
        for (uint32_t s = 0; s < e->server_count; s++)
            lz_edge_set_connected(lz_edge_pair(e, client, e->server_first + s), 0);
        e->clients[client - e->client_first].has_ticket = false;
        if (e->pool != NULL)
            lz_connection_forget(w, e, client);
    }
}

// The call it passes on, if it is a balancer's.
static const struct lz_call *passed_on(const struct lz_world *w, const struct lz_call *c)
{
    bool is_task = c->owner_kind == LZ_OWNER_TASK || c->owner_kind == LZ_OWNER_STREAM;
    const struct lz_task *t = is_task ? lz_task_find(w, c->owner) : NULL;
    return t != NULL ? lz_client_find(w, t->call) : NULL;
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

void lz_connect_address(struct lz_world *w, uint64_t call, struct lz_message *m)
{
    const struct lz_call *c = lz_client_find(w, call);
    LZ_ASSERT(c != NULL);
    bool is_answer = m->purpose == LZ_PURPOSE_NET_BACK;
    if (is_answer)
        m->to = c->client;
    m->bytes = size_of(w, c, is_answer);
    struct lz_edge *e = lz_edge_get(w, c->edge);
    m->window = e->opts.tcp.window;
    if (is_answer)
        m->first = lz_stream_first_kind(w, e);
    if (m->bytes > LZ_TCP_INITIAL_WINDOW) // windows grow: each connection's is its own
        lz_connection_track(w, e);
    if (e->pool != NULL)
        lz_connection_address(w, c, m);
}

uint32_t lz_connect_retries(const struct lz_world *w, uint64_t call)
{
    const struct lz_call *c = lz_client_find(w, call);
    LZ_ASSERT(c != NULL);
    return lz_edge_get(w, c->edge)->opts.tcp.retries;
}

bool lz_connect_transport(struct lz_world *w, lz_component_id id,
                          const struct lz_transport_opts *opts, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    if (opts->is_quic && opts->tls != LZ_TLS_OFF)
        return lz_fail(err, LZ_EINVAL, "QUIC has TLS 1.3 in it: leave `tls` out");
    if (opts->is_early_data && !opts->is_quic && opts->tls != LZ_TLS_1_3)
        return lz_fail(err, LZ_EINVAL, "early_data needs tls = \"1.3\" or transport = \"quic\"");
    struct lz_component *c = &w->components[id];
    c->trips = opts->tls == LZ_TLS_1_2 ? 2 : opts->tls == LZ_TLS_1_3;
    c->is_quic = opts->is_quic;
    c->is_early_data = opts->is_early_data;
    return true;
}

// Round trips of a handshake, the first one included.
static uint8_t trips_of(const struct lz_world *w, const struct lz_edge *e, lz_instance_id client)
{
    const struct lz_component *to = lz_world_component(w, e->opts.to);
    uint8_t trips = (uint8_t)(1 + to->trips);
    bool is_early = to->is_early_data && e->clients[client - e->client_first].has_ticket;
    return (uint8_t)(trips - is_early);
}

static void established(struct lz_world *w, struct lz_edge *e, struct lz_call *c)
{
    const struct lz_instance *server = lz_instance_get(w, c->server);
    e->clients[c->client - e->client_first].has_ticket = true;
    if (e->pool != NULL) {
        lz_connection_opened(w, e, c);
        return;
    }
    lz_edge_set_connected(lz_edge_pair(e, c->client, c->server), server->incarnation);
    lz_client_send(w, c);
}

// A SYN, or QUIC's first packet, waits a second: nothing is known of the way yet.
static lz_time wait_for(struct lz_world *w, const struct lz_call *c, const struct lz_tcp_opts *tcp)
{
    return c->trips == 0 ? lz_tcp_syn_wait(c->tries, tcp->syn_linear)
                         : lz_tcp_backoff(lz_net_rto(w, c->client, c->server), c->tries);
}

void lz_connect_retry(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    const struct lz_tcp_opts *tcp = &e->opts.tcp;
    lz_time now = lz_sim_now(w->sim);
    lz_time wait;
    c->state = LZ_CALL_CONNECTING;
    if (c->trips == 0 && trips_of(w, e, c->client) == 0) {
        established(w, e, c); // QUIC with early data: the request is the first packet
        return;
    }
    if (c->tries > (c->trips == 0 ? tcp->syn_retries + tcp->syn_linear : tcp->retries)) {
        lz_client_unreachable(w, c);
        return;
    }
    uint64_t path = lz_draw_index(c->path, c->attempt);
    uint32_t number = (uint32_t)c->trips << 8 | c->tries;
    bool is_heard = lz_net_round_trip(w, c->client, c->server, path, number, &wait);
    if (!is_heard)
        wait = wait_for(w, c, tcp);
    c->tries++;
    lz_kind kind = is_heard ? w->clients->connect : w->clients->again;
    c->timer = lz_sim_at(w->sim, now + wait, kind, c->client, lz_client_token(c));
}

bool lz_connect_is_fresh(const struct lz_world *w, const struct lz_edge *e, const struct lz_call *c)
{
    if (!(e->opts.fresh > 0.0))
        return false;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_draw_index(c->path, c->attempt), LZ_PURPOSE_FILTER, 3);
    return lz_draw_unit(&draw) < e->opts.fresh;
}

void lz_connect_begin(struct lz_world *w, struct lz_call *c)
{
    struct lz_edge *e = lz_edge_get(w, c->edge);
    if (e->pool != NULL) {
        lz_connection_begin(w, e, c);
        return;
    }
    const struct lz_instance *server = lz_instance_get(w, c->server);
    c->connected = lz_sim_now(w->sim);
    bool is_open = lz_edge_pair(e, c->client, c->server)->connected == server->incarnation;
    if (is_open && lz_connect_is_fresh(w, e, c))
        is_open = false;
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
    c->trips++;
    if (c->trips >= trips_of(w, e, c->client)) {
        if (lz_cert_is_refused(w, c->server))
            lz_client_distrusts(w, c);
        else
            established(w, e, c);
        return;
    }
    c->tries = 0;
    lz_connect_retry(w, c);
}

// Probes are sent while nothing is heard. Rather than each of them, what they find out is
// modelled: the first that nobody answers begins the wait for the last.
static struct lz_call *probing(struct lz_world *w, lz_kind kind, uint32_t entity, uint64_t payload)
{
    struct lz_call *c = lz_client_find_turn(w, payload);
    bool is_waiting = c != NULL && c->state == LZ_CALL_SENT && lz_task_find(w, c->task) != NULL;
    return is_waiting && !lz_instance_defer(w, entity, kind, payload) ? c : NULL;
}

static void on_keepalive(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_clients *cs = w->clients;
    struct lz_call *c = probing(w, cs->keepalive, entity, payload);
    if (c == NULL)
        return;
    const struct lz_tcp_opts *tcp = &lz_edge_get(w, c->edge)->opts.tcp;
    const struct lz_task *t = lz_task_find(w, c->task);
    lz_time now = lz_sim_now(w->sim);
    bool is_heard = lz_net_can_ask(w, c->client, c->server);
    if (is_heard && lz_instance_get(w, c->server)->incarnation != t->incarnation)
        lz_client_reset(w, t); // who is there knows nothing of the connection
    else if (is_heard)
        lz_sim_at(w->sim, now + tcp->idle, cs->keepalive, entity, payload);
    else
        lz_sim_at(w->sim, now + tcp->interval * tcp->probes, cs->last_probe, entity, payload);
}

static void on_last_probe(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_call *c = probing(w, w->clients->last_probe, entity, payload);
    if (c == NULL)
        return;
    if (lz_net_can_ask(w, c->client, c->server))
        on_keepalive(ctx, entity, payload);
    else
        lz_client_reset(w, lz_task_find(w, c->task));
}

void lz_connect_keep_alive(struct lz_world *w, struct lz_call *c)
{
    if (w->clients->keepalive == 0) {
        w->clients->keepalive = lz_sim_kind(w->sim, "keepalive", on_keepalive, w);
        w->clients->last_probe = lz_sim_kind(w->sim, "keepalive.last", on_last_probe, w);
    }
    lz_time idle = lz_edge_get(w, c->edge)->opts.tcp.idle;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + idle, w->clients->keepalive, c->client,
              lz_client_token(c));
}

void lz_connect_broke(struct lz_world *w, const struct lz_call *c)
{
    LZ_ASSERT(c->state == LZ_CALL_SENT);
    lz_edge_set_connected(lz_edge_pair(lz_edge_get(w, c->edge), c->client, c->server), 0);
}

void lz_connect_init(struct lz_world *w)
{
    w->clients->connect = lz_sim_kind(w->sim, "connect", on_connect, w);
}
