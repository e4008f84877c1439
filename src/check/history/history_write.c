#include "check/history/history_write.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/sort.h"

struct event {
    uint64_t at; // number in the order of all
    uint32_t op;
    bool is_end;
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

static void add_value(struct lz_str *out, const struct lz_world *w, lz_value v)
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
    if (naming->key_prefix != NULL)
        lz_str_addf(out, "\"%s/%" PRId64 "\"", naming->key_prefix, (int64_t)op->key);
    else
        lz_str_addf(out, "%" PRId64, (int64_t)op->key);
    if (!is_lock) {
        lz_str_add(out, op->f == LZ_RECORDER_CREATE ? ",\"value\":[null," : ",\"value\":");
        add_value(out, w, is_seen ? op->value : 0);
        lz_str_add(out, op->f == LZ_RECORDER_CREATE ? "]" : "");
    }
    lz_str_addf(out, ",\"time\":%" PRId64 "}\n", is_end ? op->done : op->at);
}

void lz_history_write(const struct lz_world *w, const struct lz_recorder *r,
                      const struct lz_history_naming *naming, struct lz_str *out)
{
    struct event *events = lz_mem_alloc((2 * (size_t)r->count + 1) * sizeof(*events));
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->ops[i].f == LZ_RECORDER_OTHER)
            continue;
        events[count++] = (struct event){r->ops[i].begin, i, false};
        if (r->ops[i].end != 0)
            events[count++] = (struct event){r->ops[i].end, i, true};
    }
    lz_sort(events, count, sizeof(*events), by_number, NULL);
    for (uint32_t i = 0; i < count; i++)
        add_event(out, w, naming, &r->ops[events[i].op], events[i].is_end);
    free(events);
}
