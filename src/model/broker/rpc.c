#include "model/broker/rpc.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/net/net.h"
#include "model/node/instance.h"

enum state { SENT, THERE, ANSWERED, LOST };

struct lz_rpcs {
    struct lz_pool pool;
    const struct lz_rpc_ops *ops[LZ_RPC_KINDS];
    uint32_t *first; // at each instance
    uint32_t first_cap;
    lz_kind arrive, answer, reset, timeout;
};

static struct lz_rpc *at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->rpcs->pool, index);
}

struct lz_rpc *lz_rpc_find(const struct lz_world *w, uint64_t id)
{
    return lz_pool_find(&w->rpcs->pool, id);
}

bool lz_rpc_is_there(const struct lz_rpc *r)
{
    return r->state == THERE;
}

bool lz_rpc_is_wanted(const struct lz_world *w, const struct lz_rpc *r)
{
    return !r->is_forgotten && lz_instance_get(w, r->from)->incarnation == r->from_incarnation;
}

static void link_there(struct lz_world *w, struct lz_rpc *r)
{
    struct lz_rpcs *rs = w->rpcs;
    rs->first = lz_grow(w->arena, rs->first, &rs->first_cap, r->to + 1, sizeof(*rs->first));
    r->prev = 0;
    r->next = rs->first[r->to];
    if (r->next != 0)
        at(w, r->next)->prev = r->head.index;
    rs->first[r->to] = r->head.index;
    r->state = THERE;
}

static void unlink_there(struct lz_world *w, struct lz_rpc *r)
{
    LZ_ASSERT(r->state == THERE);
    if (r->prev != 0)
        at(w, r->prev)->next = r->next;
    else
        w->rpcs->first[r->to] = r->next;
    if (r->next != 0)
        at(w, r->next)->prev = r->prev;
}

static void drop(struct lz_world *w, struct lz_rpc *r)
{
    lz_sim_cancel(w->sim, r->timeout);
    const struct lz_rpc_ops *ops = w->rpcs->ops[r->kind];
    if (ops->dropped != NULL)
        ops->dropped(w, r);
    lz_pool_give(&w->rpcs->pool, r);
}

// Silence: only a timeout that is still to come keeps it.
static void lose(struct lz_world *w, struct lz_rpc *r)
{
    r->state = LOST;
    if (r->timeout == 0 || !lz_rpc_is_wanted(w, r))
        drop(w, r);
}

static void end(struct lz_world *w, struct lz_rpc *r, enum lz_rpc_end how)
{
    if (lz_rpc_is_wanted(w, r))
        w->rpcs->ops[r->kind]->ended(w, r, how);
    drop(w, r);
}

// Asked before each retransmission. One that nobody waits for (a one-way message) goes on as long
// as TCP does.
static bool is_wanted(struct lz_world *w, uint64_t payload, uint32_t tries)
{
    struct lz_rpc *r = lz_rpc_find(w, payload);
    if (r == NULL)
        return false;
    bool is_one_way = r->timeout == 0 && !r->is_forgotten;
    if (is_one_way ? tries <= LZ_TCP_RETRIES : lz_rpc_is_wanted(w, r))
        return true;
    drop(w, r);
    return false;
}

static void send_back(struct lz_world *w, struct lz_rpc *r, lz_kind kind, uint64_t bytes)
{
    r->state = ANSWERED;
    if (r->way->back == 0 && bytes > LZ_TCP_SEGMENT)
        r->way->back = lz_tcp_open(w);
    lz_net_send(w, &(struct lz_message){.from = r->to,
                                        .to = r->from,
                                        .kind = kind,
                                        .payload = lz_pool_id(r),
                                        .owner = r->path,
                                        .purpose = LZ_PURPOSE_NET_BACK,
                                        .bytes = bytes,
                                        .path = r->way->back,
                                        .wanted = is_wanted});
}

static void on_arrive(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_rpc *r = lz_rpc_find(w, payload);
    if (r == NULL || lz_instance_defer(w, entity, w->rpcs->arrive, payload))
        return;
    const struct lz_instance *to = lz_instance_get(w, entity);
    if (to->state == LZ_INSTANCE_LOST) {
        lose(w, r);
    } else if (!lz_instance_listens(to) || to->incarnation != r->to_incarnation) {
        r->is_refused = !lz_instance_listens(to);
        send_back(w, r, w->rpcs->reset, 0);
    } else {
        link_there(w, r);
        w->rpcs->ops[r->kind]->arrived(w, r);
    }
}

static void on_answer(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_rpc *r = lz_rpc_find(w, payload);
    if (r != NULL && !lz_instance_defer(w, entity, w->rpcs->answer, payload))
        end(w, r, LZ_RPC_ANSWERED);
}

static void on_reset(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_rpc *r = lz_rpc_find(w, payload);
    if (r != NULL && !lz_instance_defer(w, entity, w->rpcs->reset, payload))
        end(w, r, r->is_refused ? LZ_RPC_REFUSED : LZ_RPC_RESET);
}

// The server does not hear of it: what is there or on its way goes on.
static void on_timeout(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_rpc *r = lz_rpc_find(w, payload);
    if (r == NULL || lz_instance_defer(w, entity, w->rpcs->timeout, payload))
        return;
    r->timeout = 0;
    bool is_wanted = lz_rpc_is_wanted(w, r);
    r->is_forgotten = true;
    if (is_wanted)
        w->rpcs->ops[r->kind]->ended(w, r, LZ_RPC_TIMEOUT);
    if (r->state == LOST)
        drop(w, r);
}

uint64_t lz_rpc_send(struct lz_world *w, const struct lz_rpc_send *send)
{
    LZ_ASSERT(send->way != NULL);
    struct lz_rpcs *rs = w->rpcs;
    struct lz_rpc *r = lz_pool_take_sized(&rs->pool, sizeof(*r));
    r->kind = (uint8_t)send->kind;
    r->way = send->way;
    r->owner = send->owner;
    r->says = send->says;
    r->path = lz_draw_index(lz_draw_index(send->path, send->kind), ++send->way->count);
    r->from = send->from;
    r->to = send->to;
    r->from_incarnation = lz_instance_get(w, send->from)->incarnation;
    r->to_incarnation = lz_instance_get(w, send->to)->incarnation;
    r->state = SENT;
    uint64_t id = lz_pool_id(r);
    if (send->timeout > 0)
        r->timeout =
            lz_sim_arm(w->sim, lz_sim_lane(w->sim, send->timeout, rs->timeout), send->from, id);
    if (send->way->there == 0 && send->bytes > LZ_TCP_SEGMENT)
        send->way->there = lz_tcp_open(w);
    lz_net_send(w, &(struct lz_message){.from = send->from,
                                        .to = send->to,
                                        .kind = rs->arrive,
                                        .payload = id,
                                        .owner = r->path,
                                        .purpose = LZ_PURPOSE_NET_OUT,
                                        .bytes = send->bytes,
                                        .path = send->way->there,
                                        .wanted = is_wanted});
    return id;
}

void lz_rpc_answer(struct lz_world *w, struct lz_rpc *r, uint16_t error, uint64_t bytes)
{
    unlink_there(w, r);
    r->error = error;
    r->state = ANSWERED;
    bool is_one_way = r->timeout == 0 && !r->is_forgotten;
    if (is_one_way || !lz_rpc_is_wanted(w, r))
        drop(w, r);
    else
        send_back(w, r, w->rpcs->answer, bytes);
}

void lz_rpc_close(struct lz_world *w, struct lz_rpc *r)
{
    unlink_there(w, r);
    send_back(w, r, w->rpcs->reset, 0);
}

void lz_rpc_forget(struct lz_world *w, uint64_t id)
{
    struct lz_rpc *r = lz_rpc_find(w, id);
    if (r == NULL)
        return;
    r->is_forgotten = true;
    if (r->state == LOST)
        drop(w, r);
}

void lz_rpc_died(struct lz_world *w, lz_instance_id node, bool silent)
{
    struct lz_rpcs *rs = w->rpcs;
    while (node < rs->first_cap && rs->first[node] != 0) {
        struct lz_rpc *r = at(w, rs->first[node]);
        unlink_there(w, r);
        if (silent)
            lose(w, r);
        else
            send_back(w, r, rs->reset, 0);
    }
}

void lz_rpc_serve(struct lz_world *w, enum lz_rpc_kind kind, const struct lz_rpc_ops *ops)
{
    LZ_ASSERT(ops->arrived != NULL && ops->ended != NULL);
    w->rpcs->ops[kind] = ops;
}

void lz_rpcs_init(struct lz_world *w)
{
    struct lz_rpcs *rs = lz_arena_alloc(w->arena, sizeof(*rs));
    lz_pool_init(&rs->pool, w->arena, sizeof(struct lz_rpc));
    w->rpcs = rs;
    rs->arrive = lz_sim_kind(w->sim, "rpc", on_arrive, w);
    rs->answer = lz_sim_kind(w->sim, "rpc.answer", on_answer, w);
    rs->reset = lz_sim_kind(w->sim, "rpc.reset", on_reset, w);
    rs->timeout = lz_sim_kind(w->sim, "rpc.timeout", on_timeout, w);
}
