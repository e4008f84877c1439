/*
 * tell.c — what callers are told of a replica: that it is no endpoint any more, or is one again.
 *
 * Two things are told, each in its own order: whether it is among the endpoints, to all; and
 * whether its process has ended, to those who go by endpoints alone, who hear of it no other way.
 * What a cluster's control plane cannot hear, or cannot tell, is told as it is by then at the first
 * look of the controller that sees (nodes.h).
 */
#include "base/check.h"
#include "model/client/edge.h"
#include "model/node/life_state.h"
#include "model/node/nodes.h"

#define ENDED (UINT64_C(1) << 63) // turns of what the others are not told

struct lz_tells {
    lz_kind endpoint;
    uint32_t held; // replicas of which something is still to be told
};

static void pass_on(struct lz_world *w, lz_instance_id id, uint64_t news)
{
    if ((news & 2) != 0)
        lz_balance_ended(w, id, (news & 1) != 0);
    else
        lz_balance_endpoint(w, id, (news & 1) != 0);
}

static void on_endpoint(void *ctx, uint32_t entity, uint64_t payload)
{
    pass_on(ctx, entity, payload);
}

// What they hear after a while is how it is by then: never before one that came earlier, however
// long that takes.
static void tell(struct lz_world *w, lz_instance_id id, uint64_t news)
{
    struct lz_life *l = lz_life_get(w, id);
    bool is_ended = (news & 2) != 0;
    if (l->opts->endpoint_delay.kind == LZ_DIST_NONE) {
        pass_on(w, id, news);
        return;
    }
    uint32_t *turns = is_ended ? &l->ended_turns : &l->turns;
    lz_time *heard_at = is_ended ? &l->ended_heard_at : &l->heard_at;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), lz_instance_path(w, id),
                                        LZ_PURPOSE_ENDPOINT, (is_ended ? ENDED : 0) | (*turns)++);
    lz_time at = lz_sim_now(w->sim) + lz_dist_time(&l->opts->endpoint_delay, &draw);
    *heard_at = at > *heard_at ? at : *heard_at;
    if (*heard_at > lz_sim_now(w->sim))
        lz_sim_at(w->sim, *heard_at, w->tells->endpoint, id, news);
    else
        pass_on(w, id, news);
}

static void set_held(struct lz_world *w, struct lz_life *l, bool is_held)
{
    if (l->is_held != is_held)
        w->tells->held += is_held ? 1u : -1u;
    l->is_held = is_held;
}

static void tell_all(struct lz_world *w, lz_instance_id id, struct lz_life *l)
{
    struct lz_instance *i = lz_instance_get(w, id);
    set_held(w, l, false);
    bool is_out = l->is_told || l->is_unready || l->is_hidden || l->is_marked;
    if (is_out != i->is_out) {
        i->is_out = is_out;
        if (i->ops->turned != NULL)
            i->ops->turned(w, id);
        tell(w, id, is_out);
    }
    if (l->is_dead != l->is_told_dead) {
        l->is_told_dead = l->is_dead;
        tell(w, id, 2u | l->is_dead);
    }
}

void lz_tell_callers(struct lz_world *w, lz_instance_id id)
{
    struct lz_life *l = lz_life_get(w, id);
    LZ_ASSERT(l != NULL);
    if (lz_nodes_is_mute(w, lz_instance_get(w, id)->host))
        set_held(w, l, true);
    else
        tell_all(w, id, l);
}

void lz_tell_marked(struct lz_world *w, lz_instance_id id)
{
    tell_all(w, id, lz_life_get(w, id));
}

void lz_tell_held(struct lz_world *w)
{
    for (lz_instance_id id = 1; id <= lz_instance_count(w) && w->tells->held > 0; id++) {
        const struct lz_life *l = lz_life_get(w, id);
        if (l != NULL && l->is_held)
            lz_tell_callers(w, id);
    }
}

bool lz_life_is_told(const struct lz_world *w, lz_instance_id id)
{
    const struct lz_life *l = lz_life_get(w, id);
    return l != NULL && l->is_told;
}

void lz_life_delete(struct lz_world *w, lz_instance_id id, bool is_in_name)
{
    struct lz_life *l = lz_life_get(w, id);
    LZ_ASSERT(l != NULL); // it was forgotten, and so is known
    l->is_hidden = is_in_name;
    if (is_in_name)
        lz_tell_marked(w, id);
}

void lz_tells_init(struct lz_world *w)
{
    w->tells = lz_arena_alloc(w->arena, sizeof(*w->tells));
    w->tells->endpoint = lz_sim_kind(w->sim, "life.endpoint", on_endpoint, w);
}
