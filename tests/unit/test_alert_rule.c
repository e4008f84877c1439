/*
 * An alerting rule must go through its states as Prometheus' does.
 *
 * Method: a rule is evaluated every so often and told what its expression gave; the state after
 * each evaluation is a letter. The first rows are TestAlertingRule of prometheus
 * rules/manager_test.go (Apache-2.0, restated): two series against `< 100`, for 1m, every 5 m.
 * The others follow rules/alerting.go.
 */
#include "model/alert/alert_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIN (60 * LZ_S)

struct row {
    const char *name;
    struct lz_alert_rule_opts opts;
    const char *truth;  // T or f at each evaluation
    const char *states; // . inactive, p pending, F firing
};

static const struct row rows[] = {
    {"TestAlertingRule/0", {.pending = MIN, .interval = 5 * MIN}, "TTTffTT", "pFF..pF"},
    {"TestAlertingRule/1", {.pending = MIN, .interval = 5 * MIN}, "TTfffff", "pF....."},
    {"without for it fires at once", {.interval = 15 * LZ_S}, "fTTfT", ".FF.F"},
    {"1m is five evaluations of 15s", {.pending = MIN, .interval = 15 * LZ_S}, "TTTTTT", "ppppFF"},
    {"a gap begins it anew", {.pending = MIN, .interval = 15 * LZ_S}, "TTTTfTTTTT", "pppp.ppppF"},
    {"30s at 20s: the next one after", {.pending = 30 * LZ_S, .interval = 20 * LZ_S}, "TTT", "ppF"},
    {"keep_firing_for 1m counts from the first that is false",
     {.keep_firing = MIN, .interval = 15 * LZ_S},
     "TfffffTf",
     "FFFFF.FF"},
    {"what is true again is kept anew",
     {.keep_firing = MIN, .interval = 15 * LZ_S},
     "TfffTfffff",
     "FFFFFFFFF."},
    {"what is pending is not kept",
     {.pending = MIN, .keep_firing = MIN, .interval = 15 * LZ_S},
     "TTff",
     "pp.."},
};

static void its_states_are_those_of_prometheus(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_alert_rule r;
        lz_alert_rule_init(&r);
        for (size_t k = 0; rows[i].truth[k] != '\0'; k++) {
            lz_time now = (lz_time)k * rows[i].opts.interval;
            enum lz_alert_state s =
                lz_alert_rule_evaluate(&r, &rows[i].opts, rows[i].truth[k] == 'T', now);
            if (".pF"[s] != rows[i].states[k])
                fail_msg("%s: %c at evaluation %zu, not %c", rows[i].name, ".pF"[s], k,
                         rows[i].states[k]);
        }
    }
}

// Of an evaluation every 15 s from 0 on: when is it sent, and with which end?
static void
it_is_sent_again_after_a_minute_and_told_as_resolved_for_a_quarter_of_an_hour(void **state)
{
    (void)state;
    const struct lz_alert_rule_opts o = {.interval = 15 * LZ_S};
    struct lz_alert_rule r;
    lz_alert_rule_init(&r);
    lz_time last = -1, sent = 0;
    for (lz_time now = 0; now <= 2000 * LZ_S; now += o.interval) {
        struct lz_alert_sending s;
        bool is_true = now < 300 * LZ_S;
        (void)lz_alert_rule_evaluate(&r, &o, is_true, now);
        if (!lz_alert_rule_sends(&r, &o, now, &s))
            continue;
        assert_int_equal(s.starts_at, 0);
        assert_int_equal(s.ends_at, is_true ? now + 4 * MIN : 300 * LZ_S);
        if (last >= 0 && now != 300 * LZ_S) // what is new is sent at once
            assert_int_equal(now - last, 75 * LZ_S);
        last = now;
        sent++;
    }
    assert_int_equal(sent, 4 + 13);
    assert_int_equal(last, 1200 * LZ_S);
    assert_int_equal(r.resolved_at, LZ_ALERT_NEVER);
}

static void what_is_pending_is_not_sent(void **state)
{
    (void)state;
    const struct lz_alert_rule_opts o = {.pending = MIN, .interval = 15 * LZ_S};
    struct lz_alert_rule r;
    struct lz_alert_sending s;
    lz_alert_rule_init(&r);
    assert_false(lz_alert_rule_sends(&r, &o, 0, &s));
    (void)lz_alert_rule_evaluate(&r, &o, true, 0);
    assert_false(lz_alert_rule_sends(&r, &o, 0, &s));
    (void)lz_alert_rule_evaluate(&r, &o, false, 15 * LZ_S);
    assert_false(lz_alert_rule_sends(&r, &o, 15 * LZ_S, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_states_are_those_of_prometheus),
        cmocka_unit_test(
            it_is_sent_again_after_a_minute_and_told_as_resolved_for_a_quarter_of_an_hour),
        cmocka_unit_test(what_is_pending_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
