/*
 * Lines: events of one delay each, in order with all others; and handlers beside a kind's own.
 */
#include "sim_rig.h"

#include <string.h>

static void events_of_a_line_are_in_order_with_all_others(void **state)
{
    struct rig *r = *state;
    lz_line five = lz_sim_line(r->sim, 5), three = lz_sim_line(r->sim, 3);
    assert_int_equal(lz_sim_line(r->sim, 5), five);
    lz_sim_at(r->sim, 5, r->mark, 'a', 0);
    lz_sim_after(r->sim, five, r->mark, 'b', 0);
    lz_sim_at(r->sim, 5, r->mark, 'c', 0);
    lz_sim_after(r->sim, three, r->mark, 'd', 0);
    lz_sim_run(r->sim, 2);
    lz_sim_after(r->sim, three, r->mark, 'e', 0); // at 5 too, and scheduled last
    lz_sim_after(r->sim, five, r->mark, 'f', 0);
    assert_int_equal(lz_sim_pending(r->sim), 6);
    expect_log(r, 10, "3:d 5:a 5:b 5:c 5:e 7:f");
}

static void lines_are_few(void **state)
{
    struct rig *r = *state;
    for (lz_time delay = 1; delay <= LZ_LINES_MAX; delay++)
        assert_int_not_equal(lz_sim_line(r->sim, delay), 0);
    assert_int_equal(lz_sim_line(r->sim, LZ_LINES_MAX + 1), 0);
    assert_int_not_equal(lz_sim_line(r->sim, LZ_LINES_MAX), 0);
}

static void a_line_may_be_made_while_others_hold_events(void **state)
{
    struct rig *r = *state;
    lz_line four = lz_sim_line(r->sim, 4);
    lz_sim_after(r->sim, four, r->mark, 'a', 0);
    lz_sim_run(r->sim, 1);
    lz_line six = lz_sim_line(r->sim, 6), three = lz_sim_line(r->sim, 3); // before it, and behind
    lz_sim_after(r->sim, six, r->mark, 'b', 0);
    lz_sim_run(r->sim, 3);
    lz_sim_after(r->sim, four, r->mark, 'c', 0); // at 7, as 'b' is, and scheduled after it
    lz_sim_run(r->sim, 4);
    lz_sim_after(r->sim, three, r->mark, 'd', 0);
    assert_int_equal(lz_sim_line(r->sim, 4), four);
    expect_log(r, 10, "4:a 7:b 7:c 7:d");
}

// `payload` is when.
static void on_counted(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct rig *r = ctx;
    assert_int_equal(lz_sim_now(r->sim), payload);
    r->counted++;
}

// Six lines, each with many: none is lost, whichever is empty, and rings are widened meanwhile.
static void all_lines_may_be_full_and_empty_again(void **state)
{
    struct rig *r = *state;
    lz_kind counted = lz_sim_kind(r->sim, "counted", on_counted, r);
    uint64_t sent = 0;
    for (lz_time now = 0; now < 3000; now++) {
        lz_sim_run(r->sim, now);
        for (lz_time way = 1; way <= LZ_LINES_MAX && now % 500 < 300; way++) {
            lz_time delay = 40 * way;
            if (now % way != 0)
                continue;
            lz_sim_after(r->sim, lz_sim_line(r->sim, delay), counted, 0, (uint64_t)(now + delay));
            sent++;
        }
    }
    lz_sim_run(r->sim, 4000);
    assert_int_equal(r->counted, sent);
    assert_int_equal(lz_sim_pending(r->sim), 0);
}

static void after_the_time_that_lines_have_events_go_to_the_queue(void **state)
{
    struct rig *r = *state;
    lz_line five = lz_sim_line(r->sim, 5);
    assert_int_equal(lz_sim_line(r->sim, LZ_LINES_UNTIL), 0);
    lz_sim_run(r->sim, LZ_LINES_UNTIL - 3);
    lz_sim_after(r->sim, five, r->mark, 'a', 0); // is not due before the run's end
    lz_sim_run(r->sim, LZ_LINES_UNTIL - 1);
    lz_sim_at(r->sim, LZ_LINES_UNTIL + 2, r->mark, 'b', 0);
    assert_int_equal(r->len, 0);
    lz_sim_run(r->sim, LZ_LINES_UNTIL + 1);
    lz_sim_after(r->sim, five, r->mark, 'c', 0);
    assert_int_equal(lz_sim_pending(r->sim), 3);
    lz_sim_run(r->sim, LZ_LINES_UNTIL + 10);
    assert_int_equal(lz_sim_line(r->sim, 7), 0);
    assert_string_equal(r->log, "144115188075855874:a 144115188075855874:b 144115188075855878:c");
}

static void on_also(void *ctx, uint32_t entity, uint64_t payload)
{
    on_mark(ctx, entity - 'a' + 'A', payload);
}

static void watch_kind(void *ctx, const struct lz_event *event)
{
    *(lz_kind *)ctx = event->kind;
}

// The same events, of which some are handled by somebody else.
static void another_handler_of_a_kind_does_not_change_the_trace(void **state)
{
    struct rig *r = *state, other;
    start(&other, 1, 0);
    lz_kind also = lz_sim_kind_also(r->sim, r->mark, on_also), seen = 0;
    lz_sim_at(r->sim, 1, also, 'a', 5);
    lz_sim_at(other.sim, 1, other.mark, 'a', 5);
    expect_log(r, 1, "1:A");
    lz_sim_run(other.sim, 1);
    assert_int_equal(lz_sim_trace(r->sim), lz_sim_trace(other.sim));
    lz_sim_watch(r->sim, watch_kind, &seen);
    lz_sim_at(r->sim, 2, also, 'b', 0);
    lz_sim_run(r->sim, 2);
    assert_int_equal(seen, r->mark);
    assert_string_equal(lz_sim_kind_name(r->sim, seen), "mark");
    assert_false(lz_sim_has_kind(r->sim, also));
    finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_of_a_line_are_in_order_with_all_others),
        TEST(lines_are_few),
        TEST(a_line_may_be_made_while_others_hold_events),
        TEST(all_lines_may_be_full_and_empty_again),
        TEST(after_the_time_that_lines_have_events_go_to_the_queue),
        TEST(another_handler_of_a_kind_does_not_change_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
