// What faults do to connections: each effect in force says of which ends, and what.
#include "base/check.h"
#include "base/grow.h"
#include "model/net/connection_state.h"
#include "model/service/task.h"

static bool leads(const struct lz_world *w, const struct lz_connection_effect *e, lz_instance_id a,
                  lz_instance_id b)
{
    return lz_link_end_has(w, &e->from, a) && lz_link_end_has(w, &e->to, b);
}

static bool matches(const struct lz_world *w, const struct lz_connection_effect *e,
                    lz_instance_id a, lz_instance_id b)
{
    return leads(w, e, a, b) || leads(w, e, b, a);
}

// Of an effect on a share of the connections, whether this is one: the same whenever it is asked.
static bool is_struck(const struct lz_world *w, const struct lz_connection_effect *e,
                      const struct lz_connection *n)
{
    if (!(e->share > 0.0))
        return true;
    struct lz_draw draw =
        lz_draw_begin(lz_sim_key(w->sim), lz_draw_join(e->path, n->draws), LZ_PURPOSE_NET_OUT, 0);
    return lz_draw_unit(&draw) < e->share;
}

// How long it lasts at the server once it is closed; those that make it last count it.
lz_time lz_connection_fault_linger(const struct lz_world *w, const struct lz_connection *n)
{
    const struct lz_connections *cs = w->connections;
    lz_time longest = 0;
    for (uint32_t i = 0; i < cs->effect_count && cs->active > 0; i++) {
        const struct lz_connection_effect *e = &cs->effects[i].e;
        if (!cs->effects[i].is_active || e->fate != LZ_CONNECTION_LINGERS ||
            !matches(w, e, n->client, n->server) || !is_struck(w, e, n))
            continue;
        (*e->touched)++;
        longest = e->after > longest ? e->after : longest;
    }
    return longest;
}

// An effect that takes the first so many connections says so when one is opened.
static bool is_chosen(const struct lz_world *w, uint32_t slot, const struct lz_connection *n)
{
    const struct lz_connection_effect *e = &w->connections->effects[slot].e;
    return (e->first == 0 || (slot < 64 && (n->chosen >> slot & 1) != 0)) && is_struck(w, e, n);
}

static void choose(struct lz_world *w, uint32_t slot, struct lz_connection *n)
{
    struct lz_connection_fault *f = &w->connections->effects[slot];
    if (f->e.first > f->chosen && slot < 64 && matches(w, &f->e, n->client, n->server)) {
        f->chosen++;
        n->chosen |= UINT64_C(1) << slot;
    }
}

// Has it carried what the effect lets it?
static bool is_spent(const struct lz_world *w, const struct lz_connection_effect *e,
                     const struct lz_connection *n)
{
    if (e->response > 0)
        return n->answers == e->response && n->answer_bytes > e->bytes;
    if (e->way == LZ_CONNECTION_BOTH_WAYS)
        return n->bytes[0] + n->bytes[1] > e->bytes;
    bool is_along = leads(w, e, n->client, n->server);
    return n->bytes[is_along == (e->way == LZ_CONNECTION_FROM)] > e->bytes;
}

// The cut that an effect has for a connection, counted from now on.
static void plan_cut(struct lz_world *w, uint32_t slot, const struct lz_connection *n)
{
    const struct lz_connection_fault *f = &w->connections->effects[slot];
    if (!is_chosen(w, slot, n) || f->e.fate != LZ_CONNECTION_RESET || f->e.bytes > 0.0 ||
        !matches(w, &f->e, n->client, n->server))
        return;
    lz_sim_at(w->sim, lz_sim_now(w->sim) + f->e.after, w->connections->cut, n->client,
              lz_pool_id(n));
}

void lz_connection_fault_opened(struct lz_world *w, struct lz_connection *n)
{
    const struct lz_connections *cs = w->connections;
    for (uint32_t i = 0; i < cs->effect_count; i++)
        if (cs->effects[i].is_active) {
            choose(w, i, n);
            plan_cut(w, i, n);
        }
}

void lz_connection_fault_carried(struct lz_world *w, const struct lz_connection *n)
{
    const struct lz_connections *cs = w->connections;
    for (uint32_t i = 0; i < cs->effect_count; i++) {
        const struct lz_connection_effect *e = &cs->effects[i].e;
        if (cs->effects[i].is_active && e->bytes > 0.0 && is_spent(w, e, n) && is_chosen(w, i, n) &&
            matches(w, e, n->client, n->server)) {
            lz_sim_soon(w->sim, cs->cut, n->client, lz_pool_id(n));
            return;
        }
    }
}

// ---------------------------------------------------------------- pools that are taken

static bool takes(const struct lz_world *w, uint32_t slot, lz_instance_id client,
                  lz_instance_id server)
{
    const struct lz_connection_fault *f = &w->connections->effects[slot];
    return f->is_active && f->e.fate == LZ_CONNECTION_TAKEN &&
           lz_link_end_has(w, &f->e.from, client) && lz_link_end_has(w, &f->e.to, server);
}

// The strictest says.
uint32_t lz_connection_fault_left(const struct lz_world *w, lz_instance_id client,
                                  lz_instance_id server, uint32_t max)
{
    const struct lz_connections *cs = w->connections;
    uint32_t left = max;
    for (uint32_t i = 0; i < cs->effect_count && cs->taking > 0; i++)
        if (takes(w, i, client, server) && cs->effects[i].e.left < left)
            left = cs->effects[i].e.left;
    return left;
}

void lz_connection_fault_missed(const struct lz_world *w, lz_instance_id client,
                                lz_instance_id server)
{
    const struct lz_connections *cs = w->connections;
    for (uint32_t i = 0; i < cs->effect_count; i++)
        if (takes(w, i, client, server))
            (*cs->effects[i].e.touched)++;
}

// What is left again goes to those in line.
static void give_back(struct lz_world *w, const struct lz_connection_effect *f)
{
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++) {
        struct lz_edge *e = lz_edge_get(w, id);
        for (uint32_t c = 0; c < e->client_count && e->pool != NULL; c++)
            if (lz_link_end_has(w, &f->from, e->client_first + c))
                lz_connection_next(w, e, e->client_first + c);
    }
}

bool lz_connection_has_pool(const struct lz_world *w, lz_component_id from, lz_component_id to)
{
    lz_instance_id first = lz_world_component(w, from)->instances_first;
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++) {
        const struct lz_edge *e = lz_edge_get(w, id);
        if (e->client_first == first && e->opts.to == to && e->opts.pool.max > 0)
            return true;
    }
    return false;
}

// ---------------------------------------------------------------- what breaks them

static void break_one(struct lz_world *w, struct lz_connection *n)
{
    struct lz_edge *e = lz_edge_get(w, n->edge);
    if (!n->is_fresh)
        lz_edge_set_connected(lz_edge_pair(e, n->client, n->server), 0);
    struct lz_call *c = lz_client_find(w, n->call);
    if (n->state == LZ_CONNECTION_IDLE || n->state == LZ_CONNECTION_HELD) {
        lz_connection_close(w, e, n);
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
    struct lz_connection *n = lz_pool_find(&cs->all, payload);
    if (n == NULL || n->state == LZ_CONNECTION_OPENING ||
        lz_instance_defer(w, entity, cs->cut, payload))
        return;
    bool is_cut = false;
    for (uint32_t i = 0; i < cs->effect_count; i++) {
        const struct lz_connection_effect *e = &cs->effects[i].e;
        if (!cs->effects[i].is_active || e->fate >= LZ_CONNECTION_LINGERS || !is_chosen(w, i, n) ||
            !matches(w, e, n->client, n->server))
            continue;
        lz_time from = n->opened > cs->effects[i].began ? n->opened : cs->effects[i].began;
        bool is_due = e->bytes > 0.0 ? is_spent(w, e, n) : lz_sim_now(w->sim) - from >= e->after;
        *e->touched += is_due;
        is_cut |= is_due;
    }
    if (is_cut)
        break_one(w, n);
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
        (struct lz_connection_fault){.e = *effect, .began = lz_sim_now(w->sim), .is_active = true};
    cs->active++;
    cs->taking += effect->fate == LZ_CONNECTION_TAKEN;
    for (lz_edge_id id = 1; id <= lz_edge_count(w); id++)
        if (effect->fate != LZ_CONNECTION_TAKEN && touches_edge(w, effect, lz_edge_get(w, id)))
            lz_connection_track(w, lz_edge_get(w, id));
    for (uint32_t i = 1; i < cs->all.used; i++) {
        struct lz_connection *n = lz_pool_at(&cs->all, i);
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
    const struct lz_connection_effect e = cs->effects[id - 1].e;
    cs->effects[id - 1].is_active = false;
    cs->active--;
    if (e.fate != LZ_CONNECTION_TAKEN)
        return;
    cs->taking--;
    give_back(w, &e);
}

void lz_connection_join(struct lz_world *w, struct lz_edge *e)
{
    const struct lz_connections *cs = w->connections;
    bool is_tracked = e->opts.pool.is_on;
    for (uint32_t i = 0; i < cs->effect_count && cs->active > 0; i++)
        is_tracked |= cs->effects[i].is_active && cs->effects[i].e.fate != LZ_CONNECTION_TAKEN &&
                      touches_edge(w, &cs->effects[i].e, e);
    if (is_tracked)
        lz_connection_track(w, e);
}

void lz_connection_fault_init(struct lz_world *w)
{
    w->connections->cut = lz_sim_kind(w->sim, "connection.cut", on_cut, w);
}
