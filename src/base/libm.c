// libm's names for lz_math_*. Linked into the executable only, ahead of the C library, so
// that Lua's `^` and `math.exp` and SQLite's functions compute the same bits as the model.
// Not part of libbase.a: there the linker would drop it, or tests could not compare.

#include <math.h>

#include "base/math.h"

double exp(double x)
{
    return lz_math_exp(x);
}

double exp2(double x)
{
    return lz_math_exp2(x);
}

double expm1(double x)
{
    return lz_math_expm1(x);
}

double log(double x)
{
    return lz_math_log(x);
}

double log2(double x)
{
    return lz_math_log2(x);
}

double log10(double x)
{
    return lz_math_log10(x);
}

double log1p(double x)
{
    return lz_math_log1p(x);
}

double pow(double x, double y)
{
    return lz_math_pow(x, y);
}

double sin(double x)
{
    return lz_math_sin(x);
}

double cos(double x)
{
    return lz_math_cos(x);
}

double tan(double x)
{
    return lz_math_tan(x);
}

double asin(double x)
{
    return lz_math_asin(x);
}

double acos(double x)
{
    return lz_math_acos(x);
}

double atan(double x)
{
    return lz_math_atan(x);
}

double atan2(double y, double x)
{
    return lz_math_atan2(y, x);
}

// The hyperbolic ones are for scripts alone: the same everywhere, within a few ulp.

double sinh(double x)
{
    if (fabs(x) > 40.0)
        return copysign(lz_math_exp(fabs(x) - 1.0) * (0.5 * 2.718281828459045), x);
    double up = lz_math_expm1(fabs(x));
    return copysign(0.5 * (up + up / (up + 1.0)), x);
}

double cosh(double x)
{
    if (fabs(x) > 40.0)
        return lz_math_exp(fabs(x) - 1.0) * (0.5 * 2.718281828459045);
    double up = lz_math_exp(fabs(x));
    return 0.5 * (up + 1.0 / up);
}

double tanh(double x)
{
    if (fabs(x) > 40.0)
        return copysign(1.0, x);
    double up = lz_math_expm1(2.0 * fabs(x));
    return copysign(up / (up + 2.0), x);
}

double asinh(double x)
{
    double size = fabs(x);
    if (size > 0x1p28)
        return copysign(lz_math_log(size) + 0.6931471805599453, x);
    double square = size * size;
    return copysign(lz_math_log1p(size + square / (1.0 + sqrt(1.0 + square))), x);
}

double acosh(double x)
{
    if (x > 0x1p28)
        return lz_math_log(x) + 0.6931471805599453;
    return lz_math_log(x + sqrt(x * x - 1.0));
}

double atanh(double x)
{
    double size = fabs(x);
    return copysign(0.5 * lz_math_log1p(2.0 * size / (1.0 - size)), x);
}
