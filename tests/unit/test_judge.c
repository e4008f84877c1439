/*
 * What was recorded, judged: the white box against the black box. Recorders are filled in by hand,
 * so that versions can be given that no server would have given out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "check/history/history_read.h"
#include "check/history/history_write.h"
#include "check/history/judge.h"
#include "model/history/recorder_txn.h"

struct stage {
    struct lz_arena *arena;
    struct lz_world *w;
    struct lz_recorder_op ops[16];
    struct lz_recorder_txn txns[8];
    struct lz_recorder_step steps[32];
    struct lz_recorder r;
};

static void make(struct stage *s)
{
    struct lz_err err;
    *s = (struct stage){0};
    assert_true(lz_arena_create(&(struct lz_arena_opts){.limit_bytes = 0}, &s->arena, &err));
    s->w = lz_world_create(
        &(struct lz_world_opts){.arena = s->arena, .seed = 1, .run_key = 1, .end = LZ_S});
    s->r = (struct lz_recorder){.ops = s->ops, .txns = s->txns, .steps = s->steps};
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

// ---- transactions

// "1r5@3" reads 5 of key 1 as version 3, "2w7@4" writes 7 to key 2 as version 4, "2a7@4" appends.
static void committed(struct stage *s, uint64_t begin, uint64_t end, const char *steps)
{
    LZ_ASSERT(s->r.txn_count < 8);
    struct lz_recorder_txn *t = &s->txns[s->r.txn_count++];
    *t = (struct lz_recorder_txn){
        .begin = begin, .end = end, .process = s->r.processes++, .is_committed = true};
    for (const char *p = steps; *p != '\0';) {
        char *rest;
        struct lz_recorder_step step = {.is_heard = true, .has_version = true};
        step.key = strtoull(p, &rest, 10);
        step.f = *rest == 'r'   ? LZ_RECORDER_STEP_READ
                 : *rest == 'w' ? LZ_RECORDER_STEP_WRITE
                                : LZ_RECORDER_STEP_APPEND;
        long long value = strtoll(rest + 1, &rest, 10);
        step.value = value != 0 ? lz_value_integer(value) : 0;
        step.version = strtoull(rest + 1, &rest, 10);
        p = rest + (*rest == ' ');
        LZ_ASSERT(s->r.step_count < 32);
        s->steps[s->r.step_count++] = step;
        if (t->last != 0)
            s->steps[t->last - 1].next = s->r.step_count;
        else
            t->first = s->r.step_count;
        t->last = s->r.step_count;
    }
}

static const struct {
    const char *what, *model, *anomaly, *steps[4];
    enum lz_verify_answer answer;
    enum lz_judge_white white;
    bool is_contradiction;
} histories[] = {
    {.what = "one after the other",
     .steps = {"1r0@0 1w5@1", "1r5@1 1w6@2", "1r6@2"},
     .white = LZ_JUDGE_PROVEN},
    {.what = "write skew",
     .anomaly = "G2-item",
     .steps = {"1r0@0 2r0@0 1w5@1", "1r0@0 2r0@0 2w6@2"},
     .answer = LZ_VERIFY_VIOLATED,
     .white = LZ_JUDGE_REFUTED},
    {.what = "information in a circle",
     .anomaly = "G1c",
     .steps = {"1w5@1 2r6@2", "2w6@2 1r5@1"},
     .answer = LZ_VERIFY_VIOLATED,
     .white = LZ_JUDGE_REFUTED},
    {.what = "a lost update",
     .anomaly = "lost-update",
     .steps = {"1w5@1", "1r5@1 1w6@2", "1r5@1 1w7@3"},
     .answer = LZ_VERIFY_VIOLATED,
     .white = LZ_JUDGE_REFUTED},
    {.what = "equal values, told apart by versions alone",
     .steps = {"1w5@1", "1r5@1 1w5@2", "1r5@2"},
     .white = LZ_JUDGE_PROVEN},
    {.what = "a cycle that no client sees",
     .anomaly = "G0",
     .steps = {"1w5@1 2w5@4", "1w6@2 2w6@3"},
     .answer = LZ_VERIFY_VIOLATED,
     .white = LZ_JUDGE_REFUTED},
    {.what = "lists", .steps = {"1a5@1", "1r5@1 2a6@2"}, .white = LZ_JUDGE_PROVEN},
    {.what = "clients saw a circle, and versions say that it is none",
     .anomaly = "G1c",
     .steps = {"1w5@1 2r6@0", "2w6@2 1r5@1"},
     .answer = LZ_VERIFY_VIOLATED,
     .white = LZ_JUDGE_PROVEN,
     .is_contradiction = true},
    {.what = "clients cannot see the update that versions say is lost",
     .steps = {"1w5@1", "1r5@1 1w6@2", "1r6@1 1w7@3"},
     .answer = LZ_VERIFY_HOLDS,
     .white = LZ_JUDGE_REFUTED,
     .is_contradiction = true},
    {.what = "accounts that add up",
     .model = "bank",
     .steps = {"1w5@1 2w5@2", "1r5@1 1w4@3 2w6@4", "1r4@3 2r6@4"},
     .white = LZ_JUDGE_PROVEN},
    {.what = "half of a transfer",
     .model = "bank",
     .anomaly = "wrong-total",
     .steps = {"1w5@1 2w5@2", "1r5@1 2r5@2", "1w4@3 2w6@4", "1r4@3 2r5@2"},
     .answer = LZ_VERIFY_VIOLATED,
     .white = LZ_JUDGE_NOT_TOLD},
    {.what = "a version that nobody is known to have written",
     .model = "bank",
     .steps = {"1w5@1 2w5@2", "1r5@1 2r5@2", "1w4@3 2w6@4", "1r4@3 2r6@5"},
     .white = LZ_JUDGE_NOT_TOLD},
};

static void transactions_are_judged_by_clients_and_by_versions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
        struct stage s;
        make(&s);
        for (uint64_t k = 0; k < 4 && histories[i].steps[k] != NULL; k++)
            committed(&s, 3 + k, 20 + k, histories[i].steps[k]);
        struct lz_judge_result r =
            judge(&s, histories[i].model != NULL ? histories[i].model : "rw-register");
        if (r.answer != histories[i].answer || r.white != histories[i].white ||
            r.is_contradiction != histories[i].is_contradiction)
            fail_msg("%s: answer %d, white %d, contradiction %d", histories[i].what, (int)r.answer,
                     (int)r.white, r.is_contradiction);
        if (histories[i].answer == LZ_VERIFY_VIOLATED && histories[i].anomaly != NULL)
            assert_string_equal(r.anomaly, histories[i].anomaly);
    }
}

// ---- counters, sets, ids

// "1+5=5@2<1[3,4]": key 1, 5 added, 5 answered, version 2 made of version 1, from 3 to 4; "g" reads
// and has no "<"; "s" adds an element, "m" reads a set, given as its version alone; end 0: unknown.
static void count(struct stage *s, struct lz_recorder_mark *marks, const char *text)
{
    char f;
    unsigned version, before, begin, end;
    int by, value, len;
    s->r.marks = marks;
    for (; sscanf(text, " %c%d=%d@%u<%u[%u,%u]%n", &f, &by, &value, &version, &before, &begin, &end,
                  &len) == 7;
         text += len) {
        enum lz_recorder_f fs[] = {['g'] = LZ_RECORDER_READ,
                                   ['m'] = LZ_RECORDER_MEMBERS,
                                   ['s'] = LZ_RECORDER_INSERT,
                                   ['i'] = LZ_RECORDER_WRITE};
        did(s, fs[(unsigned char)f], begin, end, value, version);
        struct lz_recorder_op *op = &s->ops[s->r.count - 1];
        op->is_add = op->is_id = f == 'i';
        op->added = lz_value_integer(by);
        op->outcome = end == 0 ? LZ_RECORDER_UNKNOWN : LZ_RECORDER_OK;
        if (f == 'm') {
            char list[16];
            for (int i = 0; i < value; i++)
                snprintf(list + 2 * (size_t)i, 3, ",%d", i + 1);
            op->value = value > 0 ? lz_value_text(s->w, list + 1, 2 * (size_t)value - 1) : 0;
        }
        if (f == 'i' || f == 's')
            marks[s->r.mark_count++] = (struct lz_recorder_mark){.key = 1,
                                                                 .version = version,
                                                                 .before = before,
                                                                 .value = op->value,
                                                                 .op = s->r.count - 1};
    }
    assert_string_equal(text, "");
}

static void counts_are_judged_by_clients_and_by_versions(void **state)
{
    (void)state;
    static const struct {
        const char *model, *ops;
        enum lz_verify_answer answer;
        enum lz_judge_white white;
        bool is_contradiction;
    } plays[] = {
        {"counter", "i5=5@1<0[3,4] i2=7@2<1[5,6] g0=7@2<0[7,8]", LZ_VERIFY_HOLDS, LZ_JUDGE_PROVEN,
         false},
        // An increment that its primary has lost.
        {"counter", "i5=5@1<0[3,4] i2=7@2<1[5,6] g0=5@1<0[7,8]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_REFUTED, false},
        // One that nobody heard the end of makes up for it: nobody can tell, but the servers do.
        {"counter", "i5=5@1<0[3,4] i2=7@2<1[5,6] i2=7@3<1[4,0] g0=7@3<0[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_PROVEN, false},
        {"counter", "i5=5@1<0[3,4] g0=9@1<0[7,8]", LZ_VERIFY_VIOLATED, LZ_JUDGE_PROVEN, true},
        {"counter", "i5=5@1<0[3,4] i5=9@2<0[5,6] g0=10@2<0[7,8]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_REFUTED, false},
        {"counter", "i5=5@1<0[3,4] i5=10@2<0[5,6] g0=10@2<0[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_REFUTED, true},
        {"counter", "i5=5@1<0[3,4] i5=10@3<2[5,6] g0=10@3<0[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_NOT_TOLD, false},
        {"counter", "i5=5@1<0[3,4] i5=10@1<0[5,6] g0=10@1<0[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_NOT_TOLD, false},
        {"set-full", "s1=1@1<0[3,4] s2=1@2<1[5,6] m0=2@2<0[7,8]", LZ_VERIFY_HOLDS, LZ_JUDGE_PROVEN,
         false},
        {"set-full", "s1=1@1<0[3,4] s2=1@2<1[5,6] m0=1@1<0[7,8]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_REFUTED, false},
        {"set-full", "s1=1@1<0[3,4] s2=1@2<1[5,6] m0=2@1<0[7,8]", LZ_VERIFY_HOLDS, LZ_JUDGE_REFUTED,
         true},
        {"set-full", "s1=1@1<0[3,4] s2=1@2<1[5,6] m0=1@2<0[7,8]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_PROVEN, true},
        {"set-full", "s1=1@1<0[3,4] s2=1@3<2[5,6] m0=2@3<0[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_NOT_TOLD, false},
        {"unique-ids", "i1=1@1<0[3,4] i1=2@2<1[5,6]", LZ_VERIFY_HOLDS, LZ_JUDGE_PROVEN, false},
        {"unique-ids", "i1=2@2<1[3,4] i1=2@3<1[5,6]", LZ_VERIFY_VIOLATED, LZ_JUDGE_REFUTED, false},
        {"unique-ids", "i1=2@2<1[3,4] i1=2@3<1[5,0]", LZ_VERIFY_HOLDS, LZ_JUDGE_NOT_TOLD, false},
    };
    for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
        struct stage s;
        struct lz_recorder_mark marks[8];
        make(&s);
        count(&s, marks, plays[i].ops);
        struct lz_judge_result r = judge(&s, plays[i].model);
        if (r.answer != plays[i].answer || r.white != plays[i].white ||
            r.is_contradiction != plays[i].is_contradiction)
            fail_msg("%s: answer %d, white %d, contradiction %d", plays[i].ops, (int)r.answer,
                     (int)r.white, r.is_contradiction);
    }
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

// "w1=7@3[4,5]": process 1 writes 7, version 3, from 4 to 5; r reads, a acquires, l lets go. What a
// process does is also one transaction.
static void play(struct stage *s, const char *text)
{
    static const char letters[] = "rwcal";
    char f;
    unsigned process, version, begin, end;
    int value, len;
    for (; sscanf(text, " %c%u=%d@%u[%u,%u]%n", &f, &process, &value, &version, &begin, &end,
                  &len) == 6;
         text += len) {
        did(s, (enum lz_recorder_f)(strchr(letters, f) - letters), begin, end, value, version);
        s->ops[s->r.count - 1].process = process;
        s->ops[s->r.count - 1].unit = process;
    }
    assert_string_equal(text, "");
    s->r.processes = 10;
}

static void versions_say_what_the_checkers_find(void **state)
{
    (void)state;
    static const struct {
        const char *model, *play;
        enum lz_verify_answer answer;
        enum lz_judge_white white;
    } rows[] = {
        {"read-your-writes", "w1=7@1[1,2] w2=8@2[3,4] r1=8@2[5,6]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_PROVEN},
        {"read-your-writes", "w2=7@1[1,2] w1=8@2[3,4] r1=7@1[5,6]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_REFUTED},
        // The other write was concurrent: no client can know.
        {"read-your-writes", "w2=7@1[1,4] w1=8@2[2,3] r1=7@1[5,6]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_NOT_TOLD},
        {"monotonic-reads", "w1=7@1[1,2] w1=8@2[3,4] r2=7@1[5,6] r2=8@2[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_PROVEN},
        {"monotonic-reads", "w1=7@1[1,2] w1=8@2[3,4] r2=8@2[5,6] r2=7@1[7,8]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_REFUTED},
        {"monotonic-writes", "w1=7@1[1,2] w1=8@2[3,4] r2=7@1[5,6] r2=8@2[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_PROVEN},
        {"monotonic-writes", "w1=7@1[1,2] w1=8@2[3,4] r2=8@2[5,6] r2=7@1[7,8]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_NOT_TOLD},
        {"writes-follow-reads", "w1=7@1[1,2] r2=7@1[3,4] w2=8@2[5,6] r3=8@2[7,8] r3=8@2[9,10]",
         LZ_VERIFY_HOLDS, LZ_JUDGE_PROVEN},
        {"convergence", "w1=7@1[1,2] r2=7@1[3,4] r3=7@1[3,5]", LZ_VERIFY_HOLDS, LZ_JUDGE_PROVEN},
        {"convergence", "w1=7@1[1,3] w2=8@2[2,4] r2=7@1[5,6] r3=8@2[5,7]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_REFUTED},
        {"mutex", "a1=0@1[1,2] l1=0@2[3,4] a2=0@3[5,6]", LZ_VERIFY_HOLDS, LZ_JUDGE_PROVEN},
        {"mutex", "a1=0@1[1,2] a2=0@2[3,4]", LZ_VERIFY_VIOLATED, LZ_JUDGE_REFUTED},
        {"mutex", "a1=0@1[1,2] a2=0@3[3,6] l3=0@2[4,5]", LZ_VERIFY_HOLDS, LZ_JUDGE_NOT_TOLD},
        {"cas-register", "c1=7@1[1,2] r2=7@1[3,4]", LZ_VERIFY_HOLDS, LZ_JUDGE_PROVEN},
        // A region that has not heard of the write: in the order of versions it could not be made.
        {"cas-register", "w1=7@1[1,2] c2=9@2[3,4] r3=9@2[5,6]", LZ_VERIFY_VIOLATED,
         LZ_JUDGE_NOT_TOLD},
        {"cas-register", "c1=7@1[1,3] c2=7@1[2,4]", LZ_VERIFY_VIOLATED, LZ_JUDGE_NOT_TOLD},
        {"rw-register", "r1=0@0[1,2] w1=7@1[3,4] r2=7@1[5,6] w2=8@2[7,8]", LZ_VERIFY_HOLDS,
         LZ_JUDGE_PROVEN},
        {"rw-register", "w3=5@1[1,2] r1=5@1[3,5] r2=5@1[4,6] w1=6@2[7,9] w2=7@3[8,10]",
         LZ_VERIFY_VIOLATED, LZ_JUDGE_REFUTED},
        // What was tried again may have taken effect twice, as a version that nobody wrote shows.
        {"rw-register", "w1=5@1[1,2] r2=5@2[3,4]", LZ_VERIFY_HOLDS, LZ_JUDGE_NOT_TOLD},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s);
        play(&s, rows[i].play);
        for (uint32_t n = 0; n < s.r.count; n++)
            if (s.ops[n].version == 0 || s.ops[n].f >= LZ_RECORDER_ACQUIRE)
                s.ops[n].value = 0;
        struct lz_judge_result r = judge(&s, rows[i].model);
        if (r.answer != rows[i].answer || r.white != rows[i].white || r.is_contradiction)
            fail_msg("%s, %s: answer %d, by versions %d", rows[i].model, rows[i].play, r.answer,
                     r.white);
    }
}

// Each model's checker against versions that say otherwise.
static void a_contradiction_is_noticed_of_every_model(void **state)
{
    (void)state;
    static const struct {
        const char *model, *play;
    } rows[] = {
        {"read-your-writes", "w2=7@1[1,2] w1=8@2[3,4] r1=7@2[5,6]"},
        {"monotonic-reads", "w1=7@1[1,2] w1=8@2[3,4] r2=8@3[5,6] r2=7@4[7,8]"},
        {"monotonic-writes", "w1=7@1[1,2] w1=8@2[3,4] r2=8@3[5,6] r2=7@4[7,8]"},
        {"convergence", "w1=7@1[1,3] r2=7@2[5,6] r3=9@2[5,7]"},
        {"rw-register", "w3=5@1[1,2] r1=5@1[3,5] w1=6@2[7,9] r2=9@2[10,11]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        make(&s);
        play(&s, rows[i].play);
        struct lz_judge_result r = judge(&s, rows[i].model);
        bool is_told = r.white != LZ_JUDGE_NOT_TOLD;
        if (is_told != r.is_contradiction)
            fail_msg("%s, %s: answer %d, by versions %d", rows[i].model, rows[i].play, r.answer,
                     r.white);
    }
}

static void an_increment_without_an_answer_leaves_it_open(void **state)
{
    (void)state;
    struct stage s;
    make(&s);
    did(&s, LZ_RECORDER_ADD, 1, 2, 7, 1);
    assert_int_equal(lz_judge_untold(&s.r), 0);
    s.ops[0].outcome = LZ_RECORDER_UNKNOWN;
    assert_int_equal(lz_judge_untold(&s.r), 0); // nobody has looked since
    did(&s, LZ_RECORDER_READ, 3, 4, 7, 1);
    s.r.many = 2;
    assert_int_equal(lz_judge_untold(&s.r), 3);
    lz_arena_destroy(s.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_find_it_good),
        cmocka_unit_test(both_find_it_bad),
        cmocka_unit_test(a_contradiction_is_noticed),
        cmocka_unit_test(versions_given_out_twice_prove_nothing),
        cmocka_unit_test(versions_say_what_the_checkers_find),
        cmocka_unit_test(a_contradiction_is_noticed_of_every_model),
        cmocka_unit_test(an_increment_without_an_answer_leaves_it_open),
        cmocka_unit_test(what_one_request_does_is_a_transaction),
        cmocka_unit_test(transactions_are_judged_by_clients_and_by_versions),
        cmocka_unit_test(counts_are_judged_by_clients_and_by_versions),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
