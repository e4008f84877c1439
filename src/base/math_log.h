/* math_log.h — the logarithm to about 68 bits; for math*.c only. */
#ifndef LZ_BASE_MATH_LOG_H
#define LZ_BASE_MATH_LOG_H

#include "base/dd.h"

/* ln(x), relative error below 2^-66; x is finite and greater than 0. */
struct lz_dd lz_math_log_dd(double x);

#endif
