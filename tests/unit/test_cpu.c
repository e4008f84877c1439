/*
 * The cores of an instance must be shared evenly, to the nanosecond.
 *
 * Method: a line says what happens when, in milliseconds: "0:+100a" starts job a of 100 ms,
 * "5:-0a" removes it, "5:s0.5" steals half a core, "5:f1" and "5:f0" freeze and unfreeze,
 * "5:x0" clears, "5:q40" sets a quota of 40 ms in each 100 ms, "5:t0a" takes job a back and logs
 * what it still needs, or "-" if it is done. The expectation is when jobs finish,
 * as "a200"; of who watches its load, what it is told when, as "5:0.5".
 */
#include "model/node/cpu.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)
#define STEPS_MAX 16
#define ENTITY 9

struct step {
    double arg;
    char how, name;
};

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_cpu *cpu;
    lz_kind act;
    struct step steps[STEPS_MAX];
    uint32_t step_count;
    uint32_t jobs[128]; // by name
    char log[256];
    uint32_t told;               // jobs that are done
    double busy[128], used[128]; // the CPU, as each was told
};

static void on_done(void *ctx, uint32_t entity, uint64_t payload)
{
    struct stage *s = ctx;
    assert_int_equal(entity, ENTITY);
    if (s->jobs[payload] == 0)
        return; // removed at the very instant it finished
    s->busy[s->told] = lz_cpu_busy(s->cpu);
    s->used[s->told++] = lz_cpu_used(s->cpu);
    long long now = lz_sim_now(s->w->sim);
    size_t used = strlen(s->log);
    snprintf(s->log + used, sizeof(s->log) - used, "%s%c%lld%s", used > 0 ? " " : "", (char)payload,
             now % LZ_MS == 0 ? now / LZ_MS : now, now % LZ_MS == 0 ? "" : "ns");
    lz_cpu_remove(s->w, s->cpu, s->jobs[payload]);
    s->jobs[payload] = 0;
}

static void on_tick(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct stage *s = ctx;
    assert_int_equal(entity, ENTITY);
    lz_cpu_tick(s->w, s->cpu);
}

static struct stage *watched; // a watcher has no context of its own

static void on_load(struct lz_world *w, uint32_t entity)
{
    struct stage *s = watched;
    assert_int_equal(entity, ENTITY);
    size_t used = strlen(s->log);
    snprintf(s->log + used, sizeof(s->log) - used, "%s%lld:%g", used > 0 ? " " : "",
             (long long)(lz_sim_now(w->sim) / LZ_MS), lz_cpu_busy(s->cpu));
}

static void take_back(struct stage *s, char name)
{
    uint32_t *job = &s->jobs[(uint32_t)name];
    size_t used = strlen(s->log);
    lz_time left = -1;
    bool ok = lz_cpu_take_back(s->w, s->cpu, *job, &left);
    assert_int_equal(ok, left >= 0);
    if (ok)
        *job = 0;
    snprintf(s->log + used, sizeof(s->log) - used, ok ? "%s%c:%gms" : "%s%c:-", used > 0 ? " " : "",
             name, (double)left / 1e6);
}

static void on_act(void *ctx, uint32_t entity, uint64_t payload)
{
    (void)payload;
    struct stage *s = ctx;
    const struct step *step = &s->steps[entity];
    uint32_t *job = &s->jobs[(uint32_t)step->name];
    switch (step->how) {
    case '+':
        assert_int_equal(*job, 0);
        *job = lz_cpu_add(s->w, s->cpu, (lz_time)(step->arg * LZ_MS), (uint64_t)step->name);
        break;
    case '-':
        lz_cpu_remove(s->w, s->cpu, *job);
        *job = 0;
        break;
    case 't':
        take_back(s, step->name);
        break;
    case 's':
        lz_cpu_steal(s->w, s->cpu, step->arg);
        break;
    case 'q':
        lz_cpu_limit(s->w, s->cpu, step->arg * LZ_MS, 100 * LZ_MS);
        break;
    case 'f':
        lz_cpu_freeze(s->w, s->cpu, step->arg > 0);
        break;
    default:
        lz_cpu_clear(s->w, s->cpu);
        memset(s->jobs, 0, sizeof(s->jobs));
    }
}

static void make(struct stage *s, double cores)
{
    memset(s, 0, sizeof(*s));
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 64 * MIB};
    if (!lz_arena_create(&opts, &s->arena, &err))
        fail_msg("%s", err.msg);
    s->w = lz_world_create(&(struct lz_world_opts){.arena = s->arena, .end = 100 * LZ_S});
    lz_kind done = lz_sim_kind(s->w->sim, "done", on_done, s);
    lz_kind tick = lz_sim_kind(s->w->sim, "tick", on_tick, s);
    s->act = lz_sim_kind(s->w->sim, "act", on_act, s);
    s->cpu = lz_cpu_create(s->w, cores, done, tick, ENTITY);
}

static void play(struct stage *s, const char *line)
{
    for (const char *at = line; *at != '\0'; at += *at == ' ') {
        assert_true(s->step_count < STEPS_MAX);
        struct step *step = &s->steps[s->step_count];
        char *end;
        lz_time when = strtol(at, &end, 10) * LZ_MS;
        step->how = end[1]; // past the colon
        step->arg = strtod(end + 2, &end);
        step->name = *end == ' ' || *end == '\0' ? ' ' : *end++;
        at = end;
        lz_sim_at(s->w->sim, when, s->act, s->step_count++, 0);
    }
    assert_int_equal(lz_sim_run(s->w->sim, 100 * LZ_S), LZ_SIM_ENDED);
}

struct row {
    double cores;
    const char *line, *log;
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stage s;
        make(&s, rows[i].cores);
        play(&s, rows[i].line);
        if (strcmp(s.log, rows[i].log) != 0)
            fail_msg("%g cores, %s: %s, not %s", rows[i].cores, rows[i].line, s.log, rows[i].log);
        assert_int_equal(lz_cpu_jobs(s.cpu), 0);
        assert_int_equal(lz_sim_pending(s.w->sim), 0);
        lz_arena_destroy(s.arena);
    }
}

static void jobs_share_the_cores_evenly(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, "0:+100a", "a100"},
        {1, "0:+0a", "a0"},
        {1, "0:+100a 0:+100b", "a200 b200"},
        {1, "0:+100a 0:+50b", "b100 a150"},
        {1, "0:+100a 50:+100b", "a150 b200"},
        {1, "0:+100a 50:+20b", "b90 a120"},
        {1, "0:+100a 100:+100b", "a100 b200"}, // the one ends as the other begins
        {1, "0:+30a 0:+30b 0:+30c", "a90 b90 c90"},
        {1, "0:+30a 0:+20b 0:+10c", "c30 b50 a60"},
        {1, "0:+10a 0:+10b 30:+10a", "a20 b20 a40"},
        {2, "0:+100a 0:+100b", "a100 b100"},
        {2, "0:+60a 0:+60b 0:+60c", "a90 b90 c90"},
        {2, "0:+60a 0:+60b 0:+60c 0:+60d", "a120 b120 c120 d120"},
        {2, "0:+20a 0:+80b 0:+80c", "a30 b90 c90"}, // then each has a core of its own
        {2, "0:+60a 0:+60b 30:+60c", "a75 b75 c105"},
        {0.5, "0:+100a", "a200"},
        {0.5, "0:+100a 0:+50b", "b200 a300"},
        {1.5, "0:+75a 0:+75b", "a100 b100"},
    };
    assert_rows(rows, COUNT(rows));
}

static void stolen_cores_slow_jobs_down(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, "0:s0.5 0:+100a", "a200"},
        {1, "0:+100a 0:s0.5", "a200"},
        {1, "0:+100a 50:s0.5", "a150"},
        {1, "0:+100a 50:s0.5 70:s0", "a110"},
        {1, "0:+100a 0:+100b 100:s0.5", "a300 b300"},
        {1, "0:+1a 0:s1", "a100"}, // never starved wholly: one percent is left
        {1, "0:+1a 0:s50", "a100"},
        {1, "0:s0.75 0:+25a 200:+25b 250:s0", "a100 b262500000ns"},
        {2, "0:s1 0:+100a", "a100"}, // one core is all it can use
        {2, "0:s1 0:+100a 0:+100b", "a200 b200"},
        {2, "0:+100a 0:+100b 50:s1 100:s0", "a125 b125"},
    };
    assert_rows(rows, COUNT(rows));
}

// Reference A13: Indeed, "Unthrottled: Fixing CPU Limits in the Cloud" (2019): 200 ms of work with
// a quota of 40 ms take 440 ms; the kernel's Documentation/scheduler/sched-bwc.rst has the rule.
static void a_quota_stops_work_until_the_next_period(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, "0:q40 0:+200a", "a440"},
        {1, "0:q50 0:+200a", "a350"},
        {1, "0:q100 0:+200a", "a200"},
        {1, "0:q150 0:+200a", "a200"},
        {4, "0:q40 0:+200a", "a440"},            // more cores are no help to one thread
        {2, "0:q40 0:+40a 0:+40b", "a120 b120"}, // two use it up in half the time
        {1, "0:q40 70:+20a", "a90"},
        {1, "0:q40 90:+60a", "a210"},            // 10 ms, a whole quota, and 10 ms
        {1, "0:q40 0:+10a 50:+40b", "a10 b110"}, // what is left of a quota is left
        {1, "0:q40 0:+100a 50:q0", "a110"},
        {1, "0:+100a 50:q40", "a110"},
        {1, "0:q40 0:s0.5 0:+60a", "a140"},
        {1, "0:q40 0:+60a 20:f1 120:f0", "a160"}, // 20 ms of the first quota, 40 of the second
        {1, "0:q40 0:+60a 50:-0a 120:+10b", "b130"},
        {1, "0:q40 0:+60a 50:x0 60:+10b", "b110"}, // its quota outlives a process
    };
    assert_rows(rows, COUNT(rows));
}

static void what_a_quota_withholds_is_counted(void **state)
{
    (void)state;
    struct stage s;
    make(&s, 1);
    play(&s, "0:q40 0:+200a");
    assert_true(lz_cpu_withheld(s.cpu) == 4 * 60e6); // four waits of 60 ms, one thread each
    lz_arena_destroy(s.arena);
}

static void nothing_runs_while_frozen(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, "0:+100a 30:f1 80:f0", "a150"},
        {1, "0:f1 10:+100a 50:f0", "a150"},
        {1, "0:f1 50:f0 60:+100a", "a160"},
        {1, "0:+100a 0:+100b 100:f1 200:f0", "a300 b300"},
        {1, "0:+100a 50:f1 60:+50b 100:f0", "a200 b200"},
        {1, "0:+100a 30:f1 40:f1 80:f0 90:f0", "a150"},
        {1, "0:+100a 30:f1 40:s0.5 80:f0", "a220"},
        {4, "0:+10a 0:+20b 5:f1 105:f0", "a110 b120"},
        {1, "0:+100a 30:f1 50:-0a 80:f0", ""},
        {1, "0:+100a 100:f1 200:f0", "a200"}, // it was about to finish
        {1, "0:+100a 30:f1 50:x0 60:+10b 80:f0 95:+10c", "b90 c105"},
    };
    assert_rows(rows, COUNT(rows));
}

static void what_is_removed_leaves_its_share_to_the_others(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, "0:+100a 50:-0a", ""},
        {1, "0:+100a 0:+100b 100:-0a", "b150"},
        {1, "0:+100a 0:+100b 0:+100c 150:-0b", "a250 c250"},
        {2, "0:+100a 0:+100b 50:-0a", "b100"},
        {1, "0:+100a 0:+100b 50:x0 60:+10a", "a70"},
        {1, "0:+100a 0:+100b 50:-0a 50:-0b 50:+10c", "c60"},
        {1, "0:+100a 50:-0a 50:+100a 150:+10b", "a150 b160"},
    };
    assert_rows(rows, COUNT(rows));
}

static void what_is_taken_back_keeps_what_it_still_needs(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, "0:+100a 30:t0a", "a:70ms"},
        {1, "0:+100a 0:+100b 50:t0a", "a:75ms b125"},
        {2, "0:+60a 0:+60b 0:+60c 30:t0b", "b:40ms a70 c70"},
        {1, "0:q40 0:+100a 70:t0a", "a:60ms"}, // throttled since 40
        {1, "0:+100a 30:f1 50:t0a 80:f0", "a:70ms"},
        {1, "0:s0.5 0:+100a 50:t0a", "a:75ms"},
        {1, "0:+100a 100:t0a", "a:- a100"}, // it ends in this instant
        {1, "0:+10a 0:+10b 20:t0b", "b:- a20 b20"},
    };
    assert_rows(rows, COUNT(rows));
}

static void busy_is_the_share_of_cores_in_use(void **state)
{
    (void)state;
    static const struct {
        double cores, stolen;
        uint32_t jobs;
        bool frozen;
        double busy;
    } rows[] = {
        {2, 0, 0, false, 0},   {2, 0, 1, false, 0.5}, {2, 0, 2, false, 1},
        {2, 0, 9, false, 1},   {2, 1, 0, false, 0.5}, {2, 0.5, 1, false, 0.75},
        {4, 1, 2, true, 0.25}, {2, 3, 0, false, 1},   {2, 0, 3, true, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        make(&s, rows[i].cores);
        for (uint32_t n = 0; n < rows[i].jobs; n++)
            lz_cpu_add(s.w, s.cpu, LZ_S, 1 + n);
        lz_cpu_steal(s.w, s.cpu, rows[i].stolen);
        lz_cpu_freeze(s.w, s.cpu, rows[i].frozen);
        assert_int_equal(lz_cpu_jobs(s.cpu), rows[i].jobs);
        assert_true(lz_cpu_cores(s.cpu) == rows[i].cores);
        assert_true(lz_cpu_busy(s.cpu) == rows[i].busy);
        lz_arena_destroy(s.arena);
    }
}

static void who_watches_is_told_of_what_no_job_did(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {1, "5:s0.5 10:s0", "5:0.5 10:0"},
        {1, "5:s9 10:s0", "5:1 10:0"},
        {4, "0:+20a 5:s1 10:s0", "5:0.5 10:0.25 a20"},
        {2, "0:+50a 30:f1 80:f0", "30:0 80:0.5 a100"},
        {1, "0:q40 0:+100a", "0:0 40:0 100:1 140:0 200:1 a220"},
        {1, "0:q40 0:+100a 50:q0", "0:0 40:0 50:1 a110"},
        {1, "0:+100a 10:+10b 30:-0a", "b30"}, // jobs that come and go: their owner knows
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        make(&s, rows[i].cores);
        watched = &s;
        lz_cpu_watch(s.cpu, on_load);
        play(&s, rows[i].line);
        if (strcmp(s.log, rows[i].log) != 0)
            fail_msg("%g cores, %s: %s, not %s", rows[i].cores, rows[i].line, s.log, rows[i].log);
        lz_arena_destroy(s.arena);
    }
}

// Jobs that were shared and end together leave all at once; their owners are told one by one.
static void jobs_that_end_together_never_use_more_than_there_is(void **state)
{
    (void)state;
    static const struct {
        double cores;
        uint32_t jobs;
        double busy[4]; // as each is told, itself not yet removed
    } rows[] = {
        {1, 2, {1, 1}},         {1, 3, {1, 1, 1}},      {2, 3, {1, 1, 0.5}},
        {2, 4, {1, 1, 1, 0.5}}, {1.5, 2, {1, 1 / 1.5}}, {2, 2, {1, 0.5}}, // these never contended
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct stage s;
        make(&s, rows[i].cores);
        for (uint32_t n = 0; n < rows[i].jobs; n++)
            s.jobs['a' + n] = lz_cpu_add(s.w, s.cpu, 100 * LZ_MS, 'a' + n);
        assert_int_equal(lz_sim_run(s.w->sim, 100 * LZ_S), LZ_SIM_ENDED);
        assert_int_equal(s.told, rows[i].jobs);
        for (uint32_t n = 0; n < rows[i].jobs; n++) {
            double used = rows[i].busy[n] * rows[i].cores;
            if (s.busy[n] != rows[i].busy[n] || fabs(s.used[n] - used) > 1e-12)
                fail_msg("row %zu, job %u: %g busy, %g used", i, n, s.busy[n], s.used[n]);
        }
        lz_arena_destroy(s.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_share_the_cores_evenly),
        cmocka_unit_test(stolen_cores_slow_jobs_down),
        cmocka_unit_test(a_quota_stops_work_until_the_next_period),
        cmocka_unit_test(what_a_quota_withholds_is_counted),
        cmocka_unit_test(nothing_runs_while_frozen),
        cmocka_unit_test(what_is_removed_leaves_its_share_to_the_others),
        cmocka_unit_test(what_is_taken_back_keeps_what_it_still_needs),
        cmocka_unit_test(busy_is_the_share_of_cores_in_use),
        cmocka_unit_test(who_watches_is_told_of_what_no_job_did),
        cmocka_unit_test(jobs_that_end_together_never_use_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
