/*
 * The four ways to schedule, mixed: what fires must not depend on how it was scheduled, nor on
 * how far the queue had been opened or how often a run was ended and taken up again.
 *
 * Method: every event that fires is logged as "time:letter"; a test compares the log. The
 * random test compares with a plain list that is searched for its least (time, sequence).
 */
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "sim_rig.h"

static void script_soon(struct rig *r, uint32_t entity)
{
    lz_lane none = lz_sim_lane(r->sim, 0, r->mark);
    if (entity != '1')
        return;
    lz_sim_soon(r->sim, r->mark, 'p', 0);
    lz_sim_at(r->sim, lz_sim_now(r->sim), r->mark, 'q', 0);
    lz_sim_arm(r->sim, none, 'r', 0);
    lz_sim_soon(r->sim, r->script, 's', 0);
    lz_sim_at(r->sim, lz_sim_now(r->sim) + 1, r->mark, 't', 0);
}

static void soon_is_after_what_is_already_due_and_before_what_is_not(void **state)
{
    struct rig *r = *state;
    r->on_script = script_soon;
    lz_sim_at(r->sim, 5, r->script, '1', 0);
    lz_sim_at(r->sim, 5, r->mark, '2', 0);
    lz_sim_at(r->sim, 6, r->mark, '3', 0);
    expect_log(r, 6, "5:1 5:2 5:p 5:q 5:r 5:s 6:3 6:t");
}

static void a_timer_waits_for_its_own_delay(void **state)
{
    struct rig *r = *state;
    lz_lane lane = lz_sim_lane(r->sim, 10, r->mark);
    assert_int_equal(lz_sim_lane(r->sim, 10, r->mark), lane);
    assert_int_not_equal(lz_sim_lane(r->sim, 11, r->mark), lane);
    assert_int_not_equal(lz_sim_lane(r->sim, 10, r->script), lane);
    lz_event_id a = lz_sim_arm(r->sim, lane, 'a', 0);
    lz_sim_run(r->sim, 4);
    lz_sim_arm(r->sim, lane, 'b', 0);
    lz_sim_cancel(r->sim, a); // the alarm was set for this one
    lz_sim_run(r->sim, 12);
    lz_sim_arm(r->sim, lane, 'c', 0);
    expect_log(r, 22, "14:b 22:c");
}

static void a_timer_that_would_be_due_after_the_end_of_time_waits_for_it(void **state)
{
    struct rig *r = *state;
    lz_lane never = lz_sim_lane(r->sim, LZ_FOREVER, r->mark);
    lz_sim_run(r->sim, LZ_S);
    lz_sim_arm(r->sim, never, 'a', 0);
    expect_log(r, LZ_FOREVER - 1, "");
    assert_int_equal(lz_sim_pending(r->sim), 1);
}

static void a_lane_leaves_nothing_behind(void **state)
{
    struct rig *r = *state;
    lz_lane lane = lz_sim_lane(r->sim, 30 * LZ_S, r->mark);
    lz_event_id ids[1000];
    for (size_t i = 0; i < 1000; i++)
        ids[i] = lz_sim_arm(r->sim, lane, 'a', 0);
    size_t before = lz_arena_used(r->arena), used = 0;
    for (uint64_t i = 0; i < 1000000; i++) {
        if (i == 10000) // what was cancelled has been left out several times
            used = lz_arena_used(r->arena);
        uint64_t which = lz_hash_mix(1, i) % 1000;
        assert_true(lz_sim_cancel(r->sim, ids[which]));
        ids[which] = lz_sim_arm(r->sim, lane, 'a', 0);
    }
    assert_int_equal(lz_arena_used(r->arena), used);
    assert_true(used <= before + (size_t)1000 * 8 * 3); // three places of 8 bytes for each
    assert_int_equal(lz_sim_pending(r->sim), 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_true(lz_sim_cancel(r->sim, ids[i]));
    expect_log(r, 60 * LZ_S, "");
    assert_int_equal(lz_sim_pending(r->sim), 0);
}

static void on_quiet(void *ctx, uint32_t entity, uint64_t payload)
{
    struct rig *r = ctx;
    assert_int_equal(lz_sim_now(r->sim), payload);
    (void)entity;
}

// A hundred events within the next second, not in their order.
static void storm(struct rig *r, lz_kind quiet)
{
    lz_time now = lz_sim_now(r->sim);
    for (lz_time i = 0; i < 100; i++) {
        lz_time at = now + i * 7919 % 100 * 10 * LZ_MS;
        lz_sim_at(r->sim, at, quiet, 0, (uint64_t)at);
    }
}

static void script_storm(struct rig *r, uint32_t entity)
{
    if (entity == 'b')
        storm(r, (lz_kind)(r->script + 1));
    else
        lz_sim_soon(r->sim, r->script, 'b', 0);
}

// By then the queue may have been opened as far as the next event.
static void ready_work_may_schedule_many_events_before_the_next(void **state)
{
    struct rig *r = *state;
    r->on_script = script_storm;
    lz_sim_kind(r->sim, "quiet", on_quiet, r);
    for (lz_time i = 1; i <= 200; i++)
        lz_sim_at(r->sim, i * 10 * LZ_S, r->script, 'a', 0);
    for (lz_time i = 1; i <= 200; i++) {
        r->len = 0;
        assert_int_equal(lz_sim_run(r->sim, (i * 10 + 2) * LZ_S), LZ_SIM_ENDED);
        assert_int_equal(lz_sim_events(r->sim), (uint64_t)i * 102);
    }
}

static void between_two_runs_anything_may_be_scheduled(void **state)
{
    struct rig *r = *state;
    lz_kind quiet = lz_sim_kind(r->sim, "quiet", on_quiet, r);
    for (lz_time i = 1; i <= 200; i++)
        lz_sim_at(r->sim, i * 10 * LZ_S, quiet, 0, (uint64_t)(i * 10 * LZ_S));
    for (lz_time i = 0; i < 200; i++) {
        lz_sim_run(r->sim, (i * 10 + 5) * LZ_S);
        storm(r, quiet);
    }
    expect_log(r, 2000 * LZ_S, "");
    assert_int_equal(lz_sim_events(r->sim), 200 * 101);
}

static void a_run_ends_at_its_end_whatever_is_pending(void **state)
{
    struct rig *r = *state;
    expect_log(r, 5, "");
    lz_sim_at(r->sim, 10, r->mark, 'a', 0);
    lz_sim_at(r->sim, 11, r->mark, 'b', 0);
    expect_log(r, 9, "");
    expect_log(r, 10, "10:a");
    expect_log(r, 10, "10:a");
    expect_log(r, 1000, "10:a 11:b");
}

static void the_budget_is_the_number_of_events_that_fire(void **state)
{
    (void)state;
    for (uint64_t budget = 1; budget <= 4; budget++) {
        struct rig r;
        start(&r, 1, budget);
        lz_lane lane = lz_sim_lane(r.sim, 2, r.mark);
        lz_sim_at(r.sim, 1, r.mark, 'a', 0);
        lz_sim_cancel(r.sim, lz_sim_arm(r.sim, lane, 'x', 0));
        lz_sim_arm(r.sim, lane, 'b', 0);
        lz_sim_at(r.sim, 3, r.mark, 'c', 0);
        enum lz_sim_stop why = lz_sim_run(r.sim, 10);
        assert_int_equal(why, budget < 3 ? LZ_SIM_EVENTS_USED : LZ_SIM_ENDED);
        assert_int_equal(lz_sim_events(r.sim), budget < 3 ? budget : 3);
        assert_int_equal(lz_sim_now(r.sim), budget < 3 ? (lz_time)budget : 10);
        finish(&r);
    }
}

static void the_way_an_event_was_scheduled_does_not_change_the_trace(void **state)
{
    (void)state;
    uint64_t traces[5];
    for (int way = 0; way < 5; way++) {
        struct rig r;
        start(&r, 1, 0);
        if (way == 3)
            lz_sim_at(r.sim, 7, r.mark, 'a', 1);
        else if (way == 4)
            lz_sim_after(r.sim, lz_sim_line(r.sim, 7), r.mark, 'a', 1);
        else if (way == 0)
            lz_sim_at(r.sim, 0, r.mark, 'a', 1);
        else if (way == 1)
            lz_sim_soon(r.sim, r.mark, 'a', 1);
        else
            lz_sim_arm(r.sim, lz_sim_lane(r.sim, 0, r.mark), 'a', 1);
        lz_sim_run(r.sim, 10);
        traces[way] = lz_sim_trace(r.sim);
        finish(&r);
    }
    assert_int_equal(traces[0], traces[1]);
    assert_int_equal(traces[0], traces[2]);
    assert_int_equal(traces[3], traces[4]);
}

// Timers that their owner keeps: records 1 .., which are those that are armed, in order.
struct kept {
    struct lz_chain link;
    lz_time armed;
    uint64_t rank;
    uint32_t letter;
};

struct keeper {
    struct lz_sim *sim;
    struct lz_sim_timers list;
    struct kept all[16];
    uint32_t count;
};

// The first that is armed is 'a', the next 'b' and so on.
static void keep_one(struct keeper *k)
{
    struct kept *one = &k->all[k->count];
    *one = (struct kept){.armed = lz_sim_now(k->sim),
                         .rank = lz_sim_next_rank(k->sim, k->list.lane),
                         .letter = 'a' + k->count++};
    lz_chain_append(&k->list.armed, &one->link);
    lz_sim_timers_armed(k->sim, &k->list);
}

static void drop(struct keeper *k, char letter)
{
    lz_chain_remove(&k->all[letter - 'a'].link);
}

static struct kept *first_of(const struct lz_sim_timers *list)
{
    return LZ_CHAIN_RECORD(list->armed.behind, struct kept, link);
}

static void first_kept(void *ctx, const struct lz_sim_timers *list, struct lz_sim_due *due)
{
    (void)ctx;
    const struct kept *first = first_of(list);
    *due = (struct lz_sim_due){
        .at = first->armed + list->delay, .rank = first->rank, .entity = first->letter};
}

static void take_kept(void *ctx, struct lz_sim_timers *list)
{
    (void)ctx;
    lz_chain_remove(&first_of(list)->link);
}

static void timers_that_their_owner_keeps_are_in_order_with_all_others(void **state)
{
    struct rig *r = *state;
    struct keeper k = {.sim = r->sim};
    k.list = (struct lz_sim_timers){.delay = 10, .ctx = &k, .head = first_kept, .take = take_kept};
    lz_sim_timers_add(r->sim, &k.list, r->mark);
    assert_int_not_equal(lz_sim_lane(r->sim, 10, r->mark), k.list.lane);
    lz_sim_at(r->sim, 10, r->mark, '1', 0);
    keep_one(&k); // a
    keep_one(&k); // b
    lz_sim_at(r->sim, 10, r->mark, '2', 0);
    lz_sim_run(r->sim, 4);
    keep_one(&k);  // c
    keep_one(&k);  // d
    drop(&k, 'a'); // the alarm was set for this one
    drop(&k, 'c');
    expect_log(r, 13, "10:1 10:b 10:2");
    uint64_t fired = lz_sim_events(r->sim);
    drop(&k, 'd'); // and for this one now: nobody is left
    lz_sim_run(r->sim, 20);
    assert_int_equal(lz_sim_events(r->sim), fired);
    assert_int_equal(lz_sim_pending(r->sim), 0);
    keep_one(&k); // e
    expect_log(r, 30, "10:1 10:b 10:2 30:e");
}

#define TASKS_MAX 20000

struct task {
    lz_time at;
    uint64_t seq;
    lz_event_id id; // 0: cannot be cancelled
    bool is_over;
};

// The kernel and a list, told the same. Fired tasks are compared as they fire.
struct mix {
    struct lz_sim *sim;
    lz_kind kind;
    lz_lane lanes[4];
    struct task tasks[TASKS_MAX];
    uint32_t count, first_open;
    uint64_t draws;
};

static const lz_time delays[4] = {0, 3, 1000, 70000};

static uint64_t draw(struct mix *m, uint64_t below)
{
    return lz_hash_mix(11, m->draws++) % below;
}

static void schedule(struct mix *m)
{
    if (m->count == TASKS_MAX)
        return;
    uint32_t i = m->count++;
    lz_time now = lz_sim_now(m->sim);
    struct task *t = &m->tasks[i];
    uint64_t way = draw(m, 13);
    *t = (struct task){.at = now, .seq = i};
    if (way < 2) {
        lz_sim_soon(m->sim, m->kind, i, i);
    } else if (way < 6) {
        t->at = now + delays[way - 2];
        t->id = lz_sim_arm(m->sim, m->lanes[way - 2], i, i);
    } else if (way < 9) {
        t->at = now + delays[way - 5]; // 3 and more
        lz_sim_after(m->sim, lz_sim_line(m->sim, delays[way - 5]), m->kind, i, i);
    } else {
        t->at = now + (lz_time)draw(m, 1ull << draw(m, 18));
        t->id = lz_sim_at(m->sim, t->at, m->kind, i, i);
    }
}

static void cancel_one(struct mix *m)
{
    struct task *t = &m->tasks[m->count - 1 - draw(m, m->count < 300 ? m->count : 300)];
    if (t->id == 0)
        return;
    assert_int_equal(lz_sim_cancel(m->sim, t->id), !t->is_over);
    t->is_over = true;
}

static void on_task(void *ctx, uint32_t entity, uint64_t payload)
{
    struct mix *m = ctx;
    assert_int_equal(payload, entity);
    while (m->first_open < m->count && m->tasks[m->first_open].is_over)
        m->first_open++;
    uint32_t least = m->first_open;
    for (uint32_t i = least + 1; i < m->count; i++)
        if (!m->tasks[i].is_over && m->tasks[i].at < m->tasks[least].at)
            least = i;
    assert_int_equal(entity, least);
    assert_int_equal(lz_sim_now(m->sim), m->tasks[least].at);
    m->tasks[least].is_over = true;
    for (uint64_t n = draw(m, 5); n > 0; n--)
        schedule(m);
    for (uint64_t n = draw(m, 3); n > 0; n--)
        cancel_one(m);
}

static void a_random_mix_fires_in_the_order_of_time_and_scheduling(void **state)
{
    struct rig *r = *state;
    struct mix *m = calloc(1, sizeof(*m));
    m->sim = r->sim;
    m->kind = lz_sim_kind(r->sim, "task", on_task, m);
    for (size_t i = 0; i < 4; i++)
        m->lanes[i] = lz_sim_lane(r->sim, delays[i], m->kind);
    for (int i = 0; i < 100; i++)
        schedule(m);
    for (lz_time end = 0; lz_sim_pending(r->sim) > 0; end += 777)
        assert_int_equal(lz_sim_run(r->sim, end), LZ_SIM_ENDED);
    assert_true(m->count > 10000);
    for (uint32_t i = 0; i < m->count; i++)
        assert_true(m->tasks[i].is_over);
    free(m);
}

#define CROWD 3000

struct crowd {
    struct lz_sim *sim;
    lz_line line;          // of 64 ns; 0: nothing else happens
    lz_kind others;        // which nobody foresees
    uint32_t times[CROWD]; // that each was foreseen
    uint32_t fired, before_max;
};

static void on_one(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct crowd *c = ctx;
    c->fired++;
    if (c->line != 0)
        lz_sim_after(c->sim, c->line, c->others, entity, 0);
}

static void on_other(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)ctx;
    (void)entity;
    (void)payload;
}

static void foresee_one(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct crowd *c = ctx;
    assert_true(entity >= c->fired); // they fire in the order of their numbers
    uint32_t before = entity - c->fired;
    c->times[entity]++;
    c->before_max = before > c->before_max ? before : c->before_max;
}

static const struct {
    uint32_t cancelled; // one after so many; 0: none
    lz_time line;       // each has something follow so much later, at the instant of another
} crowds[] = {{0, 0}, {10, 0}, {1, 0}, {0, 64}, {7, 64}};

// Of thousands that are sorted at once, what is fetched too soon is gone when it is needed;
// whatever stands between them, there is no end to it.
static void of_thousands_each_is_foreseen_once_and_soon_before_it_fires(void **state)
{
    for (size_t row = 0; row < sizeof(crowds) / sizeof(crowds[0]); row++) {
        struct rig *r = *state;
        struct crowd c = {.sim = r->sim};
        lz_kind one = lz_sim_kind(r->sim, "one", on_one, &c);
        c.others = lz_sim_kind(r->sim, "other", on_other, &c);
        c.line = crowds[row].line > 0 ? lz_sim_line(r->sim, crowds[row].line) : 0;
        lz_sim_foresee(r->sim, one, foresee_one);
        lz_time start = (lz_sim_now(r->sim) / 4096 + 2) * 4096;
        uint32_t cancelled = crowds[row].cancelled, count = 0;
        for (uint32_t i = 0; i < CROWD; i++) {
            lz_time at = start + i * 4096 / CROWD;
            if (cancelled > 0 && i % (cancelled + 1) == cancelled)
                assert_true(lz_sim_cancel(r->sim, lz_sim_at(r->sim, at, c.others, i, 0)));
            else
                lz_sim_at(r->sim, at, one, count++, 0);
        }
        assert_int_equal(lz_sim_run(r->sim, start + LZ_S), LZ_SIM_ENDED);
        assert_int_equal(c.fired, count);
        assert_true(c.before_max <= 32);
        uint32_t once = 0;
        for (uint32_t i = 0; i < count; i++) {
            assert_true(c.times[i] <= 1);
            once += c.times[i];
        }
        assert_true(once + 100 > count); // some are near before there is a wheel
        // Theirs, the run that they were sorted into, and what sorted them.
        assert_true(lz_sim_bytes(r->sim) > CROWD * (36 + 16 + 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(soon_is_after_what_is_already_due_and_before_what_is_not),
        TEST(a_timer_waits_for_its_own_delay),
        TEST(a_timer_that_would_be_due_after_the_end_of_time_waits_for_it),
        TEST(a_lane_leaves_nothing_behind),
        TEST(ready_work_may_schedule_many_events_before_the_next),
        TEST(between_two_runs_anything_may_be_scheduled),
        TEST(a_run_ends_at_its_end_whatever_is_pending),
        TEST(the_budget_is_the_number_of_events_that_fire),
        TEST(the_way_an_event_was_scheduled_does_not_change_the_trace),
        TEST(timers_that_their_owner_keeps_are_in_order_with_all_others),
        TEST(a_random_mix_fires_in_the_order_of_time_and_scheduling),
        TEST(of_thousands_each_is_foreseen_once_and_soon_before_it_fires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
