/*
 * alert.h — alerting: targets are scraped, rules evaluated, people notified.
 *
 *   scrape     every `scrape_interval`, of each component that a rule looks at, at a phase of its
 *              own (alert_scrape.h)
 *   evaluate   every `evaluation_interval`, all rules at one instant, those that record before
 *              alerts (alert_record.h), each in the order of their declaration: a rule is true
 *              while all its conditions are (alert_rule.h). Rules with an `every` of their own are
 *              a group of their own with those that have the same
 *   notify     what fires goes to the Alertmanager, at once, and from there to people, by group
 *              (alert_manager.h)
 *
 * So a page comes late by the parts of these periods that chance decides, the rule's `pending`
 * and the group's wait. Phases are keyed draws, as Prometheus takes them from a hash.
 *
 * An alert is a component, with metrics and no instances. What happens to it is in the journal
 * and sets marks, "NAME fired", "NAME notified", "NAME resolved": anchors, and `happened`. Faults
 * act on the component that a rule looks at: samples of it are lost, notifications about it come
 * late (platform.h).
 *
 * What a condition makes of its sample is not known here: `judge` says. A rule may be written in
 * PromQL instead (alert_query.h): then each element of its vector is an alert of its own to the
 * Alertmanager, `pending` and `firing` count them, and "fired" is the first of them, "resolved" the
 * last.
 */
#ifndef LZ_MODEL_ALERT_ALERT_H
#define LZ_MODEL_ALERT_ALERT_H

#include "model/alert/alert_manager.h"
#include "model/alert/alert_query.h"
#include "model/alert/alert_rule.h"
#include "model/alert/alert_scrape.h"

#define LZ_ALERT_CONDITIONS_MAX 16
#define LZ_ALERT_LABELS_MAX 32

struct lz_alerts_opts {
    lz_time scrape_interval, evaluation_interval; /* 0: 15 s; 1 ms to a day */
    const struct lz_alert_route *routes;          /* the last matches everything */
    uint32_t route_count;
    const struct lz_alert_inhibition *inhibitions;
    uint32_t inhibition_count;
    const struct lz_alert_silence *silences;
    uint32_t silence_count;
};

struct lz_alert_condition {
    lz_metric metric;
    lz_component_id of; /* whose metric: it is scraped, and hit by faults */
    lz_time over;       /* 0: the last sample; where there is none, 4 scrapes */
    const void *limit;  /* what `judge` is asked with */
};

struct lz_alert_opts {
    const char *name;
    uint32_t line;
    const char *because;           /* told with it; NULL: nothing; kept */
    struct lz_alert_labels labels; /* besides alertname */
    lz_time pending, keep_firing;
    lz_time every;                               /* 0: evaluation_interval */
    const char *expr;                            /* PromQL; in place of conditions, and kept */
    const struct lz_alert_condition *conditions; /* all must hold */
    uint32_t condition_count;
    bool (*judge)(const struct lz_world *w, const void *limit, const struct lz_sample *sample);
};

const struct lz_metric_info *lz_alert_metrics(size_t *count);

/* Before the first alert, once: how all of them are looked after. Texts and lists are kept. */
bool lz_alerts_monitor(struct lz_world *w, const struct lz_alerts_opts *opts,
                       struct lz_err *err) LZ_MUST_CHECK;

bool lz_alert_create(struct lz_world *w, const struct lz_alert_opts *opts, lz_component_id *id,
                     struct lz_err *err) LZ_MUST_CHECK;

/* How long a rule has to be true before it sets `mark`, the name then in `rule`; 0: at once, or no
 * rule's mark. */
lz_time lz_alerts_patience(const struct lz_world *w, const char *mark, const char **rule);

/*
 * Whether the rule of an alert could not be evaluated at some instant, so that what it says of
 * itself is not to be relied on: of the alert `of`, or of the one that sets `mark`; either may be
 * nothing. Why and when is of the first time.
 */
struct lz_alert_failure {
    const char *name, *why;
    lz_time at;
};
bool lz_alerts_has_failed(const struct lz_world *w, lz_component_id of, const char *mark,
                          struct lz_alert_failure *out);

/* All is declared and nothing runs yet: what rules in PromQL select is settled. */
void lz_alerts_settle(struct lz_world *w);

/* For the clock of a world that has alerts. */
void lz_alerts_start(struct lz_world *w);

#endif
