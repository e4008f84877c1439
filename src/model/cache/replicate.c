#include "base/check.h"
#include "model/cache/cache_state.h"
#include "model/net/net.h"
#include "model/world_kinds.h"

/*
 * How writes come to replicas, asynchronously: each record is a message, in order where they are
 * applied. A replica that has nothing to go on with (it has just begun, its primary has, or it was
 * too long away) asks for all there is, which is as long on its way as it is large.
 *
 *   BEHIND ──asks, once a second──▶ LOADING ──the copy is there──▶ following
 *      ▲                                                            │
 *      └── another primary, another life of it, or a gap ───────────┘
 *
 * Once a second each replica tells its primary that it is there (REPLCONF ACK), which is what
 * min_replicas_to_write goes by. What a promoted replica does not have of what was acknowledged is
 * lost; so is what the old primary acknowledges until it hears of it.
 */

// What a replica says once a second: that it is there, and what it asks for.
enum wish { WISH_NOTHING, WISH_ALL, WISH_REST };

#define CRON LZ_S
#define LOADING_MAX (60 * LZ_S) // repl-timeout

// What a message says: an offset, a node, and the life of the primary that it is about.
#define OFFSET_BITS 40
#define NODE_BITS 8

static uint64_t pack(uint64_t offset, uint32_t node, uint64_t life)
{
    LZ_ASSERT(offset < 1ull << OFFSET_BITS);
    LZ_ASSERT(node < 1u << NODE_BITS);
    return offset | (uint64_t)node << OFFSET_BITS | life << (OFFSET_BITS + NODE_BITS);
}

static uint64_t offset_of(uint64_t payload)
{
    return payload & ((1ull << OFFSET_BITS) - 1);
}

static uint32_t node_of(uint64_t payload)
{
    return (uint32_t)(payload >> OFFSET_BITS) & ((1u << NODE_BITS) - 1);
}

static bool is_of_life(uint64_t payload, uint64_t life)
{
    return payload >> (OFFSET_BITS + NODE_BITS) == (life & 0xffff);
}

static bool lives(const struct lz_world *w, const struct lz_cache *c, uint32_t node)
{
    return lz_cache_lives(w, c->first + node);
}

static void measure_lag(struct lz_world *w, struct lz_cache *c)
{
    uint64_t most = 0;
    for (uint32_t n = 0; n < c->nodes; n++) {
        const struct lz_cache_node *r = &c->node[n], *p = &c->node[r->follows];
        if (r->leads || !p->leads || !lives(w, c, n))
            continue;
        uint64_t lag = p->offset > r->offset ? p->offset - r->offset : 0;
        most = lag > most ? lag : most;
    }
    lz_metrics_set(w->metrics, c->series.lag_records, lz_sim_now(w->sim), (double)most);
}

bool lz_cache_may_write(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    if (c->opts.min_replicas == 0)
        return true;
    uint32_t heard = 0;
    lz_time since = lz_sim_now(w->sim) - c->opts.min_replicas_lag;
    for (uint32_t n = 0; n < c->nodes; n++)
        heard += n != node && c->node[node].heard[n] >= 0 && c->node[node].heard[n] >= since;
    return heard >= c->opts.min_replicas;
}

static void tell_record(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to,
                        uint64_t offset)
{
    lz_cache_tell(w, c,
                  &(struct lz_cache_tell){.from = node,
                                          .to = to,
                                          .kind = w->caches->record,
                                          .payload = pack(offset, node, c->node[node].life)});
}

void lz_cache_wrote(struct lz_world *w, struct lz_cache *c, uint32_t node,
                    const struct lz_record *record)
{
    struct lz_cache_node *n = &c->node[node];
    LZ_ASSERT(n->leads);
    if (record->acked)
        lz_persist_acked(w, c, node);
    if (c->nodes == 1)
        return;
    if (n->log.arena == NULL)
        lz_backlog_begin(&n->log, w->arena, n->offset);
    n->offset = lz_backlog_append(&n->log, record);
    for (uint32_t to = 0; to < c->nodes; to++)
        if (to != node && !c->node[to].leads && c->node[to].follows == node && lives(w, c, to))
            tell_record(w, c, node, to, n->offset);
    measure_lag(w, c);
}

// It has records of a primary that is not there any more, or too few to go on.
static void fall_behind(struct lz_cache_node *n)
{
    n->is_behind = true;
    n->continues = false;
    n->loading = -1;
}

static void apply(struct lz_world *w, struct lz_cache *c, uint32_t node, const struct lz_record *r)
{
    const struct lz_cache_node *n = &c->node[node];
    lz_time now = lz_sim_now(w->sim);
    if (r->removes)
        lz_keyspace_remove(n->keys, r->put.key, now);
    else
        lz_keyspace_put(n->keys, &r->put, now);
    if (r->acked)
        lz_persist_acked(w, c, node);
}

static void on_record(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->record, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, from = node_of(payload);
    struct lz_cache_node *n = &c->node[node], *p = &c->node[from];
    if (!lz_cache_lives(w, entity) || n->leads || n->follows != from || n->is_behind)
        return;
    if (!is_of_life(payload, n->follows_life) || !is_of_life(payload, p->life)) {
        fall_behind(n);
        return;
    }
    if (lz_backlog_get(&p->log, n->offset + 1) == NULL && n->offset < p->log.final) {
        fall_behind(n); // so long away that the backlog has forgotten what is next
        return;
    }
    uint64_t before = n->offset;
    n->offset = lz_backlog_arrived(&p->log, node, n->offset, offset_of(payload));
    for (uint64_t o = before + 1; o <= n->offset; o++)
        apply(w, c, node, lz_backlog_get(&p->log, o));
    measure_lag(w, c);
}

// What was written before it turned here, of a log that it has the beginning of.
static void tell_rest(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t to)
{
    struct lz_cache_node *n = &c->node[node], *r = &c->node[to];
    if (r->leads || r->follows != node || r->is_behind || r->follows_life != n->life)
        return; // by now it wants something else
    r->continues = false;
    if (lz_backlog_get(&n->log, r->offset + 1) == NULL && r->offset < n->offset)
        fall_behind(r); // it has been forgotten
    for (uint64_t o = r->offset + 1; !r->is_behind && o <= n->offset; o++)
        tell_record(w, c, node, to, o);
}

// At the primary: a replica is there, and asks for a copy of all if it says so.
static void on_sync(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->sync, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, from = node_of(payload);
    struct lz_cache_node *n = &c->node[node];
    if (!lz_cache_lives(w, entity) || !n->leads || lz_persist_is_loading(c, node))
        return;
    n->heard[from] = lz_sim_now(w->sim);
    if (offset_of(payload) == WISH_REST)
        tell_rest(w, c, node, from);
    if (offset_of(payload) != WISH_ALL)
        return;
    lz_cache_tell(w, c,
                  &(struct lz_cache_tell){.from = node,
                                          .to = from,
                                          .kind = w->caches->copy,
                                          .payload = pack(0, node, n->life),
                                          .bytes = 1 + lz_keyspace_bytes_used(n->keys)});
}

// What was written while the copy was under way has been streamed behind it.
static void on_copy(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    if (lz_instance_defer(w, entity, w->caches->copy, payload))
        return;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first, from = node_of(payload);
    struct lz_cache_node *n = &c->node[node], *p = &c->node[from];
    bool is_wanted = lz_cache_lives(w, entity) && !n->leads && n->follows == from && n->is_behind;
    if (!is_wanted || !p->leads || !is_of_life(payload, p->life) || !lives(w, c, from))
        return;
    lz_keyspace_copy(n->keys, p->keys);
    lz_persist_copied(w, c, node);
    n->offset = p->offset;
    n->follows_life = p->life;
    n->is_behind = false;
    n->loading = -1;
    lz_instance_note(w, entity, "synced", "follows %s[%u]", c->opts.name, from + 1);
    measure_lag(w, c);
}

static void on_cron(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    struct lz_cache *c = lz_cache_of(w, entity);
    uint32_t node = entity - c->first;
    lz_time now = lz_sim_now(w->sim);
    lz_sim_at(w->sim, now + CRON, w->caches->cron, entity, payload);
    struct lz_cache_node *n = &c->node[node];
    if (n->leads || !lz_instance_is_up(lz_instance_get(w, entity)))
        return;
    if (n->follows_life != c->node[n->follows].life && !n->is_behind)
        fall_behind(n); // its connection to the old one broke
    bool asks = n->is_behind && (n->loading < 0 || now - n->loading > LOADING_MAX);
    if (asks && lz_net_can_ask(w, entity, c->first + n->follows))
        n->loading = now;
    enum wish wish = asks ? WISH_ALL : n->continues ? WISH_REST : WISH_NOTHING;
    lz_cache_tell(w, c,
                  &(struct lz_cache_tell){.from = node,
                                          .to = n->follows,
                                          .kind = w->caches->sync,
                                          .payload = pack(wish, node, 0),
                                          .wanted = true});
}

void lz_cache_lacks(struct lz_world *w, struct lz_cache *c, uint32_t node, uint64_t lost)
{
    lz_metrics_add(w->metrics, c->series.lost_acks, lost);
    if (lost > 0)
        lz_instance_note(w, c->first + node, "lost_acks", "lacks %llu acknowledged writes",
                         (unsigned long long)lost);
}

// What it has acknowledged since another leads in its place.
static void count_lost(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cache_node *n = &c->node[node];
    if (!n->leads || !n->is_replaced)
        return;
    uint64_t lost = lz_backlog_acked_after(&n->log, n->lost_to);
    n->lost_to = n->log.final;
    lz_metrics_add(w->metrics, c->series.lost_acks, lost);
    if (lost > 0)
        lz_instance_note(w, c->first + node, "lost_acks",
                         "had acknowledged %llu writes that are gone", (unsigned long long)lost);
}

void lz_cache_lead(struct lz_world *w, struct lz_cache *c, uint32_t node, uint64_t epoch)
{
    struct lz_cache_node *n = &c->node[node], *old = &c->node[n->follows];
    LZ_ASSERT(!n->leads && n->follows != node);
    uint64_t lost = 0;
    if (old->life == n->follows_life && old->log.arena != NULL) {
        lost = lz_backlog_acked_after(&old->log, n->offset);
        old->lost_to = old->log.final;
    }
    old->is_replaced = true;
    n->leads = true;
    n->is_behind = n->is_replaced = n->continues = false;
    n->epoch = epoch;
    n->life++;
    n->born = n->offset;
    lz_backlog_begin(&n->log, w->arena, n->offset);
    for (uint32_t r = 0; r < c->nodes; r++)
        n->heard[r] = -1;
    lz_metrics_add(w->metrics, c->series.failovers, 1);
    lz_instance_note(w, c->first + node, "promoted", "promoted to primary");
    lz_cache_lacks(w, c, node, lost);
    c->version++;
    lz_operate_arm(w, c, node);
    lz_cache_account(w, c, node);
}

// Whoever has exactly what the new primary had begins where that begins (PSYNC2); the others
// need all of it.
void lz_cache_follow(struct lz_world *w, struct lz_cache *c, uint32_t node, uint32_t primary,
                     uint64_t epoch)
{
    struct lz_cache_node *n = &c->node[node], *p = &c->node[primary];
    LZ_ASSERT(node != primary);
    bool led = n->leads;
    if (led && n->follows == primary && p->is_replaced && !n->is_replaced) {
        // The other has its place back, by a newer claim: what was acknowledged since is gone.
        n->is_replaced = true;
        n->lost_to = n->born;
        p->is_replaced = false;
    }
    count_lost(w, c, node);
    n->leads = n->is_replaced = false;
    n->epoch = epoch;
    uint32_t before = n->follows;
    n->follows = primary;
    if (led && c->cluster == NULL) // a sentinel kills its clients; in a cluster they are sent on
        lz_cache_reset(w, c, node, false);
    bool goes_on =
        !led && !n->is_behind && p->log.arena != NULL && n->offset == p->born && before != primary;
    n->follows_life = p->life;
    n->continues = goes_on && p->offset > n->offset;
    if (!goes_on)
        fall_behind(n);
    lz_cache_account(w, c, node);
    lz_instance_note(w, c->first + node, "follows", "turns to %s[%u]", c->opts.name, primary + 1);
    c->version++;
}

void lz_cache_ended(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    count_lost(w, c, node);
}

// Empty until its files are read, and for those who follow it another than it was.
void lz_cache_restarted(struct lz_world *w, struct lz_cache *c, uint32_t node)
{
    struct lz_cache_node *n = &c->node[node];
    n->life++;
    if (n->leads) {
        if (n->log.arena != NULL)
            lz_backlog_begin(&n->log, w->arena, n->offset);
        n->born = n->offset;
        lz_cache_lacks(w, c, node, n->is_replaced ? 0 : n->forgot);
    } else {
        fall_behind(n);
    }
    n->forgot = 0;
}

void lz_cache_replicate_init(struct lz_world *w)
{
    if (w->caches->record != 0)
        return;
    w->caches->record = lz_sim_kind(w->sim, "cache.record", on_record, w);
    w->caches->sync = lz_sim_kind(w->sim, "cache.sync", on_sync, w);
    w->caches->copy = lz_sim_kind(w->sim, "cache.copy", on_copy, w);
    w->caches->cron = lz_sim_kind(w->sim, "cache.cron", on_cron, w);
}

// Each at an instant of its own within the second.
void lz_cache_replicate_start(struct lz_world *w, struct lz_cache *c)
{
    for (uint32_t n = 0; n < c->nodes && c->nodes > 1; n++) {
        struct lz_cache_node *one = &c->node[n];
        one->heard = lz_arena_alloc(w->arena, c->nodes * sizeof(*one->heard));
        one->loading = -1;
        for (uint32_t r = 0; r < c->nodes; r++)
            one->heard[r] = one->leads && c->node[r].follows == n && r != n ? 0 : -1;
        uint64_t owner = lz_draw_index(c->path, n + 1);
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_PHASE, 1);
        lz_sim_at(w->sim, (lz_time)(lz_draw_unit(&draw) * (double)CRON), w->caches->cron,
                  c->first + n, 0);
    }
}
