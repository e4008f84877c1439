/*
 * blanks.h — what differs from one request of a traffic to the next: {{key}} and {{value}} in its
 * texts, in decimal, and a header of its own.
 */
#ifndef LZ_LIVE_LOAD_BLANKS_H
#define LZ_LIVE_LOAD_BLANKS_H

#include <stdint.h>

#include "base/str.h"

struct lz_blanks {
    uint64_t key;
    int64_t value;
    const char *header; /* one more, a whole line, that outlives its sending; NULL: none */
};

bool lz_blanks_are_in(const char *text);
void lz_blanks_fill(const char *text, const struct lz_blanks *blanks, struct lz_str *out);

/* How far `text` goes before its first blank, all of it if it has none, and how long that one is.
 */
size_t lz_blanks_find(const char *text, size_t *blank);

#endif
