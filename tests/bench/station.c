#include "station.h"

#include "base/check.h"

static void start(struct station *s, const struct station_customer *c, lz_time now)
{
    lz_sim_at(s->sim, now + c->work, s->leave, 0, (uint64_t)c->arrived);
}

static __attribute__((noinline)) void widen(struct station *s)
{
    uint64_t cap = 2 * s->cap;
    struct lz_arena *arena = lz_sim_arena(s->sim);
    struct station_customer *line = lz_arena_alloc(arena, cap * sizeof(*line));
    for (uint64_t i = s->first; i < s->last; i++)
        line[i & (cap - 1)] = s->line[i & (s->cap - 1)];
    lz_arena_free(arena, s->line, s->cap * sizeof(*line));
    s->line = line;
    s->cap = cap;
}

static inline void note_length(struct station *s, lz_time now)
{
    lz_metrics_set_on(s->metrics, s->length, now, s->there_now);
}

// The next one comes after its gap; what it brings is drawn with that, from the same block.
static void on_arrive(void *ctx, uint32_t entity, uint64_t payload)
{
    struct station *s = ctx;
    lz_time now = lz_sim_now(s->sim);
    (void)entity;
    struct station_customer c = {.arrived = now, .work = (lz_time)payload};
    struct lz_draw_pair d = lz_draw_exponential_pair(&s->draws, lz_sim_key(s->sim), s->customers++);
    lz_time gap = (lz_time)(d.first * s->gap_ns), work = (lz_time)(d.second * s->work_ns);
    lz_sim_at(s->sim, now + gap, s->arrive, 0, (uint64_t)work);
    s->there_now++;
    if (s->busy < s->servers) {
        s->busy++;
        start(s, &c, now);
    } else {
        if (s->last - s->first == s->cap)
            widen(s);
        s->line[s->last++ & (s->cap - 1)] = c;
    }
    note_length(s, now);
}

static void on_leave(void *ctx, uint32_t entity, uint64_t payload)
{
    struct station *s = ctx;
    lz_time now = lz_sim_now(s->sim);
    (void)entity;
    LZ_ASSERT(s->busy > 0 && s->there_now > 0);
    s->there_now--;
    lz_metrics_observe_on(s->metrics, s->times, now - (lz_time)payload);
    if (s->first < s->last)
        start(s, &s->line[s->first++ & (s->cap - 1)], now);
    else
        s->busy--;
    note_length(s, now);
    if (--s->left == 0)
        lz_sim_stop(s->sim);
}

static void on_second(void *ctx, uint32_t entity, uint64_t payload)
{
    struct station *s = ctx;
    lz_time now = lz_sim_now(s->sim);
    lz_metrics_roll(s->metrics, now);
    lz_sim_at_first(s->sim, now + LZ_METRIC_WINDOW, (lz_kind)payload, entity, payload);
}

void station_open(struct station *s, struct lz_sim *sim, const struct station_opts *opts)
{
    LZ_ASSERT(opts->servers > 0 && opts->arrivals_per_s > 0 && opts->served_per_s > 0);
    *s = (struct station){
        .sim = sim,
        .draws = {.owner = opts->owner, .purpose = LZ_PURPOSE_ARRIVAL},
        .gap_ns = 1e9 / opts->arrivals_per_s,
        .work_ns = 1e9 / opts->served_per_s,
        .servers = opts->servers,
        .cap = 64,
    };
    s->line = lz_arena_alloc(lz_sim_arena(sim), s->cap * sizeof(*s->line));
    s->metrics = lz_metrics_create(lz_sim_arena(sim));
    lz_series times = lz_metrics_hist(s->metrics), length = lz_metrics_gauge(s->metrics, 0);
    s->times = lz_metrics_series(s->metrics, times, LZ_WINDOW_HIST);
    s->length = lz_metrics_series(s->metrics, length, LZ_WINDOW_GAUGE);
    s->there = lz_metrics_define(
        s->metrics, 1,
        &(struct lz_metric_def){.name = "there", .view = LZ_VIEW_LEVEL, .a = length});
    s->arrive = lz_sim_kind(sim, "arrive", on_arrive, s);
    s->leave = lz_sim_kind(sim, "leave", on_leave, s);
    lz_kind second = lz_sim_kind(sim, "second", on_second, s);
    lz_sim_at_first(sim, LZ_METRIC_WINDOW, second, 0, second);
    lz_sim_at(sim, 0, s->arrive, 0, (uint64_t)s->work_ns);
}

void station_run(struct station *s, uint64_t customers)
{
    LZ_ASSERT(customers > 0);
    s->left = customers;
    lz_sim_run(s->sim, LZ_FOREVER);
}

double station_mean_there(const struct station *s)
{
    return lz_metrics_whole(s->metrics, s->there).value;
}
