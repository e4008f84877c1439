#include "check/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define MINUTE (60 * LZ_S)
#define HOUR (60 * MINUTE)

// Enough for any double written with %.0f.
#define DIGITS_MAX 352

// Cut zeros, and then the point, from the end of a number that has a point.
static void trim_zeros(char *number)
{
    LZ_ASSERT(number != NULL);
    if (strchr(number, '.') == NULL)
        return;
    size_t len = strlen(number);
    while (number[len - 1] == '0')
        len--;
    if (number[len - 1] == '.')
        len--;
    number[len] = '\0';
}

// Three significant figures below a minute. Rounding may carry into the next unit, which
// then says it: 999.6us is 1ms, and 59.96s is left over as a whole minute.
static bool write_short(char *out, size_t size, const char *sign, lz_time *t)
{
    static const struct {
        lz_time unit, next;
        const char *name;
    } scales[] = {{1, LZ_US, "ns"}, {LZ_US, LZ_MS, "us"}, {LZ_MS, LZ_S, "ms"}, {LZ_S, MINUTE, "s"}};

    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        lz_time unit = scales[i].unit;
        if (*t >= scales[i].next)
            continue;
        lz_time step = *t < 10 * unit ? unit / 100 : *t < 100 * unit ? unit / 10 : unit;
        if (step == 0)
            step = 1;
        *t = (*t + step / 2) / step * step;
        if (*t >= scales[i].next)
            continue;
        char number[32];
        snprintf(number, sizeof(number), "%lld.%02lld", (long long)(*t / unit),
                 (long long)(*t % unit * 100 / unit));
        trim_zeros(number);
        snprintf(out, size, "%s%s%s", sign, number, scales[i].name);
        return true;
    }
    LZ_ASSERT(*t >= MINUTE);
    return false;
}

char *lz_format_duration(char *out, size_t size, lz_time t)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(size > 0);
    if (t == LZ_FOREVER) {
        snprintf(out, size, "forever");
        return out;
    }
    if (t == 0) {
        snprintf(out, size, "0");
        return out;
    }
    const char *sign = t < 0 ? "-" : "";
    if (t < 0)
        t = t == INT64_MIN ? INT64_MAX : -t;
    if (write_short(out, size, sign, &t))
        return out;

    lz_time seconds = t / LZ_S + (t % LZ_S >= LZ_S / 2);
    if (seconds < 3600) {
        snprintf(out, size, seconds % 60 != 0 ? "%s%lldm%02llds" : "%s%lldm", sign,
                 (long long)(seconds / 60), (long long)(seconds % 60));
        return out;
    }
    lz_time minutes = seconds / 60 + (seconds % 60 >= 30);
    snprintf(out, size, minutes % 60 != 0 ? "%s%lldh%02lldm" : "%s%lldh", sign,
             (long long)(minutes / 60), (long long)(minutes % 60));
    return out;
}

// To the millisecond, cut and not rounded: an instant must not be said to be later than it is.
char *lz_format_instant(char *out, size_t size, lz_time t)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(size > 0);
    LZ_ASSERT(t >= 0);
    long long ms = t % MINUTE / LZ_MS;
    long long hours = t / HOUR;
    long long minutes = t % HOUR / MINUTE;
    char seconds[32];
    snprintf(seconds, sizeof(seconds), t >= MINUTE ? "%02lld.%03lld" : "%lld.%03lld", ms / 1000,
             ms % 1000);
    trim_zeros(seconds);

    if (t < MINUTE)
        snprintf(out, size, "%ss", seconds);
    else if (hours == 0 && ms == 0)
        snprintf(out, size, "%lldm", minutes);
    else if (hours == 0)
        snprintf(out, size, "%lldm%ss", minutes, seconds);
    else if (minutes == 0 && ms == 0)
        snprintf(out, size, "%lldh", hours);
    else if (ms == 0)
        snprintf(out, size, "%lldh%02lldm", hours, minutes);
    else
        snprintf(out, size, "%lldh%02lldm%ss", hours, minutes, seconds);
    return out;
}

// "1234567" as "1 234 567".
static void write_groups(char *out, size_t size, const char *digits)
{
    size_t len = strlen(digits), at = 0;
    for (size_t i = 0; i < len && at + 1 < size; i++) {
        bool breaks = i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-';
        if (breaks && at + 2 < size)
            out[at++] = ' ';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

// Three significant figures below 100, whole above; groups of three from `group_from` on.
static void write_number(char *out, size_t size, double n, double group_from)
{
    if (!isfinite(n)) {
        snprintf(out, size, "%s", isnan(n) ? "no sample" : n > 0 ? "inf" : "-inf");
        return;
    }
    double magnitude = fabs(n);
    int decimals = magnitude < 1.0 ? 3 : magnitude < 10.0 ? 2 : magnitude < 100.0 ? 1 : 0;
    char digits[DIGITS_MAX];
    snprintf(digits, sizeof(digits), "%.*f", decimals, n);
    trim_zeros(digits);
    if (strcmp(digits, "-0") == 0)
        snprintf(digits, sizeof(digits), "0");
    if (magnitude >= group_from)
        write_groups(out, size, digits);
    else
        snprintf(out, size, "%s", digits);
}

char *lz_format_count(char *out, size_t size, double n)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(size > 0);
    write_number(out, size, n, 9999.5);
    return out;
}

// Two decimals, but more where fewer would lie: a failure in a million is not "0 %", and
// a success ratio short of perfect is not "100 %".
char *lz_format_ratio(char *out, size_t size, double ratio)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(size > 0);
    if (!isfinite(ratio)) {
        write_number(out, size, ratio, HUGE_VAL);
        return out;
    }
    double percent = ratio * 100.0;
    char digits[DIGITS_MAX];
    for (int decimals = 2; decimals <= 6; decimals++) {
        snprintf(digits, sizeof(digits), "%.*f", decimals, percent);
        double shown = strtod(digits, NULL);
        bool lies = (shown == 0.0 && percent != 0.0) || (shown == 100.0 && percent != 100.0);
        if (!lies)
            break;
    }
    trim_zeros(digits);
    snprintf(out, size, "%s %%", strcmp(digits, "-0") == 0 ? "0" : digits);
    return out;
}

static void write_bytes(char *out, size_t size, double n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t i = 0;
    while (fabs(n) >= 1023.5 && i + 1 < sizeof(units) / sizeof(units[0])) {
        n /= 1024.0;
        i++;
    }
    char number[DIGITS_MAX];
    write_number(number, sizeof(number), n, 9999.5);
    snprintf(out, size, "%s %s", number, units[i]);
}

char *lz_format_value(char *out, size_t size, double value, enum lz_unit unit)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(size > 0);
    if (!isfinite(value)) {
        write_number(out, size, value, HUGE_VAL);
        return out;
    }
    char number[DIGITS_MAX];
    switch (unit) {
    case LZ_UNIT_RATIO:
        return lz_format_ratio(out, size, value);
    case LZ_UNIT_SECONDS:
        if (fabs(value) >= 9e9) // past what nanoseconds can count
            return lz_format_duration(out, size, value > 0 ? LZ_FOREVER : -LZ_FOREVER);
        return lz_format_duration(out, size, (lz_time)floor(value * 1e9 + 0.5));
    case LZ_UNIT_RATE:
        write_number(number, sizeof(number), value, 999.5);
        snprintf(out, size, "%s/s", number);
        return out;
    case LZ_UNIT_BYTES:
        write_bytes(out, size, value);
        return out;
    case LZ_UNIT_COUNT:
        break;
    }
    return lz_format_count(out, size, value);
}
