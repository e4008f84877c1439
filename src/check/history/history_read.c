#include "check/history/history_read.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/history/history_read_log.h"
#include "check/history/value.h"

// What a process has begun and not completed.
struct open {
    bool is_open, is_aside;
    uint32_t op, line;
    struct lz_value f, value, key;
    uint32_t client;
};

struct reading {
    struct lz_history *h;
    struct lz_values values;
    struct open *open; // by process
    uint32_t open_cap;
    int64_t position;
    bool fail_is_miss;     // a failed cas saw another value
    const char *of;        // which history of several; NULL: all of them
    struct lz_str others;  // that were passed over, by name
    struct lz_value aside; // the first f that was read over
};

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

static lz_atom atom(struct reading *r, const struct lz_value *v)
{
    return lz_history_read_atom(r->h, v);
}

static void add_list(struct reading *r, struct lz_history_part *part, const struct lz_value *list)
{
    part->is_list = true;
    for (uint32_t i = 0; i < list->count; i++)
        lz_history_add_value(r->h, part, atom(r, &list->items[i]));
}

static bool wrong(const struct lz_value *at, struct lz_err *err, const char *what)
{
    return lz_fail(err, LZ_EINVAL, "line %u: %s", at->line, what);
}

// [f key value], within a transaction.
static bool micro(struct reading *r, struct lz_history_op *op, const struct lz_value *v,
                  bool completed, struct lz_err *err)
{
    const struct word *w =
        v->kind == LZ_VALUE_LIST && v->count >= 2 ? find_word(&v->items[0], true) : NULL;
    if (w == NULL)
        return wrong(v, err, "a part of a transaction is [f key value] with f one of r, w, append");
    struct lz_history_part *part = lz_history_add_part(r->h, op, w->f);
    const struct lz_value nil = {.kind = LZ_VALUE_NIL};
    const struct lz_value *value = v->count > 2 ? &v->items[2] : &nil;
    part->key = atom(r, &v->items[1]);
    if (w->f != LZ_HISTORY_READ) {
        part->value = atom(r, value);
        return true;
    }
    bool says_r = lz_value_is_text(&v->items[0], "r");
    part->is_known = completed && (value->kind != LZ_VALUE_NIL || says_r || !r->h->nil_is_unknown);
    if (is_sequence(value))
        add_list(r, part, value);
    else
        part->value = atom(r, value);
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
static void saw(struct reading *r, struct lz_history_op *op, lz_atom key, const struct lz_value *v,
                bool completed)
{
    if (completed && v->kind == LZ_VALUE_MAP) {
        for (uint32_t i = 0; i < v->count; i += 2) {
            lz_atom account = atom(r, &v->items[i]), balance = atom(r, &v->items[i + 1]);
            struct lz_history_part *part = lz_history_add_part(r->h, op, LZ_HISTORY_READ);
            part->key = account;
            part->value = balance;
        }
        return;
    }
    struct lz_history_part *part = lz_history_add_part(r->h, op, LZ_HISTORY_READ);
    part->key = key;
    part->is_known = completed && (v->kind != LZ_VALUE_NIL || !r->h->nil_is_unknown);
    if (is_sequence(v))
        add_list(r, part, v);
    else
        part->value = atom(r, v);
}

static bool pair(struct reading *r, struct lz_history_part *part, const struct lz_value *v,
                 struct lz_err *err)
{
    if (v->kind != LZ_VALUE_LIST || v->count != 2)
        return wrong(v, err, "the value of a cas is [from to]");
    part->value = atom(r, &v->items[0]);
    part->value_b = atom(r, &v->items[1]);
    return true;
}

static bool transfer(struct reading *r, struct lz_history_part *part, const struct lz_value *v,
                     struct lz_err *err)
{
    const struct lz_value *from = lz_value_get(v, "from"), *to = lz_value_get(v, "to");
    if (from == NULL || to == NULL)
        return wrong(v, err, "the value of a transfer is {:from account, :to account, :amount n}");
    part->key = atom(r, from);
    part->value_b = atom(r, to);
    part->value = atom(r, lz_value_get(v, "amount"));
    return true;
}

// [key value] names an object, where the value itself is no list of two (cas: [key [a b]]).
static void take_key(struct reading *r, enum lz_history_f f, lz_atom *key,
                     const struct lz_value **value)
{
    const struct lz_value *v = *value;
    if (*key != 0 || v->kind != LZ_VALUE_LIST || v->count != 2)
        return;
    bool nested = is_sequence(&v->items[1]) || v->items[1].kind == LZ_VALUE_MAP;
    bool first_is_key = !is_sequence(&v->items[0]) && v->items[0].kind != LZ_VALUE_MAP;
    if (!first_is_key || (!nested && (f == LZ_HISTORY_CAS || f == LZ_HISTORY_READ)))
        return;
    *key = atom(r, &v->items[0]);
    *value = &v->items[1];
}

static bool unknown(const struct lz_value *f, uint32_t line, struct lz_err *err)
{
    return lz_fail(err, LZ_EINVAL,
                   "line %u: unknown f \"%.40s\": it is read, write, cas, append, add, enqueue, "
                   "dequeue, acquire, release, transfer, generate, send, poll or txn",
                   line, f->kind == LZ_VALUE_TEXT ? f->text : "nil");
}

// The parts of an operation, from what was asked and, if it completed, what came back.
static bool make_parts(struct reading *r, uint32_t op_index, const struct open *o,
                       const struct lz_value *back, struct lz_err *err)
{
    struct lz_history_op *op = &r->h->ops[op_index];
    bool completed = back != NULL;
    const struct lz_value *v = completed && back->kind != LZ_VALUE_NIL ? back : &o->value;
    op->part_first = r->h->part_count;
    op->client = o->client;
    if (lz_history_read_is_log(&o->f, v))
        return lz_history_read_log(r->h, op, v, err);
    op->is_txn = is_txn(&o->f, v);
    if (op->is_txn) {
        if (v->kind != LZ_VALUE_LIST && v->kind != LZ_VALUE_NIL)
            return wrong(v, err, "the value of a txn is a list of [f key value]");
        for (uint32_t i = 0; v->kind == LZ_VALUE_LIST && i < v->count; i++)
            if (!micro(r, op, &v->items[i], completed, err))
                return false;
        return true;
    }
    const struct word *w = find_word(&o->f, false);
    if (w == NULL)
        return unknown(&o->f, op->line, err);
    lz_atom key = atom(r, &o->key);
    take_key(r, w->f, &key, &v);
    if (w->f == LZ_HISTORY_READ) {
        saw(r, op, key, v, completed);
        return true;
    }
    if (w->f == LZ_HISTORY_DEQUEUE && is_sequence(v)) {
        for (uint32_t i = 0; i < v->count; i++)
            lz_history_add_part(r->h, op, w->f)->value = atom(r, &v->items[i]);
        return true;
    }
    struct lz_history_part *part = lz_history_add_part(r->h, op, w->f);
    part->key = key;
    part->is_known = completed || w->f != LZ_HISTORY_DEQUEUE;
    if (w->f == LZ_HISTORY_CAS)
        return pair(r, part, v, err);
    if (w->f == LZ_HISTORY_TRANSFER)
        return v->kind == LZ_VALUE_NIL || transfer(r, part, v, err);
    part->value = atom(r, v);
    return true;
}

static uint32_t process_of(struct reading *r, const struct lz_value *v)
{
    char name[32] = "0";
    if (v != NULL && v->kind == LZ_VALUE_INT)
        snprintf(name, sizeof(name), "%" PRId64, v->integer);
    uint32_t process = lz_history_process(r->h, name);
    if (process >= r->open_cap) {
        uint32_t cap = r->open_cap > 0 ? 2 * r->open_cap : 16;
        r->open = lz_mem_resize(r->open, cap * sizeof(*r->open));
        memset(r->open + r->open_cap, 0, (cap - r->open_cap) * sizeof(*r->open));
        r->open_cap = cap;
    }
    LZ_ASSERT(process < r->open_cap);
    return process;
}

struct event {
    const struct lz_value *at; // for its line
    const struct lz_value *process, *type, *f, *value, *key;
    const struct lz_value *sum; /* of an add: what the counter came to */
    const struct lz_value *client, *of, *time;
};

static int64_t time_of(const struct event *e)
{
    return e->time != NULL && e->time->kind == LZ_VALUE_INT ? e->time->integer : 0;
}

static bool invoke(struct reading *r, const struct event *e, uint32_t process, struct lz_err *err)
{
    struct open *o = &r->open[process];
    if (o->is_open)
        return lz_fail(err, LZ_EINVAL,
                       "line %u: process %s begins an operation before the one of line %u has "
                       "completed",
                       e->at->line, r->h->processes[process], o->line);
    if (r->h->op_count >= LZ_HISTORY_OPS_MAX)
        return lz_fail(err, LZ_EFULL, "line %u: more than %u operations", e->at->line,
                       LZ_HISTORY_OPS_MAX);
    const struct lz_value nil = {.kind = LZ_VALUE_NIL, .line = e->at->line};
    *o = (struct open){.is_open = true, .op = r->h->op_count, .line = e->at->line};
    o->f = e->f != NULL ? *e->f : nil;
    o->is_aside = lz_history_read_is_aside(&o->f);
    if (o->is_aside) {
        r->aside = r->aside.line != 0 ? r->aside : o->f;
        return true;
    }
    o->value = e->value != NULL ? *e->value : nil;
    o->key = e->key != NULL ? *e->key : nil;
    bool has_client = e->client != NULL && e->client->kind == LZ_VALUE_INT;
    o->client = has_client ? (uint32_t)e->client->integer + 1 : 0;
    struct lz_history_op *op = lz_history_add(r->h, process, r->position);
    op->line = e->at->line;
    op->at = time_of(e);
    return true;
}

static bool complete(struct reading *r, const struct event *e, uint32_t process, struct lz_err *err)
{
    struct open *o = &r->open[process];
    const struct lz_value nil = {.kind = LZ_VALUE_NIL, .line = e->at->line};
    bool is_ok = lz_value_is_text(e->type, "ok"), is_fail = lz_value_is_text(e->type, "fail");
    o->is_open = false;
    if (o->is_aside)
        return true;
    bool is_miss = is_fail && r->fail_is_miss && lz_value_is_text(&o->f, "cas");
    bool knows = is_ok || is_miss;
    if (!make_parts(r, o->op, o, knows ? (e->value != NULL ? e->value : &nil) : NULL, err))
        return false;
    struct lz_history_op *op = &r->h->ops[o->op];
    op->done = time_of(e);
    op->outcome = knows ? LZ_HISTORY_OK : is_fail ? LZ_HISTORY_FAIL : LZ_HISTORY_INFO;
    op->end = op->outcome == LZ_HISTORY_INFO ? LZ_HISTORY_NEVER : r->position;
    if (is_miss)
        r->h->parts[op->part_first].f = LZ_HISTORY_CAS_MISS;
    if (is_ok && e->sum != NULL && op->part_count == 1 &&
        r->h->parts[op->part_first].f == LZ_HISTORY_ADD) {
        lz_atom sum = atom(r, e->sum);
        struct lz_history_part *part = lz_history_add_part(r->h, op, LZ_HISTORY_READ);
        part->key = r->h->parts[op->part_first].key;
        part->value = sum;
        part->is_known = true;
    }
    return true;
}

// What a broker says of itself: of no client, and at one instant.
static bool take_remark(struct reading *r, const struct event *e, struct lz_err *err)
{
    if (e->f == NULL || !lz_value_is_text(e->f, "lost") || e->value == NULL)
        return true; // a nemesis
    struct lz_history_op *op =
        lz_history_add(r->h, lz_history_process(r->h, "broker"), ++r->position);
    op->line = e->at->line;
    op->end = ++r->position;
    op->outcome = LZ_HISTORY_OK;
    return lz_history_read_log(r->h, op, e->value, err);
}

// Is it of the history that was asked for? Others are remembered by their names.
static bool is_ours(struct reading *r, const struct event *e)
{
    if (r->of == NULL)
        return true;
    const char *name = e->of != NULL && e->of->kind == LZ_VALUE_TEXT ? e->of->text : "";
    if (strcmp(name, r->of) == 0)
        return true;
    char quoted[128];
    snprintf(quoted, sizeof(quoted), "\"%.120s\"", name);
    if (*name != '\0' && (r->others.len == 0 || strstr(r->others.text, quoted) == NULL))
        lz_str_addf(&r->others, "%s%s", r->others.len > 0 ? ", " : "", quoted);
    return false;
}

static bool take_event(struct reading *r, const struct event *e, struct lz_err *err)
{
    if (!is_ours(r, e))
        return true;
    r->h->events++;
    if (e->process != NULL && e->process->kind != LZ_VALUE_INT && e->process->kind != LZ_VALUE_NIL)
        return take_remark(r, e, err);
    static const char *const types[] = {"invoke", "ok", "fail", "info"};
    bool is_known = false;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        is_known = is_known || lz_value_is_text(e->type, types[i]);
    if (!is_known)
        return lz_fail(
            err, LZ_EINVAL, "line %u: an event's type is invoke, ok, fail or info, got \"%.40s\"",
            e->at->line, e->type != NULL && e->type->kind == LZ_VALUE_TEXT ? e->type->text : "nil");
    uint32_t process = process_of(r, e->process);
    r->position++;
    if (lz_value_is_text(e->type, "invoke"))
        return invoke(r, e, process, err);
    if (r->open[process].is_open)
        return complete(r, e, process, err);
    if (lz_value_is_text(e->type, "info"))
        return true; // a remark
    return lz_fail(err, LZ_EINVAL, "line %u: process %s completes what it has not begun",
                   e->at->line, r->h->processes[process]);
}

static bool take_map(struct reading *r, const struct lz_value *map, struct lz_err *err)
{
    if (map->kind != LZ_VALUE_MAP)
        return wrong(map, err, "an event is a map: {:process 0, :type :invoke, :f :read}");
    return take_event(r,
                      &(struct event){.at = map,
                                      .process = lz_value_get(map, "process"),
                                      .type = lz_value_get(map, "type"),
                                      .f = lz_value_get(map, "f"),
                                      .value = lz_value_get(map, "value"),
                                      .key = lz_value_get(map, "key"),
                                      .sum = lz_value_get(map, "sum"),
                                      .client = lz_value_get(map, "client"),
                                      .of = lz_value_get(map, "of"),
                                      .time = lz_value_get(map, "time")},
                      err);
}

// What is still open may have happened.
static bool leave_open(struct reading *r, struct lz_err *err)
{
    for (uint32_t i = 0; i < r->open_cap; i++)
        if (r->open[i].is_open && !r->open[i].is_aside &&
            !make_parts(r, r->open[i].op, &r->open[i], NULL, err))
            return false;
    return true;
}

static bool read_maps(struct reading *r, const char *text, size_t size, struct lz_err *err)
{
    struct lz_value_reader reader;
    lz_value_reader_init(&reader, text, size);
    r->h->nil_is_unknown = !reader.is_json;
    if (!reader.is_json)
        r->h->initial = lz_history_integer(r->h, 0);
    for (;;) {
        struct lz_value v;
        bool more;
        if (!lz_value_next(&reader, &r->values, &v, &more, err))
            return false;
        if (!more)
            return true;
        if (v.kind != LZ_VALUE_LIST) {
            if (!take_map(r, &v, err))
                return false;
            continue;
        }
        for (uint32_t i = 0; i < v.count; i++)
            if (!take_map(r, &v.items[i], err))
                return false;
    }
}

// A line of a text: where it begins, and how long it is without its end.
static bool next_line(const char **at, const char *end, const char **line, size_t *size)
{
    if (*at == end)
        return false;
    *line = *at;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    *at = stop != NULL ? stop + 1 : end;
    *size = (size_t)((stop != NULL ? stop : end) - *line);
    if (*size > 0 && (*line)[*size - 1] == '\r')
        --*size;
    return true;
}

static bool read_log(struct reading *r, const char *text, size_t size, struct lz_err *err)
{
    static const char mark[] = "jepsen.util - ";
    const char *at = text, *line;
    size_t line_size;
    r->fail_is_miss = true;
    for (uint32_t number = 1; next_line(&at, text + size, &line, &line_size); number++) {
        const char *found = memmem(line, line_size, mark, sizeof(mark) - 1);
        if (found == NULL)
            continue;
        struct lz_value_reader reader;
        found += sizeof(mark) - 1;
        lz_value_reader_init(&reader, found, (size_t)(line + line_size - found));
        reader.line = number;
        struct lz_value v[4] = {{.line = number}, {.line = number}, {.line = number}, {0}};
        bool more = true;
        for (int i = 0; i < 4 && more; i++)
            if (!lz_value_next(&reader, &r->values, &v[i], &more, err))
                return false;
        bool is_event = v[0].kind == LZ_VALUE_INT && v[1].kind == LZ_VALUE_TEXT;
        bool timed_out = v[3].kind == LZ_VALUE_TEXT; // in place of a value
        const struct event e = {.at = &v[0],
                                .process = &v[0],
                                .type = &v[1],
                                .f = &v[2],
                                .value = timed_out ? NULL : &v[3]};
        if (is_event && !take_event(r, &e, err))
            return false;
    }
    return true;
}

// "r 1 2" or "w 1 2"; false if it is neither.
static bool read_step(struct reading *r, struct lz_history_op *op, const char *line, size_t size)
{
    char copy[80], f;
    long long key, value;
    if (size >= sizeof(copy))
        return false;
    memcpy(copy, line, size);
    copy[size] = '\0';
    int used = 0;
    if (sscanf(copy, " %c %lld %lld %n", &f, &key, &value, &used) != 3 || used != (int)size ||
        (f != 'r' && f != 'w'))
        return false;
    struct lz_history_part *part =
        lz_history_add_part(r->h, op, f == 'r' ? LZ_HISTORY_READ : LZ_HISTORY_WRITE);
    part->key = lz_history_integer(r->h, key);
    part->value = lz_history_integer(r->h, value);
    return true;
}

static bool read_txns(struct reading *r, const char *text, size_t size, struct lz_err *err)
{
    const char *at = text, *line;
    size_t line_size;
    long session = 0;
    bool in_txn = false;
    for (uint32_t number = 1; next_line(&at, text + size, &line, &line_size); number++) {
        if (line_size == 0)
            continue;
        bool ends_session = memcmp(line, "=====", line_size < 5 ? line_size : 5) == 0;
        if (ends_session || memcmp(line, "-----", line_size < 5 ? line_size : 5) == 0) {
            in_txn = false;
            session += ends_session;
            continue;
        }
        if (!in_txn) {
            char name[24];
            snprintf(name, sizeof(name), "%ld", session);
            struct lz_history_op *op =
                lz_history_add(r->h, lz_history_process(r->h, name), ++r->position);
            *op = (struct lz_history_op){.process = op->process,
                                         .part_first = op->part_first,
                                         .line = number,
                                         .is_txn = true,
                                         .outcome = LZ_HISTORY_OK,
                                         .begin = op->begin,
                                         .end = ++r->position};
            in_txn = true;
            r->h->events++;
        }
        if (!read_step(r, &r->h->ops[r->h->op_count - 1], line, line_size))
            return lz_fail(err, LZ_EINVAL,
                           "line %u: expected \"r KEY VALUE\", \"w KEY VALUE\", "
                           "\"-----\" or \"=====\", got \"%.*s\"",
                           number, (int)(line_size < 30 ? line_size : 30), line);
    }
    return true;
}

static const struct {
    const char *name;
    bool (*read)(struct reading *r, const char *text, size_t size, struct lz_err *err);
} formats[] = {
    {"edn", read_maps},
    {"json", read_maps},
    {"jepsen-log", read_log},
    {"txns", read_txns},
};
#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

const char *lz_history_read_format(size_t i)
{
    return i < FORMAT_COUNT ? formats[i].name : NULL;
}

static const char *guess(const char *text, size_t size)
{
    static const char log[] = "jepsen.util - ";
    size_t i = 0;
    while (i < size && isspace((unsigned char)text[i]))
        i++;
    if (i + 2 < size && strchr("rw", text[i]) != NULL && text[i + 1] == ' ')
        return "txns";
    if (i < size && strchr("[({;#", text[i]) != NULL)
        return "edn";
    return memmem(text, size, log, sizeof(log) - 1) != NULL ? "jepsen-log" : "edn";
}

bool lz_history_read(struct lz_history *h, const char *format, const char *text, size_t size,
                     struct lz_err *err)
{
    return lz_history_read_of(h, format, NULL, text, size, err);
}

bool lz_history_read_of(struct lz_history *h, const char *format, const char *of, const char *text,
                        size_t size, struct lz_err *err)
{
    struct reading r = {.h = h, .of = of};
    lz_str_init(&r.others);
    bool ok = false;
    format = format != NULL ? format : guess(text, size);
    bool found = false;
    for (size_t i = 0; i < FORMAT_COUNT && !found; i++) {
        found = strcmp(formats[i].name, format) == 0;
        if (found)
            ok = formats[i].read(&r, text, size, err) && leave_open(&r, err);
    }
    if (!found)
        ok = lz_fail(err, LZ_EINVAL, "there is no history format \"%s\"", format);
    if (ok && r.aside.line != 0 && !lz_history_read_has_log(h))
        ok = unknown(&r.aside, r.aside.line, err);
    if (ok && of != NULL && h->events == 0)
        ok = lz_fail(err, LZ_EINVAL, "there is no history of \"%s\": the file has %s", of,
                     r.others.len > 0 ? r.others.text : "one, without a name");
    lz_str_finish(&r.others);
    lz_values_finish(&r.values);
    free(r.open);
    if (!ok) {
        lz_history_finish(h);
        lz_history_init(h);
        return false;
    }
    lz_history_sort(h);
    return true;
}
