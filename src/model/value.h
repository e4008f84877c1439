/*
 * value.h — what a row, an entry or a record holds: nothing, an integer, a text, true or false.
 *
 * One 64-bit number, equal exactly if what it says is equal, so that stores compare and copy
 * values without looking into them. The low two bits say what it is; a text is the number of one
 * that this world has seen, in the order it first saw them.
 *
 * Shapes: integers from -2^61 to 2^61 - 1; texts of any bytes, at most LZ_VALUE_TEXT_MAX of them
 * each. Texts are kept until the run ends.
 */
#ifndef LZ_MODEL_VALUE_H
#define LZ_MODEL_VALUE_H

#include "model/world.h"

typedef uint64_t lz_value; /* 0: nothing */

enum lz_value_kind { LZ_VALUE_NOTHING, LZ_VALUE_INTEGER, LZ_VALUE_TEXT, LZ_VALUE_BOOLEAN };

#define LZ_VALUE_INTEGER_MAX ((INT64_C(1) << 61) - 1)
#define LZ_VALUE_INTEGER_MIN (-(INT64_C(1) << 61))
#define LZ_VALUE_TEXT_MAX (1u << 20)

static inline enum lz_value_kind lz_value_kind(lz_value v)
{
    return (enum lz_value_kind)(v & 3);
}

/* Within the limits above. */
static inline lz_value lz_value_integer(int64_t n)
{
    LZ_ASSERT(n >= LZ_VALUE_INTEGER_MIN && n <= LZ_VALUE_INTEGER_MAX);
    return (uint64_t)n << 2 | LZ_VALUE_INTEGER;
}

static inline int64_t lz_value_to_integer(lz_value v)
{
    LZ_ASSERT(lz_value_kind(v) == LZ_VALUE_INTEGER);
    uint64_t bits = v >> 2; /* the sign was shifted out: bring it back without shifting a sign */
    return bits >> 61 ? (int64_t)(bits | UINT64_C(3) << 62) : (int64_t)bits;
}

static inline lz_value lz_value_boolean(bool is_true)
{
    return (uint64_t)is_true << 2 | LZ_VALUE_BOOLEAN;
}

static inline bool lz_value_to_boolean(lz_value v)
{
    LZ_ASSERT(lz_value_kind(v) == LZ_VALUE_BOOLEAN);
    return v >> 2 != 0;
}

void lz_values_init(struct lz_world *w);

/* `bytes` are copied the first time. */
lz_value lz_value_text(struct lz_world *w, const char *bytes, size_t len);
const char *lz_value_to_text(const struct lz_world *w, lz_value v, size_t *len); /* 0 at its end */

/* As a person writes it: nil, 42, "a text" (cut at `size`), true. Returns `out`. */
const char *lz_value_show(const struct lz_world *w, lz_value v, char *out, size_t size);

size_t lz_values_bytes(const struct lz_world *w);

#endif
