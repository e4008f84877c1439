#include "model/service/gateway.h"

#include <stddef.h>

#include "base/check.h"
#include "model/net/ttl_cache.h"
#include "model/service/filter.h"
#include "model/service/service_state.h"

struct series {
    lz_series limited, blocked, asked, hits, held;
};

struct lz_gateway {
    struct lz_gateway_opts opts;
    struct lz_ttl_cache **caches; // by replica; NULL: not by keys
    struct series series;
    uint64_t limited, blocked, delayed; // as filters count
};

#define AT(member) offsetof(struct series, member)
static const struct lz_measure_row rows[] = {
    {"limited", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(limited), 0, 0,
     "requests refused because they exceeded the limit"},
    {"held", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(held), 0, 0,
     "requests that the limit held back before it let them in"},
    {"blocked", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, AT(blocked), 0, 0,
     "requests that the firewall blocked"},
    {"hit_ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, AT(hits), AT(asked), 0,
     "requests answered from its cache of those that came in"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_gateway_metrics(size_t *count)
{
    static struct lz_metric_info infos[64];
    size_t n;
    const struct lz_metric_info *own = lz_service_metrics(&n);
    LZ_ASSERT(n + ROW_COUNT <= sizeof(infos) / sizeof(infos[0]));
    for (size_t i = 0; i < n; i++)
        infos[i] = own[i];
    lz_measure_infos(rows, ROW_COUNT, infos + n, count);
    *count = n + ROW_COUNT;
    return infos;
}

static bool check_opts(const struct lz_gateway_opts *o, struct lz_err *err)
{
    if (!(o->limit >= 0.0 && o->limit <= 1e9))
        return lz_fail(err, LZ_ERANGE, "limit must be between 0/s and 1e9/s, got %g/s", o->limit);
    if (!(o->burst <= 1e9))
        return lz_fail(err, LZ_ERANGE, "burst must be at most 1e9, got %g", o->burst);
    if (o->holds && o->algorithm != LZ_LIMIT_LEAKY)
        return lz_fail(err, LZ_EINVAL,
                       "delay is a leaky bucket's: one of tokens holds nobody back");
    double burst = o->burst < 0.0 ? 0.0 : o->burst;
    if (o->holds && !(o->at_once >= 0.0 && o->at_once <= burst))
        return lz_fail(
            err, LZ_ERANGE,
            "delay must be between 0 and burst (%g), got %g: it is how much of the burst "
            "passes at once",
            burst, o->at_once);
    if (!(o->waf_blocked >= 0.0 && o->waf_blocked <= 1.0))
        return lz_fail(err, LZ_ERANGE, "blocked must be between 0 and 1, got %g", o->waf_blocked);
    if (o->has_cache && !(o->hit_ratio <= 1.0))
        return lz_fail(err, LZ_ERANGE, "hit_ratio must be between 0 and 1, got %g", o->hit_ratio);
    if (o->entries > LZ_TTL_CACHE_ENTRIES_MAX)
        return lz_fail(err, LZ_EFULL, "a cache has at most %d entries, got %u",
                       LZ_TTL_CACHE_ENTRIES_MAX, o->entries);
    return true;
}

// For the life of the run.
static void stand(struct lz_world *w, const struct lz_service *s, struct lz_filter *f,
                  const char *what)
{
    lz_instance_id *at = lz_arena_alloc(w->arena, s->slots * sizeof(*at));
    for (uint32_t i = 0; i < s->slots; i++)
        at[i] = s->first + i;
    f->ratio = f->ratio > 0.0 ? f->ratio : 1.0;
    f->owner = lz_draw_name(lz_world_component(w, s->id)->path, what);
    lz_filter_add(w, f, at, s->slots);
}

static double burst_of(const struct lz_gateway_opts *o)
{
    if (o->algorithm == LZ_LIMIT_LEAKY)
        return o->burst < 0.0 ? 0.0 : o->burst;
    double burst = o->burst < 0.0 ? o->limit : o->burst;
    return burst > 1.0 ? burst : 1.0;
}

static void stand_guard(struct lz_world *w, const struct lz_service *s, struct lz_gateway *g)
{
    const struct lz_gateway_opts *o = &g->opts;
    if (o->waf_delay.kind != LZ_DIST_NONE)
        stand(w, s,
              &(struct lz_filter){
                  .act = LZ_FILTER_DELAY, .add = o->waf_delay, .touched = &g->delayed},
              "waf.latency");
    if (o->waf_blocked > 0.0)
        stand(w, s,
              &(struct lz_filter){.act = LZ_FILTER_ABORT,
                                  .ratio = o->waf_blocked,
                                  .outcome = LZ_OUTCOME_REFUSED,
                                  .status = 403,
                                  .touched = &g->blocked,
                                  .series = g->series.blocked},
              "waf.blocked");
    if (!(o->limit > 0.0))
        return;
    struct lz_filter f = {.act = LZ_FILTER_LIMIT,
                          .outcome = LZ_OUTCOME_REFUSED,
                          .status = o->limit_status != 0 ? o->limit_status : 429,
                          .touched = &g->limited,
                          .series = g->series.limited,
                          .held = g->series.held};
    lz_limit_init(&f.limit, o->algorithm, o->limit, burst_of(o), 0);
    if (o->holds)
        lz_limit_hold(&f.limit, o->at_once);
    stand(w, s, &f, "limit");
}

bool lz_gateway_equip(struct lz_world *w, lz_component_id id, const struct lz_gateway_opts *opts,
                      struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    struct lz_service *s = lz_service_at(w, id);
    LZ_ASSERT(s->gateway == NULL);
    if (!check_opts(opts, err))
        return false;
    struct lz_gateway *g = lz_arena_alloc(w->arena, sizeof(*g));
    g->opts = *opts;
    g->series = (struct series){.limited = lz_metrics_counter(w->metrics),
                                .blocked = lz_metrics_counter(w->metrics),
                                .asked = lz_metrics_counter(w->metrics),
                                .hits = lz_metrics_counter(w->metrics),
                                .held = lz_metrics_counter(w->metrics)};
    lz_measure_define(w, id, "", rows, ROW_COUNT, &g->series);
    stand_guard(w, s, g);
    s->gateway = g;
    if (!opts->has_cache || opts->hit_ratio >= 0.0)
        return true;
    g->caches = lz_arena_alloc(w->arena, s->slots * sizeof(struct lz_ttl_cache *));
    for (uint32_t i = 0; i < s->slots; i++)
        g->caches[i] = lz_ttl_cache_create(w->arena, opts->entries > 0 ? opts->entries : 10000,
                                           opts->ttl, opts->is_sliding);
    return true;
}

bool lz_gateway_hits(struct lz_world *w, struct lz_service *s, const struct lz_task *t)
{
    const struct lz_gateway *g = s->gateway;
    if (!g->opts.has_cache)
        return false;
    bool hits;
    if (g->caches != NULL) {
        hits = lz_ttl_cache_get(g->caches[t->server - s->first], t->key, lz_sim_now(w->sim));
    } else {
        struct lz_draw draw = lz_draw_begin(lz_sim_key(w->sim), t->path, LZ_PURPOSE_FILTER, 2);
        hits = lz_draw_unit(&draw) < g->opts.hit_ratio;
    }
    lz_metrics_add(w->metrics, g->series.asked, 1);
    if (hits)
        lz_metrics_add(w->metrics, g->series.hits, 1);
    return hits;
}

void lz_gateway_fetched(struct lz_world *w, struct lz_service *s, const struct lz_task *t)
{
    if (s->gateway->caches != NULL)
        lz_ttl_cache_put(s->gateway->caches[t->server - s->first], t->key, lz_sim_now(w->sim));
}

void lz_gateway_died(struct lz_service *s, lz_instance_id id)
{
    if (s->gateway->caches != NULL)
        lz_ttl_cache_clear(s->gateway->caches[id - s->first]);
}
