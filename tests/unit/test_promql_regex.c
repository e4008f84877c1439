/*
 * Regular expressions must mean what RE2 makes of them, and of the whole text.
 *
 * Method: a pattern, a text and what `$0`-like templates give; "-" is no match. Rows with groups
 * follow RE2's documentation of leftmost-first matching (github.com/google/re2/wiki/Syntax) and
 * Go's regexp/syntax; where POSIX would answer otherwise the row says so.
 */
#include "promql_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "promql/regex.h"
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct row {
    const char *pattern, *text, *tmpl, *want;
};

static const struct row rows[] = {
    {"", "", "yes", "yes"},
    {"", "a", "yes", "-"},
    {"a.c", "abc", "yes", "yes"},
    {"a.c", "a\nc", "yes", "yes"}, // Prometheus 3: (?s)
    {"(?-s)a.c", "a\nc", "yes", "-"},
    {"ab", "xaby", "yes", "-"}, // anchored
    {"api|web", "web", "yes", "yes"},
    {"api|web", "webs", "yes", "-"},
    {"(?:a|b)+", "abba", "$0", "abba"},
    {"5..", "503", "yes", "yes"},
    {"[^:]+:(\\d+)", "host:9090", "$1", "9090"},
    {"(.*?)-(.*)", "a-b-c", "$1|$2", "a|b-c"}, // lazy: POSIX has no such thing
    {"(.*)-(.*)", "a-b-c", "$1|$2", "a-b|c"},
    {"(a|ab)(c|bcd)(d*)", "abcd", "$1|$2|$3", "a|bcd|"}, // POSIX: ab|c|d
    {"(?P<zone>[a-z]+-\\w+)-(?<n>\\d)", "eu-west-1", "${n}.$zone", "1.eu-west"},
    {"(a)|b", "b", "[$1]", "[]"},
    {"(a+)", "aa", "$1x", ""}, // the name is as long as it can be: 1x
    {"(a+)", "aa", "${1}x", "aax"},
    {"(a+)", "aa", "$$1 $", "$1 $"},
    {"a{2}", "aa", "yes", "yes"},
    {"a{2}", "aaa", "yes", "-"},
    {"a{2,}", "aaaa", "yes", "yes"},
    {"a{2,3}", "aaaa", "yes", "-"},
    {"a{,3}", "a{,3}", "yes", "yes"}, // no repetition in RE2
    {"(a{1,2}?)(a*)", "aaa", "$1|$2", "a|aa"},
    {"(?i)HeLLo", "hEllO", "yes", "yes"},
    {"(?i:h)ello", "HELLO", "yes", "-"},
    {"a(?i)b|c", "aB", "yes", "yes"},
    {"[[:alpha:]_]+", "ab_c", "yes", "yes"},
    {"[[:^digit:]]", "7", "yes", "-"},
    {"[a-c\\d-]+", "a-3", "yes", "yes"},
    {"[]a]+", "]a", "yes", "yes"},
    {"[^\\s]+", "a b", "yes", "-"},
    {"\\Qa.b\\E.", "a.bx", "yes", "yes"},
    {"\\Qa.b\\E.", "axbx", "yes", "-"},
    {"\\Qab\\E*", "abbb", "yes", "yes"}, // each is a character of its own
    {"\\Qab\\E*", "abab", "yes", "-"},
    {"0{1, 5}", "0{1, 5}", "yes", "yes"}, // no blanks, signs or leading zeros: no repetition
    {"0{+1}", "0{+1}", "yes", "-"},       // "{" and more of them
    {"0{01}", "0{01}", "yes", "yes"},
    {"(a{100}){10}|b", "b", "yes", "yes"},
    {"(?:(?:){1000})*", "", "yes", "yes"},
    {"\\bfoo\\b.*", "foo bar", "yes", "yes"},
    {"foo\\b.*", "foobar", "yes", "-"},
    {"^abc$", "abc", "yes", "yes"},
    {"(?m)a$\\nb", "a\nb", "yes", "yes"},
    {"(a*)*", "aaa", "yes", "yes"},
    {"(a*)+", "b", "yes", "-"},
    {"(|a)+", "aaa", "yes", "yes"},
    {"\\x41\\x{e9}", "A\xc3\xa9", "yes", "yes"},
    {".", "\xe2\x82\xac", "yes", "yes"}, // a character, not a byte
    {"[^a]", "\xe2\x82\xac", "yes", "yes"},
    {"..", "\xff\xfe", "yes", "yes"}, // what is no UTF-8 is bytes
};

static const char *outcome(const struct row *r)
{
    const struct lz_promql_regex *re = NULL;
    struct lz_promql_groups_found found;
    struct lz_err err;
    if (!lz_promql_regex_compile(&promql_stage.scratch, r->pattern, &re, NULL, &err))
        return lz_promql_scratch_text(&promql_stage.scratch, err.msg, strlen(err.msg));
    bool matches = lz_promql_regex_matches(re, r->text);
    if (lz_promql_regex_groups(re, r->text, &found) != matches)
        return "two answers";
    return matches ? lz_promql_regex_expand(&promql_stage.scratch, re, r->tmpl, r->text, &found)
                   : "-";
}

static void patterns_match_as_in_re2(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *got = outcome(&rows[i]);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s on %s: %s, and must be %s", rows[i].pattern, rows[i].text, got,
                     rows[i].want);
    }
}

struct refusal {
    const char *pattern;
    size_t where;
    const char *part;
};

static const struct refusal refusals[] = {
    {"a(b", 1, "( without a )"},
    {"a)b", 1, ") without a ("},
    {"a[b", 1, "[ without a ]"},
    {"*a", 0, "nothing to repeat"},
    {"a|+", 2, "nothing to repeat"},
    {"a**", 2, "two repetitions"},
    {"a{1001}", 7, "at most 1000"},
    {"a{100000}", 9, "at most 1000"},
    {"(a{100}){11}", 12, "come to more than 1000"},
    {"((a{10}){10,11}){10}", 20, "come to more than 1000"},
    {"(?:(?:(?:(?:){1000}){1000}){1000}){1000}", 26, "come to more than 1000"}, // emits nothing
    {"a{3,2}", 6, "at most"},
    {"[z-a]", 4, "ends before it begins"},
    {"(a)\\1", 4, "no back-references"},
    {"(?=a)", 2, "no look-ahead"},
    {"(?<!a)", 2, "no look-ahead"},
    {"(?U)a", 2, "flags"},
    {"\\pL", 1, "Unicode classes"},
    {"\\y", 1, "no such escape"},
    {"a\\", 2, "backslash at the end"},
    {"[[:foo:]]", 1, "no such class"},
    {"\\x4", 3, "hexadecimal"},
    {"(?P<1-2>a)", 4, "letters, digits"},
};

static void what_is_not_known_is_refused_where_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct lz_promql_regex *re = NULL;
        struct lz_err err = {0};
        size_t where = 99;
        bool ok =
            lz_promql_regex_compile(&promql_stage.scratch, refusals[i].pattern, &re, &where, &err);
        if (ok || where != refusals[i].where || strstr(err.msg, refusals[i].part) == NULL)
            fail_msg("%s: %s at %zu", refusals[i].pattern, ok ? "accepted" : err.msg, where);
    }
}

static void sizes_are_limited(void **state)
{
    (void)state;
    const struct lz_promql_regex *re = NULL;
    struct lz_err err;
    char deep[LZ_PROMQL_REGEX_BYTES_MAX + 2];
    memset(deep, '(', sizeof(deep));
    deep[sizeof(deep) - 1] = '\0';
    assert_false(lz_promql_regex_compile(&promql_stage.scratch, deep, &re, NULL, &err));
    assert_int_equal(err.code, LZ_EFULL);
    deep[200] = '\0';
    assert_false(lz_promql_regex_compile(&promql_stage.scratch, deep, &re, NULL, &err));
    assert_false(
        lz_promql_regex_compile(&promql_stage.scratch, "(?:abcdefghi){1000}", &re, NULL, &err));
    assert_non_null(strstr(err.msg, "repeat less often"));
}

// A backtracking matcher would need 2^40 steps.
static void time_is_text_times_pattern(void **state)
{
    (void)state;
    struct row r = {"(a?){40}a{40}", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "yes", "yes"};
    assert_string_equal(outcome(&r), "yes");
    r = (struct row){"(a*)*(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "yes",
                     "-"};
    assert_string_equal(outcome(&r), "-");
}

// What a run needs is made with the pattern: ten thousand series cost no more than one.
static void matching_takes_no_memory(void **state)
{
    (void)state;
    const struct lz_promql_regex *re = NULL;
    struct lz_promql_groups_found found;
    struct lz_promql_scratch own;
    struct lz_err err;
    lz_promql_scratch_init(&own, promql_stage.arena);
    assert_true(lz_promql_regex_compile(&own, "(x{1000})?y|(z+)", &re, NULL, &err));
    size_t total = own.total, used = own.used;
    for (uint32_t i = 0; i < 10000; i++) {
        assert_true(lz_promql_regex_matches(re, i % 2 == 0 ? "y" : "zz"));
        assert_true(lz_promql_regex_groups(re, "zz", &found));
        assert_int_equal(found.until[2], 2);
        assert_int_equal(found.from[1], -1);
    }
    assert_true(own.total == total && own.used == used);
    assert_true(total < 200000);
    lz_promql_scratch_finish(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_in_re2),
        cmocka_unit_test(what_is_not_known_is_refused_where_it_stands),
        cmocka_unit_test(sizes_are_limited),
        cmocka_unit_test(matching_takes_no_memory),
        cmocka_unit_test(time_is_text_times_pattern),
    };
    return cmocka_run_group_tests(tests, promql_stage_begin, promql_stage_end);
}
