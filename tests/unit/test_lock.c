/*
 * Locks must be granted in the order they were asked for, to all that go together, and a cycle of
 * waits must be found from each that is part of it, and from no other.
 *
 * Method: "a1X" is owner a asking for key 1 exclusively, "b1S" shared, "a." that a ends, "b!" that
 * b gives up waiting. What each step says is written behind it: '+' it has it, '-' it waits, and
 * the owners that are then granted what they waited for. A cycle is asked for as "a?": its owners.
 * Each is played twice: by owners that have records of their own from the beginning on, and by such
 * that begin as sole owners where they can.
 */
#include "model/data/lock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

static struct lz_arena *arena;

static int setup(void **state)
{
    (void)state;
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 64 * MIB};
    return lz_arena_create(&opts, &arena, &err) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    lz_arena_destroy(arena);
    return 0;
}

static void say_granted(struct lz_locks *l, char *out, size_t size)
{
    size_t len = strlen(out);
    for (uint64_t who; (who = lz_lock_granted(l)) != 0 && len + 1 < size;)
        out[len++] = (char)who;
    out[len] = '\0';
}

static void say_cycle(struct lz_locks *l, lz_lock_owner owner, char *out, size_t size)
{
    uint64_t cycle[LZ_LOCK_CYCLE_MAX];
    uint32_t count = lz_lock_cycle(l, owner, cycle);
    size_t len = 0;
    for (uint32_t i = 0; i < count && i < LZ_LOCK_CYCLE_MAX && len + 1 < size; i++)
        out[len++] = (char)cycle[i];
    out[len] = '\0';
}

// One word, such as "a1X"; what it says.
static void act(struct lz_locks *l, lz_lock_owner *owners, const char *word, char *out, size_t size)
{
    int who = word[0];
    bool is_sole = owners[0] != 0 && owners[who] == 0 && word[2] == 'X';
    out[0] = '\0';
    if (is_sole && lz_lock_holder(l, (uint64_t)word[1]) == 0)
        owners[who] = lz_lock_take_sole(l, (uint64_t)who, (uint64_t)word[1]);
    else if (is_sole)
        assert_int_equal(lz_lock_take_sole(l, (uint64_t)who, (uint64_t)word[1]), 0);
    if (owners[who] != 0 && is_sole)
        assert_int_equal(lz_lock_holder(l, (uint64_t)word[1]), who);
    if (owners[who] == 0)
        owners[who] = lz_lock_begin(l, (uint64_t)who);
    if (word[1] == '.') {
        lz_lock_end(l, owners[who]);
        owners[who] = 0;
    } else if (word[1] == '!') {
        lz_lock_give_up(l, owners[who]);
    } else if (word[1] == '?') {
        say_cycle(l, owners[who], out, size);
        return;
    } else {
        enum lz_lock_mode mode = word[2] == 'X' ? LZ_LOCK_EXCLUSIVE : LZ_LOCK_SHARED;
        bool has = lz_lock_take(l, owners[who], (uint64_t)word[1], mode);
        assert_int_equal(has, lz_lock_holds(l, owners[who], (uint64_t)word[1], mode));
        assert_int_equal(!has, lz_lock_waits(l, owners[who]));
        snprintf(out, size, "%c", has ? '+' : '-');
    }
    say_granted(l, out, size);
}

static void play_by(const char *script, bool sole)
{
    struct lz_locks l;
    lz_locks_init(&l, arena);
    lz_lock_owner owners[128] = {sole}; // nobody's name is 0
    char copy[256], got[64], *rest = copy;
    snprintf(copy, sizeof(copy), "%s", script);
    for (char *step = strtok_r(copy, " ", &rest); step != NULL; step = strtok_r(NULL, " ", &rest)) {
        char *colon = strchr(step, ':');
        assert_non_null(colon);
        *colon = '\0';
        act(&l, owners, step, got, sizeof(got));
        if (strcmp(got, colon + 1) != 0)
            fail_msg("%s: %s says \"%s\", not \"%s\"", script, step, got, colon + 1);
    }
    for (int i = 1; i < 128; i++)
        if (owners[i] != 0)
            lz_lock_end(&l, owners[i]);
    assert_int_equal(l.count, 0); // nothing is left of them
    assert_int_equal(l.waiting, 0);
    assert_int_equal(l.claims.live + l.locks.live + l.owners.live, 0);
}

static void play(const char *script)
{
    play_by(script, false);
    play_by(script, true);
}

static void a_sole_owner_takes_one_record_until_others_come(void **state)
{
    (void)state;
    struct lz_locks l;
    lz_locks_init(&l, arena);
    lz_lock_owner a = lz_lock_take_sole(&l, 'a', 1), b = lz_lock_begin(&l, 'b');
    assert_int_equal(l.claims.live, 0);
    assert_int_equal(l.owners.live, 1); // b
    assert_true(lz_lock_holds(&l, a, 1, LZ_LOCK_EXCLUSIVE));
    assert_false(lz_lock_holds(&l, a, 2, LZ_LOCK_SHARED));
    assert_false(lz_lock_waits(&l, a));
    assert_int_equal(lz_lock_take_sole(&l, 'c', 1), 0);
    assert_false(lz_lock_take(&l, b, 1, LZ_LOCK_SHARED));
    assert_int_equal(l.owners.live, 2);
    assert_true(lz_lock_holds(&l, a, 1, LZ_LOCK_EXCLUSIVE));
    assert_int_equal(lz_lock_holder(&l, 1), 'a');
    lz_lock_end(&l, a);
    assert_int_equal(lz_lock_granted(&l), 'b');
    assert_int_equal(lz_lock_holder(&l, 1), 0); // it only reads
    lz_lock_end(&l, b);
    assert_int_equal(l.count, 0);
    assert_int_equal(l.claims.live + l.locks.live + l.owners.live, 0);
}

static void locks_are_granted_in_the_order_they_were_asked_for(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "a1X:+ b1X:- c1X:- a.:b b.:c c.:",
        "a1S:+ b1S:+ c1X:- a.: b.:c",
        "a1S:+ b1X:- c1S:- a.:b b.:c", // who only reads starves no writer
        "a1X:+ b1S:- c1S:- d1X:- e1S:- a.:bc b.: c.:d d.:e",
        "a1X:+ a1X:+ a1S:+ b1S:- a.:b",
        "a1S:+ a1X:+ b1S:- a.:b",            // nobody else has it: at once
        "a1S:+ b1S:+ c1X:- a1X:- b.:a a.:c", // before those in line
        "a1X:+ b1X:- c1X:- b!: a.:c",
        "a1S:+ b1X:- c1S:- b!:c",
        "a1X:+ b1X:- b.: a.:",
        "a1X:+ a2X:+ b1X:- c2X:- a.:cb", // what it took last is free first
        "a1X:+ b2X:+ a2X:- b.:a",
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        play(rows[i]);
}

static void a_deadlock_is_a_cycle_and_nothing_else_is(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "a1X:+ b2X:+ a2X:- b?: b1X:- a?:ab b?:ba",
        "a1X:+ b2X:+ c3X:+ a2X:- b3X:- c?: c1X:- c?:cab a?:abc",
        "a1X:+ b2X:+ c1X:- a2X:- b?: c?: a?:", // long lines are no cycles
        "a1S:+ b1S:+ a1X:- b1X:- a?:ab b?:ba", // both want more
        // one before it in line, not one who has it
        "a1S:+ b2X:+ b1X:- c3X:+ c1S:- a?: a3X:- a?:acb c?:cba",
        "a1X:+ b1X:- c2X:+ c1X:- a2X:- d2X:- d?: a?:ac", // it waits for a cycle: is not in it
        "a1X:+ b2X:+ a2X:- b1X:- b.:a a?:",              // one gone: no more
        "a1X:+ b2X:+ a2X:- b1X:- b!: a?:",
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        play(rows[i]);
}

static void locks_of_many_keys_come_and_go(void **state)
{
    (void)state;
    struct lz_locks l;
    lz_locks_init(&l, arena);
    static const uint64_t strides[] = {1, 64, 1ull << 40};
    for (size_t s = 0; s < COUNT(strides); s++) {
        lz_lock_owner owners[300];
        for (uint64_t i = 0; i < COUNT(owners); i++) {
            owners[i] = lz_lock_begin(&l, i + 1);
            for (uint64_t k = 0; k < 10; k++)
                assert_true(
                    lz_lock_take(&l, owners[i], (10 * i + k) * strides[s], LZ_LOCK_EXCLUSIVE));
        }
        for (uint64_t i = 0; i < COUNT(owners); i += 2)
            lz_lock_end(&l, owners[i]);
        assert_int_equal(l.count, 10 * COUNT(owners) / 2);
        for (uint64_t i = 0; i < 10 * COUNT(owners); i++)
            assert_int_equal(lz_lock_holder(&l, i * strides[s]), i / 10 % 2 == 0 ? 0 : i / 10 + 1);
        for (uint64_t i = 1; i < COUNT(owners); i += 2)
            lz_lock_end(&l, owners[i]);
        assert_int_equal(l.count, 0);
    }
}

static void a_long_cycle_is_counted_whole_and_named_as_far_as_there_is_room(void **state)
{
    (void)state;
    struct lz_locks l;
    lz_locks_init(&l, arena);
    enum { N = 20 };
    lz_lock_owner owners[N];
    uint64_t cycle[LZ_LOCK_CYCLE_MAX];
    for (uint64_t i = 0; i < N; i++) {
        owners[i] = lz_lock_begin(&l, i + 1);
        assert_true(lz_lock_take(&l, owners[i], i, LZ_LOCK_EXCLUSIVE));
    }
    for (uint64_t i = 0; i < N; i++) {
        assert_false(lz_lock_take(&l, owners[i], (i + 1) % N, LZ_LOCK_EXCLUSIVE));
        assert_int_equal(lz_lock_cycle(&l, owners[i], cycle), i < N - 1 ? 0 : N);
    }
    for (uint64_t i = 0; i < LZ_LOCK_CYCLE_MAX; i++)
        assert_int_equal(cycle[i], (N - 1 + i) % N + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_are_granted_in_the_order_they_were_asked_for),
        cmocka_unit_test(a_sole_owner_takes_one_record_until_others_come),
        cmocka_unit_test(a_deadlock_is_a_cycle_and_nothing_else_is),
        cmocka_unit_test(locks_of_many_keys_come_and_go),
        cmocka_unit_test(a_long_cycle_is_counted_whole_and_named_as_far_as_there_is_room),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
