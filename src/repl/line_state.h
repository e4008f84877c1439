/*
 * line_state.h — what the parts of the line editor share; for repl/line*.c only.
 *
 *   line.c           the table of keys; a line from its first key to its last
 *   line_key.c       the terminal's mode; bytes into keys
 *   line_edit.c      what changes the text, and undoing it
 *   line_complete.c  completion, and the hint at the right
 *   line_search.c    C-r, and what is pasted
 *   line_show.c      the line on the screen
 *   line_past.c      the history and its file
 */
#ifndef LZ_REPL_LINE_STATE_H
#define LZ_REPL_LINE_STATE_H

#include <termios.h>

#include "repl/line.h"

#define LZ_LINE_PAST_MAX 1000
#define LZ_LINE_UNDO_MAX 200
#define LZ_LINE_CONTROL(c) ((c)&0x1f)

/* Keys above the bytes: what escape sequences mean. M-x is LZ_KEY_META + 'x'. */
enum lz_line_key {
    LZ_KEY_NONE = 256,
    LZ_KEY_END_OF_INPUT,
    LZ_KEY_RESIZED,
    LZ_KEY_LEFT,
    LZ_KEY_RIGHT,
    LZ_KEY_UP,
    LZ_KEY_DOWN,
    LZ_KEY_HOME,
    LZ_KEY_END,
    LZ_KEY_DELETE,
    LZ_KEY_WORD_LEFT,
    LZ_KEY_WORD_RIGHT,
    LZ_KEY_PASTE,
    LZ_KEY_META = 512,
};

/* A line as it was before a change. */
struct lz_line_was {
    char *text;
    size_t at;
};

struct lz_line {
    struct lz_line_opts opts;
    struct termios cooked;
    bool is_raw;
    const char *prompt;
    struct lz_str text;
    size_t at; /* the cursor, in bytes */
    struct lz_str hint;
    struct lz_str killed;  /* for C-y */
    bool was_kill, kills;  /* the key before, and this one: what they cut is one piece */
    bool was_typing;       /* the key before typed a character: undone as one with this one */
    struct lz_str pending; /* pasted lines that have not been read */
    char **past;
    size_t past_count;
    size_t past_at;      /* shown; past_count: the line that is being typed */
    struct lz_str mine;  /* that line, while another is shown */
    size_t rows, cursor; /* on the screen: rows of the line, and the row the cursor is in */
    int last_key;
    bool gave_up; /* the last line that was read */
    struct lz_line_was was[LZ_LINE_UNDO_MAX];
    size_t was_count;
};

/* ---- line_key.c */
void lz_line_set_raw(struct lz_line *l, bool raw);
void lz_line_restore(struct lz_line *l);        /* the terminal as it was found */
int lz_line_read_byte(const struct lz_line *l); /* or LZ_KEY_END_OF_INPUT, LZ_KEY_RESIZED */
int lz_line_read_key(const struct lz_line *l);
void lz_line_signals(struct lz_line *l); /* NULL: the terminal is nobody's any more */

/* ---- line_edit.c */
void lz_line_insert(struct lz_line *l, const char *bytes, size_t len);
void lz_line_cut(struct lz_line *l, size_t from, size_t to, bool keep);
void lz_line_set_text(struct lz_line *l, const char *text);
bool lz_line_is_part(char c); /* of a word */
size_t lz_line_word_left(const struct lz_line *l);
size_t lz_line_word_right(const struct lz_line *l);
void lz_line_rub_out(struct lz_line *l);    /* C-w: up to a blank */
void lz_line_swap(struct lz_line *l);       /* C-t */
void lz_line_swap_words(struct lz_line *l); /* M-t */
enum lz_line_case { LZ_LINE_UPPER, LZ_LINE_LOWER, LZ_LINE_CAPITAL };
void lz_line_recase(struct lz_line *l, enum lz_line_case how);
void lz_line_remember(struct lz_line *l); /* before a change */
void lz_line_undo(struct lz_line *l);
void lz_line_forget_undo(struct lz_line *l);

/* ---- line_complete.c */
void lz_line_complete(struct lz_line *l);
void lz_line_make_hint(struct lz_line *l);
bool lz_line_take_hint(struct lz_line *l);

/* ---- line_search.c */
int lz_line_search(struct lz_line *l); /* the key that ended it */
void lz_line_paste(struct lz_line *l);
bool lz_line_take_pending(
    struct lz_line *l); /* false: nothing waits, or a last line is not ended */

/* ---- line_show.c */
void lz_line_show(struct lz_line *l);
void lz_line_put(const struct lz_line *l, const char *text);
void lz_line_leave_row(struct lz_line *l); /* the cursor goes below the line */
int lz_line_columns(const struct lz_line *l);
void lz_line_resized(struct lz_line *l); /* the cursor is in another row now */

/* The next and the previous character's place; 0 and the length at the ends. */
size_t lz_line_after(const struct lz_str *s, size_t at);
size_t lz_line_before(const struct lz_str *s, size_t at);

/* Columns of so many bytes. */
size_t lz_line_width(const char *text, size_t len);

/* ---- line_past.c */
void lz_line_past_load(struct lz_line *l);
void lz_line_past_add(struct lz_line *l, const char *text);

/* The latest entry before `from` that contains, or begins with, a text; past_count: none. */
size_t lz_line_past_find(const struct lz_line *l, size_t from, const char *text, bool at_start);

#endif
