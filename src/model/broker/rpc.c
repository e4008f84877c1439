#include "model/broker/rpc.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/net/net.h"
#include "model/node/instance.h"

enum state { SENT, WAITING, THERE, ANSWERED, LOST };

// A connection, and how far it has been read.
struct line {
    struct lz_pool_head head;
    uint32_t requests; // on it that are not over
    uint32_t from_incarnation, to_incarnation;
    uint32_t waiting, answers;  // at the server and here, those that came too early; by turn
    uint64_t said, heard, told; // turns: sent, taken up at the server, answered here
    uint64_t at_hand;           // request that the server works on; 0: none
    bool is_given_up;           // by the caller
    bool is_closed;             // by the server, or something is missing: nothing more is read
};

struct lz_rpcs {
    struct lz_pool pool, lines;
    const struct lz_rpc_ops *ops[LZ_RPC_KINDS];
    uint32_t *first; // at each instance
    uint32_t first_cap;
    lz_kind arrive, answer, reset, timeout;
};

static struct lz_rpc *at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->rpcs->pool, index);
}

static struct line *line_at(const struct lz_world *w, uint32_t index)
{
    return lz_pool_at(&w->rpcs->lines, index);
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

static void link_at(struct lz_world *w, struct lz_rpc *r, enum state state)
{
    struct lz_rpcs *rs = w->rpcs;
    rs->first = lz_grow(w->arena, rs->first, &rs->first_cap, r->to + 1, sizeof(*rs->first));
    r->prev = 0;
    r->next = rs->first[r->to];
    if (r->next != 0)
        at(w, r->next)->prev = r->head.index;
    rs->first[r->to] = r->head.index;
    r->state = (uint8_t)state;
}

static void unlink_at(struct lz_world *w, struct lz_rpc *r)
{
    LZ_ASSERT(r->state == THERE || r->state == WAITING);
    if (r->prev != 0)
        at(w, r->prev)->next = r->next;
    else
        w->rpcs->first[r->to] = r->next;
    if (r->next != 0)
        at(w, r->next)->prev = r->prev;
}

static void leave_line(struct lz_world *w, const struct lz_rpc *r)
{
    struct line *l = r->line != 0 ? line_at(w, r->line) : NULL;
    if (l == NULL)
        return;
    LZ_ASSERT(l->requests > 0);
    if (--l->requests == 0 && l->is_given_up)
        lz_pool_give(&w->rpcs->lines, l);
}

static void drop(struct lz_world *w, struct lz_rpc *r)
{
    lz_sim_cancel(w->sim, r->timeout);
    const struct lz_rpc_ops *ops = w->rpcs->ops[r->kind];
    if (ops->dropped != NULL)
        ops->dropped(w, r);
    leave_line(w, r);
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

// ---- in line

static void wait_for_turn(const struct lz_world *w, uint32_t *first, struct lz_rpc *r)
{
    uint32_t *place = first;
    while (*place != 0 && at(w, *place)->turn < r->turn)
        place = &at(w, *place)->behind;
    r->behind = *place;
    *place = r->head.index;
}

static void stop_waiting(const struct lz_world *w, uint32_t *first, const struct lz_rpc *r)
{
    uint32_t *place = first;
    while (*place != r->head.index)
        place = &at(w, *place)->behind;
    *place = r->behind;
}

// Whatever comes next goes over another connection; what had come too early is never told.
static void give_up_line(struct lz_world *w, struct lz_rpc_way *way)
{
    struct line *l = line_at(w, way->line);
    way->line = 0;
    l->is_given_up = true;
    while (l->answers != 0) {
        struct lz_rpc *r = at(w, l->answers);
        l->answers = r->behind;
        lz_sim_at(w->sim, lz_sim_now(w->sim), w->rpcs->answer, r->from, lz_pool_id(r));
    }
    if (l->requests == 0)
        lz_pool_give(&w->rpcs->lines, l);
}

static void give_up(struct lz_world *w, const struct lz_rpc *r)
{
    if (r->line != 0 && r->way->line == r->line)
        give_up_line(w, r->way);
}

// The server reads nothing more of it.
static void close_line(struct lz_world *w, struct line *l)
{
    l->is_closed = true;
    while (l->waiting != 0) {
        struct lz_rpc *r = at(w, l->waiting);
        l->waiting = r->behind;
        unlink_at(w, r);
        lose(w, r);
    }
}

// The server has done with `r`: it takes what has come after it.
static void read_on(struct lz_world *w, const struct lz_rpc *r)
{
    struct line *l = r->line != 0 ? line_at(w, r->line) : NULL;
    if (l == NULL || l->at_hand != lz_pool_id(r))
        return;
    l->at_hand = 0;
    struct lz_rpc *next = l->waiting != 0 ? at(w, l->waiting) : NULL;
    if (next == NULL || next->turn != l->heard + 1)
        return;
    l->waiting = next->behind;
    unlink_at(w, next);
    next->state = SENT;
    lz_sim_at(w->sim, lz_sim_now(w->sim), w->rpcs->arrive, next->to, lz_pool_id(next));
}

// Is it its turn? If not it waits, or is lost with its connection.
static bool has_turn(struct lz_world *w, struct lz_rpc *r)
{
    struct line *l = r->line != 0 ? line_at(w, r->line) : NULL;
    if (l == NULL)
        return true;
    if (l->is_closed) {
        lose(w, r);
    } else if (r->turn != l->heard + 1 || l->at_hand != 0) {
        wait_for_turn(w, &l->waiting, r);
        link_at(w, r, WAITING);
    } else {
        l->heard++;
        l->at_hand = lz_pool_id(r);
        return true;
    }
    return false;
}

static void take_place(struct lz_world *w, struct lz_rpc *r)
{
    struct lz_rpc_way *way = r->way;
    if (!w->rpcs->ops[r->kind]->in_line)
        return;
    struct line *l = way->line != 0 ? line_at(w, way->line) : NULL;
    if (l != NULL &&
        (l->from_incarnation != r->from_incarnation || l->to_incarnation != r->to_incarnation)) {
        give_up_line(w, way);
        l = NULL;
    }
    if (l == NULL) {
        l = lz_pool_take(&w->rpcs->lines);
        l->from_incarnation = r->from_incarnation;
        l->to_incarnation = r->to_incarnation;
        way->line = l->head.index;
    }
    l->requests++;
    r->line = l->head.index;
    r->turn = ++l->said;
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
    give_up(w, r);
    if (r->line != 0 && r->state == SENT) // what was sent after it never has its turn
        close_line(w, line_at(w, r->line));
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
    } else if (has_turn(w, r)) {
        link_at(w, r, THERE);
        w->rpcs->ops[r->kind]->arrived(w, r);
    }
}

static void on_answer(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_rpc *r = lz_rpc_find(w, payload);
    if (r == NULL || lz_instance_defer(w, entity, w->rpcs->answer, payload))
        return;
    struct line *l = r->line != 0 ? line_at(w, r->line) : NULL;
    if (l == NULL) {
        end(w, r, LZ_RPC_ANSWERED);
    } else if (l->is_given_up) {
        end(w, r, LZ_RPC_RESET);
    } else if (r->turn != l->told + 1) {
        wait_for_turn(w, &l->answers, r);
    } else {
        l->told++;
        struct lz_rpc *next = l->answers != 0 ? at(w, l->answers) : NULL;
        if (next != NULL && next->turn == l->told + 1) {
            l->answers = next->behind;
            lz_sim_at(w->sim, lz_sim_now(w->sim), w->rpcs->answer, entity, lz_pool_id(next));
        }
        end(w, r, LZ_RPC_ANSWERED);
    }
}

static void on_reset(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_rpc *r = lz_rpc_find(w, payload);
    if (r == NULL || lz_instance_defer(w, entity, w->rpcs->reset, payload))
        return;
    give_up(w, r);
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
    give_up(w, r);
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
    take_place(w, r);
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
    LZ_ASSERT(r->state == THERE);
    unlink_at(w, r);
    read_on(w, r);
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
    LZ_ASSERT(r->state == THERE);
    unlink_at(w, r);
    if (r->line != 0)
        close_line(w, line_at(w, r->line));
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
        unlink_at(w, r);
        if (r->state == WAITING)
            stop_waiting(w, &line_at(w, r->line)->waiting, r);
        else if (r->line != 0)
            line_at(w, r->line)->at_hand = 0;
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
    lz_pool_init(&rs->lines, w->arena, sizeof(struct line));
    w->rpcs = rs;
    rs->arrive = lz_sim_kind(w->sim, "rpc", on_arrive, w);
    rs->answer = lz_sim_kind(w->sim, "rpc.answer", on_answer, w);
    rs->reset = lz_sim_kind(w->sim, "rpc.reset", on_reset, w);
    rs->timeout = lz_sim_kind(w->sim, "rpc.timeout", on_timeout, w);
}
