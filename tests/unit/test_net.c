/*
 * Messages, by exact times: flights of long ones, what a cut, a lossy and a narrow way cost them.
 *
 * Method: two services of one replica each, 10 ms apart, and nothing but one message; an event of
 * the test's own notes when its first segment and its end arrive. Times are counted from sending.
 * A flight leaves every 20 ms: 10 segments, 20, 40 (RFC 5681, RFC 6928).
 */
#include "model/net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/net/link.h"
#include "model/service/service.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define END (4000 * LZ_S)

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id a, b;
    lz_instance_id from, to;
    lz_kind first, last;
    lz_time sent, first_at, last_at; // -1: not yet
    uint64_t touched;
    lz_link_effect_id effect;
};

static void on_first(void *ctx, uint32_t entity, uint64_t payload)
{
    struct stage *s = ctx;
    assert_int_equal(entity, s->to);
    assert_int_equal(payload, 7);
    s->first_at = lz_sim_now(s->w->sim) - s->sent;
}

static void on_last(void *ctx, uint32_t entity, uint64_t payload)
{
    struct stage *s = ctx;
    (void)payload;
    assert_int_equal(entity, s->to);
    assert_int_equal(s->last_at, -1); // once only
    s->last_at = lz_sim_now(s->w->sim) - s->sent;
}

static void make(struct stage *s, const struct lz_link_conditions *conditions)
{
    struct lz_err err;
    *s = (struct stage){.first_at = -1, .last_at = -1};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = END});
    assert_true(lz_service_create(s->w, &(struct lz_service_opts){.name = "a"}, &s->a, &err));
    assert_true(lz_service_create(s->w, &(struct lz_service_opts){.name = "b"}, &s->b, &err));
    s->from = lz_world_component(s->w, s->a)->instances_first;
    s->to = lz_world_component(s->w, s->b)->instances_first;
    struct lz_link_opts link = {.from = {.kind = LZ_TARGET_COMPONENT, .id = s->a},
                                .to = {.kind = LZ_TARGET_COMPONENT, .id = s->b},
                                .conditions = *conditions};
    link.conditions.latency = lz_dist_constant(10 * LZ_MS);
    assert_true(lz_link_declare(s->w, &link, &err));
    s->first = lz_sim_kind(s->w->sim, "first", on_first, s);
    s->last = lz_sim_kind(s->w->sim, "last", on_last, s);
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

static void send(struct stage *s, uint64_t bytes, lz_tcp_path_id path)
{
    s->sent = lz_sim_now(s->w->sim);
    s->first_at = s->last_at = -1;
    lz_net_send(s->w, &(struct lz_message){.from = s->from,
                                           .to = s->to,
                                           .kind = s->last,
                                           .first = s->first,
                                           .payload = 7,
                                           .owner = 42,
                                           .purpose = LZ_PURPOSE_NET_OUT,
                                           .bytes = bytes,
                                           .path = path});
}

static void cut(struct stage *s, bool is_on)
{
    if (is_on)
        s->effect = lz_link_effect_add(s->w, &(struct lz_link_effect){.both_ways = true,
                                                                      .cut = LZ_LINK_CUT,
                                                                      .touched = &s->touched});
    else
        lz_link_effect_remove(s->w, s->effect);
}

static void long_messages_take_a_round_trip_for_each_window(void **state)
{
    (void)state;
    static const struct {
        uint64_t segments;
        lz_time first, last; // ms; -1: it is one segment, and comes at once
    } rows[] = {{1, -1, 10}, {2, 10, 10}, {10, 10, 10}, {11, 10, 30}, {30, 10, 30}, {31, 10, 50}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        make(&s, &(struct lz_link_conditions){0});
        send(&s, rows[i].segments * LZ_TCP_SEGMENT, 0);
        run(&s, LZ_S);
        assert_int_equal(s.first_at, rows[i].first < 0 ? -1 : rows[i].first * LZ_MS);
        assert_int_equal(s.last_at, rows[i].last * LZ_MS);
        lz_arena_destroy(s.arena);
    }
}

static void a_window_is_kept_with_its_path_and_shrinks_while_idle(void **state)
{
    (void)state;
    struct stage s;
    make(&s, &(struct lz_link_conditions){0});
    lz_tcp_path_id path = lz_tcp_open(s.w);
    send(&s, 70 * LZ_TCP_SEGMENT, path); // 10, 20, 40: it has grown to 80
    run(&s, LZ_S / 10);
    assert_int_equal(s.last_at, 50 * LZ_MS);
    send(&s, 70 * LZ_TCP_SEGMENT, path);
    run(&s, 2 * LZ_S / 10);
    assert_int_equal(s.last_at, 10 * LZ_MS);
    run(&s, 100 * LZ_S);
    send(&s, 70 * LZ_TCP_SEGMENT, path); // as if it were new
    run(&s, 101 * LZ_S);
    assert_int_equal(s.last_at, 50 * LZ_MS);
    lz_tcp_close(s.w, path);
    send(&s, 70 * LZ_TCP_SEGMENT, path); // closed: a fresh one
    run(&s, 102 * LZ_S);
    assert_int_equal(s.last_at, 50 * LZ_MS);
    lz_arena_destroy(s.arena);
}

static void a_cut_is_waited_out_by_doubling_timeouts(void **state)
{
    (void)state;
    // Cut for a second: sent again after 200, 600 and 1400 ms, whatever the length.
    for (uint64_t segments = 1; segments <= 10; segments += 9) {
        struct stage s;
        make(&s, &(struct lz_link_conditions){0});
        cut(&s, true);
        send(&s, segments * LZ_TCP_SEGMENT, 0);
        run(&s, LZ_S);
        assert_int_equal(s.touched, 3); // at once, after 200 and 600 ms
        cut(&s, false);
        run(&s, 10 * LZ_S);
        // A window of one segment after timeouts: ten take 1, 2, 4, 3 of them, 20 ms apart.
        assert_int_equal(s.last_at, 1410 * LZ_MS + (segments > 1 ? 60 * LZ_MS : 0));
        lz_arena_destroy(s.arena);
    }
}

static void a_narrow_way_takes_bytes_by_its_rate(void **state)
{
    (void)state;
    // 10 Mbit/s: a megabyte of 685 segments takes 800 ms on the line, and the way; never idle
    // once the window is above what is on its way in a round trip (25 kB: 18 segments).
    struct stage s;
    make(&s, &(struct lz_link_conditions){.rate = 1.25e6, .buffer = 4e6});
    send(&s, 1000100, 0);
    run(&s, 10 * LZ_S);
    assert_in_range(s.last_at, 810 * LZ_MS, 850 * LZ_MS);
    lz_arena_destroy(s.arena);
}

static void an_overflowing_buffer_costs_half_the_window_not_the_message(void **state)
{
    (void)state;
    // A buffer of 30 kB: slow start overflows it, the lost segments go again. Reno keeps the line
    // about three quarters full (window between half and all of what fits).
    struct stage s;
    make(&s, &(struct lz_link_conditions){.rate = 1.25e6, .buffer = 3e4});
    send(&s, 10000000, 0); // 8 s of line
    run(&s, 100 * LZ_S);
    assert_in_range(s.last_at, 8 * LZ_S, 13 * LZ_S);
    lz_arena_destroy(s.arena);
}

static void losses_are_mended_within_a_round_trip_or_by_timeout(void **state)
{
    (void)state;
    // 1 % of 6850 segments: most are mended by fast retransmit. Mathis et al. (1997): with losses
    // of p the window is about sqrt(1.5 / p) segments, 12: some 570 round trips of 20 ms.
    struct stage s;
    make(&s, &(struct lz_link_conditions){.loss = {.kind = LZ_LOSS_RATIO, .ratio = 0.01}});
    send(&s, 10000000, 0);
    run(&s, 1000 * LZ_S);
    assert_in_range(s.last_at, 8 * LZ_S, 30 * LZ_S);
    lz_arena_destroy(s.arena);
    // All lost: nothing arrives, and the timeouts have been doubled up to two minutes.
    make(&s, &(struct lz_link_conditions){.loss = {.kind = LZ_LOSS_RATIO, .ratio = 1.0}});
    send(&s, 100000, 0);
    run(&s, 1000 * LZ_S);
    assert_int_equal(s.first_at, -1);
    assert_int_equal(s.last_at, -1);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_messages_take_a_round_trip_for_each_window),
        cmocka_unit_test(a_window_is_kept_with_its_path_and_shrinks_while_idle),
        cmocka_unit_test(a_cut_is_waited_out_by_doubling_timeouts),
        cmocka_unit_test(a_narrow_way_takes_bytes_by_its_rate),
        cmocka_unit_test(an_overflowing_buffer_costs_half_the_window_not_the_message),
        cmocka_unit_test(losses_are_mended_within_a_round_trip_or_by_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
