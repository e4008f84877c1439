#include "check/history/linear.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"
#include "check/history/linear_search.h"

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

// Objects ---------------------------------------------------------------------------------------

// Operations that share a state.
struct object {
    const struct lz_linear_op *ops;
    uint32_t count;
    lz_atom key;
};

// What could have come next where the search got farthest.
static void explain(const struct lz_linear_model *model, const struct lz_linear_world *w,
                    const struct lz_linear_result *r, uint32_t state, struct lz_str *why)
{
    if (r->key != 0) {
        lz_str_add(why, "object ");
        lz_history_show_atom(w->h, r->key, why);
        lz_str_add(why, ": ");
    }
    lz_str_addf(why, "at most %u of %u operations can be put in order; then the state is ",
                r->placed, r->total);
    model->show(w, state, why);
    lz_str_add(why, "\nand this cannot have happened: ");
    lz_history_show(w->h, &w->h->ops[r->stuck], why);
    lz_str_add_char(why, '\n');
}

static enum lz_linear_answer check_object(const struct lz_linear_model *model,
                                          const struct lz_linear_world *w, const struct object *o,
                                          uint64_t steps_max, struct lz_linear_result *result,
                                          struct lz_str *why)
{
    const struct lz_linear_task task = {
        .model = model, .world = w, .ops = o->ops, .count = o->count, .steps_max = steps_max};
    struct lz_linear_found found;
    lz_linear_search(&task, &found);
    result->steps += found.steps;
    if (found.answer == LZ_LINEAR_NO) {
        result->key = o->key;
        result->total = found.total;
        result->placed = found.placed;
        result->stuck = o->ops[found.stuck].index;
        if (why != NULL)
            explain(model, w, result, found.state, why);
    }
    return found.answer;
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
        bool is_last = steps >= steps_max || left == 1; // alone it keeps nobody waiting
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
