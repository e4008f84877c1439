/*
 * A series' last samples must be those that came last, wherever in their room they lie.
 *
 * Method: a ring is filled for a long time, many times round, and after each sample every range of
 * a few is compared with a list of all that ever came; once the list is told a lie, which must be
 * noticed.
 */
#include "model/alert/alert_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALL 5000
#define STEP 15000

struct stage {
    struct lz_arena *arena;
    struct lz_alert_ring ring;
    struct lz_promql_point all[ALL]; // that ever came
    uint32_t count;
};

static void init(struct stage *s)
{
    struct lz_err err;
    *s = (struct stage){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){0}, &s->arena, &err));
}

static void put(struct stage *s, int64_t t_ms, double value)
{
    lz_alert_ring_put(s->arena, &s->ring, t_ms, value);
    if (s->count > 0 && s->all[s->count - 1].t_ms == t_ms)
        s->count--;
    s->all[s->count++] = (struct lz_promql_point){t_ms, value};
}

// Of what came, the part that is held.
static bool is_right(const struct stage *s, int64_t after, int64_t until)
{
    uint32_t from = s->count > s->ring.held ? s->count - s->ring.held : 0, n = 0, want = 0;
    const struct lz_promql_point *got = lz_alert_ring_range(&s->ring, after, until, &n);
    for (uint32_t i = from; i < s->count; i++) {
        if (s->all[i].t_ms <= after || s->all[i].t_ms > until)
            continue;
        if (want >= n || got[want].t_ms != s->all[i].t_ms || got[want].value > s->all[i].value ||
            got[want].value < s->all[i].value)
            return false;
        want++;
    }
    return want == n;
}

static bool all_are_right(const struct stage *s, int64_t now)
{
    static const int64_t back[] = {0, 1, STEP - 1, STEP, STEP + 1, 5 * STEP, 22 * STEP, INT32_MAX};
    bool ok = lz_alert_ring_last_ms(&s->ring) == now;
    for (size_t i = 0; i < sizeof(back) / sizeof(back[0]); i++)
        for (size_t k = 0; k < sizeof(back) / sizeof(back[0]); k++)
            ok = ok && is_right(s, now - back[i], now - back[k]);
    return ok;
}

static void a_ring_that_goes_round_holds_what_came_last(void **state)
{
    static const uint32_t held[] = {1, 2, 3, 7, 22, 240, 1000};
    (void)state;
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        struct stage *s = malloc(sizeof(*s));
        init(s);
        lz_alert_ring_widen(&s->ring, held[i]);
        lz_alert_ring_widen(&s->ring, 1); // it stays as wide
        for (int k = 0; k < ALL; k++) {
            put(s, (int64_t)k * STEP, k);
            if (!all_are_right(s, (int64_t)k * STEP))
                fail_msg("%u held, sample %d", held[i], k);
            assert_true(s->ring.room <= held[i] + held[i] / 2 + 1);
        }
        s->all[ALL - 1].value = -1.0;
        assert_false(all_are_right(s, (int64_t)(ALL - 1) * STEP));
        lz_alert_ring_free(s->arena, &s->ring);
        assert_int_equal(s->ring.room, 0);
        lz_arena_destroy(s->arena);
        free(s);
    }
}

static void of_one_millisecond_the_later_sample_stays(void **state)
{
    (void)state;
    struct stage *s = malloc(sizeof(*s));
    init(s);
    assert_int_equal(lz_alert_ring_last_ms(&s->ring), INT64_MIN);
    lz_alert_ring_widen(&s->ring, 3);
    for (int k = 0; k < 100; k++) {
        put(s, k / 2, k);
        assert_true(all_are_right(s, k / 2));
    }
    assert_int_equal(s->count, 50);
    lz_arena_destroy(s->arena);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_that_goes_round_holds_what_came_last),
        cmocka_unit_test(of_one_millisecond_the_later_sample_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
