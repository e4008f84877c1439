/*
 * alerting.h — alerting rules whose conditions are matchers; model/alert/alert.h does the rest.
 *
 * A matcher is judged by what was scraped of its metric (alert_scrape.h), not by the windows that
 * expectations see. It must be about a metric and compare with a limit of its own: a mark, a
 * script's answer and `recovers_to` are nothing that a monitoring system could ask for.
 */
#ifndef LZ_CHECK_ALERTING_H
#define LZ_CHECK_ALERTING_H

#include "check/check.h"
#include "model/alert/alert.h"

struct lz_alerting_condition {
    struct lz_matcher matcher;
    lz_time over; /* 0: as its metric needs it */
};

struct lz_alerting_opts {
    const char *name;
    uint32_t line;
    const char *because;           /* NULL: nothing; kept */
    struct lz_alert_labels labels; /* copied, with their texts */
    lz_time pending, keep_firing;
    lz_time every;                                  /* 0: as all are */
    const char *expr;                               /* PromQL, in place of conditions; kept */
    const struct lz_alerting_condition *conditions; /* copied; texts are kept */
    uint32_t condition_count;
};

bool lz_alerting_create(struct lz_world *w, const struct lz_alerting_opts *opts,
                        lz_component_id *id, struct lz_err *err) LZ_MUST_CHECK;

#endif
