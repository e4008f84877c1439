#include "check/history/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/white.h"

// ---- the white box

static bool is_of_key(const struct lz_recorder_op *op)
{
    return op->f <= LZ_RECORDER_CREATE;
}

static int by_end(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *const *x = a, *const *y = b;
    return ((*x)->end > (*y)->end) - ((*x)->end < (*y)->end);
}

/*
 * Operations in order of begin; those that have ended before are taken in, in order of end.
 * `floor` is the newest version that any of them wrote or saw; `certain` the newest that one of
 * them wrote, and whose successor in real time that is.
 */
static enum lz_judge_white judge_key(const struct lz_recorder_op **ops, uint32_t count)
{
    if (!lz_white_is_told(ops, count))
        return LZ_JUDGE_NOT_TOLD;
    const struct lz_recorder_op **ended = lz_mem_alloc((count + 1) * sizeof(*ended));
    memcpy(ended, ops, count * sizeof(*ended));
    lz_sort(ended, count, sizeof(*ended), by_end, NULL);
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    uint64_t floor = 0;
    bool is_any = false;
    uint32_t taken = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (; taken < count && ended[taken]->end < ops[i]->begin; taken++) {
            floor = ended[taken]->version > floor ? ended[taken]->version : floor;
            is_any = true;
        }
        bool writes = ops[i]->f != LZ_RECORDER_READ;
        if (is_any && (ops[i]->version < floor || (writes && ops[i]->version == floor)))
            white = LZ_JUDGE_NOT_TOLD; // another order of what was concurrent may do
    }
    free(ended);
    return white;
}

// The completed writes of a key, each with its end: does a read see one that was replaced?
static bool is_refuted(const struct lz_recorder_op **ops, uint32_t count,
                       struct lz_judge_witness *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_recorder_op *read = ops[i], *write = NULL;
        if (read->f != LZ_RECORDER_READ)
            continue;
        uint32_t writers = 0;
        for (uint32_t j = 0; j < count; j++)
            if (ops[j]->f != LZ_RECORDER_READ && ops[j]->value == read->value) {
                write = ops[j];
                writers++;
            }
        if (writers != 1 || write->outcome != LZ_RECORDER_OK)
            continue;
        for (uint32_t j = 0; j < count; j++)
            if (ops[j]->f != LZ_RECORDER_READ && ops[j]->outcome == LZ_RECORDER_OK &&
                ops[j]->begin > write->end && ops[j]->end < read->begin &&
                ops[j]->value != read->value) {
                *out = (struct lz_judge_witness){.read = read, .seen = write, .missed = ops[j]};
                return true;
            }
    }
    return false;
}

#define REFUTED_MAX 2000u /* operations of a key: what is looked at is their square */

enum lz_judge_white lz_judge_by_version(const struct lz_recorder *recorder,
                                        struct lz_judge_witness *out)
{
    const struct lz_recorder_op **ops = lz_mem_alloc((recorder->count + 1) * sizeof(*ops));
    uint32_t count = 0;
    bool is_whole = true;
    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct lz_recorder_op *op = &recorder->ops[i];
        bool happened = op->outcome == LZ_RECORDER_OK;
        if (is_of_key(op) && happened)
            ops[count++] = op;
    }
    lz_sort(ops, count, sizeof(*ops), lz_white_by_key, NULL);
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && ops[end]->key == ops[first]->key; end++)
            ;
        if (judge_key(ops + first, end - first) != LZ_JUDGE_PROVEN)
            is_whole = false;
        if (white != LZ_JUDGE_REFUTED && end - first <= REFUTED_MAX &&
            is_refuted(ops + first, end - first, out))
            white = LZ_JUDGE_REFUTED;
    }
    free(ops);
    return white == LZ_JUDGE_REFUTED ? white : is_whole ? LZ_JUDGE_PROVEN : LZ_JUDGE_NOT_TOLD;
}

// ---- the black box

static lz_atom atom_of(struct lz_history *h, const struct lz_world *w, lz_value v)
{
    size_t len;
    switch (lz_value_kind(v)) {
    case LZ_VALUE_NOTHING:
        return 0;
    case LZ_VALUE_INTEGER:
        return lz_history_integer(h, lz_value_to_integer(v));
    case LZ_VALUE_TEXT:
        return lz_history_text(h, lz_value_to_text(w, v, &len));
    case LZ_VALUE_BOOLEAN:
        return lz_history_text(h, lz_value_to_boolean(v) ? "true" : "false");
    }
    return 0;
}

static void add_part(struct lz_history *h, const struct lz_world *w, struct lz_history_op *o,
                     const struct lz_recorder_op *op)
{
    static const enum lz_history_f fs[] = {[LZ_RECORDER_READ] = LZ_HISTORY_READ,
                                           [LZ_RECORDER_WRITE] = LZ_HISTORY_WRITE,
                                           [LZ_RECORDER_CREATE] = LZ_HISTORY_CAS,
                                           [LZ_RECORDER_ACQUIRE] = LZ_HISTORY_ACQUIRE,
                                           [LZ_RECORDER_RELEASE] = LZ_HISTORY_RELEASE};
    lz_atom key = lz_history_integer(h, (int64_t)op->key), value = atom_of(h, w, op->value);
    struct lz_history_part *p = lz_history_add_part(h, o, fs[op->f]);
    p->key = key;
    p->value = op->f == LZ_RECORDER_CREATE ? 0 : value;
    p->value_b = op->f == LZ_RECORDER_CREATE ? value : 0;
}

static struct lz_history_op *add_op(struct lz_history *h, const struct lz_recorder_op *op)
{
    static const enum lz_history_outcome outcomes[] = {[LZ_RECORDER_OK] = LZ_HISTORY_OK,
                                                       [LZ_RECORDER_FAIL] = LZ_HISTORY_FAIL,
                                                       [LZ_RECORDER_UNKNOWN] = LZ_HISTORY_INFO};
    struct lz_history_op *o = lz_history_add(h, op->process, (int64_t)op->begin);
    o->end = op->end != 0 ? (int64_t)op->end : LZ_HISTORY_NEVER;
    o->outcome = (uint8_t)outcomes[op->outcome];
    return o;
}

// The kinds of operations that a model is about: others of the component are left out.
static bool is_about(const char *model, const struct lz_recorder_op *op)
{
    bool is_lock = op->f == LZ_RECORDER_ACQUIRE || op->f == LZ_RECORDER_RELEASE;
    if (op->f >= LZ_RECORDER_ADD)
        return false;
    return strcmp(model, "mutex") == 0 ? is_lock : !is_lock;
}

static void add_operations(struct lz_history *h, const struct lz_world *w,
                           const struct lz_recorder *r, const char *model)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (is_about(model, &r->ops[i]))
            add_part(h, w, add_op(h, &r->ops[i]), &r->ops[i]);
}

static int by_unit(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *const *x = a, *const *y = b;
    if ((*x)->unit != (*y)->unit)
        return (*x)->unit < (*y)->unit ? -1 : 1;
    return ((*x)->begin > (*y)->begin) - ((*x)->begin < (*y)->begin);
}

/*
 * A transaction is what one request of a handler did, if it did several things. What certainly did
 * not happen is left out; it is over when its last operation is; with a write of unknown outcome
 * it is unknown.
 */
static void add_transaction(struct lz_history *h, const struct lz_world *w,
                            const struct lz_recorder_op **ops, uint32_t count)
{
    struct lz_history_op *o = add_op(h, ops[0]);
    uint32_t at = h->op_count - 1;
    o->is_txn = true;
    o->outcome = LZ_HISTORY_OK;
    for (uint32_t i = 0; i < count; i++) {
        o = &h->ops[at];
        if (ops[i]->outcome == LZ_RECORDER_FAIL)
            continue;
        if (ops[i]->outcome == LZ_RECORDER_UNKNOWN)
            o->outcome = LZ_HISTORY_INFO;
        o->end = ops[i]->end != 0 ? (int64_t)ops[i]->end : LZ_HISTORY_NEVER;
        add_part(h, w, o, ops[i]);
    }
    if (h->ops[at].outcome == LZ_HISTORY_INFO)
        h->ops[at].end = LZ_HISTORY_NEVER;
}

static void add_transactions(struct lz_history *h, const struct lz_world *w,
                             const struct lz_recorder *r)
{
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->ops[i].f == LZ_RECORDER_READ ||
            (r->ops[i].f == LZ_RECORDER_WRITE && r->ops[i].value != 0))
            ops[count++] = &r->ops[i];
    lz_sort(ops, count, sizeof(*ops), by_unit, NULL);
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && ops[end]->unit == ops[first]->unit; end++)
            ;
        add_transaction(h, w, ops + first, end - first);
    }
    free(ops);
    lz_history_sort(h);
}

static void name_processes(struct lz_history *h, uint32_t count)
{
    h->processes = lz_mem_alloc((count + 1) * sizeof(char *));
    h->process_cap = count + 1;
    for (; h->process_count < count; h->process_count++) {
        char name[16];
        int len = snprintf(name, sizeof(name), "%u", h->process_count);
        h->processes[h->process_count] = lz_mem_alloc((size_t)len + 1);
        memcpy(h->processes[h->process_count], name, (size_t)len + 1);
    }
}

static bool is_linear(const char *model)
{
    return strcmp(model, "register") == 0 || strcmp(model, "cas-register") == 0;
}

// The search is asked to prove; the order of versions has already refuted or proven some.
static bool contradicts(const struct lz_judge_result *r)
{
    return (r->white == LZ_JUDGE_PROVEN && r->answer == LZ_VERIFY_VIOLATED) ||
           (r->white == LZ_JUDGE_REFUTED && r->answer == LZ_VERIFY_HOLDS);
}

static bool agrees(const struct lz_judge_result *r)
{
    return (r->white == LZ_JUDGE_PROVEN && r->answer == LZ_VERIFY_HOLDS) ||
           (r->white == LZ_JUDGE_REFUTED && r->answer == LZ_VERIFY_VIOLATED);
}

static void tell(struct lz_str *out, struct lz_history *h, const struct lz_world *w,
                 const char *text, const struct lz_recorder_op *op)
{
    lz_str_addf(out, "    %s process %u, %s %lld ", text, op->process,
                lz_recorder_f_name((enum lz_recorder_f)op->f), (long long)op->key);
    lz_history_show_atom(h, atom_of(h, w, op->value), out);
    lz_str_addf(out, ", %.6f s to %.6f s\n", (double)op->at / 1e9, (double)op->done / 1e9);
}

// The search did not come to an end, but what the servers know decides.
static void decide_by_version(struct lz_judge_result *r, struct lz_history *h,
                              const struct lz_world *w, const struct lz_judge_witness *witness)
{
    if (r->white == LZ_JUDGE_NOT_TOLD)
        return;
    lz_str_clear(&r->why);
    r->answer = r->white == LZ_JUDGE_PROVEN ? LZ_VERIFY_HOLDS : LZ_VERIFY_VIOLATED;
    if (r->white == LZ_JUDGE_PROVEN) {
        lz_str_add(&r->facts, ", in the order of their versions");
        return;
    }
    snprintf(r->anomaly, sizeof(r->anomaly), "stale-read");
    lz_str_add(&r->why, "stale-read: what was read had been overwritten before the read began\n");
    tell(&r->why, h, w, "written by", witness->seen);
    tell(&r->why, h, w, "then by", witness->missed);
    tell(&r->why, h, w, "read by", witness->read);
}

// A search that cannot be decided takes all its budget: with the answer known it gets less.
#define STEPS_KNOWN_MAX 1000000u

bool lz_judge_run(const struct lz_world *w, const struct lz_recorder *recorder,
                  const struct lz_judge_opts *opts, struct lz_judge_result *r, struct lz_err *err)
{
    const struct lz_verify_model *model = lz_verify_find(opts->model);
    LZ_ASSERT(model != NULL); // checked when it was declared
    struct lz_history h;
    lz_history_init(&h);
    name_processes(&h, recorder->processes);
    if (strcmp(opts->model, "rw-register") == 0)
        add_transactions(&h, w, recorder);
    else
        add_operations(&h, w, recorder, opts->model);
    h.events = 2 * h.op_count;
    struct lz_judge_witness witness = {0};
    enum lz_judge_white white = is_linear(opts->model) ? lz_judge_by_version(recorder, &witness)
                                                       : lz_white_judge(opts->model, recorder);
    bool is_known = white != LZ_JUDGE_NOT_TOLD && opts->steps_max == 0;
    const struct lz_verify_opts o = {.consistency = opts->consistency,
                                     .steps_max = is_known ? STEPS_KNOWN_MAX : opts->steps_max};
    struct lz_verify v;
    if (!lz_verify_run(&v, model, &h, &o, err)) {
        lz_history_finish(&h);
        return false;
    }
    *r = (struct lz_judge_result){.answer = v.answer,
                                  .white = white,
                                  .operations = h.op_count,
                                  .why = v.why,
                                  .facts = v.facts};
    if (v.anomaly_count > 0)
        snprintf(r->anomaly, sizeof(r->anomaly), "%s", v.anomalies[0].name);
    if (h.op_count == 0)
        r->answer = LZ_VERIFY_UNKNOWN;
    else if (r->answer == LZ_VERIFY_UNKNOWN && is_linear(opts->model))
        decide_by_version(r, &h, w, &witness);
    else if (agrees(r))
        lz_str_add(&r->facts, ", by versions too");
    r->is_contradiction = h.op_count > 0 && contradicts(r);
    lz_history_finish(&h);
    return true;
}

// Somebody was told something of the key after the operation had begun.
static bool may_be_seen(const struct lz_recorder *r, const struct lz_recorder_op *op)
{
    bool is_so = false;
    for (uint32_t i = 0; i < r->count && !is_so; i++)
        is_so = r->ops[i].key == op->key && r->ops[i].outcome == LZ_RECORDER_OK &&
                r->ops[i].end > op->begin;
    return is_so;
}

uint64_t lz_judge_untold(const struct lz_recorder *recorder)
{
    uint64_t count = recorder->many;
    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct lz_recorder_op *op = &recorder->ops[i];
        count += op->f == LZ_RECORDER_ADD && op->outcome == LZ_RECORDER_UNKNOWN &&
                 may_be_seen(recorder, op);
    }
    return count;
}

void lz_judge_finish(struct lz_judge_result *r)
{
    lz_str_finish(&r->why);
    lz_str_finish(&r->facts);
}
