#include "model/connect.h"

#include "base/check.h"
#include "model/instance.h"
#include "model/net.h"

#define SYN_RTO LZ_S /* initial, doubling: RFC 6298 section 5.7, Linux TCP_TIMEOUT_INIT */
#define SYN_RTO_MAX (64 * LZ_S)

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

void lz_connect_retry(struct lz_world *w, struct lz_call *c)
{
    lz_time now = lz_sim_now(w->sim);
    lz_time wait;
    c->state = LZ_CALL_CONNECTING;
    if (lz_net_is_cut(w, c->client, c->server) || lz_net_is_cut(w, c->server, c->client)) {
        wait = c->tries < 6 ? SYN_RTO << c->tries : SYN_RTO_MAX;
        c->tries++;
        c->timer = lz_sim_at(w->sim, now + wait, w->clients->again, c->client, lz_client_token(c));
        return;
    }
    uint64_t path = lz_draw_index(c->path, c->attempt);
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), path, LZ_PURPOSE_NET_OUT, 1000000u + c->tries);
    wait = lz_net_latency(w, c->client, c->server, &draw);
    wait += lz_net_latency(w, c->server, c->client, &draw);
    c->timer = lz_sim_at(w->sim, now + wait, w->clients->connect, c->client, lz_client_token(c));
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
