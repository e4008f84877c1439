/*
 * parse.h — the parser's own (promql.h): a word and the one after it, and the pieces of a grammar
 * that lie in two files.
 */
#ifndef LZ_PROMQL_PARSE_H
#define LZ_PROMQL_PARSE_H

#include "promql/ast.h"
#include "promql/lex.h"

struct lz_promql_parser {
    struct lz_promql_lexer lexer;
    struct lz_promql_token token, next;
    size_t done; /* where what was taken ends */
    uint32_t depth;
    bool failed;
    struct lz_promql_fault *fault;
};

typedef struct lz_promql_node *lz_promql_made;

/* Say that the present word is not what was expected: NULL. */
lz_promql_made lz_promql_parse_expected(struct lz_promql_parser *p, const char *what);

/* Say `what` of the text from `at` on, `len` bytes: NULL. */
lz_promql_made lz_promql_parse_refuse(struct lz_promql_parser *p, size_t at, size_t len,
                                      const char *fmt, ...) LZ_PRINTF(4, 5);

bool lz_promql_parse_is(const struct lz_promql_parser *p, const char *sign);
bool lz_promql_parse_is_word(const struct lz_promql_parser *p, const char *word);
void lz_promql_parse_take(struct lz_promql_parser *p);
bool lz_promql_parse_accept(struct lz_promql_parser *p, const char *sign);
bool lz_promql_parse_need(struct lz_promql_parser *p, const char *sign, const char *what);

lz_promql_made lz_promql_parse_node(struct lz_promql_parser *p, enum lz_promql_node_kind kind,
                                    enum lz_promql_type type, size_t at);

/* Of a node that has its arguments: false, blaming it, if too much is in each other. */
bool lz_promql_parse_measure(struct lz_promql_parser *p, lz_promql_made n);

/* parse_select.c: name{...}, and what may stand behind an operand: [5m], offset, @. */
lz_promql_made lz_promql_parse_selector(struct lz_promql_parser *p);
lz_promql_made lz_promql_parse_behind(struct lz_promql_parser *p, lz_promql_made n);

#endif
