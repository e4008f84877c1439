/*
 * The load generator: a traffic's requests, sent to a real server and measured as a user would.
 *
 * Method: a world with one traffic, whose arrivals are the model's; the way of its requests leads
 * to a server that misbehaves on request. What came of them is read from the traffic's metrics and
 * from the kept requests. A machine may stand still for seconds: runs go on until enough was sent,
 * and nothing is expected to be done in a time.
 */
#include "live/load/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/service/service.h"
#include "model/traffic/traffic.h"
#include "server.h"
#include "stage.h"

#define RUN (1200 * LZ_MS)
#define PATIENCE (60 * LZ_S)

static uint16_t port;

// A run: its parts, and what was measured.
struct run {
    struct lz_live *live;
    struct lz_load *load;
    lz_component_id web, users;
    struct lz_live_edge plan;
    struct lz_live_target target;
    struct lz_site_process process;
    struct lz_site_edge edge;
};

static void make_world(struct run *r, const struct lz_traffic_opts *opts)
{
    struct lz_err err;
    r->live = stage_make(RUN + 2 * PATIENCE);
    const struct lz_service_opts web = {
        .name = "web", .replicas = 1, .service_time = lz_dist_constant(LZ_MS)};
    assert_true(lz_service_create(r->live->world, &web, &r->web, &err));
    struct lz_traffic_opts traffic = *opts;
    traffic.name = "users";
    traffic.to = r->web;
    assert_true(lz_traffic_create(r->live->world, &traffic, &r->users, &err));
}

static void begin(struct run *r, uint16_t at, const struct lz_live_traffic *sent,
                  const struct lz_traffic_opts *opts)
{
    struct lz_err err;
    make_world(r, opts);
    r->plan = (struct lz_live_edge){.client = r->users, .server = r->web};
    r->target = (struct lz_live_target){
        .instance = lz_world_component(r->live->world, r->web)->instances_first};
    r->process = (struct lz_site_process){.target = &r->target,
                                          .address = {.host = "127.0.0.1", .port = at}};
    r->edge = (struct lz_site_edge){
        .plan = &r->plan, .to = &r->process, .listen = {.host = "127.0.0.1", .port = at}};
    struct lz_live_traffic traffic = *sent;
    traffic.component = r->users;
    lz_load_create(r->live, &r->load);
    if (!lz_load_add(r->load, &traffic, &r->edge, &err))
        fail_msg("%s", err.msg);
    stage_begin(r->live);
}

static void end(struct run *r)
{
    lz_load_end(r->load);
    lz_load_destroy(r->load);
    stage_free(r->live);
}

// Until a second is over and measured, and that many were sent.
static void run_until_sent(struct run *r, uint64_t sent)
{
    int64_t until = lz_loop_clock() + PATIENCE;
    stage_run_for(r->live, RUN + 100 * LZ_MS);
    while (lz_load_count(r->load).sent < sent && lz_loop_clock() < until)
        stage_run_for(r->live, 20 * LZ_MS);
    assert_true(lz_load_count(r->load).sent >= sent);
}

static double value(const struct run *r, const char *metric)
{
    lz_metric id = lz_world_metric(r->live->world, r->users, metric);
    assert_true(id != 0);
    struct lz_sample s = lz_metrics_whole(r->live->world->metrics, id);
    return s.present ? s.value : -1.0;
}

static bool is_about(double a, double b)
{
    return a > b - 1e-9 && a < b + 1e-9;
}

static struct lz_traffic_opts even(double rate)
{
    struct lz_traffic_opts opts = {.constant = true};
    struct lz_err err;
    assert_true(lz_shape_constant(&opts.rate, rate, &err));
    opts.edge.timeout = PATIENCE;
    return opts;
}

static void what_users_see_is_measured(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        double success, timeouts;
        const char *said;
    } rows[] = {
        {"/ok", 1.0, 0.0, ""},
        {"/status/302", 1.0, 0.0, ""},
        {"/status/404", 0.0, 0.0, "users: the first error answer, status 404\n"},
        {"/status/503", 0.0, 0.0, "users: the first error answer, status 503\n"},
        {"/reset", 0.0, 0.0, "users: the first that was reset: "},
        {"/slow/60000", 0.0, 1.0, "users: the first that was timeout: "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run r = {.live = NULL};
        struct lz_traffic_opts opts = even(50.0);
        if (rows[i].timeouts > 0.0)
            opts.edge.timeout = 300 * LZ_MS;
        begin(&r, port, &(struct lz_live_traffic){.path = rows[i].path}, &opts);
        run_until_sent(&r, 50);
        assert_true(is_about(value(&r, "success.ratio"), rows[i].success));
        assert_true(is_about(value(&r, "errors.ratio"), 1.0 - rows[i].success));
        assert_true(value(&r, "rate") > 0.0 && value(&r, "rate") <= 51.0);
        assert_int_equal(value(&r, "timeouts.rate") > 0.0, rows[i].timeouts > 0.0);
        if (strncmp(r.live->said, rows[i].said, strlen(rows[i].said)) != 0)
            fail_msg("\"%s\" does not begin with \"%s\"", r.live->said, rows[i].said);
        end(&r);
    }
}

static void retries_are_the_traffics_own(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(20.0);
    opts.edge.retries = 2;
    opts.edge.backoff = (struct lz_backoff_opts){.base = 10 * LZ_MS, .jitter = LZ_JITTER_NONE};
    begin(&r, server_closed_port(), &(struct lz_live_traffic){.path = "/"}, &opts);
    run_until_sent(&r, 20);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true(count.attempts > count.sent && count.attempts <= 3 * count.sent);
    assert_true(value(&r, "latency.p50") >= 0.030); // 10 ms and 20 ms
    assert_true(lz_requests_kept(r.live->world) > 0);
    const struct lz_trace_kept *kept = lz_requests_kept_get(r.live->world, 0);
    assert_int_equal(kept->span_count, 3);
    assert_int_equal(kept->spans[1].phase[LZ_PHASE_RETRY_WAIT], 10 * LZ_MS);
    assert_int_equal(kept->spans[2].phase[LZ_PHASE_RETRY_WAIT], 20 * LZ_MS);
    assert_int_equal(kept->outcome, LZ_OUTCOME_REFUSED);
    end(&r);
}

// A bucket of ten tokens, each retry takes one, nothing puts any in: ten retries in all.
static void retries_end_with_their_budget(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(50.0);
    opts.edge.retries = 3;
    opts.edge.backoff = (struct lz_backoff_opts){.base = LZ_MS, .jitter = LZ_JITTER_NONE};
    opts.edge.budget = (struct lz_budget_opts){.on = true, .tokens = 10.0, .cost = 1.0};
    begin(&r, port, &(struct lz_live_traffic){.path = "/status/503"}, &opts);
    run_until_sent(&r, 50);
    struct lz_load_count count = lz_load_count(r.load);
    assert_int_equal(count.attempts, count.sent + 10);
    end(&r);
}

// After three failures in a row nothing is sent for a minute, and it is told.
static void an_open_breaker_sends_nothing(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(50.0);
    opts.edge.breaker =
        (struct lz_breaker_opts){.on = true, .consecutive = 3, .open = 600 * LZ_S, .probes = 1};
    begin(&r, port, &(struct lz_live_traffic){.path = "/status/503"}, &opts);
    run_until_sent(&r, 50);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true(count.sent >= 50);
    // Those that were under way when the third came back were let through.
    assert_true(count.attempts >= 3 && count.attempts < count.sent);
    assert_non_null(strstr(r.live->said, "users: its circuit breaker is open\n"));
    assert_true(is_about(value(&r, "success.ratio"), 0.0));
    end(&r);
}

// One at a time: the others are rejected while one waits for its answer.
static void a_bulkhead_lets_so_many_in(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(50.0);
    opts.edge.bulkhead = 1;
    int64_t began = lz_loop_clock();
    begin(&r, port, &(struct lz_live_traffic){.path = "/slow/200"}, &opts);
    run_until_sent(&r, 50);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true((int64_t)count.attempts <= (lz_loop_clock() - began) / (200 * LZ_MS) + 1);
    end(&r);
}

// Of a server that accepts nothing hardly anything is asked: with k = 1 and nothing accepted, the
// n-th request is rejected with probability (n - 1) / n (throttle.h), so that of 150 some six are
// sent, the harmonic sum, and 60 is beyond all chance. One user asks, who waits for each answer.
static void a_throttle_spares_who_accepts_nothing(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = {
        .users = 1, .think = lz_dist_constant(5 * LZ_MS), .edge = {.timeout = PATIENCE}};
    opts.edge.throttle = (struct lz_throttle_opts){.on = true, .k = 1.0, .over = 600 * LZ_S};
    begin(&r, port, &(struct lz_live_traffic){.path = "/status/503"}, &opts);
    run_until_sent(&r, 150);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true(count.attempts >= 1);
    assert_true(count.attempts <= 60);
    assert_true(is_about(value(&r, "success.ratio"), 0.0));
    end(&r);
    // Who is accepted rejects nothing.
    begin(&r, port, &(struct lz_live_traffic){.path = "/ok"}, &opts);
    run_until_sent(&r, 50);
    count = lz_load_count(r.load);
    assert_int_equal(count.attempts, count.sent);
    end(&r);
}

// 200 ms each, a second request after 20 ms and a third after 40.
static void a_hedge_is_another_request(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(10.0);
    opts.edge.hedge = (struct lz_hedge_opts){.attempts = 3, .after = 20 * LZ_MS};
    begin(&r, port, &(struct lz_live_traffic){.path = "/slow/200"}, &opts);
    run_until_sent(&r, 10);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true(count.hedges > 0);
    assert_true(count.hedges <= 2 * count.sent);
    assert_int_equal(count.attempts, count.sent + count.hedges);
    assert_true(value(&r, "success.ratio") > 0.0);
    lz_load_end(r.load);
    assert_non_null(strstr(r.live->said, "hedges were sent, and"));
    end(&r);
}

// However long its delay would be.
static void a_failure_brings_the_hedge_forward(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(20.0);
    opts.edge.hedge = (struct lz_hedge_opts){.attempts = 2, .after = PATIENCE / 2};
    begin(&r, port, &(struct lz_live_traffic){.path = "/status/500"}, &opts);
    run_until_sent(&r, 20);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true(count.hedges > 0);
    assert_true(is_about(value(&r, "success.ratio"), 0.0));
    end(&r);
}

static void no_attempt_goes_past_the_deadline_of_all(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(20.0);
    opts.edge.retries = 1000;
    opts.edge.overall_timeout = 200 * LZ_MS;
    opts.edge.backoff = (struct lz_backoff_opts){.base = 70 * LZ_MS, .jitter = LZ_JITTER_NONE};
    begin(&r, port, &(struct lz_live_traffic){.path = "/status/500"}, &opts);
    run_until_sent(&r, 20);
    assert_true(value(&r, "latency.p50") >= 0.19);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true(count.attempts <= 2 * count.sent); // at 0 and 70 ms; the next would be at 210 ms
    assert_true(value(&r, "timeouts.rate") > 0.0); // the wait that would have been too long
    end(&r);
}

// 40 a second, 50 ms each, over one connection: twice what it can do. The k-th waits longer and
// longer; measured from its sending each would have taken 50 ms.
static void latency_counts_from_the_intended_time(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(40.0);
    begin(&r, port, &(struct lz_live_traffic){.path = "/slow/50", .connections = 1}, &opts);
    run_until_sent(&r, 50);
    assert_true(value(&r, "latency.max") > 0.4);
    end(&r);
}

static void who_cannot_send_in_time_says_so(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(200.0);
    begin(&r, port, &(struct lz_live_traffic){.path = "/ok"}, &opts);
    for (int i = 0; i < 7; i++) {
        stage_run_for(r.live, 100 * LZ_MS);
        usleep(100000); // the generator is busy otherwise
    }
    stage_run_for(r.live, 100 * LZ_MS);
    struct lz_load_count count = lz_load_count(r.load);
    assert_true(count.late >= 40);
    assert_true(count.latest >= 50 * LZ_MS);
    assert_true(value(&r, "latency.max") >= 0.05); // and it is in the figures
    lz_load_end(r.load);
    assert_non_null(strstr(r.live->said, "requests were sent over 10ms late"));
    assert_non_null(strstr(r.live->said, "doubt: "));
    assert_non_null(strstr(r.live->said, "lower its rate"));
    end(&r);
}

static void users_of_a_closed_loop_wait_for_their_answers(void **state)
{
    (void)state;
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = {.users = 5, .edge = {.timeout = PATIENCE}};
    int64_t began = lz_loop_clock();
    begin(&r, port, &(struct lz_live_traffic){.path = "/slow/100"}, &opts);
    run_until_sent(&r, 40);
    struct lz_load_count count = lz_load_count(r.load);
    // 5 users, ten times a second each
    assert_true((int64_t)count.sent <= 5 * ((lz_loop_clock() - began) / (100 * LZ_MS) + 1));
    assert_true(value(&r, "in_flight") <= 5.0);
    end(&r);
}

static void a_program_may_stand_for_a_request(void **state)
{
    (void)state;
    static const struct {
        const char *argv[4];
        double success;
        const char *said;
    } rows[] = {
        {{"true"}, 1.0, ""},
        {{"sh", "-c", "echo no rows; exit 3"},
         0.0,
         "users: the first that was failed: ended with 3: no rows\n"},
        {{"sleep", "300"}, 0.0, "users: the first that was timeout: "},
        {{"no-such-program"},
         0.0,
         "users: the first that was failed: no-such-program cannot be run: No such file"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run r = {.live = NULL};
        struct lz_traffic_opts opts = even(10.0);
        if (strcmp(rows[i].argv[0], "sleep") == 0)
            opts.edge.timeout = 300 * LZ_MS;
        begin(&r, port, &(struct lz_live_traffic){.command = {rows[i].argv, 1}}, &opts);
        run_until_sent(&r, 10);
        assert_true(is_about(value(&r, "success.ratio"), rows[i].success));
        assert_true(value(&r, "rate") > 0.0);
        if (strncmp(r.live->said, rows[i].said, strlen(rows[i].said)) != 0)
            fail_msg("\"%s\" does not begin with \"%s\"", r.live->said, rows[i].said);
        end(&r);
    }
}

static void no_more_programs_run_at_once_than_may(void **state)
{
    (void)state;
    static const char *const argv[] = {"sleep", "0.2", NULL};
    struct run r = {.live = NULL};
    struct lz_traffic_opts opts = even(50.0);
    const struct lz_live_traffic sent = {.command = {argv, 2}, .connections = 2};
    int64_t began = lz_loop_clock();
    begin(&r, port, &sent, &opts);
    run_until_sent(&r, 3);
    struct lz_load_count count = lz_load_count(r.load);
    // two at once, five a second each
    assert_true((int64_t)count.sent <= 2 * ((lz_loop_clock() - began) / (200 * LZ_MS) + 1));
    assert_true(count.late > 0);
    end(&r);
}

static int set_up(void **state)
{
    (void)state;
    port = server_start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    server_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_users_see_is_measured),
        cmocka_unit_test(retries_are_the_traffics_own),
        cmocka_unit_test(retries_end_with_their_budget),
        cmocka_unit_test(an_open_breaker_sends_nothing),
        cmocka_unit_test(a_bulkhead_lets_so_many_in),
        cmocka_unit_test(a_throttle_spares_who_accepts_nothing),
        cmocka_unit_test(a_hedge_is_another_request),
        cmocka_unit_test(a_failure_brings_the_hedge_forward),
        cmocka_unit_test(no_attempt_goes_past_the_deadline_of_all),
        cmocka_unit_test(latency_counts_from_the_intended_time),
        cmocka_unit_test(who_cannot_send_in_time_says_so),
        cmocka_unit_test(users_of_a_closed_loop_wait_for_their_answers),
        cmocka_unit_test(a_program_may_stand_for_a_request),
        cmocka_unit_test(no_more_programs_run_at_once_than_may),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
