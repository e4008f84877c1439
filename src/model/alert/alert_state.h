/*
 * alert_state.h — what alerting keeps (alert.h), for the files that do it.
 *
 *   alert.c       what is declared, and what is evaluated when
 *   alert_tell.c  what comes of it: marks, notifications, and those that come late
 */
#ifndef LZ_MODEL_ALERT_ALERT_STATE_H
#define LZ_MODEL_ALERT_ALERT_STATE_H

#include "model/alert/alert.h"

struct lz_alert_series {
    lz_series pending, firing, notifications, resolutions, muted;
};

struct lz_alert {
    struct lz_alert_opts opts;
    lz_component_id id;
    struct lz_alert_series series;
    struct lz_alert_scrape *scrapes; /* one for each condition */
    struct lz_alert_rule rule;
    uint32_t number;              /* the manager's */
    struct lz_alert_query *query; /* in place of these: its elements have numbers of their own */
    bool was_firing;
    const char *fired, *notified, *resolved; /* marks */
    uint64_t told;                           /* notices that began with it, for draws */
    const char *why_failed;                  /* the first evaluation that could not be made */
    lz_time failed_at;
};

struct lz_alert_target {
    lz_component_id component;
    uint64_t scrapes;
};

/* A notification on its way to who is late to hear of it. */
struct lz_alert_late {
    bool is_used;
    uint32_t alert, owner; /* whose it was then: the number may have become another's */
    bool is_resolved;
    const char *receiver;
};

struct lz_alerts {
    struct lz_world *world;
    struct lz_alerts_opts opts;
    struct lz_alert_manager *manager;
    struct lz_alert *all; /* 1 .. count */
    uint32_t count, cap;
    uint32_t *owners; /* whose each of the manager's numbers is */
    uint32_t owner_cap;
    struct lz_alert_store *store; /* once a rule is written in PromQL */
    struct lz_alert_target *targets;
    uint32_t target_count, target_cap;
    struct lz_alert_late *late;
    uint32_t late_count, late_cap;
    lz_component_id *about; /* of a notice */
    uint32_t about_count, about_cap;
    lz_kind scrape, evaluate, flush, tidy, deliver;
};

/* Who is told where nobody says. */
#define LZ_ALERT_RECEIVER "default"

/* ---- alert_tell.c */

/* Registers its kind of event. */
void lz_alert_tell_init(struct lz_alerts *as);

/* Something has become of an alert: a mark. */
void lz_alert_tell(struct lz_world *w, const struct lz_alert *a, const char *what);

/* For the manager: a group is notified about; an alert was left out. */
void lz_alert_tell_notice(void *alerts, const struct lz_alert_notice *notice);
void lz_alert_tell_muted(void *alerts, uint32_t number);

#endif
