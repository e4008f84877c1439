#include "check/history/counted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/units.h"

enum lz_recorder_kind lz_counted_kind(const char *model)
{
    if (strcmp(model, "counter") == 0)
        return LZ_RECORDER_COUNTERS;
    if (strcmp(model, "set-full") == 0)
        return LZ_RECORDER_SETS;
    return strcmp(model, "unique-ids") == 0 ? LZ_RECORDER_IDS : LZ_RECORDER_OBJECTS;
}

static bool is_adding(const struct lz_recorder_op *op, enum lz_recorder_kind kind)
{
    return kind == LZ_RECORDER_SETS ? op->f == LZ_RECORDER_INSERT : op->is_add;
}

static int by_key(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

// An answer is a number again that was one before: no sequence of ids.
static bool takes_away(const struct lz_recorder_op *op)
{
    return op->is_add && lz_value_to_integer(op->added) < 0;
}

// Keys that something was added to, in order; for ids, those that something was taken from.
static uint32_t keys_of(const struct lz_recorder *r, enum lz_recorder_kind kind, uint64_t *keys)
{
    uint32_t count = 0, kept = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if (kind == LZ_RECORDER_IDS ? takes_away(&r->ops[i]) : is_adding(&r->ops[i], kind))
            keys[count++] = r->ops[i].key;
    lz_sort(keys, count, sizeof(*keys), by_key, NULL);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || keys[kept - 1] != keys[i])
            keys[kept++] = keys[i];
    return kept;
}

uint32_t lz_counted_ops(const struct lz_recorder *r, enum lz_recorder_kind kind,
                        const struct lz_recorder_op **ops)
{
    uint64_t *keys = lz_mem_alloc((r->count + 1) * sizeof(*keys));
    uint32_t key_count = keys_of(r, kind, keys), count = 0;
    uint8_t reads = kind == LZ_RECORDER_SETS ? LZ_RECORDER_MEMBERS : LZ_RECORDER_READ;
    for (uint32_t i = 0; i < r->count; i++) {
        const struct lz_recorder_op *op = &r->ops[i];
        bool is_one = kind == LZ_RECORDER_IDS
                          ? op->is_id && !lz_judge_has_key(keys, key_count, op->key)
                          : is_adding(op, kind) ||
                                (op->f == reads && lz_judge_has_key(keys, key_count, op->key));
        if (is_one)
            ops[count++] = op;
    }
    free(keys);
    return count;
}

// ---- the black box

// A counter that is not there is at 0; of a service's answer without a value nothing is known.
static void add_seen(struct lz_history *h, const struct lz_world *w, struct lz_history_op *o,
                     lz_atom key, const struct lz_recorder_op *op)
{
    struct lz_history_part *p = lz_history_add_part(h, o, LZ_HISTORY_READ);
    p->key = key;
    p->is_known = op->outcome == LZ_RECORDER_OK && (op->value != 0 || op->has_version);
    p->value = op->value != 0 ? lz_units_value(h, w, op->value) : lz_history_integer(h, 0);
}

static void add_counted(struct lz_history *h, const struct lz_world *w, const struct lz_recorder *r,
                        const struct lz_recorder_op *op, enum lz_recorder_kind kind)
{
    lz_atom key = lz_units_key(h, w, r, op->key);
    struct lz_history_op *o = lz_judge_add_op(h, op);
    struct lz_history_part *p;
    if (kind == LZ_RECORDER_IDS) {
        lz_atom id = lz_units_value(h, w, op->value);
        p = lz_history_add_part(h, o, LZ_HISTORY_GENERATE);
        p->key = key;
        p->value = id;
        if (op->outcome == LZ_RECORDER_OK && op->value == 0)
            o->outcome = LZ_HISTORY_INFO; // its answer had no id
        return;
    }
    if (op->f == LZ_RECORDER_MEMBERS) {
        p = lz_history_add_part(h, o, LZ_HISTORY_READ);
        p->key = key;
        p->is_known = op->outcome == LZ_RECORDER_OK && (op->value != 0 || op->has_version);
        lz_units_list(h, w, p, op->value);
        return;
    }
    if (op->f == LZ_RECORDER_READ) {
        add_seen(h, w, o, key, op);
        return;
    }
    lz_atom added = lz_units_value(h, w, op->added);
    p = lz_history_add_part(h, o, LZ_HISTORY_ADD);
    p->key = key;
    p->value = added;
    if (kind == LZ_RECORDER_COUNTERS && op->outcome == LZ_RECORDER_OK && op->value != 0)
        add_seen(h, w, o, key, op);
}

// ---- sets that transactions made

// Keys that something was appended to, in order.
static uint32_t appended_keys(const struct lz_recorder *r, uint64_t *keys)
{
    uint32_t count = 0, kept = 0;
    for (uint32_t i = 0; i < r->step_count; i++)
        if (r->steps[i].f == LZ_RECORDER_STEP_APPEND)
            keys[count++] = r->steps[i].key;
    lz_sort(keys, count, sizeof(*keys), by_key, NULL);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || keys[kept - 1] != keys[i])
            keys[kept++] = keys[i];
    return kept;
}

static bool is_set_anew(const struct lz_recorder *r)
{
    uint64_t *keys = lz_mem_alloc((r->step_count + 1) * sizeof(*keys));
    uint32_t key_count = appended_keys(r, keys);
    bool is_so = false;
    for (uint32_t i = 0; i < r->step_count && !is_so; i++)
        is_so = r->steps[i].f == LZ_RECORDER_STEP_WRITE &&
                lz_judge_has_key(keys, key_count, r->steps[i].key);
    free(keys);
    return is_so;
}

uint32_t lz_counted_steps(const struct lz_recorder *r, struct lz_counted_step *steps)
{
    uint64_t *keys = lz_mem_alloc((r->step_count + 1) * sizeof(*keys));
    uint32_t key_count = appended_keys(r, keys), count = 0;
    for (uint32_t i = 0; i < r->txn_count; i++) {
        const struct lz_recorder_txn *t = &r->txns[i];
        for (uint32_t at = t->first; at != 0; at = r->steps[at - 1].next) {
            const struct lz_recorder_step *s = &r->steps[at - 1];
            bool is_read = s->f == LZ_RECORDER_STEP_READ;
            if (s->f == LZ_RECORDER_STEP_WRITE || !lz_judge_has_key(keys, key_count, s->key))
                continue;
            if (is_read && (!s->is_heard || t->outcome != LZ_RECORDER_OK))
                continue;
            steps[count++] = (struct lz_counted_step){.txn = i,
                                                      .key = s->key,
                                                      .begin = t->begin,
                                                      .end = t->end,
                                                      .version = s->version,
                                                      .value = s->value,
                                                      .is_read = is_read,
                                                      .has_version = s->has_version,
                                                      .is_ok = t->outcome == LZ_RECORDER_OK};
        }
    }
    free(keys);
    return count;
}

static void add_transactions(struct lz_history *h, const struct lz_world *w,
                             const struct lz_recorder *r)
{
    struct lz_counted_step *steps = lz_mem_alloc(((size_t)r->step_count + 1) * sizeof(*steps));
    uint32_t count = lz_counted_steps(r, steps);
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_counted_step *s = &steps[i];
        const struct lz_recorder_txn *t = &r->txns[s->txn];
        lz_atom key = lz_units_key(h, w, r, s->key), value = lz_units_value(h, w, s->value);
        struct lz_history_op *o = lz_judge_add_op(
            h, &(struct lz_recorder_op){.process = t->process,
                                        .begin = t->begin,
                                        .end = t->outcome == LZ_RECORDER_UNKNOWN ? 0 : t->end,
                                        .outcome = t->outcome});
        struct lz_history_part *p =
            lz_history_add_part(h, o, s->is_read ? LZ_HISTORY_READ : LZ_HISTORY_ADD);
        p->key = key;
        p->value = s->is_read ? 0 : value;
        p->is_known = true;
        if (s->is_read)
            lz_units_list(h, w, p, s->value);
    }
    free(steps);
}

// ---- both

const char *lz_counted_obstacle(const struct lz_recorder *r, enum lz_recorder_kind kind)
{
    uint64_t *keys = lz_mem_alloc((r->count + 1) * sizeof(*keys));
    uint32_t key_count = keys_of(r, kind, keys);
    bool is_written = false;
    for (uint32_t i = 0; i < r->count && !is_written && kind != LZ_RECORDER_IDS; i++) {
        const struct lz_recorder_op *op = &r->ops[i];
        bool writes = (op->f == LZ_RECORDER_WRITE || op->f == LZ_RECORDER_CREATE ||
                       (op->f == LZ_RECORDER_INSERT && kind != LZ_RECORDER_SETS)) &&
                      !is_adding(op, kind);
        is_written =
            writes && op->outcome != LZ_RECORDER_FAIL && lz_judge_has_key(keys, key_count, op->key);
    }
    free(keys);
    if (r->many > 0)
        return "several keys were written at once, by what the history does not have";
    is_written = is_written || (kind == LZ_RECORDER_SETS && is_set_anew(r));
    return is_written
               ? "a key that is added to was also written in another way: what is added says no "
                 "more what it comes to; keep such keys apart"
               : NULL;
}

// What to ask of a component whose history is to be of a kind.
static const char *words_for(enum lz_recorder_kind kind, uint32_t of)
{
    static const char *const words[][3] = {
        // counters, sets, ids
        [LZ_COMPONENT_CACHE] = {"`incr` and `decr`", "`sadd`", "`incr`"},
        [LZ_COMPONENT_STORE] = {"`increment`", NULL, "`increment`"},
        [LZ_COMPONENT_DATABASE] = {NULL, "transactions that append", NULL},
        [LZ_COMPONENT_SERVICE] = {"the operations in `adds`", "the operations in `adds`",
                                  "the operations in `generates`"},
    };
    unsigned column = kind == LZ_RECORDER_COUNTERS ? 0 : kind == LZ_RECORDER_SETS ? 1 : 2;
    return of < sizeof(words) / sizeof(words[0]) ? words[of][column] : NULL;
}

void lz_counted_lacks(const struct lz_recorder *r, enum lz_recorder_kind kind,
                      const struct lz_component *of, char *out, size_t size)
{
    uint32_t reads = 0, writes = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        reads += r->ops[i].f == LZ_RECORDER_READ || r->ops[i].f == LZ_RECORDER_MEMBERS;
        writes += r->ops[i].f == LZ_RECORDER_WRITE || r->ops[i].f == LZ_RECORDER_CREATE;
    }
    const char *what = kind == LZ_RECORDER_COUNTERS ? "nothing was added to a counter of"
                       : kind == LZ_RECORDER_SETS   ? "nothing was added to a set of"
                                                    : "no id was asked for of";
    const char *words = words_for(kind, of->kind);
    char done[128] = "";
    if (reads + writes > 0)
        snprintf(done, sizeof(done), "%u read%s and %u write%s say what a value is, no more; ",
                 reads, reads == 1 ? "" : "s", writes, writes == 1 ? "" : "s");
    snprintf(out, size, "%s %s: %scall %s%s", what, of->name, done,
             words != NULL ? words : "another component",
             reads + writes > 0 ? ", or expect `linearizable` of it" : "");
}

static void tell(struct lz_judge_result *out, const struct lz_history *h, struct lz_verify *v)
{
    out->answer = v->answer;
    out->why = v->why;
    out->facts = v->facts;
    if (v->anomaly_count > 0)
        snprintf(out->anomaly, sizeof(out->anomaly), "%s", v->anomalies[0].name);
    if (h->op_count == 0) {
        out->answer = LZ_VERIFY_UNKNOWN;
    } else if (strncmp(out->facts.text, "never read", 10) == 0) {
        out->answer = LZ_VERIFY_UNKNOWN;
        lz_str_clear(&out->why);
        lz_str_add(&out->why, "nobody was told what the counter had come to: let somebody "
                              "read it, and hear the answer\n");
    }
}

bool lz_counted_judge(const struct lz_world *w, const struct lz_recorder *r,
                      const struct lz_judge_opts *opts, struct lz_judge_result *out,
                      struct lz_err *err)
{
    enum lz_recorder_kind kind = lz_counted_kind(opts->model);
    LZ_ASSERT(kind != LZ_RECORDER_OBJECTS);
    struct lz_history h;
    lz_history_init(&h);
    lz_units_processes(&h, r->processes);
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    uint32_t count = lz_counted_ops(r, kind, ops);
    for (uint32_t i = 0; i < count; i++)
        add_counted(&h, w, r, ops[i], kind);
    free(ops);
    if (kind == LZ_RECORDER_SETS)
        add_transactions(&h, w, r);
    lz_history_sort(&h);
    h.events = 2 * h.op_count;
    struct lz_verify v;
    const struct lz_verify_opts o = {0};
    bool ok = lz_verify_run(&v, lz_verify_find(opts->model), &h, &o, err);
    if (ok) {
        *out = (struct lz_judge_result){.operations = h.op_count};
        tell(out, &h, &v);
        out->white = lz_counted_white(r, kind);
        bool is_good = out->answer == LZ_VERIFY_HOLDS, is_bad = out->answer == LZ_VERIFY_VIOLATED;
        out->is_contradiction = (out->white == LZ_JUDGE_PROVEN && is_bad) ||
                                (out->white == LZ_JUDGE_REFUTED && is_good);
        if ((out->white == LZ_JUDGE_PROVEN && is_good) ||
            (out->white == LZ_JUDGE_REFUTED && is_bad))
            lz_str_add(&out->facts,
                       kind == LZ_RECORDER_IDS ? ", by their servers too" : ", by versions too");
    }
    lz_history_finish(&h);
    return ok;
}
