/*
 * alert_stage.h — an Alertmanager on a stage: what it says is written down.
 *
 * Alerts are declared, sent at instants, and the time goes on; every notification is a line of
 * `told`, "30 A+ B-": its second and alerts in their order, + that fire and - that are resolved.
 * Instants are seconds.
 */
#ifndef LZ_TESTS_ALERT_STAGE_H
#define LZ_TESTS_ALERT_STAGE_H

#include "base/str.h"
#include "model/alert/alert_manager.h"

struct alert_wake {
    lz_time at;
    uint32_t group, turn;
};

struct alert_stage {
    struct lz_arena *arena;
    struct lz_alert_manager *manager;
    const char *names[LZ_ALERTS_MAX + 1];
    uint32_t count;
    struct alert_wake wakes[256];
    uint32_t wake_count;
    lz_time now, tidy; // tidied up at multiples of `tidy`; 0: never
    bool shows_times;  // "A(1-)", "A(1-4.8)" with the beginning and end instead of + and -
    uint64_t muted;
    char told[8192];
};

/* `opts` without arena and callbacks. */
void alert_stage_init(struct alert_stage *s, const struct lz_alert_manager_opts *opts);
void alert_stage_finish(struct alert_stage *s);

uint32_t alert_stage_add(struct alert_stage *s, const char *name, const struct lz_alert_labels *l);

/* Everything due before `until`, and what is due at it too. */
void alert_stage_run(struct alert_stage *s, lz_time until);

#endif
