#include "base/check.h"
#include "model/data/engine.h"

/* rows.h behind the table of engine.h: a version is an LSN, so a change is one put. */

struct lz_snapshot {
    struct lz_rows rows;
    uint64_t lsn;
};

static struct lz_rows_engine *of(struct lz_engine *e)
{
    LZ_ASSERT(e != NULL);
    return (struct lz_rows_engine *)e;
}

static void apply(struct lz_engine *e, const struct lz_change *c, struct lz_conflicts *conflicts)
{
    (void)conflicts; // a put asks nobody what was there
    LZ_ASSERT(c->image == NULL);
    struct lz_rows_engine *r = of(e);
    lz_rows_put(r->rows, c->key, c->lsn, c->value);
    r->lsn = c->lsn;
}

static uint64_t lsn(const struct lz_engine *e)
{
    return ((const struct lz_rows_engine *)e)->lsn;
}

static void copy(struct lz_engine *e, const struct lz_engine *from)
{
    const struct lz_rows_engine *other = (const struct lz_rows_engine *)from;
    LZ_ASSERT(from->ops == e->ops);
    lz_rows_copy(of(e)->rows, other->rows);
    of(e)->lsn = other->lsn;
}

static struct lz_snapshot *save(struct lz_engine *e)
{
    struct lz_snapshot *s = lz_arena_alloc(e->arena, sizeof(*s));
    lz_rows_init(&s->rows, e->arena);
    lz_rows_copy(&s->rows, of(e)->rows);
    s->lsn = of(e)->lsn;
    return s;
}

static void restore(struct lz_engine *e, const struct lz_snapshot *s)
{
    lz_rows_copy(of(e)->rows, &s->rows);
    of(e)->lsn = s->lsn;
}

static void drop(struct lz_engine *e, struct lz_snapshot *s)
{
    lz_rows_finish(&s->rows);
    lz_arena_free(e->arena, s, sizeof(*s));
}

static uint64_t hash(struct lz_engine *e)
{
    return lz_rows_hash(of(e)->rows);
}

static bool check(struct lz_engine *e, struct lz_err *out)
{
    (void)out;
    return of(e)->rows->group_count <= of(e)->rows->group_cap; // no faults reach a map in memory
}

static size_t bytes(const struct lz_engine *e)
{
    return lz_rows_bytes(((const struct lz_rows_engine *)e)->rows);
}

void lz_rows_engine_init(struct lz_rows_engine *e, struct lz_rows *rows)
{
    static const struct lz_engine_ops ops = {.name = "rows",
                                             .apply = apply,
                                             .lsn = lsn,
                                             .copy = copy,
                                             .save = save,
                                             .restore = restore,
                                             .drop = drop,
                                             .hash = hash,
                                             .check = check,
                                             .bytes = bytes};
    LZ_ASSERT(rows->arena != NULL);
    *e = (struct lz_rows_engine){.base = {.ops = &ops, .arena = rows->arena}, .rows = rows};
}
