#include "alert_stage.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

static void on_wake(void *ctx, uint32_t group, uint32_t turn, lz_time at)
{
    struct alert_stage *s = ctx;
    LZ_ASSERT(s->wake_count < sizeof(s->wakes) / sizeof(s->wakes[0]));
    s->wakes[s->wake_count++] = (struct alert_wake){.at = at, .group = group, .turn = turn};
}

static double seconds(lz_time t)
{
    return (double)t / 1e9;
}

static void on_notify(void *ctx, const struct lz_alert_notice *n)
{
    struct alert_stage *s = ctx;
    size_t len = strlen(s->told), size = sizeof(s->told);
    len +=
        (size_t)snprintf(s->told + len, size - len, "%s%g", len > 0 ? "; " : "", seconds(s->now));
    for (uint32_t i = 0; i < n->count; i++) {
        const struct lz_alert_told *t = &n->all[i];
        const bool fires = t->ends_at == LZ_FOREVER;
        len += (size_t)snprintf(s->told + len, size - len, " %s", s->names[t->alert]);
        if (!s->shows_times)
            len += (size_t)snprintf(s->told + len, size - len, "%c", fires ? '+' : '-');
        else if (fires)
            len += (size_t)snprintf(s->told + len, size - len, "(%g-)", seconds(t->starts_at));
        else
            len += (size_t)snprintf(s->told + len, size - len, "(%g-%g)", seconds(t->starts_at),
                                    seconds(t->ends_at));
        LZ_ASSERT(len < size);
    }
}

static void on_muted(void *ctx, uint32_t alert)
{
    struct alert_stage *s = ctx;
    LZ_ASSERT(alert >= 1 && alert <= s->count);
    s->muted++;
}

void alert_stage_init(struct alert_stage *s, const struct lz_alert_manager_opts *opts)
{
    struct lz_err err;
    memset(s, 0, sizeof(*s));
    bool ok = lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err);
    LZ_ASSERT(ok);
    struct lz_alert_manager_opts o = *opts;
    o.arena = s->arena;
    o.ctx = s;
    o.wake = on_wake;
    o.notify = on_notify;
    o.muted = on_muted;
    s->manager = lz_alert_manager_create(&o);
}

void alert_stage_finish(struct alert_stage *s)
{
    lz_arena_destroy(s->arena);
}

uint32_t alert_stage_add(struct alert_stage *s, const char *name, const struct lz_alert_labels *l)
{
    struct lz_err err;
    uint32_t id = 0;
    bool ok = lz_alert_manager_add(s->manager, l, &id, &err);
    LZ_ASSERT(ok && id == s->count + 1);
    s->names[++s->count] = name;
    return id;
}

// The first that is due, of those of one instant the one that was asked for first.
static uint32_t first_of(const struct alert_stage *s)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < s->wake_count; i++)
        if (s->wakes[i].at < s->wakes[first].at)
            first = i;
    return first;
}

static void tidy_until(struct alert_stage *s, lz_time until)
{
    if (s->tidy > 0 && s->now / s->tidy < until / s->tidy)
        lz_alert_manager_tidy(s->manager);
    s->now = until;
}

void alert_stage_run(struct alert_stage *s, lz_time until)
{
    while (s->wake_count > 0) {
        uint32_t i = first_of(s);
        struct alert_wake w = s->wakes[i];
        if (w.at > until)
            break;
        memmove(&s->wakes[i], &s->wakes[i + 1], (s->wake_count - i - 1) * sizeof(s->wakes[0]));
        s->wake_count--;
        tidy_until(s, w.at);
        lz_alert_manager_flush(s->manager, w.group, w.turn, w.at);
    }
    tidy_until(s, until);
}
