// SQL from strangers: statements that are pieced together and spoilt, given to a store of a run.
// Whatever they say, what fails has changed nothing, a replica that replays the images is equal,
// and SQLite finds both files whole. The draws are the same in every run. TAP.
//
//     fuzz_sql ROUNDS FAILED
//
// The statement that is being tried is written to FAILED before a crash ends the program.

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/str.h"
#include "model/data/sql/store.h"

#define PER_STORE 150
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct lz_str tried;
static const char *failed_path;
static uint64_t state = 1;

static uint64_t draw(uint64_t below)
{
    state = lz_hash_mix(state, 0x9e3779b97f4a7c15u);
    return below > 0 ? state % below : 0;
}

static const char schema[] =
    "create table t(id integer primary key, name text unique, n int check (n >= 0), r real, b);"
    "create table pairs(a text, b int, v, primary key (a, b)) without rowid;"
    "create table kept(id integer primary key autoincrement, t references t(id) on delete cascade);"
    "create table counted(n); insert into counted values (0);"
    "create trigger counts after insert on t begin update counted set n = n + 1; end;"
    "create view both as select t.id, counted.n from t, counted;"
    "insert into t(name, n) values ('a', 1), ('b', 2), ('c', 3);";

static const char *const statements[] = {
    "insert into t(name, n, r, b) values (hex(randomblob(4)), 1, random() / 3.0, zeroblob(100))",
    "insert or replace into t(id, name, n) values (1 + abs(random() % 9), 'x', 5)",
    "insert or ignore into t(id, name) select id + 1, name from t",
    "insert into t(id) values (2) on conflict (id) do update set n = n + 1 returning *",
    "update t set n = n + 1, name = name || '!' where id % 2 = 0",
    "update t set id = id + 1000 where n > 2",
    "update or replace t set name = 'y'",
    "delete from t where id in (select id from t order by random() limit 2)",
    "insert into pairs values ('x', abs(random() % 100), current_timestamp)",
    "replace into pairs select name, id, r from t",
    "update pairs set b = -b, v = null",
    "delete from pairs",
    "insert into kept(t) select id from t limit 3",
    "delete from kept where id < 5",
    "create table later(a, b default (random()), c text collate nocase)",
    "insert into later(a) values (1), (2.5), ('x'), (null)",
    "alter table later add column d default 'more'",
    "alter table later rename column a to z",
    "alter table later rename to much_later",
    "create index i on t(n, name)",
    "drop index if exists i",
    "drop table if exists later",
    "create unique index if not exists u on pairs(v)",
    "with c(x) as (values(1) union select n from t) insert into pairs select 'c', x, x from c",
    "select * from both, t limit 9",
    "select json_group_array(name), total(r), printf('%d', n) from t group by n",
    "attach 'file:x' as y",
    "pragma writable_schema = on",
    "vacuum into 'x'",
    "begin",
    "select load_extension('x')",
    "create virtual table v using rtree(a, b, c)",
    "analyze",
    "reindex",
};

static const char *const words[] = {
    "(",
    ")",
    ",",
    ";",
    "'",
    "\"",
    "--",
    "/*",
    "null",
    "*",
    "select ",
    "from t ",
    " where ",
    "lz_log",
    "sqlite",
    "rowid",
    "9e999",
    "-1",
    "x'00'",
    "?1",
    ":key",
    "\xff",
    "main.",
    "temp.",
    "random()",
    " union all ",
    " values (1)",
    " returning *",
    "[",
    "`",
    "0x7fffffffffffffff",
    "zeroblob(1e9)",
    " collate binary",
    "glob",
    "like",
    "sqlite_master",
    "date('now')",
    " not null",
    "generated always as (1)",
};

static void mutate(struct lz_str *out)
{
    const char *source = statements[draw(COUNT(statements))];
    const char *other = statements[draw(COUNT(statements))];
    size_t len = strlen(source), from = (size_t)draw(len + 1), cut = (size_t)draw(12);
    if (cut > len - from)
        cut = len - from;
    lz_str_clear(out);
    if (draw(5) < 3) { // as it is
        lz_str_add(out, source);
        return;
    }
    lz_str_add_n(out, source, from);
    switch (draw(4)) {
    case 0:
        break;
    case 1:
        lz_str_add_n(out, other, (size_t)draw(strlen(other)));
        break;
    case 2:
        lz_str_add_char(out, (char)(1 + draw(255)));
        break;
    default:
        lz_str_add(out, words[draw(COUNT(words))]);
    }
    lz_str_add_n(out, source + from + cut, len - from - cut);
}

static void save(void)
{
    FILE *f = fopen(failed_path, "w");
    if (f == NULL)
        return;
    fwrite(tried.text, 1, tried.len, f);
    fclose(f);
}

static void on_crash(int sig)
{
    save();
    signal(sig, SIG_DFL);
    raise(sig);
}

static bool complain(const char *what)
{
    printf("# %s: %s\n", what, tried.text);
    save();
    return false;
}

struct pair {
    struct lz_store a, b;
    struct lz_statement_builder answer;
    uint64_t hash, run, failed;
};

static uint64_t hash(struct lz_store *s)
{
    return s->base.ops->hash(&s->base);
}

// One statement on the first, its image on the second.
static bool try_one(struct pair *p)
{
    struct lz_sql_statement st = {.text = tried.text, .size = (uint32_t)tried.len};
    struct lz_conflicts conflicts = {0};
    bool ok = lz_store_run(
        &p->a, &(struct lz_store_run){.statement = &st, .owner = p->run, .key = 7}, &p->answer);
    struct lz_image *image = NULL;
    if (p->a.is_open)
        image = lz_store_commit(&p->a, p->a.lsn + 1, &p->answer);
    p->run++;
    if (image == NULL) {
        p->failed += !ok;
        return hash(&p->a) == p->hash || complain("changed by what failed, or only reads");
    }
    p->b.base.ops->apply(&p->b.base, &(struct lz_change){.lsn = p->a.lsn, .image = image},
                         &conflicts);
    lz_image_release(image);
    p->hash = hash(&p->a);
    if (p->b.lsn != p->a.lsn)
        return complain("could not be replayed");
    if (conflicts.count > 0)
        return complain("in conflict with itself");
    return hash(&p->b) == p->hash || complain("other rows on the replica");
}

static bool fuzz(struct lz_arena *arena, uint64_t *run, uint64_t *failed)
{
    static struct pair p;
    memset(&p, 0, sizeof(p));
    p.answer.arena = arena;
    struct lz_store_opts opts = {.arena = arena};
    struct lz_store_fault f;
    lz_store_init(&p.a, &opts);
    lz_store_init(&p.b, &opts);
    if (!lz_store_load(&p.a, schema, strlen(schema), &f))
        return complain(f.text);
    p.b.base.ops->copy(&p.b.base, &p.a.base);
    p.hash = hash(&p.a);
    bool ok = true;
    for (int i = 0; i < PER_STORE && ok; i++) {
        mutate(&tried);
        ok = try_one(&p);
    }
    struct lz_err err = {0};
    if (ok && (!p.a.base.ops->check(&p.a.base, &err) || !p.b.base.ops->check(&p.b.base, &err)))
        ok = complain(err.msg);
    *run += p.run;
    *failed += p.failed;
    lz_store_finish(&p.a);
    lz_store_finish(&p.b);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: fuzz_sql ROUNDS FAILED\n");
        return 2;
    }
    failed_path = argv[2];
    lz_str_init(&tried);
    signal(SIGABRT, on_crash);
    signal(SIGSEGV, on_crash);
    uint64_t run = 0, failed = 0;
    bool ok = true;
    for (int i = 0; i < atoi(argv[1]) && ok; i++) {
        struct lz_arena *arena;
        struct lz_err err;
        if (!lz_arena_create(&(struct lz_arena_opts){.limit_bytes = (size_t)512 << 20}, &arena,
                             &err)) {
            fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
        ok = fuzz(arena, &run, &failed);
        lz_arena_destroy(arena);
    }
    printf("# %llu statements, %llu failed\n", (unsigned long long)run, (unsigned long long)failed);
    printf("%s 1 - what fails has changed nothing, and replicas are equal\n", ok ? "ok" : "not ok");
    // Both kinds were there.
    bool is_mixed = failed > run / 10 && failed < run;
    printf("%s 2 - some statements fail and others do not\n1..2\n", is_mixed ? "ok" : "not ok");
    lz_str_finish(&tried);
    return ok && is_mixed ? 0 : 1;
}
