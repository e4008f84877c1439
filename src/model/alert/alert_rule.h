/*
 * alert_rule.h — an alerting rule's state, as Prometheus keeps it (rules/alerting.go).
 *
 *                    true                     true for `pending`
 *     INACTIVE ---------------> PENDING ---------------------------> FIRING
 *         ^                        |                                    |
 *         |        false           |        false, for `keep_firing`    |
 *         +------------------------+------------------------------------+
 *
 * Each is a thing of evaluations: nothing changes between two of them. With `pending` 0 it fires
 * at the evaluation that finds it true. One that fired and is no more is *resolved*: for 15 min
 * that is told again and again, in case somebody missed it.
 *
 * What fires is sent to the Alertmanager at once, and again when the last time is more than a
 * minute ago, each time with an end 4 min or 4 evaluations ahead: an Alertmanager that hears
 * nothing more takes it for resolved then.
 */
#ifndef LZ_MODEL_ALERT_ALERT_RULE_H
#define LZ_MODEL_ALERT_ALERT_RULE_H

#include <stdbool.h>

#include "sim/time.h"

#define LZ_ALERT_RESEND (60 * LZ_S)     /* Prometheus' --rules.alert.resend-delay */
#define LZ_ALERT_RETENTION (900 * LZ_S) /* its resolvedRetention */
#define LZ_ALERT_SENDS_MISSED 4         /* that an end still allows for */
#define LZ_ALERT_NEVER ((lz_time)-1)

enum lz_alert_state { LZ_ALERT_INACTIVE, LZ_ALERT_PENDING, LZ_ALERT_FIRING };

struct lz_alert_rule_opts {
    lz_time pending;     /* the rule's `for` */
    lz_time keep_firing; /* keep_firing_for */
    lz_time interval;    /* between evaluations */
};

/* Instants are LZ_ALERT_NEVER where there was none; lz_alert_rule_init. */
struct lz_alert_rule {
    enum lz_alert_state state;
    lz_time active_at;   /* true since that evaluation */
    lz_time fired_at;    /* of the present or last firing */
    lz_time resolved_at; /* of what is INACTIVE, and was FIRING less than 15 min ago */
    lz_time kept_since;  /* false, but still FIRING */
    lz_time sent_at;
};

void lz_alert_rule_init(struct lz_alert_rule *r);

/* At `now`, its expression being true or not. What state it is in then. */
enum lz_alert_state lz_alert_rule_evaluate(struct lz_alert_rule *r,
                                           const struct lz_alert_rule_opts *o, bool is_true,
                                           lz_time now);

/* After an evaluation: whether it is sent now, and then with which beginning and end. */
struct lz_alert_sending {
    lz_time starts_at, ends_at;
};
bool lz_alert_rule_sends(struct lz_alert_rule *r, const struct lz_alert_rule_opts *o, lz_time now,
                         struct lz_alert_sending *out);

#endif
