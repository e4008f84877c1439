/*
 * dots.h — the commands of the prompt, by where they are; for repl/ only.
 *
 *   dots.c          the table, help
 *   dots_run.c      time passes: run, step, back, and what stops it
 *   dots_fork.c     branches, snapshots, the scenario's text
 *   dots_session.c  what was typed, kept and typed again
 *   view*.c         everything that shows
 */
#ifndef LZ_REPL_DOTS_H
#define LZ_REPL_DOTS_H

#include <string.h>

#include "repl/repl.h"

typedef void lz_dot_fn(struct lz_repl *r, const char *args);

/* dots_run.c */
lz_dot_fn lz_dots_run, lz_dots_continue, lz_dots_step, lz_dots_next, lz_dots_back, lz_dots_goto,
    lz_dots_break, lz_dots_clear, lz_dots_watch;

/* dots_fork.c */
lz_dot_fn lz_dots_fork, lz_dots_forks, lz_dots_switch, lz_dots_snapshots, lz_dots_set,
    lz_dots_patch;

/* dots_session.c */
lz_dot_fn lz_dots_save, lz_dots_load;

/* views.c and its neighbours */
lz_dot_fn lz_views_events, lz_views_timeline, lz_views_faults, lz_views_expect, lz_views_plot,
    lz_views_top, lz_views_trace, lz_views_why, lz_views_sql, lz_views_export, lz_views_diff;

/* The text after blanks; after a word and blanks: NULL if it does not begin with it. */
static inline const char *lz_dots_skip(const char *text)
{
    return text + strspn(text, " \t");
}

static inline const char *lz_dots_after(const char *text, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(text, word, len) != 0 || (text[len] != '\0' && text[len] != ' '))
        return NULL;
    return lz_dots_skip(text + len);
}

#endif
