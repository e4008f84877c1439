/*
 * What people and programs are shown of recorded runs, byte for byte.
 *
 * A row is a few records, made here by SQL as record/ would write them, and how they are
 * shown; <name>.out beside this file is what must come of it. So every verdict can be
 * looked at without a world that gives it. LZ_GOLDEN_WRITE=1 writes the files anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "record/record_rows.h"
#include "report/page.h"
#include "report/report.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define RUNS_MAX 4

#define RUN(name, case_id, verdict, why)                                                           \
    "insert into run (schema, version, file, scenario, case_id, seed, verdict, why, trace_hash,"   \
    " events, virtual_ns, warmup_ns, source) values ('lorenz.record/1', '0', 's/shop.lua', '" name \
    "', '" case_id "', 1, '" verdict "', '" why "', '0123456789abcdef', 123456, 600000000000,"     \
    " 60000000000, '-- a shop' || char(10) || 'expect \"back in 15 s\" {' || char(10) ||"          \
    " char(9) || 'after = outage,' || char(10) || '}' || char(10));"
#define EXPECT(id, name, verdict, actual, spare, why)                                              \
    "insert into expectation (id, name, line, temporal, verdict, severity, expected, actual,"      \
    " spare, why, margin) values (" id ", '" name "', 2, 'always', '" verdict                      \
    "', 'error', 'always below 300ms', '" actual "', '" spare "', '" why "', 0.25);"

// Requests fail from 4m00s to 4m22s; the deadline was 4m15s.
static const char story[] = RUN("The shop survives", "", "fail", "") EXPECT(
    "2", "nothing is lost", "pass", "0", "",
    "") "insert into component (id, name, kind, line, instances) values (1, 'shoppers', 'traffic', "
        "9, 1), (2, 'api', 'service', 5, "
        "2),"
        " (3, 'db', 'database', 3, 1);"
        "insert into instance values (1, 2, 1, null, 'a', 'eu'), (2, 2, 2, null, 'b', 'eu');"
        "insert into metric values (1, 2, 'errors.ratio', 'ratio', 'ratio', 0.01, 1),"
        " (2, 1, 'errors.rate', '/s', 'rate', 1.5, 1), (3, 2, 'failed.queue', 'count', 'total', 9, "
        "1),"
        " (4, 3, 'failed.queue', 'count', 'total', 1, 1), (5, 3, 'latency.p99', 's', 'quantile',"
        " null, 0);"
        "with recursive t(s) as (select 230 union all select s + 1 from t where s < 280)"
        " insert into series select 1, s * 1000000000, 1000000000,"
        " case when s between 240 and 261 then 0.09 - (s - 240) * 0.004 else 0 end, null, null, 100"
        " from t;"
        "with recursive t(s) as (select 230 union all select s + 1 from t where s < 280)"
        " insert into series select 2, s * 1000000000, 1000000000, 5.0, null, null,"
        " case when s between 240 and 261 then 5 else 0 end from t;"
        "insert into series values (3, 239000000000, 1000000000, 1e9, null, null, 1),"
        " (3, 250000000000, 1000000000, 10e9, null, null, 1),"
        " (4, 250000000000, 1000000000, 1e9, null, null, 1);"
        "insert into event values (1, 240000000000, null, null, 'fault', 'kill db', 43),"
        " (2, 240004000000, 2, 1, 'reset', 'api[1] 144 connections reset', null),"
        " (3, 240004000000, 2, 2, 'reset', 'api[2] 144 connections reset', null),"
        " (4, 245000000000, 3, null, 'declared_dead', 'db declared dead', null),"
        " (5, 500000000000, 3, null, 'dead', 'db ended', null);"
        "insert into request values (1, 1, 96204, 249200000000, 251200000000, 'timeout', null, 2,"
        " 'failed');"
        "insert into span values"
        " (1, 1, null, null, 1, 2, null, 1, 'timeout', null, 249200000000, 251200000000, 0, "
        "1210000000,"
        " 790000000, 0, 0), (1, 2, 1, 1, null, 3, null, 1, 'pending', null, 250400000000,"
        " 251200000000, 0, 0, 800000000, 0, 0);"
        "insert into expectation (id, name, line, temporal, metric, verdict, severity, expected,"
        " actual, spare, why, margin, value, at_ns, deadline_ns, within_ns, limit_value, limit_b,"
        " limit_text, violates, because) values (1, 'back in 15 s', 2, 'eventually', 1, 'fail',"
        " 'error', 'below 0.1% by 4m15s', 'took 22s', '7s too late', '', -0.47, 0.0, 262000000000,"
        " 255000000000, 15000000000, 0.001, 0.001, '0.1%', 'above', 'it is what we sell');";

static const char pass[] = RUN("Everything is as it should be", "", "pass", "")
    EXPECT("1", "p99 stays low", "pass", "worst 212ms at 3m12s", "29 % spare", "");
static const char unclear[] = RUN("Nobody came", "", "inconclusive", "no request was sent");
static const char unjudged[] = RUN("Search", "", "inconclusive", "x")
    EXPECT("1", "one", "pass", "0", "", "") EXPECT("2", "two", "pass", "0", "", "")
        EXPECT("3", "no stale read", "inconclusive", "no sample", "", "nobody read from a replica");
static const char budget[] = RUN("Endless", "", "budget", "the budget of events was used up");
static const char wrong[] =
    RUN("", "", "error",
        "") "update run set scenario = null, trace_hash = null, events = 0, virtual_ns = 0,"
            " error = 'error[LZ101]: no field `replica`' || char(10) || ' --> s/shop.lua:3:3';";
static const char diverged[] = RUN("Everything is as it should be", "", "diverged", "") EXPECT(
    "1", "p99 stays low", "pass", "worst 212ms at 3m12s", "29 % spare",
    "") "update run set token = 'lz1-1-0123456789ab-ba9876543210', error = 'not reproducible: "
        "two runs of seed 1 differ' || char(10) || 'event 12 differs:' || char(10) || "
        "'  first run   2.000000001s  work  entity 2  payload 0x7' || char(10) || "
        "'  second run  has no more events' || char(10);";
#define CASE(case_id, verdict, expectation)                                                        \
    RUN("Three speeds", case_id, verdict, "")                                                      \
    EXPECT("1", "answers are quick", expectation, "worst 20ms", "", "")                            \
    "insert into param values ('work', '" case_id "');"
static const char case_pass[] = CASE("work=1ms", "pass", "pass");
static const char case_fail[] = CASE("work=9ms", "fail", "fail");
static const char case_xfail[] = CASE("work=20ms", "xfail", "fail");
static const char case_xpass[] = CASE("work=5ms", "xpass", "pass");

// Control characters, broken UTF-8, a separator of lines, marks that turn the direction.
static const char hostile[] =
    RUN("", "", "pass",
        "") "update run set scenario = '</script>\"\\' || char(10, 9, 1, 27) || '[31m' ||"
            " cast(x'ff80e280a8e280aee281a6eda080' as text) || 'é';"
            "insert into param values ('a\"b', char(13) || '<');" EXPECT(
                "1", "it''s <b>", "pass", "", "",
                "") "update expectation set margin = null;"
                    "insert into component values (1, 'web', 'service', 1, 1, 123456);"
                    "insert into metric values (1, 1, 'tenth', 'ratio', 'ratio', 0.1, 1), (2, 1, "
                    "'third', 'ratio',"
                    " 'ratio', 1.0 / 3.0, 1), (3, 1, 'big', 'count', 'total', 214880, 1), (4, 1, "
                    "'none', 's',"
                    " 'mean', null, 0), (5, 1, 'tiny', 's', 'mean', 5e-324, 1);"
                    "insert into fault values (1, 'kill', 'kill web', 'web', 4, null, 7, null, 1, "
                    "12, 'x', 0);";

enum how { PLAIN, ASCII, COLOUR, QUIET, VERBOSE, JSON };
static const struct row {
    const char *name;
    const char *runs[RUNS_MAX];
    enum how how;
    int width, exit_code;
    const char *path;
} rows[] = {
    {"pass", {pass}, PLAIN, 80, 0, NULL},
    {"fail", {story}, PLAIN, 80, 1, ".lorenz/runs/shop-1.lzrun"},
    {"fail_40", {story}, PLAIN, 40, 1, ".lorenz/runs/shop-1.lzrun"},
    {"fail_ascii", {story}, ASCII, 80, 1, NULL},
    {"fail_colour", {story}, COLOUR, 80, 1, NULL},
    {"fail_quiet", {story}, QUIET, 80, 1, NULL},
    {"pass_verbose", {pass}, VERBOSE, 80, 0, NULL},
    {"inconclusive", {unclear}, PLAIN, 80, 3, NULL},
    {"unjudged", {unjudged}, PLAIN, 80, 3, NULL},
    {"budget", {budget}, PLAIN, 80, 7, NULL},
    {"error", {wrong}, PLAIN, 80, 2, NULL},
    {"diverged", {diverged}, PLAIN, 80, 6, NULL},
    {"cases_hold", {case_pass, case_xfail}, PLAIN, 80, 0, NULL},
    {"cases_fail", {case_pass, case_fail, case_xfail, case_xpass}, PLAIN, 80, 1, NULL},
    {"cases_xpass", {case_xpass}, PLAIN, 80, 1, NULL},
    {"nothing", {NULL}, PLAIN, 80, 5, NULL},
    {"hostile", {hostile}, ASCII, 80, 0, NULL},
    {"json", {case_xfail, wrong}, JSON, 80, 2, NULL},
    {"json_hostile", {hostile}, JSON, 80, 0, NULL},
};

static unsigned char *make(const char *sql, size_t *size)
{
    sqlite3 *db;
    char *message = NULL;
    sqlite3_int64 len;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, lz_record_schema, NULL, NULL, NULL), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    assert_int_equal(sqlite3_exec(db, "commit", NULL, NULL, NULL), SQLITE_OK);
    unsigned char *image = sqlite3_serialize(db, "main", &len, 0);
    assert_non_null(image);
    *size = (size_t)len;
    sqlite3_close(db);
    return image;
}

static void show(const struct row *row, struct lz_report_run *const *runs, size_t count,
                 struct lz_str *out)
{
    const struct lz_report_style style = {
        .width = row->width,
        .ascii = row->how == ASCII,
        .colour = row->how == COLOUR,
        .quiet = row->how == QUIET,
        .verbose = row->how == VERBOSE,
    };
    if (row->how == JSON) {
        const struct lz_report_options options = {.version = "0",
                                                  .seed = UINT64_MAX,
                                                  .exit_code = row->exit_code,
                                                  .exit_codes = (const int[]){2, 1},
                                                  .exit_code_count = row->exit_code > 0 ? 2 : 0};
        lz_report_format_find("json")->write(out, &options, runs, count);
        return;
    }
    lz_report_text_runs(out, &style, runs, count);
    lz_report_text_end(out, &style, runs, count, row->exit_code);
}

static void read_golden(const char *path, struct lz_str *out)
{
    char bytes[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return;
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        lz_str_add_n(out, bytes, n);
    fclose(file);
}

static void write_golden(const char *path, const struct lz_str *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->text, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

// Escape sequences take no room.
static void assert_fits(const char *name, const char *text, int width)
{
    char line[1024];
    while (*text != '\0') {
        size_t at = 0;
        for (; *text != '\n' && *text != '\0' && at + 1 < sizeof(line); text++) {
            if (*text == '\033')
                text = strchr(text, 'm');
            else
                line[at++] = *text;
        }
        line[at] = '\0';
        if (lz_str_width(line) > (size_t)width)
            fail_msg("%s: wider than %d: %s", name, width, line);
        if (at > 0 && line[at - 1] == ' ')
            fail_msg("%s: a blank at the end: %s", name, line);
        text += *text == '\n';
    }
}

static void render(const struct row *row, struct lz_str *out)
{
    unsigned char *images[RUNS_MAX];
    struct lz_report_run *runs[RUNS_MAX];
    size_t count = 0;
    for (; count < RUNS_MAX && row->runs[count] != NULL; count++) {
        struct lz_err err;
        size_t size;
        images[count] = make(row->runs[count], &size);
        assert_true(lz_report_open(images[count], size, &runs[count], &err));
        lz_report_set_path(runs[count], row->path);
    }
    show(row, runs, count, out);
    for (size_t i = 0; i < count; i++) {
        lz_report_close(runs[i]);
        sqlite3_free(images[i]);
    }
}

// What other programs read, of a run that fails, a hostile one, one of a case and one that is
// wrong.
static const char *const formatted[] = {story, hostile, case_xpass, wrong};

static void other_programs_read_as_before(void **state)
{
    (void)state;
    const char *folder = getenv("LZ_GOLDEN");
    unsigned char *images[COUNT(formatted)];
    struct lz_report_run *runs[COUNT(formatted)];
    // Pages are as they are without uPlot, so that they are equal for every build.
    const struct lz_report_options options = {
        .version = "0", .seed = 2, .exit_code = 2, .plain = true};
    assert_non_null(folder);
    for (size_t i = 0; i < COUNT(formatted); i++) {
        struct lz_err err;
        size_t size;
        images[i] = make(formatted[i], &size);
        assert_true(lz_report_open(images[i], size, &runs[i], &err));
    }
    for (size_t i = 0; i < lz_report_format_count(); i++) {
        const struct lz_report_format *format = lz_report_format_get(i);
        struct lz_str got, want, path;
        lz_str_init(&got);
        lz_str_init(&want);
        lz_str_init(&path);
        lz_str_addf(&path, "%s/format.%s", folder, format->name);
        format->write(&got, &options, runs, COUNT(formatted));
        if (getenv("LZ_GOLDEN_WRITE") != NULL)
            write_golden(path.text, &got);
        read_golden(path.text, &want);
        if (strcmp(got.text, want.text) != 0)
            fail_msg("%s is not as before:\n%s", path.text, got.text);
        lz_str_finish(&got);
        lz_str_finish(&want);
        lz_str_finish(&path);
    }
    for (size_t i = 0; i < COUNT(formatted); i++) {
        lz_report_close(runs[i]);
        sqlite3_free(images[i]);
    }
}

// What uPlot adds stands in one place, with its licence, and the rest is as without.
static void uplot_adds_one_piece_to_a_page(void **state)
{
    (void)state;
    struct lz_report_options options = {.version = "0", .seed = 1, .plain = true};
    struct lz_report_run *run;
    struct lz_err err;
    size_t size;
    if (lz_uplot_version[0] == '\0') {
        print_message("# no uPlot in this build: meson's option uplot says where it may be\n");
        return; // meson reads cmocka's "not ok # SKIP" as a failure
    }
    unsigned char *image = make(story, &size);
    assert_true(lz_report_open(image, size, &run, &err));
    struct lz_str plain, full;
    lz_str_init(&plain);
    lz_str_init(&full);
    lz_report_format_find("html")->write(&plain, &options, &run, 1);
    options.plain = false;
    lz_report_format_find("html")->write(&full, &options, &run, 1);
    assert_null(strstr(plain.text, "<!-- uPlot"));
    const char *piece = strstr(full.text, "<!-- uPlot ");
    assert_non_null(piece);
    size_t before = (size_t)(piece - full.text), added = full.len - plain.len;
    assert_memory_equal(full.text, plain.text, before);
    assert_string_equal(piece + added, plain.text + before);
    const char *const parts[] = {lz_uplot_version, lz_uplot_licence, lz_uplot_style,
                                 lz_uplot_script};
    for (size_t i = 0; i < COUNT(parts); i++)
        assert_non_null(strstr(piece, parts[i]));
    assert_non_null(strstr(lz_uplot_licence, "Permission is hereby granted"));
    lz_str_finish(&plain);
    lz_str_finish(&full);
    lz_report_close(run);
    sqlite3_free(image);
}

// GitHub hides what is above ten annotations, and refuses a summary above 1 MiB whole.
static void what_github_takes_is_bounded(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    static struct lz_report_run *runs[MANY];
    const struct lz_report_options options = {.version = "0", .seed = 1, .exit_code = 1};
    struct lz_err err;
    size_t size, lines = 0;
    unsigned char *image = make(story, &size);
    assert_true(lz_report_open(image, size, &runs[0], &err));
    for (size_t i = 1; i < MANY; i++)
        runs[i] = runs[0];
    struct lz_str out;
    lz_str_init(&out);
    lz_report_format_find("github")->write(&out, &options, runs, MANY);
    for (const char *c = out.text; *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 10);
    assert_non_null(strstr(out.text, "and 9991 more"));
    lz_str_clear(&out);
    lz_report_format_find("summary")->write(&out, &options, runs, MANY);
    assert_true(out.len < 1000000);
    assert_non_null(strstr(out.text, "more that did not pass"));
    lz_str_finish(&out);
    lz_report_close(runs[0]);
    sqlite3_free(image);
}

static void a_record_is_shown_as_before(void **state)
{
    (void)state;
    const char *folder = getenv("LZ_GOLDEN");
    assert_non_null(folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_str got, want, path;
        lz_str_init(&got);
        lz_str_init(&want);
        lz_str_init(&path);
        lz_str_addf(&path, "%s/%s.out", folder, rows[i].name);
        render(&rows[i], &got);
        if (rows[i].how != JSON)
            assert_fits(rows[i].name, got.text, rows[i].width);
        if (getenv("LZ_GOLDEN_WRITE") != NULL)
            write_golden(path.text, &got);
        read_golden(path.text, &want);
        if (strcmp(got.text, want.text) != 0)
            fail_msg("%s: got\n%s", rows[i].name, got.text);
        lz_str_finish(&path);
        lz_str_finish(&want);
        lz_str_finish(&got);
    }
}

static void ascii_means_seven_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct row row = rows[i];
        // The scenario's own é is passed through, so its row is not looked at.
        if (row.how == JSON || row.runs[0] == hostile)
            continue;
        struct lz_str got;
        lz_str_init(&got);
        row.how = ASCII;
        render(&row, &got);
        for (size_t at = 0; at < got.len; at++)
            if ((unsigned char)got.text[at] >= 0x80)
                fail_msg("%s: %s", row.name, got.text + at);
        lz_str_finish(&got);
    }
}

static void every_width_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int width = 40; width <= 132; width++) {
            struct row row = rows[i];
            if (row.how == JSON)
                break;
            struct lz_str got;
            lz_str_init(&got);
            row.width = width;
            render(&row, &got);
            assert_fits(row.name, got.text, width);
            lz_str_finish(&got);
        }
}

static void what_is_no_record_is_refused(void **state)
{
    (void)state;
    struct lz_report_run *run;
    struct lz_err err;
    unsigned char noise[8192];
    memset(noise, 0x5a, sizeof(noise));
    assert_false(lz_report_open(noise, 0, &run, &err));
    assert_false(lz_report_open(noise, sizeof(noise), &run, &err));

    size_t size;
    unsigned char *image = make("", &size); // no run
    assert_false(lz_report_open(image, size, &run, &err));
    sqlite3_free(image);
    image = make(RUN("x", "", "pass", "") "update run set schema = 'other/9';", &size);
    assert_false(lz_report_open(image, size, &run, &err));
    assert_string_equal(err.msg, "not a run file of this version of lorenz");
    assert_false(lz_report_open(image, 200, &run, &err)); // cut short
    sqlite3_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_shown_as_before),
        cmocka_unit_test(other_programs_read_as_before),
        cmocka_unit_test(uplot_adds_one_piece_to_a_page),
        cmocka_unit_test(what_github_takes_is_bounded),
        cmocka_unit_test(ascii_means_seven_bits),
        cmocka_unit_test(every_width_is_kept),
        cmocka_unit_test(what_is_no_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
