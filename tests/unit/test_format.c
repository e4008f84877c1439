/*
 * What values look like is part of every report and golden transcript, so each rule of
 * format.h has a row here: the value, and the text it must give.
 */
#include "check/format.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

struct time_row {
    lz_time t;
    const char *text;
};

struct number_row {
    double value;
    const char *text;
};

static void durations_have_three_figures_below_a_minute(void **state)
{
    (void)state;
    static const struct time_row rows[] = {
        {0, "0"},
        {1, "1ns"},
        {999, "999ns"},
        {850 * LZ_US, "850us"},
        {1500, "1.5us"},
        {12 * LZ_MS, "12ms"},
        {12345678, "12.3ms"},
        {212 * LZ_MS, "212ms"},
        {1900 * LZ_MS, "1.9s"},
        {1994 * LZ_MS, "1.99s"},
        {22400 * LZ_MS, "22.4s"},
        {59940 * LZ_MS, "59.9s"},
        {-7400 * LZ_MS, "-7.4s"},
    };
    char text[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_format_duration(text, sizeof(text), rows[i].t), rows[i].text);
}

static void durations_from_a_minute_on_have_two_units(void **state)
{
    (void)state;
    static const struct time_row rows[] = {
        {60 * LZ_S, "1m"},       {249 * LZ_S, "4m09s"},   {90400 * LZ_MS, "1m30s"},
        {600 * LZ_S, "10m"},     {3600 * LZ_S, "1h"},     {3720 * LZ_S, "1h02m"},
        {3749 * LZ_S, "1h02m"},  {3750 * LZ_S, "1h03m"},  {90000 * LZ_S, "25h"},
        {-249 * LZ_S, "-4m09s"}, {LZ_FOREVER, "forever"},
    };
    char text[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_format_duration(text, sizeof(text), rows[i].t), rows[i].text);
}

static void rounding_carries_into_the_next_unit(void **state)
{
    (void)state;
    static const struct time_row rows[] = {
        {999600, "1ms"},       {999600 * LZ_US, "1s"},  {9996 * LZ_MS, "10s"},
        {59960 * LZ_MS, "1m"}, {3599600 * LZ_MS, "1h"},
    };
    char text[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_format_duration(text, sizeof(text), rows[i].t), rows[i].text);
}

static void instants_are_exact_to_the_millisecond_and_never_later(void **state)
{
    (void)state;
    static const struct time_row rows[] = {
        {0, "0s"},
        {999999, "0s"},
        {200 * LZ_MS, "0.2s"},
        {59950 * LZ_MS, "59.95s"},
        {59999999999, "59.999s"},
        {240 * LZ_S, "4m"},
        {240130 * LZ_MS, "4m00.13s"},
        {249 * LZ_S, "4m09s"},
        {251200 * LZ_MS, "4m11.2s"},
        {3600 * LZ_S, "1h"},
        {3603 * LZ_S, "1h00m03s"},
        {3720 * LZ_S, "1h02m"},
        {3723500 * LZ_MS, "1h02m03.5s"},
    };
    char text[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_format_instant(text, sizeof(text), rows[i].t), rows[i].text);
}

static void ratios_never_round_to_nothing_or_to_all(void **state)
{
    (void)state;
    static const struct number_row rows[] = {
        {0.0, "0 %"},          {0.001, "0.1 %"}, {0.9971, "99.71 %"},  {1.0, "100 %"},
        {2.5, "250 %"},        {0.29, "29 %"},   {0.00004, "0.004 %"}, {0.99999, "99.999 %"},
        {0.333333, "33.33 %"}, {-0.0, "0 %"},    {-0.05, "-5 %"},
    };
    char text[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_format_ratio(text, sizeof(text), rows[i].value), rows[i].text);
}

static void counts_are_in_groups_of_three_above_9999(void **state)
{
    (void)state;
    static const struct number_row rows[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {1.5, "1.5"},
        {9.375, "9.38"},
        {0.0625, "0.062"},
        {41.96, "42"},
        {9999, "9999"},
        {10000, "10 000"},
        {214880, "214 880"},
        {1402118, "1 402 118"},
        {-214880, "-214 880"},
    };
    char text[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_format_count(text, sizeof(text), rows[i].value), rows[i].text);
}

static void values_are_written_in_their_unit(void **state)
{
    (void)state;
    static const struct {
        double value;
        enum lz_unit unit;
        const char *text;
    } rows[] = {
        {0.212, LZ_UNIT_SECONDS, "212ms"}, {0.3, LZ_UNIT_SECONDS, "300ms"},
        {0.0, LZ_UNIT_SECONDS, "0"},       {1e300, LZ_UNIT_SECONDS, "forever"},
        {400, LZ_UNIT_RATE, "400/s"},      {1570, LZ_UNIT_RATE, "1 570/s"},
        {0.5, LZ_UNIT_RATE, "0.5/s"},      {0.001, LZ_UNIT_RATIO, "0.1 %"},
        {512, LZ_UNIT_BYTES, "512 B"},     {1572864, LZ_UNIT_BYTES, "1.5 MiB"},
        {1048575, LZ_UNIT_BYTES, "1 MiB"}, {214880, LZ_UNIT_COUNT, "214 880"},
    };
    char text[32];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_format_value(text, sizeof(text), rows[i].value, rows[i].unit),
                            rows[i].text);
}

static void what_is_not_a_number_says_so(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(lz_format_value(text, sizeof(text), (double)NAN, LZ_UNIT_RATIO),
                        "no sample");
    assert_string_equal(lz_format_value(text, sizeof(text), HUGE_VAL, LZ_UNIT_RATE), "inf");
    assert_string_equal(lz_format_value(text, sizeof(text), -HUGE_VAL, LZ_UNIT_SECONDS), "-inf");
}

static void a_small_buffer_cuts_the_text_and_nothing_else(void **state)
{
    (void)state;
    char text[5] = "zzzz";
    assert_string_equal(lz_format_count(text, 4, 1402118), "1 4");
    assert_int_equal(text[4], '\0');
    assert_string_equal(lz_format_duration(text, 4, 249 * LZ_S), "4m0");
    assert_string_equal(lz_format_instant(text, 1, LZ_S), "");
    assert_string_equal(lz_format_value(text, 5, 1572864, LZ_UNIT_BYTES), "1.5 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_three_figures_below_a_minute),
        cmocka_unit_test(durations_from_a_minute_on_have_two_units),
        cmocka_unit_test(rounding_carries_into_the_next_unit),
        cmocka_unit_test(instants_are_exact_to_the_millisecond_and_never_later),
        cmocka_unit_test(ratios_never_round_to_nothing_or_to_all),
        cmocka_unit_test(counts_are_in_groups_of_three_above_9999),
        cmocka_unit_test(values_are_written_in_their_unit),
        cmocka_unit_test(what_is_not_a_number_says_so),
        cmocka_unit_test(a_small_buffer_cuts_the_text_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
