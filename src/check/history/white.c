#include "check/history/white.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"

int lz_white_by_key(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *const *x = a, *const *y = b;
    if ((*x)->key != (*y)->key)
        return (*x)->key < (*y)->key ? -1 : 1;
    return ((*x)->begin > (*y)->begin) - ((*x)->begin < (*y)->begin);
}

int lz_white_by_version(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct lz_recorder_op *const *x = a, *const *y = b;
    return ((*x)->version > (*y)->version) - ((*x)->version < (*y)->version);
}

static bool is_read(const struct lz_recorder_op *op)
{
    return op->f == LZ_RECORDER_READ;
}

static bool is_write(const struct lz_recorder_op *op)
{
    return op->f == LZ_RECORDER_WRITE || op->f == LZ_RECORDER_CREATE;
}

// Two values of one version: versions were given out anew, and order nothing.
static bool is_ambiguous(const struct lz_recorder_op **ops, uint32_t count)
{
    const struct lz_recorder_op **sorted = lz_mem_alloc((count + 1) * sizeof(*sorted));
    memcpy(sorted, ops, count * sizeof(*sorted));
    lz_sort(sorted, count, sizeof(*sorted), lz_white_by_version, NULL);
    bool is_so = false;
    for (uint32_t i = 1; i < count; i++)
        is_so = is_so || (sorted[i]->version == sorted[i - 1]->version &&
                          sorted[i]->value != sorted[i - 1]->value);
    free(sorted);
    return is_so;
}

bool lz_white_is_told(const struct lz_recorder_op **ops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!ops[i]->has_version || ops[i]->is_repeated)
            return false;
    return !is_ambiguous(ops, count);
}

bool lz_white_creates_fit(const struct lz_recorder_op **ops, uint32_t count)
{
    const struct lz_recorder_op **sorted = lz_mem_alloc((count + 1) * sizeof(*sorted));
    memcpy(sorted, ops, count * sizeof(*sorted));
    lz_sort(sorted, count, sizeof(*sorted), lz_white_by_version, NULL);
    bool fits = true;
    lz_value before = 0; // nothing is there
    for (uint32_t first = 0, end; first < count; first = end) {
        uint32_t writes = 0;
        bool creates = false;
        for (end = first; end < count && sorted[end]->version == sorted[first]->version; end++) {
            writes += is_write(sorted[end]);
            bool is_create = sorted[end]->f == LZ_RECORDER_CREATE;
            creates = creates || is_create;
            fits = fits && (!is_create || sorted[end]->expected == before);
        }
        fits = fits && (!creates || writes == 1);
        before = sorted[first]->value;
    }
    free(sorted);
    return fits;
}

// Of two of them, one over before the other began, the earlier has the lower version.
static bool agrees_with_time(const struct lz_recorder_op **ops, uint32_t count)
{
    const struct lz_recorder_op **sorted = lz_mem_alloc((count + 1) * sizeof(*sorted));
    memcpy(sorted, ops, count * sizeof(*sorted));
    lz_sort(sorted, count, sizeof(*sorted), lz_white_by_version, NULL);
    bool agrees = true;
    uint64_t begun = 0;
    for (uint32_t i = 0; i < count; i++) {
        agrees = agrees && sorted[i]->end >= begun;
        begun = sorted[i]->begin > begun ? sorted[i]->begin : begun;
    }
    free(sorted);
    return agrees;
}

// ---- one key at a time

struct key {
    const struct lz_recorder_op **ops; /* that happened, in order of begin */
    const struct lz_recorder_op **writes;
    uint32_t count, write_count;
    uint32_t processes;
    const struct lz_recorder_op **last; /* by process: scratch */
};

// The only write with this version; NULL: there is none, or it may have happened twice.
static const struct lz_recorder_op *writer(const struct key *k, uint64_t version)
{
    const struct lz_recorder_op *found = NULL;
    for (uint32_t i = 0; i < k->write_count; i++) {
        if (k->writes[i]->version != version)
            continue;
        if (found != NULL)
            return NULL;
        found = k->writes[i];
    }
    return found;
}

static bool is_written_once(const struct key *k, const struct lz_recorder_op *write)
{
    uint32_t times = write->value == 0; // as it was before anybody wrote
    for (uint32_t i = 0; i < k->write_count; i++)
        times += k->writes[i]->value == write->value;
    return times == 1;
}

// `old` saw a version whose write was over before that of `seen` began; both values are unique.
static bool is_certainly_older(const struct key *k, const struct lz_recorder_op *old,
                               const struct lz_recorder_op *seen)
{
    const struct lz_recorder_op *x = writer(k, old->version), *y = writer(k, seen->version);
    return x != NULL && y != NULL && x != y && x->end < y->begin && is_written_once(k, x) &&
           is_written_once(k, y);
}

static void forget(struct key *k)
{
    for (uint32_t i = 0; i < k->count; i++)
        k->last[k->ops[i]->process] = NULL;
}

// What each process sees never goes back, counted from what `counts` says that it goes by.
static enum lz_judge_white judge_order(struct key *k, bool (*counts)(const struct lz_recorder_op *))
{
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    forget(k);
    for (uint32_t i = 0; i < k->count; i++) {
        const struct lz_recorder_op *op = k->ops[i], **last = &k->last[op->process];
        bool is_back = is_read(op) && *last != NULL && op->version < (*last)->version;
        if (is_back && is_certainly_older(k, op, *last))
            return LZ_JUDGE_REFUTED;
        if (is_back)
            white = LZ_JUDGE_NOT_TOLD;
        if (counts(op))
            *last = op;
    }
    return white;
}

// Each process' operations of the key have versions that only grow: more than either guarantee.
static enum lz_judge_white judge_all_in_order(struct key *k)
{
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    forget(k);
    for (uint32_t i = 0; i < k->count; i++) {
        const struct lz_recorder_op *op = k->ops[i], **last = &k->last[op->process];
        if (*last != NULL &&
            (op->version < (*last)->version || (is_write(op) && op->version == (*last)->version)))
            white = LZ_JUDGE_NOT_TOLD;
        *last = op;
    }
    return white;
}

static enum lz_judge_white judge_convergence(struct key *k)
{
    uint64_t quiet = 0;
    for (uint32_t i = 0; i < k->write_count; i++)
        quiet = k->writes[i]->end > quiet ? k->writes[i]->end : quiet;
    const struct lz_recorder_op *seen = NULL;
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    for (uint32_t i = 0; i < k->count; i++) {
        const struct lz_recorder_op *op = k->ops[i];
        if (!is_read(op) || op->begin <= quiet)
            continue;
        if (seen != NULL && seen->version != op->version && seen->value != op->value)
            return LZ_JUDGE_REFUTED;
        if ((seen != NULL && seen->version != op->version) || op->version == 0)
            white = LZ_JUDGE_NOT_TOLD;
        seen = op;
    }
    return white;
}

static enum lz_judge_white judge_guarantee(const char *model, struct key *k)
{
    if (strcmp(model, "convergence") == 0)
        return judge_convergence(k);
    if (strcmp(model, "read-your-writes") == 0)
        return judge_order(k, is_write);
    if (strcmp(model, "monotonic-reads") == 0)
        return judge_order(k, is_read);
    return judge_all_in_order(k);
}

static enum lz_judge_white worse(enum lz_judge_white a, enum lz_judge_white b)
{
    if (a == LZ_JUDGE_REFUTED || b == LZ_JUDGE_REFUTED)
        return LZ_JUDGE_REFUTED;
    return a == LZ_JUDGE_PROVEN ? b : a;
}

static enum lz_judge_white judge_one(const char *model, struct key *k, bool has_unknown)
{
    bool is_last = strcmp(model, "convergence") == 0;
    if (is_last && has_unknown)
        return LZ_JUDGE_NOT_TOLD; // when the last write was is not known
    if (!lz_white_is_told(k->ops, k->count) || !agrees_with_time(k->writes, k->write_count))
        return LZ_JUDGE_NOT_TOLD;
    return judge_guarantee(model, k);
}

static int by_number(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

struct lz_white_keys lz_white_locks(const struct lz_recorder *r)
{
    struct lz_white_keys locks = {.keys = lz_mem_alloc((r->count + 1) * sizeof(*locks.keys))};
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->ops[i].f == LZ_RECORDER_ACQUIRE)
            locks.keys[count++] = r->ops[i].key;
    lz_sort(locks.keys, count, sizeof(*locks.keys), by_number, NULL);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || locks.keys[i] != locks.keys[i - 1])
            locks.keys[locks.count++] = locks.keys[i];
    return locks;
}

static enum lz_judge_white judge_keys(const char *model, const struct lz_recorder *r)
{
    struct lz_white_keys locks = lz_white_locks(r);
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    struct key k = {.writes = lz_mem_alloc((r->count + 1) * sizeof(*ops)),
                    .last = lz_mem_alloc((r->processes + 1) * sizeof(*ops))};
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->ops[i].f <= LZ_RECORDER_CREATE && r->ops[i].outcome != LZ_RECORDER_FAIL &&
            !lz_judge_has_key(locks.keys, locks.count, r->ops[i].key))
            ops[count++] = &r->ops[i];
    free(locks.keys);
    lz_sort(ops, count, sizeof(*ops), lz_white_by_key, NULL);
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    for (uint32_t first = 0, end; first < count; first = end) {
        bool has_unknown = false;
        k.ops = ops + first;
        k.count = k.write_count = 0;
        for (end = first; end < count && ops[end]->key == ops[first]->key; end++) {
            has_unknown = has_unknown || ops[end]->outcome != LZ_RECORDER_OK;
            if (ops[end]->outcome != LZ_RECORDER_OK)
                continue;
            if (is_write(ops[end]))
                k.writes[k.write_count++] = ops[end];
            ops[first + k.count++] = ops[end]; // in place: what is unknown is passed over
        }
        white = worse(white, judge_one(model, &k, has_unknown));
    }
    free(ops);
    free(k.writes);
    free(k.last);
    return white;
}

// ---- locks

// Acquired, and again once that had ended, and until that had ended too nobody began to release.
static bool is_held_twice(const struct lz_recorder_op **ops, uint32_t count)
{
    const struct lz_recorder_op *held = NULL, *release = NULL;
    for (uint32_t i = 0; i < count && release == NULL; i++)
        if (ops[i]->f == LZ_RECORDER_RELEASE && ops[i]->outcome != LZ_RECORDER_FAIL)
            release = ops[i]; // the first to begin: from there on it may be free
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_recorder_op *op = ops[i];
        if (op->f != LZ_RECORDER_ACQUIRE || op->outcome != LZ_RECORDER_OK ||
            (release != NULL && op->end >= release->begin))
            continue;
        if (held != NULL && op->begin > held->end)
            return true;
        held = held == NULL || op->end < held->end ? op : held;
    }
    return false;
}

static bool is_by_turns(const struct lz_recorder_op **ops, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ops[i]->outcome != LZ_RECORDER_OK)
            return false;
    if (!lz_white_is_told(ops, count) || !agrees_with_time(ops, count))
        return false;
    const struct lz_recorder_op **sorted = lz_mem_alloc((count + 1) * sizeof(*sorted));
    memcpy(sorted, ops, count * sizeof(*sorted));
    lz_sort(sorted, count, sizeof(*sorted), lz_white_by_version, NULL);
    bool are_turns = true;
    for (uint32_t i = 0; i < count; i++) {
        are_turns = are_turns && (sorted[i]->f == LZ_RECORDER_ACQUIRE) == (i % 2 == 0) &&
                    sorted[i]->version != 0 &&
                    (i == 0 || sorted[i]->version != sorted[i - 1]->version) &&
                    (i % 2 == 0 || sorted[i]->process == sorted[i - 1]->process);
    }
    free(sorted);
    return are_turns;
}

static enum lz_judge_white judge_locks(const struct lz_recorder *r)
{
    const struct lz_recorder_op **ops = lz_mem_alloc((r->count + 1) * sizeof(*ops));
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++)
        if ((r->ops[i].f == LZ_RECORDER_ACQUIRE || r->ops[i].f == LZ_RECORDER_RELEASE) &&
            r->ops[i].outcome != LZ_RECORDER_FAIL)
            ops[count++] = &r->ops[i];
    lz_sort(ops, count, sizeof(*ops), lz_white_by_key, NULL);
    enum lz_judge_white white = LZ_JUDGE_PROVEN;
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && ops[end]->key == ops[first]->key; end++)
            ;
        if (is_held_twice(ops + first, end - first))
            white = LZ_JUDGE_REFUTED;
        else if (!is_by_turns(ops + first, end - first))
            white = worse(white, LZ_JUDGE_NOT_TOLD);
    }
    free(ops);
    return white;
}

enum lz_judge_white lz_white_judge(const char *model, const struct lz_recorder *recorder)
{
    static const char *const of_keys[] = {"convergence", "read-your-writes", "monotonic-reads",
                                          "monotonic-writes", "writes-follow-reads"};
    if (strcmp(model, "mutex") == 0)
        return judge_locks(recorder);
    for (size_t i = 0; i < sizeof(of_keys) / sizeof(of_keys[0]); i++)
        if (strcmp(model, of_keys[i]) == 0)
            return judge_keys(model, recorder);
    return LZ_JUDGE_NOT_TOLD;
}
