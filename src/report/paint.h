/*
 * paint.h — terminal text: colours that carry nothing alone, symbols with an ASCII twin,
 * lines that fit; for report/ only.
 */
#ifndef LZ_REPORT_PAINT_H
#define LZ_REPORT_PAINT_H

#include "report/report.h"

enum lz_colour { LZ_PLAIN, LZ_BOLD, LZ_DIM, LZ_RED, LZ_GREEN, LZ_YELLOW, LZ_BLUE };

enum lz_symbol {
    LZ_SYM_TICK,
    LZ_SYM_CROSS,
    LZ_SYM_QUESTION,
    LZ_SYM_WARN,
    LZ_SYM_RULE,
    LZ_SYM_MORE, /* ... */
    LZ_SYM_FULL, /* bars of waterfalls */
    LZ_SYM_LIGHT,
    LZ_SYM_BAR, /* beside source lines */
    LZ_SYM_ARROW,
};

const char *lz_paint_symbol(const struct lz_report_style *s, enum lz_symbol symbol);
void lz_paint_begin(struct lz_str *out, const struct lz_report_style *s, enum lz_colour c);
void lz_paint_end(struct lz_str *out, const struct lz_report_style *s, enum lz_colour c);
void lz_paint(struct lz_str *out, const struct lz_report_style *s, enum lz_colour c,
              const char *text);

/* `text` in exactly `width` columns: cut with an ellipsis, or padded. */
void lz_paint_cell(struct lz_str *out, const struct lz_report_style *s, const char *text,
                   int width);

/* `text` in at most `width` columns. */
void lz_paint_cut(struct lz_str *out, const struct lz_report_style *s, const char *text, int width);

#endif
