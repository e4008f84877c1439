#include "model/alert/alert_doubt.h"

#include "base/check.h"
#include "model/alert/alert_export.h"
#include "model/alert/alert_state.h"
#include "model/alert/alert_write.h"

static struct lz_promql_names made_by_rules(const struct lz_world *w, struct lz_promql_scratch *s)
{
    uint32_t records = w->alerts != NULL ? w->alerts->record_count : 0, count = 0;
    const char **all = lz_promql_scratch_alloc(s, (records + 2) * sizeof(*all));
    for (uint32_t i = 0; i < records; i++)
        all[count++] = w->alerts->records[i].opts.record;
    all[count++] = LZ_ALERT_WRITE_ALERTS;
    all[count++] = LZ_ALERT_WRITE_STATE;
    return (struct lz_promql_names){all, count};
}

uint32_t lz_alert_doubts(const struct lz_world *w, const struct lz_promql_query *q,
                         struct lz_promql_scratch *s, const struct lz_promql_doubt **out)
{
    LZ_ASSERT(!w->running);
    struct lz_alert_export *exports = NULL;
    struct lz_promql_known known = {.open = made_by_rules(w, s)};
    known.count = lz_alert_export_all(w, s, true, &exports);
    struct lz_promql_labels *series =
        lz_promql_scratch_alloc(s, (known.count + 1) * sizeof(*series));
    for (uint32_t i = 0; i < known.count; i++)
        series[i] = exports[i].labels;
    known.series = series;
    return lz_promql_doubts(q, &known, s, out);
}
