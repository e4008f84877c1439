/*
 * Processes: how they start, stop, are probed and started again, by exact times.
 *
 * Method: a world without users in which things are done to one instance between two runs; what
 * followed is read from the journal, as "second what", and compared with what Kubernetes does.
 */
#include "model/node/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/client/edge.h"
#include "model/journal.h"
#include "model/node/capacity.h"
#include "model/service/service.h"
#include "model/service/service_state.h"
#include "model/traffic/traffic.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    lz_component_id web;
    lz_instance_id first;
    struct lz_err err;
};

#define END (4000 * LZ_S)

static struct stage make_of(uint32_t replicas, lz_time service_time,
                            const struct lz_life_opts *opts)
{
    struct stage s = {0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s.arena, &s.err));
    s.w = lz_world_create(
        &(struct lz_world_opts){.arena = s.arena, .seed = 1, .run_key = 1, .end = END});
    const struct lz_service_opts web = {
        .name = "web", .replicas = replicas, .service_time = lz_dist_constant(service_time)};
    assert_true(lz_service_create(s.w, &web, &s.web, &s.err));
    assert_true(lz_life_declare(s.w, s.web, opts, &s.err));
    s.first = lz_world_component(s.w, s.web)->instances_first;
    return s;
}

static struct stage make(const struct lz_life_opts *opts)
{
    return make_of(1, LZ_MS, opts);
}

static void run(struct stage *s, lz_time until)
{
    assert_int_equal(lz_world_run_until(s->w, until), LZ_SIM_ENDED);
}

// What the journal says of kind `kind` since `from`, as "12.5 20 ", in seconds.
static const char *times(const struct stage *s, const char *kind, lz_time from)
{
    static char text[2048];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < lz_journal_count(s->w); i++) {
        const struct lz_journal_entry *e = lz_journal_get(s->w, i);
        if (strcmp(e->kind, kind) == 0 && e->at >= from && used < sizeof(text) - 32)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%.9g ",
                                     (double)(e->at - from) / 1e9);
    }
    return text;
}

static void start_up_takes_its_time(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){.startup = lz_dist_constant(5 * LZ_S)});
    assert_int_equal(lz_instance_get(s.w, s.first)->state, LZ_INSTANCE_UP); // long before time 0
    run(&s, 10 * LZ_S);
    lz_instance_kill(s.w, s.first);
    lz_instance_restart(s.w, s.first);
    assert_int_equal(lz_instance_get(s.w, s.first)->state, LZ_INSTANCE_STARTING);
    run(&s, 15 * LZ_S - 1);
    assert_false(lz_instance_listens(lz_instance_get(s.w, s.first)));
    run(&s, 15 * LZ_S);
    assert_true(lz_instance_is_ready(lz_instance_get(s.w, s.first)));
    lz_arena_destroy(s.arena);
}

// A paused process does not get on with starting either.
static void a_pause_outlasts_start_up(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){.startup = lz_dist_constant(5 * LZ_S)});
    lz_instance_kill(s.w, s.first);
    lz_instance_restart(s.w, s.first);
    run(&s, LZ_S);
    assert_true(lz_instance_pause(s.w, s.first));
    run(&s, 20 * LZ_S);
    assert_int_equal(lz_instance_get(s.w, s.first)->state, LZ_INSTANCE_PAUSED);
    lz_instance_resume(s.w, s.first);
    run(&s, 21 * LZ_S);
    assert_int_equal(lz_instance_get(s.w, s.first)->state, LZ_INSTANCE_UP);
    lz_arena_destroy(s.arena);
}

static void a_pause_ends_with_its_process(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){.restart = LZ_RESTART_ALWAYS});
    run(&s, LZ_S);
    assert_true(lz_instance_pause(s.w, s.first));
    lz_life_crash(s.w, s.first, "test");
    run(&s, 2 * LZ_S);
    assert_int_equal(lz_instance_get(s.w, s.first)->state, LZ_INSTANCE_UP);
    lz_arena_destroy(s.arena);
}

/*
 * Reference A12. kubernetes.io, Pod Lifecycle, "How Pods handle problems with containers": the
 * first restart is at once, then 10 s, 20 s, 40 s, ... capped at 300 s, and reset after 10 min.
 */
static void a_crash_loop_backs_off_as_the_kubelet_does(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){.restart = LZ_RESTART_ALWAYS});
    uint64_t crashes = 0;
    lz_life_crash_loop(s.w, s.first, &(struct lz_life_crashing){.crashes = &crashes});
    run(&s, 1300 * LZ_S);
    // Delays of 0, 10, 20, 40, 80, 160, 300, 300 add up to:
    assert_string_equal(times(&s, "started", 0), "0 10 30 70 150 310 610 910 1210 ");
    assert_int_equal(crashes, 10);
    lz_arena_destroy(s.arena);
}

static void back_off_is_forgotten_after_ten_minutes(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){.restart = LZ_RESTART_ALWAYS});
    lz_life_crash(s.w, s.first, "test"); // again at 0
    lz_life_crash(s.w, s.first, "test");
    run(&s, 600 * LZ_S); // again at 0, not at once but now for the first time
    lz_life_crash(s.w, s.first, "test");
    run(&s, 1300 * LZ_S);
    lz_life_crash(s.w, s.first, "test");
    run(&s, 1400 * LZ_S);
    assert_string_equal(times(&s, "started", 0), "0 610 1300 ");
    lz_arena_destroy(s.arena);
}

static void who_is_not_supervised_stays_down(void **state)
{
    (void)state;
    static const struct {
        enum lz_restart restart;
        bool in_order, comes_back;
    } cases[] = {
        {LZ_RESTART_NEVER, false, false},     {LZ_RESTART_NEVER, true, false},
        {LZ_RESTART_ON_FAILURE, false, true}, {LZ_RESTART_ON_FAILURE, true, false},
        {LZ_RESTART_ALWAYS, false, true},     {LZ_RESTART_ALWAYS, true, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stage s =
            make(&(struct lz_life_opts){.restart = cases[i].restart, .grace_period = -1});
        run(&s, LZ_S);
        if (cases[i].in_order)
            lz_life_terminate(s.w, s.first, -1);
        else
            lz_life_crash(s.w, s.first, "test");
        run(&s, 100 * LZ_S);
        assert_int_equal(lz_instance_is_up(lz_instance_get(s.w, s.first)), cases[i].comes_back);
        lz_arena_destroy(s.arena);
    }
}

// One user beside the service asks every second.
static struct stage make_asked_for(uint32_t replicas, lz_time service_time,
                                   const struct lz_life_opts *opts)
{
    struct stage s = make_of(replicas, service_time, opts);
    lz_component_id users;
    struct lz_traffic_opts o = {.name = "users", .to = s.web, .constant = true, .local = true};
    assert_true(lz_shape_constant(&o.rate, 1.0, &s.err));
    assert_true(lz_traffic_create(s.w, &o, &users, &s.err));
    return s;
}

// Each request takes 400 ms.
static struct stage make_asked_of(uint32_t replicas, const struct lz_life_opts *opts)
{
    return make_asked_for(replicas, 400 * LZ_MS, opts);
}

static struct stage make_asked(const struct lz_life_opts *opts)
{
    return make_asked_of(1, opts);
}

static void a_stop_drains_and_ends(void **state)
{
    (void)state;
    struct stage s = make_asked(&(struct lz_life_opts){.grace_period = 30 * LZ_S});
    run(&s, 10 * LZ_S + 100 * LZ_MS); // a request is under way since 10 s
    lz_instance_id id = s.first;
    assert_true(lz_life_stop(s.w, id, -1));
    run(&s, 10 * LZ_S + 200 * LZ_MS);
    assert_int_equal(lz_instance_get(s.w, id)->state, LZ_INSTANCE_STOPPING);
    run(&s, 20 * LZ_S);
    assert_string_equal(times(&s, "dead", 10 * LZ_S), "0.4 ");
    assert_string_equal(times(&s, "reset", 0), ""); // nobody's request broke
    lz_life_release(s.w, id);
    assert_true(lz_instance_is_up(lz_instance_get(s.w, id)));
    lz_arena_destroy(s.arena);
}

static void a_grace_that_is_over_kills(void **state)
{
    (void)state;
    struct stage s = make_asked(&(struct lz_life_opts){.grace_period = 200 * LZ_MS});
    run(&s, 10 * LZ_S + 100 * LZ_MS);
    lz_life_stop(s.w, s.first, -1);
    run(&s, 20 * LZ_S);
    assert_string_equal(times(&s, "killed", 10 * LZ_S), "0.3 ");
    assert_string_equal(times(&s, "reset", 10 * LZ_S), "0.3 ");
    lz_arena_destroy(s.arena);
}

// Two faults want it stopped: the shorter grace counts, and the last one's end brings it back.
static void stops_stack_in_any_order(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct stage s = make_asked(&(struct lz_life_opts){.grace_period = -1});
        run(&s, 10 * LZ_S + 100 * LZ_MS);
        lz_life_stop(s.w, s.first, order == 0 ? 100 * LZ_MS : LZ_S);
        lz_life_stop(s.w, s.first, order == 0 ? LZ_S : 100 * LZ_MS);
        run(&s, 11 * LZ_S);
        assert_string_equal(times(&s, "killed", 10 * LZ_S), "0.2 ");
        lz_life_release(s.w, s.first);
        run(&s, 12 * LZ_S);
        assert_false(lz_instance_runs(lz_instance_get(s.w, s.first)));
        lz_life_release(s.w, s.first);
        assert_true(lz_instance_is_up(lz_instance_get(s.w, s.first)));
        lz_arena_destroy(s.arena);
    }
}

// While it sleeps before SIGTERM it still serves; the grace counts from the beginning.
// However long each piece of news takes, the latest is what they believe in the end.
static void callers_hear_of_changes_in_order(void **state)
{
    (void)state;
    struct lz_life_opts opts = {.grace_period = -1};
    struct lz_err err;
    assert_true(lz_dist_make(&opts.endpoint_delay, LZ_DIST_EXPONENTIAL, 5e9, 0, &err));
    struct stage s = make_asked_of(2, &opts);
    const struct lz_edge *e = lz_edge_get(s.w, 1);
    uint32_t late = 0;
    for (lz_time t = 1; t <= 200; t++) { // it comes and goes each second
        lz_life_hide(s.w, s.first, t % 2 == 1);
        run(&s, t * LZ_S);
        late += e->servers[0].is_gone != (t % 2 == 1);
    }
    assert_in_range(late, 50, 150);
    run(&s, 900 * LZ_S);
    assert_false(e->servers[0].is_gone);
    lz_life_hide(s.w, s.first, true);
    run(&s, 901 * LZ_S);
    lz_life_hide(s.w, s.first, false);
    lz_life_hide(s.w, s.first, true);
    run(&s, 1000 * LZ_S);
    assert_true(e->servers[0].is_gone);
    lz_arena_destroy(s.arena);
}

static void pre_stop_comes_before_sigterm(void **state)
{
    (void)state;
    struct stage s =
        make_asked(&(struct lz_life_opts){.grace_period = 5 * LZ_S, .pre_stop = 2 * LZ_S});
    run(&s, 10 * LZ_S);
    lz_life_stop(s.w, s.first, -1);
    run(&s, 11 * LZ_S);
    assert_true(lz_instance_is_up(lz_instance_get(s.w, s.first)));
    run(&s, 20 * LZ_S);
    assert_string_equal(times(&s, "stopping", 10 * LZ_S), "2 ");
    lz_arena_destroy(s.arena);
}

/*
 * kubernetes.io, "Pod Lifecycle", termination: "If the preStop hook is still running after the
 * grace period expires, the kubelet requests a small, one-off grace period extension of 2 seconds";
 * kuberuntime_container.go, killContainer: what the hook leaves of the grace is 2 s at the least.
 */
static void pre_stop_leaves_two_seconds_at_least(void **state)
{
    (void)state;
    static const struct {
        lz_time grace, pre_stop, again; // in s; `again`: told 5 s later to be over by then
        const char *stopping, *killed;
    } rows[] = {
        {30, 10, 0, "10 ", "30 "},  {30, 28, 0, "28 ", "30 "},  {30, 29, 0, "29 ", "31 "},
        {30, 30, 0, "30 ", "32 "},  {30, 45, 0, "30 ", "32 "},  {1, 0, 0, "0 ", "1 "},
        {60, 45, 5, "10 ", "12 "},  {60, 45, 50, "45 ", "55 "}, {60, 2, 10, "2 ", "15 "},
        {60, 45, 58, "45 ", "60 "}, {60, 8, 5, "8 ", "10 "},    {60, 2, 1, "2 ", "7 "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s =
            make_asked_for(1, 100 * LZ_S,
                           &(struct lz_life_opts){.grace_period = rows[i].grace * LZ_S,
                                                  .pre_stop = rows[i].pre_stop * LZ_S});
        run(&s, 10 * LZ_S);
        lz_life_stop(s.w, s.first, -1);
        run(&s, 15 * LZ_S);
        if (rows[i].again > 0)
            lz_life_stop(s.w, s.first, rows[i].again * LZ_S);
        run(&s, 90 * LZ_S);
        assert_string_equal(times(&s, "stopping", 10 * LZ_S), rows[i].stopping);
        assert_string_equal(times(&s, "killed", 10 * LZ_S), rows[i].killed);
        lz_arena_destroy(s.arena);
    }
}

static void a_hold_outlives_the_loss_of_the_host(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){.grace_period = -1});
    lz_life_stop(s.w, s.first, 10 * LZ_S);
    lz_instance_lose(s.w, s.first);
    lz_instance_return(s.w, s.first);
    assert_false(lz_instance_runs(lz_instance_get(s.w, s.first)));
    lz_life_release(s.w, s.first);
    assert_true(lz_instance_is_up(lz_instance_get(s.w, s.first)));
    lz_arena_destroy(s.arena);
}

/*
 * Reference A08: with Kubernetes' defaults (period 10 s, threshold 3, timeout 1 s) a hang is
 * detected after U[0,10) + 2 * 10 + 1 s, a refused connection after U[0,10) + 2 * 10 s.
 */
static void probes_detect_in_the_time_of_their_defaults(void **state)
{
    (void)state;
    enum { N = 2000 };
    static const struct {
        bool is_hang, is_liveness;
        double least, most;
        const char *kind;
    } cases[] = {
        {true, true, 21.0, 31.0, "unhealthy"},
        {true, false, 21.0, 31.0, "unready"},
        {false, true, 20.0, 30.0, "unhealthy"},
    };
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct lz_life_opts o = {.grace_period = -1, .startup = lz_dist_constant(900 * LZ_S)};
        *(cases[c].is_liveness ? &o.liveness : &o.readiness) =
            (struct lz_probe_opts){.is_on = true};
        if (cases[c].is_liveness)
            o.restart = LZ_RESTART_ALWAYS;
        struct stage s = make_of(N, LZ_MS, &o);
        run(&s, 100 * LZ_S);
        for (lz_instance_id id = s.first; id < s.first + N; id++)
            if (cases[c].is_hang)
                lz_instance_pause(s.w, id);
            else // a fresh process that never comes to listen
                lz_instance_kill(s.w, id), lz_instance_restart(s.w, id);
        run(&s, 140 * LZ_S);
        double least = 1e9, most = 0.0, sum = 0.0;
        uint32_t count = 0;
        for (size_t i = 0; i < lz_journal_count(s.w); i++) {
            const struct lz_journal_entry *e = lz_journal_get(s.w, i);
            if (strcmp(e->kind, cases[c].kind) != 0)
                continue;
            double after = (double)(e->at - 100 * LZ_S) / 1e9;
            least = after < least ? after : least;
            most = after > most ? after : most;
            sum += after;
            count++;
        }
        assert_int_equal(count, N);
        assert_true(least >= cases[c].least && least < cases[c].least + 0.05);
        assert_true(most < cases[c].most && most > cases[c].most - 0.05);
        // Four standard errors of a mean of 2000 from U[0,10): 0.26 s.
        double mean = sum / N, middle = (cases[c].least + cases[c].most) / 2.0;
        assert_true(mean > middle - 0.26 && mean < middle + 0.26);
        lz_arena_destroy(s.arena);
    }
}

/*
 * kubernetes.io, "Configure Liveness, Readiness and Startup Probes": with failureThreshold 30 and
 * periodSeconds 10 "the application will have a maximum of 5 minutes (30 * 10 = 300s) to finish its
 * startup", a container that never does "is killed after 300s", and until it has succeeded there
 * are no other probes. The liveness probe here would end the same process at its first second. The
 * phase of a period is drawn: the last of 30 probes is after 290 s to 300 s.
 */
static void a_startup_probe_gives_time_to_start(void **state)
{
    (void)state;
    enum { N = 500 };
    static const struct {
        const char *what;
        lz_time startup; // in s
        bool has_probe, has_readiness;
        const char *kind; // all N say so, between these
        double least, most;
        const char *never; // and nobody says this by then
    } rows[] = {
        {"it passes when it listens", 65, true, false, "startup", 65, 75, "unhealthy"},
        {"the first readiness probe comes with it", 65, true, true, "ready", 65, 75, "unhealthy"},
        {"at the last moment", 289, true, false, "startup", 289, 299, "unhealthy"},
        {"never", 900, true, false, "unhealthy", 290, 300, "startup"},
        {"without it liveness ends what starts", 65, false, false, "unhealthy", 0, 1, "startup"},
    };
    for (size_t c = 0; c < sizeof(rows) / sizeof(rows[0]); c++) {
        struct lz_life_opts o = {
            .grace_period = -1,
            .restart = LZ_RESTART_ALWAYS,
            .startup = lz_dist_constant(rows[c].startup * LZ_S),
            .liveness = {.is_on = true, .period = LZ_S, .failure_threshold = 1},
            .readiness = {.is_on = rows[c].has_readiness, .period = 60 * LZ_S},
            .startup_probe = {.is_on = rows[c].has_probe, .failure_threshold = 30}};
        struct stage s = make_of(N, LZ_MS, &o);
        run(&s, 100 * LZ_S);
        assert_string_equal(times(&s, "startup", 0), ""); // at time 0 all have long been up
        for (lz_instance_id id = s.first; id < s.first + N; id++)
            lz_instance_kill(s.w, id), lz_instance_restart(s.w, id);
        run(&s, 100 * LZ_S + (lz_time)(rows[c].most * 1e9));
        uint32_t count = 0;
        for (size_t i = 0; i < lz_journal_count(s.w); i++) {
            const struct lz_journal_entry *e = lz_journal_get(s.w, i);
            double after = (double)(e->at - 100 * LZ_S) / 1e9;
            if (strcmp(e->kind, rows[c].never) == 0)
                fail_msg("%s: %s after %g s", rows[c].what, e->text, after);
            if (strcmp(e->kind, rows[c].kind) != 0)
                continue;
            count++;
            if (after < rows[c].least || after > rows[c].most)
                fail_msg("%s: %s after %g s", rows[c].what, e->text, after);
        }
        if (count != N)
            fail_msg("%s: %u of %d", rows[c].what, count, N);
        lz_arena_destroy(s.arena);
    }
}

// Ready is who has started (prober_manager.go): until then it is no endpoint, readiness or not.
static void who_has_not_started_is_no_endpoint(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){
        .grace_period = -1, .restart = LZ_RESTART_ALWAYS, .startup_probe = {.is_on = true}});
    run(&s, 100 * LZ_S);
    assert_false(lz_instance_get(s.w, s.first)->is_out);
    lz_instance_kill(s.w, s.first), lz_instance_restart(s.w, s.first);
    run(&s, 100 * LZ_S + 1);
    assert_true(lz_instance_listens(lz_instance_get(s.w, s.first)));
    assert_true(lz_instance_get(s.w, s.first)->is_out);
    run(&s, 110 * LZ_S);
    assert_false(lz_instance_get(s.w, s.first)->is_out);
    lz_instance_pause(s.w, s.first); // it is over: nothing asks any more
    run(&s, 300 * LZ_S);
    assert_string_equal(times(&s, "unhealthy", 0), "");
    assert_false(lz_instance_get(s.w, s.first)->is_out);
    lz_arena_destroy(s.arena);
}

static void a_probe_that_needs_the_cpu_fails_when_there_is_none(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){
        .grace_period = -1,
        .readiness = {.is_on = true, .period = LZ_S, .timeout = LZ_S, .work = 100 * LZ_MS}});
    run(&s, 10 * LZ_S);
    lz_capacity_steal(s.w, s.first, 1.0, 0.0); // the least is left, 0.64 cores: 156 ms
    run(&s, 20 * LZ_S);
    assert_string_equal(times(&s, "unready", 0), "");
    struct lz_cpu *cpu = lz_capacity_get(s.w, s.first)->cpu;
    for (uint64_t i = 1; i <= 8; i++) // now nine share it: 1.4 s
        lz_cpu_add(s.w, cpu, 100000 * LZ_S, i << 32);
    run(&s, 30 * LZ_S);
    assert_string_not_equal(times(&s, "unready", 0), "");
    lz_arena_destroy(s.arena);
}

static void all_cores_are_no_quota_until_they_are_fewer(void **state)
{
    static const double shares[] = {1.0, 0.5, 1.0, 0.25, 1.0};
    (void)state;
    struct stage s = make(&(struct lz_life_opts){.grace_period = -1});
    run(&s, LZ_S);
    const struct lz_capacity *c = lz_capacity_get(s.w, s.first);
    double all = lz_cpu_cores(c->cpu) * (double)c->period;
    uint64_t withheld = 0;
    uint32_t id = lz_capacity_throttle(s.w, s.first, shares[0], &withheld);
    assert_true(c->quota <= 0.0);
    for (size_t i = 1; i < sizeof(shares) / sizeof(shares[0]); i++) {
        lz_capacity_rethrottle(s.w, s.first, id, shares[i]);
        assert_true(c->quota >= all * shares[i] && c->quota <= all * shares[i]);
    }
    lz_capacity_undo(s.w, s.first, id);
    assert_true(c->quota <= 0.0);
    lz_arena_destroy(s.arena);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct lz_life_opts opts;
        const char *says;
    } cases[] = {
        {{.liveness = {.is_on = true}}, "restart = \"never\" would leave it stopped"},
        {{.readiness = {.is_on = true, .period = 1}}, "choose a longer period"},
        {{.startup_probe = {.is_on = true}}, "a startup probe stops what fails it"},
        {{.restart = LZ_RESTART_ALWAYS, .startup_probe = {.is_on = true, .period = 1}},
         "startup probes of 1 processes"},
        {{.restart = LZ_RESTART_ALWAYS, .backoff = 10 * LZ_S, .backoff_max = LZ_S},
         "the first back-off, 10 s, is above its max, 1 s"},
    };
    struct stage s = make(&(struct lz_life_opts){.grace_period = -1});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(lz_life_declare(s.w, s.web, &cases[i].opts, &s.err));
        assert_non_null(strstr(s.err.msg, cases[i].says));
    }
    lz_arena_destroy(s.arena);
}

// Each change costs as much with a hundred thousand replicas as with one: by a look at all of them
// these would take minutes.
static void replicas_that_are_up_are_counted_one_by_one(void **state)
{
    (void)state;
    const uint32_t count = LZ_SERVICE_REPLICAS_MAX;
    struct stage s =
        make_of(count, LZ_MS, &(struct lz_life_opts){.startup = lz_dist_constant(LZ_S)});
    const struct lz_service *web = lz_service_at(s.w, s.web);
    assert_int_equal(web->up, count);
    assert_int_equal(web->ready, count);
    for (uint32_t i = 0; i < count; i++)
        lz_instance_kill(s.w, s.first + i);
    assert_int_equal(web->up, 0);
    assert_int_equal(web->ready, 0);
    for (uint32_t i = 0; i < count; i += 2)
        lz_instance_restart(s.w, s.first + i);
    assert_int_equal(web->up, count / 2); // starting
    assert_int_equal(web->ready, 0);
    run(&s, 2 * LZ_S);
    assert_int_equal(web->ready, count / 2);
    lz_instance_pause(s.w, s.first);
    assert_int_equal(web->up, count / 2);
    assert_int_equal(web->ready, count / 2 - 1);
    lz_arena_destroy(s.arena);
}

static void a_million_replicas_are_refused(void **state)
{
    (void)state;
    struct stage s = make(&(struct lz_life_opts){0});
    lz_component_id id;
    assert_false(lz_service_create(
        s.w, &(struct lz_service_opts){.name = "many", .replicas = 1000000}, &id, &s.err));
    assert_string_equal(s.err.msg, "replicas must be at most 100000, got 1000000");
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_up_takes_its_time),
        cmocka_unit_test(a_pause_outlasts_start_up),
        cmocka_unit_test(a_pause_ends_with_its_process),
        cmocka_unit_test(a_crash_loop_backs_off_as_the_kubelet_does),
        cmocka_unit_test(back_off_is_forgotten_after_ten_minutes),
        cmocka_unit_test(who_is_not_supervised_stays_down),
        cmocka_unit_test(a_stop_drains_and_ends),
        cmocka_unit_test(a_grace_that_is_over_kills),
        cmocka_unit_test(stops_stack_in_any_order),
        cmocka_unit_test(callers_hear_of_changes_in_order),
        cmocka_unit_test(pre_stop_comes_before_sigterm),
        cmocka_unit_test(pre_stop_leaves_two_seconds_at_least),
        cmocka_unit_test(a_hold_outlives_the_loss_of_the_host),
        cmocka_unit_test(probes_detect_in_the_time_of_their_defaults),
        cmocka_unit_test(a_startup_probe_gives_time_to_start),
        cmocka_unit_test(who_has_not_started_is_no_endpoint),
        cmocka_unit_test(a_probe_that_needs_the_cpu_fails_when_there_is_none),
        cmocka_unit_test(all_cores_are_no_quota_until_they_are_fewer),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(replicas_that_are_up_are_counted_one_by_one),
        cmocka_unit_test(a_million_replicas_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
