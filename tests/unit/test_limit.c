/*
 * Rate limits must let through exactly what their buckets say.
 *
 * Method: a row is a bucket and a line such as "0:25=21 101:20=1": 25 requests at 0 ms of which
 * 21 pass, then 20 at 101 ms of which one does. The rows of the leaky bucket are nginx's
 * (limit_req, rate=10r/s, burst=20 nodelay; "Rate Limiting with NGINX", nginx.com/blog). What waits
 * is a list of times in ms, '-' for who is refused.
 */
#include "model/service/limit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/service/filter.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void buckets_let_through_what_they_say(void **unused)
{
    (void)unused;
    static const struct {
        enum lz_limit_kind kind;
        double rate, burst;
        const char *line;
    } rows[] = {
        {LZ_LIMIT_LEAKY, 10, 20, "0:21=21"},
        {LZ_LIMIT_LEAKY, 10, 20, "0:25=21 101:20=1"},
        {LZ_LIMIT_LEAKY, 10, 20, "0:25=21 501:20=5"},
        {LZ_LIMIT_LEAKY, 10, 0, "0:10=1"},
        {LZ_LIMIT_LEAKY, 10, 0, "0:1=1 99:1=0 100:1=1 150:1=0 199:1=0 200:1=1"},
        {LZ_LIMIT_LEAKY, 10, 20, "0:25=21 99:1=0 3000:25=21"}, // empty again: one more at once
        {LZ_LIMIT_TOKENS, 10, 20, "0:25=20 100:2=1 100:1=0 600:9=5"},
        {LZ_LIMIT_TOKENS, 10, 1, "0:10=1 99:1=0 100:1=1 150:1=0 200:1=1"},
        {LZ_LIMIT_TOKENS, 10, 20, "0:20=20 60000:100=20"}, // never above the burst
        {LZ_LIMIT_TOKENS, 0.5, 1, "0:2=1 1999:1=0 2000:1=1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_limit l;
        lz_limit_init(&l, rows[i].kind, rows[i].rate, rows[i].burst, 0);
        const char *at = rows[i].line;
        int ms, n, want, used;
        while (sscanf(at, " %d:%d=%d%n", &ms, &n, &want, &used) == 3) {
            int passed = 0;
            for (int k = 0; k < n; k++)
                passed += lz_limit_take(&l, ms * LZ_MS);
            if (passed != want)
                fail_msg("row %zu, \"%s\": at %d ms %d passed", i, rows[i].line, ms, passed);
            at += used;
        }
        assert_string_equal(at, "");
    }
}

// ngx_http_limit_req_module.c: excess = max(0, excess - rate * elapsed + 1), refused above burst;
// it waits (excess - delay) / rate. Without `delay` nginx' is 0; `nodelay` is more than any burst.
static void a_leaky_bucket_holds_back_what_exceeds_its_rate(void **state)
{
    (void)state;
    static const struct {
        double rate, burst, at_once;
        const char *times, *waits; // ms
    } rows[] = {
        {10, 3, 0, "0 0 0 0 0", "0 100 200 300 -"},
        {10, 3, 0, "0 0 50 50 150 1000", "0 100 150 250 250 0"},
        {10, 3, 0, "0 100 200 300", "0 0 0 0"},               // at the rate nobody waits
        {10, 3, 0, "0 0 0 0 100 100", "0 100 200 300 300 -"}, // one has gone
        // burst=5 delay=2, 5 r/s: the first and two more at once, three at the rate, then no more.
        {5, 5, 2, "0 0 0 0 0 0 0", "0 0 0 200 400 600 -"},
        {5, 5, 5, "0 0 0 0 0 0 0", "0 0 0 0 0 0 -"}, // all of the burst: nodelay
        {5, 5, (double)INFINITY, "0 0 0 0 0 0 0", "0 0 0 0 0 0 -"},
        {10, 0, 0, "0 0 99 100", "0 - - 0"},
        {4, 2, 0, "0 0 125 125", "0 250 375 -"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_limit l;
        char got[80] = "";
        int ms, used;
        lz_limit_init(&l, LZ_LIMIT_LEAKY, rows[i].rate, rows[i].burst, 0);
        lz_limit_hold(&l, rows[i].at_once);
        for (const char *at = rows[i].times; sscanf(at, " %d%n", &ms, &used) == 1; at += used) {
            const char *gap = got[0] != 0 ? " " : "";
            size_t n = strlen(got);
            if (lz_limit_take(&l, ms * LZ_MS))
                snprintf(got + n, sizeof(got) - n, "%s%g", gap, (double)lz_limit_wait(&l) / 1e6);
            else
                snprintf(got + n, sizeof(got) - n, "%s-", gap);
        }
        if (strcmp(got, rows[i].waits) != 0)
            fail_msg("row %zu: %s, not %s", i, got, rows[i].waits);
    }
}

static void buckets_of_tokens_hold_nobody_back(void **state)
{
    (void)state;
    struct lz_limit l;
    lz_limit_init(&l, LZ_LIMIT_TOKENS, 10, 3, 0);
    assert_true(lz_limit_take(&l, 0));
    assert_int_equal(lz_limit_wait(&l), 0);
}

static void operations_match_by_method_and_path(void **unused)
{
    (void)unused;
    static const struct {
        const char *op, *method, *path;
        bool want;
    } rows[] = {
        {"GET /price", NULL, NULL, true},
        {"GET /price", "GET", NULL, true},
        {"GET /price", "POST", NULL, false},
        {"GET /price", "GE", NULL, false},
        {"GET /price", NULL, "/price", true},
        {"GET /price", "GET", "/price", true},
        {"GET /price", NULL, "/pri", false},
        {"GET /price/1", NULL, "/price/*", true},
        {"GET /price", NULL, "/price/*", false},
        {"GET /price", NULL, "*", true},
        {"write order", NULL, "write order", true},
        {"write order", "write", NULL, false}, // no method
        {"write order", NULL, "write*", true},
        {"", NULL, NULL, true},
        {"", NULL, "/price", false},
        {"", "GET", NULL, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (lz_filter_matches(rows[i].op, rows[i].method, rows[i].path) != rows[i].want)
            fail_msg("row %zu: \"%s\"", i, rows[i].op);
}

static void tokens_stay_when_the_rate_changes(void **state)
{
    (void)state;
    struct lz_limit l;
    lz_limit_init(&l, LZ_LIMIT_TOKENS, 10, 10, 0);
    for (int i = 0; i < 10; i++)
        assert_true(lz_limit_take(&l, 0));
    lz_limit_set(&l, 1, 4, 300 * LZ_MS); // three have come
    for (int i = 0; i < 3; i++)
        assert_true(lz_limit_take(&l, 300 * LZ_MS));
    assert_false(lz_limit_take(&l, 1299 * LZ_MS));
    assert_true(lz_limit_take(&l, 1300 * LZ_MS)); // at one a second
    lz_limit_set(&l, 1, 2, 100 * LZ_S);
    assert_true(lz_limit_take(&l, 100 * LZ_S) && lz_limit_take(&l, 100 * LZ_S));
    assert_false(lz_limit_take(&l, 100 * LZ_S)); // no more than the new burst
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_stay_when_the_rate_changes),
        cmocka_unit_test(buckets_let_through_what_they_say),
        cmocka_unit_test(a_leaky_bucket_holds_back_what_exceeds_its_rate),
        cmocka_unit_test(buckets_of_tokens_hold_nobody_back),
        cmocka_unit_test(operations_match_by_method_and_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
