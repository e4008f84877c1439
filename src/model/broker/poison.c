/*
 * poison.c — records that nobody can work on: a fault's, one list per topic.
 *
 * The next records that are appended are marked. A mark goes with the fault that made it, or with
 * the record, when the log is cut.
 */
#include "base/check.h"
#include "base/grow.h"
#include "model/broker/broker_state.h"

struct mark {
    uint32_t fault, partition;
    uint64_t offset;
};

struct poisoning {
    uint64_t *touched;  // NULL: free
    uint32_t partition; // NOBODY: any
    uint32_t left;      // records to mark
};

struct lz_poison {
    struct lz_arena *arena;
    struct mark *marks;
    uint32_t mark_count, mark_cap;
    struct poisoning *faults; // ids are one more
    uint32_t fault_count, fault_cap;
};

uint32_t lz_topic_poison(struct lz_world *w, lz_component_id id, uint32_t partition, uint32_t count,
                         uint64_t *touched)
{
    LZ_ASSERT(touched != NULL && count > 0);
    struct lz_topic *t = lz_topic_at(w, id);
    if (t->poison == NULL) {
        t->poison = lz_arena_alloc(w->arena, sizeof(*t->poison));
        t->poison->arena = w->arena;
    }
    struct lz_poison *p = t->poison;
    uint32_t i = 0;
    while (i < p->fault_count && p->faults[i].touched != NULL)
        i++;
    p->faults = lz_grow(p->arena, p->faults, &p->fault_cap, i + 1, sizeof(*p->faults));
    if (i == p->fault_count)
        p->fault_count++;
    p->faults[i] = (struct poisoning){.touched = touched,
                                      .partition = partition > 0 ? partition - 1 : LZ_BROKER_NOBODY,
                                      .left = count};
    return i + 1;
}

void lz_topic_cure(struct lz_world *w, lz_component_id id, uint32_t poison)
{
    struct lz_poison *p = lz_topic_at(w, id)->poison;
    LZ_ASSERT(p != NULL && poison >= 1 && poison <= p->fault_count);
    p->faults[poison - 1].touched = NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->mark_count; i++)
        if (p->marks[i].fault != poison)
            p->marks[kept++] = p->marks[i];
    p->mark_count = kept;
}

void lz_poison_appended(struct lz_world *w, struct lz_topic *t, uint32_t partition,
                        const struct lz_batch *b)
{
    struct lz_poison *p = t->poison;
    uint64_t at = b->offset;
    for (uint32_t i = 0; i < p->fault_count; i++) {
        struct poisoning *f = &p->faults[i];
        bool is_meant = f->partition == LZ_BROKER_NOBODY || f->partition == partition;
        for (; f->touched != NULL && is_meant && f->left > 0 && at < lz_batch_end(b); f->left--) {
            p->marks =
                lz_grow(w->arena, p->marks, &p->mark_cap, p->mark_count + 1, sizeof(*p->marks));
            p->marks[p->mark_count++] =
                (struct mark){.fault = i + 1, .partition = partition, .offset = at++};
        }
    }
}

uint64_t lz_poison_first(const struct lz_topic *t, uint32_t partition, uint64_t from, uint64_t to)
{
    const struct lz_poison *p = t->poison;
    uint64_t first = to;
    for (uint32_t i = 0; p != NULL && i < p->mark_count; i++) {
        const struct mark *m = &p->marks[i];
        if (m->partition == partition && m->offset >= from && m->offset < first)
            first = m->offset;
    }
    return first;
}

void lz_poison_attempted(const struct lz_topic *t, uint32_t partition, uint64_t offset)
{
    const struct lz_poison *p = t->poison;
    for (uint32_t i = 0; i < p->mark_count; i++)
        if (p->marks[i].partition == partition && p->marks[i].offset == offset)
            (*p->faults[p->marks[i].fault - 1].touched)++;
}

void lz_poison_cut(struct lz_topic *t, uint32_t partition, uint64_t at)
{
    struct lz_poison *p = t->poison;
    uint32_t kept = 0;
    for (uint32_t i = 0; p != NULL && i < p->mark_count; i++)
        if (p->marks[i].partition != partition || p->marks[i].offset < at)
            p->marks[kept++] = p->marks[i];
    if (p != NULL)
        p->mark_count = kept;
}
