/*
 * HTTP requests on the event loop: each way in which they can end, and what is used again.
 *
 * Method: a server that misbehaves on request, a table of paths and what must come of them.
 */
#include "live/load/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server.h"
#include "stage.h"

#define SECOND INT64_C(1000000000)
#define PATIENCE (30 * SECOND) // nothing here takes long, but a machine may stand still

static struct lz_live *live;
static uint16_t port;

struct got {
    int count;
    struct lz_fetch_result last;
    char text[70000];
    int connects;
    struct lz_fetch *again; // begun once more from within the callback
    bool destroys;
};

static void on_result(void *ctx, const struct lz_fetch_result *r)
{
    struct got *got = ctx;
    got->count++;
    got->last = *r;
    got->connects += r->connect_ns > 0;
    assert_true(r->size < sizeof(got->text));
    memcpy(got->text, r->text, r->size);
    got->text[r->size] = '\0';
    if (got->destroys)
        lz_fetch_destroy(got->again);
    else if (got->again != NULL && got->count < 3)
        lz_fetch_begin(got->again, PATIENCE, false, on_result, got);
}

static struct lz_fetch *make_with(struct lz_fetch_opts opts, uint16_t at, const char *path)
{
    char url[200];
    struct lz_fetch *fetch = NULL;
    struct lz_err err;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", at, path);
    opts.url = url;
    opts.keep = 65536;
    assert_true(lz_fetch_create(live->loop, &opts, &fetch, &err));
    return fetch;
}

static struct lz_fetch *make(const char *path)
{
    return make_with((struct lz_fetch_opts){.method = NULL}, port, path);
}

static struct got fetch_once(struct lz_fetch *fetch, int64_t timeout_ns)
{
    struct got got = {.count = 0};
    lz_fetch_begin(fetch, timeout_ns, false, on_result, &got);
    assert_int_equal(got.count, 0); // never from within
    stage_wait(live, &got.count, 1);
    return got;
}

static void every_end_has_its_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum lz_fetch_outcome outcome;
        uint16_t status;
        const char *text;
    } rows[] = {
        {"/ok", LZ_FETCH_ANSWERED, 200, "42 rows\n"},
        {"/status/404", LZ_FETCH_ANSWERED, 404, "no\n"},
        {"/status/503", LZ_FETCH_ANSWERED, 503, "no\n"},
        {"/reset", LZ_FETCH_RESET, 0, NULL},
        {"/close", LZ_FETCH_RESET, 0, NULL},
        {"/partial", LZ_FETCH_RESET, 0, NULL},
        {"/slow/60000", LZ_FETCH_TIMEOUT, 0, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_fetch *fetch = make(rows[i].path);
        bool is_slow = rows[i].outcome == LZ_FETCH_TIMEOUT;
        struct got got = fetch_once(fetch, is_slow ? SECOND / 4 : PATIENCE);
        assert_string_equal(lz_fetch_outcome_name(got.last.outcome),
                            lz_fetch_outcome_name(rows[i].outcome));
        assert_int_equal(got.last.status, rows[i].status);
        if (rows[i].text != NULL)
            assert_string_equal(got.text, rows[i].text);
        else
            assert_true(strlen(got.text) > 0);
        lz_fetch_destroy(fetch);
    }
}

static void where_nobody_listens_it_is_refused(void **state)
{
    (void)state;
    struct lz_fetch *fetch =
        make_with((struct lz_fetch_opts){.method = NULL}, server_closed_port(), "/");
    struct got got = fetch_once(fetch, PATIENCE);
    assert_int_equal(got.last.outcome, LZ_FETCH_REFUSED);
    lz_fetch_destroy(fetch);
}

static void what_says_nothing_times_out(void **state)
{
    (void)state;
    struct lz_fetch *fetch =
        make_with((struct lz_fetch_opts){.method = NULL}, server_mute_port(), "/");
    int64_t began = lz_loop_clock();
    struct got got = fetch_once(fetch, SECOND / 10);
    assert_int_equal(got.last.outcome, LZ_FETCH_TIMEOUT);
    assert_true(lz_loop_clock() - began >= SECOND / 10);
    lz_fetch_destroy(fetch);
}

static void connections_are_used_again(void **state)
{
    (void)state;
    struct lz_fetch *fetch = make("/ok");
    struct got got = {.again = fetch};
    lz_fetch_begin(fetch, PATIENCE, false, on_result, &got);
    stage_wait(live, &got.count, 3);
    assert_int_equal(got.connects, 1);
    got.again = NULL;
    lz_fetch_begin(fetch, PATIENCE, true, on_result, &got); // unless one of its own is asked for
    stage_wait(live, &got.count, 4);
    assert_int_equal(got.connects, 2);
    lz_fetch_destroy(fetch);
}

// libcurl would repeat the request on a new connection, and nobody would know.
static void a_kept_connection_that_breaks_is_a_reset(void **state)
{
    (void)state;
    struct lz_fetch *fetch = make("/once");
    struct got first = fetch_once(fetch, PATIENCE);
    assert_int_equal(first.last.status, 200);
    struct got second = fetch_once(fetch, PATIENCE);
    assert_int_equal(second.last.outcome, LZ_FETCH_RESET);
    assert_non_null(strstr(second.text, "kept connection"));
    struct got third = fetch_once(fetch, PATIENCE);
    assert_int_equal(third.last.status, 200);
    lz_fetch_destroy(fetch);
}

static void as_many_go_at_once_as_there_may_be_connections(void **state)
{
    (void)state;
    static const struct {
        uint32_t connections;
        int opened;
        int64_t at_least;
    } rows[] = {{8, 8, SECOND * 3 / 10}, {1, 1, SECOND * 24 / 10}};
    for (size_t i = 0; i < 2; i++) {
        struct lz_fetch *fetch = make_with(
            (struct lz_fetch_opts){.connections = rows[i].connections}, port, "/slow/300");
        struct got got = {.count = 0};
        int64_t began = lz_loop_clock();
        for (int k = 0; k < 8; k++)
            lz_fetch_begin(fetch, PATIENCE, false, on_result, &got);
        stage_wait(live, &got.count, 8);
        assert_int_equal(got.last.outcome, LZ_FETCH_ANSWERED);
        assert_int_equal(got.connects, rows[i].opened);
        assert_true(lz_loop_clock() - began >= rows[i].at_least);
        lz_fetch_destroy(fetch);
    }
}

static void who_waits_for_a_connection_does_so_no_longer_than_its_timeout(void **state)
{
    (void)state;
    struct lz_fetch *fetch =
        make_with((struct lz_fetch_opts){.connections = 1}, port, "/slow/60000");
    struct got first = {.count = 0}, second = {.count = 0}, gone = {.count = 0};
    lz_fetch_begin(fetch, 2 * PATIENCE, false, on_result, &first);
    struct lz_fetch_run *third = lz_fetch_begin(fetch, 2 * PATIENCE, false, on_result, &gone);
    lz_fetch_begin(fetch, SECOND / 10, false, on_result, &second);
    stage_wait(live, &second.count, 1);
    assert_int_equal(first.count, 0);
    assert_int_equal(second.last.outcome, LZ_FETCH_TIMEOUT);
    assert_string_equal(second.text, "no connection was free in time");
    lz_fetch_cancel(third);
    stage_run_for(live, SECOND / 50);
    assert_int_equal(first.count, 0);
    assert_int_equal(gone.count, 0);
    lz_fetch_destroy(fetch);
}

static void what_is_declared_is_what_is_sent(void **state)
{
    (void)state;
    const struct lz_live_pair headers[] = {{"Host", "shop.test"}, {"X-Empty", ""}};
    struct lz_fetch *fetch =
        make_with((struct lz_fetch_opts){.method = "PUT", .body = "a=1", .headers = {headers, 2}},
                  port, "/echo");
    struct got got = fetch_once(fetch, PATIENCE);
    assert_non_null(strstr(got.text, "PUT /echo HTTP/1.1\r\n"));
    assert_non_null(strstr(got.text, "Host: shop.test\r\n"));
    assert_non_null(strstr(got.text, "X-Empty:"));
    assert_non_null(strstr(got.text, "Content-Length: 3\r\n"));
    assert_null(strstr(got.text, "Expect:"));
    assert_non_null(strstr(got.text, "\r\n\r\na=1"));
    lz_fetch_destroy(fetch);
}

static void it_connects_where_it_is_told_to_and_names_whom_it_means(void **state)
{
    (void)state;
    char via[32];
    struct lz_err err;
    struct lz_fetch *fetch;
    snprintf(via, sizeof(via), "127.0.0.1:%u", port);
    const struct lz_fetch_opts opts = {
        .url = "http://shop.invalid:8080/echo", .via = via, .keep = 4096};
    assert_true(lz_fetch_create(live->loop, &opts, &fetch, &err));
    struct got got = fetch_once(fetch, PATIENCE);
    assert_non_null(strstr(got.text, "Host: shop.invalid:8080\r\n"));
    lz_fetch_destroy(fetch);
}

static void a_name_that_does_not_resolve_is_a_failure_that_says_so(void **state)
{
    (void)state;
    struct lz_err err;
    struct lz_fetch *fetch;
    const struct lz_fetch_opts opts = {.url = "http://nowhere.invalid/"};
    assert_true(lz_fetch_create(live->loop, &opts, &fetch, &err));
    struct got got = fetch_once(fetch, PATIENCE);
    assert_int_equal(got.last.outcome, LZ_FETCH_FAILED);
    assert_non_null(strstr(got.text, "nowhere.invalid"));
    lz_fetch_destroy(fetch);
}

static void of_a_body_no_more_is_kept_than_was_said(void **state)
{
    (void)state;
    struct lz_fetch *fetch = make("/big/1000000");
    struct got got = fetch_once(fetch, PATIENCE);
    assert_int_equal(got.last.outcome, LZ_FETCH_ANSWERED);
    assert_int_equal(got.last.size, 65536);
    lz_fetch_destroy(fetch);
}

static void a_connection_alone_is_opened_and_closed(void **state)
{
    (void)state;
    const struct lz_fetch_opts only = {.connect_only = true};
    struct lz_fetch *open = make_with(only, port, "/");
    struct lz_fetch *shut = make_with(only, server_closed_port(), "/");
    for (int i = 0; i < 3; i++) {
        struct got got = fetch_once(open, PATIENCE);
        assert_int_equal(got.last.outcome, LZ_FETCH_ANSWERED);
        got = fetch_once(shut, PATIENCE);
        assert_int_equal(got.last.outcome, LZ_FETCH_REFUSED);
    }
    lz_fetch_destroy(open);
    lz_fetch_destroy(shut);
}

static void what_is_cancelled_calls_nobody(void **state)
{
    (void)state;
    struct lz_fetch *fetch = make("/stuck-once");
    struct got gone = {.count = 0};
    lz_fetch_cancel(lz_fetch_begin(fetch, PATIENCE, false, on_result, &gone));
    struct lz_fetch_run *sent = lz_fetch_begin(fetch, PATIENCE, false, on_result, &gone);
    int64_t until = lz_loop_clock() + PATIENCE;
    while (!server_is_stuck() && lz_loop_clock() < until)
        stage_run_for(live, SECOND / 50);
    assert_true(server_is_stuck());
    lz_fetch_cancel(sent);
    struct got got = fetch_once(fetch, PATIENCE);
    assert_int_equal(got.last.status, 200);
    assert_int_equal(gone.count, 0);
    lz_fetch_destroy(fetch);
}

static void it_may_be_destroyed_by_whom_it_calls(void **state)
{
    (void)state;
    struct lz_fetch *fetch = make("/ok");
    struct got got = {.again = fetch, .destroys = true};
    lz_fetch_begin(fetch, PATIENCE, false, on_result, &got);
    lz_fetch_begin(fetch, PATIENCE, false, on_result, &got);
    stage_wait(live, &got.count, 1);
    stage_run_for(live, SECOND / 50);
    assert_int_equal(got.count, 1);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const struct lz_live_pair line = {"X", "a\r\nY: b"}, blank = {"X Y", "a"};
    const struct {
        struct lz_fetch_opts opts;
        const char *said;
    } rows[] = {
        {{.url = "127.0.0.1:80"}, "no URL"},
        {{.url = "ftp://127.0.0.1/"}, "must begin with http:// or https://"},
        {{.url = "http://127.0.0.1:99999/"}, "no URL"},
        {{.url = "http://127.0.0.1/", .method = "GET /"}, "no method"},
        {{.url = "http://127.0.0.1/", .headers = {&line, 1}}, "cannot be a header"},
        {{.url = "http://127.0.0.1/", .headers = {&blank, 1}}, "cannot be a header"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_fetch *fetch = NULL;
        struct lz_err err;
        assert_false(lz_fetch_create(live->loop, &rows[i].opts, &fetch, &err));
        assert_null(fetch);
        if (strstr(err.msg, rows[i].said) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.msg, rows[i].said);
    }
}

static int set_up(void **state)
{
    (void)state;
    port = server_start();
    live = stage_make(LZ_S);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    server_stop();
    stage_free(live);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_has_its_outcome),
        cmocka_unit_test(where_nobody_listens_it_is_refused),
        cmocka_unit_test(what_says_nothing_times_out),
        cmocka_unit_test(connections_are_used_again),
        cmocka_unit_test(a_kept_connection_that_breaks_is_a_reset),
        cmocka_unit_test(as_many_go_at_once_as_there_may_be_connections),
        cmocka_unit_test(who_waits_for_a_connection_does_so_no_longer_than_its_timeout),
        cmocka_unit_test(what_is_declared_is_what_is_sent),
        cmocka_unit_test(it_connects_where_it_is_told_to_and_names_whom_it_means),
        cmocka_unit_test(a_name_that_does_not_resolve_is_a_failure_that_says_so),
        cmocka_unit_test(of_a_body_no_more_is_kept_than_was_said),
        cmocka_unit_test(a_connection_alone_is_opened_and_closed),
        cmocka_unit_test(what_is_cancelled_calls_nobody),
        cmocka_unit_test(it_may_be_destroyed_by_whom_it_calls),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
