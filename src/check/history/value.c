#include "check/history/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define BLOCK_SIZE (256u << 10)

struct lz_values_block {
    struct lz_values_block *next;
    size_t used, size;
};

#define BLOCK_HEAD ((sizeof(struct lz_values_block) + 15) & ~(size_t)15)

void *lz_values_alloc(struct lz_values *values, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct lz_values_block *b = values->blocks;
    if (b == NULL || b->size - b->used < size) {
        size_t want = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        b = lz_mem_alloc(BLOCK_HEAD + want);
        *b = (struct lz_values_block){.next = values->blocks, .size = want};
        values->blocks = b;
    }
    void *out = (char *)b + BLOCK_HEAD + b->used;
    b->used += size;
    LZ_ASSERT(b->used <= b->size);
    return out;
}

void lz_values_finish(struct lz_values *values)
{
    while (values->blocks != NULL) {
        struct lz_values_block *b = values->blocks;
        values->blocks = b->next;
        free(b);
    }
}

// "text" and a colon: in EDN a keyword would have a space before its colon, and a name behind.
static bool is_json_key(const char *at, const char *end)
{
    if (*at != '"')
        return false;
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    const char *behind = ++at;
    while (at < end && isspace((unsigned char)*at))
        at++;
    return at < end && *at == ':' &&
           (at == behind || at + 1 >= end || !isalpha((unsigned char)at[1]));
}

void lz_value_reader_init(struct lz_value_reader *r, const char *text, size_t size)
{
    *r = (struct lz_value_reader){.begin = text, .at = text, .end = text + size, .line = 1};
    // JSON begins with a map whose first key is a quoted text and a colon.
    const char *at = text;
    while (at < r->end && (isspace((unsigned char)*at) || *at == '['))
        at++;
    if (at < r->end && *at == '{') {
        at++;
        while (at < r->end && isspace((unsigned char)*at))
            at++;
        r->is_json = at < r->end && (*at == '}' || is_json_key(at, r->end));
    }
}

static bool wrong(const struct lz_value_reader *r, const char *what, struct lz_err *err)
{
    char near[24] = "the end of the text";
    if (r->at < r->end) {
        size_t n = (size_t)(r->end - r->at) < 12 ? (size_t)(r->end - r->at) : 12;
        near[0] = '"';
        for (size_t i = 0; i < n; i++)
            near[i + 1] = isprint((unsigned char)r->at[i]) ? r->at[i] : ' ';
        near[n + 1] = '"';
        near[n + 2] = '\0';
    }
    const char *line = r->at;
    while (line > r->begin && line[-1] != '\n')
        line--;
    if (r->is_json)
        return lz_fail(err, LZ_EINVAL, "line %u, column %u: %s, at %s", r->line,
                       (unsigned)(r->at - line) + 1, what, near);
    return lz_fail(err, LZ_EINVAL, "line %u: %s, at %s", r->line, what, near);
}

// Space; of EDN also commas, which mean nothing there, and comments.
static void skip(struct lz_value_reader *r)
{
    for (; r->at < r->end; r->at++) {
        char c = *r->at;
        if (c == '\n') {
            r->line++;
        } else if (c == ';' && !r->is_json) {
            while (r->at + 1 < r->end && r->at[1] != '\n')
                r->at++;
        } else if (!(isspace((unsigned char)c) || (c == ',' && !r->is_json))) {
            return;
        }
    }
}

static bool ends_word(char c)
{
    return isspace((unsigned char)c) || c == '\0' || strchr("()[]{},;\"", c) != NULL;
}

static uint32_t hex4(const char *at)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        int c = tolower((unsigned char)at[i]);
        code = code * 16 + (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
    }
    return code;
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

// One escape after its backslash, at r->at; NULL if it is none that is known.
static char *unescape(struct lz_value_reader *r, char *to)
{
    static const char from[] = "nrtbf\"\\/", into[] = "\n\r\t\b\f\"\\/";
    char c = *r->at++;
    const char *known = c != '\0' ? strchr(from, c) : NULL;
    if (known != NULL) {
        *to++ = into[known - from];
        return to;
    }
    if (c != 'u' || r->end - r->at < 4)
        return NULL;
    for (int i = 0; i < 4; i++)
        if (!isxdigit((unsigned char)r->at[i]))
            return NULL;
    to = put_utf8(to, hex4(r->at)); // halves of a pair stay apart: equal texts stay equal
    r->at += 4;
    return to;
}

static bool read_string(struct lz_value_reader *r, struct lz_values *values, struct lz_value *out,
                        struct lz_err *err)
{
    struct lz_value_reader from = *r;
    const char *close = ++r->at;
    while (close < r->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= r->end)
        return wrong(&from, "a text that is never closed", err);
    char *text = lz_values_alloc(values, (size_t)(close - r->at) + 1);
    char *to = text;
    while (r->at < close) {
        if (*r->at == '\n')
            r->line++;
        if (*r->at != '\\') {
            *to++ = *r->at++;
            continue;
        }
        r->at++;
        to = unescape(r, to);
        if (to == NULL)
            return wrong(&from, "a text with an unknown escape", err);
    }
    *to = '\0';
    r->at = close + 1;
    out->kind = LZ_VALUE_TEXT;
    out->text = text;
    out->count = (uint32_t)(to - text);
    return true;
}

// Numbers, nil, true, false, keywords and symbols.
static bool read_word(struct lz_value_reader *r, struct lz_values *values, struct lz_value *out,
                      struct lz_err *err)
{
    const char *begin = r->at, *end = r->at + 1;
    while (end < r->end && !ends_word(*end) && !(r->is_json && *end == ':'))
        end++;
    size_t size = (size_t)(end - begin);
    if (*begin == ':' && size == 1 && !r->is_json)
        return wrong(r, "a keyword without a name", err);
    char *text = lz_values_alloc(values, size + 1);
    memcpy(text, begin, size);
    text[size] = '\0';
    r->at = end;
    char *rest;
    out->integer = strtoll(text, &rest, 10);
    bool is_number = isdigit((unsigned char)text[0]) ||
                     (strchr("+-", text[0]) != NULL && isdigit((unsigned char)text[1]));
    if (is_number && (*rest == '\0' || (strcmp(rest, "N") == 0))) {
        out->kind = LZ_VALUE_INT;
        return true;
    }
    if (is_number) {
        out->real = strtod(text, &rest);
        out->kind = LZ_VALUE_REAL;
        if (*rest == '\0' || strcmp(rest, "M") == 0)
            return true;
        r->at = begin;
        return wrong(r, "a number that is none", err);
    }
    if (strcmp(text, "nil") == 0 || strcmp(text, "null") == 0) {
        out->kind = LZ_VALUE_NIL;
    } else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        out->kind = LZ_VALUE_BOOL;
        out->integer = text[0] == 't';
    } else {
        bool is_keyword = text[0] == ':';
        r->at = begin;
        if (r->is_json)
            return wrong(r,
                         strchr(",:", *begin) != NULL ? "a value was expected"
                                                      : "a word that is no value of JSON",
                         err);
        r->at = end;
        out->kind = LZ_VALUE_TEXT;
        out->text = text + is_keyword;
        out->count = (uint32_t)(size - is_keyword);
    }
    return true;
}

struct items {
    struct lz_value *all;
    uint32_t count, cap;
};

static bool read_value(struct lz_value_reader *r, struct lz_values *values, unsigned depth,
                       struct lz_value *out, struct lz_err *err);

// Past space and discarded forms: `#_` and the value after it.
static bool skip_discarded(struct lz_value_reader *r, struct lz_values *values, unsigned depth,
                           struct lz_err *err)
{
    skip(r);
    while (r->end - r->at >= 2 && r->at[0] == '#' && r->at[1] == '_') {
        struct lz_value ignored;
        if (depth >= LZ_VALUE_DEPTH_MAX)
            return wrong(r, "sequences nested more than 64 deep", err);
        r->at += 2;
        if (!read_value(r, values, depth + 1, &ignored, err))
            return false;
        skip(r);
    }
    return true;
}

// What JSON wants before a sequence's next item: nothing, a colon or a comma, and then an item.
static bool read_separator(struct lz_value_reader *r, uint32_t count, char close,
                           struct lz_err *err)
{
    char want = close == '}' && count % 2 == 1 ? ':' : ',';
    if (!r->is_json || count == 0)
        return true;
    if (*r->at != want)
        return wrong(r, want == ':' ? "a colon was expected" : "a comma was expected", err);
    r->at++;
    skip(r);
    if (r->at < r->end && (*r->at == close || *r->at == ',' || *r->at == ':'))
        return wrong(r, "a value was expected", err);
    return true;
}

static bool read_items(struct lz_value_reader *r, struct lz_values *values, unsigned depth,
                       char close, struct items *items, struct lz_err *err)
{
    for (;;) {
        if (!skip_discarded(r, values, depth, err))
            return false;
        if (r->at == r->end)
            return wrong(r, "a sequence that is never closed", err);
        if (*r->at == close) {
            r->at++;
            return true;
        }
        if (!read_separator(r, items->count, close, err))
            return false;
        if (items->count == items->cap) {
            items->cap = items->cap > 0 ? 2 * items->cap : 8;
            items->all = lz_mem_resize(items->all, items->cap * sizeof(*items->all));
        }
        if (!read_value(r, values, depth + 1, &items->all[items->count], err))
            return false;
        items->count++;
    }
}

static bool read_sequence(struct lz_value_reader *r, struct lz_values *values, unsigned depth,
                          enum lz_value_kind kind, struct lz_value *out, struct lz_err *err)
{
    struct lz_value_reader from = *r;
    if (depth >= LZ_VALUE_DEPTH_MAX)
        return wrong(r, "sequences nested more than 64 deep", err);
    static const char closes[][2] = {{'(', ')'}, {'[', ']'}, {'{', '}'}};
    char open = *r->at++, close = 0;
    for (size_t i = 0; i < sizeof(closes) / sizeof(closes[0]); i++)
        if (closes[i][0] == open)
            close = closes[i][1];
    struct items items = {0};
    bool ok = read_items(r, values, depth, close, &items, err);
    if (ok && kind == LZ_VALUE_MAP && items.count % 2 != 0)
        ok = wrong(&from, "a map with a key and no value", err);
    if (ok) {
        out->kind = kind;
        out->count = items.count;
        out->items = lz_values_alloc(values, items.count * sizeof(*items.all));
        if (items.count > 0)
            memcpy(out->items, items.all, items.count * sizeof(*items.all));
    }
    free(items.all);
    return ok;
}

// #{set}, #inst "...": a tag's value is taken for itself.
static bool read_dispatch(struct lz_value_reader *r, struct lz_values *values, unsigned depth,
                          struct lz_value *out, struct lz_err *err)
{
    r->at++;
    if (r->at < r->end && *r->at == '{')
        return read_sequence(r, values, depth, LZ_VALUE_SET, out, err);
    if (depth >= LZ_VALUE_DEPTH_MAX)
        return wrong(r, "tags nested more than 64 deep", err);
    while (r->at < r->end && !ends_word(*r->at))
        r->at++;
    return read_value(r, values, depth + 1, out, err);
}

static bool read_value(struct lz_value_reader *r, struct lz_values *values, unsigned depth,
                       struct lz_value *out, struct lz_err *err)
{
    skip(r);
    *out = (struct lz_value){.kind = LZ_VALUE_NIL, .line = r->line};
    if (r->at == r->end)
        return wrong(r, "a value was expected", err);
    switch (*r->at) {
    case '"':
        return read_string(r, values, out, err);
    case '(':
    case '[':
        return read_sequence(r, values, depth, LZ_VALUE_LIST, out, err);
    case '{':
        return read_sequence(r, values, depth, LZ_VALUE_MAP, out, err);
    case '#':
        return read_dispatch(r, values, depth, out, err);
    case ')':
    case ']':
    case '}':
        return wrong(r, "a bracket that closes nothing", err);
    default:
        return read_word(r, values, out, err);
    }
}

bool lz_value_next(struct lz_value_reader *r, struct lz_values *values, struct lz_value *out,
                   bool *more, struct lz_err *err)
{
    if (!skip_discarded(r, values, 0, err))
        return false;
    if (r->at == r->end) {
        *more = false;
        return true;
    }
    struct lz_value v;
    if (!read_value(r, values, 0, &v, err))
        return false;
    *out = v;
    *more = true;
    return true;
}

bool lz_value_is_text(const struct lz_value *v, const char *text)
{
    return v != NULL && v->kind == LZ_VALUE_TEXT && strcmp(v->text, text) == 0;
}

const struct lz_value *lz_value_get(const struct lz_value *map, const char *key)
{
    if (map == NULL || map->kind != LZ_VALUE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i += 2)
        if (lz_value_is_text(&map->items[i], key))
            return &map->items[i + 1];
    return NULL;
}
