#include "sim/metric.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "base/hash.h"
#include "sim/hist.h"

enum series_kind { COUNTER, GAUGE, HIST };

/*
 * A closed window of a series. Windows in which nothing happened have no entry: a counter
 * stands where it stood, a gauge keeps its level, a histogram is empty.
 */
struct entry {
    uint32_t window;
    uint32_t packed_size;
    union {
        uint64_t total; // COUNTER: at the end of the window
        struct {
            double mean, low, high, end;
        } level; // GAUGE
        struct {
            struct lz_hist_facts facts;
            unsigned char *packed;
        } hist;
    } u;
};

struct entries {
    struct entry *all; // by window
    uint32_t count, cap;
};

struct series {
    uint8_t kind;
    bool is_touched; // in the current window
    uint32_t keep;   // windows that must stay exact
    struct entries recent;
    struct entries stored;
    uint64_t total;               // COUNTER: since the start
    uint64_t before;              // COUNTER: total of the last entry dropped from `recent`
    uint64_t at_begin;            // COUNTER
    double level, sum, low, high; // GAUGE: now, and over the current window
    double level_first;           // GAUGE: at the start of the run
    double level_before;          // GAUGE: end level of the last entry dropped from `recent`
    lz_time since;                // GAUGE: sum is complete up to here
    double whole_sum, whole_low, whole_high;
    lz_time whole_until;
    struct lz_hist now, whole; // HIST
};

struct metric {
    struct lz_metric_def def;
    uint32_t component;
};

struct lz_metrics {
    struct lz_arena *arena;
    struct series *series; // 1 ..
    uint32_t series_count, series_cap;
    lz_series *touched;
    uint32_t touched_count, touched_cap;
    struct metric *metrics; // 1 ..
    uint32_t metric_count, metric_cap;
    lz_metric *index; // open addressing over (component, name)
    uint32_t index_cap;
    lz_time start;   // of the current window
    lz_time begun;   // whole-run values count from here
    uint32_t closed; // windows of 1 s
    uint32_t stored; // windows of the record, complete or not
    uint32_t factor; // windows of 1 s in one of the record
    struct lz_hist scratch;
};

struct lz_metrics *lz_metrics_create(struct lz_arena *arena)
{
    struct lz_metrics *m = lz_arena_alloc(arena, sizeof(*m));
    m->arena = arena;
    m->factor = 1;
    lz_hist_init(&m->scratch, arena);
    return m;
}

static lz_series add_series(struct lz_metrics *m, enum series_kind kind)
{
    m->series =
        lz_grow(m->arena, m->series, &m->series_cap, m->series_count + 2, sizeof(*m->series));
    struct series *s = &m->series[++m->series_count];
    s->kind = (uint8_t)kind;
    s->keep = 1;
    return m->series_count;
}

lz_series lz_metrics_counter(struct lz_metrics *m)
{
    return add_series(m, COUNTER);
}

lz_series lz_metrics_gauge(struct lz_metrics *m, double level)
{
    lz_series id = add_series(m, GAUGE);
    struct series *s = &m->series[id];
    s->level = s->level_first = s->level_before = s->whole_low = s->whole_high = level;
    return id;
}

lz_series lz_metrics_hist(struct lz_metrics *m)
{
    lz_series id = add_series(m, HIST);
    lz_hist_init(&m->series[id].now, m->arena);
    lz_hist_init(&m->series[id].whole, m->arena);
    return id;
}

static void touch(struct lz_metrics *m, lz_series id)
{
    struct series *s = &m->series[id];
    s->is_touched = true;
    if (s->kind == GAUGE) {
        s->sum = 0.0;
        s->low = s->high = s->level;
        s->since = m->start;
    }
    m->touched =
        lz_grow(m->arena, m->touched, &m->touched_cap, m->touched_count + 1, sizeof(*m->touched));
    m->touched[m->touched_count++] = id;
}

static inline struct series *used(struct lz_metrics *m, lz_series id, enum series_kind kind)
{
    LZ_ASSERT(id >= 1 && id <= m->series_count);
    struct series *s = &m->series[id];
    LZ_ASSERT(s->kind == kind);
    if (!s->is_touched)
        touch(m, id);
    return s;
}

void lz_metrics_add(struct lz_metrics *m, lz_series counter, uint64_t n)
{
    used(m, counter, COUNTER)->total += n;
}

void lz_metrics_set(struct lz_metrics *m, lz_series gauge, lz_time now, double level)
{
    struct series *s = used(m, gauge, GAUGE);
    LZ_ASSERT(now >= s->since);
    s->sum += s->level * (double)(now - s->since);
    s->since = now;
    s->level = level;
    if (level < s->low)
        s->low = level;
    if (level > s->high)
        s->high = level;
}

void lz_metrics_move(struct lz_metrics *m, lz_series gauge, lz_time now, double by)
{
    lz_metrics_set(m, gauge, now, lz_metrics_level(m, gauge) + by);
}

void lz_metrics_observe(struct lz_metrics *m, lz_series hist, int64_t value)
{
    LZ_ASSERT(value >= 0);
    lz_hist_add(&used(m, hist, HIST)->now, value);
}

double lz_metrics_level(const struct lz_metrics *m, lz_series gauge)
{
    LZ_ASSERT(gauge >= 1 && gauge <= m->series_count);
    return m->series[gauge].level;
}

uint64_t lz_metrics_total(const struct lz_metrics *m, lz_series counter)
{
    LZ_ASSERT(counter >= 1 && counter <= m->series_count);
    return m->series[counter].total;
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
    m->index_cap = m->index_cap > 0 ? 2 * m->index_cap : 256;
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

lz_metric lz_metrics_define(struct lz_metrics *m, uint32_t component,
                            const struct lz_metric_def *def)
{
    LZ_ASSERT(def->a >= 1 && def->a <= m->series_count);
    LZ_ASSERT(def->view != LZ_VIEW_RATIO || def->b != 0);
    LZ_ASSERT(lz_metrics_find(m, component, def->name) == 0);
    m->metrics =
        lz_grow(m->arena, m->metrics, &m->metric_cap, m->metric_count + 2, sizeof(*m->metrics));
    m->metrics[++m->metric_count] = (struct metric){.def = *def, .component = component};
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

static const struct metric *metric_at(const struct lz_metrics *m, lz_metric id)
{
    LZ_ASSERT(id >= 1 && id <= m->metric_count);
    return &m->metrics[id];
}

const struct lz_metric_def *lz_metrics_def(const struct lz_metrics *m, lz_metric id)
{
    return &metric_at(m, id)->def;
}

uint32_t lz_metrics_component(const struct lz_metrics *m, lz_metric id)
{
    return metric_at(m, id)->component;
}

void lz_metrics_keep(struct lz_metrics *m, lz_metric id, uint32_t windows)
{
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    if (windows > m->series[def->a].keep)
        m->series[def->a].keep = windows;
    if (def->b != 0 && windows > m->series[def->b].keep)
        m->series[def->b].keep = windows;
}

static void append(struct lz_metrics *m, struct entries *e, const struct entry *new)
{
    e->all = lz_grow(m->arena, e->all, &e->cap, e->count + 1, sizeof(*e->all));
    e->all[e->count++] = *new;
}

static void free_packed(struct lz_metrics *m, const struct series *s, const struct entry *e)
{
    if (s->kind == HIST)
        lz_arena_free(m->arena, e->u.hist.packed, e->packed_size);
}

// Drop what no judge looks back to. One at a time: `keep` is small or the run is short.
static void trim_recent(struct lz_metrics *m, struct series *s)
{
    uint32_t gone = 0;
    while (gone < s->recent.count && s->recent.all[gone].window + s->keep <= m->closed)
        gone++;
    if (gone == 0)
        return;
    for (uint32_t i = 0; i < gone; i++) {
        if (s->kind == COUNTER)
            s->before = s->recent.all[i].u.total;
        else if (s->kind == GAUGE)
            s->level_before = s->recent.all[i].u.level.end;
        free_packed(m, s, &s->recent.all[i]);
    }
    s->recent.count -= gone;
    memmove(s->recent.all, s->recent.all + gone, s->recent.count * sizeof(*s->recent.all));
}

// A gauge's level at the end of the last closed window.
static double level_closed(const struct series *s)
{
    return s->recent.count > 0 ? s->recent.all[s->recent.count - 1].u.level.end : s->level_before;
}

static struct entry close_gauge(struct lz_metrics *m, struct series *s, lz_time now)
{
    double sum = s->sum + s->level * (double)(now - s->since);
    struct entry e = {.window = m->closed};
    e.u.level.mean = sum / (double)(now - m->start);
    e.u.level.low = s->low;
    e.u.level.high = s->high;
    e.u.level.end = s->level;
    s->whole_sum += level_closed(s) * (double)(m->start - s->whole_until);
    s->whole_sum += sum;
    s->whole_until = now;
    if (s->low < s->whole_low)
        s->whole_low = s->low;
    if (s->high > s->whole_high)
        s->whole_high = s->high;
    return e;
}

static struct entry close_hist(struct lz_metrics *m, struct series *s)
{
    struct entry e = {.window = m->closed};
    e.u.hist.facts = (struct lz_hist_facts){
        .count = s->now.count, .min = s->now.min, .max = s->now.max, .sum = s->now.sum};
    e.u.hist.packed = lz_hist_pack(&s->now, &e.packed_size);
    lz_hist_merge(&s->whole, &s->now);
    lz_hist_clear(&s->now);
    return e;
}

static void merge_into(struct lz_metrics *m, const struct series *s, struct entry *a,
                       const struct entry *b, double share_a)
{
    if (s->kind == COUNTER) {
        a->u.total = b->u.total;
    } else if (s->kind == GAUGE) {
        a->u.level.mean = share_a * a->u.level.mean + (1.0 - share_a) * b->u.level.mean;
        a->u.level.low = a->u.level.low < b->u.level.low ? a->u.level.low : b->u.level.low;
        a->u.level.high = a->u.level.high > b->u.level.high ? a->u.level.high : b->u.level.high;
        a->u.level.end = b->u.level.end;
    } else {
        lz_hist_clear(&m->scratch);
        lz_hist_merge_packed(&m->scratch, &a->u.hist.facts, a->u.hist.packed, a->packed_size);
        lz_hist_merge_packed(&m->scratch, &b->u.hist.facts, b->u.hist.packed, b->packed_size);
        free_packed(m, s, a);
        a->u.hist.facts = (struct lz_hist_facts){.count = m->scratch.count,
                                                 .min = m->scratch.min,
                                                 .max = m->scratch.max,
                                                 .sum = m->scratch.sum};
        a->u.hist.packed = lz_hist_pack(&m->scratch, &a->packed_size);
    }
}

// A gauge's level through a window without an entry of its own.
static struct entry still(uint32_t window, double level)
{
    struct entry e = {.window = window};
    e.u.level.mean = e.u.level.low = e.u.level.high = e.u.level.end = level;
    return e;
}

/*
 * Put a second's entry into the record, whose windows may be wider. A gauge that changes
 * within a wide window had been still for the seconds of it that came before.
 */
static void store(struct lz_metrics *m, struct series *s, const struct entry *second)
{
    struct entry e = *second;
    uint32_t within = second->window % m->factor;
    e.window = second->window / m->factor;
    struct entries *st = &s->stored;
    if (s->kind == HIST) {
        unsigned char *copy = e.packed_size > 0 ? lz_arena_alloc(m->arena, e.packed_size) : NULL;
        if (copy != NULL)
            memcpy(copy, second->u.hist.packed, e.packed_size);
        e.u.hist.packed = copy;
    }
    bool open = st->count > 0 && st->all[st->count - 1].window == e.window;
    if (s->kind == GAUGE && m->factor > 1) {
        // Means are kept as if the rest of the window were still at the end level.
        double level = st->count > 0 ? st->all[st->count - 1].u.level.end : s->level_first;
        if (!open) {
            struct entry calm = still(e.window, level);
            append(m, st, &calm);
        }
        struct entry *last = &st->all[st->count - 1];
        double f = (double)m->factor, left = f - (double)within - 1.0;
        last->u.level.mean += (e.u.level.mean - level) / f + (e.u.level.end - level) * left / f;
        if (e.u.level.low < last->u.level.low)
            last->u.level.low = e.u.level.low;
        if (e.u.level.high > last->u.level.high)
            last->u.level.high = e.u.level.high;
        last->u.level.end = e.u.level.end;
        return;
    }
    if (!open) {
        append(m, st, &e);
        return;
    }
    merge_into(m, s, &st->all[st->count - 1], &e, 0.0);
    free_packed(m, s, &e);
}

static void halve_series(struct lz_metrics *m, struct series *s)
{
    struct entries *st = &s->stored;
    uint32_t out = 0;
    for (uint32_t i = 0; i < st->count; i++) {
        struct entry e = st->all[i];
        bool is_second = (e.window & 1) != 0;
        bool has_pair = !is_second && i + 1 < st->count && st->all[i + 1].window == e.window + 1;
        if (has_pair) {
            merge_into(m, s, &e, &st->all[i + 1], 0.5);
            free_packed(m, s, &st->all[i + 1]);
            i++;
        } else if (s->kind == GAUGE) {
            double level = out > 0 ? st->all[out - 1].u.level.end : s->level_first;
            struct entry other =
                is_second ? still(e.window, level) : still(e.window, e.u.level.end);
            if (is_second) {
                merge_into(m, s, &other, &e, 0.5);
                e = other;
            } else {
                merge_into(m, s, &e, &other, 0.5);
            }
        }
        e.window /= 2;
        st->all[out++] = e;
    }
    st->count = out;
}

void lz_metrics_roll(struct lz_metrics *m, lz_time now)
{
    LZ_ASSERT(now % LZ_METRIC_WINDOW == 0);
    if (now == m->start)
        return; // the run begins on a whole second: nothing to close
    LZ_ASSERT(now - m->start == LZ_METRIC_WINDOW);
    if (m->closed / m->factor >= LZ_METRIC_WINDOWS_MAX) {
        for (lz_series i = 1; i <= m->series_count; i++)
            halve_series(m, &m->series[i]);
        m->factor *= 2;
    }
    for (uint32_t i = 0; i < m->touched_count; i++) {
        struct series *s = &m->series[m->touched[i]];
        struct entry e = {.window = m->closed};
        if (s->kind == COUNTER)
            e.u.total = s->total;
        else if (s->kind == GAUGE)
            e = close_gauge(m, s, now);
        else
            e = close_hist(m, s);
        store(m, s, &e);
        trim_recent(m, s);
        append(m, &s->recent, &e);
        s->is_touched = false;
    }
    m->touched_count = 0;
    m->closed++;
    m->stored = (m->closed - 1) / m->factor + 1;
    m->start = now;
}

void lz_metrics_begin(struct lz_metrics *m, lz_time now)
{
    LZ_ASSERT(now == m->start);
    m->begun = now;
    for (lz_series i = 1; i <= m->series_count; i++) {
        struct series *s = &m->series[i];
        s->at_begin = s->total;
        s->whole_sum = 0.0;
        s->whole_until = now;
        s->whole_low = s->whole_high = s->level;
        if (s->kind == HIST)
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
    if (h->count == 0)
        return (struct lz_sample){0};
    double v = 0.0;
    if (def->view == LZ_VIEW_QUANTILE)
        v = lz_hist_quantile(h, def->q);
    else if (def->view == LZ_VIEW_MAX)
        v = (double)h->max;
    else
        v = h->sum / (double)h->count;
    return sample(def->unit == LZ_UNIT_SECONDS ? v / 1e9 : v, h->count);
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

// What a counter stood at when window `window` began.
static uint64_t total_before(const struct entries *e, uint32_t window, uint64_t first)
{
    uint32_t low = 0, high = e->count;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (e->all[mid].window < window)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 ? e->all[low - 1].u.total : first;
}

static uint64_t moved(const struct series *s, uint32_t from, uint32_t to)
{
    return total_before(&s->recent, to, s->before) - total_before(&s->recent, from, s->before);
}

static struct lz_sample level_sample(const struct entries *e, uint32_t from, uint32_t to,
                                     double first)
{
    double level = first, sum = 0.0;
    struct lz_sample out = {.present = true};
    uint32_t i = 0;
    while (i < e->count && e->all[i].window < from)
        level = e->all[i++].u.level.end;
    bool any = false;
    for (uint32_t w = from; w < to; w++) {
        double mean = level, low = level, high = level;
        if (i < e->count && e->all[i].window == w) {
            mean = e->all[i].u.level.mean;
            low = e->all[i].u.level.low;
            high = e->all[i].u.level.high;
            level = e->all[i++].u.level.end;
        }
        out.low = !any || low < out.low ? low : out.low;
        out.high = !any || high > out.high ? high : out.high;
        any = true;
        sum += mean;
    }
    out.value = to - from == 1 ? sum : sum / (double)(to - from);
    out.count = to - from;
    return out;
}

static void merge_windows(struct lz_hist *h, const struct entries *e, uint32_t from, uint32_t to)
{
    lz_hist_clear(h);
    uint32_t i = e->count;
    while (i > 0 && e->all[i - 1].window >= from)
        i--;
    for (; i < e->count && e->all[i].window < to; i++)
        lz_hist_merge_packed(h, &e->all[i].u.hist.facts, e->all[i].u.hist.packed,
                             e->all[i].packed_size);
}

struct lz_sample lz_metrics_window(const struct lz_metrics *m, lz_metric id, uint32_t over)
{
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    const struct series *a = &m->series[def->a];
    LZ_ASSERT(over >= 1 && over <= a->keep);
    uint32_t to = m->closed, from = over < to ? to - over : 0;
    if (to == 0)
        return (struct lz_sample){0};
    switch (def->view) {
    case LZ_VIEW_TOTAL:
        return total_sample(def, total_before(&a->recent, to, a->before));
    case LZ_VIEW_RATE:
        return counter_sample(def, moved(a, from, to), 0, (double)(to - from));
    case LZ_VIEW_RATIO:
        return counter_sample(def, moved(a, from, to), moved(&m->series[def->b], from, to), 0.0);
    case LZ_VIEW_LEVEL:
        return level_sample(&a->recent, from, to, a->level_before);
    default: {
        struct lz_hist *h = &((struct lz_metrics *)m)->scratch; // a place to add up, no more
        merge_windows(h, &a->recent, from, to);
        return hist_sample(def, h);
    }
    }
}

static struct lz_sample whole_level(const struct lz_metrics *m, const struct series *s)
{
    lz_time until = m->start;
    double sum = s->whole_sum + level_closed(s) * (double)(until - s->whole_until);
    struct lz_sample out = sample(s->level, 1);
    if (until > m->begun)
        out.value = sum / (double)(until - m->begun);
    out.low = s->whole_low;
    out.high = s->whole_high;
    return out;
}

struct lz_sample lz_metrics_whole(const struct lz_metrics *m, lz_metric id)
{
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    const struct series *a = &m->series[def->a];
    double seconds = (double)(m->start - m->begun) / 1e9;
    switch (def->view) {
    case LZ_VIEW_TOTAL:
        return total_sample(def, a->total);
    case LZ_VIEW_RATE:
        return counter_sample(def, a->total - a->at_begin, 0, seconds);
    case LZ_VIEW_RATIO: {
        const struct series *b = &m->series[def->b];
        return counter_sample(def, a->total - a->at_begin, b->total - b->at_begin, 0.0);
    }
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

struct lz_sample lz_metrics_stored(const struct lz_metrics *m, lz_metric id, size_t i)
{
    LZ_ASSERT(i < m->stored);
    const struct lz_metric_def *def = lz_metrics_def(m, id);
    const struct series *a = &m->series[def->a];
    uint32_t w = (uint32_t)i;
    double seconds = (double)m->factor;
    if (w == m->stored - 1) // the last one may not be full yet
        seconds = (double)(m->closed - w * m->factor);
    uint64_t total = 0, before = 0;
    if (a->kind == COUNTER) {
        total = total_before(&a->stored, w + 1, 0);
        before = total_before(&a->stored, w, 0);
    }
    switch (def->view) {
    case LZ_VIEW_TOTAL:
        return total_sample(def, total);
    case LZ_VIEW_RATE:
        return counter_sample(def, total - before, 0, seconds);
    case LZ_VIEW_RATIO: {
        const struct entries *b = &m->series[def->b].stored;
        return counter_sample(def, total - before,
                              total_before(b, w + 1, 0) - total_before(b, w, 0), 0.0);
    }
    case LZ_VIEW_LEVEL:
        return level_sample(&a->stored, w, w + 1, a->level_first);
    default: {
        struct lz_hist *h = &((struct lz_metrics *)m)->scratch;
        merge_windows(h, &a->stored, w, w + 1);
        return hist_sample(def, h);
    }
    }
}
