#include "check/history/history_read_parts.h"

#include <inttypes.h>

#include "base/str.h"
#include "check/history/history_read_log.h"

static const struct word {
    const char *name;
    enum lz_history_f f;
    bool is_micro; // within a transaction too
} words[] = {
    {"read", LZ_HISTORY_READ, true},
    {"r", LZ_HISTORY_READ, true},
    {"get", LZ_HISTORY_READ, true},
    {"write", LZ_HISTORY_WRITE, true},
    {"w", LZ_HISTORY_WRITE, true},
    {"put", LZ_HISTORY_WRITE, true},
    {"set", LZ_HISTORY_WRITE, true},
    {"cas", LZ_HISTORY_CAS, false},
    {"append", LZ_HISTORY_APPEND, true},
    {"add", LZ_HISTORY_ADD, false},
    {"enqueue", LZ_HISTORY_ENQUEUE, false},
    {"dequeue", LZ_HISTORY_DEQUEUE, false},
    {"drain", LZ_HISTORY_DEQUEUE, false},
    {"acquire", LZ_HISTORY_ACQUIRE, false},
    {"lock", LZ_HISTORY_ACQUIRE, false},
    {"release", LZ_HISTORY_RELEASE, false},
    {"unlock", LZ_HISTORY_RELEASE, false},
    {"transfer", LZ_HISTORY_TRANSFER, false},
    {"generate", LZ_HISTORY_GENERATE, false},
};

static const struct word *find_word(const struct lz_value *f, bool micro)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (lz_value_is_text(f, words[i].name) && (words[i].is_micro || !micro))
            return &words[i];
    return NULL;
}

static bool is_sequence(const struct lz_value *v)
{
    return v->kind == LZ_VALUE_LIST || v->kind == LZ_VALUE_SET;
}

// A value as text, for those that are no scalars: equal values give equal texts.
static void write_value(const struct lz_value *v, struct lz_str *out)
{
    switch (v->kind) {
    case LZ_VALUE_NIL:
        lz_str_add(out, "nil");
        return;
    case LZ_VALUE_BOOL:
        lz_str_add(out, v->integer != 0 ? "true" : "false");
        return;
    case LZ_VALUE_INT:
        lz_str_addf(out, "%" PRId64, v->integer);
        return;
    case LZ_VALUE_REAL:
        lz_str_addf(out, "%.17g", v->real);
        return;
    case LZ_VALUE_TEXT:
        lz_str_addf(out, "\"%s\"", v->text);
        return;
    case LZ_VALUE_LIST:
    case LZ_VALUE_SET:
    case LZ_VALUE_MAP:
        lz_str_add(out, v->kind == LZ_VALUE_LIST ? "[" : v->kind == LZ_VALUE_SET ? "#{" : "{");
        for (uint32_t i = 0; i < v->count; i++) {
            lz_str_add(out, i > 0 ? " " : "");
            write_value(&v->items[i], out);
        }
        lz_str_add(out, v->kind == LZ_VALUE_LIST ? "]" : "}");
        return;
    }
}

lz_atom lz_history_read_atom(struct lz_history *h, const struct lz_value *v)
{
    if (v == NULL || v->kind == LZ_VALUE_NIL)
        return 0;
    if (v->kind == LZ_VALUE_INT)
        return lz_history_integer(h, v->integer);
    if (v->kind == LZ_VALUE_TEXT)
        return lz_history_text(h, v->text);
    struct lz_str text;
    lz_str_init(&text);
    write_value(v, &text);
    lz_atom a = lz_history_text(h, text.text);
    lz_str_finish(&text);
    return a;
}

static void add_list(struct lz_history *h, struct lz_history_part *part,
                     const struct lz_value *list)
{
    part->is_list = true;
    for (uint32_t i = 0; i < list->count; i++)
        lz_history_add_value(h, part, lz_history_read_atom(h, &list->items[i]));
}

static bool wrong(const struct lz_value *at, struct lz_err *err, const char *what)
{
    return lz_fail(err, LZ_EINVAL, "line %u: %s", at->line, what);
}

// [f key value], within a transaction.
static bool micro(struct lz_history *h, struct lz_history_op *op, const struct lz_value *v,
                  bool completed, struct lz_err *err)
{
    const struct word *w =
        v->kind == LZ_VALUE_LIST && v->count >= 2 ? find_word(&v->items[0], true) : NULL;
    if (w == NULL)
        return wrong(v, err, "a part of a transaction is [f key value] with f one of r, w, append");
    struct lz_history_part *part = lz_history_add_part(h, op, w->f);
    const struct lz_value nil = {.kind = LZ_VALUE_NIL};
    const struct lz_value *value = v->count > 2 ? &v->items[2] : &nil;
    part->key = lz_history_read_atom(h, &v->items[1]);
    if (w->f != LZ_HISTORY_READ) {
        part->value = lz_history_read_atom(h, value);
        return true;
    }
    bool says_r = lz_value_is_text(&v->items[0], "r");
    part->is_known = completed && (value->kind != LZ_VALUE_NIL || says_r || !h->nil_is_unknown);
    if (is_sequence(value))
        add_list(h, part, value);
    else
        part->value = lz_history_read_atom(h, value);
    return true;
}

static bool is_txn(const struct lz_value *f, const struct lz_value *value)
{
    if (lz_value_is_text(f, "txn"))
        return true;
    if (value->kind != LZ_VALUE_LIST || value->count == 0)
        return false;
    const struct lz_value *first = &value->items[0];
    return (f->kind == LZ_VALUE_NIL || find_word(f, true) != NULL) &&
           first->kind == LZ_VALUE_LIST && first->count >= 2 &&
           find_word(&first->items[0], true) != NULL;
}

// What a read saw: nothing that is known, accounts and balances, several values, or one.
static void saw(struct lz_history *h, struct lz_history_op *op, lz_atom key,
                const struct lz_value *v, bool completed)
{
    if (completed && v->kind == LZ_VALUE_MAP) {
        for (uint32_t i = 0; i < v->count; i += 2) {
            lz_atom account = lz_history_read_atom(h, &v->items[i]),
                    balance = lz_history_read_atom(h, &v->items[i + 1]);
            struct lz_history_part *part = lz_history_add_part(h, op, LZ_HISTORY_READ);
            part->key = account;
            part->value = balance;
        }
        return;
    }
    struct lz_history_part *part = lz_history_add_part(h, op, LZ_HISTORY_READ);
    part->key = key;
    part->is_known = completed && (v->kind != LZ_VALUE_NIL || !h->nil_is_unknown);
    if (is_sequence(v))
        add_list(h, part, v);
    else
        part->value = lz_history_read_atom(h, v);
}

static bool pair(struct lz_history *h, struct lz_history_part *part, const struct lz_value *v,
                 struct lz_err *err)
{
    if (v->kind != LZ_VALUE_LIST || v->count != 2)
        return wrong(v, err, "the value of a cas is [from to]");
    part->value = lz_history_read_atom(h, &v->items[0]);
    part->value_b = lz_history_read_atom(h, &v->items[1]);
    return true;
}

static bool transfer(struct lz_history *h, struct lz_history_part *part, const struct lz_value *v,
                     struct lz_err *err)
{
    const struct lz_value *from = lz_value_get(v, "from"), *to = lz_value_get(v, "to");
    if (from == NULL || to == NULL)
        return wrong(v, err, "the value of a transfer is {:from account, :to account, :amount n}");
    part->key = lz_history_read_atom(h, from);
    part->value_b = lz_history_read_atom(h, to);
    part->value = lz_history_read_atom(h, lz_value_get(v, "amount"));
    return true;
}

// [key value] names an object, where the value itself is no list of two (cas: [key [a b]]).
static void take_key(struct lz_history *h, enum lz_history_f f, lz_atom *key,
                     const struct lz_value **value)
{
    const struct lz_value *v = *value;
    if (*key != 0 || v->kind != LZ_VALUE_LIST || v->count != 2)
        return;
    bool nested = is_sequence(&v->items[1]) || v->items[1].kind == LZ_VALUE_MAP;
    bool first_is_key = !is_sequence(&v->items[0]) && v->items[0].kind != LZ_VALUE_MAP;
    if (!first_is_key || (!nested && (f == LZ_HISTORY_CAS || f == LZ_HISTORY_READ)))
        return;
    *key = lz_history_read_atom(h, &v->items[0]);
    *value = &v->items[1];
}

bool lz_history_read_unknown(const struct lz_value *f, uint32_t line, struct lz_err *err)
{
    return lz_fail(err, LZ_EINVAL,
                   "line %u: unknown f \"%.40s\": it is read, write, cas, append, add, enqueue, "
                   "dequeue, acquire, release, transfer, generate, send, poll or txn",
                   line, f->kind == LZ_VALUE_TEXT ? f->text : "nil");
}

bool lz_history_read_parts(struct lz_history *h, uint32_t op_index,
                           const struct lz_history_asked *o, const struct lz_value *back,
                           struct lz_err *err)
{
    struct lz_history_op *op = &h->ops[op_index];
    bool completed = back != NULL;
    const struct lz_value *v = completed && back->kind != LZ_VALUE_NIL ? back : &o->value;
    op->part_first = h->part_count;
    op->client = o->client;
    if (lz_history_read_is_log(&o->f, v))
        return lz_history_read_log(h, op, v, err);
    op->is_txn = is_txn(&o->f, v);
    if (op->is_txn) {
        if (v->kind != LZ_VALUE_LIST && v->kind != LZ_VALUE_NIL)
            return wrong(v, err, "the value of a txn is a list of [f key value]");
        for (uint32_t i = 0; v->kind == LZ_VALUE_LIST && i < v->count; i++)
            if (!micro(h, op, &v->items[i], completed, err))
                return false;
        return true;
    }
    const struct word *w = find_word(&o->f, false);
    if (w == NULL)
        return lz_history_read_unknown(&o->f, op->line, err);
    lz_atom key = lz_history_read_atom(h, &o->key);
    take_key(h, w->f, &key, &v);
    if (w->f == LZ_HISTORY_READ) {
        saw(h, op, key, v, completed);
        return true;
    }
    if (w->f == LZ_HISTORY_DEQUEUE && is_sequence(v)) {
        for (uint32_t i = 0; i < v->count; i++)
            lz_history_add_part(h, op, w->f)->value = lz_history_read_atom(h, &v->items[i]);
        return true;
    }
    struct lz_history_part *part = lz_history_add_part(h, op, w->f);
    part->key = key;
    part->is_known = completed || w->f != LZ_HISTORY_DEQUEUE;
    if (w->f == LZ_HISTORY_CAS)
        return pair(h, part, v, err);
    if (w->f == LZ_HISTORY_TRANSFER)
        return v->kind == LZ_VALUE_NIL || transfer(h, part, v, err);
    part->value = lz_history_read_atom(h, v);
    return true;
}
