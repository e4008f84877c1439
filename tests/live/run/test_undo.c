// The undo log: what is written before, undone once, and never for somebody else.

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../child.h"
#include "cli/live_compare.h"
#include "live/family.h"
#include "live/undo.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/lorenz-undo-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static struct lz_undo *open_log(void)
{
    struct lz_undo *undo = NULL;
    struct lz_err err;
    assert_true(lz_undo_open(folder, "run", &undo, &err));
    return undo;
}

static lz_undo_id add(struct lz_undo *undo, const struct lz_undo_entry *entry)
{
    lz_undo_id id = 0;
    struct lz_err err;
    assert_true(lz_undo_add(undo, entry, &id, &err));
    return id;
}

static void path_in(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", folder, name);
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool holds(const char *path, const char *text)
{
    char got[200] = "";
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t n = fread(got, 1, sizeof(got) - 1, file);
    fclose(file);
    return n == strlen(text) && memcmp(got, text, n) == 0;
}

// The writer's process is this one, which lives: for others it must look as if it did not.
static struct lz_undo_report recover_as_of_the_dead(const char *log)
{
    struct lz_undo_report report;
    struct lz_err err;
    assert_true(lz_undo_file(log, &report, &err));
    return report;
}

// In a child that ends without undoing.
static void leave_log(const struct lz_undo_entry *entries, size_t count)
{
    pid_t pid = child_fork();
    if (pid == 0) {
        struct lz_undo *undo = open_log();
        for (size_t i = 0; i < count; i++)
            add(undo, &entries[i]);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void all_is_undone_latest_first(void **state)
{
    (void)state;
    char file[100], inner[100], sub[100];
    path_in(sub, sizeof(sub), "sub");
    path_in(inner, sizeof(inner), "sub/inner");
    path_in(file, sizeof(file), "a file % ~");
    mkdir(sub, 0700);
    put(inner, "x");
    put(file, "new");
    struct lz_undo *undo = open_log();
    struct lz_err err;
    add(undo, &(struct lz_undo_entry){.verb = LZ_UNDO_RMDIR, .path = sub});
    add(undo, &(struct lz_undo_entry){.verb = LZ_UNDO_UNLINK, .path = inner});
    add(undo, &(struct lz_undo_entry){.verb = LZ_UNDO_WRITE, .path = file, .text = "old"});
    assert_true(lz_undo_all(undo, &err));
    assert_true(holds(file, "old"));
    assert_int_not_equal(access(sub, F_OK), 0);
    assert_int_not_equal(access(lz_undo_path(undo), F_OK), 0);
    lz_undo_close(undo);
}

static void what_a_dead_run_left_is_undone_from_its_file(void **state)
{
    (void)state;
    char file[100], log[100];
    path_in(file, sizeof(file), "with space %41");
    path_in(log, sizeof(log), "run.undo");
    put(file, "new");
    leave_log(
        &(struct lz_undo_entry){.verb = LZ_UNDO_WRITE, .path = file, .text = "a b\n~%\xc3\xa9"}, 1);
    struct lz_undo_report report = recover_as_of_the_dead(log);
    assert_false(report.is_running);
    assert_false(report.is_damaged);
    assert_int_equal(report.undone, 1);
    assert_true(holds(file, "a b\n~%\xc3\xa9"));
    assert_int_not_equal(access(log, F_OK), 0);
    lz_str_finish(&report.said);
}

static void a_run_that_lives_is_left_alone(void **state)
{
    (void)state;
    char file[100];
    path_in(file, sizeof(file), "file");
    put(file, "new");
    struct lz_undo *undo = open_log();
    add(undo, &(struct lz_undo_entry){.verb = LZ_UNDO_UNLINK, .path = file});
    struct lz_undo_report report = recover_as_of_the_dead(lz_undo_path(undo));
    assert_true(report.is_running);
    assert_int_equal(report.pid, getpid());
    assert_true(holds(file, "new"));
    lz_str_finish(&report.said);
    lz_undo_close(undo);
}

static void append_to(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_torn_last_line_was_never_acted_upon(void **state)
{
    (void)state;
    char file[100], log[100];
    path_in(file, sizeof(file), "file");
    path_in(log, sizeof(log), "run.undo");
    put(file, "new");
    leave_log(&(struct lz_undo_entry){.verb = LZ_UNDO_UNLINK, .path = file}, 1);
    append_to(log, "do 2 unlink 0 0 0 0 0 =/etc/hos");
    struct lz_undo_report report = recover_as_of_the_dead(log);
    assert_false(report.is_damaged);
    assert_int_equal(report.undone, 1);
    lz_str_finish(&report.said);
}

static void a_line_that_was_changed_is_not_followed_and_the_file_stays(void **state)
{
    (void)state;
    char file[100], other[100], log[100], line[300];
    path_in(file, sizeof(file), "file");
    path_in(other, sizeof(other), "other");
    path_in(log, sizeof(log), "run.undo");
    put(file, "new");
    put(other, "somebody's");
    leave_log(&(struct lz_undo_entry){.verb = LZ_UNDO_UNLINK, .path = file}, 1);
    snprintf(line, sizeof(line), "do 2 unlink 0 0 0 0 0 =%s - ~0123456789abcdef\n", other);
    append_to(log, line);
    struct lz_undo_report report = recover_as_of_the_dead(log);
    assert_true(report.is_damaged);
    assert_int_equal(report.undone, 1);
    assert_true(holds(other, "somebody's"));
    assert_int_equal(access(log, F_OK), 0);
    lz_str_finish(&report.said);
}

static void a_log_that_others_may_write_is_not_followed(void **state)
{
    (void)state;
    char log[100];
    struct lz_undo_report report;
    struct lz_err err;
    path_in(log, sizeof(log), "run.undo");
    leave_log(NULL, 0);
    chmod(log, 0666);
    assert_false(lz_undo_file(log, &report, &err));
    assert_non_null(strstr(err.msg, "could have been written by others"));
}

static void a_number_that_is_anothers_by_now_is_not_signalled(void **state)
{
    (void)state;
    pid_t pid = child_fork();
    if (pid == 0) {
        for (;;)
            pause();
    }
    uint64_t start = lz_family_start_time(pid);
    assert_true(start > 0);
    struct lz_undo *undo = open_log();
    struct lz_err err;
    add(undo, &(struct lz_undo_entry){.verb = LZ_UNDO_END, .pid = pid, .start = start - 1});
    add(undo, &(struct lz_undo_entry){
                  .verb = LZ_UNDO_SIGNAL, .pid = pid, .start = start - 1, .number = SIGKILL});
    assert_true(lz_undo_all(undo, &err));
    assert_int_equal(lz_family_start_time(pid), start);
    lz_undo_close(undo);
    undo = open_log();
    add(undo, &(struct lz_undo_entry){.verb = LZ_UNDO_END, .pid = pid, .start = start});
    assert_true(lz_undo_all(undo, &err));
    assert_int_equal(lz_family_start_time(pid), 0);
    lz_undo_close(undo);
    waitpid(pid, NULL, 0);
}

static void without_room_nothing_is_to_be_done(void **state)
{
    (void)state;
    const struct rlimit small = {.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    struct lz_undo *undo = open_log();
    struct lz_err err;
    lz_undo_id id = 0;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    setrlimit(RLIMIT_FSIZE, &small);
    const struct lz_undo_entry entry = {.verb = LZ_UNDO_UNLINK, .path = "/tmp/lorenz-none"};
    bool ok = lz_undo_add(undo, &entry, &id, &err) && lz_undo_add(undo, &entry, &id, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(ok);
    assert_non_null(strstr(err.msg, "cannot write the undo log"));
    assert_true(lz_undo_all(undo, &err));
    lz_undo_close(undo);
}

// Student's t for n = 4: half = 3.182 * s / 2, with s of 1, 2, 3, 4 = 1.29099.
static void an_interval_is_that_of_student(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 4};
    double mean, half;
    lz_live_compare_interval(values, 4, &mean, &half);
    assert_float_equal(mean, 2.5, 1e-12);
    assert_float_equal(half, 2.05397, 1e-4);
    lz_live_compare_interval(values, 1, &mean, &half);
    assert_float_equal(half, 0.0, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_undone_latest_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_dead_run_left_is_undone_from_its_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_lives_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_last_line_was_never_acted_upon, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_that_was_changed_is_not_followed_and_the_file_stays,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_others_may_write_is_not_followed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_number_that_is_anothers_by_now_is_not_signalled, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_room_nothing_is_to_be_done, set_up, tear_down),
        cmocka_unit_test(an_interval_is_that_of_student),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
