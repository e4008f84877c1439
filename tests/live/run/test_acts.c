/*
 * Acts on real programs: what waits for the disk does not hold up the loop, and they keep their
 * order.
 *
 * Method: this program has an fsync of its own, which takes until it is let go.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "live/acts.h"
#include "live/undo.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_slow;
static int asked, let_go; // of slow ones
static int answer;        // an errno

int fsync(int fd)
{
    (void)fd;
    pthread_mutex_lock(&lock);
    int mine = is_slow ? ++asked : 0;
    while (is_slow && let_go < mine)
        pthread_cond_wait(&changed, &lock);
    int why = is_slow ? answer : 0;
    pthread_mutex_unlock(&lock);
    errno = why;
    return why == 0 ? 0 : -1;
}

static void let_one_go(void)
{
    pthread_mutex_lock(&lock);
    let_go++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void set_disk(bool slow, int with)
{
    pthread_mutex_lock(&lock);
    is_slow = slow;
    answer = with;
    asked = let_go = 0;
    pthread_mutex_unlock(&lock);
}

static struct lz_loop *loop;
static struct lz_undo *undo;
static struct lz_acts *acts;
static char folder[64];
static char course[64];                         // what was done, a letter each
static char a[] = "aA", b[] = "bB", c[] = "cC"; // acts

static int up(void **state)
{
    (void)state;
    struct lz_err err;
    set_disk(false, 0);
    course[0] = '\0';
    snprintf(folder, sizeof(folder), "/tmp/lorenz-acts-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_true(lz_loop_create(&loop, &err));
    assert_true(lz_undo_open(folder, "run", &undo, &err));
    assert_true(lz_acts_create(loop, &acts, &err));
    lz_undo_sync_by(undo, lz_acts_sync, acts);
    set_disk(true, 0);
    return 0;
}

static int down(void **state)
{
    (void)state;
    struct lz_err err;
    lz_acts_drain(acts);
    set_disk(false, 0);
    assert_true(lz_undo_all(undo, &err));
    lz_undo_close(undo);
    lz_acts_destroy(acts);
    lz_loop_destroy(loop);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

static void note(char letter)
{
    size_t n = strlen(course);
    assert_true(n + 1 < sizeof(course));
    course[n] = letter;
    course[n + 1] = '\0';
}

// Begins, is written down, is done: "a", then "A", or "!" if it could not be written down.
static void write_down_and_do(void *ctx)
{
    const char *letter = ctx;
    struct lz_err err;
    lz_undo_id id;
    note(letter[0]);
    const struct lz_undo_entry entry = {.verb = LZ_UNDO_UNLINK, .path = "/tmp/lorenz-no-such-file"};
    if (lz_undo_add(undo, &entry, &id, &err))
        note(letter[1]);
    else if (strstr(err.msg, "to the disk") != NULL)
        note('!');
}

static void on_timer(void *ctx, int64_t now_ns)
{
    (void)now_ns;
    ++*(int *)ctx;
}

static void turn_until(const char *want)
{
    int64_t until = lz_loop_clock() + INT64_C(60000000000);
    while (strcmp(course, want) != 0 && lz_loop_clock() < until)
        lz_loop_turn(loop, until);
    assert_string_equal(course, want);
}

static void the_loop_goes_on_while_an_act_waits_for_the_disk(void **state)
{
    (void)state;
    int ticks = 0;
    struct lz_loop_timer timer = {.fn = on_timer, .ctx = &ticks};
    lz_acts_do(acts, write_down_and_do, a);
    assert_string_equal(course, "a");
    assert_true(lz_acts_are_waiting(acts));
    for (int i = 0; i < 20; i++) {
        lz_loop_arm(loop, &timer, lz_loop_clock());
        while (lz_loop_is_armed(&timer))
            lz_loop_turn(loop, lz_loop_clock() + 1000000);
    }
    assert_int_equal(ticks, 20);
    assert_string_equal(course, "a"); // not done before it is on the disk
    let_one_go();
    turn_until("aA");
    assert_false(lz_acts_are_waiting(acts));
}

static void acts_keep_their_order(void **state)
{
    (void)state;
    lz_acts_do(acts, write_down_and_do, a);
    lz_acts_do(acts, write_down_and_do, b);
    lz_acts_do(acts, write_down_and_do, c);
    assert_string_equal(course, "a");
    let_one_go();
    turn_until("aAb");
    let_one_go();
    let_one_go();
    turn_until("aAbBcC");
}

static void do_another_within(void *ctx)
{
    note('(');
    lz_acts_do(acts, write_down_and_do, ctx);
    note(')');
}

static void an_act_within_an_act_is_part_of_it(void **state)
{
    (void)state;
    lz_acts_do(acts, do_another_within, a);
    let_one_go();
    turn_until("(aA)");
}

static void what_does_not_reach_the_disk_is_not_done(void **state)
{
    (void)state;
    set_disk(true, EIO);
    lz_acts_do(acts, write_down_and_do, a);
    let_one_go();
    turn_until("a!");
}

// The entries of both have their numbers, whoever was on the disk first.
static void an_entry_may_be_added_while_another_waits(void **state)
{
    (void)state;
    struct lz_err err;
    lz_undo_id id = 0;
    lz_acts_do(acts, write_down_and_do, a);
    let_one_go();
    let_one_go(); // this one blocks, as there is no act around it
    assert_true(lz_undo_add(
        undo, &(struct lz_undo_entry){.verb = LZ_UNDO_UNLINK, .path = "/tmp/lorenz-none"}, &id,
        &err));
    assert_int_equal(id, 2);
    turn_until("aA");
}

static void at_the_end_all_are_waited_for(void **state)
{
    (void)state;
    lz_acts_do(acts, write_down_and_do, a);
    lz_acts_do(acts, write_down_and_do, b);
    let_one_go();
    let_one_go();
    lz_acts_drain(acts);
    assert_string_equal(course, "aAbB");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_loop_goes_on_while_an_act_waits_for_the_disk),
        TEST(acts_keep_their_order),
        TEST(an_act_within_an_act_is_part_of_it),
        TEST(what_does_not_reach_the_disk_is_not_done),
        TEST(an_entry_may_be_added_while_another_waits),
        TEST(at_the_end_all_are_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
