/*
 * check_rows.h — a little language for testing expectations, and the world they see.
 *
 * A timeline is a string, one character per second, so that every verdict can be checked
 * by eye:
 *
 *   errors     digit d: d of 10 requests fail; '.': nobody asked (no sample)
 *   goodput    digit d: d hundred per second
 *   failovers  digit d: d more of them
 *   busy       50 %, but for a moment d tenths (a gauge with extremes)
 *   ready      the same, as something that has a level
 *   wait       500 ms, but for a moment d hundred
 *   script     says yes, unless the digit is 0
 *
 * One fault, "kill orders-db", and one mark, "rolled back", happen when a row says so.
 * The world around the checks (faults, marks, traffic) is faked here; metrics are real.
 */
#ifndef LZ_TESTS_UNIT_CHECK_ROWS_H
#define LZ_TESTS_UNIT_CHECK_ROWS_H

#include "check/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/alert/alert.h"
#include "model/history/recorder.h"
#include "model/journal.h"
#include "model/traffic/traffic.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define PASS LZ_VERDICT_PASS
#define FAIL LZ_VERDICT_FAIL
#define INCON LZ_VERDICT_INCONCLUSIVE
#define MS(n) ((n)*LZ_MS)
#define S(n) ((n)*LZ_S)

enum what { ERRORS, GOODPUT, FAILOVERS, BUSY, READY, WAIT, METRICS, SCRIPT, ROLLED_BACK };

// One row: a timeline, an expectation, and what must be said of it.
struct row {
    const char *sentence;
    const char *timeline;
    enum what what;
    struct lz_expect_opts expect;
    lz_time warmup;
    lz_time tail; // the run goes on for so long after the last whole second
    lz_time kill_at, kill_lasting;
    bool unplanned;              // the fault has no planned `at`
    bool stuck;                  // it never fires
    lz_time mark_at, mark_again; // 0: not

    enum lz_verdict verdict;
    const char *actual;
    const char *spare;    // NULL: must be empty
    const char *why;      // NULL: must be empty
    const char *expected; // NULL: not looked at
};

static struct lz_component components[] = {
    {.name = "none"},
    {.name = "web", .kind = LZ_COMPONENT_SERVICE},
    {.name = "users", .kind = LZ_COMPONENT_TRAFFIC},
};

static const struct lz_fault_kind kill_kind = {.name = "kill", .effect_unit = "connections reset"};
static char kill_name[] = "kill orders-db";

// The world that the fakes below answer for.
static struct {
    struct lz_arena *arena;
    struct lz_world world;
    struct lz_fault fault;
    const char *waits;
    size_t fault_count;
    uint64_t sent;
    lz_time now;
    lz_time mark_at, mark_again;
    bool script_says;
    lz_series total, failed, good, failovers, busy, wait;
    lz_metric metrics[METRICS];
} fake;

// No row records what clients did.
void lz_recorder_watch(struct lz_world *w, lz_component_id id)
{
    (void)w;
    (void)id;
    fail();
}

// Nor is there an alert.
bool lz_alerts_has_failed(const struct lz_world *w, lz_component_id of, const char *mark,
                          struct lz_alert_failure *out)
{
    (void)w;
    (void)of;
    (void)mark;
    (void)out;
    fail();
    return false;
}

lz_time lz_alerts_patience(const struct lz_world *w, const char *mark, const char **rule)
{
    (void)w;
    (void)mark;
    (void)rule;
    return 0;
}

const struct lz_recorder *lz_recorder_of(const struct lz_world *w, lz_component_id id)
{
    (void)w;
    (void)id;
    fail();
    return NULL;
}

const char *lz_recorder_f_name(enum lz_recorder_f f)
{
    (void)f;
    fail();
    return NULL;
}

const char *lz_value_to_text(const struct lz_world *w, lz_value v, size_t *len)
{
    (void)w;
    (void)v;
    (void)len;
    fail();
    return NULL;
}

uint64_t lz_traffic_sent(const struct lz_world *w, lz_component_id id)
{
    (void)w;
    assert_int_equal(id, 2);
    return fake.sent;
}

lz_time lz_journal_marked_from(const struct lz_world *w, const char *name, lz_time from)
{
    (void)w;
    const lz_time marks[] = {fake.mark_at, fake.mark_again};
    for (size_t i = 0; i < 2 && strcmp(name, "rolled back") == 0; i++)
        if (marks[i] >= 0 && marks[i] >= from && marks[i] <= fake.now)
            return marks[i];
    return -1;
}

lz_time lz_journal_marked(const struct lz_world *w, const char *name)
{
    return lz_journal_marked_from(w, name, 0);
}

size_t lz_fault_count(const struct lz_faults *faults)
{
    (void)faults;
    return fake.fault_count;
}

const struct lz_fault *lz_fault_get(const struct lz_faults *faults, lz_fault_id id)
{
    (void)faults;
    assert_int_equal(id, 1);
    return &fake.fault;
}

const char *lz_fault_barren(const struct lz_faults *faults)
{
    (void)faults;
    return NULL;
}

const char *lz_fault_waits(const struct lz_world *w, const struct lz_fault *f)
{
    (void)w;
    (void)f;
    return fake.waits;
}

static inline bool ask_script(void *ctx, uint32_t ref)
{
    (void)ctx;
    assert_int_equal(ref, 7);
    return fake.script_says;
}

static inline lz_metric define(const char *name, enum lz_view view, enum lz_unit unit, lz_series a,
                               lz_series b)
{
    struct lz_metric_def *def = lz_arena_alloc(fake.arena, sizeof(*def));
    *def = (struct lz_metric_def){.name = name, .view = view, .unit = unit, .a = a, .b = b};
    return lz_metrics_define(fake.world.metrics, 1, def);
}

static inline void fake_metrics(void)
{
    struct lz_metrics *m = lz_metrics_create(fake.arena);
    fake.world.metrics = m;
    fake.total = lz_metrics_counter(m);
    fake.failed = lz_metrics_counter(m);
    fake.good = lz_metrics_counter(m);
    fake.failovers = lz_metrics_counter(m);
    fake.busy = lz_metrics_gauge(m, 0.5);
    fake.wait = lz_metrics_gauge(m, 0.5);
    fake.metrics[ERRORS] =
        define("errors.ratio", LZ_VIEW_RATIO, LZ_UNIT_RATIO, fake.failed, fake.total);
    fake.metrics[GOODPUT] = define("goodput", LZ_VIEW_RATE, LZ_UNIT_RATE, fake.good, 0);
    fake.metrics[FAILOVERS] = define("failovers", LZ_VIEW_TOTAL, LZ_UNIT_COUNT, fake.failovers, 0);
    fake.metrics[BUSY] = define("busy", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, fake.busy, 0);
    fake.metrics[READY] = define("ready", LZ_VIEW_LEVEL, LZ_UNIT_RATIO, fake.busy, 0);
    fake.metrics[WAIT] = define("wait", LZ_VIEW_LEVEL, LZ_UNIT_SECONDS, fake.wait, 0);
}

static inline void end(void)
{
    lz_arena_destroy(fake.arena);
    fake.arena = NULL;
}

// A test that failed half-way has left its arena behind.
static inline struct lz_checks *begin(lz_time warmup, lz_time length)
{
    struct lz_err err = {0};
    end();
    memset(&fake, 0, sizeof(fake));
    assert_true(lz_arena_create(&(struct lz_arena_opts){.slot = 0}, &fake.arena, &err));
    fake.world = (struct lz_world){.arena = fake.arena,
                                   .components = components,
                                   .component_count = 2,
                                   .warmup = warmup,
                                   .end = length};
    fake.fault = (struct lz_fault){
        .kind = &kill_kind, .name = kill_name, .started = -1, .ended = -1, .opts.at = -1};
    fake.fault_count = 1;
    fake.sent = 1000;
    fake.mark_at = fake.mark_again = -1;
    fake_metrics();
    return lz_checks_create(&fake.world, (struct lz_faults *)&fake.fault);
}

// What happens within [now, now + 1 s), or the part of it up to the end of the run.
static inline void feed(char c, lz_time now)
{
    struct lz_metrics *m = fake.world.metrics;
    fake.script_says = c > '0' && c <= '9';
    if (c == '.')
        return;
    uint64_t digit = (uint64_t)(c - '0');
    lz_metrics_add(m, fake.total, 10);
    lz_metrics_add(m, fake.failed, digit);
    lz_metrics_add(m, fake.good, digit * 100);
    lz_metrics_add(m, fake.failovers, digit);
    lz_metrics_set(m, fake.busy, now + MS(250), (double)digit / 10.0);
    lz_metrics_set(m, fake.busy, now + MS(500), 0.5);
    lz_metrics_set(m, fake.wait, now + MS(250), (double)digit / 10.0);
    lz_metrics_set(m, fake.wait, now + MS(500), 0.5);
}

static inline void move_fault(const struct row *row)
{
    struct lz_fault *f = &fake.fault;
    bool fires = row->kill_at > 0 && !row->stuck;
    if (!fires || fake.now < row->kill_at)
        return;
    f->firings = 1;
    f->started = row->kill_at;
    if (row->kill_lasting > 0 && fake.now >= row->kill_at + row->kill_lasting)
        f->ended = row->kill_at + row->kill_lasting;
}

static inline void close_second(struct lz_checks *c, lz_time now)
{
    lz_metrics_roll(fake.world.metrics, now);
    if (now == fake.world.warmup)
        lz_metrics_begin(fake.world.metrics, now);
    lz_checks_second(c, now);
}

// Seconds close before anything else that happens at the same instant, as in a real run.
static inline void play(struct lz_checks *c, const struct row *row)
{
    size_t seconds = strlen(row->timeline) - (row->tail > 0);
    close_second(c, 0);
    for (size_t i = 0; i < seconds; i++) {
        feed(row->timeline[i], fake.now);
        fake.now += LZ_S - 1;
        move_fault(row);
        fake.now++;
        close_second(c, fake.now);
        move_fault(row);
    }
    if (row->tail > 0) {
        feed(row->timeline[seconds], fake.now);
        fake.now += row->tail;
        move_fault(row);
    }
    lz_checks_finish(c, fake.now);
}

static inline struct lz_expect_opts opts_of(const struct row *row)
{
    struct lz_expect_opts opts = row->expect;
    opts.name = row->sentence;
    opts.matcher.component = 1;
    if (row->what < METRICS)
        opts.matcher.metric = fake.metrics[row->what];
    else if (row->what == ROLLED_BACK)
        opts.matcher.mark = "rolled back";
    else {
        opts.matcher.script = ask_script;
        opts.matcher.script_ref = 7;
    }
    opts.during_count = opts.during != NULL;
    opts.except_count = opts.except != NULL;
    return opts;
}

static inline struct lz_checks *begin_row(const struct row *row)
{
    lz_time length = (lz_time)strlen(row->timeline) * LZ_S;
    if (row->tail > 0)
        length += row->tail - LZ_S;
    struct lz_checks *c = begin(row->warmup, length);
    if (row->kill_at > 0 && !row->unplanned) {
        fake.fault.opts.at = row->kill_at;
        fake.fault.opts.lasting = row->kill_lasting;
    }
    fake.mark_at = row->mark_at > 0 ? row->mark_at : -1;
    fake.mark_again = row->mark_again > 0 ? row->mark_again : -1;
    return c;
}

static inline void judge_row(void **state)
{
    const struct row *row = *state;
    struct lz_err err = {0};
    lz_expect_id id = 0;
    struct lz_checks *c = begin_row(row);
    struct lz_expect_opts opts = opts_of(row);
    if (!lz_check_expect(c, &opts, &id, &err))
        fail_msg("%s: refused: %s", row->sentence, err.msg);
    play(c, row);

    const struct lz_expect_result *r = lz_check_result(c, id);
    assert_string_equal(lz_check_verdict_name(r->verdict), lz_check_verdict_name(row->verdict));
    assert_string_equal(r->actual, row->actual);
    assert_string_equal(r->spare, row->spare != NULL ? row->spare : "");
    assert_string_equal(r->why, row->why != NULL ? row->why : "");
    if (row->expected != NULL)
        assert_string_equal(r->expected, row->expected);
    if (r->verdict == FAIL && !isnan(r->margin))
        assert_true(r->margin < 0.0);
    if (r->verdict == PASS && !isnan(r->margin))
        assert_true(r->margin >= 0.0);
    end();
}

// Initialisers of a row, each to be read as one word.
// clang-format off
#define KILL {.kind = LZ_ANCHOR_FAULT, .fault = 1}
#define KILL_ENDS {.kind = LZ_ANCHOR_FAULT_ENDS, .fault = 1}
#define AT(t) {.kind = LZ_ANCHOR_TIME, .at = (t)}
#define MARK {.kind = LZ_ANCHOR_MARK, .mark = "rolled back"}
#define TELL(op, cmp, lim) .expect.temporal = (op), .expect.matcher.compare = (cmp), \
    .expect.matcher.limit = (lim)
#define EVENTUALLY(anchor, deadline) .expect.after = anchor, .expect.within = (deadline)
#define SLO(share) .expect.temporal = LZ_SLO, .expect.objective = (share)
// clang-format on

// Each row of a table is a test of its own, named by its sentence.
static inline size_t add_rows(struct CMUnitTest *tests, size_t count, struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tests[count + i] = (struct CMUnitTest){
            .name = rows[i].sentence, .test_func = judge_row, .initial_state = &rows[i]};
    return count + n;
}

#endif
