#include "sim/window.h"

#include <string.h>

#include "base/check.h"
#include "base/grow.h"

void lz_window_append(struct lz_window_list *list, const struct lz_window *w)
{
    LZ_ASSERT(list->count == 0 || list->all[list->count - 1].index < w->index);
    list->all = lz_grow(list->arena, list->all, &list->cap, list->count + 1, sizeof(*list->all));
    list->all[list->count++] = *w;
}

static void free_packed(const struct lz_window_list *list, const struct lz_window *w)
{
    if (list->kind == LZ_WINDOW_HIST)
        lz_arena_free(list->arena, w->u.hist.packed, w->packed_size);
}

// How many windows are before window `index`: mostly all or nearly all.
static uint32_t count_before(const struct lz_window_list *list, uint32_t index)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (list->all[mid].index < index)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool lz_window_drop(struct lz_window_list *list, uint32_t index, struct lz_window *last)
{
    uint32_t gone = 0;
    for (; gone < list->count && list->all[gone].index < index; gone++)
        free_packed(list, &list->all[gone]);
    if (gone == 0)
        return false;
    *last = list->all[gone - 1];
    list->count -= gone;
    memmove(list->all, list->all + gone, list->count * sizeof(*list->all));
    return true;
}

uint64_t lz_window_total(const struct lz_window_list *list, uint32_t index, uint64_t first)
{
    LZ_ASSERT(list->kind == LZ_WINDOW_COUNTER);
    uint32_t before = count_before(list, index);
    return before > 0 ? list->all[before - 1].u.total : first;
}

double lz_window_start(const struct lz_window_list *list, uint32_t index, double first)
{
    LZ_ASSERT(list->kind == LZ_WINDOW_GAUGE);
    uint32_t before = count_before(list, index);
    return before > 0 ? list->all[before - 1].u.level.end : first;
}

// A gauge's level through a window without an entry of its own.
static struct lz_window still(uint32_t index, double level)
{
    struct lz_window w = {.index = index};
    w.u.level.mean = w.u.level.low = w.u.level.high = w.u.level.end = level;
    return w;
}

// `b` follows `a`, which is `share_a` of both.
static void join_levels(struct lz_window *a, const struct lz_window *b, double share_a)
{
    a->u.level.mean = share_a * a->u.level.mean + (1.0 - share_a) * b->u.level.mean;
    if (b->u.level.low < a->u.level.low)
        a->u.level.low = b->u.level.low;
    if (b->u.level.high > a->u.level.high)
        a->u.level.high = b->u.level.high;
    a->u.level.end = b->u.level.end;
}

struct lz_window lz_window_level(const struct lz_window_list *list, uint32_t from, uint32_t to,
                                 double first)
{
    LZ_ASSERT(from < to);
    uint32_t i = count_before(list, from);
    double level = lz_window_start(list, from, first), sum = 0.0;
    struct lz_window all = {0};
    for (uint32_t index = from; index < to; index++) {
        struct lz_window w = still(index, level);
        if (i < list->count && list->all[i].index == index)
            w = list->all[i++];
        if (index == from)
            all = w;
        else
            join_levels(&all, &w, 1.0);
        sum += w.u.level.mean;
        level = w.u.level.end;
    }
    if (to - from > 1)
        all.u.level.mean = sum / (double)(to - from);
    return all;
}

void lz_window_merge(const struct lz_window_list *list, uint32_t from, uint32_t to,
                     struct lz_hist *h)
{
    LZ_ASSERT(list->kind == LZ_WINDOW_HIST);
    for (uint32_t i = count_before(list, from); i < list->count && list->all[i].index < to; i++) {
        const struct lz_window *w = &list->all[i];
        lz_hist_merge_packed(h, &w->u.hist.facts, w->u.hist.packed, w->packed_size);
    }
}

// `b` follows `a` and is given up.
static void join(const struct lz_window_list *list, struct lz_window *a, const struct lz_window *b,
                 struct lz_hist *scratch)
{
    if (list->kind == LZ_WINDOW_COUNTER) {
        a->u.total = b->u.total;
        return;
    }
    if (list->kind == LZ_WINDOW_GAUGE) {
        join_levels(a, b, 0.5);
        return;
    }
    lz_hist_clear(scratch);
    lz_hist_merge_packed(scratch, &a->u.hist.facts, a->u.hist.packed, a->packed_size);
    lz_hist_merge_packed(scratch, &b->u.hist.facts, b->u.hist.packed, b->packed_size);
    free_packed(list, a);
    free_packed(list, b);
    a->u.hist.facts = scratch->facts;
    a->u.hist.packed = lz_hist_pack(scratch, &a->packed_size);
}

/*
 * A gauge that changes within a wide window had been still for the seconds of it that came
 * before; its mean is kept as if it stayed still for the rest.
 */
static void store_level(struct lz_window_list *list, const struct lz_window *second,
                        const struct lz_window_record *record)
{
    uint32_t index = second->index / record->factor;
    double level = list->count > 0 ? list->all[list->count - 1].u.level.end : record->first;
    if (list->count == 0 || list->all[list->count - 1].index != index) {
        struct lz_window calm = still(index, level);
        lz_window_append(list, &calm);
    }
    struct lz_window *w = &list->all[list->count - 1];
    double share = 1.0 / (double)record->factor;
    double left = (double)(record->factor - second->index % record->factor - 1);
    double mean = w->u.level.mean + (second->u.level.mean - level) * share +
                  (second->u.level.end - level) * left * share;
    join_levels(w, second, 1.0);
    w->u.level.mean = mean;
}

void lz_window_store(struct lz_window_list *list, const struct lz_window *second,
                     const struct lz_window_record *record)
{
    LZ_ASSERT(record->factor >= 1);
    if (list->kind == LZ_WINDOW_GAUGE && record->factor > 1) {
        store_level(list, second, record);
        return;
    }
    struct lz_window w = *second;
    w.index = second->index / record->factor;
    if (list->kind == LZ_WINDOW_HIST && w.packed_size > 0) {
        w.u.hist.packed = lz_arena_alloc(list->arena, w.packed_size);
        memcpy(w.u.hist.packed, second->u.hist.packed, w.packed_size);
    }
    if (list->count > 0 && list->all[list->count - 1].index == w.index)
        join(list, &list->all[list->count - 1], &w, record->scratch);
    else
        lz_window_append(list, &w);
}

void lz_window_halve(struct lz_window_list *list, const struct lz_window_record *record)
{
    uint32_t out = 0;
    double level = record->first; // GAUGE: at the end of what has been read
    for (uint32_t i = 0; i < list->count; i++) {
        struct lz_window w = list->all[i];
        bool is_second = (w.index & 1u) != 0;
        if (!is_second && i + 1 < list->count && list->all[i + 1].index == w.index + 1) {
            join(list, &w, &list->all[++i], record->scratch);
        } else if (list->kind == LZ_WINDOW_GAUGE) {
            struct lz_window calm = still(w.index, is_second ? level : w.u.level.end);
            struct lz_window both = is_second ? calm : w;
            join_levels(&both, is_second ? &w : &calm, 0.5);
            w = both;
        }
        w.index /= 2;
        if (list->kind == LZ_WINDOW_GAUGE)
            level = w.u.level.end;
        list->all[out++] = w;
    }
    list->count = out;
}
