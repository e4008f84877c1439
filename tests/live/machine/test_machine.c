/*
 * What takes of this machine and what holds a program: it is seen, it is bounded, and nothing is
 * left of it, whatever ends it. What a machine does not allow is skipped, with its reason.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../child.h"
#include "live/machine/burn.h"
#include "live/machine/cgroup.h"
#include "live/machine/disk.h"

static struct lz_loop *loop;
static struct lz_undo *undo;
static char folder[] = "/tmp/lorenz-test-XXXXXX";

static int up(void **state)
{
    (void)state;
    struct lz_err err;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_true(lz_loop_create(&loop, &err));
    assert_true(lz_undo_open(folder, "test", &undo, &err));
    return 0;
}

static int down(void **state)
{
    (void)state;
    struct lz_err err;
    assert_true(lz_undo_all(undo, &err));
    lz_undo_close(undo);
    lz_loop_destroy(loop);
    assert_int_equal(rmdir(folder), 0); // nothing was left, the log neither
    return 0;
}

// Children of this process, by /proc.
static int children(void)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    size_t n = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[n] = '\0';
    if (file != NULL)
        fclose(file);
    int count = 0;
    for (const char *at = text; *at != '\0'; at++)
        count += *at == ' ';
    return count;
}

static void cores_are_kept_busy_and_given_back(void **state)
{
    (void)state;
    struct lz_err err;
    struct lz_burn *b;
    assert_true(lz_burn_cores(loop, 0.3, &b, &err));
    for (int i = 0; i < 3000 && lz_burn_busy(b) == 0; i++)
        usleep(10000);
    assert_int_equal(lz_burn_busy(b), 1);
    assert_int_equal(children(), 1);
    lz_burn_end(b);
    for (int i = 0; i < 3000 && children() > 0; i++)
        lz_loop_turn(loop, lz_loop_clock() + 10000000);
    assert_int_equal(children(), 0);
}

static void more_cores_than_there_are_is_an_error(void **state)
{
    (void)state;
    struct lz_err err;
    struct lz_burn *b;
    assert_false(lz_burn_cores(loop, lz_burn_machine_cores() + 1.0, &b, &err));
    assert_non_null(strstr(err.msg, "this machine has"));
}

static void memory_is_filled_leaks_and_is_given_back(void **state)
{
    (void)state;
    struct lz_err err;
    struct lz_burn *b;
    assert_true(lz_burn_memory(loop, 8e6, 1e6, &b, &err));
    for (int i = 0; i < 3000 && lz_burn_bytes(b) < 8100000; i++)
        usleep(10000);
    assert_true(lz_burn_bytes(b) >= 8100000);
    assert_true(lz_burn_bytes(b) < 100000000);
    lz_burn_end(b);
    for (int i = 0; i < 3000 && children() > 0; i++)
        lz_loop_turn(loop, lz_loop_clock() + 10000000);
    assert_int_equal(children(), 0);
}

static bool is_there(pid_t pid)
{
    return kill(pid, 0) == 0;
}

static void burners_die_with_whoever_is_killed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t run = child_fork();
    if (run == 0) {
        struct lz_err err;
        struct lz_burn *b;
        if (!lz_burn_cores(loop, 0.1, &b, &err))
            _exit(1);
        (void)!write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    char byte, path[64], text[64] = "";
    assert_int_equal(read(ends[0], &byte, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)run, (int)run);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    pid_t burner = atoi(text);
    assert_true(is_there(burner));
    kill(run, SIGKILL);
    waitpid(run, NULL, 0);
    for (int i = 0; i < 3000 && is_there(burner); i++)
        usleep(10000);
    assert_false(is_there(burner));
    close(ends[0]);
    close(ends[1]);
}

// A program that burns; its quota is a tenth of a core.
static void a_quota_withholds_and_is_lifted(void **state)
{
    (void)state;
    struct lz_err err;
    struct lz_cgroup g;
    struct lz_str saw;
    lz_str_init(&saw);
    bool works = lz_cgroup_probe(&saw);
    if (!works)
        print_message("# skipped: %s\n", saw.text);
    lz_str_finish(&saw);
    if (!works)
        return; // meson reads cmocka's "not ok # SKIP" as a failure
    pid_t pid = child_fork();
    if (pid == 0) {
        for (;;)
            continue;
    }
    if (!lz_cgroup_create(undo, "lorenz-test-quota", &g, &err))
        fail_msg("%s", err.msg);
    assert_true(lz_cgroup_quota(&g, 0.1, &err));
    assert_true(lz_cgroup_add(&g, pid, &err));
    for (int i = 0; i < 3000 && lz_cgroup_throttled_ns(&g) < 50000000; i++)
        usleep(10000);
    assert_true(lz_cgroup_throttled_ns(&g) >= 50000000);
    lz_cgroup_destroy(undo, &g);
    assert_int_not_equal(access(g.path, F_OK), 0);
    assert_true(is_there(pid)); // it goes on elsewhere
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_disk_of_its_own_is_known_as_such(void **state)
{
    (void)state;
    char path[64];
    struct lz_err err;
    assert_false(lz_disk_is_own(folder));
    snprintf(path, sizeof(path), "%s/disk", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    if (!lz_disk_mount(undo, path, 1e6, &err)) {
        print_message("# skipped: %s\n", err.msg);
        rmdir(path);
        return;
    }
    assert_true(lz_disk_is_own(path));
    assert_true(lz_undo_all(undo, &err));
    lz_undo_close(undo);
    assert_false(lz_disk_is_own(path));
    assert_int_equal(rmdir(path), 0);
    assert_true(lz_undo_open(folder, "test", &undo, &err));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cores_are_kept_busy_and_given_back),       TEST(more_cores_than_there_are_is_an_error),
        TEST(memory_is_filled_leaks_and_is_given_back), TEST(burners_die_with_whoever_is_killed),
        TEST(a_quota_withholds_and_is_lifted),          TEST(a_disk_of_its_own_is_known_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
