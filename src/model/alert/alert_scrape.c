#include "model/alert/alert_scrape.h"

#include "base/check.h"

#define SCRAPES_OVER 4 // Grafana's $__rate_interval: a scrape may be lost, and two are left

static bool is_hist(const struct lz_metric_def *def)
{
    return def->view == LZ_VIEW_MEAN || def->view == LZ_VIEW_MAX || def->view == LZ_VIEW_QUANTILE;
}

bool lz_alert_scrape_needs_over(const struct lz_world *w, lz_metric metric)
{
    const struct lz_metric_def *def = lz_metrics_def(w->metrics, metric);
    return def->view != LZ_VIEW_LEVEL && def->view != LZ_VIEW_TOTAL;
}

bool lz_alert_scrape_is_level(const struct lz_metric_def *def)
{
    return def->view == LZ_VIEW_LEVEL && !lz_metric_is_use(def);
}

static lz_time most_of(const struct lz_metric_def *def)
{
    return is_hist(def) ? LZ_ALERT_OVER_MAX_HIST : LZ_ALERT_OVER_MAX;
}

lz_time lz_alert_scrape_preset(const struct lz_world *w, lz_metric metric, lz_time interval)
{
    LZ_ASSERT(interval > 0);
    lz_time most = most_of(lz_metrics_def(w->metrics, metric));
    return interval < most / SCRAPES_OVER ? SCRAPES_OVER * interval : most;
}

static bool check(const struct lz_metric_def *def, lz_time over, lz_time interval,
                  struct lz_err *err)
{
    lz_time most = most_of(def), least = is_hist(def) && 2 * interval > most ? most : 2 * interval;
    if (over < least)
        return lz_fail(err, LZ_ERANGE,
                       "`over` of %s must be at least 2 scrapes (%gs), or it may hold no two "
                       "samples, got %gs",
                       def->name, (double)least / 1e9, (double)over / 1e9);
    if (over > most)
        return lz_fail(err, LZ_ERANGE, "`over` of %s must be at most %gh, got %gh", def->name,
                       (double)most / 3.6e12, (double)over / 3.6e12);
    if (!is_hist(def) && over / interval > LZ_ALERT_SAMPLES_MAX)
        return lz_fail(err, LZ_EFULL, "`over` of %s may hold %d samples, and %gs hold %lld",
                       def->name, LZ_ALERT_SAMPLES_MAX, (double)over / 1e9,
                       (long long)(over / interval));
    return true;
}

static uint32_t windows_of(lz_time t)
{
    return (uint32_t)((t + LZ_S - 1) / LZ_S);
}

uint32_t lz_alert_scrape_windows(const struct lz_metric_def *def, lz_time interval)
{
    LZ_ASSERT(interval > 0);
    if (!lz_metric_is_use(def))
        return 1;
    return windows_of(interval < LZ_ALERT_OVER_MAX_HIST ? interval : LZ_ALERT_OVER_MAX_HIST);
}

bool lz_alert_scrape_init(struct lz_world *w, struct lz_alert_scrape *s, lz_metric metric,
                          lz_time over, lz_time interval, struct lz_err *err)
{
    LZ_ASSERT(!w->running && interval > 0 && over >= 0);
    const struct lz_metric_def *def = lz_metrics_def(w->metrics, metric);
    LZ_ASSERT(LZ_IMPLIES(lz_alert_scrape_needs_over(w, metric), over > 0));
    if (over > 0 && !check(def, over, interval, err))
        return false;
    *s = (struct lz_alert_scrape){.metric = metric, .over = over};
    s->windows = is_hist(def) ? windows_of(over) : lz_alert_scrape_windows(def, interval);
    s->cap = is_hist(def) || over == 0 ? 1 : (uint32_t)(over / interval) + 2;
    s->ring = lz_arena_alloc(w->arena, s->cap * sizeof(*s->ring));
    lz_metrics_keep(w->metrics, metric, s->windows);
    return true;
}

static struct lz_alert_sample *sample_at(const struct lz_alert_scrape *s, uint32_t i)
{
    LZ_ASSERT(i < s->count);
    return &s->ring[(s->first + i) % s->cap];
}

static double unit_of(const struct lz_metric_def *def)
{
    return def->unit == LZ_UNIT_SECONDS ? 1e9 : 1.0;
}

// False: nobody has seen anything of it yet.
static bool measure(const struct lz_world *w, const struct lz_alert_scrape *s,
                    struct lz_alert_sample *out)
{
    const struct lz_metric_def *def = lz_metrics_def(w->metrics, s->metric);
    if (lz_metrics_is_hidden(w->metrics, s->metric))
        return false;
    if (lz_alert_scrape_is_level(def)) {
        out->a = lz_metrics_level(w->metrics, def->a);
    } else if (is_hist(def) || lz_metric_is_use(def)) {
        struct lz_sample v = lz_metrics_window(w->metrics, s->metric, s->windows);
        out->a = v.value;
        return v.present;
    } else {
        out->a = (double)lz_metrics_total(w->metrics, def->a);
        out->b = def->b != 0 ? (double)lz_metrics_total(w->metrics, def->b) : 0.0;
    }
    return true;
}

void lz_alert_scrape_take(const struct lz_world *w, struct lz_alert_scrape *s)
{
    struct lz_alert_sample new = {.at = lz_sim_now(w->sim)};
    if (!measure(w, s, &new)) {
        s->count = is_hist(lz_metrics_def(w->metrics, s->metric)) ? 0 : s->count;
        return;
    }
    LZ_ASSERT(s->count == 0 || sample_at(s, s->count - 1)->at <= new.at);
    if (s->count == s->cap) {
        s->first = (s->first + 1) % s->cap;
        s->count--;
    }
    s->count++;
    *sample_at(s, s->count - 1) = new;
}

void lz_alert_scrape_miss(struct lz_alert_scrape *s)
{
    if (s->over == 0)
        s->count = 0;
}

static void forget(struct lz_alert_scrape *s, lz_time until)
{
    while (s->count > 0 && sample_at(s, 0)->at <= until) {
        s->first = (s->first + 1) % s->cap;
        s->count--;
    }
}

// How far beyond its samples the range is taken to go on as they do: to its ends, unless they are
// further off than the next sample would be; and not to before the counter was 0.
static double extrapolated(const struct lz_alert_scrape *s, lz_time now, double first, double grown)
{
    const struct lz_alert_sample *from = sample_at(s, 0), *to = sample_at(s, s->count - 1);
    double sampled = (double)(to->at - from->at);
    double apart = sampled / (double)(s->count - 1);
    double before = (double)(from->at - (now - s->over)), after = (double)(now - to->at);
    if (before >= apart * 1.1)
        before = apart / 2;
    if (grown > 0.0 && sampled * (first / grown) < before)
        before = sampled * (first / grown);
    if (after >= apart * 1.1)
        after = apart / 2;
    return grown * (sampled + before + after) / sampled;
}

static struct lz_sample grown(const struct lz_alert_scrape *s, const struct lz_metric_def *def,
                              lz_time now)
{
    if (s->count < 2)
        return (struct lz_sample){0};
    const struct lz_alert_sample *from = sample_at(s, 0), *to = sample_at(s, s->count - 1);
    double a = extrapolated(s, now, from->a, to->a - from->a), value = a / unit_of(def);
    if (def->view == LZ_VIEW_RATE) {
        value = value / ((double)s->over / 1e9);
    } else if (def->view == LZ_VIEW_RATIO) {
        double b = extrapolated(s, now, from->b, to->b - from->b);
        if (!(b > 0.0))
            return (struct lz_sample){0};
        value = a / b;
    }
    return (struct lz_sample){.present = true, .value = value, .low = value, .high = value};
}

static struct lz_sample averaged(const struct lz_alert_scrape *s)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < s->count; i++)
        sum += sample_at(s, i)->a;
    double value = sum / (double)s->count;
    return (struct lz_sample){.present = true, .value = value, .low = value, .high = value};
}

struct lz_sample lz_alert_scrape_read(const struct lz_world *w, struct lz_alert_scrape *s)
{
    const struct lz_metric_def *def = lz_metrics_def(w->metrics, s->metric);
    lz_time now = lz_sim_now(w->sim);
    forget(s, now - (s->over > 0 ? s->over : LZ_ALERT_LOOKBACK));
    if (s->count == 0)
        return (struct lz_sample){0};
    if (s->over > 0 && def->view == LZ_VIEW_LEVEL)
        return averaged(s);
    if (s->over > 0 && !is_hist(def))
        return grown(s, def, now);
    double value = sample_at(s, s->count - 1)->a;
    if (def->view == LZ_VIEW_TOTAL)
        value /= unit_of(def);
    return (struct lz_sample){.present = true, .value = value, .low = value, .high = value};
}
