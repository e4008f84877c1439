/* link_meter.c — link(a, b).latency, .lost and .bytes, for links somebody asked about. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "model/net/link_state.h"

static const struct lz_metric_info infos[] = {
    {"latency", LZ_UNIT_SECONDS, "one way, the mean of what arrived"},
    {"lost", LZ_UNIT_RATIO, "share of packets lost, damaged, dropped or cut"},
    {"bytes", LZ_UNIT_BYTES, "sent, retransmissions too, since the start"},
};

const struct lz_metric_info *lz_link_metrics(size_t *count)
{
    *count = sizeof(infos) / sizeof(infos[0]);
    return infos;
}

static bool watches(const struct lz_world *w, const struct lz_link_meter *m, uint64_t key)
{
    lz_instance_id from = (lz_instance_id)(key >> 32), to = (lz_instance_id)key;
    return (lz_target_has(w, m->a, from) && lz_target_has(w, m->b, to)) ||
           (lz_target_has(w, m->a, to) && lz_target_has(w, m->b, from));
}

bool lz_link_is_measured(const struct lz_world *w, uint64_t key)
{
    for (const struct lz_link_meter *m = w->links->meters; m != NULL; m = m->next)
        if (watches(w, m, key))
            return true;
    return false;
}

void lz_link_measure(struct lz_world *w, const struct lz_link *l, const struct lz_flight *f)
{
    for (const struct lz_link_meter *m = w->links->meters; m != NULL; m = m->next) {
        if (!watches(w, m, l->key))
            continue;
        lz_metrics_add(w->metrics, m->sent, f->segments);
        lz_metrics_add(w->metrics, m->bytes, f->bytes);
        if (f->lost > 0)
            lz_metrics_add(w->metrics, m->lost, f->lost);
        if (f->lost < f->segments)
            lz_metrics_observe(w->metrics, m->latency, f->delay);
    }
}

void lz_link_measure_cut(struct lz_world *w, const struct lz_link *l)
{
    for (const struct lz_link_meter *m = w->links->meters; m != NULL; m = m->next) {
        if (!watches(w, m, l->key))
            continue;
        lz_metrics_add(w->metrics, m->sent, 1);
        lz_metrics_add(w->metrics, m->lost, 1);
    }
}

static struct lz_link_meter *meter_of(struct lz_world *w, const struct lz_target *a,
                                      const struct lz_target *b)
{
    char name[2 * LZ_TARGET_TEXT_SIZE + 16], from[LZ_TARGET_TEXT_SIZE], to[LZ_TARGET_TEXT_SIZE];
    lz_target_describe(w, a, from, sizeof(from));
    lz_target_describe(w, b, to, sizeof(to));
    snprintf(name, sizeof(name), "link(%s, %s)", from, to);
    lz_component_id id = lz_world_find(w, name);
    for (struct lz_link_meter *m = w->links->meters; m != NULL; m = m->next)
        if (m->component == id)
            return m;
    struct lz_err err;
    if (w->running) // too late: it would not have seen what has passed
        return NULL;
    if (!lz_world_add(w, name, LZ_COMPONENT_LINK, 0, &id, &err))
        return NULL;
    struct lz_link_meter *m = lz_arena_alloc(w->arena, sizeof(*m));
    *m = (struct lz_link_meter){.next = w->links->meters,
                                .a = a,
                                .b = b,
                                .component = id,
                                .latency = lz_metrics_hist(w->metrics),
                                .sent = lz_metrics_counter(w->metrics),
                                .lost = lz_metrics_counter(w->metrics),
                                .bytes = lz_metrics_counter(w->metrics)};
    const struct lz_metric_def defs[] = {
        {.name = "latency", .view = LZ_VIEW_MEAN, .unit = LZ_UNIT_SECONDS, .a = m->latency},
        {.name = "lost", .view = LZ_VIEW_RATIO, .unit = LZ_UNIT_RATIO, .a = m->lost, .b = m->sent},
        {.name = "bytes", .view = LZ_VIEW_TOTAL, .unit = LZ_UNIT_BYTES, .a = m->bytes},
    };
    for (size_t i = 0; i < sizeof(defs) / sizeof(defs[0]); i++)
        lz_metrics_define(w->metrics, id, &defs[i]);
    w->links->meters = m;
    lz_link_recompose(w);
    return m;
}

lz_metric lz_link_metric(struct lz_world *w, const struct lz_target *a, const struct lz_target *b,
                         const char *name)
{
    const struct lz_link_meter *m = meter_of(w, a, b);
    return m != NULL ? lz_metrics_find(w->metrics, m->component, name) : 0;
}
