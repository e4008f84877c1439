/*
 * lex.h — the words of an expression (promql.h).
 *
 * Words are told from each other by their kind only; which identifiers are keywords depends on
 * where they stand, and is the parser's. Between [ and ] a colon stands alone, elsewhere it belongs
 * to a metric's name.
 */
#ifndef LZ_PROMQL_LEX_H
#define LZ_PROMQL_LEX_H

#include "promql/promql.h"

enum lz_promql_token_kind {
    LZ_PROMQL_TOKEN_END = 1,
    LZ_PROMQL_TOKEN_NAME,
    LZ_PROMQL_TOKEN_NUMBER,
    LZ_PROMQL_TOKEN_DURATION, /* a number too: of seconds */
    LZ_PROMQL_TOKEN_STRING,
    LZ_PROMQL_TOKEN_SIGN, /* one of ( ) { } [ ] , : @ + - * / % ^ = == != =~ !~ < <= > >= */
};

struct lz_promql_token {
    enum lz_promql_token_kind kind;
    size_t at, len;
    double number;    /* of a duration, seconds */
    const char *text; /* of a string, what it says; of a name or a sign, a copy */
};

struct lz_promql_lexer {
    struct lz_promql_scratch *scratch;
    const char *text;
    size_t at;
    uint32_t brackets;
};

/* The next word; false if there is none that can be read. */
bool lz_promql_lex(struct lz_promql_lexer *l, struct lz_promql_token *out,
                   struct lz_promql_fault *fault) LZ_MUST_CHECK;

#endif
