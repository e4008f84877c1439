/*
 * A channel must lose the share its model says, in bursts as long as it says.
 *
 * Method: millions of packets, each with a draw of its own, against closed forms. Gilbert-Elliott's
 * row is netem's: p = 1 %, r = 10 %, all lost while bad: 9.0909 % lost, bursts of 10 packets and
 * gaps of 100 in the mean, 13.509 % of bursts of 20 or more (Gilbert 1960, Elliott 1963; Salsano et
 * al. 2012). Relative bound 1 %.
 */
#include "model/net/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct seen {
    double loss, burst, gap, long_bursts; /* long: 20 packets or more, as a share of all */
    double alike;                         /* correlation of neighbours */
};

static struct seen look(const struct lz_loss *l, uint64_t packets)
{
    struct lz_loss_state state = {0};
    uint64_t lost = 0, bursts = 0, gaps = 0, longs = 0, run = 0, both = 0;
    bool last = false;
    for (uint64_t i = 0; i < packets; i++) {
        struct lz_draw draw = lz_draw_begin(7, 11, LZ_PURPOSE_NET_OUT, i);
        bool now = lz_loss_next(l, &state, &draw);
        both += now && last;
        lost += now;
        if (now != last) {
            bursts += last;
            gaps += !last;
            longs += last && run >= 20;
            run = 0;
        }
        run++;
        last = now;
    }
    double p = (double)lost / (double)packets;
    return (struct seen){.loss = p,
                         .burst = bursts > 0 ? (double)lost / (double)bursts : 0.0,
                         .gap = gaps > 0 ? (double)(packets - lost) / (double)gaps : 0.0,
                         .long_bursts = bursts > 0 ? (double)longs / (double)bursts : 0.0,
                         .alike = ((double)both / (double)packets - p * p) / (p - p * p)};
}

static void assert_near(double got, double want, double share)
{
    if (fabs(got - want) > share * want)
        fail_msg("got %.6g, want %.6g within %g", got, want, share);
}

static void gilbert_elliott_has_the_bursts_of_netem(void **state)
{
    (void)state;
    struct lz_loss l = {.kind = LZ_LOSS_GILBERT_ELLIOTT, .p = 0.01, .r = 0.1, .bad = 1.0};
    struct seen s = look(&l, 20000000);
    assert_near(lz_loss_mean(&l), 0.090909, 1e-5);
    assert_near(s.loss, 0.090909, 0.01);
    assert_near(s.burst, 10.0, 0.01);
    assert_near(s.gap, 100.0, 0.01);
    assert_near(s.long_bursts, 0.13509, 0.02); // 180,000 bursts: 0.6 % is one standard error
}

static void every_model_loses_its_share(void **state)
{
    (void)state;
    static const struct lz_loss models[] = {
        {.kind = LZ_LOSS_RATIO, .ratio = 0.02},
        {.kind = LZ_LOSS_RATIO, .ratio = 0.3, .correlation = 0.5},
        {.kind = LZ_LOSS_GILBERT_ELLIOTT, .p = 0.05, .r = 0.2, .bad = 0.5, .good = 0.01},
        {.kind = LZ_LOSS_FOUR_STATES, .p13 = 0.02, .p31 = 0.3, .p32 = 0.4, .p23 = 0.2, .p14 = 0.01},
        {.kind = LZ_LOSS_FOUR_STATES, .p13 = 0.05, .p31 = 0.95, .p23 = 1.0},
        {.kind = LZ_LOSS_FOUR_STATES, .p14 = 0.1, .p31 = 1.0, .p23 = 1.0},
        {.kind = LZ_LOSS_FOUR_STATES, .p13 = 0.5, .p32 = 0.5, .p23 = 0.25},
    };
    for (size_t i = 0; i < COUNT(models); i++)
        assert_near(look(&models[i], 4000000).loss, lz_loss_mean(&models[i]), 0.02);
}

static void a_correlation_is_that_of_neighbours_and_keeps_the_share(void **state)
{
    (void)state;
    for (double rho = 0.25; rho < 1.0; rho += 0.25) {
        struct lz_loss l = {.kind = LZ_LOSS_RATIO, .ratio = 0.2, .correlation = rho};
        struct seen s = look(&l, 4000000);
        assert_near(s.loss, 0.2, 0.02);
        assert_near(s.alike, rho, 0.01);
    }
}

static void nothing_and_everything_are_certain(void **state)
{
    (void)state;
    struct lz_loss none = {0}, all = {.kind = LZ_LOSS_RATIO, .ratio = 1.0};
    assert_true(look(&none, 1000).loss <= 0.0);
    assert_true(look(&all, 1000).loss >= 1.0);
}

static void what_is_no_probability_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        struct lz_loss loss;
        const char *says;
    } rows[] = {
        {{.kind = LZ_LOSS_RATIO, .ratio = 1.5}, "ratio must be between 0 and 1, got 1.5"},
        {{.kind = LZ_LOSS_RATIO, .correlation = -1}, "correlation must be between 0 and 1, got -1"},
        {{.kind = LZ_LOSS_GILBERT_ELLIOTT, .p = 2}, "p must be between 0 and 1, got 2"},
        {{.kind = LZ_LOSS_FOUR_STATES, .p13 = 0.6, .p14 = 0.6},
         "p13 and p14 are ways out of one state and add up to 1.2: at most 1"},
        {{.kind = LZ_LOSS_FOUR_STATES, .p31 = 0.9, .p32 = 0.9},
         "p31 and p32 are ways out of one state and add up to 1.8: at most 1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_err err;
        assert_false(lz_loss_check(&rows[i].loss, &err));
        assert_string_equal(err.msg, rows[i].says);
    }
    struct lz_err err;
    assert_true(lz_loss_check(&(struct lz_loss){0}, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gilbert_elliott_has_the_bursts_of_netem),
        cmocka_unit_test(every_model_loses_its_share),
        cmocka_unit_test(a_correlation_is_that_of_neighbours_and_keeps_the_share),
        cmocka_unit_test(nothing_and_everything_are_certain),
        cmocka_unit_test(what_is_no_probability_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
