/*
 * What is said about expectations besides judging them: which are refused before the run,
 * what a result keeps, and the verdict of a run with all its reasons to be inconclusive.
 */
#include "check_rows.h"

static const struct lz_scope in_kill = {.after = KILL};

// Refused before the run: a part of what the message must say.
struct refusal {
    struct row row;
    const char *says;
};

// clang-format off
static const struct refusal refusals[] = {
    {{"", "1111", TELL(LZ_ALWAYS, LZ_BELOW, 0.5)}, "needs a name"},
    {{"a", "1111", TELL(LZ_EVENTUALLY, LZ_BELOW, 0.5), .expect.after = AT(0)}, "needs `within`"},
    {{"b", "1111", TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.within = S(1)},
     "belong to `eventually`, not to `always`"},
    {{"c", "1111", TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.over = MS(1500)},
     "`over` must be whole seconds, got 1.5s"},
    {{"d", "1111", TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.over = S(5)},
     "`over` is 5s, but only 4s are judged"},
    {{"e", "1111", TELL(LZ_AT_END, LZ_BELOW, 0.5), .expect.except = &in_kill},
     "takes neither `during` nor `except`"},
    {{"f", "1111", ROLLED_BACK, TELL(LZ_ALWAYS, LZ_BELOW, 0)}, "does not take happened"},
    {{"g", "1111", ROLLED_BACK, TELL(LZ_EVENTUALLY, LZ_BELOW, 0), .expect.within = S(1),
      .expect.holding = S(1)},
     "nothing to hold"},
    {{"h", "1111", TELL(LZ_ALWAYS, LZ_BETWEEN, 0.5), .expect.matcher.limit_b = 0.2},
     "lower end first"},
    {{"i", "1111", TELL(LZ_ALWAYS, LZ_RECOVERS_TO, 0.5)}, "belongs to `eventually`"},
    {{"j", "1111111", .kill_at = S(3), .warmup = S(1), EVENTUALLY(KILL, S(1)),
      TELL(LZ_EVENTUALLY, LZ_RECOVERS_TO, 0.5), .expect.holding = S(3)},
     "baseline of at least 3s between warm-up and the disturbance, got 2s"},
    {{"k", "1111", .kill_at = S(1), TELL(LZ_EVENTUALLY, LZ_BELOW, 0.5),
      EVENTUALLY(KILL_ENDS, S(1))},
     "fault kill orders-db never ends"},
    {{"l", "1111", SLO(1.0)}, "objective must be above 0 % and below 100 %, got 100 %"},
    {{"m", "1111", GOODPUT, SLO(0.5)}, "an slo needs an error ratio, and goodput is none"},
    {{"n", "1111", TELL(LZ_EVENTUALLY, LZ_BELOW, 0.5), .expect.within = S(1),
      .expect.after = {.kind = LZ_ANCHOR_FAULT, .fault = 9}},
     "no such fault: number 9"},
};
// clang-format on

static void what_makes_no_sense_is_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct row *row = &refusals[i].row;
        struct lz_err err = {0};
        lz_expect_id id = 0;
        struct lz_checks *c = begin_row(row);
        struct lz_expect_opts opts = opts_of(row);
        assert_false(lz_check_expect(c, &opts, &id, &err));
        if (strstr(err.msg, refusals[i].says) == NULL)
            fail_msg("said \"%s\", not \"%s\"", err.msg, refusals[i].says);
        assert_int_equal(id, 0);
        assert_int_equal(lz_check_count(c), 0);
        end();
    }
}

static void a_name_is_taken_once(void **state)
{
    (void)state;
    const struct row row = {"it holds", "1111", TELL(LZ_ALWAYS, LZ_BELOW, 0.5)};
    struct lz_err err = {0};
    lz_expect_id id = 0;
    struct lz_checks *c = begin_row(&row);
    struct lz_expect_opts opts = opts_of(&row);
    assert_true(lz_check_expect(c, &opts, &id, &err));
    assert_int_equal(id, 1);
    assert_false(lz_check_expect(c, &opts, &id, &err));
    assert_int_equal(err.code, LZ_EEXIST);
    assert_string_equal(err.msg, "there is already an expectation \"it holds\"");
    end();
}

static void results_on_the_way_do_not_change_the_final_one(void **state)
{
    (void)state;
    const struct row row = {"it comes back", "11991", TELL(LZ_EVENTUALLY, LZ_BELOW, 0.5),
                            EVENTUALLY(KILL, S(3)), .kill_at = S(2)};
    struct lz_err err = {0};
    lz_expect_id id = 0;
    struct lz_checks *c = begin_row(&row);
    struct lz_expect_opts opts = opts_of(&row);
    assert_true(lz_check_expect(c, &opts, &id, &err));
    assert_string_equal(lz_check_result(c, id)->why, "the run is not over");
    close_second(c, 0);
    for (size_t i = 0; i < strlen(row.timeline); i++) {
        feed(row.timeline[i], fake.now);
        fake.now += LZ_S;
        close_second(c, fake.now);
        move_fault(&row);
        lz_checks_finish(c, fake.now);
        if (fake.now < S(5))
            assert_int_equal(lz_check_result(c, id)->verdict, INCON);
    }
    const struct lz_expect_result *r = lz_check_result(c, id);
    assert_int_equal(r->verdict, PASS);
    assert_int_equal(r->at, S(4));
    assert_int_equal(r->deadline, S(5));
    assert_true(r->margin > 0.33 && r->margin < 0.34);
    end();
}

static void a_result_keeps_the_instant_the_value_and_the_margin(void **state)
{
    (void)state;
    const struct row row = {"errors stay low", "1697", TELL(LZ_ALWAYS, LZ_BELOW, 0.5)};
    struct lz_err err = {0};
    lz_expect_id id = 0;
    struct lz_checks *c = begin_row(&row);
    struct lz_expect_opts opts = opts_of(&row);
    assert_true(lz_check_expect(c, &opts, &id, &err));
    play(c, &row);
    const struct lz_expect_result *r = lz_check_result(c, id);
    assert_int_equal(r->at, S(1));
    assert_int_equal(r->deadline, -1);
    assert_int_equal(r->samples, 4);
    assert_true(r->value == 0.9);
    assert_true(r->margin == (0.5 - 0.9) / 0.5);
    end();
}

static void a_bare_matcher_looks_at_the_last_windows(void **state)
{
    (void)state;
    const struct row row = {"x", "1155", ERRORS, .mark_at = S(2)};
    struct lz_checks *c = begin_row(&row);
    lz_metrics_keep(fake.world.metrics, fake.metrics[ERRORS], 4);
    struct lz_matcher low = {
        .metric = fake.metrics[ERRORS], .component = 1, .compare = LZ_BELOW, .limit = 0.4};
    struct lz_matcher mark = {.mark = "rolled back"};
    assert_false(lz_check_matches(c, &low, 0, 0));
    assert_false(lz_check_matches(c, &mark, 0, 0));
    play(c, &row);
    assert_false(lz_check_matches(c, &low, 0, 0));
    assert_false(lz_check_matches(c, &low, S(2), 0));
    assert_true(lz_check_matches(c, &low, S(4), 0));
    assert_true(lz_check_matches(c, &mark, 0, 0));
    assert_true(lz_check_matches(c, &mark, 0, S(3)));
    mark.comes_again = true;
    assert_true(lz_check_matches(c, &mark, 0, S(2)));
    assert_false(lz_check_matches(c, &mark, 0, S(3)));
    end();
}

// A run with up to two expectations, faults and traffic as a test wants them.
struct verdict_row {
    const char *first, *second; // names, which also say how it goes; NULL: none
    bool second_warns;
    size_t faults;
    uint32_t firings;
    uint64_t effect;
    const char *waits;
    bool missed;
    uint64_t sent;
    enum lz_verdict verdict;
    const char *why;
};

// clang-format off
static const struct verdict_row verdict_rows[] = {
    {"holds", .sent = 1, .verdict = PASS, .why = ""},
    {"holds", .sent = 1, .faults = 1, .firings = 1, .effect = 3, .verdict = PASS, .why = ""},
    {"breaks", .sent = 1, .verdict = FAIL, .why = "breaks: worst 90 % at 1s"},
    {"holds", "breaks", .sent = 1, .verdict = FAIL, .why = "breaks: worst 90 % at 1s"},
    {"breaks", "breaks too", .sent = 1, .verdict = FAIL,
     .why = "breaks: worst 90 % at 1s, and 1 more"},
    {"holds", "breaks", .second_warns = true, .sent = 1, .verdict = PASS, .why = ""},
    {"holds", "sees nothing", .sent = 1, .verdict = INCON,
     .why = "sees nothing: it was never above 100 %"},
    {"sees nothing", "breaks", .sent = 1, .verdict = FAIL, .why = "breaks: worst 90 % at 1s"},
    {.sent = 1, .verdict = INCON, .why = "nothing is expected: add an expect block"},
    {"holds", .sent = 0, .verdict = INCON, .why = "no request was sent"},
    {"breaks", .sent = 0, .verdict = FAIL, .why = "breaks: worst 90 % at 1s"},
    {"holds", .sent = 1, .faults = 1, .firings = 1, .verdict = INCON,
     .why = "fault kill orders-db touched nothing: 0 connections reset"},
    {"holds", .sent = 1, .faults = 1, .firings = 1, .missed = true, .verdict = INCON,
     .why = "fault kill orders-db found no target"},
    {"holds", .sent = 1, .faults = 1, .firings = 1, .effect = 3, .waits = "nothing ended",
     .verdict = INCON, .why = "fault kill orders-db was never noticed: nothing ended"},
    {"holds", .sent = 1, .faults = 1, .verdict = INCON,
     .why = "fault kill orders-db never fired"},
    {"breaks", .sent = 1, .faults = 1, .verdict = FAIL, .why = "breaks: worst 90 % at 1s"},
};
// clang-format on

static void expect_named(struct lz_checks *c, const char *name, bool warn)
{
    struct lz_err err = {0};
    lz_expect_id id;
    bool sees = strncmp(name, "sees", 4) == 0;
    bool breaks = strncmp(name, "breaks", 6) == 0;
    struct lz_expect_opts opts = {
        .name = name,
        .temporal = sees ? LZ_SOMETIMES : LZ_ALWAYS,
        .warn = warn,
        .matcher = {.metric = fake.metrics[ERRORS],
                    .component = 1,
                    .compare = sees ? LZ_ABOVE : LZ_BELOW,
                    .limit = breaks ? 0.5 : 1.0},
    };
    assert_true(lz_check_expect(c, &opts, &id, &err));
}

static void the_verdict_is_the_worst_of_what_counts(void **state)
{
    (void)state;
    const struct row timeline = {.sentence = "", .timeline = "19"};
    for (size_t i = 0; i < COUNT(verdict_rows); i++) {
        const struct verdict_row *v = &verdict_rows[i];
        struct lz_checks *c = begin_row(&timeline);
        fake.fault_count = v->faults;
        fake.fault.firings = v->firings;
        fake.fault.effect = v->effect;
        fake.fault.missed = v->missed;
        fake.waits = v->waits;
        fake.sent = v->sent;
        if (v->first != NULL)
            expect_named(c, v->first, false);
        if (v->second != NULL)
            expect_named(c, v->second, v->second_warns);
        play(c, &timeline);
        char why[160];
        assert_int_equal(lz_checks_verdict(c, why, sizeof(why)), v->verdict);
        assert_string_equal(why, v->why);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_makes_no_sense_is_refused_with_a_reason),
        cmocka_unit_test(a_name_is_taken_once),
        cmocka_unit_test(results_on_the_way_do_not_change_the_final_one),
        cmocka_unit_test(a_result_keeps_the_instant_the_value_and_the_margin),
        cmocka_unit_test(a_bare_matcher_looks_at_the_last_windows),
        cmocka_unit_test(the_verdict_is_the_worst_of_what_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
