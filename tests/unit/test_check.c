/*
 * The operators that judge window by window (always, never, sometimes) or at the end.
 *
 * Each row is a test; check_rows.h explains how to read one. For each operator there are
 * rows in which it passes, says no, cannot tell, and stands exactly on a boundary.
 */
#include "check_rows.h"

#define ROWS_MAX 120

static const struct lz_scope in_kill = {.after = KILL};
static const struct lz_scope kill_2s = {.after = KILL, .lasting = S(2)};
static const struct lz_scope kill_3s = {.after = KILL, .lasting = S(3)};
static const struct lz_scope kill_1s = {.after = KILL, .lasting = S(1)};
static const struct lz_scope from_2s = {.after = AT(S(2))};
static const struct lz_scope until_2s = {.lasting = S(2)};
static const struct lz_scope from_mark = {.after = MARK};

// clang-format off
static struct row always_rows[] = {
    {"always passes when every window matches", "1213",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .verdict = PASS,
     .actual = "worst 30 % at 3s", .spare = "40 % spare", .expected = "always below 50 %"},
    {"always fails at the first window that does not match", "1613",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .verdict = FAIL,
     .actual = "worst 60 % at 1s", .spare = "20 % over"},
    {"always tells the first violation beside the worst", "1697",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .verdict = FAIL,
     .actual = "worst 90 % at 2s, first at 1s", .spare = "80 % over"},
    {"always without a sample is inconclusive", "....",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .verdict = INCON, .actual = "no sample",
     .why = "no sample: web.errors.ratio measured nothing in the 4 windows judged"},
    {"always passes over windows without a sample", "1..3",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .verdict = PASS,
     .actual = "worst 30 % at 3s", .spare = "40 % spare"},
    {"a value on the limit is not below it", "15",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .verdict = FAIL,
     .actual = "worst 50 % at 1s", .spare = "at the limit"},
    {"a value on the limit is at most it", "15",
     TELL(LZ_ALWAYS, LZ_AT_MOST, 0.5), .verdict = PASS,
     .actual = "worst 50 % at 1s", .spare = "0 % spare"},
    {"a value on the limit is at least it, though 3/10 and 30/100 differ in binary", "3",
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 0.1 + 0.2), .verdict = PASS,
     .actual = "worst 30 % at 0s", .spare = "0 % spare"},
    {"a value on the limit is not above it", "95",
     TELL(LZ_ALWAYS, LZ_ABOVE, 0.5), .verdict = FAIL,
     .actual = "worst 50 % at 1s", .spare = "at the limit"},
    {"a value under the limit is not at least it", "94",
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 0.5), .verdict = FAIL,
     .actual = "worst 40 % at 1s", .spare = "20 % under"},
    {"between takes both its ends", "2435",
     TELL(LZ_ALWAYS, LZ_BETWEEN, 0.2), .expect.matcher.limit_b = 0.5, .verdict = PASS,
     .actual = "worst 20 % at 0s", .spare = "0 % spare",
     .expected = "always between 20 % and 50 %"},
    {"between refuses what is above", "2436",
     TELL(LZ_ALWAYS, LZ_BETWEEN, 0.2), .expect.matcher.limit_b = 0.5, .verdict = FAIL,
     .actual = "worst 60 % at 3s", .spare = "20 % outside"},
    {"between refuses what is below", "2135",
     TELL(LZ_ALWAYS, LZ_BETWEEN, 0.2), .expect.matcher.limit_b = 0.5, .verdict = FAIL,
     .actual = "worst 10 % at 1s", .spare = "50 % outside"},
    {"a limit prints as it was written", "12",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.matcher.limit_text = "50.0%", .verdict = PASS,
     .actual = "worst 20 % at 1s", .spare = "60 % spare", .expected = "always below 50.0%"},
    {"warm-up is not judged", "9911", .warmup = S(2),
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .verdict = PASS,
     .actual = "worst 10 % at 2s", .spare = "80 % spare"},
    {"a script answers every second", "1011", SCRIPT, TELL(LZ_ALWAYS, LZ_BELOW, 0),
     .verdict = FAIL, .actual = "false at 1s", .expected = "always true"},
    {"a script that always says yes passes", "1111", SCRIPT, TELL(LZ_ALWAYS, LZ_BELOW, 0),
     .verdict = PASS, .actual = "true"},
};

static struct row scope_rows[] = {
    {"a window that touches an except is not judged", "11999111",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.except = &kill_2s, .kill_at = MS(2500),
     .verdict = PASS, .actual = "worst 10 % at 0s", .spare = "80 % spare"},
    {"a window that begins as an except ends is judged", "119991",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.except = &kill_2s, .kill_at = S(2),
     .verdict = FAIL, .actual = "worst 90 % at 4s", .spare = "80 % over"},
    {"a window that ends as an except begins is judged", "191111",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.except = &kill_2s, .kill_at = S(2),
     .verdict = FAIL, .actual = "worst 90 % at 1s", .spare = "80 % over"},
    {"an except without a length excuses the rest", "11999999",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.except = &in_kill, .kill_at = S(2),
     .verdict = PASS, .actual = "worst 10 % at 0s", .spare = "80 % spare"},
    {"an except that never begins excuses nothing", "119",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.except = &in_kill, .kill_at = S(1), .stuck = true,
     .verdict = FAIL, .actual = "worst 90 % at 2s", .spare = "80 % over"},
    {"an except leaves nothing to judge when it covers all", "999",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.except = &until_2s, .warmup = S(1),
     .verdict = INCON, .actual = "no sample", .why = "no whole window lay in scope"},
    {"only windows wholly inside a during are judged", "99119999",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.during = &kill_3s, .kill_at = MS(1500),
     .verdict = PASS, .actual = "worst 10 % at 2s", .spare = "80 % spare"},
    {"a during says no inside", "1171",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.during = &from_2s,
     .verdict = FAIL, .actual = "worst 70 % at 2s", .spare = "40 % over"},
    {"a during whose fault never fires is inconclusive", "1111",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.during = &in_kill, .kill_at = S(1), .stuck = true,
     .verdict = INCON, .actual = "no sample", .why = "fault kill orders-db never fired"},
    {"a during whose mark is never set is inconclusive", "1111",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.during = &from_mark,
     .verdict = INCON, .actual = "no sample", .why = "the mark \"rolled back\" was never set"},
    {"a during begins with its mark", "9911",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.during = &from_mark, .mark_at = MS(1500),
     .verdict = PASS, .actual = "worst 10 % at 2s", .spare = "80 % spare"},
    {"a during too short for a whole window is inconclusive", "1111",
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.during = &kill_1s, .kill_at = MS(1500),
     .verdict = INCON, .actual = "no sample", .why = "no whole window lay in scope"},
    {"a fault without a plan is an anchor once it starts", "99119999", .unplanned = true,
     TELL(LZ_ALWAYS, LZ_BELOW, 0.5), .expect.during = &kill_3s, .kill_at = MS(1500),
     .verdict = PASS, .actual = "worst 10 % at 2s", .spare = "80 % spare"},
};

static struct row over_rows[] = {
    {"over slides in steps of a second", "2424", GOODPUT,
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 300), .expect.over = S(2), .verdict = PASS,
     .actual = "worst 300/s at 1s", .spare = "0 % spare"},
    {"without over each second stands alone", "2424", GOODPUT,
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 300), .verdict = FAIL,
     .actual = "worst 200/s at 0s", .spare = "34 % under"},
    {"sliding windows lie wholly after warm-up", "0444", GOODPUT, .warmup = S(1),
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 300), .expect.over = S(2), .verdict = PASS,
     .actual = "worst 400/s at 2s", .spare = "33 % spare"},
    {"a sliding window fails at its newest second", "4400", GOODPUT,
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 300), .expect.over = S(2), .verdict = FAIL,
     .actual = "worst 0/s at 3s, first at 2s", .spare = "100 % under"},
    {"a sliding window that touches an except is not judged", "4404444", GOODPUT,
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 300), .expect.over = S(2), .expect.except = &kill_1s,
     .kill_at = S(2), .verdict = PASS, .actual = "worst 400/s at 1s", .spare = "33 % spare"},
    {"a sliding window lies wholly inside a during", "0044", GOODPUT,
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 300), .expect.over = S(2), .expect.during = &from_2s,
     .verdict = PASS, .actual = "worst 400/s at 3s", .spare = "33 % spare"},
};

static struct row gauge_rows[] = {
    {"always judges the highest level against an upper limit", "5585", BUSY,
     TELL(LZ_ALWAYS, LZ_BELOW, 0.8), .verdict = FAIL,
     .actual = "worst 80 % at 2s", .spare = "at the limit"},
    {"always judges the lowest level against a lower limit", "5515", BUSY,
     TELL(LZ_ALWAYS, LZ_AT_LEAST, 0.2), .verdict = FAIL,
     .actual = "worst 10 % at 2s", .spare = "50 % under"},
    {"between judges both levels", "5295", BUSY,
     TELL(LZ_ALWAYS, LZ_BETWEEN, 0.2), .expect.matcher.limit_b = 0.8, .verdict = FAIL,
     .actual = "worst 90 % at 2s", .spare = "13 % outside"},
    {"never judges the level that comes nearest", "5595", BUSY,
     TELL(LZ_NEVER, LZ_ABOVE, 0.8), .verdict = FAIL,
     .actual = "worst 90 % at 2s", .spare = "13 % over"},
    {"never passes when no moment matched", "5575", BUSY,
     TELL(LZ_NEVER, LZ_ABOVE, 0.8), .verdict = PASS,
     .actual = "worst 70 % at 2s", .spare = "12 % spare"},
    {"sometimes needs only a moment", "5595", BUSY,
     TELL(LZ_SOMETIMES, LZ_ABOVE, 0.8), .verdict = PASS, .actual = "90 % at 2s"},
    {"at_end takes a level as it stands", "9955", BUSY,
     TELL(LZ_AT_END, LZ_AT_MOST, 0.5), .verdict = PASS, .actual = "50 %",
     .spare = "0 % spare"},
    {"holding judges the adverse level", "5595555", BUSY,
     TELL(LZ_EVENTUALLY, LZ_BELOW, 0.8), .expect.after = AT(S(1)), .expect.within = S(3),
     .expect.holding = S(2), .verdict = PASS, .actual = "after 2s", .spare = "1s spare"},
    {"without holding a moment is enough", "5591555", BUSY,
     TELL(LZ_EVENTUALLY, LZ_AT_MOST, 0.1), .expect.after = AT(S(1)), .expect.within = S(3),
     .verdict = PASS, .actual = "after 2s", .spare = "1s spare"},
    {"seconds print as durations", "5585", WAIT,
     TELL(LZ_ALWAYS, LZ_BELOW, 1.0), .verdict = PASS,
     .actual = "worst 800ms at 2s", .spare = "20 % spare"},
};

static struct row counter_rows[] = {
    {"equals counts exactly", "0000", FAILOVERS, TELL(LZ_ALWAYS, LZ_EQUALS, 0),
     .verdict = PASS, .actual = "0", .expected = "always equal to 0"},
    {"equals says no to one too many", "0010", FAILOVERS, TELL(LZ_ALWAYS, LZ_EQUALS, 0),
     .verdict = FAIL, .actual = "worst 1 at 2s"},
    {"a counter that passes tells where it stands", "0101", FAILOVERS,
     TELL(LZ_ALWAYS, LZ_AT_MOST, 4), .verdict = PASS, .actual = "2", .spare = "50 % spare"},
    {"what a counter counts inside an except still stands after it", "0100", FAILOVERS,
     TELL(LZ_ALWAYS, LZ_EQUALS, 0), .expect.except = &kill_1s, .kill_at = S(1),
     .verdict = FAIL, .actual = "worst 1 at 2s"},
    {"what a counter counts in warm-up stands", "1000", FAILOVERS, .warmup = S(2),
     TELL(LZ_ALWAYS, LZ_EQUALS, 0), .verdict = FAIL, .actual = "worst 1 at 2s"},
    {"a counter is judged up to the last moment of the run", "0001", FAILOVERS, .tail = MS(500),
     TELL(LZ_ALWAYS, LZ_EQUALS, 0), .verdict = FAIL, .actual = "worst 1 at 2.5s"},
    {"over means nothing to a counter", "0010", FAILOVERS, TELL(LZ_SOMETIMES, LZ_AT_LEAST, 1),
     .expect.over = S(3), .verdict = PASS, .actual = "1 at 2s"},
};

static struct row never_rows[] = {
    {"never passes when no window matches", "1234",
     TELL(LZ_NEVER, LZ_ABOVE, 0.5), .verdict = PASS,
     .actual = "worst 40 % at 3s", .spare = "20 % spare", .expected = "never above 50 %"},
    {"never fails when one window matches", "1262",
     TELL(LZ_NEVER, LZ_ABOVE, 0.5), .verdict = FAIL,
     .actual = "worst 60 % at 2s", .spare = "20 % over"},
    {"never above lets the limit itself pass", "15",
     TELL(LZ_NEVER, LZ_ABOVE, 0.5), .verdict = PASS,
     .actual = "worst 50 % at 1s", .spare = "0 % spare"},
    {"never at_least does not let the limit itself pass", "15",
     TELL(LZ_NEVER, LZ_AT_LEAST, 0.5), .verdict = FAIL,
     .actual = "worst 50 % at 1s", .spare = "at the limit"},
    {"never between fails inside", "191",
     TELL(LZ_NEVER, LZ_BETWEEN, 0.8), .expect.matcher.limit_b = 1.0, .verdict = FAIL,
     .actual = "worst 90 % at 1s", .spare = "10 % inside"},
    {"never equals fails on equality", "010", FAILOVERS,
     TELL(LZ_NEVER, LZ_EQUALS, 1), .verdict = FAIL, .actual = "worst 1 at 1s"},
    {"never without a sample is inconclusive", "...",
     TELL(LZ_NEVER, LZ_ABOVE, 0.5), .verdict = INCON, .actual = "no sample",
     .why = "no sample: web.errors.ratio measured nothing in the 3 windows judged"},
    {"never passes when the mark is not set", "1111", ROLLED_BACK, TELL(LZ_NEVER, LZ_BELOW, 0),
     .verdict = PASS, .actual = "never happened", .expected = "never happened \"rolled back\""},
    {"never fails when the mark is set", "1111", ROLLED_BACK, TELL(LZ_NEVER, LZ_BELOW, 0),
     .mark_at = MS(2500), .verdict = FAIL, .actual = "at 2.5s"},
    {"never lets a mark happen inside an except", "1111", ROLLED_BACK,
     TELL(LZ_NEVER, LZ_BELOW, 0), .expect.except = &kill_1s, .kill_at = S(2),
     .mark_at = MS(2500), .verdict = PASS, .actual = "never happened"},
    {"never of a mark during what never began is inconclusive", "1111", ROLLED_BACK,
     TELL(LZ_NEVER, LZ_BELOW, 0), .expect.during = &in_kill, .kill_at = S(2), .stuck = true,
     .mark_at = MS(2500), .verdict = INCON, .actual = "no sample",
     .why = "fault kill orders-db never fired"},
    {"warm-up does not hide a mark", "1111", ROLLED_BACK, TELL(LZ_NEVER, LZ_BELOW, 0),
     .warmup = S(2), .mark_at = MS(500), .verdict = FAIL, .actual = "at 0.5s"},
    {"a mark after the last whole second counts", "1111", ROLLED_BACK, .tail = MS(500),
     TELL(LZ_NEVER, LZ_BELOW, 0), .mark_at = MS(3250), .verdict = FAIL, .actual = "at 3.25s"},
};

static struct row sometimes_rows[] = {
    {"sometimes passes at the first match", "0110", FAILOVERS,
     TELL(LZ_SOMETIMES, LZ_AT_LEAST, 1), .verdict = PASS, .actual = "1 at 1s",
     .expected = "sometimes at least 1"},
    {"sometimes never true is inconclusive", "1242",
     TELL(LZ_SOMETIMES, LZ_ABOVE, 0.5), .verdict = INCON, .actual = "nearest 40 % at 2s",
     .why = "it was never above 50 %"},
    {"sometimes of a counter never reached is inconclusive", "0000", FAILOVERS,
     TELL(LZ_SOMETIMES, LZ_AT_LEAST, 1), .verdict = INCON, .actual = "0",
     .why = "it was never at least 1"},
    {"sometimes without a sample is inconclusive", "..",
     TELL(LZ_SOMETIMES, LZ_ABOVE, 0.5), .verdict = INCON, .actual = "no sample",
     .why = "no sample: web.errors.ratio measured nothing in the 2 windows judged"},
    {"sometimes looks only where it may", "1911",
     TELL(LZ_SOMETIMES, LZ_ABOVE, 0.5), .expect.except = &until_2s, .verdict = INCON,
     .actual = "nearest 10 % at 2s", .why = "it was never above 50 %"},
    {"sometimes passes with a mark", "1111", ROLLED_BACK, TELL(LZ_SOMETIMES, LZ_BELOW, 0),
     .mark_at = MS(2500), .verdict = PASS, .actual = "at 2.5s"},
    {"sometimes without its mark is inconclusive", "1111", ROLLED_BACK,
     TELL(LZ_SOMETIMES, LZ_BELOW, 0), .verdict = INCON, .actual = "never happened",
     .why = "the mark \"rolled back\" was never set"},
    {"sometimes asks a script until it says yes", "0010", SCRIPT, TELL(LZ_SOMETIMES, LZ_BELOW, 0),
     .verdict = PASS, .actual = "at 2s"},
    {"sometimes asks a script in vain", "0000", SCRIPT, TELL(LZ_SOMETIMES, LZ_BELOW, 0),
     .verdict = INCON, .actual = "never", .why = "it was never true"},
};

static struct row at_end_rows[] = {
    {"at_end takes the whole run as one value", "1313",
     TELL(LZ_AT_END, LZ_BELOW, 0.25), .verdict = PASS, .actual = "20 %",
     .spare = "20 % spare", .expected = "at the end below 25 %"},
    {"at_end says no", "1319",
     TELL(LZ_AT_END, LZ_BELOW, 0.25), .verdict = FAIL, .actual = "35 %",
     .spare = "40 % over"},
    {"at_end below says no on the limit", "1313",
     TELL(LZ_AT_END, LZ_BELOW, 0.2), .verdict = FAIL, .actual = "20 %",
     .spare = "at the limit"},
    {"at_end begins at warm-up", "9911", .warmup = S(2),
     TELL(LZ_AT_END, LZ_BELOW, 0.2), .verdict = PASS, .actual = "10 %",
     .spare = "50 % spare"},
    {"at_end takes a counter as it stands", "1001", FAILOVERS, .warmup = S(2),
     TELL(LZ_AT_END, LZ_AT_MOST, 2), .verdict = PASS, .actual = "2", .spare = "0 % spare"},
    {"at_end counts to the last moment", "1001", FAILOVERS, .tail = MS(500),
     TELL(LZ_AT_END, LZ_EQUALS, 1), .verdict = FAIL, .actual = "2"},
    {"at_end with over takes the last stretch", "9911",
     TELL(LZ_AT_END, LZ_BELOW, 0.2), .expect.over = S(2), .verdict = PASS,
     .actual = "10 %", .spare = "50 % spare"},
    {"at_end without a sample is inconclusive", "9...", .warmup = S(1),
     TELL(LZ_AT_END, LZ_BELOW, 0.2), .verdict = INCON, .actual = "no sample",
     .why = "no sample: web.errors.ratio measured nothing in the 3 windows judged"},
    {"at_end passes when the mark is set", "1111", ROLLED_BACK, TELL(LZ_AT_END, LZ_BELOW, 0),
     .mark_at = S(2), .verdict = PASS, .actual = "at 2s"},
    {"at_end fails when the mark is not set", "1111", ROLLED_BACK, TELL(LZ_AT_END, LZ_BELOW, 0),
     .verdict = FAIL, .actual = "never happened"},
    {"at_end asks a script once", "1110", SCRIPT, TELL(LZ_AT_END, LZ_BELOW, 0),
     .verdict = FAIL, .actual = "false"},
};
// clang-format on

int main(void)
{
    static struct CMUnitTest tests[ROWS_MAX];
    size_t n = 0;
    n = add_rows(tests, n, always_rows, COUNT(always_rows));
    n = add_rows(tests, n, scope_rows, COUNT(scope_rows));
    n = add_rows(tests, n, over_rows, COUNT(over_rows));
    n = add_rows(tests, n, gauge_rows, COUNT(gauge_rows));
    n = add_rows(tests, n, counter_rows, COUNT(counter_rows));
    n = add_rows(tests, n, never_rows, COUNT(never_rows));
    n = add_rows(tests, n, sometimes_rows, COUNT(sometimes_rows));
    n = add_rows(tests, n, at_end_rows, COUNT(at_end_rows));
    assert_true(n <= ROWS_MAX);
    return _cmocka_run_group_tests("check", tests, n, NULL, NULL);
}
