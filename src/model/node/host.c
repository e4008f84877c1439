#include "model/node/host.h"

#include "base/check.h"
#include "base/grow.h"
#include "model/measure.h"
#include "model/node/cpu_host.h"
#include "model/node/disk.h"
#include "model/node/rss.h"

struct host {
    lz_component_id id; // 0: it has said nothing
    double memory;
    struct lz_cpu_host *cpu;
    struct series {
        lz_series cpu, memory, disk;
    } series;
};

// Load from outside; free places have no host.
struct steal {
    lz_host_id host;
    double share, cores;
};

struct lz_hosts {
    struct host *all; // by lz_host_id
    uint32_t cap;
    struct steal *steals;
    uint32_t steal_count, steal_cap;
};

#define AT(member) offsetof(struct series, member)
static const struct lz_measure_row rows[] = {
    {"cpu", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(cpu), 0, 0, "share of its cores in use"},
    {"memory", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(memory), 0, 0, "share of its memory in use"},
    {"disk", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, AT(disk), 0, 0, "share of its disk in use"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct lz_metric_info *lz_host_metrics(size_t *count)
{
    static struct lz_metric_info infos[ROW_COUNT];
    return lz_measure_infos(rows, ROW_COUNT, infos, count);
}

static const struct host *find(const struct lz_world *w, lz_host_id host)
{
    const struct lz_hosts *hs = w->hosts;
    return host < hs->cap && hs->all[host].id != 0 ? &hs->all[host] : NULL;
}

struct lz_cpu_host *lz_host_cpu(const struct lz_world *w, lz_host_id host)
{
    const struct host *h = find(w, host);
    return h != NULL ? h->cpu : NULL;
}

double lz_host_memory(const struct lz_world *w, lz_host_id host)
{
    const struct host *h = find(w, host);
    return h != NULL ? h->memory : 0.0;
}

static void on_cpu(struct lz_world *w, void *ctx)
{
    const struct host *h = &w->hosts->all[(uintptr_t)ctx];
    lz_metrics_set(w->metrics, h->series.cpu, lz_sim_now(w->sim), lz_cpu_host_busy(h->cpu));
}

static bool check(const struct lz_host_capacity *c, struct lz_err *err)
{
    if (!(c->cores >= 0.0 && c->cores <= 1e6))
        return lz_fail(err, LZ_ERANGE, "cores must be between 0 and 1e6, got %g", c->cores);
    if (!(c->memory >= 0.0 && c->memory <= 1e18))
        return lz_fail(err, LZ_ERANGE, "memory must be at most 1e18 bytes, got %g", c->memory);
    return true;
}

bool lz_host_declare(struct lz_world *w, lz_host_id host, const struct lz_host_capacity *c,
                     lz_component_id *id, struct lz_err *err)
{
    LZ_ASSERT(!w->running);
    LZ_ASSERT(find(w, host) == NULL);
    if (!check(c, err) || !lz_world_add(w, c->name, LZ_COMPONENT_HOST, c->line, id, err))
        return false;
    struct lz_hosts *hs = w->hosts;
    hs->all = lz_grow(w->arena, hs->all, &hs->cap, host + 1, sizeof(*hs->all));
    struct host *h = &hs->all[host];
    h->id = *id;
    h->memory = c->memory;
    h->series.cpu = lz_metrics_gauge(w->metrics, 0.0);
    h->series.memory = lz_metrics_gauge(w->metrics, 0.0);
    h->series.disk = lz_metrics_gauge(w->metrics, 0.0);
    lz_measure_define(w, *id, "", rows, ROW_COUNT, &h->series);
    if (c->cores > 0.0) {
        h->cpu = lz_cpu_host_create(w, c->cores);
        lz_cpu_host_watch(h->cpu, on_cpu, (void *)(uintptr_t)host); // the table may move
    }
    return true;
}

static void recompute(struct lz_world *w, lz_host_id host)
{
    struct lz_cpu_host *cpu = lz_host_cpu(w, host);
    double stolen = 0.0;
    for (uint32_t i = 0; i < w->hosts->steal_count; i++) {
        const struct steal *s = &w->hosts->steals[i];
        if (s->host == host)
            stolen += s->share * lz_cpu_host_cores(cpu) + s->cores;
    }
    lz_cpu_host_steal(w, cpu, stolen);
}

uint32_t lz_host_steal(struct lz_world *w, lz_host_id host, double share, double cores)
{
    struct lz_hosts *hs = w->hosts;
    LZ_ASSERT(lz_host_cpu(w, host) != NULL);
    uint32_t at = 0;
    while (at < hs->steal_count && hs->steals[at].host != 0)
        at++;
    hs->steals = lz_grow(w->arena, hs->steals, &hs->steal_cap, at + 1, sizeof(*hs->steals));
    if (at == hs->steal_count)
        hs->steal_count++;
    hs->steals[at] = (struct steal){.host = host, .share = share, .cores = cores};
    recompute(w, host);
    return at + 1;
}

void lz_host_undo(struct lz_world *w, uint32_t id)
{
    struct lz_hosts *hs = w->hosts;
    LZ_ASSERT(id >= 1 && id <= hs->steal_count);
    lz_host_id host = hs->steals[id - 1].host;
    LZ_ASSERT(host != 0);
    hs->steals[id - 1].host = 0;
    recompute(w, host);
}

void lz_host_wrote(struct lz_world *w, lz_host_id host)
{
    lz_metrics_set(w->metrics, w->hosts->all[host].series.disk, lz_sim_now(w->sim),
                   lz_disk_on_host(w, host));
}

void lz_host_second(struct lz_world *w)
{
    for (lz_host_id id = 1; id < w->hosts->cap; id++) {
        const struct host *h = &w->hosts->all[id];
        if (h->id != 0 && h->memory > 0.0)
            lz_metrics_set(w->metrics, h->series.memory, lz_sim_now(w->sim),
                           lz_rss_on_host(w, id) / h->memory);
    }
}

void lz_hosts_init(struct lz_world *w)
{
    w->hosts = lz_arena_alloc(w->arena, sizeof(*w->hosts));
}
