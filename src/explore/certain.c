#include "explore/certain.h"

#include <math.h>
#include <stdbool.h>

#include "base/check.h"
#include "base/math.h"

// ln B(a, b)
static double log_beta(double a, double b)
{
    return lz_math_lgamma(a) + lz_math_lgamma(b) - lz_math_lgamma(a + b);
}

// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
static double fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < 10000; m++) {
        double am = a + m, even = m * (b - m) * x / ((am + m - 1.0) * (am + m));
        double odd = -(am) * (am + b) * x / ((am + m) * (am + m + 1.0));
        const double terms[] = {even, odd};
        double step = 1.0;
        for (int i = 0; i < 2; i++) {
            d = 1.0 + terms[i] * d;
            d = 1.0 / (fabs(d) < tiny ? tiny : d);
            c = 1.0 + terms[i] / c;
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            f *= step;
        }
        if (fabs(step - 1.0) < 1e-15)
            break;
    }
    return f;
}

// ln I_x(a, b), and of the rest of it: the regularized incomplete beta function.
struct tails {
    double below, above;
};

static struct tails log_tails(double a, double b, double x)
{
    LZ_ASSERT(a > 0.0 && b > 0.0 && x > 0.0 && x < 1.0);
    double front = a * lz_math_log(x) + b * lz_math_log(1.0 - x) - log_beta(a, b);
    bool is_left = x < (a + 1.0) / (a + b + 2.0); // where the fraction converges fast
    double near = is_left ? front - lz_math_log(a) + lz_math_log(fraction(a, b, x))
                          : front - lz_math_log(b) + lz_math_log(fraction(b, a, 1.0 - x));
    near = near < 0.0 ? near : 0.0;
    double rest = 1.0 - lz_math_exp(near);
    double far = rest > 0.0 ? lz_math_log(rest) : -(double)INFINITY;
    return is_left ? (struct tails){near, far} : (struct tails){far, near};
}

// x with I_x(a, b) = p, by halving: fifty-odd steps are exact enough and cannot go astray.
static double quantile(double a, double b, double p)
{
    double low = 0.0, high = 1.0;
    for (int i = 0; i < 60; i++) {
        double middle = 0.5 * (low + high);
        if (lz_math_exp(log_tails(a, b, middle).below) < p)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

struct lz_certain_interval lz_certain_interval(uint64_t n, uint64_t k, double confidence)
{
    LZ_ASSERT(n > 0 && k <= n);
    LZ_ASSERT(confidence > 0.0 && confidence < 1.0);
    double miss = 1.0 - confidence;
    if (k == 0)
        return (struct lz_certain_interval){0.0, 1.0 - lz_math_exp(lz_math_log(miss) / (double)n)};
    if (k == n)
        return (struct lz_certain_interval){lz_math_exp(lz_math_log(miss) / (double)n), 1.0};
    double fails = (double)k, passes = (double)(n - k);
    return (struct lz_certain_interval){quantile(fails, passes + 1.0, miss / 2.0),
                                        quantile(fails + 1.0, passes, 1.0 - miss / 2.0)};
}

enum lz_certain_decision lz_certain_decide(uint64_t n, uint64_t k, double rate, double confidence)
{
    LZ_ASSERT(k <= n);
    LZ_ASSERT(rate > 0.0 && rate < 1.0 && confidence > 0.0 && confidence < 1.0);
    double fails = (double)k, passes = (double)(n - k);
    double at_rate = fails * lz_math_log(rate) + passes * lz_math_log(1.0 - rate);
    double limit = -lz_math_log(1.0 - confidence);
    double whole = log_beta(fails + 1.0, passes + 1.0);
    struct tails t = log_tails(fails + 1.0, passes + 1.0, rate);
    double above = whole + t.above - lz_math_log(1.0 - rate) - at_rate;
    if (above >= limit)
        return LZ_CERTAIN_ABOVE;
    double below = whole + t.below - lz_math_log(rate) - at_rate - lz_math_log(2.0);
    if (k == 0) { // the half that stands on a rate of 0
        double zero = -at_rate - lz_math_log(2.0);
        double most = zero > below ? zero : below, least = zero > below ? below : zero;
        below = most + lz_math_log(1.0 + lz_math_exp(least - most));
    }
    return below >= limit ? LZ_CERTAIN_BELOW : LZ_CERTAIN_OPEN;
}

uint64_t lz_certain_runs(double rate, double confidence)
{
    uint64_t low = 1, high = 1;
    while (lz_certain_decide(high, 0, rate, confidence) != LZ_CERTAIN_BELOW)
        high *= 2;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (lz_certain_decide(middle, 0, rate, confidence) == LZ_CERTAIN_BELOW)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
