/* Texts of scenarios with some atoms left out or replaced, and amounts made smaller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "explore/cut.h"

static const char text[] = "scenario \"S\" { duration = \"10m\" }\n"
                           "\n"
                           "-- what serves\n"
                           "local api = service \"api\" {\n"
                           "  replicas = 4, -- of them\n"
                           "  queue    = { max = 512, policy = \"fifo\" },\n"
                           "}\n"
                           "\n"
                           "fault.kill { api, at = \"4m\" }\n"
                           "fault.latency { api, add = \"3ms\", at = \"1m\" } -- a little\n"
                           "\n"
                           "expect \"it holds\" { always = api.errors.ratio:below \"1%\" }\n";

static size_t find(const struct lz_cut *cut, enum lz_atom_kind kind, const char *label)
{
    for (size_t i = 0; i < cut->atoms.count; i++)
        if (cut->atoms.items[i].kind == kind && strcmp(cut->atoms.items[i].label, label) == 0)
            return i;
    fail_msg("there is no %s", label);
    return 0;
}

// What stands where the first line that differs begins.
static void expect_cut(enum lz_atom_kind kind, const char *label, const char *with, const char *has,
                       const char *lacks)
{
    struct lz_cut cut;
    struct lz_str out;
    lz_cut_init(&cut, text, strlen(text));
    lz_str_init(&out);
    lz_cut_set(&cut, find(&cut, kind, label), with);
    lz_cut_write(&cut, &out);
    if (strstr(out.text, has) == NULL || strstr(out.text, lacks) != NULL)
        fail_msg("without %s:\n%s", label, out.text);
    lz_str_finish(&out);
    lz_cut_finish(&cut);
}

static void what_is_left_out_takes_its_line_and_comment(void **state)
{
    (void)state;
    expect_cut(LZ_ATOM_STATEMENT, "fault.latency api", "", "at = \"4m\" }\n\nexpect", "a little");
    expect_cut(LZ_ATOM_STATEMENT, "service api", "", "\"10m\" }\n\nfault.kill", "what serves");
    expect_cut(LZ_ATOM_ITEM, "replicas", "", "\"api\" {\n  queue", "of them");
    expect_cut(LZ_ATOM_ITEM, "queue.max", "", "{ policy = \"fifo\" }", "512");
    expect_cut(LZ_ATOM_ITEM, "queue.policy", "", "{ max = 512 }", "fifo");
    expect_cut(LZ_ATOM_ITEM, "queue", "", "-- of them\n}\n", "512");
    expect_cut(LZ_ATOM_LITERAL, "queue.max", "8", "max = 8, policy", "512");
    expect_cut(LZ_ATOM_LITERAL, "add", "\"1ms\"", "add = \"1ms\", at", "3ms");
}

static void nothing_left_out_leaves_the_text_alone(void **state)
{
    (void)state;
    struct lz_cut cut;
    struct lz_str out;
    lz_cut_init(&cut, text, strlen(text));
    lz_str_init(&out);
    lz_cut_write(&cut, &out);
    assert_string_equal(out.text, text);
    size_t service = find(&cut, LZ_ATOM_STATEMENT, "service api");
    size_t replicas = find(&cut, LZ_ATOM_ITEM, "replicas");
    assert_int_equal(cut.atoms.items[replicas].parent, service);
    assert_true(lz_cut_is_there(&cut, replicas));
    lz_cut_set(&cut, service, "");
    assert_false(lz_cut_is_there(&cut, replicas));
    lz_str_finish(&out);
    lz_cut_finish(&cut);
}

static void what_is_no_lua_has_no_atoms(void **state)
{
    (void)state;
    static const char *const table[] = {"",   "local = 3", "x = {",     "if x then",
                                        "f(", "= 3",       "(((((((((("};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_cut cut;
        lz_cut_init(&cut, table[i], strlen(table[i]));
        assert_int_equal(cut.atoms.count, 0);
        lz_cut_finish(&cut);
    }
}

static void amounts_are_scaled_in_their_own_manner(void **state)
{
    (void)state;
    static const struct {
        const char *literal;
        double factor;
        const char *want; // NULL: it is no amount, or the same
    } table[] = {
        {"\"4m\"", 0.5, "\"2m\""},
        {"\"1m\"", 0.5, "\"30s\""},
        {"\"1m30s\"", 0.5, "\"45s\""},
        {"\"1s\"", 0.125, "\"130ms\""},
        {"\"10m\"", 0.75, "\"450s\""},
        {"\"3s\"", 0.5, "\"1.5s\""},
        {"\"47m\"", 0.5, "\"1400s\""},
        {"\"67h\"", 0.5, "\"2000m\""},
        {"\"900/s\"", 0.5, "\"450/s\""},
        {"\"1/s\"", 0.125, "\"0.13/s\""},
        {"\"5%\"", 0.5, "\"2.5%\""},
        {"4", 0.5, "2"},
        {"3", 0.5, "1"},
        {"1", 0.5, NULL},
        {"1", 2.0, "2"},
        {"512", 0.5, "260"},
        {"2.5", 0.5, "1.3"},
        {"0", 0.5, NULL},
        {"\"fifo\"", 0.5, NULL},
        {"\"64MiB\"", 0.5, "\"32MiB\""},
        {"\"0s\"", 0.5, NULL},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct lz_str out;
        lz_str_init(&out);
        bool is_amount = lz_cut_scale(table[i].literal, table[i].factor, &out);
        if (is_amount != (table[i].want != NULL) ||
            (is_amount && strcmp(out.text, table[i].want) != 0))
            fail_msg("%s by %g is %s", table[i].literal, table[i].factor, out.text);
        lz_str_finish(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_takes_its_line_and_comment),
        cmocka_unit_test(nothing_left_out_leaves_the_text_alone),
        cmocka_unit_test(what_is_no_lua_has_no_atoms),
        cmocka_unit_test(amounts_are_scaled_in_their_own_manner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
