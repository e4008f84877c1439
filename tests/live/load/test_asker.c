/*
 * Probes: what they take for a yes, and every way in which they say no.
 */
#include "live/probe/asker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server.h"
#include "stage.h"

#define PATIENCE (30 * LZ_S) // nothing here takes long, but a machine may stand still

static struct lz_live *live;
static uint16_t port;

struct got {
    int count, good;
    struct lz_live_reading last;
    char said[300];
    struct lz_asker **stops;
};

static void on_answer(void *ctx, const struct lz_live_reading *reading, const char *said)
{
    struct got *got = ctx;
    got->count++;
    got->good += reading->is_ok;
    got->last = *reading;
    snprintf(got->said, sizeof(got->said), "%s", said);
    if (got->stops != NULL)
        lz_asker_stop(*got->stops);
}

static struct got ask_once(const struct lz_live_probe *probe, const struct lz_site_process *of)
{
    struct got got = {.count = 0};
    struct lz_asker *asker = lz_asker_start(live, probe, of, on_answer, &got);
    stage_wait(live, &got.count, 1);
    lz_asker_stop(asker);
    return got;
}

static void assert_said(const struct got *got, const char *what)
{
    if (strstr(got->said, what) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", what, got->said);
}

static void http_is_asked_for_its_status_a_text_and_a_number(void **state)
{
    (void)state;
    struct lz_site_process web = {.address = {.host = "127.0.0.1", .port = port}};
    static const struct {
        const char *path, *contains;
        uint32_t status;
        bool has_value, is_ok;
        double value;
        const char *said;
    } rows[] = {
        {"/ok", NULL, 0, false, true, 0, "42 rows"},
        {"/ok", "rows", 0, true, true, 42, "42 rows"},
        {"/ok", "columns", 0, false, false, 0, "no \"columns\" in what it said: \"42 rows\""},
        {"/status/503", NULL, 0, false, false, 0, "status 503"},
        {"/status/503", NULL, 503, false, true, 0, "no"},
        {"/ok", NULL, 404, false, false, 0, "status 200, wanted 404"},
        {"/text/-1.5e3ms", NULL, 0, true, true, -1500, "-1.5e3ms"},
        {"/text/nan", NULL, 0, true, false, 0, "does not begin with a number: \"nan\""},
        {"/text/none", NULL, 0, true, false, 0, "does not begin with a number: \"none\""},
        {"/reset", NULL, 0, false, false, 0, "reset: "},
        {"/slow/60000", NULL, 0, false, false, 0, "timeout: "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_slow = strstr(rows[i].path, "/slow/") != NULL;
        struct got got = ask_once(&(struct lz_live_probe){.kind = LZ_LIVE_PROBE_HTTP,
                                                          .url = rows[i].path,
                                                          .contains = rows[i].contains,
                                                          .status = rows[i].status,
                                                          .has_value = rows[i].has_value,
                                                          .timeout = is_slow ? LZ_S / 4 : PATIENCE},
                                  &web);
        assert_said(&got, rows[i].said);
        assert_int_equal(got.last.is_ok, rows[i].is_ok);
        assert_int_equal(got.last.has_value, rows[i].has_value && rows[i].is_ok);
        if (got.last.has_value)
            assert_true(got.last.value >= rows[i].value && got.last.value <= rows[i].value);
        assert_true(got.last.latency > 0);
    }
}

static void a_whole_url_needs_nobody_to_be_of(void **state)
{
    (void)state;
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/ok", port);
    struct lz_live_probe probe = {.kind = LZ_LIVE_PROBE_HTTP, .url = url, .timeout = PATIENCE};
    struct got got = ask_once(&probe, NULL);
    assert_true(got.last.is_ok);
    probe.url = "/ok";
    got = ask_once(&probe, NULL);
    assert_false(got.last.is_ok);
    assert_said(&got, "neither whom it asks nor a whole URL");
}

static void tcp_is_asked_for_a_connection(void **state)
{
    (void)state;
    struct lz_site_process open = {.address = {.host = "127.0.0.1", .port = port}};
    struct lz_site_process shut = {.address = {.host = "127.0.0.1", .port = server_closed_port()}};
    struct lz_live_probe probe = {.kind = LZ_LIVE_PROBE_TCP, .timeout = PATIENCE};
    struct got got = ask_once(&probe, &open);
    assert_true(got.last.is_ok);
    got = ask_once(&probe, &shut);
    assert_false(got.last.is_ok);
    assert_said(&got, "refused");
    char where[32];
    snprintf(where, sizeof(where), "127.0.0.1:%u", port);
    probe.url = where;
    got = ask_once(&probe, NULL);
    assert_true(got.last.is_ok);
}

static void a_command_is_asked_for_its_end_a_text_and_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *argv[4];
        const char *contains;
        bool has_value, is_ok;
        double value;
        const char *said;
    } rows[] = {
        {{"true"}, NULL, false, true, 0, ""},
        {{"false"}, NULL, false, false, 0, "ended with 1"},
        {{"echo", "17 rows"}, NULL, true, true, 17, "17 rows"},
        {{"echo", "$HOME"}, "$HOME", false, true, 0, "$HOME"}, // no shell
        {{"echo", "f"}, "t", false, false, 0, "no \"t\" in what it said: \"f\""},
        {{"echo"}, NULL, true, false, 0, "does not begin with a number"},
        {{"sh", "-c", "echo psql: broken >&2; exit 2"},
         NULL,
         false,
         false,
         0,
         "ended with 2: \"psql: broken\""},
        {{"sh", "-c", "kill -9 $$"}, NULL, false, false, 0, "ended by signal 9"},
        {{"sleep", "300"}, NULL, false, false, 0, "did not end in time"},
        {{"no-such-program-here"}, NULL, false, false, 0, "cannot be run: No such file"},
        {{"sh", "-c", "test \"$LORENZ_LIVE_RUN\" = stage && ! read x"}, NULL, false, true, 0, ""},
        {{"sh", "-c", "yes | head -c 1000000; echo"}, "y", false, true, 0, "y"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_slow = strcmp(rows[i].argv[0], "sleep") == 0;
        struct lz_live_probe probe = {.kind = LZ_LIVE_PROBE_COMMAND,
                                      .argv = {.items = rows[i].argv},
                                      .contains = rows[i].contains,
                                      .has_value = rows[i].has_value,
                                      .timeout = is_slow ? LZ_S / 4 : PATIENCE};
        struct got got = ask_once(&probe, NULL);
        assert_said(&got, rows[i].said);
        assert_int_equal(got.last.is_ok, rows[i].is_ok);
        assert_true(got.last.value >= rows[i].value && got.last.value <= rows[i].value);
    }
}

static void questions_come_again_and_never_two_at_once(void **state)
{
    (void)state;
    struct lz_site_process web = {.address = {.host = "127.0.0.1", .port = port}};
    static const struct {
        const char *path;
        int64_t apart; // at least, one answer from the next
    } rows[] = {{"/ok", 0}, {"/slow/100", 100 * LZ_MS}};
    for (size_t i = 0; i < 2; i++) {
        const struct lz_live_probe probe = {.kind = LZ_LIVE_PROBE_HTTP,
                                            .url = rows[i].path,
                                            .every = 50 * LZ_MS,
                                            .timeout = PATIENCE};
        struct got got = {.count = 0};
        int64_t began = lz_loop_clock();
        struct lz_asker *asker = lz_asker_start(live, &probe, &web, on_answer, &got);
        stage_wait(live, &got.count, 5);
        lz_asker_stop(asker);
        assert_int_equal(got.good, got.count);
        assert_true(lz_loop_clock() - began >= 5 * rows[i].apart);
    }
}

static void an_asker_may_be_stopped_by_whom_it_calls_and_while_it_asks(void **state)
{
    (void)state;
    static const char *const quick[] = {"true", NULL}, *const slow[] = {"sleep", "300", NULL};
    struct lz_site_process web = {.address = {.host = "127.0.0.1", .port = port}};
    const struct lz_live_probe probes[] = {
        {.kind = LZ_LIVE_PROBE_HTTP, .url = "/ok", .timeout = PATIENCE},
        {.kind = LZ_LIVE_PROBE_COMMAND, .argv = {.items = quick}, .timeout = PATIENCE},
        {.kind = LZ_LIVE_PROBE_HTTP, .url = "nowhere", .every = LZ_MS, .timeout = PATIENCE},
    };
    for (size_t i = 0; i < 3; i++) {
        struct lz_asker *asker = NULL;
        struct got got = {.stops = &asker};
        asker = lz_asker_start(live, &probes[i], &web, on_answer, &got);
        stage_wait(live, &got.count, 1);
        stage_run_for(live, 20 * LZ_MS);
        assert_int_equal(got.count, 1);
    }
    const struct lz_live_probe long_ones[] = {
        {.kind = LZ_LIVE_PROBE_HTTP, .url = "/slow/60000", .timeout = 2 * PATIENCE},
        {.kind = LZ_LIVE_PROBE_COMMAND, .argv = {.items = slow}, .timeout = 2 * PATIENCE},
    };
    for (size_t i = 0; i < 2; i++) {
        struct got got = {.count = 0};
        struct lz_asker *asker = lz_asker_start(live, &long_ones[i], &web, on_answer, &got);
        stage_run_for(live, 50 * LZ_MS);
        lz_asker_stop(asker);
        stage_run_for(live, 20 * LZ_MS);
        assert_int_equal(got.count, 0);
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
        cmocka_unit_test(http_is_asked_for_its_status_a_text_and_a_number),
        cmocka_unit_test(a_whole_url_needs_nobody_to_be_of),
        cmocka_unit_test(tcp_is_asked_for_a_connection),
        cmocka_unit_test(a_command_is_asked_for_its_end_a_text_and_a_number),
        cmocka_unit_test(questions_come_again_and_never_two_at_once),
        cmocka_unit_test(an_asker_may_be_stopped_by_whom_it_calls_and_while_it_asks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
