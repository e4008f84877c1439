#include "check/history/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"

// Room for one more item at the end of an array outside the arena.
static void *grow(void *items, uint32_t *cap, uint32_t count, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap > 0 ? 2 * *cap : 16;
    return lz_mem_resize(items, *cap * size);
}

void lz_history_init(struct lz_history *h)
{
    *h = (struct lz_history){0};
    h->atoms = grow(NULL, &h->atom_cap, 0, sizeof(*h->atoms));
    h->atoms[0] = (struct lz_history_atom){.text = NULL};
    h->atom_count = 1;
}

void lz_history_finish(struct lz_history *h)
{
    for (uint32_t i = 0; i < h->atom_count; i++)
        free((char *)h->atoms[i].text);
    for (uint32_t i = 0; i < h->process_count; i++)
        free(h->processes[i]);
    free(h->ops);
    free(h->parts);
    free(h->list);
    free(h->atoms);
    free(h->atom_slots);
    free(h->processes);
    *h = (struct lz_history){0};
}

static uint64_t atom_hash(const struct lz_history_atom *a)
{
    return a->is_integer ? lz_hash_mix((uint64_t)a->integer, 1) : lz_hash_text(a->text);
}

static bool atom_equal(const struct lz_history_atom *a, const struct lz_history_atom *b)
{
    if (a->is_integer || b->is_integer)
        return a->is_integer && b->is_integer && a->integer == b->integer;
    return strcmp(a->text, b->text) == 0;
}

static void atoms_rehash(struct lz_history *h)
{
    h->atom_slot_count = h->atom_slot_count > 0 ? 2 * h->atom_slot_count : 64;
    h->atom_slots = lz_mem_resize(h->atom_slots, h->atom_slot_count * sizeof(uint32_t));
    memset(h->atom_slots, 0, h->atom_slot_count * sizeof(uint32_t));
    for (uint32_t i = 1; i < h->atom_count; i++) {
        uint64_t slot = atom_hash(&h->atoms[i]);
        while (h->atom_slots[slot & (h->atom_slot_count - 1)] != 0)
            slot++;
        h->atom_slots[slot & (h->atom_slot_count - 1)] = i;
    }
}

static lz_atom intern(struct lz_history *h, const struct lz_history_atom *a)
{
    if (2 * (h->atom_count + 1) > h->atom_slot_count)
        atoms_rehash(h);
    uint64_t slot = atom_hash(a);
    for (;; slot++) {
        uint32_t i = h->atom_slots[slot & (h->atom_slot_count - 1)];
        if (i == 0)
            break;
        if (atom_equal(&h->atoms[i], a))
            return i;
    }
    h->atoms = grow(h->atoms, &h->atom_cap, h->atom_count, sizeof(*h->atoms));
    uint32_t id = h->atom_count++;
    h->atoms[id] = *a;
    if (a->text != NULL) {
        size_t size = strlen(a->text) + 1;
        char *copy = lz_mem_alloc(size);
        memcpy(copy, a->text, size);
        h->atoms[id].text = copy;
    }
    h->atom_slots[slot & (h->atom_slot_count - 1)] = id;
    return id;
}

lz_atom lz_history_integer(struct lz_history *h, int64_t integer)
{
    return intern(h, &(struct lz_history_atom){.is_integer = true, .integer = integer});
}

lz_atom lz_history_text(struct lz_history *h, const char *text)
{
    return intern(h, &(struct lz_history_atom){.text = text});
}

uint32_t lz_history_process(struct lz_history *h, const char *name)
{
    // Few, and mostly the ones seen last.
    for (uint32_t i = h->process_count; i-- > 0;)
        if (strcmp(h->processes[i], name) == 0)
            return i;
    h->processes = grow(h->processes, &h->process_cap, h->process_count, sizeof(char *));
    size_t size = strlen(name) + 1;
    char *copy = lz_mem_alloc(size);
    memcpy(copy, name, size);
    h->processes[h->process_count] = copy;
    return h->process_count++;
}

struct lz_history_op *lz_history_add(struct lz_history *h, uint32_t process, int64_t begin)
{
    LZ_ASSERT(h->op_count < LZ_HISTORY_OPS_MAX);
    h->ops = grow(h->ops, &h->op_cap, h->op_count, sizeof(*h->ops));
    struct lz_history_op *op = &h->ops[h->op_count++];
    *op = (struct lz_history_op){.process = process,
                                 .part_first = h->part_count,
                                 .outcome = LZ_HISTORY_INFO,
                                 .begin = begin,
                                 .end = LZ_HISTORY_NEVER};
    return op;
}

struct lz_history_part *lz_history_add_part(struct lz_history *h, struct lz_history_op *op,
                                            enum lz_history_f f)
{
    LZ_ASSERT(f < LZ_HISTORY_FS);
    LZ_ASSERT(op->part_first + op->part_count == h->part_count);
    h->parts = grow(h->parts, &h->part_cap, h->part_count, sizeof(*h->parts));
    struct lz_history_part *part = &h->parts[h->part_count++];
    *part =
        (struct lz_history_part){.f = (uint8_t)f, .is_known = true, .list_first = h->list_count};
    op->part_count++;
    return part;
}

void lz_history_add_value(struct lz_history *h, struct lz_history_part *part, lz_atom value)
{
    LZ_ASSERT(part->list_first + part->list_count == h->list_count);
    h->list = grow(h->list, &h->list_cap, h->list_count, sizeof(*h->list));
    h->list[h->list_count++] = value;
    part->list_count++;
    part->is_list = true;
}

static int by_begin(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    int64_t x = ((const struct lz_history_op *)a)->begin;
    int64_t y = ((const struct lz_history_op *)b)->begin;
    return (x > y) - (x < y);
}

void lz_history_sort(struct lz_history *h)
{
    for (uint32_t i = 1; i < h->op_count; i++) {
        if (h->ops[i].begin >= h->ops[i - 1].begin)
            continue;
        lz_sort(h->ops, h->op_count, sizeof(*h->ops), by_begin, NULL);
        return;
    }
}

void lz_history_show_atom(const struct lz_history *h, lz_atom atom, struct lz_str *out)
{
    LZ_ASSERT(atom < h->atom_count);
    const struct lz_history_atom *a = &h->atoms[atom];
    if (atom == 0)
        lz_str_add(out, "nil");
    else if (a->is_integer)
        lz_str_addf(out, "%" PRId64, a->integer);
    else
        lz_str_addf(out, strlen(a->text) > 40 ? "\"%.37s...\"" : "\"%s\"", a->text);
}

static void show_list(const struct lz_history *h, const struct lz_history_part *p,
                      struct lz_str *out)
{
    enum { SHOWN = 8 };
    lz_str_add(out, "[");
    uint32_t skipped = p->list_count > SHOWN ? p->list_count - SHOWN : 0;
    if (skipped > 0) // the end of a list says more than its beginning
        lz_str_addf(out, "(%u more) ", skipped);
    for (uint32_t i = skipped; i < p->list_count; i++) {
        lz_str_add(out, i > skipped ? " " : "");
        lz_history_show_atom(h, h->list[p->list_first + i], out);
    }
    lz_str_add(out, "]");
}

static void show_part(const struct lz_history *h, const struct lz_history_part *p,
                      struct lz_str *out)
{
    static const char *const names[LZ_HISTORY_FS] = {
        [LZ_HISTORY_READ] = "read",         [LZ_HISTORY_WRITE] = "write",
        [LZ_HISTORY_CAS] = "cas",           [LZ_HISTORY_CAS_MISS] = "failed cas",
        [LZ_HISTORY_APPEND] = "append",     [LZ_HISTORY_ADD] = "add",
        [LZ_HISTORY_ENQUEUE] = "enqueue",   [LZ_HISTORY_DEQUEUE] = "dequeue",
        [LZ_HISTORY_ACQUIRE] = "acquire",   [LZ_HISTORY_RELEASE] = "release",
        [LZ_HISTORY_TRANSFER] = "transfer", [LZ_HISTORY_GENERATE] = "generate",
    };
    LZ_ASSERT(p->f < LZ_HISTORY_FS);
    lz_str_add(out, names[p->f]);
    if (p->key != 0) {
        lz_str_add_char(out, ' ');
        lz_history_show_atom(h, p->key, out);
    }
    if (p->f == LZ_HISTORY_ACQUIRE || p->f == LZ_HISTORY_RELEASE)
        return;
    lz_str_add(out, p->f == LZ_HISTORY_READ ? " = " : " ");
    if (p->f == LZ_HISTORY_READ && !p->is_known)
        lz_str_add(out, "?");
    else if (p->is_list)
        show_list(h, p, out);
    else
        lz_history_show_atom(h, p->value, out);
    if (p->f == LZ_HISTORY_CAS || p->f == LZ_HISTORY_CAS_MISS || p->f == LZ_HISTORY_TRANSFER) {
        lz_str_add(out, " to ");
        lz_history_show_atom(h, p->value_b, out);
    }
}

void lz_history_show(const struct lz_history *h, const struct lz_history_op *op, struct lz_str *out)
{
    enum { SHOWN = 6 };
    lz_str_addf(out, "process %s: ", h->processes[op->process]);
    for (uint32_t i = 0; i < op->part_count && i < SHOWN; i++) {
        lz_str_add(out, i > 0 ? ", " : "");
        show_part(h, lz_history_part(h, op, i), out);
    }
    if (op->part_count > SHOWN)
        lz_str_addf(out, ", and %u more", op->part_count - SHOWN);
    if (op->outcome != LZ_HISTORY_OK)
        lz_str_add(out, op->outcome == LZ_HISTORY_FAIL ? " (failed)" : " (unknown)");
    if (op->line > 0)
        lz_str_addf(out, " (line %u)", op->line);
}
