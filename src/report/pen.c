#include "report/pen.h"

#include <stdarg.h>
#include <string.h>

#include "base/check.h"

static const char *const tints[LZ_TINTS] = {
    [LZ_TINT_NONE] = "",         [LZ_TINT_BOLD] = "\033[1m", [LZ_TINT_DIM] = "\033[2m",
    [LZ_TINT_GOOD] = "\033[32m", [LZ_TINT_BAD] = "\033[31m", [LZ_TINT_DOUBT] = "\033[33m",
};

// The plain twin has the same width, so that a layout holds in both.
static const struct {
    const char *fine, *plain;
    int width;
} glyphs[LZ_GLYPHS] = {
    [LZ_GLYPH_BLANK] = {" ", " ", 1},     [LZ_GLYPH_PASS] = {"✓", "+", 1},
    [LZ_GLYPH_FAIL] = {"✗", "x", 1},      [LZ_GLYPH_WARN] = {"!", "!", 1},
    [LZ_GLYPH_DOUBT] = {"?", "?", 1},     [LZ_GLYPH_RULE] = {"━", "=", 1},
    [LZ_GLYPH_PART] = {"▸", ">", 1},      [LZ_GLYPH_MARGIN] = {"│", "|", 1},
    [LZ_GLYPH_ACROSS] = {"─", "-", 1},    [LZ_GLYPH_DOWN] = {"│", "|", 1},
    [LZ_GLYPH_UP_FROM] = {"╯", "+", 1},   [LZ_GLYPH_UP_TO] = {"╭", "+", 1},
    [LZ_GLYPH_DOWN_FROM] = {"╮", "+", 1}, [LZ_GLYPH_DOWN_TO] = {"╰", "+", 1},
    [LZ_GLYPH_AXIS] = {"┤", "|", 1},      [LZ_GLYPH_AXIS_LIMIT] = {"┼", "+", 1},
    [LZ_GLYPH_LIMIT] = {"┈", ".", 1},     [LZ_GLYPH_DEADLINE] = {"┊", ":", 1},
    [LZ_GLYPH_ARROW] = {"← ", "<-", 2},   [LZ_GLYPH_BAR_OPEN] = {"▕", "[", 1},
    [LZ_GLYPH_BAR_CLOSE] = {"▏", "]", 1}, [LZ_GLYPH_BUSY] = {"█", "#", 1},
    [LZ_GLYPH_WAITING] = {"░", "-", 1},
};

struct lz_pen lz_pen_begin(struct lz_str *out, const struct lz_report_style *style)
{
    LZ_ASSERT(out != NULL);
    LZ_ASSERT(style->width >= 40);
    return (struct lz_pen){.out = out, .style = style};
}

int lz_pen_room(const struct lz_pen *pen)
{
    int room = pen->style->width - pen->column - pen->blanks;
    return pen->is_cut || room < 0 ? 0 : room;
}

// U+2028 to U+202E, U+2066 to U+2069: text that would show in another order than it has,
// or on another line.
static bool moves_text(const unsigned char *p, size_t len)
{
    return len == 3 && p[0] == 0xe2 &&
           ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
            (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

// One character at *at as a terminal may see it, moved past; its bytes go to `out`.
static void next_clean(const char **at, size_t *left, char out[8])
{
    const unsigned char *p = (const unsigned char *)*at;
    size_t len = lz_str_sequence(*at, *left);
    bool is_blank = p[0] == '\n' || p[0] == '\t' || p[0] == '\r';
    bool is_control = p[0] < 0x20 || p[0] == 0x7f || (len == 2 && p[0] == 0xc2 && p[1] < 0xa0);
    if (is_blank || is_control || len == 0 || moves_text(p, len)) {
        out[0] = is_blank ? ' ' : '?';
        out[1] = '\0';
    } else {
        memcpy(out, p, len);
        out[len] = '\0';
    }
    size_t used = len > 0 ? len : 1;
    *at += used;
    *left -= used;
}

static int width_of(const char *text, size_t len)
{
    char c[8];
    size_t width = 0;
    while (len > 0) {
        next_clean(&text, &len, c);
        width += lz_str_width(c);
    }
    return (int)width;
}

int lz_pen_width(const char *text)
{
    return width_of(text, strlen(text));
}

static void open_tint(struct lz_pen *pen, enum lz_tint tint)
{
    lz_str_add_repeat(pen->out, " ", (size_t)pen->blanks);
    pen->column += pen->blanks;
    pen->blanks = 0;
    if (pen->style->colour)
        lz_str_add(pen->out, tints[tint]);
}

static void close_tint(struct lz_pen *pen, enum lz_tint tint)
{
    if (pen->style->colour && tint != LZ_TINT_NONE)
        lz_str_add(pen->out, "\033[0m");
}

static void add_whole(struct lz_pen *pen, const char *text, size_t len)
{
    char c[8];
    while (len > 0) {
        next_clean(&text, &len, c);
        lz_str_add(pen->out, c);
        pen->column += (int)lz_str_width(c);
    }
}

static void add_cut(struct lz_pen *pen, const char *text, size_t len, int columns)
{
    char c[8];
    const char *ellipsis = pen->style->ascii ? "..." : "…";
    int dots = (int)lz_str_width(ellipsis);
    int room = columns - dots;
    int blanks = 0; // owed: "A 20 s …" reads worse than "A 20 s…"
    while (len > 0) {
        next_clean(&text, &len, c);
        if (c[0] == ' ') {
            blanks++;
            continue;
        }
        int width = (int)lz_str_width(c);
        if (blanks + width > room)
            break;
        lz_str_add_repeat(pen->out, " ", (size_t)blanks);
        lz_str_add(pen->out, c);
        pen->column += blanks + width;
        room -= blanks + width;
        blanks = 0;
    }
    int shown = dots < columns ? dots : columns;
    lz_str_add_n(pen->out, ellipsis, pen->style->ascii ? (size_t)shown : strlen(ellipsis));
    pen->column += shown;
}

static void put(struct lz_pen *pen, enum lz_tint tint, const char *text, size_t len, int columns)
{
    int room = lz_pen_room(pen);
    if (columns > room)
        columns = room;
    if (len == 0 || pen->is_cut)
        return;
    int width = width_of(text, len);
    if (columns <= 0) {
        pen->is_cut = true;
        return;
    }
    open_tint(pen, tint);
    if (width <= columns)
        add_whole(pen, text, len);
    else
        add_cut(pen, text, len, columns);
    close_tint(pen, tint);
    LZ_ASSERT(pen->column <= pen->style->width);
}

void lz_pen_add_n(struct lz_pen *pen, enum lz_tint tint, const char *text, size_t len)
{
    bool is_wide = width_of(text, len) > lz_pen_room(pen);
    put(pen, tint, text, len, pen->style->width);
    pen->is_cut = pen->is_cut || is_wide;
}

void lz_pen_add(struct lz_pen *pen, enum lz_tint tint, const char *text)
{
    lz_pen_add_n(pen, tint, text, strlen(text));
}

void lz_pen_addf(struct lz_pen *pen, enum lz_tint tint, const char *fmt, ...)
{
    struct lz_str text;
    va_list ap;
    lz_str_init(&text);
    va_start(ap, fmt);
    lz_str_vaddf(&text, fmt, ap);
    va_end(ap);
    lz_pen_add_n(pen, tint, text.text, text.len);
    lz_str_finish(&text);
}

void lz_pen_fit(struct lz_pen *pen, enum lz_tint tint, const char *text, int columns)
{
    put(pen, tint, text, strlen(text), columns);
}

void lz_pen_draw(struct lz_pen *pen, enum lz_tint tint, enum lz_glyph glyph, int times)
{
    LZ_ASSERT(glyph < LZ_GLYPHS);
    int most = lz_pen_room(pen) / glyphs[glyph].width;
    int n = times < most ? times : most;
    if (glyph == LZ_GLYPH_BLANK) {
        pen->blanks += n > 0 ? n : 0;
        return;
    }
    if (n <= 0)
        return;
    open_tint(pen, tint);
    lz_str_add_repeat(pen->out, pen->style->ascii ? glyphs[glyph].plain : glyphs[glyph].fine,
                      (size_t)n);
    pen->column += n * glyphs[glyph].width;
    close_tint(pen, tint);
}

void lz_pen_to(struct lz_pen *pen, int column)
{
    int missing = column - pen->column;
    pen->blanks = missing > 0 ? missing : pen->column > 0;
}

void lz_pen_end(struct lz_pen *pen)
{
    lz_str_add_char(pen->out, '\n');
    pen->column = 0;
    pen->blanks = 0;
    pen->is_cut = false;
}

void lz_pen_wrap(struct lz_pen *pen, enum lz_tint tint, const char *text, int indent)
{
    while (*(text += strspn(text, " \n\t")) != '\0') {
        size_t len = strcspn(text, " \n\t");
        if (pen->column > 0 && width_of(text, len) + 1 > lz_pen_room(pen))
            lz_pen_end(pen);
        if (pen->column == 0)
            lz_pen_to(pen, indent);
        else
            pen->blanks = 1;
        lz_pen_add_n(pen, tint, text, len);
        text += len;
    }
    if (pen->column > 0)
        lz_pen_end(pen);
}
