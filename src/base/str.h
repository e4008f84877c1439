/*
 * str.h — a growing string, for everything that is written rather than simulated.
 *
 * Invariant: `text` is NUL-terminated and never NULL, also when empty. Memory is
 * malloc's, not the universe's: reports outlive runs. No memory aborts.
 */
#ifndef LZ_BASE_STR_H
#define LZ_BASE_STR_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

struct lz_str {
    char *text;
    size_t len;
    size_t cap; /* 0 while `text` is a constant */
};

void lz_str_init(struct lz_str *s);
void lz_str_finish(struct lz_str *s);

void lz_str_clear(struct lz_str *s);
void lz_str_add(struct lz_str *s, const char *text);
void lz_str_add_n(struct lz_str *s, const char *bytes, size_t len);
void lz_str_add_char(struct lz_str *s, char c);
void lz_str_add_repeat(struct lz_str *s, const char *text, size_t times);
void lz_str_addf(struct lz_str *s, const char *fmt, ...) LZ_PRINTF(2, 3);
void lz_str_vaddf(struct lz_str *s, const char *fmt, va_list ap);

/* Hand the bytes to the caller, who frees them; `s` is empty again. */
char *lz_str_take(struct lz_str *s);

/* Bytes of the well-formed UTF-8 sequence that begins at `at`, of which `left` > 0 are there; 0 if
   none does. */
size_t lz_str_sequence(const char *at, size_t left);

/* From byte `from` on, make of `s` what any reader of UTF-8 takes, and no terminal obeys: bytes
   that are none, and controls but line ends and tabs, are '?'. */
void lz_str_make_plain(struct lz_str *s, size_t from);

/* Columns `text` takes on a terminal: UTF-8 code points, wide ones count two. */
size_t lz_str_width(const char *text);

#endif
