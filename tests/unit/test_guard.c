/*
 * Backoff, retry budgets, circuit breakers and throttling, against published rules and defaults.
 *
 * Method: each is a small machine that is told the time and what happened; rows are histories
 * with the answer that the source gives. Draws are keyed, so sums over many are exact repeats.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/client/backoff.h"
#include "model/client/breaker.h"
#include "model/client/budget.h"
#include "model/client/throttle.h"

static struct lz_arena *arena;

static int setup(void **state)
{
    (void)state;
    struct lz_err err;
    return lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &arena, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    lz_arena_destroy(arena);
    return 0;
}

struct spread {
    double least, mean, most; // seconds
};

// Of 20,000 waits before retry k, the wait before it having been `before`.
static struct spread waits(const struct lz_backoff_opts *o, uint32_t k, lz_time before)
{
    struct spread s = {1e9, 0.0, 0.0};
    for (uint64_t n = 0; n < 20000; n++) {
        struct lz_draw draw = lz_draw_begin(1, n, LZ_PURPOSE_BACKOFF, k);
        double wait = (double)lz_backoff_wait(o, k, before, &draw) / 1e9;
        s.least = wait < s.least ? wait : s.least;
        s.most = wait > s.most ? wait : s.most;
        s.mean += wait / 20000.0;
    }
    return s;
}

static void waits_are_spread_as_their_jitter_says(void **state)
{
    (void)state;
    // gRPC A6: U(0, min(0.1 2^(k-1), 1)). AWS 2015: equal is half and half; decorrelated is
    // min(cap, U(base, 3 before)).
    static const struct {
        enum lz_jitter jitter;
        uint32_t k;
        lz_time before;
        double from, to; // uniform between these
    } rows[] = {
        {LZ_JITTER_FULL, 1, 0, 0, 0.1},
        {LZ_JITTER_FULL, 2, 0, 0, 0.2},
        {LZ_JITTER_FULL, 3, 0, 0, 0.4},
        {LZ_JITTER_FULL, 9, 0, 0, 1.0},
        {LZ_JITTER_NONE, 3, 0, 0.4, 0.4},
        {LZ_JITTER_NONE, 1000, 0, 1.0, 1.0},
        {LZ_JITTER_EQUAL, 2, 0, 0.1, 0.2},
        {LZ_JITTER_EQUAL, 9, 0, 0.5, 1.0},
        {LZ_JITTER_DECORRELATED, 1, 0, 0.1, 0.3},
        {LZ_JITTER_DECORRELATED, 2, 200 * LZ_MS, 0.1, 0.6},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct lz_backoff_opts o = {
            .base = 100 * LZ_MS, .max = LZ_S, .jitter = rows[i].jitter};
        struct spread s = waits(&o, rows[i].k, rows[i].before);
        double width = rows[i].to - rows[i].from, slack = 0.01 * width + 1e-9;
        assert_true(s.least >= rows[i].from && s.least <= rows[i].from + slack);
        assert_true(s.most <= rows[i].to && s.most >= rows[i].to - slack);
        assert_true(fabs(s.mean - (rows[i].from + rows[i].to) / 2) <= slack);
    }
    // Above the cap, decorrelated waits are cut to it: U(0.1, 3) is above 1 in 2 of 2.9.
    const struct lz_backoff_opts o = {
        .base = 100 * LZ_MS, .max = LZ_S, .jitter = LZ_JITTER_DECORRELATED};
    struct spread s = waits(&o, 5, LZ_S);
    assert_true(s.most <= 1.0 && fabs(s.mean - (2.0 * 1.0 + 0.9 * 0.55) / 2.9) < 0.01);
}

// gRPC A6: three retries wait 0.05 + 0.1 + 0.2 s together, on average.
static void three_retries_wait_035_seconds_on_average(void **state)
{
    (void)state;
    const struct lz_backoff_opts o = {.base = 100 * LZ_MS, .max = LZ_S};
    double sum = waits(&o, 1, 0).mean + waits(&o, 2, 0).mean + waits(&o, 3, 0).mean;
    assert_true(fabs(sum / 0.35 - 1.0) < 0.02);
}

static const struct lz_budget_opts aws = {
    .on = true, .tokens = 500, .cost = 5, .timeout_cost = 10, .per_success = 1, .refund = true};
static const struct lz_budget_opts aws_newer = {.on = true, .tokens = 500, .cost = 14};
static const struct lz_budget_opts grpc = {
    .on = true, .tokens = 10, .per_failure = 1, .per_success = 0.1, .above = 5};

static uint32_t retries_of_an_outage(const struct lz_budget_opts *o, bool timeouts)
{
    struct lz_budget b = lz_budget_full(o);
    uint32_t retries = 0;
    while (retries < 1000 && lz_budget_take(&b, o, timeouts))
        retries++;
    return retries;
}

// The AWS SDKs' retry behaviour: 500 tokens; 5 a retry, 10 after a timeout; 14 lately.
static void an_sdk_stops_retrying_after_so_many(void **state)
{
    (void)state;
    assert_int_equal(retries_of_an_outage(&aws, false), 100);
    assert_int_equal(retries_of_an_outage(&aws, true), 50);
    assert_int_equal(retries_of_an_outage(&aws_newer, false), 35);
    struct lz_budget b = lz_budget_full(&aws);
    while (lz_budget_take(&b, &aws, false))
        ;
    lz_budget_ended(&b, &aws, false, true); // a retry that succeeds gives 5 back
    assert_true(lz_budget_take(&b, &aws, false));
    for (int i = 0; i < 5; i++) {
        assert_false(lz_budget_take(&b, &aws, false));
        lz_budget_ended(&b, &aws, false, false); // other successes one
    }
    assert_true(lz_budget_take(&b, &aws, false));
}

// gRPC A6, retry throttling: maxTokens 10, tokenRatio 0.1; retries while more than half is left.
static void grpc_stops_after_five_failures_and_goes_on_after_a_success(void **state)
{
    (void)state;
    struct lz_budget b = lz_budget_full(&grpc);
    int failures = 0;
    do {
        lz_budget_ended(&b, &grpc, true, false);
        failures++;
    } while (lz_budget_take(&b, &grpc, false));
    assert_int_equal(failures, 5);
    lz_budget_ended(&b, &grpc, false, false);
    assert_true(lz_budget_take(&b, &grpc, false)); // 5.1 are above 5
    for (int i = 0; i < 100; i++)
        lz_budget_ended(&b, &grpc, true, false);
    int successes = 0;
    do {
        lz_budget_ended(&b, &grpc, false, false);
        successes++;
    } while (!lz_budget_take(&b, &grpc, false));
    assert_int_equal(successes, 51);
}

static void retries_are_a_share_of_what_is_active(void **state)
{
    (void)state;
    const struct lz_budget_opts envoy = {.on = true, .of_active = 0.2, .at_least = 3};
    struct lz_budget b = {.active = 5, .retrying = 2};
    assert_true(lz_budget_take(&b, &envoy, false)); // 3 always may
    b.retrying = 3;
    assert_false(lz_budget_take(&b, &envoy, false));
    b.active = 100;
    b.retrying = 19;
    assert_true(lz_budget_take(&b, &envoy, false));
    b.retrying = 20;
    assert_false(lz_budget_take(&b, &envoy, false));
}

// Feed results, all at `now`; the state after them.
static enum lz_breaker_state feed(struct lz_breaker *b, const struct lz_breaker_opts *o,
                                  lz_time now, uint32_t failures, uint32_t successes)
{
    for (uint32_t i = 0; i < failures + successes; i++) {
        if (!lz_breaker_admit(b, o, now))
            break;
        lz_breaker_result(b, o, now, b->generation, i >= successes);
    }
    return b->state;
}

static struct lz_breaker make(struct lz_breaker_opts *o)
{
    struct lz_breaker b;
    o->on = true;
    lz_breaker_fill_defaults(o);
    lz_breaker_init(&b, o, arena);
    return b;
}

// HystrixCommandProperties.java: 50 % of at least 20 in 10 s, then a probe after 5 s.
static void hystrix_opens_at_twenty_of_twenty_and_probes_after_five_seconds(void **state)
{
    (void)state;
    struct lz_breaker_opts o = {0};
    struct lz_breaker b = make(&o);
    assert_int_equal(feed(&b, &o, LZ_S, 19, 0), LZ_BREAKER_CLOSED);
    assert_int_equal(feed(&b, &o, LZ_S, 1, 0), LZ_BREAKER_OPEN);
    assert_false(lz_breaker_admit(&b, &o, 6 * LZ_S - 1));
    assert_true(lz_breaker_admit(&b, &o, 6 * LZ_S));
    assert_int_equal(b.state, LZ_BREAKER_HALF_OPEN);
    assert_false(lz_breaker_admit(&b, &o, 6 * LZ_S)); // one probe at a time
    lz_breaker_result(&b, &o, 7 * LZ_S, b.generation, true);
    assert_int_equal(b.state, LZ_BREAKER_OPEN);
    assert_false(lz_breaker_admit(&b, &o, 12 * LZ_S - 1));
    assert_int_equal(feed(&b, &o, 12 * LZ_S, 0, 1), LZ_BREAKER_CLOSED);
    assert_int_equal(feed(&b, &o, 12 * LZ_S, 19, 0), LZ_BREAKER_CLOSED); // it has forgotten
}

static void failures_older_than_the_window_do_not_count(void **state)
{
    (void)state;
    struct lz_breaker_opts o = {0};
    struct lz_breaker b = make(&o);
    feed(&b, &o, LZ_S, 19, 0);
    assert_int_equal(feed(&b, &o, 11 * LZ_S, 1, 0), LZ_BREAKER_CLOSED); // 1 s .. 2 s is out
    struct lz_breaker c = make(&o);
    feed(&c, &o, LZ_S, 19, 0);
    assert_int_equal(feed(&c, &o, 11 * LZ_S - 1, 1, 0), LZ_BREAKER_OPEN);
}

// resilience4j: the last 100 calls, at least 100; 50 % opens; 10 calls half-open.
static void resilience4j_opens_at_fifty_of_a_hundred(void **state)
{
    (void)state;
    struct lz_breaker_opts o = {.calls = 100, .ratio = 0.5, .open = 60 * LZ_S, .probes = 10};
    struct lz_breaker b = make(&o);
    assert_int_equal(feed(&b, &o, LZ_S, 99, 0), LZ_BREAKER_CLOSED);
    struct lz_breaker c = make(&o);
    assert_int_equal(feed(&c, &o, LZ_S, 49, 51), LZ_BREAKER_CLOSED);
    struct lz_breaker d = make(&o);
    assert_int_equal(feed(&d, &o, LZ_S, 50, 50), LZ_BREAKER_OPEN);
    assert_int_equal(feed(&d, &o, 61 * LZ_S, 4, 5), LZ_BREAKER_HALF_OPEN);
    assert_int_equal(feed(&d, &o, 61 * LZ_S, 0, 1), LZ_BREAKER_CLOSED); // 4 of 10 failed
    struct lz_breaker f = make(&o);
    feed(&f, &o, LZ_S, 50, 50);
    assert_int_equal(feed(&f, &o, 61 * LZ_S, 5, 5), LZ_BREAKER_OPEN);
    struct lz_breaker g = make(&o); // the ring forgets the oldest
    feed(&g, &o, LZ_S, 0, 100);
    assert_int_equal(feed(&g, &o, LZ_S, 49, 0), LZ_BREAKER_CLOSED);
    assert_int_equal(feed(&g, &o, LZ_S, 1, 0), LZ_BREAKER_OPEN);
}

static void failures_in_a_row_open_and_a_success_starts_over(void **state)
{
    (void)state;
    struct lz_breaker_opts o = {.consecutive = 3, .probes = 2};
    struct lz_breaker b = make(&o);
    feed(&b, &o, 1, 2, 0);
    feed(&b, &o, 1, 0, 1);
    assert_int_equal(feed(&b, &o, 1, 2, 0), LZ_BREAKER_CLOSED);
    assert_int_equal(feed(&b, &o, 1, 1, 0), LZ_BREAKER_OPEN);
    lz_time probe = 1 + 5 * LZ_S;
    assert_true(lz_breaker_admit(&b, &o, probe) && lz_breaker_admit(&b, &o, probe));
    assert_false(lz_breaker_admit(&b, &o, probe));
    lz_breaker_forget(&b, b.generation); // one caller went away: another may try
    assert_true(lz_breaker_admit(&b, &o, probe));
    uint8_t before = b.generation;
    lz_breaker_result(&b, &o, probe, b.generation, true);
    assert_int_equal(b.state, LZ_BREAKER_OPEN);
    lz_breaker_result(&b, &o, probe, before, false); // the other probe comes too late
    assert_int_equal(b.state, LZ_BREAKER_OPEN);
}

// SRE book, ch. 21: max(0, (requests - K accepts) / (requests + 1)).
static void throttling_rejects_with_the_books_probability(void **state)
{
    (void)state;
    const struct lz_throttle_opts o = {.on = true, .k = 2.0, .over = 120 * LZ_S};
    struct lz_throttle t = {0};
    assert_true(lz_throttle_rejects(&t, &o, 0) == 0.0);
    for (int i = 0; i < 10; i++)
        lz_throttle_asked(&t, &o, LZ_S);
    assert_true(fabs(lz_throttle_rejects(&t, &o, LZ_S) - 10.0 / 11.0) < 1e-12); // 0.90909
    for (int i = 0; i < 3; i++)
        lz_throttle_accepted(&t, &o, LZ_S);
    assert_true(fabs(lz_throttle_rejects(&t, &o, LZ_S) - 4.0 / 11.0) < 1e-12);
    lz_throttle_accepted(&t, &o, LZ_S);
    lz_throttle_accepted(&t, &o, LZ_S);
    assert_true(lz_throttle_rejects(&t, &o, LZ_S) == 0.0);
    for (int i = 0; i < 7; i++)
        lz_throttle_asked(&t, &o, 100 * LZ_S);
    assert_true(fabs(lz_throttle_rejects(&t, &o, 119 * LZ_S) - 7.0 / 18.0) < 1e-12);
    // After two minutes the first ten and their five are forgotten.
    assert_true(fabs(lz_throttle_rejects(&t, &o, 122 * LZ_S) - 7.0 / 8.0) < 1e-12);
    assert_true(lz_throttle_rejects(&t, &o, 999 * LZ_S) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_spread_as_their_jitter_says),
        cmocka_unit_test(three_retries_wait_035_seconds_on_average),
        cmocka_unit_test(an_sdk_stops_retrying_after_so_many),
        cmocka_unit_test(grpc_stops_after_five_failures_and_goes_on_after_a_success),
        cmocka_unit_test(retries_are_a_share_of_what_is_active),
        cmocka_unit_test(hystrix_opens_at_twenty_of_twenty_and_probes_after_five_seconds),
        cmocka_unit_test(failures_older_than_the_window_do_not_count),
        cmocka_unit_test(resilience4j_opens_at_fifty_of_a_hundred),
        cmocka_unit_test(failures_in_a_row_open_and_a_success_starts_over),
        cmocka_unit_test(throttling_rejects_with_the_books_probability),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
