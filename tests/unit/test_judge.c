/*
 * What was recorded, judged: the white box against the black box. Recorders are filled in by hand,
 * so that versions can be given that no server would have given out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "check/history/history_read.h"
#include "check/history/history_write.h"
#include "check/history/judge.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_recorder_op ops[16];
    struct lz_recorder r;
};

static void make(struct stage *s)
{
    struct lz_err err;
    *s = (struct stage){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = LZ_S});
    s->r = (struct lz_recorder){.ops = s->ops};
}

// One more operation of a process of its own: from begin to end, value and version.
static void did(struct stage *s, enum lz_recorder_f f, uint64_t begin, uint64_t end, int64_t value,
                uint64_t version)
{
    LZ_ASSERT(s->r.count < 16);
    s->ops[s->r.count++] = (struct lz_recorder_op){.key = 1,
                                                   .value = lz_value_integer(value),
                                                   .begin = begin,
                                                   .end = end,
                                                   .version = version,
                                                   .process = s->r.processes++,
                                                   .f = (uint8_t)f,
                                                   .has_version = true,
                                                   .unit = begin};
}

static struct lz_judge_result judge(struct stage *s, const char *model)
{
    struct lz_judge_result r;
    struct lz_err err;
    const struct lz_judge_opts opts = {.model = model, .consistency = "serializable"};
    assert_true(lz_judge_run(s->w, &s->r, &opts, &r, &err));
    lz_judge_finish(&r);
    lz_arena_destroy(s->arena);
    return r;
}

static void both_find_it_good(void **state)
{
    (void)state;
    struct stage s;
    make(&s);
    did(&s, LZ_RECORDER_WRITE, 1, 4, 7, 1);
    did(&s, LZ_RECORDER_READ, 2, 3, 7, 1);
    did(&s, LZ_RECORDER_WRITE, 5, 6, 8, 2);
    did(&s, LZ_RECORDER_READ, 7, 8, 8, 2);
    struct lz_judge_result r = judge(&s, "cas-register");
    assert_int_equal(r.answer, LZ_VERIFY_HOLDS);
    assert_int_equal(r.white, LZ_JUDGE_PROVEN);
    assert_false(r.is_contradiction);
}

static void both_find_it_bad(void **state)
{
    (void)state;
    struct stage s;
    make(&s);
    did(&s, LZ_RECORDER_WRITE, 1, 2, 7, 1);
    did(&s, LZ_RECORDER_WRITE, 3, 4, 8, 2);
    did(&s, LZ_RECORDER_READ, 5, 6, 7, 1);
    struct lz_judge_result r = judge(&s, "cas-register");
    assert_int_equal(r.answer, LZ_VERIFY_VIOLATED);
    assert_int_equal(r.white, LZ_JUDGE_REFUTED);
    assert_false(r.is_contradiction);
}

// Versions in order of real time, but a read whose value is not that of its version.
static void a_contradiction_is_noticed(void **state)
{
    (void)state;
    struct stage s;
    make(&s);
    did(&s, LZ_RECORDER_WRITE, 1, 2, 7, 1);
    did(&s, LZ_RECORDER_WRITE, 3, 4, 8, 2);
    did(&s, LZ_RECORDER_READ, 5, 6, 9, 3);
    struct lz_judge_result r = judge(&s, "cas-register");
    assert_int_equal(r.answer, LZ_VERIFY_VIOLATED); // nobody wrote 9
    assert_int_equal(r.white, LZ_JUDGE_PROVEN);
    assert_true(r.is_contradiction);
}

static void versions_given_out_twice_prove_nothing(void **state)
{
    (void)state;
    struct stage s;
    make(&s);
    did(&s, LZ_RECORDER_WRITE, 1, 3, 7, 1);
    did(&s, LZ_RECORDER_WRITE, 2, 4, 8, 1);
    did(&s, LZ_RECORDER_READ, 5, 6, 7, 1);
    struct lz_judge_result r = judge(&s, "cas-register");
    assert_int_equal(r.answer, LZ_VERIFY_HOLDS);
    assert_int_equal(r.white, LZ_JUDGE_NOT_TOLD);
}

static void what_one_request_does_is_a_transaction(void **state)
{
    (void)state;
    struct stage s;
    make(&s);
    did(&s, LZ_RECORDER_WRITE, 1, 2, 5, 1);
    did(&s, LZ_RECORDER_READ, 3, 5, 5, 1);
    did(&s, LZ_RECORDER_READ, 4, 6, 5, 1);
    did(&s, LZ_RECORDER_WRITE, 7, 9, 6, 2);
    did(&s, LZ_RECORDER_WRITE, 8, 10, 7, 3);
    s.ops[3].unit = s.ops[1].unit;
    s.ops[4].unit = s.ops[2].unit;
    struct lz_judge_result r = judge(&s, "rw-register");
    assert_int_equal(r.answer, LZ_VERIFY_VIOLATED);
    assert_string_equal(r.anomaly, "lost-update");
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    struct stage s;
    make(&s);
    did(&s, LZ_RECORDER_WRITE, 1, 2, 7, 1);
    did(&s, LZ_RECORDER_READ, 3, 4, 7, 1);
    did(&s, LZ_RECORDER_WRITE, 5, 0, 8, 2);
    s.ops[2].outcome = LZ_RECORDER_UNKNOWN;
    struct lz_str text;
    struct lz_err err;
    struct lz_history h;
    lz_str_init(&text);
    lz_history_write(s.w, &s.r, &(struct lz_history_naming){0}, &text);
    lz_history_init(&h);
    assert_true(lz_history_read(&h, NULL, text.text, text.len, &err));
    assert_int_equal(h.op_count, 3);
    assert_int_equal(h.ops[0].outcome, LZ_HISTORY_OK);
    assert_int_equal(h.ops[2].outcome, LZ_HISTORY_INFO);
    assert_int_equal(h.atoms[lz_history_part(&h, &h.ops[1], 0)->value].integer, 7);
    lz_history_finish(&h);
    lz_str_finish(&text);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_find_it_good),
        cmocka_unit_test(both_find_it_bad),
        cmocka_unit_test(a_contradiction_is_noticed),
        cmocka_unit_test(versions_given_out_twice_prove_nothing),
        cmocka_unit_test(what_one_request_does_is_a_transaction),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
