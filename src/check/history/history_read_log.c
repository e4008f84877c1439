#include "check/history/history_read_log.h"

#include <stdlib.h>

#include "check/history/history_read_parts.h"

static bool wrong(const struct lz_value *at, struct lz_err *err, const char *what)
{
    return lz_fail(err, LZ_EINVAL, "line %u: %s", at->line, what);
}

bool lz_history_read_is_log(const struct lz_value *f, const struct lz_value *v)
{
    static const char *const fs[] = {"send", "poll", "lost"};
    const struct lz_value *first = v->kind == LZ_VALUE_LIST && v->count > 0 ? &v->items[0] : NULL;
    if (first == NULL || first->kind != LZ_VALUE_LIST || first->count == 0)
        return lz_value_is_text(f, "send") || lz_value_is_text(f, "poll");
    for (size_t i = 0; i < sizeof(fs) / sizeof(fs[0]); i++)
        if (lz_value_is_text(&first->items[0], fs[i]))
            return true;
    return false;
}

bool lz_history_read_is_aside(const struct lz_value *f)
{
    static const char *const fs[] = {"subscribe", "assign", "crash", "debug-topic-partitions"};
    for (size_t i = 0; i < sizeof(fs) / sizeof(fs[0]); i++)
        if (lz_value_is_text(f, fs[i]))
            return true;
    return false;
}

bool lz_history_read_has_log(const struct lz_history *h)
{
    for (uint32_t i = 0; i < h->part_count; i++)
        if (h->parts[i].f >= LZ_HISTORY_SEND && h->parts[i].f <= LZ_HISTORY_LOST)
            return true;
    return h->op_count == 0;
}

// A map's keys are texts in JSON: what is a number is one.
static lz_atom partition(struct lz_history *h, const struct lz_value *v)
{
    if (v->kind == LZ_VALUE_TEXT) {
        char *rest;
        long long number = strtoll(v->text, &rest, 10);
        if (rest != v->text && *rest == '\0')
            return lz_history_integer(h, number);
    }
    return lz_history_read_atom(h, v);
}

static void log_part(struct lz_history *h, struct lz_history_op *op, enum lz_history_f f,
                     lz_atom key, const struct lz_value *v)
{
    bool has_offset = v->kind == LZ_VALUE_LIST && v->count == 2;
    lz_atom record = lz_history_read_atom(h, has_offset ? &v->items[1] : v);
    lz_atom offset = has_offset ? lz_history_read_atom(h, &v->items[0]) : 0;
    struct lz_history_part *p = lz_history_add_part(h, op, f);
    p->key = key;
    p->value = record;
    p->value_b = offset;
    p->is_known = has_offset;
}

static bool log_step(struct lz_history *h, struct lz_history_op *op, const struct lz_value *v,
                     struct lz_err *err)
{
    static const char what[] =
        "a part of a log's operation is [\"send\" partition record], [\"send\" partition [offset "
        "record]], [\"poll\" {partition [[offset record]]}] or [\"lost\" partition record]";
    if (v->kind != LZ_VALUE_LIST || v->count == 0)
        return wrong(v, err, what);
    bool is_send = lz_value_is_text(&v->items[0], "send");
    if (is_send || lz_value_is_text(&v->items[0], "lost")) {
        if (v->count != 3)
            return wrong(v, err, what);
        log_part(h, op, is_send ? LZ_HISTORY_SEND : LZ_HISTORY_LOST, partition(h, &v->items[1]),
                 &v->items[2]);
        return true;
    }
    if (!lz_value_is_text(&v->items[0], "poll") ||
        (v->count > 1 && v->items[1].kind != LZ_VALUE_MAP))
        return wrong(v, err, what);
    for (uint32_t i = 0; v->count > 1 && i < v->items[1].count; i += 2) {
        lz_atom key = partition(h, &v->items[1].items[i]);
        const struct lz_value *list = &v->items[1].items[i + 1];
        if (list->kind != LZ_VALUE_LIST)
            return wrong(list, err, what);
        for (uint32_t k = 0; k < list->count; k++) {
            if (list->items[k].kind != LZ_VALUE_LIST || list->items[k].count != 2)
                return wrong(&list->items[k], err, what);
            log_part(h, op, LZ_HISTORY_POLL, key, &list->items[k]);
        }
    }
    return true;
}

bool lz_history_read_log(struct lz_history *h, struct lz_history_op *op, const struct lz_value *v,
                         struct lz_err *err)
{
    for (uint32_t i = 0; v->kind == LZ_VALUE_LIST && i < v->count; i++)
        if (!log_step(h, op, &v->items[i], err))
            return false;
    return true;
}
