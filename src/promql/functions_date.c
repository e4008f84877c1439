#include <math.h>

#include "promql/functions.h"

typedef struct lz_promql_eval eval;
typedef struct lz_promql_call call;
typedef struct lz_promql_value value;

#define DAY 86400

struct date {
    int64_t year, days; // since 1970
    int month, day, seconds;
};

// The Gregorian calendar from a count of days: years begin in March, so that the day that comes
// and goes is the last (Howard Hinnant, "chrono-compatible low-level date algorithms").
static struct date date_of(double unix_s)
{
    int64_t t = (int64_t)unix_s;
    int seconds = (int)(t % DAY) + (t % DAY < 0 ? DAY : 0);
    int64_t days = t / DAY - (t % DAY < 0), z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    struct date d = {.days = days, .seconds = seconds};
    d.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    d.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    d.year = yoe + era * 400 + (d.month <= 2);
    return d;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int month, int64_t year)
{
    return month == 2                                              ? 28 + is_leap(year)
           : month == 4 || month == 6 || month == 9 || month == 11 ? 30
                                                                   : 31;
}

static double minute_of(const struct date *d)
{
    return d->seconds / 60 % 60;
}

static double hour_of(const struct date *d)
{
    return d->seconds / 3600;
}

static double day_of_week(const struct date *d)
{
    return (double)(((d->days + 4) % 7 + 7) % 7); // 1970 began on a Thursday
}

static double day_of_month(const struct date *d)
{
    return d->day;
}

static double day_of_year(const struct date *d)
{
    int day = d->day;
    for (int month = 1; month < d->month; month++)
        day += days_in(month, d->year);
    return day;
}

static double days_in_month(const struct date *d)
{
    return days_in(d->month, d->year);
}

static double month_of(const struct date *d)
{
    return d->month;
}

static double year_of(const struct date *d)
{
    return (double)d->year;
}

// Any time of 64 bits of seconds is one, as there. Of what is none there the machine decides (Go's
// int64 of a float): here it has no date.
static bool is_date(double unix_s)
{
    return unix_s >= -0x1p63 && unix_s < 0x1p63;
}

// Without an argument, of now.
static bool each(eval *e, const call *c, value *out, double (*part)(const struct date *))
{
    if (c->count == 0) {
        struct date d = date_of((double)c->now_ms / 1000.0);
        lz_promql_value_add(e, out)->value = part(&d);
        return true;
    }
    for (uint32_t i = 0; i < c->args[0].count; i++) {
        struct lz_promql_series *s = lz_promql_value_add(e, out);
        *s = c->args[0].all[i];
        bool has_date = is_date(s->value);
        struct date d = date_of(has_date ? s->value : 0.0);
        s->value = has_date ? part(&d) : (double)NAN;
        s->drops_name = true;
    }
    return true;
}

#define DATE_FN(name, part)                                                                        \
    static bool fn_##name(eval *e, const call *c, value *out)                                      \
    {                                                                                              \
        return each(e, c, out, part);                                                              \
    }
DATE_FN(minute, minute_of)
DATE_FN(hour, hour_of)
DATE_FN(day_of_week, day_of_week)
DATE_FN(day_of_month, day_of_month)
DATE_FN(day_of_year, day_of_year)
DATE_FN(days_in_month, days_in_month)
DATE_FN(month, month_of)
DATE_FN(year, year_of)

#define V LZ_PROMQL_VECTOR

static const struct lz_promql_function rows[] = {
    {"day_of_month", "?v", V, .whole = fn_day_of_month},
    {"day_of_week", "?v", V, .whole = fn_day_of_week},
    {"day_of_year", "?v", V, .whole = fn_day_of_year},
    {"days_in_month", "?v", V, .whole = fn_days_in_month},
    {"hour", "?v", V, .whole = fn_hour},
    {"minute", "?v", V, .whole = fn_minute},
    {"month", "?v", V, .whole = fn_month},
    {"year", "?v", V, .whole = fn_year},
};

struct lz_promql_rows lz_promql_rows_date(void)
{
    return (struct lz_promql_rows){rows, sizeof(rows) / sizeof(rows[0])};
}
