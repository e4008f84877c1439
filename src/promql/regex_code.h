/*
 * regex_code.h — the instructions of a regular expression (regex.h), between compiler and runner.
 */
#ifndef LZ_PROMQL_REGEX_CODE_H
#define LZ_PROMQL_REGEX_CODE_H

#include "promql/regex.h"

enum lz_promql_op {
    LZ_PROMQL_OP_ANY = 1, /* a character */
    LZ_PROMQL_OP_SET,     /* one of `set` */
    LZ_PROMQL_OP_SPLIT,   /* x, and after it y */
    LZ_PROMQL_OP_JUMP,    /* x */
    LZ_PROMQL_OP_SAVE,    /* here is end x of a group */
    LZ_PROMQL_OP_BEGIN,   /* of the text */
    LZ_PROMQL_OP_END,
    LZ_PROMQL_OP_LINE_BEGIN,
    LZ_PROMQL_OP_LINE_END,
    LZ_PROMQL_OP_WORD,
    LZ_PROMQL_OP_NO_WORD,
    LZ_PROMQL_OP_MATCH,
};

struct lz_promql_set {
    struct {
        uint32_t from, until; /* both belong to it */
    } * ranges;
    uint32_t count, cap;
    bool is_not;
};

struct lz_promql_code {
    enum lz_promql_op op;
    uint32_t x, y;
    const struct lz_promql_set *set;
};

struct lz_promql_runner; /* regex.c */

struct lz_promql_regex {
    struct lz_promql_runner *runner; /* its memory, for one text after another */
    struct lz_promql_code *all;
    uint32_t count, cap;
    uint32_t groups; /* with that of the whole */
    const char *names[LZ_PROMQL_REGEX_GROUPS_MAX];
};

/* The character at `*at`, which moves on; what is no UTF-8 is itself, byte by byte. */
uint32_t lz_promql_regex_char(const char **at);

#endif
