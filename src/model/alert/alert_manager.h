/*
 * alert_manager.h — from alerts to notifications, as Alertmanager does it (dispatch.go,
 * notify.go, types.Merge): routes, groups, and what is not said again.
 *
 * An alert goes down the routes, in their order, to the first that matches it, and on to the next
 * if that one says `goes_on`; the last route matches everything. In a route it belongs to the
 * *group* of those with the same values under `group_by`:
 *
 *   group_wait      from the group's first alert to its first flush; what fired longer ago than
 *                   that when it comes is flushed at once
 *   group_interval  from a flush to the next
 *   repeat_interval after it, at the next flush, what was said is said again
 *
 * At a flush, what is neither silenced nor inhibited is notified about if there is something new:
 * an alert that the last notification did not have as firing, or as resolved (unless resolved ones
 * are not told), or the time to repeat it. Resolved ones leave the group then. A group without any
 * is forgotten when somebody tidies up (every 30 s); until then it keeps its flushes, so that what
 * comes next waits for the group's interval and not for its wait.
 *
 * An alert that is sent without an end is resolved `resolve_timeout` after it was last sent.
 * Sendings of one alert whose times overlap are one alert, from the first beginning on.
 *
 * It knows no clock: whoever owns it is asked to wake a group (`wake`) and calls
 * lz_alert_manager_flush with the turn it was given; a turn that is no longer the group's is
 * ignored, so that nothing needs to be cancelled. Routes and the rest are declared before the first
 * is sent; alerts come and go (lz_alert_manager_forget). All is in the arena; texts are not copied.
 */
#ifndef LZ_MODEL_ALERT_ALERT_MANAGER_H
#define LZ_MODEL_ALERT_ALERT_MANAGER_H

#include "base/arena.h"
#include "base/err.h"
#include "model/alert/alert_mute.h"

#define LZ_ALERTS_MAX 4000
#define LZ_ALERT_TIDY (30 * LZ_S)

struct lz_alert_route {
    const char *receiver; /* who is told; for people */
    struct lz_alert_matchers match;
    bool goes_on;     /* Alertmanager's `continue` */
    bool is_each;     /* a group for each alert: group_by ["..."] */
    bool no_resolved; /* send_resolved: false */
    struct lz_alert_names group_by;
    lz_time group_wait, group_interval, repeat_interval;
};

/* One alert of a notification. */
struct lz_alert_told {
    uint32_t alert;
    lz_time starts_at;
    lz_time ends_at; /* LZ_FOREVER: it fires */
};

struct lz_alert_notice {
    const struct lz_alert_route *route;
    const struct lz_alert_told *all;
    uint32_t count;
};

struct lz_alert_manager_opts {
    struct lz_arena *arena;
    lz_time resolve_timeout;
    const struct lz_alert_route *routes; /* at least one; the last matches everything */
    uint32_t route_count;
    const struct lz_alert_inhibition *inhibitions;
    uint32_t inhibition_count;
    const struct lz_alert_silence *silences;
    uint32_t silence_count;
    void *ctx;
    void (*wake)(void *ctx, uint32_t group, uint32_t turn, lz_time at);
    void (*notify)(void *ctx, const struct lz_alert_notice *notice);
    void (*muted)(void *ctx, uint32_t alert); /* at a flush it was left out; may be NULL */
};

struct lz_alert_manager;

struct lz_alert_manager *lz_alert_manager_create(const struct lz_alert_manager_opts *opts);

/* An alert there can be, by its labels, which are its own: from 1 on. */
bool lz_alert_manager_add(struct lz_alert_manager *m, const struct lz_alert_labels *labels,
                          uint32_t *alert, struct lz_err *err) LZ_MUST_CHECK;

/*
 * It can be no more: its labels are not looked at again, and its number may be another's. False,
 * and nothing changes, where it fires, or where a group has it or last said that it fires.
 */
bool lz_alert_manager_forget(struct lz_alert_manager *m, uint32_t alert, lz_time now);

/* It is sent; `ends_at` LZ_FOREVER: without an end. */
void lz_alert_manager_send(struct lz_alert_manager *m, uint32_t alert, lz_time starts_at,
                           lz_time ends_at, lz_time now);

void lz_alert_manager_flush(struct lz_alert_manager *m, uint32_t group, uint32_t turn, lz_time now);

/* Every LZ_ALERT_TIDY. */
void lz_alert_manager_tidy(struct lz_alert_manager *m);

#endif
