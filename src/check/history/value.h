/*
 * value.h — texts of values as history files hold them: EDN and JSON.
 *
 * A value is nil, a boolean, a number, a text, or a sequence: list, set, or map (its keys and
 * values in turn). EDN's keywords, symbols and strings are all texts here, `:ok` being "ok";
 * what only says more about a value (tags such as #inst, discarded forms) is read over. JSON
 * is read by the same reader; its colons and commas must stand where they belong, while EDN's
 * commas are space.
 *
 * Ownership: values live in a `struct lz_values` and die with it.
 */
#ifndef LZ_CHECK_HISTORY_VALUE_H
#define LZ_CHECK_HISTORY_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum lz_value_kind {
    LZ_VALUE_NIL,
    LZ_VALUE_BOOL,
    LZ_VALUE_INT,
    LZ_VALUE_REAL,
    LZ_VALUE_TEXT,
    LZ_VALUE_LIST,
    LZ_VALUE_SET,
    LZ_VALUE_MAP,
};

struct lz_value {
    enum lz_value_kind kind;
    uint32_t count; /* TEXT: bytes; LIST, SET: items; MAP: keys and values together */
    uint32_t line;  /* where it began, from 1 */
    union {
        int64_t integer; /* INT, BOOL */
        double real;
        const char *text; /* NUL-terminated */
        struct lz_value *items;
    };
};

#define LZ_VALUE_DEPTH_MAX 64 /* sequences within sequences; LZ_ERANGE */

/* Memory for values, in blocks. {0} is empty. */
struct lz_values {
    struct lz_values_block *blocks;
};

void *lz_values_alloc(struct lz_values *values, size_t size);
void lz_values_finish(struct lz_values *values);

/* A place in a text of values. */
struct lz_value_reader {
    const char *begin, *at, *end;
    uint32_t line; /* from 1 */
    bool is_json;
};

void lz_value_reader_init(struct lz_value_reader *r, const char *text, size_t size);

/*
 * The next value. `*more` is false, and nothing read, at the end of the text. An error names line
 * and what stood there, and of JSON the column.
 */
bool lz_value_next(struct lz_value_reader *r, struct lz_values *values, struct lz_value *out,
                   bool *more, struct lz_err *err) LZ_MUST_CHECK;

/* The value of a text key in a map; NULL if it is not there or this is no map. */
const struct lz_value *lz_value_get(const struct lz_value *map, const char *key);

bool lz_value_is_text(const struct lz_value *v, const char *text);

#endif
