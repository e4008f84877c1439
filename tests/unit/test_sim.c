/*
 * The kernel must fire what was scheduled, once, in order of time and then of scheduling,
 * and its trace must tell any two runs apart.
 *
 * Method: a line says what is done when, as in "5:a10x": at 5, schedule x for 10. Ways are
 * a (at), f (at_first), s (soon), t (a timer of that delay) and c (cancel). The log has
 * what fired, as "x10", and what a cancel returned: "+x" or "-x".
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

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)
#define KEY 42
#define STEPS_MAX 32

struct step {
    lz_time when, arg;
    char how, name;
};

struct stage {
    struct lz_arena *arena;
    struct lz_sim *sim;
    lz_kind act, say;
    struct step steps[STEPS_MAX];
    uint32_t step_count;
    lz_event_id ids[128];
    char log[256];
};

static void note(struct stage *s, const char *text)
{
    size_t used = strlen(s->log);
    snprintf(s->log + used, sizeof(s->log) - used, "%s%s", used > 0 ? " " : "", text);
}

static void on_say(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct stage *s = ctx;
    char text[32];
    snprintf(text, sizeof(text), "%c%lld", (char)entity, (long long)lz_sim_now(s->sim));
    note(s, text);
}

static void on_act(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct stage *s = ctx;
    const struct step *step = &s->steps[entity];
    uint32_t who = (uint32_t)step->name;
    char text[] = {' ', step->name, '\0'};
    switch (step->how) {
    case 'a':
        s->ids[who] = lz_sim_at(s->sim, step->arg, s->say, who, 0);
        break;
    case 'f':
        lz_sim_at_first(s->sim, step->arg, s->say, who, 0);
        break;
    case 's':
        lz_sim_soon(s->sim, s->say, who, 0);
        break;
    case 't':
        s->ids[who] = lz_sim_arm(s->sim, lz_sim_lane(s->sim, step->arg, s->say), who, 0);
        break;
    default:
        text[0] = lz_sim_cancel(s->sim, s->ids[who]) ? '+' : '-';
        note(s, text);
    }
}

static struct stage make_with(const struct lz_sim_opts *with)
{
    struct stage s = {0};
    struct lz_err err = {0};
    struct lz_arena_opts arena_opts = {.limit_bytes = 64 * MIB};
    if (!lz_arena_create(&arena_opts, &s.arena, &err))
        fail_msg("%s", err.msg);
    struct lz_sim_opts opts = *with;
    opts.arena = s.arena;
    s.sim = lz_sim_create(&opts);
    return s;
}

static struct stage make(void)
{
    return make_with(&(struct lz_sim_opts){.run_key = KEY});
}

static void play(struct stage *s, const char *line)
{
    s->act = lz_sim_kind(s->sim, "act", on_act, s);
    s->say = lz_sim_kind(s->sim, "say", on_say, s);
    for (const char *at = line; *at != '\0'; at += *at == ' ') {
        assert_true(s->step_count < STEPS_MAX);
        struct step *step = &s->steps[s->step_count];
        char *end;
        step->when = strtol(at, &end, 10);
        step->how = end[1]; // past the colon
        step->arg = strtol(end + 2, &end, 10);
        step->name = *end;
        at = end + 1;
        lz_sim_at(s->sim, step->when, s->act, s->step_count++, 0);
    }
    assert_int_equal(lz_sim_run(s->sim, 1000), LZ_SIM_ENDED);
    assert_int_equal(lz_sim_now(s->sim), 1000);
    assert_int_equal(lz_sim_pending(s->sim), 0);
}

struct row {
    const char *line, *log;
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stage s = make();
        play(&s, rows[i].line);
        if (strcmp(s.log, rows[i].log) != 0)
            fail_msg("%s: %s, not %s", rows[i].line, s.log, rows[i].log);
        lz_arena_destroy(s.arena);
    }
}

static void ties_fire_in_the_order_they_were_scheduled(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0:a10x 0:a10y 0:a9z", "z9 x10 y10"},
        {"0:a10x 0:t10y 0:a10z", "x10 y10 z10"},
        {"0:t10x 0:a10y 0:t10z", "x10 y10 z10"},
        {"0:t10x 5:t5y 0:a10z 5:a10v", "x10 z10 y10 v10"},
        {"0:s0x 0:a0y 0:s0z 0:t0v 0:s0w", "x0 y0 z0 v0 w0"},
        {"10:s0x 10:a10y 10:t0z 0:a10v", "v10 x10 y10 z10"}, // v was scheduled at 0
        {"0:t10x 0:t20y 10:t10z 0:a20v", "x10 y20 v20 z20"},
    };
    assert_rows(rows, COUNT(rows));
}

static void at_first_goes_before_all_else_of_its_instant(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0:a10x 0:t10y 0:f10z", "z10 x10 y10"},
        {"0:a10x 9:f10y 5:f10z", "z10 y10 x10"},
        {"0:s0x 0:f0y 0:s0z", "y0 x0 z0"},
        {"0:a9x 0:f10y 0:a9z", "x9 z9 y10"},
    };
    assert_rows(rows, COUNT(rows));
}

static void what_is_cancelled_does_not_fire_and_is_cancelled_once(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0:a10x 0:a10y 5:c0x", "+x y10"},
        {"0:a10x 5:c0x 6:c0x", "+x -x"},
        {"0:a10x 10:c0x", "+x"}, // "act" was scheduled first
        {"0:a10x 11:c0x", "x10 -x"},
        {"0:c0x", "-x"}, // never scheduled: no handle
        {"0:t10x 5:c0x", "+x"},
        {"0:t10x 5:c0x 6:c0x", "+x -x"},
        {"0:t10x 11:c0x", "x10 -x"},
        {"0:t10x 1:t10y 2:t10z 5:c0x", "+x y11 z12"},
        {"0:t10x 1:t10y 2:t10z 5:c0y", "+y x10 z12"},
        {"0:t10x 1:t10y 2:t10z 5:c0z", "+z x10 y11"},
        {"0:t10x 1:t10y 5:c0x 6:c0y 7:t10z", "+x +y z17"},
        {"0:t10x 0:a10y 0:t10z 5:c0x", "+x y10 z10"}, // z keeps its place behind y
        {"0:t10x 0:t10y 0:a10z 5:c0x", "+x y10 z10"},
        {"0:t10x 0:t20y 5:c0x 6:t10z", "+x z16 y20"},
        {"0:t10x 5:c0x 6:t10x 7:c0x 8:t10x", "+x +x x18"},
    };
    assert_rows(rows, COUNT(rows));
}

static void a_run_may_look_past_what_was_cancelled_and_still_be_given_less(void **state)
{
    (void)state;
    struct stage s = make();
    lz_kind say = lz_sim_kind(s.sim, "say", on_say, &s);
    lz_sim_cancel(s.sim, lz_sim_at(s.sim, 1000000, say, 'x', 0));
    assert_int_equal(lz_sim_run(s.sim, 10), LZ_SIM_ENDED);
    lz_sim_at(s.sim, 5000, say, 'y', 0);
    lz_sim_at(s.sim, 2000000, say, 'z', 0);
    assert_int_equal(lz_sim_run(s.sim, 2000000), LZ_SIM_ENDED);
    assert_string_equal(s.log, "y5000 z2000000");
    lz_arena_destroy(s.arena);
}

static void on_scatter(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct stage *s = ctx;
    lz_sim_at(s->sim, 1000 - entity, s->say, 'x', 0);
}

static void many_may_be_scheduled_from_one_instant_before_a_far_event(void **state)
{
    (void)state;
    struct stage s = make();
    s.say = lz_sim_kind(s.sim, "say", on_say, &s);
    lz_kind scatter = lz_sim_kind(s.sim, "scatter", on_scatter, &s);
    lz_sim_at(s.sim, 1000000, s.say, 'z', 0);
    for (uint32_t i = 0; i < 500; i++)
        lz_sim_soon(s.sim, scatter, i, 0); // the far one has been looked at by then
    assert_int_equal(lz_sim_run(s.sim, 503), LZ_SIM_ENDED);
    assert_string_equal(s.log, "x501 x502 x503");
    assert_int_equal(lz_sim_pending(s.sim), 498);
    lz_arena_destroy(s.arena);
}

static void a_handle_does_not_cancel_what_took_its_place(void **state)
{
    (void)state;
    struct stage s = make();
    lz_kind say = lz_sim_kind(s.sim, "say", on_say, &s);
    lz_lane lane = lz_sim_lane(s.sim, 10, say);
    lz_event_id at = lz_sim_at(s.sim, 10, say, 'x', 0), timer = lz_sim_arm(s.sim, lane, 'y', 0);
    lz_sim_run(s.sim, 10);
    lz_event_id at2 = lz_sim_at(s.sim, 20, say, 'v', 0), timer2 = lz_sim_arm(s.sim, lane, 'w', 0);
    assert_int_equal((uint32_t)timer, (uint32_t)timer2); // the same slot
    assert_int_not_equal(at, at2);
    assert_false(lz_sim_cancel(s.sim, at));
    assert_false(lz_sim_cancel(s.sim, timer));
    assert_int_equal(lz_sim_pending(s.sim), 2);
    lz_sim_run(s.sim, 20);
    assert_string_equal(s.log, "x10 y10 v20 w20");
    lz_arena_destroy(s.arena);
}

static void a_lane_is_made_once_for_a_delay_and_a_kind(void **state)
{
    (void)state;
    struct stage s = make();
    lz_kind a = lz_sim_kind(s.sim, "a", on_say, &s), b = lz_sim_kind(s.sim, "b", on_say, &s);
    lz_lane lane = lz_sim_lane(s.sim, 10, a);
    assert_int_not_equal(lane, 0);
    assert_int_equal(lz_sim_lane(s.sim, 10, a), lane);
    assert_int_not_equal(lz_sim_lane(s.sim, 11, a), lane);
    assert_int_not_equal(lz_sim_lane(s.sim, 10, b), lane);
    assert_string_equal(lz_sim_kind_name(s.sim, a), "a");
    lz_arena_destroy(s.arena);
}

// Everything that fires schedules or cancels some more; payloads number what was scheduled.
#define CROWD 20000
struct crowd {
    struct lz_sim *sim;
    lz_kind kind;
    uint64_t lcg, next, before;
    lz_time at_before;
    lz_event_id ids[CROWD];
    lz_time due[CROWD];
    bool gone[CROWD];
};

static uint32_t roll(struct crowd *c, uint32_t sides)
{
    c->lcg = c->lcg * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(c->lcg >> 33) % sides;
}

static void schedule(struct crowd *c)
{
    static const lz_time delays[] = {0, 1, 50, 3000};
    uint64_t n = c->next++;
    lz_time now = lz_sim_now(c->sim), delay = delays[roll(c, COUNT(delays))];
    switch (roll(c, 3)) {
    case 0:
        c->due[n] = now;
        lz_sim_soon(c->sim, c->kind, 0, n);
        break;
    case 1:
        c->due[n] = now + delay;
        c->ids[n] = lz_sim_arm(c->sim, lz_sim_lane(c->sim, delay, c->kind), 0, n);
        break;
    default:
        c->due[n] = now + roll(c, 100);
        c->ids[n] = lz_sim_at(c->sim, c->due[n], c->kind, 0, n);
    }
}

static void on_crowd(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct crowd *c = ctx;
    lz_time now = lz_sim_now(c->sim);
    assert_int_equal(now, c->due[payload]);
    assert_false(c->gone[payload]);
    assert_true(now > c->at_before || (now == c->at_before && payload > c->before));
    c->gone[payload] = true;
    c->at_before = now;
    c->before = payload;
    for (uint32_t i = roll(c, 4); i > 0 && c->next < CROWD; i--)
        schedule(c);
    uint32_t victim = roll(c, (uint32_t)c->next);
    if (roll(c, 2) == 0 && c->ids[victim] != 0) {
        assert_int_equal(lz_sim_cancel(c->sim, c->ids[victim]), !c->gone[victim]);
        c->gone[victim] = true;
    }
}

static void in_a_crowd_each_fires_once_and_in_order(void **state)
{
    (void)state;
    struct stage s = make();
    struct crowd *c = lz_arena_alloc(s.arena, sizeof(*c));
    c->sim = s.sim;
    c->lcg = 1;
    c->kind = lz_sim_kind(s.sim, "crowd", on_crowd, c);
    c->at_before = -1;
    for (int i = 0; i < 500; i++)
        schedule(c);
    for (lz_time end = 0; lz_sim_pending(s.sim) > 0; end += 7)
        assert_int_equal(lz_sim_run(s.sim, end), LZ_SIM_ENDED);
    assert_int_equal(c->next, CROWD);
    for (uint64_t i = 0; i < CROWD; i++)
        assert_true(c->gone[i]);
    lz_arena_destroy(s.arena);
}

// Many that each come again; payloads number what was scheduled, and a timer is set and cancelled
// with each.
#define AGAIN 40000
struct again {
    struct lz_sim *sim;
    lz_kind kind;
    lz_lane lane;
    lz_event_id last; // timer
    uint64_t next, foreseen;
    bool fired[AGAIN];
};

static void come_again(struct again *a)
{
    uint64_t n = a->next++;
    struct lz_draw draw = lz_draw_begin(KEY, n, LZ_PURPOSE_THINK, 0);
    lz_time at = lz_sim_now(a->sim) + (lz_time)lz_draw_below(&draw, 1000000);
    a->last = lz_sim_arm(a->sim, a->lane, 0, n);
    lz_sim_cancel(a->sim, a->last);
    lz_sim_at(a->sim, at, a->kind, (uint32_t)n % 97, n);
}

static void on_again(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    struct again *a = ctx;
    assert_false(a->fired[payload]);
    a->fired[payload] = true;
    if (a->next < AGAIN)
        come_again(a);
}

static void foresee_again(void *ctx, uint32_t entity, uint64_t payload)
{
    struct again *a = ctx;
    assert_true(payload < a->next && entity == payload % 97);
    assert_false(a->fired[payload]);
    a->foreseen++;
    lz_sim_foresee_cancel(a->sim, a->last);
}

static uint64_t trace_of_again(bool is_foreseen, uint64_t *foreseen)
{
    struct stage s = make();
    struct again *a = lz_arena_alloc(s.arena, sizeof(*a));
    a->sim = s.sim;
    a->kind = lz_sim_kind(s.sim, "again", on_again, a);
    a->lane = lz_sim_lane(s.sim, LZ_MS, a->kind);
    if (is_foreseen)
        lz_sim_foresee(s.sim, a->kind, foresee_again);
    for (int i = 0; i < 5000; i++)
        come_again(a);
    assert_int_equal(lz_sim_run(s.sim, LZ_S), LZ_SIM_ENDED);
    for (uint64_t i = 0; i < AGAIN; i++)
        assert_true(a->fired[i]);
    *foreseen = a->foreseen;
    uint64_t trace = lz_sim_trace(s.sim);
    lz_arena_destroy(s.arena);
    return trace;
}

static void what_is_foreseen_has_not_fired_and_leaves_no_trace(void **state)
{
    (void)state;
    uint64_t none, some;
    assert_true(trace_of_again(false, &none) == trace_of_again(true, &some));
    assert_int_equal(none, 0);
    assert_true(some > AGAIN / 2);
}

static void the_event_budget_stops_the_run(void **state)
{
    (void)state;
    struct stage s = make_with(&(struct lz_sim_opts){.events_max = 3});
    lz_kind say = lz_sim_kind(s.sim, "say", on_say, &s);
    for (uint32_t i = 0; i < 5; i++)
        lz_sim_at(s.sim, i, say, 'a' + i, 0);
    assert_int_equal(lz_sim_run(s.sim, 10), LZ_SIM_EVENTS_USED);
    assert_string_equal(s.log, "a0 b1 c2");
    assert_int_equal(lz_sim_events(s.sim), 3);
    assert_int_equal(lz_sim_now(s.sim), 2);
    assert_int_equal(lz_sim_pending(s.sim), 2);
    lz_arena_destroy(s.arena);
}

static void on_stop(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)entity;
    (void)payload;
    lz_sim_stop(((struct stage *)ctx)->sim);
}

static void a_stopped_run_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct stage s = make();
    lz_kind say = lz_sim_kind(s.sim, "say", on_say, &s);
    lz_kind stop = lz_sim_kind(s.sim, "stop", on_stop, &s);
    lz_sim_at(s.sim, 5, say, 'x', 0);
    lz_sim_at(s.sim, 5, stop, 0, 0);
    lz_sim_at(s.sim, 5, say, 'y', 0);
    assert_int_equal(lz_sim_run(s.sim, 10), LZ_SIM_STOPPED);
    assert_int_equal(lz_sim_now(s.sim), 5);
    assert_string_equal(s.log, "x5");
    assert_int_equal(lz_sim_run(s.sim, 10), LZ_SIM_ENDED);
    assert_string_equal(s.log, "x5 y5");
    lz_arena_destroy(s.arena);
}

static void on_nothing(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)ctx;
    (void)entity;
    (void)payload;
}

static void the_trace_tells_apart_any_two_runs_that_differ(void **state)
{
    (void)state;
    static const struct {
        lz_time at;
        uint64_t payload, run_key, added;
        uint32_t entity;
        bool other_kind, is_twice;
    } runs[] = {
        {.at = 5, .payload = 7, .entity = 3},
        {.at = 5, .payload = 8, .entity = 3},
        {.at = 5, .payload = 7 | 1ull << 63, .entity = 3},
        {.at = 5, .payload = 7, .entity = 4},
        {.at = 6, .payload = 7, .entity = 3},
        {.at = 5, .payload = 7, .entity = 3, .other_kind = true},
        {.at = 5, .payload = 7, .entity = 3, .is_twice = true},
        {.at = 5, .payload = 7, .entity = 3, .run_key = 1},
        {.at = 5, .payload = 7, .entity = 3, .added = 1},
        {.at = 5, .payload = 7, .entity = 3, .added = 2},
        {.at = 5, .payload = 7, .entity = 3}, // the first again
    };
    uint64_t traces[COUNT(runs)];
    for (size_t i = 0; i < COUNT(runs); i++) {
        struct stage s = make_with(&(struct lz_sim_opts){.run_key = runs[i].run_key});
        lz_kind a = lz_sim_kind(s.sim, "a", on_nothing, NULL);
        lz_kind b = lz_sim_kind(s.sim, "b", on_nothing, NULL);
        for (int n = runs[i].is_twice ? 2 : 1; n > 0; n--)
            lz_sim_at(s.sim, runs[i].at, runs[i].other_kind ? b : a, runs[i].entity,
                      runs[i].payload);
        lz_sim_run(s.sim, 10);
        if (runs[i].added != 0)
            lz_sim_trace_add(s.sim, runs[i].added);
        traces[i] = lz_sim_trace(s.sim);
        lz_arena_destroy(s.arena);
    }
    for (size_t i = 0; i < COUNT(runs); i++)
        for (size_t n = i + 1; n < COUNT(runs); n++)
            assert_int_equal(traces[i] == traces[n], i == 0 && n == COUNT(runs) - 1);
}

static void cancelled_timers_leave_no_trace(void **state)
{
    (void)state;
    uint64_t traces[2];
    for (int i = 0; i < 2; i++) {
        struct stage s = make();
        lz_kind a = lz_sim_kind(s.sim, "a", on_nothing, NULL);
        lz_lane lane = lz_sim_lane(s.sim, 3, a);
        if (i == 1) {
            lz_sim_cancel(s.sim, lz_sim_arm(s.sim, lane, 1, 1));
            lz_sim_cancel(s.sim, lz_sim_at(s.sim, 4, a, 1, 1));
        }
        lz_sim_at(s.sim, 5, a, 1, 1);
        lz_sim_run(s.sim, 10);
        traces[i] = lz_sim_trace(s.sim);
        assert_int_equal(lz_sim_events(s.sim), 1);
        lz_arena_destroy(s.arena);
    }
    assert_int_equal(traces[0], traces[1]);
}

static void on_key(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct stage *s = ctx;
    uint64_t key = lz_sim_key(s->sim);
    assert_int_equal(key, entity == 0 ? KEY : lz_hash_mix(KEY, entity));
    note(s, "ok");
}

static void a_future_changes_the_key_from_its_instant_on(void **state)
{
    (void)state;
    static const struct {
        lz_time at;
        uint32_t future;
    } keys[] = {{0, 0}, {9, 0}, {10, 3}, {15, 3}, {20, 5}, {29, 5}, {30, 0}};
    struct stage s = make();
    lz_kind kind = lz_sim_kind(s.sim, "key", on_key, &s);
    for (size_t i = 0; i < COUNT(keys); i++) // before the futures: they still come first
        lz_sim_at(s.sim, keys[i].at, kind, keys[i].future, 0);
    lz_sim_set_future(s.sim, 20, 5);
    lz_sim_set_future(s.sim, 10, 3);
    lz_sim_set_future(s.sim, 30, 0);
    lz_sim_run(s.sim, 40);
    assert_string_equal(s.log, "ok ok ok ok ok ok ok");
    lz_sim_set_future(s.sim, 40, 9); // now
    assert_int_equal(lz_sim_key(s.sim), lz_hash_mix(KEY, 9));
    lz_arena_destroy(s.arena);
}

static void on_watch(void *ctx, const struct lz_event *event)
{
    struct lz_event *seen = ctx;
    *seen = *event;
}

static void a_watcher_sees_what_fires_before_it_is_handled(void **state)
{
    (void)state;
    struct stage s = make();
    lz_kind kind = lz_sim_kind(s.sim, "a", on_nothing, NULL);
    struct lz_event seen = {0};
    lz_sim_watch(s.sim, on_watch, &seen);
    lz_sim_at(s.sim, 4, kind, 5, 6);
    lz_sim_run(s.sim, 4); // the end itself belongs to the run
    assert_int_equal(seen.at, 4);
    assert_int_equal(seen.kind, kind);
    assert_int_equal(seen.entity, 5);
    assert_int_equal(seen.payload, 6);
    lz_sim_watch(s.sim, NULL, NULL);
    lz_sim_soon(s.sim, kind, 7, 8);
    lz_sim_run(s.sim, 5);
    assert_int_equal(seen.entity, 5);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_fire_in_the_order_they_were_scheduled),
        cmocka_unit_test(at_first_goes_before_all_else_of_its_instant),
        cmocka_unit_test(what_is_cancelled_does_not_fire_and_is_cancelled_once),
        cmocka_unit_test(a_run_may_look_past_what_was_cancelled_and_still_be_given_less),
        cmocka_unit_test(many_may_be_scheduled_from_one_instant_before_a_far_event),
        cmocka_unit_test(a_handle_does_not_cancel_what_took_its_place),
        cmocka_unit_test(a_lane_is_made_once_for_a_delay_and_a_kind),
        cmocka_unit_test(in_a_crowd_each_fires_once_and_in_order),
        cmocka_unit_test(what_is_foreseen_has_not_fired_and_leaves_no_trace),
        cmocka_unit_test(the_event_budget_stops_the_run),
        cmocka_unit_test(a_stopped_run_goes_on_where_it_stopped),
        cmocka_unit_test(the_trace_tells_apart_any_two_runs_that_differ),
        cmocka_unit_test(cancelled_timers_leave_no_trace),
        cmocka_unit_test(a_future_changes_the_key_from_its_instant_on),
        cmocka_unit_test(a_watcher_sees_what_fires_before_it_is_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
