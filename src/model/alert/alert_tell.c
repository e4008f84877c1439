#include "model/alert/alert_state.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"
#include "model/journal.h"
#include "model/service/platform.h"

void lz_alert_tell(struct lz_world *w, const struct lz_alert *a, const char *what)
{
    struct lz_err err;
    if (!lz_journal_mark(w, what, a->opts.line, &err))
        lz_journal_add(w, &(struct lz_journal_entry){.kind = "alert", .component = a->id}, "%s: %s",
                       what, err.msg);
}

static struct lz_alert *owner_of(const struct lz_alerts *as, uint32_t number)
{
    LZ_ASSERT(number > 0 && number < as->owner_cap && as->owners[number] <= as->count);
    return &as->all[as->owners[number]];
}

// Who was told, where it is somebody, and why it matters.
static void tell_whom(struct lz_world *w, const struct lz_alert *a, const char *receiver)
{
    const char *why = a->opts.because;
    if (receiver != NULL && (strcmp(receiver, LZ_ALERT_RECEIVER) != 0 || why != NULL))
        lz_journal_add(w, &(struct lz_journal_entry){.kind = "alert", .component = a->id},
                       "%s: to %s%s%s", a->opts.name, receiver, why != NULL ? ", because " : "",
                       why != NULL ? why : "");
}

static void deliver(struct lz_alerts *as, const struct lz_alert_late *what)
{
    struct lz_alert *a = &as->all[what->owner];
    struct lz_metrics *m = as->world->metrics;
    lz_metrics_add(m, what->is_resolved ? a->series.resolutions : a->series.notifications, 1);
    if (what->is_resolved)
        return;
    lz_alert_tell(as->world, a, a->notified);
    tell_whom(as->world, a, what->receiver);
}

static void on_deliver(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct lz_alerts *as = ctx;
    struct lz_alert_late *l = &as->late[entity];
    LZ_ASSERT(l->is_used);
    l->is_used = false;
    deliver(as, l);
}

static void deliver_late(struct lz_alerts *as, const struct lz_alert_late *what, lz_time by)
{
    uint32_t at = 0;
    while (at < as->late_count && as->late[at].is_used)
        at++;
    if (at == as->late_count)
        as->late_count++;
    as->late =
        lz_grow(as->world->arena, as->late, &as->late_cap, as->late_count, sizeof(*as->late));
    as->late[at] = *what;
    as->late[at].is_used = true;
    struct lz_sim *sim = as->world->sim;
    lz_sim_at(sim, lz_sim_now(sim) + by, as->deliver, at, what->alert);
}

static void add_about(struct lz_alerts *as, lz_component_id of)
{
    for (uint32_t i = 0; i < as->about_count; i++)
        if (as->about[i] == of)
            return;
    as->about = lz_grow(as->world->arena, as->about, &as->about_cap, as->about_count + 1,
                        sizeof(*as->about));
    as->about[as->about_count++] = of;
}

// A fault may be about what a rule looks at, or about the alert itself. Notices are numbered by the
// alert that they begin with: those of two alerts about one component are late by draws of their
// own.
static lz_time delay_of(struct lz_alerts *as, const struct lz_alert_notice *notice)
{
    struct lz_alert *first = owner_of(as, notice->all[0].alert);
    as->about_count = 0;
    for (uint32_t i = 0; i < notice->count; i++) {
        const struct lz_alert *a = owner_of(as, notice->all[i].alert);
        lz_component_id of = 0;
        add_about(as, a->id);
        for (uint32_t k = 0; k < a->opts.condition_count; k++)
            add_about(as, a->opts.conditions[k].of);
        const struct lz_alert_expr *e = a->query != NULL ? lz_alert_query_expr(a->query) : NULL;
        for (uint32_t k = 0; e != NULL && (of = lz_alert_expr_about(e, k)) != 0; k++)
            add_about(as, of);
    }
    uint64_t path = lz_world_component(as->world, first->id)->path;
    return lz_platform_alert_delay(
        as->world, &(struct lz_platform_about){.all = as->about, .count = as->about_count},
        lz_draw_join(path, ++first->told));
}

void lz_alert_tell_notice(void *alerts, const struct lz_alert_notice *notice)
{
    struct lz_alerts *as = alerts;
    lz_time late = delay_of(as, notice);
    for (uint32_t i = 0; i < notice->count; i++) {
        const struct lz_alert_told *t = &notice->all[i];
        struct lz_alert_late what = {.alert = t->alert,
                                     .owner = as->owners[t->alert],
                                     .is_resolved = t->ends_at != LZ_FOREVER,
                                     .receiver = notice->route->receiver};
        if (late > 0)
            deliver_late(as, &what, late);
        else
            deliver(as, &what);
    }
}

void lz_alert_tell_muted(void *alerts, uint32_t number)
{
    struct lz_alerts *as = alerts;
    lz_metrics_add(as->world->metrics, owner_of(as, number)->series.muted, 1);
}

void lz_alert_tell_init(struct lz_alerts *as)
{
    as->deliver = lz_sim_kind(as->world->sim, "alert.deliver", on_deliver, as);
}
