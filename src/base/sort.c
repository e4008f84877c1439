#include "base/sort.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

// Bottom-up merge sort: runs of RUN items are sorted by insertion, then merged pairwise,
// back and forth between the items and the scratch space. The comparisons made depend only
// on the items, so a comparison with side effects repeats, too.

#define RUN 8u

struct sort {
    size_t size;
    lz_sort_fn *compare;
    void *ctx;
};

static inline void copy(unsigned char *to, const unsigned char *from, size_t size)
{
    if (size == 8)
        memcpy(to, from, 8); // a constant size is one instruction
    else
        memcpy(to, from, size);
}

static void insert_run(const struct sort *s, unsigned char *items, size_t n, unsigned char *spare)
{
    for (size_t i = 1; i < n; i++) {
        size_t to = i;
        const unsigned char *item = items + i * s->size;
        while (to > 0 && s->compare(items + (to - 1) * s->size, item, s->ctx) > 0)
            to--;
        if (to == i)
            continue;
        copy(spare, item, s->size);
        memmove(items + (to + 1) * s->size, items + to * s->size, (i - to) * s->size);
        copy(items + to * s->size, spare, s->size);
    }
}

// Merge [0, middle) and [middle, n) of `from` into `to`; on a tie the left one goes first.
static void merge(const struct sort *s, const unsigned char *from, size_t middle, size_t n,
                  unsigned char *to)
{
    LZ_ASSERT(middle <= n);
    const unsigned char *left = from, *left_end = from + middle * s->size;
    const unsigned char *right = left_end, *right_end = from + n * s->size;
    while (left < left_end && right < right_end) {
        const unsigned char **next = s->compare(left, right, s->ctx) <= 0 ? &left : &right;
        copy(to, *next, s->size);
        *next += s->size;
        to += s->size;
    }
    memcpy(to, left, (size_t)(left_end - left));
    to += left_end - left;
    memcpy(to, right, (size_t)(right_end - right));
}

static inline size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

void lz_sort(void *items, size_t n, size_t size, lz_sort_fn *compare, void *ctx)
{
    LZ_ASSERT(size > 0);
    LZ_ASSERT(compare != NULL);
    if (n < 2)
        return;
    LZ_ASSERT(items != NULL);
    LZ_ASSERT(n <= SIZE_MAX / size);
    struct sort s = {.size = size, .compare = compare, .ctx = ctx};
    unsigned char *from = items, *scratch = lz_mem_alloc(n * size), *to = scratch;
    for (size_t i = 0; i < n; i += RUN)
        insert_run(&s, from + i * size, min(RUN, n - i), scratch);
    for (size_t width = RUN; width < n; width *= 2) {
        for (size_t i = 0; i < n; i += 2 * width)
            merge(&s, from + i * size, min(width, n - i), min(2 * width, n - i), to + i * size);
        unsigned char *merged = to;
        to = from;
        from = merged;
    }
    if (from == scratch)
        memcpy(items, scratch, n * size);
    free(scratch);
}
