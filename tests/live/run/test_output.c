// What a program writes: as it is, until it is too much; then its end, and who writes goes on.

#include <fcntl.h>
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

#include "live/output.h"

#define MAX (2 * LZ_OUTPUT_KEEP)
#define LINE 28

static char path[64];
static int writer; // as a program has it

static int up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/lorenz-output-XXXXXX");
    close(mkstemp(path));
    writer = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    return writer >= 0 ? 0 : -1;
}

static int down(void **state)
{
    (void)state;
    close(writer);
    return unlink(path);
}

static void put_lines(int first, int count)
{
    for (int i = first; i < first + count; i++)
        assert_true(dprintf(writer, "this is line number %07d\n", i) == LINE);
}

static const char *all(size_t *size)
{
    static char text[4 * MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    *size = (size_t)n;
    return text;
}

static void what_is_not_too_much_is_left_alone(void **state)
{
    size_t size;
    (void)state;
    put_lines(0, (int)(MAX / LINE));
    assert_int_equal(lz_output_trim(path, MAX, 0), 0);
    (void)all(&size);
    assert_int_equal(size, MAX / LINE * LINE);
}

static void of_too_much_whole_lines_of_the_end_are_kept(void **state)
{
    enum { COUNT = 3 * MAX / LINE };
    size_t size;
    (void)state;
    put_lines(0, COUNT);
    uint64_t dropped = lz_output_trim(path, MAX, 0);
    const char *text = all(&size), *line = strchr(text, '\n') + 1;
    char head[80];
    snprintf(head, sizeof(head), "[lorenz: %llu bytes of output were dropped]\n",
             (unsigned long long)dropped);
    assert_memory_equal(text, head, strlen(head));
    assert_int_equal(dropped + (size - strlen(head)), COUNT * LINE);
    assert_int_equal(dropped % LINE, 0);
    assert_in_range(size, LZ_OUTPUT_KEEP - LINE, LZ_OUTPUT_KEEP + sizeof(head));
    assert_int_equal(atoi(line + 20), dropped / LINE);
    // And the program goes on behind it, as often as it likes.
    put_lines(COUNT, 1);
    text = all(&size);
    assert_int_equal(atoi(text + size - 8), COUNT);
    put_lines(COUNT + 1, COUNT);
    // What is told is the sum, of what the program wrote alone.
    dropped = lz_output_trim(path, MAX, dropped);
    text = all(&size);
    assert_int_equal(atoi(text + size - 8), 2 * COUNT);
    snprintf(head, sizeof(head), "[lorenz: %llu bytes of output were dropped]\n",
             (unsigned long long)dropped);
    assert_memory_equal(text, head, strlen(head));
    assert_int_equal(dropped + (size - strlen(head)), (2 * COUNT + 1) * LINE);
}

static void without_any_line_the_end_is_kept_as_it_is(void **state)
{
    static char bytes[3 * MAX];
    size_t size;
    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(write(writer, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(lz_output_trim(path, MAX, 0), sizeof(bytes) - LZ_OUTPUT_KEEP);
    const char *text = all(&size);
    assert_int_equal(text[size - 1], 'x');
    assert_int_equal(size - (size_t)(strchr(text, '\n') + 1 - text), LZ_OUTPUT_KEEP);
}

static void one_long_line_that_ends_keeps_its_last_words(void **state)
{
    static char bytes[3 * MAX];
    size_t size;
    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes + sizeof(bytes) - 11, "LAST WORDS\n", 11);
    assert_int_equal(write(writer, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(lz_output_trim(path, MAX, 0), sizeof(bytes) - LZ_OUTPUT_KEEP);
    const char *text = all(&size);
    assert_memory_equal(text + size - 11, "LAST WORDS\n", 11);
}

static void what_is_no_file_is_none_of_ours(void **state)
{
    char link[80];
    (void)state;
    assert_int_equal(lz_output_trim("/nowhere/at/all", MAX, 0), 0);
    assert_int_equal(lz_output_trim("/dev/zero", MAX, 0), 0);
    put_lines(0, 3 * (int)MAX / LINE);
    snprintf(link, sizeof(link), "%s.link", path);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(lz_output_trim(link, MAX, 0), 0);
    assert_int_equal(unlink(link), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_too_much_is_left_alone),
        TEST(of_too_much_whole_lines_of_the_end_are_kept),
        TEST(without_any_line_the_end_is_kept_as_it_is),
        TEST(one_long_line_that_ends_keeps_its_last_words),
        TEST(what_is_no_file_is_none_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
