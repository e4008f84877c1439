/*
 * An edge that speaks HTTP: requests are held, answered at the door and their answers replaced,
 * chosen by path, method, share, order; and what the proxy saw of them is told. The server
 * answers with "METHOD PATH BODY-LENGTH".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIXTURE_SERVER 'h'
#include "fixture.h"

// All that comes back, until the end of the stream or of `count` answers with their bodies.
static const char *answers(int fd, int count)
{
    static char text[8192];
    size_t have = 0;
    int seen = 0;
    while (have < sizeof(text) - 1) {
        ssize_t n = stage_recv(fd, text + have, sizeof(text) - 1 - have);
        if (n <= 0)
            break;
        have += (size_t)n;
        text[have] = '\0';
        seen = 0;
        for (char *at = text; (at = strstr(at, "\r\n\r\n")) != NULL;) {
            char *length = strcasestr(text, "content-length:");
            for (char *next = length; next != NULL && next < at;) {
                length = next;
                next = strcasestr(next + 1, "content-length:");
            }
            size_t body = length != NULL ? strtoul(length + 15, NULL, 10) : 0;
            at += 4;
            seen += (size_t)(at - text) + body <= have;
        }
        if (seen >= count)
            break;
    }
    text[have] = '\0';
    return text;
}

static const char *ask(int fd, const char *request)
{
    stage_send(fd, request);
    return answers(fd, 1);
}

static void has(const char *text, const char *want)
{
    if (text == NULL || strstr(text, want) == NULL)
        fail_msg("\"%s\" has no \"%s\"", text == NULL ? "(nothing)" : text, want);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void requests_pass_and_are_told(void **state)
{
    (void)state;
    int fd = stage_connect(&s);
    has(ask(fd, GET("/a")), "GET /a 0");
    has(ask(fd, "POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), "POST /b 3");
    close(fd);
    stage_look(&s, 4);
    assert_int_equal(s.seen_count, 4);
    assert_int_equal(s.seen[0].saw, LZ_PROXY_ARRIVED);
    assert_int_equal(s.seen[1].saw, LZ_PROXY_ANSWERED);
    assert_int_equal(s.seen[1].status, 200);
    assert_int_equal(s.seen[1].edge, s.edge);
    assert_true(s.seen[1].latency_ns > 0);
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).requests, 2);
}

static void an_abort_answers_at_the_door_by_path_and_method(void **state)
{
    (void)state;
    struct lz_toxic t = {.kind = LZ_TOXIC_HTTP_ABORT,
                         .status = 503,
                         .path = "/api/*",
                         .method = "POST",
                         .has_body = true,
                         .body = "go away"};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    has(ask(fd, GET("/api/x")), "GET /api/x 0");
    const char *text = ask(fd, "POST /api/x?q=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    has(text, "HTTP/1.1 503 Service Unavailable\r\n");
    has(text, "\r\n\r\ngo away");
    // The connection goes on, and the body was not taken for a request.
    has(ask(fd, "POST /other HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), "POST /other 1");
    assert_int_equal(stage_touched(&s, id, 1), 1);
    close(fd);
}

static void the_first_or_every_nth_are_chosen(void **state)
{
    (void)state;
    struct lz_toxic first = {.kind = LZ_TOXIC_HTTP_ABORT, .status = 500, .first = 2};
    struct lz_toxic nth = {.kind = LZ_TOXIC_HTTP_ABORT, .status = 429, .nth = 3};
    int fd = stage_connect(&s);
    lz_proxy_toxic_id id = stage_add(&s, &first);
    has(ask(fd, GET("/")), " 500 ");
    has(ask(fd, GET("/")), " 500 ");
    has(ask(fd, GET("/")), " 200 ");
    stage_remove(&s, id);
    stage_add(&s, &nth);
    for (int i = 1; i <= 6; i++)
        has(ask(fd, GET("/")), i % 3 == 0 ? " 429 " : " 200 ");
    close(fd);
}

static void a_share_is_drawn_and_repeats(void **state)
{
    (void)state;
    struct lz_toxic t = {.kind = LZ_TOXIC_HTTP_ABORT, .status = 500, .ratio = 0.5};
    char drawn[2][33] = {"", ""};
    for (int run = 0; run < 2; run++) {
        lz_proxy_toxic_id id = stage_add(&s, &t);
        int fd = stage_connect(&s);
        for (int i = 0; i < 32; i++)
            drawn[run][i] = strstr(ask(fd, GET("/")), " 500 ") != NULL ? 'x' : '.';
        stage_remove(&s, id);
        close(fd);
    }
    assert_string_equal(drawn[0], drawn[1]);
    assert_non_null(strchr(drawn[0], 'x'));
    assert_non_null(strchr(drawn[0], '.'));
}

static void what_exceeds_a_rate_is_refused(void **state)
{
    (void)state;
    struct lz_toxic t = {.kind = LZ_TOXIC_HTTP_ABORT, .status = 429, .rate = 1e-3, .burst = 3};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    for (int i = 1; i <= 5; i++)
        has(ask(fd, GET("/")), i <= 3 ? " 200 " : " 429 ");
    assert_int_equal(stage_touched(&s, id, 2), 2);
    // A faster one: its bucket fills while we look.
    t.rate = 1e6;
    assert_true(lz_proxy_change(s.proxy, id, &t, &(struct lz_err){0}));
    // A change is not waited for.
    for (int i = 0; i < 3000 && strstr(ask(fd, GET("/")), " 200 ") == NULL; i++)
        usleep(10000);
    has(ask(fd, GET("/")), " 200 ");
    close(fd);
}

static void a_delay_holds_the_request_and_the_server_does_not_count_it(void **state)
{
    (void)state;
    struct lz_toxic t = {
        .kind = LZ_TOXIC_HTTP_DELAY, .delay = lz_dist_constant(60 * MS), .path = "/slow"};
    stage_add(&s, &t);
    int fd = stage_connect(&s);
    int64_t before = lz_loop_clock();
    has(ask(fd, GET("/slow")), "GET /slow 0");
    assert_true(lz_loop_clock() - before >= 60 * MS);
    stage_look(&s, 2);
    assert_int_equal(s.seen[1].saw, LZ_PROXY_ANSWERED);
    assert_true(s.seen[1].latency_ns < lz_loop_clock() - before - 60 * MS);
    close(fd);
}

static void an_answer_is_replaced_after_the_servers_work(void **state)
{
    (void)state;
    struct lz_toxic body = {
        .kind = LZ_TOXIC_HTTP_REPLACE, .path = "/b", .has_body = true, .body = "nothing"};
    struct lz_toxic status = {.kind = LZ_TOXIC_HTTP_REPLACE, .path = "/s", .status = 404};
    struct lz_toxic none = {.kind = LZ_TOXIC_HTTP_REPLACE, .path = "/n", .status = 204};
    struct lz_toxic same = {.kind = LZ_TOXIC_HTTP_REPLACE, .path = "/m", .status = 304};
    stage_add(&s, &body);
    stage_add(&s, &status);
    stage_add(&s, &none);
    stage_add(&s, &same);
    int fd = stage_connect(&s);
    const char *text = ask(fd, GET("/b"));
    has(text, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nnothing");
    assert_null(strcasestr(text, "etag")); // it was of another body
    has(ask(fd, GET("/s")), "HTTP/1.1 404 Not Found\r\nETag: \"x\"\r\n");
    // A status without a body has neither one nor a length: the next answer follows.
    stage_send(fd, GET("/n") GET("/c"));
    text = answers(fd, 2);
    has(text, "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n");
    has(text, "GET /c 0");
    stage_look(&s, 8);
    assert_int_equal(s.seen[3].saw, LZ_PROXY_ANSWERED);
    assert_int_equal(s.seen[3].status, 200); // it counts what it meant to say
    // The tag of a 304 is of what its client has (RFC 9110, 15.4.5).
    has(ask(fd, GET("/m")), "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
    close(fd);
    // What takes an answer's place does not wait for its end: it may have none.
    fd = stage_connect(&s);
    has(ask(fd, GET("/b?endless")), "Content-Length: 7\r\n\r\nnothing");
    close(fd);
}

// Nothing but the end comes back.
static void is_broken(int fd, const char *request)
{
    char text[64];
    stage_send(fd, request);
    ssize_t n = stage_recv(fd, text, sizeof(text));
    if (n > 0)
        fail_msg("it was answered: %.*s", (int)n, text);
    close(fd);
}

static void a_reset_breaks_the_connection_of_the_requests_it_means(void **state)
{
    (void)state;
    struct lz_toxic t = {
        .kind = LZ_TOXIC_HTTP_RESET, .path = "/pay", .method = "POST", .header = "x-user: ev*"};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    has(ask(fd, GET("/pay")), "GET /pay 0");
    has(ask(fd, "POST /pay HTTP/1.1\r\n\r\n"), "POST /pay 0");
    has(ask(fd, "POST /pay HTTP/1.1\r\nX-User: adam\r\n\r\n"), "POST /pay 0");
    has(ask(fd, "POST /other HTTP/1.1\r\nX-User: eve\r\n\r\n"), "POST /other 0");
    assert_int_equal(lz_proxy_touched(s.proxy, id), 0);
    is_broken(fd, "POST /pay HTTP/1.1\r\nx-other: 1\r\nX-USER:  eve \r\n\r\n");
    assert_int_equal(stage_touched(&s, id, 1), 1);
    stage_look(&s, 10);
    assert_int_equal(s.seen[8].saw, LZ_PROXY_ARRIVED);
    assert_int_equal(s.seen[9].saw, LZ_PROXY_RESET);
    // Other connections go on, and after it all do.
    fd = stage_connect(&s);
    has(ask(fd, GET("/pay")), "GET /pay 0");
    stage_remove(&s, id);
    has(ask(fd, "POST /pay HTTP/1.1\r\nX-User: eve\r\n\r\n"), "POST /pay 0");
    close(fd);
}

static void a_reset_of_a_request_that_is_held_comes_after_it(void **state)
{
    (void)state;
    struct lz_toxic slow = {
        .kind = LZ_TOXIC_HTTP_DELAY, .path = "/pay", .delay = lz_dist_constant(300 * MS)};
    stage_add(&s, &slow);
    lz_proxy_toxic_id id =
        stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_HTTP_RESET, .path = "/pay"});
    int fd = stage_connect(&s);
    int64_t before = lz_loop_clock();
    // What came before it is answered meanwhile, and nothing that came behind it.
    has(ask(fd, GET("/first") GET("/pay") GET("/behind")), "GET /first 0");
    is_broken(fd, "");
    assert_true(lz_loop_clock() - before >= 300 * MS);
    assert_int_equal(stage_touched(&s, id, 1), 1);
    stage_look(&s, 4);
    assert_int_equal(s.seen_count, 4);
    assert_int_equal(s.seen[3].saw, LZ_PROXY_RESET);
    assert_true(s.seen[3].latency_ns >= 300 * MS);
}

static void a_reset_of_an_answer_comes_once_the_work_is_done(void **state)
{
    (void)state;
    struct lz_toxic t = {
        .kind = LZ_TOXIC_HTTP_RESET, .on_answer = true, .of_status = 200, .path = "/pay"};
    struct lz_toxic not_found = {.kind = LZ_TOXIC_HTTP_RESET, .on_answer = true, .of_status = 404};
    lz_proxy_toxic_id id = stage_add(&s, &t), other = stage_add(&s, &not_found);
    is_broken(stage_connect(&s), GET("/pay?n=1"));
    assert_int_equal(stage_touched(&s, id, 1), 1);
    stage_look(&s, 2);
    assert_int_equal(s.seen[1].saw, LZ_PROXY_ANSWERED); // for all the server knows
    assert_int_equal(s.seen[1].status, 200);
    // One that has no end is broken at its head.
    is_broken(stage_connect(&s), GET("/pay?endless"));
    assert_int_equal(stage_touched(&s, id, 2), 2);
    // In a chain: what another has made of it is what it then is.
    stage_remove(&s, id);
    stage_remove(&s, other);
    stage_add(&s,
              &(struct lz_toxic){.kind = LZ_TOXIC_HTTP_REPLACE, .status = 404, .path = "/gone"});
    other = stage_add(&s, &not_found);
    int fd = stage_connect(&s);
    has(ask(fd, GET("/there")), "GET /there 0");
    is_broken(fd, GET("/gone"));
    assert_int_equal(stage_touched(&s, other, 1), 1);
}

static void a_delay_of_an_answer_is_not_the_servers(void **state)
{
    (void)state;
    struct lz_toxic t = {.kind = LZ_TOXIC_HTTP_DELAY,
                         .on_answer = true,
                         .of_status = 200,
                         .delay = lz_dist_constant(60 * MS)};
    lz_proxy_toxic_id id = stage_add(&s, &t);
    int fd = stage_connect(&s);
    int64_t before = lz_loop_clock();
    has(ask(fd, GET("/slow")), "GET /slow 0");
    assert_true(lz_loop_clock() - before >= 60 * MS);
    assert_int_equal(stage_touched(&s, id, 1), 1);
    stage_look(&s, 2);
    assert_true(s.seen[1].latency_ns < 60 * MS);
    close(fd);
}

static void what_is_refused_after_a_delay_comes_after_it(void **state)
{
    (void)state;
    struct lz_toxic slow = {.kind = LZ_TOXIC_HTTP_DELAY, .delay = lz_dist_constant(60 * MS)};
    struct lz_toxic no = {.kind = LZ_TOXIC_HTTP_ABORT, .status = 503};
    lz_proxy_toxic_id id = stage_add(&s, &slow);
    stage_add(&s, &no);
    int fd = stage_connect(&s);
    int64_t before = lz_loop_clock();
    has(ask(fd, GET("/slow")), " 503 ");
    assert_true(lz_loop_clock() - before >= 60 * MS);
    assert_int_equal(stage_touched(&s, id, 1), 1);
    close(fd);
    // One whose body may still come ends its connection, but not before it is answered.
    stage_remove(&s, id);
    slow.delay = lz_dist_constant(1200 * MS);
    stage_add(&s, &slow);
    fd = stage_connect(&s);
    has(ask(fd, "POST /slow HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
        " 503 ");
    close(fd);
}

static void what_is_refused_was_held_from_when_it_came(void **state)
{
    (void)state;
    stage_add(&s,
              &(struct lz_toxic){.kind = LZ_TOXIC_HTTP_DELAY, .delay = lz_dist_constant(800 * MS)});
    stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_HTTP_ABORT, .path = "/no"});
    int fd = stage_connect(&s);
    int64_t before = lz_loop_clock();
    stage_send(fd, GET("/first") GET("/no"));
    has(answers(fd, 2), " 500 ");
    assert_in_range(lz_loop_clock() - before, 800 * MS, 1500 * MS); // they were held together
    close(fd);
}

static void a_header_of_an_answer_is_set_in_place_of_its_own(void **state)
{
    (void)state;
    stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_HTTP_REPLACE, .set_header = "etag: \"y\""});
    int fd = stage_connect(&s);
    const char *text = ask(fd, GET("/a"));
    has(text, "etag: \"y\"\r\n\r\nGET /a 0");
    assert_null(strstr(text, "ETag: \"x\""));
    close(fd);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    (void)state;
    struct lz_toxic t = {.kind = LZ_TOXIC_HTTP_ABORT, .status = 503, .path = "/no"};
    stage_add(&s, &t);
    int fd = stage_connect(&s);
    stage_send(fd, GET("/1") GET("/no") GET("/2") GET("/no") GET("/3"));
    const char *text = answers(fd, 5);
    const char *want[] = {"GET /1 0", " 503 ", "GET /2 0", " 503 ", "GET /3 0"};
    for (size_t i = 0; i < 5; i++) {
        const char *at = strstr(text, want[i]);
        if (at == NULL)
            fail_msg("no \"%s\" in \"%s\"", want[i], text);
        text = at + 1;
    }
    close(fd);
}

static void an_answer_to_a_HEAD_has_no_body(void **state)
{
    (void)state;
    int fd = stage_connect(&s);
    stage_send(fd, "HEAD /h HTTP/1.1\r\n\r\n" GET("/after"));
    const char *text = answers(fd, 2);
    has(text, "Content-Length: 9\r\n\r\nHTTP/1.1 200 OK");
    has(text, "GET /after 0");
    close(fd);
}

static void an_abort_of_a_request_that_expects_to_be_continued_ends_the_connection(void **state)
{
    (void)state;
    stage_add(&s, &(struct lz_toxic){.kind = LZ_TOXIC_HTTP_ABORT});
    int fd = stage_connect(&s);
    stage_send(fd, "PUT /x HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    const char *text = answers(fd, 99);
    has(text, " 500 ");
    has(text, "Connection: close\r\n");
    close(fd);
}

static void what_is_not_HTTP_is_told_so(void **state)
{
    (void)state;
    static char big[70000];
    static const char *const said[][2] = {
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " 505 "},
        {"\x16\x03\x01\x01\r\n", " 400 "},
        {big, " 431 "},
    };
    int n = snprintf(big, sizeof(big), "GET / HTTP/1.1\r\nX: ");
    memset(big + n, 'a', sizeof(big) - 1 - (size_t)n);
    for (size_t i = 0; i < 3; i++) {
        int fd = stage_connect(&s);
        // It may have answered and closed before it was given all: that is no matter here.
        (void)!stage_push(fd, said[i][0], strlen(said[i][0]));
        if (i == 1)
            (void)!stage_push(fd, "\r\n\r\n", 4);
        const char *text = answers(fd, 99);
        has(text, said[i][1]);
        has(text, "edge web -> db was declared to speak HTTP/1.1");
        close(fd);
    }
    assert_int_equal(lz_proxy_counts(s.proxy, s.edge).not_http, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_pass_and_are_told),
        TEST(an_abort_answers_at_the_door_by_path_and_method),
        TEST(the_first_or_every_nth_are_chosen),
        TEST(a_share_is_drawn_and_repeats),
        TEST(what_exceeds_a_rate_is_refused),
        TEST(a_delay_holds_the_request_and_the_server_does_not_count_it),
        TEST(an_answer_is_replaced_after_the_servers_work),
        TEST(a_reset_breaks_the_connection_of_the_requests_it_means),
        TEST(a_reset_of_a_request_that_is_held_comes_after_it),
        TEST(a_reset_of_an_answer_comes_once_the_work_is_done),
        TEST(a_delay_of_an_answer_is_not_the_servers),
        TEST(what_is_refused_after_a_delay_comes_after_it),
        TEST(what_is_refused_was_held_from_when_it_came),
        TEST(a_header_of_an_answer_is_set_in_place_of_its_own),
        TEST(pipelined_requests_are_answered_in_their_order),
        TEST(an_answer_to_a_HEAD_has_no_body),
        TEST(an_abort_of_a_request_that_expects_to_be_continued_ends_the_connection),
        TEST(what_is_not_HTTP_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
