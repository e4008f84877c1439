/*
 * Of transactions that run beside each other under snapshots, so many must commit as some order of
 * them explains, and no more; and none must be refused that no dangerous structure is part of.
 *
 * Method: "a1r" is transaction a reading row 1, "b2w" b writing row 2, "a+" that a commits, "b-"
 * that b cannot, "c." that c gives up, "d*" that d commits and is not yet seen by who begins then.
 * A transaction begins when it is first named, or by "a(".
 */
#include "model/data/serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

// Once it cannot go on, what it does is of no interest: that it cannot commit is.
static void play(const char *script)
{
    struct lz_serial s;
    lz_serial_init(&s, arena);
    uint32_t ids[128] = {0};
    uint64_t hidden = 0;
    for (const char *p = script; *p != '\0'; p++) {
        int who = *p++;
        if (ids[who] == 0)
            ids[who] = lz_serial_begin(&s);
        if (*p == '(') {
            ; // it has begun
        } else if (*p == '.') {
            lz_serial_abort(&s, ids[who]);
            ids[who] = 0;
        } else if (*p == '+' || *p == '-' || *p == '*') {
            if (lz_serial_commit(&s, ids[who], *p == '*' ? ++hidden : 0) != (*p != '-'))
                fail_msg("%s: %c should %scommit", script, who, *p != '-' ? "" : "not ");
            if (*p == '-')
                lz_serial_abort(&s, ids[who]);
            ids[who] = 0;
        } else {
            uint64_t key = (uint64_t)*p++;
            (void)(*p == 'r' ? lz_serial_read : lz_serial_write)(&s, ids[who], key);
        }
        if (p[1] == ' ')
            p++;
    }
    for (int i = 0; i < 128; i++)
        if (ids[i] != 0)
            lz_serial_abort(&s, ids[i]);
    lz_serial_show(&s, hidden);
    assert_int_equal(s.all.live + s.marks.live + s.conflicts.live, 0); // nothing is kept
    assert_int_equal(s.count, 0);
}

static void what_no_order_explains_does_not_commit(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "a1r a2r b1r b2r a1w b2w a+ b-",       // write skew
        "a3r b4r a4w b1w a+ c( b+ c1r c3w c-", // c began when a had committed, and b ran beside
                                               // both
        "a1r b2r a2w b1w b+ a-",               // whoever is first
        "a1r a2r b1r b2r a1w a+ b2w b-",
        "a1r b2r c3r a2w b3w c1w b+ a+ c-", // a ring of three: one goes
        "a1r a2r b1w b+ a2w a+",            // a before b: fine
        // Fekete, O'Neil, O'Neil 2004: who only reads sees what no order explains
        "a1r a2r b1r b1w b+ c1r c2r c+ a2w a-",
        "a1r a9r b9w b1r b1w b+ a2w a+", // only one conflict
        "a1r a2w a* b2r b1w b-",         // its snapshot does not have what waits for standbys
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        play(rows[i]);
}

static void what_is_serializable_commits(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "a1r a1w a+ b1r b1w b+", // one after the other
        "a1r b2r a1w b2w a+ b+", // other rows
        "a1r b1r c1r a+ b+ c+",  // only reads
        "a1w b2w a+ b+",
        "a1r b1w b+ a+",                 // a conflict alone
        "a1r b1w c2r b+ c2w c+ a+",      // none of them a pivot
        "a1r b1w b2r c2w b+ c+ a+",      // a pivot that commits first
        "a1r b1w b2r c2w a+ c+ b+",      // as does who read what it overwrites
        "a1r a2r b1r b2r a1w a. b2w b+", // who gives up is in nobody's way
        "a( b1r b+ a1w a+",
        "a1r a2w a+ b2r b1w b+",
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        play(rows[i]);
}

static void a_false_positive_is_one_that_postgresql_has_too(void **state)
{
    (void)state;
    // T0 -> pivot -> T3 with T3 first, and no way back from T3: an order exists, it is refused.
    play("a1r b1w b2r c2w c+ b- a+");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_order_explains_does_not_commit),
        cmocka_unit_test(what_is_serializable_commits),
        cmocka_unit_test(a_false_positive_is_one_that_postgresql_has_too),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
