/*
 * weak.c — read committed, read atomic and causal consistency of registers.
 *
 * Biswas and Enea (On the Complexity of Checking Transactional Consistency, OOPSLA 2019): let
 * t3 read key x from t1. If t2 also writes x and t3 must have seen t2, then t2 was overwritten
 * by t1. The history is of a level if session order, who-read-whom and these orders together
 * have no cycle. What t3 must have seen:
 *
 *   read committed   whom it read earlier
 *   read atomic      whom it read at all, and all before it in its session
 *   causal           all from which a chain of sessions and reads leads to it
 *
 * For causal the latest such t2 of each session is enough, found by vector clocks, as AWDIT
 * does (Møldrup and Pavlogiannis, PLDI 2025).
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/txn.h"

#define NONE UINT32_MAX

const char *lz_weak_level(const char *consistency)
{
    static const char *const names[] = {"read-committed", "read-atomic", "causal"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], consistency) == 0)
            return names[i];
    return NULL;
}

struct key_write { // by key, then session, then place in the session
    lz_atom key;
    uint32_t session, place, op;
};

struct weak {
    struct lz_verify *v;
    const struct lz_history *h;
    struct lz_txn_writes writes;
    struct lz_depend d;
    struct key_write *by_key;
    uint32_t by_key_count;
    uint32_t *place;  // by operation: which of its session
    uint32_t *before; // by operation: the one before it in its session; NONE
    uint32_t *clock;  // by operation and session: how many of it come before
};

static int by_place(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct key_write *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->session != y->session)
        return x->session < y->session ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static bool counts(const struct weak *w, uint32_t op)
{
    return w->h->ops[op].outcome != LZ_HISTORY_FAIL;
}

static void arrange(struct weak *w)
{
    const struct lz_history *h = w->h;
    uint32_t *last = lz_mem_alloc((h->process_count + 1) * sizeof(*last));
    uint32_t *length = lz_mem_alloc((h->process_count + 1) * sizeof(*length));
    memset(last, 0xff, (h->process_count + 1) * sizeof(*last));
    memset(length, 0, (h->process_count + 1) * sizeof(*length));
    for (uint32_t i = 0; i < h->op_count; i++) {
        uint32_t session = h->ops[i].process;
        w->before[i] = NONE;
        if (!counts(w, i))
            continue;
        w->before[i] = last[session];
        w->place[i] = length[session]++;
        last[session] = i;
    }
    free(last);
    free(length);
    for (uint32_t i = 0; i < w->writes.count; i++) {
        const struct lz_txn_write *x = &w->writes.all[i];
        if (x->is_last && counts(w, x->op))
            w->by_key[w->by_key_count++] =
                (struct key_write){x->key, h->ops[x->op].process, w->place[x->op], x->op};
    }
    lz_sort(w->by_key, w->by_key_count, sizeof(*w->by_key), by_place, NULL);
}

// The last write of a key in a session before `place`; NONE.
static uint32_t last_write(const struct weak *w, lz_atom key, uint32_t session, uint32_t place)
{
    const struct key_write want = {.key = key, .session = session, .place = place};
    uint32_t low = 0, high = w->by_key_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (by_place(&w->by_key[middle], &want, NULL) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NONE;
    const struct key_write *k = &w->by_key[low - 1];
    return k->key == key && k->session == session ? k->op : NONE;
}

static bool writes_key(const struct weak *w, uint32_t op, lz_atom key)
{
    return last_write(w, key, w->h->ops[op].process, w->place[op] + 1) == op;
}

// Whom a read saw, if another; NONE.
static uint32_t source(const struct weak *w, uint32_t op, const struct lz_history_part *p)
{
    if (p->f != LZ_HISTORY_READ || !p->is_known || p->value == 0)
        return NONE;
    const struct lz_txn_write *x = lz_txn_writer(&w->writes, p->key, p->value);
    return x != NULL && x->op != op && counts(w, x->op) ? x->op : NONE;
}

static void overwritten(struct weak *w, uint32_t t2, uint32_t t1, lz_atom key, lz_atom value)
{
    if (t2 != NONE && t2 != t1)
        lz_depend_add(&w->d, &(struct lz_depend_edge){t2, t1, LZ_DEPEND_WW, key, value});
}

// How many of each session come before each operation, along sessions and reads. False: a cycle.
static bool tick(struct weak *w)
{
    const struct lz_history *h = w->h;
    uint32_t sessions = h->process_count, done = 0;
    bool *is_done = lz_mem_alloc(h->op_count + 1);
    memset(is_done, 0, h->op_count + 1);
    bool moved = true;
    while (done < h->op_count && moved) { // sessions advance in turn until all stand still
        moved = false;
        for (uint32_t i = 0; i < h->op_count; i++) {
            bool ready = !is_done[i] && (w->before[i] == NONE || is_done[w->before[i]]);
            const struct lz_history_op *op = &h->ops[i];
            for (uint32_t j = 0; ready && counts(w, i) && j < op->part_count; j++) {
                uint32_t t1 = source(w, i, lz_history_part(h, op, j));
                ready = t1 == NONE || is_done[t1];
            }
            if (!ready)
                continue;
            uint32_t *mine = &w->clock[(size_t)i * sessions];
            for (uint32_t j = 0; j <= op->part_count && counts(w, i); j++) {
                uint32_t t1 =
                    j < op->part_count ? source(w, i, lz_history_part(h, op, j)) : w->before[i];
                for (uint32_t s = 0; t1 != NONE && s < sessions; s++) {
                    uint32_t theirs = w->clock[(size_t)t1 * sessions + s];
                    if (s == h->ops[t1].process)
                        theirs = w->place[t1] + 1;
                    mine[s] = theirs > mine[s] ? theirs : mine[s];
                }
            }
            is_done[i] = moved = true;
            done++;
        }
    }
    free(is_done);
    return done == h->op_count;
}

// What read number `at` of an operation says about those that it must have seen.
static void infer(struct weak *w, const char *level, uint32_t op, uint32_t at)
{
    const struct lz_history *h = w->h;
    const struct lz_history_part *p = lz_history_part(h, &h->ops[op], at);
    uint32_t t1 = source(w, op, p), session = h->ops[op].process;
    if (t1 == NONE)
        return;
    lz_depend_add(&w->d, &(struct lz_depend_edge){t1, op, LZ_DEPEND_WR, p->key, p->value});
    if (strcmp(level, "causal") == 0) {
        for (uint32_t s = 0; s < h->process_count; s++) {
            uint32_t seen = w->clock[(size_t)op * h->process_count + s];
            overwritten(w, last_write(w, p->key, s, seen), t1, p->key, p->value);
        }
        return;
    }
    bool atomic = strcmp(level, "read-atomic") == 0;
    for (uint32_t j = 0; j < (atomic ? h->ops[op].part_count : at); j++) {
        uint32_t t2 = source(w, op, lz_history_part(h, &h->ops[op], j));
        if (t2 != NONE && writes_key(w, t2, p->key))
            overwritten(w, t2, t1, p->key, p->value);
    }
    if (atomic)
        overwritten(w, last_write(w, p->key, session, w->place[op]), t1, p->key, p->value);
}

static void tell(struct lz_verify *v, const char *level, const struct lz_depend *d,
                 const struct lz_depend_edge *cycle, uint32_t count)
{
    v->answer = LZ_VERIFY_VIOLATED;
    if (!lz_verify_found(v, level))
        return;
    lz_str_addf(&v->why, "not %s: what must have been seen makes a cycle of %u transactions\n",
                level, count);
    lz_depend_explain(d, cycle, count, &v->why);
}

bool lz_weak_check(struct lz_verify *v, const char *level, struct lz_err *err)
{
    enum { SHOWN = 32 };
    const struct lz_history *h = v->h;
    size_t n = h->op_count + 1;
    if (strcmp(level, "causal") == 0 && n * (h->process_count + 1) > UINT32_MAX / 4)
        return lz_fail(err, LZ_EFULL, "%u transactions in %u sessions are too many for causal",
                       h->op_count, h->process_count);
    struct weak w = {.v = v, .h = h};
    if (!lz_txn_writes(v, LZ_HISTORY_WRITE, &w.writes)) {
        lz_txn_writes_finish(&w.writes);
        return true;
    }
    lz_depend_init(&w.d, h);
    w.by_key = lz_mem_alloc((w.writes.count + 1) * sizeof(*w.by_key));
    w.place = lz_mem_alloc(n * sizeof(*w.place));
    w.before = lz_mem_alloc(n * sizeof(*w.before));
    size_t clock_size = n * (h->process_count + 1) * sizeof(*w.clock);
    w.clock = lz_mem_alloc(clock_size);
    memset(w.clock, 0, clock_size);
    memset(w.place, 0, n * sizeof(*w.place));
    arrange(&w);
    if (strcmp(level, "causal") == 0)
        (void)tick(&w); // a cycle there is one below, too
    for (uint32_t i = 0; i < h->op_count; i++)
        for (uint32_t j = 0; h->ops[i].outcome == LZ_HISTORY_OK && j < h->ops[i].part_count; j++)
            infer(&w, level, i, j);
    lz_depend_add_sessions(&w.d);
    lz_depend_arrange(&w.d);
    struct lz_depend_edge cycle[SHOWN];
    uint32_t count =
        lz_depend_find_any(&w.d, LZ_DEPEND_WW | LZ_DEPEND_WR | LZ_DEPEND_SESSION, cycle, SHOWN);
    if (count > 0)
        tell(v, level, &w.d, cycle, count < SHOWN ? count : SHOWN);
    lz_depend_finish(&w.d);
    lz_txn_writes_finish(&w.writes);
    free(w.by_key);
    free(w.place);
    free(w.before);
    free(w.clock);
    return true;
}
