#include "model/world.h"
#include "model/value.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/alert/alert.h"
#include "model/broker/broker.h"
#include "model/cache/cache.h"
#include "model/client/call.h"
#include "model/consensus/consensus.h"
#include "model/data/database.h"
#include "model/journal.h"
#include "model/net/cert.h"
#include "model/net/dns.h"
#include "model/net/net.h"
#include "model/node/capacity.h"
#include "model/node/clock.h"
#include "model/node/disk.h"
#include "model/node/host.h"
#include "model/node/instance.h"
#include "model/node/life.h"
#include "model/node/nodes.h"
#include "model/node/rss.h"
#include "model/node/ulimit.h"
#include "model/place.h"
#include "model/real.h"
#include "model/service/auth.h"
#include "model/service/filter.h"
#include "model/service/image.h"
#include "model/service/service.h"
#include "model/service/task.h"
#include "model/store/store.h"
#include "model/traffic/request.h"
#include "model/traffic/traffic.h"
#include "model/world_kinds.h"

struct lz_world_clock {
    lz_kind second;
    lz_world_second_fn *on_second;
    void *on_second_ctx;
};

static void sample_models(struct lz_world *w)
{
    lz_database_second(w);
    if (w->consensuses != NULL)
        lz_consensus_second(w);
    lz_brokers_second(w);
    lz_rss_second(w);
    lz_host_second(w);
}

static void start_models(struct lz_world *w)
{
    lz_traffics_start(w);
    lz_calls_start(w);
    lz_caches_start(w);
    lz_dnses_start(w);
    lz_lives_start(w);
    lz_nodes_start(w);
    if (w->consensuses != NULL)
        lz_consensus_start(w);
    lz_brokers_start(w);
    if (w->auths != NULL)
        lz_auths_start(w);
}

// Judging and windows happen on whole seconds, before anything else that falls on them:
// a window is [k s, k+1 s).
static void on_second(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    (void)payload;
    struct lz_world *w = ctx;
    lz_time now = lz_sim_now(w->sim);
    LZ_ASSERT(now % LZ_S == 0);
    if (!lz_real_is_live(w))
        sample_models(w);
    lz_metrics_roll(w->metrics, now);
    if (now == w->warmup)
        lz_metrics_begin(w->metrics, now);
    if (w->clock->on_second != NULL)
        w->clock->on_second(w->clock->on_second_ctx, now);
    if (now + LZ_S <= w->end)
        lz_sim_at_first(w->sim, now + LZ_S, w->clock->second, 0, 0);
}

struct lz_world *lz_world_create(const struct lz_world_opts *opts)
{
    LZ_ASSERT(opts->arena != NULL);
    LZ_ASSERT(opts->warmup >= 0 && opts->end >= opts->warmup);
    struct lz_world *w = lz_arena_alloc(opts->arena, sizeof(*w));
    w->arena = opts->arena;
    w->ways = 1;
    w->warmup = opts->warmup;
    w->end = opts->end;
    w->sim = lz_sim_create(&(struct lz_sim_opts){.arena = opts->arena,
                                                 .seed = opts->seed,
                                                 .run_key = opts->run_key,
                                                 .events_max = opts->events_max});
    w->order = lz_order_create(opts->arena, &opts->order);
    w->metrics = lz_metrics_create(opts->arena);
    w->clock = lz_arena_alloc(w->arena, sizeof(*w->clock));
    w->clock->second = lz_sim_kind(w->sim, "second", on_second, w);
    lz_journal_init(w);
    lz_place_init(w);
    lz_net_init(w);
    lz_instances_init(w);
    lz_lives_init(w);
    lz_hosts_init(w);
    lz_disks_init(w);
    lz_clocks_init(w);
    lz_ulimits_init(w);
    lz_rsses_init(w);
    lz_capacities_init(w);
    lz_requests_init(w);
    lz_filters_init(w);
    lz_values_init(w);
    lz_certs_init(w);
    lz_tasks_init(w);
    lz_calls_init(w);
    lz_services_init(w);
    lz_images_init(w);
    lz_databases_init(w);
    lz_caches_init(w);
    lz_stores_init(w);
    lz_dnses_init(w);
    lz_traffics_init(w);
    if (opts->is_live)
        lz_real_live(w);
    return w;
}

void lz_world_reconsider(struct lz_world *w)
{
    lz_database_reconsider(w);
    lz_brokers_reconsider(w);
}

bool lz_world_add(struct lz_world *w, const char *name, enum lz_component_kind kind, uint32_t line,
                  lz_component_id *id, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(name != NULL);
    if (name[0] == '\0')
        return lz_fail(err, LZ_EINVAL, "a %s needs a name", lz_world_kind_name(kind));
    lz_component_id other = lz_world_find(w, name);
    if (other != 0)
        return lz_fail(err, LZ_EEXIST, "the name \"%s\" is taken by the %s of line %u", name,
                       lz_world_kind_name(w->components[other].kind), w->components[other].line);
    if (w->component_count == LZ_WORLD_COMPONENTS_MAX)
        return lz_fail(err, LZ_EFULL, "at most %d components", LZ_WORLD_COMPONENTS_MAX);
    w->components = lz_grow(w->arena, w->components, &w->component_cap, w->component_count + 2,
                            sizeof(*w->components));
    lz_component_id new_id = ++w->component_count;
    w->components[new_id] = (struct lz_component){
        .name = lz_arena_strdup(w->arena, name),
        .kind = kind,
        .line = line,
        .path = lz_draw_name(0, name),
    };
    *id = new_id;
    return true;
}

lz_component_id lz_world_find(const struct lz_world *w, const char *name)
{
    for (lz_component_id id = 1; id <= w->component_count; id++)
        if (strcmp(w->components[id].name, name) == 0)
            return id;
    return 0;
}

lz_metric lz_world_metric(const struct lz_world *w, lz_component_id id, const char *name)
{
    return lz_metrics_find(w->metrics, id, name);
}

void lz_world_on_second(struct lz_world *w, lz_world_second_fn *fn, void *ctx)
{
    w->clock->on_second = fn;
    w->clock->on_second_ctx = ctx;
}

enum lz_sim_stop lz_world_run_until(struct lz_world *w, lz_time until)
{
    LZ_ASSERT(until <= w->end);
    if (!w->running) {
        if (w->alerts != NULL)
            lz_alerts_settle(w);
        w->running = true;
        lz_sim_at_first(w->sim, 0, w->clock->second, 0, 0);
        if (!lz_real_is_live(w))
            start_models(w);
        else
            lz_traffics_start(w); // sent by somebody else (lz_traffic_send_by)
        if (w->alerts != NULL)
            lz_alerts_start(w);
    }
    return lz_sim_run(w->sim, until);
}

enum lz_sim_stop lz_world_run(struct lz_world *w)
{
    return lz_world_run_until(w, w->end);
}
