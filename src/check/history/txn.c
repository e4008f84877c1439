#include "check/history/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"

static int by_key_value(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_txn_write *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

bool lz_txn_writes(struct lz_verify *v, enum lz_history_f f, struct lz_txn_writes *out)
{
    const struct lz_history *h = v->h;
    *out = (struct lz_txn_writes){.all = lz_mem_alloc((h->part_count + 1) * sizeof(*out->all))};
    for (uint32_t i = 0; i < h->op_count; i++) {
        const struct lz_history_op *op = &h->ops[i];
        for (uint32_t j = 0; j < op->part_count; j++) {
            const struct lz_history_part *p = lz_history_part(h, op, j);
            if (p->f != f)
                continue;
            bool is_last = true;
            for (uint32_t k = j + 1; k < op->part_count && is_last; k++) {
                const struct lz_history_part *q = lz_history_part(h, op, k);
                is_last = q->f != f || q->key != p->key;
            }
            out->all[out->count++] = (struct lz_txn_write){
                .key = p->key, .value = p->value, .op = i, .is_last = is_last};
        }
    }
    lz_sort(out->all, out->count, sizeof(*out->all), by_key_value, NULL);
    for (uint32_t i = 1; i < out->count; i++) {
        if (by_key_value(&out->all[i - 1], &out->all[i], NULL) != 0)
            continue;
        const struct lz_history_op *op = &h->ops[out->all[i].op];
        lz_txn_found(v, "duplicate-write", op, out->all[i].key, out->all[i].value,
                     "wrote what was written before: who saw which cannot be told");
        v->answer = LZ_VERIFY_UNKNOWN;
        return false;
    }
    return true;
}

void lz_txn_writes_finish(struct lz_txn_writes *writes)
{
    free(writes->all);
    *writes = (struct lz_txn_writes){0};
}

static uint32_t lower_bound(const struct lz_txn_writes *writes, lz_atom key, lz_atom value)
{
    const struct lz_txn_write want = {.key = key, .value = value};
    uint32_t low = 0, high = writes->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (by_key_value(&writes->all[middle], &want, NULL) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct lz_txn_write *lz_txn_writer(const struct lz_txn_writes *writes, lz_atom key,
                                         lz_atom value)
{
    uint32_t i = lower_bound(writes, key, value);
    bool is_it = i < writes->count && writes->all[i].key == key && writes->all[i].value == value;
    return is_it ? &writes->all[i] : NULL;
}

const struct lz_txn_write *lz_txn_writes_of(const struct lz_txn_writes *writes, lz_atom key,
                                            uint32_t *count)
{
    uint32_t from = lower_bound(writes, key, 0), to = from;
    while (to < writes->count && writes->all[to].key == key)
        to++;
    *count = to - from;
    return writes->all + from;
}

void lz_txn_found(struct lz_verify *v, const char *anomaly, const struct lz_history_op *op,
                  lz_atom key, lz_atom value, const char *what)
{
    if (!lz_verify_found(v, anomaly))
        return;
    lz_str_addf(&v->why, "%s: ", anomaly);
    lz_history_show(v->h, op, &v->why);
    lz_str_addf(&v->why, "\n    %s", what);
    lz_str_add(&v->why, " (key ");
    lz_history_show_atom(v->h, key, &v->why);
    lz_str_add(&v->why, ", value ");
    lz_history_show_atom(v->h, value, &v->why);
    lz_str_add(&v->why, ")\n");
}

const struct lz_txn_write *lz_txn_saw(struct lz_verify *v, const struct lz_txn_writes *writes,
                                      uint32_t reader, lz_atom key, lz_atom value)
{
    const struct lz_history_op *op = &v->h->ops[reader];
    const struct lz_txn_write *w = lz_txn_writer(writes, key, value);
    if (w == NULL) {
        lz_txn_found(v, "garbage-read", op, key, value, "read what nobody wrote");
        return NULL;
    }
    if (v->h->ops[w->op].outcome == LZ_HISTORY_FAIL) {
        lz_txn_found(v, "G1a", op, key, value, "read what a failed transaction wrote");
        return NULL;
    }
    if (!w->is_last && w->op != reader)
        lz_txn_found(v, "G1b", op, key, value, "read what its writer overwrote before it was done");
    return w;
}

// Levels of consistency -------------------------------------------------------------------------

#define BIT(c) (1u << (c))
#define G1 (BIT(LZ_DEPEND_G0) | BIT(LZ_DEPEND_G1C))
#define G2 (G1 | BIT(LZ_DEPEND_G_SINGLE) | BIT(LZ_DEPEND_G_NONADJACENT) | BIT(LZ_DEPEND_G2_ITEM))

/*
 * What each forbids: Adya (1999), table 3-1 and chapter 4; for the session and real-time forms
 * Crooks et al. (2017) and Elle. Weak levels of registers are decided by weak.c.
 */
static const struct level {
    const char *name;
    unsigned cycles;
    uint32_t with;
    bool no_dirty_reads; // G1a, G1b
    bool no_lost_updates;
    bool repeats; // reads of one transaction agree
} levels[] = {
    {"read-uncommitted", BIT(LZ_DEPEND_G0), 0, false, false, false},
    {"read-committed", G1, 0, true, false, false},
    {"read-atomic", G1, 0, true, false, true},
    {"causal", G1, LZ_DEPEND_SESSION, true, false, true},
    {"repeatable-read", G2, 0, true, true, true},
    {"snapshot-isolation", G1 | BIT(LZ_DEPEND_G_SINGLE) | BIT(LZ_DEPEND_G_NONADJACENT), 0, true,
     true, true},
    {"serializable", G2, 0, true, true, true},
    {"strong-session-serializable", G2, LZ_DEPEND_SESSION, true, true, true},
    {"strict-serializable", G2, LZ_DEPEND_SESSION | LZ_DEPEND_REALTIME, true, true, true},
};
#define LEVEL_COUNT (sizeof(levels) / sizeof(levels[0]))

const char *lz_verify_consistency(size_t i)
{
    return i < LEVEL_COUNT ? levels[i].name : NULL;
}

static const struct {
    uint32_t with;
    const char *suffix;
} extras[] = {
    {0, ""},
    {LZ_DEPEND_SESSION, "-process"},
    {LZ_DEPEND_SESSION | LZ_DEPEND_REALTIME, "-realtime"},
};
#define EXTRA_COUNT (sizeof(extras) / sizeof(extras[0]))

// Which cycles there are.
struct cycles {
    bool is[LZ_DEPEND_CYCLES][EXTRA_COUNT];
};

// "G-single-realtime"; constants, as anomalies' names are.
static const char *cycle_name(enum lz_depend_cycle class, size_t extra)
{
    static const char *const names[LZ_DEPEND_CYCLES][EXTRA_COUNT] = {
        {"G0", "G0-process", "G0-realtime"},
        {"G1c", "G1c-process", "G1c-realtime"},
        {"G-single", "G-single-process", "G-single-realtime"},
        {"G-nonadjacent", "G-nonadjacent-process", "G-nonadjacent-realtime"},
        {"G2-item", "G2-item-process", "G2-item-realtime"},
    };
    return names[class][extra];
}

static bool forbids(const struct level *l, const struct cycles *found, const struct lz_verify *v)
{
    // What no level that anybody sells allows.
    static const char *const never[] = {"garbage-read", "duplicate-elements", "internal",
                                        "incompatible-order"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (lz_verify_has(v, never[i]))
            return true;
    if (l->no_dirty_reads && (lz_verify_has(v, "G1a") || lz_verify_has(v, "G1b")))
        return true;
    if (l->repeats && lz_verify_has(v, "non-repeatable-read"))
        return true;
    if (l->no_lost_updates && lz_verify_has(v, "lost-update"))
        return true;
    for (int class = 0; class < LZ_DEPEND_CYCLES; class ++)
        for (size_t extra = 0; extra < EXTRA_COUNT; extra++)
            if (found->is[class][extra] && (l->cycles & BIT(class)) != 0 &&
                (extras[extra].with & ~l->with) == 0)
                return true;
    return false;
}

static void look_for(struct lz_verify *v, const struct lz_depend *d, struct cycles *found)
{
    enum { SHOWN = 32 };
    struct lz_depend_edge cycle[SHOWN];
    for (size_t extra = 0; extra < EXTRA_COUNT; extra++) {
        for (enum lz_depend_cycle class = 0; class < LZ_DEPEND_CYCLES; class ++) {
            // A cycle that needs less is the better evidence; its kin adds nothing.
            bool is_known = false;
            for (size_t less = 0; less < extra; less++)
                is_known = is_known || found->is[class][less];
            uint32_t n = is_known ? 0 : lz_depend_find(d, class, extras[extra].with, cycle, SHOWN);
            found->is[class][extra] = n > 0;
            if (n == 0 || !lz_verify_found(v, cycle_name(class, extra)))
                continue;
            lz_str_addf(&v->why, "%s, a cycle of %u transactions\n", cycle_name(class, extra), n);
            lz_depend_explain(d, cycle, n < SHOWN ? n : SHOWN, &v->why);
        }
    }
}

bool lz_txn_judge(struct lz_verify *v, struct lz_depend *d, struct lz_err *err)
{
    const char *want = v->opts->consistency != NULL ? v->opts->consistency : "strict-serializable";
    const struct level *asked = NULL;
    for (size_t i = 0; i < LEVEL_COUNT; i++)
        if (strcmp(levels[i].name, want) == 0)
            asked = &levels[i];
    if (asked == NULL)
        return lz_fail(err, LZ_EINVAL, "there is no level of consistency \"%s\"", want);
    lz_depend_add_sessions(d);
    lz_depend_add_realtime(d);
    lz_depend_arrange(d);
    struct cycles found = {0};
    look_for(v, d, &found);
    if (forbids(asked, &found, v))
        v->answer = LZ_VERIFY_VIOLATED;
    lz_str_addf(&v->facts, "%u transaction%s, %u dependenc%s", v->h->op_count,
                v->h->op_count == 1 ? "" : "s", d->count, d->count == 1 ? "y" : "ies");
    const char *before = "; not ";
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (!forbids(&levels[i], &found, v))
            continue;
        lz_str_addf(&v->facts, "%s%s", before, levels[i].name);
        before = ", ";
    }
    return true;
}
