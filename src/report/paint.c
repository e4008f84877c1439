#include "report/paint.h"

#include <stdint.h>
#include <string.h>

#include "base/check.h"

static const char *const symbols[][2] = {
    [LZ_SYM_TICK] = {"✓", "+"},   [LZ_SYM_CROSS] = {"✗", "x"}, [LZ_SYM_QUESTION] = {"?", "?"},
    [LZ_SYM_WARN] = {"!", "!"},   [LZ_SYM_RULE] = {"━", "="},  [LZ_SYM_MORE] = {"…", "..."},
    [LZ_SYM_FULL] = {"█", "#"},   [LZ_SYM_LIGHT] = {"░", "."}, [LZ_SYM_BAR] = {"│", "|"},
    [LZ_SYM_ARROW] = {"→", "->"},
};

static const char *const codes[] = {
    [LZ_PLAIN] = "",         [LZ_BOLD] = "\033[1m",   [LZ_DIM] = "\033[2m",
    [LZ_RED] = "\033[1;31m", [LZ_GREEN] = "\033[32m", [LZ_YELLOW] = "\033[33m",
    [LZ_BLUE] = "\033[34m",
};

const char *lz_paint_symbol(const struct lz_report_style *s, enum lz_symbol symbol)
{
    return symbols[symbol][s->ascii];
}

void lz_paint_begin(struct lz_str *out, const struct lz_report_style *s, enum lz_colour c)
{
    if (s->colour)
        lz_str_add(out, codes[c]);
}

void lz_paint_end(struct lz_str *out, const struct lz_report_style *s, enum lz_colour c)
{
    if (s->colour && c != LZ_PLAIN)
        lz_str_add(out, "\033[0m");
}

void lz_paint(struct lz_str *out, const struct lz_report_style *s, enum lz_colour c,
              const char *text)
{
    lz_paint_begin(out, s, c);
    lz_str_add(out, text);
    lz_paint_end(out, s, c);
}

// Bytes of the first `width` columns of text; control characters end a line early.
static size_t fitting(const char *text, int width)
{
    size_t at = 0;
    char one[8];
    int used = 0;
    while (text[at] != '\0') {
        size_t n = 1;
        while ((text[at + n] & 0xc0) == 0x80 && n < sizeof(one) - 1)
            n++;
        memcpy(one, text + at, n);
        one[n] = '\0';
        int columns = (int)lz_str_width(one);
        if (used + columns > width)
            break;
        used += columns;
        at += n;
    }
    return at;
}

void lz_paint_cut(struct lz_str *out, const struct lz_report_style *s, const char *text, int width)
{
    if (width <= 0)
        return;
    if ((int)lz_str_width(text) <= width) {
        lz_str_add(out, text);
        return;
    }
    const char *more = lz_paint_symbol(s, LZ_SYM_MORE);
    int left = width - (int)lz_str_width(more);
    if (left < 0)
        return;
    lz_str_add_n(out, text, fitting(text, left));
    lz_str_add(out, more);
}

void lz_paint_cell(struct lz_str *out, const struct lz_report_style *s, const char *text, int width)
{
    int has = (int)lz_str_width(text);
    lz_paint_cut(out, s, text, width);
    if (has < width)
        lz_str_add_repeat(out, " ", (size_t)(width - has));
}
