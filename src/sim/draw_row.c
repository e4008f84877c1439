#include <stddef.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/check.h"
#include "sim/draw.h"
#include "sim/draw_tables.h"
#include "sim/philox.h"

#define ROUNDS 10

// A block at a time, for machines of another kind.
static void make_plainly(struct lz_draw_row *row, uint64_t key, uint64_t from)
{
    for (uint64_t i = 0; i < LZ_DRAW_ROW; i++) {
        uint64_t tail = lz_draw_begin(key, row->owner, row->purpose, from + i).tail;
        struct lz_philox b = lz_philox_plain(tail, row->owner, key);
        row->bits[0][i] = b.first;
        row->bits[1][i] = b.second;
    }
}

#ifdef __x86_64__

/*
 * Blocks side by side: one in each lane of 64 bits, of which a word has the lower half. What is in
 * the upper halves does not matter until the end, for products are of lower halves alone.
 */
struct two {
    __m128i c0, c1, c2, c3;
};

static inline struct two round_of_two(struct two s, __m128i key_0, __m128i key_1)
{
    __m128i p0 = _mm_mul_epu32(s.c0, _mm_set1_epi64x(LZ_PHILOX_MUL_0));
    __m128i p1 = _mm_mul_epu32(s.c2, _mm_set1_epi64x(LZ_PHILOX_MUL_1));
    return (struct two){
        .c0 = _mm_xor_si128(_mm_srli_epi64(p1, 32), _mm_xor_si128(s.c1, key_0)),
        .c1 = p1,
        .c2 = _mm_xor_si128(_mm_srli_epi64(p0, 32), _mm_xor_si128(s.c3, key_1)),
        .c3 = p0,
    };
}

static inline __m128i joined_two(__m128i low, __m128i high)
{
    return _mm_or_si128(_mm_and_si128(low, _mm_set1_epi64x(UINT32_MAX)), _mm_slli_epi64(high, 32));
}

static struct two two_of(const struct lz_draw_row *row, uint64_t counter)
{
    uint64_t one = lz_draw_begin(0, 0, row->purpose, counter).tail;
    uint64_t two = lz_draw_begin(0, 0, row->purpose, counter + 1).tail;
    __m128i tail = _mm_set_epi64x((int64_t)two, (int64_t)one);
    return (struct two){.c0 = tail,
                        .c1 = _mm_srli_epi64(tail, 32),
                        .c2 = _mm_set1_epi64x((int64_t)row->owner),
                        .c3 = _mm_set1_epi64x((int64_t)(row->owner >> 32))};
}

// Two and two, which every x86-64 can: the row's places from `at` on.
static void make_by_two(struct lz_draw_row *row, uint64_t key, uint64_t from, size_t at)
{
    struct two a = two_of(row, from + at), b = two_of(row, from + at + 2);
    __m128i key_0 = _mm_set1_epi64x((int64_t)key), key_1 = _mm_srli_epi64(key_0, 32);
    for (int round = 0; round < ROUNDS; round++) {
        a = round_of_two(a, key_0, key_1);
        b = round_of_two(b, key_0, key_1);
        key_0 = _mm_add_epi32(key_0, _mm_set1_epi64x(LZ_PHILOX_STEP_0));
        key_1 = _mm_add_epi32(key_1, _mm_set1_epi64x(LZ_PHILOX_STEP_1));
    }
    __m128i *first = (__m128i *)(void *)(row->bits[0] + at);
    __m128i *second = (__m128i *)(void *)(row->bits[1] + at);
    _mm_storeu_si128(first, joined_two(a.c0, a.c1));
    _mm_storeu_si128(first + 1, joined_two(b.c0, b.c1));
    _mm_storeu_si128(second, joined_two(a.c2, a.c3));
    _mm_storeu_si128(second + 1, joined_two(b.c2, b.c3));
}

struct four {
    __m256i c0, c1, c2, c3;
};

__attribute__((target("avx2"))) static inline struct four four_of(const struct lz_draw_row *row,
                                                                  uint64_t counter)
{
    uint64_t tail = lz_draw_begin(0, 0, row->purpose, counter).tail;
    const __m256i each = _mm256_set_epi64x(3 << 16, 2 << 16, 1 << 16, 0);
    __m256i c0 = _mm256_add_epi64(_mm256_set1_epi64x((int64_t)tail), each);
    __m256i c2 = _mm256_set1_epi64x((int64_t)row->owner);
    return (struct four){
        .c0 = c0, .c1 = _mm256_srli_epi64(c0, 32), .c2 = c2, .c3 = _mm256_srli_epi64(c2, 32)};
}

__attribute__((target("avx2"))) static inline struct four
round_of_four(struct four s, __m256i key_0, __m256i key_1)
{
    __m256i p0 = _mm256_mul_epu32(s.c0, _mm256_set1_epi64x(LZ_PHILOX_MUL_0));
    __m256i p1 = _mm256_mul_epu32(s.c2, _mm256_set1_epi64x(LZ_PHILOX_MUL_1));
    return (struct four){
        .c0 = _mm256_xor_si256(_mm256_srli_epi64(p1, 32), _mm256_xor_si256(s.c1, key_0)),
        .c1 = p1,
        .c2 = _mm256_xor_si256(_mm256_srli_epi64(p0, 32), _mm256_xor_si256(s.c3, key_1)),
        .c3 = p0,
    };
}

// Even words of 32 bits from the one, odd ones from the other.
__attribute__((target("avx2"))) static inline void keep_four(uint64_t *bits, __m256i low,
                                                             __m256i high)
{
    __m256i joined = _mm256_blend_epi32(low, _mm256_slli_epi64(high, 32), 0xaa);
    _mm256_storeu_si256((__m256i *)(void *)bits, joined);
}

// Four at once, and four more while these wait for their products.
__attribute__((target("avx2"))) static void make_by_four(struct lz_draw_row *row, uint64_t key,
                                                         uint64_t from)
{
    struct four a = four_of(row, from), b = four_of(row, from + 4);
    __m256i key_0 = _mm256_set1_epi64x((int64_t)key), key_1 = _mm256_srli_epi64(key_0, 32);
    for (int round = 0; round < ROUNDS; round++) {
        a = round_of_four(a, key_0, key_1);
        b = round_of_four(b, key_0, key_1);
        key_0 = _mm256_add_epi32(key_0, _mm256_set1_epi64x(LZ_PHILOX_STEP_0));
        key_1 = _mm256_add_epi32(key_1, _mm256_set1_epi64x(LZ_PHILOX_STEP_1));
    }
    keep_four(row->bits[0], a.c0, a.c1);
    keep_four(row->bits[0] + 4, b.c0, b.c1);
    keep_four(row->bits[1], a.c2, a.c3);
    keep_four(row->bits[1] + 4, b.c2, b.c3);
}

_Static_assert(LZ_DRAW_ROW == 8, "a row is made at once");

static bool make_by(struct lz_draw_row *row, uint64_t key, uint64_t from, unsigned lanes)
{
    bool has_four = __builtin_cpu_supports("avx2");
    if (lanes == 4 && !has_four)
        return false;
    if (lanes == 4 || (lanes == 0 && has_four)) {
        make_by_four(row, key, from);
    } else if (lanes == 1) {
        make_plainly(row, key, from);
    } else {
        make_by_two(row, key, from, 0);
        make_by_two(row, key, from, 4);
    }
    return true;
}

#else

static bool make_by(struct lz_draw_row *row, uint64_t key, uint64_t from, unsigned lanes)
{
    if (lanes > 1)
        return false;
    make_plainly(row, key, from);
    return true;
}

#endif

bool lz_draw_row_make(struct lz_draw_row *row, uint64_t run_key, uint64_t from, unsigned lanes)
{
    LZ_ASSERT(lanes <= 2 || lanes == 4);
    LZ_ASSERT(from % LZ_DRAW_ROW == 0);
    if (!make_by(row, run_key, from, lanes))
        return false;
    row->key = run_key;
    row->made = from + 1;
    return true;
}

// Who watches draws is told of each as it is made: numbers that are in no sure part of a layer, and
// a row that is never there.
static void leave_to_the_slow_way(struct lz_draw_row *row)
{
    LZ_ASSERT((int64_t)(UINT64_MAX >> 11) >= lz_draw_tables_exponential[255].sure);
    for (size_t i = 0; i < LZ_DRAW_ROW; i++)
        row->bits[0][i] = row->bits[1][i] = UINT64_MAX;
    row->made = 0;
}

static void make(struct lz_draw_row *row, uint64_t key, uint64_t from)
{
    bool ok = lz_draw_row_make(row, key, from, 0);
    LZ_ASSERT(ok);
    if (lz_draw_watch_is_on())
        leave_to_the_slow_way(row);
}

static inline bool is_made(const struct lz_draw_row *row, uint64_t key, uint64_t counter)
{
    return row->made == counter - counter % LZ_DRAW_ROW + 1 && row->key == key;
}

static inline int64_t place_of(uint64_t bits)
{
    return (int64_t)(bits >> 11);
}

// The one in 90 that is not in the sure part of its layer.
static __attribute__((noinline)) struct lz_draw_pair slowly(const struct lz_draw_row *row,
                                                            uint64_t key, uint64_t counter)
{
    struct lz_draw draw = lz_draw_begin(key, row->owner, row->purpose, counter);
    double first = lz_draw_exponential(&draw);
    return (struct lz_draw_pair){.first = first, .second = lz_draw_exponential(&draw)};
}

static inline double first_of(const struct lz_draw_row *row, uint64_t key, uint64_t counter)
{
    uint64_t bits = row->bits[0][counter % LZ_DRAW_ROW];
    const struct lz_draw_tables_layer *at = &lz_draw_tables_exponential[bits & 255];
    if (place_of(bits) >= at->sure)
        return lz_draw_exponential_once(key, row->owner, row->purpose, counter);
    return (double)place_of(bits) * at->width;
}

static inline struct lz_draw_pair pair_of(const struct lz_draw_row *row, uint64_t key,
                                          uint64_t counter)
{
    uint64_t i = counter % LZ_DRAW_ROW, one = row->bits[0][i], two = row->bits[1][i];
    const struct lz_draw_tables_layer *of_one = &lz_draw_tables_exponential[one & 255];
    const struct lz_draw_tables_layer *of_two = &lz_draw_tables_exponential[two & 255];
    if (place_of(one) >= of_one->sure || place_of(two) >= of_two->sure)
        return slowly(row, key, counter);
    return (struct lz_draw_pair){.first = (double)place_of(one) * of_one->width,
                                 .second = (double)place_of(two) * of_two->width};
}

// Left by a jump: the usual way saves no registers.
static __attribute__((noinline)) double make_first(struct lz_draw_row *row, uint64_t key,
                                                   uint64_t counter)
{
    make(row, key, counter - counter % LZ_DRAW_ROW);
    return first_of(row, key, counter);
}

static __attribute__((noinline)) struct lz_draw_pair make_pair(struct lz_draw_row *row,
                                                               uint64_t key, uint64_t counter)
{
    make(row, key, counter - counter % LZ_DRAW_ROW);
    return pair_of(row, key, counter);
}

double lz_draw_exponential_next(struct lz_draw_row *row, uint64_t run_key, uint64_t counter)
{
    if (!is_made(row, run_key, counter))
        return make_first(row, run_key, counter);
    return first_of(row, run_key, counter);
}

struct lz_draw_pair lz_draw_exponential_pair(struct lz_draw_row *row, uint64_t run_key,
                                             uint64_t counter)
{
    if (!is_made(row, run_key, counter))
        return make_pair(row, run_key, counter);
    return pair_of(row, run_key, counter);
}
