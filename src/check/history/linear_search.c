#include "check/history/linear_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"

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
    uint32_t furthest; // completed operations that were left, at the least
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
    s->furthest = s->completed_left < s->furthest ? s->completed_left : s->furthest;
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

/*
 * More is placed than ever before: the search cannot have been here, and what is found on the way
 * out is only remembered when it comes this way again. So a state may be entered twice, and a
 * history that is found to be linearizable at first go needs no memory at all.
 */
static bool is_new_ground(const struct search *s, uint32_t pending_at)
{
    return pending_at == NONE && s->completed_left <= s->furthest;
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
    if (!for_good && !is_new_ground(s, pending_at)) {
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
    s->completed_left = s->furthest = n / 2;
    s->best_left = n / 2 + 1;
    free(events);
}

void lz_linear_search(const struct lz_linear_task *task, struct lz_linear_found *out)
{
    uint32_t count = task->count;
    struct search s = {.model = task->model,
                       .world = task->world,
                       .ops = task->ops,
                       .count = count,
                       .steps_max = task->steps_max};
    s.next = lz_mem_alloc((2 * (size_t)count + 2) * sizeof(uint32_t));
    s.prev = lz_mem_alloc((2 * (size_t)count + 2) * sizeof(uint32_t));
    s.pending = lz_mem_alloc((size_t)count * sizeof(uint32_t));
    s.twin = lz_mem_alloc((size_t)count * sizeof(uint32_t));
    s.is_placed = lz_mem_alloc(count * sizeof(bool));
    memset(s.is_placed, 0, count * sizeof(bool));
    s.stack = lz_mem_alloc((size_t)count * sizeof(*s.stack));
    seen_init(&s.seen, count / 8);
    arrange(&s);
    *out = (struct lz_linear_found){.total = s.completed_left};
    out->answer = search(&s, task->model->first(task->world));
    out->steps = s.steps;
    out->placed = out->total - s.best_left;
    out->stuck = s.best_stuck;
    out->state = s.best_state;
    free(s.seen.slots);
    free(s.stack);
    free(s.is_placed);
    free(s.twin);
    free(s.pending);
    free(s.prev);
    free(s.next);
}
