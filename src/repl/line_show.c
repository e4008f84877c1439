#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "repl/line_state.h"

#define COLUMNS_DEFAULT 80

int lz_line_columns(const struct lz_line *l)
{
    struct winsize size;
    bool known = ioctl(l->opts.out, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : COLUMNS_DEFAULT;
}

void lz_line_put(const struct lz_line *l, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t n = write(l->opts.out, text, left);
        if (n <= 0)
            return; // a terminal that is gone will end the input too
        text += n;
        left -= (size_t)n;
    }
}

static bool is_inside(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80; // of a character, not its first byte
}

static size_t step(const struct lz_str *s, size_t at)
{
    at++;
    while (at < s->len && is_inside(s->text[at]))
        at++;
    return at;
}

// Marks that stand on the character before them belong to it.
size_t lz_line_after(const struct lz_str *s, size_t at)
{
    if (at >= s->len)
        return s->len;
    at = step(s, at);
    while (at < s->len) {
        size_t next = step(s, at);
        if (lz_line_width(s->text + at, next - at) > 0)
            break;
        at = next;
    }
    return at;
}

size_t lz_line_before(const struct lz_str *s, size_t at)
{
    size_t last = 0;
    for (size_t i = 0; i < at; i = lz_line_after(s, i))
        last = i;
    return last;
}

size_t lz_line_width(const char *text, size_t len)
{
    struct lz_str part;
    lz_str_init(&part);
    lz_str_add_n(&part, text, len);
    size_t width = lz_str_width(part.text);
    lz_str_finish(&part);
    return width;
}

// ---------------------------------------------------------------- colours

static bool is_word(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_keyword(const char *text, size_t len)
{
    static const char *const words[] = {"and",   "break", "do",       "else",   "elseif", "end",
                                        "false", "for",   "function", "if",     "in",     "local",
                                        "nil",   "not",   "or",       "repeat", "return", "then",
                                        "true",  "until", "while"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == len && strncmp(words[i], text, len) == 0)
            return true;
    return false;
}

static size_t quoted(const char *text)
{
    size_t n = 1;
    while (text[n] != '\0' && text[n] != text[0])
        n += text[n] == '\\' && text[n + 1] != '\0' ? 2 : 1;
    return text[n] != '\0' ? n + 1 : n;
}

// The length of the token at `text`, and its colour.
static size_t token(const char *text, const char **colour)
{
    *colour = NULL;
    if (text[0] == '"' || text[0] == '\'') {
        *colour = "\x1b[32m";
        return quoted(text);
    }
    if (strncmp(text, "--", 2) == 0) {
        *colour = "\x1b[2m";
        return strlen(text);
    }
    size_t n = 0;
    while (is_word(text[n]))
        n++;
    if (n == 0)
        return 1;
    if (text[0] >= '0' && text[0] <= '9')
        *colour = "\x1b[36m";
    else if (is_keyword(text, n))
        *colour = "\x1b[1m";
    return n;
}

static void add_coloured(const struct lz_line *l, struct lz_str *out)
{
    const char *text = l->text.text;
    if (!l->opts.colour) {
        lz_str_add(out, text);
        return;
    }
    if (text[0] == '.' || text[0] == '?') {
        size_t n = strcspn(text, " ");
        lz_str_add(out, "\x1b[1m");
        lz_str_add_n(out, text, n);
        lz_str_addf(out, "\x1b[0m%s", text + n);
        return;
    }
    while (*text != '\0') {
        const char *colour;
        size_t n = token(text, &colour);
        lz_str_add(out, colour != NULL ? colour : "");
        lz_str_add_n(out, text, n);
        lz_str_add(out, colour != NULL ? "\x1b[0m" : "");
        text += n;
    }
}

// ---------------------------------------------------------------- the screen

// Where a text of that many columns ends, on a screen that wraps: rows below the first, and column.
static void place(size_t width, size_t columns, size_t *row, size_t *column)
{
    *row = width / columns;
    *column = width % columns;
}

static void go_to_first_row(const struct lz_line *l, struct lz_str *out)
{
    if (l->cursor > 0)
        lz_str_addf(out, "\x1b[%zuA", l->cursor);
    lz_str_add(out, "\r\x1b[J");
}

void lz_line_show(struct lz_line *l)
{
    size_t columns = (size_t)lz_line_columns(l);
    size_t prompt = lz_str_width(l->prompt), all = prompt + lz_str_width(l->text.text);
    size_t hint = lz_str_width(l->hint.text);
    size_t cursor = prompt + lz_line_width(l->text.text, l->at);
    struct lz_str out;
    lz_str_init(&out);
    go_to_first_row(l, &out);
    lz_str_add(&out, l->prompt);
    add_coloured(l, &out);
    if (hint > 0 && all + hint < columns * 4) {
        lz_str_addf(&out, "%s%s%s", l->opts.colour ? "\x1b[90m" : "", l->hint.text,
                    l->opts.colour ? "\x1b[0m" : "");
        all += hint;
    }
    if (all > 0 && all % columns == 0)
        lz_str_add(&out, "\n\r"); // a full row leaves the cursor in it
    size_t end_row, end_column, row, column;
    place(all, columns, &end_row, &end_column);
    place(cursor, columns, &row, &column);
    LZ_ASSERT(row <= end_row);
    if (end_row > row)
        lz_str_addf(&out, "\x1b[%zuA", end_row - row);
    lz_str_add(&out, "\r");
    if (column > 0)
        lz_str_addf(&out, "\x1b[%zuC", column);
    l->rows = end_row;
    l->cursor = row;
    lz_line_put(l, out.text);
    lz_str_finish(&out);
}

void lz_line_leave_row(struct lz_line *l)
{
    for (size_t i = l->cursor; i < l->rows; i++)
        lz_line_put(l, "\n");
    lz_line_put(l, "\r\n");
    l->rows = l->cursor = 0;
}
