/*
 * Selection of files and cases. Each test makes its own folder and works inside it; a
 * tree is a word list, "a.lua" a file, "x/" a folder.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/str.h"
#include "explore/select.h"

static char home[256], folder[32];

static int enter(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/lz-select-XXXXXX");
    return getcwd(home, sizeof(home)) != NULL && mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static int leave(void **state)
{
    (void)state;
    scratch_remove(folder);
    return chdir(home);
}

static void make(const char *path)
{
    size_t len = strlen(path);
    if (path[len - 1] == '/') {
        assert_int_equal(mkdir(path, 0777), 0);
        return;
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

// What the arguments mean, as one line.
static char *find(const char *const *args, size_t count)
{
    struct lz_select_files files;
    struct lz_err err;
    struct lz_str line;
    lz_str_init(&line);
    if (!lz_select_find(args, count, &files, &err)) {
        lz_str_add(&line, err.msg);
        return lz_str_take(&line);
    }
    for (size_t i = 0; i < files.count; i++)
        lz_str_addf(&line, "%s%s", i > 0 ? " " : "", files.paths[i]);
    lz_select_free(&files);
    lz_str_add(&line, "");
    return lz_str_take(&line);
}

static void expect_found(const char *const *args, size_t count, const char *line)
{
    char *found = find(args, count);
    assert_string_equal(found != NULL ? found : "", line);
    free(found);
}

static void folders_are_walked_in_the_order_of_bytes(void **state)
{
    (void)state;
    static const char *const tree[] = {
        "t/",          "t/b.lua",      "t/B.lua",          "t/a10.lua",  "t/a9.lua",
        "t/x/",        "t/x/z.lua",    "t/_h.lua",         "t/.hid.lua", "t/notes",
        "t/_lib/",     "t/_lib/c.lua", "t/.git/",          "t/n.luac",   "t/.git/d.lua",
        "t/.lua",      "t/x/deeper/",  "t/x/deeper/q.lua", "t/min/",     "t/min/a-7.lua",
        "t/x/min.lua",
    };
    for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++)
        make(tree[i]);
    static const char *const whole[] = {"t"};
    expect_found(whole, 1,
                 "t/B.lua t/a10.lua t/a9.lua t/b.lua t/x/deeper/q.lua t/x/min.lua t/x/z.lua");
    static const char *const slash[] = {"t/x//"};
    expect_found(slash, 1, "t/x/deeper/q.lua t/x/min.lua t/x/z.lua");
    static const char *const asked_for[] = {"t/min"};
    expect_found(asked_for, 1, "t/min/a-7.lua");
}

static void a_named_file_is_taken_whatever_it_is_called(void **state)
{
    (void)state;
    make("n/");
    make("n/_h.lua");
    make("n/a.lua");
    make("n/odd");
    static const char *const args[] = {"n/odd", "n/_h.lua", "n"};
    expect_found(args, 3, "n/odd n/_h.lua n/a.lua");
    static const char *const twice[] = {"n/a.lua", "n", "n/a.lua"};
    expect_found(twice, 3, "n/a.lua");
}

static void nothing_named_means_the_scenarios_folder(void **state)
{
    (void)state;
    expect_found(NULL, 0, "");
    make("scenarios/");
    expect_found(NULL, 0, "");
    make("scenarios/s.lua");
    expect_found(NULL, 0, "scenarios/s.lua");
}

static void a_name_that_is_nowhere_is_an_error(void **state)
{
    (void)state;
    static const char *const args[] = {"absent.lua"};
    expect_found(args, 1, "no such file: absent.lua");
    struct lz_select_files files;
    struct lz_err err;
    assert_false(lz_select_find(args, 1, &files, &err));
    assert_int_equal(err.code, LZ_ENOENT);
}

static void a_link_to_a_folder_is_not_followed(void **state)
{
    (void)state;
    make("l/");
    make("l/a.lua");
    assert_int_equal(symlink(".", "l/again"), 0);
    assert_int_equal(symlink("a.lua", "l/b.lua"), 0);
    static const char *const args[] = {"l"};
    expect_found(args, 1, "l/a.lua l/b.lua");
}

static void pairs_are_read_and_replaced(void **state)
{
    (void)state;
    struct lz_select_pairs pairs = {0};
    struct lz_err err;
    assert_true(lz_select_pairs_add(&pairs, "retries=3,budget=10%", true, &err));
    assert_true(lz_select_pairs_add(&pairs, "shape=a,b=c", false, &err));
    assert_true(lz_select_pairs_add(&pairs, "retries=", false, &err));
    assert_int_equal(pairs.count, 3);
    assert_string_equal(lz_select_pairs_value(&pairs, "retries"), "");
    assert_string_equal(lz_select_pairs_value(&pairs, "budget"), "10%");
    assert_string_equal(lz_select_pairs_value(&pairs, "shape"), "a,b=c");
    assert_null(lz_select_pairs_value(&pairs, "b"));
    static const char *const wrong[] = {"", "retries", "=3", "a=1,", "a=1,,b=2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(lz_select_pairs_add(&pairs, wrong[i], true, &err));
    lz_select_pairs_free(&pairs);
}

static void a_case_matches_when_all_wanted_values_are_equal(void **state)
{
    (void)state;
    static const struct {
        const char *wanted;
        bool matches;
    } table[] = {
        {"retries=3", true},
        {"retries=3,budget=off", true},
        {"retries=30", false},
        {"retries=3,budget=10%", false},
        {"retries=3,colour=red", false},
    };
    struct lz_select_pairs params = {0};
    struct lz_err err;
    assert_true(lz_select_pairs_add(&params, "retries=3,budget=off", true, &err));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_select_pairs wanted = {0};
        assert_true(lz_select_pairs_add(&wanted, table[i].wanted, true, &err));
        assert_int_equal(lz_select_matches(&wanted, &params), table[i].matches);
        lz_select_pairs_free(&wanted);
    }
    assert_true(lz_select_matches(&(struct lz_select_pairs){0}, &params));
    lz_select_pairs_free(&params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_walked_in_the_order_of_bytes),
        cmocka_unit_test(a_named_file_is_taken_whatever_it_is_called),
        cmocka_unit_test(nothing_named_means_the_scenarios_folder),
        cmocka_unit_test(a_name_that_is_nowhere_is_an_error),
        cmocka_unit_test(a_link_to_a_folder_is_not_followed),
        cmocka_unit_test(pairs_are_read_and_replaced),
        cmocka_unit_test(a_case_matches_when_all_wanted_values_are_equal),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
