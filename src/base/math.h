/*
 * math.h — the elementary functions, the same bits on every machine.
 *
 * glibc picks other code paths on CPUs with and without FMA, and their results
 * differ in the last place. These are made of + - * / and exact operations only
 * (built with -ffp-contract=off), within 1 ulp of the true value.
 *
 * The executable also defines libm's own names (src/base/libm.c: exp, log, pow,
 * sin, ...) as these functions, so that Lua's `^` and `math.exp` use them too.
 * sqrt, fmod, floor, ceil and fabs are exact by IEEE 754 and stay libm's.
 */
#ifndef LZ_BASE_MATH_H
#define LZ_BASE_MATH_H

#ifdef __FAST_MATH__
#error "lorenz must not be built with -ffast-math: results would depend on the compiler"
#endif

double lz_math_exp(double x);
double lz_math_exp2(double x);
double lz_math_expm1(double x);
double lz_math_log(double x);
double lz_math_log2(double x);
double lz_math_log10(double x);
double lz_math_log1p(double x);
double lz_math_pow(double x, double y);
double lz_math_sin(double x);
double lz_math_cos(double x);
double lz_math_tan(double x);
double lz_math_asin(double x);
double lz_math_acos(double x);
double lz_math_atan(double x);
double lz_math_atan2(double y, double x);
double lz_math_lgamma(double x); /* x > 0 only */

/* Quantile of the standard normal distribution; 0 < p < 1. Wichura's AS 241. */
double lz_math_normal_quantile(double p);

#endif
