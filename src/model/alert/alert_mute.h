/*
 * alert_mute.h — why an alert is not notified about: silences, and other alerts.
 *
 * A silence mutes what matches it from `from` until before `until`. An inhibition rule mutes an
 * alert that matches `target` while another one that matches `source` is not resolved and has the
 * same values under `equal`. An alert that matches both sides is not muted by another such: it
 * would mute itself (Alertmanager's inhibit.go).
 */
#ifndef LZ_MODEL_ALERT_ALERT_MUTE_H
#define LZ_MODEL_ALERT_ALERT_MUTE_H

#include "model/alert/alert_labels.h"
#include "sim/time.h"

struct lz_alert_silence {
    struct lz_alert_matchers match;
    lz_time from, until;
};

struct lz_alert_inhibition {
    struct lz_alert_matchers source, target;
    struct lz_alert_names equal;
};

bool lz_alert_mute_silences(const struct lz_alert_silence *s, const struct lz_alert_labels *l,
                            lz_time now);

/* Is `target` muted by `source`, which is another alert that is not resolved? */
bool lz_alert_mute_inhibits(const struct lz_alert_inhibition *rule,
                            const struct lz_alert_labels *source,
                            const struct lz_alert_labels *target);

#endif
