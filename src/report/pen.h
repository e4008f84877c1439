/*
 * pen.h — inside report/: lines of text that fit a terminal.
 *
 * A *pen* writes one line at a time and knows the column it is at. What would cross the
 * right edge is cut and ends in an ellipsis; the rest of that line is dropped, so no line
 * is ever wider than the style says. Blanks are written only in front of something, so
 * no line ends in one. Texts of scenarios are cleaned on their way: control characters,
 * broken UTF-8 and marks that turn the writing direction never reach a terminal.
 *
 * Glyphs have a plain twin of the same width, used when the style asks for ASCII; a tint
 * is colour beside meaning, never instead of it.
 */
#ifndef LZ_REPORT_PEN_H
#define LZ_REPORT_PEN_H

#include "report/report.h"

enum lz_tint {
    LZ_TINT_NONE,
    LZ_TINT_BOLD,
    LZ_TINT_DIM,
    LZ_TINT_GOOD,
    LZ_TINT_BAD,
    LZ_TINT_DOUBT,
    LZ_TINTS,
};

enum lz_glyph {
    LZ_GLYPH_BLANK,
    LZ_GLYPH_PASS,
    LZ_GLYPH_FAIL,
    LZ_GLYPH_WARN,
    LZ_GLYPH_DOUBT,
    LZ_GLYPH_RULE,   /* heavy line that opens a block */
    LZ_GLYPH_PART,   /* between a scenario and what is its part */
    LZ_GLYPH_MARGIN, /* between a line number and its line */
    LZ_GLYPH_ACROSS, /* of a plot */
    LZ_GLYPH_DOWN,
    LZ_GLYPH_UP_FROM, /* arrives from the left, turns up */
    LZ_GLYPH_UP_TO,   /* arrives from below, turns right */
    LZ_GLYPH_DOWN_FROM,
    LZ_GLYPH_DOWN_TO,
    LZ_GLYPH_AXIS,
    LZ_GLYPH_AXIS_LIMIT,
    LZ_GLYPH_LIMIT,
    LZ_GLYPH_DEADLINE,
    LZ_GLYPH_ARROW, /* points at the limit from the right; two columns */
    LZ_GLYPH_BAR_OPEN,
    LZ_GLYPH_BAR_CLOSE,
    LZ_GLYPH_BUSY,
    LZ_GLYPH_WAITING,
    LZ_GLYPHS,
};

struct lz_pen {
    struct lz_str *out;
    const struct lz_report_style *style;
    int column; /* from 0 */
    int blanks; /* owed before the next text */
    bool is_cut;
};

struct lz_pen lz_pen_begin(struct lz_str *out, const struct lz_report_style *style);

/* Room left on this line. */
int lz_pen_room(const struct lz_pen *pen);

void lz_pen_add(struct lz_pen *pen, enum lz_tint tint, const char *text);
void lz_pen_addf(struct lz_pen *pen, enum lz_tint tint, const char *fmt, ...) LZ_PRINTF(3, 4);
void lz_pen_add_n(struct lz_pen *pen, enum lz_tint tint, const char *text, size_t len);
void lz_pen_draw(struct lz_pen *pen, enum lz_tint tint, enum lz_glyph glyph, int times);

/* At most `columns` of the text, ending in an ellipsis if that is less than all of it. */
void lz_pen_fit(struct lz_pen *pen, enum lz_tint tint, const char *text, int columns);

/* Go on at `column`, or one blank further if that has been passed. */
void lz_pen_to(struct lz_pen *pen, int column);

void lz_pen_end(struct lz_pen *pen); /* of the line */

/* Words as lines no wider than the style, each indented by `indent`. */
void lz_pen_wrap(struct lz_pen *pen, enum lz_tint tint, const char *text, int indent);

/* The columns a text will take once it is clean. */
int lz_pen_width(const char *text);

#endif
