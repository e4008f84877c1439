#include "model/alert/alert_write.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

void lz_alert_write_init(struct lz_alert_writer *wr, struct lz_alert_store *store, lz_time interval,
                         const char *name, const char *other)
{
    LZ_ASSERT(interval > 0);
    *wr = (struct lz_alert_writer){.interval = interval};
    if (lz_alert_store_is_asked(store, name) ||
        (other != NULL && lz_alert_store_is_asked(store, other)))
        wr->store = store;
}

bool lz_alert_write_sample(struct lz_alert_writer *wr, const struct lz_promql_labels *labels,
                           double value, struct lz_err *err)
{
    struct lz_alert_kept *k = NULL;
    if (wr->store == NULL)
        return true;
    if (!lz_alert_store_find(wr->store, labels, wr->interval, &k, err))
        return false;
    if (k == NULL || !lz_alert_store_write(wr->store, k, value))
        return true;
    wr->all = lz_grow(lz_alert_store_arena(wr->store), wr->all, &wr->cap, wr->count + 1,
                      sizeof(struct lz_alert_kept *));
    wr->all[wr->count++] = k;
    return true;
}

void lz_alert_write_done(struct lz_alert_writer *wr)
{
    for (uint32_t i = 0; i < wr->old_count; i++)
        lz_alert_store_end(wr->store, wr->old[i]);
    struct lz_alert_kept **old = wr->old;
    uint32_t cap = wr->old_cap;
    wr->old = wr->all;
    wr->old_count = wr->count;
    wr->old_cap = wr->cap;
    wr->all = old;
    wr->cap = cap;
    wr->count = 0;
}

// ---------------------------------------------------------------- alerts

// With the name, whatever the alert's own labels are.
static struct lz_promql_labels named(struct lz_alert_writer *wr, const struct lz_alert_labels *l,
                                     const char *name, const char *state)
{
    struct lz_promql_scratch *s = lz_alert_store_scratch(wr->store);
    struct lz_promql_labels out = {0};
    for (uint32_t i = 0; i < l->count; i++)
        out = lz_promql_labels_set(s, &out, l->all[i].name, l->all[i].value);
    out = lz_promql_labels_set(s, &out, LZ_PROMQL_NAME, name);
    return state == NULL ? out : lz_promql_labels_set(s, &out, "alertstate", state);
}

bool lz_alert_write_alert(struct lz_alert_writer *wr, const struct lz_alert_labels *labels,
                          const struct lz_alert_rule *rule, struct lz_err *err)
{
    if (wr->store == NULL || rule->state == LZ_ALERT_INACTIVE)
        return true;
    LZ_ASSERT(rule->active_at >= 0);
    const char *state = rule->state == LZ_ALERT_FIRING ? "firing" : "pending";
    struct lz_promql_labels is = named(wr, labels, LZ_ALERT_WRITE_ALERTS, state);
    struct lz_promql_labels since = named(wr, labels, LZ_ALERT_WRITE_STATE, NULL);
    return lz_alert_write_sample(wr, &is, 1.0, err) &&
           lz_alert_write_sample(wr, &since, (double)(rule->active_at / LZ_S), err);
}
