#include "model/node/nodes.h"

#include <stdio.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/journal.h"
#include "model/net/net.h"
#include "model/node/instance.h"
#include "model/node/life.h"
#include "model/node/nodes_state.h"
#include "model/service/platform.h"
#include "model/service/pods.h"
#include "model/service/rollout.h"
#include "sim/draw.h"

#define TOKEN_NS_MAX 1e18 // thirty years
#define UNREADY_LEAST 3   // nodes that make a zone disrupted in part: ComputeZoneState's "> 2"

static struct lz_node *node_of(const struct lz_world *w, lz_host_id host)
{
    const struct lz_nodes *ls = w->nodes;
    if (ls == NULL || host >= ls->by_host_cap || ls->by_host[host] == 0)
        return NULL;
    return ls->nodes[ls->by_host[host]];
}

static struct lz_node_cluster *cluster_of(const struct lz_world *w, const struct lz_node *n)
{
    return &w->nodes->clusters[n->cluster];
}

bool lz_nodes_has(const struct lz_world *w, lz_host_id host)
{
    return node_of(w, host) != NULL;
}

enum lz_node_state lz_nodes_state(const struct lz_world *w, lz_host_id host)
{
    const struct lz_node *n = node_of(w, host);
    LZ_ASSERT(n != NULL);
    return (enum lz_node_state)n->state;
}

bool lz_node_is_home(const struct lz_world *w, const struct lz_node *n)
{
    return n->resident != 0 && lz_instance_get(w, n->resident)->host == n->host;
}

static bool has_resident(const struct lz_world *w, const struct lz_node *n)
{
    return lz_node_is_home(w, n) && !lz_instance_get(w, n->resident)->is_away;
}

// A machine stays one when nothing stands there any more. A guest stands for room on the others,
// and is followed until that is given back.
static bool is_there(const struct lz_world *w, const struct lz_node *n)
{
    bool is_machine = n->is_used || lz_place_host_name(w, n->host) != NULL;
    bool is_open = n->downs > 0 || n->state != LZ_NODE_READY || n->left > 0;
    return is_open || (is_machine && !n->is_guest) || has_resident(w, n);
}

static void note(struct lz_world *w, const struct lz_node *n, const char *kind, const char *what)
{
    char who[80] = "";
    const char *name = lz_place_host_name(w, n->host);
    if (name == NULL)
        lz_instance_describe(w, n->resident, who, sizeof(who));
    lz_component_id of = n->resident != 0 ? lz_instance_get(w, n->resident)->component : 0;
    lz_journal_add(
        w, &(struct lz_journal_entry){.component = of, .instance = n->resident, .kind = kind},
        "%snode %s%s %s", name != NULL || lz_node_is_home(w, n) ? "" : "former ",
        name != NULL ? name : "of ", who, what);
}

// ---- leases

bool lz_nodes_is_mute(struct lz_world *w, lz_host_id host)
{
    const struct lz_node *n = node_of(w, host);
    return n != NULL && (lz_plane_is_blind(w, cluster_of(w, n)) || !lz_plane_hears(w, n));
}

bool lz_nodes_is_ruled(struct lz_world *w, lz_host_id host)
{
    const struct lz_node *n = node_of(w, host);
    return n == NULL || !lz_plane_is_blind(w, cluster_of(w, n));
}

bool lz_nodes_is_silent(struct lz_world *w, lz_host_id host)
{
    const struct lz_node *n = node_of(w, host);
    return n != NULL && (n->downs > 0 || lz_nodes_is_mute(w, host));
}

static void renew(struct lz_world *w, struct lz_node *n)
{
    if (n->downs == 0 && lz_plane_hears(w, n))
        n->renewed = lz_sim_now(w->sim);
}

static void on_lease(void *ctx, uint32_t entity, uint64_t payload)
{
    struct lz_world *w = ctx;
    (void)payload;
    struct lz_node *n = w->nodes->nodes[entity];
    renew(w, n);
    n->is_used = n->is_used || has_resident(w, n);
    if (n->is_guest && !lz_node_is_home(w, n) && !is_there(w, n))
        return; // nothing stands there any more, and nothing will
    lz_sim_at(w->sim, lz_sim_now(w->sim) + cluster_of(w, n)->opts.lease_renew, w->nodes->lease,
              entity, 0);
}

// ---- zones

static double rate_of(const struct lz_node_cluster *c, const struct lz_node_zone *z)
{
    if (c->is_all_lost)
        return 0.0;
    if (z->state != LZ_ZONE_PARTIAL)
        return c->opts.eviction_rate;
    return z->ready + z->unready > c->opts.large_zone ? c->opts.secondary_rate : 0.0;
}

static struct lz_node *first_in_line(const struct lz_world *w, const struct lz_node_zone *z)
{
    struct lz_nodes *ls = w->nodes;
    struct lz_node *first = NULL;
    for (uint32_t i = 1; i <= ls->node_count; i++) {
        struct lz_node *n = ls->nodes[i];
        if (&ls->zones[n->zone] == z && n->turn > 0 && (first == NULL || n->turn < first->turn))
            first = n;
    }
    return first;
}

// One event for the next taint of a zone, at the instant of its token.
static void arrange(struct lz_world *w, struct lz_node_zone *z)
{
    struct lz_nodes *ls = w->nodes;
    lz_sim_cancel(w->sim, z->taint);
    z->taint = 0;
    if (!(z->rate > 0.0) || first_in_line(w, z) == NULL)
        return;
    lz_time now = lz_sim_now(w->sim);
    z->taint =
        lz_sim_at(w->sim, z->next > now ? z->next : now, ls->taint, (uint32_t)(z - ls->zones), 0);
}

// A token of a rate near 0 comes after every end.
static lz_time next_token(const struct lz_world *w, double rate)
{
    double wait_ns = 1e9 / rate;
    return lz_sim_now(w->sim) + (wait_ns < TOKEN_NS_MAX ? (lz_time)wait_ns : (lz_time)TOKEN_NS_MAX);
}

// Who waits for a token of the old bucket waits for one of the new; so does who comes after none.
static void set_rate(struct lz_world *w, struct lz_node_zone *z, double rate)
{
    bool is_other = rate < z->rate || rate > z->rate;
    bool waits = z->next > lz_sim_now(w->sim) || !(z->rate > 0.0);
    if (is_other && waits && rate > 0.0)
        z->next = next_token(w, rate);
    z->rate = rate;
}

static void on_taint(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_node_zone *z = &w->nodes->zones[entity];
    struct lz_node *n = first_in_line(w, z);
    z->taint = 0;
    if (lz_plane_is_blind(w, &w->nodes->clusters[z->cluster]))
        return; // the look that sees arranges it
    LZ_ASSERT(n != NULL && n->state == LZ_NODE_UNREADY && z->rate > 0.0);
    lz_time now = lz_sim_now(w->sim);
    const struct lz_nodes_opts *o = &cluster_of(w, n)->opts;
    n->turn = 0;
    n->state = LZ_NODE_TAINTED;
    z->next = next_token(w, z->rate);
    char what[80];
    snprintf(what, sizeof(what), "is tainted: its replicas leave in %g s",
             (double)o->toleration / 1e9);
    note(w, n, "node_tainted", what);
    n->evict = lz_sim_at(w->sim, now + o->toleration, w->nodes->evict, n->index, 0);
    arrange(w, z);
}

static void on_evict(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_node *n = w->nodes->nodes[entity];
    LZ_ASSERT(n->state == LZ_NODE_TAINTED);
    n->evict = 0;
    if (lz_plane_is_blind(w, cluster_of(w, n)))
        return; // nobody deletes: see tolerate_again
    n->state = LZ_NODE_EVICTED;
    lz_rehouse_node(w, n);
}

// A taint manager that starts counts the tolerations anew.
static void tolerate_again(struct lz_world *w, uint32_t cluster, bool is_begin)
{
    for (uint32_t i = 1; i <= w->nodes->node_count; i++) {
        struct lz_node *n = w->nodes->nodes[i];
        if (n->cluster != cluster || n->state != LZ_NODE_TAINTED || (n->evict != 0 && !is_begin))
            continue;
        lz_sim_cancel(w->sim, n->evict);
        n->evict = lz_sim_at(w->sim, lz_sim_now(w->sim) + cluster_of(w, n)->opts.toleration,
                             w->nodes->evict, n->index, 0);
    }
}

static void queue_up(struct lz_world *w, struct lz_node *n)
{
    LZ_ASSERT(n->state == LZ_NODE_UNREADY && n->turn == 0);
    n->turn = ++w->nodes->zones[n->zone].turns;
}

static void take_taint_back(struct lz_world *w, struct lz_node *n)
{
    lz_sim_cancel(w->sim, n->evict);
    n->evict = 0;
    n->turn = 0;
    if (n->state == LZ_NODE_TAINTED)
        n->state = LZ_NODE_UNREADY;
}

// ---- the node controller

// What stands there is among the endpoints no more, or again.
static void mark(struct lz_world *w, const struct lz_node *n, bool is_unready)
{
    for (lz_instance_id id = 1; id <= lz_instance_count(w); id++)
        if (lz_instance_get(w, id)->host == n->host)
            lz_life_mark(w, id, is_unready);
}

static void find_unready(struct lz_world *w, struct lz_node *n)
{
    n->state = LZ_NODE_UNREADY;
    note(w, n, "node_unready", "is not ready");
    mark(w, n, true);
    queue_up(w, n);
}

static void find_ready(struct lz_world *w, struct lz_node *n)
{
    take_taint_back(w, n);
    n->state = LZ_NODE_READY;
    note(w, n, "node_ready", "is ready again");
    mark(w, n, false);
    lz_rehouse_returned(w, n);
}

static void look_at(struct lz_world *w, struct lz_node *n, bool is_blind_before)
{
    lz_time now = lz_sim_now(w->sim);
    const struct lz_nodes_opts *o = &cluster_of(w, n)->opts;
    if (o->lease_renew == 0)
        renew(w, n);
    bool is_heard = n->renewed > n->seen;
    if (is_heard || is_blind_before)
        n->seen_at = now;
    n->seen = n->renewed;
    // The controller's "after the grace" is at the look that is due then: its own work takes it a
    // little past the instant.
    if (n->state == LZ_NODE_READY && now - n->seen_at >= o->monitor_grace)
        find_unready(w, n);
    else if (n->state != LZ_NODE_READY && is_heard)
        find_ready(w, n);
}

static enum lz_zone_state state_of(const struct lz_node_cluster *c, const struct lz_node_zone *z)
{
    if (z->ready == 0 && z->unready > 0)
        return LZ_ZONE_LOST;
    double share = (double)z->unready / (double)(z->ready + z->unready);
    bool is_partial = z->unready >= UNREADY_LEAST && share >= c->opts.unhealthy_zone;
    return is_partial ? LZ_ZONE_PARTIAL : LZ_ZONE_NORMAL;
}

static void count_nodes(struct lz_world *w, uint32_t cluster)
{
    struct lz_nodes *ls = w->nodes;
    const struct lz_node_cluster *c = &ls->clusters[cluster];
    for (uint32_t z = c->zone_first; z < c->zone_first + c->zone_count; z++)
        ls->zones[z].ready = ls->zones[z].unready = 0;
    for (uint32_t i = 1; i <= ls->node_count; i++) {
        const struct lz_node *n = ls->nodes[i];
        if (n->cluster != cluster || n->is_guest || !is_there(w, n))
            continue;
        struct lz_node_zone *z = &ls->zones[n->zone];
        *(n->state == LZ_NODE_READY ? &z->ready : &z->unready) += 1;
    }
}

// No node at all is ready, or some are again.
static void turn_all(struct lz_world *w, uint32_t cluster, bool is_all_lost)
{
    struct lz_nodes *ls = w->nodes;
    ls->clusters[cluster].is_all_lost = is_all_lost;
    lz_journal_add(w, &(struct lz_journal_entry){.kind = "node"}, "%s: %s",
                   lz_place_region_name(w, ls->clusters[cluster].opts.region),
                   is_all_lost ? "no node is ready, so none is tainted" : "some node is ready");
    for (uint32_t i = 1; i <= ls->node_count; i++) {
        struct lz_node *n = ls->nodes[i];
        if (n->cluster != cluster)
            continue;
        if (is_all_lost) {
            take_taint_back(w, n);
        } else {
            n->seen_at = lz_sim_now(w->sim);
            if (n->state == LZ_NODE_UNREADY && n->turn == 0)
                queue_up(w, n);
        }
    }
}

static void judge_zones(struct lz_world *w, uint32_t cluster)
{
    struct lz_nodes *ls = w->nodes;
    struct lz_node_cluster *c = &ls->clusters[cluster];
    count_nodes(w, cluster);
    bool is_any = false, is_all_lost = true;
    for (uint32_t i = c->zone_first; i < c->zone_first + c->zone_count; i++) {
        struct lz_node_zone *z = &ls->zones[i];
        z->state = z->ready + z->unready > 0 ? state_of(c, z) : LZ_ZONE_NORMAL;
        is_any = is_any || z->ready + z->unready > 0;
        is_all_lost = is_all_lost && (z->ready == 0);
    }
    is_all_lost = is_all_lost && is_any;
    if (is_all_lost != c->is_all_lost)
        turn_all(w, cluster, is_all_lost);
    for (uint32_t i = c->zone_first; i < c->zone_first + c->zone_count; i++) {
        set_rate(w, &ls->zones[i], rate_of(c, &ls->zones[i]));
        arrange(w, &ls->zones[i]);
    }
}

static void on_monitor(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_world *w = ctx;
    struct lz_nodes *ls = w->nodes;
    struct lz_node_cluster *c = &ls->clusters[entity];
    lz_sim_at(w->sim, lz_sim_now(w->sim) + c->opts.monitor_period, ls->monitor, entity, 0);
    bool was_blind = c->was_blind;
    c->was_blind = lz_plane_is_blind(w, c);
    if (c->was_blind)
        return;
    for (uint32_t i = 1; i <= ls->node_count; i++)
        if (ls->nodes[i]->cluster == entity && is_there(w, ls->nodes[i]))
            look_at(w, ls->nodes[i], was_blind);
    lz_tell_held(w);
    lz_pods_hear(w);
    tolerate_again(w, entity, was_blind);
    judge_zones(w, entity);
    lz_rehouse_prepared(w, c);
    lz_rehouse_waiting(w, c);
    if (was_blind) {
        lz_pods_reconsider(w);
        lz_rollouts_reconsider(w);
    }
}

// ---- nodes

bool lz_nodes_lose(struct lz_world *w, lz_host_id host)
{
    struct lz_node *n = node_of(w, host);
    LZ_ASSERT(n != NULL);
    if (n->downs++ == 0 && cluster_of(w, n)->opts.lease_renew == 0)
        n->renewed = lz_sim_now(w->sim);
    for (lz_instance_id id = 1; id <= lz_instance_count(w); id++)
        if (lz_instance_get(w, id)->host == host)
            lz_instance_lose(w, id);
    return n->downs == 1;
}

bool lz_nodes_return(struct lz_world *w, lz_host_id host)
{
    struct lz_node *n = node_of(w, host);
    LZ_ASSERT(n != NULL && n->downs > 0);
    n->downs--;
    renew(w, n); // a kubelet that has started says so at once
    for (lz_instance_id id = 1; id <= lz_instance_count(w); id++)
        if (lz_instance_get(w, id)->host == host)
            lz_instance_return(w, id);
    lz_pods_hear(w);
    return n->downs == 0;
}

// Whose draws are a node's: its own name's, or its first replica's as it came there.
static uint64_t owner_of(const struct lz_world *w, const struct lz_node *n)
{
    const char *name = lz_place_host_name(w, n->host);
    LZ_ASSERT(name != NULL || n->resident != 0);
    if (name != NULL)
        return lz_draw_name(0, name);
    return lz_draw_index(lz_instance_path(w, n->resident),
                         lz_instance_get(w, n->resident)->incarnation);
}

static uint32_t find_zone(const struct lz_nodes *ls, lz_zone_id zone)
{
    for (uint32_t z = 1; z <= ls->zone_count; z++)
        if (ls->zones[z].id == zone)
            return z;
    return 0;
}

// A host becomes a node, if it is in a region that has them and is none yet. `id` stands there; 0:
// nobody.
static void meet(struct lz_world *w, lz_host_id host, lz_instance_id id, bool is_guest)
{
    struct lz_nodes *ls = w->nodes;
    uint32_t zone = find_zone(ls, lz_place_host_zone(w, host));
    if (zone == 0 || lz_nodes_has(w, host))
        return;
    ls->by_host = lz_grow(w->arena, ls->by_host, &ls->by_host_cap, host + 1, sizeof(*ls->by_host));
    ls->nodes =
        lz_grow(w->arena, ls->nodes, &ls->node_cap, ls->node_count + 2, sizeof(struct lz_node *));
    ls->by_host[host] = ++ls->node_count;
    struct lz_node *n = ls->nodes[ls->node_count] = lz_arena_alloc(w->arena, sizeof(*n));
    lz_time now = lz_sim_now(w->sim);
    *n = (struct lz_node){.host = host,
                          .index = ls->node_count,
                          .cluster = ls->zones[zone].cluster,
                          .zone = zone,
                          .resident = id,
                          .is_guest = is_guest,
                          .is_used = id != 0 && !lz_instance_get(w, id)->is_away,
                          .renewed = now,
                          .seen = now,
                          .seen_at = now};
    lz_time every = cluster_of(w, n)->opts.lease_renew;
    if (every == 0)
        return;
    struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner_of(w, n), LZ_PURPOSE_LEASE, 0);
    lz_sim_at(w->sim, now + (lz_time)(lz_draw_unit(&draw) * (double)every), ls->lease,
              ls->node_count, 0);
}

void lz_nodes_moved(struct lz_world *w, lz_instance_id instance)
{
    if (w->nodes != NULL)
        meet(w, lz_instance_get(w, instance)->host, instance, true);
}

void lz_nodes_start(struct lz_world *w)
{
    struct lz_nodes *ls = w->nodes;
    if (ls == NULL)
        return;
    for (lz_instance_id id = 1; id <= lz_instance_count(w); id++)
        meet(w, lz_instance_get(w, id)->host, id, false);
    for (lz_host_id host = 1; host <= lz_place_host_count(w); host++)
        if (lz_place_host_name(w, host) != NULL)
            meet(w, host, 0, false);
    for (uint32_t c = 1; c <= ls->cluster_count; c++) {
        const struct lz_nodes_opts *o = &ls->clusters[c].opts;
        uint64_t owner = lz_draw_name(0, lz_place_region_name(w, o->region));
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), owner, LZ_PURPOSE_LEASE, 1);
        lz_time phase = (lz_time)(lz_draw_unit(&draw) * (double)o->monitor_period);
        lz_sim_at(w->sim, lz_sim_now(w->sim) + phase, ls->monitor, c, 0);
    }
}

// ---- declaring

static void fill_defaults(struct lz_nodes_opts *o)
{
    o->lease_renew = o->lease_renew >= 0 ? o->lease_renew : 10 * LZ_S;
    o->monitor_period = o->monitor_period > 0 ? o->monitor_period : 5 * LZ_S;
    o->monitor_grace = o->monitor_grace > 0 ? o->monitor_grace : 50 * LZ_S;
    o->toleration = o->toleration >= 0 ? o->toleration : 300 * LZ_S;
    o->eviction_rate = o->eviction_rate >= 0.0 ? o->eviction_rate : 0.1;
    o->secondary_rate = o->secondary_rate >= 0.0 ? o->secondary_rate : 0.01;
    o->unhealthy_zone = o->unhealthy_zone > 0.0 ? o->unhealthy_zone : 0.55;
    o->large_zone = o->large_zone != LZ_NODES_DEFAULT ? o->large_zone : 50;
}

static bool check_times(const struct lz_nodes_opts *o, struct lz_err *err)
{
    if (o->monitor_period < LZ_NODES_PERIOD_MIN || o->monitor_period > LZ_NODES_TIME_MAX)
        return lz_fail(err, LZ_ERANGE, "monitor_period must be between 1s and 24h, got %g s",
                       (double)o->monitor_period / 1e9);
    if (o->lease_renew > 0 && o->lease_renew < LZ_NODES_PERIOD_MIN)
        return lz_fail(err, LZ_ERANGE, "lease_renew must be 0s or at least 1s, got %g s",
                       (double)o->lease_renew / 1e9);
    if (o->monitor_grace > LZ_NODES_TIME_MAX || o->toleration > LZ_NODES_TIME_MAX)
        return lz_fail(err, LZ_ERANGE, "monitor_grace and toleration must be at most 24h");
    lz_time least = o->lease_renew + o->monitor_period;
    if (o->monitor_grace < least)
        return lz_fail(err, LZ_ERANGE,
                       "monitor_grace (%g s) is less than lease_renew and monitor_period together "
                       "(%g s): nodes that are well would be taken for lost",
                       (double)o->monitor_grace / 1e9, (double)least / 1e9);
    return true;
}

static bool check(const struct lz_world *w, const struct lz_nodes_opts *o, struct lz_err *err)
{
    if (!(o->eviction_rate <= 1e6) || !(o->secondary_rate <= 1e6))
        return lz_fail(err, LZ_ERANGE, "eviction rates must be at most 1e6 nodes a second");
    if (o->unhealthy_zone > 1.0)
        return lz_fail(err, LZ_ERANGE, "unhealthy_zone must be above 0 and at most 1, got %g",
                       o->unhealthy_zone);
    if (o->control_plane != 0 && lz_world_component(w, o->control_plane)->instance_count == 0)
        return lz_fail(err, LZ_EINVAL, "control_plane: %s has no processes",
                       lz_world_component(w, o->control_plane)->name);
    return check_times(o, err);
}

static void make(struct lz_world *w)
{
    struct lz_nodes *ls = w->nodes = lz_arena_alloc(w->arena, sizeof(*ls));
    ls->lease = lz_sim_kind(w->sim, "node.lease", on_lease, w);
    ls->monitor = lz_sim_kind(w->sim, "node.monitor", on_monitor, w);
    ls->taint = lz_sim_kind(w->sim, "node.taint", on_taint, w);
    ls->evict = lz_sim_kind(w->sim, "node.evict", on_evict, w);
}

bool lz_nodes_declare(struct lz_world *w, const struct lz_nodes_opts *opts, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(opts->region >= 1 && opts->region <= lz_place_region_count(w));
    struct lz_nodes_opts o = *opts;
    fill_defaults(&o);
    if (!check(w, &o, err))
        return false;
    if (w->nodes == NULL)
        make(w);
    struct lz_nodes *ls = w->nodes;
    uint32_t count = lz_place_zones_of(w, o.region);
    ls->clusters = lz_grow(w->arena, ls->clusters, &ls->cluster_cap, ls->cluster_count + 2,
                           sizeof(*ls->clusters));
    ls->zones =
        lz_grow(w->arena, ls->zones, &ls->zone_cap, ls->zone_count + count + 1, sizeof(*ls->zones));
    ls->clusters[++ls->cluster_count] =
        (struct lz_node_cluster){.opts = o, .zone_first = ls->zone_count + 1, .zone_count = count};
    for (uint32_t i = 0; i < count; i++)
        ls->zones[++ls->zone_count] = (struct lz_node_zone){
            .id = lz_place_zone(w, o.region, i),
            .cluster = ls->cluster_count,
            .rate = o.eviction_rate,
            .room = o.room,
        };
    return true;
}
