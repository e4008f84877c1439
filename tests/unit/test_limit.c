/*
 * Rate limits must let through exactly what their buckets say.
 *
 * Method: a row is a bucket and a line such as "0:25=21 101:20=1": 25 requests at 0 ms of which
 * 21 pass, then 20 at 101 ms of which one does. The rows of the leaky bucket are nginx's
 * (limit_req, rate=10r/s, burst=20 nodelay; "Rate Limiting with NGINX", nginx.com/blog).
 */
#include "model/service/limit.h"

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
        cmocka_unit_test(operations_match_by_method_and_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
