/*
 * The arena must hand out what was asked for, take it back, stop at its limit, and do
 * the same thing at the same place every time.
 *
 * Method: small limits, so that "full" is near; addresses are compared as offsets.
 */
#include "base/arena.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena_quick.h"
#include "base/hash.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

static struct lz_arena *make(unsigned slot, size_t limit_bytes)
{
    struct lz_arena *arena = NULL;
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.slot = slot, .limit_bytes = limit_bytes};
    if (!lz_arena_create(&opts, &arena, &err))
        fail_msg("%s", err.msg);
    return arena;
}

static bool is_zero(const void *ptr, size_t size)
{
    const unsigned char *bytes = ptr;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void blocks_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, 64 * MIB);
    unsigned char *before = NULL;
    size_t size_before = 0;
    for (size_t size = 0; size < 9000; size += 1 + size / 7) {
        unsigned char *ptr = lz_arena_alloc(arena, size);
        assert_int_equal((uintptr_t)ptr % 16, 0);
        assert_true(is_zero(ptr, size));
        assert_true(before == NULL || ptr >= before + size_before);
        memset(ptr, 0xff, size);
        before = ptr;
        size_before = size;
    }
    lz_arena_destroy(arena);
}

// What one leaves behind is nothing to the next, whether its pages were kept or not.
static void the_next_arena_finds_zeroes_where_the_last_one_wrote(void **state)
{
    (void)state;
    const size_t sizes[] = {100, 64 * KIB, 3 * MIB, 8 * MIB};
    for (size_t i = 0; i < 8; i++) {
        struct lz_arena *arena = make(0, 64 * MIB);
        size_t size = sizes[i % 4];
        unsigned char *ptr = lz_arena_alloc(arena, size);
        assert_true(is_zero(ptr, size));
        memset(ptr, 0xff, size);
        assert_true(is_zero(lz_arena_alloc(arena, MIB), MIB));
        lz_arena_destroy(arena);
        if (i == 5)
            lz_arena_trim();
    }
    lz_arena_destroy(make(0, 32 * MIB)); // another size at the same place
    lz_arena_trim();
    lz_arena_trim();
}

static void memory_is_zeroed_again_when_it_is_reused(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, MIB);
    for (size_t size = 1; size < 100000; size *= 3) {
        void *first = lz_arena_alloc(arena, size);
        memset(first, 0xff, size);
        lz_arena_free(arena, first, size);
        void *second = lz_arena_alloc(arena, size);
        assert_ptr_equal(first, second);
        assert_true(is_zero(second, size));
        lz_arena_free(arena, second, size);
    }
    assert_int_equal(lz_arena_used(arena), 0);
    lz_arena_destroy(arena);
}

static void the_last_block_freed_is_the_first_reused(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, MIB);
    void *a = lz_arena_alloc(arena, 100), *b = lz_arena_alloc(arena, 100);
    lz_arena_free(arena, a, 100);
    lz_arena_free(arena, b, 100);
    assert_ptr_equal(lz_arena_alloc(arena, 97), b); // 97 to 112 are one class
    assert_ptr_equal(lz_arena_alloc(arena, 112), a);
    lz_arena_destroy(arena);
}

static void null_may_be_freed_and_nothing_destroyed(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, MIB);
    lz_arena_free(arena, NULL, 5);
    assert_int_equal(lz_arena_used(arena), 0);
    lz_arena_destroy(arena);
    lz_arena_destroy(NULL);
}

static void a_grown_block_keeps_its_bytes_and_the_rest_is_zero(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, 64 * MIB);
    size_t size = 3;
    unsigned char *ptr = lz_arena_resize(arena, NULL, 0, size);
    for (unsigned round = 0; size < 2 * MIB; round++) {
        memset(ptr, (int)(round % 200 + 1), size);
        size_t wider = size + size / 2 + 1;
        if (round % 3 == 0)
            lz_arena_alloc(arena, 40); // in the way, so that it has to move
        ptr = lz_arena_resize(arena, ptr, size, wider);
        assert_int_equal(ptr[0], round % 200 + 1);
        assert_int_equal(ptr[size - 1], round % 200 + 1);
        assert_true(is_zero(ptr + size, wider - size));
        size = wider;
    }
    lz_arena_destroy(arena);
}

static void growing_into_used_slack_is_zeroed(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, MIB);
    unsigned char *ptr = lz_arena_alloc(arena, 64);
    memset(ptr, 0xff, 64);
    lz_arena_free(arena, ptr, 64);
    unsigned char *again = lz_arena_try(arena, 50); // the same bytes, not zeroed
    assert_ptr_equal(again, ptr);
    again = lz_arena_resize(arena, again, 50, 60);
    assert_true(is_zero(again + 50, 10));
    again = lz_arena_resize(arena, again, 60, 4000); // in place, as nothing is above it
    assert_ptr_equal(again, ptr);
    assert_true(is_zero(again + 60, 4000 - 60));
    lz_arena_destroy(arena);
}

static void a_shrunk_block_stays_and_its_end_is_reused(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, 256 * KIB);
    unsigned char *ptr = lz_arena_alloc(arena, 250 * KIB);
    size_t full = lz_arena_used(arena);
    memset(ptr, 7, 250 * KIB);
    assert_ptr_equal(lz_arena_resize(arena, ptr, 250 * KIB, 100), ptr);
    assert_int_equal(ptr[99], 7);
    assert_int_equal(lz_arena_used(arena), 112);
    for (size_t i = 0; i < 15; i++) { // the rest is in pieces that fit again
        unsigned char *piece = lz_arena_alloc(arena, 10 * KIB);
        assert_true(piece >= ptr + 112);
        assert_true(is_zero(piece, 10 * KIB));
    }
    assert_int_equal(lz_arena_peak(arena), full);
    lz_arena_destroy(arena);
}

static void used_and_peak_count_whole_blocks(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, MIB);
    void *a = lz_arena_alloc(arena, 1);
    assert_int_equal(lz_arena_used(arena), 16);
    void *b = lz_arena_alloc(arena, 1025); // eight classes per doubling: 1024 + 128
    assert_int_equal(lz_arena_used(arena), 16 + 1152);
    lz_arena_free(arena, a, 1);
    lz_arena_free(arena, b, 1025);
    assert_int_equal(lz_arena_used(arena), 0);
    assert_int_equal(lz_arena_peak(arena), 16 + 1152);
    lz_arena_destroy(arena);
}

struct outcome {
    jmp_buf back;
    size_t used_bytes, limit_bytes;
};

static void on_full(void *ctx, size_t used_bytes, size_t limit_bytes)
{
    struct outcome *outcome = ctx;
    outcome->used_bytes = used_bytes;
    outcome->limit_bytes = limit_bytes;
    longjmp(outcome->back, 1);
}

static void a_used_up_budget_is_told_to_its_owner(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, 64 * KIB);
    struct outcome outcome = {.used_bytes = 0};
    lz_arena_on_full(arena, on_full, &outcome);
    if (setjmp(outcome.back) == 0) {
        for (;;)
            lz_arena_alloc(arena, KIB);
    }
    assert_int_equal(outcome.limit_bytes, 64 * KIB);
    assert_int_equal(outcome.used_bytes, 64 * KIB);
    assert_null(lz_arena_try(arena, 16));
    lz_arena_destroy(arena);
}

static void give(struct lz_arena *arena, void *ptr, size_t size)
{
    if (!lz_arena_quick_give(arena, ptr, size))
        _exit(2);
}

// Its own words are before its blocks, and it ends somewhere: whichever way a block is given back.
static void what_is_no_block_of_it_is_not_taken_back(void **state)
{
    (void)state;
    typedef void give_fn(struct lz_arena * arena, void *ptr, size_t size);
    static give_fn *const ways[] = {lz_arena_free, give};
    struct lz_arena *arena = make(0, 64 * KIB);
    unsigned char *block = lz_arena_alloc(arena, 64), *begin = (unsigned char *)arena;
    const struct {
        void *ptr;
        int signal;
    } rows[] = {{block, 0},
                {begin, SIGABRT},
                {begin + sizeof(struct lz_arena_lists), SIGABRT},
                {begin + 2 * MIB, SIGABRT}};
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            if (freopen("/dev/null", "w", stderr) == NULL)
                _exit(1);
            ways[i % 2](arena, rows[i / 2].ptr, 64);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        int got = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
        if (got != rows[i / 2].signal)
            fail_msg("row %zu, way %zu: %d", i / 2, i % 2, got);
    }
    lz_arena_destroy(arena);
}

static void a_refused_resize_leaves_the_block_alone(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, 64 * KIB);
    unsigned char *ptr = lz_arena_alloc(arena, KIB);
    ptr[5] = 55;
    assert_null(lz_arena_try_resize(arena, ptr, KIB, 100 * KIB));
    assert_null(lz_arena_try(arena, SIZE_MAX));
    assert_int_equal(ptr[5], 55);
    assert_int_equal(lz_arena_used(arena), KIB);
    lz_arena_destroy(arena);
}

static void when_full_a_larger_free_block_is_cut_up(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, 64 * KIB);
    void *all = lz_arena_alloc(arena, 64 * KIB);
    lz_arena_free(arena, all, 64 * KIB);
    while (lz_arena_try(arena, 100) != NULL)
        ;
    assert_int_equal(lz_arena_used(arena), 64 * KIB / 112 * 112);
    lz_arena_destroy(arena);
}

// A long mixed history; returns the offsets it saw, hashed.
static uint64_t history_of(struct lz_arena *arena, uint64_t seed)
{
    unsigned char *ptrs[64] = {NULL};
    size_t sizes[64] = {0};
    uint64_t hash = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t random = lz_hash_mix(seed, i);
        size_t k = random % 64, size = (random >> 8) % (1u << (random >> 32) % 15);
        if ((random >> 40) % 3 == 0) {
            lz_arena_free(arena, ptrs[k], sizes[k]);
            ptrs[k] = NULL;
            sizes[k] = 0;
            continue;
        }
        for (size_t at = 0; at < sizes[k]; at++)
            if (ptrs[k][at] != k)
                fail_msg("block %zu was overwritten at %zu", k, at);
        ptrs[k] = lz_arena_resize(arena, ptrs[k], sizes[k], size);
        sizes[k] = size;
        memset(ptrs[k], (int)k, size);
        hash = lz_hash_mix(hash, (uint64_t)(ptrs[k] - (unsigned char *)arena));
    }
    return hash;
}

static void the_same_calls_give_the_same_offsets_in_every_slot(void **state)
{
    (void)state;
    struct lz_arena *first = make(0, 16 * MIB), *second = make(LZ_ARENA_SLOTS - 1, 16 * MIB);
    uint64_t hash = history_of(first, 1);
    assert_int_equal(hash, history_of(second, 1));
    lz_arena_destroy(first);
    first = make(0, 16 * MIB);
    assert_int_equal(hash, history_of(first, 1));
    assert_int_equal((uintptr_t)first % (4096 * MIB), 0);
    lz_arena_destroy(first);
    lz_arena_destroy(second);
}

static void an_address_that_is_taken_is_refused(void **state)
{
    (void)state;
    struct lz_arena *first = make(3, MIB), *second = NULL;
    struct lz_err err = {0};
    assert_false(lz_arena_create(&(struct lz_arena_opts){.slot = 3}, &second, &err));
    assert_int_equal(err.code, LZ_EEXIST);
    assert_null(second);
    lz_arena_destroy(first);
}

static void a_limit_beyond_the_slot_is_refused(void **state)
{
    (void)state;
    struct lz_arena *arena = NULL;
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 65536 * MIB};
    assert_false(lz_arena_create(&opts, &arena, &err));
    assert_int_equal(err.code, LZ_ERANGE);
    assert_string_equal(err.msg, "memory limit must be at most 34359738368 bytes, got 68719476736");
}

static void strdup_copies(void **state)
{
    (void)state;
    struct lz_arena *arena = make(0, MIB);
    const char *text = "the same words elsewhere";
    char *copy = lz_arena_strdup(arena, text);
    assert_string_equal(copy, text);
    assert_ptr_not_equal(copy, text);
    assert_string_equal(lz_arena_strdup(arena, ""), "");
    lz_arena_destroy(arena);
}

// The free lists, the top and what was written: the second half of the work gives the same.
static void a_copied_arena_is_revived_and_goes_on_as_it_would_have(void **state)
{
    (void)state;
    const struct lz_arena_opts opts = {.limit_bytes = 1 << 20}, other = {.limit_bytes = 2 << 20};
    struct lz_arena *arena;
    struct lz_err err;
    void *blocks[2][8];
    struct lz_arena_image *image = NULL;
    size_t size = 0, used[2];
    for (int round = 0; round < 2; round++) {
        if (round == 0) {
            assert_true(lz_arena_create(&opts, &arena, &err));
            char *text = lz_arena_strdup(arena, "kept");
            void *hole = lz_arena_alloc(arena, 300);
            blocks[0][0] = text;
            lz_arena_alloc(arena, 5000);
            lz_arena_free(arena, hole, 300);
            size = lz_arena_extent(arena);
            assert_true(size > 5300);
            image = lz_arena_image_create(arena);
            assert_non_null(image);
            assert_int_equal(lz_arena_image_size(image), size);
        } else {
            assert_true(lz_arena_revive(&other, image, &arena, &err));
            blocks[1][0] = blocks[0][0];
            assert_int_equal(lz_arena_extent(arena), size);
        }
        assert_string_equal(blocks[round][0], "kept");
        for (size_t i = 1; i < 8; i++) {
            blocks[round][i] = lz_arena_alloc(arena, i * 100);
            for (size_t at = 0; at < i * 100; at++)
                assert_int_equal(((unsigned char *)blocks[round][i])[at], 0);
        }
        used[round] = lz_arena_used(arena);
        lz_arena_destroy(arena);
    }
    lz_arena_image_destroy(image);
    assert_memory_equal(blocks[0], blocks[1], sizeof(blocks[0]));
    assert_int_equal(used[0], used[1]);
}

// What one universe wrote to is the image's again for the next: in pages that were kept, in new
// ones, and in a process that has closed all files it did not open itself.
static void an_image_is_whole_again_for_each_arena(void **state)
{
    (void)state;
    const size_t size = 100 * KIB;
    struct lz_arena *arena = make(0, 8 * MIB);
    unsigned char *kept = lz_arena_alloc(arena, size);
    memset(kept, 0x11, size);
    lz_arena_settle(arena);
    struct lz_arena_image *image = lz_arena_image_create(arena);
    assert_non_null(image);
    lz_arena_destroy(arena);
    for (int round = 0; round < 7; round++) {
        const struct lz_arena_opts opts = {.limit_bytes = 8 * MIB};
        struct lz_err err;
        if (round == 2 || round == 5)
            lz_arena_trim();
        if (round == 4)
            assert_int_equal(close_range(3, ~0u, 0), 0);
        assert_true(lz_arena_revive(&opts, image, &arena, &err));
        for (size_t at = 0; at < size; at++)
            assert_int_equal(kept[at], 0x11);
        memset(kept + (size_t)round * 12 * KIB, 0x22, 20 * KIB);
        unsigned char *more = lz_arena_alloc(arena, 300 * KIB);
        assert_true(is_zero(more, 300 * KIB));
        memset(more, 0xff, 300 * KIB);
        lz_arena_destroy(arena);
    }
    arena = make(0, 8 * MIB); // without the image
    assert_true(is_zero(lz_arena_alloc(arena, MIB), MIB));
    lz_arena_destroy(arena);
    lz_arena_image_destroy(image);
    lz_arena_trim();
}

static void a_quick_way_gives_the_same_block_and_accounts(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        bool is_quick;
    } rows[] = {{0, false},   {1, true},    {15, true},   {16, true},   {17, true},
                {1008, true}, {1009, true}, {1024, true}, {1025, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lz_arena *arenas[] = {make(0, MIB), make(1, MIB)}; // the second one has no quick way
        size_t offsets[2], size = rows[i].size;
        assert_null(lz_arena_quick_take(arenas[0], size)); // none was given back
        for (size_t k = 0; k < 2; k++) {
            void *ptr = lz_arena_try(arenas[k], size);
            lz_arena_free(arenas[k], lz_arena_try(arenas[k], 2000), 2000); // a peak that stays
            if (k == 1 || !lz_arena_quick_give(arenas[k], ptr, size))
                lz_arena_free(arenas[k], ptr, size);
            assert_int_equal(lz_arena_used(arenas[k]), 0);
            void *again = k == 0 ? lz_arena_quick_take(arenas[k], size) : NULL;
            assert_int_equal(k == 0 && again != NULL, k == 0 && rows[i].is_quick);
            again = again != NULL ? again : lz_arena_try(arenas[k], size);
            offsets[k] = (size_t)((char *)again - (char *)arenas[k]);
        }
        assert_int_equal(offsets[0], offsets[1]);
        assert_int_equal(lz_arena_used(arenas[0]), lz_arena_used(arenas[1]));
        assert_int_equal(lz_arena_peak(arenas[0]), lz_arena_peak(arenas[1]));
        lz_arena_destroy(arenas[0]);
        lz_arena_destroy(arenas[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_zeroed_and_apart),
        cmocka_unit_test(the_next_arena_finds_zeroes_where_the_last_one_wrote),
        cmocka_unit_test(memory_is_zeroed_again_when_it_is_reused),
        cmocka_unit_test(the_last_block_freed_is_the_first_reused),
        cmocka_unit_test(null_may_be_freed_and_nothing_destroyed),
        cmocka_unit_test(a_grown_block_keeps_its_bytes_and_the_rest_is_zero),
        cmocka_unit_test(growing_into_used_slack_is_zeroed),
        cmocka_unit_test(a_shrunk_block_stays_and_its_end_is_reused),
        cmocka_unit_test(used_and_peak_count_whole_blocks),
        cmocka_unit_test(a_used_up_budget_is_told_to_its_owner),
        cmocka_unit_test(what_is_no_block_of_it_is_not_taken_back),
        cmocka_unit_test(a_refused_resize_leaves_the_block_alone),
        cmocka_unit_test(when_full_a_larger_free_block_is_cut_up),
        cmocka_unit_test(the_same_calls_give_the_same_offsets_in_every_slot),
        cmocka_unit_test(an_address_that_is_taken_is_refused),
        cmocka_unit_test(a_limit_beyond_the_slot_is_refused),
        cmocka_unit_test(a_copied_arena_is_revived_and_goes_on_as_it_would_have),
        cmocka_unit_test(an_image_is_whole_again_for_each_arena),
        cmocka_unit_test(a_quick_way_gives_the_same_block_and_accounts),
        cmocka_unit_test(strdup_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
