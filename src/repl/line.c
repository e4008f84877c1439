#include "repl/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "repl/line_state.h"

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
    lz_line_signals(l);
    lz_line_past_load(l);
    return l;
}

void lz_line_close(struct lz_line *l)
{
    if (l == NULL)
        return;
    lz_line_restore(l);
    lz_line_signals(NULL);
    lz_line_forget_undo(l);
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

// ---------------------------------------------------------------- what keys do

static void to_start(struct lz_line *l)
{
    l->at = 0;
}

static void to_end(struct lz_line *l)
{
    if (!lz_line_take_hint(l))
        l->at = l->text.len;
}

static void left(struct lz_line *l)
{
    l->at = lz_line_before(&l->text, l->at);
}

static void right(struct lz_line *l)
{
    if (!lz_line_take_hint(l))
        l->at = lz_line_after(&l->text, l->at);
}

static void word_left(struct lz_line *l)
{
    l->at = lz_line_word_left(l);
}

static void word_right(struct lz_line *l)
{
    l->at = lz_line_word_right(l);
}

static void show_past(struct lz_line *l, size_t at)
{
    if (l->past_at == at)
        return;
    if (l->past_at == l->past_count) {
        lz_str_clear(&l->mine);
        lz_str_add(&l->mine, l->text.text);
    }
    l->past_at = at;
    lz_line_set_text(l, at == l->past_count ? l->mine.text : l->past[at]);
}

static void older(struct lz_line *l)
{
    show_past(l, l->past_at > 0 ? l->past_at - 1 : 0);
}

static void newer(struct lz_line *l)
{
    show_past(l, l->past_at < l->past_count ? l->past_at + 1 : l->past_count);
}

static void oldest(struct lz_line *l)
{
    show_past(l, 0);
}

static void newest(struct lz_line *l)
{
    show_past(l, l->past_count);
}

static void rub(struct lz_line *l)
{
    lz_line_cut(l, lz_line_before(&l->text, l->at), l->at, false);
}

static void delete_char(struct lz_line *l)
{
    lz_line_cut(l, l->at, lz_line_after(&l->text, l->at), false);
}

static void rub_word(struct lz_line *l)
{
    lz_line_cut(l, lz_line_word_left(l), l->at, true);
}

static void delete_word(struct lz_line *l)
{
    lz_line_cut(l, l->at, lz_line_word_right(l), true);
}

static void kill_right(struct lz_line *l)
{
    lz_line_cut(l, l->at, l->text.len, true);
}

static void kill_left(struct lz_line *l)
{
    lz_line_cut(l, 0, l->at, true);
}

static void yank(struct lz_line *l)
{
    lz_line_insert(l, l->killed.text, l->killed.len);
}

static void upper(struct lz_line *l)
{
    lz_line_recase(l, LZ_LINE_UPPER);
}

static void lower(struct lz_line *l)
{
    lz_line_recase(l, LZ_LINE_LOWER);
}

static void capital(struct lz_line *l)
{
    lz_line_recase(l, LZ_LINE_CAPITAL);
}

static void clear_screen(struct lz_line *l)
{
    lz_line_put(l, "\x1b[H\x1b[2J");
    l->cursor = 0;
}

#define CONTROL(c) LZ_LINE_CONTROL(c)
#define META(c) (LZ_KEY_META + (c))

static const struct binding {
    int keys[4]; // 0 ends
    void (*go)(struct lz_line *l);
    bool changes; // the text: it can be undone
} bindings[] = {
    {{CONTROL('a'), LZ_KEY_HOME}, to_start, false},
    {{CONTROL('e'), LZ_KEY_END}, to_end, true},
    {{CONTROL('b'), LZ_KEY_LEFT}, left, false},
    {{CONTROL('f'), LZ_KEY_RIGHT}, right, true},
    {{META('b'), LZ_KEY_WORD_LEFT}, word_left, false},
    {{META('f'), LZ_KEY_WORD_RIGHT}, word_right, false},
    {{CONTROL('p'), LZ_KEY_UP}, older, false},
    {{CONTROL('n'), LZ_KEY_DOWN}, newer, false},
    {{META('<')}, oldest, false},
    {{META('>')}, newest, false},
    {{CONTROL('h'), 0x7f}, rub, true},
    {{CONTROL('d'), LZ_KEY_DELETE}, delete_char, true},
    {{META(0x7f), META('\b')}, rub_word, true},
    {{META('d')}, delete_word, true},
    {{CONTROL('w')}, lz_line_rub_out, true},
    {{CONTROL('k')}, kill_right, true},
    {{CONTROL('u')}, kill_left, true},
    {{CONTROL('y')}, yank, true},
    {{CONTROL('t')}, lz_line_swap, true},
    {{META('t')}, lz_line_swap_words, true},
    {{META('u')}, upper, true},
    {{META('l')}, lower, true},
    {{META('c')}, capital, true},
    {{CONTROL('_')}, lz_line_undo, false},
    {{CONTROL('l')}, clear_screen, false},
    {{'\t'}, lz_line_complete, true},
    {{LZ_KEY_PASTE}, lz_line_paste, true},
};

const char *lz_line_keys(void)
{
    return "  C-a C-e            to the start, to the end\n"
           "  C-b C-f  M-b M-f   a character, a word back and on (and the arrows)\n"
           "  C-p C-n  M-< M->   the line before and after; the oldest, the newest\n"
           "  C-r                search the history; again: further back; C-g gives up\n"
           "  C-h C-d            delete the character before, at the cursor\n"
           "  C-w  M-Bksp  M-d   delete the word before (to a blank; a word), after\n"
           "  C-k C-u  C-y       delete to the end, to the start; put back what was deleted\n"
           "  C-t  M-t           swap two characters, two words\n"
           "  M-u M-l M-c        a word in capitals, small, with a capital\n"
           "  C-_                undo\n"
           "  C-l                clear the screen\n"
           "  TAB                complete; twice: list. The grey text is taken with C-f, C-e\n"
           "  C-c                give the line up; while time passes: stop the simulation\n"
           "  C-d                on an empty line: leave";
}

// ---------------------------------------------------------------- a line

enum end { GOES_ON, ACCEPTED, GIVEN_UP, AT_END };

// All bytes of a character at once: half of one has no place on a screen.
static void type(struct lz_line *l, int first)
{
    char bytes[4] = {(char)first};
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1, got = 1;
    while (got < n) {
        int c = lz_line_read_byte(l);
        if (c >= 256)
            return;
        bytes[got++] = (char)c;
    }
    if (!l->was_typing)
        lz_line_remember(l);
    lz_line_insert(l, bytes, n);
}

static void obey(struct lz_line *l, int key)
{
    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
        for (size_t k = 0; k < 4 && bindings[i].keys[k] != 0; k++)
            if (bindings[i].keys[k] == key) {
                if (bindings[i].changes)
                    lz_line_remember(l);
                bindings[i].go(l);
                return;
            }
}

static enum end press(struct lz_line *l, int key)
{
    if (key == CONTROL('r')) {
        lz_line_remember(l);
        key = lz_line_search(l);
    }
    if (key == '\r' || key == '\n')
        return ACCEPTED;
    if (key == CONTROL('c'))
        return GIVEN_UP;
    if (key == LZ_KEY_END_OF_INPUT || (key == CONTROL('d') && l->text.len == 0))
        return AT_END;
    bool is_text = key >= ' ' && key < 256 && key != 0x7f;
    l->kills = false;
    if (key == LZ_KEY_RESIZED)
        lz_line_resized(l);
    else if (is_text)
        type(l, key);
    else
        obey(l, key);
    l->was_kill = l->kills;
    l->was_typing = is_text;
    l->last_key = key;
    return l->pending.len > 0 ? ACCEPTED : GOES_ON;
}

static void begin(struct lz_line *l, const char *prompt)
{
    l->prompt = prompt;
    l->past_at = l->past_count;
    l->last_key = 0;
    l->was_kill = l->was_typing = false;
    l->rows = l->cursor = 0;
    lz_str_clear(&l->text);
    lz_str_clear(&l->hint);
    lz_line_forget_undo(l);
    l->at = 0;
}

char *lz_line_read(struct lz_line *l, const char *prompt)
{
    begin(l, prompt);
    lz_line_set_raw(l, true);
    bool is_pasted = lz_line_take_pending(l);
    enum end end = is_pasted && l->pending.len > 0 ? ACCEPTED : GOES_ON;
    while (end == GOES_ON) {
        lz_line_make_hint(l);
        lz_line_show(l);
        end = press(l, lz_line_read_key(l));
    }
    lz_str_clear(&l->hint);
    l->at = l->text.len;
    lz_line_show(l);
    if (end == GIVEN_UP)
        lz_line_put(l, "^C");
    lz_line_leave_row(l);
    lz_line_set_raw(l, false);
    l->gave_up = end == GIVEN_UP;
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

bool lz_line_gave_up(const struct lz_line *l)
{
    return l != NULL && l->gave_up;
}
