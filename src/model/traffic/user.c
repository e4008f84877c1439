/*
 * user.c — people who come back: the users of a closed loop, and those of a session.
 *
 *      ┌────────────── think ◀─────────────┐
 *      ▼                                   │
 *   asking ──answer, timeout, error──▶ answered ──last of a session──▶ gone
 *
 * Each has its own draws: the n-th think time of a user is the same whatever the others do
 * and however slow the system is. The users of a closed loop begin somewhere within their
 * first think time, so that they do not all come at once.
 */
#include "base/check.h"
#include "base/pool.h"
#include "model/traffic/traffic_state.h"

#define ORDINAL_MASK (((uint64_t)1 << 40) - 1)
#define SURGE_MASK (((uint64_t)1 << 32) - 1) // below the number of a surge; see arrival.c
#define AT_ONCE LZ_MS

struct user {
    struct lz_pool_head head;
    struct lz_traffic *traffic;
    uint64_t path;
    uint64_t number; // within its traffic: what its requests are keyed by
    lz_time asked_at;
    uint32_t asked; // requests so far
    bool is_bot;
    bool is_waiting;
};

struct lz_users {
    struct lz_pool all;
    lz_kind next;
};

static lz_time think(struct lz_world *w, const struct user *u)
{
    const struct lz_dist *d = &u->traffic->opts.think;
    if (d->kind == LZ_DIST_NONE)
        return 0;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), u->path, LZ_PURPOSE_THINK, u->asked);
    return lz_dist_time(d, &draw);
}

/*
 * Requests of one user are numbered so that no other's have the same: those of a closed loop
 * in turns of all users, those of sessions in as many as a session has, or in thousands where
 * chance ends it.
 */
static uint64_t ordinal_of(const struct user *u)
{
    const struct lz_traffic_opts *o = &u->traffic->opts;
    if (o->users > 0)
        return ((uint64_t)u->asked * o->users + u->number) & ORDINAL_MASK;
    uint64_t width = o->session > 0 ? o->session : 1000, surge = u->number & ~SURGE_MASK;
    return surge | (((u->number & SURGE_MASK) - 1) * width + u->asked + 1) % SURGE_MASK;
}

static void ask(struct lz_world *w, struct user *u)
{
    LZ_ASSERT(!u->is_waiting);
    uint64_t ordinal = ordinal_of(u);
    u->asked++;
    u->asked_at = lz_sim_now(w->sim);
    u->is_waiting = true;
    lz_traffic_send(w, &(struct lz_traffic_send){.traffic = u->traffic,
                                                 .ordinal = ordinal,
                                                 .path = lz_draw_index(u->path, u->asked),
                                                 .key = u->number,
                                                 .agent = u->head.index,
                                                 .is_bot = u->is_bot});
}

static void on_next(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    ask(w, lz_pool_at(&w->users->all, entity));
}

void lz_users_init(struct lz_world *w)
{
    w->users = lz_arena_alloc(w->arena, sizeof(*w->users));
    lz_pool_init(&w->users->all, w->arena, sizeof(struct user));
    w->users->next = lz_sim_kind(w->sim, "user", on_next, w);
}

static struct user *make(struct lz_world *w, struct lz_traffic *t, uint64_t path, uint64_t number)
{
    struct user *u = lz_pool_take(&w->users->all);
    u->traffic = t;
    u->path = path;
    u->number = number;
    return u;
}

void lz_users_start(struct lz_world *w, struct lz_traffic *t)
{
    uint64_t all = lz_draw_name(t->path, "user");
    for (uint32_t i = 1; i <= t->opts.users; i++) {
        struct user *u = make(w, t, lz_draw_index(all, i), i);
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), u->path, LZ_PURPOSE_ARRIVAL, 0);
        double share = lz_draw_unit(&draw);
        lz_sim_at(w->sim, (lz_time)((double)think(w, u) * share), w->users->next, u->head.index, 0);
    }
}

void lz_user_come(struct lz_world *w, const struct lz_user_session *session)
{
    struct user *u = make(w, session->traffic, session->path, session->ordinal);
    u->is_bot = session->is_bot;
    ask(w, u);
}

static bool leaves(struct lz_world *w, const struct user *u)
{
    const struct lz_traffic_opts *o = &u->traffic->opts;
    if (o->users > 0)
        return false;
    if (o->session > 0)
        return u->asked >= o->session;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), u->path, LZ_PURPOSE_LEAVE, u->asked);
    return lz_draw_unit(&draw) < o->leave;
}

void lz_user_answered(struct lz_world *w, uint32_t agent)
{
    struct user *u = lz_pool_at(&w->users->all, agent);
    LZ_ASSERT(u->is_waiting);
    u->is_waiting = false;
    if (leaves(w, u)) {
        lz_pool_give(&w->users->all, u);
        return;
    }
    // Refused in no time and asking again in no time, a user would never let time go on.
    lz_time now = lz_sim_now(w->sim), pause = think(w, u);
    if (pause == 0 && now == u->asked_at)
        pause = AT_ONCE;
    lz_sim_at(w->sim, now + pause, w->users->next, agent, 0);
}
