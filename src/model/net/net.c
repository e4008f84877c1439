#include "model/net/net.h"

#include "base/check.h"
#include "base/pool.h"
#include "model/net/link.h"
#include "model/node/instance.h"

#define TRIES_MAX 1000u // two minutes apart: a day and a half, then nobody waits any more
// Handshakes draw as their attempt's messages do, and must not draw the same.
#define HANDSHAKE_NUMBER (1u << 24)

// A message that was lost or cut and is tried again.
struct resend {
    struct lz_pool_head head;
    uint32_t tries;
    struct lz_message m;
};

struct lz_net {
    struct lz_pool resends;
    lz_kind on_resend;
};

static void try_send(struct lz_world *w, const struct lz_message *m, uint32_t tries);

static void on_resend(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct lz_world *w = ctx;
    struct resend *r = lz_pool_find(&w->net->resends, payload);
    LZ_ASSERT(r != NULL);
    struct resend copy = *r;
    lz_pool_give(&w->net->resends, r);
    if (copy.m.wanted != NULL && !copy.m.wanted(w, copy.m.payload, copy.tries))
        return;
    try_send(w, &copy.m, copy.tries);
}

void lz_net_init(struct lz_world *w)
{
    struct lz_net *n = lz_arena_alloc(w->arena, sizeof(*n));
    lz_pool_init(&n->resends, w->arena, sizeof(struct resend));
    w->net = n;
    n->on_resend = lz_sim_kind(w->sim, "net.resend", on_resend, w);
    lz_links_init(w);
    lz_tcp_init(w);
}

static bool is_lost(const struct lz_world *w, lz_instance_id id)
{
    return lz_instance_get(w, id)->state == LZ_INSTANCE_LOST;
}

lz_time lz_net_rto(struct lz_world *w, lz_instance_id from, lz_instance_id to)
{
    const struct lz_link *back = lz_link_get(w, to, from);
    double smooth = back->smooth_ns, varying = back->varying_ns;
    const struct lz_link *l = lz_link_get(w, from, to);
    return lz_tcp_rto(smooth + l->smooth_ns, varying + l->varying_ns);
}

static void send_later(struct lz_world *w, const struct lz_message *m, uint32_t tries)
{
    if (tries >= TRIES_MAX)
        return;
    struct resend *r = lz_pool_take(&w->net->resends);
    r->m = *m;
    r->tries = tries + 1;
    lz_time wait = lz_tcp_backoff(lz_net_rto(w, m->from, m->to), tries);
    lz_sim_at(w->sim, lz_sim_now(w->sim) + wait, w->net->on_resend, m->to, lz_pool_id(r));
}

// What other purposes than calls have is a stream between two processes, and keeps its order.
void lz_net_deliver(struct lz_world *w, const struct lz_message *m, lz_kind kind, lz_time delay)
{
    LZ_ASSERT(delay >= 0);
    lz_time at = lz_sim_now(w->sim) + delay;
    if (w->order != NULL) {
        bool is_call = m->purpose == LZ_PURPOSE_NET_OUT || m->purpose == LZ_PURPOSE_NET_BACK;
        uint64_t of_call = m->conversation != 0 ? m->conversation : m->owner;
        const struct lz_order_message turn = {
            .from = m->from,
            .to = m->to,
            .channel = lz_hash_mix(lz_instance_path(w, m->from), lz_instance_path(w, m->to)),
            .conversation = is_call ? of_call : 0,
        };
        at = lz_order_turn(w->order, lz_sim_key(w->sim), &turn, at);
    }
    lz_sim_at(w->sim, at, kind, m->to, m->payload);
}

static void try_send(struct lz_world *w, const struct lz_message *m, uint32_t tries)
{
    struct lz_link *l = lz_link_get(w, m->from, m->to);
    bool is_cut = l->is_cut[lz_link_is_answer(m->purpose)];
    if (is_cut || is_lost(w, m->to)) {
        if (is_cut)
            lz_link_swallow(w, l, m->purpose);
        send_later(w, m, tries);
        return;
    }
    if (is_lost(w, m->from))
        return; // nobody is left to send it again
    if (l->always_ns >= 0) {
        lz_link_deliver(w, l, m->kind, m->payload);
        return;
    }
    struct lz_flight f = {.owner = m->owner,
                          .purpose = m->purpose,
                          .connection = m->connection,
                          .number = tries,
                          .bytes = m->bytes > 0 ? m->bytes : LZ_NET_SMALL_BYTES,
                          .segments = 1};
    lz_link_pass(w, l, &f);
    if (f.lost > 0)
        send_later(w, m, tries);
    else if (w->order != NULL)
        lz_net_deliver(w, m, m->kind, f.delay);
    else if (f.delay > 0)
        lz_sim_at(w->sim, lz_sim_now(w->sim) + f.delay, m->kind, m->to, m->payload);
    else // no distance: the same order by a shorter way
        lz_sim_soon(w->sim, m->kind, m->to, m->payload);
}

void lz_net_send(struct lz_world *w, const struct lz_message *m)
{
    LZ_ASSERT(m->from != 0 && m->to != 0);
    LZ_ASSERT(m->kind != 0);
    if (m->bytes > LZ_TCP_SEGMENT)
        lz_tcp_send(w, m);
    else
        try_send(w, m, 0);
}

static bool pass_small(struct lz_world *w, struct lz_link *l, struct lz_flight *f, lz_time *took)
{
    if (l->is_cut[lz_link_is_answer(f->purpose)]) {
        lz_link_swallow(w, l, f->purpose);
        return false;
    }
    if (l->always_ns >= 0) {
        *took += l->always_ns;
        return true;
    }
    lz_link_pass(w, l, f);
    *took += f->delay;
    return f->lost == 0;
}

bool lz_net_round_trip(struct lz_world *w, lz_instance_id client, lz_instance_id server,
                       uint64_t owner, uint32_t number, lz_time *took)
{
    struct lz_flight f = {.owner = owner,
                          .purpose = LZ_PURPOSE_NET_OUT,
                          .number = HANDSHAKE_NUMBER + number,
                          .bytes = LZ_NET_SMALL_BYTES,
                          .segments = 1};
    *took = 0;
    if (is_lost(w, client) || is_lost(w, server))
        return false;
    if (!pass_small(w, lz_link_get(w, client, server), &f, took))
        return false;
    f.purpose = LZ_PURPOSE_NET_BACK;
    return pass_small(w, lz_link_get(w, server, client), &f, took);
}

void lz_net_moved(struct lz_world *w)
{
    lz_link_recompose(w);
}

lz_time lz_net_latency(struct lz_world *w, lz_instance_id from, lz_instance_id to,
                       struct lz_draw *draw)
{
    return lz_link_latency(w, lz_link_get(w, from, to), 0, draw);
}

bool lz_net_can_ask(struct lz_world *w, lz_instance_id client, lz_instance_id server)
{
    return !is_lost(w, client) && !is_lost(w, server) &&
           !lz_link_get(w, client, server)->is_cut[0] && !lz_link_get(w, server, client)->is_cut[1];
}

bool lz_net_ask(struct lz_world *w, lz_instance_id client, lz_instance_id server)
{
    struct lz_link *there = lz_link_get(w, client, server);
    struct lz_link *back = lz_link_get(w, server, client);
    if (there->is_cut[0])
        lz_link_swallow(w, there, LZ_PURPOSE_NET_OUT);
    else if (back->is_cut[1])
        lz_link_swallow(w, back, LZ_PURPOSE_NET_BACK);
    return lz_net_can_ask(w, client, server);
}
