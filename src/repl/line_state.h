/*
 * line_state.h — what the parts of the line editor share; for repl/line*.c only.
 *
 *   line.c        keys and what they do
 *   line_show.c   the line on the screen
 *   line_past.c   the history and its file
 */
#ifndef LZ_REPL_LINE_STATE_H
#define LZ_REPL_LINE_STATE_H

#include <termios.h>

#include "repl/line.h"

#define LZ_LINE_PAST_MAX 1000

struct lz_line {
    struct lz_line_opts opts;
    struct termios cooked;
    bool is_raw;
    const char *prompt;
    struct lz_str text;
    size_t at; /* the cursor, in bytes */
    struct lz_str hint;
    struct lz_str killed;  /* for C-y */
    struct lz_str pending; /* pasted lines that have not been read */
    char **past;
    size_t past_count;
    size_t past_at;      /* shown; past_count: the line that is being typed */
    struct lz_str mine;  /* that line, while another is shown */
    size_t rows, cursor; /* on the screen: rows of the line, and the row the cursor is in */
    int last_key;
};

/* ---- line_show.c */
void lz_line_show(struct lz_line *l);
void lz_line_put(const struct lz_line *l, const char *text);
void lz_line_leave_row(struct lz_line *l); /* the cursor goes below the line */
int lz_line_columns(const struct lz_line *l);

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
