#include "live/load/blanks.h"

#include <inttypes.h>
#include <string.h>

static const char key[] = "{{key}}", value[] = "{{value}}";

size_t lz_blanks_find(const char *text, size_t *blank)
{
    const char *at = text;
    while ((at = strstr(at, "{{")) != NULL) {
        *blank = strncmp(at, key, sizeof(key) - 1) == 0       ? sizeof(key) - 1
                 : strncmp(at, value, sizeof(value) - 1) == 0 ? sizeof(value) - 1
                                                              : 0;
        if (*blank > 0)
            return (size_t)(at - text);
        at += 2;
    }
    *blank = 0;
    return strlen(text);
}

bool lz_blanks_are_in(const char *text)
{
    size_t blank;
    lz_blanks_find(text, &blank);
    return blank > 0;
}

void lz_blanks_fill(const char *text, const struct lz_blanks *blanks, struct lz_str *out)
{
    size_t blank;
    for (;;) {
        size_t before = lz_blanks_find(text, &blank);
        lz_str_add_n(out, text, before);
        if (blank == sizeof(key) - 1)
            lz_str_addf(out, "%" PRIu64, blanks->key);
        else if (blank > 0)
            lz_str_addf(out, "%" PRId64, blanks->value);
        else
            return;
        text += before + blank;
    }
}
