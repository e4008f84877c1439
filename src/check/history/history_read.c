#include "check/history/history_read.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "check/history/history_read_log.h"
#include "check/history/history_read_parts.h"

// What a process has begun and not completed.
struct open {
    bool is_open, is_aside;
    uint32_t op, line;
    struct lz_history_asked asked;
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
    o->asked.f = e->f != NULL ? *e->f : nil;
    o->is_aside = lz_history_read_is_aside(&o->asked.f);
    if (o->is_aside) {
        r->aside = r->aside.line != 0 ? r->aside : o->asked.f;
        return true;
    }
    o->asked.value = e->value != NULL ? *e->value : nil;
    o->asked.key = e->key != NULL ? *e->key : nil;
    bool has_client = e->client != NULL && e->client->kind == LZ_VALUE_INT;
    o->asked.client = has_client ? (uint32_t)e->client->integer + 1 : 0;
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
    bool is_miss = is_fail && r->fail_is_miss && lz_value_is_text(&o->asked.f, "cas");
    bool knows = is_ok || is_miss;
    if (!lz_history_read_parts(r->h, o->op, &o->asked,
                               knows ? (e->value != NULL ? e->value : &nil) : NULL, err))
        return false;
    struct lz_history_op *op = &r->h->ops[o->op];
    op->done = time_of(e);
    op->outcome = knows ? LZ_HISTORY_OK : is_fail ? LZ_HISTORY_FAIL : LZ_HISTORY_INFO;
    op->end = op->outcome == LZ_HISTORY_INFO ? LZ_HISTORY_NEVER : r->position;
    if (is_miss)
        r->h->parts[op->part_first].f = LZ_HISTORY_CAS_MISS;
    if (is_ok && e->sum != NULL && op->part_count == 1 &&
        r->h->parts[op->part_first].f == LZ_HISTORY_ADD) {
        lz_atom sum = lz_history_read_atom(r->h, e->sum);
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
        return lz_fail(err, LZ_EINVAL,
                       "line %u: an event is a map: {:process 0, :type :invoke, :f :read}",
                       map->line);
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
            !lz_history_read_parts(r->h, r->open[i].op, &r->open[i].asked, NULL, err))
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
        ok = lz_history_read_unknown(&r.aside, r.aside.line, err);
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
