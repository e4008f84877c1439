/*
 * guarantee.c — what one client may rely on, and whether all come to agree.
 *
 * The session guarantees of Terry et al. (PDIS 1994), of keys that are read and written:
 *
 *   read-your-writes     a process that wrote a value never reads an older one
 *   monotonic-reads      what it reads never goes back
 *   monotonic-writes     who has seen its second write never reads its first afterwards
 *   writes-follow-reads  who has seen what it wrote never reads what is older than what it had read
 *
 * A value is older than another only where the history proves it: its write had completed before
 * the other's was invoked, or one process wrote both in that order. Nothing is older than what was
 * written. Of concurrent writes nothing is said, so what is found is wrong in any order of them.
 * A value that was written twice to a key tells nothing.
 *
 *   convergence   reads that begin after a key's last write has completed all see the same, and
 *                 it is what somebody wrote
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/txn.h"

struct access {
    lz_atom key, value;
    uint32_t process, op;
    bool is_write, is_known; /* is_known: it took place, and with what value */
};

struct accesses {
    struct access *all; /* by key, then begin */
    uint32_t count;
};

static int by_key(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct access *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->op > y->op) - (x->op < y->op); // operations are in order of begin
}

static bool collect(struct lz_verify *v, const struct lz_verify_model *m, struct accesses *out,
                    struct lz_err *err)
{
    const struct lz_history *h = v->h;
    *out = (struct accesses){.all = lz_mem_alloc((h->part_count + 1) * sizeof(*out->all))};
    for (uint32_t i = 0; i < h->op_count; i++) {
        const struct lz_history_op *op = &h->ops[i];
        for (uint32_t j = 0; j < op->part_count && op->outcome != LZ_HISTORY_FAIL; j++) {
            const struct lz_history_part *p = lz_history_part(h, op, j);
            if (p->f != LZ_HISTORY_READ && p->f != LZ_HISTORY_WRITE && p->f != LZ_HISTORY_CAS) {
                free(out->all);
                return lz_fail(err, LZ_EINVAL, "line %u: the model %s has no such operation",
                               op->line, m->name);
            }
            bool is_write = p->f != LZ_HISTORY_READ;
            if (!is_write && (op->outcome != LZ_HISTORY_OK || !p->is_known || p->is_list))
                continue;
            out->all[out->count++] =
                (struct access){.key = p->key,
                                .value = p->f == LZ_HISTORY_CAS ? p->value_b : p->value,
                                .process = op->process,
                                .op = i,
                                .is_write = is_write,
                                .is_known = op->outcome == LZ_HISTORY_OK};
        }
    }
    lz_sort(out->all, out->count, sizeof(*out->all), by_key, NULL);
    return true;
}

// The write of a value to a key; NULL: nobody's, or several: which is not told.
static const struct access *writer(const struct access *of, uint32_t count, lz_atom value)
{
    const struct access *found = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!of[i].is_write || of[i].value != value)
            continue;
        if (found != NULL)
            return NULL;
        found = &of[i];
    }
    return found;
}

// What a key's reads are compared by, per value: found once, since keys may be read often.
struct origin {
    const struct access *write; /* NULL: nil, or not told */
    bool is_told;
};

static bool is_older(const struct lz_verify *v, const struct origin *a, const struct origin *b)
{
    if (!a->is_told || !b->is_told || a->write == b->write || b->write == NULL)
        return false;
    if (a->write == NULL)
        return true; // nothing was there before anything was written
    const struct lz_history_op *x = &v->h->ops[a->write->op], *y = &v->h->ops[b->write->op];
    bool is_before = x->end != LZ_HISTORY_NEVER && x->end < y->begin;
    return is_before || (x->process == y->process && a->write->op < b->write->op);
}

static bool precedes(const struct lz_verify *v, const struct access *a, const struct access *b)
{
    return v->h->ops[a->op].end < v->h->ops[b->op].begin;
}

static void found(struct lz_verify *v, const char *name, const struct access *const ops[3],
                  const char *what)
{
    v->answer = LZ_VERIFY_VIOLATED;
    if (!lz_verify_found(v, name))
        return;
    lz_str_addf(&v->why, "%s: ", name);
    for (int i = 0; i < 3; i++) {
        if (ops[i] == NULL)
            continue;
        lz_history_show(v->h, &v->h->ops[ops[i]->op], &v->why);
        lz_str_add(&v->why, "\n    ");
    }
    lz_str_addf(&v->why, "%s\n", what);
}

struct key {
    struct lz_verify *v;
    const struct access *all;
    const struct origin *from; // by access: where its value is from
    uint32_t count;
    uint64_t looked; // pairs that a guarantee is about
};

static void read_your_writes(struct key *k, uint32_t w, uint32_t r)
{
    const struct access *a = &k->all[w], *b = &k->all[r];
    if (!a->is_write || !a->is_known || b->is_write || a->process != b->process)
        return;
    k->looked++;
    struct origin own = {.write = a, .is_told = true};
    if (is_older(k->v, &k->from[r], &own))
        found(k->v, "read-your-writes", (const struct access *[3]){a, b},
              "did not see what it had written itself");
}

static void monotonic_reads(struct key *k, uint32_t i, uint32_t j)
{
    const struct access *a = &k->all[i], *b = &k->all[j];
    if (a->is_write || b->is_write || a->process != b->process)
        return;
    k->looked++;
    if (is_older(k->v, &k->from[j], &k->from[i]))
        found(k->v, "monotonic-reads", (const struct access *[3]){a, b}, "read what is older");
}

// One has seen the write of `i`; later it sees the value of an earlier write of the same process.
static void monotonic_writes(struct key *k, uint32_t i, uint32_t j)
{
    const struct access *a = &k->all[i], *b = &k->all[j];
    if (a->is_write || b->is_write || a->process != b->process || k->from[i].write == NULL ||
        k->from[j].write == NULL)
        return;
    const struct access *second = k->from[i].write, *first = k->from[j].write;
    if (first->process != second->process || first->op == second->op)
        return;
    k->looked++;
    if (first->op < second->op)
        found(k->v, "monotonic-writes", (const struct access *[3]){a, b},
              "read the second of two writes of one process, and then the first");
}

// The last that the writer of `second` had read before it wrote.
static const struct origin *read_before(const struct key *k, const struct access *second)
{
    const struct origin *last = NULL;
    for (uint32_t i = 0; i < k->count && k->all[i].op < second->op; i++)
        if (!k->all[i].is_write && k->all[i].process == second->process)
            last = &k->from[i];
    return last;
}

static void writes_follow_reads(struct key *k, uint32_t i, uint32_t j)
{
    const struct access *a = &k->all[i], *b = &k->all[j];
    if (a->is_write || b->is_write || a->process != b->process || k->from[i].write == NULL)
        return;
    const struct origin *had = read_before(k, k->from[i].write);
    if (had == NULL || !had->is_told || had->write == NULL)
        return;
    k->looked++;
    if (k->from[j].write != k->from[i].write && is_older(k->v, &k->from[j], had))
        found(k->v, "writes-follow-reads", (const struct access *[3]){a, b},
              "saw a write, and then what is older than what its writer had read");
}

static const struct {
    const char *name;
    void (*look)(struct key *k, uint32_t i, uint32_t j);
} guarantees[] = {
    {"read-your-writes", read_your_writes},
    {"monotonic-reads", monotonic_reads},
    {"monotonic-writes", monotonic_writes},
    {"writes-follow-reads", writes_follow_reads},
};

/*
 * Pairs of one process, one after the other. A process that does much with one key would have a
 * square of pairs: what goes back does so against something recent or against what it was last
 * known to have, so that looking PAIRS_MAX back finds the first time it happens.
 */
enum { PAIRS_MAX = 64 };

static void look_at_key(struct key *k, void (*look)(struct key *, uint32_t, uint32_t))
{
    for (uint32_t j = 1; j < k->count; j++) {
        uint32_t pairs = 0;
        for (uint32_t i = j; i-- > 0 && pairs < PAIRS_MAX;) {
            if (k->all[i].process != k->all[j].process || !precedes(k->v, &k->all[i], &k->all[j]))
                continue;
            pairs++;
            look(k, i, j);
        }
    }
}

static int by_value(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct access *const *x = a, *const *y = b;
    return ((*x)->value > (*y)->value) - ((*x)->value < (*y)->value);
}

// The origin of each access of a key, by a table of its writes in order of value.
static void find_origins(const struct access *all, uint32_t count, struct origin *from)
{
    const struct access **writes = lz_mem_alloc((count + 1) * sizeof(*writes));
    uint32_t write_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (all[i].is_write)
            writes[write_count++] = &all[i];
    lz_sort(writes, write_count, sizeof(*writes), by_value, NULL);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t low = 0, high = write_count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (writes[middle]->value < all[i].value)
                low = middle + 1;
            else
                high = middle;
        }
        bool is_there = low < write_count && writes[low]->value == all[i].value;
        bool is_twice = low + 1 < write_count && writes[low + 1]->value == all[i].value;
        if (all[i].value == 0) // deleted, where anybody did, or not there yet
            from[i] = (struct origin){.write = NULL, .is_told = !is_there};
        else
            from[i] = (struct origin){.write = is_there && !is_twice ? writes[low] : NULL,
                                      .is_told = is_there && !is_twice};
    }
    free(writes);
}

bool lz_guarantee_check(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    struct accesses a;
    if (!collect(v, m, &a, err))
        return false;
    struct origin *from = lz_mem_alloc((a.count + 1) * sizeof(*from));
    uint64_t looked = 0;
    for (uint32_t first = 0, end; first < a.count; first = end) {
        for (end = first; end < a.count && a.all[end].key == a.all[first].key; end++)
            ;
        find_origins(a.all + first, end - first, from);
        struct key k = {.v = v, .all = a.all + first, .from = from, .count = end - first};
        for (size_t g = 0; g < sizeof(guarantees) / sizeof(guarantees[0]); g++)
            if (strcmp(guarantees[g].name, m->name) == 0)
                look_at_key(&k, guarantees[g].look);
        looked += k.looked;
    }
    if (looked == 0) {
        v->answer = LZ_VERIFY_UNKNOWN;
        lz_str_add(&v->why, "no process did two things that it is about, one after the other\n");
    }
    lz_str_addf(&v->facts, "%llu pairs of operations of one process", (unsigned long long)looked);
    free(from);
    free(a.all);
    return true;
}

// ---- convergence

static void converge(struct lz_verify *v, const struct access *all, uint32_t count, uint32_t *reads)
{
    const struct lz_history *h = v->h;
    int64_t quiet = INT64_MIN; // when the last write was over, if that is known
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_history_op *op = &h->ops[all[i].op];
        int64_t end = op->end != LZ_HISTORY_NEVER ? op->end : op->begin;
        if (all[i].is_write && end > quiet)
            quiet = end;
    }
    const struct access *seen = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].is_write || h->ops[all[i].op].begin <= quiet)
            continue;
        ++*reads;
        if (seen != NULL && seen->value != all[i].value)
            found(v, "diverged", (const struct access *[3]){seen, &all[i]},
                  "see different values, though nobody writes any more");
        else if (seen == NULL && quiet != INT64_MIN && writer(all, count, all[i].value) == NULL &&
                 all[i].value == 0)
            found(v, "lost", (const struct access *[3]){&all[i]},
                  "sees nothing, though it was written");
        seen = &all[i];
    }
}

bool lz_guarantee_convergence(struct lz_verify *v, const struct lz_verify_model *m,
                              struct lz_err *err)
{
    struct accesses a;
    if (!collect(v, m, &a, err))
        return false;
    uint32_t reads = 0;
    for (uint32_t first = 0, end; first < a.count; first = end) {
        for (end = first; end < a.count && a.all[end].key == a.all[first].key; end++)
            ;
        converge(v, a.all + first, end - first, &reads);
    }
    if (reads == 0) {
        v->answer = LZ_VERIFY_UNKNOWN;
        lz_str_add(&v->why, "no key was read after its last write\n");
    }
    lz_str_addf(&v->facts, "%u reads after the last write of their keys", reads);
    free(a.all);
    return true;
}
