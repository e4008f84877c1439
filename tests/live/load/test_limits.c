/*
 * What a caller of ours does not send, where nobody waits for what was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "live/load/limits.h"

#define S 1000000000ll

static const struct lz_call_result good = {.outcome = LZ_OUTCOME_OK, .status = 200};
static const struct lz_call_result bad = {.outcome = LZ_OUTCOME_TIMEOUT};

static void a_probe_that_nobody_waits_for_makes_room_for_another(void **state)
{
    (void)state;
    struct lz_edge_opts opts = {.breaker = {.on = true, .consecutive = 1, .open = S, .probes = 2}};
    lz_breaker_fill_defaults(&opts.breaker);
    struct lz_limits l;
    struct lz_draw draw = lz_draw_begin(1, 1, LZ_PURPOSE_BACKOFF, 1);
    uint8_t pass = 0, first = 0, second = 0;
    lz_limits_init(&l, &opts, NULL);
    assert_true(lz_limits_admit(&l, 1, 0, &draw, &pass));
    lz_limits_result(&l, 1, 0, pass, &bad);
    assert_false(lz_limits_admit(&l, 1, S / 2, &draw, &pass));

    assert_true(lz_limits_admit(&l, 1, 2 * S, &draw, &first));
    assert_true(lz_limits_admit(&l, 1, 2 * S, &draw, &second));
    assert_false(lz_limits_admit(&l, 1, 2 * S, &draw, &pass)); // two probes are under way
    lz_limits_forget(&l, second);
    assert_true(lz_limits_admit(&l, 1, 2 * S, &draw, &second));
    lz_limits_result(&l, 1, 2 * S, first, &good);
    lz_limits_result(&l, 1, 2 * S, second, &good);
    assert_int_equal(l.breaker.state, LZ_BREAKER_CLOSED);
}

static void without_a_breaker_nothing_is_forgotten(void **state)
{
    (void)state;
    struct lz_edge_opts opts = {0};
    struct lz_limits l;
    struct lz_draw draw = lz_draw_begin(1, 1, LZ_PURPOSE_BACKOFF, 1);
    uint8_t pass = 0;
    lz_limits_init(&l, &opts, NULL);
    assert_true(lz_limits_admit(&l, 1, 0, &draw, &pass));
    lz_limits_forget(&l, pass);
    assert_true(lz_limits_admit(&l, 1, 0, &draw, &pass));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_that_nobody_waits_for_makes_room_for_another),
        cmocka_unit_test(without_a_breaker_nothing_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
