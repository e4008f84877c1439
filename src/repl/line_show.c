#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "repl/line_state.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_LEAST 40

int lz_line_columns(const struct lz_line *l)
{
    struct winsize size;
    bool known = ioctl(l->opts.out, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : COLUMNS_DEFAULT;
}

int lz_line_width_now(const struct lz_line *l)
{
    int columns = lz_line_columns(l);
    return columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns;
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

struct place {
    size_t row, column;
};

// Where the cursor is after a text, on a screen that wraps: a wide character has no half of it at
// the edge, and a full row leaves the cursor in it until more comes.
static void go_on(struct place *p, const char *text, size_t len, size_t columns)
{
    struct lz_str s;
    lz_str_init(&s);
    lz_str_add_n(&s, text, len);
    for (size_t at = 0; at < s.len;) {
        size_t next = step(&s, at), width = lz_line_width(s.text + at, next - at);
        if (p->column + width > columns) {
            p->row++;
            p->column = 0;
        }
        p->column += width;
        at = next;
    }
    lz_str_finish(&s);
}

static struct place wrapped(struct place p, size_t columns)
{
    return p.column == columns ? (struct place){p.row + 1, 0} : p;
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
    size_t hint = lz_str_width(l->hint.text);
    struct place cursor = {0}, end;
    go_on(&cursor, l->prompt, strlen(l->prompt), columns);
    end = cursor;
    go_on(&cursor, l->text.text, l->at, columns);
    go_on(&end, l->text.text, l->text.len, columns);
    struct lz_str out;
    lz_str_init(&out);
    go_to_first_row(l, &out);
    lz_str_add(&out, l->prompt);
    add_coloured(l, &out);
    if (hint > 0 && end.row * columns + end.column + hint < columns * 4) {
        lz_str_addf(&out, "\x1b[90m%s\x1b[0m", l->hint.text);
        go_on(&end, l->hint.text, l->hint.len, columns);
    }
    if (end.column == columns)
        lz_str_add(&out, "\n\r");
    end = wrapped(end, columns);
    cursor = wrapped(cursor, columns);
    LZ_ASSERT(cursor.row <= end.row);
    if (end.row > cursor.row)
        lz_str_addf(&out, "\x1b[%zuA", end.row - cursor.row);
    lz_str_add(&out, "\r");
    if (cursor.column > 0)
        lz_str_addf(&out, "\x1b[%zuC", cursor.column);
    l->rows = end.row;
    l->cursor = cursor.row;
    lz_line_put(l, out.text);
    lz_str_finish(&out);
}

// Terminals wrap anew what they show.
void lz_line_resized(struct lz_line *l)
{
    size_t columns = (size_t)lz_line_columns(l);
    struct place cursor = {0};
    go_on(&cursor, l->prompt, strlen(l->prompt), columns);
    go_on(&cursor, l->text.text, l->at, columns);
    l->cursor = wrapped(cursor, columns).row;
}

void lz_line_leave_row(struct lz_line *l)
{
    for (size_t i = l->cursor; i < l->rows; i++)
        lz_line_put(l, "\n");
    lz_line_put(l, "\r\n");
    l->rows = l->cursor = 0;
}
