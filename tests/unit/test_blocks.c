/*
 * Parts of a sweep as files: what a part holds is counted, and a part whose seal is good but which
 * has something else for a result is refused by name. Each test writes a part of one run of a
 * suite of one case, and reads it back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "explore/blocks.h"
#include "explore/brief.h"
#include "explore/wire.h"

#define SEED_FIRST 5
#define SEED_LAST 7

static struct lz_worker_case only_case;
static struct lz_suite_scenario scenario = {.path = "a.lua", .listing = {.text_hash = 9}};
static struct lz_suite_run run = {.of = &only_case};
static struct lz_suite suite = {
    .scenarios = &scenario, .scenario_count = 1, .runs = &run, .run_count = 1};

// Write a part that has `brief` for what `seed` left, and merge it.
static bool merge(const struct lz_str *brief, uint64_t seed, struct lz_blocks_whole *out,
                  struct lz_err *err)
{
    char folder[] = "/tmp/lorenz-blocks-XXXXXX", path[64];
    const char *const paths[] = {path};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/1.lzsweep", folder);
    struct lz_blocks_part *part = lz_blocks_begin();
    lz_blocks_keep(part, &(struct lz_sweep_kept){.seed = seed, .brief = brief});
    const struct lz_sweep_opts opts = {.suite = &suite, .first = SEED_FIRST, .last = SEED_LAST};
    assert_true(lz_blocks_end(part, &opts, path, err));
    bool ok = lz_blocks_merge(paths, 1, 0.95, 0.0, out, err);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    return ok;
}

static void write_brief(struct lz_str *out)
{
    const struct lz_brief_facts facts = {.verdict = "pass", .why = "", .trace = 3, .events = 4};
    lz_str_init(out);
    lz_brief_write(&facts, out);
}

static void what_a_part_holds_is_counted(void **state)
{
    (void)state;
    struct lz_blocks_whole whole;
    struct lz_err err;
    struct lz_str brief;
    write_brief(&brief);
    assert_true(merge(&brief, SEED_LAST, &whole, &err));
    assert_int_equal(whole.sweep.done, 1);
    assert_int_equal(whole.sweep.failed, 0);
    assert_int_equal(whole.missing, 2);
    lz_blocks_finish(&whole);
    lz_str_finish(&brief);
}

static void what_is_no_result_is_refused_by_name(void **state)
{
    static const struct {
        int cut; // bytes off the end of a good brief; less than 0: bytes more
        uint64_t seed;
        const char *said;
    } table[] = {
        {1, 6, "1.lzsweep: what it has of seed 6 is no result"},
        {-1, 6, "1.lzsweep: what it has of seed 6 is no result"},
        {1000, 7, "1.lzsweep: what it has of seed 7 is no result"}, // nothing at all
        {0, SEED_FIRST - 1, "1.lzsweep: what it has of seed 4 is no result"},
        {0, SEED_LAST + 1, "1.lzsweep: what it has of seed 8 is no result"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_blocks_whole whole;
        struct lz_err err;
        struct lz_str brief;
        write_brief(&brief);
        size_t cut = table[i].cut > 0 ? (size_t)table[i].cut : 0;
        brief.len -= cut < brief.len ? cut : brief.len;
        if (table[i].cut < 0)
            lz_str_add(&brief, "x");
        assert_false(merge(&brief, table[i].seed, &whole, &err));
        assert_int_equal(err.code, LZ_EINVAL);
        assert_non_null(strstr(err.msg, table[i].said));
        lz_str_finish(&brief);
    }
}

// A brief of one fault and one expectation, whose words are what a stranger may send.
static void write_words(struct lz_str *out, const char *verdict, uint64_t phases, uint64_t judged)
{
    lz_str_init(out);
    lz_wire_put_text(out, verdict);
    lz_wire_put_text(out, "");
    for (int i = 0; i < 4; i++) // trace, events, stopped, open
        lz_wire_put_u64(out, 0);
    lz_wire_put_u64(out, 1);
    lz_wire_put_text(out, "kill");
    lz_wire_put_text(out, "web");
    lz_wire_put_u64(out, phases);
    lz_wire_put_u64(out, 1);
    for (int i = 0; i < 3; i++) // name, actual, spare
        lz_wire_put_text(out, "it");
    lz_wire_put_u64(out, judged);
    for (int i = 0; i < 4; i++) // warn, sometimes, margin; no metrics
        lz_wire_put_u64(out, 0);
}

static void words_that_mean_nothing_are_no_result(void **state)
{
    static const struct {
        const char *verdict;
        uint64_t phases, judged;
        bool is_result;
    } table[] = {
        {"pass", LZ_BRIEF_BEGAN | LZ_BRIEF_BIT | LZ_BRIEF_OVER, LZ_VERDICT_PASS, true},
        {"fail", LZ_BRIEF_ABSENT, LZ_VERDICT_FAIL, true},
        {"crash", 0, LZ_VERDICT_PASS, true},
        {"", 0, LZ_VERDICT_PASS, false},
        {"passed", 0, LZ_VERDICT_PASS, false},
        {"pass", 16, LZ_VERDICT_PASS, false},
        {"pass", UINT64_MAX, LZ_VERDICT_PASS, false},
        {"pass", 0, LZ_VERDICT_FAIL + 1, false},
        {"pass", 0, 1ull << 32, false}, // as an enum it would be a pass
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_blocks_whole whole;
        struct lz_err err;
        struct lz_str brief;
        write_words(&brief, table[i].verdict, table[i].phases, table[i].judged);
        assert_int_equal(merge(&brief, SEED_LAST, &whole, &err), table[i].is_result);
        if (table[i].is_result)
            lz_blocks_finish(&whole);
        else
            assert_non_null(strstr(err.msg, "what it has of seed 7 is no result"));
        lz_str_finish(&brief);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_part_holds_is_counted),
        cmocka_unit_test(what_is_no_result_is_refused_by_name),
        cmocka_unit_test(words_that_mean_nothing_are_no_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
