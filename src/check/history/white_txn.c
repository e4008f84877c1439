#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/txn.h"
#include "check/history/units.h"

/*
 * Transactions by versions. Nodes are units, edges are Adya's, with the order of versions that the
 * servers know: from the writer of a version to the next writer (ww), to its readers (wr), and from
 * these to the next writer (rw). Without a cycle any order along the edges is a serial one.
 */

// What a unit did to a key, as others can see it: its last write, or a read before it wrote.
struct touch {
    const struct lz_recorder_step *step;
    uint32_t unit;
    uint64_t version;
};

static bool is_read(const struct touch *t)
{
    return t->step->f == LZ_RECORDER_STEP_READ;
}

static int by_key_and_version(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct touch *x = a, *y = b;
    if (x->step->key != y->step->key)
        return x->step->key < y->step->key ? -1 : 1;
    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    if (is_read(x) != is_read(y)) // a version's write before its reads
        return is_read(x) ? 1 : -1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

struct graph {
    const struct lz_units *u;
    const struct lz_world *w;
    struct lz_history *h;
    struct lz_depend d;
    bool is_whole; /* all that happened is in it */
};

static uint32_t collect(struct graph *g, struct touch *out)
{
    const struct lz_units *u = g->u;
    uint32_t count = 0;
    for (uint32_t i = 0; i < u->count; i++) {
        const struct lz_units_one *unit = &u->all[i];
        const struct lz_recorder_step *steps = u->steps + unit->first;
        if (unit->outcome == LZ_RECORDER_FAIL || unit->is_initial)
            continue;
        for (uint32_t k = 0; k < unit->count; k++) {
            bool reads = steps[k].f == LZ_RECORDER_STEP_READ;
            if (!lz_units_is_external(steps, unit->count, k) ||
                (reads && unit->outcome != LZ_RECORDER_OK))
                continue;
            bool is_told = steps[k].has_version && !unit->is_repeated;
            g->is_whole = g->is_whole && is_told;
            if (is_told)
                out[count++] = (struct touch){&steps[k], i, steps[k].version};
        }
    }
    return count;
}

static void add(struct graph *g, const struct touch *from, const struct touch *to,
                enum lz_depend_kind kind)
{
    const struct lz_recorder_step *s = to->step;
    lz_depend_add(&g->d, &(struct lz_depend_edge){.from = from->unit,
                                                  .to = to->unit,
                                                  .kind = kind,
                                                  .key = lz_units_key(g->h, g->w, g->u->r, s->key),
                                                  .value = lz_units_value(g->h, g->w, s->value)});
}

// Two of one version, or a read of one that nobody is known to have written: the key is left out.
static bool is_clear(const struct touch *all, uint32_t count)
{
    uint64_t written = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (is_read(&all[i]) ? all[i].version != written : all[i].version == written)
            return false;
        written = all[i].version;
    }
    return true;
}

// A key's touches in order of version.
static void add_key(struct graph *g, const struct touch *all, uint32_t count)
{
    const struct touch *writer = NULL;
    uint32_t first_reader = 0;
    if (!is_clear(all, count)) {
        g->is_whole = false;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (is_read(&all[i])) {
            if (writer != NULL)
                add(g, writer, &all[i], LZ_DEPEND_WR);
            continue;
        }
        for (uint32_t r = first_reader; r < i; r++)
            if (is_read(&all[r]))
                add(g, &all[r], &all[i], LZ_DEPEND_RW);
        if (writer != NULL)
            add(g, writer, &all[i], LZ_DEPEND_WW);
        writer = &all[i];
        first_reader = i + 1;
    }
}

enum lz_judge_white lz_units_judge(const struct lz_units *u, const struct lz_world *w,
                                   struct lz_history *h, const struct lz_verify_opts *opts,
                                   struct lz_verify *v)
{
    *v = (struct lz_verify){.opts = opts, .h = h, .answer = LZ_VERIFY_HOLDS};
    lz_str_init(&v->why);
    lz_str_init(&v->facts);
    struct graph g = {.u = u, .w = w, .h = h, .is_whole = !u->has_unknown};
    struct touch *all = lz_mem_alloc((u->step_count + 1) * sizeof(*all));
    struct lz_err err;
    uint32_t count = collect(&g, all);
    lz_sort(all, count, sizeof(*all), by_key_and_version, NULL);
    lz_depend_init(&g.d, h);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && all[end].step->key == all[first].step->key; end++)
            ;
        add_key(&g, all + first, end - first);
    }
    bool ok = lz_txn_judge(v, &g.d, &err);
    LZ_ASSERT(ok); // the level was looked at before
    lz_depend_finish(&g.d);
    free(all);
    if (v->answer == LZ_VERIFY_VIOLATED)
        return LZ_JUDGE_REFUTED;
    return g.is_whole ? LZ_JUDGE_PROVEN : LZ_JUDGE_NOT_TOLD;
}

/*
 * Two units that read one version of a key, which somebody is known to have written, and both wrote
 * the key afterwards. `all` is of one key.
 */
static bool loses(const struct touch *all, uint32_t count)
{
    if (!is_clear(all, count))
        return false;
    for (uint32_t first = 0, end; first < count; first = end) {
        uint32_t updates = 0;
        for (end = first; end < count && all[end].version == all[first].version; end++)
            if (is_read(&all[end]) && all[end].version != 0 && all[end].step->value != 0)
                for (uint32_t i = 0; i < count; i++)
                    updates += !is_read(&all[i]) && all[i].unit == all[end].unit;
        if (updates > 1)
            return true;
    }
    return false;
}

#define LOST_MAX 4000u /* touches of a key: what is looked at is their square */

bool lz_units_lose_updates(const struct lz_units *u)
{
    struct graph g = {.u = u};
    struct touch *all = lz_mem_alloc((u->step_count + 1) * sizeof(*all));
    uint32_t count = collect(&g, all), kept = 0;
    bool is_lost = false;
    for (uint32_t i = 0; i < count; i++) // what its client does not know, it cannot tell
        if (u->all[all[i].unit].outcome == LZ_RECORDER_OK)
            all[kept++] = all[i];
    lz_sort(all, kept, sizeof(*all), by_key_and_version, NULL);
    for (uint32_t first = 0, end; first < kept; first = end) {
        for (end = first; end < kept && all[end].step->key == all[first].step->key; end++)
            ;
        is_lost = is_lost || (end - first <= LOST_MAX && loses(all + first, end - first));
    }
    free(all);
    return is_lost;
}
