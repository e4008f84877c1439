/*
 * Worlds in time: that going back gives the state a fresh run has, under any budget of memory, over
 * typed lines and branches; that copies stay within their budget; that a crash is survived.
 *
 * Method: a small scenario is run by a tree (repl/tree.h), and the trace hash at an instant
 * compared with that of a tree that ran there at once. Memory is what the kernel says of the
 * copies.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "repl/past.h"
#include "repl/retrace.h"
#include "repl/tree.h"

static const char scenario[] =
    "scenario \"A shop\" { duration = \"10m\" }\n"
    "local db = database \"db\" { nodes = 3, max_connections = 100 }\n"
    "local web = service \"web\" { replicas = 2, calls = { call { db, \"insert order\" } } }\n"
    "local users = traffic \"users\" { to = web, rate = \"100/s\" }\n"
    "expect \"fast\" { always = users.latency.p99:below \"10s\" }\n";

static const struct lz_select_pairs no_params;

static struct lz_stage_opts world(void)
{
    return (struct lz_stage_opts){
        .source = {.path = "shop.lua", .text = scenario, .len = sizeof(scenario) - 1},
        .params = &no_params,
        .version = "test",
        .token = "",
        .seed = 1};
}

static void open_tree(struct lz_tree *t, size_t budget_bytes)
{
    const struct lz_stage_opts opts = world();
    struct lz_str why;
    lz_str_init(&why);
    bool ok = lz_tree_open(&opts, budget_bytes, t, &why);
    assert_string_equal(why.text, "");
    assert_true(ok);
    lz_str_finish(&why);
}

static void run_to(struct lz_tree *t, int seconds)
{
    struct lz_pipe_message m;
    struct lz_str out;
    lz_str_init(&out);
    assert_true(lz_tree_run(t, seconds * LZ_S, "", &m, &out));
    assert_int_equal(lz_tree_now(t)->at, seconds * LZ_S);
    lz_str_finish(&out);
}

static void back_to(struct lz_tree *t, int seconds)
{
    struct lz_str why;
    lz_str_init(&why);
    assert_true(lz_tree_back(t, seconds * LZ_S, &why));
    assert_int_equal(lz_tree_now(t)->at, seconds * LZ_S);
    lz_str_finish(&why);
}

static enum lz_pipe_answer type(struct lz_tree *t, const char *line, struct lz_str *out)
{
    struct lz_pipe_message m;
    lz_str_init(out);
    assert_true(lz_tree_eval(t, line, &m, out));
    return (enum lz_pipe_answer)m.kind;
}

static void act(struct lz_tree *t, const char *line)
{
    struct lz_str out;
    assert_int_equal(type(t, line, &out), LZ_PIPE_OK);
    lz_str_finish(&out);
}

// What a world that never went back has at that instant; `line` is typed at `typed_s`, if at all.
static uint64_t fresh(int seconds, int typed_s, const char *line)
{
    struct lz_tree t;
    open_tree(&t, 0);
    if (line != NULL) {
        run_to(&t, typed_s);
        act(&t, line);
    }
    run_to(&t, seconds);
    uint64_t trace = lz_tree_now(&t)->trace;
    lz_tree_close(&t);
    return trace;
}

static const size_t budgets[] = {0, 64u << 20, 6u << 20};

static void going_back_gives_the_state_of_a_fresh_run(void **state)
{
    (void)state;
    static const int instants[] = {239, 150, 149, 61, 1};
    uint64_t wanted[5], wanted_at_last = fresh(240, 0, NULL);
    for (size_t i = 0; i < 5; i++)
        wanted[i] = fresh(instants[i], 0, NULL);
    for (size_t b = 0; b < sizeof(budgets) / sizeof(budgets[0]); b++) {
        struct lz_tree t;
        open_tree(&t, budgets[b]);
        run_to(&t, 240);
        for (size_t i = 0; i < 5; i++) {
            back_to(&t, instants[i]);
            assert_int_equal(lz_tree_now(&t)->trace, wanted[i]);
        }
        run_to(&t, 240);
        assert_int_equal(lz_tree_now(&t)->trace, wanted_at_last);
        lz_tree_close(&t);
    }
}

static void copies_keep_to_their_budget_and_gaps_stay_even(void **state)
{
    (void)state;
    uint64_t gap = 0;
    for (size_t b = 0; b < sizeof(budgets) / sizeof(budgets[0]); b++) {
        struct lz_tree t;
        open_tree(&t, budgets[b]);
        run_to(&t, 600);
        lz_snapshots_measure(&t.snapshots);
        size_t most = budgets[b] > 0 ? budgets[b] : LZ_SNAPSHOTS_BUDGET;
        // The first and the latest never go, whatever they take.
        size_t kept = t.snapshots.all[0].bytes + t.snapshots.all[t.snapshots.count - 1].bytes;
        assert_true(lz_snapshots_bytes(&t.snapshots) <= most + most / 4 + kept);
        assert_true(t.snapshots.count >= 2);
        uint64_t even = lz_tree_now(&t)->events / t.snapshots.count;
        gap = lz_past_gap(&t);
        assert_true(gap <= 4 * even + LZ_SNAPSHOTS_EVENTS);
        lz_tree_close(&t);
    }
    assert_true(gap > LZ_SNAPSHOTS_EVENTS); // the least budget was too little for all
}

// A number below `n`, another one each time.
static uint32_t draw(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % n);
}

// Anything a person does that moves a world: on, back, a few events, a line, a branch.
static void wander(struct lz_tree *t, uint64_t *chance)
{
    struct lz_str text;
    struct lz_pipe_message m;
    lz_str_init(&text);
    int now = (int)(lz_tree_now(t)->at / LZ_S);
    uint32_t what = draw(chance, 10);
    if (what < 4) {
        run_to(t, now + (int)draw(chance, 40));
    } else if (what < 7) {
        if (now > 0)
            back_to(t, (int)draw(chance, (uint32_t)now));
    } else if (what == 7) {
        assert_true(lz_tree_step(t, 1 + draw(chance, 200000), &m, &text));
    } else if (what == 8) {
        act(t, "x = 1");
    } else if (draw(chance, 2) == 0 && t->branch_count < 4) {
        assert_true(lz_tree_fork(t, NULL, &text));
    } else {
        t->current = draw(chance, t->branch_count);
    }
    lz_str_finish(&text);
}

/*
 * What bounds the wait for an answer: with memory for all copies no way back runs more than the
 * events between two of them; with less, no more than a few times what even ones would.
 */
static void going_back_is_short_whatever_was_done_before(void **state)
{
    (void)state;
    static const size_t tight[] = {0, 6u << 20};
    for (size_t b = 0; b < 2; b++) {
        struct lz_tree t;
        uint64_t chance = 11 + b, most = 0;
        open_tree(&t, tight[b]);
        for (int i = 0; i < 50 && lz_tree_now(&t)->at < 500 * LZ_S; i++) {
            wander(&t, &chance);
            uint64_t events = 0; // that all branches have behind them
            for (uint32_t k = 0; k < t.branch_count; k++)
                events += t.branches[k].events;
            uint64_t even = events / (t.snapshots.count + 1);
            most = even > most ? even : most;
            uint64_t gap = lz_past_gap(&t);
            if (tight[b] == 0)
                assert_true(gap <= LZ_SNAPSHOTS_EVENTS);
            else
                assert_true(gap <= 4 * most + LZ_SNAPSHOTS_EVENTS);
        }
        lz_tree_close(&t);
    }
}

static void what_was_typed_is_typed_again_where_its_copy_has_gone(void **state)
{
    (void)state;
    static const char line[] = "fault.kill { db.primary }";
    struct lz_tree t;
    open_tree(&t, 0);
    run_to(&t, 60);
    act(&t, line);
    run_to(&t, 120);
    while (t.snapshots.count > 1) // all but the first
        lz_snapshots_forget(&t.snapshots, t.snapshots.count - 1);
    back_to(&t, 90);
    assert_int_equal(lz_tree_now(&t)->trace, fresh(90, 60, line));
    back_to(&t, 30);
    run_to(&t, 90); // the line lies after where it went back to: it is forgotten
    assert_int_equal(lz_tree_now(&t)->trace, fresh(90, 0, NULL));
    lz_tree_close(&t);
}

static void a_branch_that_goes_back_before_its_fork_has_a_past_of_its_own(void **state)
{
    (void)state;
    static const char line[] = "fault.kill { web.replica[1] }";
    struct lz_tree t;
    struct lz_str why;
    lz_str_init(&why);
    open_tree(&t, 0);
    run_to(&t, 120);
    assert_true(lz_tree_fork(&t, "a", &why));
    back_to(&t, 30);
    act(&t, line);
    run_to(&t, 100);
    back_to(&t, 60); // not by a copy that main took at about that time
    assert_int_equal(lz_tree_now(&t)->trace, fresh(60, 30, line));
    assert_true(lz_tree_switch(&t, "main"));
    back_to(&t, 60);
    assert_int_equal(lz_tree_now(&t)->trace, fresh(60, 0, NULL));
    assert_false(lz_tree_switch(&t, "b"));
    assert_false(lz_tree_fork(&t, "a", &why));
    assert_string_equal(why.text, "there is a fork \"a\" already");
    lz_str_finish(&why);
    lz_tree_close(&t);
}

static void a_line_that_fails_leaves_the_world_as_it_was(void **state)
{
    (void)state;
    struct lz_tree t;
    struct lz_str out;
    open_tree(&t, 0);
    run_to(&t, 30);
    assert_int_equal(type(&t, "fault.kill { db.primary } error('no')", &out), LZ_PIPE_WRONG);
    lz_str_finish(&out);
    assert_int_equal(type(&t, "for i = 1, 2 do", &out), LZ_PIPE_INCOMPLETE);
    lz_str_finish(&out);
    run_to(&t, 60);
    assert_int_equal(lz_tree_now(&t)->trace, fresh(60, 0, NULL));
    lz_tree_close(&t);
}

static void a_world_that_crashes_gives_way_to_its_last_copy(void **state)
{
    (void)state;
    static const struct {
        int signal;
        const char *reason;
    } rows[] = {{SIGSEGV, "segmentation fault (SIGSEGV)"},
                {SIGABRT, "aborted (SIGABRT)"},
                {SIGKILL, "it was ended from outside, or the machine is out of memory"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_tree t;
        struct lz_pipe_message m;
        struct lz_str out;
        lz_str_init(&out);
        open_tree(&t, 0);
        run_to(&t, 60);
        kill(lz_tree_now(&t)->pid, rows[i].signal);
        assert_false(lz_tree_run(&t, 90 * LZ_S, "", &m, &out));
        assert_string_equal(lz_tree_reason(&t), rows[i].reason);
        assert_true(lz_tree_recover(&t, &out));
        lz_time at = lz_tree_now(&t)->at;
        assert_true(at > 0 && at <= 60 * LZ_S);
        run_to(&t, 90);
        assert_int_equal(lz_tree_now(&t)->trace, fresh(90, 0, NULL));
        lz_str_finish(&out);
        lz_tree_close(&t);
    }
}

// The number of a request of "users" that was sent at about this second.
static uint64_t sent_by(struct lz_tree *t)
{
    struct lz_retrace_traffic all[LZ_RETRACE_TRAFFICS];
    assert_int_equal(lz_retrace_traffics(t, all), 1);
    assert_string_equal(all[0].name, "users");
    return all[0].sent;
}

static void any_request_can_be_seen_again_and_nothing_notices(void **state)
{
    (void)state;
    static const char line[] = "fault.kill { db.primary }";
    struct lz_tree t;
    struct lz_str out;
    lz_str_init(&out);
    open_tree(&t, 0);
    run_to(&t, 30);
    uint64_t early = sent_by(&t);
    act(&t, line);
    run_to(&t, 60);
    uint64_t last = sent_by(&t);
    const struct {
        uint64_t ordinal;
        enum lz_retrace_end end;
    } rows[] = {{1, LZ_RETRACE_FOUND},
                {early, LZ_RETRACE_FOUND},
                {early + 5, LZ_RETRACE_FOUND}, // of a world in which the line was typed
                {last - 100, LZ_RETRACE_FOUND}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct lz_retrace_request what = {"users", rows[i].ordinal};
        assert_int_equal(lz_retrace(&t, &what, &out), rows[i].end);
        assert_int_equal(lz_tree_now(&t)->at, 60 * LZ_S);
    }
    assert_true(lz_tree_step(&t, 1, &(struct lz_pipe_message){0}, &out));
    while (sent_by(&t) == last) // as soon as there is a further one, it is on its way
        assert_true(lz_tree_step(&t, 1, &(struct lz_pipe_message){0}, &out));
    const struct lz_retrace_request what = {"users", last + 1};
    assert_int_equal(lz_retrace(&t, &what, &out), LZ_RETRACE_PENDING);
    run_to(&t, 90);
    assert_int_equal(lz_tree_now(&t)->trace, fresh(90, 30, line));
    lz_str_finish(&out);
    lz_tree_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(going_back_gives_the_state_of_a_fresh_run),
        cmocka_unit_test(copies_keep_to_their_budget_and_gaps_stay_even),
        cmocka_unit_test(going_back_is_short_whatever_was_done_before),
        cmocka_unit_test(what_was_typed_is_typed_again_where_its_copy_has_gone),
        cmocka_unit_test(a_branch_that_goes_back_before_its_fork_has_a_past_of_its_own),
        cmocka_unit_test(any_request_can_be_seen_again_and_nothing_notices),
        cmocka_unit_test(a_line_that_fails_leaves_the_world_as_it_was),
        cmocka_unit_test(a_world_that_crashes_gives_way_to_its_last_copy),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
