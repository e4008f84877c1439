#include "check/history/history_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"
#include "model/history/recorder_log.h"
#include "model/history/recorder_txn.h"

struct event {
    uint64_t at; // number in the order of all
    uint32_t op;
    bool is_end;
    bool is_txn;
};

static int by_number(const void *a, const void *b, void *ctx)
{
    (void)ctx;
    const struct event *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static void add_text(struct lz_str *out, const char *text, size_t len)
{
    lz_str_add_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)text[i];
        if (ch == '"' || ch == '\\')
            lz_str_addf(out, "\\%c", ch);
        else if (ch < 0x20)
            lz_str_addf(out, "\\u%04x", ch);
        else
            lz_str_add_char(out, (char)ch);
    }
    lz_str_add_char(out, '"');
}

void lz_history_write_value(struct lz_str *out, const struct lz_world *w, lz_value v)
{
    size_t len = 0;
    const char *text;
    switch (lz_value_kind(v)) {
    case LZ_VALUE_NOTHING:
        lz_str_add(out, "null");
        break;
    case LZ_VALUE_INTEGER:
        lz_str_addf(out, "%" PRId64, lz_value_to_integer(v));
        break;
    case LZ_VALUE_TEXT:
        text = lz_value_to_text(w, v, &len);
        add_text(out, text, len);
        break;
    case LZ_VALUE_BOOLEAN:
        lz_str_add(out, lz_value_to_boolean(v) ? "\"true\"" : "\"false\"");
        break;
    }
}

void lz_history_write_of(struct lz_str *out, const struct lz_history_naming *naming)
{
    if (naming->of[0] == '\0')
        return;
    lz_str_add(out, ",\"of\":");
    add_text(out, naming->of, strlen(naming->of));
}

void lz_history_write_key(struct lz_str *out, const struct lz_history_naming *naming, int64_t key)
{
    if (naming->key_prefix != NULL)
        lz_str_addf(out, "\"%s/%" PRId64 "\"", naming->key_prefix, key);
    else
        lz_str_addf(out, "%" PRId64, key);
}

static const char *type_of(const struct lz_recorder_op *op, bool is_end)
{
    static const char *const names[] = {
        [LZ_RECORDER_OK] = "ok", [LZ_RECORDER_FAIL] = "fail", [LZ_RECORDER_UNKNOWN] = "info"};
    return is_end ? names[op->outcome] : "invoke";
}

static void add_event(struct lz_str *out, const struct lz_world *w,
                      const struct lz_history_naming *naming, const struct lz_recorder_op *op,
                      bool is_end)
{
    bool is_lock = op->f == LZ_RECORDER_ACQUIRE || op->f == LZ_RECORDER_RELEASE;
    bool is_seen = op->f != LZ_RECORDER_READ || (is_end && op->outcome == LZ_RECORDER_OK);
    lz_str_addf(out, "{\"process\":%u,\"type\":\"%s\",\"f\":\"%s\",\"key\":",
                naming->process_first + op->process, type_of(op, is_end),
                lz_recorder_f_name((enum lz_recorder_f)op->f));
    lz_history_write_key(out, naming, (int64_t)op->key);
    if (!is_lock) {
        lz_str_add(out, op->f == LZ_RECORDER_CREATE ? ",\"value\":[" : ",\"value\":");
        if (op->f == LZ_RECORDER_CREATE) {
            lz_history_write_value(out, w, op->expected);
            lz_str_add_char(out, ',');
        }
        lz_history_write_value(out, w, is_seen ? op->value : 0);
        lz_str_add(out, op->f == LZ_RECORDER_CREATE ? "]" : "");
    }
    lz_history_write_of(out, naming);
    lz_str_addf(out, ",\"time\":%" PRId64 "}\n", is_end ? op->done : op->at);
}

// ---- transactions

// "3,17" is what appends made of it: [3,17].
void lz_history_write_list(struct lz_str *out, const struct lz_world *w, lz_value v)
{
    size_t len = 0;
    const char *text = lz_value_kind(v) == LZ_VALUE_TEXT ? lz_value_to_text(w, v, &len) : "";
    lz_str_add_char(out, '[');
    if (v != 0 && lz_value_kind(v) != LZ_VALUE_TEXT)
        lz_history_write_value(out, w, v);
    for (size_t at = 0; at < len;) {
        size_t size = strcspn(text + at, ",");
        bool is_number = size > 0 && size < 18 && strspn(text + at, "-0123456789") >= size;
        if (at > 0)
            lz_str_add_char(out, ',');
        if (is_number)
            lz_str_add_n(out, text + at, size);
        else
            add_text(out, text + at, size);
        at += size + 1;
    }
    lz_str_add_char(out, ']');
}

struct txn_writing {
    const struct lz_world *w;
    const struct lz_recorder *r;
    const struct lz_history_naming *naming;
    bool are_lists;
};

static void add_step(struct lz_str *out, const struct txn_writing *g,
                     const struct lz_recorder_step *s, bool is_seen)
{
    static const char *const fs[] = {[LZ_RECORDER_STEP_READ] = "r",
                                     [LZ_RECORDER_STEP_WRITE] = "w",
                                     [LZ_RECORDER_STEP_APPEND] = "append"};
    bool is_whole = s->f == LZ_RECORDER_STEP_APPEND && !g->are_lists;
    lz_str_addf(out, "[\"%s\",", is_whole ? "w" : fs[s->f]);
    if (g->r->has_names)
        lz_history_write_value(out, g->w, s->key);
    else
        lz_history_write_key(out, g->naming, (int64_t)s->key);
    lz_str_add_char(out, ',');
    if (s->f == LZ_RECORDER_STEP_READ && is_seen && g->are_lists)
        lz_history_write_list(out, g->w, s->value);
    else
        lz_history_write_value(out, g->w,
                               s->f == LZ_RECORDER_STEP_READ && !is_seen ? 0
                               : is_whole                                ? s->whole
                                                                         : s->value);
    lz_str_add_char(out, ']');
}

static void add_txn(struct lz_str *out, const struct txn_writing *g,
                    const struct lz_recorder_txn *t, bool is_end)
{
    static const char *const names[] = {
        [LZ_RECORDER_OK] = "ok", [LZ_RECORDER_FAIL] = "fail", [LZ_RECORDER_UNKNOWN] = "info"};
    const char *comma = "";
    lz_str_addf(out, "{\"process\":%u,\"type\":\"%s\",\"f\":\"txn\",\"value\":[",
                g->naming->process_first + t->process, is_end ? names[t->outcome] : "invoke");
    for (uint32_t at = t->first; at != 0; at = g->r->steps[at - 1].next) {
        const struct lz_recorder_step *s = &g->r->steps[at - 1];
        if (s->f == LZ_RECORDER_STEP_READ && !s->is_heard)
            continue;
        lz_str_add(out, comma);
        add_step(out, g, s, is_end && t->outcome == LZ_RECORDER_OK);
        comma = ",";
    }
    lz_str_add_char(out, ']');
    lz_history_write_of(out, g->naming);
    lz_str_addf(out, ",\"time\":%" PRId64 "}\n", is_end ? t->done : t->at);
}

static bool are_lists(const struct lz_recorder *r)
{
    bool are_so = false;
    for (uint32_t i = 0; i < r->step_count; i++) {
        if (r->steps[i].f == LZ_RECORDER_STEP_WRITE)
            return false;
        are_so = are_so || r->steps[i].f == LZ_RECORDER_STEP_APPEND;
    }
    return are_so;
}

static void write_objects(const struct lz_world *w, const struct lz_recorder *r,
                          const struct lz_history_naming *naming, struct lz_str *out)
{
    size_t cap = 2 * ((size_t)r->count + r->txn_count) + 1;
    struct event *events = lz_mem_alloc(cap * sizeof(*events));
    struct txn_writing g = {.w = w, .r = r, .naming = naming, .are_lists = are_lists(r)};
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->ops[i].f >= LZ_RECORDER_INSERT)
            continue;
        events[count++] = (struct event){.at = r->ops[i].begin, .op = i};
        if (r->ops[i].end != 0)
            events[count++] = (struct event){.at = r->ops[i].end, .op = i, .is_end = true};
    }
    for (uint32_t i = 0; i < r->txn_count; i++) {
        struct event e = {.at = r->txns[i].begin, .op = i, .is_txn = true};
        events[count++] = e;
        e.at = r->txns[i].end;
        e.is_end = true;
        if (e.at != 0)
            events[count++] = e;
    }
    lz_sort(events, count, sizeof(*events), by_number, NULL);
    for (uint32_t i = 0; i < count; i++)
        if (events[i].is_txn)
            add_txn(out, &g, &r->txns[events[i].op], events[i].is_end);
        else
            add_event(out, w, naming, &r->ops[events[i].op], events[i].is_end);
    free(events);
}

// What a component was asked for: of a topic its log, of one that nobody said it of its objects.
static const struct {
    enum lz_recorder_kind kind;
    const char *name; // NULL: the component's is enough
} kinds[] = {{LZ_RECORDER_OBJECTS, NULL},
             {LZ_RECORDER_COUNTERS, "counter"},
             {LZ_RECORDER_SETS, "set"},
             {LZ_RECORDER_IDS, "ids"}};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static uint8_t kinds_of(const struct lz_recorder *r)
{
    return r->kinds != 0 ? r->kinds : LZ_RECORDER_OBJECTS;
}

uint32_t lz_history_count(const struct lz_recorder *r)
{
    uint32_t count = 0;
    for (size_t i = 0; i < KIND_COUNT; i++)
        count += (kinds_of(r) & kinds[i].kind) != 0;
    return count;
}

uint64_t lz_history_lines_max(const struct lz_recorder *r)
{
    uint64_t records = 0;
    for (uint32_t i = 0; i < r->send_count; i++)
        records += r->sends[i].count;
    for (uint32_t i = 0; i < r->poll_count; i++)
        records += r->polls[i].count;
    return r->count + r->step_count + records;
}

void lz_history_write(const struct lz_world *w, const struct lz_recorder *r,
                      struct lz_history_naming *naming, struct lz_str *out)
{
    char name[sizeof(naming->of)];
    memcpy(name, naming->of, sizeof(name));
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if ((kinds_of(r) & kinds[i].kind) == 0)
            continue;
        if (name[0] != '\0' && kinds[i].name != NULL)
            snprintf(naming->of, sizeof(naming->of), "%.80s %s", name, kinds[i].name);
        else
            memcpy(naming->of, name, sizeof(name));
        if (kinds[i].kind != LZ_RECORDER_OBJECTS) {
            lz_history_write_counts(w, r, kinds[i].kind, naming, out);
        } else if (r->send_count + r->poll_count > 0) {
            lz_history_write_log(r, naming, out);
        } else {
            write_objects(w, r, naming, out);
            naming->process_first += r->processes;
        }
    }
}
