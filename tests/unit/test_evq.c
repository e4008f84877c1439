/*
 * The event queue must give back what is pending in order of (time, sequence), whatever was
 * pushed and cancelled in between.
 *
 * Method: fixed pseudo-random mixes of push, cancel and pop, against a sorted array.
 */
#include "sim/evq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)
#define PENDING_MAX 50000
#define STALE_MAX 64

struct pending {
    lz_time at;
    uint64_t seq;
    uint32_t event, gen;
};

// The queue under test, and what it should hold, sorted.
struct pair {
    struct lz_arena *arena;
    struct lz_evq q;
    struct pending all[PENDING_MAX];
    uint32_t count;
    struct pending stale[STALE_MAX]; // fired or cancelled
    uint32_t stale_count;
    uint64_t seq, first_seq, newest;
    lz_time now;
    uint64_t lcg;
};

static struct pair the_pair;

static struct pair *make(void)
{
    struct pair *p = &the_pair;
    memset(p, 0, sizeof(*p));
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 64 * MIB};
    if (!lz_arena_create(&opts, &p->arena, &err))
        fail_msg("%s", err.msg);
    lz_evq_init(&p->q, p->arena);
    p->lcg = 1;
    p->seq = 1ull << 40;
    return p;
}

static uint32_t roll(struct pair *p, uint32_t sides)
{
    p->lcg = p->lcg * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(p->lcg >> 33) % sides;
}

static void push_seq(struct pair *p, lz_time at, uint64_t seq)
{
    uint32_t i = seq > p->newest ? lz_evq_add(&p->q, at, seq, 0, ~seq)
                                 : lz_evq_add_late(&p->q, at, seq, 0, ~seq);
    p->newest = seq > p->newest ? seq : p->newest;
    const struct lz_evq_event *e = &p->q.events[i];
    uint32_t low = 0, high = p->count;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        const struct pending *x = &p->all[mid];
        if (x->at < at || (x->at == at && x->seq < seq))
            low = mid + 1;
        else
            high = mid;
    }
    assert_true(p->count < PENDING_MAX);
    memmove(&p->all[low + 1], &p->all[low], (p->count - low) * sizeof(p->all[0]));
    p->all[low] = (struct pending){at, seq, i, e->gen & 0x7fffffffu};
    p->count++;
}

static void push(struct pair *p, lz_time at)
{
    bool first = roll(p, 16) == 0; // as lz_sim_at_first does
    push_seq(p, at, first ? p->first_seq++ : p->seq++);
}

static struct pending forget(struct pair *p, uint32_t at)
{
    struct pending gone = p->all[at];
    p->count--;
    memmove(&p->all[at], &p->all[at + 1], (p->count - at) * sizeof(p->all[0]));
    p->stale[p->stale_count++ % STALE_MAX] = gone;
    return gone;
}

static void cancel(struct pair *p, uint32_t at)
{
    struct pending gone = forget(p, at);
    assert_true(lz_evq_cancel(&p->q, gone.event, gone.gen));
    assert_false(lz_evq_cancel(&p->q, gone.event, gone.gen));
    assert_true(p->q.dead <= p->q.live + 4096);
}

static void cancel_stale(struct pair *p)
{
    for (uint32_t i = 0; i < STALE_MAX && i < p->stale_count; i++)
        assert_false(lz_evq_cancel(&p->q, p->stale[i].event, p->stale[i].gen));
}

static void assert_next(struct pair *p)
{
    assert_int_equal(p->q.live, p->count);
    const struct lz_evq_entry *next = lz_evq_peek(&p->q, LZ_FOREVER);
    if (p->count == 0) {
        assert_null(next);
        return;
    }
    assert_non_null(next);
    assert_int_equal(next->at, p->all[0].at);
    const struct lz_evq_event *e = &p->q.events[next->event];
    assert_int_equal(e->rank, p->all[0].seq);
    assert_int_equal(e->payload, ~e->rank);
}

static void pop(struct pair *p)
{
    assert_next(p);
    if (p->count == 0)
        return;
    p->now = p->all[0].at;
    lz_evq_take(&p->q);
    forget(p, 0);
}

static void drain(struct pair *p)
{
    while (p->count > 0)
        pop(p);
    assert_next(p);
}

static lz_time in_near(struct pair *p)
{
    return p->now + roll(p, 100);
}

static lz_time in_equal(struct pair *p)
{
    return p->now + (lz_time)roll(p, 4) * 1000;
}

static lz_time in_far(struct pair *p)
{
    return p->now + roll(p, 64) * ((lz_time)1 << roll(p, 44));
}

// Everything until the next million: crowds of many hundreds at one instant.
static lz_time in_crowds(struct pair *p)
{
    return (p->now / 1000000 + 1 + (roll(p, 8) == 0)) * 1000000;
}

static lz_time in_timeouts(struct pair *p)
{
    return p->now + (roll(p, 3) == 0 ? 1000000000 : (lz_time)roll(p, 2000000));
}

static lz_time in_any(struct pair *p)
{
    static lz_time (*const kinds[])(struct pair *) = {in_near, in_equal, in_far, in_crowds,
                                                      in_timeouts};
    return kinds[roll(p, COUNT(kinds))](p);
}

static void mixes_pop_in_order_of_time_and_sequence(void **state)
{
    (void)state;
    static lz_time (*const times[])(struct pair *) = {in_near,   in_equal,    in_far,
                                                      in_crowds, in_timeouts, in_any};
    static const struct {
        uint32_t pushes, cancels, pops; // of 100
    } mixes[] = {{50, 0, 50}, {50, 10, 40}, {60, 20, 20}, {50, 45, 5}, {40, 10, 50}, {33, 33, 34}};
    for (size_t t = 0; t < COUNT(times); t++) {
        for (size_t i = 0; i < COUNT(mixes); i++) {
            struct pair *p = make();
            for (uint32_t n = 0; n < 10000; n++) {
                uint32_t side = roll(p, 100);
                if (side < mixes[i].pushes)
                    push(p, times[t](p));
                else if (side >= mixes[i].pushes + mixes[i].cancels)
                    pop(p);
                else if (p->count > 0)
                    cancel(p, roll(p, p->count));
                if (roll(p, 10) == 0)
                    assert_next(p); // a look ahead, with nothing taken
                if (n % 500 == 0)
                    cancel_stale(p);
                if (roll(p, 3000) == 0)
                    drain(p);
            }
            drain(p);
            lz_arena_destroy(p->arena);
        }
    }
}

static void a_crowd_at_one_instant_pops_in_order_of_sequence(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 8, 9, 63, 64, 65, 66, 200, 5000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct pair *p = make();
        push(p, 77);
        assert_next(p); // what follows goes straight into the heap, and out of it again
        for (uint32_t n = 0; n < sizes[i]; n++)
            push(p, n % 5 == 4 ? 60 : 50);
        for (uint32_t n = 0; n < sizes[i]; n++)
            push_seq(p, 70, (1ull << 50) - n); // the last pushed is the first due
        drain(p);
        lz_arena_destroy(p->arena);
    }
}

static void what_is_pushed_behind_a_look_ahead_is_next(void **state)
{
    (void)state;
    for (uint32_t digit = 0; digit < 10; digit++) {
        struct pair *p = make();
        lz_time far = (lz_time)1 << (6 * digit + 1);
        push(p, far);
        assert_next(p);
        for (lz_time at = far; at > 0; at /= 2) {
            push(p, at);
            assert_next(p);
        }
        drain(p);
        lz_arena_destroy(p->arena);
    }
}

static void nearer_times_may_follow_when_all_that_was_pending_is_cancelled(void **state)
{
    (void)state;
    struct pair *p = make();
    for (lz_time far = 1; far < (lz_time)1 << 50; far *= 3) {
        push(p, far);
        push(p, far + 1);
        cancel(p, 0);
        cancel(p, 0);
        assert_next(p); // looks through the dead
        push(p, 0);
        push(p, far / 2);
        push(p, far - 1);
        drain(p);
        p->now = 0;
        for (int i = 0; i < 2; i++) { // the heap's side as well
            push(p, far);
            assert_next(p);
            cancel(p, 0);
            assert_next(p);
            push(p, far / 3);
            assert_next(p);
            cancel(p, 0);
        }
    }
    lz_arena_destroy(p->arena);
}

static void a_mass_cancel_is_purged_and_the_rest_stays_in_order(void **state)
{
    (void)state;
    static const struct {
        lz_time (*time)(struct pair *);
        uint32_t keep; // of 1000
    } rows[] = {{in_near, 0}, {in_far, 0}, {in_near, 10}, {in_crowds, 10}, {in_any, 100}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair *p = make();
        for (int round = 0; round < 2; round++) {
            uint32_t used = p->q.event_used;
            while (p->count < 20000)
                push(p, rows[i].time(p));
            assert_next(p);
            for (uint32_t at = p->count; at > 0; at--)
                if (roll(p, 1000) >= rows[i].keep)
                    cancel(p, at - 1);
            assert_true(p->q.dead <= p->q.live + 4096);
            assert_next(p);
            cancel_stale(p);
            for (uint32_t n = 0; n < 1000; n++)
                push(p, rows[i].time(p));
            assert_true(round == 0 || p->q.event_used <= used + 1000); // slots are reused
            drain(p);
            assert_int_equal(p->q.dead, 0);
        }
        lz_arena_destroy(p->arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes_pop_in_order_of_time_and_sequence),
        cmocka_unit_test(a_crowd_at_one_instant_pops_in_order_of_sequence),
        cmocka_unit_test(what_is_pushed_behind_a_look_ahead_is_next),
        cmocka_unit_test(nearer_times_may_follow_when_all_that_was_pending_is_cancelled),
        cmocka_unit_test(a_mass_cancel_is_purged_and_the_rest_stays_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
