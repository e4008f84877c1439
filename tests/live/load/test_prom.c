/*
 * Metrics from Prometheus: what is a value, and what is none and why.
 *
 * Answers are written as its HTTP API documents them (prometheus.io, "HTTP API": query results).
 */
#include "live/probe/prom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server.h"
#include "stage.h"

static struct lz_live *live;
static uint16_t port;

static void one_number_is_a_value(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        double value;
    } rows[] = {
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":"
         "{\"__name__\":\"up\"},\"value\":[1435781451.781,\"1\"]}]}}",
         1.0},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1435781451.781,"
         "\"-2.5e-3\"]}}",
         -2.5e-3},
        {"{\"status\":\"success\",\"warnings\":[\"slow\"],\"data\":{\"resultType\":\"vector\","
         "\"result\":[{\"metric\":{},\"value\":[1,\"0\"]}]}}",
         0.0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double value = 99.0;
        struct lz_err err;
        assert_true(lz_prom_read(rows[i].json, strlen(rows[i].json), &value, &err));
        assert_true(value >= rows[i].value && value <= rows[i].value);
    }
}

static void anything_else_is_none_and_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *json, *said;
    } rows[] = {
        {"", "no JSON"},
        {"<html>", "no JSON"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"resu", "no JSON"},
        {"{}", "without a text"},
        {"[1,2]", "without a text"},
        {"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error: x\"}",
         "the server says: parse error: x"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
         "no series matches"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}", "matrix"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"string\",\"result\":[1,\"a\"]}}",
         "string"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"NaN\"]}}",
         "the value is NaN"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"+Inf\"]}}",
         "the value is +Inf"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"1x\"]}}",
         "\"1x\" is no number"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"value\":[1,"
         "\"1\"]},{\"value\":[1,\"2\"]},{\"value\":[1,\"3\"]}]}}",
         "3 series match: aggregate them"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double value = 99.0;
        struct lz_err err;
        assert_false(lz_prom_read(rows[i].json, strlen(rows[i].json), &value, &err));
        assert_true(value >= 99.0); // untouched
        if (strstr(err.msg, rows[i].said) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.msg, rows[i].said);
    }
}

// What a server says to one query, asked every 20 ms, three times.
static void query(const char *promql, uint16_t at, const int *count)
{
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", at);
    const struct lz_live_query q = {.name = "q", .promql = promql};
    const struct lz_live_prometheus prometheus = {.name = "prom",
                                                  .url = url,
                                                  .every = 20 * LZ_MS,
                                                  .timeout = 30 * LZ_S,
                                                  .queries = &q,
                                                  .query_count = 1};
    live->queried = live->unanswered = 0;
    live->said[0] = '\0';
    struct lz_prom *prom = lz_prom_start(live, &prometheus);
    stage_wait(live, count, 3);
    lz_prom_stop(prom);
}

static void a_query_is_asked_again_and_again(void **state)
{
    (void)state;
    query("one", port, &live->queried);
    assert_true(live->queried >= 3);
    assert_int_equal(live->unanswered, 0);
    assert_true(live->value >= 1.5 && live->value <= 1.5);
    assert_string_equal(live->said, "");
}

static void trouble_is_no_sample_and_is_told_once(void **state)
{
    (void)state;
    static const struct {
        const char *promql, *said;
    } rows[] = {
        {"none", "prom: \"q\" has no value: no series matches\n"},
        {"nan", "prom: \"q\" has no value: the value is NaN\n"},
        {"two", "prom: \"q\" has no value: 2 series match: aggregate them, as sum(...) does\n"},
        {"bad", "prom: \"q\" has no value: status 400: the server says: parse error\n"},
        {"html", "prom: \"q\" has no value: the answer is no JSON: is it a Prometheus server?\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        query(rows[i].promql, port, &live->unanswered);
        assert_int_equal(live->queried, 0);
        assert_true(live->unanswered >= 3);
        assert_string_equal(live->said, rows[i].said);
    }
    query("one", server_closed_port(), &live->unanswered);
    assert_int_equal(live->queried, 0);
    assert_true(live->unanswered >= 3);
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
        cmocka_unit_test(one_number_is_a_value),
        cmocka_unit_test(anything_else_is_none_and_says_why),
        cmocka_unit_test(a_query_is_asked_again_and_again),
        cmocka_unit_test(trouble_is_no_sample_and_is_told_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
