#include "model/data/sql/statement.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/grow.h"

#define TAG_STATEMENT 0x53514c71u
#define TAG_ANSWER 0x53514c61u

static bool has_bytes(const struct lz_cell *c)
{
    return c->kind == LZ_CELL_TEXT || c->kind == LZ_CELL_BLOB;
}

lz_argument_id lz_statement_make(struct lz_world *w, const struct lz_sql_statement *st)
{
    LZ_ASSERT(st->size <= LZ_STATEMENT_BYTES_MAX && st->count <= LZ_STATEMENT_CELLS_MAX);
    uint64_t size = sizeof(*st) + st->count * sizeof(struct lz_cell) + st->size + 1;
    for (uint32_t i = 0; i < st->count; i++)
        size += has_bytes(&st->cells[i]) ? st->cells[i].size : 0;
    LZ_ASSERT(size < UINT32_MAX);
    lz_argument_id id = lz_argument_make(w, NULL, (uint32_t)size);
    uint32_t given = 0;
    struct lz_sql_statement *out = lz_argument_bytes(w, id, &given);
    struct lz_cell *cells = (struct lz_cell *)(out + 1);
    char *bytes = (char *)(cells + st->count);
    *out = *st;
    out->tag = TAG_STATEMENT;
    out->text = bytes;
    out->cells = cells;
    memcpy(bytes, st->text, st->size);
    bytes += st->size + 1;
    for (uint32_t i = 0; i < st->count; i++) {
        cells[i] = st->cells[i];
        if (!has_bytes(&cells[i]))
            continue;
        if (cells[i].size > 0)
            memcpy(bytes, cells[i].bytes, cells[i].size);
        cells[i].bytes = bytes;
        bytes += cells[i].size;
    }
    return id;
}

const struct lz_sql_statement *lz_statement_of(const struct lz_world *w, lz_argument_id id)
{
    uint32_t size = 0;
    const struct lz_sql_statement *st = lz_argument_bytes(w, id, &size);
    return st != NULL && size > sizeof(*st) && st->tag == TAG_STATEMENT ? st : NULL;
}

const struct lz_sql_answer *lz_statement_answer_of(const struct lz_world *w, lz_argument_id id)
{
    uint32_t size = 0;
    const struct lz_sql_answer *a = lz_argument_bytes(w, id, &size);
    return a != NULL && size >= sizeof(*a) && a->tag == TAG_ANSWER ? a : NULL;
}

// ---- what a statement does, by its words

struct words {
    const char *at, *end;
    int depth; // of parentheses
};

static void skip_quoted(struct words *s)
{
    char quote = *s->at == '[' ? ']' : *s->at;
    s->at++;
    while (s->at < s->end && *s->at != quote)
        s->at++;
    s->at += s->at < s->end;
}

static bool skip_comment(struct words *s)
{
    size_t left = (size_t)(s->end - s->at);
    if (left < 2 || (memcmp(s->at, "--", 2) != 0 && memcmp(s->at, "/*", 2) != 0))
        return false;
    bool is_line = *s->at == '-';
    s->at += 2;
    while (s->at < s->end &&
           (is_line ? *s->at != '\n' : s->end - s->at < 2 || memcmp(s->at, "*/", 2) != 0))
        s->at++;
    s->at += s->at < s->end ? (is_line ? 1 : 2) : 0;
    return true;
}

// The next word outside of parentheses, in lower case; false at the end.
static bool next_word(struct words *s, char out[16])
{
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        if (skip_comment(s))
            continue;
        if (c == '\'' || c == '"' || c == '`' || c == '[') {
            skip_quoted(s);
        } else if (isalpha(c) || c == '_') {
            size_t n = 0;
            for (; s->at < s->end && (isalnum((unsigned char)*s->at) || *s->at == '_'); s->at++)
                if (n < 15)
                    out[n++] = (char)tolower((unsigned char)*s->at);
            out[n] = '\0';
            if (s->depth == 0)
                return true;
        } else {
            s->depth += (c == '(') - (c == ')');
            s->at++;
        }
    }
    out[0] = '\0';
    return false;
}

const char *lz_statement_verb(const char *text, size_t size, char out[16])
{
    static const char *const changing[] = {"insert", "update", "delete", "replace"};
    struct words s = {.at = text, .end = text + size};
    if (!next_word(&s, out))
        return out;
    bool is_with = strcmp(out, "with") == 0;
    while (is_with && next_word(&s, out))
        for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
            if (strcmp(out, changing[i]) == 0)
                return out;
    if (is_with || strcmp(out, "values") == 0 || strcmp(out, "explain") == 0)
        memcpy(out, "select", sizeof("select"));
    return out;
}

// ---- answers

void lz_statement_begin(struct lz_statement_builder *b)
{
    LZ_ASSERT(b->arena != NULL);
    b->answer = (struct lz_sql_answer){.tag = TAG_ANSWER, .status = 200, .ok = true, .code = ""};
    b->error[0] = '\0';
    b->cell_count = 0;
    b->size = 0;
}

static uint32_t add_bytes(struct lz_statement_builder *b, const char *bytes, uint32_t size)
{
    b->bytes = lz_grow(b->arena, b->bytes, &b->cap, b->size + size + 1, 1);
    if (size > 0)
        memcpy(b->bytes + b->size, bytes, size);
    uint32_t at = b->size;
    b->size += size;
    b->bytes[b->size++] = '\0';
    return at;
}

void lz_statement_name(struct lz_statement_builder *b, const char *name)
{
    LZ_ASSERT(b->answer.columns < sizeof(b->names) / sizeof(b->names[0]));
    b->names[b->answer.columns++] = add_bytes(b, name, (uint32_t)strlen(name));
}

bool lz_statement_add(struct lz_statement_builder *b, const struct lz_cell *cell)
{
    uint64_t size = b->size + (uint64_t)(b->cell_count + 1) * sizeof(*cell);
    if (size + (has_bytes(cell) ? cell->size : 0) > LZ_STATEMENT_ANSWER_MAX)
        return false;
    b->cells = lz_grow(b->arena, b->cells, &b->cell_cap, b->cell_count + 1, sizeof(*b->cells));
    struct lz_cell *own = &b->cells[b->cell_count++];
    *own = *cell;
    if (has_bytes(cell))
        own->integer = add_bytes(b, cell->bytes, cell->size);
    return true;
}

void lz_statement_fail(struct lz_statement_builder *b, uint16_t status, const char *code,
                       const char *error)
{
    lz_statement_begin(b);
    b->answer.ok = false;
    b->answer.status = status;
    b->answer.code = code;
    snprintf(b->error, sizeof(b->error), "%s", error);
}

bool lz_statement_is_same(const struct lz_statement_builder *a,
                          const struct lz_statement_builder *b)
{
    if (a->answer.status != b->answer.status || a->cell_count != b->cell_count ||
        a->size != b->size || (a->size > 0 && memcmp(a->bytes, b->bytes, a->size) != 0))
        return false;
    for (uint32_t i = 0; i < a->cell_count; i++)
        if (a->cells[i].kind != b->cells[i].kind || a->cells[i].size != b->cells[i].size ||
            a->cells[i].integer != b->cells[i].integer)
            return false;
    return true;
}

lz_argument_id lz_statement_end(struct lz_statement_builder *b, struct lz_world *w)
{
    struct lz_sql_answer *a = &b->answer;
    LZ_ASSERT(a->columns > 0 || b->cell_count == 0);
    a->rows = a->columns > 0 ? b->cell_count / a->columns : 0;
    uint32_t error = add_bytes(b, b->error, (uint32_t)strlen(b->error));
    uint64_t size =
        sizeof(*a) + a->columns * sizeof(char *) + b->cell_count * sizeof(struct lz_cell) + b->size;
    lz_argument_id id = lz_argument_make(w, NULL, (uint32_t)size);
    uint32_t given = 0;
    struct lz_sql_answer *out = lz_argument_bytes(w, id, &given);
    LZ_ASSERT(given == size);
    struct lz_cell *cells = (struct lz_cell *)(out + 1);
    const char **names = (const char **)(cells + b->cell_count);
    char *bytes = (char *)(names + a->columns);
    *out = *a;
    out->cells = cells;
    out->names = names;
    out->error = bytes + error;
    memcpy(bytes, b->bytes, b->size);
    for (uint32_t i = 0; i < a->columns; i++)
        names[i] = bytes + b->names[i];
    for (uint32_t i = 0; i < b->cell_count; i++) {
        cells[i] = b->cells[i];
        if (has_bytes(&cells[i]))
            cells[i].bytes = bytes + b->cells[i].integer;
    }
    return id;
}
