/*
 * tally.c — what can be checked by counting: sets, counters, accounts, ids, queues, forks.
 *
 * After Jepsen's checkers of the same names. Where nothing was read the answer is "unknown".
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/txn.h"

// A sentence about an operation, if the anomaly is the first of its kind; then violated.
static void found(struct lz_verify *v, const char *name, const struct lz_history_op *op,
                  const char *what, lz_atom value)
{
    v->answer = LZ_VERIFY_VIOLATED;
    if (!lz_verify_found(v, name))
        return;
    lz_str_addf(&v->why, "%s: ", name);
    if (op != NULL) {
        lz_history_show(v->h, op, &v->why);
        lz_str_add(&v->why, "\n    ");
    }
    lz_str_add(&v->why, what);
    if (value != 0) {
        lz_str_add(&v->why, ": ");
        lz_history_show_atom(v->h, value, &v->why);
    }
    lz_str_add_char(&v->why, '\n');
}

static void not_told(struct lz_verify *v, const char *why)
{
    if (v->answer == LZ_VERIFY_HOLDS)
        v->answer = LZ_VERIFY_UNKNOWN;
    lz_str_addf(&v->why, "%s\n", why);
}

static bool only(struct lz_verify *v, const struct lz_verify_model *m, unsigned fs,
                 struct lz_err *err)
{
    for (uint32_t i = 0; i < v->h->op_count; i++)
        for (uint32_t j = 0; j < v->h->ops[i].part_count; j++)
            if ((fs >> lz_history_part(v->h, &v->h->ops[i], j)->f & 1u) == 0)
                return lz_fail(err, LZ_EINVAL, "line %u: the model %s has no such operation",
                               v->h->ops[i].line, m->name);
    return true;
}

static bool integer(const struct lz_verify *v, lz_atom a, int64_t *out)
{
    *out = v->h->atoms[a].integer;
    return a != 0 && v->h->atoms[a].is_integer;
}

#define BIT(f) (1u << (f))

// Sets ------------------------------------------------------------------------------------------

// One element of a set, by key: whether it was added, and which reads have it.
struct element {
    lz_atom key, value;
    uint32_t op;
    int64_t known; // from when on a read must show it; NEVER
};

static int by_element(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct element *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

struct set {
    struct element *all;
    uint32_t count;
};

static struct element *element(const struct set *s, lz_atom key, lz_atom value)
{
    const struct element want = {.key = key, .value = value};
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (by_element(&s->all[middle], &want, NULL) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->count && by_element(&s->all[low], &want, NULL) == 0 ? &s->all[low] : NULL;
}

static struct set added(const struct lz_verify *v)
{
    struct set s = {.all = lz_mem_alloc((v->h->part_count + 1) * sizeof(*s.all))};
    for (uint32_t i = 0; i < v->h->op_count; i++) {
        const struct lz_history_op *op = &v->h->ops[i];
        if (op->part_count == 0 || lz_history_part(v->h, op, 0)->f != LZ_HISTORY_ADD)
            continue;
        const struct lz_history_part *p = lz_history_part(v->h, op, 0);
        int64_t known = op->outcome == LZ_HISTORY_OK ? op->end : LZ_HISTORY_NEVER;
        s.all[s.count++] = (struct element){p->key, p->value, i, known};
    }
    lz_sort(s.all, s.count, sizeof(*s.all), by_element, NULL);
    uint32_t kept = 0; // added several times: once is enough
    for (uint32_t i = 0; i < s.count; i++) {
        struct element *e = kept > 0 ? &s.all[kept - 1] : NULL;
        if (e == NULL || by_element(e, &s.all[i], NULL) != 0) {
            s.all[kept++] = s.all[i];
            continue;
        }
        bool is_refused = v->h->ops[e->op].outcome == LZ_HISTORY_FAIL;
        e->op = is_refused || s.all[i].known < e->known ? s.all[i].op : e->op;
        e->known = s.all[i].known < e->known ? s.all[i].known : e->known;
    }
    s.count = kept;
    return s;
}

static const struct lz_history_part *read_of(const struct lz_verify *v, uint32_t op)
{
    const struct lz_history_op *o = &v->h->ops[op];
    if (o->outcome != LZ_HISTORY_OK || o->part_count == 0)
        return NULL;
    const struct lz_history_part *p = lz_history_part(v->h, o, 0);
    return p->f == LZ_HISTORY_READ && p->is_known ? p : NULL;
}

// What a read shows that it should not.
static void check_shown(struct lz_verify *v, const struct set *s, uint32_t op,
                        const struct lz_history_part *p)
{
    for (uint32_t i = 0; i < p->list_count; i++) {
        lz_atom value = v->h->list[p->list_first + i];
        const struct element *e = element(s, p->key, value);
        if (e == NULL)
            found(v, "unexpected", &v->h->ops[op], "has what nobody added", value);
        else if (v->h->ops[e->op].outcome == LZ_HISTORY_FAIL)
            found(v, "unexpected", &v->h->ops[op], "has what was refused", value);
    }
}

bool lz_tally_set(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    if (!only(v, m, BIT(LZ_HISTORY_ADD) | BIT(LZ_HISTORY_READ), err))
        return false;
    struct set s = added(v);
    uint32_t last = v->h->op_count;
    for (uint32_t i = 0; i < v->h->op_count; i++)
        if (read_of(v, i) != NULL)
            last = i;
    if (last == v->h->op_count) {
        not_told(v, "the set was never read");
    } else {
        const struct lz_history_part *p = read_of(v, last);
        check_shown(v, &s, last, p);
        bool *is_shown = lz_mem_alloc(v->h->atom_count);
        memset(is_shown, 0, v->h->atom_count);
        for (uint32_t i = 0; i < p->list_count; i++)
            is_shown[v->h->list[p->list_first + i]] = true;
        for (uint32_t i = 0; i < s.count; i++)
            if (s.all[i].key == p->key && s.all[i].known < v->h->ops[last].begin &&
                !is_shown[s.all[i].value])
                found(v, "lost", &v->h->ops[s.all[i].op], "is not in the last read",
                      s.all[i].value);
        free(is_shown);
    }
    lz_str_addf(&v->facts, "%u elements added", s.count);
    free(s.all);
    return true;
}

/*
 * Every read counts: an element is known once its addition was acknowledged or a read has shown
 * it. One that no later read shows is lost; one that is missing and comes back was stale, which
 * is told and allowed (Jepsen's set-full, not linearizable).
 */
struct sight {
    uint32_t shown, missing; // reads + 1; the last of each; 0: none
    uint32_t stale;
};

// From when on each element is known.
static void learn(struct lz_verify *v, const struct set *s)
{
    for (uint32_t i = 0; i < v->h->op_count; i++) {
        const struct lz_history_part *p = read_of(v, i);
        for (uint32_t j = 0; p != NULL && j < p->list_count; j++) {
            struct element *e = element(s, p->key, v->h->list[p->list_first + j]);
            if (e != NULL && v->h->ops[i].end < e->known)
                e->known = v->h->ops[i].end;
        }
    }
}

static void look(struct lz_verify *v, const struct set *s, struct sight *sights)
{
    uint32_t *shown_in = lz_mem_alloc((s->count + 1) * sizeof(*shown_in));
    memset(shown_in, 0xff, (s->count + 1) * sizeof(*shown_in));
    for (uint32_t i = 0; i < v->h->op_count; i++) {
        const struct lz_history_part *p = read_of(v, i);
        if (p == NULL)
            continue;
        check_shown(v, s, i, p);
        for (uint32_t j = 0; j < p->list_count; j++) {
            const struct element *e = element(s, p->key, v->h->list[p->list_first + j]);
            if (e == NULL)
                continue;
            if (shown_in[e - s->all] == i)
                found(v, "duplicate", &v->h->ops[i], "has an element twice", e->value);
            shown_in[e - s->all] = i;
        }
        for (uint32_t j = 0; j < s->count; j++) {
            if (s->all[j].key != p->key)
                continue;
            if (shown_in[j] == i) {
                sights[j].shown = i + 1;
            } else if (s->all[j].known < v->h->ops[i].begin) {
                sights[j].missing = i + 1;
                sights[j].stale++;
            }
        }
    }
    free(shown_in);
}

bool lz_tally_set_full(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    if (!only(v, m, BIT(LZ_HISTORY_ADD) | BIT(LZ_HISTORY_READ), err))
        return false;
    struct set s = added(v);
    struct sight *sights = lz_mem_alloc((s.count + 1) * sizeof(*sights));
    memset(sights, 0, (s.count + 1) * sizeof(*sights));
    learn(v, &s);
    look(v, &s, sights);
    uint32_t stale = 0, told = 0;
    for (uint32_t i = 0; i < s.count; i++) {
        told += sights[i].shown > 0 || sights[i].missing > 0;
        if (sights[i].missing > sights[i].shown)
            found(v, "lost", &v->h->ops[s.all[i].op], "was known, and no later read shows it",
                  s.all[i].value);
        else
            stale += sights[i].stale > 0;
    }
    if (told == 0)
        not_told(v, "no element was read after it was known");
    lz_str_addf(&v->facts, "%u elements added, %u of them missing for a time", s.count, stale);
    free(sights);
    free(s.all);
    return true;
}

// Counters --------------------------------------------------------------------------------------

struct moment {
    int64_t at;
    uint32_t op;
    bool is_end;
};

static int by_moment(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct moment *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (int)x->is_end - (int)y->is_end;
}

// What a counter is at least, and at most.
struct bounds {
    int64_t low, high;
};

static void check_seen(struct lz_verify *v, const struct lz_history_op *op, const struct bounds *b,
                       const struct lz_history_part *p, int64_t value)
{
    if (value >= b->low && value <= b->high)
        return;
    if (!lz_verify_has(v, "out-of-bounds")) {
        lz_str_addf(&v->why, "the counter was between %" PRId64 " and %" PRId64 "; ", b->low,
                    b->high);
    }
    found(v, "out-of-bounds", op, "saw another value", p->value);
}

/*
 * A read lies between what was certainly added before it and what may have been by its end. What an
 * addition was told that the counter has come to is a read too, that has seen its own addition.
 */
struct counting {
    struct lz_verify *v;
    struct bounds *now;  // by key
    struct bounds *seen; // by operation: `low` at its beginning
    uint32_t reads;
};

// At most what 64 bits hold: no read sees more.
static int64_t sum_of(int64_t a, int64_t b)
{
    int64_t sum;
    return !__builtin_add_overflow(a, b, &sum) ? sum : b > 0 ? INT64_MAX : INT64_MIN;
}

static void pass_moment(struct counting *c, const struct moment *m)
{
    struct lz_verify *v = c->v;
    const struct lz_history_op *op = &v->h->ops[m->op];
    const struct lz_history_part *p = lz_history_part(v->h, op, 0);
    const struct lz_history_part *told = p->f == LZ_HISTORY_READ ? p
                                         : op->part_count > 1    ? lz_history_part(v->h, op, 1)
                                                                 : NULL;
    struct bounds *b = &c->now[p->key];
    int64_t value = 0, own = 0;
    bool is_number = integer(v, p->value, &value);
    if (p->f == LZ_HISTORY_ADD && (is_number || p->value == 0)) {
        // What is invoked may count from now on, what is acknowledged does.
        if ((value > 0) != m->is_end)
            b->high = sum_of(b->high, value);
        else
            b->low = sum_of(b->low, value);
        own = value > 0 ? value : 0;
    }
    if (!m->is_end)
        c->seen[m->op].low = sum_of(b->low, own);
    if (!m->is_end || told == NULL || op->outcome != LZ_HISTORY_OK || !told->is_known ||
        !integer(v, told->value, &value))
        return;
    c->seen[m->op].high = b->high;
    c->reads++;
    check_seen(v, op, &c->seen[m->op], told, value);
}

bool lz_tally_counter(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    if (!only(v, m, BIT(LZ_HISTORY_ADD) | BIT(LZ_HISTORY_READ), err))
        return false;
    struct moment *moments = lz_mem_alloc((2 * (size_t)v->h->op_count + 1) * sizeof(*moments));
    struct counting c = {.v = v,
                         .now = lz_mem_alloc(v->h->atom_count * sizeof(*c.now)),
                         .seen = lz_mem_alloc((v->h->op_count + 1) * sizeof(*c.seen))};
    memset(c.now, 0, v->h->atom_count * sizeof(*c.now));
    uint32_t count = 0;
    for (uint32_t i = 0; i < v->h->op_count; i++) {
        if (v->h->ops[i].outcome == LZ_HISTORY_FAIL || v->h->ops[i].part_count == 0)
            continue;
        moments[count++] = (struct moment){v->h->ops[i].begin, i, false};
        if (v->h->ops[i].end != LZ_HISTORY_NEVER)
            moments[count++] = (struct moment){v->h->ops[i].end, i, true};
    }
    lz_sort(moments, count, sizeof(*moments), by_moment, NULL);
    for (uint32_t i = 0; i < count; i++)
        pass_moment(&c, &moments[i]);
    // Jepsen's counter holds when nobody looked; the facts say so.
    if (c.reads > 0)
        lz_str_addf(&v->facts, "%u reads", c.reads);
    else
        lz_str_add(&v->facts, "never read, so nothing is wrong");
    free(c.now);
    free(c.seen);
    free(moments);
    return true;
}

// Banks -----------------------------------------------------------------------------------------

bool lz_tally_bank(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    if (!only(v, m, BIT(LZ_HISTORY_READ) | BIT(LZ_HISTORY_TRANSFER), err))
        return false;
    bool has_total = v->opts->has_total;
    int64_t total = v->opts->total;
    uint32_t reads = 0;
    for (uint32_t i = 0; i < v->h->op_count; i++) {
        const struct lz_history_op *op = &v->h->ops[i];
        if (read_of(v, i) == NULL)
            continue;
        int64_t sum = 0, balance;
        for (uint32_t j = 0; j < op->part_count; j++) {
            const struct lz_history_part *p = lz_history_part(v->h, op, j);
            if (!integer(v, p->value, &balance)) {
                found(v, "no-balance", op, "an account has no balance", p->key);
                continue;
            }
            if (balance < 0 && !v->opts->negative)
                found(v, "negative-balance", op, "an account is below 0", p->key);
            sum += balance;
        }
        total = has_total ? total : sum;
        has_total = true;
        reads++;
        if (sum != total) {
            if (!lz_verify_has(v, "wrong-total"))
                lz_str_addf(&v->why, "accounts add up to %" PRId64 ", not to %" PRId64 ": ", sum,
                            total);
            found(v, "wrong-total", op, "money was made or lost", 0);
        }
    }
    if (reads == 0)
        not_told(v, "the accounts were never read");
    lz_str_addf(&v->facts, "%u reads of all accounts, total %" PRId64, reads, total);
    return true;
}

// Ids -------------------------------------------------------------------------------------------

struct given {
    lz_atom key, id;
    uint32_t op;
};

static int by_given(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct given *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->op > y->op) - (x->op < y->op);
}

/* Of one key each: sequences of their own may give the same. */
bool lz_tally_ids(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    if (!only(v, m, BIT(LZ_HISTORY_GENERATE), err))
        return false;
    struct given *all = lz_mem_alloc((v->h->part_count + 1) * sizeof(*all));
    uint32_t count = 0;
    for (uint32_t i = 0; i < v->h->op_count; i++) {
        const struct lz_history_op *op = &v->h->ops[i];
        for (uint32_t j = 0; op->outcome == LZ_HISTORY_OK && j < op->part_count; j++) {
            const struct lz_history_part *p = lz_history_part(v->h, op, j);
            all[count++] = (struct given){p->key, p->value, i};
        }
    }
    lz_sort(all, count, sizeof(*all), by_given, NULL);
    for (uint32_t i = 1; i < count; i++) {
        if (all[i].key != all[i - 1].key || all[i].id != all[i - 1].id)
            continue;
        bool is_first = !lz_verify_has(v, "duplicate");
        found(v, "duplicate", &v->h->ops[all[i].op], "an id was given twice", all[i].id);
        if (!is_first)
            continue;
        lz_str_add(&v->why, "    ");
        lz_history_show(v->h, &v->h->ops[all[i - 1].op], &v->why);
        lz_str_add_char(&v->why, '\n');
    }
    free(all);
    if (count == 0)
        not_told(v, "no id was generated");
    lz_str_addf(&v->facts, "%u ids", count);
    return true;
}

// Queues ----------------------------------------------------------------------------------------

struct passage {
    uint32_t enqueued, attempts, dequeued, op;
};

/* What goes in comes out once, in any order. What nobody took may still be there. */
bool lz_tally_queue(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    if (!only(v, m, BIT(LZ_HISTORY_ENQUEUE) | BIT(LZ_HISTORY_DEQUEUE), err))
        return false;
    struct passage *p = lz_mem_alloc(v->h->atom_count * sizeof(*p));
    memset(p, 0, v->h->atom_count * sizeof(*p));
    uint32_t maybe_taken = 0, taken = 0, left = 0;
    bool ends_empty = false; // the last that was said: nothing is left
    for (uint32_t i = 0; i < v->h->op_count; i++) {
        const struct lz_history_op *op = &v->h->ops[i];
        for (uint32_t j = 0; j < op->part_count; j++) {
            const struct lz_history_part *part = lz_history_part(v->h, op, j);
            if (part->f == LZ_HISTORY_ENQUEUE) {
                p[part->value].attempts += op->outcome != LZ_HISTORY_FAIL;
                p[part->value].enqueued += op->outcome == LZ_HISTORY_OK;
                p[part->value].op = i;
                ends_empty = false;
            } else if (op->outcome == LZ_HISTORY_INFO) {
                maybe_taken++;
            } else if (op->outcome == LZ_HISTORY_OK && part->value != 0) {
                p[part->value].dequeued++;
                taken++;
                if (p[part->value].attempts == 0)
                    found(v, "unexpected", op, "took what nobody had put in", part->value);
                else if (p[part->value].dequeued > p[part->value].attempts)
                    found(v, "duplicate", op, "took what had been taken", part->value);
            }
            if (part->f == LZ_HISTORY_DEQUEUE && op->outcome != LZ_HISTORY_INFO)
                ends_empty =
                    op->outcome == LZ_HISTORY_FAIL || part->value == 0 || op->part_count > 1;
        }
    }
    for (lz_atom a = 1; a < v->h->atom_count; a++)
        left += p[a].enqueued > p[a].dequeued ? p[a].enqueued - p[a].dequeued : 0;
    for (lz_atom a = 1; a < v->h->atom_count && ends_empty && left > maybe_taken; a++)
        if (p[a].enqueued > p[a].dequeued)
            found(v, "lost", &v->h->ops[p[a].op], "never came out of a queue that was emptied", a);
    if (left > 0 && !ends_empty)
        not_told(v, "the queue was not emptied: what is left may be in it or lost");
    lz_str_addf(&v->facts, "%u taken, %u left", taken, left);
    free(p);
    return true;
}

// Forks -----------------------------------------------------------------------------------------

// One sees x before y, the other y before x: no order of the writes allows both.
static bool is_fork(const struct lz_verify *v, const struct lz_history_op *a,
                    const struct lz_history_op *b)
{
    bool a_ahead = false, b_ahead = false;
    for (uint32_t i = 0; i < a->part_count; i++) {
        const struct lz_history_part *p = lz_history_part(v->h, a, i);
        for (uint32_t j = 0; j < b->part_count; j++) {
            const struct lz_history_part *q = lz_history_part(v->h, b, j);
            if (p->f != LZ_HISTORY_READ || q->f != LZ_HISTORY_READ || p->key != q->key)
                continue;
            a_ahead = a_ahead || (p->value != 0 && q->value == 0);
            b_ahead = b_ahead || (p->value == 0 && q->value != 0);
        }
    }
    return a_ahead && b_ahead;
}

/* Long fork (Sovran et al., SOSP 2011): each key is written once, groups of keys are read. */
bool lz_tally_fork(struct lz_verify *v, const struct lz_verify_model *m, struct lz_err *err)
{
    if (!only(v, m, BIT(LZ_HISTORY_READ) | BIT(LZ_HISTORY_WRITE), err))
        return false;
    struct lz_history *h = v->h;
    uint32_t *reads = lz_mem_alloc((h->op_count + 1) * sizeof(*reads)), count = 0;
    for (uint32_t i = 0; i < h->op_count; i++)
        if (h->ops[i].outcome == LZ_HISTORY_OK && h->ops[i].part_count > 1)
            reads[count++] = i;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (is_fork(v, &h->ops[reads[j]], &h->ops[reads[i]])) {
                bool is_first = !lz_verify_has(v, "long-fork");
                found(v, "long-fork", &h->ops[reads[i]],
                      "saw one write without another, and another read the other way round", 0);
                if (is_first) {
                    lz_str_add(&v->why, "    ");
                    lz_history_show(h, &h->ops[reads[j]], &v->why);
                    lz_str_add_char(&v->why, '\n');
                }
            }
    if (count < 2)
        not_told(v, "fewer than two reads of several keys");
    lz_str_addf(&v->facts, "%u reads of several keys", count);
    free(reads);
    return true;
}
