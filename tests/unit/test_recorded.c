/*
 * An expectation about a history whose checker and the servers' own account contradict each other:
 * a bug of ours, made here by telling the recorder what no broker would. Nothing else of the run is
 * lost by it, and the history is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "check/history/judge.h"
#include "check/recorded.h"
#include "fault/fault.h"
#include "model/broker/broker.h"
#include "model/broker/topic.h"
#include "model/history/recorder_log.h"

static struct {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_checks *checks;
    lz_component_id topic;
    lz_expect_id expect;
} s;

static int setup(void **state)
{
    (void)state;
    struct lz_err err;
    lz_component_id broker;
    const struct lz_recorded_opts log = {.model = LZ_JUDGE_PARTITIONS, .word = "log intact"};
    struct lz_expect_opts o = {.name = "nothing is lost", .history = &log};
    if (!lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 64u << 20}, &s.arena, &err))
        return -1;
    s.w =
        lz_world_create(&(struct lz_world_opts){.arena = s.arena, .run_key = 1, .end = 10 * LZ_S});
    s.checks = lz_checks_create(s.w, lz_faults_create(s.w));
    bool ok = lz_broker_create(s.w, &(struct lz_broker_opts){.name = "kafka"}, &broker, &err) &&
              lz_topic_create(s.w, &(struct lz_topic_opts){.name = "orders", .broker = broker},
                              &s.topic, &err);
    o.of = s.topic;
    return ok && lz_recorded_expect(s.checks, &o, &s.expect, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    lz_arena_destroy(s.arena);
    return 0;
}

static void send_acknowledged_at(uint64_t offset)
{
    uint32_t send = lz_recorder_log_send(s.w, s.topic, &(struct lz_recorder_send){.count = 1});
    lz_recorder_log_appended(s.w, s.topic, send);
    lz_recorder_log_answered(s.w, s.topic, send, &offset);
}

static const struct lz_expect_result *judged(void)
{
    lz_checks_finish(s.checks, 10 * LZ_S);
    return lz_check_result(s.checks, s.expect);
}

static void a_contradiction_is_inconclusive_and_asks_for_a_report(void **state)
{
    (void)state;
    send_acknowledged_at(0);
    send_acknowledged_at(0); // and the broker has lost neither
    const struct lz_expect_result *r = judged();
    assert_int_equal(r->verdict, LZ_VERDICT_INCONCLUSIVE);
    assert_string_equal(r->actual, "a bug of Lorenz");
    assert_non_null(strstr(r->why, "please report it, with the scenario, the seed and lorenz-"));
    const char *path = strstr(r->why, "lorenz-history-");
    char first[8] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(first, sizeof(first), file));
    assert_memory_equal(first, "{\"proc", 6);
    fclose(file);
    unlink(path);
}

static void what_both_say_is_judged(void **state)
{
    (void)state;
    send_acknowledged_at(0);
    send_acknowledged_at(1);
    assert_int_equal(judged()->verdict, LZ_VERDICT_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_contradiction_is_inconclusive_and_asks_for_a_report,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_both_say_is_judged, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
