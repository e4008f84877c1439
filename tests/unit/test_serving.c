/*
 * How many instructions a handler may run does not depend on how Lua's tables are looked at: it
 * ends at the same request whether their layout is known or not (a universe that is shaken).
 *
 * Method: many requests that run little first, and may leave a difference in what was counted;
 * then each runs more than the one before, around the budget, so that the one that is over it
 * tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script/script.h"

#define BUDGET "100000"

#define WORLD(handler)                                                                             \
    "scenario 'near the limit' { duration = '60s' }\n"                                             \
    "local db = service 'db' {}\n"                                                                 \
    "local n = 0\n"                                                                                \
    "local function spin(count) for i = 1, count do end end\n"                                     \
    "local api = service 'api' { handle = { ['GET /'] = function(req)\n"                           \
    "    n = n + 1\n" handler "    return 200\n"                                                   \
    "end } }\n"                                                                                    \
    "traffic 'users' { to = api, op = 'GET /', rate = '10/s' }\n"                                  \
    "expect 'it is served' { at_end = api.errors.ratio:below '1%' }\n"

#define SPIN(from, step) "spin(n <= 200 and 10 or " BUDGET " - " from " + " step " * (n - 200))\n"
#define CALL "req:call { db, 'GET ' .. n % 90, timeout = '1s' }\n"

static const struct {
    const char *name, *source;
} rows[] = {
    {"a request begins", WORLD(SPIN("10000", "100"))},
    {"its object has lost fields", WORLD(SPIN("10000", "100") "req.key, req.op = nil, nil\n")},
    {"it has called what other calls displaced", WORLD(CALL SPIN("10000", "100"))},
    {"its options were written in another order",
     WORLD("local t = {} t.timeout = '1s' t[2] = 'GET /' t[1] = db req:call(t)\n" SPIN("10000",
                                                                                       "100"))},
    {"it is going to call", WORLD(SPIN("400", "7") CALL)},
};

// What ended a scenario: "at 3s of virtual time, in api, request 28 of users".
static void end_of(const char *source, bool is_shaken, char *out, size_t size)
{
    const struct lz_script_opts opts = {
        .path = "near.lua",
        .source = source,
        .source_len = strlen(source),
        .instructions_max = strtoull(BUDGET, NULL, 10),
        .slot = is_shaken ? 1 : 0,
        .hash_seed = is_shaken ? 0x5eed0ff : 0,
        .gc_pause = is_shaken ? 110 : 0,
    };
    struct lz_script *s = NULL;
    struct lz_script_world world;
    struct lz_err err;
    assert_true(lz_script_load(&opts, &s, &err));
    if (!lz_script_build(s, 1, 0, &world))
        fail_msg("%s", lz_script_diagnostics(s, false));
    lz_script_run(s);
    const char *text = lz_script_diagnostics(s, false);
    snprintf(out, size, "%s", text);
    if (lz_script_trouble(s) != LZ_SCRIPT_RUNAWAY || strstr(text, " request ") == NULL)
        fail_msg("it was to run on and on: %s", text);
    lz_script_destroy(s);
}

static void a_handler_is_over_its_budget_at_the_same_request_shaken_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char plain[2000], shaken[2000];
        end_of(rows[i].source, false, plain, sizeof(plain));
        end_of(rows[i].source, true, shaken, sizeof(shaken));
        if (strcmp(plain, shaken) != 0)
            fail_msg("%s:\n%s\nshaken:\n%s", rows[i].name, plain, shaken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_is_over_its_budget_at_the_same_request_shaken_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
