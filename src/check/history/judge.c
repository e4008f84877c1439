#include "check/history/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/counted.h"
#include "check/history/partitions.h"
#include "check/history/units.h"

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
    if (!lz_white_is_told(ops, count) || !lz_white_creates_fit(ops, count))
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
    struct lz_white_keys locks = lz_white_locks(recorder);
    uint32_t count = 0;
    bool is_whole = true;
    for (uint32_t i = 0; i < recorder->count; i++) {
        const struct lz_recorder_op *op = &recorder->ops[i];
        bool happened = op->outcome == LZ_RECORDER_OK;
        if (is_of_key(op) && happened && !lz_judge_has_key(locks.keys, locks.count, op->key))
            ops[count++] = op;
    }
    free(locks.keys);
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

static void add_part(struct lz_history *h, const struct lz_world *w, const struct lz_recorder *r,
                     struct lz_history_op *o, const struct lz_recorder_op *op)
{
    static const enum lz_history_f fs[] = {[LZ_RECORDER_READ] = LZ_HISTORY_READ,
                                           [LZ_RECORDER_WRITE] = LZ_HISTORY_WRITE,
                                           [LZ_RECORDER_CREATE] = LZ_HISTORY_CAS,
                                           [LZ_RECORDER_ACQUIRE] = LZ_HISTORY_ACQUIRE,
                                           [LZ_RECORDER_RELEASE] = LZ_HISTORY_RELEASE};
    lz_atom key = lz_units_key(h, w, r, op->key), value = lz_units_value(h, w, op->value);
    lz_atom expected = op->expected != 0 ? lz_units_value(h, w, op->expected) : 0;
    struct lz_history_part *p = lz_history_add_part(h, o, fs[op->f]);
    p->key = key;
    p->value = op->f == LZ_RECORDER_CREATE ? expected : value;
    p->value_b = op->f == LZ_RECORDER_CREATE ? value : 0;
}

bool lz_judge_has_key(const uint64_t *keys, uint32_t count, uint64_t key)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && keys[low] == key;
}

struct lz_history_op *lz_judge_add_op(struct lz_history *h, const struct lz_recorder_op *op)
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
static bool is_about(const char *model, const struct lz_white_keys *locks,
                     const struct lz_recorder_op *op)
{
    bool is_lock = op->f == LZ_RECORDER_ACQUIRE || op->f == LZ_RECORDER_RELEASE;
    if (op->f >= LZ_RECORDER_ADD)
        return false;
    if (strcmp(model, "mutex") == 0)
        return is_lock;
    return !is_lock && !lz_judge_has_key(locks->keys, locks->count, op->key);
}

static void add_operations(struct lz_history *h, const struct lz_world *w,
                           const struct lz_recorder *r, const char *model)
{
    struct lz_white_keys locks = lz_white_locks(r);
    for (uint32_t i = 0; i < r->count; i++)
        if (is_about(model, &locks, &r->ops[i]))
            add_part(h, w, r, lz_judge_add_op(h, &r->ops[i]), &r->ops[i]);
    free(locks.keys);
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
    lz_history_show_atom(h, lz_units_value(h, w, op->value), out);
    lz_str_addf(out, ", %.6f s to %.6f s\n", (double)op->at / 1e9, (double)op->done / 1e9);
}

static void tell_witness(struct lz_judge_result *r, struct lz_history *h, const struct lz_world *w,
                         const struct lz_judge_witness *witness)
{
    lz_str_add(&r->why, "what was read had been overwritten before the read began\n");
    tell(&r->why, h, w, "written by", witness->seen);
    tell(&r->why, h, w, "then by", witness->missed);
    tell(&r->why, h, w, "read by", witness->read);
    r->at = witness->read->done;
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
    lz_str_add(&r->why, "stale-read: ");
    tell_witness(r, h, w, witness);
}

// A search that cannot be decided takes all its budget: with the answer known it gets less.
#define STEPS_KNOWN_MAX 1000000u

static void take(struct lz_judge_result *r, struct lz_verify *v)
{
    r->answer = v->answer;
    r->why = v->why;
    r->facts = v->facts;
    if (v->anomaly_count > 0)
        snprintf(r->anomaly, sizeof(r->anomaly), "%s", v->anomalies[0].name);
}

static bool is_any_known(const struct lz_history *h)
{
    for (uint32_t i = 0; i < h->op_count; i++)
        if (h->ops[i].outcome == LZ_HISTORY_OK)
            return true;
    return false;
}

static bool judge_operations(const struct lz_world *w, const struct lz_recorder *recorder,
                             const struct lz_judge_opts *opts, struct lz_judge_result *r,
                             struct lz_err *err)
{
    struct lz_history h;
    lz_history_init(&h);
    lz_units_processes(&h, recorder->processes);
    add_operations(&h, w, recorder, opts->model);
    h.events = 2 * h.op_count;
    struct lz_judge_witness witness = {0};
    enum lz_judge_white white = LZ_JUDGE_NOT_TOLD;
    if (!recorder->is_real)
        white = is_linear(opts->model) ? lz_judge_by_version(recorder, &witness)
                                       : lz_white_judge(opts->model, recorder);
    bool is_known = white != LZ_JUDGE_NOT_TOLD && opts->steps_max == 0;
    const struct lz_verify_opts o = {.consistency = opts->consistency,
                                     .steps_max = is_known ? STEPS_KNOWN_MAX : opts->steps_max};
    struct lz_verify v;
    if (!lz_verify_run(&v, lz_verify_find(opts->model), &h, &o, err)) {
        lz_history_finish(&h);
        return false;
    }
    *r = (struct lz_judge_result){.white = white, .operations = h.op_count};
    take(r, &v);
    if (h.op_count == 0) {
        r->answer = LZ_VERIFY_UNKNOWN;
    } else if (!is_any_known(&h)) { // a run in which all was in vain has tested nothing
        r->answer = LZ_VERIFY_UNKNOWN;
        lz_str_clear(&r->why);
        lz_str_add(&r->why, "no operation is known to have happened\n");
    } else if (r->answer == LZ_VERIFY_UNKNOWN && is_linear(opts->model)) {
        decide_by_version(r, &h, w, &witness);
    } else if (agrees(r)) {
        lz_str_add(&r->facts, ", by versions too");
        if (witness.read != NULL) {
            lz_str_add(&r->why, "by versions: ");
            tell_witness(r, &h, w, &witness);
        }
    }
    r->is_contradiction = is_any_known(&h) && h.op_count > 0 && contradicts(r);
    lz_history_finish(&h);
    return true;
}

// ---- transactions

// Levels at which a lost update, and any cycle of reads and writes, is forbidden.
static bool is_strong(const char *consistency)
{
    static const char *const strong[] = {"snapshot-isolation", "serializable",
                                         "strong-session-serializable", "strict-serializable"};
    for (size_t i = 0; i < sizeof(strong) / sizeof(strong[0]); i++)
        if (strcmp(consistency, strong[i]) == 0)
            return true;
    return false;
}

// Of the levels that do not hold, the first: the others follow from it.
static void name_weakest(struct lz_str *facts)
{
    char *levels = facts->len > 0 ? strstr(facts->text, "; not ") : NULL;
    char *comma = levels != NULL ? strchr(levels, ',') : NULL;
    if (comma == NULL)
        return;
    *comma = '\0';
    facts->len = (size_t)(comma - facts->text);
}

/*
 * Clients may not be able to tell what the servers know: which of two writes was the later, or
 * whose of two equal values was read. Then the servers' word decides. It contradicts if it says
 * that all is well where clients saw that it is not, or that they saw an update being lost.
 */
static void weigh(struct lz_judge_result *r, struct lz_verify *servers, bool is_lost)
{
    bool agreed = (r->white == LZ_JUDGE_PROVEN && r->answer == LZ_VERIFY_HOLDS) ||
                  (r->white == LZ_JUDGE_REFUTED && r->answer == LZ_VERIFY_VIOLATED);
    r->is_contradiction = (r->white == LZ_JUDGE_PROVEN && r->answer == LZ_VERIFY_VIOLATED) ||
                          (is_lost && r->answer == LZ_VERIFY_HOLDS);
    bool decides = r->answer != LZ_VERIFY_VIOLATED && r->white == LZ_JUDGE_REFUTED;
    if (r->answer == LZ_VERIFY_UNKNOWN && r->white == LZ_JUDGE_PROVEN)
        decides = true;
    if (decides && !r->is_contradiction) {
        lz_str_finish(&r->why);
        lz_str_finish(&r->facts);
        r->anomaly[0] = '\0';
        take(r, servers);
        name_weakest(&r->facts);
        lz_str_add(&r->facts, ", in the order of commits");
        return;
    }
    if (agreed)
        lz_str_add(&r->facts, ", by versions too");
    lz_verify_finish(servers);
}

static bool judge_units(const struct lz_world *w, const struct lz_recorder *recorder,
                        const struct lz_judge_opts *opts, struct lz_judge_result *r,
                        struct lz_err *err)
{
    struct lz_history h;
    struct lz_units u;
    lz_history_init(&h);
    lz_units_processes(&h, recorder->processes);
    lz_units_make(&u, recorder);
    lz_units_history(&u, w, &h);
    const char *model = u.are_lists ? "list-append" : "rw-register";
    const char *level = opts->consistency != NULL ? opts->consistency : "strict-serializable";
    const struct lz_verify_opts o = {.consistency = level, .steps_max = opts->steps_max};
    struct lz_verify v, servers;
    bool ok = lz_verify_run(&v, lz_verify_find(model), &h, &o, err);
    if (ok) {
        *r = (struct lz_judge_result){.operations = h.op_count};
        take(r, &v);
        name_weakest(&r->facts);
        r->white = lz_units_judge(&u, w, &h, &o, &servers);
        bool is_told = is_strong(level) && !recorder->is_real;
        if (!is_told)
            r->white = LZ_JUDGE_NOT_TOLD;
        if (h.op_count == 0) {
            r->answer = LZ_VERIFY_UNKNOWN;
            lz_verify_finish(&servers);
        } else {
            weigh(r, &servers, is_told && !u.are_lists && lz_units_lose_updates(&u));
        }
    }
    lz_units_finish(&u);
    lz_history_finish(&h);
    return ok;
}

static bool judge_bank(const struct lz_world *w, const struct lz_recorder *recorder,
                       const struct lz_judge_opts *opts, struct lz_judge_result *r,
                       struct lz_err *err)
{
    struct lz_history h;
    struct lz_units u;
    struct lz_verify v;
    const struct lz_verify_opts o = {.negative = true};
    lz_history_init(&h);
    lz_units_processes(&h, recorder->processes);
    lz_units_make(&u, recorder);
    // What real clients tell are accounts, of whatever table.
    const char *column = recorder->is_real ? NULL : opts->column;
    uint32_t accounts = lz_units_bank(&u, w, column, &h);
    bool ok = lz_verify_run(&v, lz_verify_find("bank"), &h, &o, err);
    if (ok) {
        *r = (struct lz_judge_result){.operations = h.op_count > 0 ? h.op_count : u.count};
        take(r, &v);
        r->white = lz_units_bank_judge(&u, w, column);
        if (h.op_count == 0) {
            r->answer = LZ_VERIFY_UNKNOWN;
            lz_str_clear(&r->why);
            lz_str_addf(&r->why,
                        recorder->is_real ? "no answer told what its accounts hold"
                                          : "no transaction read all %u accounts",
                        accounts);
        } else if (agrees(r)) {
            lz_str_add(&r->facts, ", by versions too");
        }
        r->is_contradiction = contradicts(r);
    }
    lz_units_finish(&u);
    lz_history_finish(&h);
    return ok;
}

// With transactions in it.
static bool judge_whole(const struct lz_world *w, const struct lz_recorder *recorder,
                        const struct lz_judge_opts *opts, struct lz_judge_result *r,
                        struct lz_err *err)
{
    if (strcmp(opts->model, "rw-register") == 0)
        return judge_units(w, recorder, opts, r, err);
    if (strcmp(opts->model, "bank") == 0)
        return judge_bank(w, recorder, opts, r, err);
    struct lz_recorder flat;
    lz_units_flatten(recorder, &flat);
    bool ok = judge_operations(w, &flat, opts, r, err);
    lz_units_flat_finish(&flat);
    return ok;
}

bool lz_judge_run(const struct lz_world *w, const struct lz_recorder *recorder,
                  const struct lz_judge_opts *opts, struct lz_judge_result *r, struct lz_err *err)
{
    if (strcmp(opts->model, LZ_JUDGE_PARTITIONS) == 0) {
        lz_partitions_judge(recorder, opts->tolerates, r);
        return true;
    }
    LZ_ASSERT(lz_verify_find(opts->model) != NULL); // checked when it was declared
    if (lz_counted_kind(opts->model) != LZ_RECORDER_OBJECTS)
        return lz_counted_judge(w, recorder, opts, r, err);
    if (recorder->txn_count > 0 || strcmp(opts->model, "bank") == 0) {
        struct lz_recorder whole;
        lz_units_complete(recorder, &whole);
        bool ok = judge_whole(w, &whole, opts, r, err);
        lz_units_complete_finish(recorder, &whole);
        return ok;
    }
    return strcmp(opts->model, "rw-register") == 0 ? judge_units(w, recorder, opts, r, err)
                                                   : judge_operations(w, recorder, opts, r, err);
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
        count += op->f == LZ_RECORDER_INSERT && op->outcome != LZ_RECORDER_FAIL;
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
