#include "repl/line.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "repl/line_state.h"

#define CONTROL(c) ((c)&0x1f)
#define ESCAPE_WAIT_MS 50
#define LIST_MAX 60

/* Keys above the bytes: what escape sequences mean. */
enum key {
    KEY_NONE = 256,
    KEY_END_OF_INPUT,
    KEY_RESIZED,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_UP,
    KEY_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_DELETE_WORD,
    KEY_RUB_WORD,
    KEY_PASTE,
};

static volatile sig_atomic_t resized;
static const struct lz_line *active; // in raw mode

// Whoever ends Lorenz finds the terminal as it was.
static void on_end(int signal)
{
    const struct lz_line *l = active;
    if (l != NULL && l->is_raw) {
        static const char leave[] = "\x1b[?2004l\r\n";
        ssize_t n = write(l->opts.out, leave, sizeof(leave) - 1);
        (void)n;
        tcsetattr(l->opts.in, TCSANOW, &l->cooked);
    }
    _exit(128 + signal);
}

static void on_resize(int signal)
{
    (void)signal;
    resized = 1;
}

struct lz_line *lz_line_open(const struct lz_line_opts *opts)
{
    struct lz_line *l = lz_mem_alloc(sizeof(*l));
    *l = (struct lz_line){.opts = *opts};
    lz_str_init(&l->text);
    lz_str_init(&l->hint);
    lz_str_init(&l->killed);
    lz_str_init(&l->pending);
    lz_str_init(&l->mine);
    tcgetattr(opts->in, &l->cooked);
    struct sigaction act = {.sa_handler = on_resize};
    sigaction(SIGWINCH, &act, NULL);
    act.sa_handler = on_end;
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    active = l;
    lz_line_past_load(l);
    return l;
}

void lz_line_close(struct lz_line *l)
{
    if (l == NULL)
        return;
    active = NULL;
    for (size_t i = 0; i < l->past_count; i++)
        free(l->past[i]);
    free(l->past);
    lz_str_finish(&l->text);
    lz_str_finish(&l->hint);
    lz_str_finish(&l->killed);
    lz_str_finish(&l->pending);
    lz_str_finish(&l->mine);
    free(l);
}

// ---------------------------------------------------------------- keys

static void set_raw(struct lz_line *l, bool raw)
{
    if (raw == l->is_raw)
        return;
    struct termios t = l->cooked;
    if (raw) {
        t.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
        t.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
        t.c_cc[VMIN] = 1;
        t.c_cc[VTIME] = 0;
    }
    tcsetattr(l->opts.in, TCSADRAIN, &t);
    lz_line_put(l, raw ? "\x1b[?2004h" : "\x1b[?2004l");
    l->is_raw = raw;
}

static int read_byte(const struct lz_line *l)
{
    for (;;) {
        unsigned char c;
        ssize_t n = read(l->opts.in, &c, 1);
        if (n == 1)
            return c;
        if (n < 0 && errno == EINTR) {
            if (resized) {
                resized = 0;
                return KEY_RESIZED;
            }
            continue;
        }
        return KEY_END_OF_INPUT;
    }
}

static bool is_more(const struct lz_line *l)
{
    struct pollfd p = {.fd = l->opts.in, .events = POLLIN};
    return poll(&p, 1, ESCAPE_WAIT_MS) == 1;
}

static const struct sequence {
    const char *bytes; // after ESC
    enum key key;
} sequences[] = {
    {"[A", KEY_UP},           {"[B", KEY_DOWN},          {"[C", KEY_RIGHT},
    {"[D", KEY_LEFT},         {"[H", KEY_HOME},          {"[F", KEY_END},
    {"OA", KEY_UP},           {"OB", KEY_DOWN},          {"OC", KEY_RIGHT},
    {"OD", KEY_LEFT},         {"OH", KEY_HOME},          {"OF", KEY_END},
    {"[1~", KEY_HOME},        {"[4~", KEY_END},          {"[7~", KEY_HOME},
    {"[8~", KEY_END},         {"[3~", KEY_DELETE},       {"[1;5C", KEY_WORD_RIGHT},
    {"[1;5D", KEY_WORD_LEFT}, {"[1;3C", KEY_WORD_RIGHT}, {"[1;3D", KEY_WORD_LEFT},
    {"[200~", KEY_PASTE},     {"b", KEY_WORD_LEFT},      {"f", KEY_WORD_RIGHT},
    {"d", KEY_DELETE_WORD},   {"\x7f", KEY_RUB_WORD},    {"\b", KEY_RUB_WORD},
};
#define SEQUENCE_COUNT (sizeof(sequences) / sizeof(sequences[0]))

// Known ones; of an unknown CSI sequence all is swallowed, so that none of it is typed.
static int read_escape(const struct lz_line *l)
{
    char got[16];
    size_t n = 0;
    while (n + 1 < sizeof(got) && is_more(l)) {
        int c = read_byte(l);
        if (c >= 256)
            return c;
        got[n++] = (char)c;
        got[n] = '\0';
        for (size_t i = 0; i < SEQUENCE_COUNT; i++)
            if (strcmp(sequences[i].bytes, got) == 0)
                return (int)sequences[i].key;
        bool is_csi = got[0] == '[' || got[0] == 'O';
        if (!is_csi || (n > 1 && c >= 0x40 && c <= 0x7e))
            return KEY_NONE;
    }
    return KEY_NONE;
}

static int read_key(const struct lz_line *l)
{
    int c = read_byte(l);
    return c == 0x1b ? read_escape(l) : c;
}

// ---------------------------------------------------------------- editing

static void insert(struct lz_line *l, const char *bytes, size_t len)
{
    struct lz_str all;
    lz_str_init(&all);
    lz_str_add_n(&all, l->text.text, l->at);
    lz_str_add_n(&all, bytes, len);
    lz_str_add(&all, l->text.text + l->at);
    lz_str_finish(&l->text);
    l->text = all;
    l->at += len;
}

static void cut(struct lz_line *l, size_t from, size_t to, bool keep)
{
    LZ_ASSERT(from <= to && to <= l->text.len);
    if (keep && to > from) {
        lz_str_clear(&l->killed);
        lz_str_add_n(&l->killed, l->text.text + from, to - from);
    }
    struct lz_str all;
    lz_str_init(&all);
    lz_str_add_n(&all, l->text.text, from);
    lz_str_add(&all, l->text.text + to);
    lz_str_finish(&l->text);
    l->text = all;
    l->at = from;
}

static void set_text(struct lz_line *l, const char *text)
{
    lz_str_clear(&l->text);
    lz_str_add(&l->text, text);
    l->at = l->text.len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_part(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           ((unsigned char)c & 0x80) != 0;
}

static size_t word_left(const struct lz_line *l)
{
    size_t at = l->at;
    while (at > 0 && !is_part(l->text.text[at - 1]))
        at--;
    while (at > 0 && is_part(l->text.text[at - 1]))
        at--;
    return at;
}

static size_t word_right(const struct lz_line *l)
{
    size_t at = l->at;
    while (at < l->text.len && !is_part(l->text.text[at]))
        at++;
    while (at < l->text.len && is_part(l->text.text[at]))
        at++;
    return at;
}

// As a shell's C-w: up to a blank.
static void rub_out(struct lz_line *l)
{
    size_t at = l->at;
    while (at > 0 && is_blank(l->text.text[at - 1]))
        at--;
    while (at > 0 && !is_blank(l->text.text[at - 1]))
        at--;
    cut(l, at, l->at, true);
}

static void swap(struct lz_line *l)
{
    size_t at = l->at < l->text.len ? l->at : lz_line_before(&l->text, l->at);
    if (at == 0 || l->text.len == 0)
        return;
    size_t first = lz_line_before(&l->text, at), after = lz_line_after(&l->text, at);
    struct lz_str two;
    lz_str_init(&two);
    lz_str_add_n(&two, l->text.text + at, after - at);
    lz_str_add_n(&two, l->text.text + first, at - first);
    memcpy(l->text.text + first, two.text, two.len);
    lz_str_finish(&two);
    l->at = after;
}

static void go_through_past(struct lz_line *l, bool back)
{
    if (back ? l->past_at == 0 : l->past_at == l->past_count)
        return;
    if (l->past_at == l->past_count) {
        lz_str_clear(&l->mine);
        lz_str_add(&l->mine, l->text.text);
    }
    l->past_at += back ? (size_t)-1 : 1;
    set_text(l, l->past_at == l->past_count ? l->mine.text : l->past[l->past_at]);
}

// ---------------------------------------------------------------- completion

static void ask(const struct lz_line *l, struct lz_str *out)
{
    struct lz_str before;
    lz_str_init(&before);
    lz_str_add_n(&before, l->text.text, l->at);
    if (l->opts.complete != NULL)
        l->opts.complete(l->opts.ctx, before.text, out);
    lz_str_finish(&before);
}

// What all candidates begin with, in bytes; and how many there are.
static size_t common(const char *list, size_t *count)
{
    size_t len = strcspn(list, "\n");
    *count = 0;
    for (const char *one = list; *one != '\0'; one += one[0] == '\n') {
        size_t n = strcspn(one, "\n"), same = 0;
        while (same < n && same < len && one[same] == list[same])
            same++;
        len = same;
        (*count)++;
        one += n;
    }
    return len;
}

static void list_all(struct lz_line *l, const char *list, size_t skip)
{
    size_t columns = (size_t)lz_line_columns(l), used = 0, shown = 0;
    lz_line_leave_row(l);
    for (const char *one = list; *one != '\0';) {
        size_t n = strcspn(one, "\n");
        char cell[128];
        size_t width = n > skip ? n - skip : 0;
        snprintf(cell, sizeof(cell), "%.*s  ", (int)(width < 100 ? width : 100), one + skip);
        if (used > 0 && used + strlen(cell) > columns) {
            lz_line_put(l, "\r\n");
            used = 0;
        }
        if (shown++ == LIST_MAX) {
            lz_line_put(l, "...");
            break;
        }
        lz_line_put(l, cell);
        used += strlen(cell);
        one += n + (one[n] == '\n');
    }
    lz_line_put(l, "\r\n");
}

static void complete(struct lz_line *l)
{
    struct lz_str list;
    lz_str_init(&list);
    ask(l, &list);
    size_t count = 0, len = common(list.text, &count);
    if (count > 0 && len > l->at) {
        size_t typed = l->at;
        struct lz_str more;
        lz_str_init(&more);
        lz_str_add_n(&more, list.text + typed, len - typed);
        insert(l, more.text, more.len);
        lz_str_finish(&more);
    } else if (count > 1 && l->last_key == '\t') {
        size_t skip = l->at;
        while (skip > 0 && is_part(l->text.text[skip - 1]))
            skip--;
        list_all(l, list.text, skip);
    }
    lz_str_finish(&list);
}

// In grey: the only completion, or how the latest line that began so went on.
static void make_hint(struct lz_line *l)
{
    lz_str_clear(&l->hint);
    if (l->at < l->text.len || l->text.len == 0)
        return;
    struct lz_str list;
    size_t count = 0;
    lz_str_init(&list);
    ask(l, &list);
    size_t len = common(list.text, &count);
    size_t i = lz_line_past_find(l, l->past_count, l->text.text, true);
    if (count == 1 && len > l->at)
        lz_str_add_n(&l->hint, list.text + l->at, len - l->at);
    else if (i < l->past_count && strlen(l->past[i]) > l->text.len)
        lz_str_add(&l->hint, l->past[i] + l->text.len);
    lz_str_finish(&list);
}

static bool take_hint(struct lz_line *l)
{
    if (l->hint.len == 0 || l->at < l->text.len)
        return false;
    insert(l, l->hint.text, l->hint.len);
    return true;
}

// ---------------------------------------------------------------- searching, pasting

// C-r: the line shown is the latest that contains what is typed; returns the key that ended it.
static int search(struct lz_line *l)
{
    struct lz_str wanted, prompt;
    const char *own = l->prompt;
    lz_str_init(&wanted);
    lz_str_init(&prompt);
    size_t from = l->past_count, found = l->past_count;
    int key;
    for (;;) {
        lz_str_clear(&prompt);
        lz_str_addf(&prompt, "(search `%s') ", wanted.text);
        l->prompt = prompt.text;
        lz_str_clear(&l->hint);
        lz_line_show(l);
        key = read_key(l);
        if (key == CONTROL('r')) {
            from = found < l->past_count ? found : l->past_count;
        } else if ((key == 0x7f || key == CONTROL('h')) && wanted.len > 0) {
            wanted.text[lz_line_before(&wanted, wanted.len)] = '\0';
            wanted.len = strlen(wanted.text);
            from = l->past_count;
        } else if (key >= ' ' && key < 256 && key != 0x7f) {
            lz_str_add_char(&wanted, (char)key);
            from = l->past_count;
        } else {
            break;
        }
        found = lz_line_past_find(l, from, wanted.text, false);
        if (found < l->past_count)
            set_text(l, l->past[found]);
    }
    l->prompt = own;
    lz_str_finish(&wanted);
    lz_str_finish(&prompt);
    return key == CONTROL('g') ? KEY_NONE : key;
}

// Up to ESC [ 201 ~. The first line is typed, those after it wait to be read.
static void paste(struct lz_line *l)
{
    static const char end[] = "\x1b[201~";
    struct lz_str all;
    lz_str_init(&all);
    int c;
    while ((c = read_byte(l)) != KEY_END_OF_INPUT) {
        if (c >= 256)
            continue;
        lz_str_add_char(&all, (char)(c == '\r' ? '\n' : c == '\t' ? ' ' : c));
        size_t n = sizeof(end) - 1;
        if (all.len >= n && memcmp(all.text + all.len - n, end, n) == 0) {
            all.text[all.len -= n] = '\0';
            break;
        }
    }
    size_t first = strcspn(all.text, "\n");
    insert(l, all.text, first);
    if (all.text[first] == '\n')
        lz_str_add(&l->pending, all.text + first);
    lz_str_finish(&all);
}

// ---------------------------------------------------------------- a line

enum end { GOES_ON, ACCEPTED, GIVEN_UP, AT_END };

static void move(struct lz_line *l, int key)
{
    switch (key) {
    case CONTROL('a'):
    case KEY_HOME:
        l->at = 0;
        break;
    case CONTROL('e'):
    case KEY_END:
        if (!take_hint(l))
            l->at = l->text.len;
        break;
    case CONTROL('b'):
    case KEY_LEFT:
        l->at = lz_line_before(&l->text, l->at);
        break;
    case CONTROL('f'):
    case KEY_RIGHT:
        if (!take_hint(l))
            l->at = lz_line_after(&l->text, l->at);
        break;
    case KEY_WORD_LEFT:
        l->at = word_left(l);
        break;
    case KEY_WORD_RIGHT:
        l->at = word_right(l);
        break;
    case CONTROL('p'):
    case KEY_UP:
        go_through_past(l, true);
        break;
    case CONTROL('n'):
    case KEY_DOWN:
        go_through_past(l, false);
        break;
    default:
        break;
    }
}

static void change(struct lz_line *l, int key)
{
    switch (key) {
    case 0x7f:
    case CONTROL('h'):
        cut(l, lz_line_before(&l->text, l->at), l->at, false);
        break;
    case CONTROL('d'):
    case KEY_DELETE:
        cut(l, l->at, lz_line_after(&l->text, l->at), false);
        break;
    case CONTROL('k'):
        cut(l, l->at, l->text.len, true);
        break;
    case CONTROL('u'):
        cut(l, 0, l->at, true);
        break;
    case CONTROL('w'):
        rub_out(l);
        break;
    case KEY_RUB_WORD:
        cut(l, word_left(l), l->at, true);
        break;
    case KEY_DELETE_WORD: {
        size_t at = l->at;
        cut(l, at, word_right(l), true);
        break;
    }
    case CONTROL('y'):
        insert(l, l->killed.text, l->killed.len);
        break;
    case CONTROL('t'):
        swap(l);
        break;
    default:
        break;
    }
}

// All bytes of a character at once: half of one has no place on a screen.
static void type(struct lz_line *l, int first)
{
    char bytes[4] = {(char)first};
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1, got = 1;
    while (got < n) {
        int c = read_byte(l);
        if (c >= 256)
            return;
        bytes[got++] = (char)c;
    }
    insert(l, bytes, n);
}

static enum end press(struct lz_line *l, int key)
{
    if (key == CONTROL('r'))
        key = search(l);
    if (key == '\r' || key == '\n')
        return ACCEPTED;
    if (key == CONTROL('c'))
        return GIVEN_UP;
    if (key == KEY_END_OF_INPUT || (key == CONTROL('d') && l->text.len == 0))
        return AT_END;
    if (key == CONTROL('l'))
        lz_line_put(l, "\x1b[H\x1b[2J");
    else if (key == '\t')
        complete(l);
    else if (key == KEY_PASTE)
        paste(l);
    else if (key >= ' ' && key < 256 && key != 0x7f)
        type(l, key);
    move(l, key);
    change(l, key);
    l->last_key = key;
    return l->pending.len > 0 ? ACCEPTED : GOES_ON;
}

// A line that was pasted behind another; false if none waits, or the last is still without its end.
static bool take_pending(struct lz_line *l)
{
    if (l->pending.len == 0)
        return false;
    const char *line = l->pending.text + 1; // after its newline
    size_t n = strcspn(line, "\n");
    lz_str_clear(&l->text);
    lz_str_add_n(&l->text, line, n);
    l->at = l->text.len;
    struct lz_str rest;
    lz_str_init(&rest);
    lz_str_add(&rest, line + n);
    lz_str_finish(&l->pending);
    l->pending = rest;
    return true;
}

char *lz_line_read(struct lz_line *l, const char *prompt)
{
    l->prompt = prompt;
    l->past_at = l->past_count;
    l->last_key = 0;
    l->rows = l->cursor = 0;
    lz_str_clear(&l->text);
    lz_str_clear(&l->hint);
    l->at = 0;
    set_raw(l, true);
    bool is_pasted = take_pending(l);
    enum end end = is_pasted && l->pending.len > 0 ? ACCEPTED : GOES_ON;
    while (end == GOES_ON) {
        // Not between the bytes of one character, nor in the middle of fast typing.
        make_hint(l);
        lz_line_show(l);
        end = press(l, read_key(l));
    }
    lz_str_clear(&l->hint);
    l->at = l->text.len;
    lz_line_show(l);
    if (end == GIVEN_UP)
        lz_line_put(l, "^C");
    lz_line_leave_row(l);
    set_raw(l, false);
    if (end == AT_END)
        return NULL;
    if (end == GIVEN_UP)
        lz_str_clear(&l->pending);
    else
        lz_line_past_add(l, l->text.text);
    size_t size = l->text.len + 1;
    char *line = memcpy(lz_mem_alloc(size), l->text.text, size);
    if (end == GIVEN_UP)
        line[0] = '\0';
    return line;
}
