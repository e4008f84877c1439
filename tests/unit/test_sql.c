/*
 * A node's SQLite must answer as SQLite does, reach nothing outside of the run, say the same again
 * for the same draws, be equal on every node that applied the same images, and know after a loss of
 * power what its disk kept.
 *
 * Method: stores without a world; statements are texts, an answer is shown as one ("a|b;c|d", or
 * the error), and the disk's word on each write is a function of the test.
 */
#include "model/data/sql/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MIB ((size_t)1024 * 1024)

static struct lz_arena *arena;
static struct lz_statement_builder answer;
static char shown[4096];

static int setup(void **state)
{
    (void)state;
    struct lz_err err = {0};
    struct lz_arena_opts opts = {.limit_bytes = 256 * MIB};
    if (!lz_arena_create(&opts, &arena, &err))
        return -1;
    answer = (struct lz_statement_builder){.arena = arena};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lz_arena_destroy(arena);
    return 0;
}

static void load(struct lz_store *s, const char *sql)
{
    struct lz_store_fault f;
    bool ok = lz_store_load(s, sql, strlen(sql), &f);
    if (!ok)
        print_error("%s\n", f.text);
    assert_true(ok);
}

static struct lz_store *make(const char *schema)
{
    struct lz_store *s = lz_arena_alloc(arena, sizeof(*s));
    lz_store_init(s, &(struct lz_store_opts){.arena = arena});
    load(s, schema);
    return s;
}

static struct lz_store *copy_of(struct lz_store *from)
{
    struct lz_store *s = lz_arena_alloc(arena, sizeof(*s));
    lz_store_init(s, &(struct lz_store_opts){.arena = arena});
    s->base.ops->copy(&s->base, &from->base);
    return s;
}

// The answer as one text.
static const char *show(bool ok)
{
    size_t n = 0;
    shown[0] = '\0';
    if (!ok)
        snprintf(shown, sizeof(shown), "%s: %s", answer.answer.code, answer.error);
    uint32_t columns = answer.answer.columns;
    for (uint32_t i = 0; ok && i < answer.cell_count && n < sizeof(shown); i++) {
        const struct lz_cell *c = &answer.cells[i];
        const char *end = (i + 1) % columns == 0 ? ";" : "|";
        char *out = shown + n;
        size_t left = sizeof(shown) - n;
        if (c->kind == LZ_CELL_INTEGER)
            n += (size_t)snprintf(out, left, "%lld%s", (long long)c->integer, end);
        else if (c->kind == LZ_CELL_FLOAT)
            n += (size_t)snprintf(out, left, "%g%s", c->real, end);
        else if (c->kind == LZ_CELL_NULL)
            n += (size_t)snprintf(out, left, "null%s", end);
        else
            n +=
                (size_t)snprintf(out, left, "%.*s%s", (int)c->size, answer.bytes + c->integer, end);
    }
    return shown;
}

static const char *run_as(struct lz_store *s, const char *sql, uint64_t owner)
{
    struct lz_sql_statement st = {.text = sql, .size = (uint32_t)strlen(sql)};
    bool ok = lz_store_run(s, &(struct lz_store_run){.statement = &st, .owner = owner}, &answer);
    if (s->is_open) {
        struct lz_image *image = lz_store_commit(s, s->lsn + 1, &answer);
        ok = image != NULL;
        lz_image_release(image);
    }
    return show(ok);
}

static const char *run(struct lz_store *s, const char *sql)
{
    return run_as(s, sql, 1);
}

// Run on the one, replayed on the other.
static void run_on_both(struct lz_store *a, struct lz_store *b, const char *sql,
                        struct lz_conflicts *conflicts)
{
    struct lz_sql_statement st = {.text = sql, .size = (uint32_t)strlen(sql)};
    bool ok = lz_store_run(a, &(struct lz_store_run){.statement = &st, .owner = a->lsn}, &answer);
    if (!ok)
        print_error("%s: %s\n", sql, answer.error);
    assert_true(ok && a->is_open);
    struct lz_image *image = lz_store_commit(a, a->lsn + 1, &answer);
    assert_non_null(image);
    b->base.ops->apply(&b->base, &(struct lz_change){.lsn = a->lsn, .image = image}, conflicts);
    assert_int_equal(b->lsn, a->lsn);
    lz_image_release(image);
}

static uint64_t hash(struct lz_store *s)
{
    return s->base.ops->hash(&s->base);
}

static const char schema[] = "create table t(id integer primary key, name text unique, n int check "
                             "(n >= 0), r real, b blob);"
                             "create table pairs(a text, b int, v, primary key (a, b)) without "
                             "rowid;"
                             "create table names(name text primary key, n);"
                             "create table log(what);";

static void statements_answer_as_sqlite_does(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *expected;
    } rows[] = {
        {"insert into t values (1, 'one', 1, 1.5, x'00ff')", ""},
        {"insert into t(name, n) values ('two', 2) returning id", "2;"},
        {"select id, name, n, r from t order by id", "1|one|1|1.5;2|two|2|null;"},
        {"insert into t(name) values ('one')", "constraint: UNIQUE constraint failed: t.name"},
        {"insert into t(n) values (-1)", "constraint: CHECK constraint failed: n >= 0"},
        {"select absent from t", "statement: no such column: absent"},
        {"selec 1", "statement: near \"selec\": syntax error"},
        {"select 1; select 2", "statement: one statement at a time"},
        {"", "statement: there is no statement in it"},
        {"select ?", "parameters: the statement has 1 parameters, got 0 values"},
        {"with recursive c(x) as (values(1) union all select x + 1 from c limit 5) select sum(x) "
         "from c",
         "15;"},
        {"select count(*) from t", "2;"}, // what failed has changed nothing
    };
    struct lz_store *s = make(schema);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(run(s, rows[i].sql), rows[i].expected);
}

static void nothing_outside_of_the_run_is_reached(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "attach 'file:/etc/passwd' as x",
        "detach main",
        "pragma journal_mode = delete",
        "pragma table_info(t)",
        "select * from pragma_table_info('t')",
        "select load_extension('x')",
        "select writefile('x', 'y')",
        "select readfile('/etc/passwd')",
        "select sqlite_version()",
        "begin",
        "commit",
        "savepoint x",
        "create temp table x(y)",
        "create virtual table x using fts5(y)",
        "select * from lz_log",
        "update lz_log set lsn = 9",
        "drop table lz_log",
        "select * from sqlite_stmt",
    };
    struct lz_store *s = make(schema);
    for (size_t i = 0; i < COUNT(refused); i++) {
        const char *said = run(s, refused[i]);
        if (strncmp(said, "refused: ", 9) != 0 && strstr(said, " is refused: ") == NULL)
            print_error("%s -> %s\n", refused[i], said);
        assert_true(strncmp(said, "refused: ", 9) == 0 || strstr(said, " is refused: ") != NULL);
    }
    static const char *const impossible[] = {"vacuum", "vacuum into 'x'",
                                             "update sqlite_master set sql = ''",
                                             "select datetime('now', 'localtime')"};
    for (size_t i = 0; i < COUNT(impossible); i++) {
        const char *said = run(s, impossible[i]);
        if (strchr(said, ':') == NULL || strchr(said, ';') != NULL)
            print_error("%s -> %s\n", impossible[i], said != NULL ? said : "nothing");
        assert_true(strchr(said, ':') != NULL && strchr(said, ';') == NULL);
    }
    assert_string_equal(run(s, "select count(*) from log"), "0;");
}

static void a_query_without_end_is_stopped(void **state)
{
    (void)state;
    struct lz_store *s = make(schema);
    static const char endless[] =
        "with recursive c(x) as (values(1) union all select x + 1 from c) select max(x) from c";
    assert_string_equal(run(s, endless),
                        "steps: stopped after 10 million steps: does the query end?");
    assert_string_equal(run(s, "select 1"), "1;");
}

static void chance_and_time_are_the_runs(void **state)
{
    (void)state;
    static const char chance[] =
        "select random(), hex(randomblob(8)), datetime('now'), current_timestamp, julianday('now')";
    struct lz_store *a = make(schema), *b = make(schema);
    char first[256];
    snprintf(first, sizeof(first), "%s", run_as(a, chance, 7));
    assert_non_null(strstr(first, "|2000-01-01 00:00:00|2000-01-01 00:00:00|"));
    assert_string_equal(run_as(b, chance, 7), first);
    assert_string_not_equal(run_as(b, chance, 8), first);
    assert_string_equal(run_as(a, chance, 7), first); // whatever was asked between
    // A row id that SQLite chooses by chance, once the largest is taken.
    static const char largest[] = "insert into log(rowid, what) values (9223372036854775807, 'x')";
    static const char chosen[] = "insert into log(what) values ('y') returning rowid";
    run(a, largest);
    run(b, largest);
    snprintf(first, sizeof(first), "%s", run_as(a, chosen, 9));
    assert_string_equal(run_as(b, chosen, 9), first);
}

static const char *const changes[] = {
    "insert into t(name, n, r, b) values ('a', 1, 2.5, x'01'), ('b', 2, null, null)",
    "insert into t(name, n, r, b) values ('c', 3, 1, zeroblob(3000))",
    "insert into names values ('ann', 1), ('bob', 2), ('cyd', 3)",
    "insert into pairs values ('x', 1, 'v'), ('x', 2, null), ('y', 1, 2.5)",
    "insert into log values (1), (1), (1), ('two'), (null)",
    "update t set n = n + 1, name = name || '!'",
    "update t set id = id + 100 where n > 2",
    "update names set name = name || 'a' where n = 2",
    "update pairs set b = b + 10, v = 'w'",
    "update log set rowid = rowid + 50 where what = 1",
    "update log set what = 'one' where rowid = 51",
    "delete from t where n = 2",
    "delete from pairs where a = 'x' and b = 12",
    "delete from log where what = 'one'",
    "insert or replace into t(id, name, n) values (500, 'c!', 9)",
    "create table later(a, b default 3)",
    "insert into later(a) select name from names",
    "alter table later add column c default 'x'",
    "update later set c = random()",
    "create index later_a on later(a)",
    "drop table names",
};

static void replicas_are_equal_after_the_same_images(void **state)
{
    (void)state;
    struct lz_store *a = make(schema), *b = copy_of(a);
    struct lz_conflicts conflicts = {0};
    for (size_t i = 0; i < COUNT(changes); i++) {
        uint64_t before = hash(a);
        run_on_both(a, b, changes[i], &conflicts);
        if (hash(a) != hash(b))
            print_error("after %s\n", changes[i]);
        assert_int_equal(hash(a), hash(b));
        if (strstr(changes[i], "set rowid") == NULL) // which is no content
            assert_int_not_equal(hash(a), before);
    }
    assert_int_equal(conflicts.count, 0);
    struct lz_err err;
    assert_true(b->base.ops->check(&b->base, &err));
}

static void triggers_and_foreign_keys_act_once(void **state)
{
    (void)state;
    struct lz_store *a =
        make("create table p(id integer primary key);"
             "create table c(id integer primary key, p references p(id) on delete cascade);"
             "create table seen(n); insert into seen values (0);"
             "create trigger tr after insert on c begin update seen set n = n + 1; end;");
    struct lz_store *b = copy_of(a);
    static const char *const list[] = {
        "insert into p values (1), (2)",
        "insert into c(p) values (1), (1), (2)",
        "delete from p where id = 1",
    };
    struct lz_conflicts conflicts = {0};
    for (size_t i = 0; i < COUNT(list); i++)
        run_on_both(a, b, list[i], &conflicts);
    assert_int_equal(hash(a), hash(b));
    assert_int_equal(conflicts.count, 0);
    assert_string_equal(run(b, "select n, (select count(*) from c) from seen"), "3|1;");
    assert_string_equal(run(a, "insert into c(p) values (9)"),
                        "constraint: FOREIGN KEY constraint failed");
}

struct rule {
    bool takes;
    char asked[200];
};

static bool decide(void *ctx, const struct lz_conflict *c)
{
    struct rule *r = ctx;
    const struct lz_image_row *rows[] = {&c->expected, &c->found, &c->wanted};
    size_t n = strlen(r->asked);
    for (size_t i = 0; i < COUNT(rows); i++)
        n += (size_t)snprintf(r->asked + n, sizeof(r->asked) - n, "%lld ",
                              rows[i]->count > 0 ? (long long)rows[i]->cells[1].integer : -1);
    return r->takes;
}

static void a_row_that_does_not_match_is_a_conflict(void **state)
{
    (void)state;
    static const struct {
        const char *here, *there; // both begin with (1, 10)
        bool takes;
        const char *asked, *after;
    } rows[] = {
        {"update k set n = 11", "update k set n = 12", true, "10 11 12 ", "1|12;"},
        {"update k set n = 11", "update k set n = 12", false, "10 11 12 ", "1|11;"},
        {"delete from k", "update k set n = 12", true, "10 -1 12 ", "1|12;"},
        {"delete from k", "update k set n = 12", false, "10 -1 12 ", ""},
        {"update k set n = 11", "delete from k", true, "10 11 -1 ", ""},
        {"update k set n = 11", "delete from k", false, "10 11 -1 ", "1|11;"},
        {"insert into k values (2, 20)", "insert into k values (2, 21)", true, "-1 20 21 ",
         "1|10;2|21;"},
        {"insert into k values (2, 20)", "insert into k values (2, 21)", false, "-1 20 21 ",
         "1|10;2|20;"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_store *a = make("create table k(id integer primary key, n int);"
                                  "insert into k values (1, 10);");
        struct lz_store *b = copy_of(a);
        struct rule rule = {.takes = rows[i].takes};
        struct lz_conflicts conflicts = {.rule = decide, .ctx = &rule};
        run(b, rows[i].here);
        b->lsn = 0; // its own log is another one
        run_on_both(a, b, rows[i].there, &conflicts);
        assert_int_equal(conflicts.count, 1);
        assert_string_equal(rule.asked, rows[i].asked);
        assert_string_equal(run(b, "select * from k order by id"), rows[i].after);
    }
}

static void pending_changes_are_seen_by_their_transaction_alone(void **state)
{
    (void)state;
    struct lz_store *s = make("create table k(id integer primary key, n int);"
                              "insert into k values (1, 10), (2, 20);");
    static const char *const texts[] = {"update k set n = 11 where id = 1",
                                        "insert into k select 3, sum(n) from k"};
    struct lz_image *pending[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct lz_sql_statement st = {.text = texts[i], .size = (uint32_t)strlen(texts[i])};
        struct lz_store_run one = {.statement = &st, .pending = pending, .pending_count = i};
        assert_true(lz_store_run(s, &one, &answer));
        uint32_t keys = 0;
        assert_non_null(lz_store_keys(s, &keys));
        assert_true(keys > 0);
        pending[i] = lz_store_set_aside(s);
        assert_string_equal(run(s, "select sum(n) from k"), "30;");
    }
    struct lz_image *all = lz_store_commit_all(s, pending, 2, 1, &answer);
    assert_non_null(all);
    assert_string_equal(run(s, "select id, n from k"), "1|11;2|20;3|31;");
    assert_true(lz_store_take_back(s, all));
    assert_string_equal(run(s, "select id, n from k"), "1|10;2|20;");
    assert_int_equal(s->lsn, 0);
}

static void a_snapshot_comes_back_as_it_was(void **state)
{
    (void)state;
    struct lz_store *s = make(schema);
    run(s, "insert into log values ('before')");
    struct lz_snapshot *snapshot = s->base.ops->save(&s->base);
    uint64_t then = hash(s);
    for (int i = 0; i < 3000; i++) // past a checkpoint of SQLite's log
        run(s, "insert into log values ('after')");
    assert_int_not_equal(hash(s), then);
    s->base.ops->restore(&s->base, snapshot);
    assert_int_equal(hash(s), then);
    assert_int_equal(s->lsn, 1);
    s->base.ops->drop(&s->base, snapshot);
}

// ---- the disk

static struct lz_volume_fate now; // what becomes of every write

static struct lz_volume_fate fate(void *ctx, uint64_t nth)
{
    (void)ctx;
    struct lz_volume_fate f = now;
    f.where = (double)(nth % 97) / 97.0;
    return f;
}

static void power_lost_under_a_fault_loses_what_it_says(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct lz_volume_fate fate;
        uint64_t kept; // of 20, the last 10 written under the fault; -1: broken or fewer
    } rows[] = {
        {"none", {0}, 20},
        {"lies", {.lies = true}, 10},
        {"loses", {.loses = true}, 10},
        {"tears", {.tears = true}, 19},
        {"misdirects", {.misdirects = true}, 10},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_store *s = make("create table k(id integer primary key, t);");
        struct lz_err err = {0};
        now = (struct lz_volume_fate){0};
        s->volume.fate = fate;
        for (int n = 0; n < 20; n++) {
            if (n == 10)
                now = rows[i].fate;
            run(s, "insert into k(t) values (hex(randomblob(200)))");
        }
        lz_store_close(s, false); // the process alone: all is there
        assert_true(lz_store_recover(s, &err));
        assert_int_equal(s->lsn, 20);
        s->volume.fate = NULL;
        lz_store_close(s, true);
        bool ok = lz_store_recover(s, &err);
        if (!rows[i].fate.misdirects) {
            assert_true(ok);
            assert_int_equal(s->lsn, rows[i].kept);
        } else {
            assert_true(!ok || s->lsn <= 10);
        }
    }
}

static void an_honest_flush_brings_what_was_held_back(void **state)
{
    (void)state;
    struct lz_store *s = make("create table k(id integer primary key);");
    struct lz_err err;
    s->volume.fate = fate;
    now = (struct lz_volume_fate){.lies = true};
    run(s, "insert into k values (1)");
    now = (struct lz_volume_fate){0};
    run(s, "insert into k values (2)");
    lz_store_close(s, true);
    assert_true(lz_store_recover(s, &err));
    assert_int_equal(s->lsn, 2);
    assert_string_equal(run(s, "select count(*) from k"), "2;");
}

static void a_lie_over_a_checkpoint_can_break_the_file(void **state)
{
    (void)state;
    struct lz_store *s = make("create table k(id integer primary key, t);");
    struct lz_err err = {0};
    for (int n = 0; n < 400; n++)
        run(s, "insert into k(t) values (hex(randomblob(2000)))");
    // Pages that were moved from the log into the file never got there.
    now = (struct lz_volume_fate){.misdirects = true};
    s->volume.fate = fate;
    for (int n = 0; n < 600; n++)
        run(s, "update k set t = hex(randomblob(2000)) where id = 1 + abs(random() % 400)");
    s->volume.fate = NULL;
    lz_store_close(s, true);
    bool ok = lz_store_recover(s, &err);
    assert_true(!ok || s->lsn < 1000);
    if (!ok)
        assert_true(strlen(err.msg) > 0);
}

static void errors_of_the_disk_are_sqlites(void **state)
{
    (void)state;
    struct lz_store *s = make("create table k(id integer primary key);");
    s->volume.failure = SQLITE_FULL;
    assert_string_equal(run(s, "insert into k values (1)"), "full: database or disk is full");
    s->volume.failure = SQLITE_IOERR;
    assert_string_equal(run(s, "insert into k values (1)"), "io: disk I/O error");
    s->volume.failure = 0;
    assert_string_equal(run(s, "select count(*) from k"), "0;");
    assert_string_equal(run(s, "insert into k values (1)"), "");
    assert_int_equal(s->lsn, 1);
}

static void a_wrong_schema_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *text, *at;
    } rows[] = {
        {"create table a(b); create tabel c(d)", "near \"tabel\": syntax error", "tabel"},
        {"create table a(b)\n; select x from a", "no such column: x", "x from"},
        {"create table a(b); insert into a values (1, 2)",
         "table a has 1 columns but 2 values were supplied", "insert"},
        {"create table a(b);\nattach 'x' as y",
         "ATTACH is refused: a scenario reaches no file "
         "through SQL",
         "attach"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lz_store *s = make("");
        struct lz_store_fault f;
        assert_false(lz_store_load(s, rows[i].sql, strlen(rows[i].sql), &f));
        assert_string_equal(f.text, rows[i].text);
        if (SQLITE_VERSION_NUMBER >= 3038000)
            assert_ptr_equal(rows[i].sql + f.at, strstr(rows[i].sql, rows[i].at));
        assert_string_equal(run(s, "select count(*) from sqlite_master where name = 'a'"), "0;");
    }
}

static void a_statement_says_what_it_does(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *verb;
    } rows[] = {
        {"SELECT 1", "select"},
        {"  -- a line\n/* and\nmore */ Insert into t values (1)", "insert"},
        {"with x as (select 1 from y) select * from x", "select"},
        {"with x as (delete from y) update t set n = 1", "update"},
        {"values (1)", "select"},
        {"explain select 1", "select"},
        {"", ""},
        {"'insert' 5", ""},
    };
    char verb[16];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(lz_statement_verb(rows[i].sql, strlen(rows[i].sql), verb),
                            rows[i].verb);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statements_answer_as_sqlite_does),
        TEST(nothing_outside_of_the_run_is_reached),
        TEST(a_query_without_end_is_stopped),
        TEST(chance_and_time_are_the_runs),
        TEST(replicas_are_equal_after_the_same_images),
        TEST(triggers_and_foreign_keys_act_once),
        TEST(a_row_that_does_not_match_is_a_conflict),
        TEST(pending_changes_are_seen_by_their_transaction_alone),
        TEST(a_snapshot_comes_back_as_it_was),
        TEST(power_lost_under_a_fault_loses_what_it_says),
        TEST(an_honest_flush_brings_what_was_held_back),
        TEST(a_lie_over_a_checkpoint_can_break_the_file),
        TEST(errors_of_the_disk_are_sqlites),
        TEST(a_wrong_schema_says_where),
        TEST(a_statement_says_what_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
