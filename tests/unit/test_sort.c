/*
 * The sort must be stable, and must be a sort.
 *
 * Method: items are (key, place) pairs with few keys; after sorting by key the places of
 * equal keys must rise. Lengths around the run length and its doublings are all tried.
 */
#include "base/sort.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

struct item {
    uint32_t key;
    uint32_t place;
    unsigned char more[24]; // so that the size is no power of two, too
};

struct counter {
    size_t calls;
};

static int by_key(const void *a, const void *b, void *ctx)
{
    const struct item *x = a, *y = b;
    struct counter *counter = ctx;
    counter->calls++;
    return (x->key > y->key) - (x->key < y->key);
}

// Items of `size` bytes that begin like a struct item.
static void fill(unsigned char *items, size_t n, size_t size, uint32_t keys)
{
    for (size_t i = 0; i < n; i++) {
        struct item item = {(uint32_t)(lz_hash_mix(i, n) % keys), (uint32_t)i, {0}};
        memcpy(items + i * size, &item, size < sizeof(item) ? size : sizeof(item));
    }
}

static void assert_sorted_and_stable(const unsigned char *items, size_t n, size_t size)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t before[2], after[2];
        memcpy(before, items + (i - 1) * size, sizeof(before));
        memcpy(after, items + i * size, sizeof(after));
        assert_true(before[0] < after[0] || (before[0] == after[0] && before[1] < after[1]));
    }
}

static void equal_items_keep_their_order(void **state)
{
    (void)state;
    const size_t sizes[] = {8, 12, sizeof(struct item)};
    unsigned char *items = malloc(300 * sizeof(struct item));
    for (size_t k = 0; k < 3; k++) {
        for (size_t n = 0; n < 300; n++) {
            struct counter counter = {0};
            fill(items, n, sizes[k], 7);
            lz_sort(items, n, sizes[k], by_key, &counter);
            assert_sorted_and_stable(items, n, sizes[k]);
        }
    }
    free(items);
}

static void many_items_take_about_n_log_n_comparisons(void **state)
{
    (void)state;
    size_t n = 1u << 16;
    unsigned char *items = malloc(n * 8);
    struct counter counter = {0};
    fill(items, n, 8, UINT32_MAX);
    lz_sort(items, n, 8, by_key, &counter);
    assert_sorted_and_stable(items, n, 8);
    assert_true(counter.calls < n * 17);
    free(items);
}

static int by_first_byte(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    return *(const char *)a - *(const char *)b;
}

static void single_bytes_sort_too(void **state)
{
    (void)state;
    char text[] = "deterministic";
    lz_sort(text, strlen(text), 1, by_first_byte, NULL);
    assert_string_equal(text, "cdeeiiimnrstt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_items_keep_their_order),
        cmocka_unit_test(many_items_take_about_n_log_n_comparisons),
        cmocka_unit_test(single_bytes_sort_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
