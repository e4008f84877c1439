/*
 * counted_white.c — what the servers know of counters, sets and ids, beside what clients saw.
 *
 * A mark says that a version was made of another. Marks stand in the order the servers made them,
 * so what is in a version is known once its mark is reached: no search.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/counted.h"

static enum lz_judge_white worse(enum lz_judge_white a, enum lz_judge_white b)
{
    if (a == LZ_JUDGE_REFUTED || b == LZ_JUDGE_REFUTED)
        return LZ_JUDGE_REFUTED;
    return a == LZ_JUDGE_PROVEN ? b : a;
}

// ---- marks by the version they made

struct mark {
    const struct lz_recorder_mark *m;
    int64_t total; // of a counter: all that is in it
    bool is_whole; // what it was made of is known, back to nothing
    bool is_in;    // of a set: in the last read of its key
};

struct marks {
    struct mark *all; // by key, then version
    uint32_t count;
    bool is_ambiguous; // a version was given out twice
};

static int by_version(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct mark *x = a, *y = b;
    if (x->m->key != y->m->key)
        return x->m->key < y->m->key ? -1 : 1;
    if (x->m->version != y->m->version)
        return x->m->version < y->m->version ? -1 : 1;
    return (x->m > y->m) - (x->m < y->m);
}

static struct mark *find(const struct marks *s, uint64_t key, uint64_t version)
{
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct lz_recorder_mark *m = s->all[middle].m;
        if (m->key < key || (m->key == key && m->version < version))
            low = middle + 1;
        else
            high = middle;
    }
    bool is_it = low < s->count && s->all[low].m->key == key && s->all[low].m->version == version;
    return is_it ? &s->all[low] : NULL;
}

static struct marks marks_of(const struct lz_recorder *r)
{
    struct marks s = {.all = lz_mem_alloc((r->mark_count + 1) * sizeof(*s.all)),
                      .count = r->mark_count};
    for (uint32_t i = 0; i < r->mark_count; i++)
        s.all[i] = (struct mark){.m = &r->marks[i]};
    lz_sort(s.all, s.count, sizeof(*s.all), by_version, NULL);
    for (uint32_t i = 1; i < s.count; i++)
        s.is_ambiguous = s.is_ambiguous || (s.all[i].m->key == s.all[i - 1].m->key &&
                                            s.all[i].m->version == s.all[i - 1].m->version);
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct lz_recorder_mark *m = &r->marks[i];
        struct mark *own = find(&s, m->key, m->version);
        const struct mark *before = m->before != 0 ? find(&s, m->key, m->before) : NULL;
        lz_value added = r->ops[m->op].added;
        bool is_number = lz_value_kind(added) == LZ_VALUE_INTEGER;
        own->is_whole = m->before == 0 || (before != NULL && before->is_whole);
        own->total =
            (before != NULL ? before->total : 0) + (is_number ? lz_value_to_integer(added) : 0);
    }
    return s;
}

// ---- counters

// All that was added until an instant: sums of what certainly was, of what may have been.
struct sum {
    uint64_t at;
    int64_t low, high; // what happens to the bounds there, then what they are
};

static int by_at(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct sum *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

// The bounds just before an instant.
static struct sum bounds_at(const struct sum *sums, uint32_t count, uint64_t at)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sums[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? sums[low - 1] : (struct sum){0};
}

static uint32_t add_up(const struct lz_recorder_op **ops, uint32_t count, struct sum *sums)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_recorder_op *op = ops[i];
        if (!op->is_add || op->outcome == LZ_RECORDER_FAIL)
            continue;
        int64_t by = lz_value_to_integer(op->added);
        sums[n++] = (struct sum){op->begin, by < 0 ? by : 0, by > 0 ? by : 0};
        if (op->outcome == LZ_RECORDER_OK)
            sums[n++] = (struct sum){op->end, by > 0 ? by : 0, by < 0 ? by : 0};
    }
    lz_sort(sums, n, sizeof(*sums), by_at, NULL);
    for (uint32_t i = 1; i < n; i++) {
        sums[i].low += sums[i - 1].low;
        sums[i].high += sums[i - 1].high;
    }
    return n;
}

// An increment that was answered has seen itself, and its own end is not yet counted.
static enum lz_judge_white judge_seen(const struct marks *s, const struct lz_recorder_op *op,
                                      const struct sum *sums, uint32_t count)
{
    if (op->outcome != LZ_RECORDER_OK)
        return LZ_JUDGE_PROVEN;
    if (!op->has_version || op->is_repeated) // which may be of another attempt than the answer
        return LZ_JUDGE_NOT_TOLD;
    const struct mark *m = op->version != 0 ? find(s, op->key, op->version) : NULL;
    if (op->version != 0 && (m == NULL || !m->is_whole))
        return LZ_JUDGE_NOT_TOLD;
    int64_t total = m != NULL ? m->total : 0;
    int64_t own = op->is_add ? lz_value_to_integer(op->added) : 0;
    struct sum first = bounds_at(sums, count, op->begin), last = bounds_at(sums, count, op->end);
    int64_t low = first.low + own, high = last.high + (own < 0 ? own : 0);
    return total < low || total > high ? LZ_JUDGE_REFUTED : LZ_JUDGE_PROVEN;
}

static int by_key(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *const *x = a, *const *y = b;
    if ((*x)->key != (*y)->key)
        return (*x)->key < (*y)->key ? -1 : 1;
    return ((*x)->begin > (*y)->begin) - ((*x)->begin < (*y)->begin);
}

static enum lz_judge_white judge_counters(const struct lz_recorder *r)
{
    struct marks s = marks_of(r);
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    struct sum *sums = lz_mem_alloc((2 * (size_t)r->count + 1) * sizeof(*sums));
    uint32_t count = lz_counted_ops(r, LZ_RECORDER_COUNTERS, ops);
    lz_sort(ops, count, sizeof(*ops), by_key, NULL);
    enum lz_judge_white white = s.is_ambiguous ? LZ_JUDGE_NOT_TOLD : LZ_JUDGE_PROVEN;
    for (uint32_t first = 0, end; first < count && !s.is_ambiguous; first = end) {
        for (end = first; end < count && ops[end]->key == ops[first]->key; end++)
            ;
        uint32_t n = add_up(ops + first, end - first, sums);
        for (uint32_t i = first; i < end; i++)
            white = worse(white, judge_seen(&s, ops[i], sums, n));
    }
    free(sums);
    free(ops);
    free(s.all);
    return white;
}

// ---- sets

static int by_key_then_begin(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_counted_step *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

// Is what had that version in the last read? `marks` NULL: a log, in which versions only grow.
static bool is_in_last(const struct marks *marks, uint64_t key, uint64_t version, uint64_t last)
{
    if (marks == NULL)
        return version <= last;
    const struct mark *m = version != 0 ? find(marks, key, version) : NULL;
    return version == 0 || (m != NULL && m->is_in);
}

// Everything that the last read's version was made of. False: it is not known.
static bool trace_last(const struct marks *marks, uint64_t key, uint64_t last)
{
    while (last != 0) {
        struct mark *m = find(marks, key, last);
        if (m == NULL || !m->is_whole)
            return false;
        m->is_in = true;
        last = m->m->before;
    }
    return true;
}

static bool is_unique(const struct lz_counted_step *steps, uint32_t count, lz_value value)
{
    uint32_t times = 0;
    for (uint32_t i = 0; i < count; i++)
        times += !steps[i].is_read && steps[i].value == value;
    return times == 1;
}

static enum lz_judge_white judge_set(const struct marks *marks, const struct lz_counted_step *steps,
                                     uint32_t count)
{
    const struct lz_counted_step *last = NULL;
    for (uint32_t i = 0; i < count; i++) {
        last = steps[i].is_read ? &steps[i] : last;
        if (!steps[i].has_version && (steps[i].is_ok || steps[i].is_read))
            return LZ_JUDGE_NOT_TOLD;
    }
    if (last == NULL)
        return LZ_JUDGE_NOT_TOLD;
    if (marks != NULL && !trace_last(marks, last->key, last->version))
        return LZ_JUDGE_NOT_TOLD;
    bool are_one_line = true;
    const struct lz_counted_step *lost = NULL;
    for (uint32_t i = 0; i < count; i++) {
        bool is_in = is_in_last(marks, steps[i].key, steps[i].version, last->version);
        if (steps[i].is_read)
            are_one_line = are_one_line && is_in;
        else if (steps[i].is_ok && steps[i].end < last->begin && !is_in && lost == NULL)
            lost = &steps[i];
    }
    if (are_one_line && lost == NULL)
        return LZ_JUDGE_PROVEN;
    bool is_lost = are_one_line && lost != NULL && is_unique(steps, count, lost->value);
    return is_lost ? LZ_JUDGE_REFUTED : LZ_JUDGE_NOT_TOLD;
}

static uint32_t steps_of_calls(const struct lz_recorder *r, struct lz_counted_step *steps)
{
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    uint32_t count = lz_counted_ops(r, LZ_RECORDER_SETS, ops), n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_recorder_op *op = ops[i];
        bool is_read = op->f == LZ_RECORDER_MEMBERS;
        if (op->outcome == LZ_RECORDER_FAIL || (is_read && op->outcome != LZ_RECORDER_OK))
            continue;
        // What it did twice has two versions, of which one is kept: then nothing is said of it.
        steps[n++] = (struct lz_counted_step){.key = op->key,
                                              .begin = op->begin,
                                              .end = op->end,
                                              .version = op->version,
                                              .value = is_read ? 0 : op->added,
                                              .is_read = is_read,
                                              .has_version = op->has_version && !op->is_repeated,
                                              .is_ok = op->outcome == LZ_RECORDER_OK};
    }
    free(ops);
    return n;
}

static enum lz_judge_white judge_sets(const struct lz_recorder *r)
{
    bool are_txns = r->txn_count > 0;
    uint32_t cap = are_txns ? r->step_count : r->count;
    struct lz_counted_step *steps = lz_mem_alloc(((size_t)cap + 1) * sizeof(*steps));
    uint32_t count = are_txns ? lz_counted_steps(r, steps) : steps_of_calls(r, steps);
    struct marks s = marks_of(r);
    lz_sort(steps, count, sizeof(*steps), by_key_then_begin, NULL);
    bool is_told = are_txns ? !r->is_rewound : !s.is_ambiguous;
    enum lz_judge_white white = is_told ? LZ_JUDGE_PROVEN : LZ_JUDGE_NOT_TOLD;
    for (uint32_t first = 0, end; first < count && is_told; first = end) {
        for (end = first; end < count && steps[end].key == steps[first].key; end++)
            ;
        white = worse(white, judge_set(are_txns ? NULL : &s, steps + first, end - first));
    }
    free(s.all);
    free(steps);
    return white;
}

// ---- ids

static int by_value(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_mark *const *x = a, *const *y = b;
    if ((*x)->key != (*y)->key)
        return (*x)->key < (*y)->key ? -1 : 1;
    if ((*x)->value != (*y)->value)
        return (*x)->value < (*y)->value ? -1 : 1;
    return (*x > *y) - (*x < *y);
}

static bool is_heard(const struct lz_recorder *r, const struct lz_recorder_mark *m)
{
    const struct lz_recorder_op *op = &r->ops[m->op];
    return op->outcome == LZ_RECORDER_OK && !op->is_repeated;
}

static enum lz_judge_white judge_ids(const struct lz_recorder *r)
{
    const struct lz_recorder_mark **all = lz_mem_alloc((r->mark_count + 1) * sizeof(*all));
    uint32_t count = 0;
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    bool *is_one = lz_mem_alloc(r->count + 1);
    memset(is_one, 0, r->count + 1);
    uint32_t op_count = lz_counted_ops(r, LZ_RECORDER_IDS, ops);
    for (uint32_t i = 0; i < op_count; i++) {
        is_one[ops[i] - r->ops] = true;
        if (ops[i]->outcome == LZ_RECORDER_OK && !ops[i]->has_version)
            white = LZ_JUDGE_NOT_TOLD;
    }
    for (uint32_t i = 0; i < r->mark_count; i++)
        if (is_one[r->marks[i].op])
            all[count++] = &r->marks[i];
    free(is_one);
    free(ops);
    lz_sort(all, count, sizeof(*all), by_value, NULL);
    for (uint32_t i = 1; i < count; i++) {
        if (all[i]->key != all[i - 1]->key || all[i]->value != all[i - 1]->value)
            continue;
        bool is_seen =
            is_heard(r, all[i]) && is_heard(r, all[i - 1]) && all[i]->op != all[i - 1]->op;
        white = worse(white, is_seen ? LZ_JUDGE_REFUTED : LZ_JUDGE_NOT_TOLD);
    }
    free(all);
    return white;
}

enum lz_judge_white lz_counted_white(const struct lz_recorder *r, enum lz_recorder_kind kind)
{
    if (r->role_count > 0 && kind != LZ_RECORDER_IDS)
        return LZ_JUDGE_NOT_TOLD; // a service's handlers know, and nobody else
    if (kind == LZ_RECORDER_COUNTERS)
        return judge_counters(r);
    return kind == LZ_RECORDER_SETS ? judge_sets(r) : judge_ids(r);
}
