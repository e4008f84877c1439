// Histograms: what they are fed waits in a row, and is counted before somebody looks.
#include "base/check.h"
#include "sim/metric_state.h"

// Those in the row are of the histogram from here on.
static void count_row(struct lz_observed *o)
{
    if (o->next == NULL)
        return;
    lz_hist_add_all(&o->hist, o->row, (size_t)(o->next - o->row));
    o->next = o->row;
}

void lz_metrics_observe_row(struct lz_metrics *m, struct lz_series_face *s, int64_t value)
{
    struct lz_observed *o = &s->u.observed;
    if (!lz_metrics_hears(m, s))
        return;
    count_row(o);
    if (o->row == NULL)
        o->row = lz_arena_alloc(m->arena, LZ_SERIES_ROW * sizeof(*o->row));
    o->next = o->row;
    o->end = o->row + LZ_SERIES_ROW;
    *o->next++ = value;
}

// What is fed as none of a histogram's values is only counted until the window closes.
static const struct lz_series_face *count_now(const struct lz_metrics *m, lz_series hist)
{
    const struct lz_series_face *s = lz_metric_look_now(m, hist, LZ_WINDOW_HIST);
    count_row(&m->face.all[hist]->u.observed);
    return s;
}

uint64_t lz_metrics_seen(const struct lz_metrics *m, lz_series hist)
{
    const struct lz_series_face *s = count_now(m, hist);
    return s->nones + s->u.observed.hist.facts.count + m->series[hist].whole.facts.count;
}

uint64_t lz_metrics_at_most(const struct lz_metrics *m, lz_series hist, int64_t value)
{
    const struct lz_series_face *s = count_now(m, hist);
    return s->nones + lz_hist_at_most(&s->u.observed.hist, value) +
           lz_hist_at_most(&m->series[hist].whole, value);
}

double lz_metrics_sum(const struct lz_metrics *m, lz_series hist)
{
    const struct lz_series_face *s = count_now(m, hist);
    const struct lz_hist_facts *now = &s->u.observed.hist.facts,
                               *whole = &m->series[hist].whole.facts;
    return (double)now->sum_high * 0x1p64 + (double)now->sum_low +
           (double)whole->sum_high * 0x1p64 + (double)whole->sum_low;
}

struct lz_window lz_metric_hist_close(const struct lz_metrics *m, struct lz_metric_series *s)
{
    struct lz_window w = {.index = m->closed};
    struct lz_observed *o = &s->face->u.observed;
    count_row(o);
    o->next = o->end = NULL;
    lz_hist_add_many(&o->hist, 0, s->face->nones);
    s->face->nones = 0;
    w.u.hist.facts = o->hist.facts;
    w.u.hist.packed = lz_hist_pack_away(&o->hist, &s->whole, &w.packed_size);
    return w;
}
