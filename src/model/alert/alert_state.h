/*
 * alert_state.h — what alerting keeps (alert.h), for the files that do it.
 *
 *   alert.c         what is declared, and what that looks at
 *   alert_run.c     what is scraped and evaluated when
 *   alert_record.c  rules that record what they find
 *   alert_tell.c    what comes of alerts: marks, notifications, and those that come late
 */
#ifndef LZ_MODEL_ALERT_ALERT_STATE_H
#define LZ_MODEL_ALERT_ALERT_STATE_H

#include "model/alert/alert.h"
#include "model/alert/alert_record.h"

struct lz_alert_series {
    lz_series pending, firing, notifications, resolutions, muted;
};

struct lz_alert {
    struct lz_alert_opts opts;
    lz_component_id id;
    struct lz_alert_series series;
    struct lz_alert_scrape *scrapes; /* one for each condition */
    struct lz_alert_rule rule;
    uint32_t number;               /* the manager's */
    struct lz_alert_query *query;  /* in place of these: its elements have numbers of their own */
    struct lz_alert_writer writer; /* of what has none */
    uint32_t group;
    bool was_firing;
    const char *fired, *notified, *resolved; /* marks */
    uint64_t told;                           /* notices that began with it, for draws */
    const char *why_failed;                  /* the first evaluation that could not be made */
    lz_time failed_at;
};

struct lz_alert_record_series {
    lz_series value, elements;
};

struct lz_alert_record {
    struct lz_alert_record_opts opts;
    lz_component_id id;
    lz_metric value;
    struct lz_alert_record_series series;
    struct lz_alert_expr *expr;
    struct lz_alert_writer writer;
    uint32_t group;
    const char
        *why_failed; /* the first evaluation that could not be made, of it or what it reads */
    lz_time failed_at;
};

/* Rules that are evaluated at one instant, in a row. */
struct lz_alert_group {
    lz_time interval;
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
    struct lz_alert_record *records;
    uint32_t record_count, record_cap;
    struct lz_alert_group *groups; /* the first: of evaluation_interval */
    uint32_t group_count, group_cap;
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

/* ---- alert.c */

/* The group of those that are evaluated so often, 0: as usual; made if it is not there. */
bool lz_alerts_join(struct lz_world *w, lz_time every, uint32_t *group,
                    struct lz_err *err) LZ_MUST_CHECK;

/* Made by the first rule in PromQL. */
struct lz_alert_store *lz_alerts_store(struct lz_alerts *as);

/* What rests on a rule that could not be evaluated is not to be relied on. */
void lz_alerts_doubt(struct lz_alerts *as, const struct lz_alert_record *r);

/* ---- alert_run.c */

/* Registers its kinds of event; and the first of each, at its phase. */
void lz_alert_run_init(struct lz_alerts *as);
void lz_alert_run_start(struct lz_alerts *as);

/* What a condition asks about is known without a scrape. */
bool lz_alert_run_is_known(const struct lz_world *w, const struct lz_alert_condition *c);

/* It could not be evaluated, which is told; or what it rests on could not. */
void lz_alert_run_fail(struct lz_alerts *as, struct lz_alert *a, const char *why);
void lz_alert_run_doubt(struct lz_alerts *as, struct lz_alert *a, const char *why);

/* For the manager: a group wants to be flushed then. */
void lz_alert_run_wake(void *alerts, uint32_t group, uint32_t turn, lz_time at);

/* ---- alert_record.c */

/* All is declared; all is settled; and at each of its instants. */
void lz_alert_record_settle(struct lz_alerts *as, struct lz_alert_record *r);
void lz_alert_record_start(struct lz_alerts *as, struct lz_alert_record *r);
void lz_alert_record_evaluate(struct lz_alerts *as, struct lz_alert_record *r,
                              const struct lz_alert_expr_when *when);

/* ---- alert_tell.c */

/* Registers its kind of event. */
void lz_alert_tell_init(struct lz_alerts *as);

/* Something has become of an alert: a mark. */
void lz_alert_tell(struct lz_world *w, const struct lz_alert *a, const char *what);

/* For the manager: a group is notified about; an alert was left out. */
void lz_alert_tell_notice(void *alerts, const struct lz_alert_notice *notice);
void lz_alert_tell_muted(void *alerts, uint32_t number);

#endif
