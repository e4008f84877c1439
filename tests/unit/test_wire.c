/* Messages between processes: what is put is got, and nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explore/wire.h"

static void what_is_put_is_got(void **state)
{
    (void)state;
    struct lz_str message;
    lz_str_init(&message);
    lz_wire_put_u64(&message, UINT64_MAX);
    lz_wire_put_text(&message, "a sentence");
    lz_wire_put_text(&message, "");
    lz_wire_put_text(&message, NULL);
    lz_wire_put_blob(&message, "\0\1\0", 3);

    struct lz_wire in = {.at = message.text, .left = message.len};
    assert_true(lz_wire_get_u64(&in) == UINT64_MAX);
    char *full = lz_wire_get_text(&in);
    char *empty = lz_wire_get_text(&in);
    char *none = lz_wire_get_text(&in);
    size_t size;
    char *blob = lz_wire_get_blob(&in, &size);
    assert_string_equal(full, "a sentence");
    assert_string_equal(empty, "");
    assert_null(none);
    assert_int_equal(size, 3);
    assert_memory_equal(blob, "\0\1\0", 3);
    assert_int_equal(in.left, 0);
    assert_false(in.broken);
    free(full);
    free(empty);
    free(blob);
    lz_str_finish(&message);
}

static void a_length_is_never_trusted(void **state)
{
    (void)state;
    struct lz_str message;
    lz_str_init(&message);
    lz_wire_put_u64(&message, UINT64_MAX);
    lz_str_add(&message, "short");
    struct lz_wire in = {.at = message.text, .left = message.len};
    size_t size = 1;
    char *blob = lz_wire_get_blob(&in, &size);
    assert_true(in.broken);
    assert_int_equal(size, 0);
    assert_string_equal(blob, "");
    assert_true(lz_wire_get_u64(&in) == 0);
    free(blob);
    lz_str_finish(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(a_length_is_never_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
