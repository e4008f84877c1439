/* sort.h — a stable sort that gives the same order with every C library. */
#ifndef LZ_BASE_SORT_H
#define LZ_BASE_SORT_H

#include <stddef.h>

/* Negative, zero or positive, as qsort's. */
typedef int lz_sort_fn(const void *a, const void *b, void *ctx);

/* Merge sort: equal items keep their order. Uses n * size bytes of scratch. */
void lz_sort(void *items, size_t n, size_t size, lz_sort_fn *compare, void *ctx);

#endif
