/*
 * linear_models.c — what linearizable objects do, one operation at a time.
 *
 * A new one is two or three functions and a row in the table.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/history/linear.h"

#define BIT(f) (1u << (f))

static void show_atom(const struct lz_linear_world *w, uint32_t state, struct lz_str *out)
{
    lz_history_show_atom(w->h, state, out);
}

// A register: its state is the atom it holds.

static uint32_t register_first(const struct lz_linear_world *w)
{
    return w->h->initial;
}

static bool register_step(const struct lz_linear_world *w, uint32_t state,
                          const struct lz_linear_op *op, uint32_t *next)
{
    (void)w;
    *next = state;
    switch (op->f) {
    case LZ_HISTORY_READ:
        return !op->is_known || op->value == state;
    case LZ_HISTORY_WRITE:
        *next = op->value;
        return true;
    case LZ_HISTORY_CAS:
        *next = op->value_b;
        return op->value == state;
    case LZ_HISTORY_CAS_MISS:
        return op->value != state;
    default:
        LZ_UNREACHABLE("other operations are refused before");
    }
}

// Several registers under one lock: key and value in turn, in order of key; absent: initial.

struct slot {
    lz_atom key, value;
};

static uint32_t empty(const struct lz_linear_world *w)
{
    return lz_linear_intern(w->states, "", 0);
}

static struct slot *find_slot(struct slot *slots, uint32_t count, lz_atom key)
{
    for (uint32_t i = 0; i < count; i++)
        if (slots[i].key >= key)
            return &slots[i];
    return &slots[count];
}

static bool multi_part(const struct lz_linear_world *w, const struct lz_history_part *p,
                       struct slot *slots, uint32_t *count)
{
    struct slot *at = find_slot(slots, *count, p->key);
    bool is_there = at < slots + *count && at->key == p->key;
    lz_atom now = is_there ? at->value : w->h->initial;
    if (p->f == LZ_HISTORY_READ)
        return !p->is_known || p->value == now;
    if (!is_there) {
        memmove(at + 1, at, (size_t)(slots + *count - at) * sizeof(*at));
        at->key = p->key;
        ++*count;
    }
    at->value = p->value;
    return true;
}

static bool multi_step(const struct lz_linear_world *w, uint32_t state,
                       const struct lz_linear_op *op, uint32_t *next)
{
    size_t size;
    const void *bytes = lz_linear_bytes(w->states, state, &size);
    uint32_t count = (uint32_t)(size / sizeof(struct slot));
    struct slot few[32], *slots = few;
    size_t need = (count + op->part_count) * sizeof(*slots);
    if (need > sizeof(few))
        slots = lz_mem_alloc(need);
    if (size > 0)
        memcpy(slots, bytes, size);
    bool fits = true;
    for (uint32_t i = 0; i < op->part_count && fits; i++)
        fits = multi_part(w, &w->h->parts[op->part_first + i], slots, &count);
    if (fits)
        *next = lz_linear_intern(w->states, slots, count * sizeof(*slots));
    if (slots != few)
        free(slots);
    return fits;
}

static void multi_show(const struct lz_linear_world *w, uint32_t state, struct lz_str *out)
{
    size_t size;
    const struct slot *slots = lz_linear_bytes(w->states, state, &size);
    lz_str_add(out, "{");
    for (uint32_t i = 0; i < size / sizeof(*slots); i++) {
        lz_str_add(out, i > 0 ? ", " : "");
        struct slot slot;
        memcpy(&slot, (const char *)slots + i * sizeof(slot), sizeof(slot));
        lz_history_show_atom(w->h, slot.key, out);
        lz_str_add(out, " = ");
        lz_history_show_atom(w->h, slot.value, out);
    }
    lz_str_add(out, "}");
}

// A key's text: put replaces, append adds to its end, get sees all of it. Absent is empty.

static bool kv_step(const struct lz_linear_world *w, uint32_t state, const struct lz_linear_op *op,
                    uint32_t *next)
{
    size_t size;
    const char *bytes = lz_linear_bytes(w->states, state, &size);
    const struct lz_history_atom *a = &w->h->atoms[op->value];
    char digits[24];
    const char *text = a->text != NULL ? a->text : "";
    if (a->is_integer) {
        struct lz_str s;
        lz_str_init(&s);
        lz_history_show_atom(w->h, op->value, &s);
        LZ_ASSERT(s.len < sizeof(digits));
        memcpy(digits, s.text, s.len + 1);
        lz_str_finish(&s);
        text = digits;
    }
    size_t len = strlen(text);
    *next = state;
    if (op->f == LZ_HISTORY_READ)
        return !op->is_known || (len == size && memcmp(text, bytes, size) == 0);
    if (op->f == LZ_HISTORY_WRITE) {
        *next = lz_linear_intern(w->states, text, len);
        return true;
    }
    char *whole = lz_mem_alloc(size + len + 1);
    memcpy(whole, bytes, size);
    memcpy(whole + size, text, len);
    *next = lz_linear_intern(w->states, whole, size + len);
    free(whole);
    return true;
}

static void kv_show(const struct lz_linear_world *w, uint32_t state, struct lz_str *out)
{
    size_t size;
    const char *bytes = lz_linear_bytes(w->states, state, &size);
    size_t from = size > 40 ? size - 37 : 0;
    lz_str_add(out, from > 0 ? "\"..." : "\"");
    lz_str_add_n(out, bytes + from, size - from);
    lz_str_add(out, "\"");
}

// A lock without owners, as Knossos' mutex: 0 free, 1 held.

static uint32_t mutex_first(const struct lz_linear_world *w)
{
    (void)w;
    return 0;
}

static bool mutex_step(const struct lz_linear_world *w, uint32_t state,
                       const struct lz_linear_op *op, uint32_t *next)
{
    (void)w;
    *next = op->f == LZ_HISTORY_ACQUIRE;
    return state != *next;
}

static void mutex_show(const struct lz_linear_world *w, uint32_t state, struct lz_str *out)
{
    (void)w;
    lz_str_add(out, state != 0 ? "held" : "free");
}

// First in, first out: its atoms in order. A dequeue of nil finds it empty.

static bool queue_step(const struct lz_linear_world *w, uint32_t state,
                       const struct lz_linear_op *op, uint32_t *next)
{
    size_t size;
    const unsigned char *bytes = lz_linear_bytes(w->states, state, &size);
    *next = state;
    if (op->f == LZ_HISTORY_ENQUEUE) {
        unsigned char *longer = lz_mem_alloc(size + sizeof(lz_atom));
        memcpy(longer, bytes, size);
        memcpy(longer + size, &op->value, sizeof(lz_atom));
        *next = lz_linear_intern(w->states, longer, size + sizeof(lz_atom));
        free(longer);
        return true;
    }
    if (size == 0)
        return op->is_known && op->value == 0;
    lz_atom head;
    memcpy(&head, bytes, sizeof(head));
    if (op->is_known && head != op->value)
        return false;
    unsigned char *rest = lz_mem_alloc(size);
    memcpy(rest, bytes + sizeof(head), size - sizeof(head));
    *next = lz_linear_intern(w->states, rest, size - sizeof(head));
    free(rest);
    return true;
}

static void queue_show(const struct lz_linear_world *w, uint32_t state, struct lz_str *out)
{
    size_t size;
    const unsigned char *bytes = lz_linear_bytes(w->states, state, &size);
    size_t count = size / sizeof(lz_atom);
    lz_str_add(out, "[");
    for (size_t i = 0; i < count && i < 8; i++) {
        lz_atom a;
        memcpy(&a, bytes + i * sizeof(a), sizeof(a));
        lz_str_add(out, i > 0 ? " " : "");
        lz_history_show_atom(w->h, a, out);
    }
    lz_str_add(out, count > 8 ? " ...]" : "]");
}

#define REGISTER (BIT(LZ_HISTORY_READ) | BIT(LZ_HISTORY_WRITE))

static const struct lz_linear_model models[] = {
    {.name = "register",
     .doc = "read and write of one value, per key",
     .by_key = true,
     .first = register_first,
     .step = register_step,
     .show = show_atom,
     .parts = REGISTER,
     .forgets = true},
    {.name = "cas-register",
     .doc = "a register with compare-and-set, per key",
     .by_key = true,
     .first = register_first,
     .step = register_step,
     .show = show_atom,
     .parts = REGISTER | BIT(LZ_HISTORY_CAS) | BIT(LZ_HISTORY_CAS_MISS),
     .forgets = true},
    {.name = "multi-register",
     .doc = "transactions that read and write several registers at once",
     .first = empty,
     .step = multi_step,
     .show = multi_show,
     .parts = REGISTER,
     .is_txn = true},
    {.name = "kv",
     .doc = "put, get and append of texts, per key",
     .by_key = true,
     .first = empty,
     .step = kv_step,
     .show = kv_show,
     .parts = REGISTER | BIT(LZ_HISTORY_APPEND)},
    {.name = "mutex",
     .doc = "acquire and release of a lock, per key",
     .by_key = true,
     .first = mutex_first,
     .step = mutex_step,
     .show = mutex_show,
     .parts = BIT(LZ_HISTORY_ACQUIRE) | BIT(LZ_HISTORY_RELEASE)},
    {.name = "fifo-queue",
     .doc = "enqueue and dequeue, first in first out, per key",
     .by_key = true,
     .first = empty,
     .step = queue_step,
     .show = queue_show,
     .parts = BIT(LZ_HISTORY_ENQUEUE) | BIT(LZ_HISTORY_DEQUEUE)},
};

const struct lz_linear_model *lz_linear_model(size_t i)
{
    return i < sizeof(models) / sizeof(models[0]) ? &models[i] : NULL;
}
