#include "sim/metric.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "sim/metric_state.h"

struct lz_metrics *lz_metrics_create(struct lz_arena *arena)
{
    struct lz_metrics *m = lz_arena_alloc(arena, sizeof(*m));
    m->arena = arena;
    m->factor = 1;
    lz_hist_init(&m->scratch, arena);
    return m;
}

static lz_series add_series(struct lz_metrics *m, enum lz_window_kind kind)
{
    m->series =
        lz_grow(m->arena, m->series, &m->series_cap, m->face.series_count + 2, sizeof(*m->series));
    uint32_t id = ++m->face.series_count;
    m->face.all = lz_grow(m->arena, m->face.all, &m->face_cap, id + 1, sizeof(*m->face.all));
    struct lz_metric_series *s = &m->series[id];
    s->face = m->face.all[id] = lz_arena_alloc(m->arena, sizeof(*s->face));
    s->face->kind = (uint8_t)kind;
    s->face->id = id;
    s->keep = 1;
    s->recent = s->stored = (struct lz_window_list){.arena = m->arena, .kind = kind};
    return m->face.series_count;
}

lz_series lz_metrics_counter(struct lz_metrics *m)
{
    return add_series(m, LZ_WINDOW_COUNTER);
}

lz_series lz_metrics_gauge(struct lz_metrics *m, double level)
{
    lz_series id = add_series(m, LZ_WINDOW_GAUGE);
    struct lz_metric_series *s = &m->series[id];
    s->face->u.gauge.level = s->level_first = s->whole_low = s->whole_high = level;
    s->dropped.u.level.end = level;
    s->whole_until = m->begun; // one made later counts as if it had been there all along
    return id;
}

lz_series lz_metrics_tally(struct lz_metrics *m)
{
    lz_series id = lz_metrics_gauge(m, 0.0);
    m->face.all[id]->is_tally = true;
    m->face.all[id]->u.tally = (struct lz_tally){0};
    m->series[id].share.whole = 1.0;
    return id;
}

lz_series lz_metrics_share(struct lz_metrics *m, double whole)
{
    LZ_ASSERT(whole > 0.0);
    lz_series id = lz_metrics_tally(m);
    m->series[id].share.whole = whole;
    return id;
}

lz_series lz_metrics_hist(struct lz_metrics *m)
{
    lz_series id = add_series(m, LZ_WINDOW_HIST);
    lz_hist_init(&m->series[id].face->u.observed.hist, m->arena);
    lz_hist_init(&m->series[id].whole, m->arena);
    return id;
}

void lz_metrics_touch(struct lz_metrics *m, lz_series id)
{
    struct lz_metric_series *s = &m->series[id];
    s->face->state = LZ_SERIES_TOUCHED;
    if (s->face->kind == LZ_WINDOW_GAUGE)
        lz_metric_gauge_open(m, s);
    m->touched =
        lz_grow(m->arena, m->touched, &m->touched_cap, m->touched_count + 1, sizeof(*m->touched));
    m->touched[m->touched_count++] = id;
}

static uint32_t home_of(const struct lz_metrics *m, uint32_t component, const char *name)
{
    return (uint32_t)lz_hash_mix(lz_hash_text(name), component) & (m->index_cap - 1);
}

static void index_metric(struct lz_metrics *m, lz_metric id)
{
    uint32_t i = home_of(m, m->metrics[id].component, m->metrics[id].def.name);
    while (m->index[i] != 0)
        i = (i + 1) & (m->index_cap - 1);
    m->index[i] = id;
}

static void widen_index(struct lz_metrics *m)
{
    lz_arena_free(m->arena, m->index, m->index_cap * sizeof(*m->index));
    m->index_cap = m->index_cap > 0 ? 2 * m->index_cap : 1024;
    m->index = lz_arena_alloc(m->arena, m->index_cap * sizeof(*m->index));
    for (lz_metric id = 1; id <= m->metric_count; id++)
        index_metric(m, id);
}

lz_metric lz_metrics_find(const struct lz_metrics *m, uint32_t component, const char *name)
{
    if (m->index_cap == 0)
        return 0;
    for (uint32_t i = home_of(m, component, name);; i = (i + 1) & (m->index_cap - 1)) {
        lz_metric id = m->index[i];
        if (id == 0)
            return 0;
        if (m->metrics[id].component == component && strcmp(m->metrics[id].def.name, name) == 0)
            return id;
    }
}

static enum lz_window_kind kind_of_view(enum lz_view view)
{
    if (view == LZ_VIEW_LEVEL)
        return LZ_WINDOW_GAUGE;
    return view <= LZ_VIEW_TOTAL ? LZ_WINDOW_COUNTER : LZ_WINDOW_HIST;
}

lz_metric lz_metrics_define(struct lz_metrics *m, uint32_t component,
                            const struct lz_metric_def *def)
{
    LZ_ASSERT(def->a >= 1 && def->a <= m->face.series_count);
    LZ_ASSERT(m->series[def->a].face->kind == kind_of_view(def->view));
    LZ_ASSERT(
        LZ_IMPLIES(def->view == LZ_VIEW_RATIO, def->b >= 1 && def->b <= m->face.series_count));
    LZ_ASSERT(LZ_IMPLIES(def->b != 0, m->series[def->b].face->kind == LZ_WINDOW_COUNTER));
    LZ_ASSERT(lz_metrics_find(m, component, def->name) == 0);
    m->metrics =
        lz_grow(m->arena, m->metrics, &m->metric_cap, m->metric_count + 2, sizeof(*m->metrics));
    m->metrics[++m->metric_count] = (struct lz_metric_entry){.def = *def, .component = component};
    if (2 * (m->metric_count + 1) > m->index_cap)
        widen_index(m);
    else
        index_metric(m, m->metric_count);
    return m->metric_count;
}

size_t lz_metrics_count(const struct lz_metrics *m)
{
    return m->metric_count;
}

static const struct lz_metric_entry *metric_at(const struct lz_metrics *m, lz_metric id)
{
    LZ_ASSERT(id >= 1 && id <= m->metric_count);
    return &m->metrics[id];
}

bool lz_metric_is_use(const struct lz_metric_def *def)
{
    const char *dot = strrchr(def->name, '.'), *last = dot != NULL ? dot + 1 : def->name;
    return def->view == LZ_VIEW_LEVEL && def->unit == LZ_UNIT_RATIO &&
           (strcmp(last, "cpu") == 0 || strcmp(last, "busy") == 0);
}

const struct lz_metric_def *lz_metrics_def(const struct lz_metrics *m, lz_metric id)
{
    return &metric_at(m, id)->def;
}

uint32_t lz_metrics_component(const struct lz_metrics *m, lz_metric id)
{
    return metric_at(m, id)->component;
}

static size_t list_bytes(const struct lz_window_list *list)
{
    size_t bytes = list->cap * sizeof(*list->all);
    for (uint32_t i = 0; i < list->count && list->kind == LZ_WINDOW_HIST; i++)
        bytes += list->all[i].packed_size;
    return bytes;
}

static size_t series_bytes(const struct lz_metric_series *s)
{
    bool is_hist = s->face->kind == LZ_WINDOW_HIST;
    const struct lz_observed *o = is_hist ? &s->face->u.observed : NULL;
    size_t cap = o != NULL ? (size_t)o->hist.cap + s->whole.cap : 0;
    size_t counts = cap * sizeof(*s->whole.counts);
    size_t row = o != NULL && o->row != NULL ? LZ_SERIES_ROW * sizeof(*o->row) : 0;
    return sizeof(*s) + sizeof(*s->face) + counts + row + list_bytes(&s->recent) +
           list_bytes(&s->stored);
}

// A series is counted by the first metric that is a view of it.
static bool is_first_view(const struct lz_metrics *m, lz_metric id)
{
    lz_metric i = id;
    while (i > 1 && m->metrics[i - 1].component == m->metrics[id].component)
        if (m->metrics[--i].def.a == m->metrics[id].def.a)
            return false;
    return true;
}

size_t lz_metrics_bytes(const struct lz_metrics *m, uint32_t component)
{
    size_t bytes = 0;
    for (lz_metric id = 1; id <= m->metric_count; id++)
        if (m->metrics[id].component == component && is_first_view(m, id))
            bytes +=
                sizeof(struct lz_metric_entry) + series_bytes(&m->series[m->metrics[id].def.a]);
    return bytes;
}

void lz_metrics_hide(struct lz_metrics *m, lz_metric id)
{
    LZ_ASSERT(id >= 1 && id <= m->metric_count);
    m->metrics[id].is_hidden = true;
}

bool lz_metrics_is_hidden(const struct lz_metrics *m, lz_metric id)
{
    return metric_at(m, id)->is_hidden;
}

void lz_metrics_show(struct lz_metrics *m, lz_metric id, lz_time now, double level)
{
    LZ_ASSERT(id >= 1 && id <= m->metric_count);
    LZ_ASSERT(now >= m->start);
    struct lz_metric_entry *metric = &m->metrics[id];
    LZ_ASSERT(metric->is_hidden);
    metric->is_hidden = false;
    metric->shown_from = m->closed;
    if (metric->def.view == LZ_VIEW_LEVEL)
        lz_metric_gauge_begin(m, &m->series[metric->def.a], now, level);
}

static void keep(struct lz_metric_series *s, uint32_t windows)
{
    LZ_ASSERT(windows >= 1);
    s->is_kept = true;
    if (windows > s->keep)
        s->keep = windows;
}

void lz_metrics_keep(struct lz_metrics *m, lz_metric id, uint32_t windows)
{
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    keep(&m->series[def->a], windows);
    if (def->b != 0)
        keep(&m->series[def->b], windows);
}

void lz_metrics_heed(struct lz_metrics *m, lz_series id)
{
    LZ_ASSERT(id >= 1 && id <= m->face.series_count);
    m->series[id].is_kept = true;
}

void lz_metrics_attend(struct lz_metrics *m)
{
    LZ_ASSERT(m->closed == 0);
    m->attends = true;
    for (lz_series i = 1; i <= m->face.series_count; i++)
        if (!m->series[i].is_kept && m->series[i].face->state == LZ_SERIES_IDLE)
            m->series[i].face->state = LZ_SERIES_DEAF;
}

bool lz_metrics_missed(const struct lz_metrics *m)
{
    return m->missed;
}

// Somebody reads it.
static void look_at(const struct lz_metrics *m, const struct lz_metric_def *def)
{
    bool is_deaf = lz_metrics_is_deaf(m->series[def->a].face) ||
                   (def->b != 0 && lz_metrics_is_deaf(m->series[def->b].face));
    if (is_deaf)
        ((struct lz_metrics *)m)->missed = true;
}

const struct lz_series_face *lz_metric_look_now(const struct lz_metrics *m, lz_series id,
                                                enum lz_window_kind kind)
{
    const struct lz_series_face *s = lz_metrics_series(m, id, kind);
    if (lz_metrics_is_deaf(s))
        ((struct lz_metrics *)m)->missed = true;
    return s;
}

double lz_metrics_level(const struct lz_metrics *m, lz_series gauge)
{
    lz_metric_look_now(m, gauge, LZ_WINDOW_GAUGE);
    return lz_metric_level_of(&m->series[gauge]);
}

uint64_t lz_metrics_total(const struct lz_metrics *m, lz_series counter)
{
    return lz_metric_look_now(m, counter, LZ_WINDOW_COUNTER)->u.total;
}

// The level between whole_until and the start of the window, in which nothing happened.
static double level_until_start(const struct lz_metric_series *s)
{
    return s->face->state == LZ_SERIES_TOUCHED ? s->level_start : lz_metric_level_of(s);
}

static struct lz_window close_counter(const struct lz_metrics *m, struct lz_metric_series *s)
{
    struct lz_window w = {.index = m->closed};
    w.u.total = s->total_closed = s->face->u.total;
    return w;
}

static struct lz_window_record record_of(struct lz_metrics *m, const struct lz_metric_series *s)
{
    return (struct lz_window_record){
        .factor = m->factor, .first = s->level_first, .scratch = &m->scratch};
}

static void close_window(struct lz_metrics *m, struct lz_metric_series *s, lz_time now)
{
    struct lz_window w;
    if (s->face->kind == LZ_WINDOW_COUNTER)
        w = close_counter(m, s);
    else if (s->face->kind == LZ_WINDOW_GAUGE)
        w = lz_metric_gauge_close(m, s, now);
    else
        w = lz_metric_hist_close(m, s);
    struct lz_window_record record = record_of(m, s);
    lz_window_store(&s->stored, &w, &record);
    // What no judge looks back to: windows up to m->closed - keep, the one being closed counting.
    if (m->closed + 1 > s->keep)
        lz_window_drop(&s->recent, m->closed + 1 - s->keep, &s->dropped);
    lz_window_append(&s->recent, &w);
    s->face->state = LZ_SERIES_IDLE;
}

static void widen_record(struct lz_metrics *m)
{
    for (lz_series i = 1; i <= m->face.series_count; i++) {
        struct lz_window_record record = record_of(m, &m->series[i]);
        lz_window_halve(&m->series[i].stored, &record);
    }
    m->factor *= 2;
}

void lz_metrics_roll(struct lz_metrics *m, lz_time now)
{
    LZ_ASSERT(now % LZ_METRIC_WINDOW == 0);
    if (now == m->start)
        return; // the run begins on a whole second: nothing to close
    LZ_ASSERT(now - m->start == LZ_METRIC_WINDOW);
    if (m->closed / m->factor >= LZ_METRIC_WINDOWS_MAX)
        widen_record(m);
    for (uint32_t i = 0; i < m->touched_count; i++)
        close_window(m, &m->series[m->touched[i]], now);
    m->touched_count = 0;
    m->closed++;
    m->stored = (m->closed - 1) / m->factor + 1;
    m->start = now;
    LZ_ASSERT(m->stored <= LZ_METRIC_WINDOWS_MAX);
}

void lz_metrics_begin(struct lz_metrics *m, lz_time now)
{
    LZ_ASSERT(now == m->start);
    m->begun = now;
    for (lz_series i = 1; i <= m->face.series_count; i++) {
        struct lz_metric_series *s = &m->series[i];
        bool is_gauge = s->face->kind == LZ_WINDOW_GAUGE;
        s->total_begin = s->total_closed;
        s->whole_sum = 0.0;
        s->whole_until = s->whole_from = now;
        s->whole_low = s->whole_high = is_gauge ? level_until_start(s) : 0.0;
        if (s->face->kind == LZ_WINDOW_HIST)
            lz_hist_clear(&s->whole);
    }
}

static struct lz_sample sample(double value, uint64_t count)
{
    return (struct lz_sample){
        .present = true, .value = value, .low = value, .high = value, .count = count};
}

static struct lz_sample total_sample(const struct lz_metric_def *def, uint64_t total)
{
    double v = (double)total;
    return sample(def->unit == LZ_UNIT_SECONDS ? v / 1e9 : v, 1);
}

static struct lz_sample hist_sample(const struct lz_metric_def *def, const struct lz_hist *h)
{
    if (h->facts.count == 0)
        return (struct lz_sample){0};
    double v = 0.0;
    if (def->view == LZ_VIEW_QUANTILE)
        v = lz_hist_quantile(h, def->q);
    else if (def->view == LZ_VIEW_MAX)
        v = (double)h->facts.max;
    else
        v = lz_hist_mean(h);
    return sample(def->unit == LZ_UNIT_SECONDS ? v / 1e9 : v, h->facts.count);
}

static struct lz_sample counter_sample(const struct lz_metric_def *def, uint64_t a, uint64_t b,
                                       double seconds)
{
    if (def->view == LZ_VIEW_RATE)
        return sample(seconds > 0.0 ? (double)a / seconds : 0.0, a);
    if (b == 0)
        return (struct lz_sample){0};
    return sample((double)a / (double)b, b);
}

static struct lz_sample level_sample(const struct lz_window *w, uint32_t windows)
{
    return (struct lz_sample){.present = true,
                              .value = w->u.level.mean,
                              .low = w->u.level.low,
                              .high = w->u.level.high,
                              .count = windows};
}

static uint64_t moved(const struct lz_window_list *list, uint32_t from, uint32_t to, uint64_t first)
{
    return lz_window_total(list, to, first) - lz_window_total(list, from, first);
}

// Histograms are added up in a place that no caller can see.
static struct lz_sample merged_sample(const struct lz_metrics *m, const struct lz_metric_def *def,
                                      const struct lz_window_list *list, uint32_t from, uint32_t to)
{
    struct lz_hist *h = &((struct lz_metrics *)m)->scratch;
    lz_hist_clear(h);
    lz_window_merge(list, from, to, h);
    return hist_sample(def, h);
}

struct lz_sample lz_metrics_window(const struct lz_metrics *m, lz_metric id, uint32_t over)
{
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    const struct lz_metric_series *a = &m->series[def->a], *b = &m->series[def->b];
    LZ_ASSERT(over >= 1 && over <= a->keep);
    LZ_ASSERT(LZ_IMPLIES(def->b != 0, over <= b->keep));
    const struct lz_metric_entry *metric = metric_at(m, id);
    uint32_t to = m->closed, from = over < to ? to - over : 0;
    if (from < metric->shown_from)
        from = metric->shown_from;
    if (from >= to || metric->is_hidden)
        return (struct lz_sample){0};
    look_at(m, def);
    uint64_t first = a->dropped.u.total;
    switch (def->view) {
    case LZ_VIEW_TOTAL:
        return total_sample(def, lz_window_total(&a->recent, to, first));
    case LZ_VIEW_RATE:
        return counter_sample(def, moved(&a->recent, from, to, first), 0, (double)(to - from));
    case LZ_VIEW_RATIO:
        return counter_sample(def, moved(&a->recent, from, to, first),
                              moved(&b->recent, from, to, b->dropped.u.total), 0.0);
    case LZ_VIEW_LEVEL: {
        struct lz_window w = lz_window_level(&a->recent, from, to, a->dropped.u.level.end);
        return level_sample(&w, to - from);
    }
    default:
        return merged_sample(m, def, &a->recent, from, to);
    }
}

static struct lz_sample whole_level(const struct lz_metrics *m, const struct lz_metric_series *s)
{
    double level = level_until_start(s);
    struct lz_sample out = sample(level, 1);
    lz_time from = s->whole_from > m->begun ? s->whole_from : m->begun;
    if (m->start > from)
        out.value = (s->whole_sum + level * (double)(m->start - s->whole_until)) /
                    (double)(m->start - from);
    out.low = s->whole_low;
    out.high = s->whole_high;
    return out;
}

struct lz_sample lz_metrics_whole(const struct lz_metrics *m, lz_metric id)
{
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    const struct lz_metric_series *a = &m->series[def->a], *b = &m->series[def->b];
    double seconds = (double)(m->start - m->begun) / 1e9;
    if (metric_at(m, id)->is_hidden)
        return (struct lz_sample){0};
    look_at(m, def);
    switch (def->view) {
    case LZ_VIEW_TOTAL:
        return total_sample(def, a->face->u.total);
    case LZ_VIEW_RATE:
        return counter_sample(def, a->total_closed - a->total_begin, 0, seconds);
    case LZ_VIEW_RATIO:
        return counter_sample(def, a->total_closed - a->total_begin,
                              b->total_closed - b->total_begin, 0.0);
    case LZ_VIEW_LEVEL:
        return whole_level(m, a);
    default:
        return hist_sample(def, &a->whole);
    }
}

size_t lz_metrics_windows(const struct lz_metrics *m, lz_metric id)
{
    LZ_ASSERT(id >= 1 && id <= m->metric_count);
    return m->stored;
}

lz_time lz_metrics_width(const struct lz_metrics *m)
{
    return LZ_METRIC_WINDOW * (lz_time)m->factor;
}

// The mean of a window that is not full yet is kept as if it stayed at its level: undo that.
static struct lz_sample stored_level(const struct lz_metrics *m, const struct lz_metric_series *s,
                                     uint32_t index, double seconds)
{
    struct lz_window w = lz_window_level(&s->stored, index, index + 1, s->level_first);
    double left = (double)m->factor - seconds;
    if (left > 0.0)
        w.u.level.mean = (w.u.level.mean * (double)m->factor - w.u.level.end * left) / seconds;
    return level_sample(&w, 1);
}

struct lz_sample lz_metrics_stored(const struct lz_metrics *m, lz_metric id, size_t i)
{
    LZ_ASSERT(i < m->stored);
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    const struct lz_metric_series *a = &m->series[def->a], *b = &m->series[def->b];
    uint32_t index = (uint32_t)i;
    uint32_t ends = index + 1 < m->stored ? (index + 1) * m->factor : m->closed;
    double seconds = (double)(ends - index * m->factor);
    if (metric_at(m, id)->is_hidden || ends <= metric_at(m, id)->shown_from)
        return (struct lz_sample){0};
    look_at(m, def);
    switch (def->view) {
    case LZ_VIEW_TOTAL:
        return total_sample(def, lz_window_total(&a->stored, index + 1, 0));
    case LZ_VIEW_RATE:
        return counter_sample(def, moved(&a->stored, index, index + 1, 0), 0, seconds);
    case LZ_VIEW_RATIO:
        return counter_sample(def, moved(&a->stored, index, index + 1, 0),
                              moved(&b->stored, index, index + 1, 0), 0.0);
    case LZ_VIEW_LEVEL:
        return stored_level(m, a, index, seconds);
    default:
        return merged_sample(m, def, &a->stored, index, index + 1);
    }
}
