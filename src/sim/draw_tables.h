/*
 * draw_tables.h — the layers of the two ziggurats; for draw.c only.
 *
 * 256 layers of equal area v under f(x) = exp(-x) and under f(x) = exp(-x^2 / 2), x >= 0
 * (Marsaglia and Tsang, "The ziggurat method for generating random variables", 2000).
 * Layer i > 0 reaches from 0 to x[i] and from f(x[i]) up to f(x[i + 1]); x[1] is where
 * the tail begins, x[256] = 0. Layer 0 is the tail and the box below it, x[0] = v / f(x[1])
 * wide. With m uniform in 0 .. 2^53 - 1, the point m * width is inside the curve for
 * sure if m < sure. Computed with 300 bits and rounded once.
 */
#ifndef LZ_SIM_DRAW_TABLES_H
#define LZ_SIM_DRAW_TABLES_H

#include <stdint.h>

#define LZ_DRAW_TABLES_LEN 256

struct lz_draw_tables_layer {
    int64_t sure; /* 2^53 x[i + 1] / x[i] */
    double width; /* x[i] / 2^53 */
    double floor; /* f(x[i]); 0 for layer 0 */
};

extern const struct lz_draw_tables_layer lz_draw_tables_exponential[LZ_DRAW_TABLES_LEN];
extern const struct lz_draw_tables_layer lz_draw_tables_normal[LZ_DRAW_TABLES_LEN];

#endif
