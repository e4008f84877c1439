/*
 * A preemptive queue must give workers to who is most urgent, and lose no work by it.
 *
 * Method: requests are brought to the door of a service of one replica by hand, as "0b1 2a0": at
 * 0 ms request b of class 1, at 2 ms request a of class 0. Half a millisecond past each whole one
 * it is seen what each is: '-' has not come, 'q' waits, 'w' works (or waits for its call), '.' is
 * gone. So each has a line of its own, such as "--wwww..".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/client/call.h"
#include "model/node/instance.h"
#include "model/service/service_state.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define NAMES 4
#define STEPS_MAX 40

struct row {
    const char *what;
    double service_ms;
    const char *line;
    const char *seen[NAMES]; // of a, b, c, d
    uint32_t workers;        // 0: one
    uint32_t queue_max;      // 0: unbounded; NOBODY: none
    double cpu_ms, cores;
    bool calls, simple; // it calls another service for 3 ms; the queue is not preemptive
};

#define NOBODY UINT32_MAX

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id web;
    lz_instance_id at;
    bool calls;
    lz_task_id tasks[NAMES];
    int worked[NAMES];
    char seen[NAMES][STEPS_MAX + 1];
};

static struct lz_dist ms_of(double ms)
{
    return lz_dist_constant((lz_time)(ms * LZ_MS));
}

static void build(struct stage *s, const struct row *row)
{
    struct lz_err err;
    memset(s, 0, sizeof(*s));
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err));
    s->w = lz_world_create(&(struct lz_world_opts){.arena = s->arena, .seed = 1, .end = LZ_S});
    const struct lz_service_opts web = {
        .name = "web",
        .concurrency = row->workers > 0 ? row->workers : 1,
        .cpu = row->cores,
        .queue = {.max = row->queue_max == 0        ? LZ_SERVICE_UNBOUNDED
                         : row->queue_max == NOBODY ? 0
                                                    : row->queue_max,
                  .preemptive = !row->simple},
        .service_time = ms_of(row->service_ms),
        .cpu_time = row->cpu_ms > 0 ? ms_of(row->cpu_ms) : (struct lz_dist){0},
    };
    assert_true(lz_service_create(s->w, &web, &s->web, &err));
    lz_component_id db;
    lz_edge_id edge;
    assert_true(lz_service_create(
        s->w, &(struct lz_service_opts){.name = "db", .service_time = ms_of(2.5)}, &db, &err));
    assert_true(lz_call_edge(s->w, &(struct lz_edge_opts){.from = s->web, .to = db}, &edge, &err));
    s->calls = row->calls;
    if (row->calls)
        assert_true(
            lz_service_add_call(s->w, s->web, &(struct lz_call_member){.edge = edge}, &err));
    s->at = lz_world_component(s->w, s->web)->instances_first;
}

static void bring(struct stage *s, int name, uint8_t priority)
{
    struct lz_task *t = lz_task_begin(s->w, s->at, 77 + (uint64_t)name, 0);
    t->priority = priority;
    s->tasks[name] = lz_pool_id(t);
    lz_serve_arrive(s->w, lz_service_seat(s->w, s->at), t);
}

static char state_of(struct stage *s, int name)
{
    const struct lz_task *t = lz_task_find(s->w, s->tasks[name]);
    if (s->tasks[name] == 0)
        return '-';
    if (t == NULL)
        return '.';
    if (t->state != LZ_TASK_WORKING)
        return 'q';
    s->worked[name]++;
    // As it is told in a span: what it has worked is what was seen, however often it waited.
    if (!s->calls)
        assert_int_equal(lz_sim_now(s->w->sim) - t->started, s->worked[name] * LZ_MS - LZ_MS / 2);
    return 'w';
}

// From `from` on, for so many milliseconds.
static void play(struct stage *s, const char *line, int from, int until)
{
    for (int ms = from; ms < until; ms++) {
        int at, used;
        char name;
        unsigned priority;
        lz_world_run_until(s->w, ms * LZ_MS);
        while (sscanf(line, " %d%c%u%n", &at, &name, &priority, &used) == 3 && at == ms) {
            bring(s, name - 'a', (uint8_t)priority);
            line += used;
        }
        lz_world_run_until(s->w, ms * LZ_MS + LZ_MS / 2);
        for (int i = 0; i < NAMES; i++)
            s->seen[i][ms] = state_of(s, i);
    }
    assert_int_equal(strspn(line, " "), strlen(line));
}

static void assert_seen(const struct stage *s, const char *what, const char *const *want)
{
    for (int i = 0; i < NAMES; i++)
        if (want[i] != NULL && strcmp(s->seen[i], want[i]) != 0)
            fail_msg("%s: %c is %s, not %s", what, 'a' + i, s->seen[i], want[i]);
}

static const struct row rows[] = {
    {.what = "work is gone on with, not begun again",
     .service_ms = 4,
     .line = "0b1 2a0",
     .seen = {"--wwww....", "wwqqqqww.."}},
    {.what = "without it a worker is nobody's but who has it",
     .service_ms = 4,
     .line = "0b1 2a0",
     .seen = {"--qqwwww..", "wwww......"},
     .simple = true},
    {.what = "of one class nobody loses one",
     .service_ms = 4,
     .line = "0b1 2a1",
     .seen = {"--qqwwww..", "wwww......"}},
    {.what = "nor to who is less urgent",
     .service_ms = 4,
     .line = "0b1 2a2",
     .seen = {"--qqwwww..", "wwww......"}},
    {.what = "three classes, one in the other",
     .service_ms = 3,
     .line = "0c7 1b3 2a0",
     .seen = {"--www.....", "-wqqqww...", "wqqqqqqww."}},
    {.what = "who lost it is before those of its class",
     .service_ms = 3,
     .line = "0c1 1d1 2a0",
     .seen = {"--www.....", NULL, "wwqqqw....", "-qqqqqwww."}},
    {.what = "it is taken again and again",
     .service_ms = 3,
     .line = "0c1 1a0 5b0",
     .seen = {"-www......", "-----www..", "wqqqwqqqw."}},
    {.what = "the least urgent loses it",
     .service_ms = 4,
     .line = "0b1 0c2 1a0",
     .seen = {"-wwww.....", "wwww......", "wqqqwww..."},
     .workers = 2},
    {.what = "of its class who has worked the shortest",
     .service_ms = 4,
     .line = "0b1 1c1 2a0",
     .seen = {"--wwww....", "wwww......", "-wqqwww..."},
     .workers = 2},
    {.what = "one that is done this instant is left alone",
     .service_ms = 2,
     .line = "0b1 2a0",
     .seen = {"--ww......", "ww........"}},
    {.what = "what needs no CPU is gone on with too",
     .service_ms = 4,
     .line = "0b1 2a0",
     .seen = {"--wwww....", "wwqqqqww.."},
     .cpu_ms = 1},
    {.what = "the CPU's part, and then the rest",
     .service_ms = 4,
     .line = "0b1 2a0",
     .seen = {"--wwww....", "wwqqqqww.."},
     .cpu_ms = 3},
    // Two on one core: each has had 1 ms of it after 2.
    {.what = "of shared cores what is left is kept",
     .service_ms = 2,
     .line = "0b1 0c1 2a0 2d0",
     .seen = {"--wwww....", "wwqqqqww..", "wwqqqqww..", "--wwww...."},
     .workers = 2,
     .cores = 1},
    {.what = "a queue that is full lets the youngest of the least urgent go",
     .service_ms = 3,
     .line = "0b1 1c2 2a0",
     .seen = {"--www.....", "wwqqqw....", "-q........"},
     .queue_max = 1},
    {.what = "of its own class too",
     .service_ms = 3,
     .line = "0b1 1c1 2a0",
     .seen = {"--www.....", "wwqqqw....", "-q........"},
     .queue_max = 1},
    {.what = "where nobody may wait it is gone",
     .service_ms = 3,
     .line = "0b1 1a0",
     .seen = {"-www......", "w........."},
     .queue_max = NOBODY},
    // 2 ms of its own work, then a call of 2.8 ms with its way: that keeps its worker.
    {.what = "calls are not interrupted",
     .service_ms = 2,
     .line = "0b1 3a0",
     .seen = {"---qqwwwww", "wwwww....."},
     .calls = true},
    {.what = "the work before them is",
     .service_ms = 2,
     .line = "0b1 1a0",
     .seen = {"-wwwww....", "wqqqqqwwww"},
     .calls = true},
};

static void the_more_urgent_have_the_workers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        build(&s, &rows[i]);
        play(&s, rows[i].line, 0, 10);
        assert_seen(&s, rows[i].what, rows[i].seen);
        lz_arena_destroy(s.arena);
    }
}

static const struct row one_worker = {.service_ms = 4};

static void a_process_that_ends_leaves_nothing_behind(void **state)
{
    (void)state;
    struct stage s;
    build(&s, &one_worker);
    play(&s, "0b1 2a0", 0, 4);
    lz_instance_kill(s.w, s.at);
    lz_instance_restart(s.w, s.at);
    play(&s, "", 4, 5);
    play(&s, "5c1 6d0", 5, 15);
    const char *const want[NAMES] = {"--ww...........", "wwqq...........", "-----wqqqqwww..",
                                     "------wwww....."};
    assert_seen(&s, "killed", want);
    lz_arena_destroy(s.arena);
}

static void a_process_that_stands_still_works_on_afterwards(void **state)
{
    (void)state;
    struct stage s;
    build(&s, &one_worker);
    play(&s, "0b1 2a0", 0, 3);
    lz_instance_pause(s.w, s.at);
    play(&s, "", 3, 5);
    assert_int_equal(lz_service_at(s.w, s.web)->busy, 1);
    lz_instance_resume(s.w, s.at);
    for (int ms = 5; ms < 8; ms++) {
        lz_world_run_until(s.w, ms * LZ_MS + LZ_MS / 2);
        assert_non_null(lz_task_find(s.w, s.tasks[0]));
    }
    lz_world_run_until(s.w, 8 * LZ_MS + LZ_MS / 2); // half a millisecond before, 3.5 after
    assert_null(lz_task_find(s.w, s.tasks[0]));
    lz_world_run_until(s.w, 9 * LZ_MS + LZ_MS / 2);
    assert_non_null(lz_task_find(s.w, s.tasks[1]));
    lz_world_run_until(s.w, 10 * LZ_MS + LZ_MS / 2);
    assert_null(lz_task_find(s.w, s.tasks[1]));
    lz_arena_destroy(s.arena);
}

// One that is served elsewhere is forgotten while it has not begun; one that has begun has said so.
static void only_who_has_not_begun_is_forgotten_for_another(void **state)
{
    (void)state;
    struct stage s;
    build(&s, &one_worker);
    play(&s, "0b1 1c1 2a0", 0, 3);
    lz_instance_id elsewhere = s.at + 1;
    lz_task_send_untie(s.w, elsewhere, s.tasks[1]);
    lz_task_send_untie(s.w, elsewhere, s.tasks[2]);
    play(&s, "", 3, 10);
    const char *const want[NAMES] = {"--wwww....", "wwqqqqww..", "-qq......."};
    assert_seen(&s, "untied", want);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_urgent_have_the_workers),
        cmocka_unit_test(a_process_that_ends_leaves_nothing_behind),
        cmocka_unit_test(a_process_that_stands_still_works_on_afterwards),
        cmocka_unit_test(only_who_has_not_begun_is_forgotten_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
