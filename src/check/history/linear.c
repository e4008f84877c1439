#include "check/history/linear.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"

// Interned states -------------------------------------------------------------------------------

struct lz_linear_states {
    unsigned char *bytes;
    size_t used, cap;
    size_t *offsets; // state i is bytes offsets[i] .. offsets[i + 1]
    uint32_t count, offset_cap;
    uint32_t *slots; // state + 1; 0: empty
    uint32_t slot_count;
};

static void states_init(struct lz_linear_states *s)
{
    *s = (struct lz_linear_states){.cap = 256, .offset_cap = 64, .slot_count = 64};
    s->bytes = lz_mem_alloc(s->cap); // never NULL, also for the empty state
    s->offsets = lz_mem_alloc(s->offset_cap * sizeof(*s->offsets));
    s->offsets[0] = 0;
    s->slots = calloc(s->slot_count, sizeof(*s->slots));
    LZ_ASSERT(s->slots != NULL);
}

static void states_finish(struct lz_linear_states *s)
{
    free(s->bytes);
    free(s->offsets);
    free(s->slots);
}

const void *lz_linear_bytes(const struct lz_linear_states *s, uint32_t state, size_t *size)
{
    LZ_ASSERT(state < s->count);
    *size = s->offsets[state + 1] - s->offsets[state];
    return s->bytes + s->offsets[state];
}

static void states_rehash(struct lz_linear_states *s)
{
    s->slot_count *= 2;
    s->slots = lz_mem_resize(s->slots, s->slot_count * sizeof(*s->slots));
    memset(s->slots, 0, s->slot_count * sizeof(*s->slots));
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t slot = lz_hash_bytes(s->bytes + s->offsets[i], s->offsets[i + 1] - s->offsets[i]);
        while (s->slots[slot & (s->slot_count - 1)] != 0)
            slot++;
        s->slots[slot & (s->slot_count - 1)] = i + 1;
    }
}

uint32_t lz_linear_intern(struct lz_linear_states *s, const void *bytes, size_t size)
{
    if (2 * (s->count + 1) > s->slot_count)
        states_rehash(s);
    uint64_t slot = lz_hash_bytes(bytes, size);
    for (;; slot++) {
        uint32_t at = s->slots[slot & (s->slot_count - 1)];
        if (at == 0)
            break;
        size_t other = s->offsets[at] - s->offsets[at - 1];
        if (other == size && memcmp(s->bytes + s->offsets[at - 1], bytes, size) == 0)
            return at - 1;
    }
    if (s->used + size > s->cap) {
        s->cap = 2 * (s->used + size) + 256;
        s->bytes = lz_mem_resize(s->bytes, s->cap);
    }
    if (s->count + 2 > s->offset_cap) {
        s->offset_cap *= 2;
        s->offsets = lz_mem_resize(s->offsets, s->offset_cap * sizeof(*s->offsets));
    }
    if (size > 0)
        memcpy(s->bytes + s->used, bytes, size);
    s->used += size;
    s->slots[slot & (s->slot_count - 1)] = ++s->count;
    s->offsets[s->count] = s->used;
    return s->count - 1;
}

// What the search has seen ----------------------------------------------------------------------

struct print {
    uint64_t a, b;
};

struct seen {
    struct print *slots; // {0, 0}: empty
    size_t slot_count, count;
};

static void seen_init(struct seen *s, size_t expected)
{
    *s = (struct seen){.slot_count = 1024};
    while (s->slot_count < 2 * expected)
        s->slot_count *= 2;
    s->slots = calloc(s->slot_count, sizeof(*s->slots));
    LZ_ASSERT(s->slots != NULL);
}

static void seen_put(struct seen *s, struct print p)
{
    size_t at = (size_t)p.a;
    while (s->slots[at & (s->slot_count - 1)].a != 0 || s->slots[at & (s->slot_count - 1)].b != 0)
        at++;
    s->slots[at & (s->slot_count - 1)] = p;
}

static void seen_grow(struct seen *s)
{
    struct seen old = *s;
    s->slot_count *= 2;
    s->slots = calloc(s->slot_count, sizeof(*s->slots));
    LZ_ASSERT(s->slots != NULL);
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i].a != 0 || old.slots[i].b != 0)
            seen_put(s, old.slots[i]);
    free(old.slots);
}

// True if it was not there before.
static bool seen_add(struct seen *s, struct print p)
{
    size_t at = (size_t)p.a;
    for (;; at++) {
        const struct print *q = &s->slots[at & (s->slot_count - 1)];
        if (q->a == p.a && q->b == p.b)
            return false;
        if (q->a == 0 && q->b == 0)
            break;
    }
    s->slots[at & (s->slot_count - 1)] = p;
    if (2 * ++s->count > s->slot_count)
        seen_grow(s);
    return true;
}

// The search ------------------------------------------------------------------------------------

#define NONE UINT32_MAX

/*
 * Completed operations are a doubly linked list of invocations (2i) and completions (2i + 1) in
 * order; those of unknown outcome a list of their own, in order of invocation. What has been
 * placed is taken out, and put back in reverse.
 */
struct search {
    const struct lz_linear_model *model;
    const struct lz_linear_world *world;
    const struct lz_linear_op *ops;
    uint32_t count;
    uint32_t *next, *prev; // of completed: by event, with two sentinels at 2 * count
    uint32_t *pending;     // indices of operations of unknown outcome, in order
    uint32_t pending_count;
    uint32_t *twin; // by operation: the one before it that does the same; NONE
    bool *is_placed;
    struct frame {
        uint32_t op, state;  // placed, and the state before it
        uint32_t pending_at; // its place among the pending; NONE: it completed
        bool for_good;
    } * stack;
    uint32_t depth, completed_left;
    struct print print;
    struct seen seen;
    uint64_t steps, steps_max;
    uint32_t best_left, best_stuck, best_state;
};

static struct print op_print(uint32_t op)
{
    return (struct print){lz_hash_mix(op + 1ull, 0x9e3779b97f4a7c15ull),
                          lz_hash_mix(op + 1ull, 0xc2b2ae3d27d4eb4full)};
}

static void toggle(struct search *s, uint32_t op)
{
    struct print p = op_print(op);
    s->print.a ^= p.a;
    s->print.b ^= p.b;
}

static void unlink_event(struct search *s, uint32_t e)
{
    s->next[s->prev[e]] = s->next[e];
    s->prev[s->next[e]] = s->prev[e];
}

static void relink_event(struct search *s, uint32_t e)
{
    s->next[s->prev[e]] = e;
    s->prev[s->next[e]] = e;
}

static void place(struct search *s, uint32_t op, uint32_t state, uint32_t pending_at, bool for_good)
{
    s->stack[s->depth++] = (struct frame){op, state, pending_at, for_good};
    s->is_placed[op] = true;
    toggle(s, op);
    if (pending_at != NONE)
        return;
    unlink_event(s, 2 * op);
    unlink_event(s, 2 * op + 1);
    s->completed_left--;
}

static struct frame take_back(struct search *s)
{
    LZ_ASSERT(s->depth > 0);
    struct frame f = s->stack[--s->depth];
    s->is_placed[f.op] = false;
    toggle(s, f.op);
    if (f.pending_at == NONE) {
        relink_event(s, 2 * f.op + 1);
        relink_event(s, 2 * f.op);
        s->completed_left++;
    }
    return f;
}

// Try one operation; true if it was placed, and `*state` is the one after it.
static bool try_op(struct search *s, uint32_t op, uint32_t pending_at, uint32_t *state)
{
    uint32_t next;
    s->steps++;
    if (!s->model->step(s->world, *state, &s->ops[op], &next))
        return false;
    bool changes = next != *state;
    if (!changes && pending_at != NONE)
        return false; // placing it would tell nothing
    bool for_good = s->ops[op].is_pure;
    if (!for_good) {
        struct print p = op_print(op);
        p.a ^= s->print.a ^ lz_hash_mix(next + 1ull, 0x165667b19e3779f9ull);
        p.b ^= s->print.b ^ lz_hash_mix(next + 1ull, 0x27d4eb2f165667c5ull);
        if (!seen_add(&s->seen, p))
            return false;
    }
    LZ_ASSERT(LZ_IMPLIES(for_good, !changes));
    place(s, op, *state, pending_at, for_good);
    *state = next;
    return true;
}

// From where the search goes on: an event of the list, or a place among the pending.
struct cursor {
    uint32_t event;
    uint32_t pending_at;
};

// Place the next operation that can be, from the cursor on. False: none can.
static bool advance(struct search *s, struct cursor *c, uint32_t *state)
{
    uint32_t end = 2 * s->count;
    while (c->event != end && c->event % 2 == 0) { // before the first completion
        uint32_t op = c->event / 2;
        c->event = s->next[c->event];
        if (try_op(s, op, NONE, state))
            return true;
    }
    int64_t limit = c->event == end ? INT64_MAX : s->ops[c->event / 2].end;
    for (; c->pending_at < s->pending_count; c->pending_at++) {
        uint32_t op = s->pending[c->pending_at];
        if (s->ops[op].begin > limit)
            break;
        if (s->is_placed[op] || (s->twin[op] != NONE && !s->is_placed[s->twin[op]]))
            continue;
        if (try_op(s, op, c->pending_at, state))
            return true;
    }
    return false;
}

static void note_stuck(struct search *s, const struct cursor *c, uint32_t state)
{
    if (s->completed_left >= s->best_left || c->event == 2 * s->count)
        return;
    s->best_left = s->completed_left;
    s->best_stuck = c->event / 2;
    s->best_state = state;
}

static enum lz_linear_answer search(struct search *s, uint32_t state)
{
    uint32_t head = 2 * s->count + 1;
    struct cursor c = {.event = s->next[head], .pending_at = 0};
    while (s->completed_left > 0) {
        if (s->steps > s->steps_max)
            return LZ_LINEAR_UNKNOWN;
        if (advance(s, &c, &state)) {
            c = (struct cursor){.event = s->next[head], .pending_at = 0};
            continue;
        }
        note_stuck(s, &c, state);
        struct frame f;
        do {
            if (s->depth == 0)
                return LZ_LINEAR_NO;
            f = take_back(s);
            state = f.state;
        } while (f.for_good);
        if (f.pending_at == NONE) {
            c = (struct cursor){.event = s->next[2 * f.op], .pending_at = 0};
            continue;
        }
        uint32_t e = s->next[head];
        while (e != 2 * s->count && e % 2 == 0)
            e = s->next[e];
        c = (struct cursor){.event = e, .pending_at = f.pending_at + 1};
    }
    return LZ_LINEAR_YES;
}

struct event {
    int64_t at;
    uint32_t id;
};

static int by_time(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct event *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    // At one instant invocations come first: what touches is concurrent.
    return (int)(x->id & 1u) - (int)(y->id & 1u);
}

static bool same(const struct lz_history *h, const struct lz_linear_op *x,
                 const struct lz_linear_op *y)
{
    if (x->part_count != y->part_count)
        return false;
    for (uint32_t i = 0; i < x->part_count; i++) {
        const struct lz_history_part *p = &h->parts[x->part_first + i];
        const struct lz_history_part *q = &h->parts[y->part_first + i];
        if (p->f != q->f || p->key != q->key || p->value != q->value || p->value_b != q->value_b)
            return false;
    }
    return true;
}

#define TWINS_MAX 256 // how far back an equal one is looked for; farther only costs time

// The lists of events, and for each pending operation the one before it that does the same.
static void arrange(struct search *s)
{
    struct event *events = lz_mem_alloc((2 * s->count + 1) * sizeof(*events));
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        s->twin[i] = NONE;
        if (s->ops[i].is_pending) {
            uint32_t oldest = s->pending_count > TWINS_MAX ? s->pending_count - TWINS_MAX : 0;
            for (uint32_t j = s->pending_count; j-- > oldest && s->twin[i] == NONE;)
                if (same(s->world->h, &s->ops[i], &s->ops[s->pending[j]]))
                    s->twin[i] = s->pending[j];
            s->pending[s->pending_count++] = i;
            continue;
        }
        events[n++] = (struct event){s->ops[i].begin, 2 * i};
        events[n++] = (struct event){s->ops[i].end, 2 * i + 1};
    }
    lz_sort(events, n, sizeof(*events), by_time, NULL);
    uint32_t end = 2 * s->count, head = end + 1, last = head;
    for (uint32_t i = 0; i < n; i++) {
        s->next[last] = events[i].id;
        s->prev[events[i].id] = last;
        last = events[i].id;
    }
    s->next[last] = end;
    s->prev[end] = last;
    s->completed_left = n / 2;
    s->best_left = n / 2 + 1;
    free(events);
}

// Operations that share a state.
struct object {
    const struct lz_linear_op *ops;
    uint32_t count;
    lz_atom key;
};

// What could have come next where the search got farthest.
static void explain(struct search *s, const struct lz_linear_result *r, struct lz_str *why)
{
    const struct lz_history *h = s->world->h;
    if (r->key != 0) {
        lz_str_add(why, "object ");
        lz_history_show_atom(h, r->key, why);
        lz_str_add(why, ": ");
    }
    lz_str_addf(why, "at most %u of %u operations can be put in order; then the state is ",
                r->placed, r->total);
    s->model->show(s->world, s->best_state, why);
    lz_str_add(why, "\nand this cannot have happened: ");
    lz_history_show(h, &h->ops[r->stuck], why);
    lz_str_add_char(why, '\n');
}

static enum lz_linear_answer check_object(const struct lz_linear_model *model,
                                          const struct lz_linear_world *w, const struct object *o,
                                          uint64_t steps_max, struct lz_linear_result *result,
                                          struct lz_str *why)
{
    uint32_t count = o->count;
    const struct lz_linear_op *ops = o->ops;
    struct search s = {
        .model = model, .world = w, .ops = ops, .count = count, .steps_max = steps_max};
    s.next = lz_mem_alloc((2 * (size_t)count + 2) * sizeof(uint32_t));
    s.prev = lz_mem_alloc((2 * (size_t)count + 2) * sizeof(uint32_t));
    s.pending = lz_mem_alloc((size_t)count * sizeof(uint32_t));
    s.twin = lz_mem_alloc((size_t)count * sizeof(uint32_t));
    s.is_placed = lz_mem_alloc(count * sizeof(bool));
    memset(s.is_placed, 0, count * sizeof(bool));
    s.stack = lz_mem_alloc((size_t)count * sizeof(*s.stack));
    seen_init(&s.seen, count);
    arrange(&s);
    uint32_t total = s.completed_left;
    enum lz_linear_answer answer = search(&s, model->first(w));
    result->steps += s.steps;
    if (answer == LZ_LINEAR_NO) {
        result->key = o->key;
        result->total = total;
        result->placed = total - s.best_left;
        result->stuck = ops[s.best_stuck].index;
        if (why != NULL)
            explain(&s, result, why);
    }
    free(s.seen.slots);
    free(s.stack);
    free(s.is_placed);
    free(s.twin);
    free(s.pending);
    free(s.prev);
    free(s.next);
    return answer;
}

/*
 * One object that is not linearizable decides. Some take long: all get a small budget first,
 * and those that are left ten times as much, until the budget of each is used up.
 */
static void check_objects(const struct lz_linear_model *model, const struct lz_linear_world *w,
                          struct object *objects, uint64_t steps_max,
                          struct lz_linear_result *result, struct lz_str *why)
{
    uint32_t left = result->objects;
    for (uint64_t steps = 10000; left > 0; steps *= 10) {
        bool is_last = steps >= steps_max;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < left; i++) {
            result->answer =
                check_object(model, w, &objects[i], is_last ? steps_max : steps, result, why);
            if (result->answer == LZ_LINEAR_NO)
                return;
            if (result->answer == LZ_LINEAR_UNKNOWN)
                objects[kept++] = objects[i];
        }
        left = kept;
        if (is_last)
            break;
    }
    result->answer = left > 0 ? LZ_LINEAR_UNKNOWN : LZ_LINEAR_YES;
    result->key = left > 0 ? objects[0].key : 0;
}

// The operations as the model sees them -----------------------------------------------------------

static bool is_of(const struct lz_linear_model *model, const struct lz_history *h,
                  const struct lz_history_op *op, struct lz_err *err)
{
    for (uint32_t i = 0; i < op->part_count; i++) {
        const struct lz_history_part *p = lz_history_part(h, op, i);
        if ((model->parts >> p->f & 1u) == 0)
            return lz_fail(err, LZ_EINVAL, "line %u: the model %s has no such operation", op->line,
                           model->name);
        if (p->is_list && p->f == LZ_HISTORY_READ)
            return lz_fail(err, LZ_EINVAL, "line %u: a read of the model %s sees one value",
                           op->line, model->name);
    }
    if (!model->is_txn && op->part_count != 1)
        return lz_fail(err, LZ_EINVAL, "line %u: an operation of the model %s has one part",
                       op->line, model->name);
    return true;
}

// Of unknown outcome and without an effect: it constrains nothing.
static bool is_idle(const struct lz_history *h, const struct lz_history_op *op)
{
    for (uint32_t i = 0; i < op->part_count; i++)
        if (lz_history_part(h, op, i)->f != LZ_HISTORY_READ)
            return false;
    return op->outcome == LZ_HISTORY_INFO;
}

// Whenever it may be placed, it changes nothing. (A write of the value that is there does not
// count: placed later it may find another one.)
static bool is_pure(const struct lz_history *h, const struct lz_history_op *op)
{
    for (uint32_t i = 0; i < op->part_count; i++) {
        const struct lz_history_part *p = lz_history_part(h, op, i);
        bool finds_nothing = p->f == LZ_HISTORY_DEQUEUE && p->is_known && p->value == 0;
        bool keeps = p->f == LZ_HISTORY_CAS && p->value == p->value_b;
        if (p->f != LZ_HISTORY_READ && p->f != LZ_HISTORY_CAS_MISS && !finds_nothing && !keeps)
            return false;
    }
    return true;
}

struct keyed {
    lz_atom key;
    struct lz_linear_op op;
};

static int by_key(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    lz_atom x = ((const struct keyed *)a)->key, y = ((const struct keyed *)b)->key;
    return (x > y) - (x < y);
}

// Of one object: the values that somebody saw or had to find. False: somebody had to find another
// one, which any write may have been.
static bool mark_seen(const struct keyed *ops, uint32_t count, bool *is_seen, bool to)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct lz_linear_op *op = &ops[i].op;
        if (op->f == LZ_HISTORY_CAS_MISS)
            return false;
        if ((op->f == LZ_HISTORY_READ && op->is_known) || op->f == LZ_HISTORY_CAS)
            is_seen[op->value] = to;
    }
    return true;
}

// Leave out what nobody saw of writes that may not have been; returns how many are left.
static uint32_t forget_unseen(const struct lz_history *h, struct keyed *all, uint32_t count)
{
    bool *is_seen = lz_mem_alloc(h->atom_count * sizeof(bool));
    memset(is_seen, 0, h->atom_count * sizeof(bool));
    uint32_t kept = 0;
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && all[end].key == all[i].key;)
            end++;
        bool is_told = mark_seen(all + i, end - i, is_seen, true);
        uint32_t first = kept;
        for (uint32_t j = i; j < end; j++) {
            const struct lz_linear_op *op = &all[j].op;
            if (!is_told || !op->is_pending || op->f != LZ_HISTORY_WRITE || is_seen[op->value])
                all[kept++] = all[j];
        }
        (void)mark_seen(all + first, kept - first, is_seen, false);
    }
    free(is_seen);
    return kept;
}

bool lz_linear_check(const struct lz_linear_model *model, const struct lz_history *h,
                     uint64_t steps_max, struct lz_linear_result *result, struct lz_str *why,
                     struct lz_err *err)
{
    for (uint32_t i = 0; i < h->op_count; i++)
        if (!is_of(model, h, &h->ops[i], err))
            return false;
    struct keyed *all = lz_mem_alloc((h->op_count + 1) * sizeof(*all));
    struct lz_linear_op *ops = lz_mem_alloc((h->op_count + 1) * sizeof(*ops));
    uint32_t count = 0;
    for (uint32_t i = 0; i < h->op_count; i++) {
        const struct lz_history_op *op = &h->ops[i];
        if (op->outcome == LZ_HISTORY_FAIL || op->part_count == 0 || is_idle(h, op))
            continue;
        const struct lz_history_part *p = lz_history_part(h, op, 0);
        all[count++] = (struct keyed){model->by_key ? p->key : 0,
                                      {op->begin, op->end, i, op->part_first, op->part_count, p->f,
                                       p->is_known, op->outcome == LZ_HISTORY_INFO, is_pure(h, op),
                                       p->value, p->value_b}};
    }
    if (model->by_key)
        lz_sort(all, count, sizeof(*all), by_key, NULL);
    if (model->forgets)
        count = forget_unseen(h, all, count);
    for (uint32_t i = 0; i < count; i++)
        ops[i] = all[i].op;
    struct lz_linear_states states;
    states_init(&states);
    const struct lz_linear_world w = {h, &states};
    *result = (struct lz_linear_result){.operations = count};
    struct object *objects = lz_mem_alloc((count + 1) * sizeof(*objects));
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && all[end].key == all[i].key;)
            end++;
        objects[result->objects++] = (struct object){ops + i, end - i, all[i].key};
    }
    check_objects(model, &w, objects, steps_max > 0 ? steps_max : LZ_LINEAR_STEPS_MAX, result, why);
    free(objects);
    states_finish(&states);
    free(ops);
    free(all);
    return true;
}
