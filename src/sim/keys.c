#include "sim/keys.h"

#include <string.h>

#include "base/check.h"

// Two sorted halves of `half` keys, one after the other, into `to`. Neither end can leave its half
// before both have met, for each takes as many as one half has.
static void merge(const double *from, uint32_t half, double *to)
{
    const double *a = from, *b = from + half, *x = b - 1, *y = b + half - 1;
    double *low = to, *high = to + 2 * (size_t)half - 1;
    for (uint32_t i = 0; i < half; i++) {
        double one = *a, other = *b;
        *low++ = one < other ? one : other;
        a += one < other;
        b += !(one < other);
        one = *x, other = *y;
        *high-- = one > other ? one : other;
        x -= one > other;
        y -= !(one > other);
    }
}

void lz_keys_sort(double *keys, uint32_t count)
{
    double spare[LZ_KEYS_MAX], *from = keys, *to = spare;
    uint32_t room = 16;
    LZ_ASSERT(count <= LZ_KEYS_MAX);
    while (room < count)
        room *= 2;
    for (uint32_t i = count; i < room; i++)
        keys[i] = LZ_KEYS_LAST;
    for (uint32_t i = 0; i < room; i += 16)
        lz_keys_sort_sixteen(keys + i);
    for (uint32_t half = 16; half < room; half *= 2) {
        for (uint32_t i = 0; i < room; i += 2 * half)
            merge(from + i, half, to + i);
        double *merged = to;
        to = from;
        from = merged;
    }
    if (from != keys)
        memcpy(keys, from, count * sizeof(*keys));
}
