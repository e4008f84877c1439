/*
 * The event loop of live runs: what is called, in which order, and what is not called any
 * more. Callbacks write letters into a transcript. Times are real, so only order is tested.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "live/loop.h"

#define MS INT64_C(1000000)
#define LONG (INT64_C(60000) * MS) // nothing here takes a minute

static struct lz_loop *loop;
static char heard[64];

// What callbacks are given; "." also stops the loop.
static char A[] = "a", B[] = "b", C[] = "c", D[] = "d", X[] = "x", Y[] = "y", STOP[] = ".";

static void hear(const char *text)
{
    strncat(heard, text, sizeof(heard) - strlen(heard) - 1);
}

static int set_up(void **state)
{
    (void)state;
    struct lz_err err;
    heard[0] = '\0';
    assert_true(lz_loop_create(&loop, &err));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lz_loop_destroy(loop);
    return 0;
}

static void on_timer(void *ctx, int64_t now_ns)
{
    assert_true(now_ns == lz_loop_now(loop));
    hear(ctx);
    if (strcmp(ctx, ".") == 0)
        lz_loop_stop(loop);
}

static void run_to_stop(int64_t after_ns)
{
    struct lz_loop_timer stop = {.fn = on_timer, .ctx = STOP};
    lz_loop_arm(loop, &stop, lz_loop_now(loop) + after_ns);
    assert_true(lz_loop_run(loop, lz_loop_clock() + LONG));
}

static void timers_fire_in_the_order_of_time_then_of_arming(void **state)
{
    (void)state;
    struct lz_loop_timer a = {.fn = on_timer, .ctx = A}, b = {.fn = on_timer, .ctx = B},
                         c = {.fn = on_timer, .ctx = C}, d = {.fn = on_timer, .ctx = D};
    int64_t now = lz_loop_now(loop);
    lz_loop_arm(loop, &c, now + 2 * MS);
    lz_loop_arm(loop, &d, now + 3 * MS);
    lz_loop_arm(loop, &b, now + MS);
    lz_loop_arm(loop, &a, now + MS);
    lz_loop_arm(loop, &b, now + MS); // armed again: behind a
    run_to_stop(4 * MS);
    assert_string_equal(heard, "abcd.");
}

static void a_cancelled_timer_does_not_fire(void **state)
{
    (void)state;
    struct lz_loop_timer many[50];
    for (size_t i = 0; i < 50; i++) {
        many[i] = (struct lz_loop_timer){.fn = on_timer, .ctx = i % 10 == 0 ? X : Y};
        lz_loop_arm(loop, &many[i], lz_loop_now(loop) + (int64_t)((i * 37) % 50) * 1000);
    }
    for (size_t i = 0; i < 50; i++) {
        if (i % 10 != 0)
            lz_loop_cancel(loop, &many[i]);
    }
    lz_loop_cancel(loop, &many[1]); // twice is once
    assert_false(lz_loop_is_armed(&many[1]));
    run_to_stop(MS);
    assert_string_equal(heard, "xxxxx.");
}

static void rearm(void *ctx, int64_t now_ns)
{
    hear("r");
    lz_loop_arm(loop, ctx, now_ns - MS);
}

static void on_read(void *ctx, int fd, unsigned events)
{
    char byte;
    hear(ctx);
    if (events & LZ_LOOP_READ)
        assert_true(read(fd, &byte, 1) >= 0);
    if (strcmp(ctx, ".") == 0)
        lz_loop_stop(loop);
}

static void a_timer_that_always_is_due_starves_nobody(void **state)
{
    (void)state;
    struct lz_err err;
    int ends[2];
    struct lz_loop_timer self = {.fn = rearm};
    self.ctx = &self;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "1", 1), 1);
    assert_true(lz_loop_watch(loop, ends[0], LZ_LOOP_READ, on_read, STOP, &err));
    lz_loop_arm(loop, &self, 0);
    assert_true(lz_loop_run(loop, lz_loop_clock() + LONG));
    assert_string_equal(heard, "r.");
    lz_loop_cancel(loop, &self);
    close(ends[0]);
    close(ends[1]);
}

static int other;

static void unwatch_other(void *ctx, int fd, unsigned events)
{
    (void)events;
    char byte;
    hear(ctx);
    assert_true(read(fd, &byte, 1) >= 0);
    lz_loop_unwatch(loop, other);
}

static void what_is_unwatched_is_not_called_in_the_same_turn(void **state)
{
    (void)state;
    struct lz_err err;
    int a[2], b[2];
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    assert_int_equal(write(a[1], "1", 1), 1);
    assert_int_equal(write(b[1], "1", 1), 1);
    assert_true(lz_loop_watch(loop, a[0], LZ_LOOP_READ, unwatch_other, A, &err));
    assert_true(lz_loop_watch(loop, b[0], LZ_LOOP_READ, on_read, B, &err));
    other = b[0];
    lz_loop_turn(loop, lz_loop_clock() + MS);
    assert_string_equal(heard, "a");
    // The same number watched again is another watch, and the byte is still there.
    assert_true(lz_loop_watch(loop, b[0], LZ_LOOP_READ, on_read, C, &err));
    lz_loop_turn(loop, lz_loop_clock() + MS);
    assert_string_equal(heard, "ac");
    for (size_t i = 0; i < 2; i++) {
        lz_loop_unwatch(loop, a[i]);
        lz_loop_unwatch(loop, b[i]);
        close(a[i]);
        close(b[i]);
    }
}

static void a_closed_descriptor_can_be_unwatched_and_its_number_used_again(void **state)
{
    (void)state;
    struct lz_err err;
    int a[2];
    assert_int_equal(pipe(a), 0);
    assert_true(lz_loop_watch(loop, a[0], LZ_LOOP_READ, on_read, X, &err));
    close(a[0]);
    int again = dup(a[1]);
    assert_int_equal(again, a[0]);
    assert_true(lz_loop_watch(loop, again, LZ_LOOP_WRITE, on_read, STOP, &err));
    assert_true(lz_loop_run(loop, lz_loop_clock() + LONG));
    assert_string_equal(heard, ".");
    lz_loop_unwatch(loop, again);
    close(again);
    close(a[1]);
    lz_loop_unwatch(loop, a[0]);
}

static void what_is_closed_is_not_called_and_its_number_is_free(void **state)
{
    (void)state;
    struct lz_err err;
    int a[2], b[2];
    assert_int_equal(pipe(a), 0);
    assert_int_equal(write(a[1], "1", 1), 1);
    assert_true(lz_loop_watch(loop, a[0], LZ_LOOP_READ, on_read, X, &err));
    lz_loop_close(loop, a[0]);
    assert_int_equal(pipe(b), 0);
    assert_int_equal(b[0], a[0]);
    assert_int_equal(write(b[1], "1", 1), 1);
    assert_true(lz_loop_watch(loop, b[0], LZ_LOOP_READ, on_read, STOP, &err));
    assert_true(lz_loop_run(loop, lz_loop_clock() + LONG));
    assert_string_equal(heard, ".");
    lz_loop_close(loop, b[0]);
    close(a[1]);
    close(b[1]);
}

static void a_plain_file_cannot_be_watched(void **state)
{
    (void)state;
    struct lz_err err;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_false(lz_loop_watch(loop, fileno(file), LZ_LOOP_READ, on_read, X, &err));
    assert_non_null(strstr(err.msg, "cannot watch descriptor"));
    fclose(file);
}

static void on_child(void *ctx, pid_t pid, int status)
{
    char line[32];
    (void)ctx;
    snprintf(line, sizeof(line), "%s%d", WIFSIGNALED(status) ? "s" : "e",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    hear(line);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    lz_loop_stop(loop);
}

static void a_child_is_reaped_and_its_end_told(void **state)
{
    (void)state;
    struct lz_err err;
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            lz_loop_forked(loop);
            if (i == 0)
                _exit(7);
            for (;;)
                pause();
        }
        assert_true(lz_loop_watch_child(loop, pid, on_child, NULL, &err));
        if (i == 1)
            kill(pid, SIGKILL);
        assert_true(lz_loop_run(loop, lz_loop_clock() + LONG));
    }
    assert_string_equal(heard, "e7s9");
    assert_false(lz_loop_watch_child(loop, getppid(), on_child, NULL, &err));
    assert_non_null(strstr(err.msg, "no child"));
}

static void on_signal(void *ctx, int signal)
{
    hear(signal == SIGUSR1 ? "u" : "w");
    if (signal == SIGWINCH)
        lz_loop_stop(ctx);
}

static void signals_are_calls_and_are_given_back(void **state)
{
    (void)state;
    struct lz_err err;
    sigset_t before, after;
    sigprocmask(SIG_SETMASK, NULL, &before);
    assert_true(lz_loop_watch_signal(loop, SIGUSR1, on_signal, loop, &err));
    assert_true(lz_loop_watch_signal(loop, SIGWINCH, on_signal, loop, &err));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGWINCH);
    assert_true(lz_loop_run(loop, lz_loop_clock() + LONG));
    assert_string_equal(heard, "uw");
    lz_loop_destroy(loop);
    sigprocmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGUSR1), sigismember(&after, SIGUSR1));
    assert_true(lz_loop_create(&loop, &err));
}

static void it_ends_at_its_deadline(void **state)
{
    (void)state;
    int64_t at = lz_loop_clock() + 2 * MS;
    assert_false(lz_loop_run(loop, at));
    assert_true(lz_loop_clock() >= at);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(timers_fire_in_the_order_of_time_then_of_arming),
        TEST(a_cancelled_timer_does_not_fire),
        TEST(a_timer_that_always_is_due_starves_nobody),
        TEST(what_is_unwatched_is_not_called_in_the_same_turn),
        TEST(a_closed_descriptor_can_be_unwatched_and_its_number_used_again),
        TEST(what_is_closed_is_not_called_and_its_number_is_free),
        TEST(a_plain_file_cannot_be_watched),
        TEST(a_child_is_reaped_and_its_end_told),
        TEST(signals_are_calls_and_are_given_back),
        TEST(it_ends_at_its_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
