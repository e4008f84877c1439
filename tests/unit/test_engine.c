/*
 * What a node stores must come back from a copy and a snapshot as it was, compare equal exactly
 * when it is, and a log must give back the images of what it no longer keeps.
 *
 * Method: the table of engine.h over a map of rows; images are counted by the arena's use.
 */
#include "model/data/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/data/wal.h"

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

struct node {
    struct lz_rows rows;
    struct lz_rows_engine engine;
};

static struct lz_engine *make(struct node *n)
{
    lz_rows_init(&n->rows, arena);
    lz_rows_engine_init(&n->engine, &n->rows);
    return &n->engine.base;
}

// Changes first .. last, over 97 keys.
static void change(struct lz_engine *e, uint64_t first, uint64_t last)
{
    for (uint64_t lsn = first; lsn <= last; lsn++)
        e->ops->apply(e, &(struct lz_change){.lsn = lsn, .key = lsn % 97}, NULL);
}

static void equal_content_has_an_equal_hash_and_other_content_another(void **state)
{
    (void)state;
    struct node a, b;
    struct lz_engine *x = make(&a), *y = make(&b);
    assert_int_equal(x->ops->hash(x), 0);
    change(x, 1, 500);
    change(y, 1, 499);
    assert_int_not_equal(x->ops->hash(x), y->ops->hash(y));
    change(y, 500, 500);
    assert_int_equal(x->ops->hash(x), y->ops->hash(y));
    assert_int_equal(y->ops->lsn(y), 500);
}

static void a_restore_and_a_copy_leave_nothing_of_what_was_there(void **state)
{
    (void)state;
    struct node a, b;
    struct lz_engine *x = make(&a), *y = make(&b);
    change(x, 1, 50);
    uint64_t then = x->ops->hash(x);
    struct lz_snapshot *s = x->ops->save(x);
    change(x, 51, 5000);
    y->ops->copy(y, x);
    assert_int_equal(y->ops->hash(y), x->ops->hash(x));
    x->ops->restore(x, s);
    assert_int_equal(x->ops->hash(x), then);
    assert_int_equal(x->ops->lsn(x), 50);
    y->ops->restore(y, s);
    assert_int_equal(y->ops->hash(y), then);
    x->ops->drop(x, s);
    assert_true(x->ops->check(x, NULL));
}

static struct lz_wal with_images(uint64_t records)
{
    struct lz_wal l;
    lz_wal_init(&l, arena);
    for (uint64_t i = 1; i <= records; i++) {
        lz_wal_append(&l, i, NULL, 0);
        lz_wal_get(&l, i)->image = lz_image_create(arena, "0123456789", 10);
    }
    return l;
}

static void a_record_that_is_cut_or_dropped_releases_its_image(void **state)
{
    (void)state;
    struct lz_wal l = with_images(10000);
    size_t full = lz_arena_used(arena);
    struct lz_image *held = lz_image_hold(lz_wal_get(&l, 9000)->image);
    assert_int_equal(lz_wal_cut(&l, 8000), 0);
    size_t cut = lz_arena_used(arena);
    assert_true(full - cut >= 1999 * (sizeof(struct lz_image) + 10));
    assert_memory_equal(held->bytes, "0123456789", 10);
    lz_image_release(held);
    size_t released = lz_arena_used(arena);
    assert_true(released < cut);
    lz_wal_drop(&l, 8000);
    assert_true(released - lz_arena_used(arena) >= 8000 * (sizeof(struct lz_image) + 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_content_has_an_equal_hash_and_other_content_another,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_restore_and_a_copy_leave_nothing_of_what_was_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_record_that_is_cut_or_dropped_releases_its_image, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
