#include "explore/match.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"

enum kind { WORD, AND, OR, NOT };

// Nodes refer to earlier ones: children come first.
struct node {
    enum kind kind;
    size_t a, b;
    char *word;
};

struct lz_match {
    struct node nodes[LZ_MATCH_TERMS_MAX];
    size_t count;
};

struct reading {
    struct lz_match *match;
    const char *text, *at;
    struct lz_err *err;
    unsigned depth;
};

static const char blanks[] = " \t\r\n";

// The next word without taking it: its length, 0 at the end. A parenthesis is one of its own.
static size_t peek(struct reading *r)
{
    r->at += strspn(r->at, blanks);
    if (*r->at == '\0')
        return 0;
    if (strchr("()", *r->at) != NULL)
        return 1;
    if (strchr("\"'", *r->at) != NULL) {
        const char *end = strchr(r->at + 1, *r->at);
        return end != NULL ? (size_t)(end - r->at) + 1 : strlen(r->at);
    }
    return strcspn(r->at, " \t\r\n()\"'");
}

static bool take(struct reading *r, const char *word)
{
    size_t len = peek(r);
    if (len != strlen(word) || strncmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static bool add(struct reading *r, struct node node, size_t *out)
{
    if (r->match->count == LZ_MATCH_TERMS_MAX) {
        free(node.word);
        return lz_fail(r->err, LZ_EFULL, "more than %d words and operators", LZ_MATCH_TERMS_MAX);
    }
    *out = r->match->count;
    r->match->nodes[r->match->count++] = node;
    return true;
}

static bool expected(struct reading *r, const char *what)
{
    size_t len = peek(r);
    if (len == 0)
        return lz_fail(r->err, LZ_EINVAL, "expected %s at the end of \"%s\"", what, r->text);
    return lz_fail(r->err, LZ_EINVAL, "expected %s before \"%.*s\" in \"%s\"", what, (int)len,
                   r->at, r->text);
}

static bool read_or(struct reading *r, size_t *out);

static bool read_word(struct reading *r, size_t *out)
{
    size_t len = peek(r);
    bool is_quoted = len > 0 && strchr("\"'", *r->at) != NULL;
    bool is_word = len > 0 && *r->at != ')' && *r->at != '(' &&
                   !(len == 3 && strncmp(r->at, "and", 3) == 0) &&
                   !(len == 2 && strncmp(r->at, "or", 2) == 0);
    if (is_quoted && (len < 3 || r->at[len - 1] != r->at[0]))
        return lz_fail(r->err, LZ_EINVAL, "a quote is not closed, or is empty, in \"%s\"", r->text);
    if (!is_word)
        return expected(r, "a name");
    size_t skip = is_quoted;
    char *word = lz_mem_alloc(len + 1 - 2 * skip);
    memcpy(word, r->at + skip, len - 2 * skip);
    word[len - 2 * skip] = '\0';
    r->at += len;
    return add(r, (struct node){.kind = WORD, .word = word}, out);
}

static bool read_not(struct reading *r, size_t *out)
{
    if (++r->depth > LZ_MATCH_TERMS_MAX)
        return lz_fail(r->err, LZ_EFULL, "more than %d levels deep", LZ_MATCH_TERMS_MAX);
    bool ok;
    if (take(r, "not")) {
        size_t a;
        ok = read_not(r, &a) && add(r, (struct node){.kind = NOT, .a = a}, out);
    } else if (take(r, "(")) {
        ok = read_or(r, out) && (take(r, ")") || expected(r, "\")\""));
    } else {
        ok = read_word(r, out);
    }
    r->depth--;
    return ok;
}

static bool read_and(struct reading *r, size_t *out)
{
    bool ok = read_not(r, out);
    while (ok && take(r, "and")) {
        struct node node = {.kind = AND, .a = *out};
        ok = read_not(r, &node.b) && add(r, node, out);
    }
    return ok;
}

static bool read_or(struct reading *r, size_t *out)
{
    bool ok = read_and(r, out);
    while (ok && take(r, "or")) {
        struct node node = {.kind = OR, .a = *out};
        ok = read_and(r, &node.b) && add(r, node, out);
    }
    return ok;
}

bool lz_match_parse(const char *text, struct lz_match **out, struct lz_err *err)
{
    struct lz_match *match = lz_mem_alloc(sizeof(*match));
    match->count = 0;
    struct reading r = {.match = match, .text = text, .at = text, .err = err};
    size_t root;
    bool ok = read_or(&r, &root) && (peek(&r) == 0 || expected(&r, "\"and\" or \"or\""));
    if (!ok) {
        lz_match_destroy(match);
        return false;
    }
    LZ_ASSERT(root == match->count - 1);
    *out = match;
    return true;
}

void lz_match_destroy(struct lz_match *match)
{
    for (size_t i = 0; match != NULL && i < match->count; i++)
        free(match->nodes[i].word);
    free(match);
}

bool lz_match_holds(const struct lz_match *match, bool (*has)(const void *ctx, const char *word),
                    const void *ctx)
{
    bool holds[LZ_MATCH_TERMS_MAX];
    LZ_ASSERT(match->count > 0);
    for (size_t i = 0; i < match->count; i++) {
        const struct node *n = &match->nodes[i];
        LZ_ASSERT(n->kind == WORD || (n->a < i && n->b < i));
        holds[i] = n->kind == WORD  ? has(ctx, n->word)
                   : n->kind == NOT ? !holds[n->a]
                   : n->kind == AND ? holds[n->a] && holds[n->b]
                                    : holds[n->a] || holds[n->b];
    }
    return holds[match->count - 1];
}

bool lz_match_contains(const char *text, const char *part)
{
    size_t len = strlen(part);
    for (; strlen(text) >= len; text++) {
        if (strncasecmp(text, part, len) == 0)
            return true;
        if (*text == '\0')
            break;
    }
    return false;
}
