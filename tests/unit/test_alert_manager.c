/*
 * Notifications must come when Alertmanager's would, and say what its say.
 *
 * Method: four alerts with labels, sent and ended at the instants of a row ("0 A+; 60 A-"); the
 * row's notifications must be exactly those that come (alert_stage.h). Defaults, as
 * Alertmanager's: 30 s to wait for a group, 5 min to its next, 4 h to repeat. The cases of
 * Alertmanager's own acceptance tests are run by tests/fidelity/s09_alertmanager.lua, where they
 * are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alert_stage.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define LABELS(...)                                                                                \
    {                                                                                              \
        .all = (const struct lz_alert_label[]){__VA_ARGS__},                                       \
        .count = COUNT(((const struct lz_alert_label[]){__VA_ARGS__}))                             \
    }

static const struct {
    const char *name;
    struct lz_alert_labels labels;
} alerts[] = {
    {"A", LABELS({"alertname", "A"}, {"team", "shop"}, {"severity", "page"})},
    {"B", LABELS({"alertname", "B"}, {"team", "shop"}, {"severity", "ticket"})},
    {"C", LABELS({"alertname", "C"}, {"team", "pay"}, {"severity", "ticket"})},
    {"D", LABELS({"alertname", "D"})},
};

static const char *const by_team[] = {"team"};
static const char *const page[] = {"page"}, *const ticket[] = {"ticket"};
static const char *const page_or_ticket[] = {"ticket", "page"};

#define IS(what, of)                                                                               \
    {                                                                                              \
        .name = (what), .kind = LZ_ALERT_ONE_OF, .values = {(of), COUNT(of) }                      \
    }
static const struct lz_alert_matcher pages[] = {IS("severity", page)};
static const struct lz_alert_matcher tickets[] = {IS("severity", ticket)};
static const struct lz_alert_matcher both[] = {IS("severity", page_or_ticket)};
static const struct lz_alert_matcher has_team[] = {{.name = "team", .kind = LZ_ALERT_ANY}};
static const struct lz_alert_matcher no_team[] = {{.name = "team", .kind = LZ_ALERT_NONE}};
#define MATCH(list)                                                                                \
    {                                                                                              \
        (list), COUNT(list)                                                                        \
    }

static const struct lz_alert_silence silence = {
    .match = MATCH(has_team), .from = 20 * LZ_S, .until = 400 * LZ_S};
static const struct lz_alert_inhibition page_before_ticket = {
    .source = MATCH(pages), .target = MATCH(tickets), .equal = {by_team, 1}};
// Each of them is on both sides.
static const struct lz_alert_inhibition itself = {
    .source = MATCH(both), .target = MATCH(both), .equal = {by_team, 1}};
static const struct lz_alert_inhibition by_any_page = {.source = MATCH(pages),
                                                       .target = MATCH(no_team)};

#define TIMES .group_wait = 30 * LZ_S, .group_interval = 300 * LZ_S, .repeat_interval = 14400 * LZ_S
static const struct lz_alert_route team = {TIMES, .group_by = {by_team, 1}};
static const struct lz_alert_route each = {TIMES, .is_each = true};
static const struct lz_alert_route all = {TIMES};
static const struct lz_alert_route firing_only = {TIMES, .no_resolved = true};
static const struct lz_alert_route to_two[] = {
    {.match = MATCH(pages), .group_interval = 300 * LZ_S, .repeat_interval = LZ_S, .goes_on = true},
    {TIMES, .match = MATCH(has_team)},
    {.group_wait = 60 * LZ_S, .group_interval = 300 * LZ_S, .repeat_interval = 14400 * LZ_S},
};

static const struct row {
    const char *name;
    const struct lz_alert_route *routes;
    const char *steps;
    lz_time until;
    const char *told;
    uint32_t route_count; // 0: one
    const struct lz_alert_inhibition *inhibition;
    const struct lz_alert_silence *silence;
    lz_time timeout, tidy;
    uint64_t muted;
} rows[] = {
    {"a group waits for others", &team, "0 A+; 10 B+; 40 C+", 600, .told = "30 A+ B+; 70 C+"},
    {"without labels to group by all are one", &all, "0 A+; 10 C+; 20 D+", 300,
     .told = "30 A+ C+ D+"},
    {"or each is alone", &each, "0 A+; 10 B+", 300, .told = "30 A+; 40 B+"},
    {"what comes later waits for the interval", &team, "0 A+; 100 B+", 900,
     .told = "30 A+; 330 A+ B+"},
    {"what is resolved is told at the next", &team, "0 A+; 60 A-", 900, .told = "30 A+; 330 A-"},
    {"once, and without what goes on", &team, "0 A+; 0 B+; 60 A-", 900,
     .told = "30 A+ B+; 330 A- B+"},
    {"resolved before anybody knew", &team, "0 A+; 10 A-", 900, .told = ""},
    {"or nobody is told of that", &firing_only, "0 A+; 0 B+; 60 A-; 400 B-", 1500,
     .told = "30 A+ B+"},
    {"again after it was resolved", &team, "0 A+; 60 A-; 340 A+", 900,
     .told = "30 A+; 330 A-; 630 A+"},
    // A group without alerts is tidied away: the next waits for others again.
    {"again, much later", &team, "0 A+; 60 A-; 400 A+", 900, .told = "30 A+; 330 A-; 430 A+",
     .tidy = 30},
    // At 14430 s it is not more than 4 h ago: it is told at the flush after.
    {"repeated", &team, "0 A+", 15000, .told = "30 A+; 14730 A+"},
    {"what fired long ago is told at once", &team, "100 A@0", 300, .told = "100 A+"},
    {"at once, but with the group if that has been told", &team, "0 B+; 50 A@0", 400,
     .told = "30 B+; 330 A+ B+"},
    {"who hears nothing more takes it for resolved", &team, "0 A+", 900, .told = "30 A+; 330 A-",
     .timeout = 120},
    {"unless it is sent again in time", &team, "0 A+; 100 A+; 200 A+; 300 A+", 900,
     .told = "30 A+; 630 A-", .timeout = 120},
    {"silenced", &each, "0 A+; 0 D+", 900, .told = "30 D+; 630 A+", .silence = &silence,
     .muted = 2},
    {"a page makes tickets of its team needless", &each, "0 A+; 0 B+; 0 C+; 100 A-", 900,
     .told = "30 A+; 30 C+; 330 A-; 330 B+", .inhibition = &page_before_ticket, .muted = 1},
    {"what is on both sides does not mute itself", &each, "0 A+; 0 B+", 300, .told = "30 A+; 30 B+",
     .inhibition = &itself},
    {"nothing in common is needed", &each, "0 D+; 0 A+", 300, .told = "30 A+",
     .inhibition = &by_any_page, .muted = 1},
    {"the first route that matches, and what it goes on to", to_two, "5 A+; 5 B+; 5 D+", 300,
     .told = "5 A+; 35 A+ B+; 65 D+", .route_count = COUNT(to_two)},
};

// One step, "100 A@0": A is sent at 100 and began at 0; + began now, - ends now.
static void step(struct alert_stage *s, const char *text, lz_time *began)
{
    double at, from = 0.0;
    char name, how;
    int fields = sscanf(text, "%lf %c%c%lf", &at, &name, &how, &from);
    assert_true(fields == 4 || (fields == 3 && how != '@'));
    lz_time now = (lz_time)(at * 1e9);
    alert_stage_run(s, now);
    uint32_t alert = (uint32_t)(name - 'A') + 1;
    if (how != '-' && began[alert] < 0)
        began[alert] = how == '@' ? (lz_time)(from * 1e9) : now;
    lz_alert_manager_send(s->manager, alert, began[alert], how == '-' ? now : LZ_FOREVER, now);
    if (how == '-')
        began[alert] = -1;
}

static void play(const struct row *row, struct alert_stage *s)
{
    lz_time began[COUNT(alerts) + 1] = {-1, -1, -1, -1, -1};
    alert_stage_init(s, &(struct lz_alert_manager_opts){
                            .resolve_timeout = row->timeout > 0 ? row->timeout * LZ_S : LZ_S << 20,
                            .routes = row->routes,
                            .route_count = row->route_count > 0 ? row->route_count : 1,
                            .inhibitions = row->inhibition,
                            .inhibition_count = row->inhibition != NULL,
                            .silences = row->silence,
                            .silence_count = row->silence != NULL});
    s->tidy = row->tidy * LZ_S;
    for (size_t i = 0; i < COUNT(alerts); i++)
        alert_stage_add(s, alerts[i].name, &alerts[i].labels);
    for (const char *at = row->steps; at != NULL; at = strchr(at, ';')) {
        at += *at == ';';
        step(s, at, began);
    }
    alert_stage_run(s, row->until * LZ_S);
}

static void notifications_are_those_of_alertmanager(void **state)
{
    (void)state;
    static struct alert_stage s;
    for (size_t i = 0; i < COUNT(rows); i++) {
        play(&rows[i], &s);
        if (strcmp(s.told, rows[i].told) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, s.told, rows[i].told);
        if (s.muted != rows[i].muted)
            fail_msg("%s: %d muted, not %d", rows[i].name, (int)s.muted, (int)rows[i].muted);
        alert_stage_finish(&s);
    }
}

static void two_alerts_of_the_same_labels_are_refused(void **state)
{
    (void)state;
    static struct alert_stage s;
    struct lz_err err;
    uint32_t id;
    alert_stage_init(&s, &(struct lz_alert_manager_opts){
                             .resolve_timeout = LZ_S, .routes = &all, .route_count = 1});
    alert_stage_add(&s, "A", &alerts[0].labels);
    const struct lz_alert_label again[] = {
        {"severity", "page"}, {"alertname", "A"}, {"team", "shop"}};
    assert_false(lz_alert_manager_add(s.manager, &(struct lz_alert_labels){again, 3}, &id, &err));
    assert_string_equal(err.msg, "another alert has the same labels");
    assert_true(lz_alert_manager_add(s.manager, &(struct lz_alert_labels){again, 2}, &id, &err));
    alert_stage_finish(&s);
}

// A lets go of its number when nothing goes by it any more; who has it next is somebody else, in a
// group of its own.
static void what_is_over_is_forgotten(void **state)
{
    (void)state;
    static struct alert_stage s;
    lz_time began[COUNT(alerts) + 1] = {-1, -1, -1, -1, -1};
    struct lz_err err;
    uint32_t id = 0;
    alert_stage_init(&s, &(struct lz_alert_manager_opts){
                             .resolve_timeout = LZ_S << 20, .routes = &team, .route_count = 1});
    s.tidy = 30 * LZ_S;
    alert_stage_add(&s, "A", &alerts[0].labels);
    alert_stage_add(&s, "C", &alerts[2].labels);
    step(&s, "0 A+", began);
    assert_false(lz_alert_manager_forget(s.manager, 1, 0)); // it fires
    alert_stage_run(&s, 100 * LZ_S);
    step(&s, "120 A-", began);
    assert_false(lz_alert_manager_forget(s.manager, 1, 120 * LZ_S)); // that is not told yet
    alert_stage_run(&s, 331 * LZ_S);
    assert_false(lz_alert_manager_forget(s.manager, 1, 331 * LZ_S)); // its group goes on
    alert_stage_run(&s, 700 * LZ_S);
    assert_true(lz_alert_manager_forget(s.manager, 1, 700 * LZ_S));
    assert_true(lz_alert_manager_add(s.manager, &alerts[3].labels, &id, &err));
    assert_int_equal(id, 1);
    assert_true(lz_alert_manager_add(s.manager, &alerts[0].labels, &id, &err));
    assert_int_equal(id, 3);
    lz_alert_manager_send(s.manager, 1, 1000 * LZ_S, LZ_FOREVER, 1000 * LZ_S);
    alert_stage_run(&s, 1100 * LZ_S);
    assert_string_equal(s.told, "30 A+; 330 A-; 1030 A+"); // the stage calls number 1 so
    assert_false(lz_alert_manager_forget(s.manager, 1, 1100 * LZ_S));
    assert_true(lz_alert_manager_forget(s.manager, 3, 1100 * LZ_S)); // it never fired
    alert_stage_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notifications_are_those_of_alertmanager),
        cmocka_unit_test(two_alerts_of_the_same_labels_are_refused),
        cmocka_unit_test(what_is_over_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
