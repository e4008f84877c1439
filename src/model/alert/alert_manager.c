#include "model/alert/alert_manager.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

struct held {
    struct lz_alert_labels labels;
    bool is_free;            // the number is nobody's
    bool is_there, is_timed; // it has been sent; its end is a timeout
    lz_time starts_at, ends_at;
};

// In a group, of one alert: is it in it, and what the last notification said of it.
struct member {
    uint32_t alert;
    bool is_in, was_firing, was_resolved;
    bool is_told, is_resolved; // at this flush
};

struct group {
    const struct lz_alert_route *route;
    struct member *members;
    uint32_t count, cap;
    bool is_alive, has_flushed;
    uint32_t turn;
    lz_time notified_at; // LZ_FOREVER: never
};

struct lz_alert_manager {
    struct lz_alert_manager_opts opts;
    struct held *alerts; // 1 .. count
    uint32_t count, cap;
    struct group *groups; // 1 .. group_count
    uint32_t group_count, group_cap;
    struct lz_alert_told *told;
    uint32_t told_cap;
};

struct lz_alert_manager *lz_alert_manager_create(const struct lz_alert_manager_opts *opts)
{
    LZ_ASSERT(opts->route_count > 0);
    LZ_ASSERT(opts->routes[opts->route_count - 1].match.count == 0);
    LZ_ASSERT(opts->resolve_timeout > 0);
    struct lz_alert_manager *m = lz_arena_alloc(opts->arena, sizeof(*m));
    m->opts = *opts;
    return m;
}

// ---------------------------------------------------------------- which group

static bool is_of(const struct lz_alert_manager *m, const struct group *g,
                  const struct lz_alert_route *route, const struct lz_alert_labels *labels)
{
    if (g->route != route || route->is_each || g->count == 0)
        return false;
    const struct lz_alert_labels *other = &m->alerts[g->members[0].alert].labels;
    return lz_alert_labels_agree(labels, other, &route->group_by);
}

static struct group *group_of(struct lz_alert_manager *m, const struct lz_alert_route *route,
                              const struct lz_alert_labels *labels)
{
    for (uint32_t i = 1; i <= m->group_count; i++)
        if (is_of(m, &m->groups[i], route, labels))
            return &m->groups[i];
    uint32_t at = 1;
    while (at <= m->group_count && m->groups[at].count > 0)
        at++;
    m->groups = lz_grow(m->opts.arena, m->groups, &m->group_cap, at + 1, sizeof(*m->groups));
    struct group *g = &m->groups[at], was = {0};
    if (at > m->group_count)
        m->group_count = at;
    else
        was = *g; // its turns go on: what was to wake it is of the past
    LZ_ASSERT(!was.is_alive);
    *g = (struct group){.route = route,
                        .members = was.members,
                        .cap = was.cap,
                        .turn = was.turn,
                        .notified_at = LZ_FOREVER};
    return g;
}

bool lz_alert_manager_add(struct lz_alert_manager *m, const struct lz_alert_labels *labels,
                          uint32_t *alert, struct lz_err *err)
{
    uint32_t id = m->count + 1;
    for (uint32_t i = m->count; i >= 1; i--) {
        if (m->alerts[i].is_free)
            id = i;
        else if (lz_alert_labels_equal(&m->alerts[i].labels, labels))
            return lz_fail(err, LZ_EEXIST, "another alert has the same labels");
    }
    if (id > LZ_ALERTS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d alerts at once", LZ_ALERTS_MAX);
    m->alerts = lz_grow(m->opts.arena, m->alerts, &m->cap, id + 1, sizeof(*m->alerts));
    m->count = id > m->count ? id : m->count;
    m->alerts[id] = (struct held){.labels = *labels};
    bool goes_on = true, is_routed = false;
    for (uint32_t r = 0; r < m->opts.route_count && goes_on; r++) {
        const struct lz_alert_route *route = &m->opts.routes[r];
        bool is_last = r + 1 == m->opts.route_count; // it is for what no other took
        if (is_last ? is_routed : !lz_alert_labels_match(labels, &route->match))
            continue;
        is_routed = true;
        struct group *g = group_of(m, route, labels);
        g->members = lz_grow(m->opts.arena, g->members, &g->cap, g->count + 1, sizeof(*g->members));
        g->members[g->count++] = (struct member){.alert = id};
        goes_on = route->goes_on;
    }
    *alert = id;
    return true;
}

static struct member *member_of(const struct group *g, uint32_t alert)
{
    for (uint32_t i = 0; i < g->count; i++)
        if (g->members[i].alert == alert)
            return &g->members[i];
    return NULL;
}

// A group that goes on by itself is the one that the alert would come back to.
static bool is_held(const struct group *g, const struct member *member)
{
    return member->is_in || member->was_firing || (g->is_alive && g->count == 1);
}

bool lz_alert_manager_forget(struct lz_alert_manager *m, uint32_t alert, lz_time now)
{
    LZ_ASSERT(alert >= 1 && alert <= m->count && !m->alerts[alert].is_free);
    const struct held *h = &m->alerts[alert];
    if (h->is_there && h->ends_at > now)
        return false;
    for (uint32_t i = 1; i <= m->group_count; i++) {
        const struct member *member = member_of(&m->groups[i], alert);
        if (member != NULL && is_held(&m->groups[i], member))
            return false;
    }
    for (uint32_t i = 1; i <= m->group_count; i++) {
        struct group *g = &m->groups[i];
        struct member *member = member_of(g, alert);
        if (member == NULL)
            continue;
        g->count--;
        memmove(member, member + 1, (size_t)(g->members + g->count - member) * sizeof(*member));
    }
    m->alerts[alert] = (struct held){.is_free = true};
    return true;
}

// ---------------------------------------------------------------- what is sent

static bool is_resolved(const struct held *h, lz_time now)
{
    return h->ends_at <= now;
}

// Two sendings that overlap are of one alert; of two ends a real one that is later wins over a
// timeout, and of two that have come the later.
static struct held merged(const struct held *old, const struct held *new, lz_time now)
{
    struct held out = *new;
    bool overlaps = (new->ends_at > old->starts_at &&new->ends_at < old->ends_at) ||
                    (new->starts_at > old->starts_at &&new->starts_at < old->ends_at);
    if (!old->is_there || !overlaps)
        return out;
    if (old->starts_at < out.starts_at)
        out.starts_at = old->starts_at;
    bool old_counts = is_resolved(new, now) ? is_resolved(old, now) : !old->is_timed;
    if (old_counts && old->ends_at > out.ends_at)
        out.ends_at = old->ends_at;
    return out;
}

static void wake(struct lz_alert_manager *m, struct group *g, lz_time at)
{
    g->turn++;
    m->opts.wake(m->opts.ctx, (uint32_t)(g - m->groups), g->turn, at);
}

static void enter(struct lz_alert_manager *m, struct group *g, struct member *member, lz_time now)
{
    const struct held *h = &m->alerts[member->alert];
    const lz_time wait = g->route->group_wait;
    member->is_in = true;
    if (!g->is_alive) {
        g->is_alive = true;
        g->has_flushed = false;
        wake(m, g, h->starts_at + wait < now ? now : now + wait);
    } else if (!g->has_flushed && h->starts_at + wait < now) {
        wake(m, g, now);
    }
}

void lz_alert_manager_send(struct lz_alert_manager *m, uint32_t alert, lz_time starts_at,
                           lz_time ends_at, lz_time now)
{
    LZ_ASSERT(alert >= 1 && alert <= m->count);
    struct held *h = &m->alerts[alert];
    struct held sent = {.labels = h->labels,
                        .is_there = true,
                        .is_timed = ends_at == LZ_FOREVER,
                        .starts_at = starts_at,
                        .ends_at = ends_at == LZ_FOREVER ? now + m->opts.resolve_timeout : ends_at};
    *h = merged(h, &sent, now);
    LZ_ASSERT(h->starts_at <= starts_at);
    for (uint32_t i = 1; i <= m->group_count; i++)
        for (uint32_t k = 0; k < m->groups[i].count; k++)
            if (m->groups[i].members[k].alert == alert)
                enter(m, &m->groups[i], &m->groups[i].members[k], now);
}

// ---------------------------------------------------------------- a flush

static bool is_muted(const struct lz_alert_manager *m, uint32_t alert, lz_time now)
{
    const struct lz_alert_labels *labels = &m->alerts[alert].labels;
    for (uint32_t i = 0; i < m->opts.silence_count; i++)
        if (lz_alert_mute_silences(&m->opts.silences[i], labels, now))
            return true;
    for (uint32_t i = 0; i < m->opts.inhibition_count; i++)
        for (uint32_t k = 1; k <= m->count; k++) {
            const struct held *source = &m->alerts[k];
            if (source->is_there && !is_resolved(source, now) &&
                lz_alert_mute_inhibits(&m->opts.inhibitions[i], &source->labels, labels))
                return true;
        }
    return false;
}

// Whether there is something new to say, DedupStage.needsUpdate.
static bool is_news(const struct group *g, lz_time now)
{
    bool any_firing = false, any_fired = false, is_new = false;
    for (uint32_t i = 0; i < g->count; i++) {
        const struct member *k = &g->members[i];
        bool fires = k->is_told && !k->is_resolved;
        any_firing = any_firing || fires;
        any_fired = any_fired || k->was_firing;
        is_new = is_new || (fires && !k->was_firing) ||
                 (k->is_told && k->is_resolved && !k->was_resolved && !g->route->no_resolved);
    }
    if (g->notified_at == LZ_FOREVER)
        return any_firing;
    if (!any_firing) // that all is well again is said once, whatever else is new
        return any_fired;
    return is_new || g->notified_at < now - g->route->repeat_interval;
}

static void notify(struct lz_alert_manager *m, struct group *g, lz_time now)
{
    uint32_t count = 0;
    m->told = lz_grow(m->opts.arena, m->told, &m->told_cap, g->count, sizeof(*m->told));
    for (uint32_t i = 0; i < g->count; i++) {
        struct member *k = &g->members[i];
        const struct held *h = &m->alerts[k->alert];
        k->was_firing = k->is_told && !k->is_resolved;
        k->was_resolved = k->is_told && k->is_resolved;
        if (!k->is_told || (k->is_resolved && g->route->no_resolved))
            continue;
        m->told[count++] =
            (struct lz_alert_told){.alert = k->alert,
                                   .starts_at = h->starts_at,
                                   .ends_at = k->is_resolved ? h->ends_at : LZ_FOREVER};
    }
    g->notified_at = now;
    if (count > 0)
        m->opts.notify(m->opts.ctx, &(struct lz_alert_notice){
                                        .route = g->route, .all = m->told, .count = count});
}

void lz_alert_manager_flush(struct lz_alert_manager *m, uint32_t group, uint32_t turn, lz_time now)
{
    LZ_ASSERT(group >= 1 && group <= m->group_count);
    struct group *g = &m->groups[group];
    if (!g->is_alive || g->turn != turn)
        return;
    g->has_flushed = true;
    wake(m, g, now + g->route->group_interval);
    bool is_any = false;
    for (uint32_t i = 0; i < g->count; i++) {
        struct member *k = &g->members[i];
        k->is_resolved = k->is_in && is_resolved(&m->alerts[k->alert], now);
        k->is_told = k->is_in && !is_muted(m, k->alert, now);
        if (k->is_in && !k->is_told && m->opts.muted != NULL)
            m->opts.muted(m->opts.ctx, k->alert);
        is_any = is_any || k->is_told;
    }
    if (is_any && is_news(g, now))
        notify(m, g, now);
    for (uint32_t i = 0; i < g->count; i++)
        g->members[i].is_in = g->members[i].is_in && !g->members[i].is_resolved;
}

void lz_alert_manager_tidy(struct lz_alert_manager *m)
{
    for (uint32_t i = 1; i <= m->group_count; i++) {
        struct group *g = &m->groups[i];
        bool is_any = false;
        for (uint32_t k = 0; k < g->count; k++)
            is_any = is_any || g->members[k].is_in;
        g->is_alive = g->is_alive && is_any;
    }
}
